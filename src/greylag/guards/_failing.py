"""When the assertions of a test fail, as alternatives of conditions that must all hold: fewer are a weaker test."""

from collections.abc import Iterator, Sequence

from greylag.guards._compared import operators, truth

Way = frozenset[str]
_MOST = 100  # claims that are compared one with another


def fails_less(gone: Sequence[str], come: Sequence[str], now: Sequence[str]) -> bool:
    """Whether a way to fail needs more than before, or is left out of a condition whose rest is still there."""
    there = [way for claim in now[:_MOST] for way in _ways(claim)]
    new = [list(_ways(claim)) for claim in come[:_MOST]]
    for claim in gone[:_MOST]:
        ways = list(_ways(claim))
        for way in ways:
            if any(other <= way for other in there):
                continue
            others = [one for one in ways if one != way]
            if any(way < other for found in new for other in found):
                return True
            if others and any(set(found) <= set(others) for found in new if found):
                return True
    return False


def _ways(claim: str) -> Iterator[Way]:
    if claim.startswith("if"):
        condition = operators(claim.removeprefix("if"), (";",))[-1]
        yield from (frozenset(operators(way, ("&&",))) for way in operators(condition, ("||",)))
    elif condition := truth(claim):
        yield from (frozenset(operators(way, ("||",))) for way in operators(condition, ("&&",)))

