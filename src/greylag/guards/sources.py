"""Sources that act otherwise while they are tested, have answers of tests in them, or hide failures that they told."""

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial

from greylag.diffs import FileDiff, parse
from greylag.guards._answers import answers
from greylag.guards._case import LARGEST, plain
from greylag.guards._dropped import dropped
from greylag.guards._fresh import Mark, fresh
from greylag.guards._guard import Guard, finding, read
from greylag.guards._source import brackets, language, scan
from greylag.guards._under_test import asks
from greylag.kinds import classify
from greylag.model import Diagnostic
from greylag.protocols import Change

_OPTIONS = frozenset({"python", "js", "go", "rust", "java"})
_UNCHECKED = re.compile(
    r"\bverify\s{0,9}=\s{0,9}False\b|\brejectUnauthorized\s{0,9}:\s{0,9}false\b|\bInsecureSkipVerify\s{0,9}[:=]\s{0,9}true\b"
    r"|\bdanger_accept_invalid_(?:certs|hostnames)\s{0,9}\(\s{0,9}true\b|\bignoreReturnCode\s{0,9}:\s{0,9}true\b"
    r"|\bNODE_TLS_REJECT_UNAUTHORIZED\b|\b_create_unverified_context\b|\b(?:get|unwrap|unreachable)_unchecked(?:_mut)?\s{0,9}\(|\bfrom_utf8_unchecked(?:_mut)?\s{0,9}\("
)
_BROAD = {"Exception", "BaseException"}
_NOTHING = (
    r"(?:null|undefined|false|true|-?\d+|\"\s*\"|'\s*'|\[\s*\]|\{\s*\}|Optional\.empty\(\)|Collections\.empty\w+\(\)"
    r"|(?:List|Map|Set)\.of\(\))"
)
_EMPTY = re.compile(
    rf"\}}\s*+catch\b\s*+(?:\(([^()]{{0,200}})\)\s*+)?\{{\s*+(?:return\b\s*+{_NOTHING}?\s*+;?\s*+)?\}}", re.DOTALL,
)  # of the code, where comments are blank  # fmt: skip
_WIDE = re.compile(r"\b(?:Exception|Throwable|Error|RuntimeException|IOException|SQLException)\b")
_LOST = re.compile(r"\.\s*+catch\s*+\(\s*+(?:\(\s*+\w*+\s*+\)|\w++)\s*+=>\s*+(?:\{\s*+\}|undefined|null)\s*+\)")
_UNUSED: Mapping[str, re.Pattern[str]] = {
    "go": re.compile(r"^[ \t]*+_(?:[ \t]*+,[ \t]*+_){0,9}[ \t]*+=[ \t]*+(?=[\w.]++\()([^\n]++)$", re.MULTILINE),
    "rust": re.compile(r"\blet\s++_\s*+=\s*+([^;]{1,500});"),
}
_ENDED = re.compile(r"(?:[{;\n]|\b_\s*+=)\s*+recover\s*+\(\s*+\)")
_PROGRAM = re.compile(r"\bmain\s*\(")
_LEAVES = re.compile(r"\b(?:_?exit|_Exit|quick_exit)\s*\(\s*(?:0|EXIT_SUCCESS)\s*\)")
_HELPS = re.compile(r"usage|help|version|print|fork|child", re.IGNORECASE)
_NEAR = 400  # characters before it
_TELLS = re.compile(r"\b(?:raise|throw)\b")
_SHORTEST = 6  # characters of a statement that is compared


def check(change: Change) -> Iterator[Diagnostic]:
    """New questions of a source whether a test runs, and statements whose failure is lost now."""
    files = [file for file in parse(change.diff) if classify(file.path) == "source" and not file.binary]
    known = [file for file in files if file.status in {"modified", "renamed"}]
    for concerned, marks, kind, rule, words in (
        (files, asks, "tests", "under-test", "asks `{}`: it acts otherwise while it is tested"),
        (files, unchecked, "suppressions", "unchecked", "adds `{}`, which takes a check away"),
        (files, left, "tests", "exit", "adds `{}`: whatever calls it ends as if all was well, tests with it"),
        (known, ended, "suppressions", "swallowed", "adds `{}`, which ends a panic without a word"),
    ):
        for file, mark in fresh(change, concerned, marks):
            message = words.format(mark.words)
            yield finding(change, kind, f"sources/{rule}", message, file.path, line=mark.line)
    for file in parse(change.diff):
        for line, what in dropped(file):
            message = f"drops a failure that it told: `{what}`"
            yield finding(change, "suppressions", "sources/swallowed", message, file.path, line=line.new)
    for file in files:
        if file.status != "deleted":
            yield from answers(change, file)
        if file.status in {"modified", "renamed"}:
            yield from _swallowed(change, file)


def unchecked(path: str, text: str) -> Iterator[Mark]:
    """Options of well-known libraries by which a failure, or who answers, is not looked at."""
    family = language(path) or ""
    if family in _OPTIONS and (found := list(_UNCHECKED.finditer(scan(text, family).code))):
        yield from (Mark(match[0], text.count("\n", 0, match.start()) + 1, match[0]) for match in found)


def left(path: str, text: str) -> Iterator[Mark]:
    """Places of C that end the process with success, outside of a program's own `main`, help and version."""
    if language(path) == "c" and "xit" in text and not _PROGRAM.search(code := scan(text, "c").code):
        for match in _LEAVES.finditer(code):
            if not _HELPS.search(text[max(0, match.start() - _NEAR) : match.start()]):
                yield Mark(match[0], text.count("\n", 0, match.start()) + 1, match[0])


def ended(path: str, text: str) -> Iterator[Mark]:
    """Panics of Go whose value is thrown away."""
    if language(path) == "go" and "recover" in text:
        for match in _ENDED.finditer(code := scan(text, "go").code):
            yield Mark("recover()", code.count("\n", 0, match.start()) + 1, "recover()")


def _swallowed(change: Change, file: FileDiff) -> Iterator[Diagnostic]:
    old, new = read(change.base, file.old_path) or "", read(change.head, file.path) or ""
    if max(len(old), len(new)) > LARGEST:
        return
    hidden = [len(list(_silent(file.path, text, anything=True))) for text in (old, new)]
    told = (
        [len(_TELLS.findall(scan(text, language(file.path) or "").code)) for text in (old, new)]
        if hidden[1]
        else [0, 0]
    )
    if hidden[1] > hidden[0] and told[1] < told[0]:
        message = f"raises in {told[0] - told[1]} places fewer, and drops what is raised without a word"
        yield finding(change, "suppressions", "sources/swallowed", message, file.path)
        return
    before, after = (Counter(dict.fromkeys(_lost(file.path, text), 1)) for text in (old, new))
    for statement in after - before:
        was, now = (plain(text).count(statement) for text in (old, new))
        if was and now - 1 < was and not _alone(language(file.path), old, statement):
            message = f"swallows what `{statement[:60]}` raised or returned before"
            yield finding(change, "suppressions", "sources/swallowed", message, file.path)


def _alone(family: str | None, text: str, statement: str) -> bool:
    """In Go and Rust: whether nobody looked at the result before, either, since it stood alone on its lines."""
    lines = [short for line in text.split("\n") if statement in (short := "".join(line.split()))]
    return family in _UNUSED and all(line == statement + (";" if family == "rust" else "") for line in lines)


def _lost(path: str, text: str) -> list[str]:
    """Statements whose failure is dropped without a word, without blanks."""
    family = language(path) or ""
    if family == "python":
        found = list(_python(text))
    elif family in {"js", "java"}:
        found = [statement for body in _caught(text, family) for statement in body.split(";")]
    elif family in _UNUSED:
        source = scan(text, family)
        found = [text[match.start(1) : match.end(1)] for match in _UNUSED[family].finditer(source.code)]
    else:
        found = []
    return [short for one in found if len(short := plain(one).removeprefix("await")) >= _SHORTEST and "(" in short]


def _silent(path: str, text: str, *, anything: bool = False) -> Iterator[str]:
    """What stands in each `try` that drops everything, or `anything`."""
    family = language(path) or ""
    if family == "python":
        yield from _python(text)
    elif family in {"js", "java"}:
        yield from _caught(text, family, anything=anything)


def _caught(text: str, family: str, *, anything: bool = False) -> Iterator[str]:
    """Bodies of `try` whose `catch` is empty and broad; in JavaScript what stands before an empty `.catch`."""
    code = scan(text, family).code
    pairs = brackets(code, "{}")
    opened = {end: begin for begin, end in pairs.closed.items()}
    for match in _EMPTY.finditer(code):
        begin = opened.get(match.start() + 1)
        if begin is not None and (anything or family == "js" or _WIDE.search(match[1] or "")):
            yield text[begin + 1 : match.start()]
    for match in _LOST.finditer(code) if family == "js" else ():
        begin = max(code.rfind(mark, 0, match.start()) for mark in ";{}\n")
        yield text[begin + 1 : match.start()]


def _python(text: str) -> Iterator[str]:
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in nodes:
        if isinstance(node, ast.Try):
            lost = any(map(_drops, node.handlers))
        elif isinstance(node, ast.With):
            lost = any(_suppresses(item.context_expr) for item in node.items)
        else:
            continue
        yield from (ast.get_source_segment(text, statement) or "" for statement in node.body if lost)


def _drops(handler: ast.ExceptHandler) -> bool:
    empty = all(
        isinstance(one, ast.Pass | ast.Continue) or (isinstance(one, ast.Expr | ast.Return) and _is_nothing(one.value))
        for one in handler.body
    )
    return empty and (handler.type is None or _is_broad(handler.type))


def _is_nothing(node: ast.expr | None) -> bool:
    """A constant, or an empty literal."""
    parts = [*ast.iter_child_nodes(node)] if node is not None else []
    literal = isinstance(node, ast.Dict | ast.List | ast.Tuple) and all(isinstance(one, ast.Load) for one in parts)
    return node is None or isinstance(node, ast.Constant) or literal


def _suppresses(call: ast.expr) -> bool:
    name = call.func if isinstance(call, ast.Call) else None
    leaf = name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "")
    return leaf == "suppress" and isinstance(call, ast.Call) and any(map(_is_broad, call.args))


def _is_broad(node: ast.expr) -> bool:
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return any(isinstance(part, ast.Name) and part.id in _BROAD for part in parts)


PLUGIN = partial(Guard, "sources", check)
