"""Literals of sources and tests, written in one way: whatever the quotes, the type, and what builds a number of it."""

import ast
import math
import re
from decimal import Decimal

from greylag.guards._cases.evaluated import is_function, value
from greylag.guards._cases.numerals import UnknownError
from greylag.guards._code.python_tree import leaf, walk

FOUND = (
    r"(?:\"(?>(?:[^\"\\\n]|\\.){0,200})\"|'(?>(?:[^'\\\n]|\\.){0,200})'|`[^`\\\n]{0,200}`"
    r"|(?<![\w.])-?\d[\w.]{0,40}|\b(?:[Tt]rue|[Ff]alse|nil|null|None|undefined)\b)"
)
_ENDING = re.compile(r"(?<=\d)(?:_?[uif](?:8|16|32|64|128|size)|[uUlLfFdDn]{1,3})$")
_ADDED = re.compile(r"([\"'])[ \t]{0,9}\+[ \t]{0,9}\1")
_NOTHING = frozenset({"", "0", "1", "-1", "true", "false", "nil", "null", "none", "undefined", "inf", "nan"})
_FAILS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError, UnknownError)
_FOLDED = (ast.Constant, ast.UnaryOp, ast.BinOp, ast.Call, ast.operator, ast.unaryop, ast.expr_context)


def bare(literal: str) -> str:
    """One literal without what does not matter: quotes, and how a number is written."""
    inner = literal[1:-1] if literal[:1] in {'"', "'", "`"} and len(literal) > 1 else _ENDING.sub("", literal)
    try:
        number = float(inner.replace("_", "")) if inner[:1] not in {"n", "N", "i", "I"} else math.nan
    except ValueError:
        return inner
    return inner if not math.isfinite(number) else str(int(number)) if number == int(number) else str(number)


def joined(text: str) -> str:
    """A text with strings in one that were added to each other: `"py" + "test"`."""
    return _ADDED.sub("", text)


def means_little(literal: str) -> bool:
    """Whether it is a bound or an absence, of which many functions speak by themselves."""
    return literal.lower() in _NOTHING


def found(text: str) -> frozenset[str]:
    """All literals of a text."""
    return frozenset(map(bare, re.findall(FOUND, text)))


def folded(node: ast.expr) -> str | None:
    """The literal that an expression of Python comes to without anything from outside; None for any other."""
    if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords and not is_function(node.func):
        inner = node.args[0]  # a type of its own: `Money("8.50")`
        return folded(inner) if leaf(node.func)[:1].isupper() and isinstance(inner, ast.Constant) else None
    parts = [part for part in walk(node) if not isinstance(part, _FOLDED)]
    names = [part for part in parts if not (isinstance(part, ast.Name | ast.Attribute))]
    called = {leaf(part.func) for part in walk(node) if isinstance(part, ast.Call)}
    if names or any(leaf(part) not in called | {"decimal", "math"} for part in parts):
        return None
    try:
        made = value(node, None)
    except _FAILS:
        return None
    plain = isinstance(made, str | int | float | Decimal) or made is None
    return bare(str(made)) if plain and len(str(made)) <= 200 else None
