"""Statements that newly sort a value before a test compares it: then any order passes."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence

from greylag.diffs import FileDiff
from greylag.guards._cases.compared import UNORDERED
from greylag.guards._cases.dialects import DIALECTS
from greylag.guards._cases.matching import Found
from greylag.guards._code.fresh import Mark, fresh
from greylag.guards._code.source import language, scan
from greylag.guards._guard import finding
from greylag.model import Diagnostic
from greylag.protocols import Change

_SORTS = re.compile(
    r"^[ \t]*+(?:(?:sort|slices)\.(?:S\w+|Ints|Float64s)\(\s*+(?:sort\.\w+\()?(?P<go>\w++)"
    r"|(?:java\.util\.)?(?:Collections|Arrays)\.sort\(\s*+(?P<java>\w++)"
    r"|(?:std::|ranges::)*(?:stable_)?sort\(\s*+(?P<cpp>\w++)|qsort\(\s*+(?P<c>\w++)"
    r"|(?P<own>\w++)\.(?:sort\w*|reverse)(?:\(|\s*+\{)|(?P<again>\w++)\s*+:?=\s*+(?:sorted|set|list\(set)\(\s*+(?P=again)\b)",
    re.MULTILINE,
)
_GIVEN = re.compile(r"\b(?P<name>\w++)\s*+(?::[^=;\n]{0,100})?:?=(?!=)\s*+(?P<value>[^;\n]{0,300})")
_CALL = re.compile(r"\w\s*+(?:::<[^<>]{0,40}>)?\(")
_MOST = 500  # statements of one file


def sorts(change: Change, files: Sequence[FileDiff], pairs: Sequence[tuple[Found, Found]]) -> Iterator[Diagnostic]:
    """Those in tests that there were; what has no order by itself, such as a listing, may be sorted."""
    lines: defaultdict[str, list[tuple[int, bool]]] = defaultdict(list)
    for before, after in pairs:
        lines[after.file.path].append(
            (after.case.line, not before.case.same(after.case) and before.case.digest != after.case.digest)
        )
    kept = [file for file in files if file.status in {"modified", "renamed"} and lines[file.path]]
    for file, mark in fresh(change, kept, statements):
        own = sorted(lines[file.path])
        number = bisect_right(own, (mark.line, True)) - 1
        begins = {
            line.new for line in file.added if line.new and number >= 0 and own[number][0] < line.new <= mark.line
        }
        if number >= 0 and own[number][1] and mark.line in begins:
            message = f"sorts by `{mark.words}` what it compares: another order passes now"
            yield finding(change, "tests", "tests/weaker-assertions", message, file.path, line=mark.line)


def statements(path: str, text: str) -> Iterator[Mark]:
    """Statements that sort what a call of something has given to a name right before."""
    family = language(path) or ""
    if family not in DIALECTS or "sort" not in text:
        return
    code = scan(text, family).code
    given: dict[str, tuple[int, str]] = {}
    values = list(_GIVEN.finditer(code))
    coming = iter(values)
    ahead = next(coming, None)
    for number, match in enumerate(_SORTS.finditer(code)):
        if number == _MOST:
            return
        while ahead is not None and ahead.start() < match.start():
            if ahead["value"].strip():
                given[ahead["name"]] = ahead.start(), ahead["value"]
            ahead = next(coming, None)
        name = next(filter(None, match.groups()))
        _, value = given.get(name, (0, ""))
        if _CALL.search(value) and not UNORDERED.search(value):
            yield Mark(match[0].strip(), text.count("\n", 0, match.end()) + 1, f"{match[0].strip()}…")
