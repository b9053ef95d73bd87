import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from greylag import plugins
from greylag.model import Phase, Scope, Verdict
from greylag.protocols import Change, Context
from greylag.report import Report
from greylag.testing.changes import Files, NoSandbox, make_change

BASE = {"src/app.py": "def greet(name):\n    return 'Hello ' + name\n\n\ndef bye():\n    return 'Bye'\n"}
HEAD = {"src/app.py": "def greet(name):\n    return f'Hello {name}!'\n\n\ndef bye():\n    return 'Bye'\n"}
PROMPT = "Greet with an exclamation mark."


@pytest.fixture(scope="session")
def changes(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Change]:
    """Changes between sets of files, in one repository."""
    directory = tmp_path_factory.mktemp("changes")

    def change(base: Files = BASE, head: Files = HEAD, prompt: str = PROMPT, allow: Sequence[str] = ()) -> Change:
        return make_change(directory, base, head, prompt=prompt, scope=Scope(tuple(allow)))

    return change


@pytest.fixture
def answer() -> Callable[..., dict[str, Any]]:
    """A good answer for the change from BASE to HEAD, with parts replaced."""

    def make(**parts: Any) -> dict[str, Any]:
        met = {"text": "exclamation mark", "status": "met", "quotes": ["+    return f'Hello {name}!'"]}
        return {"requirements": [met], "tests_honest": True, "comment": "fine", **parts}

    return make


@pytest.fixture
def judge(tmp_path: Path, changes: Callable[..., Change]) -> Callable[..., Verdict]:
    """The verdict of a judge whose model gives the recorded answers, one after the other."""

    def run(
        *answers: dict[str, Any], change: Change | None = None, expect: Sequence[str] = (),
        earlier: Sequence[Verdict] = (), baseline: Report | None = None, **settings: Any,
    ) -> Verdict:  # fmt: skip
        recording = tmp_path / "recording.json"
        turns = [{"answer": answer, "expect": list(expect) if n == 0 else []} for n, answer in enumerate(answers)]
        recording.write_text(json.dumps({"judge": turns}))
        return verify({"model": f"replay:{recording}", **settings}, change or changes(), earlier, baseline)

    return run


@pytest.fixture
def judged() -> Callable[..., Verdict]:
    """The verdict of a judge with these settings."""
    return verify


def verify(
    settings: dict[str, Any], change: Change, earlier: Sequence[Verdict] = (), baseline: Report | None = None
) -> Verdict:
    plugin = plugins.load("judge", "llm", settings)
    (activation,) = plugin.detect(change.head)
    assert activation.phase is Phase.JUDGE
    sandbox = NoSandbox()
    context = Context(change, sandbox, Path("/nonexistent"), sandbox.run, earlier=tuple(earlier), baseline=baseline)
    verdict: Verdict = plugin.verify(activation, context)
    json.dumps(dict(verdict.details))  # it is kept as JSON
    return verdict
