"""What checks of sandboxes are made with: specs, scripts, a server, processes to look for."""

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from greylag.protocols import Bounds, Layers, SandboxSpec

_MIB = 1 << 20


def spec(directory: Path, *, lowers: tuple[Path, ...] = (), bounds: Bounds | None = None) -> SandboxSpec:
    """A spec with everything below `directory`, which may hold an earlier one."""
    for name in ("workspace", "home", "scratch"):
        (directory / name).mkdir(exist_ok=True)
    return SandboxSpec(
        profile="verifier",
        workspace=Layers(lowers, directory / "workspace"),
        home=Layers(upper=directory / "home"),
        scratch=directory / "scratch",
        bounds=bounds or Bounds(seconds=60, memory=1024 * _MIB, processes=256, temporary=64 * _MIB),
    )


def shell(script: str) -> tuple[str, ...]:
    """Arguments that run a script."""
    return ("/bin/sh", "-c", script)


def python(code: str) -> tuple[str, ...]:
    """Arguments that run Python code with greylag's interpreter."""
    return ("/bin/sh", "-c", 'exec "$GREYLAG_PYTHON" -I -S -c "$0"', code)


@contextmanager
def echo_server(path: Path) -> Iterator[list[bytes]]:
    """A unix socket that answers in capitals, and what it received."""
    received: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    received.append(client.recv(4096))
                    client.sendall(received[-1].upper())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield received
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def alive(marker: str) -> bool:
    """Whether any process of this machine has `marker` in its arguments (zombies have none)."""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker.encode() in entry.read_bytes() and int(entry.parent.name) != os.getpid():
                return True
        except OSError:
            continue
    return False


class Sleepers:
    """A command that says `started` and sleeps, with a child, a session leader and an orphan that do, too.

    They are found by the time that they sleep: each has it among its arguments, as no other process does.
    """

    def __init__(self) -> None:
        self.mark = f"300.{uuid.uuid4().int % 10**12}"
        nap = f"sleep {self.mark}"
        self.argv = shell(f"trap '' TERM INT HUP; {nap} & setsid {nap} & (setsid {nap} &); echo started; {nap}; {nap}")

    def alive(self) -> bool:
        """Whether any of them is there."""
        return alive(self.mark)


def until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Wait for a condition; False when it did not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
