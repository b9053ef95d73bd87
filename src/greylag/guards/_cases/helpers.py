"""Functions of test files that are no tests, on both sides of a change: those that assert are compared like tests."""

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

from greylag.diffs import FileDiff, Line, parse
from greylag.guards._cases.cases import helpers
from greylag.guards._cases.known import Known, known
from greylag.guards._cases.matching import Found, Stage, after, alike, always, before, matched
from greylag.protocols import Change

_DEFINED = re.compile(r"\s*+(?:async\s++)?def\s++(\w++)")


@dataclass(frozen=True, slots=True)
class Helpers:
    """All helpers of the files of a change. `known` is the same for both sides: what a change makes of a helper is
    said of the helper, once, and not of all that call it; but that other helpers are called, or none, is seen there.
    """

    base: Sequence[Found]
    head: Sequence[Found]
    known: Known
    pairs: Sequence[tuple[Found, Found]]  # those that asserted, each with what has become of it
    gone: Sequence[Found]
    new: Sequence[Found]

    @classmethod
    def of(cls, change: Change, files: Sequence[FileDiff]) -> "Helpers":
        """The helpers that these files have, and had."""
        sides = [list(before(change, files, helpers)), list(after(change, files, helpers))]
        proofs = ((found.file.path, found.case.name, found.case.proof) for found in chain(*sides))
        ways = known(proofs, _gone(change, files))
        read = partial(helpers, known=ways)
        base, head = list(before(change, files, read)), list(after(change, files, read))
        return cls(base, head, ways, *matched([found for found in base if found.case.proof.asserts], head, _STAGES))

    @property
    def moved(self) -> frozenset[str]:
        """Files of which all helpers that assert are somewhere else."""
        left = {found.file.path for found in (*self.gone, *(old for old, new in self.pairs if new.file is old.file))}
        return frozenset(old.file.path for old, _ in self.pairs) - left


def _gone(change: Change, files: Sequence[FileDiff]) -> set[str]:
    """Functions of sources in Python that have another name now, or none: `check_total` may be no assertion."""
    tests = {file.path for file in files}
    sources = [file for file in parse(change.diff) if file.path.endswith(".py") and file.path not in tests]
    old = {name for file in sources for name in _defined(file.removed)}
    return old - {name for file in sources for name in _defined(file.added)}


def _defined(lines: Iterable[Line]) -> Iterator[str]:
    return (match[1] for line in lines if (match := _DEFINED.match(line.text)) is not None)


def leaf(found: Found) -> str:
    """The name of a helper without its class and its number."""
    return _plain(found).rpartition(".")[2]


def _plain(found: Found) -> str:
    return found.case.name.partition("#")[0]


def _same(found: Found) -> Hashable:
    return found.file.path, _plain(found), found.case.digest


_STAGES: tuple[Stage, ...] = (
    (_same, always),
    (lambda found: (found.file.path, found.case.name), always),
    (lambda found: found.case.digest, always),
    (lambda found: (found.file.path, leaf(found)), always),
    (leaf, alike),
)
