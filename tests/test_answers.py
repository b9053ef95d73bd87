"""Nonsense in place of a model's answer, of every shape: the service is named as what failed, and greylag goes on."""

import copy
import gzip
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pydantic_ai.models
import pytest
from pydantic_ai import Agent, UsageLimits
from pydantic_ai.exceptions import UsageLimitExceeded
from pydantic_ai.messages import ModelMessagesTypeAdapter

from greylag import llm
from greylag.errors import AgentError, GreylagError, InfraError, UserError
from greylag.llm import LLM
from greylag.llm.answers import refined

CALL = {"type": "tool_use", "id": "t1", "name": "look", "input": {"path": "a"}}
MESSAGE: dict[str, Any] = {
    "id": "m", "type": "message", "role": "assistant", "model": "m", "content": [{"type": "text", "text": "hi"}, CALL],
    "stop_reason": "tool_use", "usage": {"input_tokens": 10, "output_tokens": 5},
}  # fmt: skip
FUNCTION = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"path": "a"}'}}
COMPLETION: dict[str, Any] = {
    "id": "1", "object": "chat.completion", "created": 17, "model": "m",
    "choices": [
        {
            "index": 0, "finish_reason": "tool_calls",
            "message": {"role": "assistant", "content": "hi", "tool_calls": [FUNCTION]},
        }
    ],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
}  # fmt: skip
BEGIN = {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}}
END: list[dict[str, Any]] = [
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
    {"type": "message_stop"},
]


TEXT: list[dict[str, Any]] = [
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Done."}},
    {"type": "content_block_stop", "index": 0},
]


def called(*pieces: str, **start: Any) -> list[dict[str, Any]]:
    """The events of a call whose input comes in pieces."""
    deltas = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": piece}}
        for piece in pieces
    ]
    block = {"type": "content_block_start", "index": 0, "content_block": {**CALL, "input": {}, **start}}
    return [BEGIN, block, *deltas, {"type": "content_block_stop", "index": 0}, *END]


def sse(events: Sequence[Any]) -> bytes:
    return "".join(f"event: x\ndata: {json.dumps(event)}\n\n" for event in events).encode()


STREAM = called('{"path":', ' "a"}')
GOOD = {
    "anthropic:claude-3-haiku": json.dumps({**MESSAGE, "content": [{"type": "text", "text": "Done."}]}).encode(),
    "anthropic:claude-opus-5": sse([BEGIN, *TEXT, *END]),
    "openai:m": json.dumps(
        {**COMPLETION, "choices": [{"index": 0, "message": {"content": "Done."}, "finish_reason": "stop"}]}
    ).encode(),
}
STREAMED = "anthropic:claude-opus-5"  # the SDK streams where answers may be long


@dataclass
class Server:
    """Answers with what is in `next`, and then with what ends a conversation."""

    end: bytes
    next: list[bytes] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    url: str = ""


@contextmanager
def serving(end: bytes) -> Iterator[Server]:
    server = Server(end)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            assert bool(asked.get("stream")) is (asked["model"] == STREAMED.partition(":")[2])
            body = server.next.pop(0) if server.next else server.end
            self.send_response_only(server.status)
            for name, value in {"content-length": str(len(body)), **server.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        server.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


@dataclass
class Asker:
    """One agent that asks the server again and again, as the built-in agent and the judge do."""

    which: LLM
    server: Server
    agent: Agent[None, str]

    def __call__(self, *answers: bytes) -> str | GreylagError:
        self.server.next[:] = answers
        try:
            with llm.blame(self.which), pydantic_ai.models.override_allow_model_requests(True):
                done = llm.run(self.agent.run("Hello?", usage_limits=UsageLimits(request_limit=4)))
        except UsageLimitExceeded:
            return "limit"
        except GreylagError as error:
            return error
        ModelMessagesTypeAdapter.dump_json(done.all_messages())  # as a conversation is kept
        return done.output


@pytest.fixture(params=GOOD)
def asker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asker]:
    monkeypatch.setattr("greylag.llm.wire._RETRIES", 0)

    def look(path: str) -> str:
        return path

    with serving(GOOD[request.param]) as server:
        which = LLM(request.param, base_url=server.url)
        yield Asker(which, server, Agent(llm.build(which), tools=[look], retries=1))


ODD: list[Any] = [None, -1, 1, 1e999, float("nan"), True, "", "x", "\ud800", [], [None], ["x"], [{}], {}, {"x": None}]


def mutants(value: Any) -> Iterator[Any]:
    """Each value inside replaced by odd ones, one at a time, and each left out."""
    for path in places(value):
        for odd in [*ODD, places]:
            whole = copy.deepcopy(value)
            at = whole
            for step in path[:-1]:
                at = at[step]
            if odd is places:
                del at[path[-1]]
            else:
                at[path[-1]] = odd
            yield whole


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


def odd_bodies(model: str) -> list[bytes]:
    """Whole answers with one thing wrong, and answers that break off."""
    good: Any = STREAM if model == STREAMED else COMPLETION if model.startswith("openai") else MESSAGE
    written = [sse(odd) if model == STREAMED else json.dumps(odd).encode() for odd in mutants(good)]
    whole = sse(good) if model == STREAMED else json.dumps(good).encode()
    return [*written, *(whole[:end] for end in range(0, len(whole), 11))]


def test_odd_answers_are_refused_or_understood(asker: Asker) -> None:
    """What passes the grammar does not trip the SDK; equal answers are asked once."""
    asked = json.dumps({"model": "m", "stream": asker.which.model == STREAMED}).encode()
    passed, refused = set(), 0
    for body in odd_bodies(asker.which.model):
        try:
            passed.add(refined(asker.which.provider, asked, body)[1])
        except ValueError:
            refused += 1
    assert refused > 100
    assert len(passed) > 3
    for body in sorted(passed):
        assert not isinstance(asker(body), GreylagError), body


def test_what_is_no_answer_at_all_is_a_failure_of_the_service(asker: Asker) -> None:
    swapped = GOOD[STREAMED if asker.which.model != STREAMED else "anthropic:claude-3-haiku"]
    bodies = [
        b"",
        b"null",
        b"<html>Sign in</html>",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"error": {"message": "no"}}',
        swapped,
    ]
    for body in bodies:
        error = asker(body)
        assert isinstance(error, InfraError), body
        assert str(error).isprintable()
        assert asker.server.url.removeprefix("http://") in str(error)


@pytest.mark.parametrize(
    "events",
    [
        [{"type": "message_start", "message": None}],
        [BEGIN, BEGIN, *END],
        [*END],
        [BEGIN, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}],
        called('{"path": NaN}'),
        called('{"path": 1e999}'),
        called('{"a":' * 30_000),
        called("{}", input={"path": "a"}),
        called("{}")[:-3] + END,
    ],
)
@pytest.mark.parametrize("asker", [STREAMED], indirect=True)
def test_a_stream_that_makes_no_message_is_a_failure_of_the_service(events: list[Any], asker: Asker) -> None:
    assert isinstance(asker(sse(events)), InfraError)


@pytest.mark.parametrize("text", ['{"path": ', "nonsense", "[1]", "null", "", '{"path": "\\ud800"}'])
@pytest.mark.parametrize("asker", [STREAMED], indirect=True)
def test_a_malformed_call_of_a_model_is_told_to_it(text: str, asker: Asker) -> None:
    assert asker(sse(called(text))) == "Done."


@pytest.mark.parametrize("asker", [STREAMED, "openai:m"], indirect=True)
def test_what_gateways_add_or_leave_out_does_no_harm(asker: Asker) -> None:
    if asker.which.model == STREAMED:
        ping = b': hello\n\nevent: ping\ndata: {"type": "ping"}\n\n'
        assert asker(ping + sse(STREAM).replace(b"\n", b"\r\n") + b"data: [DONE]\n\n") == "Done."
        return
    call = {"function": {**FUNCTION["function"], "more": 1}}  # type: ignore[dict-item]  # a mixed example
    said = {"content": None, "tool_calls": [call, {**call, "id": ""}]}
    assert asker(json.dumps({"choices": [{"message": said, "finish_reason": "eos"}]}).encode()) == "Done."


def test_an_odd_error_of_the_service_is_still_an_error_of_it(asker: Asker) -> None:
    asker.server.headers = {"content-type": "application/json", "x-should-retry": "false", "retry-after": "soon"}
    bodies = [b"", b"null", b"[]", b'"x"', b'{"error": []}', b'{"error": {"type": {}, "code": [], "message": 3}}', b"{"]
    for status, kind in ((400, AgentError), (401, UserError), (404, UserError), (429, InfraError), (599, InfraError)):
        asker.server.status = status
        for body in bodies:
            assert isinstance(asker(body), kind), (status, body)


def test_a_redirect_names_the_setting(asker: Asker) -> None:
    asker.server.status, asker.server.headers = 302, {"location": "http://127.0.0.1:9/"}
    error = asker(b"")
    assert isinstance(error, UserError)
    assert "base-url" in str(error)


def test_an_answer_that_cannot_be_unpacked_or_has_no_end_is_a_failure_of_the_service(
    asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asker.server.headers = {"content-encoding": "gzip"}
    assert isinstance(asker(b"no gzip"), InfraError)
    assert not isinstance(asker(gzip.compress(asker.server.end), gzip.compress(asker.server.end)), GreylagError)
    monkeypatch.setattr("greylag.llm.wire._BODY", 1 << 20)
    error = asker(gzip.compress(b" " * (2 << 20)))
    assert isinstance(error, InfraError)
    assert "more than 1 MiB" in str(error)
    asker.server.headers = {"content-length": "99999"}
    assert isinstance(asker(b"{}"), InfraError)
