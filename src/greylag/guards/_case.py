"""What is known of one test case, read without running it."""

import re
from dataclasses import dataclass
from hashlib import sha256

LARGEST = 500_000  # characters of a file that is still read


@dataclass(frozen=True, slots=True)
class Case:
    """One test. `asserts` counts assertions; `weak` ones hold for nearly every value, `constant` ones for all."""

    name: str
    line: int
    digest: str  # of the body without blanks, in Python also without comments
    words: frozenset[str]  # of the body
    asserts: int
    weak: int
    constant: int
    leaves: bool = False  # its first statement is a return


def digest(text: str) -> str:
    """Identity of a body, whatever its blanks."""
    return sha256("".join(text.split()).encode("utf-8", "surrogateescape")).hexdigest()


def words(text: str) -> frozenset[str]:
    """Words of a body, for telling whether two tests are alike."""
    return frozenset(re.findall(r"\w+", text[:20_000]))
