"""Which language model, with which key, and whose fault it is when it does not answer.

Nothing is picked up from the surroundings: the key comes from the variable or file that the configuration names, the
address from `base_url` or the provider's own, and what the SDKs gather from the environment (other keys, proxies,
headers, organisations) is dropped before a request leaves. pydantic-ai and the SDKs, which take seconds to import,
are behind `greylag.llm.wire`, `greylag.llm.replay` and `greylag.llm.failures`, imported where a model is really used.
"""

import asyncio
import os
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlsplit

from greylag.errors import UserError
from greylag.metering import Meter
from greylag.model import Limits, Usage

if TYPE_CHECKING:
    from pydantic_ai.models import Model
    from pydantic_ai.usage import RunUsage

T = TypeVar("T")
Role = Literal["agent", "judge"]

_UNLIMITED = Limits(turns=10**9)
_HOMES = {"anthropic": "https://api.anthropic.com", "openai": "https://api.openai.com/v1"}


@dataclass(frozen=True, slots=True)
class LLM:
    """Which model: `anthropic:NAME`, `openai:NAME` (chat completions of any compatible server) or `replay:PATH`.

    The key is read from the environment variable `key_env` or the file `key_file`, from nowhere else. A server at
    `base_url` may need none.
    """

    model: str
    base_url: str | None = None
    key_env: str | None = None
    key_file: str | None = None
    role: Role = "agent"  # whose model it is, for errors

    def __post_init__(self) -> None:
        if self.provider not in {*_HOMES, "replay"} or not self.name:
            raise UserError(f"model `{self.model}` is not of the form anthropic:NAME, openai:NAME or replay:PATH")
        if self.key_env and self.key_file:
            raise UserError(f"model `{self.model}` has both key-env and key-file; name one of them")
        if self.base_url is not None and (
            urlsplit(self.base_url).scheme not in {"http", "https"} or not urlsplit(self.base_url).hostname
        ):
            raise UserError(f"base-url of model `{self.model}` is no http or https address")

    @property
    def provider(self) -> str:
        """What stands before the colon."""
        return self.model.partition(":")[0]

    @property
    def name(self) -> str:
        """What stands after the colon: the provider's name of the model, or the path of a recording."""
        return self.model.partition(":")[2]

    @property
    def replayed(self) -> bool:
        """True when no model is asked: a recording is played."""
        return self.provider == "replay"

    @property
    def url(self) -> str:
        """Where requests go."""
        return self.base_url or _HOMES.get(self.provider, "")

    @property
    def key_place(self) -> str:
        """Where the key is to be found, in words; empty when no place is named."""
        if self.key_env:
            return f"variable `{self.key_env}`"
        return f"key-file `{self.key_file}`" if self.key_file else ""

    def key(self) -> str | None:
        """The key, read anew at each call; None when none is needed. Raises `UserError` that names the option."""
        if self.replayed or (self.base_url and not self.key_place):
            return None
        if not self.key_place:
            flag = "--judge-key-env" if self.role == "judge" else "--key-env"
            raise UserError(
                f"model `{self.model}` of the {self.role} needs a key: name the variable that holds it by {flag} NAME, "
                f"or write key-env (or key-file) into [{self.role}] of greylag.toml"
            )
        value = os.environ.get(self.key_env, "") if self.key_env else _contents(self.key_file or "")
        value = value.strip()
        if not value:
            raise UserError(f"{self.key_place} for model `{self.model}` is empty or not set")
        if not (value.isascii() and value.isprintable()):
            raise UserError(f"{self.key_place} for model `{self.model}` holds characters that no key has")
        return value

    def check(self) -> None:
        """Find what is missing before anything is started. Raises `UserError` for a key or a recording."""
        self.key()
        if self.replayed and not Path(self.name).expanduser().is_file():
            raise UserError(f"recording `{self.name}` does not exist")


def _contents(file: str) -> str:
    try:
        return Path(file).expanduser().read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"key-file `{file}` cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise UserError(f"key-file `{file}` is no text") from None


def build(llm: LLM, role: Role = "agent", meter: Meter | None = None) -> "Model":
    """A pydantic-ai model, which `meter` counts and limits. Of a recording, one object per run and role: its position
    is kept in it.

    It can be used from one event loop after the other, since it keeps no connection open between requests.
    Raises `UserError` for a key that is not there and for a recording that cannot be played.
    """
    key = llm.key()
    if llm.replayed:
        from greylag.llm.replay import replay  # noqa: PLC0415 - seconds

        return replay(llm.name, role)
    from greylag.llm import wire  # noqa: PLC0415 - seconds

    return wire.build(llm, key, meter or Meter(_UNLIMITED))


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, in an event loop of its own. Ctrl-C ends it at once, also within a tool that blocks."""
    with asyncio.Runner() as runner:  # its own `run` would hold Ctrl-C back until the tool returns
        return runner.get_loop().run_until_complete(work)


@contextmanager
def blame(llm: LLM) -> Iterator[None]:
    """Turns what goes wrong between us and a model into an error that says who must act.

    A refused key or an unknown model is `UserError`; rate limits, 5xx and connections are `InfraError`; a model that
    does not keep to its protocol is `AgentError`. No text of them holds the key.
    """
    from greylag.llm import failures  # noqa: PLC0415 - seconds

    try:
        yield
    except failures.FAILURES as error:
        raise failures.ours(error) or failures.blamed(llm, error) from None  # the chain below holds the request


def usage(llm: LLM, meter: Meter, spent: "RunUsage") -> Usage:
    """What was consumed: as it was counted, or as a recording tells it, for which nobody pays."""
    if not llm.replayed:
        return meter.usage
    told = Usage(spent.requests, spent.input_tokens, spent.output_tokens, spent.cache_read_tokens)
    return replace(told, usd=0.0, cost_source="replay")
