"""The SDKs behind `greylag.llm`: clients that know nothing of the environment, and the blame for their failures.

Importing this takes seconds; only `greylag.llm` does it, when a model is really made.
"""

import logging

import anthropic
import httpx2
import openai
from pydantic_ai import exceptions as failed
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

from greylag.errors import AgentError, GreylagError, InfraError, UserError
from greylag.llm import LLM, Role
from greylag.replay import replay
from greylag.text import one_line

FAILURES = (failed.ModelAPIError, failed.UnexpectedModelBehavior, failed.UserError)

_TIMEOUT = httpx2.Timeout(600.0, connect=10.0)  # seconds without a byte; models think for minutes
_RETRIES = 2  # by the SDK, with its backoff, before we call it a failure of infrastructure
_HEADERS = frozenset(
    {
        *("accept", "accept-encoding", "connection", "content-length", "content-type", "host", "transfer-encoding"),
        *("anthropic-beta", "anthropic-version", "user-agent"),
    }
)


def build(llm: LLM, key: str | None, role: Role) -> Model:
    """See `greylag.llm.build`."""
    if llm.replayed:
        return replay(llm.name, role)
    for name in ("anthropic", "openai", "httpx2", "httpcore2"):  # ANTHROPIC_LOG and the like would print prompts
        logging.getLogger(name).setLevel(logging.WARNING)
    return _anthropic(llm, key) if llm.provider == "anthropic" else _openai(llm, key)


def _anthropic(llm: LLM, key: str | None) -> Model:
    client = anthropic.AsyncAnthropic(
        api_key=key or "none",
        base_url=llm.url,
        http_client=_client({"x-api-key": key} if key else {}),
        max_retries=_RETRIES,
        open_telemetry=False,
    )
    return AnthropicModel(llm.name, provider=AnthropicProvider(anthropic_client=client))


def _openai(llm: LLM, key: str | None) -> Model:
    client = openai.AsyncOpenAI(
        api_key=key or "none",
        base_url=llm.url,
        http_client=_client({"authorization": f"Bearer {key}"} if key else {}),
        max_retries=_RETRIES,
    )
    return OpenAIChatModel(llm.name, provider=OpenAIProvider(openai_client=client))


def _client(authentication: dict[str, str]) -> httpx2.AsyncClient:
    """An HTTP client that sends what the protocol needs and our key, whatever the SDK has found around it.

    It follows no redirect, so that the key reaches the named address only, and keeps no connection open, so that it
    can be used from one event loop after the other.
    """

    async def only_ours(request: httpx2.Request) -> None:
        for name in [name for name in request.headers if name not in _HEADERS]:
            del request.headers[name]
        request.headers.update(authentication)

    return httpx2.AsyncClient(
        trust_env=False,
        follow_redirects=False,
        timeout=_TIMEOUT,
        limits=httpx2.Limits(max_keepalive_connections=0),
        event_hooks={"request": [only_ours]},
    )


def blamed(llm: LLM, error: Exception) -> GreylagError:
    """The error of ours that says who must act. Servers echo keys, so the key is cut out of their words."""
    status = getattr(error, "status_code", None)
    host = llm.url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    if isinstance(error, failed.ModelAuthenticationError) or status in {401, 403}:
        key = f"the key in {llm.key_place}" if llm.key_place else "a request without a key"
        return UserError(f"{host} refuses {key} ({status}); check the key and what it is good for")
    text = _scrubbed(llm, str(error))
    if isinstance(error, failed.ModelQuotaExceededError):
        return UserError(f"{host} says that quota or credit is used up ({status}): {text}")
    if isinstance(error, failed.ModelNotFoundError):
        return UserError(f"{host} has no model `{llm.name}` ({status}): {text}")
    if isinstance(error, failed.ModelRequestRejectedError):
        return AgentError(f"{host} rejects the request to `{llm.name}` ({status}): {text}")
    if isinstance(error, failed.ModelAPIError):
        return InfraError(f"{host} does not answer for `{llm.name}` ({status or 'no connection'}): {text}")
    return AgentError(f"model `{llm.model}` does not keep to its protocol: {text}")


def _scrubbed(llm: LLM, text: str) -> str:
    try:
        key = llm.key()
    except UserError:  # gone in the meantime
        key = None
    return one_line(text.replace(key, "[key]") if key else text)
