"""What assertions of Go, Rust and C compare, with the values of the test's own names put in: both sides, plainly."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from greylag.guards._cases.compared import sides
from greylag.guards._code.given import given_values, resolved
from greylag.guards._code.source import LITERAL, Source

Pair = tuple[str, str]
_ALIKE = re.compile(
    r"(?:(?:assert|require|is|qt)\.(?:\w*Equal(?:f|Values|Error)?|Samef?|Exactlyf?|JSONEq)|(?:debug_)?assert_eq!|\w*ASSERT_EQUAL\w*"
    r"|(?:ASSERT|EXPECT)_\w*EQ|BOOST_\w+_EQUAL|(?:ck|cr|g)_\w*(?:_eq|cmp\w+)|STRCMP_EQUAL|LONGS_EQUAL)\("
)
_TRUTH = re.compile(
    r"(?:(?:assert|require|is)\.(?:Truef?)|(?:debug_)?assert!|assert|CHECK|REQUIRE|(?:ASSERT|EXPECT|TEST_ASSERT)(?:_TRUE)?|TEST_ASSERT"
    r"|BOOST_(?:CHECK|REQUIRE|TEST)|ck_assert|cr_assert)\("
)
_EQUAL = re.compile(
    r"!?(?:reflect\.DeepEqual|bytes\.Equal|cmp\.(?:Equal|Diff)|slices\.Equal|maps\.Equal|str(?:case)?cmp|memcmp)\("
)
_STRING = re.compile(r"\"(?>(?:[^\"\\]|\\.)*)\"|'(?>(?:[^'\\]|\\.){1,9})'|`(?>[^`]*)`")
_LONGEST, _MOST = 1000, 200  # characters of an expression, and claims of a test, that are looked at


def compared(source: Source, family: str, span: tuple[int, int], claims: Sequence[str]) -> tuple[Pair, ...]:
    """The two sides of each comparison, in the order of the test."""
    found = [pair for claim in claims[:_MOST] for pair in _pairs(claim[:_LONGEST])]
    given = given_values(source, family, span) if found else {}
    return tuple((resolved(left, given | own), resolved(right, given | own)) for left, right, own in found)


def _pairs(claim: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Sides as they are written, with what the head of an `if` names."""
    own: dict[str, str] = {}
    if claim.startswith("if"):
        *before, condition = operators(claim.removeprefix("if"), (";",))
        for name, value in (
            match.groups() for one in before if (match := re.match(r"(\w+)(?:,\w+)?:=(.*)", one, re.DOTALL))
        ):
            own[name] = value
        yield from ((left, right, own) for left, right in _operands(condition))
    elif len(both := alike_sides(claim)) == 2:
        yield both[0], both[1], own
    else:
        yield from ((left, right, own) for left, right in _operands(truth(claim)))


def alike_sides(claim: str) -> list[str]:
    """The two sides that an assertion says to be equal; none where it is of another kind."""
    return sides(claim)[_first(claim) :][:2] if _ALIKE.match(claim) else []


def truth(claim: str) -> str:
    """The condition that an assertion says to hold; empty where it is of another kind."""
    found = sides(claim)[_first(claim) :] if _TRUTH.match(claim) else []
    return found[0] if found else ""


def _first(claim: str) -> int:
    """How many arguments stand before what is compared: the `t` of testify."""
    return 1 if claim.startswith(("assert.", "require.")) else 0


def _operands(condition: str) -> Iterator[Pair]:
    for part in operators(condition, ("||", "&&")):
        both = operators(part, ("==", "!="))
        if found := _EQUAL.match(both[0]):
            arguments = sides(both[0].removeprefix("!"))
            if len(arguments) >= 2 and found.end():
                yield arguments[0], arguments[1]
        elif len(both) == 2:
            yield both[0], both[1]


_TOKEN = re.compile(rf"{_STRING.pattern}|[()\[\]{{}}]|\|\||&&|==|!=|;|[^()\[\]{{}}\"'`|&=!;]+|.", re.DOTALL)


def operators(text: str, marks: tuple[str, ...]) -> list[str]:
    """The parts of an expression between these operators, outside of brackets."""
    found, depth = [""], 0
    for match in _TOKEN.finditer(text):
        depth += (match[0] in "([{") - (match[0] in ")]}")
        if depth == 0 and match[0] in marks:
            found.append("")
        else:
            found[-1] += match[0]
    return found


_CALLED = re.compile(r"(?<!\w)(?:\w+(?:\.|::))*(\w+)\(")
_WORDS = """
len cap size count length string String to_string Sprint Sprintf strlen sizeof int int32 int64 uint float64 byte
rune Some Ok Err Box vec abs min max new from into New From unwrap clone iter collect Error error
"""
_MEASURES = frozenset(_WORDS.split())  # functions that measure or wrap a value, and are not what is tested


def circular(before: Sequence[Pair], after: Sequence[Pair]) -> bool:
    """Whether a value that was compared with another is compared with itself now, or with what its code returns."""
    vain, solid = ([sum(map(one, pairs)) for pairs in (before, after)] for one in (_is_vain, _is_solid))
    gone, come = Counter(before) - Counter(after), Counter(after) - Counter(before)
    if vain[1] > vain[0]:
        was = {side for pair in gone if _is_solid(pair) for side in pair if "(" in side}
        return solid[1] < solid[0] or any(side in was for pair in come if _is_vain(pair) for side in pair)
    same = [sum(bool(_callee(left) & _callee(right)) for left, right in pairs) for pairs in (before, after)]
    fixed = {name for pair in gone for one, other in (pair, pair[::-1]) if not _names(one) for name in _callee(other)}
    again = any(fixed.intersection(_callee(left), _callee(right)) for left, right in come)
    return solid[1] <= solid[0] and same[1] > same[0] and again


def _is_vain(pair: Pair) -> bool:
    left, right = pair
    return (left == right and "(" in left) or (bool(left and right) and not (_names(left) or _names(right)))


def _is_solid(pair: Pair) -> bool:
    return not _is_vain(pair)


def _names(text: str) -> bool:
    return re.search(r"[A-Za-z_]", re.sub(r"\b\d[\w.]*", "", _STRING.sub("", text))) is not None


def _callee(side: str) -> set[str]:
    match = _CALLED.match(side)
    return {match[1]} - _MEASURES if match else set()


def asked(old_rows: Iterable[str], new_rows: Iterable[str], pairs: Sequence[Pair]) -> bool:
    """Whether rows that said what to expect now ask the function for it that they are compared with."""
    was, now = set(old_rows), set(new_rows)
    tested = {name for pair in pairs[:_MOST] for side in pair for name in _callee(side)}
    for name in tested if was - now and now - was else ():
        call = re.compile(rf"(?<!\w)(?:\w+(?:\.|::))?{re.escape(name)}\((?>(?:[^()]|\([^()]*\))*)\)")
        shapes = {LITERAL.sub("#", row[:_LONGEST]) for row in was - now}
        if any(
            call.search(row[:_LONGEST]) and LITERAL.sub("#", call.sub("0", row[:_LONGEST])) in shapes
            for row in now - was
        ):
            return True
    return False
