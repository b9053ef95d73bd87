"""Cases of both sides of a change, and which one of the head is which one of the base."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from greylag.diffs import FileDiff
from greylag.guards._cases.case import Case
from greylag.guards._code.source import LARGEST
from greylag.guards._guard import read
from greylag.protocols import Change

CANDIDATES = 100  # new cases that a lost one is compared with


@dataclass(frozen=True, slots=True)
class Found:
    """One test or helper, and the file that it is in."""

    file: FileDiff
    case: Case


Read = Callable[[str, str], Iterable[Case]]  # of a path and a text
Stage = tuple[Callable[[Found], Hashable], Callable[[Case, Case], bool]]  # what is equal, and what must hold besides


def before(change: Change, files: Iterable[FileDiff], cases: Read) -> Iterator[Found]:
    """Cases of the base."""
    for file in files:
        text = read(change.base, file.old_path) if file.status not in {"added", "copied"} else None
        yield from (Found(file, case) for case in _of(file.old_path, text, cases))


def after(change: Change, files: Iterable[FileDiff], cases: Read) -> Iterator[Found]:
    """Cases of the head."""
    for file in files:
        text = read(change.head, file.path) if file.status != "deleted" else None
        yield from (Found(file, case) for case in _of(file.path, text, cases))


def _of(path: str, text: str | None, cases: Read) -> Iterable[Case]:
    return cases(path, text) if text is not None and len(text) <= LARGEST else ()


def matched(
    base: Sequence[Found], head: Sequence[Found], stages: Iterable[Stage]
) -> tuple[list[tuple[Found, Found]], list[Found], list[Found]]:
    """Pairs by the first stage that fits, the rest of the base, and the rest of the head."""
    rest, free = list(base), dict(enumerate(head))
    pairs: list[tuple[Found, Found]] = []
    for key, fits in stages:
        index: defaultdict[Hashable, list[int]] = defaultdict(list)
        for number, found in free.items():
            index[key(found)].append(number)
        left = []
        for found in rest:
            near = islice((number for number in index[key(found)] if number in free), CANDIDATES)
            match = next((number for number in near if fits(found.case, free[number].case)), None)
            if match is None:
                left.append(found)
            else:
                pairs.append((found, free.pop(match)))
        rest = left
    return pairs, rest, list(free.values())


def always(_old: Case, _new: Case) -> bool:
    """No condition besides the key of a stage."""
    return True


def alike(old: Case, new: Case) -> bool:
    """Whether two bodies have most of their words in common."""
    return 2 * len(old.words & new.words) >= len(old.words | new.words)
