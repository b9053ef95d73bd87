"""Very large logs, in bounded memory: the beginning, the end, and between them what stands out.

That is what stands around lines with a word that names an error, and lines that hardly another one resembles. Of the
former, those whose word is rare come first, so that a million errors of one kind do not drown the one of another.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from greylag.distill import _signals as signals

HEAD, TAIL, BETWEEN = 4 << 20, 16 << 20, 4 << 20  # bytes that are kept
_PIECE = 1 << 20
_TORN = 1 << 16  # bytes of a line that is kept in one piece where the log is cut
_BEFORE, _AFTER = 2, 6  # lines around one that stands out
_BLOCK = 50  # lines that are kept or dropped together
_LINE = 1500  # bytes of a line
_LINES = 2_000  # of one piece that hold the same word
_QUIET = 100  # lines of one piece that shout the same count less than one that says what no other does
_MANY = 60_000  # lines of a piece, which are too short to resemble each other
_KNOWN = 1 << 18  # forms of lines that are remembered
_SHOUTS = (
    b"rror:", b"rror[", b"ERROR", b"FAIL", b"fatal", b"Fatal", b"FATAL", b"panic", b"Traceback", b"xception",
    b"undefined", b"egmentation", b"Killed", b"killed", b"Assert", b"not ok ", b"ailed", b"xpected", b"eceived",
    b"imed out", b"nable to", b"annot ", b"dumped", b"denied", b"ot found", b" want ", b" !== ", b" != ",
    "\u25cf".encode(), "\u2717".encode(), "\u2715".encode(), "\u2716".encode(),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bounded:
    """A log, or of a large one its beginning, and after `lost` bytes that were not kept what stands out and its end."""

    head: bytes
    rest: bytes = b""
    lost: int = 0


def bounded(read: Callable[[int], bytes]) -> Bounded:
    """What `read` gives, which answers with at most so many bytes, and with none at the end.

    Up to 20 MiB are given back as they are; of more, no more than some 30 MiB of it are ever held.
    """
    head = bytearray()
    while len(head) < HEAD and (data := read(HEAD - len(head))):
        head += data
    tail: deque[bytes] = deque()
    size, between = 0, None
    while data := read(_PIECE):
        tail.append(data)
        size += len(data)
        while size - len(tail[0]) >= TAIL:
            if between is None:
                whole = _whole(len(head), head.rfind(b"\n") + 1)
                between = Between(bytes(head[:whole]))
                between.add(bytes(head[whole:]))
                del head[whole:]
            piece = tail.popleft()
            size -= len(piece)
            between.add(piece)
    end = b"".join(tail)
    if between is None:
        return Bounded(bytes(head) + end)
    torn = end.find(b"\n", 0, _TORN) + 1
    between.add(end[:torn])
    kept = between.text()
    return Bounded(bytes(head), kept + end[torn:], between.size - len(kept))


def _whole(size: int, newline: int) -> int:
    """Where to cut: after the last line that ends, or in a line that is very long."""
    return newline if size - newline <= _TORN else size


class Between:
    """Takes the middle of a log in pieces and keeps what stands out, bounded; `size` is that of all it was given.

    `known` is text whose lines stand out no more, as they are shown already.
    """

    def __init__(self, known: bytes = b"") -> None:
        self.size = 0
        self._rest = bytearray()
        self._known: set[int] = set()  # hashes of the forms of lines
        if known.count(b"\n") < _MANY * len(known) / _PIECE:
            self._known.update(map(hash, signals.kinds(known)[:_KNOWN]))
        self._blocks: list[tuple[int, int, bytes]] = []  # how common, the place in the log, lines
        self._held = self._place = 0

    def add(self, data: bytes) -> None:
        """The next bytes of the log."""
        self.size += len(data)
        self._rest += data
        while len(self._rest) >= _PIECE:
            whole = _whole(_PIECE, self._rest.rfind(b"\n", 0, _PIECE) + 1)
            self._look(bytes(self._rest[:whole]))
            del self._rest[:whole]

    def text(self) -> bytes:
        """What stands out, after the last of the bytes; each block ends its line."""
        self._look(bytes(self._rest))
        self._rest.clear()
        self._drop()
        return b"".join(block for _, _, block in sorted(self._blocks, key=lambda block: block[1]))

    def _look(self, piece: bytes) -> None:
        few = piece.count(b"\n") < _MANY
        found = _loud(piece)
        if not found and not few:
            return
        rows = piece.split(b"\n")
        if few:
            self._judge(found, signals.kinds(piece))
        self._keep(rows, found)
        if self._held > 2 * BETWEEN:
            self._drop()

    def _judge(self, found: dict[int, tuple[int, int]], forms: list[bytes]) -> None:
        """Lines that hardly another one resembles are found, too; of those that many resemble only a few stay."""
        times = Counter(forms)
        for row in [
            row for row, form in enumerate(forms) if times[form] <= signals.FEW and hash(form) not in self._known
        ]:
            found.setdefault(row, (_QUIET, 0))
        seen: Counter[bytes] = Counter()
        for row in sorted(found):
            seen[forms[row]] += 1
            if seen[forms[row]] > signals.FEW or hash(forms[row]) in self._known:
                del found[row]
        if len(self._known) < _KNOWN:
            self._known.update(map(hash, times))

    def _keep(self, rows: list[bytes], found: dict[int, tuple[int, int]]) -> None:
        """Blocks of lines around those that were found."""
        begin = end = 0
        common = _LINES
        for row in [*sorted(found), len(rows) + _BLOCK]:
            if row - _BEFORE > end or end - begin > _BLOCK:
                if begin < end:
                    block = b"".join(_short(rows[at], found.get(at)) for at in range(begin, min(end, len(rows))))
                    self._blocks.append((common, self._place, block))
                    self._held, self._place = self._held + len(block), self._place + 1
                begin, common = max(end, row - _BEFORE), _LINES
            end = max(end, row + _AFTER + 1)
            common = min(common, found[row][0]) if row in found else common

    def _drop(self) -> None:
        self._blocks.sort()
        while self._held > BETWEEN:
            self._held -= len(self._blocks.pop()[2])


def _loud(piece: bytes) -> dict[int, tuple[int, int]]:
    """Numbers of lines that hold one of the words; for each, how many hold the same word, and where in it it stands."""
    found: dict[int, tuple[int, int]] = {}
    for word in _SHOUTS:
        hits: list[tuple[int, int]] = []
        row, before, at = 0, 0, signals.find(piece, word, 0)
        while at >= 0 and len(hits) < _LINES:
            row += piece.count(b"\n", before, at)
            hits.append((row, at - piece.rfind(b"\n", before, at) - 1 if row else at))
            before = at
            end = piece.find(b"\n", at)
            at = signals.find(piece, word, end) if end >= 0 else -1
        for row, column in hits:
            if len(hits) < found.get(row, (_LINES + 1, 0))[0]:
                found[row] = (len(hits), column)
    return found


def _short(row: bytes, found: tuple[int, int] | None) -> bytes:
    """A line, or of a long one what stands around the word."""
    begin = max(0, found[1] - _LINE // 2) if found and len(row) > _LINE else 0
    return row[begin : begin + _LINE] + b"\n"
