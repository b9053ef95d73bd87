"""The SDKs behind `greylag.llm`, with clients that know nothing of the environment.

Each SDK takes seconds to import, so that only the one that is used is.
"""
# ruff: noqa: PLC0415 - see above

import functools
import logging
import ssl

import httpx2
from pydantic_ai.models import Model

from greylag.llm import LLM
from greylag.llm.answers import refined

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


def build(llm: LLM, key: str | None) -> Model:
    """See `greylag.llm.build`."""
    model = _anthropic(llm, key) if llm.provider == "anthropic" else _openai(llm, key)
    for name in ("anthropic", "openai", "httpx2", "httpcore2"):  # ANTHROPIC_LOG and the like would print prompts
        logging.getLogger(name).setLevel(logging.WARNING)
    return model


def _anthropic(llm: LLM, key: str | None) -> Model:
    import anthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    client = anthropic.AsyncAnthropic(
        api_key=key or "none",
        base_url=llm.url,
        http_client=_client({"x-api-key": key} if key else {}, llm.provider),
        max_retries=_RETRIES,
        open_telemetry=False,
    )
    return AnthropicModel(llm.name, provider=AnthropicProvider(anthropic_client=client))


def _openai(llm: LLM, key: str | None) -> Model:
    import openai
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    client = openai.AsyncOpenAI(
        api_key=key or "none",
        base_url=llm.url,
        http_client=_client({"authorization": f"Bearer {key}"} if key else {}, llm.provider),
        max_retries=_RETRIES,
    )
    return OpenAIChatModel(llm.name, provider=OpenAIProvider(openai_client=client))


def _client(authentication: dict[str, str], provider: str) -> httpx2.AsyncClient:
    """An HTTP client that sends what the protocol needs and our key, whatever the SDK has found around it.

    It follows no redirect, so that the key reaches the named address only, and keeps no connection open, so that it
    can be used from one event loop after the other.
    """

    async def only_ours(request: httpx2.Request) -> None:
        for name in [name for name in request.headers if name not in _HEADERS]:
            del request.headers[name]
        request.headers.update(authentication)

    return httpx2.AsyncClient(
        transport=_Answers(provider),
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
    """Brings whole answers, of the shape that their API has: anything else counts as a broken connection."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        limits = httpx2.Limits(max_keepalive_connections=0)
        self._inner = httpx2.AsyncHTTPTransport(_certificates(), trust_env=False, limits=limits)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = await self._inner.handle_async_request(request)
        answer.request = request  # which names it in errors
        headers = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
        try:
            body = await _whole(answer)
            if answer.is_success:
                headers["content-type"], body = refined(self._provider, await request.aread(), body)
        except (ValueError, httpx2.DecodingError) as error:
            raise httpx2.RemoteProtocolError(f"no answer of a language model: {error}", request=request) from None
        finally:
            await answer.aclose()
        return httpx2.Response(answer.status_code, headers=headers, content=body, request=request)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def _whole(answer: httpx2.Response) -> bytes:
    """The body, decompressed. Raises `ValueError` when there is no end to it."""
    body = bytearray()
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > _BODY:
            raise ValueError(f"more than {_BODY >> 20} MiB")
    return bytes(body)
