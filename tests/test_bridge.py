"""The tool and the stop gate over their sockets, through the relay that runs in sandboxes."""

import json
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from greylag import bridge, hook
from greylag.bridge import Gate
from greylag.errors import InfraError
from greylag.model import Diagnostic, Event, Outcome, Phase, Verdict
from greylag.report import Report

RELAY = Path(bridge.__file__).parent / "agents" / "_relay.py"
GREEN = Report("a" * 40, "b" * 40, (Verdict("pytest", Phase.TEST, Outcome.PASSED),))
RED = Report(
    "a" * 40, "b" * 40, (Verdict("pytest", Phase.TEST, Outcome.FAILED, diagnostics=(Diagnostic("2 is not 3"),)),)
)
OUT_OF_DISK = Report("a" * 40, "b" * 40, (Verdict("pytest", Phase.TEST, Outcome.ERRORED, summary="disk full"),))


def gate(*answers: Report | Exception, max_blocks: int = 3) -> Gate:
    left = list(answers)

    def verify() -> Report:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Gate(verify, lambda _event: None, max_blocks)


HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


class Peer:
    """An MCP client behind the relay."""

    def __init__(self, path: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(RELAY), str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.greeting = self.ask("initialize", HELLO)
        self.send({"method": "notifications/initialized"})

    def send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdout
        self.send({"id": 1, "method": method, "params": params})
        self.notes: list[dict[str, Any]] = []
        while "id" not in (answer := json.loads(self.process.stdout.readline())):
            self.notes.append(answer)
        return dict(answer["result"])

    def verify(self, **meta: Any) -> dict[str, Any]:
        return self.ask("tools/call", {"name": "verify", "arguments": {}, **({"_meta": meta} if meta else {})})

    def close(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        assert self.process.wait(10) == 0
        self.process.stdout.close()


@contextmanager
def serving(gate: Gate) -> Iterator[Mapping[str, Path]]:
    with tempfile.TemporaryDirectory() as parent, bridge.sockets(gate, Path(parent)) as paths:
        yield paths


@contextmanager
def peer(gate: Gate) -> Iterator[Peer]:
    with serving(gate) as paths:
        client = Peer(paths["verify"])
        yield client
        client.close()


def call_hook(path: Path, payload: bytes) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-I", "-S", str(RELAY), str(path)]
    return subprocess.run(command, input=payload, capture_output=True, timeout=20, check=False)


def test_the_sockets_are_where_they_are_asked_for_however_long_the_path_and_gone_afterwards(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 200) / "sockets"
    with bridge.sockets(gate(GREEN), deep) as paths:
        assert paths["stop"].is_relative_to(deep)
        command = [sys.executable, "-I", "-S", str(RELAY), "stop"]
        done = subprocess.run(
            command, input=b"{}", capture_output=True, timeout=20, check=True, cwd=paths["stop"].parent
        )
    assert json.loads(done.stdout) == {}
    assert list(deep.iterdir()) == []


def test_verify_is_the_only_tool_needs_no_arguments_and_answers_in_plain_text() -> None:
    with peer(gate(RED, GREEN)) as client:
        tools = client.ask("tools/list", {})["tools"]
        first, second = client.verify(), client.verify()
    assert [(tool["name"], tool["inputSchema"].get("required")) for tool in tools] == [("verify", None)]
    assert first["content"] == [{"type": "text", "text": RED.render()}]
    assert "2 is not 3" in first["content"][0]["text"]
    assert not first.get("isError")
    assert "structuredContent" not in first  # clients would show the model its JSON instead of the text
    assert second["content"][0]["text"] == GREEN.render()


def test_a_tool_that_does_not_exist_runs_nothing() -> None:
    with peer(gate()) as client:
        answer = client.ask("tools/call", {"name": "shell", "arguments": {"command": "id"}})
    assert answer["isError"]


def test_a_long_verification_gives_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "_PULSE", 0.02)
    pulses = threading.Event()
    monkeypatch.setattr(bridge, "_pulse", _watched(bridge._pulse, pulses))

    def verify() -> Report:
        assert pulses.wait(20)
        return GREEN

    with peer(Gate(verify, lambda _event: None)) as client:
        client.verify(progressToken="p1")
    assert {note["method"] for note in client.notes} == {"notifications/progress"}
    assert client.notes[0]["params"]["progressToken"] == "p1"


def _watched(pulse: Callable[[Any], Any], seen: threading.Event) -> Callable[[Any], Any]:
    class Session:
        def __init__(self, session: Any) -> None:
            self.session = session

        async def report_progress(self, *args: Any, **kwargs: Any) -> None:
            await self.session.report_progress(*args, **kwargs)
            seen.set()

    async def watched(context: Any) -> None:
        context.session = Session(context.session)
        await pulse(context)

    return watched


@pytest.mark.parametrize("error", [InfraError("no space left on /var/lib/secret"), ValueError("a bug of ours")])
def test_what_verification_raises_is_kept_from_the_agent_and_raised_afterwards(error: Exception) -> None:
    tried = gate(error)
    with peer(tried) as client:
        answers = [client.verify(), client.verify()]
        assert tried.stop({}) == {}
    texts = [answer["content"][0]["text"] for answer in answers]
    assert texts == [bridge.UNAVAILABLE, bridge.UNAVAILABLE]
    with pytest.raises(type(error), match=str(error)):
        tried.settle()


def test_the_stop_gate_sends_back_with_the_report_until_it_passes() -> None:
    tried = gate(RED, GREEN)
    with serving(tried) as paths:
        first = json.loads(call_hook(paths["stop"], b'{"stop_hook_active": false}').stdout)
        second = json.loads(call_hook(paths["stop"], b'{"stop_hook_active": true}').stdout)
    assert first == {"decision": "block", "reason": RED.render()}
    assert second == {}
    assert tried.blocks == 1


def test_the_stop_gate_has_a_cap_of_its_own() -> None:
    tried = gate(RED, RED, max_blocks=2)
    answers = [tried.stop({}) for _ in range(4)]
    assert [bool(answer) for answer in answers] == [True, True, False, False]


def test_an_agent_that_declines_is_let_go_without_verification() -> None:
    assert gate().stop({"last_assistant_message": "I looked.\n\nDECLINED: there is no such service here."}) == {}


def test_the_stop_gate_blocks_only_for_what_the_agent_can_repair() -> None:
    assert gate(OUT_OF_DISK).stop({}) == {}
    assert gate(Report("a" * 40, "b" * 40)).stop({}) == {}


def test_the_gate_tells_what_happened() -> None:
    seen: list[Event] = []
    tried = Gate(lambda: RED, seen.append, 1)
    tried.check()
    tried.stop({})
    assert [event.kind for event in seen] == ["agent.verify", "agent.blocked"]
    assert tried.verifications == 1


def test_nonsense_and_floods_from_the_sandbox_do_no_harm() -> None:
    tried = gate(RED, GREEN)
    with serving(tried) as paths:
        for nonsense in (b"", b"\xff\xfe", b"[" * 100_000, b'{"a": 1}\n' * 10, b"x" * (2 << 20)):
            with socket.socket(socket.AF_UNIX) as raw:
                raw.connect(str(paths["verify"]))
                try:
                    raw.sendall(nonsense + b"\n")
                except OSError:
                    continue  # it hung up on us
        idle = [socket.socket(socket.AF_UNIX) for _ in range(40)]
        for raw in idle:
            raw.connect(str(paths["verify"]))
        for raw in idle:
            raw.close()
        assert json.loads(call_hook(paths["stop"], b"[[[nonsense").stdout)["decision"] == "block"
        client = Peer(paths["verify"])
        assert client.verify()["content"][0]["text"] == GREEN.render()
        client.close()


def test_the_relay_does_not_block_an_agent_when_nobody_listens(tmp_path: Path) -> None:
    done = call_hook(tmp_path / "nothing", b"{}")
    assert (done.returncode, done.stdout) == (1, b"")  # 1 does not block, 2 would


def test_a_normal_end_waits_for_a_verification_under_way() -> None:
    began, go = threading.Event(), threading.Event()

    def verify() -> Report:
        began.set()
        assert go.wait(20)
        return GREEN

    tried = Gate(verify, lambda _event: None)
    with serving(tried) as paths:
        raw = socket.socket(socket.AF_UNIX)
        raw.connect(str(paths["stop"]))
        raw.shutdown(socket.SHUT_WR)
        assert began.wait(20)
        raw.close()
        threading.Timer(0.05, go.set).start()
    assert go.is_set()


def test_an_interrupt_does_not_wait_for_a_verification_under_way() -> None:
    began, go = threading.Event(), threading.Event()

    def verify() -> Report:
        began.set()
        assert go.wait(60)
        return GREEN

    def interrupted() -> None:
        with serving(Gate(verify, lambda _event: None)) as paths, socket.socket(socket.AF_UNIX) as raw:
            raw.connect(str(paths["stop"]))
            raw.shutdown(socket.SHUT_WR)
            assert began.wait(20)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    go.set()


def test_the_tool_shows_a_log_that_an_answer_named_and_checks_nothing() -> None:
    asked: list[tuple[str, int, str]] = []

    def log(name: str, page: int, search: str) -> str:
        asked.append((name, page, search))
        return "the log"

    tried = Gate(lambda: pytest.fail("it was checked"), lambda _event: None, log=log)
    with peer(tried) as client:
        (tool,) = client.ask("tools/list", {})["tools"]
        assert set(tool["inputSchema"]["properties"]) == {"log", "page", "search"}
        for arguments in ({"log": "01-loop/a.log"}, {"log": "a", "page": 2, "search": "x"}, {"log": "a", "page": "z"}):
            answer = client.ask("tools/call", {"name": "verify", "arguments": arguments})
            assert answer["content"][0]["text"] == "the log"
    assert asked == [("01-loop/a.log", 1, ""), ("a", 2, "x"), ("a", 1, "")]
    assert tried.verifications == 0


def test_greylag_mcp_serves_over_stdio() -> None:
    program = (
        "from greylag import mcp\nfrom greylag.protocols import no_log\nfrom greylag.report import Report\n"
        "def verify():\n    print('noise of a verifier')\n    return Report('a' * 40, 'b' * 40)\n"
        "mcp.serve(verify, no_log)\n"
    )
    lines: list[dict[str, object]] = [
        {"id": 1, "method": "initialize", "params": HELLO},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": {"name": "verify", "arguments": {}}},
    ]
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdin
        assert process.stdout
        for line in lines:
            process.stdin.write(json.dumps({"jsonrpc": "2.0", **line}).encode() + b"\n")
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.stdin.close()
        assert process.wait(20) == 0
    assert "NOT VERIFIED" in answers[1]["result"]["content"][0]["text"]


def test_the_hook_alone_blocks_once_and_with_a_memory_up_to_its_cap(tmp_path: Path) -> None:
    def red() -> Report:
        return RED

    fresh, again = {"session_id": "s1"}, {"session_id": "s1", "stop_hook_active": True}
    assert [bool(hook.stop(payload, red)) for payload in (fresh, again)] == [True, False]
    memory = tmp_path / "hooks"
    answers = [hook.stop(p, red, memory=memory, max_blocks=2) for p in (fresh, again, again, fresh)]
    assert [bool(answer) for answer in answers] == [True, True, False, True]


def test_the_hook_raises_what_verification_raises() -> None:
    def broken() -> Report:
        raise InfraError("no disk")

    with pytest.raises(InfraError, match="no disk"):
        hook.stop({}, broken)
