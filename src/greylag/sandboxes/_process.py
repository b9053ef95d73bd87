"""Runs one host process: bytes in chunks, bounded output, a log, a wall clock, and a kill from any thread."""

import contextlib
import json
import os
import select
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from greylag.errors import InfraError
from greylag.interrupts import uninterrupted
from greylag.protocols import Bounds, Command, Completed, Ended
from greylag.sandboxes._jobs import Job, Process
from greylag.sandboxes._launch import kill_marked
from greylag.sandboxes._streams import Lines, Output, Pipe, spool

_CHUNK = 1 << 16
_GRACE = 5.0  # seconds for pipes to close after the process is gone
_SOON = 0.1  # seconds for the same where the process had told nothing yet


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start something: `start` is given its standard input, output and errors.

    The status channel carries JSON lines: `error` from a launcher, `child-pid` and `exit-code` as bwrap(1) says.
    `owner` is the uid that may open its standard streams again by name, as `echo >/dev/stderr` does. `mark` begins an
    argument of all that is to be killed when it outlives the program. `born` is told the `child-pid`.
    """

    start: Callable[[int, int, int], Process]
    status: Pipe
    owner: int | None = None
    mark: str = ""
    answer: Pipe | None = None
    born: Callable[[int], None] = lambda _child: None


class Started:
    """A child of this process, in a session of its own. `InfraError` when it cannot be started."""

    def __init__(
        self, argv: Sequence[str], env: Mapping[str, str], cwd: str, pass_fds: Sequence[int], streams: Sequence[int]
    ) -> None:
        stdin, stdout, stderr = streams
        try:
            self._child = subprocess.Popen(
                argv, stdin=stdin, stdout=stdout, stderr=stderr, env=dict(env), cwd=cwd, pass_fds=tuple(pass_fds),
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise InfraError(f"{argv[0]} cannot be started: {error.strerror}") from error
        self.pid = self._child.pid

    def alive(self) -> bool:
        """Whether it runs."""
        return self._child.poll() is None

    def end(self) -> None:
        """SIGTERM, for a process that sees to its own."""
        self._child.terminate()

    def kill(self) -> None:
        """SIGKILL."""
        self._child.kill()

    def wait(self) -> None:
        """Until it is gone."""
        self._child.wait()


@dataclass(frozen=True, slots=True)
class Ran:
    """A process that is gone: what came on the status channel, what it printed."""

    status: Mapping[str, object]
    output: Output
    errors: Output
    answer: bytes
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
            self.answer,
        )


def execute(launch: Launch, command: Command, bounds: Bounds, job: Job) -> Ran:
    """Run to the end, or to the bound that is met first; nothing of it is left when this returns or raises.

    `InfraError` when it cannot be started. Whatever `command.on_line` raises ends the process and goes on to the
    caller, as an interrupt does.
    """
    began = time.monotonic()
    seconds = bounds.seconds if command.seconds is None else command.seconds
    with contextlib.ExitStack() as stack:
        reader = _Reader(command, bounds.output, job, launch)
        stack.callback(reader.close)
        with uninterrupted():
            process = _spawn(launch, command, reader)
            stack.callback(reader.bury)
            job.started(process)
        reader.watch_process(process.pid)
        reader.pump(began + seconds)
    reader.tell_the_rest()
    return Ran(reader.facts(), reader.output, reader.errors, bytes(reader.answer), time.monotonic() - began)


def _spawn(launch: Launch, command: Command, reader: "_Reader") -> Process:
    """Start the process; the write ends of its pipes stay open only there."""
    with contextlib.ExitStack() as ours:
        ours.callback(os.close, launch.status.take("write"))
        reader.watch(launch.status.take("read"), reader.take_status)
        if launch.answer:
            ours.callback(os.close, launch.answer.take("write"))
            reader.watch(launch.answer.take("read"), reader.take_answer)
        output = _pipe(launch.owner, ours, reader, reader.take_output)
        errors = output if command.merge else _pipe(launch.owner, ours, reader, reader.take_errors)
        stdin = spool(command.stdin, launch.owner) if command.stdin else os.open(os.devnull, os.O_RDONLY)
        ours.callback(os.close, stdin)
        return launch.start(stdin, output, errors)


def _pipe(owner: int | None, ours: contextlib.ExitStack, reader: "_Reader", take: Callable[[bytes], None]) -> int:
    read, write = os.pipe()
    ours.callback(os.close, write)
    if owner is not None:
        os.fchown(write, owner, -1)
    reader.watch(read, take)
    return write


class _Reader:
    """Drains all channels of one process and enforces output cap and wall clock."""

    def __init__(self, command: Command, cap: int, job: Job, launch: Launch) -> None:
        self.output, self.errors = Output(), Output()
        self._cap, self._job, self._launch = cap, job, launch
        self.answer = bytearray()
        self._status = bytearray()
        self._lines = Lines(command.on_line) if command.on_line else None
        self._selector = selectors.DefaultSelector()
        self._inner: int | None = None
        self._tick = 0.05  # seconds
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

    def take_answer(self, data: bytes) -> None:
        """Bounded as the output is."""
        self.answer += data
        if len(self.answer) > self._cap:
            self._job.end(Ended.OUTPUT_CAPPED)

    def take_status(self, data: bytes) -> None:
        """The first line names the sandbox's init; its descriptor tells later when the whole tree is dead."""
        self._status += data
        child = self.facts().get("child-pid")
        if self._inner is None and isinstance(child, int):
            with contextlib.suppress(ProcessLookupError):
                self._inner = os.pidfd_open(child)
            self._launch.born(child)
            if self._job.reason:
                self._kill_inner()

    def facts(self) -> dict[str, object]:
        """All facts of the status channel; an unfinished line says nothing."""
        found: dict[str, object] = {}
        for line in bytes(self._status).split(b"\n"):
            with contextlib.suppress(ValueError):
                found.update(json.loads(line) if line.strip().endswith(b"}") else {})
        return found

    def watch_process(self, pid: int) -> None:
        """Wake up when the process is gone, where the system can tell."""
        if hasattr(os, "pidfd_open"):
            self._selector.register(os.pidfd_open(pid), selectors.EVENT_READ)
            self._tick = 1.0

    def pump(self, deadline: float) -> None:
        """Until the process is gone and its pipes are closed, or time is up for good."""
        gone, ending, orphaned = False, False, deadline
        while not gone or self._selector.get_map():
            now = time.monotonic()
            if not gone and not self._job.alive():
                gone, orphaned = True, now + _SOON
            if not ending and (gone or self._job.reason):
                ending, deadline = True, now + _GRACE
                self._kill_inner()
            if gone and now >= orphaned and self._launch.mark and self._inner is None:
                return  # what lives on is found by its mark
            if now >= deadline:
                if ending:
                    return
                self._job.end(Ended.TIMED_OUT)
            self._turn(max(min(deadline - now, _SOON if gone else self._tick), 0))

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

    def bury(self) -> None:
        """End the process if it runs still, read on for its last words, and wait for the tree below it."""
        with uninterrupted():
            if self._job.alive():
                self._lines = None  # an exception led here
                self._job.end(Ended.KILLED)
                self.pump(time.monotonic())
            self._job.destroy()
            if self._launch.mark and self._inner is None and self._selector.get_map():
                # bubblewrap was killed before it had told its child, which waits for it for ever
                kill_marked(self._launch.mark)
            self._kill_inner()
            if self._inner is not None and not select.select([self._inner], [], [], _GRACE)[0]:
                raise InfraError("processes of a sandbox could not be killed within 5 seconds")

    def tell_the_rest(self) -> None:
        """The last line may lack its end."""
        if self._lines:
            self._lines.finish()

    def close(self) -> None:
        """Close what is still open."""
        for key in list(self._selector.get_map().values()):
            self._drop(key.fd)
        self._selector.close()
        if self._inner is not None:
            os.close(self._inner)
        if self._log:
            self._log.close()
