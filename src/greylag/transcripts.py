"""A transcript, of any agent, for a terminal."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from greylag.text import cap, clean, one_line

_LINES, _WIDTH = 12, 200  # of one text that are shown


def readable(text: str) -> Iterator[str]:
    """Lines for people. What is no line of a transcript, as after a kill in mid-write, is passed over."""
    for row in text.splitlines():
        try:
            line = json.loads(row)
        except (ValueError, RecursionError):
            continue
        if isinstance(line, dict):
            yield from _entry(line)


def _entry(line: Mapping[str, Any]) -> Iterator[str]:
    at, said = str(line.get("at", ""))[11:19], str(line.get("text") or "")
    match line.get("kind"):
        case "prompt":
            more = " (goes on)" if line.get("resumed") else ""
            yield f"{at} asked{more}:"
            yield from _block(said)
        case "text":
            yield f"{at} said:"
            yield from _block(said)
        case "tool":
            yield f"{at} called {one_line(str(line.get('tool')), 60)} {one_line(_arguments(line.get('args')), _WIDTH)}"
        case "result":
            yield f"{at} got {one_line(str(line.get('outcome')), 20)}:"
            yield from _block(said)
        case "command":
            yield f"{at} ran {one_line(str(line.get('command')), _WIDTH)}: exit code {line.get('exit')}"
            yield from _block(str(line.get("output") or ""))
        case "step":
            yield f"{at} played a step"
        case "end":
            yield f"{at} ended: {one_line(str(line.get('stop')), 40)}"


def _arguments(given: object) -> str:
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)


def _block(text: str) -> Iterator[str]:
    lines = clean(text).strip("\n").split("\n")
    for line in lines[:_LINES]:
        yield f"    {cap(line, _WIDTH)}".rstrip()
    if len(lines) > _LINES:
        yield f"    ... {len(lines) - _LINES} more lines"
