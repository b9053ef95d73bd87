"""Ends the git commands of a greylag that was killed: a fetch would go on for hours. Standard library only.

One process for each greylag, started with its first command, told of each by a pipe. When the pipe closes and commands
are left, they may end by themselves for a moment, since a push that is cut off leaves its half in somebody else's
repository; then they are asked to end, so that they remove their locks, and then killed.
"""

import contextlib
import os
import signal
import sys
import threading
import time

_STEPS = ((0, 2.0), (signal.SIGTERM, 1.0), (signal.SIGKILL, 0.0))  # and the seconds that each is given


class Guard:
    """Our end of the pipe. A fork gets a guard of its own."""

    def __init__(self) -> None:
        self._lock, self._process, self._pipe = threading.Lock(), 0, -1

    def start(self) -> None:
        """Have it ready before there is something to watch."""
        with self._lock:
            if self._process != os.getpid():
                if self._process:
                    os.close(self._pipe)
                self._process, self._pipe = os.getpid(), _start()

    def watch(self, group: int) -> None:
        """This process group is ours."""
        self._say(b"+%d\n" % group)

    def forget(self, group: int) -> None:
        """It has ended. To be called before its leader is reaped, while nothing else can have that number."""
        self._say(b"-%d\n" % group)

    def _say(self, word: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):  # somebody killed it: what it was for is no more than a comfort
            os.write(self._pipe, word)


GUARD = Guard()


def _start() -> int:
    reader, writer = os.pipe()
    try:
        os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", "-S", "-B", __file__],
            {},
            file_actions=[(os.POSIX_SPAWN_DUP2, reader, 0)],
            setsid=True,  # a terminal's Ctrl-C is not for it
        )
    finally:
        os.close(reader)
    return writer


def _main() -> None:
    left: set[int] = set()
    for line in sys.stdin.buffer:
        (left.add if line[:1] == b"+" else left.discard)(int(line[1:]))
    for number, seconds in _STEPS:
        end = time.monotonic() + seconds
        left = {group for group in left if _send(group, number)}
        while left and time.monotonic() < end:
            time.sleep(0.02)
            left = {group for group in left if _send(group, 0)}


def _send(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    _main()
