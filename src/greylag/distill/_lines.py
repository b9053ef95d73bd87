"""From the bytes of a log to its lines: what is no text is left out, and a long line is taken apart into pieces."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from greylag.distill import _signals as signals
from greylag.distill._manuals import BEGIN, without_manuals
from greylag.distill.bounded import BETWEEN, HEAD, TAIL, Between, Bounded, bounded
from greylag.distill.tasks import ungrouped
from greylag.text import clean

_FIRST, _LAST = 50_000, 250_000  # lines that are looked at; of those between them, what stands out
_LONG, _PIECE = 400, 300  # characters of a line that stays whole, and of a piece of one that does not
_BREAKS = {"},": 2, ',"': 1, "\\n": 2, "; ": 2, " ": 1}  # where pieces end, the best first; characters that stay
_CARETS = re.compile(r"\^\[\[[0-9;]{0,20}[mK]")  # escape sequences as some log stores spell them
_ECHO, _ECHO_MARK = "\x1b[36;1m", "\ue000"  # GitHub Actions prints the commands of a step in this colour
_CUT = "\0"  # no cleaned text has it
_LOOKED_AT, _BINARY = 1 << 16, 0.05  # bytes that are looked at together; share of control characters that no text has
_FOREIGN = 0.3  # share of characters that are no UTF-8, which no text in another encoding has
_CONTROL = bytes(code for code in (*range(32), 127) if code not in b"\t\n\r\x1b")
_NOT_TEXT = _CONTROL + bytes(range(128, 256))


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of a log; `more` tells which of them go on with the one before them, as pieces of one long line.

    Before the line `cut`, `lost` bytes were left out.
    """

    texts: list[str]
    more: bytearray
    cut: int = 0
    lost: int = 0


def lines_of(log: bytes | Bounded) -> Lines:
    """Cleaned lines without time stamps and names of packages; runs of empty lines folded into one."""
    if isinstance(log, bytes):
        log = bounded(BytesIO(log).read) if len(log) > HEAD + TAIL + BETWEEN else Bounded(log)
    source, lost = _source(log.head), log.lost
    if lost:
        source = f"{source.rstrip()}\n{_CUT}\n{_source(log.rest)}"
    *rows, rest = source.split("\n", _FIRST)
    middle, *last = rest.rsplit("\n", _LAST)
    if len(last) == _LAST:
        middle, more = _standing_out(middle, rows)
        lost += more
        rows.append(_CUT)
    rows += middle.split("\n")
    rows += last
    texts = ungrouped(_stripped(rows, "\t" in source, _ECHO_MARK in source))
    texts = without_manuals(texts) if BEGIN in source else texts
    cut = texts.index(_CUT) if lost else 0
    if lost:
        texts = [text for text in texts if text != _CUT]
    return _pieces(texts, cut, lost)


def _source(log: bytes) -> str:
    return clean(_CARETS.sub("", _legible(log).decode("utf-8", "replace").replace(_ECHO, _ECHO_MARK)))


def _standing_out(text: str, known: list[str]) -> tuple[str, int]:
    """Of too many lines those that stand out, and how many bytes are left out with the others."""
    between = Between("\n".join(known).encode())
    between.add(text.encode())
    kept = between.text()
    return kept.decode("utf-8", "replace").rstrip("\n"), between.size - len(kept)


def _stripped(rows: list[str], columns: bool, echoes: bool) -> list[str]:
    lines: list[str] = []
    for row in rows:
        line = row.rstrip()
        if (line[4:8:3] == "--" or (columns and "\t" in line)) and (stamp := signals.STAMP.match(line)):
            line = line[stamp.end() :]
        if echoes and line.startswith(_ECHO_MARK):
            line = signals.COMMAND + line[1:]
        if line or (lines and lines[-1]):
            lines.append(line)
    return lines


def _pieces(texts: list[str], cut: int, lost: int) -> Lines:
    """The lines, long ones taken apart."""
    if max(map(len, texts), default=0) <= _LONG:
        return Lines(texts, bytearray(len(texts)), cut, lost)
    pieces: list[str] = []
    more = bytearray()
    before = 0
    for at, text in enumerate(texts):
        if at == cut:
            before = len(pieces)
        parts = [text] if len(text) <= _LONG else list(_apart(text.lstrip() if text[:_LONG].isspace() else text))
        pieces += parts
        more += b"\0" + b"\1" * (len(parts) - 1)
    return Lines(pieces, more, before, lost)


def _apart(line: str) -> Iterator[str]:
    at = 0
    while len(line) - at > _PIECE:
        middle, end = at + _PIECE // 2, at + _PIECE
        found = ((line.rfind(mark, middle, end), stays) for mark, stays in _BREAKS.items())
        to = next((place + stays for place, stays in found if place >= 0), end)
        yield line[at:to]
        at = to
    yield line[at:]


def _legible(log: bytes) -> bytes:
    """The log; of pieces that are no text, or text in UTF-16, what is ASCII."""
    pieces = (log[at : at + _LOOKED_AT] for at in range(0, len(log), _LOOKED_AT))
    return b"".join(piece if _is_text(piece) else piece.translate(None, _NOT_TEXT) for piece in pieces)


def _is_text(piece: bytes) -> bool:
    """Whether a piece has hardly a control character, and not too many bytes that are no UTF-8."""
    if len(piece.translate(None, _CONTROL)) < (1 - _BINARY) * len(piece):
        return False
    text = piece.decode("utf-8", "replace")
    return text.count("\ufffd") <= _FOREIGN * len(text)
