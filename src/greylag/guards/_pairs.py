"""Which test of the head is which one of the base, as far as their contents tell."""

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import PurePosixPath

from greylag.diffs import FileDiff, parse
from greylag.guards._case import LARGEST, Case, contains
from greylag.guards._cases import cases
from greylag.guards._guard import read
from greylag.guards._reported import Reported
from greylag.guards._source import language
from greylag.guards._testfiles import holds_tests
from greylag.kinds import TESTS, matches
from greylag.protocols import Change, Tree

_CANDIDATES = 100  # new tests that a lost one is compared with
_COLLECTED: Mapping[str, re.Pattern[str]] = {  # names that runners collect by default; other files hold no tests
    "python": re.compile(r"test.*\.py|.*_tests?\.py"),
    "go": re.compile(r".*_test\.go"),
    "js": re.compile(r".*[.\-_](?:test|spec|cy|e2e)s?\.\w+|(?:test|spec)s?[.\-_]?.*\.\w+"),
}
_PLACES = frozenset(
    {"test", "tests", "__tests__", "spec", "specs"}
)  # of which runners of JavaScript collect every file


@dataclass(frozen=True, slots=True)
class Found:
    """One test, and the file that it is in."""

    file: FileDiff
    case: Case


@dataclass(frozen=True, slots=True)
class Pairs:
    """Tests of both sides that are the same one, and the rest; a lost one with the new one that resembles it most."""

    base: list[Found]
    head: list[Found]
    pairs: list[tuple[Found, Found]]
    lost: list[tuple[Found, Found | None]]


def concerned(change: Change, reported: Reported) -> list[FileDiff]:
    """Files of the change that hold tests, or belong to them."""
    return [file for file in parse(change.diff) if holds_tests(change, file, reported)]


def nowhere(_file: FileDiff, _tests: Sequence[Found]) -> bool:
    """For `pair`: where nobody knows what ran."""
    return False


def pair(change: Change, files: list[FileDiff], ran: Callable[[FileDiff, Sequence[Found]], bool] = nowhere) -> Pairs:
    """Same file and name; else same body; else same name elsewhere; else all its assertions in the same file.

    `ran` says whether the tests that a file had before it was renamed have run since.
    """
    base = [Found(f, c) for f in files if f.status not in {"added", "copied"} for c in _cases(change.base, f.old_path)]
    had: defaultdict[str, list[Found]] = defaultdict(list)
    for found in base:
        had[found.file.path].append(found)
    live = [f for f in files if f.status != "deleted" and (_runs(f) or ran(f, had[f.path]))]
    head = [Found(f, c) for f in live for c in _cases(change.head, f.path)]
    rest, free, pairs = base, dict(enumerate(head)), []
    for key, fits in _STAGES:
        index: defaultdict[Hashable, list[int]] = defaultdict(list)
        for number, found in free.items():
            index[key(found)].append(number)
        left = []
        for found in rest:
            near = islice((number for number in index[key(found)] if number in free), _CANDIDATES)
            match = next((number for number in near if fits(found.case, free[number].case)), None)
            if match is None:
                left.append(found)
            else:
                pairs.append((found, free.pop(match)))
        rest = left
    return Pairs(base, head, pairs, list(_resembling(rest, free)))


def _resembling(rest: list[Found], free: dict[int, Found]) -> Iterator[tuple[Found, Found | None]]:
    near: defaultdict[str, list[Found]] = defaultdict(list)
    for new in free.values():
        near[new.file.path].append(new)
    for old in rest:
        alike = [new for new in near[old.file.path][:_CANDIDATES] if _alike(old.case, new.case)]
        yield old, max(alike, key=partial(_shared, old), default=None)


def _shared(old: Found, new: Found) -> float:
    return len(old.case.words & new.case.words) / len(old.case.words | new.case.words or {""})


def _always(_old: Case, _new: Case) -> bool:
    return True


def _alike(old: Case, new: Case) -> bool:
    return 2 * len(old.words & new.words) >= len(old.words | new.words)


def _edited(old: Case, new: Case) -> bool:
    """Mostly the same words, and all assertions that there were."""
    return contains(new.proof, old.proof) and not new.proof.constant and _alike(old, new)


_STAGES: tuple[tuple[Callable[[Found], Hashable], Callable[[Case, Case], bool]], ...] = (
    (lambda found: (found.file.path, found.case.name), _always),
    (lambda found: found.case.digest, _always),
    (lambda found: found.case.name, _alike),
    (lambda found: found.file.path, _edited),
)


def _runs(file: FileDiff) -> bool:
    """Whether a runner still collects the file: a test file that gets another name or place may not be run any more."""
    old, new = PurePosixPath(file.old_path), PurePosixPath(file.path)
    if file.status != "renamed" or old.name == new.name:
        return file.status != "renamed" or matches(file.path, TESTS) or not matches(file.old_path, TESTS)
    pattern = _COLLECTED.get(language(file.path) or "")
    if pattern is None:
        return old.suffix == new.suffix
    by_place = language(file.path) == "js" and not pattern.fullmatch(old.name.lower()) and new.name[0] not in "._"
    if by_place and (old.parent, old.suffix) == (new.parent, new.suffix):
        return bool(_PLACES.intersection(new.parent.parts))
    return bool(pattern.fullmatch(new.name.lower()))


def _cases(tree: Tree, path: str) -> tuple[Case, ...]:
    text = read(tree, path)
    return cases(path, text) if text is not None and len(text) <= LARGEST else ()
