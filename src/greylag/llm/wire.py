"""The SDKs behind `greylag.llm`, with clients that know nothing of the environment.

Each SDK takes seconds to import, so that only the one that is used is.
"""
# ruff: noqa: PLC0415 - see above

import functools
import logging
import ssl

import httpx2
from pydantic_ai.models import Model

from greylag.errors import UserError
from greylag.exchanges import Open
from greylag.exchanges.patience import LONGEST_WAIT, wait
from greylag.llm import LLM
from greylag.llm.answers import refined
from greylag.metering import Meter, RefusedError
from greylag.tallies import Tally

_TIMEOUT = httpx2.Timeout(600.0, connect=10.0)  # seconds without a byte; models think for minutes
_BODY = 32 << 20  # bytes of one answer
_RETRIES = 2  # by the SDK, with its backoff, before we call it a failure of infrastructure
_HEADERS = frozenset(
    {
        *("accept", "accept-encoding", "connection", "content-length", "content-type", "host", "transfer-encoding"),
        *("anthropic-beta", "anthropic-version", "user-agent"),
    }
)
_KEPT = ("content-type", "retry-after", "retry-after-ms", "x-should-retry", "request-id", "x-request-id")


def build(llm: LLM, key: str | None, meter: Meter) -> Model:
    """See `greylag.llm.build`."""
    make = _anthropic if llm.provider == "anthropic" else _openai
    model = make(llm, key, _Answers(llm.provider, meter, key))
    for name in ("anthropic", "openai", "httpx2", "httpcore2"):  # ANTHROPIC_LOG and the like would print prompts
        logging.getLogger(name).setLevel(logging.WARNING)
    return model


def _anthropic(llm: LLM, key: str | None, answers: "_Answers") -> Model:
    import anthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    client = anthropic.AsyncAnthropic(
        api_key=key or "none",
        base_url=llm.url,
        http_client=_client({"x-api-key": key} if key else {}, answers),
        max_retries=_RETRIES,
        open_telemetry=False,
    )
    return AnthropicModel(llm.name, provider=AnthropicProvider(anthropic_client=client))


def _openai(llm: LLM, key: str | None, answers: "_Answers") -> Model:
    import openai
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    client = openai.AsyncOpenAI(
        api_key=key or "none",
        base_url=llm.url,
        http_client=_client({"authorization": f"Bearer {key}"} if key else {}, answers),
        max_retries=_RETRIES,
    )
    return OpenAIChatModel(llm.name, provider=OpenAIProvider(openai_client=client))


def _client(authentication: dict[str, str], answers: "_Answers") -> httpx2.AsyncClient:
    """An HTTP client that sends what the protocol needs and our key, whatever the SDK has found around it.

    It follows no redirect, so that the key reaches the named address only, and keeps no connection open, so that it
    can be used from one event loop after the other.
    """

    async def only_ours(request: httpx2.Request) -> None:
        for name in [name for name in request.headers if name not in _HEADERS]:
            del request.headers[name]
        request.headers.update(authentication)

    return httpx2.AsyncClient(
        transport=answers,
        trust_env=False,
        follow_redirects=False,
        timeout=_TIMEOUT,
        event_hooks={"request": [only_ours]},
    )


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Loading the certificates takes longer than a request."""
    return httpx2.create_ssl_context(trust_env=False)


class _Answers(httpx2.AsyncBaseTransport):
    """Brings whole answers, of the shape that their API has: anything else counts as a broken connection.

    Each is counted and kept, whatever becomes of it. Raises `RefusedError` when a limit is reached.
    """

    def __init__(self, provider: str, meter: Meter, key: str | None) -> None:
        self._provider, self._meter, self._key = provider, meter, key
        limits = httpx2.Limits(max_keepalive_connections=0)
        self._inner = httpx2.AsyncHTTPTransport(_certificates(), trust_env=False, limits=limits)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        tally = Tally.of(self._provider, await request.aread())
        if reason := self._meter.begin(tally):
            raise RefusedError(reason)
        try:
            exchange = self._meter.channel.begin(request.url.path, request.content)
            try:
                return await self._answered(request, exchange, tally)
            finally:
                self._meter.channel.keep(exchange, tally.usage, tally.model, self._key)
        finally:
            self._meter.end(tally)

    async def _answered(self, request: httpx2.Request, exchange: Open, tally: Tally) -> httpx2.Response:
        recorded = exchange.recorded
        answer = recorded.response() if recorded else await self._inner.handle_async_request(request)
        answer.request = request  # which names it in errors
        exchange.begin(answer.status_code, answer.headers)
        if answer.is_redirect:
            await answer.aclose()
            host = request.url.netloc.decode("ascii", "replace").rpartition("@")[2]
            raise UserError(f"{host} answers with a redirect ({answer.status_code}); correct the base-url")
        headers = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
        if wait(answer.headers) > LONGEST_WAIT:
            headers["x-should-retry"] = "false"
        body, content = bytearray(), None
        try:
            await self._read(answer, body, exchange, tally)
            if answer.is_success:
                headers["content-type"], content = refined(self._provider, request.content, bytes(body))
        except (ValueError, httpx2.DecodingError) as error:
            raise httpx2.RemoteProtocolError(f"no answer of a language model: {error}", request=request) from None
        finally:
            tally.dropped = answer.is_success and not exchange.exchange.whole
            if answer.is_success and not tally.streamed:
                tally.read(bytes(body))
            await answer.aclose()
        return httpx2.Response(
            answer.status_code, headers=headers, content=bytes(body) if content is None else content, request=request
        )

    async def _read(self, answer: httpx2.Response, body: bytearray, exchange: Open, tally: Tally) -> None:
        """The body, decompressed. Raises `ValueError` when there is no end to it, `RefusedError` past a limit."""
        streamed = answer.is_success and "text/event-stream" in answer.headers.get("content-type", "")
        async for chunk in answer.aiter_bytes():
            if self._meter.exceeded():  # by what came before
                raise RefusedError("the budget of this session is spent")
            exchange.take(chunk)
            body += chunk
            if streamed:
                tally.feed(chunk)
            if len(body) > _BODY:
                raise ValueError(f"more than {_BODY >> 20} MiB")
        if streamed:
            tally.feed(b"\n")
        exchange.end()

    async def aclose(self) -> None:
        await self._inner.aclose()
