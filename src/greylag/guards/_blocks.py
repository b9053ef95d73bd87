"""Blocks of Go, Rust and C: what `if`, `else`, loops, arms and functions are around, in one pass over a file."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from greylag.guards._source import brackets

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
_MACRO = re.compile(r"^[ \t]*+#[ \t]*+define\b(?:[^\\\n]|\\\r?\n|\\[^\n])*+", re.MULTILINE)
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
    curly = brackets(code, "{}").closed
    stack: list[tuple[str, int] | None] = [None]  # of each open bracket, the word that waits for its block
    ended: dict[int, int] = {}  # where the last block of an `if` ended -> its chain
    for match in _TOKENS[family].finditer(code):
        if match[1]:
            waits = stack[-1]
            if match[1] in {"func", "fn"} and waits is not None and waits[0] not in {"func", "fn"}:
                continue  # a function within a head
            if not (match[1] == "if" and waits is not None and waits[0] in {"else", "match", "switch"}):
                stack[-1] = match[1], match.start()
        elif match[0] in "([":
            stack.append(None)
        elif match[0] in {";", "=>"}:
            if stack[-1] is not None and (family == "rust" or stack[-1][0] in {"func", "else"}):
                stack[-1] = None
        elif match[0] in ")]}":
            if len(stack) > 1:
                stack.pop()
        else:
            end, waits = curly.get(match.start(), len(code)), stack[-1]
            literal = _MORE if family == "go" else _PATTERN
            if waits is not None and waits[0] not in {"func", "fn"} and literal.match(code, end):
                waits = None
            elif waits is not None:
                stack[-1] = None
            near = code[max(0, match.start() - _NEAR) : match.start()]
            kind, head = waits or ("func" if _CLOSURE.search(near) else "if" if _CFG.search(near) else "", match.start())
            chain = ended.get(head, match.start()) if kind == "else" else match.start()
            if kind:
                name = "func" if kind == "fn" else kind
                yield Block(name, head, match.start(), end, chain)
            if kind in {"if", "else"} and (other := re.compile(r"\s*+(?=else\b)").match(code, end)):
                ended[other.end()] = chain
            stack.append(None)


def _c(code: str) -> Iterator[Block]:
    """C, where a head has parentheses and a body may be one statement; lines of the preprocessor are conditions."""
    yield from _regions(code)
    code = _MACRO.sub(lambda macro: " " * len(macro[0]), code)
    round_, curly = brackets(code, "()"), brackets(code, "{}")
    ended: dict[int, int] = {}
    for match in re.finditer(r"(?<!#)(?<!# )\b(if|else|for|while|switch|do)\b", code):
        begin = match.end()
        if match[1] == "while" and code[max(0, match.start() - _NEAR) : match.start()].rstrip().endswith("}"):
            continue  # of `do { ... } while`
        if match[1] not in {"else", "do"}:
            begin = round_.after(begin)[1]
        start = _NEXT.match(code, begin)
        begin = start.end() if start else begin
        if match[1] == "else" and code.startswith("if", begin):
            ended[begin] = ended.get(match.start(), match.start())
            continue
        if code.startswith("{", begin):
            end = curly.after(begin)[1]
        else:
            end = min((place + 1 for mark in ";}" if (place := code.find(mark, begin, begin + 500)) >= 0), default=begin)
        chain = ended.get(match.start(), match.start())
        yield Block(match[1], match.start(), begin, end, chain)
        if match[1] in {"if", "else"} and (other := re.compile(r"\s*+(?=else\b)").match(code, end)):
            ended[other.end()] = chain


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
