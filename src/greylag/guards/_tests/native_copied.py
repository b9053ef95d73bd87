"""Tests of Go, Rust and C that call a copy of their own in place of what the repository has."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from posixpath import dirname

from greylag.diffs import FileDiff
from greylag.guards._cases.case import Case
from greylag.guards._cases.matching import Found
from greylag.guards._code.bindings import bindings
from greylag.guards._code.source import language
from greylag.guards._guard import finding, read
from greylag.guards._tests.own_code import MADE, OwnCode, made_in
from greylag.model import Diagnostic
from greylag.protocols import Change

_CALL = re.compile(r"\b(\w++)!?\s*+\(")
_FREE = re.compile(r"(?<![\w.:])(\w++)!?\s*+\(")  # of no type and no value
_NAMES, _CLAIMS, _WIDEST = 40, 200, 1000  # names and claims that are compared, and characters of one


def copied(change: Change, pairs: Sequence[tuple[Found, Found]]) -> Iterator[Diagnostic]:
    """Names of the sources that a file of tests now makes by itself, and calls of them that became calls of a copy."""
    sides = OwnCode(change.base), OwnCode(change.head)
    edited = [(was, now) for was, now in pairs if (language(now.file.path) or "") in MADE]
    for file in {now.file.path: now.file for _, now in edited}.values():
        for name in _taken(sides, file):
            message = f"no longer tests the repository's own `{name}`, but one in this file"
            yield finding(change, "tests", "tests/not-the-source", message, file.path)
    for was, now in edited:
        if was.case.digest != now.case.digest and (names := _replaced(sides[1], was.case, now)):
            message = (
                f"`{now.case.name}` no longer tests the repository's own `{names[0]}`, but `{names[1]}` of the tests"
            )
            yield finding(change, "tests", "tests/not-the-source", message, now.file.path, line=now.case.line)


def _taken(sides: tuple[OwnCode, OwnCode], file: FileDiff) -> Iterator[str]:
    """Names that the tests called, that the sources have, and that the file newly makes by itself, and calls."""
    family, (base, head) = language(file.path) or "", sides
    before, after = base.tests(file.old_path, family), head.tests(file.path, family)
    called, had = set(_FREE.findall(before)), made_in(before, family)
    for name in [name for name in made_in(after, family) if name in called and name not in had][:_NAMES]:
        calls = re.search(rf"(?<![\w.:])(?<!\bfn\s)(?<!\bfunc\s)(?<!\bdefine\s){name}!?\s*\(", after)
        if calls and name in head.sources(family, dirname(file.path) if family == "go" else None):
            yield name
    if family == "go":
        yield from _objects(sides, file, before, after)


def _objects(sides: tuple[OwnCode, OwnCode], file: FileDiff, before: str, after: str) -> Iterator[str]:
    """Packages of the repository in whose place tests of Go have an object, or another package."""
    texts = (read(sides[0].tree, file.old_path) or "", read(sides[1].tree, file.path) or "")
    was, now = ({one.name: one.module for one in bindings("go", text)} for text in texts)
    ours = sides[1].packages()
    for name in [name for name, module in was.items() if module in ours]:
        own = re.compile(rf"\bvar\s+{re.escape(name)}\b|(?<![\w.]){re.escape(name)}\s*:=(?!\s*range\b)")
        made = own.search(after) if not own.search(before) else None
        called = re.compile(rf"\b{re.escape(name)}\s*\.\s*([A-Z]\w*)\s*\(")
        again = set(called.findall(before)) & set(called.findall(after, made.end() if made else 0))
        if again and (made or now.get(name, was[name]) != was[name]):
            yield name


def _replaced(head: OwnCode, old: Case, now: Found) -> tuple[str, str] | None:
    """A function of the sources whose result was compared, and the function of the tests whose result now is."""
    before, after, family = _said(old), _said(now.case), language(now.file.path) or ""
    gone, come = Counter(before) - Counter(after), set(Counter(after) - Counter(before))
    lost, new = _called(gone), _called(come)
    for copy in sorted(new - lost)[:_NAMES]:
        words = head.reached(copy, now.file.path, family)
        if words is None or words & head.sources(family):
            continue
        for name in sorted(lost & head.sources(family))[:_NAMES]:
            word = re.compile(rf"(?<!\w)(?:\w+(?:\.|::))?{re.escape(name)}\(")
            if any(word.sub(f"{copy}(", text) in come for text in gone):
                return name, copy
    return None


def _said(case: Case) -> list[str]:
    pairs = ("\0".join(pair) for pair in case.proof.pairs[:_CLAIMS])
    return [text[:_WIDEST] for text in (*case.proof.claims[:_CLAIMS], *pairs)]


def _called(texts: set[str] | Counter[str]) -> set[str]:
    return {name for text in texts for name in _CALL.findall(text)}
