"""The real opencode against a model on loopback, in the real sandbox."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from greylag import plugins
from greylag.agents import opencode
from greylag.agents._opencode_events import Conversation
from greylag.errors import UserError
from greylag.model import StopReason
from greylag.protocols import Agent
from greylag.sandboxes.bubblewrap import Bubblewrap
from greylag.testing import agent, agent_faults, takeovers
from greylag.testing.agent import Bench
from greylag.testing.takeovers import CANARY

pytestmark = pytest.mark.toolchain("bwrap")

real = pytest.mark.client("opencode")
HOSTILE = takeovers.opencode()
DEAF = {path: text for path, text in HOSTILE.items() if path.split("/")[0] not in opencode._CODE}
CONTRACT = (*agent.CONTRACT, *agent_faults.CONTRACT, *agent_faults.CLIENT)


def edit(path: str, old: str, new: str) -> list[dict[str, Any]]:
    """In one call: it wants a file read before it is edited, and calls of one answer run at the same time."""
    words = {"command": f"sed -i 's/{old}/{new}/' {path}", "description": "Edits"}
    return [{"name": "bash", "input": words}]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("THE_KEY", "sk-real-key")

    def make(url: str) -> Agent:
        return opencode.PLUGIN("gpt-5", base_url=url, key_env="THE_KEY")

    def crippled(url: str) -> Agent:
        monkeypatch.setattr(opencode, "relay", lambda _: ("false",))
        return make(url)

    return Bench(
        make, Bubblewrap(), tmp_path / "bench", edit, {"name": "greylag_verify", "input": {}}, DEAF,
        program="opencode", crippled=crippled,
    )  # fmt: skip


@real
@pytest.mark.parametrize("contract", CONTRACT, ids=lambda contract: contract.__name__)
def test_contract(contract: Callable[[Bench], None], bench: Bench) -> None:
    contract(bench)


@real
def test_its_own_tool_for_edits_may_edit(bench: Bench) -> None:
    change = {"filePath": "/workspace/answer.txt", "oldString": "41", "newString": "42"}
    steps: list[agent.Step] = [
        {"tools": [{"name": "read", "input": {"filePath": "/workspace/answer.txt"}}]},
        {"tools": [{"name": "edit", "input": change}]},
        {"text": "Done."},
    ]
    other = replace(bench, make=lambda url: opencode.PLUGIN("qwen3-coder", base_url=url))  # gpt-5 has `apply_patch`
    with agent.trial(other, steps) as tried:
        assert tried.run().text == "Done."
        assert (tried.workspace / "answer.txt").read_text("utf-8") == "42\n"
        first = tried.model.questions[0]
        assert "DECLINED:" in first.text
        names = {tool["function"]["name"] for tool in first.body["tools"]}
        assert {"greylag_verify", "edit"} <= names
        assert not names & set(opencode._OFF)


@real
@pytest.mark.parametrize("path", [".opencode/plugin/canary.js", "opencode.json"])
def test_where_a_repository_has_code_for_it_it_is_not_started(path: str, bench: Bench) -> None:
    with agent.trial(bench, [{"text": "Done."}], files={path: HOSTILE[path]}) as tried:
        assert "take another agent" in agent.raised(UserError, tried.run)
        assert not tried.model.requests


@real
@pytest.mark.parametrize("path", ["src/AGENTS.md", "a/b/CONTEXT.md"])
def test_where_a_file_below_the_top_would_instruct_it_it_is_not_started(path: str, bench: Bench) -> None:
    with agent.trial(bench, [{"text": "Done."}], files={path: CANARY}) as tried:
        assert f"takes ./{path} for instructions" in agent.raised(UserError, tried.run)
        assert not tried.model.requests


@real
def test_without_its_variables_a_repository_would_be_read(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opencode, "_ISOLATION", {})
    with agent.trial(bench, [{"text": "Done."}], files=DEAF) as tried:
        tried.run()
        assert CANARY in "".join(request.text for request in tried.model.requests)


# -- without the client ----------------------------------------------------------------------------------------------


def test_what_is_missing_is_named_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="npm install -g opencode-ai"):
        plugins.load("agents", "opencode", {"model": "gpt-5", "base-url": "http://127.0.0.1:1"})
    with pytest.raises(UserError, match="model"):
        plugins.load("agents", "opencode", {})


def test_its_lines_are_understood_and_nonsense_is_no_session(ask: Any) -> None:
    conversation = Conversation(ask())
    state = {"status": "completed", "input": {"command": "ls\x1b[2J"}, "output": "a.py"}
    lines: list[dict[str, Any]] = [
        {"type": "step_start", "sessionID": "ses_1", "part": {"type": "step-start"}},
        {"type": "text", "sessionID": "ses_1", "part": {"text": "I look.\u202e"}},
        {"type": "tool_use", "sessionID": "ses_1", "part": {"tool": "bash", "state": state}},
        {"type": "step_finish", "sessionID": "ses_1", "part": {"reason": "tool-calls"}},
    ]
    spoken = [conversation.line(json.dumps(line)) for line in lines]
    assert (conversation.session, conversation.stop, spoken) == ("ses_1", None, [False, False, False, True])
    assert ask.said("agent.text") == ["I look."]
    assert ask.said("agent.tool") == ["bash ls"]
    for line in ("{", "[]", "17", "[" * 100_000, '{"type": "text", "part": 3}', '{"type": "error", "error": []}'):
        assert not conversation.line(line)
    conversation.line(json.dumps({"type": "error", "error": {"name": "APIError", "data": {"message": "\x1b[31mred"}}}))
    assert (conversation.stop, conversation.last_words) == (StopReason.LLM_ERROR, "red")
