"""Any program as an agent: where it runs, what it is given, and what its failure means."""

from pathlib import Path
from typing import Any

import pytest

from greylag import plugins
from greylag.errors import AgentError, UserError
from greylag.model import Limits, StopReason
from greylag.protocols import Sandbox


def command(**settings: Any) -> Any:
    return plugins.load("agents", "command", settings)


def test_a_codemod_edits_the_tree_and_cannot_correct_itself(ask: Any, workspace: Path) -> None:
    agent = command(run=["sed", "-i", "s/a - b/a + b/", "src/app.py"])
    session = agent.run(ask())
    assert (workspace / "src/app.py").read_text().endswith("a + b\n")
    assert (session.stop, session.agent, session.usage.turns) == (StopReason.COMPLETED, "command", 0)
    assert agent.corrects is False
    assert ask.said("agent.tool") == ["sed -i 's/a - b/a + b/' src/app.py"]
    assert session.command == "sed -i 's/a - b/a + b/' src/app.py"


def test_the_prompt_is_on_standard_input_and_in_a_file(ask: Any, workspace: Path) -> None:
    session = command(run='cat > in.txt; cat "$GREYLAG_PROMPT" > file.txt; echo done').run(
        ask("Größe\nändern @home@ @port:x@")
    )
    assert (workspace / "in.txt").read_text() == (workspace / "file.txt").read_text() == "Größe\nändern @home@ @port:x@"
    assert session.text == "done"
    command(run="cat > in.txt", **{"prompt-on-stdin": False}).run(ask("x"))
    assert (workspace / "in.txt").read_text() == ""


def test_words_of_a_list_see_no_shell(ask: Any) -> None:
    assert command(run=["echo", "$(id); x"]).run(ask()).text == "$(id); x"


@pytest.mark.parametrize(
    ("run", "says"),
    [
        ("echo one; echo; printf 'tw\\033[2Jo\\n' >&2; exit 3", r"failed \(exit code 3\): one \| two$"),
        (["no-such-program"], r"`no-such-program` failed \(exit code 127\)"),
        ("exit 1", "it printed nothing"),
    ],
)
def test_a_program_that_fails_ends_the_run_with_its_last_words(ask: Any, run: Any, says: str) -> None:
    with pytest.raises(AgentError, match=says):
        command(run=run).run(ask())
    assert '"kind": "command"' in ask.transcript.read_text()


def test_a_program_that_is_late_or_killed_says_so(ask: Any, sandbox: Any) -> None:
    late = command(run="echo begun; exec sleep 60").run(ask(limits=Limits(seconds=0.3)))
    assert late.stop is StopReason.TIMEOUT
    sandbox.kill()
    assert command(run="echo").run(ask()).stop is StopReason.KILLED


def test_a_program_that_can_correct_itself_is_told_what_failed(ask: Any, workspace: Path) -> None:
    agent = command(run="cat >> told.txt", corrects=True)
    assert agent.corrects is True
    first = agent.run(ask("one\n"))
    second = agent.run(ask("two\n", resume=first))
    assert second.id == first.id
    assert (workspace / "told.txt").read_text() == "one\ntwo\n"


@pytest.mark.parametrize("run", ["", [], ["sed", 1]])
def test_settings_that_do_not_fit_are_refused(run: Any) -> None:
    with pytest.raises(UserError, match=r"a list of words, or a text for the shell|a text in quotes or a list"):
        command(run=run)


def test_in_the_real_sandbox(ask: Any, real_sandbox: Sandbox, workspace: Path) -> None:
    script = "sed -i 's/a - b/a + b/' src/app.py && cat && cat \"$GREYLAG_PROMPT\""
    session = command(run=script).run(ask("Repair add.\n", sandbox=real_sandbox))
    assert (workspace / "src/app.py").read_text().endswith("a + b\n")
    assert session.text == "Repair add.\nRepair add."
