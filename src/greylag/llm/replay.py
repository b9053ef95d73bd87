"""A recorded conversation, played back as a pydantic-ai model for the built-in agent and the judge alike.

A recording is a JSON file. Only the model's words are in it; tools, verification and the gate are real, and the replay
fails as soon as they answer otherwise than they did when it was recorded:

    {"agent": [{"text": "...", "tools": [{"name": "verify", "args": {}}], "expect": "..."}, ...],
     "judge": [{"answer": {...}, "expect": "..."}]}

`expect` is text, or a list of texts, that must occur in what the model is told last: tool results or the prompt.
`usage`: {"input": N, "output": N} gives token counts; without it they are estimated at four characters a token.
Importing this module imports pydantic-ai, which takes seconds: see `greylag.llm.build`.
"""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, ModelResponsePart, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.usage import RequestUsage

from greylag.errors import AgentError, UserError
from greylag.text import clean, one_line

_CHARACTERS_PER_TOKEN = 4
_EXCERPT = 600  # characters of what really happened, in the error of a recording that does not fit


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Call(_Part):
    name: str
    args: dict[str, Any] = {}


class _Tokens(_Part):
    input: int = 0
    output: int = 0


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class _Turn(_Part):
    text: str = ""
    tools: tuple[_Call, ...] = ()
    answer: dict[str, Any] | None = None
    expect: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    usage: _Tokens | None = None


class _Recording(_Part):
    agent: tuple[_Turn, ...] = ()
    judge: tuple[_Turn, ...] = ()


def replay(path: str, role: str) -> FunctionModel:
    """The model that plays the turns of `role`, one a request, however many sessions ask.

    Raises `UserError` for a file that is no recording; the model raises `AgentError` when a turn does not fit.
    """
    file = Path(path).expanduser()
    try:
        recording = _Recording.model_validate_json(file.read_bytes())
    except OSError as error:
        raise UserError(f"recording `{path}` cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise UserError(f"`{path}` is no recording: {where}: {one_line(first['msg'])}") from None
    player = _Player(file.name, role, recording.judge if role == "judge" else recording.agent)
    return FunctionModel(player.turn, model_name=f"replay:{file.name}")


class _Player:
    """The position in a recording: it moves on across sessions, because a resumed one goes on where it stood."""

    def __init__(self, name: str, role: str, turns: Sequence[_Turn]) -> None:
        self._name, self._role, self._turns = name, role, turns
        self._next = 0

    async def turn(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        if self._next >= len(self._turns):
            raise self._misfit(f"has {len(self._turns)} turns, and the model is asked for one more")
        turn = self._turns[self._next]
        self._next += 1
        told = _told(messages)
        for expected in turn.expect:
            if expected not in told:
                raise self._misfit(f"expects `{one_line(expected)}` in what the model is told, which is: {_end(told)}")
        parts = self._parts(turn, info)
        return ModelResponse(parts=parts, usage=_usage(turn, messages))

    def _parts(self, turn: _Turn, info: AgentInfo) -> list[ModelResponsePart]:
        known = {tool.name for tool in (*info.function_tools, *info.output_tools)}
        for call in turn.tools:
            if call.name not in known:
                raise self._misfit(f"calls the tool `{call.name}`; there are: {', '.join(sorted(known))}")
        parts: list[ModelResponsePart] = [TextPart(turn.text)] if turn.text else []
        parts += [
            ToolCallPart(call.name, call.args, f"replay-{self._next}-{n}") for n, call in enumerate(turn.tools, 1)
        ]
        if turn.answer is not None:
            parts.append(_answer(turn.answer, info))
        return parts

    def _misfit(self, what: str) -> AgentError:
        return AgentError(f"the recording `{self._name}` does not fit: turn {self._next} of the {self._role} {what}")


def _answer(answer: dict[str, Any], info: AgentInfo) -> ModelResponsePart:
    """A typed answer in the way that the asker wants it: by its output tool, or as JSON text."""
    if info.output_tools:
        return ToolCallPart(info.output_tools[0].name, answer)
    return TextPart(json.dumps(answer))


def _told(messages: Sequence[ModelMessage]) -> str:
    """What the model is told since its last turn."""
    last = messages[-1]
    return "\n".join(said(part) for part in last.parts) if isinstance(last, ModelRequest) else ""


def said(part: object) -> str:
    """Text of one part of a message: of a prompt, an answer, a tool's result or a request to try again."""
    content = getattr(part, "content", "")
    if isinstance(content, str):
        return content
    return json.dumps(content, ensure_ascii=False, default=str)


def _end(told: str) -> str:
    text = " ".join(clean(told).split())
    return text if len(text) <= _EXCERPT else f"... {text[-_EXCERPT:]}"


def _usage(turn: _Turn, messages: Sequence[ModelMessage]) -> RequestUsage:
    """Token counts as recorded, or estimated; nothing was paid."""
    tokens = turn.usage
    if tokens is None:
        read = sum(len(said(part)) for message in messages for part in message.parts)
        written = len(turn.text) + sum(len(json.dumps(call.args)) for call in turn.tools)
        tokens = _Tokens(input=read // _CHARACTERS_PER_TOKEN, output=1 + written // _CHARACTERS_PER_TOKEN)
    return RequestUsage(input_tokens=tokens.input, output_tokens=tokens.output, cost=Decimal(0))
