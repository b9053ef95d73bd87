"""Titles of tests and of the blocks around them in JavaScript: what of them is written down, what a run puts in."""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from greylag.guards._code.source import Brackets, Source

Pieces = tuple[str, ...]
"""The literal parts of a title. Between two of them anything may stand, so `("",)` is an empty title."""

ANYTHING: Pieces = ("", "")
_BLOCK = re.compile(r"(?<![\w.$])(?:[xf]?describe|suite|context)(?:\.\w+)*\s*(?=[(`])")
_TOKEN = re.compile(r"[(\[{]|[)\]}]|[,+]")
_STRING = re.compile(r"(?P<quote>[\"'`])(?P<text>(?>(?:(?!(?P=quote))[^\\]|\\.)*))(?P=quote)", re.DOTALL)
_FILLED = re.compile(r"%[a-zA-Z#%]|\$\{[^}]*\}|\$[\w.]+")  # places of a title that a table or a variable fills
_HEX = r"[0-9a-fA-F]"
_ESCAPE = re.compile(rf"\\(?:u\{{({_HEX}{{1,6}})\}}|u({_HEX}{{4}})|x({_HEX}{{2}})|(.))", re.DOTALL)
_DEEPEST = 20  # blocks around a test that count: hostile nesting must not make it quadratic
_LONGEST = 500  # characters of an expression that is a title
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Title:
    """The first argument of a call. `name` says it to people, `end` is where it ends in the file."""

    name: str
    pieces: Pieces
    end: int


def filled(title: str) -> Pieces:
    """The parts of a title between places that a table fills."""
    return tuple(_ESCAPE.sub(_character, part) for part in _FILLED.split(title))


def _character(escape: re.Match[str]) -> str:
    digits, letter = escape[1] or escape[2] or escape[3], escape[4]
    if digits:
        return chr(number) if (number := int(digits, 16)) <= sys.maxunicode else ""
    return " " if letter in "nrt\n" else str(letter)


def title(source: Source, begin: int, end: int) -> Title:
    """The title in the parentheses that open at `begin`: strings, and whatever `+` joins them with."""
    start, depth, cuts, comma = begin + 1, 0, [begin], False
    for token in _TOKEN.finditer(source.code, start, min(end, start + _LONGEST)):
        depth += {"(": 1, "[": 1, "{": 1, ",": 0, "+": 0}.get(token[0], -1)
        if depth < 0 or (depth == 0 and token[0] in ",+"):
            cuts.append(token.start())
        comma = depth == 0 and token[0] == ","
        if depth < 0 or comma:
            break
    operands = [source.text[first + 1 : last].strip() for first, last in pairwise(cuts)]
    strings = [_STRING.fullmatch(operand) for operand in operands]
    if not comma and (depth >= 0 or not any(strings)):
        return Title("?", ANYTHING, begin)  # a function without a title
    whole = strings[0]["text"] if len(strings) == 1 and strings[0] else source.text[start : cuts[-1]]
    return Title(" ".join(whole.split())[:_SHOWN] or "?", _pieces(strings), cuts[-1])


def _pieces(strings: Iterable[re.Match[str] | None]) -> Pieces:
    found = [""]
    for string in strings:
        first, *rest = filled(string["text"]) if string else ANYTHING
        found[-1] += first
        found += rest
    return tuple(found)


def blocks(source: Source, round_: Brackets) -> Iterator[tuple[int, int, Title]]:
    """Where each block begins and ends, in the order of the file."""
    for match in _BLOCK.finditer(source.code):
        begin, end = arguments(match, round_)
        yield begin, end, title(source, begin, end)


def arguments(match: re.Match[str], round_: Brackets) -> tuple[int, int]:
    """Span of the arguments `("name", function)`, with a table in between for `it.each(table)("name", function)`."""
    begin, end = round_.after(match.end())
    return round_.after(end) if "each" in match[0] and end in round_.closed else (begin, end)


class Around:
    """The titles of the blocks around places that are asked for in the order of the file."""

    def __init__(self, found: Iterator[tuple[int, int, Title]]) -> None:
        self._rest = list(found)[::-1]
        self._open: list[tuple[int, Pieces]] = []

    def at(self, position: int) -> tuple[Pieces, ...]:
        """From the outermost to the innermost, which are bounded in number."""
        while self._rest and self._rest[-1][0] < position:
            begin, end, own = self._rest.pop()
            self._close(begin)
            self._open.append((end, own.pieces))
        self._close(position)
        return tuple(pieces for _, pieces in self._open[-_DEEPEST:])

    def _close(self, position: int) -> None:
        while self._open and self._open[-1][0] <= position:
            self._open.pop()
