"""Bounds of assertions that let more through: a larger number below which a value must be, `<=` in place of `<`."""

import re
from collections.abc import Iterator
from math import prod
from typing import NamedTuple

from greylag.guards._cases.compared import sides

_NUMBER = r"-?\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?"
_ENDING = r"(?:[uUlLfFdDn]|us(?:ize)?|[ui]\d\d?|f\d\d)*(?![\w.])"
_NAME = re.compile(
    r"(?<![\w.])(?P<name>[\w.]{0,80}?(?:(?i:less|greater|below|above|at[_.]?most|at[_.]?least|between|range|within_)|_[LG][TE]\b|_WITHIN\b)[\w.]{0,40})"
    r"(?:<[^<>()]{0,50}>)?\((?P<given>[^()]{0,300}(?:\([^()]{0,200}\)[^()]{0,200}){0,3})\)"
)
_BETWEEN = re.compile(r"between|in_?range|range\.(?:open|closed)|within_", re.IGNORECASE)
_UPWARD = re.compile(r"less|below|at[_.]?most|_L[TE]\b", re.IGNORECASE)
_CLOSED = re.compile(r"equal|at[_.]?most|at[_.]?least|_[LG]E\b", re.IGNORECASE)
_SIGNED = re.compile(
    rf"(?:(?<![\w.])(?P<left>{_NUMBER}){_ENDING})?(?<![<>=!&|-])(?P<sign>[<>]=?)(?![<>=])"
    rf"(?:(?P<of>(?:[A-Za-z_][\w.]{{0,60}}(?:\(\))?\*)?)(?P<right>{_NUMBER}(?:\*{_NUMBER}){{0,3}}){_ENDING})?"
)
_SPAN = re.compile(
    rf"(?:(?<=\bin)|(?<=[)\]]in)|(?<![\w.]))(?P<low>{_NUMBER})(?P<dots>\.\.[=<]?|\.\.\.)(?P<high>{_NUMBER}){_ENDING}"
)
_LAST = re.compile(rf"(?:^|,)(?P<number>{_NUMBER}){_ENDING}(?=,[\"'`]|$)")
_FIRST = re.compile(rf"^(?:t,)?(?P<number>{_NUMBER}){_ENDING},(?!{_NUMBER})")
_TIME = re.compile(
    r"(?:(?<![\w.])(?P<of>\d{1,9})\*)?(?<![\w.])(?:time\.)?(?P<go>Nanosecond|Microsecond|Millisecond|Second|Minute|Hour)\b"
    r"|Duration(?:::|\.)(?:from_|of)(?P<unit>\w{1,12})\((?P<number>\d{1,9})\)"
)
_UNITS = {"nano": 1e-6, "micro": 1e-3, "milli": 1, "second": 1e3, "sec": 1e3, "minute": 6e4, "min": 6e4, "hour": 3.6e6}
_TIMED = re.compile(r"(?:\w+\.)*assertTimeout\w*\(")
_WIDEST = 1000  # characters of a claim
_MUCH = 5  # times as long: less may be a slow machine


class Bound(NamedTuple):
    """`side` is 1 for a number that a value may not pass upwards, -1 downwards; `open` without the number itself."""

    side: int
    open: bool
    number: float


def wider(old: str, new: str) -> bool:
    """Whether a claim is another one but for its bounds, and one of these lets more through, and none less."""
    if old == new or max(len(old), len(new)) > _WIDEST:
        return False
    if _TIMED.match(old) and _TIMED.match(new):
        return _takes(new) >= _MUCH * _takes(old) > 0
    (shape, before), (other, after) = (_bounds(_TIME.sub(_in_time, claim)) for claim in (old, new))
    if shape != other or len(before) != len(after) or not before:
        return False
    pairs = list(zip(before, after, strict=True))
    if old.startswith("if"):  # when it fails, and not when it holds
        pairs = [(now, was) for was, now in pairs]
    return all(was.side == now.side for was, now in pairs) and (
        any(_more(was, now) for was, now in pairs) and not any(_more(now, was) for was, now in pairs)
    )


def _takes(claim: str) -> float:
    """The time in milliseconds that code may take; 0 where it is not written."""
    match = re.fullmatch(r"([\d.]+)\*time", _TIME.sub(_in_time, sides(claim)[0]))
    return float(match[1]) if match else 0.0


def _in_time(match: re.Match[str]) -> str:
    """A duration in milliseconds, so that units may differ."""
    unit = (match["go"] or match["unit"]).lower()
    factor = next((factor for name, factor in _UNITS.items() if unit.startswith(name)), 0)
    return f"{float(match['of'] or match['number'] or 1) * factor:.6f}*time" if factor else match[0]


def _more(was: Bound, now: Bound) -> bool:
    return was.side * now.number > was.side * was.number or (was.number == now.number and was.open and not now.open)


def _bounds(claim: str) -> tuple[str, list[Bound]]:
    """The claim without its bounds, and these in their order."""
    found: list[Bound] = []
    shape, position = [], 0
    for match in _NAME.finditer(claim):
        own = list(_named(match))
        if own and match.start() >= position:
            found += own
            given = re.sub(_NUMBER, "#", match["given"])
            shape += [
                _masked(claim[position : match.start()], found),
                f"{'?' if _BETWEEN.search(match['name']) else '@'}({given})",
            ]
            position = match.end()
    shape.append(_masked(claim[position:], found))
    return "".join(shape), found


def _masked(text: str, found: list[Bound]) -> str:
    """A part of a claim with signs and spans taken out, which are put to `found`."""
    for match in _SPAN.finditer(text):
        found += [Bound(-1, False, _float(match["low"])), Bound(1, "=" not in match["dots"], _float(match["high"]))]
    text = _SPAN.sub("#..#", text)
    for match in _SIGNED.finditer(text):
        upward, is_open = match["sign"][0] == "<", len(match["sign"]) == 1
        if match["right"]:
            found.append(Bound(1 if upward else -1, is_open, _float(match["right"])))
        elif match["left"]:
            found.append(Bound(-1 if upward else 1, is_open, _float(match["left"])))
        else:
            found.append(Bound(1 if upward else -1, is_open, 0.0))
    return _SIGNED.sub(
        lambda match: f"{'#' if match['left'] else ''}@{match['of'] or ''}{'#' if match['right'] else ''}", text
    )


def _named(match: re.Match[str]) -> Iterator[Bound]:
    name, given = match["name"], match["given"]
    if _BETWEEN.search(name):
        numbers = re.findall(rf"(?<![\w.]){_NUMBER}(?![\w.])", given)[-2:]
        if len(numbers) == 2:
            is_open = "open" in name.lower()
            yield from (Bound(-1, is_open, _float(numbers[0])), Bound(1, is_open, _float(numbers[1])))
        return
    if name.endswith("_WITHIN"):
        if first := re.match(rf"({_NUMBER}){_ENDING},", given):
            yield Bound(1, False, _float(first[1]))
        return
    side, is_open = 1 if _UPWARD.search(name) else -1, not _CLOSED.search(name)
    if last := _LAST.search(given):
        yield Bound(side, is_open, _float(last["number"]))
    elif first := _FIRST.match(given):
        yield Bound(-side, is_open, _float(first["number"]))
    elif "," in given:
        yield Bound(side, is_open, 0.0)


def _float(text: str) -> float:
    return prod(float(part) for part in text.replace("_", "").split("*"))
