"""Very large logs, in bounded memory: the beginning, the end, and between them what stands around lines that shout."""

from collections import deque
from collections.abc import Callable

HEAD, TAIL, BETWEEN = 4 << 20, 16 << 20, 4 << 20  # bytes that are kept
_PIECE = 1 << 20
_CUT = b"\n... (the log is cut here)\n"
_BEFORE, _AFTER = 2, 6  # lines around one that shouts
_LINE = 1500  # bytes of a line
_SHOUTS = (
    b"rror:", b"rror[", b"ERROR", b"FAIL", b"fatal", b"Fatal", b"FATAL", b"panic", b"Traceback", b"xception",
    b"undefined", b"egmentation", b"Killed", b"Assert", b"not ok ",
)  # fmt: skip


def bounded(read: Callable[[int], bytes]) -> bytes:
    """What `read` gives, which answers with at most so many bytes, and with none at the end.

    Up to 20 MiB are given back as they are; of more, no more than 24 MiB are ever held.
    """
    head = bytearray()
    while len(head) < HEAD and (data := read(HEAD - len(head))):
        head += data
    tail: deque[bytes] = deque()
    size, cut, rest, between = 0, False, b"", bytearray()
    while data := read(_PIECE):
        tail.append(data)
        size += len(data)
        while size - len(tail[0]) >= TAIL:
            piece = tail.popleft()
            size, cut = size - len(piece), True
            if len(between) < BETWEEN:
                rest = _shouted(rest + piece, between)
    end = b"".join(tail)
    return b"".join((head, _CUT, between, _CUT, end)) if cut else bytes(head) + end


def _shouted(piece: bytes, between: bytearray) -> bytes:
    """Add what is worth it of the whole lines of `piece`; the answer is the beginning of its last one."""
    end = piece.rfind(b"\n")
    if any(word in piece for word in _SHOUTS):
        rows = piece[: max(end, 0)].split(b"\n")
        last = -1
        for at, row in enumerate(rows):
            if any(word in row[:_LINE] for word in _SHOUTS):
                for near in range(max(last + 1, at - _BEFORE), min(len(rows), at + _AFTER + 1)):
                    between += rows[near][:_LINE] + b"\n"
                    last = near
    return piece[end + 1 :][:_LINE]
