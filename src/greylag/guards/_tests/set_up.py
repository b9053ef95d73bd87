"""Set-up of tests in Go and JavaScript that puts its own function in the place of one of the sources, for all tests."""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from posixpath import basename, dirname

from greylag.diffs import FileDiff
from greylag.guards._cases.cases import cases, within
from greylag.guards._code.bindings import HERE, bindings
from greylag.guards._code.fresh import Mark, fresh
from greylag.guards._code.source import LARGEST, brackets, language, scan
from greylag.guards._guard import finding, read
from greylag.guards._tests.origins import Sources, is_source
from greylag.kinds import TESTS, matches
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change, Tree

_BEFORE = re.compile(r"^func[ \t]++(?:init[ \t]*+\(\)|TestMain[ \t]*+\([^()\n]{1,80}\))\s*+(?=\{)", re.MULTILINE)
_PUT = re.compile(
    r"(?:^|[{;])[ \t]*+(?:(?P<who>\w++)\.)?(?P<name>\w++)[ \t]*+=(?!=)[ \t]*+(?P<value>func\b|\w)", re.MULTILINE
)
_VAR = r"^(?:var[ \t]+|\t){}\b[^=\n]{{0,200}}(?:=[ \t]*(?P<value>[^\n]{{1,300}}))?$"
_OUTSIDE = re.compile(
    r"\b(?:os|net|http|time|exec|rand|io|ioutil|sql|syscall|runtime|log|user|filepath|plugin|signal|tls)\.\w"
)
_SET = re.compile(
    r"(?<![\w.$])(?P<who>[\w$]{1,100})\.(?P<name>[\w$]{1,100})\s*+=(?![=>])\s*+(?:async\s*+)?"
    r"(?:\([^(){};]{0,200}\)\s*+=>|\w{1,50}\s*+=>|function\b|(?:jest|vi|sinon|mock)\.\w+\()"
)
_FILES, _NEAR, _MOST = 200, 3000, 100  # sources of a package that are read, characters of a function, assignments


def set_up(change: Change, files: Sequence[FileDiff]) -> Iterator[Diagnostic]:
    """What is put in the place of a source while tests are loaded, or before each of them."""
    concerned = [file for file in files if language(file.path) in {"go", "js"} and file.status != "deleted"]
    sources = Sources(change.head) if any(language(file.path) == "js" for file in concerned) else None
    for file, mark in fresh(change, concerned, partial(_marks, change, sources)):
        sure = not mark.words.startswith("?")
        message = f"puts a function of the tests in the place of `{mark.words.lstrip('?')}`, before all tests"
        shown = Severity.ERROR if sure else Severity.WARNING
        yield finding(change, "tests", "tests/not-the-source", message, file.path, line=mark.line, severity=shown)


def _marks(change: Change, sources: Sources | None, path: str, text: str) -> Iterator[Mark]:
    if language(path) == "go":
        yield from _go(change.head, path, text)
    elif sources is not None:
        yield from _js(change, sources, path, text)


def _go(tree: Tree, path: str, text: str) -> Iterator[Mark]:
    if not path.endswith("_test.go"):
        return
    code = scan(text, "go").code
    curly = brackets(code, "{}")
    for start in _BEFORE.finditer(code):
        begin, end = curly.after(start.end())
        for match in islice(_PUT.finditer(code, begin, end), _MOST):
            if (own := _own(tree, path, match["who"] or "", match["name"])) is not None:
                words = f"{match['who']}.{match['name']}" if match["who"] else match["name"]
                yield Mark(words, code.count("\n", 0, match.start("name")) + 1, words if own else f"?{words}")


def _own(tree: Tree, path: str, who: str, name: str) -> bool | None:
    """Whether a variable of the package holds the package's own code; None where it holds no function of it."""
    pattern = re.compile(_VAR.format(re.escape(name)), re.MULTILINE)
    for one in islice(_package(tree, path, who), _FILES):
        code = scan((read(tree, one) or "")[:LARGEST], "go").code
        if match := pattern.search(code):
            value, kind = match["value"] or "", match[0]
            if value.startswith("func"):
                begin, end = brackets(code, "{}").after(match.start("value"))
                return not _OUTSIDE.search(code, begin, min(end, begin + _NEAR))
            called = re.fullmatch(r"(\w+)\s*", value)
            if called and re.search(rf"^func[ \t]+{called[1]}\b", code, re.MULTILINE):
                return True
            return False if re.search(r"\bfunc\b|\w\.\w+\s*$", kind) else None
    return None


def _package(tree: Tree, path: str, who: str) -> Iterator[str]:
    for one in tree.paths():
        home = dirname(one)
        near = home == dirname(path) if not who else basename(home) == who or home == dirname(path)
        if near and one.endswith(".go") and not one.endswith("_test.go"):
            yield one


def _js(change: Change, sources: Sources, path: str, text: str) -> Iterator[Mark]:
    if not matches(path, TESTS) or not _SET.search(text):
        return
    code = scan(text, "js").code
    known = {
        bound.name: place
        for bound in bindings("js", text)
        if bound.module != HERE and is_source(place := sources.find(path, bound.module, bound.symbol)) and place
    }
    spans = list(within(path, text)) if known else []
    claims = " ".join(claim for case in cases(path, text) for claim in case.proof.claims) if known else ""
    for match in islice(_SET.finditer(code), _MOST):
        who, name = match["who"], match["name"]
        if who in known and not any(begin <= match.start() < end for begin, end in spans):
            new = not re.search(rf"\b{re.escape(who)}\b", read(change.base, known[who]) or "")
            sure = new or f"{who}.{name}(" in claims
            words = f"{who}.{name}"
            yield Mark(words, code.count("\n", 0, match.start()) + 1, words if sure else f"?{words}")
