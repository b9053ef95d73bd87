"""Helpers that assert, by the ways in which tests of other files call them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import PurePosixPath
from typing import TypeVar

from greylag.guards._cases.case import Proof

_Proves = TypeVar("_Proves")  # a proof, or one that is found later
_SELF = frozenset({"self", "cls", "this"})


class Known(dict[str, Proof]):
    """A way to call a helper -> what the helper proves."""

    @cached_property
    def leaves(self) -> Mapping[str, Sequence[str]]:
        """All ways by their last name."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for way in self:
            found[way.rpartition(".")[2]].append(way)
        return dict(found)

    def meaning(self, leaf: str) -> str:
        """What all helpers of a last name prove, as one short text."""
        if leaf not in self._meanings:
            said = repr([(way, self[way]) for way in self.leaves[leaf]])
            self._meanings[leaf] = sha256(said.encode("utf-8", "surrogatepass")).hexdigest()
        return self._meanings[leaf]

    @cached_property
    def _meanings(self) -> dict[str, str]:
        return {}


NOTHING = Known()


def key(on: str, name: str) -> str:
    """One way to call: `same(a)`, `helpers.same(a)`, `self.same(a)`."""
    return f"{'self' if on in _SELF else on}.{name}" if on else name


def keys(path: str, name: str) -> Iterator[str]:
    """All ways to call a helper (`Class.name`) of a file. A method of Python is never called by its name alone."""
    owner, _, leaf = name.partition("#")[0].rpartition(".")
    if not (owner and path.endswith(".py")):
        yield from (leaf, f"{PurePosixPath(path).name.partition('.')[0]}.{leaf}")
    if owner or not path.endswith(".py"):
        yield from (f"{on}.{leaf}" for on in ("self", "super", owner.rpartition(".")[2]) if on)


def called(on: str, name: str, local: Mapping[str, Proof], known: Known) -> Proof:
    """What a call proves. A helper of the same file comes first, unless the call names where another one is."""
    way = key(on, name)
    if way in known and on and on not in _SELF:
        return known[way]
    return local[name] if name in local else known.get(way, Proof())


def unknown(local: Mapping[str, _Proves], ways: Known) -> dict[str, _Proves]:
    """Helpers of a file by their names, without those that are known: of another helper, its callers say nothing."""
    return {name: proof for name, proof in local.items() if name not in ways.leaves}


def known(found: Iterable[tuple[str, str, Proof]], sources: Iterable[str] = ()) -> Known:
    """Paths, names and proofs of helpers by the ways to call them; the first one of a way is it.

    `sources` are names of functions that are no helpers: whatever they are called, they prove nothing.
    """
    ways = Known(dict.fromkeys(sources, Proof()))
    for path, name, proof in found:
        if proof.asserts:
            for way in keys(path, name):
                ways.setdefault(way, proof)
    return ways
