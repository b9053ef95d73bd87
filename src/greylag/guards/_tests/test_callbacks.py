"""Callbacks of tests in JavaScript that a runner calls and that check nothing then: generators, functions returned."""

import re
from collections.abc import Iterator
from itertools import islice

from greylag.guards._cases.deferred import Nesting, nesting_of
from greylag.guards._cases.dialects import DIALECTS
from greylag.guards._code.fresh import Mark
from greylag.guards._code.source import language, scan

_TEST = re.compile(r"(?<![\w.$])(?:it|test|specify|fit|Deno\.test)(?:\.(?:only|skip|concurrent|serial|fails))?\s*+\(")
_CALLBACK = re.compile(
    r"\b(?:async\s++)?function\b\s*+(?P<star>\*?)\s*+\w*+\s*+\(|(?:\basync\s*+)?(?:\w++|\))\s*+=>\s*+"
)
_FUNCTION = re.compile(
    r"(?:async\s*+)?(?:\w++|\([^()]{0,200}\))\s*+(?::[^=;{}()\n]{0,100})?=>|(?:async\s++)?function\b"
)
_RETURN = re.compile(r"\breturn\s++(?:(?P<name>[A-Za-z_$][\w$]*+)\s*+[;\n}]|(?=async\b|function\b|\(|\w++\s*+=>))")
_RUNS_GENERATORS = re.compile(r"@jest/globals|\bjest\.|\bco-mocha\b|from\s++['\"]co['\"]|\bava\b|\btape?\b")
_NEAR, _MOST = 400, 2000  # characters of a title and what is around it, and tests of one file


def vain_callbacks(path: str, text: str) -> Iterator[Mark]:
    """Each of them, under the title of its test."""
    if language(path) != "js":
        return
    source = scan(text, "js")
    code, nesting = source.code, nesting_of(source.code)
    over = 0
    for match in islice(_TEST.finditer(code), _MOST):
        if match.start() < over:
            continue
        end = over = nesting.end(match.end() - 1)
        comma = code.find(",", match.end(), min(end, match.end() + _NEAR))
        callback = _CALLBACK.search(code, comma, min(end, comma + _NEAR)) if comma >= 0 else None
        if callback is None:
            continue
        title = " ".join(text[match.end() : comma].split())[:100]
        line = code.count("\n", 0, callback.start()) + 1
        if callback["star"]:
            if not _RUNS_GENERATORS.search(text):
                yield Mark(f"generator {title}", line, f"function* of {title}")
        elif fault := _returned(code, nesting, callback, end):
            yield Mark(f"returned {title}", line, f"{fault} of {title}")


def _returned(code: str, nesting: Nesting, callback: re.Match[str], end: int) -> str:
    """What a callback returns, if that is a function that asserts."""
    asserts = DIALECTS["js"].asserts
    arrow = callback[0].rstrip().endswith("=>")
    begin = callback.end() if arrow else nesting.end(callback.end() - 1)
    if arrow and not code.startswith("{", begin):
        inner = _FUNCTION.match(code, begin)
        return "a returned function" if inner and asserts.search(code, inner.end(), end) else ""
    begin = code.find("{", begin, begin + _NEAR)
    around = nesting.around(begin + 1) if begin >= 0 else None
    if around is None:
        return ""
    for match in islice(_RETURN.finditer(code, begin, around[1]), 20):
        if nesting.around(match.start()) != around:
            continue
        if match["name"]:
            word = re.escape(match["name"])
            made = re.compile(rf"\b(?:(?:const|let|var)\s+{word}\s*=\s*(?={_FUNCTION.pattern})|function\s+{word}\b)")
            found = made.search(code, begin, around[1])
            used = len(re.findall(rf"\b{word}\b", code[begin : around[1]]))
            if found and used == 2 and asserts.search(code, found.end(), match.start()):  # where it is made, and here
                return f"`return {match['name']}`"
        elif _FUNCTION.match(code, match.end()) and asserts.search(code, match.end(), around[1]):
            return "a returned function"
    return ""
