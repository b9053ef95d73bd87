"""Which test of the head is which one of the base, as far as their contents tell."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from greylag.diffs import FileDiff, parse
from greylag.guards._cases.case import Case, contains
from greylag.guards._cases.cases import cases
from greylag.guards._cases.covered import covered
from greylag.guards._cases.known import Known
from greylag.guards._cases.matching import CANDIDATES, Found, Stage, after, alike, always, before, matched
from greylag.guards._cases.reported import Reported
from greylag.guards._code.source import language
from greylag.guards._tests.orphans import Orphans
from greylag.guards._tests.renamed_sources import followed, kept
from greylag.guards._tests.testfiles import holds_tests
from greylag.kinds import TESTS, matches
from greylag.protocols import Change

_COLLECTED: Mapping[str, re.Pattern[str]] = {  # names that runners collect by default; other files hold no tests
    "python": re.compile(r"test.*\.py|.*_tests?\.py"),
    "go": re.compile(r".*_test\.go"),
    "js": re.compile(r".*[.\-_](?:test|spec|cy|e2e)s?\.\w+|(?:test|spec)s?[.\-_]?.*\.\w+"),
}
_SYSTEMS = "aix|android|darwin|dragonfly|freebsd|illumos|ios|js|netbsd|openbsd|plan9|solaris|wasip1|windows"
_UNSEEN: Mapping[str, re.Pattern[str]] = {  # places that a runner does not look at, or on few machines only
    "python": re.compile(r"/\.|/(?:build|dist|CVS|node_modules|venv|_darcs|[^/]{1,80}\.egg)/"),
    "js": re.compile(r"/node_modules/|/\.(?:git|cache|idea|output|temp)/"),
    "go": re.compile(rf"/[._]|/(?:testdata|vendor)/|_(?:{_SYSTEMS})(?:_\w{{1,10}})?_test\.go$"),
    "rust": re.compile(r"/target/"),
}
_PLACES = frozenset(
    {"test", "tests", "__tests__", "spec", "specs"}
)  # of which runners of JavaScript collect every file


@dataclass(frozen=True, slots=True)
class Pairs:
    """Tests of both sides that are the same one, and the rest; a lost one with the new one that resembles it most.

    `tabled` are tests of the base that are rows of a table of the head now.
    """

    base: list[Found]
    head: list[Found]
    pairs: list[tuple[Found, Found]]
    lost: list[tuple[Found, Found | None]]
    tabled: list[tuple[Found, Found]]

    @property
    def edited(self) -> list[tuple[Found, Found]]:
        """Pairs without those that are plainly the same."""
        return [(old, new) for old, new in self.pairs if not old.case.same(new.case)]


def concerned(change: Change, reported: Reported) -> list[FileDiff]:
    """Files of the change that hold tests, or belong to them."""
    return [file for file in parse(change.diff) if holds_tests(change, file, reported)]


def collected(path: str) -> bool:
    """Whether pytest collects a file of Python by its name, if nothing tells it otherwise."""
    return not path.endswith(".py") or _COLLECTED["python"].fullmatch(PurePosixPath(path).name.lower()) is not None


def nowhere(_file: FileDiff, _tests: Sequence[Found]) -> bool:
    """For `pair`: where nobody knows what ran."""
    return False


def pair(
    change: Change,
    files: list[FileDiff],
    known: Known,
    ran: Callable[[FileDiff, Sequence[Found]], bool] = nowhere,
) -> Pairs:
    """Same file and name; else same body; else same name elsewhere; else all its assertions in the same file.

    `known` are helpers of all files; `ran` says whether the tests that a file had before it was renamed have run since.
    """
    read = partial(cases, known=known)
    base = list(before(change, files, read))
    had: defaultdict[str, list[Found]] = defaultdict(list)
    for found in base:
        had[found.file.path].append(found)
    orphans = Orphans(change.head)
    run = (file for file in files if (_runs(file) and not orphans.has(file)) or ran(file, had[file.path]))
    head = list(after(change, run, read))
    pairs, rest, free = matched(base, head, _STAGES)
    called = list(followed(change, rest, read)) if rest and free else []
    if called:  # by what the sources call now what these test
        again, _, free = matched([new for _, new in called], free, _STAGES)
        was = {id(new): old for old, new in called}
        pairs += [(kept(was[id(before)], before), now) for before, now in again]
        met = {id(was[id(before)]) for before, _ in again}
        rest = [old for old in rest if id(old) not in met]
    tables = [new for new in head if new.case.rows]
    taken = [(old, next((new for new in tables if _takes_over(old, new)), None)) for old in rest]
    lost = list(_resembling([old for old, new in taken if new is None], free))
    return Pairs(base, head, pairs, lost, [(old, new) for old, new in taken if new is not None])


def _takes_over(old: Found, new: Found) -> bool:
    return old.file.path == new.file.path and covered(old.case, new.case)


def _resembling(rest: list[Found], free: list[Found]) -> Iterator[tuple[Found, Found | None]]:
    near: defaultdict[str, list[Found]] = defaultdict(list)
    for new in free:
        near[new.file.path].append(new)
    for old in rest:
        like = [new for new in near[old.file.path][:CANDIDATES] if alike(old.case, new.case)]
        yield old, max(like, key=partial(_shared, old), default=None)


def _shared(old: Found, new: Found) -> float:
    return len(old.case.words & new.case.words) / len(old.case.words | new.case.words or {""})


def _edited(old: Case, new: Case) -> bool:
    """Mostly the same words, and all assertions that there were."""
    return contains(new.proof, old.proof) and not new.proof.constant and alike(old, new)


def _restyled(old: Case, new: Case) -> bool:
    """Whether two assert the same but for the style of names: `FormatAs`, `format_as`."""
    before, after = (sorted(map(_style, case.proof.claims)) for case in (old, new))
    return bool(before) and before == after


def _style(text: str) -> str:
    return text.replace("_", "").lower()


_STAGES: tuple[Stage, ...] = (
    (lambda found: (found.file.path, found.case.name), always),
    (lambda found: found.case.digest, always),
    (lambda found: (found.file.path, _style(found.case.name)), _restyled),
    (lambda found: found.case.name, alike),
    (lambda found: found.file.path, _edited),
)


def _runs(file: FileDiff) -> bool:
    """Whether a runner still collects the file: a test file that gets another name or place may not be run any more."""
    old, new = PurePosixPath(file.old_path), PurePosixPath(file.path)
    unseen = _UNSEEN.get(language(file.path) or "")
    if (
        file.status == "renamed"
        and unseen
        and unseen.search(f"/{file.path}")
        and not unseen.search(f"/{file.old_path}")
    ):
        return False
    if file.status != "renamed" or old.name == new.name:
        return file.status != "renamed" or matches(file.path, TESTS) or not matches(file.old_path, TESTS)
    pattern = _COLLECTED.get(language(file.path) or "")
    if pattern is None:
        return old.suffix == new.suffix
    by_place = language(file.path) == "js" and not pattern.fullmatch(old.name.lower()) and new.name[0] not in "._"
    if by_place and (old.parent, old.suffix) == (new.parent, new.suffix):
        return bool(_PLACES.intersection(new.parent.parts))
    return bool(pattern.fullmatch(new.name.lower()))
