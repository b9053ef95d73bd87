"""Logs that a report names, a page or the hits of a search at a time: nobody has to read all of one."""

from pathlib import Path

from greylag.text import cap, clean, one_line

LINES = 150  # of one page
_WIDTH = 400  # characters of a line
_AROUND = 2  # lines before and behind a hit
_NAMED = 12  # logs that are told where there is none of a name


def read(logs: Path, name: str, number: int = 1, search: str = "") -> str:
    """A page of the log `name` below the directory `logs`, or which ones there are."""
    path = find(logs, name)
    return (
        f"there is no log `{one_line(name, 200)}`; {known(logs)}"
        if path is None
        else page(path.read_bytes(), number, search)
    )


def find(logs: Path, name: str) -> Path | None:
    """The file of a log, which is below `logs`."""
    path = logs / name.replace("\0", "")
    return path if path.resolve().is_relative_to(logs.resolve()) and path.is_file() else None


def known(logs: Path) -> str:
    """The names of the last logs, in words."""
    names = sorted(str(path.relative_to(logs)) for path in logs.rglob("*.log"))
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
