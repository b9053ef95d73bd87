"""The scripted agent does what it is told, in the sandbox, one step a session."""

from pathlib import Path
from typing import Any

import pytest

from greylag import plugins
from greylag.errors import AgentError, UserError
from greylag.model import Limits, StopReason
from greylag.protocols import Sandbox


def scripted(*steps: dict[str, Any]) -> Any:
    return plugins.load("agents", "scripted", {"steps": list(steps)})


def test_each_session_takes_the_next_step_and_then_nothing_happens(ask: Any, workspace: Path) -> None:
    agent = scripted({"files": {"new/a.py": "x = 1\n"}, "delete": ["README.md"], "text": "One."}, {"verify": True})
    first = agent.run(ask("Do it."))
    assert (workspace / "new/a.py").read_text() == "x = 1\n"
    assert not (workspace / "README.md").exists()
    assert (first.stop, first.text, first.verifications) == (StopReason.COMPLETED, "One.", 0)
    second = agent.run(ask("It is red.", resume=first))
    assert (second.id, second.verifications) == (first.id, 1)
    assert "12 tests" in agent.reports[0]
    assert agent.run(ask("Again.")).stop is StopReason.COMPLETED
    assert agent.prompts == ["Do it.", "It is red.", "Again."]
    assert ask.said("agent.tool") == ["write_file new/a.py", "delete_file README.md", "verify"]


def test_steps_end_as_they_say(ask: Any, sandbox: Any) -> None:
    agent = scripted({"decline": "no"}, {"stop": "turn limit"}, {"fail": "boom"}, {"sleep": 60}, {"sleep": 60})
    declined = agent.run(ask())
    assert (declined.stop, declined.text) == (StopReason.DECLINED, "no")
    assert agent.run(ask()).stop is StopReason.TURNS
    with pytest.raises(AgentError, match=r"^boom$"):
        agent.run(ask())
    assert agent.run(ask(limits=Limits(seconds=0.2))).stop is StopReason.TIMEOUT
    sandbox.kill()
    assert agent.run(ask()).stop is StopReason.KILLED


def test_a_script_that_cannot_be_carried_out_is_an_error(ask: Any, tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="leads out of the workspace"):
        scripted({"files": {"../outside.txt": "x"}}).run(ask())
    assert not (tmp_path / "outside.txt").exists()
    with pytest.raises(UserError, match="flies"):
        scripted({"flies": {}})


def test_in_the_real_sandbox(ask: Any, real_sandbox: Sandbox, workspace: Path) -> None:
    scripted({"files": {"src/b.py": "y = 2\n"}}).run(ask(sandbox=real_sandbox))
    assert (workspace / "src/b.py").read_text() == "y = 2\n"
