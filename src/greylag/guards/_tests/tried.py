"""Assertions that let through what they refused: found by trying values, whatever way they are written.

What a test asks of the code under test is taken as unknown. If every value that all assertions about it accepted is
still accepted, and one more among those that are close to what was expected, then the test says less than it did.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple, cast

from greylag.guards._cases.case import Proof
from greylag.guards._cases.compared import WIDEST, sides
from greylag.guards._cases.evaluated import ASKED, is_function, is_known, value
from greylag.guards._cases.numerals import Approximate, UnknownError, is_number
from greylag.guards._cases.written import LONGEST, read
from greylag.guards._code.python_tree import UNREADABLE, unparsed, walk
from greylag.guards._code.source import LITERAL

_FAILS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError)  # what a condition may raise
_MOST = 60  # assertions of a test that are tried, and values that are
_PARTS = 500  # nodes of these that are looked through for values
_TRANSLATED = {"===": "==", "!==": "!=", "&&": " and ", "||": " or ", "??": " or ", "!": " not "}
_SIGNS = re.compile(rf"{LITERAL.pattern}|===|!==|!=|&&|\|\||\?\?|!")
_ASSERTS = re.compile(
    r"(?:\w+(?:\.|::))*(?:assert|assert_?[tT]rue|ok|isTrue|True|(?:EXPECT|ASSERT)_TRUE|CHECK|REQUIRE|XCTAssert(?:True)?"
    r"|(?P<equal>assert_eq|assert_?[eE]quals?|Equal|(?:EXPECT|ASSERT)_EQ))!?\("
)
_ENDING = re.compile(r"(?<=\d)(?:[uUlLfFdDn]|[ui](?:8|16|32|64|128|size)|f32|f64)\b")


class _Demand(NamedTuple):
    """One condition on an answer, which `ASKED` stands for in it."""

    asked: str
    condition: ast.expr


def accepts_more(before: Proof, after: Proof) -> bool:
    """Whether what is asserted of one answer has become less."""
    if before.claims == after.claims and before.compared == after.compared and before.pairs == after.pairs:
        return False
    old, new = _written(before), _written(after)
    if len(old) > 2 * _MOST or len(new) > 2 * _MOST:
        return False
    try:
        return any(_any_less(_demands(old, deep=deep), _demands(new, deep=deep)) for deep in (False, True))
    except RecursionError:
        return False


def _any_less(old: Mapping[str, list[ast.expr]], new: Mapping[str, list[ast.expr]]) -> bool:
    return any(
        list(map(ast.dump, old[asked])) != list(map(ast.dump, new[asked])) and _less(old[asked], new[asked])
        for asked in old.keys() & new.keys()
        if not any(asked in other for other in new if other != asked)  # asserted in a way that is not worked out
    )


def _written(proof: Proof) -> list[str]:
    return [*proof.claims, *("\0".join(pair) for pair in (*proof.compared, *proof.pairs))]


def _demands(written: Iterable[str], *, deep: bool) -> Mapping[str, list[ast.expr]]:
    found: defaultdict[str, list[ast.expr]] = defaultdict(list)
    for text in dict.fromkeys(written):
        if demand := _demand(text, deep=deep):
            found[demand.asked].append(demand.condition)
    return found


@lru_cache(maxsize=512)
def _demand(text: str, *, deep: bool) -> _Demand | None:
    condition = _condition(text)
    asked: dict[str, None] = {}
    whole = _put(condition, asked, deep=deep) if condition else None
    return _Demand("\0".join(asked), whole) if whole else None


def _condition(text: str) -> ast.expr | None:
    left, is_pair, right = text.partition("\0")
    if not is_pair:
        return (read(text) or _asserted(text)) if len(text) <= LONGEST else None
    if max(len(left), len(right)) > WIDEST or left == right:  # of a comparison with itself more is told elsewhere
        return None
    sides = _expression(left), _expression(right)
    return ast.Compare(sides[0], [ast.Eq()], [sides[1]]) if sides[0] and sides[1] else None


def _asserted(claim: str) -> ast.expr | None:
    """The condition of an assertion in another language than Python; of Go what its failure stands under."""
    if claim.startswith("if") and not claim.startswith("if("):
        failing = _expression(claim.removeprefix("if").rpartition(";")[2]) if len(claim) <= WIDEST else None
        return ast.UnaryOp(ast.Not(), failing) if failing else None
    asserts = _ASSERTS.match(claim) if len(claim) <= WIDEST else None
    given = [side for side in sides(claim) if side != "t"] if asserts else []
    found = [_expression(side) for side in given[: 2 if asserts and asserts["equal"] else 1]]
    if len(found) == 2 and found[0] and found[1]:
        return ast.Compare(found[0], [ast.Eq()], [found[1]])
    return found[0] if len(found) == 1 else None


def _expression(text: str) -> ast.expr | None:
    """A side of a comparison, in the syntax of Python whatever it was in."""
    for one in (text, _ENDING.sub("", _SIGNS.sub(lambda match: _TRANSLATED.get(match[0], match[0]), text)).strip()):
        try:
            return ast.parse(one, mode="eval").body
        except UNREADABLE:
            continue
    return None


def _put(node: ast.expr, asked: dict[str, None], *, deep: bool) -> ast.expr:
    """The expression with `ASKED` in the place of what is not known; what that is goes to `asked`."""
    inner = node.value if isinstance(node, ast.Await) else node
    if not is_known(inner, deep=deep):
        asked[unparsed(inner)] = None
        return ast.Name(ASKED, ast.Load())
    fields = dict[str, object]()
    for name, held in ast.iter_fields(inner):
        if isinstance(held, list):
            fields[name] = [_put(part, asked, deep=deep) if isinstance(part, ast.expr) else part for part in held]
        elif isinstance(held, ast.Attribute) and name == "func" and not is_function(held):
            fields[name] = ast.Attribute(_put(held.value, asked, deep=deep), held.attr)
        elif isinstance(held, ast.Slice) or name == "func":
            fields[name] = held
        else:
            fields[name] = _put(held, asked, deep=deep) if isinstance(held, ast.expr) else held
    whole: ast.expr = type(inner)(**cast("dict[str, Any]", fields))
    return whole


# -- values ----------------------------------------------------------------------------------------------------------


def _less(old: Sequence[ast.expr], new: Sequence[ast.expr]) -> bool:
    tried = list(_values([*old, *new]))[:_MOST]
    try:
        answers = [(one, _holds(old, one), _holds(new, one)) for one in tried]
    except UnknownError:
        return False
    kinds = {_kind(one) for one, was, _ in answers if was}
    more = any(now and not was and _kind(one) in kinds for one, was, now in answers)
    return bool(kinds) and more and all(now for _, was, now in answers if was)


def _holds(conditions: Iterable[ast.expr], one: object) -> bool:
    try:
        return all(bool(value(condition, one)) for condition in conditions)
    except _FAILS:
        return False


def _kind(one: object) -> type:
    return float if is_number(one) else type(one)


def _values(conditions: Iterable[ast.expr]) -> Iterator[object]:
    """What is written in these, and what is close to that."""
    literals: list[object] = []
    for part in islice((part for condition in conditions for part in walk(condition)), _PARTS):
        try:
            if isinstance(part, ast.Constant | ast.List | ast.Tuple | ast.Dict | ast.UnaryOp | ast.Set):
                literals.append(ast.literal_eval(part))
            elif isinstance(part, ast.Call) and is_function(part.func):  # `Decimal("1.5")`
                made = value(part, None)
                literals.append(made.number if isinstance(made, Approximate) else made)
        except (*UNREADABLE, *_FAILS, UnknownError):
            continue
    plain = {repr(one): one for one in literals}.values()
    yield from plain
    for one in plain:
        yield from _near(one)


def _near(one: object) -> Iterator[object]:
    match one:
        case bool():
            yield not one
        case Decimal():
            yield from (one + 1, one - 1, one + Decimal("0.4"), one - Decimal("0.04"), -one, one + 10, one * 2)
        case int() | float():
            yield from (one + 1, one - 1, one + 0.4, one - 0.04, -one, one + 10, one + 96, one * 2, 0)
        case str():
            yield from (one + "x", "x" + one, one[:-1], one.swapcase(), f" {one} ", "", one[::-1])
        case list() | tuple():  # of their order `ORDERS` knows more
            yield from (type(one)(parts) for parts in (one[:-1], [*one, "x"], [*one[:-1], "x"], ()))
        case dict():
            yield from (one | {"x": "x"}, dict(list(one.items())[:-1]), dict.fromkeys(one, "x"))
        case set():
            yield from (one | {"x"}, set[object]())
