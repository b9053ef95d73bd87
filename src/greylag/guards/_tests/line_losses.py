"""Tests of Ruby, PHP, Elixir and bats that prove less than before, as far as their lines tell; others are only told."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache

from greylag.diffs import FileDiff
from greylag.guards._cases.line_cases import LineCase, dialect, line_cases
from greylag.guards._cases.line_dialects import HELPERS, UNREAD
from greylag.guards._code.fresh import Mark, fresh
from greylag.guards._code.source import LITERAL, language, plain, scan
from greylag.guards._guard import finding, read
from greylag.kinds import TESTS, matches
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change

_CALLED = re.compile(r"\b(\w+)\(")
_ASSERTING = re.compile(
    r"expect|is_expected|subject|to\w*|not_to\w*|be\w*|eql?|\w*assert\w*|refute\w*|must\w*|wont\w*|this|self|new|run|true|false|nil|null"
)
_BEFORE = r"(?:(?<!\w)|(?<=if)|(?<=while)|(?<=until)|(?<=return)|(?<=do))"  # no longer name: there are no blanks
_LIKE = 30  # new tests that one which is gone is compared with
_ROWS = 500  # new lines that may be rows of a table
_MOST, _WIDEST = 100, 1000  # assertions and tests that are looked at, and characters of a line


def line_losses(change: Change, files: Sequence[FileDiff]) -> Iterator[Diagnostic]:
    """Findings on edited tests, and for each language one that asks people to look."""
    mine = [file for file in files if dialect(file.path) and file.status != "deleted"]
    sides = {
        file.path: (
            line_cases(file.old_path, read(change.base, file.old_path) or "") if file.status != "added" else [],
            line_cases(file.path, read(change.head, file.path) or ""),
        )
        for file in mine
    }
    claims = {claim for _, head in sides.values() for case in head for claim in case.claims}
    for file in mine:
        yield from _compared(change, file, *sides[file.path], claims)
    for file, mark in fresh(change, [file for file in files if matches(file.path, TESTS)], _owned):
        message = f"has `{mark.words}`: an assertion of the test framework is made anew"
        yield finding(change, "tests", "tests/runner", message, file.path, line=mark.line)
    yield from _told(change, files)


def _compared(
    change: Change, file: FileDiff, base: Sequence[LineCase], head: Sequence[LineCase], claims: set[str]
) -> Iterator[Diagnostic]:
    path = file.path
    now = {case.name: case for case in head}
    was = {case.name: case for case in base}
    pairs = [(case, now[name]) for name, case in was.items() if name in now]
    gone = [case for name, case in was.items() if name not in now and case.claims]
    come = [case for name, case in now.items() if name not in was]
    same = {frozenset(case.claims): case for case in come}
    renamed = [(case, new) for case in gone if (new := same.pop(frozenset(case.claims), None))]
    pairs += renamed
    taken = {case.name for both in renamed for case in both}
    gone = [case for case in gone if case.name not in taken and not claims.issuperset(case.claims)]
    come = [case for case in come if case.name not in taken]
    calls = [{*_CALLED.findall("\n".join(case.claims)[:_WIDEST])} for case in come[:_MOST]] if gone else []
    lines = _new_lines(change, file) if gone and come else []
    rows = {case.name for case in gone[:_MOST] if _is_row(case, calls, lines)}
    for old in gone:
        fits = (new for new in come[:_LIKE] if _alike(old, new) and not _loss(old, new))
        if (fit := next(fits, None)) is not None:
            come.remove(fit)
        elif old.name not in rows:
            message = f"removes the test `{old.name}`" + (", and no new one asserts as much" if come else "")
            yield finding(change, "tests", "tests/deleted-test", message, path)
    for old, new in pairs:
        if loss := _loss(old, new):
            rule, words = loss
            message = f"`{new.name}` {words}"
            yield finding(change, "tests", f"tests/{rule}", message, path, line=new.line)


def _loss(old: LineCase, new: LineCase) -> tuple[str, str] | None:
    if old.claims and (fault := min(new.faults - old.faults, default="")):
        return "swallowed", f"{fault} now"
    if old.claims and not new.claims:
        return "fewer-assertions", f"asserts nothing that could fail: {len(old.claims)} assertions before"
    gone = set(old.claims) - set(new.claims)
    if len(new.claims) < len(old.claims) and (new.idle > old.idle or _within(gone, new.others)):
        return "swallowed", "has an assertion that cannot fail any more"
    if new.exact < old.exact and new.weak > old.weak:
        return "weaker-assertions", f"asserts less exactly: {old.exact} exact assertions before, {new.exact} now"
    return None


def _alike(old: LineCase, new: LineCase) -> bool:
    """Whether two may be one test that was edited; one without a name or without words may be any."""
    before, after = _words(old), _words(new)
    return old.name.startswith("it ") or not before or not after or not before.isdisjoint(after)


@lru_cache(maxsize=512)
def _words(case: LineCase) -> frozenset[str]:
    """What a test is about: the words of its assertions that do not assert."""
    found = re.findall(r"[A-Za-z_]\w*+", "\n".join(case.claims)[:_WIDEST])
    return frozenset(word for word in found if not _ASSERTING.fullmatch(word))


def _new_lines(change: Change, file: FileDiff) -> list[str]:
    before, after = read(change.base, file.old_path) or "", read(change.head, file.path) or ""
    there = set(before.split("\n"))
    return [plain(line[:_WIDEST]) for line in after.split("\n") if line not in there][:_ROWS]


def _is_row(old: LineCase, calls: Sequence[set[str]], lines: Sequence[str]) -> bool:
    """Whether all values of a test stand on one new line, and a new test calls what it called."""
    said = "\n".join(old.claims)[:_WIDEST]
    values, called = {*LITERAL.findall(said)}, {*_CALLED.findall(said)}
    alike = bool(values) and any(called <= some for some in calls)
    return alike and any(all(value in line for value in values) for line in lines)


def _within(gone: set[str], others: Sequence[str]) -> bool:
    """Whether an assertion is still there, within something that keeps it from failing."""
    said = "\n".join(others)
    return any(re.search(rf"{_BEFORE}{re.escape(claim)}", said) for claim in sorted(gone)[:_MOST])


def _owned(path: str, text: str) -> Iterator[Mark]:
    """Assertions that a file of tests makes itself."""
    how = dialect(path)
    owns = how.owns if how else HELPERS.get(path.rpartition(".")[2].lower())
    for number, line in enumerate(scan(text, how.family if how else "hash").code.split("\n") if owns else (), 1):
        if owns and (match := owns.search(line[:_WIDEST])):
            yield Mark(plain(match[0]), number, " ".join(match[0].split()))


def _told(change: Change, files: Sequence[FileDiff]) -> Iterator[Diagnostic]:
    """That tests were edited in a language that no guard understands: once for each."""
    edited: defaultdict[str, list[str]] = defaultdict(list)
    for file in files:
        how, suffix = dialect(file.path), file.path.rpartition(".")[2].lower()
        name = how.name if how else UNREAD.get(suffix, "")
        known = language(file.path) is not None and matches(file.path, TESTS)
        if name and known and file.status in {"modified", "renamed"} and any(map(_says, file.removed)):
            edited[f"{name}, which guards read line by line only" if how else f"{name}, which no guard reads"].append(
                file.path
            )
    for what, paths in sorted(edited.items()):
        more = f" and {len(paths) - 1} more files" if len(paths) > 1 else ""
        message = f"edits tests in {what} ({paths[0]}{more}): look whether they prove what they did"
        yield finding(change, "tests", "tests/unread", message, paths[0], severity=Severity.WARNING)


def _says(line: object) -> bool:
    text = str(getattr(line, "text", "")).strip()
    return bool(text) and not text.startswith(("#", "//", "*", "/*"))
