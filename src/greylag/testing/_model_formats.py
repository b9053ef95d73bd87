"""The words of a played model in the formats of the APIs: each makes a content type and a body out of a step."""

import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from greylag.testing.model_server import Step

USAGE = {"input_tokens": 1000, "output_tokens": 50}
Format = Callable[["Step", Mapping[str, Any]], tuple[str, bytes]]


def _messages(step: "Step", body: Mapping[str, Any]) -> tuple[str, bytes]:
    """Anthropic Messages, streamed when asked."""
    blocks: list[dict[str, Any]] = [{"type": "text", "text": step.text}] if step.text else []
    blocks += [{"type": "tool_use", "id": f"toolu_{secrets.token_hex(8)}", **tool} for tool in step.tools]
    message = {
        "id": f"msg_{secrets.token_hex(8)}", "type": "message", "role": "assistant",
        "model": body.get("model", "model"),
        "content": blocks, "stop_reason": "tool_use" if step.tools else "end_turn", "stop_sequence": None,
        "usage": dict(step.usage),
    }  # fmt: skip
    if not body.get("stream"):
        return "application/json", json.dumps(message).encode()
    return _stream(_events(message))


def _events(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    usage = {**message["usage"], "output_tokens": 1}
    yield {"type": "message_start", "message": {**message, "content": [], "stop_reason": None, "usage": usage}}
    for index, block in enumerate(message["content"]):
        if block["type"] == "text":
            start, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            start = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        yield {"type": "content_block_start", "index": index, "content_block": start}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    end = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": end, "usage": {"output_tokens": message["usage"]["output_tokens"]}}
    yield {"type": "message_stop"}


def _responses(step: "Step", body: Mapping[str, Any]) -> tuple[str, bytes]:
    """OpenAI Responses, streamed when asked."""
    items: list[dict[str, Any]] = []
    if step.text:
        content = [{"type": "output_text", "text": step.text, "annotations": []}]
        items.append({"id": f"msg_{secrets.token_hex(8)}", "type": "message", "role": "assistant", "content": content})
    items += [_call(tool) for tool in step.tools]
    usage = {**step.usage, "total_tokens": sum(step.usage.get(key, 0) for key in USAGE)}
    response = {
        "id": f"resp_{secrets.token_hex(8)}", "object": "response", "status": "completed",
        "model": body.get("model", "model"), "output": items, "usage": usage,
    }  # fmt: skip
    if not body.get("stream"):
        return "application/json", json.dumps(response).encode()
    started = {**response, "status": "in_progress", "output": [], "usage": None}
    events: list[dict[str, Any]] = [{"type": "response.created", "response": started}]
    for index, item in enumerate(items):
        events += [
            {"type": f"response.output_item.{verb}", "output_index": index, "item": item} for verb in ("added", "done")
        ]
    return _stream([*events, {"type": "response.completed", "response": response}])


def _call(tool: Mapping[str, Any]) -> dict[str, Any]:
    """A call of a tool: `mcp__SERVER__TOOL` is one of an MCP server, text in place of an object one of free form."""
    call, name = {"call_id": f"call_{secrets.token_hex(8)}"}, tool["name"]
    if isinstance(tool["input"], str):
        return {"type": "custom_tool_call", **call, "name": name, "input": tool["input"]}
    space, _, bare = name.rpartition("__") if name.startswith("mcp__") else ("", "", name)
    return {
        "type": "function_call", **call, **({"namespace": space} if space else {}), "name": bare,
        "arguments": json.dumps(tool["input"]),
    }  # fmt: skip


def _completions(step: "Step", body: Mapping[str, Any]) -> tuple[str, bytes]:
    """OpenAI Chat Completions, streamed when asked: greylag's own agent and its judge ask for whole answers."""
    calls = [
        {"id": f"call_{secrets.token_hex(8)}", "type": "function",
         "function": {"name": tool["name"], "arguments": json.dumps(tool["input"])}}
        for tool in step.tools
    ]  # fmt: skip
    message = {"role": "assistant", "content": step.text or None, **({"tool_calls": calls} if calls else {})}
    tokens = [step.usage.get(key, 0) for key in USAGE]
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
    why = "tool_calls" if calls else "stop"
    head = {"id": f"chatcmpl-{secrets.token_hex(8)}", "created": 0, "model": body.get("model", "model")}
    if body.get("stream"):
        return _stream(_chunks({**head, "object": "chat.completion.chunk"}, message, why, usage))
    choice = {"index": 0, "message": message, "finish_reason": why}
    completion = {**head, "object": "chat.completion", "choices": [choice], "usage": usage}
    return "application/json", json.dumps(completion).encode()


def _chunks(
    head: Mapping[str, Any], message: Mapping[str, Any], why: str, usage: Mapping[str, int]
) -> Iterator[dict[str, Any] | None]:
    """A completion in pieces: the words, each call by itself, why it ends, and what it took."""
    calls = [{"index": index, **call} for index, call in enumerate(message.get("tool_calls", ()))]
    words = {"role": "assistant", "content": message["content"] or ""}
    for delta in (words, *({"tool_calls": [call]} for call in calls)):
        yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": why}]}
    yield {**head, "choices": [], "usage": usage}
    yield None


def _stream(events: Iterable[Mapping[str, Any] | None]) -> tuple[str, bytes]:
    """Server-sent events, named where they have a type; None is the mark that ends a stream of Chat Completions."""
    lines = (_event(event) if event is not None else "data: [DONE]\n\n" for event in events)
    return "text/event-stream", "".join(lines).encode()


def _event(event: Mapping[str, Any]) -> str:
    name = f"event: {event['type']}\n" if "type" in event else ""
    return f"{name}data: {json.dumps(event)}\n\n"


FORMATS: dict[str, Format] = {
    "/v1/messages": _messages,
    "/v1/responses": _responses,
    "/v1/chat/completions": _completions,
}
