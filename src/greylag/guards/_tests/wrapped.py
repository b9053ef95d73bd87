"""Tests of Python that newly run within something of the repository's own: a decorator, a `with` around assertions."""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from greylag.guards._cases.matching import Found
from greylag.guards._cases.python_cases import functions
from greylag.guards._code.bindings import HERE, Bound, bindings
from greylag.guards._code.kept import kept
from greylag.guards._code.python_tree import UNREADABLE, Function, leaf, parsed, unparsed, walk
from greylag.guards._code.source import LARGEST, language
from greylag.guards._guard import finding, read
from greylag.guards._tests.origins import Sources, is_source
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change, Tree

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_BROAD = frozenset({"AssertionError", "Exception", "BaseException", "failureException", "Failed"})
_OF_NAME = frozenset({"__name__", "__qualname__", "__module__", "__doc__", "__dict__", "__annotations__"})
_COPIES = frozenset({"wraps", "update_wrapper"})


def wrapped(change: Change, pairs: Sequence[tuple[Found, Found]]) -> Iterator[Diagnostic]:
    """Blocks what is seen to swallow a failure, or not to call the test; the rest is to be looked at."""
    sides = _Sides(change.base, {}), _Sides(change.head, {})
    python = [(was, now) for was, now in pairs if language(now.file.path) == "python"]
    found = [(now, way) for was, now in python for way in _new(sides, was, now)]
    if not found:
        return
    head = Sources(change.head)
    known: dict[tuple[str, str], tuple[str | None, str]] = {}
    for now, (way, opened) in found:
        key = now.file.path, f"{type(way)} {opened} {_key(way)}"
        if key not in known:
            place, definition = _definition(head, now.file.path, way)
            fault = _fault(definition, called=isinstance(way, ast.Call), opened=opened) if definition else ""
            known[key] = place, fault
        place, fault = known[key]
        if place and (fault or is_source(place) or not _had(change.base, place, _leaf(way))):
            words = f"runs `{now.case.name}` within `{unparsed(_called(way))[:80]}` ({place})"
            message = f"{words}, which {fault}" if fault else f"{words}, which may keep a failure from being seen"
            shown = Severity.ERROR if fault else Severity.WARNING
            yield finding(change, "tests", "tests/wrapped", message, now.file.path, line=now.case.line, severity=shown)


_Way = tuple[ast.expr, bool]  # and whether it is that of a `with`
_Ways = Mapping[tuple[str, int], Sequence[_Way]]


class _Sides(NamedTuple):
    """One tree, and what is around the functions of its files: by their names and lines."""

    tree: Tree
    known: dict[str, _Ways]

    def of(self, path: str) -> _Ways:
        if path not in self.known:
            self.known[path] = _ways(_text(self.tree, path))
        return self.known[path]


def _new(sides: tuple[_Sides, _Sides], was: Found, now: Found) -> Iterator[_Way]:
    """What is around a test or its assertions, and was not."""
    old = sides[0].of(was.file.old_path).get((was.case.name, was.case.line), ())
    before = Counter(_key(way) for way, _ in old)
    told: set[str] = set()
    for way, opened in sides[1].of(now.file.path).get((now.case.name, now.case.line), ()):
        if before[_key(way)] > 0:
            before[_key(way)] -= 1
        elif _key(way) not in told:
            told.add(_key(way))
            yield way, opened


def _ways(text: str) -> _Ways:
    try:
        found = functions(parsed(text).body, "", [])
        return {
            (name, node.lineno): [*((mark, False) for mark in marks), *_around(node)] for name, node, marks in found
        }
    except UNREADABLE:
        return {}


def _around(node: Function) -> Iterator[_Way]:
    for part in walk(node):
        if isinstance(part, ast.With | ast.AsyncWith) and any(map(_asserts, part.body)):
            yield from ((item.context_expr, True) for item in part.items)
        elif isinstance(part, _Definition) and part is not node and _asserts(part):
            yield from ((mark, False) for mark in part.decorator_list)


def _asserts(node: ast.AST) -> bool:
    return any(
        isinstance(part, ast.Assert) or (isinstance(part, ast.Call) and _leaf(part).lower().startswith("assert"))
        for part in walk(node)
    )


def _called(way: ast.expr) -> ast.expr:
    return way.func if isinstance(way, ast.Call) else way


def _key(way: ast.expr) -> str:
    return ast.dump(_called(way))


def _leaf(way: ast.expr) -> str:
    return leaf(_called(way))


# -- where it is from ------------------------------------------------------------------------------------------------


def _definition(head: Sources, path: str, way: ast.expr) -> tuple[str | None, _Definition | None]:
    """The repository's file that it is from, and what it is there; nothing for what others bring."""
    node, names = _called(way), list[str]()
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None, None
    if node.id in {"self", "cls"} and len(names) == 1:
        own = _top(head.tree, path).get(f".{names[0]}")
        return (path, own) if own else (None, None)
    bound = next((one for one in bindings("python", _text(head.tree, path)) if one.name == node.id), None)
    if bound is None:
        return None, None
    if bound.module == HERE:
        own = _top(head.tree, path).get(node.id)
        return (path, own) if own else (None, None)
    return _imported(head, path, bound, names)


def _imported(head: Sources, path: str, bound: Bound, names: list[str]) -> tuple[str | None, _Definition | None]:
    whole = ".".join((bound.module, *filter(None, [bound.symbol]), *names))
    module, _, name = whole.rpartition(".")
    place = head.find(path, module, name)
    if place is None:
        return head.find(path, bound.module, bound.symbol), None
    for _ in range(3):  # what a package hands on
        if name in _top(head.tree, place):
            break
        onward = next((one for one in bindings("python", _text(head.tree, place)) if one.name == name), None)
        further = head.find(place, onward.module, onward.symbol) if onward and onward.module != HERE else None
        if onward is None or further is None:
            break
        place, name = further, onward.symbol or name
    return place, _top(head.tree, place).get(name)


def _text(tree: Tree, path: str) -> str:
    return (read(tree, path) or "")[:LARGEST]


def _top(tree: Tree, path: str) -> Mapping[str, _Definition]:
    return _definitions(_text(tree, path))


@kept
def _definitions(text: str) -> Mapping[str, _Definition]:
    """Functions and classes of a module by name; methods with a dot before it."""
    found: dict[str, _Definition] = {}
    try:
        for node in parsed(text).body:
            if isinstance(node, _Definition):
                found[node.name] = node
            for part in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(part, Function):
                    found[f".{part.name}"] = part
    except UNREADABLE:
        return {}
    return found


def _had(base: Tree, path: str, name: str) -> bool:
    known = _top(base, path)
    return name in known or f".{name}" in known


# -- what it does ----------------------------------------------------------------------------------------------------


def _fault(node: _Definition, *, called: bool, opened: bool) -> str:
    """What is plain to see: that a failure ends there, or that the test is never called."""
    if isinstance(node, ast.ClassDef):
        leaves = [one for one in node.body if isinstance(one, Function) and one.name in {"__exit__", "__aexit__"}]
        return "swallows what an assertion raises" if any(map(_says_true, leaves)) else ""
    parts = list(walk(node))
    given = frozenset(one.arg for part in parts if isinstance(part, Function) for one in _all(part))
    if not _speaks(node) and any(_swallows(part, given) for part in parts):
        return "swallows what an assertion raises"
    inner = [part for part in node.body if isinstance(part, Function)]
    never = (bool(inner) and all(map(_never, inner))) if called else _never(node)
    return "never calls the test" if never and not opened else ""


def _says_true(node: Function) -> bool:
    """Whether `__exit__` says, whatever was raised, that nothing was."""
    last = node.body[-1]
    value = last.value if isinstance(last, ast.Return) else None
    return isinstance(value, ast.Constant) and bool(value.value)


def _swallows(node: ast.AST, given: frozenset[str]) -> bool:
    if isinstance(node, ast.Try | ast.TryStar) and _runs(node.body, given):
        ends = any(isinstance(part, ast.Return | ast.Break) for one in node.finalbody for part in walk(one))
        return ends or any(_catches(handler.type) and not _keeps(handler) for handler in node.handlers)
    if isinstance(node, ast.With | ast.AsyncWith) and _runs(node.body, given):
        calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
        return any(_leaf(call) == "suppress" and any(map(_catches, call.args)) for call in calls)
    return False


def _catches(kind: ast.expr | None) -> bool:
    return kind is None or any(
        _leaf(part) in _BROAD for part in walk(kind) if isinstance(part, ast.Name | ast.Attribute)
    )


def _keeps(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(part, ast.Name) and part.id == handler.name for part in walk(handler))


def _speaks(node: ast.AST) -> bool:
    """Whether it raises or asserts by itself, maybe later."""
    return any(
        isinstance(part, ast.Raise | ast.Assert) or (isinstance(part, ast.Call) and _leaf(part) in {"fail", "exit"})
        for part in walk(node)
    )


def _runs(body: Iterable[ast.AST], given: frozenset[str]) -> bool:
    """Whether a block gives way to the test, or calls what it was given."""
    parts = [part for one in body for part in walk(one)]
    return any(isinstance(part, ast.Yield) or (isinstance(part, ast.Call) and _leaf(part) in given) for part in parts)


def _all(node: Function) -> list[ast.arg]:
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]


def _never(node: Function) -> bool:
    """Whether nothing but its name is taken of the first thing that a function is given."""
    given = [argument.arg for argument in _all(node) if argument.arg not in {"self", "cls"}]
    if not given:
        return False
    parts = list(walk(node))
    copies = [part for part in parts if isinstance(part, ast.Call) and _leaf(part) in _COPIES]
    names = {below for part in copies for below in walk(part)}
    names |= {part.value for part in parts if isinstance(part, ast.Attribute) and part.attr in _OF_NAME}
    return not any(isinstance(part, ast.Name) and part.id == given[0] and part not in names for part in parts)
