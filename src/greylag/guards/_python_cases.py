"""Test cases of Python, by `ast`."""

import ast
from collections.abc import Iterator, Mapping

from greylag.guards._case import Case, Proof, digest, words
from greylag.guards._looser import wild_names
from greylag.guards._python_proof import proof
from greylag.guards._python_rows import rows, tables

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_NODES = [node for node in vars(ast).values() if isinstance(node, type) and issubclass(node, ast.AST)]
_SYNTAX = frozenset(name for node in _NODES for name in (node.__name__, *node._fields))  # words of every dump
_Found = tuple[str, _Function, list[ast.expr]]  # name, function, decorators of it and of its classes


def python_cases(text: str) -> Iterator[Case]:
    """Tests of a module in order; none when it does not parse, since then none runs."""
    try:
        module = ast.parse(text)
        known, wild = tables(module), wild_names(module)
        helpers = {
            node.name: proof(node, {}, wild, known) for node in ast.walk(module)
            if isinstance(node, _Function) and not node.name.startswith("test")
        }  # fmt: skip
        yield from [_case(found, helpers, known, wild) for found in _functions(module.body, "", [])]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return


def _functions(statements: list[ast.stmt], prefix: str, marks: list[ast.expr]) -> Iterator[_Found]:
    for node in statements:
        if isinstance(node, _Function) and node.name.startswith("test"):
            yield prefix + node.name, node, [*marks, *node.decorator_list]
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{prefix}{node.name}.", [*marks, *node.decorator_list])
        elif isinstance(node, ast.If) and not (isinstance(node.test, ast.Constant) and not node.test.value):
            yield from _functions(node.body + node.orelse, prefix, marks)
        elif isinstance(node, ast.Try | ast.With):
            yield from _functions(node.body, prefix, marks)


def _case(
    found: _Found, helpers: Mapping[str, Proof], known: Mapping[str, tuple[str, ...]], wild: frozenset[str]
) -> Case:
    name, node, marks = found
    statements = node.body[1:] if ast.get_docstring(node) is not None else node.body
    first = statements[0] if statements else None
    dumped = "".join(map(ast.dump, (*node.decorator_list, node.args, *statements)))
    entries = rows(node, marks, known)
    leaves = isinstance(first, ast.Return | ast.Pass)
    return Case(
        name,
        node.lineno,
        digest(dumped, entries),
        words(dumped) - _SYNTAX,
        proof(node, helpers, wild, known),
        entries,
        leaves,
    )
