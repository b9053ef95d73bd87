"""Models: named and never guessed, with an address and a key of their own; recordings that have to fit."""

import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pydantic_ai.models
import pytest
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.usage import RequestUsage, RunUsage

from greylag import llm
from greylag.errors import AgentError, GreylagError, InfraError, UserError
from greylag.llm import LLM
from greylag.metering import Meter
from greylag.model import Limits
from greylag.testing.model_server import serve

KEY = "sk-test-0123456789abcdef"


@pytest.fixture(autouse=True)
def _no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pydantic_ai.models, "ALLOW_MODEL_REQUESTS", False)


@dataclass
class Server:
    """Chat completions on loopback: one answer for all requests, which are kept."""

    status: int = 200
    message: str = "no"
    body: str | None = None
    model: str = "gpt-4o"
    url: str = ""
    requests: list[dict[str, str]] = field(default_factory=list)

    def answer(self) -> dict[str, Any]:
        if self.status != 200:
            return {"error": {"message": self.message, "type": "error", "code": None}}
        said = {"role": "assistant", "content": "hello"}
        return {
            "id": "1", "object": "chat.completion", "created": 1_700_000_000, "model": self.model,
            "choices": [{"index": 0, "message": said, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
        }  # fmt: skip


@contextmanager
def chat(**settings: Any) -> Iterator[Server]:
    server = Server(**settings)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # which keeps connections open

        def do_POST(self) -> None:
            server.requests.append({"path": self.path, **{k.lower(): v for k, v in self.headers.items()}})
            self.rfile.read(int(self.headers["content-length"]))
            body = (json.dumps(server.answer()) if server.body is None else server.body).encode()
            self.send_response(server.status)
            for name, value in (("content-type", "application/json"), ("content-length", str(len(body)))):
                self.send_header(name, value)
            self.send_header("retry-after-ms", "1")
            if server.status == 307:
                self.send_header("location", "/elsewhere")
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


def ask(which: LLM, meter: Meter | None = None) -> str:
    with llm.blame(which), pydantic_ai.models.override_allow_model_requests(True):
        agent: Agent[None, str] = Agent(llm.build(which, meter=meter))
        return llm.run(agent.run("Hello?")).output


def failure(which: LLM) -> GreylagError:
    with pytest.raises(GreylagError) as raised:
        ask(which)
    assert KEY not in str(raised.value)
    assert "\n" not in str(raised.value)
    return raised.value


# -- naming ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"model": "gpt-4o"}, "is not of the form"),
        ({"model": "openai:"}, "is not of the form"),
        ({"model": "gemini:pro"}, "is not of the form"),
        ({"model": "openai:x", "key_env": "A", "key_file": "b"}, "both key-env and key-file"),
        ({"model": "openai:x", "base_url": "localhost:8080"}, "no http or https address"),
    ],
)
def test_a_model_that_is_not_named_well_is_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        LLM(**settings)


def test_a_missing_key_names_the_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_AUTH_TOKEN", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, KEY)
    for model in ("anthropic:claude-opus-5", "openai:gpt-4o"):
        with pytest.raises(
            UserError, match=r"of the agent needs a key: .* --key-env NAME, or write key-env .* \[agent\]"
        ):
            llm.build(LLM(model))
    with pytest.raises(UserError, match=r"of the judge needs a key: .* --judge-key-env NAME, .* \[judge\]"):
        LLM("openai:gpt-4o", role="judge").key()
    with pytest.raises(UserError, match=r"variable `MY_KEY` .* is empty or not set"):
        llm.build(LLM("openai:gpt-4o", key_env="MY_KEY"))
    with pytest.raises(UserError, match=r"key-file `.*missing` cannot be read: No such file"):
        llm.build(LLM("openai:gpt-4o", key_file=str(tmp_path / "missing")))
    (tmp_path / "two").write_text(f"{KEY}\n{KEY}\n")
    with pytest.raises(UserError, match="characters that no key has") as raised:
        llm.build(LLM("openai:gpt-4o", key_file=str(tmp_path / "two")))
    assert KEY not in str(raised.value)


# -- the wire --------------------------------------------------------------------------------------------------------


def test_a_compatible_server_gets_the_key_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY + "\n")
    with chat() as server:
        meter = Meter(Limits())
        which = LLM("openai:gpt-4o", base_url=server.url + "/v1", key_file=str(tmp_path / "key"))
        assert ask(which, meter) == "hello"
    assert server.requests[0]["path"] == "/v1/chat/completions"
    assert server.requests[0]["authorization"] == f"Bearer {KEY}"
    used = meter.usage
    assert (used.turns, used.input_tokens, used.output_tokens, used.cost_source) == (1, 1000, 100, "prices")
    assert used.usd is not None
    assert 0.0001 < used.usd < 0.1


def test_a_model_without_a_known_price_has_no_cost() -> None:
    with chat(model="our-own-7b") as server:
        meter, which = Meter(Limits()), LLM("openai:our-own-7b", base_url=server.url + "/v1")
        ask(which, meter)
    assert "authorization" not in server.requests[0]
    used = meter.usage
    assert (used.usd, used.cost_source, used.input_tokens) == (None, "unknown", 1000)


def test_anthropic_is_spoken_to_with_the_named_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    with serve([]) as server:
        assert ask(LLM("anthropic:claude-opus-5", base_url=server.url, key_env="MY_KEY")) == "Title"
    assert server.requests[0].path.startswith("/v1/messages")
    assert server.requests[0].headers["x-api-key"] == KEY


STRANGERS = {
    "HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9", "all_proxy": "http://127.0.0.1:9", "SSL_CERT_FILE": "/nonexistent",
    "ANTHROPIC_API_KEY": "stranger", "ANTHROPIC_AUTH_TOKEN": "stranger", "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
    "ANTHROPIC_CUSTOM_HEADERS": "x-stranger: stranger\nx-api-key: stranger\nauthorization: Bearer stranger",
    "ANTHROPIC_LOG": "debug", "ANTHROPIC_PROFILE": "stranger",
    "OPENAI_API_KEY": "stranger", "OPENAI_ADMIN_KEY": "stranger", "OPENAI_BASE_URL": "http://127.0.0.1:9",
    "OPENAI_ORG_ID": "stranger", "OPENAI_PROJECT_ID": "stranger", "OPENAI_LOG": "debug",
    "OPENAI_CUSTOM_HEADERS": "x-stranger: stranger\nauthorization: Bearer stranger",
}  # fmt: skip


@pytest.mark.parametrize("key", [KEY, ""])
def test_nothing_is_picked_up_from_the_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: str) -> None:
    for name, value in STRANGERS.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "key").write_text(key)
    file = str(tmp_path / "key") if key else None
    with chat() as one, serve([]) as other:
        assert ask(LLM("openai:gpt-4o", base_url=one.url + "/v1", key_file=file)) == "hello"
        assert ask(LLM("anthropic:claude-opus-5", base_url=other.url, key_file=file)) == "Title"
    assert "stranger" not in json.dumps([one.requests, dict(other.requests[0].headers)])
    assert one.requests[0].get("authorization") == (f"Bearer {key}" if key else None)
    assert other.requests[0].headers.get("x-api-key") == (key or None)


@pytest.mark.parametrize(("model", "home"), [("openai:gpt-4o", "api.openai.com"), ("anthropic:c", "api.anthropic.com")])
def test_without_a_base_url_the_providers_own_address_is_used(
    monkeypatch: pytest.MonkeyPatch, model: str, home: str
) -> None:
    for name, value in STRANGERS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MY_KEY", KEY)
    assert home in str(llm.build(LLM(model, key_env="MY_KEY")).base_url)


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """All that is logged, as ANTHROPIC_LOG=debug and OPENAI_LOG=debug have it."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    loggers = [logging.getLogger(name) for name in (None, "anthropic", "openai", "httpx2", "httpcore2")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    loggers[0].addHandler(handler)
    yield text
    loggers[0].removeHandler(handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def test_a_key_shows_in_no_repr_and_no_log(monkeypatch: pytest.MonkeyPatch, logged: io.StringIO) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    with chat() as one, serve([]) as other:
        for which in (
            LLM("openai:gpt-4o", base_url=one.url + "/v1", key_env="MY_KEY"),
            LLM("anthropic:claude-opus-5", base_url=other.url, key_env="MY_KEY"),
        ):
            model = llm.build(which)
            ask(which)
            assert KEY not in repr(which) + repr(model) + repr(vars(model))
    assert "selector" in logged.getvalue(), "nothing is logged at all"
    assert KEY not in logged.getvalue()
    assert "Hello?" not in logged.getvalue()


def test_a_redirect_does_not_carry_the_key_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    with chat(status=307) as server:
        said = failure(LLM("openai:gpt-4o", base_url=server.url + "/v1", key_env="MY_KEY"))
        other = failure(LLM("anthropic:claude-sonnet-5", base_url=server.url, key_env="MY_KEY"))
    assert len({request["path"] for request in server.requests}) == 2, "never where it leads"
    for error in (said, other):
        assert isinstance(error, UserError)
        assert "answers with a redirect (307); correct the base-url" in str(error)


# -- blame -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "who", "says"),
    [
        (401, UserError, r"refuses the key in variable `MY_KEY` \(401\)"),
        (403, UserError, r"refuses the key in variable `MY_KEY` \(403\)"),
        (404, UserError, r"has no model `gpt-4o`"),
        (400, AgentError, r"rejects the request"),
        (429, InfraError, r"does not answer .* \(429\)"),
        (503, InfraError, r"does not answer .* \(503\)"),
    ],
)
def test_an_error_of_the_server_says_who_must_act(
    monkeypatch: pytest.MonkeyPatch, status: int, who: type[GreylagError], says: str
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    with chat(status=status, message=f"incorrect: {KEY}\n\x1b[31mred") as server:
        error = failure(LLM("openai:gpt-4o", base_url=server.url + "/v1", key_env="MY_KEY"))
    assert type(error) is who
    with pytest.raises(who, match=says):
        raise error
    assert "\x1b" not in str(error)
    assert "{" not in str(error), "in the words of the server"
    assert len(server.requests) == (3 if who is InfraError else 1), "only infrastructure is tried again"


@pytest.mark.parametrize("body", ["", "null", "[]", "{}", '{"choices": null, "content": null}', "<html>Sign in</html>"])
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_server_that_is_no_language_model_is_told_from_one(
    monkeypatch: pytest.MonkeyPatch, body: str, provider: str
) -> None:
    monkeypatch.setattr("greylag.llm.wire._RETRIES", 0)
    with chat(body=body) as server:
        error = failure(LLM(f"{provider}:our-own-7b", base_url=server.url))
    assert isinstance(error, InfraError)


def test_no_server_is_a_failure_of_infrastructure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("greylag.llm.wire._RETRIES", 0)
    monkeypatch.setenv("MY_KEY", KEY)
    with chat() as server:
        pass
    error = failure(LLM("openai:gpt-4o", base_url=server.url + "/v1", key_env="MY_KEY"))
    assert isinstance(error, InfraError)
    assert server.url.partition("//")[2] in str(error)


def test_a_model_serves_several_event_loops() -> None:
    with chat() as server:
        which = LLM("openai:gpt-4o", base_url=server.url + "/v1")
        agent: Agent[None, str] = Agent(llm.build(which))
        with pydantic_ai.models.override_allow_model_requests(True):
            assert [llm.run(agent.run("Hello?")).output for _ in range(3)] == ["hello"] * 3


# -- recordings ------------------------------------------------------------------------------------------------------


class Vote(BaseModel):
    approve: bool
    why: str


def record(tmp_path: Path, **roles: Any) -> LLM:
    path = tmp_path / "recording.json"
    path.write_text(json.dumps(roles))
    return LLM(f"replay:{path}")


def test_a_recording_answers_a_judge_in_its_type(tmp_path: Path) -> None:
    which = record(tmp_path, judge=[{"answer": {"approve": False, "why": "out of scope"}, "expect": "the diff"}])
    assert which.replayed
    judge: Agent[None, Vote] = Agent(llm.build(which, "judge"), output_type=Vote)
    spent = RunUsage()
    assert llm.run(judge.run("Here is the diff.", usage=spent)).output == Vote(approve=False, why="out of scope")
    used = llm.usage(which, Meter(Limits()), spent)
    assert (used.usd, used.cost_source, used.turns) == (0.0, "replay", 1)
    assert used.input_tokens > 0


def test_a_recording_goes_on_in_the_next_session_and_then_ends(tmp_path: Path) -> None:
    which = record(tmp_path, agent=[{"text": "one", "usage": {"input": 7, "output": 3}}, {"text": "two"}])
    agent: Agent[None, str] = Agent(llm.build(which))
    first = llm.run(agent.run("a"))
    assert (first.output, first.usage.input_tokens, first.usage.output_tokens) == ("one", 7, 3)
    assert llm.run(agent.run("b")).output == "two"
    with pytest.raises(AgentError, match="has 2 turns, and the model is asked for one more"):
        llm.run(agent.run("c"))


@pytest.mark.parametrize(
    ("turn", "says"),
    [
        ({"text": "x", "expect": "PASSED"}, "turn 1 of the agent expects `PASSED` in .* which is: verify FAILED"),
        ({"text": "x", "expect": ["FAILED", "twice"]}, "expects `twice`"),
        ({"tools": [{"name": "format_disk"}]}, "calls the tool `format_disk`; there are: look"),
    ],
)
def test_a_recording_that_does_not_fit_fails(tmp_path: Path, turn: dict[str, Any], says: str) -> None:
    def look() -> str:
        return "nothing"

    agent: Agent[None, str] = Agent(llm.build(record(tmp_path, agent=[turn])), tools=[look])
    with pytest.raises(AgentError, match=says):
        llm.run(agent.run("verify FAILED"))


@pytest.mark.parametrize(
    ("text", "says"),
    [("{", "is no recording"), ('{"agent": [{"txet": "x"}]}', r"agent\.0\.txet"), ('{"agents": []}', "agents")],
)
def test_a_file_that_is_no_recording_says_where(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(UserError, match=says):
        llm.build(LLM(f"replay:{tmp_path / 'bad.json'}"))
    with pytest.raises(UserError, match="does not exist"):
        LLM(f"replay:{tmp_path / 'none.json'}").check()


def test_a_recording_loads_no_sdk(tmp_path: Path) -> None:
    """They take longer to import than most recordings to play."""
    which = record(tmp_path, agent=[{"text": "one"}])
    code = f"""
import sys
from greylag import llm
which = llm.LLM({which.model!r})
assert not {{"pydantic_ai", "anthropic", "openai"}} & sys.modules.keys()
with llm.blame(which):
    llm.build(which)
assert not {{"anthropic", "openai"}} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_usage_counts_cached_tokens() -> None:
    spent = RunUsage(requests=2)
    spent.incr(RequestUsage(input_tokens=100, cache_read_tokens=80, output_tokens=5))
    assert llm.usage(LLM("replay:x"), Meter(Limits()), spent).cached_tokens == 80
