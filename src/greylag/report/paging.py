"""Logs that a report names, a page or the hits of a search at a time: nobody has to read all of one."""

import os
from pathlib import Path

from greylag.text import cap, clean, one_line

LINES = 150  # of one page
_WIDTH = 400  # characters of a line
_AROUND = 2  # lines before and behind a hit
_HALF = 4 << 20  # bytes at either end of a log that are looked at
_NAMED = 12  # logs that are told where there is none of a name


def read(logs: Path | None, name: str, number: int = 1, search: str = "") -> str:
    """A page of the log `name` below the directory `logs`, or which ones there are; None: there are none yet.

    This is what an agent may ask for: what lies beside the logs, as what a judge was asked and thought, is not.
    """
    path = find(logs, name) if logs and name.endswith(".log") else None
    if logs is None or path is None:
        return f"there is no log `{one_line(name, 200)}`; {known(logs)}"
    return page(load(path), number, search)


def find(logs: Path, name: str) -> Path | None:
    """The file of a log, which is below `logs`. An agent may ask for any name."""
    try:
        path = logs / name
        return path if path.resolve().is_relative_to(logs.resolve()) and path.is_file() else None
    except (OSError, ValueError):  # too long, or no name of a file at all
        return None


def load(path: Path) -> bytes:
    """A log, without the middle of a very large one: what an agent asks for must not take the machine's memory."""
    with path.open("rb") as file:
        data = file.read(_HALF)
        rest = os.fstat(file.fileno()).st_size - _HALF
        if rest > _HALF:
            file.seek(-_HALF, os.SEEK_END)
            data += b"\n... (the log is cut here)\n"
        return data + file.read(_HALF)


def known(logs: Path | None) -> str:
    """The names of the last logs, in words."""
    names = sorted(str(path.relative_to(logs)) for path in logs.rglob("*.log")) if logs else []
    return f"there are: {', '.join(names[-_NAMED:]) or 'none'}"


def page(log: bytes, number: int = 1, search: str = "") -> str:
    """One page of a log, with the numbers of its lines; of a `search`, lines with that text, whatever its case."""
    lines = clean(log).split("\n")
    if lines and not lines[-1]:
        lines.pop()
    chosen = _near(lines, search) if search else list(range(len(lines)))
    pages = max(1, -(-len(chosen) // LINES))
    number = min(max(number, 1), pages)
    shown = chosen[(number - 1) * LINES : number * LINES]
    what = f"lines near {search!r}" if search else "lines"
    head = f"page {number} of {pages}, {len(chosen)} {what} of {len(lines)}"
    return "\n".join((head, *(f"{at + 1}: {cap(lines[at], _WIDTH)}" for at in shown)))


def _near(lines: list[str], search: str) -> list[int]:
    wanted = search.casefold()
    hits = [at for at, line in enumerate(lines) if wanted in line.casefold()]
    near = {at for hit in hits for at in range(hit - _AROUND, hit + _AROUND + 1)}
    return sorted(at for at in near if 0 <= at < len(lines))
