"""greylag in a process of its own for every call, without half a second of imports each time.

A server imports everything once and forks a process for each call: with the caller's own arguments, environment,
directory and standard streams, an exit code, and an end as any interpreter has it.
"""

import atexit
import contextlib
import gc
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

_PACKAGES = ("commands", "verifiers", "guards", "judge", "sandboxes", "forges", "agents")
_LATER = ("encodings.ascii", "pydantic._internal._serializers", "sqlalchemy.dialects.sqlite", "sqlite3")  # by all calls
_STREAMS = (0, 1, 2)
_LONGEST = 1 << 20  # bytes of a request


@dataclass(frozen=True)
class Ended:
    """A call that is over; standard output and errors are Latin-1, so that any byte survives."""

    returncode: int
    stdout: str
    stderr: str


class Warm:
    """The server; calls are made one at a time. `modules`: what else it imports beforehand."""

    def __init__(self, *modules: str) -> None:
        self._modules = modules

    def __enter__(self) -> Self:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__, str(theirs.fileno()), *self._modules],
                pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                env={"PATH": os.environ["PATH"]}, start_new_session=True,
            )  # fmt: skip
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()
        self._end(10)

    def _end(self, seconds: float) -> None:
        try:
            self._server.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait()

    def __call__(self, *arguments: str, stdin: bytes, env: Mapping[str, str], cwd: Path, seconds: float = 120) -> Ended:
        """`greylag ARGUMENTS`, with nothing but `env` as its environment; `TimeoutError` after `seconds`."""
        request = json.dumps({"argv": ["greylag", *arguments], "env": dict(env), "cwd": str(cwd)}).encode()
        with contextlib.ExitStack() as stack:
            source, output, errors = (stack.enter_context(tempfile.TemporaryFile()) for _ in _STREAMS)
            source.write(stdin)
            source.seek(0)
            self._socket.settimeout(seconds)
            socket.send_fds(self._socket, [request], [source.fileno(), output.fileno(), errors.fileno()])
            try:
                status = int(self._socket.recv(64))
            except TimeoutError:
                self._end(0)
                raise
            output.seek(0)
            errors.seek(0)
            said, warned = (stream.read().decode("latin-1") for stream in (output, errors))
            return Ended(os.waitstatus_to_exitcode(status), said, warned)


def _serve(channel: socket.socket) -> None:
    """Fork for each request and tell how it ended; returns at the end of the requests."""
    while True:
        request, streams, _, _ = socket.recv_fds(channel, _LONGEST, len(_STREAMS))
        if not request:
            return
        if (child := os.fork()) == 0:
            channel.close()
            _become(json.loads(request), streams)
            _leave(_ended())
        for stream in streams:
            os.close(stream)
        channel.send(str(os.waitpid(child, 0)[1]).encode())


def _ended() -> int:
    try:
        import_module("greylag.__main__").main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    return 0


def _leave(code: int) -> NoReturn:
    """What an interpreter does at its end, but for taking apart what it holds: that would copy it all first."""
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()  # noqa: SLF001 - there is no other name for it
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _become(request: dict[str, Any], streams: list[int]) -> None:
    for number, stream in zip(_STREAMS, streams, strict=True):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    sys.argv = request["argv"]


def _modules() -> Iterator[str]:
    for package in _PACKAGES:
        names = (found.name for found in pkgutil.iter_modules(import_module(f"greylag.{package}").__path__))
        yield from (f"greylag.{package}.{name}" for name in names if not name.startswith("_"))


if __name__ == "__main__":
    for name in ("greylag.cli", *_modules(), *_LATER, *sys.argv[2:]):
        import_module(name)
    gc.freeze()  # what is there stays as it is in all children
    _serve(socket.socket(fileno=int(sys.argv[1])))
