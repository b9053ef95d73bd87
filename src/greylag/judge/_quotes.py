"""Whether a quote occurs in the diff: white space is folded, and a line may come without its sign."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from greylag.diffs import FileDiff, Line
from greylag.judge._reveal import reveal

_SHORT = 8  # characters; a quote of fewer must be whole lines, since `if` or `x` is in every diff


@dataclass(frozen=True, slots=True)
class Place:
    """Where a quote was found: the first line of it that changes, as it stands in the diff, and its number in the head.

    A line that is taken away has the number of the line that stands there now, or none.
    """

    path: str
    line: int | None
    text: str


@dataclass(frozen=True, slots=True)
class _Row:
    """A line that was shown: its sign, its text, where it stands in the head, and whether it is a change."""

    sign: str
    text: str
    number: int | None
    changed: bool


@dataclass(frozen=True, slots=True)
class _View:
    """Rows of one file, folded and joined by one blank; `starts` are their offsets."""

    text: str
    starts: tuple[int, ...]
    rows: tuple[_Row, ...]

    def find(self, quote: str, *, changed: bool) -> _Row | None:
        position = self.text.find(quote)
        while position >= 0:
            first = bisect_right(self.starts, position) - 1
            last = bisect_right(self.starts, position + len(quote) - 1) - 1
            hits = [row for row in self.rows[first : last + 1] if row.changed]
            whole = len(quote) >= _SHORT or (position == self.starts[first] and self._ends(position + len(quote)))
            if whole and (hits or not changed):
                return hits[0] if hits else self.rows[first]
            position = self.text.find(quote, position + len(quote))
        return None

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
        """Index of the lines of these files: of those that were shown."""
        return cls(tuple((reveal(file.path), tuple(_views(file))) for file in files))

    def find(self, quote: str, path: str | None = None, *, changed: bool = False) -> Place | None:
        """Where the quote stands: in `path` if it is there, else anywhere. `changed`: not in context lines alone."""
        wanted = [
            text for text in dict.fromkeys((_fold(quote), _fold(_unsigned(quote)))) if any(map(str.isalnum, text))
        ]
        for name, views in sorted(self.files, key=lambda entry: entry[0] != path):
            for text in wanted:
                for view in views:
                    if row := view.find(text, changed=changed):
                        return Place(name, row.number, row.sign + reveal(row.text))
        return None


def _views(file: FileDiff) -> Iterator[_View]:
    """Everything in the diff's order, the file as it is now, and as it was: a quote may leave out the other side."""
    alone = not file.hunks  # a header is a change by itself only where nothing else is
    yield _view([_Row("", line, None, alone) for line in file.header if not line.startswith("index ")])
    rows = [row for _, lines in file.hunks for row in _rows(lines)]
    yield _view(rows, signs=True)
    yield _view(rows)
    yield _view([row for row in rows if row.sign != "-"])
    yield _view([row for row in rows if row.sign != "+"])


def _rows(lines: Sequence[Line]) -> Iterator[_Row]:
    """The lines of one hunk. Where a line was taken away stands the next one of the head, or the last one before."""
    numbers = [line.new for line in lines if line.new]
    passed = 0
    for line in lines:
        near = next(iter(numbers[passed : passed + 1] or numbers[-1:]), None)
        yield _Row(line.sign, line.text, near, line.sign != " ")
        passed += line.new is not None


def _view(rows: Sequence[_Row], *, signs: bool = False) -> _View:
    texts, starts, position = [], [], 0
    kept = []
    for row in rows:
        text = _fold((row.sign if signs and row.changed else "") + reveal(row.text))
        if text:
            texts.append(text)
            starts.append(position)
            kept.append(row)
            position += len(text) + 1
    return _View(" ".join(texts), tuple(starts), tuple(kept))


def _fold(text: str) -> str:
    return " ".join(" ".join(map(reveal, text.split("\n"))).split())


def _unsigned(quote: str) -> str:
    return re.sub(r"^[+-]", "", quote, flags=re.MULTILINE)
