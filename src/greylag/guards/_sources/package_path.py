"""Packages of Python that look for their modules elsewhere than in their own directory."""

import ast
from collections.abc import Iterator

from greylag.guards._code.fresh import Mark
from greylag.guards._code.python_tree import UNREADABLE, parsed, unparsed, walk
from greylag.guards._code.source import language

_CHANGES = frozenset({"insert", "append", "extend", "clear", "pop", "remove", "reverse", "__setitem__", "__iadd__"})
_HONEST = ("extend_path", "declare_namespace")


def other_paths(path: str, text: str) -> Iterator[Mark]:
    """Statements that change `__path__`, but for those that make a namespace package."""
    if language(path) != "python" or "__path__" not in text:
        return
    try:
        nodes = list(walk(parsed(text)))
    except UNREADABLE:
        return
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found = any(_is_path(one.value if isinstance(one, ast.Subscript) else one) for one in targets)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            function = node.value.func
            found = isinstance(function, ast.Attribute) and function.attr in _CHANGES and _is_path(function.value)
        else:
            continue
        if found and not any(word in ast.dump(node) for word in _HONEST):
            yield Mark(ast.dump(node), node.lineno, unparsed(node)[:80])


def _is_path(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id == "__path__") or (
        isinstance(node, ast.Attribute) and node.attr == "__path__"
    )
