"""What a change does to a lock file: packages from elsewhere, other contents of the same version, new packages."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from greylag.guards._gates.addresses import INSECURE, LOCAL, USUAL, host, place
from greylag.guards._gates.lock_facts import Fact, kind_of
from greylag.guards._gates.lock_formats import FORMATS, Format
from greylag.kinds import matches

_LARGEST = 10_000_000  # characters
_K = TypeVar("_K")
_Names = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Lock:
    """What one lock file says, or several of one kind."""

    places: _Names = field(default_factory=dict)  # name of a package -> host and path of its addresses
    sums: Mapping[tuple[str, str, str], frozenset[str]] = field(
        default_factory=dict
    )  # name, version, file -> checksums
    packages: frozenset[str] = frozenset()

    def __or__(self, other: "Lock") -> "Lock":
        return Lock(_joined(self.places, other.places), _joined(self.sums, other.sums), self.packages | other.packages)


def _joined(one: Mapping[_K, frozenset[str]], other: Mapping[_K, frozenset[str]]) -> dict[_K, frozenset[str]]:
    return {key: one.get(key, frozenset()) | other.get(key, frozenset()) for key in {*one, *other}}


def format_of(path: str) -> Format | None:
    """How the lock file at `path` is read, where it can be."""
    return next((form for form in FORMATS if matches(path, form.files)), None)


def lock(path: str, text: str) -> Lock | None:
    """The lock file at `path`; None when it cannot be read."""
    form = format_of(path)
    if form is None or len(text) > _LARGEST:
        return Lock()
    try:
        return _gathered(form, form.read(text.removeprefix("\ufeff").replace("\r\n", "\n")))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return None


def _gathered(form: Format, facts: Iterable[Fact]) -> Lock:
    places: defaultdict[str, set[str]] = defaultdict(set)
    sums: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    versions: defaultdict[str, set[str]] = defaultdict(set)
    apart = []  # checksums that stand elsewhere than the version
    for fact in facts:
        places[fact.name].update(filter(None, [place(fact.address)]))
        if fact.version:
            versions[fact.name].add(fact.version)
        if fact.version and fact.checksum:
            sums[fact.name, fact.version, f"{fact.part} {kind_of(fact.checksum)}"].add(fact.checksum)
        elif fact.checksum:
            apart.append(fact)
    for fact in apart:
        if versions[fact.name] and not places[fact.name]:
            sums[fact.name, " and ".join(sorted(versions[fact.name])), kind_of(fact.checksum)].add(fact.checksum)
    packages = (
        frozenset(name for name, some in versions.items() if some and name and "://" not in name)
        if form.lists
        else frozenset[str]()
    )
    return Lock(_frozen(places), _frozen(sums), packages)


def _frozen(sets: Mapping[_K, set[str]]) -> dict[_K, frozenset[str]]:
    return {key: frozenset(some) for key, some in sets.items()}


def moved(before: Lock, after: Lock, *, owned: bool = True) -> Iterator[tuple[str, str, str]]:
    """Packages that come from elsewhere: name, a place before (or nothing), and a new one.

    A package that is new, or had no address, may come from the hosts that the others come from; `owned`: from those of
    the same owners, where a host is shared.
    """
    known = {host(one, owned=owned) for some in before.places.values() for one in some} | USUAL
    for name in sorted(after.places):
        had = before.places.get(name, frozenset()) if name else frozenset()
        secured = {one.removeprefix(INSECURE) for one in had}
        usual = known if name in before.places else known | {LOCAL}
        now = after.places[name]
        new = now - had - secured if had else {one for one in now if host(one, owned=owned) not in usual}
        if new and before.places:
            yield name or "packages", min(had, default=""), min(new)


def replaced(before: Lock, after: Lock) -> Iterator[tuple[str, str]]:
    """Names and versions whose checksums are all others than before."""
    found = (key[:2] for key, sums in after.sums.items() if (had := before.sums.get(key)) and not had & sums)
    yield from sorted(set(found))
