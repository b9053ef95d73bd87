"""How `verify` crosses the wall: the tool and the stop gate, on unix sockets that are bound into the agent's sandbox.

On this side stand the official MCP SDK and the verifiers; on the other side a relay of a few standard-library lines.
Both are conveniences that keep a session warm: the gate decides after every session, whatever was said here.
"""

import asyncio
import json
import logging
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AsyncExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from greylag import __version__
from greylag.directories import for_sockets
from greylag.endings import declined
from greylag.model import Event
from greylag.protocols import Observe, ReadLog, Verify, no_log
from greylag.report import Report

if TYPE_CHECKING:  # importing the SDK takes a second, which a run without an agent need not pay
    from anyio.abc import SocketStream
    from mcp.server.lowlevel import Server

TOOL, STOP = "verify", "stop"
DESCRIPTION = (
    "Check the working tree as it is now. Answers with what failed and where, or that it passed. "
    "May take minutes. Call it without arguments after each self-contained change and before you finish. "
    "With `log`, one that an answer has named, it checks nothing and shows that log, a `page` at a time, "
    "or the lines around the text in `search`."
)
_SCHEMA = {
    "type": "object",
    "properties": {
        "log": {"type": "string", "description": "id of a log, as an answer names it"},
        "page": {"type": "integer", "minimum": 1},
        "search": {"type": "string", "description": "text to look for in the log"},
    },
    "additionalProperties": False,
}
UNAVAILABLE = (
    "The checks cannot be run at the moment, for a reason that has nothing to do with your change. "
    "Finish your work without them; they are run afterwards."
)
_CALLS = 4  # at a time; verification itself is one at a time
_CONNECTIONS = 32
_LINE = 1 << 20  # bytes of one message from the sandbox
_PULSE = 10.0  # seconds between signs of life, well below what clients give a silent tool
T = TypeVar("T")


class Gate:
    """Verification as one session meets it: counts it, caps the blocks, and keeps for the runner what went wrong."""

    def __init__(self, verify: Verify, observe: Observe, max_blocks: int = 3, log: ReadLog = no_log) -> None:
        self.verifications = 0
        self.blocks = 0
        self.announced = False  # somebody has asked for the list of tools
        self.error: BaseException | None = None
        self._verify, self._observe, self._max_blocks, self.log = verify, observe, max_blocks, log
        self._lock = threading.Lock()

    def check(self) -> str:
        """The answer of the tool `verify`: the report, or a neutral sentence when there can be none."""
        self.verifications += 1
        report = self._report()
        text = UNAVAILABLE if report is None else report.render()
        self._tell("agent.verify", "verify: unavailable" if report is None else _verdict(report))
        return text

    def announce(self) -> None:
        """Somebody has been told that there is a tool `verify`."""
        self.announced = True

    def stop(self, payload: Mapping[str, Any]) -> dict[str, str]:
        """Answer to a stop hook: `{}` lets the agent end, `{"decision": "block", "reason": ...}` does not.

        Only a failure that the agent can repair blocks, at most `max_blocks` times; and none that it declined.
        """
        if self.blocks >= self._max_blocks or declined(str(payload.get("last_assistant_message") or "")) is not None:
            return {}
        report = self._report()
        if report is None or not report.failed:
            return {}
        self.blocks += 1
        self._tell("agent.blocked", f"stop gate: sent back ({self.blocks} of {self._max_blocks})", blocks=self.blocks)
        return {"decision": "block", "reason": report.render()}

    def wait(self) -> None:
        """Return when no verification is under way."""
        with self._lock:
            return

    def settle(self) -> None:
        """Raise what verification raised, if it did."""
        self.wait()
        if self.error is not None:
            raise self.error

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        """Carry any error over to the runner's thread: the agent's answer is a neutral sentence even for our bugs."""
        self.error = self.error or error
        self._lock.release()
        return True

    def _report(self) -> Report | None:
        with self:
            return self._verify() if self.error is None else None
        return None

    def _tell(self, kind: str, text: str, **data: Any) -> None:
        self._observe(Event(kind, text, datetime.now(UTC), data))


def _verdict(report: Report) -> str:
    failed = ", ".join(verdict.id for verdict in report.failed)
    return "verify: passed" if report.passed else f"verify: failed ({failed})" if failed else "verify: not verified"


@contextmanager
def sockets(gate: Gate, parent: Path) -> Iterator[Mapping[str, Path]]:
    """Serve the gate on two unix sockets, `verify` (MCP, as over stdio) and `stop` (hook JSON in, JSON out).

    They are in a directory of their own below `parent`. A normal end waits for a verification under way; an exception
    does not.
    """
    from anyio.from_thread import start_blocking_portal  # noqa: PLC0415  -- see TYPE_CHECKING above

    logging.getLogger("mcp").addHandler(logging.NullHandler())  # a peer's nonsense must not reach the terminal
    with for_sockets(parent) as (directory, short), start_blocking_portal() as portal:
        listening, _ = portal.start_task(_listen, gate, short)
        try:
            yield {name: directory / name for name in (TOOL, STOP)}
            gate.wait()
        finally:
            listening.cancel()


async def _listen(gate: Gate, directory: Path, *, task_status: Any) -> None:
    import anyio  # noqa: PLC0415

    server, places = tool_server(gate.check, gate.log, gate.announce), anyio.Semaphore(_CONNECTIONS)

    async def tool(stream: "SocketStream") -> None:
        await _bounded(places, stream, lambda: serve_stream(server, _Wire(stream)))

    async def stop(stream: "SocketStream") -> None:
        await _bounded(places, stream, lambda: _answer_hook(gate, stream))

    async with AsyncExitStack() as stack, anyio.create_task_group() as group:
        for name, handler in ((TOOL, tool), (STOP, stop)):
            # Any mode will do: the directory is ours alone, and a sandbox that gets the socket may be another uid.
            listener = await anyio.create_unix_listener(directory / name, mode=0o666)
            group.start_soon((await stack.enter_async_context(listener)).serve, handler)
        task_status.started()


async def _bounded(places: Any, stream: "SocketStream", serve: Callable[[], Any]) -> None:
    """Serve one connection; a sandbox that opens too many of them is hung up on."""
    import anyio  # noqa: PLC0415

    async with stream:
        with suppress(anyio.WouldBlock, anyio.BrokenResourceError, anyio.EndOfStream):
            places.acquire_nowait()
            try:
                await serve()
            finally:
                places.release()


async def _answer_hook(gate: Gate, stream: "SocketStream") -> None:
    text = b""
    async for chunk in stream:
        text += chunk
        if len(text) > _LINE:
            return
    await stream.send(json.dumps(await _in_thread(lambda: gate.stop(_payload(text)))).encode())


def _payload(text: bytes) -> Mapping[str, Any]:
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}


# -- MCP -------------------------------------------------------------------------------------------------------------


def tool_server(
    check: Callable[[], str], log: ReadLog, announce: Callable[[], None] = lambda: None
) -> "Server[dict[str, Any]]":
    """An MCP server with the one tool; `announce` is called when somebody is told of it.

    The answer is plain text: clients show structured content to models as JSON.
    """
    import anyio  # noqa: PLC0415
    import mcp_types as types  # noqa: PLC0415
    from mcp.server.context import ServerRequestContext  # noqa: PLC0415
    from mcp.server.lowlevel import Server  # noqa: PLC0415

    calls = anyio.Semaphore(_CALLS)
    hints = types.ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
    tool = types.Tool(name=TOOL, description=DESCRIPTION, input_schema=_SCHEMA, annotations=hints)

    async def tools(_context: ServerRequestContext[Any], _params: Any) -> types.ListToolsResult:
        announce()
        return types.ListToolsResult(tools=[tool])

    async def call(context: ServerRequestContext[Any], params: types.CallToolRequestParams) -> types.CallToolResult:
        if params.name != TOOL:
            text = f"There is no tool {params.name!r}; the only one is `{TOOL}`."
            return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=True)
        async with calls, anyio.create_task_group() as group:
            group.start_soon(_pulse, context)
            text = await _in_thread(lambda: _answer(params.arguments or {}, check, log))
            group.cancel_scope.cancel()
        return types.CallToolResult(content=[types.TextContent(type="text", text=text)])

    return Server("greylag", version=__version__, instructions=DESCRIPTION, on_list_tools=tools, on_call_tool=call)


def _answer(arguments: Mapping[str, Any], check: Callable[[], str], log: ReadLog) -> str:
    """What the tool says; arguments of another form than it tells are taken as what they could mean."""
    name, page, search = (arguments.get(key) for key in ("log", "page", "search"))
    if not name or not isinstance(name, str):
        return check()
    return log(name, page if isinstance(page, int) else 1, search if isinstance(search, str) else "")


async def serve_stream(server: "Server[dict[str, Any]]", wire: Any) -> None:
    """Speak MCP with one peer, one JSON message a line, until it hangs up. `wire` None: standard input and output."""
    from mcp.server.stdio import stdio_server  # noqa: PLC0415

    async with stdio_server(stdin=wire, stdout=wire) as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


async def _pulse(context: Any) -> None:
    """Signs of life for clients that asked for progress."""
    seconds = 0.0
    while True:
        await asyncio.sleep(_PULSE)
        seconds += _PULSE
        await context.session.report_progress(seconds, message=f"verifying, {seconds:.0f} s so far")


class _Wire:
    """A socket as the two text files that the SDK's stdio transport wants."""

    def __init__(self, stream: "SocketStream") -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[str]:
        from anyio import DelimiterNotFound, IncompleteRead  # noqa: PLC0415
        from anyio.streams.buffered import BufferedByteReceiveStream  # noqa: PLC0415

        buffered = BufferedByteReceiveStream(self._stream)
        with suppress(IncompleteRead, DelimiterNotFound):
            while True:
                yield (await buffered.receive_until(b"\n", _LINE)).decode("utf-8", "replace")

    async def write(self, text: str) -> None:
        await self._stream.send(text.encode())

    async def flush(self) -> None:
        """Nothing is buffered."""


async def _in_thread(function: Callable[[], T]) -> T:
    """Run blocking work in a thread that, unlike a pool's, does not keep an interrupted process alive."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()

    def work() -> None:
        try:
            future.set_result(function())
        finally:
            if not future.done():
                future.set_exception(sys.exception() or RuntimeError("no result"))

    threading.Thread(target=work, name="greylag verify", daemon=True).start()
    return await asyncio.wrap_future(future)
