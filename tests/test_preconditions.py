"""A prompt's preconditions are checked on the base commit, before any token is spent."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from greylag import assembly, config, plugins
from greylag.errors import UserError
from greylag.model import Policy, Precondition, Repo, Status, Task
from greylag.pipeline import run_task
from greylag.protocols import SandboxBackend
from greylag.report import Run
from greylag.store import Store
from greylag.testing.service import make_service


@pytest.fixture(scope="module")
def box() -> SandboxBackend:
    backend: SandboxBackend = plugins.load("sandboxes", "bubblewrap", {})
    return backend


@pytest.fixture
def carried_out(tmp_path: Path, state: Path, box: SandboxBackend, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a prompt with preconditions, with an agent that would change the greeting."""
    monkeypatch.setattr(assembly, "backend", lambda _settings, *, unsafe: box)
    repo = make_service(tmp_path / "service")
    agent = plugins.load("agents", "scripted", {"steps": [{"files": {"greet": "echo Hello, ${1:-you}\n"}}]})

    def run(*preconditions: Precondition, **policy: Any) -> Run:
        task = Task("Greet.", Repo(str(repo)), "Greet", Policy(preconditions=preconditions, **policy))
        settings = config.parse('[agent]\nname = "scripted"\n[judge]\nmode = "off"\n', "test")
        parts = assembly.parts(task, settings, config.Directories(state, tmp_path / "cache"), unsafe=False)
        store = Store(state)
        run_id = store.new_id()
        home = store.home(run_id)
        done = run_task(task, run_id, home, replace(parts, agent=agent), observe=lambda _: None, record=lambda _: None)
        assert not (home / "preconditions").exists()
        return done

    return run


MET: Mapping[str, Precondition] = {
    "a command": Precondition(run="test -f greet && touch trace && test ! -e .git"),
    "a command that fails": Precondition(run="test -f bye", negate=True),
    "a file": Precondition(files=("tests/*.sh",)),
    "no file": Precondition(files=("*.py",), negate=True),
    "a pattern": Precondition(files=("greet",), contains=r"^echo Hello, \$1$"),
    "a pattern anywhere": Precondition(contains="greet Ada"),
}


@pytest.mark.parametrize("name", MET)
def test_what_holds_lets_the_agent_begin_and_its_opposite_does_not(carried_out: Any, name: str) -> None:
    run = carried_out(replace(MET[name], negate=not MET[name].negate, why="it greets\x1b[2J already"))
    assert (run.status, run.reason) == (Status.NO_CHANGE, "precondition not met: it greets already")
    assert run.status.exit_code == 0
    assert run.sessions == ()
    assert run.baseline is None, "nothing was verified for it either"
    run = carried_out(*MET.values())
    assert run.status is Status.OPENED
    assert "trace" not in (run.pull_request.title + run.pull_request.body)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Precondition(files=("*.py", "*.pyi")), "there is no file of *.py, *.pyi"),
        (Precondition(contains="utcnow"), "there is no file with `utcnow`"),
        (Precondition(files=("greet",), contains="Hello", negate=True), "there is a file of greet with `Hello`"),
        (Precondition(run="exit 3"), "`exit 3` fails"),
        (Precondition(run="true", negate=True), "`true` succeeds"),
    ],
)
def test_without_a_reason_of_its_own_it_is_said_what_does_not_hold(
    carried_out: Any, wanted: Precondition, said: str
) -> None:
    assert carried_out(wanted).reason == f"precondition not met: {said}"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Precondition(run="no-such-tool --x"), "cannot be run: .*no-such-tool.*; give a command that the sandbox has"),
        (Precondition(contains="(unclosed"), "is no pattern"),
    ],
)
def test_what_cannot_be_checked_is_the_authors_to_mend(carried_out: Any, wanted: Precondition, said: str) -> None:
    with pytest.raises(UserError, match=said):
        carried_out(wanted)


@pytest.mark.parametrize(
    "front",
    ['run = "true"\nfiles = ["a"]', 'why = "nothing"', 'run = ""', 'run = " "'],
)
def test_front_matter_has_one_kind_of_precondition_each(front: str) -> None:
    with pytest.raises(UserError, match="either `run`, or `files` and `contains`"):
        config.prompt(f"+++\n[[preconditions]]\n{front}\n+++\nDo it.\n".encode(), "the prompt")


def test_front_matter_becomes_preconditions() -> None:
    front = '[[preconditions]]\nrun = "x"\nnot = true\nwhy = "no x"\n[[preconditions]]\nfiles = ["a"]\ncontains = "b"'
    prompt = config.prompt(f"+++\n{front}\n+++\nDo it.\n".encode(), "the prompt")
    assert prompt.policy(config.RunSettings()).preconditions == (
        Precondition(run="x", negate=True, why="no x"),
        Precondition(files=("a",), contains="b"),
    )
