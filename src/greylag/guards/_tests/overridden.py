"""New functions that assert nothing, in place of helpers that do: inherited or imported ones."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from greylag.diffs import FileDiff
from greylag.guards._cases.cases import helpers
from greylag.guards._cases.helpers import Helpers, leaf
from greylag.guards._cases.known import known
from greylag.guards._cases.matching import Found, after
from greylag.guards._cases.suite import Suite
from greylag.guards._tests.rebound import taken
from greylag.protocols import Change

_Graph = Mapping[str, set[str]]
_OWN = re.compile(r"__\w+__|_*(?:set_?up|tear_?down)\w*|init", re.IGNORECASE)  # every class has these for itself


def overridden(change: Change, files: Sequence[FileDiff], changed: Helpers) -> Iterator[tuple[Found, str]]:
    """Each such function, and the class or the file of the base's helper. Classes are known by their names alone."""
    new = list(_silent(changed, taken(change, files)))
    if not new:
        return
    old = Suite(change.base, files).helpers(frozenset(map(leaf, new)))
    asserting = [found for found in old if found.case.proof.asserts]
    if not asserting:
        return
    owners: defaultdict[str, set[str]] = defaultdict(set)
    places: dict[str, str] = {}
    for found in asserting:
        if _owner(found):
            owners[leaf(found)].add(_owner(found))
        else:
            places.setdefault(leaf(found), found.file.old_path)
    ways = known((found.file.path, found.case.name, found.case.proof) for found in asserting)
    still = {
        (found.file.path, found.case.name): not _is_silent(found)
        for found in after(change, files, lambda path, text: helpers(path, text, ways))
    }
    bases = _bases(Suite(change.head, files))
    below = {name: _over(bases, names) for name, names in owners.items()}
    for found in (found for found in new if not still[found.file.path, found.case.name]):
        if _owner(found) in below.get(leaf(found), ()):
            yield found, min(owners[leaf(found)])
        elif not _owner(found) and leaf(found) in places:
            yield found, places[leaf(found)]


def _silent(changed: Helpers, names: set[str]) -> Iterator[Found]:
    """Methods that the base did not have, not even in another class or file, and functions of these names."""
    had = {(found.file.path, found.case.name) for found in changed.base}
    was = {(leaf(found), found.case.digest) for found in changed.base if not found.case.proof.asserts}
    for found in changed.new:
        known_one = (found.file.path, found.case.name) in had or (leaf(found), found.case.digest) in was
        fits = (_owner(found) or leaf(found) in names) and not _OWN.fullmatch(leaf(found))
        if fits and not known_one and _is_silent(found):
            yield found


def _is_silent(found: Found) -> bool:
    return found.case.proof.asserts <= found.case.proof.constant


def _owner(found: Found) -> str:
    return found.case.name.rpartition(".")[0].rpartition(".")[2]


def _bases(suite: Suite) -> dict[str, set[str]]:
    bases: defaultdict[str, set[str]] = defaultdict(set)
    for name, words in suite.classes():
        bases[name] |= words
    return bases


def _over(bases: _Graph, owners: set[str]) -> set[str]:
    """Classes whose methods come before those of the owners: below them, or mixed in beside them."""
    derived: defaultdict[str, set[str]] = defaultdict(set)
    for name, words in bases.items():
        for word in words:
            derived[word].add(name)
    return _reached(bases, _reached(derived, owners)) - _reached(bases, owners)


def _reached(graph: _Graph, starts: Iterable[str]) -> set[str]:
    seen, coming = set(starts), list(starts)
    while coming:
        for name in graph.get(coming.pop(), set()) - seen:
            seen.add(name)
            coming.append(name)
    return seen
