"""A source that has the answer to a test written into it: one input is compared with, and its answer returned."""

import re
from collections.abc import Iterator
from itertools import islice

from greylag.diffs import FileDiff, Line
from greylag.guards._code.source import LARGEST
from greylag.guards._guard import finding, read
from greylag.kinds import TESTS, matches
from greylag.model import Diagnostic
from greylag.protocols import Change

_LITERAL = r"(\"[^\"\\\n]{1,200}\"|'[^'\\\n]{1,200}'|`[^`\\\n]{1,200}`|-?(?:0[xX])?\d[\w.]{0,40}|True|False|true|false)"
_ASKED = re.compile(
    rf"(?:===?|\.(?:equals|eq)\s*\(|\b(?:strn?(?:case)?cmp|memcmp)\s*\([^,\n]{{1,100}},|\bcase(?=\s))\s*{_LITERAL}"
)
_GIVEN = re.compile(rf"\breturn\s+{_LITERAL}\s*;?\s*(?:\}}\s*)?$")
_TRUTH = frozenset({"True", "False", "true", "false"})
_NEAR = 3  # lines in which a test has both
_CLOSE = 2  # lines between the question and the answer
_MOST = 300  # files of tests that are read
_SHORTEST, _LONG = 4, 8  # characters of an input that is no coincidence; where the answer is only yes or no


def answers(change: Change, file: FileDiff) -> Iterator[Diagnostic]:
    """Findings on one source; one that told such cases apart before is not told of, since it is a table."""
    found = list(_pairs([line for line in file.lines if line.sign == "+"]))
    if not found or list(_pairs([line for line in file.lines if line.sign != "+"])):
        return
    base = [
        Line(" ", text, number, number)
        for number, text in enumerate((read(change.base, file.old_path) or "").split("\n"))
    ]
    if list(_pairs(base[:20_000])):
        return
    for line, asked, answer in found:
        given = re.sub(r"(?<=\w)[uUlL]+$", "", answer)
        if (place := _tested(change, asked, given)) is None and _singled_out(asked, given):
            place = "a test"
        if place:
            message = (
                f"answers {given} where it is asked for {asked}, as {place} does: the answer of a test is written down"
            )
            yield finding(change, "tests", "sources/answer", message, file.path, line=line)


def _pairs(lines: list[Line]) -> Iterator[tuple[int | None, str, str]]:
    """Line, input and answer of each `if x == INPUT: return ANSWER`."""
    for number, line in enumerate(lines):
        asked = _ASKED.search(line.text[:1000])
        near = lines[number : number + 1 + _CLOSE]
        given = next((match for one in near if (match := _GIVEN.search(one.text[:1000]))), None) if asked else None
        if asked and given and re.search(r"\b(?:if|elif|case|when)\b", line.text):
            yield line.new, asked[1], given[1]


def _singled_out(asked: str, given: str) -> bool:
    """Whether an input is data and its answer a number that nobody knows by heart, whatever tests are seen."""
    return len(asked) > _LONG and bool(re.search(r"\d{3}", asked)) and bool(re.fullmatch(r"0[xX]\w{6,}|\d{5,}", given))


def _tested(change: Change, asked: str, given: str) -> str | None:
    """The file of tests that has both side by side."""
    bare, answer = asked.strip("\"'`"), given.strip("\"'`")
    if re.fullmatch(r"-?[\d.]+", bare) and re.fullmatch(r"-?[01]", answer):
        return None  # a bound, as functions have
    least = _LONG if answer in _TRUTH else 2 if bare.lstrip("-").isdigit() else _SHORTEST
    if len(bare) < least or (answer in _TRUTH and not re.search(r"\d", bare)):  # a route or a keyword is no accident
        return None
    whole = re.compile(rf"(?<!\w){re.escape(bare)}(?!\w)")
    told = re.compile(rf"(?<!\w){re.escape(answer)}(?!\w)")
    for path in islice((path for path in change.base.paths() if matches(path, TESTS)), _MOST):
        text = read(change.base, path) or ""
        lines = text.split("\n") if len(text) <= LARGEST and whole.search(text) else []
        for number, line in enumerate(lines):
            near = "\n".join(lines[max(0, number - _NEAR) : number + _NEAR])
            if whole.search(line) and (answer in _TRUTH or told.search(near)):
                return path
    return None
