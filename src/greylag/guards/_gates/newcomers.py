"""A package that a change adds beside those that were there: what it sets for itself is no gate of theirs."""

import json
import re
from collections import defaultdict
from collections.abc import Callable
from functools import cached_property
from posixpath import basename, dirname

from greylag.diffs import FileDiff, parse
from greylag.guards._gates import gate_lines as lines
from greylag.guards._gates import gate_tables as tables
from greylag.guards._guard import read
from greylag.kinds import LINT, TESTS, matches
from greylag.protocols import Change

Reader = Callable[[str], tables.Parts]

_ASIDE = re.compile(  # settings by which tests of a package run fewer than they are, or pass whatever they find
    r"--deselect|--ignore|(?<![\w-])-k[ =]|--collect-only|[pP]athIgnore|NamePattern|--exclude|norecursedirs"
    r"|ignore_errors|collect_ignore|\"(?:harness|test|doctest|autotests)\": false|\|\|\s{0,9}(?:true|:|exit 0|echo)"
    r"|;\s{0,9}(?:true|:|exit 0)"
)
_TALK = re.compile(r"\s*(?:echo|printf|true|:|exit 0)(?![\w-])(?![^\n]*\bexit [1-9])[^\n]*")
_FOR_ALL = re.compile(  # parts that reach other packages: what every installation runs, brings or names
    r"script `(?:(?:pre|post)?install|(?:pre|post)?prepare|prepublish|dependencies)`|pytest11|names of tools"
    r"|build script|`(?:tool\.|pnpm\.)[^\n]*"
)
_PACKAGES = frozenset({
    "pyproject.toml", "setup.py", "setup.cfg", "package.json", "Cargo.toml", "go.mod", "pom.xml", "build.gradle",
    "build.gradle.kts", "composer.json", "mix.exs", "Gemfile", "build.sbt", "Package.swift",
})  # fmt: skip
_PROJECTS = (".csproj", ".fsproj", ".vbproj", ".gemspec")
_MOST, _WIDEST = 200, 5000  # other files of the same name that are read, and characters of a setting


class Newcomers:
    """What of a change is new, whole directories of it."""

    def __init__(self, change: Change) -> None:
        self._change = change
        self._read: dict[str, list[tables.Parts]] = {}
        self._strict: dict[str, bool] = {}

    @cached_property
    def _names(self) -> defaultdict[str, list[str]]:
        """Files of the base by name."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for path in self._change.base.paths():
            found[basename(path)].append(path)
        return found

    @cached_property
    def _homes(self) -> defaultdict[str, list[str]]:
        """Directories of the base, with their files."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for path in self._change.base.paths():
            place = dirname(path)
            while place and place not in found:
                found[place] = []
                place = dirname(place)
            found[dirname(path)].append(path)
        return found

    @cached_property
    def _moved(self) -> set[str]:
        """Directories that tests have come to from elsewhere."""
        files = [file for file in parse(self._change.diff) if any(matches(name, TESTS) for name in file.names)]
        gone = {basename(file.path) for file in files if file.status == "deleted"}
        found: set[str] = set()
        for file in files:
            known = file.status == "renamed" or (file.status == "added" and basename(file.path) in gone)
            place = dirname(file.path) if known else ""
            while place and place not in found:
                found.add(place)
                place = dirname(place)
        return found

    @cached_property
    def _made(self) -> set[str]:
        """Directories with a manifest in the head."""
        likely = (path for path in self._change.head.paths() if basename(path) in _PACKAGES or path.endswith(_PROJECTS))
        return {dirname(path) for path in likely}

    def alone(self, file: FileDiff) -> bool:
        """Whether a new file is in a directory that is new, too, and no test came there from elsewhere."""
        home = dirname(file.path)
        return file.status in {"added", "copied"} and bool(home) and home not in self._homes and home not in self._moved

    def free(self, file: FileDiff, name: str, after: tables.Parts, reader: Reader) -> bool:
        """Whether a part of a new file's settings takes nothing from what was there, and hides no test of its own."""
        if not self.alone(file):
            return False
        if any(after[name] == parts.get(name) for parts in self._siblings(file.path, reader)):
            return True
        kind, value = after[name]
        text = (value if isinstance(value, str) else json.dumps(value, default=str))[:_WIDEST]
        if _ASIDE.search(text) or lines.LOOSENED.search(text) or _TALK.fullmatch(text) or _FOR_ALL.fullmatch(name):
            return False
        own = name.startswith("script ") or matches(file.path, "tsconfig*.json jsconfig*.json Cargo.toml")
        return own or kind != "lint" or not self._linted(dirname(file.path))

    def whole(self, file: FileDiff, kind: str) -> bool:
        """The same of a whole file that configures tests or linters, beside the manifest of a new package."""
        if kind not in {"tests", "lint"} or file.binary or not self.alone(file) or dirname(file.path) not in self._made:
            return False
        text = read(self._change.head, file.path) or ""
        if any(text == read(self._change.base, path) for path in self._names.get(basename(file.path), [])[:_MOST]):
            return True
        return not _ASIDE.search(text) and (kind == "tests" or not self._linted(dirname(file.path)))

    def like(self, file: FileDiff) -> bool:
        """Whether a new package has a file of a name that other packages have one of."""
        return self.alone(file) and basename(file.path) in self._names

    def _siblings(self, path: str, reader: Reader) -> list[tables.Parts]:
        name = basename(path)
        if name not in self._read:
            texts = (read(self._change.base, other) or "" for other in self._names.get(name, [])[:_MOST])
            self._read[name] = [parts for text in texts if (parts := _tried(reader, text))]
        return self._read[name]

    def _linted(self, home: str) -> bool:
        """Whether settings of linters further up hold in a new directory, too, so that nearer ones take over."""
        while home:
            home = dirname(home)
            if home not in self._strict:
                self._strict[home] = any(map(self._lints, self._homes.get(home, ())))
            if self._strict[home]:
                return True
        return False

    def _lints(self, path: str) -> bool:
        if matches(path, LINT):
            return basename(path) != ".editorconfig"
        if basename(path) != "pyproject.toml":
            return False
        parts = _tried(tables.pyproject, read(self._change.base, path) or "")
        return any(kind == "lint" and value for kind, value in parts.values())


def _tried(reader: Reader, text: str) -> tables.Parts:
    try:
        return reader(text)
    except tables.UnreadableError:
        return {}
