"""The real Claude Code against a model on loopback, in the real sandbox."""

import json
import os
import sys
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from greylag.agents import claude_code
from greylag.errors import AgentError, InfraError
from greylag.model import StopReason
from greylag.protocols import Agent
from greylag.sandboxes.bubblewrap import Bubblewrap
from greylag.sandboxes.none import Unsandboxed
from greylag.testing import agent, agent_faults, takeovers
from greylag.testing.agent import Bench
from greylag.testing.takeovers import CANARY

pytestmark = pytest.mark.toolchain("bwrap")

CONTRACT = (*agent.CONTRACT, *agent_faults.CONTRACT, *agent_faults.CLIENT)
real = pytest.mark.client("claude")


def edit(path: str, old: str, new: str) -> list[dict[str, Any]]:
    """The client wants a file read before it is edited."""
    change = {"file_path": path, "old_string": old, "new_string": new}
    return [{"name": "Read", "input": {"file_path": path}}, {"name": "Edit", "input": change}]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("THE_KEY", "sk-real-key")
    monkeypatch.setattr(claude_code, "_RETRIES", 1)  # its patience takes ten seconds otherwise

    def make(url: str) -> Agent:
        return claude_code.PLUGIN(model="claude-sonnet-4-5", base_url=url, key_env="THE_KEY")

    def crippled(url: str) -> Agent:
        monkeypatch.setattr(claude_code, "relay", lambda _: ("false",))
        return make(url)

    verify = {"name": "mcp__greylag__verify", "input": {}}
    return Bench(
        make, Bubblewrap(), tmp_path / "bench", edit, verify, takeovers.claude_code(),
        program="claude", crippled=crippled,
    )  # fmt: skip


@real
@pytest.mark.parametrize("contract", CONTRACT, ids=lambda contract: contract.__name__)
def test_contract(contract: Callable[[Bench], None], bench: Bench) -> None:
    contract(bench)


@real
def test_without_its_fixed_flags_a_repository_would_win(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claude_code, "_ISOLATION", ())
    with pytest.raises((AssertionError, InfraError, AgentError)):
        agent.is_deaf_to_the_repository(bench)
    assert list(bench.directory.rglob("CANARY"))


@real
def test_it_is_let_go_after_the_cap(bench: Bench) -> None:
    agent.is_let_go_after_the_cap(bench, 3)


@real
def test_what_an_earlier_session_left_in_its_home_does_not_steer_the_next(bench: Bench) -> None:
    plant = (
        'cd "$CLAUDE_CONFIG_DIR" && for place in . projects/*; do mkdir -p $place/memory && '
        f"echo {CANARY} > $place/memory/MEMORY.md; done; echo {CANARY} > CLAUDE.md; "
        'printf \'{"env": {"ANTHROPIC_BASE_URL": "http://127.0.0.1:1"}}\' > .claude.json; '
        "cp .claude.json settings.json; ls -a"
    )
    call = {"name": "Bash", "input": {"command": plant, "description": "Plants"}}
    with agent.trial(bench, [{"tools": [call]}, {"text": "One."}, {"text": "Two."}]) as tried:
        first = tried.run("Go.")
        assert "memory" in tried.model.questions[1].text
        tried.run("Go on.", resume=first)
        last = tried.model.questions[2]
        assert "One." in last.text
        assert CANARY not in json.dumps(last.body["system"])
        assert CANARY not in json.dumps(last.body["messages"][-1])
        assert CANARY not in json.dumps(last.body["messages"][0])


@real
def test_it_works_without_a_sandbox_as_well(bench: Bench) -> None:
    agent.edits_a_file_and_calls_verify(replace(bench, backend=Unsandboxed()))


@real
def test_a_conversation_that_is_gone_is_said_to_be_gone(bench: Bench) -> None:
    with agent.trial(bench, [{"text": "First."}]) as tried:
        first = tried.run()
        gone = replace(first, resume=str(uuid.uuid4()))
        assert "conversation" in agent.raised(AgentError, lambda: tried.run(resume=gone))


@real
def test_the_sandbox_holds_no_key_and_the_service_gets_it(bench: Bench) -> None:
    tools = [{"name": "Bash", "input": {"command": "env; cat /proc/*/environ | tr '\\0' '\\n'"}}]
    with agent.trial(bench, [{"tools": tools}, {"text": "Done."}]) as tried:
        tried.run()
        assert "ANTHROPIC_BASE_URL" in tried.model.questions[1].text  # it did look
        assert {request.headers["x-api-key"] for request in tried.model.requests} == {"sk-real-key"}
        assert "sk-real-key" not in "".join(request.text for request in tried.model.requests)
        assert "sk-real-key" not in tried.transcript.read_text("utf-8")


@real
def test_what_it_is_told_of_the_job_and_nothing_of_the_tools_behind_verify(bench: Bench) -> None:
    with agent.trial(bench, [{"text": "Done."}], files={"answer.txt": CANARY}) as tried:
        tried.run("/clear is how this prompt begins, and @answer.txt is in it")
        first = tried.model.requests[0]
        assert "DECLINED:" in first.text
        assert "Do not commit" in first.text
        assert "/clear is how this prompt begins" in first.text
        assert CANARY not in first.text
        assert {tool["name"] for tool in first.body["tools"]} == {*claude_code._TOOLS, claude_code.VERIFY}


CHILD = """
import sys
from pathlib import Path
from greylag.agents.claude_code import PLUGIN
from greylag.sandboxes.bubblewrap import Bubblewrap
from greylag.sandboxes.none import Unsandboxed
from greylag.testing import agent, takeovers

def make(url):
    return PLUGIN(model=sys.argv[2], base_url=url)

bench = agent.Bench(make, Bubblewrap(), Path(sys.argv[1]), None, {})
steps = [{"tools": [{"name": "Bash", "input": {"command": "sleep 1000 & echo"}}]}, {"hang": True}]
with agent.trial(bench, steps) as tried:
    import threading
    threading.Thread(target=lambda: (tried.model.hanging.wait(), print("hanging", flush=True)), daemon=True).start()
    tried.run()
"""


@real
def test_killing_greylag_leaves_no_process(tmp_path: Path) -> None:
    marker = f"claude-marker-{uuid.uuid4().hex}"
    command = [sys.executable, "-c", CHILD, str(tmp_path / "bench"), marker]
    agent_faults.dies_with_greylag(command, marker)


# -- without the client ----------------------------------------------------------------------------------------------


@pytest.fixture
def player(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Bench]:
    """A program in the client's place that runs a line of shell, for what the real one does not do on demand."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory) + os.pathsep + os.environ["PATH"])
    if os.getuid() == 0:
        tmp_path.chmod(0o755)

    def play(script: str) -> Bench:
        program = directory / "claude"
        program.write_text(f"#!/bin/sh\n{script}\n", "ascii")
        program.chmod(0o755)
        return replace(bench, backend=Bubblewrap())

    return play


def init(*tools: str) -> str:
    return json.dumps({"type": "system", "subtype": "init", "session_id": "s1", "model": "m", "tools": list(tools)})


def test_a_client_without_verify_is_ended_before_it_spends_anything(player: Callable[[str], Bench]) -> None:
    with agent.trial(player(f"echo '{init('Edit', 'Bash')}'; sleep 1000"), []) as tried:
        assert "without the tool `verify`" in agent.raised(AgentError, tried.run)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'Segmentation fault' >&2; exit 139", "killed by signal 11"),
        ("echo 'error: unknown option --setting-sources' >&2; exit 1", "tried with Claude Code 2.1.332"),
        ("echo '{\"type\": \"system\"'; echo '[[[['; echo 17", "without a result"),
        ("printf '\\033[31mred\\n' >&2; exit 1", "red"),
    ],
)
def test_a_client_that_crashes_is_the_agents_failure_in_one_clean_line(
    script: str, said: str, player: Callable[[str], Bench]
) -> None:
    with agent.trial(player(script), []) as tried:
        message = agent.raised(AgentError, tried.run)
    assert said in message
    assert message.isprintable()


@pytest.mark.parametrize(
    ("result", "stop"),
    [
        ({"is_error": False, "terminal_reason": "completed"}, StopReason.COMPLETED),
        ({"is_error": True, "terminal_reason": "api_error"}, StopReason.LLM_ERROR),
        ({"is_error": True, "terminal_reason": "max_turns"}, StopReason.TURNS),
        ({"terminal_reason": "completed"}, StopReason.LLM_ERROR),
        ({"is_error": False, "terminal_reason": "aborted"}, StopReason.LLM_ERROR),
    ],
)
def test_its_end_is_judged_by_its_reason_never_by_the_word_success(
    result: dict[str, Any], stop: StopReason, player: Callable[[str], Bench]
) -> None:
    last = json.dumps({"type": "result", "subtype": "success", "result": "Words.", **result})
    with agent.trial(player(f"echo '{init(claude_code.VERIFY)}'; echo '{last}'"), []) as tried:
        session = tried.run()
    assert (session.stop, session.text, session.resume) == (stop, "Words.", "s1")


CALL = """
import os, urllib.request
headers = {"content-type": "application/json", "anthropic-version": "2023-06-01"}
url = os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages"
urllib.request.urlopen(urllib.request.Request(url, b'{"tools": [{}]}', headers)).read()
"""


@pytest.mark.parametrize("reason", ["api_error", "completed"])
def test_nonsense_in_place_of_an_llm_is_infrastructure_however_the_client_calls_it(
    reason: str, player: Callable[[str], Bench]
) -> None:
    last = json.dumps({"type": "result", "is_error": reason != "completed", "terminal_reason": reason})
    script = f"/usr/bin/python3 - <<'END' || exit 9\n{CALL}END\necho '{init(claude_code.VERIFY)}'; echo '{last}'"
    with agent.trial(player(script), [{"raw": "<html>Welcome</html>"}]) as tried:
        message = agent.raised(InfraError, tried.run)
        assert tried.model.url.removeprefix("http://") in message
    assert "Welcome" in message
