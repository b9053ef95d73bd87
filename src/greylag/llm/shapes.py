"""The shapes of answers that greylag asks for: what is not named here is dropped, what is of another type is refused.

Formats: docs.anthropic.com, Messages and streaming; platform.openai.com, Chat Completions.
"""

import secrets
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

Count = Annotated[int, Field(ge=0, le=10**9)]  # tokens; more is nonsense
Name = Annotated[str, Field(min_length=1, max_length=1000)]


def _final(reason: str) -> str:
    if reason == "pause_turn":  # of tools that run on the server: the SDK would go on asking, past every limit
        raise ValueError("a pause that was not asked for")
    return reason


Reason = Annotated[Name, AfterValidator(_final)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


# -- Anthropic Messages ------------------------------------------------------------------------------------------------


class _Text(_Part):
    type: Literal["text"]
    text: str


class Call(_Part):
    """A call of a tool."""

    type: Literal["tool_use"]
    id: Name
    name: Name
    input: dict[str, Any]


class _Thinking(_Part):
    type: Literal["thinking"]
    thinking: str
    signature: str = ""


class _Redacted(_Part):
    type: Literal["redacted_thinking"]
    data: str


Block = Annotated[_Text | Call | _Thinking | _Redacted, Field(discriminator="type")]


class _Usage(_Part):
    input_tokens: Count
    output_tokens: Count
    cache_creation_input_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None


class Message(_Part):
    """A whole answer."""

    type: Literal["message"]
    id: Name
    role: Literal["assistant"]
    model: Name
    content: list[Block]
    stop_reason: Reason | None = None
    stop_sequence: str | None = None
    usage: _Usage


class Start(_Part):
    """The first event of a stream."""

    type: Literal["message_start"]
    message: Message


class BlockStart(_Part):
    """A block begins."""

    type: Literal["content_block_start"]
    index: Count
    content_block: Block


class _TextDelta(_Part):
    type: Literal["text_delta"]
    text: str


class _JsonDelta(_Part):
    type: Literal["input_json_delta"]
    partial_json: str


class _ThinkingDelta(_Part):
    type: Literal["thinking_delta"]
    thinking: str


class _SignatureDelta(_Part):
    type: Literal["signature_delta"]
    signature: str


class BlockDelta(_Part):
    """A piece of a block."""

    type: Literal["content_block_delta"]
    index: Count
    delta: Annotated[_TextDelta | _JsonDelta | _ThinkingDelta | _SignatureDelta, Field(discriminator="type")]


class BlockStop(_Part):
    """A block is complete."""

    type: Literal["content_block_stop"]
    index: Count


class _Stop(_Part):
    stop_reason: Reason | None = None
    stop_sequence: str | None = None


class _StopUsage(_Part):
    output_tokens: Count
    input_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None


class _MessageDelta(_Part):
    type: Literal["message_delta"]
    delta: _Stop
    usage: _StopUsage


class MessageStop(_Part):
    """The last event of a stream."""

    type: Literal["message_stop"]


Event = Start | BlockStart | BlockDelta | BlockStop | _MessageDelta | MessageStop


class Frame(_Part):
    """One event, told from the others by its type."""

    event: Annotated[Event, Field(discriminator="type")]


# -- OpenAI Chat Completions -------------------------------------------------------------------------------------------


class _Function(_Part):
    name: Name
    arguments: str


def _named(call: object) -> object:
    return call or f"call_{secrets.token_hex(8)}"  # some servers leave it empty


class _FunctionCall(_Part):
    id: Annotated[Name, BeforeValidator(_named)] = Field(default="", validate_default=True)
    type: Literal["function"] = "function"
    function: _Function


class _Said(_Part):
    role: Literal["assistant"] = "assistant"
    content: str | None = None
    refusal: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[_FunctionCall] | None = None


class _Choice(_Part):
    index: Count = 0
    message: _Said
    finish_reason: str | None = None


class _Cached(_Part):
    cached_tokens: Count | None = None


class _ChatUsage(_Part):
    prompt_tokens: Count
    completion_tokens: Count
    prompt_tokens_details: _Cached | None = None


class Completion(_Part):
    """A whole answer; servers of many makers leave out what they do not care for."""

    id: str | None = None
    model: Name | None = None
    choices: Annotated[list[_Choice], Field(min_length=1)]
    usage: _ChatUsage | None = None
