"""Numbers of settings and tests by which more passes than before: a raised limit, a longer time, fewer tried inputs."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from greylag.diffs import FileDiff, Line

_BUDGET = re.compile(
    r"max\w*(?:size|warning|error)s?|\blimit\b|--max-(?:warnings|size)|budgets?\b|\bmaxAllowed\w*", re.IGNORECASE
)
_TIME = re.compile(
    r"(?<![\w.])@Timeout\b|\bassertTimeout\w*|\bTIMEOUT\s+\d|\b(?:jest|vi)\.setTimeout|\btimeout\s*=\s*\d+\s*\)|\btestTimeout\b|\.(?:timeout|join|orTimeout|waitFor|wait_for)\(\s*\d[\d_]*L?\s*[,)]|^\s*\},\s*\d+\s*\)"
)
_TRIED = re.compile(
    r"\bwith_cases\b|\bcases\s*:|\bmax_examples\b|\bnumRuns\b|\btries\s*=|\bMaxCount\b|-fuzztime\b|@RepeatedTest\b|\binvocationCount\b"
)
_PLANNED = re.compile(
    r"\b(?:t|assert|test|tap)\.plan\(\s*\d|\bexpect\.assertions\(\s*\d|^\s*plan\(?\s*\d|\bTEST_PLAN\(\s*\d"
)
_ASSERTS = re.compile(r"\b(?:expect|assert|ok|is|like|t)\w*\b[.(]")
_SCORE = re.compile(r"\bmin\w*Score\b")
_NUMBER = re.compile(r"(?<![\w.])(\d{1,9}(?:_\d{3}){0,4}(?:\.\d{1,9})?)\s?([kKmMgG]i?[bB]?|ms|s|m)?(?![\w.])")
_UNITS = {"k": 1e3, "m": 1e6, "g": 1e9, "ms": 1e-3}
_WIDEST = 2000  # characters of a line that are looked at
_MUCH = 5  # times as long: less may be a slow machine


class Limit(NamedTuple):
    """A number that is another one now, with its unit, and what it is."""

    line: Line
    was: str
    now: str


def budgets(file: FileDiff) -> Iterator[Limit]:
    """Limits of a build that accept more: sizes and numbers of warnings raised, scores lowered."""
    yield from (limit for limit, times in _changed(file, _BUDGET) if times > 1)
    yield from (limit for limit, times in _changed(file, _SCORE) if times < 1)


def times(file: FileDiff) -> Iterator[Limit]:
    """Times that a test may take that are many times as long."""
    yield from (limit for limit, times in _changed(file, _TIME) if times >= _MUCH)


def inputs(file: FileDiff) -> Iterator[Limit]:
    """Numbers of inputs with which a property is tried that are many times smaller."""
    yield from (limit for limit, times in _changed(file, _TRIED) if times * _MUCH <= 1)


def plans(file: FileDiff) -> Iterator[Limit]:
    """Numbers of assertions that a test announces, and that are smaller while none of the assertions is removed."""
    if not any(
        _ASSERTS.search(line.text[:_WIDEST]) for line in file.removed if not _PLANNED.search(line.text[:_WIDEST])
    ):
        yield from (limit for limit, times in _changed(file, _PLANNED) if times < 1)


def _changed(file: FileDiff, what: re.Pattern[str]) -> Iterator[tuple[Limit, float]]:
    """Lines that differ in one number from a removed one, and how many times that is what it was."""
    had: defaultdict[str, list[list[tuple[str, str]]]] = defaultdict(list)
    for line in file.removed:
        if what.search(line.text[:_WIDEST]):
            had[_shape(line.text)].append(_NUMBER.findall(line.text[:_WIDEST]))
    for line in file.added:
        before = had.get(_shape(line.text)) if had else None
        if not before or not what.search(line.text[:_WIDEST]):
            continue
        pairs = list(zip(before.pop(0), _NUMBER.findall(line.text[:_WIDEST]), strict=True))
        for was, now in [(was, now) for was, now in pairs if was != now]:
            old, new = _value(*was), _value(*now)
            if old:
                yield Limit(line, " ".join(was).strip(), " ".join(now).strip()), new / old


def _shape(text: str) -> str:
    return _NUMBER.sub("#", text[:_WIDEST].strip().rstrip(","))


def _value(number: str, unit: str) -> float:
    return float(number.replace("_", "")) * _UNITS.get(unit.lower() if unit == "ms" else unit[:1].lower(), 1)
