"""Whether a quote occurs in the diff: white space is folded, and a line may come without its sign."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from greylag.diffs import FileDiff, Line
from greylag.judge._reveal import reveal

_SHORT = 8  # characters; a quote of fewer must be whole lines, since `if` or `x` is in every diff


@dataclass(frozen=True, slots=True)
class Place:
    """Where a quote was found; `line` counts from 1 in the head, or in the base for a removed line."""

    path: str
    line: int | None


@dataclass(frozen=True, slots=True)
class _View:
    """Lines of one file, folded and joined by one blank; `starts` are their offsets."""

    text: str
    starts: tuple[int, ...]
    lines: tuple[int | None, ...]
    changed: tuple[bool, ...]

    def find(self, quote: str, *, changed: bool) -> tuple[bool, int | None]:
        position = self.text.find(quote)
        while position >= 0:
            first = bisect_right(self.starts, position) - 1
            last = bisect_right(self.starts, position + len(quote) - 1) - 1
            hits = [n for n in range(first, last + 1) if self.changed[n]]
            whole = len(quote) >= _SHORT or (position == self.starts[first] and self._ends(position + len(quote)))
            if whole and (hits or not changed):
                return True, self.lines[hits[0] if hits else first]
            position = self.text.find(quote, position + len(quote))
        return False, None

    def _ends(self, end: int) -> bool:
        """Whether a line ends there."""
        after = bisect_right(self.starts, end)
        return end == len(self.text) or self.starts[after : after + 1] == (end + 1,)


@dataclass(frozen=True)
class Quotable:
    """The part of a diff that a model was shown, ready for looking up its quotes."""

    files: tuple[tuple[str, tuple[_View, ...]], ...]

    @classmethod
    def of(cls, files: Iterable[FileDiff]) -> "Quotable":
        """Index of the files that were shown in full."""
        return cls(tuple((reveal(file.path), tuple(_views(file))) for file in files))

    def find(self, quote: str, path: str | None = None, *, changed: bool = False) -> Place | None:
        """Where the quote stands: in `path` if it is there, else anywhere. `changed`: not in context lines alone."""
        wanted = [
            text for text in dict.fromkeys((_fold(quote), _fold(_unsigned(quote)))) if any(map(str.isalnum, text))
        ]
        for name, views in sorted(self.files, key=lambda entry: entry[0] != path):
            for text in wanted:
                for view in views:
                    found, line = view.find(text, changed=changed)
                    if found:
                        return Place(name, line)
        return None


def _views(file: FileDiff) -> Iterator[_View]:
    """Everything in the diff's order, the file as it is now, and as it was: a quote may leave out the other side."""
    lines = tuple(file.lines)
    sign: Literal[" ", "+"] = " " if file.hunks else "+"  # a header is a change by itself only where nothing else is
    yield _view(tuple(Line(sign, line, None, None) for line in file.header if not line.startswith("index ")))
    yield _view(lines, signs=True)
    yield _view(lines)
    yield _view(tuple(line for line in lines if line.sign != "-"))
    yield _view(tuple(line for line in lines if line.sign != "+"))


def _view(lines: Sequence[Line], *, signs: bool = False) -> _View:
    texts, starts, position = [], [], 0
    kept = []
    for line in lines:
        text = _fold((line.sign if signs and line.sign != " " else "") + reveal(line.text))
        if text:
            texts.append(text)
            starts.append(position)
            kept.append(line)
            position += len(text) + 1
    numbers = tuple(line.new or line.old for line in kept)
    return _View(" ".join(texts), tuple(starts), numbers, tuple(line.sign != " " for line in kept))


def _fold(text: str) -> str:
    return " ".join(" ".join(map(reveal, text.split("\n"))).split())


def _unsigned(quote: str) -> str:
    return re.sub(r"^[+-]", "", quote, flags=re.MULTILINE)
