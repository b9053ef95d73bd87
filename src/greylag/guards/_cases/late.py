"""Assertions in a callback that runs later (a timer, an event, a coroutine) while the test does not wait for it."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice

from greylag.guards._cases.deferred import nesting_of

_TIMERS = re.compile(
    r"(?<![\w$])(?:setTimeout|setInterval|setImmediate|queueMicrotask|requestAnimationFrame|requestIdleCallback|nextTick)\s*+(?=\()"
)
_EVENTS = re.compile(r"\.\s*+(?:on|once|addEventListener|addListener|addOnceListener|subscribe)\s*+(?=\()")
_COROUTINES = re.compile(
    r"\b(?:GlobalScope|\w*[sS]cope(?:\([^()]{0,100}\))?)\s*+\.\s*+(?:launch|async)\s*+(?:\([^()]{0,100}\)\s*+)?(?=\{)"
    r"|(?<![\w.])thread\s*+(?:\([^()]{0,100}\)\s*+)?(?=\{)"
)
_SETTLES = re.compile(
    r"(?<![\w$])(?:done|resolve\w*|reject\w*|next|cb|callback|end|finish\w*|complete\w*|countDown|release|notify\w*|signal)\s*+[(;,)}]"
)
_OVER = re.compile(r"(?<![\w$.])done\s*+\(\s*+\)")
_COUNTED = re.compile(r"\b(?:assertions|hasAssertions|plan)\s*+\(")
_CLOCK = re.compile(
    r"[fF]akeTimers|\b(?:advance|run)\w*Timers?\w*|\bclock\s*+\.|\.\s*+timers\b|\btick\w*\s*+\(|\bfakeAsync\b"
)
_WAITS = re.compile(
    r"\bawait\b|\breturn\s++\w|\bjoin(?:All)?\s*+\(|\bawaitAll\b|\badvanceUntilIdle\b|\brunCurrent\b|\bdelay\s*+\(|\bsleep\s*+\("
    r"|\bemit\w*\s*+\(|\bdispatchEvent\b|\btrigger\w*\s*+\(|\bfire\w*\s*+\(|\bclick\s*+\(|\bnext\s*+\("
)
_FUNCTION = re.compile(r"=>\s*+|\bfunction\b\s*+\*?\s*+\w*+\s*+\([^()]{0,300}\)\s*+")
_MOST = 200  # callbacks of one test


def late(code: str, span: tuple[int, int], starts: Sequence[int]) -> Iterator[int]:
    """Which of the assertions at `starts` are in such a callback."""
    if not starts or _COUNTED.search(code, *span) or _CLOCK.search(code, *span):
        return
    nesting = nesting_of(code)
    over = _OVER.search(code, *span)
    around = nesting.around(over.start()) if over else None
    for pattern in (_TIMERS, _EVENTS, _COROUTINES):
        for match in islice(pattern.finditer(code, *span), _MOST):
            end = nesting.end(match.end())
            inside = range(bisect_left(starts, match.end()), bisect_left(starts, end))
            before = over is not None and around is not None and over.start() < match.start() < around[1]
            if not inside or (not before and _SETTLES.search(code, match.end(), end)):
                continue
            if before or not _WAITS.search(code, end, span[1]):
                yield from inside


def unsettled(code: str, span: tuple[int, int], starts: Sequence[int]) -> int:
    """How many assertions of a test of JavaScript are in a callback that tells nobody that it has run."""
    if not starts or _COUNTED.search(code, *span):
        return 0
    nesting, found = nesting_of(code), set[int]()
    functions = islice(_FUNCTION.finditer(code, *span), 1, _MOST)  # the first one is the test itself
    for match in functions:
        around = nesting.around(match.end())
        end = nesting.end(match.end()) if code.startswith("{", match.end()) else around[1] if around else span[1]
        inside = range(bisect_left(starts, match.end()), bisect_left(starts, end))
        if inside and not _SETTLES.search(code, match.end(), end):
            found.update(inside)
    return len(found)
