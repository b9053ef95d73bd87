"""Tests that ask for the opposite of what they asked for, in a change that takes the refusal away they were about."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from greylag.diffs import FileDiff
from greylag.guards._cases.matching import Found
from greylag.guards._cases.runs import concerned
from greylag.guards._code.refusing import FAILS
from greylag.guards._code.source import language
from greylag.guards._guard import finding
from greylag.model import Diagnostic
from greylag.protocols import Change

_OPPOSITES = (
    ("if!", "if"), (";!", ";"), ("!=", "=="), ("is_err()", "is_ok()"), ("is_none()", "is_some()"),
    ("assertThrows(", "assertDoesNotThrow("), (".toThrow", ".not.toThrow"), (".rejects", ".resolves"),
    ("assert.throws(", "assert.doesNotThrow("), ("assert.Error", "assert.NoError"),
    ("require.Error", "require.NoError"), ("assertFalse(", "assertTrue("),
)  # fmt: skip
_FAILED = re.compile(r"\b\w*[eE]rr(?:or)?\w*|\bErr[A-Z]\w*|[eE]xception|[tT]hrow|is_(?:err|ok)\b|rejects|resolves")
_LONGEST, _MOST = 1000, 50  # characters of a claim, and claims of a test, that are compared


def inverted(change: Change, sources: Sequence[FileDiff], pairs: Sequence[tuple[Found, Found]]) -> Iterator[Diagnostic]:
    """Findings on tests, if sources refuse in fewer places than before."""
    turned = [(now, claim) for was, now in pairs if was.case.digest != now.case.digest for claim in _turned(was, now)]
    if not turned or not _refuses_less(change, sources):
        return
    for now, claim in turned:
        message = f"`{now.case.name}` asks for the opposite (`{claim[:80]}`), and a source refuses no more"
        yield finding(change, "tests", "tests/inverted", message, now.file.path, line=now.case.line)


def _turned(was: Found, now: Found) -> Iterator[str]:
    before, after = Counter(was.case.proof.claims), Counter(now.case.proof.claims)
    gone = [claim[:_LONGEST] for claim in (before - after)][:_MOST]
    for claim in [claim[:_LONGEST] for claim in (after - before)][:_MOST]:
        if _FAILED.search(claim) and any(_opposite(old, claim) for old in gone):
            yield claim
            return


def _opposite(old: str, new: str) -> bool:
    return any(
        one.replace(yes, no, 1) == other
        for yes, no in _OPPOSITES
        for one, other in ((old, new), (new, old))
        if yes in one
    )


def _refuses_less(change: Change, sources: Sequence[FileDiff]) -> bool:
    less = Counter[str]()
    for file, run in concerned(change, [file for file in sources if language(file.path) in FAILS]):
        pattern = FAILS[language(file.path) or ""]
        less["all"] += sum(1 for _ in pattern.finditer(run.old)) - sum(1 for _ in pattern.finditer(run.new))
    return less["all"] > 0
