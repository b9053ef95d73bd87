"""How many changes orders ask for: those that share a word, or refer back, are about one thing."""

import re
from collections.abc import Iterable, Sequence

from greylag.prompts._requests import Order
from greylag.prompts._text import WORDS

_QUOTED = re.compile(r"`([^`\n]{1,200})`")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]{2,}")
_BACK = re.compile(
    r"\b(?:it|its|them|they|their|there|these|those|this|such|both|here|accordingly|the same|the others?)\b",
    re.IGNORECASE,
)
_WITH = re.compile(
    r"\b(?:about|as|at|by|for|from|in|into|of|on|that|to|when|which|with)\b|[,;.:]|\band\b", re.IGNORECASE
)
_LETTERS = re.compile(r"[a-z]+")
_STEM = 6  # letters: `migrate` and `migration` are one word


def words(text: str) -> set[str]:
    """What a text is about: its words without those that are about nothing, and the names in it."""
    names = {name.lower() for name in _QUOTED.findall(text)}
    plain = (word.lower() for word in _WORD.findall(text))
    return names | {_stem(word) for word in plain if len(word) > 2 and word not in WORDS["common"]}


def beside(verb: str, about: str) -> bool:
    """Whether it goes with what was said before: it refers back, or is about nothing but its tests, callers, docs."""
    head = [*_LETTERS.findall(_WITH.split(about, maxsplit=1)[0].lower()), ""]
    along = verb in WORDS["attend"] and not WORDS["along"].isdisjoint(head[-2:])
    return along or bool(_BACK.search(about)) or not words(about) - _BESIDE


def _stem(word: str) -> str:
    return (word[:-1] if word.endswith("s") and not word.endswith("ss") else word)[:_STEM]


_BESIDE = frozenset(_stem(word) for word in WORDS["beside"])


def strands(orders: Iterable[Order], about: str = "") -> Sequence[Order]:
    """The first order of each change that has nothing to do with another one, or with what the prompt is `about`."""
    owner: dict[str, int] = dict.fromkeys(words(about), 0)
    parent = [0]
    first: list[Order | None] = [None]

    def root(one: int) -> int:
        while parent[one] != one:
            parent[one] = one = parent[parent[one]]
        return one

    previous = 0
    for order in orders:
        mine = words(order.about)
        if (about or len(parent) > 1) and beside(order.verb, order.about):
            strand = previous
        else:
            strand = len(parent)
            parent.append(strand)
            first.append(order)
        for word in mine - _BESIDE:
            other = root(owner.setdefault(word, strand))
            low, high = sorted((other, root(strand)))
            parent[high] = low
        previous = strand
    roots = sorted({root(one) for one in range(1, len(parent))} - {0})
    return [begun for one in roots if (begun := first[one])]
