"""Assertions of Go and Rust whose failure nobody hears of: kept panics, threads, a `T` that the test has made."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice

from greylag.guards._cases.deferred import nesting_of
from greylag.guards._code.bodies import expression
from greylag.guards._code.source import brackets

_KEEPS = re.compile(r"\b(?:catch_unwind|(?:thread|task|tokio)::spawn|thread::Builder\b[^;]{0,200}\.\s*spawn)\s*+\(")
_ASKED = re.compile(
    r"\bresume_unwind\b|\bjoin_(?:all|next)\b"
    r"|\.\s*+(?:join\s*+\(\s*+\)|await\b)\s*+(?:\?|\.\s*+(?:unwrap|expect|map_err|unwrap_or_else)\b)"
)
_KEPT = re.compile(r"\s*+(?:\?|\.\s*+(?:unwrap|expect|map_err|unwrap_or_else)\b)")
_OWN = re.compile(r"\b(\w++)\s++(?:\*testing\.[TBF]|testing\.TB)\b")
_MADE = re.compile(r"\b(\w++)\s*+:?=\s*+(?:(&testing\.[TBF]\{|new\(testing\.[TBF]\))|&?\s*+[\w.]++\{([^{}]{0,200})\})")
_CLOSURE = re.compile(r"\blet\s++(?:mut\s++)?(\w++)\s*+=\s*+(?:move\s*+)?\|[^|{}]{0,200}\|")
_MOST, _LONGEST = 50, 5000  # closures of one test, and characters of one
_STARTED = re.compile(
    r"\bgo\s++func\s*+\([^(){}]{0,200}\)\s*+\{|\btime\.AfterFunc\([^{}]{0,200}?\bfunc\s*+\(\s*+\)\s*+\{"
)
_WAITED = re.compile(
    r"<-|\.\s*+(?:Wait|Sleep|After(?!Func)|Done|Lock|Load|Gosched)\w*+\s*+\(|\b(?:select|range)\b|\bsynctest\."
)
_THREAD = re.compile(r"\bthread\b\s*+(\w++)?\s*+[({]")
_DETACHED = re.compile(r"\s*+\.\s*+detach\s*+\(")
_TOLD = re.compile(r"(?:(?:assert|require)\.\w++\(\s*+)?(\w++)")


def lost(code: str, family: str, span: tuple[int, int], starts: Sequence[int]) -> Iterator[range]:
    """Ranges of the assertions at `starts` that fail in silence."""
    if family == "rust":
        kept = list(_KEEPS.finditer(code, *span))
        asked = max((match.start() for match in _ASKED.finditer(code, *span)), default=0) if kept else 0
        for match in kept:
            begin, end = brackets(code, "()").after(match.end() - 1) if asked <= match.end() else (0, 0)
            if begin and not _KEPT.match(code, end):
                yield range(bisect_left(starts, begin), bisect_left(starts, end))
        yield from _uncalled(code, span, starts)
    elif family == "c":
        yield from _detached(code, span, starts)
    elif family == "go":
        yield from _of_made(code, span, starts)
        yield from _alone(code, span, starts)


def _detached(code: str, span: tuple[int, int], starts: Sequence[int]) -> Iterator[range]:
    """Threads of C++ that a test lets go."""
    for match in islice(_THREAD.finditer(code, *span), _MOST):
        end = nesting_of(code).end(match.end() - 1)
        named = re.compile(rf"\b{match[1]}\s*\.\s*detach\s*\(") if match[1] else _DETACHED
        if named.search(code, end, span[1]) if match[1] else named.match(code, end):
            yield range(bisect_left(starts, match.end()), bisect_left(starts, end))


def _uncalled(code: str, span: tuple[int, int], starts: Sequence[int]) -> Iterator[range]:
    """Closures of Rust that have a name which nothing uses."""
    for match in islice(_CLOSURE.finditer(code, *span), _MOST):
        end = match.end() + expression(code[match.end() : match.end() + _LONGEST], 0)
        if not re.compile(rf"\b{match[1]}\b").search(code, end, span[1]):
            yield range(bisect_left(starts, match.end()), bisect_left(starts, end))


def _alone(code: str, span: tuple[int, int], starts: Sequence[int]) -> Iterator[range]:
    """Goroutines and timers that a test does not wait for."""
    started = list(_STARTED.finditer(code, *span))
    if started and not _WAITED.search(code, *span):
        curly = brackets(code, "{}")
        for match in started:
            begin, end = curly.after(match.end() - 1)
            yield range(bisect_left(starts, begin), bisect_left(starts, end))


def _of_made(code: str, span: tuple[int, int], starts: Sequence[int]) -> Iterator[range]:
    own = {match[1] for match in _OWN.finditer(code, *span)}
    made: dict[str, int] = {}
    for match in _MADE.finditer(code, *span):
        if match[2] or own.intersection(re.findall(r"\w+", match[3])):
            made.setdefault(match[1], match.start())
    for number, start in enumerate(starts) if made else ():
        told = _TOLD.match(code, start)
        if told and made.get(told[1], start) < start:
            yield range(number, number + 1)
