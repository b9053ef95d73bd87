"""A conversation that never outgrows the window of its model: what is oldest goes first, and only as much as must.

No model is asked for a summary: what a tool showed can be had again, and what was changed stands in the files. It is
cut down to half at once, so that the provider's prompt cache is lost seldom.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    RetryPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from greylag.errors import UserError
from greylag.llm.replay import said

_DENSITY = 1 / 3  # tokens a byte: most text has fewer; what the model's service counts is learned
_OVERHEAD = 12_000  # bytes of the system prompt and of what is said of the tools
_KEPT, _LAST = 6, 2  # messages at the end that are shortened last, and of those the last to be
_LARGE = 1_500  # bytes of a result or an argument that is worth dropping
_STEPS = (20_000, 5_000, 1_000, 300)  # bytes that are left of one text, when nothing else helps
_DROPPED = "[dropped to save room; call the tool again if you need it]"
_GONE = "(Earlier steps are left out here to save room. The files are as you have left them.)"


class Window:
    """`tokens` is what a request may have. How many of them a byte is, is learned from each answer."""

    def __init__(self, tokens: int) -> None:
        self._tokens, self._density, self._sent = tokens, _DENSITY, 0

    def fit(self, messages: list[ModelMessage]) -> list[ModelMessage]:
        """The conversation, shortened where it must be. Raises `UserError` when the prompt alone is too long."""
        last = next((message for message in reversed(messages) if isinstance(message, ModelResponse)), None)
        if last is not None and self._sent:
            measured = last.usage.input_tokens / (self._sent + _OVERHEAD)
            self._density = min(1.0, max(self._density, measured))
        fitted = shorten(messages, max(0, int(self._tokens / self._density) - _OVERHEAD))
        self._sent = _size(fitted)
        return fitted


def shorten(messages: list[ModelMessage], most: int) -> list[ModelMessage]:
    """At most `most` bytes of a conversation. Raises `UserError` when its first message alone is longer."""
    if _size(messages) <= most:
        return messages
    shorter = _dropped(messages, most, _KEPT)
    if _size(shorter) > most:  # what was done stays as long as what was shown can go
        shorter = _dropped(messages, most, _LAST)
    if _size(shorter) > most:
        shorter = _without_oldest(shorter, most)
    for longest in _STEPS:
        if _size(shorter) <= most:
            return shorter
        shorter = [shorter[0], *(_mapped(message, longest, _clipped) for message in shorter[1:])]
    if _size(shorter) > most:
        raise UserError("the prompt does not fit into the window of the model; shorten it, or raise `window`")
    return shorter


def _dropped(messages: list[ModelMessage], most: int, kept: int) -> list[ModelMessage]:
    """Without the oldest large results and arguments, but for the last `kept` messages."""
    shorter, size = list(messages), _size(messages)
    for index, message in enumerate(messages[:-kept]):
        if size <= most // 2:
            break
        shorter[index] = _mapped(message, _LARGE, lambda *_: _DROPPED)
        size -= _size([message]) - _size([shorter[index]])
    return shorter


def _without_oldest(messages: list[ModelMessage], most: int) -> list[ModelMessage]:
    """The first message, what was said last of those left out, and as many of the last steps as fit into half."""
    starts = [index for index, message in enumerate(messages) if index and isinstance(message, ModelResponse)]
    if not starts:
        return messages
    start = next((index for index in starts if _size(messages[index:]) <= most // 2), starts[-1])
    said_since = [part for message in messages[1:start] for part in message.parts if isinstance(part, UserPromptPart)]
    first: Any = messages[0]
    parts = [part for part in first.parts if said(part) != _GONE]
    return [replace(first, parts=[*parts, *said_since[-1:], UserPromptPart(_GONE)]), *messages[start:]]


def _mapped(message: Any, longest: int, shorter: Callable[[str, int], str]) -> ModelMessage:
    """The message with each text that is longer made shorter: of results, of arguments, and of words."""
    parts = [_shortened(part, longest, shorter) for part in message.parts]
    changed: ModelMessage = message if parts == list(message.parts) else replace(message, parts=parts)
    return changed


def _shortened(part: Any, longest: int, shorter: Callable[[str, int], str]) -> Any:
    if isinstance(part, ToolCallPart):
        arguments = part.args_as_dict(raise_if_invalid=False)
        less = {key: shorter(text, longest) if _long(text, longest) else text for key, text in arguments.items()}
        return part if less == arguments else replace(part, args=json.dumps(less))
    words = (TextPart, UserPromptPart) if shorter is _clipped else ()
    if isinstance(part, (ToolReturnPart, RetryPromptPart, *words)) and _long(said(part), longest):
        changed: Any = part
        return replace(changed, content=shorter(said(part), longest))
    return part


def _long(text: object, longest: int) -> bool:
    return isinstance(text, str) and _bytes(text) > longest


def _clipped(text: str, longest: int) -> str:
    """Head and tail."""
    half = max(1, longest // 8)  # characters of four bytes at most
    return f"{text[:half]}\n... {len(text) - 2 * half} characters left out ...\n{text[-half:]}"


def _size(messages: Sequence[ModelMessage]) -> int:
    return sum(_weight(part) for message in messages for part in message.parts)


def _weight(part: Any) -> int:
    return _bytes(part.args_as_json_str() if isinstance(part, ToolCallPart) else said(part))


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
