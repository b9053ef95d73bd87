"""Tests that ask a function which they have answer by themselves, and tests that take away what they compared."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice

from greylag.diffs import FileDiff
from greylag.guards._cases.cases import within
from greylag.guards._cases.dialects import DIALECTS
from greylag.guards._cases.matching import Found
from greylag.guards._code.fresh import Mark, fresh
from greylag.guards._code.source import LARGEST, language, plain, scan
from greylag.guards._guard import finding, read
from greylag.model import Diagnostic
from greylag.protocols import Change

_MADE = {  # who answers, and the function; its name may be in a string
    "js": re.compile(
        r"\b(?:spyOn|stub|mock\.method|replace)\s*\(\s*(?P<who>[\w.]{1,100}),\s*[\"'`](?P<what>\w{1,100})[\"'`]\s*(?:,|\)\s*\.\s*"
        r"(?:mock(?:Return|Resolved|Rejected|Implementation)\w*|returns\w*|resolves|rejects|throws|callsFake|and\s*\.\s*(?:returnValue|callFake)))"
        r"|(?<![\w.])(?P<whose>\w{1,100}(?:\.prototype)?)\.(?P<name>\w{1,100})\s*=\s*(?:async\s*)?(?:\([^(){};]{0,100}\)\s*=>|\w{1,50}\s*=>|function\b|(?:jest|vi|sinon)\.\w+\()"
    ),
    "java": re.compile(
        r"\bdo(?:Return|Answer|Nothing|Throw)\s*\([^;]{0,200}?\.when\s*\(\s*(?P<who>\w{1,100})\s*\)\s*\.\s*(?P<what>\w{1,100})\s*\("
        r"|\b(?:when|given)\s*\(\s*(?P<whose>\w{1,100})\s*\.\s*(?P<name>\w{1,100})\s*\([^;]{0,200}?\)\s*\.\s*(?:then|will)\w*\s*\("
    ),
}
_TAKEN = re.compile(
    r"\bdelete\s+[\w.\[\]]{1,100}?(?:\.(\w{1,100})\b|\[[\"'](\w{1,100})[\"']\])|\bdel\s+[\w.]{1,100}\[[\"'](\w{1,100})[\"']\]"
    r"|\.(?:pop|remove|delete|deleteProperty)\(\s*(?:\w{1,50},\s*)?[\"'](\w{1,100})[\"']|\bconst\s*\{\s*(\w{1,100})\b[^{}\n]{0,200},\s*\.\.\.\w"
)
_MOST = 50  # answers in a file, and assertions behind one, that are looked at
_WIDEST = 2000  # characters of a line, or of an assertion, that are looked at


def answered(change: Change, files: Sequence[FileDiff]) -> Iterator[Diagnostic]:
    """Assertions that there were, about a function which now answers what the test says."""
    kept = [file for file in files if file.status in {"modified", "renamed"} and language(file.path) in _MADE]
    for file in kept:
        before = read(change.base, file.old_path) or ""
        for _, mark in fresh(change, [file], partial(_own_answers, plain(before[:LARGEST]))):
            message = f"asserts what `{mark.words}` answers, which the test itself makes it answer now"
            yield finding(change, "tests", "tests/not-the-source", message, file.path, line=mark.line)


def _own_answers(before: str, path: str, text: str) -> Iterable[Mark]:
    family = language(path) or ""
    source = scan(text, family)
    made = [match for match in _MADE[family].finditer(text) if source.code[match.start()] == text[match.start()]]
    spans = sorted(within(path, text)) if made else []
    for match in made[:_MOST]:
        number = bisect_left(spans, (match.start() + 1,)) - 1
        if number < 0 or spans[number][1] < match.end():
            continue
        who, what = match["who"] or match["whose"], match["what"] or match["name"]
        receiver = r"\b\w+(?:\([^()]{0,100}\))?" if who.endswith(".prototype") else rf"\b{re.escape(who)}"
        asked = re.compile(rf"{receiver}\s*\.\s*{what}\s*\(")
        for claim in islice(DIALECTS[family].asserts.finditer(source.code, match.end(), spans[number][1]), _MOST):
            end = text.find("\n", claim.end())
            words = text[claim.start() : min(end if end > 0 else len(text), claim.start() + _WIDEST)]
            if asked.search(words) and plain(words) in before:
                yield Mark(f"{who}.{what}", text.count("\n", 0, match.start()) + 1, f"{who}.{what}")
                break


def taken_out(change: Change, before: Found, after: Found) -> Iterator[Diagnostic]:
    """A field that is removed from what is compared, where the expectation had it."""
    gone, come = (
        set(re.findall(r"\w+", " ".join(one - other)))
        for one, other in (
            (Counter(before.case.proof.claims), Counter(after.case.proof.claims)),
            (Counter(after.case.proof.claims), Counter(before.case.proof.claims)),
        )
    )
    for line in after.file.added if come else ():
        for match in _TAKEN.finditer(line.text[:_WIDEST]):
            name = next(filter(None, match.groups()))
            if name in gone and name not in come and name in after.case.words:
                message = f"`{after.case.name}` takes `{name}` out of what it compares"
                yield finding(change, "tests", "tests/weaker-assertions", message, after.file.path, line=line.new)
                return
