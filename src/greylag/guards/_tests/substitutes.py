"""Fixtures of Python that gave tests something of the sources, and give them something made in the tests now."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from greylag.diffs import FileDiff
from greylag.guards._code.bindings import HERE, bindings
from greylag.guards._code.python_tree import UNREADABLE, Function, parsed, walk
from greylag.guards._code.source import LARGEST, language
from greylag.guards._guard import finding, read
from greylag.guards._tests.origins import Sources, is_source
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change

_MOCKS = re.compile(r"(?:NonCallable|Magic|Async|Property)*Mock|create_autospec|sentinel")
_MADE = frozenset({"SimpleNamespace", "type", "namedtuple", "dict", "make_dataclass"})


class _Fixture(NamedTuple):
    """What one gives, with the functions and classes that its file makes."""

    node: Function
    given: ast.expr
    sources: Mapping[str, str]  # names of its file -> the sources that they are from
    made: Mapping[str, ast.AST]


def substitutes(change: Change, files: Sequence[FileDiff]) -> Iterator[Diagnostic]:
    """Findings on changed files of tests and on `conftest.py`."""
    kept = [file for file in files if file.status in {"modified", "renamed"} and language(file.path) == "python"]
    if not kept:
        return
    base, head = Sources(change.base), Sources(change.head)
    for file in kept:
        old, new = dict(_fixtures(base, file.old_path)), dict(_fixtures(head, file.path))
        for name in [name for name in old if name in new]:
            gave = old[name].sources.get(_root(old[name].given))
            if gave is None or ast.dump(old[name].given) == ast.dump(new[name].given):
                continue
            if what := _substitute(new[name], read(change.base, gave) or ""):
                words, shown = what
                message = f"the fixture `{name}` gave what is in {gave}, and gives {words} now"
                yield finding(
                    change, "tests", "tests/not-the-source", message, file.path,
                    line=new[name].node.lineno, severity=shown,
                )  # fmt: skip


def _fixtures(sources: Sources, path: str) -> Iterator[tuple[str, _Fixture]]:
    text = (read(sources.tree, path) or "")[:LARGEST]
    if "fixture" not in text:
        return
    try:
        module = parsed(text)
    except UNREADABLE:
        return
    known = {
        bound.name: place
        for bound in bindings("python", text)
        if bound.module != HERE and is_source(place := sources.find(path, bound.module, bound.symbol)) and place
    }
    top = {part.name: part for part in module.body if isinstance(part, Function | ast.ClassDef)}
    for node in walk(module):
        if isinstance(node, Function) and any("fixture" in ast.dump(mark) for mark in node.decorator_list):
            given = list(_given(node))
            own = {part.name: part for part in node.body if isinstance(part, Function | ast.ClassDef)}
            values = {
                target.id: part.value for part in node.body if isinstance(part, ast.Assign)
                for target in part.targets if isinstance(target, ast.Name)
            }  # fmt: skip
            if given:
                last = given[-1]
                whole = values.get(last.id, last) if isinstance(last, ast.Name) else last
                made: dict[str, ast.AST] = {**top, **own, **values}
                yield node.name, _Fixture(node, whole, known, made)


def _given(node: ast.AST) -> Iterator[ast.expr]:
    """What a function returns or yields, without those within it."""
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.Return | ast.Yield) and part.value:
            yield part.value
        elif not isinstance(part, Function | ast.Lambda | ast.ClassDef):
            yield from _given(part)


def _root(node: ast.expr) -> str:
    """The name that an expression begins with."""
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute | ast.Await | ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        else:
            return ""
    return node.id


def _substitute(new: _Fixture, source: str) -> tuple[str, Severity] | None:
    """What is given in place of the source, if that is made in the tests."""
    root, last = _root(new.given), _last(new.given)
    if root in new.sources:
        return None
    if isinstance(new.given, ast.Call) and _MOCKS.fullmatch(last):
        return None if any(word.arg == "wraps" for word in new.given.keywords) else (f"a `{last}`", Severity.ERROR)
    answers = [(name, node) for name, node in _answers(new) if re.search(rf"\bdef\s+{re.escape(name)}\b", source)]
    for name, node in answers:
        names = {part.id for part in walk(node) if isinstance(part, ast.Name)}
        if names.isdisjoint(new.sources):
            return f"a `{name}` of the tests' own", Severity.ERROR
    return ("one that goes by the tests' own code", Severity.WARNING) if answers else None


def _lambda(node: ast.AST | None) -> ast.Lambda | None:
    """The function without a name in a value, which may be wrapped: `staticmethod(lambda ...)`."""
    return next((part for part in walk(node) if isinstance(part, ast.Lambda)), None) if node is not None else None


def _last(node: ast.expr) -> str:
    function = node.func if isinstance(node, ast.Call) else node
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _answers(new: _Fixture) -> Iterator[tuple[str, ast.AST]]:
    """Functions of the tests by the names under which what is given has them."""
    given = new.given
    if isinstance(given, ast.Call) and _last(given) in _MADE:
        pairs = [(word.arg or "", word.value) for word in given.keywords]
        for part in (part for argument in given.args for part in walk(argument) if isinstance(part, ast.Dict)):
            pairs += [
                (str(getattr(key, "value", "")), value) for key, value in zip(part.keys, part.values, strict=True)
            ]
        for name, value in pairs:
            made = new.made.get(value.id) if isinstance(value, ast.Name) else value
            own = made if isinstance(made, Function) else _lambda(made)
            if own is not None:
                yield name, own
    elif isinstance(made := new.made.get(_root(given)), ast.ClassDef):
        if not any(_root(one) in new.sources for one in made.bases):
            yield from ((part.name, part) for part in made.body if isinstance(part, Function))
            yield from (
                (target.id, own) for part in made.body if isinstance(part, ast.Assign) and (own := _lambda(part.value))
                for target in part.targets if isinstance(target, ast.Name)
            )  # fmt: skip
    elif isinstance(made, Function) and isinstance(given, ast.Name):
        yield made.name, made
