"""What goes wrong between greylag and a model, by who must act. See `greylag.llm.blame`."""

import re

from pydantic_ai import exceptions as failed

from greylag.errors import AgentError, GreylagError, InfraError, UserError
from greylag.llm import LLM
from greylag.metering import RefusedError
from greylag.text import one_line

_ADVICE = re.compile(r"(?:For further information,? )?(?:see|visit)? ?https?://\S+pydantic\S+", re.IGNORECASE)
FAILURES = (failed.ModelAPIError, failed.UnexpectedModelBehavior, failed.UserError, RefusedError)


def blamed(llm: LLM, error: Exception) -> GreylagError:
    """The error of ours that says who must act. Servers echo keys, so the key is cut out of their words."""
    status = getattr(error, "status_code", None)
    host = llm.url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    if isinstance(error, failed.ModelAuthenticationError) or status in {401, 403}:
        key = f"the key in {llm.key_place}" if llm.key_place else "a request without a key"
        return UserError(f"{host} refuses {key} ({status}); check the key and what it is good for")
    text = _scrubbed(llm, _words(error))
    if isinstance(error, failed.ModelQuotaExceededError):
        return UserError(f"{host} says that quota or credit is used up ({status}): {text}")
    if isinstance(error, failed.ModelNotFoundError):
        return UserError(f"{host} has no model `{llm.name}` ({status}): {text}")
    if isinstance(error, failed.ModelRequestRejectedError):
        return AgentError(f"{host} rejects the request to `{llm.name}` ({status}): {text}")
    if isinstance(error, failed.ModelAPIError):
        unanswered = InfraError(f"{host} does not answer for `{llm.name}` ({status}): {text}")
        return unanswered if status else _connection(llm, host, error)
    return AgentError(f"model `{llm.model}` does not keep to its protocol: {text}")


def _words(error: Exception) -> str:
    """What the service says, where the error holds its answer; else the error in its own words, without its advice."""
    body = getattr(error, "body", None)
    told = body.get("error", body) if isinstance(body, dict) else None
    said = told.get("message") if isinstance(told, dict) else told
    return said if isinstance(said, str) and said else _ADVICE.sub("", str(error))


def ours(error: BaseException) -> GreylagError | None:
    """What greylag itself raised on the way to the model, which some SDKs take for a broken connection."""
    root = _root(error)
    if isinstance(root, RefusedError):
        return UserError(str(root))
    return root if isinstance(root, GreylagError) else None


def _root(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _connection(llm: LLM, host: str, error: BaseException) -> GreylagError:
    """What the SDKs call a connection error, by what it began with."""
    error = _root(error)
    return InfraError(f"{host} gives no answer for `{llm.name}`: {_scrubbed(llm, str(error) or type(error).__name__)}")


def _scrubbed(llm: LLM, text: str) -> str:
    try:
        key = llm.key()
    except UserError:  # gone in the meantime
        key = None
    return one_line(text.replace(key, "[key]") if key else text)
