"""Assertions that a test made, and whose failure it now waits for: `assert.rejects(() => assert.equal(...))`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from greylag.diffs import FileDiff
from greylag.guards._cases.deferred import nesting_of
from greylag.guards._cases.dialects import DIALECTS
from greylag.guards._code.source import LARGEST, language, plain, scan
from greylag.guards._guard import finding, read
from greylag.model import Diagnostic
from greylag.protocols import Change

_EXPECTS: Mapping[str, re.Pattern[str]] = {  # calls that pass when what they are given fails
    "js": re.compile(
        r"\b(?:assert|t|chai\.assert)(?:\.strict)?\.(?:rejects|throws|throwsAsync|Throw)\s*+\("
        r"|(?<![\w.$])expect(?:\.soft)?\s*+\((?=\s*+(?:async\b|function\b|\(\s*+\)|\w++\s*+=>))"
    ),
    "java": re.compile(
        r"\b(?:assertThrows\w*|assertThatThrownBy|assertThatExceptionOfType|assertFails\w*|shouldThrow\w*|expectThrows"
        r"|ThrowsAny(?:Async)?|Throws(?:Async)?|intercept)\s*+(?:<[^<>()]{0,80}>|\[[^\[\]()]{0,80}\])?\s*+[({]"
    ),
    "c": re.compile(r"\b(?:EXPECT_(?:NON)?FATAL_FAILURE\w*|(?:EXPECT|ASSERT)_DEATH\w*|SHOULD_FAIL)\s*+\("),
}
_AWAY = re.compile(r"\s*+\.\s*+(?:rejects\s*+\.\s*+)?(?:to\s*+\.\s*+)?(?:toThrow\w*|throw\w*|be\s*+\.\s*+rejected)")
_NAMED = re.compile(
    r"\b(\w{1,80}(?:Error|Exception|Failure))\b|\b(\w{1,80})(?:\.class|::class)\b|[sS]\w{0,30}<(\w{1,80})>"
)
_BROAD = re.compile(r"\w*Assert\w*|Throwable|Exception|Error|\w*Comparison\w*|\w*Multiple\w*|XunitException")
_NEAR = 200  # characters around a call that may name what is expected
_MOST = 50  # of each in one file


def expected_failures(change: Change, files: Sequence[FileDiff]) -> Iterator[Diagnostic]:
    """One finding for each file that has such a call."""
    for file in files:
        family = language(file.path) or ""
        if family not in _EXPECTS or file.status not in {"modified", "renamed"}:
            continue
        old, new = read(change.base, file.old_path) or "", read(change.head, file.path) or ""
        if max(len(old), len(new)) > LARGEST:
            continue
        had = {inner for _, inner in _expected(old, family)}
        before, after = plain(old), plain(new)
        for line, inner in _expected(new, family):
            if inner not in had and before.count(inner) > after.count(inner) - 1:
                message = f"passes only when `{inner[:80]}` fails, which it asserted before"
                yield finding(change, "tests", "tests/inverted", message, file.path, line=line)
                break


def _expected(text: str, family: str) -> Iterator[tuple[int, str]]:
    """Line and text of each assertion within a call that wants a failure."""
    source = scan(text, family)
    code, nesting, asserts = source.code, nesting_of(source.code), DIALECTS[family].asserts
    over = 0
    for match in islice(_EXPECTS[family].finditer(code), _MOST):
        end = nesting.end(match.end() - 1)
        if match.start() < over or (match[0].startswith("expect") and not _AWAY.match(code, end)):
            continue
        over = end
        around = (
            code[match.start() : match.end() + _NEAR] + code[max(match.end(), end - _NEAR) : end + _NEAR].split(";")[0]
        )
        named = {next(filter(None, groups)) for groups in _NAMED.findall(around)}
        if named and not any(map(_BROAD.fullmatch, named)):
            continue  # an error of what is tested
        for inner in islice(asserts.finditer(code, match.end(), end), 10):
            bracket = code.find("(", inner.start(), min(end, inner.end() + 1))
            claim = text[inner.start() : nesting.end(bracket)] if bracket >= 0 else ""
            if len(claim) > len(inner[0]):
                yield code.count("\n", 0, match.start()) + 1, plain(claim)
