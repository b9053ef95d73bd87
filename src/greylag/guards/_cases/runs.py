"""Lines of a diff that were changed together: what is removed in one place, and what came there."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from greylag.diffs import FileDiff, Line
from greylag.guards._cases.cases import unit_tests
from greylag.guards._guard import read
from greylag.protocols import Change

WIDEST, LONGEST = 1000, 200  # characters of a line, and lines of one side, that are looked at
_BEHIND = 3  # lines


class Run(NamedTuple):
    """One place of a file."""

    removed: Sequence[Line]
    added: Sequence[Line]
    after: Sequence[Line] = ()  # what stands behind it on both sides

    @property
    def old(self) -> str:
        """What is removed, as text."""
        return text(self.removed)

    @property
    def new(self) -> str:
        """What came."""
        return text(self.added)

    @property
    def line(self) -> int | None:
        """Where it is in the head, if something came."""
        return self.added[0].new if self.added else None


def text(lines: Sequence[Line]) -> str:
    """Some lines, bounded."""
    return "\n".join(line.text[:WIDEST] for line in lines[:LONGEST])


def runs(file: FileDiff) -> Iterator[Run]:
    """The places of a file, in their order."""
    for _, lines in file.hunks:
        begin, place = 0, 0
        while begin < len(lines):
            place = begin
            while place < len(lines) and lines[place].sign != " ":
                place += 1
            if place > begin:
                part = lines[begin:place]
                behind = lines[place : place + _BEHIND]
                end = next((number for number, line in enumerate(behind) if line.sign != " "), len(behind))
                yield Run(
                    [line for line in part if line.sign == "-"],
                    [line for line in part if line.sign == "+"],
                    behind[:end],
                )
            begin = place + 1


def concerned(change: Change, files: Iterable[FileDiff], *, tests: bool = False) -> Iterator[tuple[FileDiff, Run]]:
    """Places of modified files; where a source has unit tests in it, only those of the one or the other part."""
    for file in files:
        if file.status in {"modified", "renamed"}:
            text_before = read(change.base, file.old_path) or ""
            start = unit_tests(file.old_path, text_before)
            first = text_before.count("\n", 0, start) + 1 if start else 0
            for run in runs(file):
                inner = bool(first and run.removed and (run.removed[0].old or 0) >= first)
                if not first or inner is tests:
                    yield file, run
