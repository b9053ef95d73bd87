"""Tolerances of tests that have a name, or are an expression: a number in them by which more passes than before."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from greylag.diffs import FileDiff
from greylag.guards._guard import finding, read
from greylag.guards._written import written
from greylag.model import Diagnostic
from greylag.protocols import Change

_NUMBER = re.compile(r"(?<![\w.])\d[\d_]{0,15}+(?:\.\d{0,15}+)?(?:[eE][-+]?\d{1,3}+)?(?![\w.])")
_NAMED = re.compile(
    r"^\W*(?:[\w:<>]+\s+){0,6}(?P<name>\w*(?:tolerance|slack|margin|epsilon|eps|leeway|jitter|delta|max_?diff|[ra]tol|deviation|fuzz)\w*)"
    r"\s*(?::\s*[\w:]+\s*)?:?=(?!=)",
    re.IGNORECASE,
)
_BOUND = re.compile(  # what stands before a number that says how far off a value may be
    r"(?:[aA]bs\w*\(.*[<>]=?|\bIn(?:Delta|Epsilon)\w*\(.*,.*,|\.closeTo\(|\bapprox\(.*=|_NEAR\(.*,.*,|toBeLessThan\w*\("
    r"|>=?[^<>]*[-/]|<=?[^<>]*[+/])[^,]*"
)
_WIDEST, _MOST = 500, 30  # characters of a line or claim, and claims that are compared one with another
_MUCH = 2  # times as wide: less may be a slow machine


def named(change: Change, files: Sequence[FileDiff]) -> Iterator[Diagnostic]:
    """Findings on values of names that comparisons use as a tolerance."""
    for file in files:
        had: defaultdict[str, list[list[str]]] = defaultdict(list)
        for line in file.removed:
            if _NAMED.match(line.text[:_WIDEST]):
                had[_shape(line.text)].append(_NUMBER.findall(line.text[:_WIDEST]))
        for line in file.added if had else ():
            match = _NAMED.match(line.text[:_WIDEST])
            before = had.get(_shape(line.text)) if match else None
            if match and before and _grown(before.pop(0), _NUMBER.findall(line.text[:_WIDEST])):
                if _compares(read(change.head, file.path) or "", match["name"]):
                    message = f"accepts a wider tolerance: `{match['name']}` is another number now"
                    yield finding(change, "tests", "tests/weaker-assertions", message, file.path, line=line.new)


def _grown(old: Sequence[str], new: Sequence[str]) -> bool:
    pairs = [(_value(was), _value(now)) for was, now in zip(old, new, strict=True)]
    return any(now >= was * _MUCH > 0 for was, now in pairs)


def _compares(text: str, name: str) -> bool:
    use = rf"(?:[<>]=?|\b(?:In(?:Delta|Epsilon)|closeTo|approx|almost\w*|toBeLessThan\w*|within|offset|assert\w*|\w*_NEAR)\b[^\n;]{{1,200}})\s*[^\n;]{{0,40}}\b{re.escape(name)}\b"
    return re.search(use, text[:200_000], re.IGNORECASE) is not None


def wider(gone: Sequence[str], come: Sequence[str]) -> bool:
    """Whether a claim is another one but for one number of its tolerance, by which that is wider."""
    had: defaultdict[str, list[str]] = defaultdict(list)
    for claim in gone[:_MOST]:
        had[_shape(text := written(claim)[:_WIDEST])].append(text)
    for text in (written(claim)[:_WIDEST] for claim in come[:_MOST]):
        if any(_is_wider(was, text) for was in had.get(_shape(text), ())):
            return True
    return False


def _is_wider(old: str, new: str) -> bool:
    before, after = list(_NUMBER.finditer(old)), list(_NUMBER.finditer(new))
    pairs = [(was, now) for was, now in zip(before, after, strict=True) if was[0] != now[0]]
    if len(pairs) != 1:
        return False
    was, now = pairs[0]
    ahead = new[: now.start()]
    if not _BOUND.search(ahead):
        return False
    first, second = _value(was[0]), _value(now[0])
    return 0 < second < first if ahead.endswith("/") else second > first > 0


def _shape(text: str) -> str:
    return _NUMBER.sub("#", text[:_WIDEST].strip().rstrip(",;"))


def _value(number: str) -> float:
    return float(number.replace("_", ""))
