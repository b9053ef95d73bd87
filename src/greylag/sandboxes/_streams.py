"""What flows in and out of a process: bounded output, lines, pipes, data behind a descriptor."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Literal

from greylag.errors import InfraError

_HEAD, _TAIL = 1 << 20, 4 << 20
_LINE = 16 << 20  # a longer line is cut


class Output:
    """Head and tail of a stream; what lies between is counted and dropped."""

    def __init__(self) -> None:
        self.total = 0
        self._head = bytearray()
        self._tail = bytearray()

    def add(self, data: bytes) -> None:
        """Take the next bytes."""
        self.total += len(data)
        room = _HEAD - len(self._head)
        self._head += data[: max(room, 0)]
        self._tail += data[max(room, 0) :]
        if len(self._tail) > 2 * _TAIL:
            del self._tail[:-_TAIL]

    @property
    def truncated(self) -> bool:
        """Whether anything was dropped."""
        return self.total > _HEAD + _TAIL

    def value(self) -> bytes:
        """Everything, or head and tail with a note of the gap between them."""
        if not self.truncated:
            return bytes(self._head + self._tail)
        note = f"\n[{self.total - _HEAD - _TAIL} bytes left out]\n".encode()
        return bytes(self._head) + note + bytes(self._tail[-_TAIL:])


class Lines:
    """Cuts a stream into lines for a callback; a line beyond 16 MiB loses its end."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._rest = bytearray()

    def add(self, data: bytes) -> None:
        """Tell every line that is complete by now."""
        *complete, rest = data.split(b"\n")
        for part in complete:
            self._extend(part)
            self.end()
        self._extend(rest)

    def _extend(self, part: bytes) -> None:
        self._rest += part[: max(_LINE - len(self._rest), 0)]

    def end(self) -> None:
        """Tell what is left, which at the end of the stream may lack its line end."""
        line, self._rest = bytes(self._rest), bytearray()
        self._tell(line.removesuffix(b"\r").decode("utf-8", "replace"))

    def finish(self) -> None:
        """The stream is over."""
        if self._rest:
            self.end()


class Pipe:
    """Both ends of a pipe until they are taken; closing closes what was not. `owner` may open it by name."""

    def __init__(self, owner: int | None = None) -> None:
        self._ends = dict(zip(("read", "write"), os.pipe(), strict=True))
        if owner is not None:
            os.fchown(self.write, owner, -1)

    @property
    def read(self) -> int:
        """Descriptor of the end to read from."""
        return self._ends["read"]

    @property
    def write(self) -> int:
        """Descriptor of the end to write to."""
        return self._ends["write"]

    def take(self, end: Literal["read", "write"]) -> int:
        """A descriptor that the caller closes."""
        return self._ends.pop(end)

    def close(self) -> None:
        """Safe to repeat."""
        while self._ends:
            os.close(self._ends.popitem()[1])


@contextlib.contextmanager
def enough_files() -> Iterator[None]:
    """`InfraError` with the remedy where this process may open no more files."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.EMFILE, errno.ENFILE}:
            raise InfraError("too many open files for a sandbox: raise the limit (`ulimit -n 1024`)") from error
        raise


def spool(data: bytes, owner: int | None = None) -> int:
    """A descriptor, in memory where the system can, from which `data` is read."""
    descriptor = os.memfd_create("data") if hasattr(os, "memfd_create") else _unnamed()
    with open(descriptor, "wb", closefd=False) as file:
        file.write(data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    if owner is not None:
        os.fchown(descriptor, owner, -1)
    return descriptor


def _unnamed() -> int:
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
