"""How a test, or a helper that asserts, proves less than before."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from greylag.guards._cases.case import Case, contains
from greylag.guards._cases.compared import Compared, changed, made_alike
from greylag.guards._cases.covered import awaited, covered, looped, told_twice
from greylag.guards._cases.failing import fails_less
from greylag.guards._cases.matching import Found
from greylag.guards._cases.native_compared import asked, circular
from greylag.guards._guard import fact, finding
from greylag.guards._tests.joined import joined
from greylag.guards._tests.looser import looser, other_values
from greylag.guards._tests.prepared import prepared
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change

_ANNOUNCES = frozenset({"plan", "assertions", "hasAssertions", "done", "end", "resolve", "cb"})
_WAITS = frozenset({"await", "return", "resolves", "rejects"})
_NONE = Counter[str]()


def weaker(
    change: Change, before: Found, found: Found, rows: Counter[str] = _NONE, what: str = ""
) -> Iterator[Diagnostic]:
    """The first way in which one of the head proves less than the one of the base; else that it is edited.

    `rows` are those of all tests of the head; `what` is said of one that is no test.
    """
    old, new, path, line = before.case, found.case, found.file.path, found.case.line
    if new.proof.constant > old.proof.constant:
        severity = Severity.WARNING if contains(new.proof, old.proof) else Severity.ERROR
        yield constant(change, found, what, severity=severity)
    elif loss := next(_losses(old, new, rows), None):
        rule, words = loss
        yield finding(change, "tests", f"tests/{rule}", f"{what}`{new.name}` {words}", path, line=line)
    elif new.digest != old.digest:
        words = f"edits {what or 'the test '}`{new.name}`"
        if new.name != old.name and not what:
            words = f"removes the test `{old.name}`; the new test `{new.name}` resembles it and asserts all that it did"
        if other_values(old, new):
            words = f"{words}, with other values: see that they are meant"
            yield fact("tests/other-values", words, path, line=line, severity=Severity.WARNING)
            return
        yield fact("tests/edited", words, path, line=line, severity=Severity.INFO)


def _losses(old: Case, new: Case, rows: Counter[str]) -> Iterator[tuple[str, str]]:
    """Rule, and words for people."""
    before, after = old.proof, new.proof
    if told_twice(old, new):
        before = after
    fewer, less_exact = (one + other for one, other in zip(awaited(old, new), prepared(old, new), strict=True))
    before = replace(before, asserts=before.asserts - fewer, exact=before.exact - less_exact)
    strong = before.asserts - before.weak, after.asserts - after.weak
    fewer_exact = after.exact < before.exact
    tabled = (after.asserts < before.asserts or fewer_exact) and any(one(old, new) for one in (covered, looped, joined))
    if after.asserts < before.asserts and not tabled:
        yield "fewer-assertions", f"asserts less: {before.asserts} assertions before, {after.asserts} now"
    if strong[1] < strong[0] and after.weak > before.weak:
        yield "weaker-assertions", f"asserts more weakly: {strong[0]} comparisons before, {strong[1]} now"
    if fewer_exact and not tabled:
        yield "weaker-assertions", f"asserts less exactly: {before.exact} exact comparisons before, {after.exact} now"
    for had, has, words in (
        (len(old.rows), len(new.rows), "fewer rows"),
        (len(set(old.rows)), len(set(new.rows)), "fewer rows that differ"),
    ):
        if has < had and Counter(old.rows) - rows:
            yield "fewer-rows", f"is run with {words}: {had} before, {has} now"
    for mark in sorted(new.marks - old.marks):
        if mark == "should_panic":
            yield "inverted", "passes only when it panics now"
        elif len(new.marks) > len(old.marks):
            yield "skipped", f"is compiled only under `{mark}` now"
    if new.leaves and not old.leaves:
        yield "early-return", "now leaves before it tests anything"
    gone = old.words - new.words
    waits = not _WAITS.isdisjoint(new.words - old.words)
    if _ANNOUNCES & gone and after.unsettled > before.unsettled and not waits:
        yield "conditional-assertion", "announces no number of assertions any more, nor waits: some may not run"
    yield from looser(old, new)
    yield from _vainer(old, new)


def _vainer(old: Case, new: Case) -> Iterator[tuple[str, str]]:
    """In Go, Rust and C: how what is compared says less."""
    before, after = old.proof, new.proof
    if circular(before.pairs, after.pairs) or asked(old.rows, new.rows, after.pairs):
        yield "constant-assertion", "compares what is tested with itself: what it expects, the tested code says"
    if made_alike(*changed([Compared(*pair) for pair in before.pairs], [Compared(*pair) for pair in after.pairs])):
        yield "weaker-assertions", "compares a value after something that makes different ones alike"
    if before.pairs or after.pairs:
        gone, come = (
            list((Counter(one) - Counter(other)).elements())
            for one, other in ((before.claims, after.claims), (after.claims, before.claims))
        )
        if fails_less(gone, come, after.claims):
            yield "weaker-assertions", "fails less: the condition of an assertion asks for more than before"


def constant(change: Change, found: Found, what: str = "", *, severity: Severity = Severity.ERROR) -> Diagnostic:
    """That it asserts what always holds."""
    message, path, line = (
        f"{what}`{found.case.name}` has an assertion that can never fail",
        found.file.path,
        found.case.line,
    )
    return finding(change, "tests", "tests/constant-assertion", message, path, line=line, severity=severity)


def vain(change: Change, new: Found) -> Diagnostic:
    """That a new test asserts what always holds: beside other assertions no proof is lost, and none is feigned."""
    proof = new.case.proof
    return constant(change, new, severity=Severity.WARNING if proof.asserts > proof.constant else Severity.ERROR)
