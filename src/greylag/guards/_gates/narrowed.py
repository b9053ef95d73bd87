"""Whether a check is less than it was: by its options, by what becomes of its failure, by the files it looks at."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from posixpath import basename, dirname, normpath

from greylag.guards._gates.strength import Check
from greylag.kinds import DOCS, TESTS, matches

_PATTERN = re.compile(r"(?:/\.\.\.|/\*{1,2}(?:/\*[.\w]*)?)$|^\.\.\.$")
_TESTING = re.compile(r"test|spec|mocha|ava\b")  # tools that look at tests
_LARGEST = 200_000  # files of a repository that are looked at


@dataclass(frozen=True)
class Files:
    """Files of one side of a change, in their order."""

    files: Sequence[str]

    @cached_property
    def _all(self) -> Collection[str]:
        return frozenset(self.files).union(*map(_parents, self.files)) if len(self.files) <= _LARGEST else frozenset()

    def of(self, word: str, home: str) -> str | None:
        """The file or directory of a word, from the root or else from another; it may be a pattern of Go."""
        word = _PATTERN.sub("", word.partition("::")[0]).rstrip("/") or "."
        for start in dict.fromkeys(("", home)):
            path = normpath(f"{start}/{word}" if start else word)
            if path == "." or path in self._all:
                return "" if path == "." else path
        return None


@dataclass(frozen=True, slots=True)
class Places:
    """Files of both sides of a change, and where words start that the root does not have."""

    base: Files
    head: Files
    home: str


def fault(old: Check, new: Check, places: Places) -> str:
    """By what one is less than another of the same key; nothing where it is not."""
    if old.heeded and not new.heeded:
        return "lets it fail without a word"
    if old.sure and not new.sure:
        return "makes it depend on a condition"
    if more := Counter(new.narrows) - Counter(old.narrows):
        return f"narrows it by `{min(more)}`"
    if lost := old.demands - new.demands:
        return f"drops `{min(lost)}`"
    left = _left_out(old, new, places)
    return f"leaves out {left}" if left else ""


def _left_out(old: Check, new: Check, places: Places) -> str:
    """A file that one looks at and the other does not, of a kind that it does look at."""
    if old.places == new.places or not new.places or any("$" in word for word in (*old.places, *new.places)):
        return ""  # what a variable stands for is not known
    head = places.head
    after = {place for word in new.places if (place := head.of(word, places.home)) is not None}
    parts = (was for was in old.places if any(now.startswith(f"{was.rstrip('/')}/") for now in new.places))
    if not after and (whole := next((was for was in parts if was not in new.places), "")):
        return f"all of {whole} but a part"
    found = {word: head.of(word, places.home) for word in old.places}
    if any(place is None and places.base.of(word, places.home) is not None for word, place in found.items()):
        return ""  # what was looked at has moved
    before = {place for place in found.values() if place is not None} or {""}
    if not after or "" in after or before <= after:
        return ""
    seen = [path for path in head.files if _within(path, after) and not matches(path, DOCS)]
    ends = {path.rpartition(".")[2] for path in seen if "." in basename(path)}
    rest = (path for path in head.files if path.rpartition(".")[2] in ends and _within(path, before))
    tests = bool(_TESTING.search(old.key)) and any(matches(path, TESTS) for path in seen)
    return next((one for one in rest if not _within(one, after) and (not tests or matches(one, TESTS))), "")


def _within(path: str, places: Collection[str]) -> bool:
    return "" in places or path in places or any(place in places for place in _parents(path))


def _parents(path: str) -> Iterator[str]:
    while path := dirname(path):
        yield path
