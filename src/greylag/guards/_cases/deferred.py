"""Assertions within a function that a test only defines, or whose failure nobody waits for: JavaScript, Java."""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from greylag.guards._code.source import Source

_ARROW = re.compile(r"(?:=>|->)\s*+")
_NAMED = re.compile(r"\bfunction\b\s*+\*?\s*+(?=\()|(?:\bfunction\b\s*+\*?\s*+)?\b(\w++)\s*+(?=\()")
_BRACES = re.compile(r"(?<=[^=!<>]=)\s*+(?=\{)")  # Kotlin, Groovy: `val check = { ... }`
_BEFORE_BODY = re.compile(r"\s*+(?:throws\b[\s\w,.]{0,200}|:[^=;{}()\n]{0,100})?(?==?\s*+\{)=?\s*+")
_BEFORE_VALUE = re.compile(r"\s*+(?::[^=;{}()\n]{0,100})?=\s*+")  # Kotlin, Scala: `fun check() = ...`
_WORDS = """
if for foreach while switch catch synchronized new return when using lock with match guard repeat else do try fixed
await yield typeof throw case void super this delete in of instanceof
"""
_NO_NAMES = frozenset(_WORDS.split())
_TYPED = re.compile(r"\)\s*+:[^=(){};]{0,100}\Z")
_BEFORE_PARAMETERS = re.compile(r"(?:\b(\w+)|[>\]])\s+(\w+)\s*\Z")  # C#: `void Check() => ...`
_AHEAD = re.compile(r"(?:\basync\b\s*|<[^<>()]{0,50}>\s*)+\Z")
_TARGET = re.compile(r"(?<![\w.$])(\w+)\s*(?::(?:[^=;\n]|=>){0,100})?(?<![!<>])=(?![=>])\s*[^=;\n(){}\[\],]{0,60}\Z")
_ATTRIBUTE = re.compile(r"(?<!const)(?<!let)(?<!var)[\s{]\w+=\Z")  # of JSX: `onClick={`
_DISCARDED = re.compile(r"(?:=>\s*\{|[;}!~+-]|\bvoid|\btypeof|\A)\s*\Z")
_RESULT_LEFT = re.compile(r"(?:[;{}!]|\bvoid)\s*\Z")
_STATEMENT = re.compile(r"[^\s=(,\[{:?&|>.+*/<-]\s*?\n\s*\Z")
_LIVE_BEFORE = re.compile(r"(?:[\w>\])]\s*\(|[,\[:?]|&&|\|\||=>|->|\breturn|\bawait|\byield|::|\.\.\.)\s*\Z")
_NO_CALL = re.compile(r"\b(?:void|typeof|return|if|while|in|of|case)\s*\(\s*\Z")
_SHORT = re.compile(r"\{\s*\w+\s*[,}]")  # of an object: `{ check }`
_LIVE_AFTER = re.compile(r"\s*+(?:\?\.\s*+)?(?:[(`\[]|\.\s*+(?!(?:length|name|toString|hashCode|equals|getClass)\b)\w)")
_ALIAS = re.compile(r"(?:\b(?:const|let|var|val|final)|[\w>\]])\s++(\w++)\s*+(?::[^=;\n]{0,100})?=\s*+\Z")
_ASSIGNED = re.compile(r"(?<![=!<>])=\s*+\Z")
_DECLARES = re.compile(r"(?:\b(\w+)|[>\]?])\s+\Z")
_CLASS = re.compile(r"\bclass\s+(\w+)[^{}()]{0,100}\Z")
_MADE = re.compile(r"(?:\bnew\s+[\w.<>?, ]{1,100}\([^(){};]{0,100}\)|\bobject\b\s*(?::[\w\s.,<>()]{0,100})?)\s*\Z")
_STARTS = re.compile(r"\b(?:Thread|submit|execute|runAsync|supplyAsync|schedule|startVirtualThread)\s*+\Z")
_WAITED = re.compile(r"\.\s*+(?:get|join|resultNow)\s*+\(")
_CATCHES = re.compile(r"UncaughtExceptionHandler|\b(?:invokeAll|awaitAll|allOf)\b")
_EXECUTOR = re.compile(r"\bnew\s++Promise\s*+(?:<[^<>]{0,100}>)?\s*+\Z")
_CALLED = re.compile(r"\s*+(?:\.\s*+(?:call|apply)\s*+)?\(")
_CAST = re.compile(r"\(\s*[\w.<>?, ]{1,100}\)\s*\Z")
_COUNTS = re.compile(r"\b(?:assertions|hasAssertions|plan|done)\s*+\(")
_CATCH = re.compile(r"\.\s*catch\s*\Z")
_STOP = re.compile(r"[(){}\[\];,\n]")
_GOES_ON = re.compile(r"\s*+(?:[.?:&|+*/=<>-]|as\b|$)")
_OPEN = tuple("=(,[{:?&|>.+*/<-")
_KEPT = re.compile(r"[;{}\n]\s*(?:this\s*\.\s*)?\w+\s*=\s*(?:\w+\s*\.\s*)*\Z")  # not under a name of the test
_LONGEST = 1000  # characters of an expression between brackets
_NEAR = 200  # characters that are looked at before a place
_DEEP = 50  # brackets around one place that are looked at
_MOST = 200  # mentions of one name


@dataclass(frozen=True, slots=True)
class _Function:
    start: int
    begin: int  # of the body
    end: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Nesting:
    """All brackets of a file, in one pass: where each opens and closes, and which one is around it."""

    opened: list[int]
    closed: list[int]
    outer: list[int]

    def around(self, place: int) -> tuple[int, int] | None:
        """The innermost bracket around a place; None where there is none, or it is too deep to say."""
        number = bisect_left(self.opened, place) - 1
        for _ in range(_DEEP):
            if number < 0:
                return None
            if self.closed[number] >= place:
                return self.opened[number], self.closed[number]
            number = self.outer[number]
        return None

    def end(self, start: int) -> int:
        """Where the bracket at a place is closed, and after it."""
        number = bisect_left(self.opened, start)
        there = number < len(self.opened) and self.opened[number] == start
        return self.closed[number] + 1 if there else start

    def start(self, end: int, code: str) -> int:
        """Where the bracket opens that is closed at a place."""
        around = self.around(end)
        return around[0] if around and around[1] == end and code[around[0]] == "(" else end


@lru_cache(maxsize=4)
def nesting_of(code: str) -> Nesting:
    opened: list[int] = []
    closed: list[int] = []
    outer: list[int] = []
    stack: list[int] = []
    for match in re.finditer(r"[(){}\[\]]", code):
        if match[0] in "({[":
            outer.append(stack[-1] if stack else -1)
            stack.append(len(opened))
            opened.append(match.start())
            closed.append(len(code))
        elif stack and code[opened[stack[-1]]] == "({["[")}]".index(match[0])]:
            closed[stack.pop()] = match.start()
    return Nesting(opened, closed, outer)


def deferred(
    source: Source, span: tuple[int, int], starts: Sequence[int], unsure: Sequence[tuple[int, int]]
) -> Iterator[int]:
    """Which of the assertions at `starts` are in a function that is not called, but where it is `unsure`, or whose
    failure is lost.
    """
    code, nesting = source.code, nesting_of(source.code)
    mentions: Mapping[str, list[int]] | None = None
    lost = (0, 0)
    for one in _functions(code, span, nesting):
        low, high = bisect_left(starts, one.begin), bisect_right(starts, one.end - 1)
        if low == high or one.start <= span[0] or (lost[0] <= one.begin and one.end <= lost[1]):
            continue
        mentions = _mentions(code, span) if mentions is None else mentions
        test = _Test(code, span, nesting, mentions, unsure)
        settled = 0 if test.runs(one) else one.begin
        settled = settled or test.settled(one)
        if settled:
            lost = (settled, one.end)
            yield from range(max(low, bisect_left(starts, settled)), high)


def _mentions(code: str, span: tuple[int, int]) -> Mapping[str, list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for match in re.compile(r"\b[A-Za-z_$]\w*+").finditer(code, *span):
        if len(places := found[match[0]]) <= _MOST:
            places.append(match.start())
    return found


def _functions(code: str, span: tuple[int, int], nesting: Nesting) -> Iterator[_Function]:
    for match in _ARROW.finditer(code, *span):
        start, begin = _parameters(code, match.start(), nesting), match.end()
        end = nesting.end(begin) if code.startswith("{", begin) else _expression(code, begin, nesting)
        named = _BEFORE_PARAMETERS.search(code[_low(start) : start]) if code.startswith("(", start) else None
        if named and named[2] not in _NO_NAMES and named[1] not in _NO_NAMES - {"void"}:
            yield _Function(_low(start) + named.start(2), begin, end, named[2])
        else:
            yield _Function(start, begin, end)
    for match in _NAMED.finditer(code, *span):
        if match[1] in _NO_NAMES:
            continue
        ahead = _DECLARES.search(code[max(0, match.start() - 80) : match.start()])
        if ahead and ahead[1] in _NO_NAMES - {"void"}:
            continue
        if ahead is None and not match[0].startswith("function") and not _in_value(code, match.start(), nesting):
            continue  # a call with a block: `repeat(3) { ... }`
        after = nesting.end(match.end())
        body = _BEFORE_BODY.match(code, after)
        if body is None and ahead and ahead[1] in {"fun", "def"} and (body := _BEFORE_VALUE.match(code, after)):
            yield _Function(match.start(), body.end(), _expression(code, body.end(), nesting), match[1])
        elif body:
            start = match.start() - len(ahead[0]) if ahead and ahead[1] == "async" else match.start()
            yield _Function(start, body.end(), nesting.end(body.end()), match[1] or "")
    for match in _BRACES.finditer(code, *span):
        yield _Function(match.end(), match.end(), nesting.end(match.end()))


def _in_value(code: str, place: int, nesting: Nesting) -> bool:
    around = nesting.around(place)
    return around is not None and (_holds(code, around[0]) or bool(_CLASS.search(code[_low(around[0]) : around[0]])))


def _low(place: int) -> int:
    return max(0, place - _NEAR)


def _holds(code: str, bracket: int) -> bool:
    """Whether the bracket at a place is that of a value, and not that of a block."""
    near = code[_low(bracket) : bracket]
    value = code[bracket] != "{" or re.search(r"(?:[=(,:\[?]|&&|\|\||\breturn)\s*\Z", near)
    return bool(value or _MADE.search(near))


def _made(code: str, bracket: int) -> int:
    """Where the expression begins that ends with a bracket: `new Runnable() {`."""
    made = _MADE.search(code[_low(bracket) : bracket]) if code[bracket] == "{" else None
    return _low(bracket) + made.start() if made else bracket


def _parameters(code: str, arrow: int, nesting: Nesting) -> int:
    """Where a function begins whose arrow is at a place."""
    near = code[max(0, arrow - _NEAR) : arrow].rstrip()
    place = max(0, arrow - _NEAR) + len(near)
    if typed := _TYPED.search(near):
        place = max(0, arrow - _NEAR) + typed.start() + 1
    if code[place - 1 : place] == ")":
        start = nesting.start(place - 1, code)
    else:
        start = place - len(near) + len(re.sub(r"\w+\Z", "", near))
    ahead = _AHEAD.search(code[max(0, start - 80) : start])
    return start - len(ahead[0]) if ahead else start


def _expression(code: str, begin: int, nesting: Nesting) -> int:
    """Where the body of a function without braces ends."""
    place = begin
    for _ in range(_DEEP):
        match = _STOP.search(code, place, place + _LONGEST)
        if match is None:
            return min(place + _LONGEST, len(code))
        if match[0] == "\n":
            goes_on = code[_low(match.start()) : match.start()].rstrip().endswith(_OPEN)
            if not (goes_on or _GOES_ON.match(code, match.end())):
                return match.start()
            place = match.end()
        elif match[0] in "({[":
            place = nesting.end(match.start())
        else:
            return match.start()
    return place


@dataclass(frozen=True, slots=True)
class _Test:
    code: str
    span: tuple[int, int]
    nesting: Nesting
    mentions: Mapping[str, list[int]]
    unsure: Sequence[tuple[int, int]]

    def runs(self, one: _Function) -> bool:
        """Whether a function may be called, as far as the test tells; what cannot be told may be."""
        start, end, within = one.start, one.end, (one.start, one.end)
        if one.name:
            holder = self.nesting.around(start)
            if holder is None or holder[0] < self.span[0] or self._lives(one.name, within):
                return True
            if kind := _CLASS.search(self.code[_low(holder[0]) : holder[0]]):
                return self._lives(kind[1], holder)
            if not _holds(self.code, holder[0]):
                return False
            start, end = _made(self.code, holder[0]), holder[1] + 1
        return self._used(one, start, end)

    def _used(self, one: _Function, start: int, end: int) -> bool:
        """Whether a function is handed over, kept under a name that is used, or called where it stands: outwards."""
        for _ in range(_DEEP):
            if start < self.span[0]:
                return True
            near, around = self.code[_low(start) : start], self.nesting.around(start)
            if _CALLED.match(self.code, end) and self.code[end - 1] in ")}":
                return not (self.code.startswith("async", one.start) and self._left(start))
            if around and self.code[around[0]] == "(":
                if self._calls(around[0]):
                    return self._seen(around)
                start, end = around[0], around[1] + 1
            elif cast := _CAST.search(near):
                start = _low(start) + cast.start()
            elif target := _TARGET.search(near):
                return bool(_ATTRIBUTE.search(near)) or self._lives(target[1], (one.start, one.end))
            elif near.rstrip()[-1:] in {",", "[", ":", "{"} and around and _holds(self.code, around[0]):
                start, end = _made(self.code, around[0]), around[1] + 1
            else:
                thrown = _DISCARDED.search(near) or _STATEMENT.search(near)
                return not thrown or "->" in self.code[one.start : one.begin]
        return True

    def settled(self, one: _Function) -> int:
        """Where the function of a new promise settles it: what it raises after that is lost."""
        around = self.nesting.around(one.start)
        near = self.code[max(0, around[0] - _NEAR) : around[0]] if around else ""
        name = re.match(r"(?:async\s*)?\(?\s*(\w+)", self.code[one.start : one.start + _NEAR])
        if not (name and _EXECUTOR.search(near)):
            return 0
        for place in self.mentions.get(name[1], ()):
            inner = self.nesting.around(place)
            called = re.compile(r"\w++\s*+\(").match(self.code, place)
            if place > one.begin and inner and inner[0] == one.begin and called:
                statement = self.code[max(0, place - _NEAR) : place].rstrip()[-1:]
                return place if statement in tuple(";{}") or "\n" in self.code[place - 20 : place] else 0
        return 0

    def _calls(self, bracket: int) -> bool:
        """Whether the bracket at a place is that of a call."""
        near = self.code[_low(bracket) : bracket].rstrip()
        word = re.search(r"(\.\s*)?\b(\w+)\Z", near)
        return near.endswith((")", "]", ">", ".", "`")) or (
            word is not None and bool(word[1] or word[2] not in _NO_NAMES)
        )

    def _seen(self, call: tuple[int, int]) -> bool:
        """Whether a failure in what a call was given is seen: that in another thread is not, unless one asks for it."""
        near = self.code[_low(call[0]) : call[0]]
        if _CATCH.search(near):
            statement = re.split(r"[;{}]", near)[-1]
            return bool(
                re.search(r"\b(?:await|return|yield)\b|=|\A\s*\)", statement) or _COUNTS.search(self.code, *self.span)
            )
        started = _STARTS.search(near)
        if started is None or _CATCHES.search(self.code, *self.span):
            return True
        if started[0].startswith("Thread"):
            return not re.search(r"\bnew\s+\Z", near[: started.start()])
        return (
            _KEPT.search(near[: started.start()]) is not None
            or _WAITED.search(self.code, call[1], self.span[1]) is not None
        )

    def _left(self, start: int) -> bool:
        """Whether nobody waits for the promise of a call that begins at a place."""
        near = self.code[max(0, start - _NEAR) : start]
        return bool(_RESULT_LEFT.search(near) or _STATEMENT.search(near))

    def _lives(self, name: str, but: tuple[int, int], depth: int = 5) -> bool:
        """Whether a name is called, handed over or returned, elsewhere than within its own function."""
        places = self.mentions.get(name, ())
        if len(places) > _MOST:
            return True
        for place in places:
            near, end = self.code[max(self.span[0], place - _NEAR) : place], place + len(name)
            if but[0] <= place < but[1] or any(low <= place < high for low, high in self.unsure):
                continue
            if re.compile(r"\s*+=(?![=>])").match(self.code, end):
                continue
            if _LIVE_AFTER.match(self.code, end) and not re.search(r"\bfunction\b[\s*]*\Z", near):
                return True
            if alias := _ALIAS.search(near):
                if depth and alias[1] != name and self._lives(alias[1], (place, end), depth - 1):
                    return True
            elif (
                _ASSIGNED.search(near)
                or (_LIVE_BEFORE.search(near) and not _NO_CALL.search(near))
                or (near.rstrip().endswith("{") and _SHORT.match(self.code, place + len(near.rstrip()) - len(near) - 1))
            ):
                return True
        return False
