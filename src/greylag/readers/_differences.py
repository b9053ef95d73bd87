"""The diffs that formatters print of what they would change: each file with the first line that differs."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from greylag.model import Diagnostic
from greylag.readers._common import Locate, capped, text

_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))? @@")
_CELL = re.compile(r":cell[ _]\d{1,9}$")  # of a notebook, which counts lines of its own
_KEEP = 12  # lines of a hunk that are shown


@dataclass(slots=True)
class Difference:
    """Where a file differs first, and the lines around that; no line where only a cell of a notebook counts them."""

    line: int | None = None
    hunk: list[str] = field(default_factory=list)


def first_differences(lines: Iterable[str]) -> tuple[dict[str, Difference], list[str]]:
    """Files by the names that the unified diffs in `lines` give them, and the lines that are in no diff.

    How long a hunk is, its head says: a line of a source may look like the head of the next file.
    """
    found: dict[str, Difference] = {}
    rest: list[str] = []
    path, old, new = "", 0, 0  # lines that are left of a hunk
    row, first = 0, False
    for line in lines:
        if (old or new) and line[:1] in {" ", "-", "+", "\\", ""}:
            mark = line[:1] or " "
            if first and mark in "-+":
                found[path].line = found[path].line or row
            if first and len(found[path].hunk) < _KEEP:
                found[path].hunk.append(line)
            old, new = max(0, old - (mark in " -")), max(0, new - (mark in " +"))
            row += mark in " -"
        elif line.startswith("+++ "):
            path = line[4:].partition("\t")[0].strip()
        elif path and (head := _HUNK.match(line)):
            row, old, new = (int(head[1]), *(1 if count is None else int(count) for count in head.groups()[1:]))
            first = path not in found
            found.setdefault(path, Difference())
        elif not line.startswith(("--- ", "diff ")):
            rest.append(line)
    return {_CELL.sub("", name): _placed(name, one) for name, one in found.items()}, rest


def _placed(name: str, found: Difference) -> Difference:
    return Difference(None, found.hunk) if _CELL.search(name) else found


def unformatted(found: Mapping[str, Difference], tool: str, rule: str, locate: Locate) -> tuple[Diagnostic, ...]:
    """One diagnostic for each file that `tool` would format."""
    message = f"not formatted as {tool} does"
    return capped(
        Diagnostic(message, path=locate(path), line=one.line, rule=rule, excerpt=text("\n".join(one.hunk)))
        for path, one in found.items()
    )
