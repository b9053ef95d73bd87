"""Very large logs, in bounded memory: the beginning, the end, and between them what stands around lines that shout."""

from collections import deque
from collections.abc import Callable, Iterator

HEAD, TAIL, BETWEEN = 4 << 20, 16 << 20, 4 << 20  # bytes that are kept
_PIECE = 1 << 20
CUT = "... (the log is cut here)"
_BEFORE, _AFTER = 2, 6  # lines around one that shouts
_LINE = 1500  # bytes of a line
_LINES = 2_000  # of one piece that shout the same
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
                whole, _, rest = (rest + piece).rpartition(b"\n")
                rest = rest[:_LINE]
                between += b"".join(row + b"\n" for row in loud(whole))
    end = b"".join(tail)
    return f"\n{CUT}\n".encode().join((head, between, end)) if cut else bytes(head) + end


def loud(piece: bytes) -> Iterator[bytes]:
    """Of the lines, those that stand around one that shouts, cut to a bounded length."""
    starts: set[int] = set()
    for word in _SHOUTS:
        at = piece.find(word)
        for _ in range(_LINES):
            if at < 0:
                break
            start = piece.rfind(b"\n", 0, at) + 1
            if at - start < _LINE:
                starts.add(start)
            end = piece.find(b"\n", at)
            at = piece.find(word, end) if end >= 0 else -1
    told = 0
    for start in sorted(starts):
        begin, end = start, start - 1
        for _ in range(_BEFORE):
            begin = piece.rfind(b"\n", 0, max(begin - 1, 0)) + 1
        for _ in range(_AFTER + 1):
            end = piece.find(b"\n", end + 1)
            if end < 0:
                end = len(piece)
                break
        if end >= told:
            yield from (row[:_LINE] for row in piece[max(begin, told) : end].split(b"\n"))
            told = end + 1
