"""A server on loopback that plays a language model from a script, for real clients without a key or a network.

Usage: `python -m greylag.testing.model_server SCRIPT.json [--port N] [--log REQUESTS.jsonl]`, or `serve(steps)`.

A script is a JSON list of steps; each answers one request, in order:

    [{"text": "I edit the file.", "tools": [{"name": "Edit", "input": {"file_path": "a.py", "...": "..."}}]},
     {"status": 429, "headers": {"retry-after": "1"}},
     {"raw": "nonsense in place of an answer"},
     {"hang": true},
     {"text": "This breaks off", "cut": 0.5},
     {"lost": true},
     {"text": "Done.", "usage": {"input_tokens": 1000, "output_tokens": 50}}]

Tools are called by the names that the client gives them; where an API keeps those of MCP servers apart, the name
`mcp__SERVER__TOOL` is split, so that one script fits several clients. Text as `input` calls a tool of free form.

A request without tools and without a schema for its answer (a client's side question, such as a title) gets a fixed
answer and takes no step. A request after the last step is an error of the request, so that a client ends at once.
"""

import argparse
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from greylag.testing._model_formats import FORMATS, USAGE, Format


@dataclass(frozen=True, slots=True)
class Step:
    """One answer: words and calls of tools, an error `status`, `raw` bytes, or none until the server ends (`hang`).

    `cut` is the part of it after which the connection is closed: 0 closes it without a byte. `lost` ends the server:
    nothing is answered, and every later connection is refused.
    """

    text: str = ""
    tools: tuple[Mapping[str, Any], ...] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: str | None = None
    hang: bool = False
    cut: float | None = None
    lost: bool = False
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
        """Whether the model may call tools, or must answer by a schema: a request without either is a client's side
        question.
        """
        forms = (self.body.get("response_format"), *(_part(self.body, name) for name in ("output_config", "text")))
        if any(isinstance(form, dict) and form.get("type") == "json_schema" for form in forms):
            return True
        items = self.body.get("input")
        kinds = [item.get("type") for item in items if isinstance(item, dict)] if isinstance(items, list) else []
        return bool(self.body.get("tools")) or "additional_tools" in kinds


def _part(body: Mapping[str, Any], name: str) -> object:
    part = body.get(name)
    return part.get("format") if isinstance(part, dict) else None


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back. Of the body only `sent` bytes arrive."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    sent: int


class Model:
    """A script that is played, and the requests so far.

    `hanging` is set while a request waits for the end, `lost` once the server does not answer any more.
    """

    def __init__(self, steps: Sequence[Step], log: Path | None = None) -> None:
        self.requests: list[Request] = []
        self.url = ""
        self.hanging, self.closing, self.lost = threading.Event(), threading.Event(), threading.Event()
        self._steps, self._log, self._lock = list(steps), log, threading.Lock()

    @property
    def left(self) -> int:
        """Steps that were not played."""
        return len(self._steps)

    @property
    def questions(self) -> list[Request]:
        """The requests that carried tools: those of the conversation itself."""
        return [request for request in self.requests if request.has_tools]

    def answer(self, request: Request) -> Answer | None:
        """What the script has for it; None where the connection ends without a word."""
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
        if step.lost:
            self.lost.set()
        return None if step.lost or step.cut == 0 else _answer(step, request, form)


def _answer(step: Step, request: Request, form: Format) -> Answer:
    if step.status != 200:
        return _failed(step.status, f"scripted status {step.status}", step.headers)
    kind, body = ("text/event-stream", step.raw.encode()) if step.raw is not None else form(step, request.body)
    return Answer(200, {"content-type": kind, **step.headers}, body, int(len(body) * (step.cut or 1)))


def _failed(status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    kinds = {401: "authentication_error", 429: "rate_limit_error", 529: "overloaded_error"}
    error = {"type": kinds.get(status, "invalid_request_error"), "message": message}
    body = json.dumps({"type": "error", "error": error}).encode()
    return Answer(status, {"content-type": "application/json", **(headers or {})}, body, len(body))


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

    def handle(self) -> None:
        with suppress(ConnectionError):  # a client that was killed
            super().handle()

    def do_GET(self) -> None:
        self._answer(b"{}")

    def do_HEAD(self) -> None:
        self._answer(b"{}")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("content-length", "0"))))

    def _answer(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, _object(body))
        answer = None if self.model.lost.is_set() else self.model.answer(request)
        if self.model.lost.is_set():
            self.server.shutdown()
            self.server.server_close()
        if answer is None:
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.close_connection = self.close_connection or answer.sent < len(answer.body)
        self.wfile.write(b"" if self.command == "HEAD" else answer.body[: answer.sent])

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
