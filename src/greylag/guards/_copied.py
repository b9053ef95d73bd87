"""Tests of Go, Rust and C that call a copy: a function, closure or macro of the test in place of the repository's own."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from posixpath import dirname

from greylag.diffs import FileDiff
from greylag.guards._bindings import bindings
from greylag.guards._case import LARGEST, Case
from greylag.guards._cases import unit_tests
from greylag.guards._guard import finding, read
from greylag.guards._matching import Found
from greylag.guards._source import brackets, language, scan
from greylag.kinds import TESTS, matches
from greylag.model import Diagnostic
from greylag.protocols import Change, Tree

_MADE: Mapping[str, re.Pattern[str]] = {  # a function, closure or macro that has a name
    "go": re.compile(r"\bfunc\s++(\w++)\s*+[(\[]|\b(\w++)\s*+(?::=|=)\s*+func\b"),
    "rust": re.compile(
        r"\bfn\s++(\w++)|\blet\s++(?:mut\s++)?(\w++)\s*+(?::[^=;{}]{1,100})?=\s*+(?:move\s*+)?\||\bmacro_rules!\s*+(\w++)"
        r"|\buse\b[^;]{0,300}?\bas\s++(\w++)"
    ),
    "c": re.compile(r"^[ \t]*+#[ \t]*+define[ \t]++(\w++)\(|^[A-Za-z_][\w \t*&]{0,100}[ \t*&](\w++)[ \t]*+\([^;{}()]{0,500}\)\s*+(?=\{)", re.M),
}
_DECLARED: Mapping[str, re.Pattern[str]] = {  # what a source makes or says that there is
    "go": re.compile(r"^func\s+(?:\([^()\n]{0,200}\)\s*)?(\w+)", re.MULTILINE),
    "rust": re.compile(r"\bfn\s+(\w+)|\bmacro_rules!\s*(\w+)"),
    "c": re.compile(r"^(?![ \t]*(?:return|else|#|typedef)\b)[A-Za-z_][\w \t*&:<>]{0,150}[ \t*&](\w+)[ \t]*\(", re.MULTILINE),
}
_SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "go": (".go",), "rust": (".rs",), "c": (".c", ".h", ".cc", ".cpp", ".cxx", ".hpp"),
}  # fmt: skip
_CALL = re.compile(r"\b(\w++)!?\s*+\(")
_MODULE = re.compile(r"^module\s+(\S+)", re.MULTILINE)
_FILES, _NAMES, _CLAIMS = 400, 40, 200  # sources that are read; names and claims that are compared


def copied(change: Change, pairs: Sequence[tuple[Found, Found]]) -> Iterator[Diagnostic]:
    """Names of the sources that a file of tests now has of its own, and calls of them that became calls of a copy."""
    sources = _Sources(change.head)
    done: set[str] = set()
    for was, now in pairs:
        path, family = now.file.path, language(now.file.path) or ""
        if family not in _MADE or was.case.digest == now.case.digest and path in done:
            continue
        if path not in done:
            done.add(path)
            for name in _taken(change, now.file, family, sources):
                message = f"no longer tests the repository's own `{name}`, but one in this file"
                yield finding(change, "tests", "tests/not-the-source", message, path)
        if was.case.digest != now.case.digest and (names := _replaced(change, was.case, now, family, sources)):
            message = f"`{now.case.name}` no longer tests the repository's own `{names[0]}`, but `{names[1]}` of the tests"
            yield finding(change, "tests", "tests/not-the-source", message, path, line=now.case.line)


class _Sources:
    """Names of functions in the sources of a tree, read when they are asked for."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._names: dict[tuple[str, str], frozenset[str]] = {}

    def names(self, family: str, near: str = "") -> frozenset[str]:
        """All of them; in Go of the package only, where a directory is named."""
        if (family, near) not in self._names:
            found: set[str] = set()
            for path in self._paths(family, near)[:_FILES]:
                text = (read(self.tree, path) or "")[:LARGEST]
                found.update(name for name in _declared(family, _tested(family, path, text)) if name != "main")
            self._names[family, near] = frozenset(found)
        return self._names[family, near]

    def _paths(self, family: str, near: str) -> list[str]:
        paths = [path for path in self.tree.paths() if path.endswith(_SUFFIXES[family]) and not matches(path, TESTS)]
        return [path for path in paths if dirname(path) == near.rstrip("/")] if near else paths

    def has(self, module: str) -> bool:
        """Whether a package of Go is still there."""
        place = next((module.removeprefix(one).strip("/") for one in self.modules() if module.startswith(one)), "")
        return any(dirname(path) == place or dirname(path).endswith(f"/{place}") for path in self._paths("go", ""))

    def modules(self) -> tuple[str, ...]:
        """Modules of Go in the tree."""
        files = (path for path in self.tree.paths() if path.rpartition("/")[2] == "go.mod")
        return tuple(match[1] for path in files if (match := _MODULE.search(read(self.tree, path) or "")))


def _tested(family: str, path: str, text: str) -> str:
    """A source without its unit tests."""
    unit = unit_tests(path, text) if family == "rust" else 0
    return text[:unit] if unit else text


@lru_cache(maxsize=64)
def _declared(family: str, text: str) -> frozenset[str]:
    return frozenset(name for match in _DECLARED[family].finditer(scan(text, family).code) for name in match.groups() if name)


def _tests(tree: Tree, path: str, family: str) -> str:
    """The code of a file of tests, or of the unit tests in a source."""
    text = (read(tree, path) or "")[:LARGEST]
    return scan(text[unit_tests(path, text) :], family).code


@lru_cache(maxsize=16)
def _made(code: str, family: str) -> Mapping[str, frozenset[str]]:
    """Functions, closures and macros by their names, with the words in them."""
    found, curly = {}, brackets(code, "{}")
    for match in _MADE[family].finditer(code):
        name = next(filter(None, match.groups()))
        begin, end = curly.after(match.end())
        if begin - match.end() > 300 or match[0].lstrip().startswith("#"):
            begin, end = match.end(), code.find("\n", match.end())
        found[name] = frozenset(re.findall(r"\w+", code[begin : min(end, begin + 20_000)]))
    return found


def _taken(change: Change, file: FileDiff, family: str, sources: _Sources) -> Iterator[str]:
    """Names that the tests called, that the sources have, and that the file newly makes by itself, and calls."""
    before, after = _tests(change.base, file.old_path, family), _tests(change.head, file.path, family)
    called = set(_CALL.findall(before))
    new = [name for name in _made(after, family) if name in called and name not in _made(before, family)]
    for name in new[:_NAMES]:
        calls = len(re.findall(rf"(?<!\bfn\s)(?<!\bfunc\s)(?<!\bdefine\s)\b{name}!?\s*\(", after))
        near = f"{dirname(file.path)}/" if family == "go" else ""
        if calls and name in sources.names(family, near):
            yield name
    if family == "go":
        yield from _objects(change, file, sources, before, after)


def _objects(change: Change, file: FileDiff, sources: _Sources, before: str, after: str) -> Iterator[str]:
    """Packages of the repository in whose place Go tests have an object, or another package."""
    sides = (read(change.base, file.old_path) or "", read(change.head, file.path) or "")
    was, now = ({one.name: one.module for one in bindings("go", text)} for text in sides)
    for name in [name for name, module in was.items() if module.startswith(sources.modules() or ("\0",))]:
        own = re.compile(rf"\bvar\s+{re.escape(name)}\b|(?<![\w.]){re.escape(name)}\s*:=(?!\s*range\b)")
        made = own.search(after) if not own.search(before) else None
        other = name in now and now[name] != was[name] and sources.has(was[name])
        called = re.compile(rf"\b{re.escape(name)}\s*\.\s*([A-Z]\w*)\s*\(")
        if (made or other) and set(called.findall(before)) & set(called.findall(after, made.end() if made else 0)):
            yield name


def _replaced(change: Change, old: Case, now: Found, family: str, sources: _Sources) -> tuple[str, str] | None:
    """A function of the sources whose result was compared, and the function of the tests whose result now is."""
    before, after = _said(old), _said(now.case)
    gone, come = list((Counter(before) - Counter(after)).keys())[:_CLAIMS], set((Counter(after) - Counter(before)).keys())
    lost = sorted({*_called(gone)})[:_NAMES]
    new = sorted({*_called(come)} - {*_called(gone)})[:_NAMES] if lost else []
    if not new:
        return None
    made = _everything(change, now.file, family)
    for copy in [name for name in new if name in made]:
        if _reached(copy, made) & sources.names(family):
            continue
        for name in [name for name in lost if name in sources.names(family)]:
            word = re.compile(rf"(?<!\w)(?:\w+(?:\.|::))?{re.escape(name)}\(")
            if any(word.sub(f"{copy}(", text) in come for text in gone):
                return name, copy
    return None


def _said(case: Case) -> list[str]:
    return [*case.proof.claims[:_CLAIMS], *("\0".join(pair) for pair in case.proof.pairs[:_CLAIMS])]


def _called(texts: Sequence[str] | set[str]) -> Iterator[str]:
    return (name for text in texts for name in _CALL.findall(text[:1000]))


def _everything(change: Change, file: FileDiff, family: str) -> dict[str, frozenset[str]]:
    """What the files of tests beside one make."""
    home = dirname(file.path)
    near = [path for path in change.head.paths() if path.endswith(_SUFFIXES[family]) and path.startswith(f"{home}/" if home else "")]
    found: dict[str, frozenset[str]] = {}
    for path in [file.path, *(path for path in near if path != file.path and matches(path, TESTS))][:_NAMES]:
        for name, words in _made(_tests(change.head, path, family), family).items():
            found.setdefault(name, words)
    return found


def _reached(name: str, made: Mapping[str, frozenset[str]]) -> set[str]:
    """All words in a function of the tests, and in those that it names."""
    words, ahead = set[str](), [name]
    while ahead and len(words) < 20_000:
        more = made.get(ahead.pop(), frozenset()) - words
        words |= more
        ahead += [word for word in more if word in made]
    return words
