"""Assertions in callbacks that may not be called, or whose failure is dropped: `[].forEach`, `.then` that is left."""

import re
from bisect import bisect_left
from collections.abc import Container, Iterator, Sequence

from greylag.guards._cases.deferred import Nesting, nesting_of

_EACH = re.compile(r"(?:\?\.|\.)\s*+(?:forEach\w*|map|flatMap|filter|every|some|each\w*|ifPresent\w*)\s*+(?=\()")
_THEN = re.compile(r"(?:\?\.|\.)\s*+(?:then|finally)\s*+(?=\()")
_NEVER = re.compile(
    r"\bArray\s*+\.\s*+from\s*+(?=\(\s*+\{\s*+length\s*+:\s*+0\s*+\})|(?<![\w$])(?:_|lodash)\s*+\.\s*+times\s*+(?=\(\s*+0\s*+,)"
)  # calls what it is given for nothing
_EXECUTOR = re.compile(r"\bnew\s++Promise\s*+(?:<[^<>()]{0,100}>\s*+)?(?=\()")
_SETTLED = re.compile(r"\bPromise\s*+\.\s*+allSettled\s*+(?=\()")
_CATCH = re.compile(r"\s*+\.\s*+(catch|then|finally)\s*+(?=\()")
_SPEAKS = re.compile(r"\b(?:throw|reject|fail|done)\b|\b(?:assert|expect)\w*")
_COUNTS = re.compile(r"\b(?:assertions|hasAssertions|plan|done)\s*+\(")
_LEFT = re.compile(r"(?:[;{}]|\bvoid|\A)\s*\Z|[^\s=(,\[{:?&|>.+*/<-]\s*?\n\s*\Z")
_HELD = re.compile(r"\b(?:return|await|yield)\s*\Z")
_EMPTY = re.compile(
    r"(?:\[\s*\]|\{\s*\}|(?:\w+\.)*(?:empty\w*|ofNullable)\(|(?:\w+\.)*(?:of|asList|list)\(\s*\)|new\s+\w+(?:<[^<>]*>)?\(\s*0?\s*\)|Array\(\s*0)"
)
_WRAPS = re.compile(r"(?:\w+\.)*(?:entries|keys|values|stream|from|of|asList|range|rangeClosed|listOf|setOf)\(\s*")
_WORDS = re.compile(r"return|await|yield|void|typeof|in|of|case")
_MOST, _LINKS, _NEAR = 200, 12, 300


def unheard(code: str, span: tuple[int, int], starts: Sequence[int], filled: Container[str]) -> Iterator[int]:
    """Which of the assertions at `starts` that concerns; `filled` are names of literals that have entries."""
    nesting = nesting_of(code)
    counted = _COUNTS.search(code, *span) is not None
    for pattern in (_NEVER, _EACH, _THEN, _SETTLED, _EXECUTOR):
        for number, match in enumerate(pattern.finditer(code, *span)):
            end = nesting.end(match.end())
            inside = range(bisect_left(starts, match.end()), bisect_left(starts, end))
            if number == _MOST:
                return
            if not inside:
                continue
            begin = _chain(code, nesting, match.start()) if pattern in {_EACH, _THEN} else match.start()
            if pattern is _NEVER:
                lost = True
            elif pattern is _EACH:
                lost = not _is_filled(code[begin : match.start()], filled)
            else:
                lost = _dropped(code, nesting, begin, end, settled=pattern is _SETTLED) and not counted
            if lost:
                yield from inside


def _chain(code: str, nesting: Nesting, end: int) -> int:
    """Where an expression of names, calls and literals begins that ends at a place."""
    for _ in range(_LINKS):
        low = max(0, end - _NEAR)
        near = code[low:end].rstrip()
        if near.endswith((")", "]", "}")):
            around = nesting.around(low + len(near) - 1)
            if around is None or around[1] != low + len(near) - 1:
                break
            end = around[0]
        elif word := re.search(r"(?:(?<![\w$])new\s+)?[\w$]+(?:<[^<>]{0,50}>)?\Z|[?!]?\.\Z", near):
            if _WORDS.fullmatch(word[0]) and not near[: word.start()].endswith("."):
                break
            end = low + word.start()
        else:
            break
    return end


def _is_filled(receiver: str, filled: Container[str]) -> bool:
    """Whether what a callback is called for surely has entries."""
    text = receiver.strip()
    if wraps := _WRAPS.match(text):
        inner = text[wraps.end() :]
        name = re.match(r"[A-Za-z_$][\w$]*(?=\s*[),])", inner)
        return name[0] in filled if name else not _EMPTY.match(inner) and not inner.startswith(")")
    name = re.match(r"[\w$]+", text)
    if text.startswith(("[", "{")):
        return not _EMPTY.match(text)
    return bool(name) and name is not None and name[0] in filled


def _dropped(code: str, nesting: Nesting, begin: int, end: int, *, settled: bool) -> bool:
    """Whether nobody waits for a promise, or a handler behind it drops the failure."""
    near = code[max(0, begin - _NEAR) : begin]
    if settled:
        return _LEFT.search(_HELD.sub("", near)) is not None and "return" not in near[-10:]
    handled = False
    while link := _CATCH.match(code, end):
        after = nesting.end(link.end())
        handled = handled or (link[1] == "catch" and not _SPEAKS.search(code, link.end(), after))
        end = after
    return handled or (_LEFT.search(near) is not None and not _HELD.search(near))
