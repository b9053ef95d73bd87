"""Comparisons with a known value that became comparisons of the tested answer with itself, made into something else."""

import re
from collections.abc import Iterator, Sequence
from itertools import product

from greylag.guards._cases.compared import WIDEST, Compared, changed
from greylag.guards._cases.matching import Found
from greylag.guards._guard import finding
from greylag.model import Diagnostic
from greylag.protocols import Change

_CALL = re.compile(r"[\w$)\]]\(")
_AHEAD = re.compile(r"^(?:await ?|&|\*|\()+(?=[\w$])")


def by_itself(change: Change, pairs: Sequence[tuple[Found, Found]]) -> Iterator[Diagnostic]:
    """`f(9) == "ebb"` that is `f(9) == str(f(9))` now: what is expected comes from what is tested."""
    for was, now in pairs:
        sides = [[*one.case.proof.compared, *(Compared(*both) for both in one.case.proof.pairs)] for one in (was, now)]
        gone, come = changed(*sides)
        if new := next((new for old, new in product(gone, come) if _circular(old, new)), None):
            message = f"`{now.case.name}` compares `{new.left[:60]}` with `{new.right[:60]}`: the tested code says both"
            yield finding(change, "tests", "tests/constant-assertion", message, now.file.path, line=now.case.line)


def _circular(old: Compared, new: Compared) -> bool:
    if max(map(len, (*old, *new))) > WIDEST:
        return False
    for asked, told in (new, (new.right, new.left)):
        bare = _AHEAD.sub("", asked)
        if bare != told and _CALL.search(bare) and _within(bare, told) and asked in old:
            known = old.right if old.left == asked else old.left
            return not _within(bare, known)
    return False


def _within(part: str, whole: str) -> bool:
    place = whole.find(part)
    return place >= 0 and not re.match(r"[\w$.]", whole[place - 1 : place] if place else " ")
