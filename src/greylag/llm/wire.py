"""The SDKs behind `greylag.llm`, with clients that know nothing of the environment.

Each SDK takes seconds to import, so that only the one that is used is.
"""
# ruff: noqa: PLC0415 - see above

import json
import logging

import httpx2
from pydantic_ai.models import Model

from greylag.llm import LLM

_TIMEOUT = httpx2.Timeout(600.0, connect=10.0)  # seconds without a byte; models think for minutes
_RETRIES = 2  # by the SDK, with its backoff, before we call it a failure of infrastructure
_HEADERS = frozenset(
    {
        *("accept", "accept-encoding", "connection", "content-length", "content-type", "host", "transfer-encoding"),
        *("anthropic-beta", "anthropic-version", "user-agent"),
    }
)


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
        http_client=_client({"x-api-key": key} if key else {}, "content"),
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
        http_client=_client({"authorization": f"Bearer {key}"} if key else {}, "choices"),
        max_retries=_RETRIES,
    )
    return OpenAIChatModel(llm.name, provider=OpenAIProvider(openai_client=client))


def _client(authentication: dict[str, str], wanted: str) -> httpx2.AsyncClient:
    """An HTTP client that sends what the protocol needs and our key, whatever the SDK has found around it.

    It follows no redirect, so that the key reaches the named address only, and keeps no connection open, so that it
    can be used from one event loop after the other. An answer without the key `wanted`, over which the SDKs stumble,
    counts as a broken connection.
    """

    async def only_ours(request: httpx2.Request) -> None:
        for name in [name for name in request.headers if name not in _HEADERS]:
            del request.headers[name]
        request.headers.update(authentication)

    async def sound(response: httpx2.Response) -> None:
        if response.is_success and "event-stream" not in response.headers.get("content-type", ""):
            try:
                body = json.loads(await response.aread())
            except ValueError:
                body = None
            if not isinstance(body, dict) or not isinstance(body.get(wanted), list):
                raise httpx2.RemoteProtocolError("the answer is not that of a language model", request=response.request)

    return httpx2.AsyncClient(
        trust_env=False,
        follow_redirects=False,
        timeout=_TIMEOUT,
        limits=httpx2.Limits(max_keepalive_connections=0),
        event_hooks={"request": [only_ours], "response": [sound]},
    )
