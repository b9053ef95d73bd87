"""Ends the git commands of a greylag that was killed: a fetch would go on for hours. Standard library only.

One process for each greylag, started with its first command, that waits for the end of a pipe. It knows the commands by
a mark in their environment, which they have from their first moment on: to be told of each would come too late for one
that has just been started. They may end by themselves for a moment, since a push that is cut off leaves its half in
somebody else's repository; then they are asked to end, so that they remove their locks, and then killed.
"""

import os
import signal
import sys
import threading
import time

NAME = "GREYLAG_GUARD"
_START = 0.1  # seconds in which a process that was being started has become the command
_STEPS = ((0, 2.0), (signal.SIGTERM, 1.0), (signal.SIGKILL, 0.0))  # and the seconds that each is given


class Guard:
    """Our end of the pipe. A fork gets a guard of its own."""

    def __init__(self) -> None:
        self._lock, self._process, self._pipe, self._mark = threading.Lock(), 0, -1, ""

    def mark(self) -> str:
        """What a command must have in its environment as `NAME`. Starts the guard that looks for it."""
        with self._lock:
            if self._process != os.getpid():
                if self._process:
                    os.close(self._pipe)
                self._mark = os.urandom(8).hex()
                self._process, self._pipe = os.getpid(), _start(self._mark)
            return self._mark


GUARD = Guard()


def _start(mark: str) -> int:
    reader, writer = os.pipe()
    try:
        os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", "-S", "-B", __file__, mark],
            {},
            file_actions=[(os.POSIX_SPAWN_DUP2, reader, 0)],
            setsid=True,  # a terminal's Ctrl-C is not for it
        )
    finally:
        os.close(reader)
    return writer


def _main(mark: bytes) -> None:
    sys.stdin.buffer.read()
    time.sleep(_START)
    for number, seconds in _STEPS:
        left, end = _send(mark, number), time.monotonic() + seconds
        while left and time.monotonic() < end:
            time.sleep(0.02)
            left = _send(mark, 0)
        if not left:
            return


def _send(mark: bytes, number: int) -> bool:
    """Send a signal to each marked process. Answers whether there was one."""
    processes = [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - see `_read`
    return sum(_sent(process, mark, number) for process in processes) > 0


def _sent(process: int, mark: bytes, number: int) -> bool:
    """Whether the process is marked and got the signal. A connection of ssh that others share has left git's session
    and is not meant.
    """
    try:
        handle = os.pidfd_open(process)
    except OSError:
        return False
    try:
        if b"%s=%s" % (NAME.encode(), mark) not in _read(process, "environ"):
            return False
        if os.getsid(process) == process and _read(process, "comm") != b"git\n":
            return False
        signal.pidfd_send_signal(handle, number)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def _read(process: int, file: str) -> bytes:
    with open(f"/proc/{process}/{file}", "rb") as stream:  # noqa: PTH123 - pathlib takes as long to import as the rest
        return stream.read()


if __name__ == "__main__":
    _main(sys.argv[1].encode())
