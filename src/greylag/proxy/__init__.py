"""The way from a sandbox to an LLM: a reverse proxy on a unix socket, one per session.

The sandbox holds no key: this side adds it. Only the paths of LLM APIs lead on, answers are streamed as they come, and
tokens are counted on the way, so that a limit in tokens or dollars holds whatever the agent says of itself.
"""

import functools
import json
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from greylag.directories import for_sockets
from greylag.errors import GreylagError, InfraError, UserError
from greylag.exchanges import Channel, ExhaustedError, Open
from greylag.exchanges.patience import LONGEST_WAIT, wait
from greylag.metering import Meter
from greylag.model import Limits
from greylag.proxy._asked import offered, read, refused
from greylag.proxy._keyless import keyless, keyless_pieces
from greylag.proxy._server import BILLED, BODY, STOP, Handler, Reply, Request, Server, told
from greylag.tallies import Tally
from greylag.text import one_line

if TYPE_CHECKING:
    import httpx2

_UPWARDS = ("content-type", "accept", "user-agent", "anthropic-version", "anthropic-beta", "openai-beta")
_DOWNWARDS = ("content-type", "request-id", "x-request-id", "retry-after", "x-should-retry")
_HEAD = 100  # bytes of nonsense that are shown
_AT_ONCE = 4  # requests; more of them wait, so that a flood cannot outrun the meter
_SETTLE = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Upstream:
    """An LLM service and the key for it; `place` is where the key comes from, in words."""

    url: str
    key: str | None = field(default=None, repr=False)
    place: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        loopback = parts.hostname in {"127.0.0.1", "::1", "localhost"}
        if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
            raise UserError(f"base-url `{self.shown}` must be https, or http on this machine")
        if parts.username or parts.password or parts.query or not parts.hostname:
            raise UserError(f"base-url `{self.shown}` must be a plain address: no user, password or query")

    @property
    def shown(self) -> str:
        """Host and port, for people."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    def address(self, target: str) -> str:
        """Full address of a request target. A base that ends in /v1, as OpenAI's does, is taken as well."""
        return self.url.rstrip("/").removesuffix("/v1") + target

    def headers(self, api: str) -> dict[str, str]:
        """The key as this API wants it."""
        if self.key is None:
            return {}
        return {"x-api-key": self.key} if api == "anthropic" else {"authorization": f"Bearer {self.key}"}


@dataclass(frozen=True, slots=True)
class Failure:
    """How the last request ended, when it did not end well. Status 0: no answer came; 2xx: nonsense did."""

    status: int
    text: str
    wait: float = 0.0  # seconds after which the service wants to be asked again


class Proxy:
    """What passes, and what went wrong. Safe for several threads."""

    def __init__(self, upstream: Upstream, meter: Meter, client: "httpx2.Client") -> None:
        self.meter = meter
        self.requests = 0
        self.last: Failure | None = None
        self.refusal = ""
        self.offered: Sequence[str] = ()  # names of the tools that the model was first offered
        self.upstream, self._client = upstream, client
        self._places, self._idle, self._active = threading.Semaphore(_AT_ONCE), threading.Condition(), 0
        self._under_way = dict[int, tuple[Request, Tally, Open]]()

    def problem(self) -> GreylagError | None:
        """Why the LLM does not answer, by who must act; None when it does, or when the request itself was at fault."""
        host, failure = self.upstream.shown, self.last
        if self.refusal or failure is None:
            return UserError(self.refusal) if self.refusal else self.meter.channel.exchanges.exhausted
        if failure.status in {401, 403}:
            where = f"the key from {self.upstream.place}" if self.upstream.place else "to serve without a key"
            return UserError(f"{host} refused {where} (HTTP {failure.status}); put a valid key there")
        if failure.status == 404 or 300 <= failure.status < 400:
            return UserError(f"{host} does not know the model or the address (HTTP {failure.status}: {failure.text})")
        if failure.status in {0, 408, 429} or failure.status >= 500 or failure.status < 300:
            status = f"HTTP {failure.status}: " if failure.status else ""
            return InfraError(f"the LLM at {host} does not answer ({status}{failure.text})")
        return None

    def settle(self) -> None:
        """Wait a moment for answers that have just been sent to be counted; those cut off are counted as they stand."""
        with self._idle:
            self._idle.wait_for(lambda: not self._active, _SETTLE)

    def forward(self, request: Request, reply: Reply) -> None:
        """Send one request on and stream its answer back. Raises `OSError` when the client hangs up."""
        import httpx2  # noqa: PLC0415  -- a third of a second

        tally, asked = Tally.of(request.api, request.body), read(request.body or b"{}")
        with self._counted(), self._places:
            if forbidden := "a request is one JSON object, each key of it once" if asked is None else refused(asked):
                self._note(400, forbidden)
                reply.whole(400, STOP, told(forbidden))
                return
            if request.path in BILLED and (reason := self.meter.begin(tally)):
                self.refusal = "" if self.meter.stop or self.meter.closed else reason
                reply.whole(400, STOP, told(reason))
                return
            self.offered = self.offered or offered(asked or {})
            try:
                exchange = self.meter.channel.begin(request.path, request.body)
            except ExhaustedError as error:
                self.last = None
                self.meter.end(tally)
                reply.whole(400, STOP, told(str(error)))
                return
            self._under_way[id(tally)] = request, tally, exchange
            try:
                self._relay(request, tally, reply, exchange)
            except (httpx2.HTTPError, httpx2.StreamError) as error:
                self._note(0, str(error) or type(error).__name__)
                reply.broken()
            except OSError:
                tally.dropped = request.path in BILLED
                raise
            finally:
                self._over(tally)

    def _over(self, tally: Tally) -> None:
        """Count a request and write it down, once."""
        if under_way := self._under_way.pop(id(tally), None):
            self.meter.end(tally)
            self.meter.channel.keep(under_way[2], tally.usage, tally.model, self.upstream.key)

    def abandon(self) -> None:
        """Nobody waits for the answers that are still to come: they cost what they cost so far."""
        for request, tally, _ in list(self._under_way.values()):
            tally.dropped = request.path in BILLED
            self._over(tally)

    @contextmanager
    def _answer(self, request: Request, exchange: Open) -> Iterator["httpx2.Response"]:
        """The answer of the service, or the recorded one."""
        if exchange.recorded:
            yield exchange.recorded.response()
            return
        headers = {name: request.headers[name] for name in _UPWARDS if name in request.headers}
        headers |= {"accept-encoding": "identity"} | self.upstream.headers(request.api)
        address = self.upstream.address(request.target)
        with self._client.stream(request.method, address, headers=headers, content=_content(request)) as answer:
            yield answer

    def _relay(self, request: Request, tally: Tally, reply: Reply, exchange: Open) -> None:
        key = self.upstream.key
        with self._answer(request, exchange) as answer:
            exchange.begin(answer.status_code, answer.headers)
            passed = {name: answer.headers[name] for name in _DOWNWARDS if name in answer.headers}
            passed = {name: value for name, value in passed.items() if not key or key not in value}
            if not (answer.is_success and "text/event-stream" in answer.headers.get("content-type", "")):
                body = keyless(b"".join(_bounded(answer.iter_bytes())), key)
                exchange.take(body)
                exchange.end()
                if answer.is_success and request.path in BILLED:
                    tally.read(body)
                    self._judge(answer.status_code, request, tally, body)
                elif not answer.is_success:
                    self._note(answer.status_code, _message(body), wait=wait(answer.headers))
                final = answer.status_code in {401, 403} or wait(answer.headers) > LONGEST_WAIT
                reply.whole(answer.status_code, passed | (STOP if final else {}), body)
                return
            reply.start(answer.status_code, passed)
            head = b""
            for chunk in keyless_pieces(answer.iter_bytes(), key):
                if self.meter.exceeded():  # by what came before: what is paid for is passed on
                    tally.dropped = True
                    reply.broken()
                    return
                head = head or chunk[:_HEAD]
                tally.feed(chunk)
                exchange.take(chunk)
                if tally.error or not tally.answered:  # now: the client may hang up because of it
                    self._judge(answer.status_code, request, tally, head)
                reply.send(chunk)
            tally.feed(b"\n")
            exchange.end()
            self._judge(answer.status_code, request, tally, head)
            reply.end()

    def _judge(self, status: int, request: Request, tally: Tally, head: bytes) -> None:
        """Remember whether a request that is billed was answered as its API has it, HTTP being content."""
        if request.path in BILLED:
            flaw = _flaw(tally, head[:_HEAD], streamed=bool(_json(request.body).get("stream")))
            self._note(status, flaw, good=not flaw)

    def _note(self, status: int, text: str, *, good: bool = False, wait: float = 0.0) -> None:
        """Remember how the last request ended. No word of it holds the key."""
        key = self.upstream.key
        text = text.replace(key, "[key]") if key else text
        self.last = None if good else Failure(status, one_line(text, 200), wait)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._idle:
            self._active += 1
            self.requests += 1
        try:
            yield
        finally:
            with self._idle:
                self._active -= 1
                self._idle.notify_all()


@functools.cache
def _certificates() -> ssl.SSLContext:
    """The system's CA bundle, or SSL_CERT_FILE. Loading it takes longer than a request."""
    return ssl.create_default_context()


@contextmanager
def serve(
    upstream: Upstream, limits: Limits, parent: Path, channel: Channel = Channel()
) -> Iterator[tuple[Proxy, Path]]:
    """A proxy and the unix socket that leads to it, in a directory below `parent`, for as long as the context lasts."""
    import httpx2  # noqa: PLC0415

    client = httpx2.Client(
        verify=_certificates(),
        timeout=httpx2.Timeout(600.0, connect=30.0),
        trust_env=False,
        follow_redirects=False,
    )
    with for_sockets(parent) as (directory, short), client:
        proxy = Proxy(upstream, Meter(limits, channel), client)
        handler = type("Handler", (Handler,), {"proxy": proxy})
        with Server(str(short / "llm"), handler) as server:
            # any mode will do: the directory is ours alone, and a sandbox that gets the socket may be another uid
            (short / "llm").chmod(0o666)
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="greylag proxy", daemon=True)
            thread.start()
            try:
                yield proxy, directory / "llm"
                proxy.settle()
            finally:
                proxy.meter.close()
                proxy.abandon()
                server.shutdown()
                thread.join()


def _message(body: bytes) -> str:
    """The words of an error answer."""
    data = _json(body)
    error = data.get("error") if isinstance(data.get("error"), dict) else data
    text = error.get("message") if isinstance(error, dict) else None
    return text if isinstance(text, str) else body[:200].decode("utf-8", "replace")


def _flaw(tally: Tally, head: bytes, *, streamed: bool) -> str:
    """What is wrong with an answer that HTTP calls a success; empty when nothing is. `streamed`: as was asked for."""
    if tally.error:
        return tally.error
    if not tally.answered:
        return f"no answer of an LLM, but {head.decode('utf-8', 'replace')!r}" if head.strip() else "an empty answer"
    if tally.streamed is not streamed:
        return "an answer that is no stream" if streamed else "a stream that was not asked for"
    return "an answer that breaks off" if streamed and not tally.ended else ""


def _content(request: Request) -> bytes:
    """The body; streamed chat completions tell their usage only when asked to."""
    data = _json(request.body) if request.path == "/v1/chat/completions" else {}
    if not data.get("stream"):
        return request.body
    options = data.get("stream_options")
    return json.dumps(
        data | {"stream_options": (options if isinstance(options, dict) else {}) | {"include_usage": True}}
    ).encode()


def _json(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _bounded(chunks: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > BODY:
            return
        yield chunk
