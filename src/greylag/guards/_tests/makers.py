"""Who answers what a test of Python compares: something of the sources, or something that the tests have made."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from greylag.guards._code.bindings import bindings
from greylag.guards._code.python_tree import UNREADABLE, Function, leaf, parsed, walk
from greylag.guards._code.source import LARGEST
from greylag.guards._guard import read
from greylag.guards._tests.origins import Sources
from greylag.guards._tests.patched_tests import Test, TestFile

_FAKES = re.compile(r"(?:NonCallable|Magic|Async|Property|Thread\w*)*Mock|create_autospec|SimpleNamespace")
_RAISES = re.compile(r"raises|assertRaises\w*|warns|assertWarns\w*")
_DEEP, _MOST = 5, 200  # names that are followed one after the other, and calls of a test that are looked at


class Maker(NamedTuple):
    """What an object or a function is from: `path` is a source, or empty for what the tests have made."""

    name: str
    path: str = ""
    methods: frozenset[str] = frozenset()  # of a class of the tests, which answers only these by itself

    def answers(self, method: str) -> bool:
        """Whether what the tests have made answers by itself."""
        return not self.path and (not self.methods or method in self.methods)


class Answers:
    """One test: what its names stand for, and whose answers its assertions ask for."""

    def __init__(self, file: TestFile, test: Test, before: Sequence[Function] = ()) -> None:
        self.file, self.test, self.before = file, test, before
        self._values: dict[str, ast.expr] = {}
        self._made: dict[str, ast.ClassDef | Function] = dict(file.made)
        for node in (*self.before, test.node):
            self._values |= _given(node)
            self._made |= {part.name: part for part in walk(node) if isinstance(part, ast.ClassDef | Function)}

    def asked(self) -> Iterator[tuple[str, Maker | None]]:
        """Names of the functions and methods that are asked, and who answers, as far as that is known."""
        seen, number = set[int](), 0
        for asked in _asserted(self.test.node):
            for call in self._calls(asked, 0):
                number += 1
                if id(call) not in seen and number < _MOST:
                    seen.add(id(call))
                    if isinstance(call.func, ast.Attribute):
                        yield call.func.attr, self.maker(call.func.value)
                    elif isinstance(call.func, ast.Name):
                        yield call.func.id, self.maker(call.func)

    def _calls(self, node: ast.AST, depth: int) -> Iterator[ast.Call]:
        for part in walk(node):
            if isinstance(part, ast.Call):
                yield part
                if leaf(part.func).startswith("assertRaises") and len(part.args) > 1:
                    yield ast.Call(part.args[1], part.args[2:], [])
            elif isinstance(part, ast.Name | ast.Attribute) and isinstance(part.ctx, ast.Load) and depth < _DEEP:
                value = self._values.get(_key(part))
                if value is not None and not isinstance(value, ast.Name):
                    yield from self._calls(value, _DEEP)

    def maker(self, node: ast.expr, depth: int = 0) -> Maker | None:
        """Who has made what an expression stands for."""
        if depth > _DEEP:
            return None
        if _key(node) in self._values:
            return self.maker(self._values[_key(node)], depth + 1)
        match node:
            case ast.Await(value=inner) | ast.Attribute(value=inner):
                found = None if _key(node) else self.maker(inner, depth + 1)
            case ast.Lambda():
                found = Maker("lambda")
            case ast.Name():
                found = self._named(node.id, depth)
            case ast.Call():
                found = self._called(node, depth)
            case _:
                found = None
        return found

    def _named(self, name: str, depth: int) -> Maker | None:
        arguments = self.test.node.args
        if name in {one.arg for one in (*arguments.args, *arguments.kwonlyargs)}:
            fixture = self.file.fixture(name)
            given = _returned(fixture[1]) if fixture else None
            if fixture is None or given is None:
                return None
            return Answers(fixture[0], Test(fixture[1], ())).maker(given, depth + 1)
        source, bound = self.file.own.source(name), self.file.own.bound.get(name)
        return Maker(bound.symbol or name, source) if source and bound else None

    def _called(self, node: ast.Call, depth: int) -> Maker | None:
        name = leaf(node.func)
        if _FAKES.fullmatch(name):
            return None if any(word.arg == "wraps" for word in node.keywords) else Maker(name)
        made = self._made.get(name) if isinstance(node.func, ast.Name) else None
        if isinstance(made, ast.ClassDef):
            return Maker(name, methods=frozenset(_methods(made)) or frozenset({""}))
        if made is not None:
            given = _returned(made)
            return self.maker(given, depth + 1) if given is not None and not made.args.args else None
        return self.maker(node.func.value if isinstance(node.func, ast.Attribute) else node.func, depth + 1)


def _key(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    own = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}
    return f"self.{node.attr}" if own and isinstance(node, ast.Attribute) else ""


def _given(node: ast.AST) -> dict[str, ast.expr]:
    """What names of a function stand for at its end."""
    found: dict[str, ast.expr] = {}
    for part in walk(node):
        if isinstance(part, ast.Assign):
            found |= {key: part.value for target in part.targets if (key := _key(target))}
        elif isinstance(part, ast.AnnAssign) and part.value and _key(part.target):
            found[_key(part.target)] = part.value
        elif isinstance(part, ast.withitem) and part.optional_vars and _key(part.optional_vars):
            found[_key(part.optional_vars)] = part.context_expr
    return found


def _returned(node: Function) -> ast.expr | None:
    found = [part.value for part in walk(node) if isinstance(part, ast.Return | ast.Yield) and part.value]
    return found[0] if len(found) == 1 else None


def _asserted(node: ast.AST) -> Iterator[ast.AST]:
    """What a function asserts something of."""
    for part in walk(node):
        if isinstance(part, ast.Assert):
            yield part.test
        elif isinstance(part, ast.Call) and leaf(part.func).startswith("assert"):
            yield from (part, *part.args)[0 if leaf(part.func).startswith("assertRaises") else 1 :]
        elif isinstance(part, ast.With | ast.AsyncWith):
            calls = [item.context_expr for item in part.items if isinstance(item.context_expr, ast.Call)]
            yield from part.body if any(_RAISES.fullmatch(leaf(call.func)) for call in calls) else ()


def _methods(node: ast.ClassDef) -> Iterator[str]:
    for part in node.body:
        if isinstance(part, Function):
            yield part.name
        elif isinstance(part, ast.Assign):
            yield from (target.id for target in part.targets if isinstance(target, ast.Name))


def methods(sources: Sources, path: str, name: str) -> frozenset[str] | None:
    """Methods of a class of a source; none for a function there; None where there is nothing of the name."""
    for _ in range(_DEEP):
        text = (read(sources.tree, path) or "")[:LARGEST]
        try:
            made = {part.name: part for part in parsed(text).body if isinstance(part, ast.ClassDef | Function)}
        except UNREADABLE:
            return None
        if name in made:
            return frozenset(_inherited(made, name))
        bound = next((one for one in bindings("python", text) if one.name == name), None)
        place = sources.find(path, bound.module, bound.symbol) if bound else None
        if bound is None or place is None or place == path:
            return None
        path, name = place, bound.symbol or name
    return None


def _inherited(made: Mapping[str, ast.ClassDef | Function], name: str) -> Iterator[str]:
    waiting: Sequence[str] = [name]
    for _ in range(_DEEP):
        nodes = [node for one in waiting if isinstance(node := made.get(one), ast.ClassDef)]
        for node in nodes:
            yield from _methods(node)
        waiting = [leaf(base) for node in nodes for base in node.bases]


def called(sources: Sources, path: str, name: str) -> frozenset[str]:
    """Names in a function or method of a source, and in those of the same file that it calls."""
    try:
        nodes = walk(parsed((read(sources.tree, path) or "")[:LARGEST]))
    except UNREADABLE:
        return frozenset()
    made = {node.name: node for node in nodes if isinstance(node, Function)}
    found, waiting = set[str](), [name]
    while waiting:
        node = made.pop(waiting.pop(), None)
        names = {word for part in walk(node) if (word := leaf(part))} if node else set[str]()
        waiting += sorted(names - found)
        found |= names
    return frozenset(found)
