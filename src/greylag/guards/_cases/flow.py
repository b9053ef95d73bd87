"""Assertions of Go, Rust and C that may not run: by a condition, an early end, a shortened loop, a caught panic."""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

from greylag.guards._cases.lost_failures import lost
from greylag.guards._code.blocks import ARMED, LOOPS, Block, arms, blocks
from greylag.guards._code.source import Source

_JUMPS: Mapping[str, re.Pattern[str]] = {  # one that says that the test failed is none
    "go": re.compile(r"\b(?:return|continue|break|goto|runtime\.Goexit)\b"),
    "rust": re.compile(r"\b(?:return|continue|break)\b(?!\s*Err\b)"),
    "c": re.compile(r"\b(?:return\b\s*+\(?\s*+(?:0|EXIT_SUCCESS)?\s*+\)?\s*+(?=;)|(?:continue|break|goto)\b)"),
}
_OWN = re.compile(  # a failure whose condition is the assertion
    r"\w+\.(?:Errorf?|Fatalf?|Fail|FailNow)\s*\(|(?:panic|unreachable|todo)!|(?:TEST_FAIL|ADD_FAILURE|FAIL)\w*\s*\("
)
_NEVER = re.compile(r"\b(?:if|while)\s*+\(?\s*+(?:false|0)\s*+\)?\s*+\Z")
_ALWAYS = re.compile(r"\bif\s*+\(?\s*+(?:true|1)\s*+\)?\s*+\Z")
_CUT = re.compile(
    r"[\w}\])]\s*\[[^\[\]\n]{0,80}(?::(?!:)|\.\.)[^\[\]\n]{0,80}\]\s*(?:\.\s*iter\(\)\s*)?\Z"
    r"|\.\s*(?:take|skip|step_by|take_while|skip_while|filter)\s*\(|\brange\s+(?:0|nil)\s*\Z|<\s*0\s*;|\bin\s+0\.\.0\s*\Z"
)
_SHORTENED = re.compile(
    r"\b(\w++)\s*+:?=\s*+&?\s*+(?:(\w++)\[[^\[\]\n]{0,80}(?::|\.\.)[^\[\]\n]{0,80}\]|nil\b)"
    r"|\b(\w++)\s*+\.\s*+(?:truncate|clear|drain|retain)\s*+\("
)
_OVER = re.compile(r"(?:\brange|\bin)\s+&?\s*(\w+)(?:\s*\.\s*iter\(\))?\s*\Z")
_UNUSED = re.compile(r"(?:\b_|\blet\s+_\w*)\s*=\s*(?:move\s*)?(?:func\b[^{}]{0,200}|\|[^|{}]{0,200}\|\s*)\Z")
_ELSE_IF = re.compile(r"\belse\s+if\b")
_CONDITIONS = frozenset({"if", "else", *ARMED})
_LONGEST = 500  # characters of a head
_DEEP, _MOST = 50, 200  # blocks around one place, and regions of the preprocessor, that are looked at


def uncertain(source: Source, family: str, span: tuple[int, int], starts: Sequence[int]) -> set[int]:
    """Which of the assertions that begin at `starts`, in ascending order, may not run, or not be told of."""
    if not starts:
        return set()
    test = _Test(source.code, family, span, starts)
    return {*test.conditional(), *_union([*test.jumped(), *lost(source.code, family, span, starts)], len(starts))}


def _union(ranges: Iterable[range], size: int) -> Iterator[int]:
    """All numbers in any of these ranges, in linear time."""
    steps = [0] * (size + 1)
    for one in ranges:
        if one:
            steps[one.start] += 1
            steps[one.stop] -= 1
    return (number for number, depth in enumerate(accumulate(steps[:-1])) if depth)


class _Test:
    """One test, or a helper, with the blocks that are in it or around it."""

    def __init__(self, code: str, family: str, span: tuple[int, int], starts: Sequence[int]) -> None:
        self.code, self.family, self.span, self.starts = code, family, span, starts
        whole = blocks(code, family)
        first = bisect_left(whole, span[0], key=lambda block: block.begin)
        last = bisect_right(whole, span[1], key=lambda block: block.begin)
        outer = [one for one in whole[:first][-_MOST:] if one.end > span[0]] if family == "c" else []
        self.inside = [*(one for one in outer if one.kind in {"if", "else"}), *whole[first:last]]
        self.chains: defaultdict[int, list[Block]] = defaultdict(list)
        for block in self.inside:
            self.chains[block.chain].append(block)
        self.jumps = list(_JUMPS[family].finditer(code, *span))
        self.ends = [jump.start() for jump in self.jumps]
        found = _SHORTENED.finditer(code, *span)
        self.shortened = {match[3] or match[1] for match in found if match[2] in {None, match[1]}}

    def conditional(self) -> Iterator[int]:
        """What stands under a condition, or in a loop that leaves rows out."""
        return (number for number, around in enumerate(self._around(self.starts)) if self._maybe(number, around))

    def _around(self, places: Sequence[int]) -> Iterator[list[Block]]:
        """The blocks around each place, the innermost last."""
        stack: list[Block] = []
        number = 0
        for place in places:
            while number < len(self.inside) and self.inside[number].begin <= place:
                while stack and stack[-1].end <= self.inside[number].begin:
                    stack.pop()
                stack.append(self.inside[number])
                number += 1
            while stack and stack[-1].end <= place:
                stack.pop()
            yield stack[-_DEEP:]

    def _within(self, begin: int, end: int) -> range:
        return range(bisect_left(self.starts, begin), bisect_left(self.starts, end))

    def _maybe(self, number: int, around: Sequence[Block]) -> bool:
        own = _OWN.match(self.code, self.starts[number]) is not None
        for block in reversed(around):
            head = self.code[max(block.head, block.begin - _LONGEST) : block.begin]
            if block.kind == "func":
                maybe = _UNUSED.search(self.code[max(0, block.begin - _LONGEST) : block.begin]) is not None
            elif block.kind not in _CONDITIONS:
                maybe = bool(_NEVER.search(head)) or self._is_cut(head)
            elif own:
                own, maybe = False, bool(_NEVER.search(head))
            else:
                maybe = not (_ALWAYS.search(head) or self._complete(block))
            if maybe:
                return True
        return False

    def _is_cut(self, head: str) -> bool:
        named = _OVER.search(head)
        return bool(_CUT.search(head.rstrip())) or (named is not None and named[1] in self.shortened)

    def _complete(self, block: Block) -> bool:
        """Whether each way through an `if` or `match` asserts something."""
        if block.kind in ARMED:
            begins = arms(self.code).get(block.begin, ())[:_MOST]
            return bool(begins) and all(
                self._within(*span) for span in zip(begins, [*begins[1:], block.end], strict=True)
            )
        chain = self.chains[block.chain][:_MOST]
        if not all(self._within(one.begin, one.end) for one in chain):
            return False
        last = chain[-1]
        if last.kind == "else" and not _ELSE_IF.match(self.code, last.head):
            return True
        leaves = bisect_left(self.ends, block.begin) < bisect_left(self.ends, block.end)
        return leaves and bool(self._within(block.end, self.span[1]))

    def jumped(self) -> Iterator[range]:
        """What stands behind a jump that no failure came before."""
        for jump, around in zip(self.jumps, self._around(self.ends), strict=True):
            own = [block for block in around if block.head >= self.span[0]]
            inner = own[-1] if own and own[-1].kind in _CONDITIONS else None
            if inner is None or not self._tells(inner, jump.start()):
                yield self._behind(jump[0], jump.start(), own, always=inner is None)

    def _tells(self, block: Block, place: int) -> bool:
        """Whether an assertion stands before a jump, or right behind it: `if got == want { return }; t.Error()`."""
        begins = arms(self.code).get(block.begin, ()) if block.kind in ARMED else ()
        number = bisect_right(begins, place)
        if self._within(begins[number - 1] if number else block.begin, place):
            return True
        after = bisect_left(self.starts, block.end)
        if after == len(self.starts) or self.code[block.end : self.starts[after]].strip(" \t\r\n}"):
            return False
        return _OWN.match(self.code, self.starts[after]) is not None

    def _behind(self, word: str, place: int, around: Sequence[Block], *, always: bool) -> range:
        kinds = {"func"} if word.startswith(("return", "runtime", "goto")) else LOOPS
        if word == "break" and self.family != "rust":
            kinds = LOOPS | {"switch", "select"}
        scope = next((block for block in reversed(around) if block.kind in kinds), None)
        begin, end = (scope.begin, scope.end) if scope else self.span
        cut = word == "break" and always and scope is not None and scope.kind in LOOPS
        return self._within(begin if cut else place, end)
