"""The loop of the built-in agent: ask the model, do what it calls for, until it ends or a limit does.

Importing this takes seconds; `builtin.py` does it when a session starts.
"""

import asyncio
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field
from pydantic_ai import Agent, CallToolsNode, ModelRequestNode, ModelSettings, ToolOutput, UsageLimits
from pydantic_ai.capabilities import ProcessHistory
from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models import Model
from pydantic_ai.usage import RunUsage

from greylag import llm
from greylag.agents._inside import Killed
from greylag.agents._record import note, session_id, tell
from greylag.agents._tools import Toolbox
from greylag.agents._window import Window
from greylag.bridge import Gate
from greylag.endings import declined
from greylag.errors import InfraError
from greylag.llm import failures
from greylag.llm.replay import said
from greylag.metering import Meter
from greylag.model import Limits, Session, StopReason, Usage
from greylag.protocols import AgentRequest
from greylag.text import clean

if TYPE_CHECKING:
    from greylag.agents.builtin import Builtin

_PROMPT = (files("greylag.agents") / "builtin.md").read_text(encoding="utf-8")
VERSION = _PROMPT.partition(" -->")[0].rpartition(", ")[2]
"""Version of the system prompt, as its first line has it."""

_NOT_YET = "You are not done: this failed. Mend it, call `verify` until it passes, and end again.\n\n"
_RETRIES = 3  # malformed tool calls or empty answers in a row, before the model is given up


class Decline(BaseModel):
    """End without a change, because the task cannot be done here or should not be."""

    reason: str = Field(description="why, for the person who asked")


class NoChange(BaseModel):
    """End without a change, because what is asked for is already so."""

    reason: str = Field(description="where it is already so")


Answer = str | Decline | NoChange


def converse(settings: "Builtin", model: Model, request: AgentRequest, limits: Limits, meter: Meter) -> Session:
    """One session, or its continuation. Raises what `greylag.llm.blame` says, and what `verify` raises."""
    gate = Gate(request.verify, request.observe, settings.max_blocks, request.log)
    box = Toolbox(request, gate, settings.shell)
    talk = _Talk(request, settings.llm, limits, meter, gate, _history(request))
    resumed = request.resume is not None
    note(request, "prompt", text=request.prompt, model=settings.llm.model, resumed=resumed, instructions=VERSION)
    with llm.blame(settings.llm), box:
        try:
            prompt = request.prompt if talk.messages else f"{request.prompt}\n\nThe repository's files:\n{box.map()}"
            llm.run(talk.go(_agent(model, box, Window(settings.window)), prompt))
        except Killed:
            talk.stop = StopReason.KILLED
        except failures.FAILURES:
            if meter.stop is None:
                raise
            talk.stop = meter.stop  # an answer that was paid for and is none
    note(request, "end", stop=talk.stop.value, text=talk.text)
    return Session(
        session_id(request), settings.name, settings.llm.model, talk.stop, talk.used,
        clean(talk.text), str(request.transcript), _save(request, talk.messages), gate.verifications, gate.blocks,
        instructions=VERSION,
    )  # fmt: skip


def _agent(model: Model, box: Toolbox, window: Window) -> Agent[None, Answer]:
    async def shortened(messages: list[ModelMessage]) -> list[ModelMessage]:
        return window.fit(messages)

    return Agent(
        model,
        name="greylag",
        output_type=[str, ToolOutput(Decline, name="decline"), ToolOutput(NoChange, name="no_change")],
        instructions=_PROMPT,
        tools=box.tools(),
        retries=_RETRIES,
        model_settings=ModelSettings(cache=True),  # for Anthropic; others cache on their own
        capabilities=[ProcessHistory(shortened)],
    )


@dataclass(slots=True)
class _Talk:
    """A conversation as it stands: what has been said, what it cost, and how it ended."""

    request: AgentRequest
    which: llm.LLM
    limits: Limits
    meter: Meter
    gate: Gate
    messages: list[ModelMessage]
    spent: RunUsage = field(default_factory=RunUsage)
    stop: StopReason = StopReason.COMPLETED
    text: str = ""

    @property
    def used(self) -> Usage:
        """What it has consumed so far."""
        return llm.usage(self.which, self.meter, self.spent)

    async def go(self, agent: Agent[None, Answer], prompt: str) -> None:
        """Talk until the model has ended and the stop gate lets it go, or until a limit ends it."""
        try:
            async with asyncio.timeout(self.limits.seconds):
                while prompt:
                    prompt = await self.turns(agent, prompt)
        except TimeoutError:
            self.stop = StopReason.TIMEOUT

    async def turns(self, agent: Agent[None, Answer], prompt: str) -> str:
        """Talk until the model ends or a limit does. The answer is why it has to go on, if it has to."""
        async with agent.iter(
            prompt, message_history=self.messages, usage=self.spent, usage_limits=UsageLimits(request_limit=None)
        ) as conversation:
            async for node in conversation:
                self.messages = conversation.all_messages()
                if isinstance(node, CallToolsNode):
                    _note_answer(self.request, node, self.used)
                elif isinstance(node, ModelRequestNode):
                    _note_results(self.request, node)
                    if stop := self.exceeded():
                        self.stop, self.messages = stop, [*self.messages, node.request]
                        return ""
            if conversation.result is None:
                return ""
            self.messages = conversation.all_messages()
            self.stop, self.text = _ending(conversation.result.output)
        return self.refused() if self.stop is StopReason.COMPLETED else ""

    def refused(self) -> str:
        """What the stop gate has against the end, for the model to read."""
        reason = self.gate.stop({}).get("reason", "")
        self.gate.settle()
        return _NOT_YET + reason if reason else ""

    def exceeded(self) -> StopReason | None:
        """The limit that is reached before the next turn, if any. A budget is overrun by one turn at most."""
        used, limits = self.used, self.limits
        if used.turns >= limits.turns:
            return StopReason.TURNS
        if limits.tokens is not None and used.input_tokens + used.output_tokens >= limits.tokens:
            return StopReason.BUDGET
        return StopReason.BUDGET if limits.usd is not None and (used.usd or 0.0) >= limits.usd else None


def _ending(answer: Answer) -> tuple[StopReason, str]:
    if isinstance(answer, Decline):
        return StopReason.DECLINED, answer.reason
    if isinstance(answer, NoChange):
        return StopReason.COMPLETED, f"No change needed: {answer.reason}"
    reason = declined(answer)
    return (StopReason.COMPLETED, answer) if reason is None else (StopReason.DECLINED, reason)


def _note_results(request: AgentRequest, node: ModelRequestNode[None, Any]) -> None:
    for part in node.request.parts:
        if isinstance(part, ToolReturnPart):
            note(request, "result", tool=part.tool_name, outcome=part.outcome, text=said(part))


def _note_answer(request: AgentRequest, node: CallToolsNode[None, Any], used: Usage) -> None:
    for part in node.model_response.parts:
        if isinstance(part, TextPart) and part.content.strip():
            note(request, "text", text=part.content)
            tell(request, "agent.text", part.content)
        elif isinstance(part, ToolCallPart):
            arguments = part.args_as_dict(raise_if_invalid=False)
            note(request, "tool", tool=part.tool_name, args=arguments)
            tell(request, "agent.tool", f"{part.tool_name} {_short(arguments)}", tool=part.tool_name)
    money = "" if not used.usd else f", ${used.usd:.2f}"
    tell(
        request, "usage", f"turn {used.turns}: {used.input_tokens + used.output_tokens} tokens{money}",
        turns=used.turns, input_tokens=used.input_tokens, output_tokens=used.output_tokens, usd=used.usd,
    )  # fmt: skip


def _short(arguments: dict[str, Any]) -> str:
    """What tells one call from another: the path, the pattern, the program."""
    chosen = [arguments[key] for key in ("pattern", "path", "to", "argv", "reason") if key in arguments]
    return " ".join(" ".join(map(str, item)) if isinstance(item, list) else str(item) for item in chosen)


def _history(request: AgentRequest) -> list[ModelMessage]:
    if request.resume is None or request.resume.resume is None:
        return []
    path = Path(request.resume.resume)
    try:
        return ModelMessagesTypeAdapter.validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InfraError(f"the conversation in {path} cannot be resumed: {type(error).__name__}") from error


def _save(request: AgentRequest, messages: list[ModelMessage]) -> str:
    """Path of the conversation, kept beside the transcript."""
    path = request.transcript.with_suffix(".messages.json")
    try:
        path.write_bytes(ModelMessagesTypeAdapter.dump_json(messages))
    except OSError as error:
        raise InfraError(f"the conversation cannot be kept in {path}: {error.strerror}") from error
    return str(path)
