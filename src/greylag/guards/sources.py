"""Sources that act otherwise while they are tested, have answers of tests in them, or hide failures that they told."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import islice

from greylag.diffs import FileDiff, parse
from greylag.guards._code.fresh import Mark, fresh
from greylag.guards._code.source import LARGEST, language, plain, scan
from greylag.guards._guard import Guard, finding, read
from greylag.guards._sources.answer_forms import answer_forms
from greylag.guards._sources.answer_tables import tabled
from greylag.guards._sources.answers import answers
from greylag.guards._sources.dropped import dropped
from greylag.guards._sources.ends import left
from greylag.guards._sources.exchanged import exchanged
from greylag.guards._sources.granted import denied, granted
from greylag.guards._sources.looks_around import looks_around
from greylag.guards._sources.only_told import only_told
from greylag.guards._sources.package_path import other_paths
from greylag.guards._sources.protections import unprotected
from greylag.guards._sources.refusals import refusals
from greylag.guards._sources.sent_away import sent_away
from greylag.guards._sources.silent import silent
from greylag.guards._sources.singled_out import singled_out
from greylag.guards._sources.test_libraries import equality, of_tests
from greylag.guards._sources.trust import trusts
from greylag.guards._sources.under_test import asks
from greylag.guards._sources.unheeded import unheeded
from greylag.kinds import classify
from greylag.model import Diagnostic
from greylag.protocols import Change

_OPTIONS = frozenset({"python", "js", "go", "rust", "java"})
_UNCHECKED = re.compile(
    r"\bverify\s{0,9}=\s{0,9}False\b|\brejectUnauthorized\s{0,9}:\s{0,9}false\b|\bInsecureSkipVerify\s{0,9}[:=]\s{0,9}true\b"
    r"|\bdanger_accept_invalid_(?:certs|hostnames)\s{0,9}\(\s{0,9}true\b|\bignoreReturnCode\s{0,9}:\s{0,9}true\b"
    r"|\bNODE_TLS_REJECT_UNAUTHORIZED\b|\b_create_unverified_context\b|\b(?:get|unwrap|unreachable)_unchecked(?:_mut)?\s{0,9}\(|\bfrom_utf8_unchecked(?:_mut)?\s{0,9}\("
)
_UNUSED: Mapping[str, re.Pattern[str]] = {
    "go": re.compile(r"^[ \t]*+_(?:[ \t]*+,[ \t]*+_){0,9}[ \t]*+=[ \t]*+(?=[\w.]++\()([^\n]++)$", re.MULTILINE),
    "rust": re.compile(r"\blet\s++_\s*+=\s*+([^;]{1,500});"),
}
_HALF = re.compile(
    r"^[ \t]*+(?:\w++[ \t]*+,[ \t]*+){1,9}_[ \t]*+:?=[ \t]*+(?=[\w.]++\()([^\n]++)$", re.MULTILINE
)  # of Go: a value is taken, and the error beside it is not
_ENDED = re.compile(r"(?:[{;\n]|\b_\s*+=)\s*+recover\s*+\(\s*+\)")
_TELLS = re.compile(r"\b(?:raise|throw)\b")
_SHORTEST, _MOST = 6, 2000  # characters of a statement that is compared, and statements of one file


def check(change: Change) -> Iterator[Diagnostic]:
    """New questions of a source whether a test runs, and statements whose failure is lost now."""
    files = [file for file in parse(change.diff) if classify(file.path) == "source" and not file.binary]
    known = [file for file in files if file.status in {"modified", "renamed"}]
    for concerned, marks, kind, rule, words in (
        (files, asks, "tests", "under-test", "asks `{}`: it acts otherwise while it is tested"),
        (files, looks_around, "tests", "under-test", "asks by `{}` who runs it: it acts otherwise while it is tested"),
        (
            files,
            of_tests,
            "tests",
            "test-library",
            "imports `{}`: a source that has what tests are made of may deceive them",
        ),
        (files, equality, "tests", "equality", "makes the equality of a built-in type anew by `{}`"),
        (
            files,
            other_paths,
            "tests",
            "package-path",
            "has `{}`: tests may import other modules than those that are read",
        ),
        (files, unchecked, "suppressions", "unchecked", "adds `{}`, which takes a check away"),
        (files, trusts, "suppressions", "unchecked", "adds `{}`: whoever answers is trusted"),
        (files, granted, "suppressions", "granted", "lets `{}` say yes where something fails"),
        (files, left, "tests", "exit", "adds `{}`: whatever calls it ends as if all was well, tests with it"),
        (known, ended, "suppressions", "swallowed", "adds `{}`, which ends a panic without a word"),
    ):
        for file, mark in fresh(change, concerned, marks):
            message = words.format(mark.words)
            yield finding(change, kind, f"sources/{rule}", message, file.path, line=mark.line)
    yield from refusals(change, known)
    yield from only_told(change, known)
    yield from exchanged(change, known, tests=False)
    yield from unprotected(change, files)
    yield from unheeded(change, known)
    yield from sent_away(change, files)
    for file in parse(change.diff):
        for line, what in dropped(file):
            message = f"drops a failure that it told: `{what}`"
            yield finding(change, "suppressions", "sources/swallowed", message, file.path, line=line.new)
    for file in files:
        if file.status != "deleted":
            for look in (answers, tabled, answer_forms, singled_out):
                yield from look(change, file)
        if file.status in {"modified", "renamed"}:
            yield from _swallowed(change, file)


def unchecked(path: str, text: str) -> Iterator[Mark]:
    """Options of well-known libraries by which a failure, or who answers, is not looked at."""
    family = language(path) or ""
    if family in _OPTIONS and (found := list(_UNCHECKED.finditer(scan(text, family).code))):
        yield from (Mark(match[0], text.count("\n", 0, match.start()) + 1, match[0]) for match in found)


def ended(path: str, text: str) -> Iterator[Mark]:
    """Panics of Go whose value is thrown away."""
    if language(path) == "go" and "recover" in text:
        for match in _ENDED.finditer(code := scan(text, "go").code):
            yield Mark("recover()", code.count("\n", 0, match.start()) + 1, "recover()")


def _swallowed(change: Change, file: FileDiff) -> Iterator[Diagnostic]:
    old, new = read(change.base, file.old_path) or "", read(change.head, file.path) or ""
    if max(len(old), len(new)) > LARGEST:
        return
    hidden = [len(list(silent(file.path, text, anything=True))) for text in (old, new)]
    told = (
        [len(_TELLS.findall(scan(text, language(file.path) or "").code)) for text in (old, new)]
        if hidden[1]
        else [0, 0]
    )
    if hidden[1] > hidden[0] and told[1] < told[0]:
        message = f"raises in {told[0] - told[1]} places fewer, and drops what is raised without a word"
        yield finding(change, "suppressions", "sources/swallowed", message, file.path)
        return
    yield from _left_out(change, file, old, new)
    before, after = (Counter(dict.fromkeys(_lost(file.path, text), 1)) for text in (old, new))
    refused, sides = "".join(denied(file.path, new)), (plain(old), plain(new))
    for statement in islice(after - before, _MOST):
        was, now = (text.count(statement) for text in sides)
        if was and now - 1 < was and statement not in refused and not _alone(language(file.path), old, statement):
            message = f"swallows what `{statement[:60]}` raised or returned before"
            yield finding(change, "suppressions", "sources/swallowed", message, file.path)


def _left_out(change: Change, file: FileDiff, old: str, new: str) -> Iterator[Diagnostic]:
    """Errors of Go that had a name beside a value, and have none any more."""
    if language(file.path) != "go" or ", _" not in new:
        return
    had = plain(old)
    for match in _HALF.finditer(scan(new, "go").code):
        call = plain(new[slice(*match.span(1))])
        if f"_:={call}" not in had and any(f",err{sign}{call}" in had for sign in (":=", "=")):
            message = f"takes no error of `{call[:60]}` any more"
            yield finding(change, "suppressions", "sources/swallowed", message, file.path)
            return


def _alone(family: str | None, text: str, statement: str) -> bool:
    """In Go and Rust: whether nobody looked at the result before, either, since it stood alone on its lines."""
    lines = [short for line in text.split("\n") if statement in (short := "".join(line.split()))]
    return family in _UNUSED and all(line == statement + (";" if family == "rust" else "") for line in lines)


def _lost(path: str, text: str) -> list[str]:
    """Statements whose failure is dropped without a word, without blanks."""
    family = language(path) or ""
    if family == "python":
        found = list(silent(path, text, told=True))
    elif family in {"js", "java"}:
        found = [statement for body in silent(path, text, told=True) for statement in body.split(";")]
    elif family in _UNUSED:
        source = scan(text, family)
        found = [text[match.start(1) : match.end(1)] for match in _UNUSED[family].finditer(source.code)]
    else:
        found = []
    return [short for one in found if len(short := plain(one).removeprefix("await")) >= _SHORTEST and "(" in short]


PLUGIN = partial(Guard, "sources", check)
