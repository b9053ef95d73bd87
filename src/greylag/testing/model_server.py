"""A server on loopback that plays a language model from a script, for real clients without a key or a network.

Usage: `python -m greylag.testing.model_server SCRIPT.json [--port N] [--log REQUESTS.jsonl]`, or `serve(steps)`.

A script is a JSON list of steps; each answers one request, in order:

    [{"text": "I edit the file.", "tools": [{"name": "Edit", "input": {"file_path": "a.py", "...": "..."}}]},
     {"status": 529},
     {"raw": "nonsense in place of an answer"},
     {"hang": true},
     {"text": "Done.", "usage": {"input_tokens": 1000, "output_tokens": 50}}]

Tools are called by the names that the client gives them; where an API keeps those of MCP servers apart, the name
`mcp__SERVER__TOOL` is split, so that one script fits several clients. Text as `input` calls a tool of free form.

A request without tools (a client's side question, such as a title) gets a fixed answer and takes no step. A request
after the last step is an error of the request, so that a client ends at once.
"""

import argparse
import json
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

USAGE = {"input_tokens": 1000, "output_tokens": 50}


@dataclass(frozen=True, slots=True)
class Step:
    """One answer: words and calls of tools, an error `status`, `raw` bytes, or none until the server ends (`hang`)."""

    text: str = ""
    tools: tuple[Mapping[str, Any], ...] = ()
    status: int = 200
    raw: str | None = None
    hang: bool = False
    usage: Mapping[str, int] = field(default_factory=lambda: USAGE)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Step":
        """From an object of a script. Raises `TypeError` for unknown keys."""
        return cls(**{**data, "tools": tuple(data.get("tools", ()))})


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def text(self) -> str:
        """All of the body, to look for words in."""
        return json.dumps(self.body, ensure_ascii=False)

    @property
    def has_tools(self) -> bool:
        """Whether the model may call tools: a request without any is a client's side question."""
        items = self.body.get("input")
        kinds = [item.get("type") for item in items if isinstance(item, dict)] if isinstance(items, list) else []
        return bool(self.body.get("tools")) or "additional_tools" in kinds


Format = Callable[[Step, Mapping[str, Any]], tuple[str, bytes]]


class Model:
    """A script that is played, and the requests so far. `hanging` is set while a request waits for the end."""

    def __init__(self, steps: Sequence[Step], log: Path | None = None) -> None:
        self.requests: list[Request] = []
        self.url = ""
        self.hanging, self.closing = threading.Event(), threading.Event()
        self._steps, self._log, self._lock = list(steps), log, threading.Lock()

    @property
    def left(self) -> int:
        """Steps that were not played."""
        return len(self._steps)

    @property
    def questions(self) -> list[Request]:
        """The requests that carried tools: those of the conversation itself."""
        return [request for request in self.requests if request.has_tools]

    def answer(self, request: Request) -> tuple[int, str, bytes]:
        """Status, content type and body."""
        with self._lock:
            self.requests.append(request)
            if self._log is not None:
                with self._log.open("a", encoding="utf-8") as log:
                    log.write(json.dumps({"path": request.path, "body": request.body}) + "\n")
            form = FORMATS.get(request.path.partition("?")[0])
            if form is None or request.method != "POST":
                return _failed(404, "this server plays " + ", ".join(FORMATS))
            step = Step("Title") if not request.has_tools else self._steps.pop(0) if self._steps else None
        if step is None:
            return _failed(400, "the script has no more steps")
        if step.hang:
            self.hanging.set()
            self.closing.wait()
        if step.status != 200:
            return _failed(step.status, f"scripted status {step.status}")
        if step.raw is not None:
            return 200, "text/event-stream", step.raw.encode()
        return 200, *form(step, request.body)


def _failed(status: int, message: str) -> tuple[int, str, bytes]:
    kind = {401: "authentication_error", 529: "overloaded_error"}.get(status, "invalid_request_error")
    body = {"type": "error", "error": {"type": kind, "message": message}}
    return status, "application/json", json.dumps(body).encode()


# -- formats ---------------------------------------------------------------------------------------------------------


def _messages(step: Step, body: Mapping[str, Any]) -> tuple[str, bytes]:
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


def _responses(step: Step, body: Mapping[str, Any]) -> tuple[str, bytes]:
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


def _completions(step: Step, body: Mapping[str, Any]) -> tuple[str, bytes]:
    """OpenAI Chat Completions, not streamed: greylag's own agent and its judge ask for whole answers."""
    calls = [
        {"id": f"call_{secrets.token_hex(8)}", "type": "function",
         "function": {"name": tool["name"], "arguments": json.dumps(tool["input"])}}
        for tool in step.tools
    ]  # fmt: skip
    message = {"role": "assistant", "content": step.text or None, **({"tool_calls": calls} if calls else {})}
    tokens = [step.usage.get(key, 0) for key in USAGE]
    completion = {
        "id": f"chatcmpl-{secrets.token_hex(8)}", "object": "chat.completion", "created": 0,
        "model": body.get("model", "model"),
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}],
        "usage": {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)},
    }  # fmt: skip
    return "application/json", json.dumps(completion).encode()


def _stream(events: Iterable[Mapping[str, Any]]) -> tuple[str, bytes]:
    """Server-sent events."""
    lines = (f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    return "text/event-stream", "".join(lines).encode()


FORMATS: dict[str, Format] = {
    "/v1/messages": _messages,
    "/v1/responses": _responses,
    "/v1/chat/completions": _completions,
}


# -- server ----------------------------------------------------------------------------------------------------------


@contextmanager
def serve(steps: Sequence[Step | Mapping[str, Any]], *, port: int = 0, log: Path | None = None) -> Iterator[Model]:
    """Play the steps on 127.0.0.1 as long as the context lasts; `Model.url` is the base address."""
    model = Model([step if isinstance(step, Step) else Step.of(step) for step in steps], log)
    handler = type("Handler", (_Handler,), {"model": model})
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        server.daemon_threads = True
        model.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="model", daemon=True)
        thread.start()
        try:
            yield model
        finally:
            model.closing.set()
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    model: Model
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(b"{}")

    def do_HEAD(self) -> None:
        self._answer(b"{}")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("content-length", "0"))))

    def _answer(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, kind, answer = self.model.answer(Request(self.command, self.path, headers, _object(body)))
        self.send_response_only(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(b"" if self.command == "HEAD" else answer)

    def log_message(self, *_args: object) -> None:
        """Nothing: requests are in `Model.requests`."""


def _object(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def main() -> None:
    """Serve a script until interrupted; prints the address."""
    parser = argparse.ArgumentParser(description="Play a language model from a script, on loopback.")
    parser.add_argument("script", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path, help="append all requests to this file, one JSON object a line")
    args = parser.parse_args()
    with serve(json.loads(args.script.read_text("utf-8")), port=args.port, log=args.log) as model:
        print(model.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
