"""Comparisons in tests of JavaScript and languages like Java, with the values of names put for them."""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from greylag.guards._cases.compared import RAISED, WIDEST, Compared, sides
from greylag.guards._cases.deferred import nesting_of
from greylag.guards._code.source import Source, plain, scan

_EQUAL = re.compile(
    r"(?:\w+\.)*(?:assert(?:Equals|Same|ArrayEquals|IterableEquals|StrictEquals)|XCTAssertEqual|Assert\.(?:Equal|AreEqual|Same)"
    r"|(?:assert|t)\.(?:equals?|strictEqual|deepEqual|deepStrictEqual|is|same)|(?:strictE|deepE|deepStrictE)qual)\("
)
_CHAINED = re.compile(
    r"(?:\w+\.)*(?:expect|assertThat)\((.*)\)(?:\.(?:to|be|resolves))*"
    r"\.(?:toBe|toEqual|toStrictEqual|eql?|equals?|isEqualTo|isSameAs)\((.*)\)", re.DOTALL,
)  # fmt: skip
_THROWN = re.compile(r"throws|rejects|[tT]hrow|Thrown")
_ASSIGNED = re.compile(r"(?<![\w.$])(?:this\.)?([A-Za-z_$][\w$]*)\s*+(?::[^=;(){}\n]{0,100})?=(?![=>])\s*+")
_CHANGED = re.compile(r"[;{}\n]\s*+(?:await\s+)?([A-Za-z_$][\w$]*)(?>(?:\.\w+)+)\s*+\(")
_STOP = re.compile(r"[(){}\[\];,\n]")
_GOES_ON = re.compile(r"\s*+[.?:&|+]")
_OBJECT = re.compile(r"[\[{]|new(?=[A-Z])|function\b|async\b|class\b|.*=>|.*->", re.DOTALL)  # may be changed later
_NAME = re.compile(
    r"\"(?>(?:[^\"\\]|\\.)*)\"|'(?>(?:[^'\\]|\\.)*)'|`(?>(?:[^`\\]|\\.)*)`"
    r"|(?<![\w.$])(?P<name>[A-Za-z_$][\w$]*+)(?![\w$]|\(|:)"
)
_BODY = re.compile(
    r"\"(?>(?:[^\"\\]|\\.)*)\"|'(?>(?:[^'\\]|\\.)*)'|`(?>(?:[^`\\]|\\.)*)`|(?P<open>(?:=>|->|\)|function\(\))?\{)|[()}]|\bthrow|;throw"
)
_MOST = 20_000  # assignments of a file that are looked at
_OFTEN = 30  # names of one side that are put for their values


def both(claim: str) -> tuple[str, str] | None:
    """Both sides of an assertion that compares for equality."""
    if chained := _CHAINED.fullmatch(claim):
        return chained[1], chained[2]
    found = sides(claim)[:2] if _EQUAL.match(claim) else []
    return (found[0], found[1]) if len(found) == 2 and found[0] else None


def alike(claims: Iterable[str]) -> int:
    """How many claims compare something with itself."""
    pairs = (both(claim) for claim in claims if len(claim) < 2 * WIDEST)
    return sum(1 for pair in pairs if pair and pair[0] == pair[1])


def compared(
    source: Source, family: str, span: tuple[int, int], starts: Sequence[int], claims: Sequence[str]
) -> Iterator[Compared]:
    """The comparisons of a test that is at `span`, by its assertions and where they begin."""
    values = _values(source.text, family)
    for start, claim in zip(starts, claims, strict=True):
        if len(claim) > 2 * WIDEST:
            continue
        if found := both(claim):
            yield Compared(*(_Put(values, span).all(side, start) for side in found))
        elif _THROWN.search(claim):
            yield Compared("thrown", RAISED if _throws_itself(claim) else "by what is tested")


def _throws_itself(claim: str) -> bool:
    """Whether the function that is expected to throw does so by a statement of its own."""
    if re.search(r"(?:expect|rejects)\(Promise\.reject\(", claim):
        return True
    depth, body = 0, 0
    for match in _BODY.finditer(claim):
        if match["open"]:
            depth -= match[0].startswith(")")
            body = body or (2 if depth == 1 and len(match[0]) > 1 else 0)
            depth += 1
        elif match[0] == "(":
            depth += 1
        elif match[0] in ")}":
            depth -= 1
            if body and depth < body:
                return False
        elif match[0].endswith("throw") and body and depth == body:
            return True
    return False


# -- what names stand for --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Values:
    """Assignments of a file by names, as begin, end, text and the end of the block; where names are called on."""

    given: dict[str, list[tuple[int, int, str, int]]]
    changed: dict[str, list[int]]


@lru_cache(maxsize=8)
def _values(text: str, family: str) -> _Values:
    source = scan(text, family)
    nesting = nesting_of(source.code)
    given: defaultdict[str, list[tuple[int, int, str, int]]] = defaultdict(list)
    changed: defaultdict[str, list[int]] = defaultdict(list)
    for number, match in enumerate(_ASSIGNED.finditer(source.code)):
        if number == _MOST:
            break
        end = _end(source.code, match.end())
        value = plain(text[match.end() : end])
        around = nesting.around(match.start())
        block = around[1] if around else len(text)
        given[match[1]].append((match.start(), end, "" if _OBJECT.match(value) else value, block))
    for match in _CHANGED.finditer(source.code):
        changed[match[1]].append(match.start(1))
    return _Values(given, changed)


def _end(code: str, begin: int) -> int:
    """Where a value ends; its beginning for one that is too long."""
    depth = 0
    for stop in _STOP.finditer(code, begin, begin + WIDEST):
        depth += (stop[0] in "([{") - (stop[0] in ")]}")
        ends = depth < 0 or (depth == 0 and stop[0] in ",;\n")
        if ends and not (stop[0] == "\n" and _GOES_ON.match(code, stop.start())):
            return stop.start()
    return begin


@dataclass
class _Put:
    """Puts values for names, not on and on."""

    values: _Values
    span: tuple[int, int]
    left: int = field(default=_OFTEN)

    def all(self, text: str, place: int) -> str:
        """A text as it stands at a place, with values for names; as it is when it would get too long."""
        found = _NAME.sub(lambda match: self._value(match["name"], place) or match[0], text)
        return found if len(found) <= WIDEST else text

    def _value(self, name: str | None, place: int) -> str | None:
        given = self.values.given.get(name or "", [])
        if not name or not given or self.left <= 0:
            return None
        self.left -= 1
        before = bisect_left(given, (place,)) - 1
        found = given[before] if before >= 0 and given[before][0] >= self.span[0] else None
        if found is None and len(given) == 1 and not self.span[0] <= given[0][0] < self.span[1]:
            found = given[0]  # the only one of the file
        if found is None:
            return None
        begin, end, text, block = found
        changed = self.values.changed.get(name, [])
        later = bisect_left(changed, end)
        inner = block < place and begin >= self.span[0]  # in a callback, or under a condition: who knows
        if not text or inner or (later < len(changed) and changed[later] < place):
            return None
        return self.all(text, begin)
