"""Assertions that come after a `return` of their test: JavaScript, Java."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from greylag.guards._cases.deferred import Nesting, nesting_of

_RETURN = re.compile(r"\breturn\b")
_BLOCKS = frozenset(
    {
        "if",
        "for",
        "foreach",
        "while",
        "switch",
        "catch",
        "with",
        "synchronized",
        "try",
        "using",
        "lock",
        "when",
        "fixed",
    }
)
_CASE = re.compile(r"\b(?:case\b[^;{}]{0,200}|default\s*)->\Z")
_TYPED = re.compile(r"\)\s*(?::[^=(){};]{1,100}|throws\b[\w\s,.]{1,200})\Z")
_STOP = re.compile(r"[(){}\[\];\n]")
_GOES_ON = re.compile(r"\s*+[.?:&|+*/=<>-]")
_NEAR, _DEEP, _MOST = 200, 50, 500  # characters before a bracket, brackets around a place, returns of one test


def returned(code: str, span: tuple[int, int], starts: Sequence[int]) -> Iterator[int]:
    """Which of the assertions at `starts` may be left out by a `return` before them, in the same function."""
    nesting, over = nesting_of(code), 0
    for number, match in enumerate(_RETURN.finditer(code, *span)):
        if number == _MOST or not starts or match.start() >= starts[-1]:
            return
        if match.start() < over:
            continue  # what is behind it is marked by now
        begin, end = _function(code, span, nesting, match.start())
        block, last = nesting.around(match.start()) or span, _statement(code, nesting, match.end())
        own = bisect_left(starts, max(begin, block[0])), bisect_right(starts, last)
        if begin < block[0] and own[0] < own[1]:
            continue  # the branch asserts in its own way
        if bisect_left(starts, match.start()) < own[1]:
            continue  # it returns what it asserts
        over = end if begin <= span[0] else over
        yield from range(own[1], bisect_left(starts, end))


def _function(code: str, span: tuple[int, int], nesting: Nesting, place: int) -> tuple[int, int]:
    """The body of the innermost function around a place; the whole test where there is none."""
    around = nesting.around(place)
    for _ in range(_DEEP):
        if around is None or around[0] <= span[0]:
            break
        if code[around[0]] == "{" and _is_body(code, nesting, around[0]):
            return around
        around = nesting.around(around[0])
    return span


def _is_body(code: str, nesting: Nesting, bracket: int) -> bool:
    low = max(0, bracket - _NEAR)
    near = code[low:bracket].rstrip()
    if near.endswith(("=>", "->")):
        return not _CASE.search(near)
    if typed := _TYPED.search(near):
        near = near[: typed.start() + 1]
    if not near.endswith(")"):
        return False
    start = nesting.start(low + len(near) - 1, code)
    word = re.search(r"(\w+)\s*(?:<[^<>]{0,50}>)?\Z", code[max(0, start - 80) : start])
    return word is None or word[1] not in _BLOCKS


def _statement(code: str, nesting: Nesting, place: int) -> int:
    """Where the statement ends that a `return` at a place begins."""
    for _ in range(_DEEP):
        stop = _STOP.search(code, place)
        if stop is None:
            return len(code)
        if stop[0] in "({[":
            place = nesting.end(stop.start())
        elif stop[0] == "\n" and _GOES_ON.match(code, stop.end()):
            place = stop.end()
        else:
            return stop.start()
    return place
