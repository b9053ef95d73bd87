"""Loops of tests around assertions that run with fewer inputs: entries are gone, or a number is smaller."""

import ast
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from greylag.diffs import FileDiff
from greylag.guards._cases.cases import within
from greylag.guards._cases.dialects import DIALECTS
from greylag.guards._cases.matching import Found
from greylag.guards._cases.rows import entries
from greylag.guards._code.fresh import Mark, fresh
from greylag.guards._code.python_tree import UNREADABLE, Function, leaf, parsed, unparsed, walk
from greylag.guards._code.source import LARGEST, brackets, language, plain, scan
from greylag.guards._guard import finding, read
from greylag.model import Diagnostic
from greylag.protocols import Change, Tree

_LITERAL: Mapping[str, re.Pattern[str]] = {  # up to the bracket that opens what is looped over
    "go": re.compile(r"\bfor\b[^{}\n]{0,100}?\brange\s+(?:map)?\[[^\]\n]{0,40}\][\w.*\[\]]{1,60}\{"),
    "rust": re.compile(r"\bfor\b[^{}\n]{1,100}?\bin\s+&?\s*(?:vec!\s*)?\["),
    "js": re.compile(r"\bfor\s*\(\s*(?:const|let|var)\s[^;()\n]{1,100}?\bof\s+\["),
    "java": re.compile(
        r"\bfor\s*\([^;()\n]{1,100}?:\s*(?:new\s+[\w<>.]{1,60}\[\s*\]\s*\{|(?:List|Set|Arrays|Stream)\.\w{1,20}\()"
        r"|\bfor\s*\([^;()\n]{1,60}?\bin\s+\w{0,20}[\[(]"
    ),
    "c": re.compile(r"\bfor\s*\([^;()\n]{1,100}?:\s*\{"),
}
_NAMED = re.compile(
    r"\bfor\b[^{};\n]{1,100}?(?:\brange|\bof|\bin|:)\s+&?(?P<name>[A-Za-z_]\w*)(?:\.iter\(\))?\s*\)?\s*\{"
)
_COUNTED = re.compile(
    r"\bfor\b[^;{}\n]{0,80};[^;{}\n]{0,60}?<=?\s*(?P<below>\d[\d_]{0,12})\s*;"
    r"|\bin\s+\(?\s*(?P<low>\d[\d_]{0,12})\s*(?:\.\.[.=<]?|until|to)\s*(?P<high>\d[\d_]{0,12})"
    r"|\b(?:range\s+|(?:repeat|times)\s*\(\s*)(?P<times>\d[\d_]{0,12})\b"
)
_EACH = re.compile(r"\b(?:describe|suite|context)(?:\.\w{1,20}){0,3}\.each\s*(?:<[^<>\n]{0,100}>\s*)?\(\s*(?=\[)")
_NO_ROW = re.compile(r"\.each\s*\(\s*\[\s*\]\s*\)")
_ASSERTS = re.compile(r"assert|check|verify|expect")
_MUCH, _MOST = 5, 50  # times as often: less may be a slow machine; loops of a test, and entries in words for people
_FAR, _WIDEST = 300, 20_000  # characters between a loop's head and its body, and of a literal


class _Loop(NamedTuple):
    """What is written around what is looped over; its entries, or how often it runs."""

    shape: str
    inputs: tuple[str, ...] | int


def shrunk(change: Change, files: Sequence[FileDiff], pairs: Sequence[tuple[Found, Found]]) -> Iterator[Diagnostic]:
    """Findings on loops of tests that are still there, on tables of blocks of tests, and on tables without rows."""
    known: dict[tuple[bool, str], _File] = {}
    for was, now in pairs:
        if was.case.digest == now.case.digest:
            continue
        sides = (True, was.file.old_path, was.case.line), (False, now.file.path, now.case.line)
        for base, path, _ in sides:
            if (base, path) not in known:
                known[base, path] = _File(change.base if base else change.head, path)
        if words := _fewer(*(known[base, path].test(line) for base, path, line in sides)):
            message = f"`{now.case.name}` {words}"
            yield finding(change, "tests", "tests/fewer-inputs", message, now.file.path, line=now.case.line)
    for file in files:
        if file.status in {"modified", "renamed"} and language(file.path) == "js":
            texts = (read(change.base, file.old_path) or "", read(change.head, file.path) or "")
            if max(map(len, texts)) <= LARGEST and (words := _fewer(*((list(_each(text)), text) for text in texts))):
                message = f"a block of tests {words}"
                yield finding(change, "tests", "tests/fewer-rows", message, file.path)
    for file, mark in fresh(change, files, without_rows):
        message = f"has `{mark.words}`: without a row no test is run"
        yield finding(change, "tests", "tests/fewer-rows", message, file.path, line=mark.line)


def without_rows(path: str, text: str) -> Iterator[Mark]:
    """Tables of tests that are written without an entry."""
    if language(path) == "js":
        for match in islice(_NO_ROW.finditer(scan(text, "js").code), _MOST):
            yield Mark(".each([])", text.count("\n", 0, match.start()) + 1, ".each([])")
    elif language(path) == "python" and "parametrize" in text:
        for call in [part for part in _nodes(text) if isinstance(part, ast.Call)]:
            given = call.args[1:2] if leaf(call.func) == "parametrize" else []
            if any(isinstance(one, ast.List | ast.Tuple) and not one.elts for one in given):
                yield Mark("parametrize", call.lineno, unparsed(call)[:80])


def _fewer(old: tuple[Sequence[_Loop], str], new: tuple[Sequence[_Loop], str]) -> str:
    """How a loop of one text runs with less than the same loop of the other; empty where none does."""
    rest = list(new[0])
    said = plain(new[1]) if rest else ""
    for loop in old[0]:
        same = next((one for one in rest if one.shape == loop.shape), None)
        if same is None:
            continue
        rest.remove(same)
        was, now = loop.inputs, same.inputs
        if isinstance(was, int) and isinstance(now, int):
            if now * _MUCH <= was > 1:
                return f"runs a loop around assertions {now} times, where it ran {was} times"
        elif not isinstance(was, int) and not isinstance(now, int) and len(now) < len(was):
            gone = [one for one in was if one not in now]
            if not now or any(not re.search(rf"(?<![\w.-]){re.escape(one)}(?!\w)", said) for one in gone[:_MOST]):
                return f"is tried with fewer inputs: {len(was)} before, {len(now)} now"
    return ""


class _File:
    """One file of tests, read once for all that are in it."""

    def __init__(self, tree: Tree, path: str) -> None:
        self.text, self.family = (read(tree, path) or "")[:LARGEST], language(path) or ""
        self.spans: dict[int, tuple[int, int]] = {}
        self.functions: dict[int, ast.AST] = {}
        if self.family == "python":
            self.functions = {node.lineno: node for node in _nodes(self.text) if isinstance(node, Function)}
            return
        self.source = scan(self.text, self.family)
        self.closing = {pair[0]: brackets(self.source.code, pair) for pair in ("[]", "()", "{}")}
        lines = [match.start() for match in re.finditer("\n", self.text)]
        for begin, end in within(path, self.text):
            self.spans.setdefault(bisect_left(lines, begin) + 1, (begin, end))

    def test(self, line: int) -> tuple[Sequence[_Loop], str]:
        """The loops of the test that begins on a line, and its text."""
        if self.family == "python":
            return _python(self.functions.get(line)), ""
        span = self.spans.get(line)
        return (list(self._loops(span)), self.text[slice(*span)]) if span else ([], "")

    def _loops(self, span: tuple[int, int]) -> Iterator[_Loop]:
        code = self.source.code
        for match in islice(_LITERAL[self.family].finditer(code, *span) if self.family in _LITERAL else (), _MOST):
            opening = match.end() - 1
            end = self.closing[code[opening]].after(opening)[1]
            if end < opening + _WIDEST and self._asserts(end, span):
                yield _Loop(plain(code[match.start() : opening]), tuple(entries(self.source, opening)))
        for match in islice(_NAMED.finditer(code, *span), _MOST):
            given = re.compile(
                rf"\b{match['name']}\b[^=\n;(){{}}]{{0,80}}?:?=\s*[&\w.<>*!\[\] ]{{0,60}}?(?=[\[{{(][^\]])"
            )
            made = given.search(code, span[0], match.start()) if self._asserts(match.end() - 1, span) else None
            if made and self.closing[code[made.end()]].after(made.end())[1] < match.start():
                yield _Loop(plain(match[0]), tuple(entries(self.source, made.end())))
        for match in islice(_COUNTED.finditer(code, *span), _MOST):
            if self._asserts(match.end(), span):
                number = next(filter(None, (match["below"], match["high"], match["times"])))
                often = int(number.replace("_", "")) - int((match["low"] or "0").replace("_", ""))
                yield _Loop(re.sub(r"\d[\d_]*", "#", plain(match[0])), max(0, often))

    def _asserts(self, place: int, span: tuple[int, int]) -> bool:
        """Whether the body that follows a place asserts something."""
        begin, end = self.closing["{"].after(place)
        asserts = DIALECTS[self.family].asserts
        return begin < place + _FAR and asserts.search(self.source.code, begin, min(end, span[1])) is not None


def _nodes(text: str) -> Sequence[ast.AST]:
    try:
        return walk(parsed(text))
    except UNREADABLE:
        return ()


def _python(test: ast.AST | None) -> list[_Loop]:
    found = []
    for part in walk(test) if test else ():
        if isinstance(part, ast.For) and any(map(_asserting, walk(part))):
            found.append((part.target, part.iter))
        elif isinstance(part, ast.Assert):
            found += [(one.target, one.iter) for one in walk(part) if isinstance(one, ast.comprehension)]
    return [_Loop(unparsed(name), often) for name, over in found[:_MOST] if (often := _often(over)) is not None]


def _asserting(node: ast.AST) -> bool:
    return isinstance(node, ast.Assert) or (isinstance(node, ast.Call) and bool(_ASSERTS.match(leaf(node.func))))


def _often(over: ast.expr) -> int | None:
    """How many numbers a plain `range` has."""
    if not isinstance(over, ast.Call) or leaf(over.func) != "range" or over.keywords or not 1 <= len(over.args) <= 3:
        return None
    given = [one.value for one in over.args if isinstance(one, ast.Constant) and isinstance(one.value, int)]
    return len(range(*given)) if len(given) == len(over.args) and given[-1] and max(given) < 10**9 else None


def _each(text: str) -> Iterator[_Loop]:
    """Tables of blocks of tests in JavaScript, by their titles."""
    source = scan(text, "js")
    closing = brackets(source.code, "[]")
    for match in islice(_EACH.finditer(source.code), _MOST):
        _, end = closing.after(match.end())
        title = re.match(r"\s*,?\s*\)\s*\(\s*([\"'`][^\n]{0,200})", text[end : end + _FAR])
        yield _Loop(title[1] if title else "", tuple(entries(source, match.end())))
