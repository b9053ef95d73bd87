"""Tests of JavaScript and Java that compared what an object of the sources answers, and now ask one of their own.

That is a mock, an object literal, or one of a class that is written in the tests and has the asked method by itself.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from greylag.guards._cases.cases import within
from greylag.guards._cases.matching import Found
from greylag.guards._code.bindings import bindings
from greylag.guards._code.source import LARGEST, brackets, language, scan
from greylag.guards._guard import finding, read
from greylag.guards._tests.origins import Sources, classes, taken
from greylag.model import Diagnostic
from greylag.protocols import Change, Tree

_ASKED = re.compile(r"(?<![\w.$])(?P<who>[a-z_$][\w$]{0,60})\.(?P<what>\w{1,60})\(|new(?P<made>[A-Z]\w{0,60})\(")
_SUBJECT = re.compile(r"^(?:expect|assertThat|assert\.\w{1,30})\((?P<name>[A-Za-z_$][\w$]{0,60})(?![\w$(])")
_FAKE = re.compile(
    r"(?:\w{1,40}\.){0,4}(?:mock\w*|spyk|createMock|niceMock|fn|stub|fake|createStubInstance|createSpyObj)\s*"
    r"(?:<[^<>\n]{0,60}>\s*)?\("
)
_NEW = re.compile(r"new\s+(?:\(\s*)?(?P<name>[A-Za-z_$][\w$.]{0,80})")
_VALUE = r"(?<![\w.$]){}\b(?:\s*:[^=;\n(){{}}]{{0,60}})?\s*=(?![=>])\s*(?:await\s+)?"
_FIELD = r"@(?:Mock|MockBean|MockitoBean|MockK)\b[^;(){{}}]{{0,100}}\b{}\s*[;\n]"
_FAR, _LONGEST, _MOST = 300, 5000, 100  # characters before a body and of one that are looked at; calls of a test
_MADE_HERE = "a mock", "an object of its own"


def scanned_makers(change: Change, pairs: Sequence[tuple[Found, Found]]) -> Iterator[Diagnostic]:
    """The first such method of each test."""
    trees = Sources(change.base), Sources(change.head)
    files: dict[tuple[bool, str], _File] = {}
    for was, now in pairs:
        if language(now.file.path) not in {"js", "java"} or was.case.digest == now.case.digest:
            continue
        sides = (True, was.file.old_path, was), (False, now.file.path, now)
        for base, path, _ in sides:
            if (base, path) not in files:
                files[base, path] = _File(change.base if base else change.head, trees, path)
        old, new = (files[base, path].asked(found) for base, path, found in sides)
        for name, maker in new.items():
            if maker in _MADE_HERE and old.get(name, "") not in {"", *_MADE_HERE}:
                message = f"`{now.case.name}` asked `{old[name]}` for `{name[:80]}`, and asks {maker} now"
                yield finding(change, "tests", "tests/not-the-source", message, now.file.path, line=now.case.line)
                break


class _File:
    """One file of tests, and the classes that it has from the sources."""

    def __init__(self, tree: Tree, trees: tuple[Sources, Sources], path: str) -> None:
        self._family, text = language(path) or "", (read(tree, path) or "")[:LARGEST]
        self._code = scan(text, self._family).code
        self._curly, self._round = brackets(self._code, "{}"), brackets(self._code, "()")
        self._taken: Mapping[str, str] = taken(*trees, path, bindings(self._family, text))
        if self._family == "java":
            self._taken = {**self._taken, **classes(*trees, path, text)}
        lines = [match.start() for match in re.finditer("\n", text)]
        self._spans = {bisect_left(lines, begin) + 1: (begin, end) for begin, end in within(path, text)}

    def asked(self, found: Found) -> Mapping[str, str]:
        """Methods that the assertions of a test ask for, and who answers: a class of the sources, or the test."""
        span = self._spans.get(found.case.line)
        answers: dict[str, str] = {}
        for match in islice(_calls(found), _MOST) if span else ():
            if match["made"]:
                then = re.search(r"\)\.(\w{1,60})\(", match.string[match.end() : match.end() + _FAR])
                if then and match["made"] in self._taken:
                    answers.setdefault(then[1], match["made"])
            elif span and match["what"] not in answers and (maker := self._maker(match["who"], match["what"], span)):
                answers[match["what"]] = maker
        for claim in found.case.proof.claims[:_MOST] if span else ():
            subject = _SUBJECT.search(claim)
            if span and subject and (maker := self._given(subject["name"], span)):
                answers[claim] = maker
        return answers

    def _given(self, name: str, span: tuple[int, int]) -> str:
        """What the value of a name of the test is: the answer of a function of the sources, or written there."""
        given = list(islice(re.finditer(_VALUE.format(re.escape(name)), self._code[slice(*span)]), _MOST))
        place = span[0] + given[-1].end() if len(given) == 1 else -1
        if place >= 0 and self._code[place] in "{[\"'`":
            return _MADE_HERE[1]
        called = re.compile(r"(\w{1,60})\(").match(self._code, place) if place >= 0 else None
        return called[1] if called and called[1] in self._taken else ""

    def _maker(self, who: str, what: str, span: tuple[int, int]) -> str:
        given = re.compile(_VALUE.format(re.escape(who)))
        if re.search(_FIELD.format(re.escape(who)), self._code):
            return _MADE_HERE[0]
        inside = list(islice(given.finditer(self._code, *span), _MOST))
        found = inside[-1] if inside else next(given.finditer(self._code), None)
        if found is None:
            return ""
        return self._of_value(found.end(), what)

    def _of_value(self, place: int, what: str) -> str:
        """Who answers if the value that begins at a place is asked."""
        made = _NEW.match(self._code, place)
        if _FAKE.match(self._code, place):
            return _MADE_HERE[0]
        if made is None:
            own = self._code.startswith("{", place) and self._has(place, what)
            return _MADE_HERE[1] if own else ""
        name, closed = made["name"].rpartition(".")[2], self._round.after(made.start())[1]
        if name in self._taken and not re.match(r"\s*\{", self._code[closed : closed + _FAR]):
            return name
        written = re.search(rf"\bclass\s+{re.escape(name)}\b[^{{}}]{{0,{_FAR}}}(?=\{{)", self._code)
        body = made.end() if name == "class" else written.end() if written else closed
        return _MADE_HERE[1] if self._has(body, what) else ""

    def _has(self, place: int, what: str) -> bool:
        """Whether the first block at or after a place has a method of the name."""
        begin, end = self._curly.after(place)
        if begin > place + _FAR:
            return False
        body = self._code[begin : min(end, begin + _LONGEST)]
        return (
            re.search(rf"(?<![\w.$]){re.escape(what)}\s*(?:\([^()]{{0,200}}\)[^;{{}}()]{{0,80}}\{{|[:=])", body)
            is not None
        )


def _calls(found: Found) -> Iterator[re.Match[str]]:
    for claim in found.case.proof.claims:
        yield from _ASKED.finditer(claim)
