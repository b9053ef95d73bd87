"""When the assertions of a test fail, as alternatives of conditions that must all hold: fewer are a weaker test."""

from collections.abc import Iterator, Sequence

from greylag.guards._cases.native_compared import alike_sides, operators, truth

Way = frozenset[str]
_MOST = 100  # claims that are compared one with another
_WORD = 7  # characters that tell one way to assert from another


def fails_less(gone: Sequence[str], come: Sequence[str], now: Sequence[str]) -> bool:
    """Whether a way to fail needs more than before, or is left out of a condition whose rest is still there."""
    there = [way for claim in now[:_MOST] for way in _ways(claim)]
    new = [list(_ways(claim)) for claim in come[:_MOST]]
    for claim in gone[:_MOST]:
        ways, word = list(_ways(claim)), claim[:_WORD]
        for way in ways:
            if any(other <= way for other in there):
                continue
            others = [one for one in ways if one != way]
            if any(way < other for found in new for other in found):
                return True
            left = (found for one, found in zip(come, new, strict=False) if found and one[:_WORD] == word)
            if others and any(set(found) <= set(others) for found in left):
                return True
    return False


def _ways(claim: str) -> Iterator[Way]:
    if claim.startswith("if"):
        condition = operators(claim.removeprefix("if"), (";",))[-1]
        yield from (frozenset(operators(way, ("&&",))) for way in operators(condition, ("||",)))
    elif condition := truth(claim):
        yield from (frozenset(map(_ordered, operators(way, ("||",)))) for way in operators(condition, ("&&",)))
    elif len(both := alike_sides(claim)) == 2:
        yield frozenset({_ordered("==".join(both))})


def _ordered(condition: str) -> str:
    """An equality, whichever side stands first."""
    return "==".join(sorted(operators(condition, ("==",))))
