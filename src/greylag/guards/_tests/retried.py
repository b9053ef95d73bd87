"""Assertions that a test tries again until they hold: one failure of several counts as success."""

import ast
import re
from collections.abc import Iterator, Sequence
from itertools import islice

from greylag.diffs import FileDiff
from greylag.guards._cases.dialects import DIALECTS
from greylag.guards._code.fresh import Mark, fresh
from greylag.guards._code.python_tree import UNREADABLE, Function, leaf, of, parsed, walk
from greylag.guards._code.source import brackets, language, scan
from greylag.guards._guard import finding
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change

_LOOP = re.compile(r"\b(?:for|while)\s*+(?=\()|\bdo\s*+(?=\{)")
_TRY = re.compile(r"\btry\s*+(?=\{)")
_CATCH = re.compile(r"\s*+catch\b\s*+(?:\((?P<what>[^()]{0,200})\)\s*+)?(?=\{)")
_FAILURE = re.compile(r"\b(?:AssertionError|AssertionFailedError|Throwable|Error)\b")
_ALWAYS = re.compile(r"\{\s*+(?:[^;{}]{0,200};\s*+){0,3}throw\b[^{}]{0,200}\}")
_WAITS = re.compile(r"sleep|delay|setTimeout|wait\w*\(|await\(|poll|deadline", re.IGNORECASE)
_WIDE = frozenset({"AssertionError", "Exception", "BaseException"})
_MOST = 300  # loops of one file
_WAITING = "waits"  # the key of a mark of what only waits for something


def retried(change: Change, files: Sequence[FileDiff]) -> Iterator[Diagnostic]:
    """New loops of tests around a `try` with assertions whose failure is dropped; a warning where they wait."""
    for file, mark in fresh(change, files, loops):
        waits = mark.key == _WAITING
        what = "waits until its assertions hold" if waits else "tries its assertions again until they hold"
        severity = Severity.WARNING if waits else Severity.ERROR
        message = f"{what}: a failure of them is none any more"
        yield finding(change, "tests", "tests/retried", message, file.path, line=mark.line, severity=severity)


def loops(path: str, text: str) -> Iterator[Mark]:
    """Such loops of a file."""
    family = language(path) or ""
    if family == "python" and "except" in text:
        yield from _python(text)
    elif family in {"js", "java"} and "catch" in text:
        yield from _braced(text, family)


def _mark(line: int, body: str) -> Mark:
    return Mark(_WAITING if _WAITS.search(body) else "tries", line, "tries again")


def _braced(text: str, family: str) -> Iterator[Mark]:
    code = scan(text, family).code
    round_, curly, over = brackets(code, "()"), brackets(code, "{}"), 0
    for loop in islice(_LOOP.finditer(code), _MOST):
        after = loop.end() if loop[0].startswith("do") else round_.after(loop.end())[1]
        begin, end = curly.after(after)
        if begin < over or code[after:begin].strip():
            continue
        over = end
        for match in islice(_TRY.finditer(code, begin, end), _MOST):
            first, last = curly.after(match.end())
            caught = _CATCH.match(code, last)
            if not caught or not DIALECTS[family].asserts.search(code, first, last):
                continue
            wide = family == "js" or _FAILURE.search(caught["what"] or "")
            if wide and not _ALWAYS.fullmatch(code, *curly.after(caught.end())):
                yield _mark(code.count("\n", 0, loop.start()) + 1, code[begin:end])
                break


def _python(text: str) -> Iterator[Mark]:
    try:
        module = parsed(text)
    except UNREADABLE:
        return
    lines = text.split("\n")
    for function in of(module, ast.FunctionDef, ast.AsyncFunctionDef):
        if not isinstance(function, Function):
            continue
        given = {one.arg for one in function.args.args}
        inner = [one for one in function.body if isinstance(one, Function)]
        for place in (function, *inner):
            yield from (
                _mark(loop.lineno, "\n".join(lines[loop.lineno - 1 : loop.end_lineno]))
                for loop in place.body
                if isinstance(loop, ast.For | ast.While) and _tries(loop, given if place is not function else set())
            )


def _tries(loop: ast.For | ast.While, given: set[str]) -> bool:
    """Whether it has a `try` with an assertion, or that calls what a decorator was given, and drops failures."""
    for node in [one for one in loop.body if isinstance(one, ast.Try)]:
        inner = [part for one in node.body for part in walk(one)]
        asserts = any(
            isinstance(part, ast.Assert)
            or (isinstance(part, ast.Call) and leaf(part.func).startswith("assert"))
            or (isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id in given)
            for part in inner
        )
        if asserts and any(_is_wide(one) and not isinstance(one.body[-1], ast.Raise) for one in node.handlers):
            return True
    return False


def _is_wide(handler: ast.ExceptHandler) -> bool:
    parts = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(part is None or (isinstance(part, ast.Name) and part.id in _WIDE) for part in parts)
