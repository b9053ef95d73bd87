"""The built-in agent: a short loop over any language model, with file tools that run in the sandbox. See `_loop.py`.

The model is named, never guessed: `anthropic:NAME`, `openai:NAME` with an optional `base_url`, or `replay:PATH`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from greylag.errors import UserError
from greylag.llm import LLM, build
from greylag.metering import Meter
from greylag.model import Session
from greylag.protocols import AgentRequest

if TYPE_CHECKING:
    from pydantic_ai.models import Model


class Builtin:
    """`shell` lists the programs that `run_command` may start; empty: there is no such tool.

    `window` is the number of tokens that one request may have: what is oldest is dropped from a longer conversation.
    `max_blocks`: how often the stop gate sends it back in one session. `max_turns` bounds its turns in any case.
    """

    name = "builtin"
    corrects = True
    turns = 10  # a model that wanders is begun anew with what it was told; three sessions are the usual

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        key_env: str | None = None,
        key_file: str | None = None,
        shell: Sequence[str] = (),
        max_turns: int | None = None,
        window: int = 100_000,
        max_blocks: int = 3,
    ) -> None:
        self.llm = LLM(model, base_url, key_env, key_file)
        self.llm.check()
        if isinstance(shell, str) or not all(shell):
            raise UserError('agents `builtin`: `shell` is a list of program names, such as ["make", "npm"]')
        self.shell = tuple(shell)
        self.max_turns = max_turns
        self.window = window
        self.max_blocks = max_blocks
        self._model: Model | None = None

    @property
    def reflects(self) -> bool:
        """Whether a model is asked, and no recording played."""
        return not self.llm.replayed

    def run(self, request: AgentRequest) -> Session:
        """One conversation, or its continuation. See `greylag.llm.blame` for what it raises."""
        from greylag.agents import _loop  # noqa: PLC0415 - it imports pydantic-ai, which takes seconds

        most = request.limits.turns
        limits = replace(request.limits, turns=min(most, self.max_turns or most))
        meter = Meter(limits, request.channel)
        if not (self.llm.replayed and self._model):
            self._model = build(self.llm, meter=meter)
        return _loop.converse(self, self._model, request, limits, meter)


PLUGIN = Builtin
