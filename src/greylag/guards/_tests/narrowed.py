"""Tests that run in fewer places, expect less of a panic, or meet a mock where they met what they test."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from greylag.diffs import FileDiff, parse
from greylag.guards._cases.dialects import DIALECTS
from greylag.guards._cases.rows import entries
from greylag.guards._code.fresh import Mark, fresh
from greylag.guards._code.source import LARGEST, language, scan
from greylag.guards._guard import finding, read
from greylag.model import Diagnostic
from greylag.protocols import Change

_BUILD = re.compile(r"^//\s?(?:go:build|\+build)\s[^\n]{1,300}", re.MULTILINE)
_MODULE = re.compile(
    r"#\[\s*cfg\s*\((?!\s*test\s*\))[^\]\n]{1,200}\]\s*(?:pub\s+)?mod\s+tests?\b|"
    r"#!?\[\s*cfg\s*\(\s*all\s*\([^\n]{0,200}\btest\b[^\n]{0,200}\]"
)
_BATS = re.compile(
    r"^[^#\n]{0,300}?(?:(?:^|[;{&|]|\bthen\b|\bdo\b)[ \t]*+skip\b|\bBATS_TEST_RETRIES=[1-9])", re.MULTILINE
)
_PANIC = re.compile(r"#\[\s*should_panic\s*(?P<message>\(\s*expected\b)?")
_LISTED = re.compile(
    r"^(?:(?:export|const|let|var|static|final|private|public)\s+){0,4}[\w<>\[\] ]{0,60}?"
    r"\b(?P<name>(?=[\w$]{0,80}(?:skip|xfail|known_?fail|expected_?fail|flaky|unsupported))[\w$]{1,120})"
    r"\s*(?::[^=\n]{0,100})?=\s*(?:new\s+Set\(|frozenset\(|set\()?\s*[\[({](?=\s*[^\s\])}])",
    re.MULTILINE | re.IGNORECASE,
)
_NAMED = re.compile(r"test|spec", re.IGNORECASE)
_STEM = re.compile(r"(?:Tests?|TestCase|IT|ITCase)$")


def narrowed(change: Change, files: Sequence[FileDiff]) -> Iterator[Diagnostic]:
    """What keeps tests from running without a mark of the runner, and what they accept or meet instead."""
    kept = [file for file in files if file.status in {"modified", "renamed"}]
    for file, mark in fresh(change, kept, conditions):
        message = f"adds `{mark.words}`, which keeps tests from running or from failing"
        yield finding(change, "tests", "tests/skipped", message, file.path, line=mark.line)
    listing = [file for file in parse(change.diff) if file.status == "modified" and _NAMED.search(file.path)]
    for file, mark in fresh(change, listing, left_out):
        message = f"adds {mark.words}, which says what is not tested"
        yield finding(change, "tests", "tests/skipped", message, file.path, line=mark.line)
    for file in kept:
        before, after = read(change.base, file.old_path) or "", read(change.head, file.path) or ""
        if max(len(before), len(after)) > LARGEST:
            continue
        if language(file.path) == "rust" and _any_panic(before, after):
            message = "expects a panic without its message now: any panic is accepted"
            yield finding(change, "tests", "tests/weaker-assertions", message, file.path)
        if language(file.path) == "java" and (name := _mocked(file.path, before, after)):
            message = f"makes a mock of `{name}`, which it tested"
            yield finding(change, "tests", "tests/not-the-source", message, file.path)


def left_out(path: str, text: str) -> Iterator[Mark]:
    """Entries of lists at the top of a file whose names say that they are not run, or known to fail."""
    family = language(path) or ""
    if family in DIALECTS and _LISTED.search(text):
        source = scan(text, family)
        for match in _LISTED.finditer(source.code):
            line = text.count("\n", 0, match.start()) + 1
            for entry in entries(source, match.end() - 1):
                yield Mark(f"{match['name']} {entry}", line, f"{entry[:60]} in {match['name']}")


def conditions(path: str, text: str) -> Iterable[Mark]:
    """Build constraints of Go, and of modules of tests in Rust; in Bats, which no reader knows, `skip` and retries."""
    if language(path) == "go":
        found = _BUILD.finditer(text[: text.find("\npackage ") + 1] or "")
    elif language(path) == "rust":
        found = _MODULE.finditer(text)
    elif path.endswith(".bats"):
        found = _BATS.finditer(text)
    else:
        return
    for match in found:
        words = " ".join(match[0].split())[-80:]
        yield Mark(match[0].strip(), text.count("\n", 0, match.end()) + 1, words)


def _any_panic(before: str, after: str) -> bool:
    """Whether fewer panics are expected with their message, and more without."""
    counts = []
    for text in (before, after):
        found = [match["message"] is not None for match in _PANIC.finditer(text)]
        counts.append((sum(found), len(found) - sum(found)))
    (told, bare), (tells, now) = counts
    return tells < told and now > bare


def _mocked(path: str, before: str, after: str) -> str:
    """The class that a test is named after, where it was made and is a mock now."""
    name = _STEM.sub("", PurePosixPath(path).stem)
    code = [scan(text, "java").code for text in (before, after)]
    made = [re.search(rf"\bnew\s+{re.escape(name)}\s*[(<]|\b{re.escape(name)}\s*\.", text) for text in code]
    mock = re.compile(
        rf"\bmock\s*\(\s*{re.escape(name)}\.class|\bmock\s*<\s*{re.escape(name)}\s*>|@Mock(?:Bean|K)?\b[^;(){{}}]{{0,100}}\b{re.escape(name)}\b"
    )
    is_new = bool(name) and mock.search(code[1]) and not mock.search(code[0])
    left = re.search(rf"\bnew\s+{re.escape(name)}\s*[(<]", code[1])
    return name if is_new and made[0] and not left else ""
