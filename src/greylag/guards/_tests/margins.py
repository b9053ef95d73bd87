"""Tolerances of tests that have a name, or are an expression: a number in them by which more passes than before."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice

from greylag.diffs import FileDiff
from greylag.guards._cases.compared import sides
from greylag.guards._cases.written import written
from greylag.guards._guard import finding, read
from greylag.model import Diagnostic
from greylag.protocols import Change

_NUMBER = re.compile(r"(?<![\w.])\d[\d_]{0,15}+(?:\.\d{0,15}+)?(?:[eE][-+]?\d{1,3}+)?(?![\w.])")
_GIVEN = re.compile(
    r"\b(?P<name>\w{1,80}+)\s?(?::\s?[\w:]{1,40}\s?)?:?=(?!=)|#\s?define\s{1,9}(?P<defined>\w{1,80}+)\s"
)
_TOLERANCE = re.compile(
    r"tolerance|slack|margin|epsilon|eps$|leeway|jitter|delta|max_?diff|[ra]tol$|deviation|fuzz", re.IGNORECASE
)
_USES = re.compile(  # what stands before a name that is used as one
    r"(?:[<>]=?|\b(?:In(?:Delta|Epsilon)|closeTo|approx|almost\w*|toBeLessThan\w*|within|offset|\w*_NEAR)\b)[^;]*$",
    re.IGNORECASE,
)
_LAST = re.compile(r"\bIn(?:Delta|Epsilon)\w*\(|_NEAR\(|(?:^|\.)assert(?:Array)?Equals\(")  # it is the last argument
_ENDS = re.compile(r"\s?\)\s?;?\s?(?:\n|$)")
_FAR = re.compile(r"abs\w*\(.*(?P<sign>[<>])=?[^,<>]*$", re.IGNORECASE)
_BEYOND = re.compile(r"(?P<sign>[<>])=?[^<>,&|]*(?P<way>[-+])(?:[\w.]+\*)?$")
_WIDEST, _MOST, _LARGEST = 500, 30, 200_000  # characters of a line or claim, claims or lines, characters of a file
_MUCH = 2  # times as wide: less may be a slow machine


def named(change: Change, files: Sequence[FileDiff]) -> Iterator[Diagnostic]:
    """Findings on values of names that comparisons use as a tolerance."""
    for file in files:
        had: defaultdict[str, list[list[str]]] = defaultdict(list)
        for line in file.removed:
            if _name(line.text):
                had[_shape(line.text)].append(_NUMBER.findall(line.text[:_WIDEST]))
        for line in islice((line for line in file.added if _name(line.text)), _MOST) if had else ():
            before = had.get(_shape(line.text))
            if not before or not _grown(before.pop(0), _NUMBER.findall(line.text[:_WIDEST])):
                continue
            if _is_used((read(change.head, file.path) or "")[:_LARGEST], name := _name(line.text)):
                message = f"accepts a wider tolerance: `{name}` is another number now"
                yield finding(change, "tests", "tests/weaker-assertions", message, file.path, line=line.new)


def _name(line: str) -> str:
    match = _GIVEN.search(line[:_WIDEST])
    name = (match["name"] or match["defined"]) if match else ""
    return name if _TOLERANCE.search(name) else ""


def _grown(old: Sequence[str], new: Sequence[str]) -> bool:
    pairs = [(_value(was), _value(now)) for was, now in zip(old, new, strict=True)]
    return any(now >= was * _MUCH > 0 for was, now in pairs)


def _is_used(text: str, name: str) -> bool:
    for match in islice(re.finditer(rf"\b{re.escape(name)}\b", text), _MOST):
        line = text[max(0, match.start() - 200) : match.start()].rpartition("\n")[2]
        if _USES.search(line) or (_LAST.search(line) and _ENDS.match(text, match.end(), match.end() + 20)):
            return True
    return False


def wider(gone: Sequence[str], come: Sequence[str]) -> bool:
    """Whether a claim is another one but for one number of its tolerance, by which that is wider."""
    had: defaultdict[str, list[str]] = defaultdict(list)
    for text in (written(claim)[:_WIDEST] for claim in gone[:_MOST]):
        had[_shape(text)].append(text)
    return any(
        _is_wider(was, text) for text in (written(claim)[:_WIDEST] for claim in come[:_MOST])
        for was in had.get(_shape(text), ())
    )  # fmt: skip


def _is_wider(old: str, new: str) -> bool:
    pairs = [
        (was, now) for was, now in zip(_NUMBER.finditer(old), _NUMBER.finditer(new), strict=True) if was[0] != now[0]
    ]
    if len(pairs) != 1:
        return False
    (was, now), fails = pairs[0], new.startswith("if")
    first, second, ahead = _value(was[0]), _value(now[0]), new[: now.start()]
    grows = 0 < second < first if ahead.endswith("/") else second > first > 0
    if _LAST.search(new) and sides(old)[2:-1] and sides(old)[:-1] == sides(new)[:-1]:
        return grows
    far, beyond = _FAR.search(ahead), _BEYOND.search(ahead)
    if far:
        return grows and (far["sign"] == ">") is fails
    return beyond is not None and grows and ((beyond["sign"] == "<") is (beyond["way"] == "+")) is not fails


def _shape(text: str) -> str:
    return _NUMBER.sub("#", text[:_WIDEST].strip().rstrip(",;"))


def _value(number: str) -> float:
    return float(number.replace("_", ""))
