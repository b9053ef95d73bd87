"""Test cases of Python, by `ast`."""

import ast
import re
from collections.abc import Iterator, Mapping

from greylag.guards._case import Case, digest, words

_ASSERTS = re.compile(r"^(?:assert|fail|raises$|warns$|expect|check|verify)")
_TRUTHY = {"assertTrue", "assertFalse", "assertIsNotNone", "assertIsNone", "assert_called", "assertIsInstance"}
_ANYTHING = {"Exception", "BaseException"}

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_cases(text: str) -> Iterator[Case]:
    """Tests of a module in order; none when it does not parse, since then none runs."""
    try:
        module = ast.parse(text)
        helpers = {
            node.name: _weigh(node, {}) for node in ast.walk(module)
            if isinstance(node, _Function) and not node.name.startswith("test")
        }  # fmt: skip
        yield from [_case(name, node, helpers) for name, node in _functions(module.body, "")]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return


def _functions(statements: list[ast.stmt], prefix: str) -> Iterator[tuple[str, _Function]]:
    for node in statements:
        if isinstance(node, _Function) and node.name.startswith("test"):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.If) and not (isinstance(node.test, ast.Constant) and not node.test.value):
            yield from _functions(node.body + node.orelse, prefix)
        elif isinstance(node, ast.Try | ast.With):
            yield from _functions(node.body, prefix)


def _case(name: str, node: _Function, helpers: Mapping[str, tuple[int, int, int]]) -> Case:
    statements = node.body[1:] if ast.get_docstring(node) is not None else node.body
    first = statements[0] if statements else None
    dumped = "".join(map(ast.dump, (*node.decorator_list, node.args, *statements)))
    leaves = isinstance(first, ast.Return | ast.Pass)
    return Case(name, node.lineno, digest(dumped), words(dumped), *_weigh(node, helpers), leaves=leaves)


def _weigh(node: ast.AST, helpers: Mapping[str, tuple[int, int, int]]) -> tuple[int, int, int]:
    """Assertions, weak ones, constant ones; those of a helper in the same file count where it is called."""
    total = weak = constant = 0
    for part in ast.walk(node):
        if isinstance(part, ast.Assert):
            total, weak, constant = total + 1, weak + _is_weak(part.test), constant + _is_constant(part.test)
        elif isinstance(part, ast.Call):
            name = part.func.attr if isinstance(part.func, ast.Attribute) else getattr(part.func, "id", "")
            inner = helpers.get(name, (0, 0, 0))
            if inner[0]:
                total, weak, constant = total + inner[0], weak + inner[1], constant + inner[2]
            elif _ASSERTS.match(name):
                total, weak, constant = (
                    total + 1,
                    weak + _is_weak_call(name, part),
                    constant + _is_constant_call(name, part),
                )
    return total, weak, constant


def _is_weak(test: ast.expr) -> bool:
    if isinstance(test, ast.Compare):
        return isinstance(test.ops[0], ast.IsNot) and isinstance(test.comparators[0], ast.Constant)
    if isinstance(test, ast.UnaryOp):
        return _is_weak(test.operand)
    return isinstance(test, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.Constant)


def _is_constant(test: ast.expr) -> bool:
    if isinstance(test, ast.Compare):
        return ast.dump(test.left) == ast.dump(test.comparators[0]) and isinstance(test.ops[0], ast.Eq | ast.Is)
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        return any(_is_constant(value) for value in test.values)
    return isinstance(test, ast.Constant | ast.Tuple) and bool(getattr(test, "value", True))


def _is_weak_call(name: str, call: ast.Call) -> bool:
    first = call.args[0] if call.args else None
    return name in _TRUTHY or (
        name in {"raises", "assertRaises"} and isinstance(first, ast.Name) and first.id in _ANYTHING
    )


def _is_constant_call(name: str, call: ast.Call) -> bool:
    if name == "assertTrue":
        return bool(call.args) and _is_constant(call.args[0])
    return name == "assertEqual" and len(call.args) >= 2 and ast.dump(call.args[0]) == ast.dump(call.args[1])
