"""What is known of one test case, read without running it."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, islice
from typing import NamedTuple

from greylag.guards._cases.compared import Compared
from greylag.guards._code.kept import Later

_MOST = 2000  # claims of a test that are compared


@dataclass(frozen=True, slots=True)
class Proof:
    """What a test, or a helper that it calls, asserts. Every assertion counts in `asserts`, some elsewhere as well."""

    asserts: int = 0
    exact: int = 0  # comparisons that one value satisfies
    weak: int = 0  # hold for nearly every value
    constant: int = 0  # hold whatever happens
    claims: tuple[str, ...] = ()  # the asserted expressions without blanks
    maybe: int = 0  # stand under a condition, or in a loop that may be empty
    doubted: int = 0  # comparisons among these that one value satisfies
    compared: tuple[Compared, ...] = ()  # with what local names stand for
    unsettled: int = 0  # JavaScript: in callbacks that nobody is told of, where no number of assertions is announced
    pairs: tuple[tuple[str, str], ...] = ()  # Go, Rust and C: what is compared with what, see `_native_compared`


def total(proofs: Iterable[Proof]) -> Proof:
    """All of these together. Claims are kept up to a number, so that no nesting of helpers makes them many."""
    parts = list(proofs)
    return Proof(
        sum(part.asserts for part in parts),
        sum(part.exact for part in parts),
        sum(part.weak for part in parts),
        sum(part.constant for part in parts),
        tuple(islice(chain.from_iterable(part.claims for part in parts), _MOST)),
        sum(part.maybe for part in parts),
        sum(part.doubted for part in parts),
        tuple(islice(chain.from_iterable(part.compared for part in parts), _MOST)),
        sum(part.unsettled for part in parts),
        tuple(islice(chain.from_iterable(part.pairs for part in parts), _MOST)),
    )


class Facts(NamedTuple):
    """What is found out about the body of a test, or of a helper."""

    digest: str  # of the body and the rows without blanks, in Python also without comments
    words: frozenset[str]  # of the body
    proof: Proof


@dataclass(frozen=True, slots=True)
class Case:
    """One test. `rows` are the entries of the tables that it is run with."""

    name: str
    line: int
    facts: Later[Facts]
    rows: tuple[str, ...] = ()
    leaves: bool = False  # its first statement is a return
    marks: frozenset[str] = frozenset()  # Rust: attributes by which it passes when it panics, or is not compiled
    titles: tuple[tuple[str, ...], ...] = ()  # JavaScript: of the blocks around it and its own, see `_titles`

    @property
    def digest(self) -> str:
        """Identity of its body."""
        return self.facts.answer.digest

    @property
    def words(self) -> frozenset[str]:
        """Words of its body."""
        return self.facts.answer.words

    @property
    def proof(self) -> Proof:
        """What it asserts."""
        return self.facts.answer.proof

    def same(self, other: "Case") -> bool:
        """Whether it is plain, without a look at what is in them, that two are one but for their name and place."""
        return self.facts is other.facts


def contains(new: Proof, old: Proof) -> bool:
    """Whether one asserts all that the other did, word for word."""
    return not Counter(old.claims) - Counter(new.claims)


def digest(text: str, rows: Iterable[str] = ()) -> str:
    """Identity of a body, whatever its blanks."""
    return sha256("\0".join(("".join(text.split()), *rows)).encode("utf-8", "surrogateescape")).hexdigest()


def words(text: str) -> frozenset[str]:
    """Words of a body, for telling whether two tests are alike."""
    return frozenset(re.findall(r"\w+", text[:20_000]))
