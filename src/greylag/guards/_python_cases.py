"""Test cases of Python, by `ast`."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from greylag.guards._case import Case, Proof, digest, words
from greylag.guards._known import Known, unknown
from greylag.guards._python_proof import Names, proof
from greylag.guards._python_rows import rows

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_NODES = [node for node in vars(ast).values() if isinstance(node, type) and issubclass(node, ast.AST)]
_SYNTAX = frozenset(name for node in _NODES for name in (node.__name__, *node._fields))  # words of every dump
_STYLE = frozenset({"self", "pytest", "raises", "assertRaises", "assertEqual", "assertEquals"}) | frozenset(
    {"assertTrue", "assertIs", "assertIn", "assertIsNone"}
)  # how a test asserts is not what it is about
_Found = tuple[str, _Function, list[ast.expr]]  # name, function, decorators of it and of its classes


class _Module(NamedTuple):
    """One file, read once for its tests and its helpers."""

    found: list[_Found]
    names: Names
    first: dict[str, Proof]  # of functions, without what they call
    local: dict[str, Proof]


@lru_cache(maxsize=8)
def _read(text: str) -> _Module:
    module = ast.parse(text)
    names = Names.of(module)
    first = _helpers(module, {}, names)
    return _Module([*functions(module.body, "", [])], names, first, _helpers(module, first, names))


def python_cases(text: str, known: Known) -> Iterator[Case]:
    """Tests of a module in order; none when it does not parse, since then none runs."""
    try:
        module = _read(text)
        yield from [_case(one, module.local, known, module.names) for one in module.found if _is_test(one)]
    except _UNREADABLE:
        return


def python_helpers(text: str, known: Known) -> Iterator[Case]:
    """All other functions and methods; of several with one name the one that proves least, since any may be it."""
    try:
        module = _read(text)
        local = unknown(module.first, known)
        least: dict[str, Case] = {}
        for found in module.found:
            if not _is_test(found) and "overload" not in {_leaf(mark) for mark in found[1].decorator_list}:
                case = _case(found, local, known, module.names)
                case = replace(case, leaves=case.leaves and len(found[1].body) > 1)
                least[case.name] = min(least.get(case.name, case), case, key=_strength)
        yield from least.values()
    except _UNREADABLE:
        return


_NAMED = (ast.Name, ast.Attribute)
_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


def _strength(case: Case) -> tuple[int, int]:
    return case.proof.asserts, case.proof.exact


def _helpers(module: ast.Module, inner: Mapping[str, Proof], names: Names) -> dict[str, Proof]:
    return {
        node.name: proof(node, inner, {}, names) for node in ast.walk(module)
        if isinstance(node, _Function) and not node.name.startswith("test")
    }  # fmt: skip


def _is_test(found: _Found) -> bool:
    return found[1].name.startswith("test")


def _leaf(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def functions(statements: list[ast.stmt], prefix: str, marks: list[ast.expr]) -> Iterator[_Found]:
    """All functions and methods, with their decorators and those of their classes."""
    for node in statements:
        if isinstance(node, _Function):
            yield prefix + node.name, node, [*marks, *node.decorator_list]
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            yield from ((prefix + function.name, function, marks) for function in _named(node, node.value))
        elif isinstance(node, ast.ClassDef):
            yield from functions(node.body, f"{prefix}{node.name}.", [*marks, *node.decorator_list])
        elif isinstance(node, ast.If) and not (isinstance(node.test, ast.Constant) and not node.test.value):
            yield from functions(node.body + node.orelse, prefix, marks)
        elif isinstance(node, ast.Try | ast.With):
            yield from functions(node.body, prefix, marks)


def _named(node: ast.Assign, value: ast.Lambda) -> Iterator[ast.FunctionDef]:
    """`same = lambda a: a`, as a function of that name."""
    for target in node.targets:
        if isinstance(target, ast.Name) and not target.id.startswith("test"):
            body: list[ast.stmt] = [ast.Expr(value.body)]
            yield ast.FunctionDef(target.id, value.args, body, [], lineno=node.lineno)


def _case(found: _Found, helpers: Mapping[str, Proof], known: Known, names: Names) -> Case:
    name, node, marks = found
    statements = node.body[1:] if ast.get_docstring(node) is not None else node.body
    first = statements[0] if statements else None
    dumped = "".join(map(ast.dump, (*node.decorator_list, node.args, *statements)))
    entries, leaves = rows(node, marks, names.tables), isinstance(first, ast.Return | ast.Pass)
    proves = proof(node, helpers, known, names)
    own = {part.id if isinstance(part, ast.Name) else part.attr for part in ast.walk(node) if isinstance(part, _NAMED)}
    said = (words(dumped) - _SYNTAX) | (own & _SYNTAX)  # a function may have the name of a part of the syntax
    return Case(name, node.lineno, digest(dumped, entries), said - _STYLE, proves, entries, leaves)
