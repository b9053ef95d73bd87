"""Blocks of Go, Rust and C: what `if`, `else`, loops, arms and functions are around, in one pass over a file."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from greylag.guards._code.source import brackets

LOOPS = frozenset({"for", "while", "loop", "do"})
ARMED = frozenset({"switch", "select", "match"})
_TOKENS: Mapping[str, re.Pattern[str]] = {
    "go": re.compile(r"(?<!\.)\b(if|else|for|switch|select|func)\b|[(){}\[\];]"),
    "rust": re.compile(r"(?<!\.)\b(if|else|for|while|loop|match|fn)\b(?!!)|[(){}\[\];]|=>"),
}
_CLOSURE = re.compile(r"(?:\|\s*(?:->[^{};|]{1,80})?|\basync(?:\s+move)?)\s*\Z")
_CFG = re.compile(r"#\[\s*cfg\s*\([^\n]{0,200}\]\s*\Z")
_MORE = re.compile(r"[ \t]*+(?!else\b)[^\s)}\w/:]")  # after a literal in a head of Go
_PATTERN = re.compile(r"\s*+=(?![=>])|\s*+\|(?!\|)")  # after a pattern with braces in a head of Rust
_ARM = re.compile(r"[(){}\[\]]|\b(?:case|default)\b|=>")
_MACRO = re.compile(r"^[ \t]*+#[ \t]*+define\b(?>(?:[^\\\n]|\\\r?\n|\\[^\n])*)", re.MULTILINE)
_ELSE = re.compile(r"\s*+(?=else\b)")
_FUNCTIONS = frozenset({"func", "fn"})
_NEXT = re.compile(r"\s*+")
_REGION = re.compile(r"^[ \t]*+#[ \t]*+(if(?:n?def)?|else|elif|endif)\b[ \t]*+([^\n]{0,200})", re.MULTILINE)
_NEAR = 200  # characters that are looked at before a brace


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between `begin` and `end`; the blocks of one `if` with its `else` have the same `chain`."""

    kind: str
    head: int
    begin: int
    end: int
    chain: int


@lru_cache(maxsize=4)
def blocks(code: str, family: str) -> tuple[Block, ...]:
    """All blocks in their order. Braces that belong to literals and patterns are none."""
    found = _c(code) if family == "c" else _headed(code, family)
    return tuple(sorted(found, key=lambda block: (block.begin, -block.end)))


def _headed(code: str, family: str) -> Iterator[Block]:
    """Go and Rust, where a head has no parentheses of its own and a body always has braces."""
    curly, literal = brackets(code, "{}").closed, _MORE if family == "go" else _PATTERN
    stack: list[tuple[str, int] | None] = [None]  # of each open bracket, the word that waits for its block
    chains = _Chains(code)
    for match in _TOKENS[family].finditer(code):
        waits = stack[-1]
        if match[0] in {")", "]", "}"}:
            del stack[max(1, len(stack) - 1) :]
        elif match[0] in {";", "=>"}:
            if waits is not None and (family == "rust" or waits[0] in {"func", "else"}):
                stack[-1] = None
        elif match[1]:
            stack[-1] = _waiting(waits, match[1], match.start())
        else:
            if match[0] == "{":
                end = curly.get(match.start(), len(code))
                if waits is not None and waits[0] not in _FUNCTIONS and literal.match(code, end):
                    waits = None
                else:
                    stack[-1] = None
                    waits = waits or _unnamed(code, match.start())
                if waits is not None:
                    yield chains.block(*waits, match.start(), end)
            stack.append(None)


def _waiting(waits: tuple[str, int] | None, word: str, place: int) -> tuple[str, int]:
    """What waits for a block after a word: functions in a head, and the `if` of an `else if`, change nothing."""
    inner = word in _FUNCTIONS and waits is not None and waits[0] not in _FUNCTIONS
    follows = word == "if" and waits is not None and waits[0] in {"else", "match", "switch"}
    return waits if waits is not None and (inner or follows) else (word, place)


def _unnamed(code: str, brace: int) -> tuple[str, int] | None:
    """What a block without a word is: a closure, or what stands under an attribute."""
    near = code[max(0, brace - _NEAR) : brace]
    return ("func", brace) if _CLOSURE.search(near) else ("if", brace) if _CFG.search(near) else None


class _Chains:
    """Which blocks belong to one `if`: an `else` follows where another block ended."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._ended: dict[int, int] = {}

    def block(self, kind: str, head: int, begin: int, end: int) -> Block:
        """The next block of a file."""
        chain = self._ended.get(head, head)
        if kind in {"if", "else"}:
            self.follow(end, chain)
        return Block("func" if kind == "fn" else kind, head, begin, end, chain)

    def follow(self, end: int, chain: int) -> None:
        """An `else` after a place belongs to a chain."""
        if other := _ELSE.match(self._code, end):
            self._ended[other.end()] = chain

    def hand_on(self, place: int, to: int) -> None:
        """The `if` at a place belongs to the chain of the `else` before it."""
        self._ended[to] = self._ended.get(place, place)


def _c(code: str) -> Iterator[Block]:
    """C, where a head has parentheses and a body may be one statement; lines of the preprocessor are conditions."""
    yield from _regions(code)
    code = _MACRO.sub(lambda macro: " " * len(macro[0]), code)
    round_, curly, chains = brackets(code, "()"), brackets(code, "{}"), _Chains(code)
    for match in re.finditer(r"(?<!#)(?<!# )\b(if|else|for|while|switch|do)\b", code):
        begin = match.end()
        if match[1] == "while" and code[max(0, match.start() - _NEAR) : match.start()].rstrip().endswith("}"):
            continue  # of `do { ... } while`
        if match[1] not in {"else", "do"}:
            begin = round_.after(begin)[1]
        start = _NEXT.match(code, begin)
        begin = start.end() if start else begin
        if match[1] == "else" and code.startswith("if", begin):
            chains.hand_on(match.start(), begin)
            continue
        if code.startswith("{", begin):
            end = curly.after(begin)[1]
        else:
            ends = (place + 1 for mark in ";}" if (place := code.find(mark, begin, begin + 500)) >= 0)
            end = min(ends, default=begin)
        yield chains.block(match[1], match.start(), begin, end)


def _regions(code: str) -> Iterator[Block]:
    opened: list[tuple[int, int] | None] = []
    for match in _REGION.finditer(code):
        word = match[1]
        if word.startswith("if"):
            guard = word == "ifndef" and re.match(r"\s*#\s*define\b", code[match.end() : match.end() + 40])
            known = re.search(r"__cplusplus", match[2])
            opened.append(None if guard or known else (match.start(), match.start()))
        elif opened:
            region = opened.pop()
            if region is not None:
                yield Block("if" if region[0] == region[1] else "else", region[1], region[1], match.start(), region[0])
            if word in {"else", "elif"}:
                opened.append((region[0], match.start()) if region is not None else None)


@lru_cache(maxsize=4)
def arms(code: str) -> Mapping[int, Sequence[int]]:
    """Where a brace opens -> where the arms of a `match` or `switch` begin that stand right within it."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    stack: list[int] = []
    for match in _ARM.finditer(code):
        if match[0] in {"(", "[", "{"}:
            stack.append(match.start())
        elif match[0] in {")", "]", "}"}:
            del stack[-1:]
        elif stack:
            found[stack[-1]].append(match.end())
    return found
