"""Statements of a test of Python that a condition before them may keep from running: it returns, or goes on."""

import ast
from collections.abc import Iterable, Iterator, Sequence

from greylag.guards._code.python_tree import Function, leaf, walk

_MORE = 2


def left_out(node: ast.AST) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """What stands behind such a condition, in its block and in those around it; and the statements of which a branch
    leaves that asserts as much as what stands behind it. Each function is looked at by itself.
    """
    later: list[ast.stmt] = []
    balanced: list[ast.stmt] = []
    for part in walk(node):
        if isinstance(part, Function):
            _exits(part.body, later, balanced)
    return later, balanced


def strength(body: Iterable[ast.AST]) -> int:
    """What some code asserts at most: 0 nothing, 1 that there is something, 2 more; or a call that fails."""
    found = 0
    for part in (part for statement in body for part in walk(statement)):
        if isinstance(part, ast.Assert):
            found = max(found, 1 if isinstance(part.test, ast.Name | ast.Attribute | ast.Constant) else _MORE)
        elif isinstance(part, ast.Call) and _speaks(name := leaf(part.func)):
            found = max(found, 1 if name == "assertIsNotNone" else _MORE)
    return found


def _speaks(name: str) -> bool:
    return "assert" in name.lower() or name in {"fail", "raises"}


def _exits(body: Sequence[ast.stmt], later: list[ast.stmt], balanced: list[ast.stmt]) -> set[str]:
    """What a block may leave, `function` or `loop`. What a condition leaves out is put to `later`."""
    found: set[str] = set()
    following, noted = list[int](), False
    for number, node in enumerate(body):
        if isinstance(node, ast.Return | ast.Continue | ast.Break):
            return found | {"function" if isinstance(node, ast.Return) else "loop"}
        inner: set[str] = set()
        for part, sure in _bodies(node):
            ways = _exits(part, later, balanced)
            ways -= {"loop"} if isinstance(node, ast.For | ast.AsyncFor | ast.While) else set()
            if ways and not sure and not noted:
                following = following or _following(body)
                own, rest = strength(part), following[number + 1]
                ways = set() if own >= max(1, rest) else ways
                balanced += [node] if own == rest > 0 else []
            inner |= ways
        if inner and not noted:
            noted = True
            later += body[number + 1 :]
        found |= inner
    return found


def _following(body: Sequence[ast.stmt]) -> list[int]:
    """What the statements of a block assert from each of them on."""
    found = [0]
    for node in reversed(body):
        found.append(max(found[-1], strength([node])))
    return found[::-1]


def _bodies(node: ast.stmt) -> Iterator[tuple[Sequence[ast.stmt], bool]]:
    """The blocks of a statement, and whether each of them surely runs."""
    if isinstance(node, ast.If):
        constant = node.test.value if isinstance(node.test, ast.Constant) else None
        if constant is None or constant:
            yield node.body, False
        if constant is None or not constant:
            yield node.orelse, False
    elif isinstance(node, ast.With | ast.AsyncWith):
        yield node.body, True
    elif isinstance(node, ast.Try | ast.TryStar):
        yield from ((body, True) for body in (node.body, node.orelse, node.finalbody))
        yield from ((handler.body, False) for handler in node.handlers)
    elif isinstance(node, ast.For | ast.AsyncFor | ast.While):
        yield node.body, False
        yield node.orelse, True
    elif isinstance(node, ast.Match):
        yield from ((one.body, False) for one in node.cases)
