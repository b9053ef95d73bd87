"""The proxy between a sandbox and an LLM, against servers on loopback."""

import http.client
import json
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from greylag import proxy
from greylag.errors import InfraError, UserError
from greylag.exchanges import NAME, Channel, Exchanges, load
from greylag.model import Limits, StopReason
from greylag.proxy import Proxy, Upstream
from greylag.tallies import Tally
from greylag.testing import model_server
from greylag.testing.model_server import Model

KEY = "sk-real-0123456789"
ASK = {"model": "claude-sonnet-4-5", "stream": True, "tools": [{"name": "Edit"}], "messages": []}


class Client(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("sandbox", timeout=20)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(20)
        self.sock.connect(str(self.path))

    def ask(self, body: Any = ASK, target: str = "/v1/messages?beta=true", **headers: str) -> tuple[int, bytes]:
        fixed = {"anthropic-version": "2023-06-01", "content-type": "application/json"}
        sent = {**fixed, **{name.replace("_", "-"): value for name, value in headers.items()}}
        self.request("POST", target, body if isinstance(body, bytes) else json.dumps(body), sent)
        answer = self.getresponse()
        return answer.status, answer.read()


@contextmanager
def serving(upstream: Upstream, limits: Limits) -> Iterator[tuple[Proxy, Path]]:
    with tempfile.TemporaryDirectory() as parent, proxy.serve(upstream, limits, Path(parent)) as served:
        yield served


@contextmanager
def running(upstream: str, limits: Limits = Limits()) -> Iterator[tuple[Proxy, Client]]:
    key = Upstream(upstream, KEY, "variable `MY_KEY`")
    with serving(key, limits) as (served, path), closing(Client(path)) as client:
        yield served, client


@contextmanager
def playing(*steps: dict[str, Any], limits: Limits = Limits()) -> Iterator[tuple[Model, Proxy, Client]]:
    with model_server.serve(steps) as model, running(model.url, limits) as (served, client):
        yield model, served, client


def test_the_socket_is_where_it_is_asked_for_however_long_the_path_and_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 200) / "sockets"
    with proxy.serve(Upstream("http://127.0.0.1:9"), Limits(), deep) as (_, path):
        assert path.is_relative_to(deep)
        monkeypatch.chdir(path.parent)
        with closing(Client(Path(path.name))) as client:
            assert client.ask(target="/elsewhere")[0] == 404
    assert list(deep.iterdir()) == []


def test_the_key_is_added_outside_and_the_sandbox_cannot_send_its_own() -> None:
    with playing({"text": "Hello."}) as (model, served, client):
        status, body = client.ask(x_api_key="from-inside", authorization="Bearer from-inside", cookie="a=b")
    assert status == 200
    assert b"Hello." in body
    assert b"message_stop" in body
    sent = model.requests[0]
    assert sent.headers["x-api-key"] == KEY
    assert not {"authorization", "cookie"} & set(sent.headers)
    assert sent.headers["anthropic-version"] == "2023-06-01"
    assert sent.path == "/v1/messages?beta=true"
    assert KEY not in body.decode()
    assert KEY not in repr(served.upstream) + repr(vars(served))


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/v1/messages"),
        ("POST", "/v1/files"),
        ("POST", "/v1/messages/../files"),
        ("POST", "http://example.org/v1/messages"),
        ("DELETE", "/v1/models"),
        ("CONNECT", "example.org:443"),
    ],
)
def test_only_the_paths_of_llm_apis_lead_on(method: str, target: str) -> None:
    with playing() as (model, _served, client):
        client.request(method, target)
        assert client.getresponse().status in {404, 501}
    assert model.requests == []


def test_tokens_and_dollars_are_counted_from_streams_and_from_whole_answers() -> None:
    usage = {"input_tokens": 100, "cache_read_input_tokens": 1000, "output_tokens": 40}
    with playing({"text": "a", "usage": usage}, {"text": "b", "usage": usage}) as (_model, served, client):
        client.ask()
        served.settle()
        streamed = served.meter.usage
        client.ask({**ASK, "stream": False})
        served.settle()
        both = served.meter.usage
    assert (streamed.turns, streamed.input_tokens, streamed.cached_tokens, streamed.output_tokens) == (
        1,
        1100,
        1000,
        40,
    )
    # list price of the model per million: 3 input, 0.3 from the cache, 15 output
    assert streamed.usd == pytest.approx((100 * 3 + 1000 * 0.3 + 40 * 15) / 1e6)
    assert streamed.cost_source == "prices"
    assert both.usd == pytest.approx(2 * (streamed.usd or 0))
    assert both.turns == 2


@pytest.mark.parametrize("limits", [Limits(tokens=1050), Limits(usd=0.0037)])
def test_a_spent_budget_refuses_the_next_request_before_it_leaves(limits: Limits) -> None:
    with playing({"text": "a"}, {"text": "b"}, limits=limits) as (model, served, client):
        assert client.ask()[0] == 200
        served.settle()
        status, body = client.ask()
    assert status == 400
    assert b"budget" in body
    assert served.meter.over
    assert served.problem() is None
    assert len(model.requests) == 1


def test_turns_are_answers_and_the_one_too_many_does_not_leave() -> None:
    steps: list[dict[str, Any]] = [{"status": 529}, {"text": "a"}, {"text": "b"}, {"text": "c"}]
    with playing(*steps, limits=Limits(turns=2)) as (model, served, client):
        statuses = []
        for _ in range(4):
            statuses.append(client.ask()[0])
            served.settle()
        assert model.left == 1
    assert statuses == [529, 200, 200, 400]
    assert served.meter.stop is StopReason.TURNS
    assert served.meter.usage.turns == 2
    assert served.problem() is None


def test_a_client_of_openais_responses_is_served_and_metered() -> None:
    usage = {"input_tokens": 1000, "input_tokens_details": {"cached_tokens": 600}, "output_tokens": 50}
    ask = {"model": "gpt-5.5", "stream": True, "tools": [{"type": "custom", "name": "exec"}], "input": []}
    with playing({"text": "Hello.", "usage": usage}, {"text": "again", "usage": usage}) as (model, served, client):
        status, body = client.ask(ask, "/v1/responses", authorization="Bearer from-inside")
        assert (status, b"Hello." in body, b"response.completed" in body) == (200, True, True)
        assert client.ask({**ask, "stream": False}, "/v1/responses")[0] == 200
        served.settle()
    assert {request.headers["authorization"] for request in model.requests} == {f"Bearer {KEY}"}
    spent = served.meter.usage
    assert (spent.turns, spent.input_tokens, spent.cached_tokens, spent.output_tokens) == (2, 2000, 1200, 100)
    assert spent.usd == pytest.approx(2 * (400 * 5 + 600 * 0.5 + 50 * 30) / 1e6)  # list prices per million
    assert served.meter.model == "gpt-5.5"


def test_a_limit_in_dollars_needs_a_price() -> None:
    with playing({"text": "a"}, limits=Limits(usd=1)) as (model, served, client):
        assert client.ask({**ASK, "model": "house-model-7b"})[0] == 400
    assert isinstance(served.problem(), UserError)
    assert "house-model-7b" in str(served.problem())
    assert model.requests == []


def test_a_stream_is_cut_when_it_passes_the_budget() -> None:
    with streaming(200) as (url, go, gone), running(url, Limits(tokens=2000)) as (served, client):
        go.set()
        client.request("POST", "/v1/messages", json.dumps(ASK))
        with pytest.raises(http.client.IncompleteRead):
            client.getresponse().read()
        client.close()
        assert gone.wait(20)  # upstream was hung up on, too
    assert served.meter.over
    assert 2000 <= served.meter.usage.output_tokens < 40_000


def test_a_stream_is_passed_on_as_it_comes_and_hanging_up_early_is_not_free() -> None:
    with streaming(1) as (url, go, _gone), running(url) as (served, client):
        client.request("POST", "/v1/messages", json.dumps(ASK))
        answer = client.getresponse()
        assert answer.readline().startswith(b"data:")  # before the server went on
        client.close()
        answer.close()
        go.set()
        served.settle()
    assert served.meter.usage.output_tokens == 100


@contextmanager
def streaming(events: int) -> Iterator[tuple[str, threading.Event, threading.Event]]:
    """A server that sends one event of 400 characters, waits to go on, sends more, and never tells its usage."""
    go, gone = threading.Event(), threading.Event()
    event = {"type": "content_block_delta", "delta": {"type": "", "text": "x" * 400}}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response_only(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            try:
                for number in range(events):
                    self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
                    if number == 0:
                        go.wait(20)
            except OSError:
                pass
            gone.set()

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", go, gone
        server.shutdown()
        thread.join()


def test_a_refused_key_names_where_it_came_from_and_is_not_tried_again() -> None:
    with playing({"status": 401}) as (_model, served, client):
        client.request("POST", "/v1/messages", json.dumps(ASK))
        answer = client.getresponse()
        answer.read()
    assert answer.status == 401
    assert answer.headers["x-should-retry"] == "false"
    problem = served.problem()
    assert isinstance(problem, UserError)
    assert "variable `MY_KEY`" in str(problem)
    assert KEY not in str(problem)


def test_an_answer_that_repeats_the_key_comes_in_without_it() -> None:
    echo = sse({"type": "error", "error": {"message": f"bad key {KEY}"}})
    for kind in ("text/event-stream", "application/json"):
        with answering(echo, kind) as (_address, _served, client):
            answer = client.ask()[1]
            assert b"bad key [key]" in answer
    with playing({"status": 401, "raw": KEY}) as (_model, _served, client):
        assert KEY.encode() not in client.ask()[1]


def test_a_request_that_leads_on_from_the_service_stays_here() -> None:
    with playing({"text": "never"}) as (model, served, client):
        status, answer = client.ask({**ASK, "mcp_servers": [{"url": "https://example.com"}]})
        assert client.ask({**ASK, "n": 2}, "/v1/messages/count_tokens")[0] == 400
    assert (status, model.left, served.meter.usage.turns) == (400, 1, 0)
    assert b"greylag: `mcp_servers` leads on" in answer


def test_a_service_that_wants_to_be_asked_much_later_is_not_waited_for() -> None:
    for seconds, final in (("86400", True), ("20", False)):
        with playing({"status": 429, "headers": {"retry-after": seconds}}) as (_model, served, client):
            client.request("POST", "/v1/messages", json.dumps(ASK))
            answer = client.getresponse()
            answer.read()
        assert (answer.headers.get("x-should-retry") == "false") is final
        assert served.last
        assert served.last.wait == float(seconds)


@pytest.mark.parametrize("status", [429, 500, 529])
def test_an_outage_is_infrastructure(status: int) -> None:
    with playing({"status": status}) as (_model, served, client):
        assert client.ask()[0] == status
    assert isinstance(served.problem(), InfraError)


def test_a_later_answer_clears_an_outage() -> None:
    with playing({"status": 529}, {"text": "back"}) as (_model, served, client):
        client.ask()
        client.ask()
        served.settle()
    assert served.problem() is None
    assert served.requests == 2


def test_a_service_that_is_not_there_is_infrastructure() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with running(url) as (served, client):
        assert client.ask()[0] == 502
    assert isinstance(served.problem(), InfraError)


def test_an_overload_that_is_told_in_the_middle_of_a_stream_is_infrastructure() -> None:
    raw = 'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}\n\n'
    with playing({"raw": raw}) as (_model, served, client):
        client.ask()
        served.settle()
    assert isinstance(served.problem(), InfraError)


def test_a_request_at_fault_is_not_blamed_on_the_service() -> None:
    with playing({"status": 400}) as (_model, served, client):
        client.ask()
    assert served.problem() is None


@pytest.mark.parametrize("body", [b"", b"[" * 100_000, b"\xff", b'{"model": 3, "stream": "x"}'])
def test_nonsense_from_the_sandbox_does_no_harm(body: bytes) -> None:
    with playing() as (_model, served, client):
        client.ask(body)
        status, _ = client.ask({**ASK, "tools": []})
    assert status == 200
    assert served.requests == 2


def test_a_flood_of_connections_is_hung_up_on_and_passes() -> None:
    with playing({"text": "Hello."}) as (_model, _served, client):
        flood = [socket.socket(socket.AF_UNIX) for _ in range(100)]
        for one in flood:
            one.connect(str(client.path))
            one.settimeout(20)
        assert flood[-1].recv(1) == b""
        for one in flood:
            one.close()
        while True:  # until the threads of the flood have ended
            try:
                assert client.ask()[0] == 200
            except (ConnectionError, http.client.HTTPException):
                client.close()
            else:
                break


def slowly(*pieces: bytes) -> Iterator[bytes]:
    for piece in pieces:
        time.sleep(0.05)  # the answer is there long before
        yield piece


def test_requests_without_a_length_are_refused() -> None:
    with playing() as (model, _served, client):
        client.request("POST", "/v1/messages", slowly(b"{" + b" " * 70_000), encode_chunked=True)
        assert client.getresponse().status == 413
    assert model.requests == []


@pytest.mark.parametrize(
    "url", ["http://llm.example.org", "https://user:secret-word@llm.example.org", "ftp://127.0.0.1", "https://", "llm"]
)
def test_an_address_that_would_show_the_key_is_refused(url: str) -> None:
    with pytest.raises(UserError) as refused:
        Upstream(url, KEY, "")
    assert "secret-word" not in str(refused.value)


def test_openai_paths_carry_a_bearer_and_streamed_chats_tell_their_usage() -> None:
    seen: list[tuple[dict[str, str], Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            seen.append((dict(self.headers), body))
            usage = {"prompt_tokens": 200, "completion_tokens": 30, "prompt_tokens_details": {"cached_tokens": 120}}
            text = f"data: {json.dumps({'model': 'gpt-5', 'choices': [], 'usage': usage})}\n\ndata: [DONE]\n\n".encode()
            self.send_response_only(200)
            self.send_header("content-type", "text/event-stream; charset=utf-8")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        with serving(Upstream(f"http://127.0.0.1:{server.server_port}/v1", KEY), Limits(usd=1)) as (served, path):
            client = Client(path)
            client.request("POST", "/v1/chat/completions", json.dumps({"model": "gpt-5", "stream": True}))
            client.getresponse().read()
            client.close()
        server.shutdown()
        thread.join()
    headers, body = seen[0]
    assert {name.lower(): value for name, value in headers.items()}["authorization"] == f"Bearer {KEY}"
    assert body["stream_options"] == {"include_usage": True}
    usage = served.meter.usage
    assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (200, 120, 30)
    assert usage.usd


# -- what is counted, and what is no answer ----------------------------------------------------------------------------

CHAT = {"model": "gpt-5", "stream": True, "messages": []}
FIRST = {"input_tokens": 100, "output_tokens": 1}
START = {"type": "message_start", "message": {"model": "claude-sonnet-4-5", "usage": FIRST}}
END = [{"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 30}}]
STOP = {"type": "message_stop"}


def delta(kind: str, **words: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": kind, **words}}


def sse(*events: Any) -> str:
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events)


@contextmanager
def answering(text: str, kind: str = "text/event-stream") -> Iterator[tuple[str, Proxy, Client]]:
    """A server that gives the same answer to everything, with status 200; its address comes first."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response_only(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        address = f"127.0.0.1:{server.server_port}"
        try:
            with running(f"http://{address}") as (served, client):
                yield address, served, client
        finally:
            server.shutdown()
            thread.join()


WORDY = [delta("text_delta", text="word ") for _ in range(300)]


@pytest.mark.parametrize("kind", ["text/event-stream", "text/plain"])
def test_what_the_server_tells_at_the_end_alone_counts(kind: str) -> None:
    with answering(sse(START, *WORDY, *END, STOP), kind) as (_address, served, client):
        client.ask()
        served.settle()
    spent = served.meter.usage
    assert (spent.input_tokens, spent.output_tokens, spent.cost_source) == (100, 30, "prices")
    assert spent.usd == pytest.approx((100 * 3 + 30 * 15) / 1e6)
    assert served.problem() is None


@pytest.mark.parametrize(
    ("target", "events", "tokens"),
    [
        ("/v1/messages", [START, *WORDY], 375),
        ("/v1/messages", [START, delta("input_json_delta", partial_json="x" * 40)], 10),
        ("/v1/messages", [START, delta("thinking_delta", thinking="x" * 40)], 10),
        ("/v1/messages", [START, delta("signature_delta", signature="x" * 4000)], 1),
        ("/v1/responses", [{"type": "response.output_text.delta", "delta": "x" * 40, "obfuscation": "y" * 400}], 10),
        ("/v1/chat/completions", [{"choices": [{"delta": {"role": "assistant", "content": "x" * 40}}]}], 10),
        (
            "/v1/chat/completions",
            [{"choices": [{"delta": {"tool_calls": [{"id": "y" * 400, "function": {"arguments": "x" * 40}}]}}]}],
            10,
        ),
        (  # usage in every chunk, and words after the last
            "/v1/chat/completions",
            [{"choices": [], "usage": {"completion_tokens": 1}}, {"choices": [{"delta": {"content": "x" * 40}}]}],
            10,
        ),
    ],
)
def test_until_then_an_estimate_of_the_models_own_words_counts_and_is_called_one(
    target: str, events: list[Any], tokens: int
) -> None:
    with answering(sse(*events)) as (_address, served, client):
        client.ask(ASK if target == "/v1/messages" else CHAT, target)
        served.settle()
    spent = served.meter.usage
    assert (spent.turns, spent.output_tokens, spent.cost_source) == (1, tokens, "estimate")
    assert "breaks off" in str(served.problem())


NONSENSE = [
    "",
    "<html>Welcome to nginx</html>",
    "{}",
    "null",
    "[" * 100_000,
    '{"type": ["message"], "usage": {"input_tokens": 5, "output_tokens": 5000}}',
    '{"type": "message", "usage": {"output_tokens": 5000}, "choices": []}',
    'data: {"type": {"a": 1}, "delta": {"text": "many words of nobody"}}\n\n',
    "data: {nonsense\n\n",
    '{"error": {"message": "no such thing"}}',
]


@pytest.mark.parametrize("text", NONSENSE)
@pytest.mark.parametrize("kind", ["text/event-stream", "application/json", "text/html"])
def test_nonsense_is_infrastructure_that_is_named_and_costs_nothing(text: str, kind: str) -> None:
    with answering(text, kind) as (address, served, client):
        assert client.ask()[0] == 200
        served.settle()
        client.ask({}, "/v1/messages/count_tokens")  # which is no proof that the LLM is back
        problem = served.problem()
    assert isinstance(problem, InfraError)
    assert address in str(problem)
    assert str(problem).isprintable()
    spent = served.meter.usage
    assert (spent.turns, spent.input_tokens, spent.output_tokens, spent.usd) == (0, 0, 0, None)


def test_a_gateways_own_name_of_a_model_costs_what_the_model_does_that_was_asked() -> None:
    tally = Tally.of("anthropic", b'{"model": "claude-sonnet-4-5"}')
    answer = {"type": "message", "model": "deployment-7", "content": [], "usage": {"input_tokens": 1000}}
    tally.read(json.dumps(answer).encode())
    assert tally.model == "deployment-7"
    assert tally.usage.usd == pytest.approx(0.003)
    unknown = Tally.of("anthropic", b'{"model": "deployment-7"}')
    unknown.read(json.dumps(answer).encode())
    assert (unknown.usage.usd, unknown.usage.cost_source) == (None, "unknown")


def test_counts_that_cannot_be_are_not_believed() -> None:
    usage = {"input_tokens": 10**400, "output_tokens": True}
    whole = {"type": "message", "model": "claude-sonnet-4-5", "content": [], "usage": usage}
    with answering(json.dumps(whole), "application/json") as (_address, served, client):
        client.ask({**ASK, "stream": False})
        served.settle()
    assert served.meter.usage.input_tokens < 1000
    assert (served.meter.usage.output_tokens, served.meter.usage.cost_source) == (0, "estimate")
    assert served.problem() is None


# -- requests side by side -------------------------------------------------------------------------------------------

DEAR = {"text": "a", "usage": {"input_tokens": 20_000, "output_tokens": 10}}  # six cents of the model below
SMALL = {**ASK, "max_tokens": 100}


def asking(path: Path, body: Any, answers: list[int]) -> threading.Thread:
    def ask() -> None:
        with closing(Client(path)) as client:
            answers.append(client.ask(body)[0])

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("body", [ASK, {**ASK, "max_tokens": 32_000}])
def test_a_budget_is_passed_by_one_request_however_many_are_sent_at_once(body: Any) -> None:
    answers: list[int] = []
    with model_server.serve([DEAR] * 9) as model:  # noqa: SIM117
        with serving(Upstream(model.url), Limits(usd=0.10)) as (served, path):
            for thread in [asking(path, body, answers) for _ in range(8)]:
                thread.join(20)
            served.settle()
            assert sorted(answers) == [200, 200, *[400] * 6]
            assert model.left == 7
            assert served.meter.usage.usd == pytest.approx(2 * 0.06015)


@pytest.mark.parametrize(
    ("limits", "body", "at_once"),
    [
        (Limits(), ASK, True),
        (Limits(usd=5.0), SMALL, True),
        (Limits(tokens=50_000), SMALL, True),
        (Limits(usd=5.0), ASK, False),  # nobody knows how much the model may write
        (Limits(usd=0.001), SMALL, False),
    ],
)
def test_requests_run_side_by_side_while_those_under_way_cannot_reach_a_limit(
    limits: Limits, body: Any, at_once: bool
) -> None:
    answers: list[int] = []
    little = {"text": "a", "usage": {"input_tokens": 10, "output_tokens": 1}}
    with model_server.serve([little, {"hang": True}, {"hang": True}]) as model:
        with serving(Upstream(model.url), limits) as (_served, path):
            asking(path, SMALL, answers).join(20)  # what an answer can be is known from then on
            threads = [asking(path, body, answers) for _ in range(2)]
            deadline = time.monotonic() + (10 if at_once else 0.5)
            while len(model.requests) < 3 and time.monotonic() < deadline:
                time.sleep(0.01)
            assert len(model.requests) == (3 if at_once else 2)
        model.closing.set()
        for thread in threads:
            thread.join(20)
    assert len(answers) == 3, "nobody waits for ever"


def test_after_an_answer_that_was_more_than_it_could_be_requests_wait_for_each_other() -> None:
    answers: list[int] = []
    more = {
        "text": "a",
        "usage": {"input_tokens": 50_000, "output_tokens": 10},
    }  # for some hundred characters
    with model_server.serve([more, {"hang": True}, {"hang": True}]) as model:
        with serving(Upstream(model.url), Limits(usd=50.0)) as (_served, path):
            asking(path, SMALL, answers).join(20)
            threads = [asking(path, SMALL, answers) for _ in range(2)]
            time.sleep(0.5)
            assert len(model.requests) == 2
        model.closing.set()
        for thread in threads:
            thread.join(20)


# -- what is kept ----------------------------------------------------------------------------------------------------


def test_each_request_is_kept_with_its_tokens_cost_and_answer(tmp_path: Path) -> None:
    exchanges = Exchanges(tmp_path / NAME)
    steps: list[dict[str, Any]] = [{"text": "One."}, {"status": 529}, {"raw": f"echo {KEY}"}]
    with model_server.serve(steps) as model, tempfile.TemporaryDirectory() as parent:
        upstream = Upstream(model.url, KEY, "variable `MY_KEY`")
        with proxy.serve(upstream, Limits(), Path(parent), Channel("session 1", exchanges)) as (served, path):
            for _ in steps:
                with closing(Client(path)) as client:
                    client.ask()
            served.settle()
    one, busy, nonsense = load(tmp_path)
    assert (one.number, one.who, one.path, one.status, one.whole) == (1, "session 1", "/messages", 200, True)
    assert (one.usage, one.model) == (served.meter.usage, "claude-sonnet-4-5")
    assert len(list(one.pieces)) > 5, "event by event"
    assert (busy.status, busy.usage.usd) == (529, None)
    assert KEY not in (tmp_path / NAME).read_text()
    assert nonsense.answer == "echo [key]"


def test_a_request_that_nobody_waits_for_any_more_is_kept_and_costs_what_was_sent(tmp_path: Path) -> None:
    with model_server.serve([{"hang": True}]) as model, tempfile.TemporaryDirectory() as parent:
        channel = Channel("session 1", Exchanges(tmp_path / NAME))
        with proxy.serve(Upstream(model.url), Limits(), Path(parent), channel) as (served, path):
            thread = asking(path, {**ASK, "system": "w" * 4000}, [])
            while not model.requests:
                time.sleep(0.01)
        model.closing.set()
        thread.join(20)
    (one,) = load(tmp_path)
    assert (one.status, one.whole, one.usage.cost_source) == (0, False, "estimate")
    assert one.usage.input_tokens > 1000
    assert served.meter.usage == one.usage


def test_a_record_answers_in_place_of_a_model_and_says_where_it_does_not_fit(tmp_path: Path) -> None:
    with model_server.serve([{"text": "One."}, {"status": 529}, {"text": "Two."}]) as model:
        first = played(tmp_path / "a", Exchanges(tmp_path / NAME), [ASK, ASK, {**ASK, "messages": ["more"]}], model.url)
    again = Exchanges(tmp_path / "again.jsonl", load(tmp_path), "the-run")
    asked = [ASK, ASK, {**ASK, "messages": ["other"]}, ASK]
    second = played(tmp_path / "b", again, asked, "https://replay.invalid/v1")
    assert second[:3] == first, "to the byte"
    assert second[3][0] == 400
    assert "record of run the-run has no answer left" in str(again.exhausted)
    assert (again.changed, again.left) == ({3: ("messages",)}, ())
    assert again.priced.usd == pytest.approx(2 * 0.00375)


def played(place: Path, exchanges: Exchanges, bodies: list[Any], url: str) -> list[tuple[int, bytes]]:
    channel = Channel("session 1", exchanges)
    with proxy.serve(Upstream(url), Limits(), place, channel) as (served, path), closing(Client(path)) as client:
        answers = [client.ask(body) for body in bodies]
        served.settle()
        if exchanges.playing:
            assert (served.meter.usage.usd, served.meter.usage.cost_source) == (0.0, "replay")
            assert "no answer left" in str(served.problem())
    return answers
