"""Expressions of assertions, worked out for a value that is put for what they ask of the code under test.

Only literals, operators and well-known functions of built-in types are worked out, by this file alone: nothing of a
repository is run. What is not known, or would get large, is `UnknownError`.
"""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from greylag.guards._cases.numerals import LARGEST, METHODS, UnknownError, approximate, decimal, is_number
from greylag.guards._code.python_tree import leaf

ASKED = "_asked_"  # the name that stands for the answer of the code under test
_LONGEST = 1000  # characters or entries
_WIDEST = 64  # exponents and digits
_WIDE = re.compile(r"\d{3}|\*")  # of a form that fills up with blanks


def _round(value: Any, digits: Any = None) -> Any:
    if digits is None:
        return round(value)
    if abs(digits) > _WIDEST:
        raise UnknownError
    return round(value, digits)


_BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.LShift: operator.lshift, ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_, ast.BitOr: operator.or_, ast.BitXor: operator.xor, ast.Pow: operator.pow,
}  # fmt: skip
_OF_BITS = (ast.BitAnd, ast.BitOr, ast.BitXor, ast.LShift, ast.RShift)
_UNARY: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_, ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Invert: lambda value: ~_whole(value),
}  # fmt: skip
_COMPARED: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.Is: operator.eq, ast.IsNot: operator.ne,
    ast.In: lambda left, right: left in right, ast.NotIn: lambda left, right: left not in right,
}  # fmt: skip
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "int": int, "float": float, "str": str, "repr": repr, "bool": bool, "len": len, "abs": abs, "fabs": abs,
    "round": _round, "min": min, "max": max, "sum": sum, "sorted": sorted, "list": list, "tuple": tuple, "set": set,
    "frozenset": frozenset, "dict": dict, "divmod": divmod, "any": any, "all": all, "floor": math.floor,
    "ceil": math.ceil, "trunc": math.trunc, "isclose": math.isclose, "fmod": math.fmod, "sqrt": math.sqrt,
    "Number": float, "String": str, "Boolean": bool, "parseInt": lambda value, _=10: math.trunc(float(value)),
    "parseFloat": float, "sign": lambda value: (value > 0) - (value < 0),
    "Decimal": decimal, "BigDecimal": decimal, "newBigDecimal": decimal, "approx": approximate,
}  # fmt: skip
_MODULES = frozenset({"math", "Math", "np", "numpy", "builtins", "pytest", "decimal"})
_NAMED = frozenset({"approx", "isclose", "quantize"})  # what is given names
_TEXTS = "lower upper casefold strip lstrip rstrip startswith endswith replace title capitalize split count index find"
_METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(_TEXTS.split()),
    dict: frozenset({"get", "keys", "values", "items"}),
    list: frozenset({"count", "index"}),
    tuple: frozenset({"count", "index"}),
}
_CALLED = frozenset().union(*_METHODS.values(), METHODS)
_LITERALS = {"true": True, "false": False, "null": None, "undefined": None, "nil": None}
_PLAIN = (
    ast.Constant, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.List, ast.Tuple, ast.Set, ast.Dict,
    ast.JoinedStr, ast.FormattedValue,
)  # fmt: skip


def is_known(node: ast.expr, *, deep: bool) -> bool:
    """Whether an expression is worked out here once its parts are; `deep` with what is asked of the parts' type."""
    if isinstance(node, ast.Name):
        return node.id in _LITERALS
    if isinstance(node, ast.Call):
        plain = not node.keywords or leaf(node.func) in _NAMED
        return plain and (is_function(node.func) or (deep and _method(node.func)))
    return isinstance(node, _PLAIN) or (deep and isinstance(node, ast.Subscript))


def is_function(node: ast.expr) -> bool:
    """Whether what is called is a function that is known here, and no method of an answer."""
    return _function(node) is not None


def value(node: ast.expr, asked: object) -> Any:
    """What the expression is for this answer. Raises `UnknownError`, or what Python would raise."""
    found: Any
    match node:
        case ast.Constant():
            found = node.value
        case ast.Name(id=name):
            found = asked if name == ASKED else _literal(name)
        case ast.BinOp():
            found = _binary(node, value(node.left, asked), value(node.right, asked))
        case ast.UnaryOp():
            found = _UNARY[type(node.op)](value(node.operand, asked))
        case ast.BoolOp() | ast.IfExp() | ast.Compare():
            found = _chosen(node, asked)
        case ast.Call():
            found = _called(node, asked)
        case ast.Subscript():
            found = value(node.value, asked)[_place(node.slice, asked)]
        case _:
            found = _displayed(node, asked)
    return found


def _bounded(found: Any) -> Any:
    """What a step gets or gives, so that none makes much of little, and the next one much of that."""
    if is_number(found) and abs(found) > LARGEST:
        raise UnknownError
    if isinstance(found, str | bytes | list | tuple | dict | set) and len(found) > _LONGEST:
        raise UnknownError
    return found


def _literal(name: str) -> Any:
    if name not in _LITERALS:
        raise UnknownError
    return _LITERALS[name]


def _binary(node: ast.BinOp, left: Any, right: Any) -> Any:
    left, right = _bounded(left), _bounded(right)
    if isinstance(node.op, ast.Pow | ast.LShift) and right > _WIDEST:
        raise UnknownError
    if isinstance(node.op, ast.Mult) and not (isinstance(left, int | float) and isinstance(right, int | float)):
        raise UnknownError
    if isinstance(node.op, ast.Mod) and isinstance(left, str) and _WIDE.search(left):
        raise UnknownError
    if isinstance(node.op, _OF_BITS) and isinstance(left, int | float) and isinstance(right, int | float):
        left, right = _whole(left), _whole(right)  # as JavaScript does
    return _BINARY[type(node.op)](left, right)


def _whole(number: Any) -> Any:
    return math.trunc(number) if isinstance(number, float) else number


def _chosen(node: ast.BoolOp | ast.IfExp | ast.Compare, asked: object) -> Any:
    if isinstance(node, ast.IfExp):
        return value(node.body if value(node.test, asked) else node.orelse, asked)
    if isinstance(node, ast.BoolOp):
        found: Any = None
        for part in node.values:
            found = value(part, asked)
            if bool(found) == isinstance(node.op, ast.Or):
                break
        return found
    left = value(node.left, asked)
    for sign, part in zip(node.ops, node.comparators, strict=True):
        right = value(part, asked)
        if not _COMPARED[type(sign)](left, right):
            return False
        left = right
    return True


def _function(node: ast.expr) -> Callable[..., Any] | None:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in _MODULES:
        return _FUNCTIONS.get(node.attr)
    return _FUNCTIONS.get(node.id) if isinstance(node, ast.Name) else None


def _method(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in _CALLED


def _called(node: ast.Call, asked: object) -> Any:
    given = [_bounded(value(part, asked)) for part in node.args]
    named = {word.arg: value(word.value, asked) for word in node.keywords if word.arg and word.arg != "rounding"}
    if function := _function(node.func):
        return function(*given, **named)
    if not isinstance(node.func, ast.Attribute):
        raise UnknownError
    on = _bounded(value(node.func.value, asked))
    if is_number(on) and node.func.attr in METHODS:
        return METHODS[node.func.attr](on, *given)
    if node.func.attr not in _METHODS.get(type(on), ()):
        raise TypeError
    return getattr(on, node.func.attr)(*given)


def _place(node: ast.expr, asked: object) -> Any:
    if not isinstance(node, ast.Slice):
        return value(node, asked)
    return slice(*(part and value(part, asked) for part in (node.lower, node.upper, node.step)))


def _displayed(node: ast.expr, asked: object) -> Any:
    match node:
        case ast.List(elts=parts):
            return [value(part, asked) for part in parts]
        case ast.Tuple(elts=parts):
            return tuple(value(part, asked) for part in parts)
        case ast.Set(elts=parts):
            return {value(part, asked) for part in parts}
        case ast.Dict(keys=keys, values=parts):
            return {value(key, asked): value(part, asked) for key, part in zip(keys, parts, strict=True) if key}
        case ast.JoinedStr(values=parts):
            return "".join(str(_bounded(value(part, asked))) for part in parts)
        case ast.FormattedValue():
            form = str(value(node.format_spec, asked)) if node.format_spec else ""
            if _WIDE.search(form):
                raise UnknownError
            return format(value(node.value, asked), form)
        case _:
            raise UnknownError
