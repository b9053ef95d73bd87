"""Problem matchers: regular expressions that somebody wrote for the output of a tool -> diagnostics.

The rules are those of GitHub Actions and VS Code: patterns of one matcher must match lines that follow each other, the
last one may loop, and the first matcher that finds something in a line has it. Neither promises that an expression is
quick: one that takes too long ends the reading of that output altogether, for what is found half could hide the rest.
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Literal

from greylag.model import Diagnostic, Severity
from greylag.readers._common import LARGEST, MOST, WORKSPACE, capped, number, word
from greylag.readers._places import Places
from greylag.readers.text import lines_of
from greylag.text import one_line

if TYPE_CHECKING:
    import regex

_EACH = 0.5  # seconds of the processor for one expression on one line
_ALL = 30.0  # and for all of them on one output
_WARNINGS = {"warning", "warn", "w"}
_INFOS = {"info", "information", "notice", "note", "hint", "style", "suggestion", "i"}
Location = Literal["relative", "absolute", "search"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """What one line looks like. `groups`: a part of the finding, such as `file`, and the group that holds it."""

    regexp: "regex.Pattern[str]"
    groups: tuple[tuple[str, int], ...]
    loop: bool = False


@dataclass(frozen=True, slots=True)
class Matcher:
    """Patterns for lines that follow each other. `severity`: of a finding that does not tell its own.

    `prefix`: the directory, relative to the repository, that its paths are relative to; None: where the tool ran.
    """

    owner: str
    patterns: tuple[Pattern, ...]
    severity: Severity = Severity.ERROR
    location: Location = "relative"
    prefix: str | None = None


@dataclass(frozen=True, slots=True)
class _Partial:
    """What the first patterns of a matcher have found, and in which lines."""

    parts: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[int, ...] = ()

    def and_then(self, pattern: Pattern, hit: "regex.Match[str]", row: int) -> "_Partial":
        """With what one more line tells: of messages all are kept, of all else the first."""
        parts = dict(self.parts)
        for name, group in pattern.groups:
            value = (hit[group] or "").strip()
            if name == "message" and name in parts:
                value = f"{parts[name]} {value}".strip()
            if value and (name == "message" or name not in parts):
                parts[name] = value
        return _Partial(parts, (*self.rows, row))


@dataclass(frozen=True, slots=True)
class Matchers:
    """A reader made of matchers, for one tree with these files."""

    matchers: tuple[Matcher, ...]
    files: Collection[str] = field(default=(), repr=False)

    def __call__(self, data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
        """Diagnostics in the order of their lines; a single warning when an expression took too long."""
        try:
            locate = Places(frozenset(self.files), cwd, workspace)
            return capped(_diagnostic(m, partial.parts, locate) for m, partial in self._found(_lines(data)))
        except TimeoutError as error:
            said = f"problem matcher `{error}` took too long, so the output was read without problem matchers"
            return (Diagnostic(one_line(said), Severity.WARNING, rule="problem-matcher"),)

    def rest(self, data: bytes) -> bytes:
        """The lines in which nothing was found that counts; all of them when an expression took too long.

        A finding that is only for information does not, and neither does one beyond those that are kept.
        """
        lines = _lines(data)
        try:
            kept = islice(self._found(lines), MOST)
            used = {
                row for m, partial in kept if _severity(m, partial.parts) is not Severity.INFO for row in partial.rows
            }
        except TimeoutError:
            return data
        return "\n".join(line for row, line in enumerate(lines) if row not in used).encode()

    def _found(self, lines: Sequence[str]) -> Iterator[tuple[Matcher, _Partial]]:
        until = time.thread_time() + _ALL
        states = [_Lines(matcher) for matcher in self.matchers]
        for row, line in enumerate(lines):
            if time.thread_time() > until:
                raise TimeoutError(", ".join(matcher.owner for matcher in self.matchers))
            for state in states:
                found = state.next(line, row)
                if found and found.parts.get("message"):
                    for other in states:
                        if other is not state:
                            other.forget()
                    yield state.matcher, found
                    break


def _lines(data: bytes) -> list[str]:
    return list(lines_of(data[:LARGEST]))


class _Lines:
    """One matcher on its way through the lines of an output."""

    def __init__(self, matcher: Matcher) -> None:
        self.matcher = matcher
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self._open: list[_Partial | None] = [_Partial(), *[None] * (len(self.matcher.patterns) - 1)]

    def next(self, line: str, row: int) -> _Partial | None:
        """The finding that is complete with this line. `_open[n]` waits for the pattern `n`."""
        *others, last = self.matcher.patterns
        before = self._open[-1]
        if before and (hit := self._match(last, line)):
            self.forget()
            if last.loop:
                self._open[-1] = before
            return before.and_then(last, hit, row)
        opened: list[_Partial | None] = [_Partial()]
        for pattern, before in zip(others, self._open, strict=False):
            hit = self._match(pattern, line) if before else None
            opened.append(before.and_then(pattern, hit, row) if before and hit else None)
        self._open = opened
        return None

    def _match(self, pattern: Pattern, line: str) -> "regex.Match[str] | None":
        try:
            return pattern.regexp.search(line, timeout=_EACH)
        except TimeoutError as error:
            raise TimeoutError(self.matcher.owner) from error


def _diagnostic(matcher: Matcher, parts: Mapping[str, str], locate: Places) -> Diagnostic:
    row, column, *_ = (*parts.get("location", "").split(","), "", "")
    return Diagnostic(
        one_line(parts["message"], 1000),
        _severity(matcher, parts),
        locate(parts.get("file", ""), parts.get("fromPath", ""), matcher.prefix, search=matcher.location == "search"),
        number(parts.get("line", row.strip())),
        number(parts.get("column", column.strip())),
        word(parts.get("code")) or matcher.owner or None,
    )


def _severity(matcher: Matcher, parts: Mapping[str, str]) -> Severity:
    return severity(parts.get("severity", ""), matcher.severity)


def severity(said: str, default: Severity) -> Severity:
    """What tools call a severity; `default` for any other word."""
    name = said.lower()
    if name in _WARNINGS:
        return Severity.WARNING
    if name in _INFOS:
        return Severity.INFO
    return Severity.ERROR if name == "e" or "err" in name or "fatal" in name else default
