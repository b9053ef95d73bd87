"""All test files of one tree, changed or not: their helpers, their calls, and the bases of their classes."""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from greylag.diffs import FileDiff
from greylag.guards._cases.cases import helpers
from greylag.guards._cases.dialects import DIALECTS
from greylag.guards._cases.known import key
from greylag.guards._cases.matching import Found
from greylag.guards._code.source import LARGEST, language, scan
from greylag.guards._guard import read
from greylag.kinds import TESTS, matches
from greylag.protocols import Tree

_CALL = re.compile(r"(?:\b(\w++)(?:\s*+\(\s*+\))?\s*+\.\s*+)?\b(\w++)\s*+\(")
_CLASS = re.compile(r"\b(?:class|object|interface|trait)\s++(\w++)([^{\n]{0,300})")


class Suite:
    """Reads what it is asked for. `files` are those of a change that hold tests, whatever they are called."""

    def __init__(self, tree: Tree, files: Iterable[FileDiff]) -> None:
        self._tree = tree
        self._changed = {name: file for file in files for name in (file.old_path, file.path)}
        self._families = {language(path) for path in self._changed}

    @cached_property
    def _texts(self) -> dict[str, str]:
        paths = (path for path in self._tree.paths() if language(path) in self._families & DIALECTS.keys())
        texts = {path: read(self._tree, path) or "" for path in paths if path in self._changed or matches(path, TESTS)}
        return {path: text for path, text in texts.items() if len(text) <= LARGEST}

    def _with(self, names: frozenset[str]) -> Iterator[tuple[str, str]]:
        """Files in which one of the names occurs."""
        for path, text in self._texts.items():
            if names and not names.isdisjoint(re.findall(r"\w+", text)):
                yield path, text

    def helpers(self, names: frozenset[str]) -> Iterator[Found]:
        """Functions and methods with these names, without their classes and numbers."""
        for path, text in self._with(names):
            for case in helpers(path, text):
                if case.name.partition("#")[0].rpartition(".")[2] in names:
                    yield Found(self._changed.get(path) or _unchanged(path), case)

    def calls(self, names: frozenset[str]) -> Iterator[tuple[str, set[str]]]:
        """Files that call one of these and have none of their own by that name, with the ways in which they do."""
        for path, text in self._with(names):
            own = {case.name.partition("#")[0].rpartition(".")[2] for case in helpers(path, text)}
            code = scan(text, language(path) or "").code
            yield path, {key(on, name) for on, name in _CALL.findall(code) if name in names and name not in own}

    def classes(self) -> Iterator[tuple[str, set[str]]]:
        """Names of classes, with all words that follow: those of their bases are among them."""
        for text in self._texts.values():
            for match in _CLASS.finditer(text):
                yield match[1], set(re.findall(r"\w+", match[2])) - {match[1]}


def _unchanged(path: str) -> FileDiff:
    return FileDiff(path, path, "modified", (), ())
