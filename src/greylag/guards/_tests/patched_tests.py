"""Tests of Python that newly patch the very function of the sources that they call: then the patch is tested."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import PurePosixPath
from typing import NamedTuple

from greylag.guards._cases.matching import Found
from greylag.guards._cases.python_cases import functions
from greylag.guards._code.bindings import Bound
from greylag.guards._code.python_tree import UNREADABLE, Function, leaf, parsed, unparsed, walk
from greylag.guards._code.source import LARGEST, language
from greylag.guards._guard import finding, read
from greylag.guards._tests.origins import Sources
from greylag.guards._tests.patched import SET_UPS, Own, target
from greylag.model import Diagnostic
from greylag.protocols import Change, Tree

_Patches = Mapping[str, str]  # functions of the sources, and by what they are patched
_MOST = 50  # fixtures that a test asks for, one by another


class Test(NamedTuple):
    """One function of a file of tests, with the decorators of it and of its classes."""

    node: Function
    marks: Sequence[ast.expr]


def patched_tests(change: Change, pairs: Sequence[tuple[Found, Found]]) -> Iterator[Diagnostic]:
    """By itself, by a decorator, or by what runs before it: in its file, or fixtures of a `conftest.py`."""
    sides = Reader(change.base), Reader(change.head)
    for was, now in pairs:
        if language(now.file.path) == "python":
            base, head = sides[0](was.file.old_path), sides[1](now.file.path)
            old, new = base.test(was), head.test(now)
            if old is None or new is None:
                continue
            same = now.case.same(was.case) and base.names == head.names
            patched = head.before(new) if same else {**head.before(new), **head.around(new)}
            called = base.called(old) if patched else frozenset()
            had = {**base.before(old), **base.around(old)} if called & patched.keys() else {}
            for name in sorted(called & patched.keys() - had.keys()):
                message = f"`{now.case.name}` calls `{name}`, which it now patches by `{patched[name]}`: that is tested"
                yield finding(change, "tests", "tests/not-the-source", message, now.file.path, line=now.case.line)


class TestFile:
    """One file of tests: its tests, and what of the sources each of them calls and patches."""

    def __init__(self, files: "Reader", path: str) -> None:
        self._files, self._path = files, path
        text = (read(files.sources.tree, path) or "")[:LARGEST]
        self._tests: dict[tuple[str, int], Test] = {}
        self._known: dict[ast.AST, _Patches] = {}
        self.made: dict[str, ast.ClassDef | Function] = {}  # at the top of it
        self.loaded: list[ast.stmt] = []  # what runs while it is loaded
        try:
            module = parsed(text)
            found = functions(module.body, "", [])
            self._tests = {(name, node.lineno): Test(node, marks) for name, node, marks in found}
            self.made = {part.name: part for part in module.body if isinstance(part, ast.ClassDef | Function)}
            self.loaded = [part for part in module.body if not isinstance(part, ast.ClassDef | Function)]
            self.own = Own.of(files.sources, path, text, module)
        except UNREADABLE:
            self.own = Own.of(files.sources, path, "", ast.Module([], []))

    def test(self, found: Found) -> Test | None:
        """The function that a case was read from."""
        return self._tests.get((found.case.name.partition("#")[0], found.case.line))

    @cached_property
    def names(self) -> tuple[Mapping[str, Bound], Mapping[str, str]]:
        """What decides what of the sources a name is."""
        led = ((name, self.own.origin(value)) for name, value in self.own.values.items())
        return self.own.bound, {name: source for name, source in led if source}

    def called(self, test: Test) -> frozenset[str]:
        """Functions of the sources that a test calls by itself."""
        calls = [part.func for part in walk(test.node) if isinstance(part, ast.Call)]
        return frozenset(name for call in calls if (name := leaf(call)) and self.own.origin(call))

    def set_ups(self, found: Found) -> Sequence[Function]:
        """What runs before a test of a class, in that class or at the top of the file."""
        home = found.case.name.rpartition(".")[0]
        places = sorted({f"{home}.{name}".lstrip(".") for name in SET_UPS} | SET_UPS)
        return [self._by_name[name] for name in places if name in self._by_name]

    @cached_property
    def _by_name(self) -> Mapping[str, Function]:
        return {name: test.node for (name, _), test in self._tests.items()}

    def fixture(self, name: str) -> tuple["TestFile", Function] | None:
        """The fixture that a test gets by a name, and its file."""
        file = next((file for file in (self, *self._above) if name in file.fixtures), None)
        return (file, file.fixtures[name]) if file else None

    def around(self, test: Test) -> _Patches:
        """What a test and its decorators patch."""
        return {name: words for node in (test.node, *test.marks) for name, words in self.patches(node).items()}

    def before(self, test: Test) -> _Patches:
        """What is patched by set-ups of the file, and by fixtures that a test gets."""
        found: dict[str, str] = {}
        for node, always in self.first:
            found |= self.patches(node) if always else {}
        names = [*asked(test)]
        for name in names:  # grows by what fixtures ask for
            fixture = self.fixture(name)
            if fixture and len(names) < _MOST:
                found |= fixture[0].patches(fixture[1])
                names += [other for other in asked(Test(fixture[1], ())) if other not in names]
        return found

    @cached_property
    def _above(self) -> Sequence["TestFile"]:
        """The `conftest.py` that hold for the file, the nearest first."""
        places = (str(home / "conftest.py") for home in PurePosixPath(self._path).parents)
        return [self._files(place) for place in places if place in self._files.sources.paths and place != self._path]

    @cached_property
    def fixtures(self) -> Mapping[str, Function]:
        """Those of the file by name."""
        return {node.name: node for node, _ in self.first if node.name not in SET_UPS}

    @cached_property
    def first(self) -> Sequence[tuple[Function, bool]]:
        """Fixtures and set-ups of the file, and whether they run before every test."""
        found = []
        for node, marks in self._tests.values():
            fixture = [words for mark in marks if "fixture" in (words := ast.dump(mark))]
            automatic = any("arg='autouse', value=Constant(value=True)" in words for words in fixture)
            if fixture or node.name in SET_UPS:
                found.append((node, automatic or node.name in SET_UPS))
        return found

    @cached_property
    def automatic(self) -> Sequence[Function]:
        """Fixtures that run before every test of the file: its own, and those of each `conftest.py` above."""
        return [node for file in (self, *self._above) for node, always in file.first if always]

    def patches(self, node: ast.AST) -> _Patches:
        """What a part of the file patches."""
        if node not in self._known:
            self._known[node] = dict(self._targets(node))
        return self._known[node]

    def _targets(self, node: ast.AST) -> Iterator[tuple[str, str]]:
        for part in walk(node):
            is_spy = isinstance(part, ast.Call) and any(word.arg == "wraps" for word in part.keywords)
            words = "" if is_spy else target(part, self.own).lstrip("?")
            if words and isinstance(part, ast.expr):
                name = words.rstrip("]").replace("[", ".").rpartition(".")[2]
                yield name, unparsed(part)[:80]


def asked(test: Test) -> Iterator[str]:
    """Fixtures that a test, or another fixture, names."""
    yield from (argument.arg for argument in (*test.node.args.args, *test.node.args.kwonlyargs))
    for mark in test.marks:
        if isinstance(mark, ast.Call) and leaf(mark.func) == "usefixtures":
            yield from (one.value for one in mark.args if isinstance(one, ast.Constant) and isinstance(one.value, str))


class Reader:
    """Reads each file of a tree once."""

    def __init__(self, tree: Tree) -> None:
        self.sources = Sources(tree)
        self._files: dict[str, TestFile] = {}

    def __call__(self, path: str) -> TestFile:
        if path not in self._files:
            self._files[path] = TestFile(self, path)
        return self._files[path]
