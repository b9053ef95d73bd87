"""What test code of Python asserts, and in what kind: exactly, within bounds, weakly, or not at all."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from greylag.guards._cases.case import Proof, total
from greylag.guards._cases.conditions import doubtful
from greylag.guards._cases.known import Known, called
from greylag.guards._cases.python_compared import Values, comparisons, module_values
from greylag.guards._cases.python_rows import tables
from greylag.guards._cases.tautologies import always_holds
from greylag.guards._cases.vacuous import over_nothing
from greylag.guards._cases.wild import is_wild, wild_names
from greylag.guards._cases.written import written
from greylag.guards._code.python_tree import leaf, walk

_ASSERTS = re.compile(r"^(?:assert|fail|raises$|warns$|expect|check|verify)")
_EXACT = re.compile(
    r"assert\w*equals?|assertis(?:none)?|assert_\w*(?:called|awaited)\w*_with|assert_has_(?:calls|awaits)"
    r"|assert_not_(?:called|awaited)|assert_\w*_once|assert_allclose",
    re.IGNORECASE,
)
_CALLED = re.compile(r"assert_(?:\w*_)?(?:called|awaited|has_)")
_NOT_EXACT = re.compile(r"not_?(?:almost_?)?equal|greater_?equal|less_?equal", re.IGNORECASE)
_TRUTHY = {"assertTrue", "assertFalse", "assertIsNotNone", "assert_called", "assertIsInstance"}
_RAISES = re.compile(r"raises|warns|assert(?:Raises|Warns)(?:Regex)?")
_ANYTHING = {"Exception", "BaseException"}
_WIDE = 1e-3  # a tolerance beyond this is no exact comparison
_FEW = 3  # decimal places that are still exact


class Names(NamedTuple):
    """What names of a module stand for."""

    tables: Mapping[str, tuple[str, ...]]  # literals that have entries
    wild: frozenset[str]  # what equals everything
    values: Values

    @classmethod
    def of(cls, module: ast.Module) -> "Names":
        """Those of one file."""
        return cls(tables(module), wild_names(module), module_values(module))


def proof(node: ast.AST, helpers: Mapping[str, Proof], known: Known, names: Names) -> Proof:
    """What the function asserts; what a helper does counts where it is called: of the same file, or `known`."""
    maybe, compared = doubtful(node, names.tables), comparisons(node, names.values)
    found = []
    for part, one in _parts(node, helpers, known, names.wild):
        whole = replace(one, compared=tuple(compared[part])) if part in compared else one
        found.append(replace(whole, maybe=one.asserts, doubted=one.exact) if part in maybe else whole)
    return total(found)


def _parts(
    node: ast.AST, helpers: Mapping[str, Proof], known: Known, wild: frozenset[str]
) -> Iterator[tuple[ast.AST, Proof]]:
    for part in walk(node):
        if isinstance(part, ast.Assert):
            test = part.test
            yield part, Proof(1, _exact(test, wild), _is_weak(test), _is_constant(test), (ast.dump(test),))
        elif isinstance(part, ast.Call):
            name = leaf(part.func)
            inner = called(_on(part.func), name, helpers, known)
            if inner.asserts:
                yield part, inner
            elif _ASSERTS.match(name) and name not in known:
                marks = _exact_call(name, part, wild), _is_weak_call(name, part), _is_constant_call(name, part)
                yield part, Proof(1, *marks, (_said(name, part),))


_AS_OPERATORS: Mapping[str, ast.cmpop] = {
    "assertEqual": ast.Eq(),
    "assertEquals": ast.Eq(),
    "assertIs": ast.Is(),
    "assertIn": ast.In(),
}


def _said(name: str, call: ast.Call) -> str:
    """The claim of a call; what `unittest` has methods for as pytest has it, so that both say the same."""
    if name in _AS_OPERATORS and len(call.args) >= 2:
        return ast.dump(ast.Compare(call.args[0], [_AS_OPERATORS[name]], [call.args[1]]))
    if name == "assertTrue" and call.args:
        return ast.dump(call.args[0])
    if name == "assertIsNone" and call.args:
        return ast.dump(ast.Compare(call.args[0], [ast.Is()], [ast.Constant(None)]))
    if name in {"raises", "assertRaises"}:
        return ast.dump(ast.Call(ast.Name("raises", ast.Load()), call.args, call.keywords))
    return ast.dump(call)


def _on(function: ast.expr) -> str:
    """What a method or a function of a module is called on, if that is a name or `super()`."""
    if not isinstance(function, ast.Attribute):
        return ""
    value = function.value.func if isinstance(function.value, ast.Call) else function.value
    name = value.id if isinstance(value, ast.Name) else "?"
    return "?" if isinstance(function.value, ast.Call) and name != "super" else name


def _exact(test: ast.expr, wild: frozenset[str]) -> int:
    """Comparisons in an assertion that one value satisfies. `== True` is truth, and not that."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return sum(_exact(value, wild) for value in test.values)
    if isinstance(test, ast.Call) and isinstance(test.func, ast.Name) and test.func.id == "all" and test.args:
        each = test.args[0]
        return _exact(each.elt, wild) if isinstance(each, ast.GeneratorExp | ast.ListComp) else 0
    if not isinstance(test, ast.Compare) or not all(isinstance(op, ast.Eq | ast.Is) for op in test.ops):
        return 0
    sides = (test.left, *test.comparators)
    truth = any(isinstance(side, ast.Constant) and isinstance(side.value, bool) for side in sides)
    return int(not truth and not any(_is_wide(side) or is_wild(side, wild) for side in sides))


def _is_wide(side: ast.expr) -> bool:
    calls = (part for part in walk(side) if isinstance(part, ast.Call))
    return any("approx" in ast.dump(call.func) and _tolerates(call) for call in calls)


def _tolerates(call: ast.Call) -> bool:
    """Whether a tolerance is given that is no small number; `approx(1, 0.5)` gives one by place."""
    given = [
        *call.args[1:3],
        *(keyword.value for keyword in call.keywords if keyword.arg in {"abs", "rel", "delta", "rtol", "atol"}),
    ]
    return any(not isinstance(value, ast.Constant) or _number(value) > _WIDE for value in given)


def _number(node: ast.expr) -> float:
    value = node.value if isinstance(node, ast.Constant) else None
    return float(value) if isinstance(value, int | float) else 0.0


def _exact_call(name: str, call: ast.Call, wild: frozenset[str]) -> int:
    every = all if _CALLED.match(name) else any
    if call.args and every(is_wild(side, wild) for side in call.args):
        return 0
    if _RAISES.fullmatch(name):
        message = any(keyword.arg == "match" for keyword in call.keywords) or name.endswith("Regex")
        return int(not _is_weak_call(name, call)) + int(message)
    if "almost" in name.lower():
        digits = next((word.value for word in call.keywords if word.arg == "places"), None)
        loose = digits is not None and _number(digits) < _FEW
        return int(not loose and not _tolerates(ast.Call(call.func, [], call.keywords)) and "Not" not in name)
    if "allclose" in name and _tolerates(ast.Call(call.func, [], call.keywords)):
        return 0
    return int(bool(_EXACT.fullmatch(name)) and not _NOT_EXACT.search(name))


def _is_weak(test: ast.expr) -> bool:
    if isinstance(test, ast.Compare):
        last = test.comparators[0]
        nothing = isinstance(test.ops[0], ast.NotEq) and isinstance(last, ast.Constant) and last.value is None
        return nothing or (isinstance(test.ops[0], ast.IsNot) and isinstance(last, ast.Constant))
    if isinstance(test, ast.UnaryOp):
        return _is_weak(test.operand)
    if isinstance(test, ast.Call) and _exact(test, frozenset()):
        return False
    return isinstance(test, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.Constant)


def _is_constant(test: ast.expr) -> bool:
    if isinstance(test, ast.Compare):
        same = ast.dump(test.left) == ast.dump(test.comparators[0]) and isinstance(test.ops[0], ast.Eq | ast.Is)
        return same or (_is_order(test) and always_holds(written(ast.dump(test))))
    if over_nothing(test):
        return True
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        return any(_is_constant(value) for value in test.values) or always_holds(written(ast.dump(test)))
    return isinstance(test, ast.Constant | ast.Tuple) and bool(getattr(test, "value", True))


def _is_weak_call(name: str, call: ast.Call) -> bool:
    first = call.args[0] if call.args else None
    return name in _TRUTHY or (
        name in {"raises", "assertRaises"} and isinstance(first, ast.Name) and first.id in _ANYTHING
    )


def _is_constant_call(name: str, call: ast.Call) -> bool:
    if name == "assertTrue":
        return bool(call.args) and _is_constant(call.args[0])
    if name in {"assertGreaterEqual", "assertGreater"}:
        return always_holds(written(ast.dump(call)))
    return name == "assertEqual" and len(call.args) >= 2 and ast.dump(call.args[0]) == ast.dump(call.args[1])


def _is_order(test: ast.Compare) -> bool:
    return isinstance(test.ops[0], ast.GtE | ast.Gt | ast.LtE | ast.Lt)
