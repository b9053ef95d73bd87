"""Tests of Python that newly patch the very function of the sources that they call: then the patch is tested."""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from greylag.guards._case import LARGEST
from greylag.guards._guard import finding, read
from greylag.guards._matching import Found
from greylag.guards._origins import Sources
from greylag.guards._patched import SET_UPS, Own, target
from greylag.guards._python_cases import functions
from greylag.guards._source import language
from greylag.model import Diagnostic
from greylag.protocols import Change, Tree

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Test = tuple[_Function, list[ast.expr]]


def patched_tests(change: Change, pairs: Sequence[tuple[Found, Found]]) -> Iterator[Diagnostic]:
    """By itself, by a decorator, or by what runs before it in its file."""
    sides = _File.reader(change.base), _File.reader(change.head)
    for was, now in pairs:
        if language(now.file.path) == "python":
            base, head = sides[0](was.file.old_path), sides[1](now.file.path)
            old, new = base.test(was), head.test(now)
            called = base.called(old) if old and new else frozenset()
            patched = head.patched(new) if new and called else {}
            for name in sorted(called & patched.keys() - (base.patched(old).keys() if old and patched else set())):
                message = f"`{now.case.name}` calls `{name}`, which it now patches by `{patched[name]}`: that is tested"
                yield finding(change, "tests", "tests/not-the-source", message, now.file.path, line=now.case.line)


class _File:
    """One file of tests: its tests, and what of the sources each of them calls and patches."""

    def __init__(self, sources: Sources, path: str) -> None:
        text = (read(sources.tree, path) or "")[:LARGEST]
        try:
            self._module = ast.parse(text)
            self._tests = {
                (name, node.lineno): (node, marks) for name, node, marks in functions(self._module.body, "", [])
            }
            self._own = Own.of(sources, path, text, self._module)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            self._module, self._tests = ast.Module([], []), {}
            self._own = Own.of(sources, path, "", self._module)
        self._known: dict[ast.AST, Mapping[str, str]] = {}

    @staticmethod
    def reader(tree: Tree) -> "_Reader":
        """Reads each file once."""
        return _Reader(Sources(tree))

    def test(self, found: Found) -> _Test | None:
        return self._tests.get((found.case.name.partition("#")[0], found.case.line))

    def called(self, test: _Test) -> frozenset[str]:
        """Functions of the sources that a test calls by itself."""
        calls = [part.func for part in ast.walk(test[0]) if isinstance(part, ast.Call)]
        return frozenset(name for call in calls if (name := _name(call)) and self._own.origin(call))

    def patched(self, test: _Test) -> Mapping[str, str]:
        """Functions of the sources that are patched around a test, and by what."""
        found: dict[str, str] = {}
        for node in (test[0], *test[1], *self._before(test[0])):
            if node not in self._known:
                self._known[node] = dict(self._targets(node))
            found |= self._known[node]
        return found

    def _targets(self, node: ast.AST) -> Iterator[tuple[str, str]]:
        for part in ast.walk(node):
            is_spy = isinstance(part, ast.Call) and any(word.arg == "wraps" for word in part.keywords)
            words = "" if is_spy else target(part, self._own).lstrip("?")
            if words and isinstance(part, ast.expr):
                name = words.rstrip("]").replace("[", ".").rpartition(".")[2]
                yield name, ast.unparse(part)[:80]

    def _before(self, test: _Function) -> Iterable[_Function]:
        """Fixtures and functions of the file that run before a test."""
        asked = {argument.arg for argument in test.args.args}
        return (node for node, always in self._first if always or node.name in asked)

    @cached_property
    def _first(self) -> Sequence[tuple[_Function, bool]]:
        """Fixtures and set-ups of the file, and whether they run before every test."""
        found = []
        for node, marks in self._tests.values():
            fixture = [words for mark in marks if "fixture" in (words := ast.dump(mark))]
            automatic = any("arg='autouse', value=Constant(value=True)" in words for words in fixture)
            if fixture or node.name in SET_UPS:
                found.append((node, automatic or node.name in SET_UPS))
        return found


class _Reader:
    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._files: dict[str, _File] = {}

    def __call__(self, path: str) -> _File:
        if path not in self._files:
            self._files[path] = _File(self._sources, path)
        return self._files[path]


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
