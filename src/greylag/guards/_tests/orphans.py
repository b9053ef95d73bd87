"""Files of Rust that no target and no module names: cargo does not compile them, so tests in them do not run."""

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import PurePosixPath
from posixpath import dirname, join, relpath

from greylag.diffs import FileDiff
from greylag.guards._guard import read
from greylag.protocols import Tree

_TARGET = re.compile(
    r"build\.rs|src/(?:lib|main)\.rs|src/bin/(?:[^/]+\.rs|[^/]+/main\.rs)"
    r"|(?:tests|benches|examples)/(?:[^/]+\.rs|[^/]+/main\.rs)"
)
_FINDS = re.compile(r"\bautomod\b|\binclude!|\btrybuild\b")  # may name files in ways that are not read here
_MODULE = re.compile(r"\bmod\s++(\w++)\s*+([;{])")
_STRING = re.compile(r"([\w.-]{1,100}\.rs)\"")
_MOST, _LARGEST = 1000, 500_000  # files of Rust that are read, and characters of one
_INLINE = 20  # modules with a body in one file, whose own modules are in a directory of their name


class Orphans:
    """The files of one tree that say which others belong to their crate."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def has(self, file: FileDiff) -> bool:
        """Whether a file of Rust that is new at its place is not part of any crate."""
        if not file.path.endswith(".rs") or file.status not in {"added", "renamed", "copied"}:
            return False
        crate = next((home for home in _homes(file.path) if self._manifest(home)), None)
        if crate is None or _TARGET.fullmatch(relpath(file.path, crate or ".")):
            return False
        name = PurePosixPath(file.path)
        stem, home = (name.parent.name, name.parent.parent) if name.name == "mod.rs" else (name.stem, name.parent)
        modules, strings, finds = self._said
        named = name.name in strings or name.name in self._manifest(crate) or finds
        return not (named or (home.as_posix(), stem) in modules)

    def _manifest(self, home: str) -> str:
        return read(self._tree, join(home, "Cargo.toml")) or ""

    @cached_property
    def _said(self) -> tuple[frozenset[tuple[str, str]], frozenset[str], bool]:
        """Modules by the directories that their files may be in; files that strings name; whether macros find some."""
        modules, strings, finds = set[tuple[str, str]](), set[str](), False
        for path in [path for path in self._tree.paths() if path.endswith(".rs")][:_MOST]:
            text = (read(self._tree, path) or "")[:_LARGEST]
            found = _MODULE.findall(text)
            homes = {dirname(path) or ".", path.removesuffix(".rs")}
            inline = [stem for stem, mark in found if mark == "{"][:_INLINE]
            homes |= {join(home, stem) for home in homes for stem in inline}
            modules |= {(home, stem) for home in homes for stem, mark in found if mark == ";"}
            strings |= set(_STRING.findall(text))
            finds = finds or _FINDS.search(text) is not None
        return frozenset(modules), frozenset(strings), finds


def _homes(path: str) -> Iterator[str]:
    while path:
        path = dirname(path)
        yield path
