"""Tests of Python that a runner calls and that do nothing then, and test classes that answer for their assertions."""

import ast
import re
import unittest
from collections.abc import Iterator, Sequence

from greylag.guards._cases.python_deferred import yields
from greylag.guards._code.fresh import Mark
from greylag.guards._code.python_tree import UNREADABLE, Function, leaf, of, parsed, unparsed, walk
from greylag.guards._code.source import language

_ASSERTIONS = frozenset(name for name in dir(unittest.TestCase) if name.startswith("assert")) | {"fail", "failIf"}
_RUN = frozenset({"run", "__call__", "debug", "_callTestMethod", "__getattribute__"})  # what the runner calls
_PLAIN = frozenset({"pytest", "mark", "unittest", "mock", "patch", "parameterized", "skip", "skipIf", "skipUnless"})
_DRIVEN = re.compile(r"fixture|gen|coroutine|[cC]allback|twisted|trio")  # decorators that want a generator
_DEEPEST = 30  # bases that are followed
_TRUTHS = frozenset({"bool", "issubclass", "isinstance"})


def unrun(path: str, text: str) -> Iterator[Mark]:
    """Each such test and method. The key has its name, so that one that was so before is no news."""
    if language(path) != "python":
        return
    try:
        module = parsed(text)
    except UNREADABLE:
        return
    nodes = of(module, ast.ClassDef, ast.With, ast.AsyncWith, ast.FunctionDef, ast.AsyncFunctionDef, ast.ImportFrom)
    kinds = _Kinds(nodes)
    yield from _tests(module.body, kinds)
    yield from _of_unittest(nodes) if "load_tests" in text else ()
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            yield from _answering(node, kinds)
        elif isinstance(node, ast.With | ast.AsyncWith) and _asserts(node.body):
            yield from kinds.calming(node)
        elif isinstance(node, Function) and "ExitStack" in text and _asserts(node.body):
            yield from _pushed(node)


class _Kinds:
    """What the classes of a module are."""

    def __init__(self, nodes: Sequence[ast.AST]) -> None:
        classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
        taken = (node for node in nodes if isinstance(node, ast.ImportFrom) and node.module == "unittest")
        self._bases = {node.name: node.bases for node in classes}
        self._cases = {name.asname or name.name for node in taken for name in node.names if name.name == "TestCase"}
        self._calm = {node.name for node in classes if any(map(_calms, node.body))}

    def plain(self, node: ast.ClassDef) -> bool:
        """Whether it is a case of `unittest`, which runs no coroutines."""
        names, seen = [*node.bases], set[str]()
        found = False
        while names:
            if len(seen) > _DEEPEST:
                return False
            base = names.pop()
            name = f"{leaf(base.value)}.{base.attr}" if isinstance(base, ast.Attribute) else leaf(base)
            if name in {"unittest.TestCase", *self._cases}:
                found = True
            elif name in self._bases and name not in seen:
                seen.add(name)
                names += self._bases[name]
            elif name != "object":
                return False  # of a base that is not seen here, nobody knows
        return found

    def case(self, node: ast.ClassDef) -> bool:
        """Whether it is a case of tests in the way of `unittest`, by the names of its bases."""
        return self.plain(node) or any(leaf(base).endswith(("TestCase", "Tests", "TestBase")) for base in node.bases)

    def calming(self, node: ast.With | ast.AsyncWith) -> Iterator[Mark]:
        """Objects of the module around assertions whose end takes every exception."""
        for item in node.items:
            call = item.context_expr
            if isinstance(call, ast.Call) and leaf(call.func) in self._calm:
                yield Mark(f"with {leaf(call.func)}", node.lineno, f"{leaf(call.func)}.__exit__: return True")


def _tests(body: list[ast.stmt], kinds: _Kinds, owner: ast.ClassDef | None = None) -> Iterator[Mark]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _tests(node.body, kinds, node)
        elif isinstance(node, Function) and node.name.startswith("test") and _undecorated(node):
            name = f"{owner.name}.{node.name}" if owner else node.name
            if yields(node):
                yield Mark(f"generator {name}", node.lineno, f"yield in {name}")
            elif owner and isinstance(node, ast.AsyncFunctionDef) and kinds.plain(owner):
                yield Mark(f"coroutine {name}", node.lineno, f"async def {name} in a plain TestCase")


def _of_unittest(nodes: Sequence[ast.AST]) -> Iterator[Mark]:
    """`load_tests` that gives back other tests than those it is given."""
    for node in nodes:
        if isinstance(node, Function) and node.name == "load_tests":
            given = {argument.arg for argument in node.args.args[:2]}
            if not any(isinstance(part, ast.Name) and part.id in given for line in node.body for part in walk(line)):
                yield Mark("load_tests", node.lineno, "load_tests")


def _undecorated(node: Function) -> bool:
    marks = [_words(mark) for mark in node.decorator_list]
    return all(not _PLAIN.isdisjoint(words) and not any(map(_DRIVEN.search, words)) for words in marks)


def _answering(node: ast.ClassDef, kinds: _Kinds) -> Iterator[Mark]:
    """Methods in place of the runner's that neither raise nor hand on."""
    for part in node.body:
        if isinstance(part, Function):
            names = [part.name]
            silent = not _passes_on(part, {"super", *map(leaf, node.bases)})
        elif isinstance(part, ast.Assign):
            names = [target.id for target in part.targets if isinstance(target, ast.Name)]
            silent = not isinstance(part.value, ast.Name | ast.Attribute)
        else:
            continue
        for name in names:
            if silent and (name in _ASSERTIONS or (name in _RUN and kinds.case(node))):
                yield Mark(f"own {name} of {node.name}", part.lineno, f"{node.name}.{name}")


def _passes_on(node: Function, others: set[str]) -> bool:
    if any(isinstance(part, ast.Assert | ast.Raise) for part in walk(node)):
        return True
    calls = (part.func for part in walk(node) if isinstance(part, ast.Call))
    return any(
        leaf(call).startswith(("assert", "fail", "_assert"))
        or (isinstance(call, ast.Attribute) and not others.isdisjoint(_words(call.value)))
        for call in calls
    )


def _calms(part: ast.stmt) -> bool:
    """Whether a method ends a block and says that every exception is dealt with."""
    ends = isinstance(part, Function) and part.name in {"__exit__", "__aexit__"}
    last = part.body[-1] if ends and isinstance(part, Function) else None
    return isinstance(last, ast.Return) and isinstance(last.value, ast.Constant) and bool(last.value.value)


def _pushed(node: Function) -> Iterator[Mark]:
    """Callbacks of an `ExitStack` that take exceptions."""
    answers = {part.name for part in walk(node) if isinstance(part, Function) and _true(part)}
    for part in walk(node):
        if isinstance(part, ast.Call) and leaf(part.func) in {"push", "push_async_exit"} and part.args:
            given = part.args[0]
            if (isinstance(given, ast.Lambda) and _is_true(given.body)) or leaf(given) in answers:
                words = unparsed(part)[:80]
                yield Mark(f"{node.name} {words}", part.lineno, words)


def _true(node: Function) -> bool:
    last = node.body[-1]
    return isinstance(last, ast.Return) and last.value is not None and _is_true(last.value)


def _is_true(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        return leaf(value.func) in _TRUTHS
    return isinstance(value, ast.Compare | ast.BoolOp | ast.UnaryOp) or (
        isinstance(value, ast.Constant) and bool(value.value)
    )


def _asserts(body: list[ast.stmt]) -> bool:
    parts = (part for statement in body for part in walk(statement))
    return any(
        isinstance(part, ast.Assert) or (isinstance(part, ast.Call) and leaf(part.func) in _ASSERTIONS)
        for part in parts
    )


def _words(node: ast.expr) -> set[str]:
    names = (part for part in walk(node) if isinstance(part, ast.Name | ast.Attribute))
    return {name.id if isinstance(name, ast.Name) else name.attr for name in names}
