"""What an answer of a language model may look like, before an SDK sees it.

The SDKs check next to nothing and stumble over what they do not expect. So an answer is read whole, checked against the
grammar below and reduced to it; whatever else is in it was not asked for. Formats: Anthropic Messages (one object, or
server-sent events) and OpenAI Chat Completions (one object).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from greylag.llm.shapes import (
    Block,
    BlockDelta,
    BlockStart,
    BlockStop,
    Call,
    Completion,
    Event,
    Frame,
    Message,
    MessageStop,
    Start,
)

_EVENTS = {
    *("message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta"),
    "message_stop",
}  # others may be added by the API at any time, and are passed over
_OF = {"text_delta": "text", "input_json_delta": "tool_use"}  # the others are of thinking
_FINISHES = {"stop", "length", "tool_calls", "content_filter", "function_call"}


def refined(provider: str, asked: bytes, body: bytes) -> tuple[str, bytes]:
    """Content type and text of an answer to the request `asked`, reduced to the grammar of `provider`.

    Raises `ValueError`, which says where the answer is none.
    """
    streamed = bool(_object(asked).get("stream"))
    try:
        if provider == "openai":
            return "application/json", _text(_completion(_object(body), _object(asked)))
        if streamed:
            return "text/event-stream", b"".join(map(_sent, _events(body)))
        return "application/json", _text(_dump(Message.model_validate(_object(body))))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ValueError(f"{where}: {first['msg']}") from None
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _completion(data: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """With the little that the SDK insists on and many servers leave out."""
    found = Completion.model_validate(data)
    dumped = {"object": "chat.completion", "created": 0, **_dump(found)}
    dumped |= {"id": found.id or "none", "model": found.model or asked.get("model")}
    for choice in dumped["choices"]:
        if choice.get("finish_reason") not in _FINISHES:  # servers make up others
            choice["finish_reason"] = None
    if found.usage is not None:
        dumped["usage"]["total_tokens"] = found.usage.prompt_tokens + found.usage.completion_tokens
    return dumped


def _events(body: bytes) -> Iterator[Mapping[str, Any]]:
    """The events of a stream up to its end, in an order that makes one message.

    Format: docs.anthropic.com, streaming messages.
    """
    blocks: dict[int, _Open] = {}
    begun = False
    for data in _sent_events(body):
        if data.get("type") == "error":
            raise ValueError(f"the stream ends with an error: {_words(data)}")
        if str(data.get("type")) not in _EVENTS:
            continue
        event = Frame.model_validate({"event": data}).event
        if begun is isinstance(event, Start):
            raise ValueError(f"{event.type} out of order")
        begun = True
        _follow(blocks, event)
        yield _dump(event)
        if isinstance(event, MessageStop):
            return  # whatever a gateway says after it
    raise ValueError("the stream breaks off")


@dataclass(slots=True)
class _Open:
    """A block that was begun, and the pieces of a call's input."""

    block: Block
    pieces: str = ""


def _follow(blocks: dict[int, _Open], event: Event) -> None:
    """Pieces must fit a block that was begun; the input of a call comes whole or in pieces."""
    if isinstance(event, BlockStart):
        blocks[event.index] = _Open(event.content_block)
    elif isinstance(event, BlockDelta):
        at = blocks.get(event.index)
        if at is None or at.block.type != _OF.get(event.delta.type, "thinking"):
            raise ValueError(f"{event.delta.type} without its block")
        if isinstance(at.block, Call) and at.block.input:
            raise ValueError("the input of a call comes twice")
        at.pieces += getattr(event.delta, "partial_json", "")
    elif isinstance(event, BlockStop):
        if (ended := blocks.pop(event.index, None)) is None:
            raise ValueError("a block ends that was not begun")
        _finite(ended.pieces)
    elif isinstance(event, MessageStop) and blocks:
        raise ValueError("a block does not end")


def _finite(text: str) -> None:
    """Raises `ValueError` for numbers that cannot be sent back; what else is wrong with a call is told to the model."""
    try:
        found = json.loads(text)
    except ValueError:
        return
    json.dumps(found, allow_nan=False)


def _sent_events(body: bytes) -> Iterator[Mapping[str, Any]]:
    """Data of server-sent events, one object each. Names of events repeat the objects' types."""
    for frame in body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n\n"):
        lines = [line.removeprefix(b"data:") for line in frame.split(b"\n") if line.startswith(b"data:")]
        if lines:
            yield _object(b"\n".join(lines))


def _sent(event: Mapping[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (str(event["type"]).encode(), _text(event))


def _words(error: Mapping[str, Any]) -> str:
    inner = error.get("error")
    return str(inner.get("message") if isinstance(inner, dict) else inner)[:300]


def _dump(part: BaseModel) -> dict[str, Any]:
    return part.model_dump(exclude_none=True)


def _object(text: bytes) -> Mapping[str, Any]:
    """One JSON object. Raises `ValueError`, also for what JSON does not have, such as NaN."""
    data = json.loads(text, parse_constant=_constant)
    if not isinstance(data, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - it is untrusted text, not a wrong type in our code
    return data


def _constant(name: str) -> Sequence[str]:
    raise ValueError(f"JSON has no {name}")


def _text(data: Mapping[str, Any]) -> bytes:
    """Raises `ValueError` for halves of characters and for infinite numbers, which could not be sent back."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False).encode("utf-8")
