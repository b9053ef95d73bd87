"""Tests that no longer test the repository's own code: a name from another place, a mock, a module that hides it."""

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from posixpath import dirname, join, normpath

from greylag.diffs import FileDiff
from greylag.guards._code.bindings import HERE, Bindings, Bound, bindings
from greylag.guards._code.kept import kept
from greylag.guards._code.python_tree import parsed, walk
from greylag.guards._code.source import LARGEST, language, scan
from greylag.guards._guard import finding, read
from greylag.guards._tests.pairs import Pairs
from greylag.kinds import TESTS, matches
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change, Tree

_ENDS = ("", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte", "/index.ts", "/index.js")
_MOST = 500  # bindings of a file that are looked up


class Sources:
    """The modules of one tree, by the ways in which tests name them."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.paths = frozenset(tree.paths())
        self._packages: dict[str, dict[str, object]] = {}
        self._ends: defaultdict[str, list[str]] = defaultdict(list)
        for path in tree.paths():
            if language(path) in {"python", "java", "js"}:
                place = path.removesuffix("/__init__.py") if path.endswith("/__init__.py") else path.rpartition(".")[0]
                for last in (1, 2):
                    self._ends["/".join(place.split("/")[-last:])].append(path)

    def _near(self, place: str) -> list[str]:
        """Files whose path, without its suffix, ends as `place` does in its last two parts."""
        return self._ends.get("/".join(place.strip("/").split("/")[-2:]), [])

    def find(self, path: str, module: str, symbol: str = "", *, sources: bool = False) -> str | None:
        """The file that an import in the file at `path` is answered by; None when it is in no file of the tree.

        With `sources` only what is no test counts.
        """
        if language(path) == "js":
            return self._js(path, module)
        finder = self._python(path, module, symbol) if language(path) == "python" else self._java(module, symbol)
        return next((one for one in finder if not sources or is_source(one)), None)

    def _js(self, path: str, module: str) -> str | None:
        stem = re.sub(r"\.(?:[mc]?[jt]sx?)$", "", module)
        if module.startswith("."):
            home = normpath(join(dirname(path), stem))
            return next((home + end for end in _ENDS[1:] if home + end in self.paths), None)
        if mapped := self._mapped(path, module):
            return mapped
        tail = re.sub(r"^(?:[@~#]/?|src/)", "/", stem)
        ours = module.startswith(("@/", "~", "#", "src/"))
        near = self._near(tail) if ours else []
        return next((one for one in near if f"/{one.rpartition('.')[0]}".endswith(f"/{tail.lstrip('/')}")), None)

    def _mapped(self, path: str, module: str) -> str | None:
        """Where `imports` of the nearest `package.json` lead a module, or `exports` if it has the name of that."""
        homes = ("" if one == "." else one for one in map(str, PurePosixPath(path).parents))
        home = next((one for one in homes if join(one, "package.json") in self.paths), None)
        if home is None:
            return None
        settings = self._package(join(home, "package.json"))
        table, key = (settings.get("imports"), module) if module.startswith("#") else (None, "")
        if not module.startswith("#") and module == settings.get("name"):
            table, key = settings.get("exports", settings.get("main")), "."
            table = table if isinstance(table, dict) and "." in table else {".": table}
        target = _first(table.get(key)) if isinstance(table, dict) else None
        whole = normpath(join(home, target)) if target else ""
        return next((whole + end for end in _ENDS if whole + end in self.paths), None) if whole else None

    def _package(self, path: str) -> dict[str, object]:
        if path not in self._packages:
            try:
                found = json.loads((read(self.tree, path) or "")[:LARGEST])
            except (ValueError, RecursionError):
                found = None
            self._packages[path] = found if isinstance(found, dict) else {}
        return self._packages[path]

    def _python(self, path: str, module: str, symbol: str) -> Iterator[str]:
        dots = len(module) - len(module.lstrip("."))
        names = module.lstrip(".").replace(".", "/")
        home = normpath(join(dirname(path), *[".."] * (dots - 1))) if dots else ""
        for place in filter(None, (f"{names}/{symbol}".strip("/") if symbol else "", names)):
            ends = (f"{place}.py", f"{place}/__init__.py")
            if dots:
                yield from [one for end in ends if (one := normpath(join(home, end))) in self.paths]
            else:
                yield from (one for one in self._near(place) if f"/{one}".endswith((f"/{ends[0]}", f"/{ends[1]}")))

    def _java(self, module: str, symbol: str) -> Iterator[str]:
        whole = f"{module.rstrip('.')}.{symbol}".replace(".", "/").strip("/")
        for place in (whole, whole.rpartition("/")[0]):
            yield from (one for one in self._near(place) if f"/{one.rpartition('.')[0]}".endswith(f"/{place}"))


def _first(target: object) -> str | None:
    """The first file that a target of a package names, whatever its conditions."""
    for _ in range(5):
        if not isinstance(target, dict):
            break
        target = next(iter(target.values()), None)
    return target if isinstance(target, str) else None


def is_source(path: str | None) -> bool:
    """Whether a file is one of the repository's own that are under test."""
    return path is not None and not matches(path, TESTS) and "__mocks__" not in path


def displaced(change: Change, files: Sequence[FileDiff], found: Pairs) -> Iterator[Diagnostic]:
    """Names that tests took from the sources and now have from elsewhere, and files that take a source's place."""
    if not files:
        return
    base, head = Sources(change.base), Sources(change.head)
    before: defaultdict[str, set[str]] = defaultdict(set)
    for was, now in found.pairs:
        before[now.file.path].add(was.file.old_path)
    for file in [file for file in files if file.status != "deleted"]:
        old = sorted(before[file.path] | ({file.old_path} if file.status not in {"added", "copied"} else set()))
        if text := (read(change.head, file.path) or "")[:LARGEST]:
            yield from _file(change, (base, head), file.path, text, old)


def _file(
    change: Change, trees: tuple[Sources, Sources], path: str, text: str, old: Sequence[str]
) -> Iterator[Diagnostic]:
    family, (base, head) = language(path) or "", trees
    had: Bindings = ()
    ours: dict[str, str] = {}  # name -> file of the sources that still has it
    mocked: set[str] = set()
    for place in old:
        was = (read(change.base, place) or "")[:LARGEST]
        had += bindings(family, was)
        ours |= taken(base, head, place, bindings(family, was))
        mocked |= mocks(place, was)
        if family == "java":
            ours |= classes(base, head, place, was)
    for bound, where in _elsewhere(head, path, bindings(family, text), had, ours):
        message = f"no longer tests the repository's own `{bound.name}` ({ours[bound.name]}), but {where}"
        mock = bound.result and not bound.inner and "mock" in bound.module.lower()
        shown = (
            Severity.INFO
            if where == _OUTSIDE and not mock
            else Severity.WARNING
            if bound.inner and not bound.made
            else Severity.ERROR
        )
        yield finding(change, "tests", "tests/not-the-source", message, path, severity=shown)
    for message, shown in _repointed((base, head), path, text, had, ours) if family == "python" else ():
        yield finding(change, "tests", "tests/not-the-source", message, path, severity=shown)
    for bound, where in _swapped((base, head), path, bindings(family, text), had, ours) if family == "js" else ():
        message = f"no longer tests the repository's own `{bound.name}` ({ours[bound.name]}), but {where}"
        yield finding(change, "tests", "tests/not-the-source", message, path)
    for module in sorted(mocks(path, text) - mocked) if old else ():
        if source := next((one for one in [head.find(path, module)] if is_source(one)), None):
            message = f"replaces the repository's own {source} by a mock"
            shown = Severity.ERROR if source in ours.values() else Severity.INFO
            yield finding(change, "tests", "tests/not-the-source", message, path, severity=shown)


def _swapped(
    trees: tuple[Sources, Sources], path: str, now: Bindings, had: Bindings, taken: Mapping[str, str]
) -> Iterator[tuple[Bound, str]]:
    """Names that stand for another function of the sources: by an alias, or from a new file beside the old one."""
    base, head = trees
    known = {(bound.name, bound.module, bound.symbol) for bound in had}
    symbols = {bound.name: bound.symbol or bound.name for bound in had if bound.module != HERE}
    for bound in [bound for bound in now if bound.name in taken and bound.module != HERE][:_MOST]:
        source = head.find(path, bound.module, bound.symbol)
        if (bound.name, bound.module, bound.symbol) in known or source is None or not is_source(source):
            continue
        symbol = bound.symbol or bound.name
        if symbol not in {symbols[bound.name], bound.name, "default"}:
            code = scan((read(head.tree, taken[bound.name]) or "")[:LARGEST], "js").code
            if not re.search(rf"\b{re.escape(symbols[bound.name])}\b", code):
                continue  # renamed
            yield bound, f"`{symbol}` of {source} under its name"
        elif source not in base.paths and all(_makes(head.tree, one, symbol) for one in (source, taken[bound.name])):
            yield bound, f"the one of {source}, a new file"


def _makes(tree: Tree, path: str, name: str) -> bool:
    """Whether a file has a function or class of the name by itself."""
    found = bindings(language(path) or "", (read(tree, path) or "")[:LARGEST])
    return any(one.name == name and one.module == HERE and one.made and not one.inner for one in found)


_OUTSIDE = "one from outside of the repository"
_MOCK = re.compile(
    r"\b(?:vi|vitest|jest)\.(?:mock|doMock|setMock|unstable_mockModule)\s*\(\s*(?:import\s*\(\s*)?(?=[\"'`])"
    r"|\bmock\.module\s*\(\s*(?=[\"'`])"
)


def mocks(path: str, text: str) -> set[str]:
    """Modules that a file in JavaScript replaces by a mock, as they are written."""
    if language(path) != "js":
        return set()
    starts = [match.end() for match in _MOCK.finditer(scan(text, "js").code)]
    ends = [(start, text.find(text[start], start + 1, start + 300)) for start in starts]
    return {text[start + 1 : end] for start, end in ends if end > 0}


def taken(base: Sources, head: Sources, path: str, bound: Bindings) -> dict[str, str]:
    """Names that a file has from the sources, and the files there that still have them."""
    found = {}
    words: dict[str, set[str]] = {}
    for one in [one for one in bound if one.module != HERE][:_MOST]:
        source = base.find(path, one.module, one.symbol)
        if source and is_source(source) and source in head.paths and _has(head.tree, source, one.symbol, words):
            found[one.name] = source
    return found


def _has(tree: Tree, path: str, symbol: str, words: dict[str, set[str]]) -> bool:
    """Whether a file still has the symbol in its code. `words` are those of files that were read before."""
    stem = PurePosixPath(path).stem
    if symbol in {"", "default", stem} or (stem == "__init__" and dirname(path).endswith(symbol)):
        return True
    if path not in words:
        family = language(path)
        code = scan((read(tree, path) or "")[:LARGEST], family).code if family else ""
        words[path] = set(re.findall(r"\w+", code))
    return words[path].issuperset(re.findall(r"\w+", symbol))


def classes(base: Sources, head: Sources, path: str, text: str) -> dict[str, str]:
    """Classes of the same package that a test of Java names without an import."""
    code, found = scan(text, "java").code, {}
    for name in set(re.findall(r"\b[A-Z]\w*+", code)):
        source = base.find(path, package(code), name)
        if source and is_source(source) and source in head.paths and PurePosixPath(source).stem == name:
            found[name] = source
    return found


def package(code: str) -> str:
    """The package that a file in Java says that it is in."""
    match = re.search(r"^\s{0,9}package\s+([\w.]+)", code, re.MULTILINE)
    return match[1] if match else ""


def _spread(head: Sources, path: str, bound: Bound) -> Bindings:
    """The names behind `from helpers import *`, as far as the tests have them."""
    place = head.find(path, bound.module) if bound.name == "*" else None
    if place is None or is_source(place):
        return (bound,)
    names = {one.name for one in bindings("python", (read(head.tree, place) or "")[:LARGEST])}
    return tuple(Bound(name, bound.module, name) for name in sorted(names))


def _elsewhere(
    head: Sources, path: str, now: Bindings, had: Bindings, taken: Mapping[str, str]
) -> Iterator[tuple[Bound, str]]:
    """Names of the sources that are bound in another way, and to what."""
    known = {(bound.name, bound.module) for bound in had}
    strict = {(bound.name, bound.module) for bound in had if bound.made}
    told: set[str] = set()
    for bound in [one for given in now for one in _spread(head, path, given)]:
        here = strict if bound.module == HERE and bound.made else known
        if bound.name not in taken or (bound.name, bound.module) in here or bound.name in told:
            continue
        place = None if bound.module == HERE else head.find(path, bound.module, bound.symbol)
        if not is_source(place):
            told.add(bound.name)
            yield bound, "one in this file" if bound.module == HERE else f"one from {place}" if place else _OUTSIDE


def _repointed(
    trees: tuple[Sources, Sources], path: str, text: str, had: Bindings, taken: Mapping[str, str]
) -> Iterator[tuple[str, Severity]]:
    """Names of the sources that stand for something else of the sources: that proves nothing of what they were."""
    base, head = trees
    before: defaultdict[str, set[str]] = defaultdict(set)
    for bound in had:
        if bound.name in taken and bound.module != HERE and not bound.result:
            before[bound.name].add(_target(bound))
    told: set[str] = set()
    for bound in bindings("python", text):
        name = bound.name
        if name not in before or name in told or bound.module == HERE or bound in had:
            continue
        place, own = head.find(path, bound.module, bound.symbol), _Body.of(head.tree, taken[name])
        if not is_source(place) or place is None:
            continue
        was, now = next(iter(sorted(before[name]))), _target(bound)
        moved = place == taken[name] or not (own.makes(was) and _Body.of(head.tree, place).makes(now))
        if now in before[name] and moved:
            continue
        whole = was == PurePosixPath(taken[name].removesuffix("/__init__.py")).stem
        if now in before[name] or whole or was in own.bound:
            told.add(name)
            same = now in before[name] and place in base.paths  # of a new file it may be a copy
            alike = same or bound.result or (own.uses(was, now) and now not in before[name])
            message = f"no longer tests the repository's own `{was}` ({taken[name]}), but `{now}` ({place}) as `{name}`"
            if not own.is_alias(was, now):
                yield message, Severity.WARNING if alike else Severity.ERROR


def _target(bound: Bound) -> str:
    """What a name of an import stands for: the name that it has where it is from."""
    first, _, last = bound.module.rpartition(".")
    return bound.symbol or (bound.name if first.partition(".")[0] == bound.name else last)


@dataclass(frozen=True)
class _Body:
    """What stands at the top of a module of Python."""

    bound: Mapping[str, Bound]
    nodes: Mapping[str, ast.AST]

    @classmethod
    def of(cls, tree: Tree, path: str) -> "_Body":
        text = (read(tree, path) or "")[:LARGEST]
        bound = {one.name: one for one in bindings("python", text) if not one.inner}
        return cls(bound, _nodes(text) if bound else {})

    def makes(self, name: str) -> bool:
        return isinstance(self.nodes.get(name), ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)

    def is_alias(self, old: str, new: str) -> bool:
        """`old = new`."""
        node = self.nodes.get(old)
        return isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id == new

    def uses(self, old: str, new: str) -> bool:
        node = self.nodes.get(old)
        return node is not None and any(isinstance(part, ast.Name) and part.id == new for part in walk(node))


@kept
def _nodes(text: str) -> Mapping[str, ast.AST]:
    found: dict[str, ast.AST] = {}
    for node in parsed(text).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign):
            found |= {target.id: node for target in node.targets if isinstance(target, ast.Name)}
    return found
