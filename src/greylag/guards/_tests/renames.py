"""Tests that only got another name, class, block or file: no loss, and still a fact for people and the judge."""

import re
from collections import Counter
from collections.abc import Iterator

from greylag.diffs import FileDiff
from greylag.guards._cases.matching import Found
from greylag.guards._guard import fact
from greylag.guards._tests.classes import renamed
from greylag.guards._tests.pairs import Pairs
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change

_Where = tuple[str, str, str]  # of the head: file; old and new name
_TESTS = re.compile(r"(?:^|_)test|Test|Spec|IT$")


def renames(change: Change, files: list[FileDiff], found: Pairs) -> Iterator[Diagnostic]:
    """One fact for each file, class or block, and each test that was renamed or moved, or is a row of a table now."""
    moved: Counter[_Where] = Counter()
    held: Counter[_Where] = Counter()
    lines: dict[_Where, int] = {}
    for before, after in found.pairs:
        path = after.file.path
        if before.file.old_path != path:
            moved[path, before.file.old_path, path] += 1
        old, new = _place(before), _place(after)
        if old != new:
            held[path, old, new] += 1
            lines.setdefault((path, old, new), after.case.line)
        if _leaf(before) != _leaf(after) and before.case.digest == after.case.digest:
            yield _fact(path, f"renames the test `{_leaf(before)}` to `{_leaf(after)}`", after.case.line)
    for (path, old, _), number in moved.items():
        yield _fact(path, f"moves {_tests(number)} from {old} to {path}")
    for before, after in found.tabled:
        words = f"makes the test `{_leaf(before)}` a row of the table of `{_leaf(after)}`"
        yield _fact(after.file.path, words, after.case.line)
    for one in renamed(change, files):
        where = one.new.file.path, one.old.name, one.new.name
        if where not in held and one.old.name != one.new.name and (one.old.tests or _TESTS.search(one.old.name)):
            yield _fact(
                where[0], f"renames the class `{one.old.name}` to `{one.new.name}`, with the tests that it runs"
            )
    for (path, old, new), number in held.items():
        words = f"moves {_tests(number)} from {_quoted(old)} to {_quoted(new)}"
        yield _fact(path, words, lines[path, old, new])


def _fact(path: str, words: str, line: int | None = None) -> Diagnostic:
    return fact("tests/renamed", words, path, line=line, severity=Severity.INFO)


def _tests(number: int) -> str:
    return "1 test" if number == 1 else f"{number} tests"


def _quoted(place: str) -> str:
    return f"`{place}`" if place else "the top level"


def _place(found: Found) -> str:
    """The class or the blocks that a test is in."""
    if found.case.titles:
        return " > ".join("…".join(title) for title in found.case.titles[:-1])
    return found.case.name.rpartition(".")[0] if found.file.path.endswith(".py") else ""


def _leaf(found: Found) -> str:
    name = re.sub(r"#\d+$", "", found.case.name)
    return name.rpartition(".")[2] if found.file.path.endswith(".py") else name
