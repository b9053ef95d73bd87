"""Runs one host process: bytes in chunks, bounded output, a log, a wall clock, and a kill from any thread."""

import contextlib
import json
import os
import select
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO

from greylag.errors import InfraError
from greylag.protocols import Bounds, Command, Completed, Ended
from greylag.sandboxes._streams import Lines, Output, Pipe, spool

_CHUNK = 1 << 16
_GRACE = 5.0  # seconds for pipes to close after the process is gone


Kill = Callable[[subprocess.Popen[bytes]], None]


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that has not been reaped, and its group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def ask_to_end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM for a process that sees to its own."""
    process.send_signal(signal.SIGTERM)


class Job:
    """One running process that any thread may end. The first reason counts."""

    def __init__(self, kill: Kill) -> None:
        self.reason: Ended | None = None
        self._lock = threading.Lock()
        self._kill = kill
        self._process: subprocess.Popen[bytes] | None = None

    def started(self, process: subprocess.Popen[bytes]) -> None:
        """From now on there is something to kill; a kill that came earlier takes effect."""
        with self._lock:
            self._process = process
            if self.reason is not None:
                self._kill(process)

    def end(self, reason: Ended) -> None:
        """End the process now; it is not waited for."""
        with self._lock:
            self.reason = self.reason or reason
            if self._process is not None and self._process.poll() is None:
                self._kill(self._process)

    def poll(self) -> int | None:
        """Exit status once the process is gone; apart from signals, so that none can hit a reused pid."""
        with self._lock:
            return self._process.poll() if self._process else None

    def destroy(self) -> None:
        """SIGKILL, whatever the polite signal is, and wait."""
        with self._lock:
            if self._process is None:
                return
            if self._process.poll() is None:
                kill_group(self._process)
            self._process.wait()


class Jobs:
    """The commands that run in one sandbox at this moment."""

    def __init__(self, kill: Kill) -> None:
        self._kill = kill
        self._lock = threading.Lock()
        self._running: set[Job] = set()
        self._closed = False

    @contextlib.contextmanager
    def one(self) -> Iterator[Job]:
        """A job for one command; `InfraError` when the sandbox is closed."""
        job = Job(self._kill)
        with self._lock:
            if self._closed:
                raise InfraError("the sandbox is closed")
            self._running.add(job)
        try:
            yield job
        finally:
            with self._lock:
                self._running.discard(job)

    def kill(self) -> None:
        """End all that run now."""
        with self._lock:
            jobs = list(self._running)
        for job in jobs:
            job.end(Ended.KILLED)

    def close(self) -> None:
        """Kill, and accept no more."""
        with self._lock:
            self._closed = True
        self.kill()


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start. `pass_fds` go to the program, among them the write end of `status`.

    The status channel carries JSON lines: `error` from a launcher, `child-pid` and `exit-code` as bwrap(1) says.
    `owner` is the uid that may open its standard streams again by name, as `echo >/dev/stderr` does.
    """

    argv: tuple[str, ...]
    status: Pipe
    pass_fds: tuple[int, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str | None = None
    owner: int | None = None


@dataclass(frozen=True, slots=True)
class Ran:
    """A process that is gone: its own exit status, what came on the status channel, what it printed."""

    returncode: int
    status: Mapping[str, object]
    output: Output
    errors: Output
    seconds: float

    def completed(self, ended: Ended, returncode: int) -> Completed:
        """The result in the words of the contract."""
        return Completed(
            ended,
            returncode,
            self.output.value(),
            self.errors.value(),
            self.output.truncated or self.errors.truncated,
            self.seconds,
        )


def execute(launch: Launch, command: Command, bounds: Bounds, job: Job) -> Ran:
    """Run to the end, or to the bound that is met first; the process is gone when this returns or raises.

    `InfraError` when it cannot be started. Whatever `command.on_line` raises ends the process and goes on to the
    caller.
    """
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        reader = _Reader(command, bounds.output, job)
        stack.callback(reader.close)
        process = _spawn(launch, command, reader)
        stack.callback(job.destroy)
        job.started(process)
        seconds = bounds.seconds if command.seconds is None else command.seconds
        reader.pump(process.pid, began + seconds)
        job.destroy()
        reader.finish()
    return Ran(process.returncode, reader.facts(), reader.output, reader.errors, time.monotonic() - began)


def _spawn(launch: Launch, command: Command, reader: "_Reader") -> "subprocess.Popen[bytes]":
    """Start the process; the write ends of its pipes stay open only there."""
    with contextlib.ExitStack() as ours:
        ours.callback(os.close, launch.status.take("write"))
        reader.watch(launch.status.take("read"), reader.take_status)
        output = _pipe(launch.owner, ours, reader, reader.take_output)
        errors = output if command.merge else _pipe(launch.owner, ours, reader, reader.take_errors)
        stdin = subprocess.DEVNULL
        if command.stdin:
            stdin = spool(command.stdin, launch.owner)
            ours.callback(os.close, stdin)
        try:
            return subprocess.Popen(
                launch.argv,
                stdin=stdin,
                stdout=output,
                stderr=errors,
                env=dict(launch.env),
                cwd=launch.cwd,
                pass_fds=launch.pass_fds,
                start_new_session=True,
            )
        except OSError as error:
            raise InfraError(f"{launch.argv[0]} cannot be started: {error.strerror}") from error


def _pipe(owner: int | None, ours: contextlib.ExitStack, reader: "_Reader", take: Callable[[bytes], None]) -> int:
    read, write = os.pipe()
    ours.callback(os.close, write)
    if owner is not None:
        os.fchown(write, owner, -1)
    reader.watch(read, take)
    return write


class _Reader:
    """Drains all channels of one process and enforces output cap and wall clock."""

    def __init__(self, command: Command, cap: int, job: Job) -> None:
        self.output, self.errors = Output(), Output()
        self._cap, self._job = cap, job
        self._status = bytearray()
        self._lines = Lines(command.on_line) if command.on_line else None
        self._selector = selectors.DefaultSelector()
        self._inner: int | None = None
        try:
            self._log: IO[bytes] | None = command.log.open("wb") if command.log else None
        except OSError as error:
            self._selector.close()
            raise InfraError(f"log {command.log} cannot be written: {error.strerror}") from error

    def watch(self, descriptor: int, take: Callable[[bytes], None]) -> None:
        self._selector.register(descriptor, selectors.EVENT_READ, take)

    def take_output(self, data: bytes) -> None:
        self._record(data, self.output)
        if self._lines:
            self._lines.add(data)

    def take_errors(self, data: bytes) -> None:
        self._record(data, self.errors)

    def _record(self, data: bytes, stream: Output) -> None:
        room = self._cap - self.output.total - self.errors.total
        stream.add(data)
        if self._log and room > 0:
            self._log.write(data[:room])
        if len(data) > room:
            self._job.end(Ended.OUTPUT_CAPPED)

    def take_status(self, data: bytes) -> None:
        """The first line names the sandbox's init; its descriptor tells later when the whole tree is dead."""
        self._status += data
        child = self.facts().get("child-pid")
        if self._inner is None and isinstance(child, int):
            with contextlib.suppress(ProcessLookupError):
                self._inner = os.pidfd_open(child)

    def facts(self) -> dict[str, object]:
        """All facts of the status channel; an unfinished line says nothing."""
        found: dict[str, object] = {}
        for line in bytes(self._status).split(b"\n"):
            with contextlib.suppress(ValueError):
                found.update(json.loads(line) if line.strip().endswith(b"}") else {})
        return found

    def pump(self, pid: int, deadline: float) -> None:
        """Until the process is gone and its pipes are closed, or time is up for good."""
        tick = 0.05
        if hasattr(os, "pidfd_open"):
            self._selector.register(os.pidfd_open(pid), selectors.EVENT_READ)
            tick = 1.0
        gone = ending = False
        while not (gone := gone or self._job.poll() is not None) or self._selector.get_map():
            now = time.monotonic()
            if not ending and (gone or self._job.reason):
                ending, deadline = True, now + _GRACE
                self._kill_inner()
            if now >= deadline:
                if ending:
                    return
                self._job.end(Ended.TIMED_OUT)
            self._turn(max(min(deadline - now, tick), 0))

    def _turn(self, timeout: float) -> None:
        for key, _ in self._selector.select(timeout):
            data = os.read(key.fd, _CHUNK) if key.data else b""
            if data:
                key.data(data)
            else:
                self._drop(key.fd)

    def _drop(self, descriptor: int) -> None:
        self._selector.unregister(descriptor)
        os.close(descriptor)

    def _kill_inner(self) -> None:
        """The init of the sandbox may not know yet that it should die with bubblewrap."""
        if self._inner is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._inner, signal.SIGKILL)

    def finish(self) -> None:
        """The process is gone: wait for the tree below the sandbox's init, tell the last line."""
        if self._inner is not None:
            self._kill_inner()
            if not select.select([self._inner], [], [], _GRACE)[0]:
                raise InfraError("processes of a sandbox could not be killed within 5 seconds")
        if self._lines:
            self._lines.finish()

    def close(self) -> None:
        """Close what is still open, and leave nothing running when an exception led here."""
        self._kill_inner()
        for key in list(self._selector.get_map().values()):
            self._drop(key.fd)
        self._selector.close()
        if self._inner is not None:
            os.close(self._inner)
        if self._log:
            self._log.close()
