"""Checks that say yes where they cannot tell: who is asked for cannot be looked up, and is let in."""

import ast
import re
from collections.abc import Iterator, Mapping

from greylag.guards._code.fresh import Mark
from greylag.guards._code.python_tree import UNREADABLE, Function, of, parsed, walk
from greylag.guards._code.source import brackets, language, scan

_CHECK = re.compile(  # names of functions that decide who may do something, or whether something is genuine
    r"(?:^|_|[a-z])(?:valid|verif|auth(?!or)|allow|permi|admin|access|trust|sign(?:ed|ature)|token|secur|grant|owner|role"
    r"|login|may_|can_|Valid|Verif|Auth(?!or)|Allow|Permi|Admin|Access|Trust|Sign(?:ed|ature)|Token|Secur|Grant|Owner|Role)"
)
_SAFE = re.compile(  # whose yes keeps somebody out
    r"expir|revok|den(?:y|ied)|block|bann|lock|requir|need|invalid|missing|forbid|refus|reject|fail|un(?:auth|trust|sign|verif)|not[_A-Z]",
    re.IGNORECASE,
)
_HEAD = re.compile(r"\b(\w++)\s*+(?:<[^<>()\n]{0,100}>)?\([^(){};]{0,300}\)\s*+(?:[:\w\s<>.,\[\]?]|->|=>){0,120}\{")
_YES = {
    "js": re.compile(
        r"\bcatch\b\s*+(?:\([^()]{0,200}\)\s*+)?\{(?:[^{}]{0,500}|[^{}]{0,200}\{[^{}]{0,100}\}[^{}]{0,200})"
        r"\breturn\s++(?P<answer>true|false)\b\s*+;?\s*+\}"
    ),
    "java": re.compile(
        r"\bcatch\b\s*+\([^()]{0,200}\)\s*+\{[^{}]{0,500}\breturn\s++(?P<answer>true|false)\b\s*+;?\s*+\}"
    ),
    "go": re.compile(
        r"\bif\s++(?:[^{}\n]{0,200};\s*+)?err\s*+!=\s*+nil\s*+\{[^{}]{0,300}\breturn\s++(?P<answer>true|false)\b"
    ),
    "rust": re.compile(
        r"\bErr\([^()]{0,60}\)\s*+=>\s*+(?:\{[^{}]{0,300}?)?(?P<answer>true|false)\b"
        r"|\.(?:unwrap_or|map_or)\(\s*+(?P<other>true)\b"
    ),
}  # fmt: skip
Patterns = Mapping[str, re.Pattern[str]]


def granted(path: str, text: str) -> Iterator[Mark]:
    """Functions with such a name that let in where something fails."""
    for name, line, answer, _ in _answers(path, text):
        if answer:
            yield Mark(name, line, name)


def denied(path: str, text: str) -> frozenset[str]:
    """Bodies of `try`, without blanks, behind which such a function keeps out: it is a refusal."""
    return frozenset("".join(body.split()) for _, _, answer, body in _answers(path, text) if answer is False)


def _lets_in(name: str, *, answer: bool) -> bool | None:
    """Whether such an answer lets somebody in; None where it says nothing of that."""
    if _SAFE.search(name):
        return False if answer else None
    return answer


def _answers(path: str, text: str) -> Iterator[tuple[str, int, bool | None, str]]:
    """Name, line, answer, and what may fail before it."""
    family = language(path) or ""
    if family == "python":
        yield from _python(text)
    if family not in _YES:
        return
    code = scan(text, family).code
    heads = [(match.start(), match[1]) for match in _HEAD.finditer(code) if match[1] not in _STATEMENTS]
    pairs = brackets(code, "{}")
    opened = {end: begin for begin, end in pairs.closed.items()}
    place, name = 0, ""
    for match in _YES[family].finditer(code):
        while place < len(heads) and heads[place][0] < match.start():
            name = heads[place][1]
            place += 1
        if _CHECK.search(name):
            close = code.rfind("}", max(0, match.start() - 50), match.start())
            begin = opened.get(close + 1, match.start())
            answer = "true" in {match["answer"], match.groupdict().get("other")}
            yield (
                name,
                code.count("\n", 0, match.start()) + 1,
                _lets_in(name, answer=answer),
                text[begin + 1 : max(close, begin + 1)],
            )


_STATEMENTS = frozenset({"if", "for", "while", "switch", "catch", "match", "return", "function", "with"})


def _python(text: str) -> Iterator[tuple[str, int, bool | None, str]]:
    if "except" not in text:
        return
    try:
        nodes = of(parsed(text), ast.FunctionDef, ast.AsyncFunctionDef)
    except UNREADABLE:
        return
    for node in nodes:
        if isinstance(node, Function) and _CHECK.search(node.name):
            for last in [one.body[-1] for one in walk(node) if isinstance(one, ast.ExceptHandler)]:
                if isinstance(last, ast.Return) and isinstance(last.value, ast.Constant) and last.value.value is True:
                    yield node.name, last.lineno, _lets_in(node.name, answer=True), ""
