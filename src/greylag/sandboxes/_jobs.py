"""The commands that run in a sandbox at this moment: any thread may end them, and closing waits until they are gone."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator

from greylag.errors import InfraError
from greylag.protocols import Ended

_CLOSE = 20.0  # seconds for what was killed to be gone

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
        self._changed = threading.Condition()
        self._running: set[Job] = set()
        self._closed = False

    @contextlib.contextmanager
    def one(self) -> Iterator[Job]:
        """A job for one command; `InfraError` when the sandbox is closed."""
        job = Job(self._kill)
        with self._changed:
            if self._closed:
                raise InfraError("the sandbox is closed")
            self._running.add(job)
        try:
            yield job
        finally:
            with self._changed:
                self._running.discard(job)
                self._changed.notify_all()

    def kill(self) -> None:
        """End all that run now."""
        with self._changed:
            jobs = list(self._running)
        for job in jobs:
            job.end(Ended.KILLED)

    def close(self) -> None:
        """Kill, accept no more, and wait until other threads have cleaned up after theirs."""
        with self._changed:
            self._closed = True
        self.kill()
        with self._changed:
            self._changed.wait_for(lambda: not self._running, _CLOSE)
