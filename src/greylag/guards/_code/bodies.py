"""Functions in the code view of a file that is not Python: where each begins and ends, and the class that it is in."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from greylag.guards._code.source import Brackets, Source, brackets

_CLASS = re.compile(r"\b(?:class|object|interface|trait)\s++(?!extends\b)(?P<name>\w++)[^{};]{0,400}\{")
_STOP = re.compile(r"[(\[{}\])\n;,]")
_GOES_ON = re.compile(r"\s*+[.?:&|+]")
_BODY: Mapping[str, re.Pattern[str]] = {  # what may stand between the parameters of a function and its body
    "js": re.compile(r"\s*+(?::[^=;{}\n]{0,200})?(?P<arrow>=>)?\s*+"),
    "java": re.compile(
        r"\s*+(?:throws\b[\s\w,.]{0,200}|(?:async\s+)?(?:throws\s*)?->[ \w<>?.\[\]:,]{1,200}|:[ \w<>?.,\[\]]{1,200}"
        r"|where\b[^{};=]{1,200})?"
        r"(?P<arrow>=>?)?\s*+"
    ),
    "go": re.compile(r"\s*+(?:\([^(){}]{0,300}\)|[\w.*\[\]]{1,100})?(?P<arrow>(?!))?\s*+"),
    "rust": re.compile(r"\s*+(?:->[^{};]{1,300}|where\b[^{};]{1,300})?(?P<arrow>(?!))?\s*+"),
}


@dataclass(frozen=True, slots=True)
class Body:
    """One function: its name, with its class where there is one; parameters and body are between `begin` and `end`."""

    name: str
    start: int
    begin: int
    end: int


def bodies(source: Source, family: str, head: re.Pattern[str], round_: Brackets) -> Iterator[Body]:
    """Functions in their order, none within another. The group `helper` of `head` is a name before parameters."""
    code, curly, over = source.code, brackets(source.code, "{}"), 0
    holders = _Holders(code, curly)
    for match in head.finditer(code):
        begin, closed = round_.after(match.end("helper"))
        link = _BODY[family].match(code, closed) if match.start() >= over and closed < round_.end else None
        if link is None:
            continue
        if code.startswith("{", link.end()):
            over = curly.after(link.end())[1]
        elif link["arrow"]:
            over = expression(code, link.end())
        else:
            continue
        holder = holders.at(match.start("helper"))
        if holder == match["helper"]:
            continue  # a constructor
        yield Body(f"{holder}.{match['helper']}" if holder else match["helper"], match.start("helper"), begin, over)


def expression(code: str, begin: int) -> int:
    """Where an expression ends that begins here: a body without braces, or a value."""
    depth = 0
    for stop in _STOP.finditer(code, begin):
        if stop[0] in "([{":
            depth += 1
        elif stop[0] in ")]}":
            depth -= 1
        ends = depth < 0 or (depth == 0 and stop[0] in ",;\n")
        if ends and not (stop[0] == "\n" and _GOES_ON.match(code, stop.start())):
            return stop.start()
    return len(code)


class _Holders:
    """Innermost classes around ascending places of a file."""

    def __init__(self, code: str, curly: Brackets) -> None:
        self._coming = ((match["name"], *curly.after(match.end() - 1)) for match in _CLASS.finditer(code))
        self._next = next(self._coming, None)
        self._open: list[tuple[str, int]] = []

    def at(self, place: int) -> str:
        """Name of the class around a place; empty where there is none."""
        while self._next is not None and self._next[1] < place:
            name, begin, end = self._next
            self._close(begin)
            self._open.append((name, end))
            self._next = next(self._coming, None)
        self._close(place)
        return self._open[-1][0] if self._open else ""

    def _close(self, place: int) -> None:
        while self._open and self._open[-1][1] <= place:
            self._open.pop()
