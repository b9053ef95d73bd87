"""Egress: an allow-listing HTTP proxy on a unix socket. It is the only way out that a sandbox has.

It speaks CONNECT, and GET or HEAD for plain `http://` addresses. The name is looked up once, here; the address that was
checked is the address that is connected to, so that a second answer of a name server changes nothing. Behind an
upstream proxy the names are looked up there, and the check of addresses is that proxy's.

An allowed host that takes uploads is a way out for whatever the sandbox can read. Therefore no secret is in a sandbox.
"""

import asyncio
import base64
import contextlib
import ipaddress
import os
import socket
import threading
from collections import Counter
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

from greylag.egress.allowlist import HOP, EgressPolicy, Refusal, RefusedError, Request, allowed_address, check, parse
from greylag.errors import InfraError, UserError
from greylag.model import Event
from greylag.protocols import Observe

_HEAD = 16 << 10  # bytes of a request's head
_CHUNK = 64 << 10
_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Egress:
    """A running proxy: `with Egress(path, policy, observe) as egress:` listens on the unix socket `path`.

    `owner` is the host uid that sandboxed commands run as; nobody else can connect. `refusals` tells what was refused,
    `asked` whether there was a request. Raises `InfraError` when the socket cannot be made, `UserError` for an upstream
    that is no `http://` address.
    """

    def __init__(self, path: Path, policy: EgressPolicy, observe: Observe, *, owner: int | None = None) -> None:
        self._path = path
        self._policy = policy
        self._observe = observe
        self._owner = owner
        self._upstream = _upstream(policy.upstream)
        self._refused: Counter[Refusal] = Counter()
        self.asked = False
        self._open = 0
        self._bytes = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        listener = _listen(self._path, self._owner)
        self._thread = threading.Thread(target=self._run, args=(listener,), name="greylag-egress", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._loop is None:
            raise InfraError("the egress proxy did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop and self._thread:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
        self._path.unlink(missing_ok=True)

    @property
    def refusals(self) -> Sequence[tuple[Refusal, int]]:
        """What was refused and how often, most often first; at most 100 different ones are told apart."""
        return self._refused.copy().most_common()

    def _run(self, listener: socket.socket) -> None:
        try:
            asyncio.run(self._serve(listener))
        finally:
            self._ready.set()

    async def _serve(self, listener: socket.socket) -> None:
        """Accepts by hand, since `asyncio.Server` loses a connection that comes in while it is closed."""
        self._loop = asyncio.get_running_loop()
        tasks: dict[asyncio.Task[None], socket.socket] = {}

        def accept() -> None:
            with contextlib.suppress(OSError):  # gone already, or no descriptors left
                connection, _ = listener.accept()
                if len(tasks) >= 2 * self._policy.connections:  # descriptors are the host's, not the sandbox's
                    connection.close()
                    return
                task = asyncio.create_task(self._connection(connection))
                tasks[task] = connection
                task.add_done_callback(tasks.pop)

        with listener:
            self._loop.add_reader(listener, accept)
            self._ready.set()
            await self._stop.wait()
            self._loop.remove_reader(listener)
            left = dict(tasks)
            while tasks:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks, timeout=0.5)
            for connection in left.values():  # a task that was cancelled before its first step has closed nothing
                connection.close()

    async def _connection(self, connection: socket.socket) -> None:
        reader, writer = await asyncio.open_unix_connection(sock=connection, limit=_HEAD)
        self._open += 1
        try:
            await self._answer(reader, writer)
        except RefusedError as refused:
            self._record(refused.refusal)
            body = f"greylag refuses {refused.refusal.host}: {refused.refusal.reason}\n".encode()
            head = f"HTTP/1.1 {refused.status}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
            writer.write(head.encode("ascii") + body)
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(self._policy.connect):
                    await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the other end went away, or was slow: an ordinary end of a connection
        finally:
            self._open -= 1
            await _close(writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(self._policy.idle):  # `wait_for` can swallow a cancellation in Python 3.11
            head = await reader.readuntil(b"\r\n\r\n")
        self.asked = True
        if self._open > self._policy.connections:  # told after the head was read: closing earlier would be a reset
            raise RefusedError("?", f"more than {self._policy.connections} connections", "503 Service Unavailable")
        request = parse(head)
        private = check(self._policy, request.host, request.port)
        outside = await self._reach(request, private=private)
        try:
            if request.method != "CONNECT":
                outside[1].write(_forwarded(request, self._upstream))
            elif self._upstream is None:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                outside[1].write(_connect(request, self._upstream))
            await self._relay((reader, writer), outside, both=request.method == "CONNECT")
        finally:
            await _close(outside[1])

    async def _reach(self, request: Request, *, private: bool) -> _Stream:
        if self._upstream is not None:
            return await self._dial(request, [(self._upstream.host, self._upstream.port)])
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._policy.connect):
                found = await loop.getaddrinfo(request.host, request.port, type=socket.SOCK_STREAM)
        except (OSError, TimeoutError) as error:
            raise RefusedError(request.target, f"the name does not resolve: {error}", "502 Bad Gateway") from error
        addresses = [str(info[4][0]) for info in found]
        good = [a for a in addresses if allowed_address(ipaddress.ip_address(a), private=private)]
        if not good:
            raise RefusedError(request.target, f"it resolves to {', '.join(addresses[:3])}, which is not public")
        return await self._dial(request, [(address, request.port) for address in good])

    async def _dial(self, request: Request, places: Sequence[tuple[str, int]]) -> _Stream:
        reason = ""
        for host, port in places[:4]:
            try:
                async with asyncio.timeout(self._policy.connect):
                    return await asyncio.open_connection(host, port)
            except (OSError, TimeoutError) as error:
                reason = str(error) or "it does not answer"
        raise RefusedError(request.target, f"cannot be reached: {reason}", "502 Bad Gateway")

    async def _relay(self, inside: _Stream, outside: _Stream, *, both: bool) -> None:
        """Bytes until the server ends, nothing moved for `idle` seconds, or the allowance is used up.

        `both` ways only in a tunnel: behind a checked GET no second request may ride along.
        """
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._policy.idle) as idle:

            async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
                while data := await source.read(_CHUNK):
                    self._bytes += len(data)
                    if self._bytes > self._policy.total:
                        self._record(Refusal("all hosts", f"more than {self._policy.total} bytes were transferred"))
                        raise ConnectionAbortedError
                    sink.write(data)
                    await sink.drain()
                    idle.reschedule(loop.time() + self._policy.idle)
                if sink.can_write_eof():
                    sink.write_eof()

            if not both:
                await pump(outside[0], inside[1])
                return
            async with asyncio.TaskGroup() as tasks:
                up = tasks.create_task(_quiet(pump(inside[0], outside[1])))
                await _quiet(pump(outside[0], inside[1]))
                up.cancel()  # what a server has ended, a client cannot go on with

    def _record(self, refusal: Refusal) -> None:
        new = refusal not in self._refused
        if new and len(self._refused) >= 100:
            return
        self._refused[refusal] += 1
        if new:
            text = f"network: {refusal.host} refused: {refusal.reason}"
            data = {"host": refusal.host, "reason": refusal.reason}
            self._observe(Event("egress.refused", text, datetime.now(UTC), data))


# -- pieces ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Upstream:
    host: str
    port: int
    authorization: str = ""


def _upstream(url: str | None) -> _Upstream | None:
    if not url:
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 3128
    except ValueError:
        host, port = None, 0
    if host is None or parts.scheme != "http":
        raise UserError("the upstream proxy must be written as http://HOST:PORT")
    if parts.username is None:
        return _Upstream(host, port)
    token = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return _Upstream(host, port, f"proxy-authorization: Basic {base64.b64encode(token).decode('ascii')}\r\n")


def _connect(request: Request, upstream: _Upstream) -> bytes:
    return f"CONNECT {request.target} HTTP/1.1\r\nhost: {request.target}\r\n{upstream.authorization}\r\n".encode(
        "ascii"
    )


def _forwarded(request: Request, upstream: _Upstream | None) -> bytes:
    """GET or HEAD in the form that the next hop expects, one request per connection."""
    host = request.host if request.port == 80 else request.target
    target = f"http://{host}{request.path}" if upstream else request.path
    lines = [f"{request.method} {target} HTTP/1.1", f"host: {host}", "connection: close"]
    lines += [f"{name}: {value}" for name, value in request.headers if name and name not in HOP]
    return ("\r\n".join(lines) + "\r\n" + (upstream.authorization if upstream else "") + "\r\n").encode("ascii")


def _listen(path: Path, owner: int | None) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(256)
        listener.setblocking(False)
        if owner is not None and owner != os.geteuid():
            os.chown(path, owner, -1)
    except OSError as error:
        listener.close()
        raise InfraError(f"the egress proxy cannot listen on {path}: {error}") from error
    return listener


async def _quiet(pump: Coroutine[object, None, None]) -> None:
    with contextlib.suppress(OSError):
        await pump


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(1.0):
            await writer.wait_closed()
