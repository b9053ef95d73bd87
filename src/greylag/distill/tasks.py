"""Logs of many packages at once: task runners put the name of a package before each line, and mix their lines."""

import re
from collections.abc import Sequence

_STARTS = re.compile(
    r"(\S{1,200} [\w:.-]{1,80})\$ "  # pnpm: `packages/a test$ vitest run`, then `packages/a test: ...`
    r"|(\S{1,200}:[\w.-]{1,80}): cache (?:miss|hit|bypass)"  # turbo
    r"|(\[(?:@[a-z\d._~-]{1,100}/)?[a-z\d._~-]{1,100}\]): "  # yarn workspaces foreach --verbose, which tells no start
    r"|(\S{1,200}): (?:> \S{1,200}@\S{1,80} |yarn run v)"  # lerna --stream
)
_WORDS = frozenset(("error", "warning", "warn", "info", "note", "fatal", "debug"))  # no names of packages
_BRACKET = "]: "
_HINTS = ("$ ", ": cache ", _BRACKET, ": > ", ": yarn run ")


def ungrouped(lines: Sequence[str]) -> list[str]:
    """The lines without such names, those of one package together; other logs as they are.

    Only names are taken off that the log itself introduces as those of a package, or that yarn's brackets mark.
    """
    text = "\n".join(lines)
    hints = [hint for hint in _HINTS if hint in text]  # once for all lines: most logs have none
    found = {name for start in _starts(lines, hints) if (name := _started(start))} if hints else ()
    if not found:
        return list(lines)
    groups: dict[str, list[str]] = {}
    places: list[list[str]] = []
    for line in lines:
        name, colon, text = line.partition(": ")
        if not colon and line.endswith(":"):
            name = line[:-1]
        if name not in found:
            name, text = _started(line), line
        group = groups.get(name) if name else None
        if group is None:
            places.append(group := [])
            if name:
                groups[name] = group
        group.append(text)
    return [line for group in places for line in group]


def _starts(lines: Sequence[str], hints: Sequence[str]) -> set[str]:
    """Beginnings of lines that may introduce a package, each once: yarn's stand before every line of a log."""
    brackets = {line[: at + 3] for line in lines if line[:1] == "[" and (at := line.find(_BRACKET, 0, 300)) > 0}
    others = [hint for hint in hints if hint != _BRACKET]
    return brackets | {line for line in lines if any(hint in line for hint in others)} if others else brackets


def _started(line: str) -> str:
    start = _STARTS.match(line)
    name = next(filter(None, start.groups())) if start else ""
    return "" if name.strip("[]").lower() in _WORDS else name
