"""Functions of Python by all that what is found out about them depends on.

A test that is the same on both sides of a change, or that several guards ask for, is analysed once, or never where
nobody asks.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, TypeVar, cast
from unicodedata import normalize
from weakref import WeakValueDictionary

from greylag.guards._cases.case import Proof
from greylag.guards._cases.known import Known
from greylag.guards._cases.python_proof import Names
from greylag.guards._code.kept import Later
from greylag.guards._code.python_tree import Function, split

_Answer = TypeVar("_Answer")
_ALIVE: WeakValueDictionary[Hashable, Later[Any]] = WeakValueDictionary()  # as long as a file or a case has them


class Functions:
    """The functions of one file."""

    def __init__(self, text: str, names: Names) -> None:
        self._lines = split(text)
        self._names = names
        self._named: defaultdict[str, list[str]] = defaultdict(list)
        for name in (*names.values, *names.tables):
            self._named[name.removeprefix("self.").removesuffix("()")].append(name)
        self._own: dict[Hashable, Later[Any]] = {}

    def later(
        self,
        what: str,
        node: Function,
        marks: Sequence[ast.expr],
        around: tuple[Mapping[str, Proof], Known],
        find: Callable[[], _Answer],
    ) -> Later[_Answer]:
        """What `find` will say of a function, and of each with the same text and `marks` and the same `around`."""
        if getattr(node, "end_lineno", None) is None:
            return Later(find)  # it does not stand in the file as such
        digest, words = self._text(node, marks)
        key = (what, digest, *self._meanings(words, *around))
        answer = self._own.get(key) or _ALIVE.get(key) or Later(find)
        self._own[key] = _ALIVE[key] = answer
        return cast("Later[_Answer]", answer)

    def _text(self, node: Function, marks: Sequence[ast.expr]) -> tuple[bytes, set[str]]:
        first = min([node.lineno, *(mark.lineno for mark in node.decorator_list)])
        text = "\n".join(self._lines[first - 1 : node.end_lineno])
        whole = "\0".join((text, *(ast.dump(mark) for mark in marks if mark not in node.decorator_list)))
        named = whole if whole.isascii() else normalize("NFKC", whole)  # as Python does with names
        return sha256(whole.encode("utf-8", "surrogatepass")).digest(), {*re.findall(r"\w+", named)}

    def _meanings(self, words: set[str], helpers: Mapping[str, Proof], known: Known) -> Iterator[Hashable]:
        """What words stand for: values, tables, helpers of the file and of others."""
        names = self._names
        for name in sorted(name for word in words & self._named.keys() for name in self._named[word]):
            value = names.values.get(name)
            yield name, value and ast.dump(value.node), names.tables.get(name), name in names.values
        yield frozenset(words & names.wild)
        yield from ((word, helpers[word]) for word in sorted(words & helpers.keys()))
        yield from ((word, known.meaning(word)) for word in sorted(words & known.leaves.keys()))
