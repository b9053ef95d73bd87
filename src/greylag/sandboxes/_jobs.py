"""The commands that run in a sandbox at this moment: any thread may end them, and closing waits until they are gone."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Protocol

from greylag.errors import InfraError
from greylag.protocols import Ended

_CLOSE = 20.0  # seconds for what was killed to be gone


class Process(Protocol):
    """What runs a command."""

    @property
    def pid(self) -> int:
        """Its number, which no other process gets before this one is forgotten."""
        ...

    def alive(self) -> bool:
        """Whether it runs."""
        ...

    def end(self) -> None:
        """Kill it with all that it has started."""
        ...

    def kill(self) -> None:
        """SIGKILL."""
        ...

    def wait(self) -> None:
        """Until it is gone."""
        ...


class Job:
    """One running process that any thread may end. The first reason counts."""

    def __init__(self) -> None:
        self.reason: Ended | None = None
        self._lock = threading.Lock()
        self._process: Process | None = None

    def started(self, process: Process) -> None:
        """From now on there is something to end; an end that was wished earlier takes effect."""
        with self._lock:
            self._process = process
            if self.reason is not None:
                process.end()

    def end(self, reason: Ended) -> None:
        """End the process now; it is not waited for."""
        with self._lock:
            self.reason = self.reason or reason
            if self._process is not None and self._process.alive():
                self._process.end()

    def alive(self) -> bool:
        """Whether the process runs; apart from signals, so that none can hit a reused pid."""
        with self._lock:
            return self._process is not None and self._process.alive()

    def destroy(self) -> None:
        """SIGKILL, whatever the polite signal is, and wait."""
        with self._lock:
            if self._process is None:
                return
            if self._process.alive():
                self._process.kill()
            self._process.wait()


class Jobs:
    """The commands that run in one sandbox at this moment."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running: set[Job] = set()
        self._closed = False

    @contextlib.contextmanager
    def one(self) -> Iterator[Job]:
        """A job for one command; `InfraError` when the sandbox is closed."""
        job = Job()
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
