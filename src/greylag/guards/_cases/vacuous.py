"""Conditions of Python about all entries of something that has none."""

import ast

_BUILDS = frozenset({"range", "list", "tuple", "set", "dict", "frozenset", "iter", "sorted", "reversed", "enumerate"})
_COMPREHENSION = ast.GeneratorExp | ast.ListComp | ast.SetComp


def over_nothing(test: ast.expr) -> bool:
    """`all(... for _ in range(0))`, `not any(... for _ in [])`, `not [... for _ in ()]`: it holds whatever comes."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = test.operand
        return _nothing(inner.args[0] if _calls(inner, "any") and isinstance(inner, ast.Call) else inner)
    return isinstance(test, ast.Call) and _calls(test, "all") and _nothing(test.args[0])


def _calls(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name and bool(node.args)


def _nothing(node: ast.expr) -> bool:
    return isinstance(node, _COMPREHENSION) and any(empty(one.iter) for one in node.generators)


def empty(node: ast.expr) -> bool:
    """Whether what is written has no entries, whatever comes."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return not node.elts
    if isinstance(node, ast.Dict):
        return not node.keys
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        upper = node.slice.upper
        return isinstance(upper, ast.Constant) and upper.value == 0
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in _BUILDS and _made_empty(node, node.func.id)
    return isinstance(node, ast.Constant) and node.value in ("", b"")


def _made_empty(node: ast.Call, name: str) -> bool:
    if name == "range" and all(isinstance(one, ast.Constant) for one in node.args):
        numbers = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, int)]
        return 0 < len(numbers) == len(node.args) < _STEPS and not range(*numbers)
    return not node.keywords and (not node.args or empty(node.args[0]))


_STEPS = 3  # a `range` with a step of its own is not looked at
