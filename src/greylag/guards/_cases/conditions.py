"""Assertions that may not run, because a condition or a loop is around them."""

import ast
import re
from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable, Sequence
from functools import lru_cache
from typing import TypeGuard

from greylag.guards._cases.callbacks import unheard
from greylag.guards._cases.deferred import deferred, nesting_of
from greylag.guards._cases.early import returned
from greylag.guards._cases.late import late
from greylag.guards._cases.leaving import left_out, strength
from greylag.guards._cases.python_deferred import uncalled
from greylag.guards._code.python_tree import leaf, walk
from greylag.guards._code.source import Brackets, Source, brackets

# -- Python ----------------------------------------------------------------------------------------------------------


def doubtful(node: ast.AST, tables: Container[str]) -> set[ast.AST]:
    """All that may not run of a function. A loop over a literal with entries, or over one of `tables`, runs."""
    literal = {
        target.id
        for part in walk(node) if isinstance(part, ast.Assign) and _is_filled(part.value, ())
        for target in part.targets if isinstance(target, ast.Name)
    }  # fmt: skip
    found = {below for top in _after_end(node) for below in walk(top)}
    later, even = left_out(node)
    balanced = set(even)
    found |= {below for top in later for below in walk(top)}
    never: set[ast.AST] = set()  # a call in a loop counts as one, unless it is plain that the loop does not run
    for part in walk(node):
        if part not in found and part not in balanced:  # else all below it is in there
            tops = list(_maybe(part, literal, tables))
            found.update(below for top in tops for below in walk(top))
            never.update(tops if not isinstance(part, ast.For | ast.AsyncFor) or _is_empty(part.iter) else ())
    found.update(below for top in uncalled(node, never) for below in walk(top) if below not in found)
    return found


def _after_end(node: ast.AST) -> Iterable[ast.stmt]:
    """Statements behind one that leaves their block."""
    for part in walk(node):
        for body in (getattr(part, name, None) for name in ("body", "orelse", "finalbody")):
            if isinstance(body, list):
                ends = (
                    number
                    for number, one in enumerate(body)
                    if isinstance(one, ast.Return | ast.Raise | ast.Continue | ast.Break)
                )
                yield from body[next(ends, len(body)) + 1 :]


def _is_empty(node: ast.expr) -> bool:
    """Whether a loop over it plainly never runs: an empty literal, or `range(0)`."""
    if isinstance(node, ast.Call):
        plain = all(isinstance(part, ast.Constant) for part in node.args)
        return plain and leaf(node.func) in {"range", "dict", "list", "tuple", "set"} and not _is_filled(node, ())
    return isinstance(node, ast.Constant | ast.Tuple | ast.List | ast.Dict | ast.Set) and not _is_filled(node, ())


def _maybe(node: ast.AST, literal: Container[str], tables: Container[str]) -> Iterable[ast.AST]:
    if isinstance(node, ast.If):
        if isinstance(node.test, ast.Constant):
            return node.orelse if node.test.value else node.body
        return () if strength(node.body) == strength(node.orelse) > 0 else (*node.body, *node.orelse)
    if isinstance(node, ast.While):
        return () if isinstance(node.test, ast.Constant) and node.test.value else node.body
    if isinstance(node, ast.For | ast.AsyncFor):
        named = isinstance(node.iter, ast.Name) and (node.iter.id in literal or node.iter.id in tables)
        return () if named or _is_filled(node.iter, tables) else node.body
    if isinstance(node, ast.ExceptHandler | ast.match_case) or _is_forgiven(node):
        return node.body
    return node.values[1:] if isinstance(node, ast.BoolOp) else ()


def _is_forgiven(node: ast.AST) -> TypeGuard[ast.Try]:
    return isinstance(node, ast.Try) and any(map(_forgives, node.handlers))


def _forgives(handler: ast.ExceptHandler) -> bool:
    """Whether a failed assertion is caught here, and something else is done about it than to fail."""
    caught = {leaf(part) for part in walk(handler.type)} if handler.type else {"AssertionError"}
    if caught.isdisjoint({"AssertionError", "failureException"}):
        return False
    parts = [part for line in handler.body for part in walk(line)]
    fails = (isinstance(part, ast.Raise) or re.match("fail|raises|exit", leaf(part)) for part in parts)
    return not any(fails) and not any(isinstance(part, ast.Name) and part.id == handler.name for part in parts)


def _is_filled(node: ast.expr, tables: Container[str]) -> bool:
    """Whether a loop over it surely runs."""
    if isinstance(node, ast.Call):
        return _is_filled_by(leaf(node.func), node, tables)
    if isinstance(node, ast.Name):
        return node.id in tables
    if isinstance(node, ast.Constant):
        return bool(node.value)
    return bool(getattr(node, "elts", ()) or getattr(node, "keys", ()))


def _is_filled_by(name: str, call: ast.Call, tables: Container[str]) -> bool:
    if name == "range":
        values = [part.value for part in call.args if isinstance(part, ast.Constant) and isinstance(part.value, int)]
        return len(values) == len(call.args) in {1, 2} and bool(range(*values))
    if name in {"items", "values", "keys"} and isinstance(call.func, ast.Attribute):
        return _is_filled(call.func.value, tables)
    return name in {"enumerate", "zip", "sorted", "product"} and all(_is_filled(part, tables) for part in call.args)


# -- JavaScript, Java ------------------------------------------------------------------------------------------------

_HEAD = re.compile(r"(?<![\w.$])(if|while|for|switch)\s*+(?:await\s*+)?\(")
_CATCHES = re.compile(r"\}\s*+catch\s*+(?:\([^()]{0,300}\)\s*+)?\{")
_ELSE = re.compile(r"\s*+else\b\s*+")
_FILLED = re.compile(
    r"(?:new\s++[\w<>]{1,50}\s*+(?:\[\s*\]\s*|(?!\[\s*0?\s*\]|\(\s*(?:\d*\s*\)|\[\s*\])))|(?:List|Set|Arrays|Stream)\.\w{1,20}|listOf|setOf)?\s*+[\[({]\s*+[^\s\])}]"
)
_LITERAL = re.compile(r"\b(\w++)\s*+(?::[^=\n]{0,100})?=(?!=)\s*+(?=([^\n]{0,100}))")
_COUNTED = re.compile(r"[;=]\s*+\w++\s*+<=?\s*+[1-9]|\b0?\s*+\.\.\s*+[1-9]")
_MOST = 50  # conditions around calls that are looked at
_OVER = re.compile(r"(?:\bof\b|\bin\b|:)\s*+(?=([^\n]{0,100}))")


def unsure(source: Source, span: tuple[int, int], starts: Sequence[int]) -> set[int]:
    """Which of the assertions that begin at `starts` may not run, by their numbers."""
    if not starts:
        return set()
    code, round_, curly = source.code, _pairs(source.code, "()"), _pairs(source.code, "{}")
    marked: set[int] = set()
    around: list[tuple[int, int]] = []
    over = -1
    for match in _HEAD.finditer(code, *span):
        begin, end = round_.after(match.end() - 1)
        if match.start() < over or _surely(source, match[1], code[begin : min(end, begin + 300)]):
            continue
        first = _body(code, curly, end)
        if match[1] == "switch" and _each_case(code[slice(*first)]):
            continue
        spans = [first]
        if other := _ELSE.match(code, first[1]):
            spans.append(_body(code, curly, other.end()))
        inside = [range(bisect_left(starts, low), bisect_right(starts, high)) for low, high in spans]
        if len(inside) < 2 or not all(inside):
            marked.update(number for some in inside for number in some)
            around.append(first)
            over = first[1]
    marked.update(
        n for n, start in enumerate(starts) if re.search(r"(?:&&|\|\||\?)\s{0,9}$", code[max(0, start - 12) : start])
    )
    for match in _CATCHES.finditer(code, *span):
        tried, caught = nesting_of(code).around(match.start()), curly.after(match.end() - 1)
        if tried and not _between(starts, tried):
            marked.update(_between(starts, caught))
    marked.update(returned(code, span, starts))
    marked.update(unheard(code, span, starts, _named(code)))
    marked.update(late(code, span, starts))
    marked.update(deferred(source, span, starts, around[:_MOST]))
    marked.update(number for number, start in enumerate(starts) if _dropped(code, round_, start))
    return marked


def _between(starts: Sequence[int], span: tuple[int, int]) -> range:
    return range(bisect_left(starts, span[0]), bisect_left(starts, span[1]))


def _each_case(body: str) -> bool:
    """Whether a `switch` fails where none of its cases is met."""
    last = re.search(r"\b(?:default|else)\b", body)
    return (
        last is not None
        and re.search(r"\b(?:throw|fail|assert\w*|expect|unreachable)\b", body[last.end() :]) is not None
    )


_PROMISES = re.compile(
    r"(?:assert|t)(?:\.strict)?\.(?:rejects|doesNotReject|resolves|throwsAsync|notThrowsAsync|resolveMatch)\s*\("
)


def _dropped(code: str, round_: Brackets, start: int) -> bool:
    """Whether a promise of `expect`, or of an assertion about one, is neither awaited nor handed on."""
    if not code.startswith("expect", start) and not _PROMISES.match(code, start):
        return False
    after = round_.after(start)[1]
    promise = _PROMISES.match(code, start) or re.match(r"\s*+\.\s*+(?:rejects|resolves)\b", code[after : after + 100])
    before = code[max(0, start - 100) : start].rstrip()
    return promise is not None and (not before or before[-1] in ";{}" or re.search(r"\bvoid$", before) is not None)


def _surely(source: Source, word: str, head: str) -> bool:
    if word != "for":
        return re.fullmatch(r"\(\s*true\s*\)", head) is not None
    if _COUNTED.search(head):
        return True
    over = _OVER.search(head)
    name = re.match(r"\w+", over[1]) if over else None
    filled = _FILLED.match(over[1]) if over else None
    return bool(filled) or bool(name and name[0] in _named(source.code))


def _body(code: str, curly: Brackets, begin: int) -> tuple[int, int]:
    while begin < len(code) and code[begin].isspace():
        begin += 1
    if code.startswith("{", begin):
        return curly.after(begin)
    ends = [place for mark in ";}" if (place := code.find(mark, begin, begin + 500)) >= 0]
    return begin, min(ends, default=min(begin + 500, len(code)))


@lru_cache(maxsize=4)
def _pairs(code: str, pair: str) -> Brackets:
    return brackets(code, pair)


@lru_cache(maxsize=4)
def _named(code: str) -> frozenset[str]:
    return frozenset(match[1] for match in _LITERAL.finditer(code) if _FILLED.match(match[2]))
