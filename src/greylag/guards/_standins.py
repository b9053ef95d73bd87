"""Files of tests that take the place of a source: modules and classes of the same name, mocks, patches at import."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from posixpath import dirname, join, normpath

from greylag.diffs import FileDiff, parse
from greylag.guards._bindings import HERE, Bound, bindings
from greylag.guards._case import LARGEST
from greylag.guards._fresh import Mark, fresh
from greylag.guards._guard import finding, read
from greylag.guards._origins import Sources, is_source, package
from greylag.guards._shadows import Imports, imports, module
from greylag.guards._source import language, scan
from greylag.kinds import TESTS, matches
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change

_IMPORTLIB = re.compile(r"import[-_]mode\s{0,9}[=\"' ]{1,9}importlib|importmode\s{0,9}=\s{0,9}.?importlib")
_SETTINGS = ("pyproject.toml", "pytest.ini", "setup.cfg", "tox.ini", ".pytest.ini")
_CLASS = re.compile(r"^(?:[a-z]+[ \t]+){0,5}(?:class|interface|enum|record|object)[ \t]+(\w+)", re.MULTILINE)


def standins(change: Change) -> Iterator[Diagnostic]:
    """New files that hide a source from the tests, and test code that patches one while it is loaded."""
    files = [file for file in parse(change.diff) if file.status != "deleted" and not file.binary]
    new = [file for file in files if file.status in {"added", "copied", "renamed"}]
    python = [file for file in files if language(file.path) == "python" and matches(file.path, TESTS)]
    if not new and not python:
        return
    head = Sources(change.head)
    known = imports(change) if any(language(file.path) == "python" for file in new) else None
    for file in new:
        if hidden := _hidden(change, file, head, known):
            message = f"takes the place of {hidden} in tests, which no longer test the repository's own"
            yield finding(change, "tests", "tests/not-the-source", message, file.path)
    for file, mark in fresh(change, python, partial(patched, head)):
        message = f"patches the repository's own code by `{mark.words.lstrip('?')}` for all tests"
        shown = Severity.WARNING if mark.words.startswith("?") else Severity.ERROR
        yield finding(change, "tests", "tests/not-the-source", message, file.path, line=mark.line, severity=shown)


def _hidden(change: Change, file: FileDiff, head: Sources, known: Imports | None) -> str | None:
    """The source whose place a file takes."""
    family, home, name = language(file.path), dirname(file.path), PurePosixPath(file.path).name
    if family == "js" and home.endswith("__mocks__"):
        stem = f"./{name.partition('.')[0]}"
        return next((one for one in [head.find(join(dirname(home), "x.js"), stem)] if is_source(one)), None)
    if not matches(file.path, TESTS):
        return None
    if family == "java":
        code = scan((read(change.head, file.path) or "")[:LARGEST], "java").code
        found = (head.find(file.path, package(code), one, sources=True) for one in _CLASS.findall(code)[:99])
        return next((one for one in found if one and PurePosixPath(one).stem in code), None)
    if known is None or any(_IMPORTLIB.search(read(change.head, one) or "") for one in _SETTINGS):
        return None
    for root in map(str, PurePosixPath(file.path).parents):
        top = module(file, root, change.head) if known.roots.get(root) else ""
        source = head.find("x.py", top, sources=True) if top else None
        if source and not source.startswith(normpath(join(root, top)) + "/"):  # else it is a part of that package
            return source
    return None


# -- patches ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Own:
    """Names that a file imports, and the files of the sources that they are from."""

    head: Sources
    path: str
    bound: dict[str, Bound]
    known: dict[str, str | None] = field(default_factory=dict)
    names: dict[str, frozenset[str]] = field(default_factory=dict)

    def source(self, name: str) -> str | None:
        if name not in self.known:
            bound = self.bound.get(name)
            found = self.head.find(self.path, bound.module, bound.symbol) if bound else None
            self.known[name] = found if is_source(found) else None
        return self.known[name]

    def defines(self, path: str, name: str) -> bool:
        """Whether a source has a function or class of the name, or imports one."""
        if path not in self.names:
            bound = bindings("python", (read(self.head.tree, path) or "")[:LARGEST])
            self.names[path] = frozenset(one.name for one in bound if one.made and not one.inner)
        return name in self.names[path]


def patched(head: Sources, path: str, text: str) -> Iterator[Mark]:
    """Statements that replace a function or class of the sources: while the file is loaded, or in a `conftest.py`."""
    try:
        tree = ast.parse(text)
        own = _Own(head, path, {bound.name: bound for bound in bindings("python", text) if bound.module != HERE})
        everywhere = path.rpartition("/")[2] == "conftest.py"
        yield from list(_patches(tree, own, everywhere=everywhere, inner=False))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return


def _patches(node: ast.AST, own: _Own, *, everywhere: bool, inner: bool) -> Iterator[Mark]:
    for part in ast.iter_child_nodes(node):
        within = inner or isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if within and not everywhere:
            continue
        words = _target(part, own)
        if words and isinstance(part, ast.expr):
            yield Mark(words, part.lineno, f"?{words}" if within else words)
        yield from _patches(part, own, everywhere=everywhere, inner=within)


def _target(node: ast.AST, own: _Own) -> str:
    """What of the sources is replaced, as dotted name; nothing else than functions and classes counts."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
        modules = "modules" in ast.dump(node.value)[-60:] and _text(node.slice)
        return f"sys.modules[{modules}]" if modules and is_source(own.head.find("x.py", modules)) else ""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        return _defined(node.value, node.attr, own)
    if not isinstance(node, ast.Call) or not node.args:
        return ""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name not in {"setattr", "patch", "object"}:
        return ""
    whole, _, attribute = _text(node.args[0]).rpartition(".")
    if whole:
        source = own.head.find("x.py", whole)
        return f"{whole}.{attribute}" if source and is_source(source) and own.defines(source, attribute) else ""
    return _defined(node.args[0], _text(node.args[1]), own) if len(node.args) > 1 else ""


def _defined(owner: ast.expr, attribute: str, own: _Own) -> str:
    root = owner
    while isinstance(root, ast.Attribute):
        root = root.value
    source = own.source(root.id) if isinstance(root, ast.Name) else None
    return f"{ast.unparse(owner)[:80]}.{attribute}" if source and own.defines(source, attribute) else ""


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
