"""Test cases of Python, by `ast`."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from greylag.guards._cases.case import Case, Facts, Proof, digest, words
from greylag.guards._cases.known import NOTHING, Known, unknown
from greylag.guards._cases.python_proof import Names, proof
from greylag.guards._cases.python_rows import rows
from greylag.guards._cases.python_shared import Functions
from greylag.guards._code.kept import kept
from greylag.guards._code.python_tree import UNREADABLE, Function, leaf, parsed, walk

_NODES = [node for node in vars(ast).values() if isinstance(node, type) and issubclass(node, ast.AST)]
_SYNTAX = frozenset(name for node in _NODES for name in (node.__name__, *node._fields))  # words of every dump
_STYLE = frozenset({"self", "pytest", "raises", "assertRaises", "assertEqual", "assertEquals"}) | frozenset(
    {"assertTrue", "assertIs", "assertIn", "assertIsNone"}
)  # how a test asserts is not what it is about
_Found = tuple[str, Function, list[ast.expr]]  # name, function, decorators of it and of its classes


class _Module(NamedTuple):
    """One file, read once for its tests and its helpers."""

    found: list[_Found]
    names: Names
    functions: Functions
    first: dict[str, Proof]  # of functions, without what they call
    local: dict[str, Proof]


@kept
def _read(text: str) -> _Module:
    module = parsed(text)
    names = Names.of(module)
    shared = Functions(text, names)
    first = _helpers(module, {}, names, shared)
    local = _helpers(module, first, names, shared)
    return _Module([*functions(module.body, "", [])], names, shared, first, local)


def python_cases(text: str, known: Known) -> Iterator[Case]:
    """Tests of a module in order; none when it does not parse, since then none runs."""
    try:
        module = _read(text)
        yield from [_case(one, module, module.local, known) for one in module.found if _is_test(one)]
    except UNREADABLE:
        return


def python_helpers(text: str, known: Known) -> Iterator[Case]:
    """All other functions and methods; of several with one name the one that proves least, since any may be it."""
    try:
        module = _read(text)
        local = unknown(module.first, known)
        least: dict[str, Case] = {}
        for found in module.found:
            if not _is_test(found) and "overload" not in {leaf(mark) for mark in found[1].decorator_list}:
                case = _case(found, module, local, known)
                case = replace(case, leaves=case.leaves and len(found[1].body) > 1)
                other = least.get(case.name)
                least[case.name] = min(other, case, key=_strength) if other else case
        yield from least.values()
    except UNREADABLE:
        return


_NAMED = (ast.Name, ast.Attribute)


def _strength(case: Case) -> tuple[int, int]:
    return case.proof.asserts, case.proof.exact


def _helpers(module: ast.Module, inner: Mapping[str, Proof], names: Names, shared: Functions) -> dict[str, Proof]:
    return {
        node.name: shared.later(
            "proof", node, (), (inner, NOTHING), partial(proof, node, inner, NOTHING, names)
        ).answer
        for node in walk(module) if isinstance(node, Function) and not node.name.startswith("test")
    }  # fmt: skip


def _is_test(found: _Found) -> bool:
    return found[1].name.startswith("test")


def functions(statements: list[ast.stmt], prefix: str, marks: list[ast.expr]) -> Iterator[_Found]:
    """All functions and methods, with their decorators and those of their classes."""
    for node in statements:
        if isinstance(node, Function):
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


def _case(found: _Found, module: _Module, helpers: Mapping[str, Proof], known: Known) -> Case:
    name, node, marks = found
    entries = rows(node, marks, module.names.tables)
    find = partial(_facts, node, entries, (helpers, known), module.names)
    facts = module.functions.later("facts", node, marks, (helpers, known), find)
    first = next(iter(_statements(node)), None)
    return Case(name, node.lineno, facts, entries, isinstance(first, ast.Return | ast.Pass))


def _statements(node: Function) -> list[ast.stmt]:
    return node.body[1:] if ast.get_docstring(node) is not None else node.body


def _facts(node: Function, entries: Sequence[str], around: tuple[Mapping[str, Proof], Known], names: Names) -> Facts:
    try:
        dumped = "".join(map(ast.dump, (*node.decorator_list, node.args, *_statements(node))))
        proves = proof(node, *around, names)
    except UNREADABLE:  # nested too deeply
        return Facts(digest(node.name), frozenset(), Proof())
    own = {part.id if isinstance(part, ast.Name) else part.attr for part in walk(node) if isinstance(part, _NAMED)}
    said = (words(dumped) - _SYNTAX) | (own & _SYNTAX)  # a function may have the name of a part of the syntax
    return Facts(digest(dumped, entries), said - _STYLE, proves)
