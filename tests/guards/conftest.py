from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from greylag import plugins
from greylag.model import Diagnostic, Phase, Scope, Verdict
from greylag.protocols import Change, Context
from greylag.testing.changes import Files, NoSandbox, make_change

Guarded = Callable[..., Verdict]


def context(change: Change, earlier: Sequence[Verdict] = ()) -> Context:
    sandbox = NoSandbox()
    return Context(change, sandbox, Path("/nonexistent"), sandbox.run, earlier=tuple(earlier))


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One bare repository for all changes of these tests."""
    return tmp_path_factory.mktemp("changes")


def _verdict(name: str, change: Change) -> Verdict:
    plugin = plugins.load("guards", name)
    (activation,) = plugin.detect(change.head)
    assert (activation.phase, activation.root) == (Phase.GUARD, ".")
    verdict: Verdict = plugin.verify(activation, context(change))
    return verdict


@pytest.fixture
def judged() -> Callable[[str, Change], Verdict]:
    """Runs the guard of a name on a change, as it is loaded by a user."""
    return _verdict


@pytest.fixture
def guard(repository: Path) -> Guarded:
    """Runs the guard of a name on the change from `base` to `head`."""

    def run(name: str, base: Files, head: Files, allow: Sequence[str] = (), paths: Sequence[str] = ()) -> Verdict:
        return _verdict(name, make_change(repository, base, head, scope=Scope(tuple(allow), tuple(paths))))

    return run


@pytest.fixture
def found() -> Callable[[Verdict], list[str]]:
    """Severity, rule and place of each finding, for comparing."""
    return lambda verdict: [_line(finding) for finding in verdict.diagnostics]


def _line(finding: Diagnostic) -> str:
    place = f"{finding.path or '-'}:{finding.line}" if finding.line else finding.path or "-"
    return f"{finding.severity.value} {finding.rule} {place}"
