"""Tests that ask something of their own what they asked the sources: a copy in test code, under whatever name."""

import re
from collections.abc import Iterator, Mapping, Sequence

from greylag.guards._cases.cases import helpers
from greylag.guards._cases.compared import WIDEST, Compared, changed
from greylag.guards._cases.matching import Found
from greylag.guards._code.bindings import HERE, Bound, bindings
from greylag.guards._code.source import LARGEST, language, scan
from greylag.guards._guard import finding, read
from greylag.guards._tests.origins import Sources, classes, is_source, package, taken
from greylag.model import Diagnostic
from greylag.protocols import Change

_ROOT = re.compile(r"(?:await ?|new(?=[A-Z ]) ?|[(\[!])*(?P<root>[\w$]+)(?:\.(?P<next>[\w$]+))?")
_MADE = re.compile(r"\blambda\b|=>|\bfunction\b")
_FAKE = r"(?<![\w.$]){}\b(?:\s*:[^=;\n(){{}}]{{0,60}})?\s*=(?![=>])\s*(?:\w{{1,40}}\.){{1,3}}(?:fn|stub|fake|mocked)\("
_OPEN = {")": "(", "]": "[", "}": "{"}


def copied(change: Change, pairs: Sequence[tuple[Found, Found]]) -> Iterator[Diagnostic]:
    """A comparison that is as it was, but for the function that it asks: one of test code that asks no source."""
    trees = Sources(change.base), Sources(change.head)
    files: dict[tuple[str, str], _Names] = {}
    for was, now in pairs:
        gone, come = changed(was.case.proof.compared, now.case.proof.compared)
        swapped = list(_swapped(gone, come))
        if not swapped:
            continue
        key = was.file.old_path, now.file.path
        names = files[key] = files.get(key) or _Names(change, trees, *key)
        for old, new in swapped:
            if words := names.copy(old, new):
                message = f"`{now.case.name}` no longer tests the repository's own `{old}`, but {words}"
                yield finding(change, "tests", "tests/not-the-source", message, now.file.path, line=now.case.line)
                break


def _swapped(gone: Sequence[Compared], come: Sequence[Compared]) -> Iterator[tuple[str, str]]:
    """What was called, and what is called in its place with the same arguments for the same answer."""
    before = {key: function for one in gone for key, function in _calls(one)}
    for one in come:
        for key, function in _calls(one):
            if key in before and before[key] != function:
                yield before[key], function


def _calls(one: Compared) -> Iterator[tuple[tuple[str, str], str]]:
    for side, other in ((one.left, one.right), (one.right, one.left)):
        place = _last(side) if len(side) <= WIDEST else 0
        if place > 0:
            yield (side[place:], other), side[:place]


def _last(side: str) -> int:
    """Where the bracket opens that ends an expression; 0 where it is no call."""
    if not side.endswith(")"):
        return 0
    stack: list[int] = []
    for match in re.finditer(r"\"(?>(?:[^\"\\]|\\.)*)\"|'(?>(?:[^'\\]|\\.)*)'|`(?>(?:[^`\\]|\\.)*)`|[(){}\[\]]", side):
        if match[0] in _OPEN.values():
            stack.append(match.start())
        elif match[0] in _OPEN and stack:
            start = stack.pop()
            if match.end() == len(side):
                return start
    return 0


class _Names:
    """What the names of one file of tests stand for, before and after the change."""

    def __init__(self, change: Change, trees: tuple[Sources, Sources], old: str, new: str) -> None:
        base, head = trees
        was, self._text = (
            (read(tree, path) or "")[:LARGEST] for tree, path in ((change.base, old), (change.head, new))
        )
        self._path, self._head, self._change, self._family = new, head, change, language(new) or ""
        self._taken: dict[str, str] = taken(base, head, old, bindings(self._family, was))
        if self._family == "java":
            self._taken |= classes(base, head, old, was)
        self._bound: Mapping[str, Bound] = {one.name: one for one in bindings(self._family, self._text) if one.made}
        self._words = {case.name.rpartition(".")[2]: case.words for case in helpers(new, self._text)}

    def copy(self, old: str, new: str) -> str:
        """Words for what is called now, if a source was called and this is none, and calls none."""
        before, after = _ROOT.match(old), _ROOT.match(new)
        source = self._taken.get(before["root"]) if before else None
        if (
            before is None
            or after is None
            or source is None
            or re.search(rf"\b{re.escape(before['root'])}[.(]", new[after.start("root") :])
        ):
            return ""
        mock = self._family == "js" and re.search(_FAKE.format(re.escape(after["root"])), self._text)
        if mock or _MADE.search(new):
            return "a function of its own"
        own = after["root"] in {"self", "this", "cls"} and after["next"]
        name = after["next"] if own else after["root"]
        if name in self._taken and not own:
            return ""
        asked = set(self._taken)
        bound = self._bound.get(name)
        if own or (bound and bound.module == HERE):
            return f"`{name}` of this file" if name in self._words and not self._words[name] & asked else ""
        module, symbol = (bound.module, bound.symbol) if bound else (package(scan(self._text, "java").code), name)
        place = self._head.find(self._path, module, symbol) if bound or self._family == "java" else None
        if place is None or is_source(place):
            return ""
        text = (read(self._change.head, place) or "")[:LARGEST]
        return "" if asked & set(re.findall(r"\w+", text)) - {symbol} else f"`{name}` of {place}"
