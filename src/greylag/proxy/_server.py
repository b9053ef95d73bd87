"""One connection to the proxy: what a client of a sandbox sends, and what it gets."""

import json
import socket
import socketserver
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol

BILLED = {"/v1/messages": "anthropic", "/v1/responses": "openai", "/v1/chat/completions": "openai"}
_FREE = {("POST", "/v1/messages/count_tokens"), ("GET", "/v1/models")}
BODY = 64 << 20  # bytes of one request, and of one answer that is not streamed
_LINGER, _LINGERED = 2.0, 1000  # seconds of silence and pieces that are read after a refusal
_CONNECTIONS = 64
STOP = {"x-should-retry": "false"}


class Forwards(Protocol):
    """Where requests are sent on."""

    def forward(self, request: "Request", reply: "Reply") -> None:
        """Send one on and stream its answer back. Raises `OSError` when the client hangs up."""
        ...


class Server(socketserver.ThreadingUnixStreamServer):
    """A thread per connection; a sandbox that opens too many of them is hung up on."""

    daemon_threads = True
    request_queue_size = _CONNECTIONS

    def __init__(self, path: str, handler: type["Handler"]) -> None:
        self._live: set[Any] = set()
        super().__init__(path, handler)

    def verify_request(self, request: Any, _client: Any) -> bool:
        if len(self._live) >= _CONNECTIONS:
            return False
        self._live.add(request)
        return True

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self._live.discard(request)

    def handleerror(self, _request: Any, _client: Any) -> None:
        """A connection that broke while its request was read; bugs of ours go on to the thread's hook."""
        broken = sys.exception()
        if broken is not None and not isinstance(broken, OSError):
            raise broken


@dataclass(frozen=True, slots=True)
class Request:
    """A request of the client; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def api(self) -> str:
        """`anthropic` or `openai`: decides how the key is sent and how usage is read."""
        return BILLED.get(self.path, "anthropic" if "anthropic-version" in self.headers else "openai")


class Reply:
    """The answer to the client, on a connection of its own thread."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self._handler, self._started = handler, False

    def whole(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """An answer that is there in full."""
        self._head(status, {"content-type": "application/json"} | dict(headers) | {"content-length": str(len(body))})
        self._handler.wfile.write(body)

    def start(self, status: int, headers: Mapping[str, str]) -> None:
        """An answer of unknown length, sent on piece by piece."""
        self._head(status, dict(headers) | {"transfer-encoding": "chunked"})

    def send(self, chunk: bytes) -> None:
        """A piece."""
        self._handler.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))

    def end(self) -> None:
        """The end of the pieces."""
        self._handler.wfile.write(b"0\r\n\r\n")

    def broken(self) -> None:
        """Nothing more comes: an error when nothing was sent yet, else the connection ends in the middle."""
        if not self._started:
            self.whole(502, {}, told("the LLM cannot be reached"))
        self._handler.close_connection = True

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self._started = True
        self._handler.send_response_only(status)
        for name, value in headers.items():
            self._handler.send_header(name, value)
        self._handler.end_headers()


class Handler(BaseHTTPRequestHandler):
    """Takes requests for the paths of LLM APIs, of moderate length."""

    proxy: Forwards
    protocol_version = "HTTP/1.1"
    timeout = 600.0

    def do_GET(self) -> None:
        """Models."""
        self._forward()

    def do_POST(self) -> None:
        """Questions."""
        self._forward()

    def _forward(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > BODY or "transfer-encoding" in headers:
            self.close_connection = True
            Reply(self).whole(413, {}, told("requests need a length, and a moderate one"))
            self._linger()
            return
        request = Request(self.command, self.path, headers, self.rfile.read(int(length)))
        if (request.method, request.path) not in _FREE | {("POST", path) for path in BILLED}:
            Reply(self).whole(404, STOP, told("only the paths of LLM APIs lead on from here"))
            return
        try:
            self.proxy.forward(request, Reply(self))
        except OSError:  # the client hung up; its request was counted
            self.close_connection = True

    def _linger(self) -> None:
        """Let a client that is still sending go on for a moment: it reads the answer only afterwards."""
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(_LINGER)
        for _ in range(_LINGERED):
            if not self.rfile.read1():
                return

    def log_message(self, *_args: object) -> None:
        """Nothing: what a sandbox asks for must not reach the terminal."""

    def address_string(self) -> str:
        """For logs that are not kept."""
        return "sandbox"


def told(text: str) -> bytes:
    """An error that clients of all APIs understand."""
    return json.dumps(
        {"type": "error", "error": {"type": "invalid_request_error", "message": f"greylag: {text}"}}
    ).encode()
