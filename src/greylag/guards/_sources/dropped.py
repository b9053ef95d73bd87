"""Failures that a source told, and drops on the line that took its place: exit codes, and results of Rust."""

import re
from collections.abc import Iterator
from itertools import islice

from greylag.diffs import FileDiff, Line
from greylag.guards._code.source import language, plain

_DROPS = re.compile(
    r"\.(?:ok\(\)|unwrap_or_default\(\)|unwrap_or(?:_else)?\(|flatten\(\)|(?:filter_map|map_while|flat_map)\((?:Result::ok|\|\w+\|\w+\.ok\(\))\))"
)
_MATCHED = re.compile(r"iflet(?:Err\(_\w*\)|Ok\(_\))=(.+?)\{.{0,60}\}?$")
_UNUSED = re.compile(r"let_=(.+?)(?:\.ok\(\))?$")
_DEBUG = re.compile(r"\bdebug_(assert(?:_eq|_ne)?!.*)")
_SUCCESS = re.compile(r"\bexit\((?:0|EXIT_SUCCESS)?\)")
_FAILURES = ("1", "2", "-1", "EXIT_FAILURE")
_LIKELY = re.compile(r"\bok\(\)|::ok\b|unwrap_or|flatten\(|\blet\b|debug_assert")
_WIDEST = 1000  # characters of a line that are looked at
_MOST, _LARGEST = 200, 200_000  # such lines of a file, and characters that were removed


def dropped(file: FileDiff) -> Iterator[tuple[Line, str]]:
    """Added lines with what they drop."""
    yield from _succeeds(file)
    if language(file.path) != "rust":
        return
    removed = "\n".join(plain(line.text[:_WIDEST]) for line in file.removed)[:_LARGEST]
    likely = (line for line in file.added if _LIKELY.search(line.text[:_WIDEST]))
    for line in islice(likely, _MOST) if removed else ():
        text = plain(line.text[:_WIDEST])
        told = _DROPS.search(text)
        ahead = re.sub(r"^(?:return|Ok\(|Some\()+", "", text[: told.start()]) if told else ""
        goes_on = "flatten" in told[0] or "map" in told[0] if told else False
        if told and len(ahead) > 3 and f"{ahead}{'.collect' if goes_on else '?'}" in removed:
            yield line, told[0].strip(".")
        elif (
            (match := _UNUSED.match(text)) and any(f"{match[1]}{end}" in removed for end in (".unwrap()", ".expect("))
        ) or ((match := _MATCHED.match(text)) and f"{match[1]}?" in removed):
            yield line, match[1]
        elif (match := _DEBUG.match(text)) and any(one.startswith(match[1]) for one in removed.split("\n")):
            yield line, "an assertion in a release"


def _succeeds(file: FileDiff) -> Iterator[tuple[Line, str]]:
    """Lines that end a program with success where they told a failure."""
    removed = {plain(line.text[:_WIDEST]) for line in file.removed}
    for line in file.added if removed else ():
        text = plain(line.text[:_WIDEST])
        match = _SUCCESS.search(text)
        if match and any(f"{text[: match.start()]}exit({code}){text[match.end() :]}" in removed for code in _FAILURES):
            yield line, match[0]
