"""Host side of `_launch.py`: a process that forks for us, and what it has forked."""

import atexit
import contextlib
import functools
import importlib.abc
import importlib.util
import marshal
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

from greylag.errors import InfraError
from greylag.interrupts import uninterrupted
from greylag.sandboxes import _launch
from greylag.sandboxes._streams import spool

_START = 30.0  # seconds
_RUN = (
    "import marshal, sys\nwith open(int(sys.argv[2]), 'rb') as file: exec(marshal.load(file))\nmain(int(sys.argv[1]))"
)


class Forks:
    """One end of the channel to `_launch.py serve`. Any thread may ask; a pid stays one until it is buried."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel, self._lock = channel, threading.Lock()
        channel.settimeout(_START)

    def fork(self, plan: dict[str, Any], descriptors: Sequence[int]) -> int:
        """Have `plan` carried out by a process that has copies of `descriptors`. `InfraError` when it cannot be."""
        with uninterrupted(), self._lock:
            spooled = spool(marshal.dumps(plan))
            try:
                answer = self._ask([spooled, *descriptors])
            except OSError as error:
                self._channel.close()  # a late answer would be taken for that of the next request
                raise InfraError(f"the launcher of the sandbox does not answer: {error}") from error
            finally:
                os.close(spooled)
        if not answer.isdigit():
            said = answer.decode("utf-8", "replace") or "the launcher has ended"
            raise InfraError(f"no process can be started for the sandbox: {said}")
        return int(answer)

    def _ask(self, descriptors: Sequence[int]) -> bytes:
        while len(descriptors) > _launch.DESCRIPTORS:
            socket.send_fds(self._channel, [b"more"], descriptors[: _launch.DESCRIPTORS])
            descriptors = descriptors[_launch.DESCRIPTORS :]
        socket.send_fds(self._channel, [b"fork"], descriptors)
        return self._channel.recv(1 << 10)

    def bury(self, pid: int) -> None:
        """Kill a process that was forked, if it is there still, and forget its pid. It is not waited for."""
        with uninterrupted(), self._lock, contextlib.suppress(OSError):
            self._channel.send(str(pid).encode())


class Forked:
    """A process that was forked. How it ended is not known here. Any thread may ask, also when it is closed already."""

    def __init__(self, forks: Forks, pid: int) -> None:
        self._forks, self.pid = forks, pid
        self._lock = threading.Lock()
        try:
            self._handle = os.pidfd_open(pid)
        except ProcessLookupError as error:
            raise InfraError("the launcher of the sandbox was killed") from error

    def alive(self) -> bool:
        """Whether it runs."""
        return not self._ended(0)

    def end(self) -> None:
        """SIGKILL: bubblewrap takes all that it has started with it."""
        self.kill()

    def kill(self) -> None:
        """SIGKILL."""
        with self._lock, contextlib.suppress(ProcessLookupError):
            if self._handle >= 0:
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def wait(self) -> None:
        """Until it is gone."""
        self._ended(None)

    def _ended(self, milliseconds: int | None) -> bool:
        with self._lock:
            if self._handle < 0:
                return True
            handle = os.dup(self._handle)  # its number may be another's as soon as this is closed
        try:
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            return bool(poll.poll(milliseconds))
        finally:
            os.close(handle)

    def close(self) -> None:
        """Forget it. Safe to repeat."""
        with self._lock:
            handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)
            self._forks.bury(self.pid)


class _Server:
    """The `_launch.py serve` of this process: started when it is first needed, gone with this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: tuple[socket.socket, subprocess.Popen[bytes], Forks] | None = None
        atexit.register(self.close)
        os.register_at_fork(after_in_child=self._forget)

    def __call__(self) -> Forks:
        with uninterrupted(), self._lock:
            if self._running and self._running[1].poll() is not None:
                self._running[0].close()
                self._running = None
            self._running = self._running or self._start()
            return self._running[2]

    def _start(self) -> tuple[socket.socket, subprocess.Popen[bytes], Forks]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        program = spool(_program())
        try:
            process = subprocess.Popen(
                # isolated from environment, user site and our own packages
                (sys.executable, "-I", "-S", "-B", "-c", _RUN, str(theirs.fileno()), str(program)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
                cwd="/",
                pass_fds=(program, theirs.fileno()),
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            raise InfraError(f"the launcher of the sandbox cannot be started: {error.strerror}") from error
        finally:
            theirs.close()
            os.close(program)
        return ours, process, Forks(ours)

    def close(self) -> None:
        """What it has forked lives on."""
        with self._lock:
            if self._running:
                self._running[0].close()
                self._running[1].wait()
                self._running = None

    def _forget(self) -> None:
        """In a fork of this process, which needs one of its own."""
        if self._running:
            self._running[0].close()
            self._running[1].returncode = 0  # not our child: nothing to wait for
        self._lock, self._running = threading.Lock(), None


server = _Server()


@functools.cache
def _program() -> bytes:
    """Compiled, because the first command waits for it."""
    spec = importlib.util.find_spec(_launch.__name__)
    assert spec is not None
    assert isinstance(spec.loader, importlib.abc.InspectLoader)
    return marshal.dumps(spec.loader.get_code(_launch.__name__))
