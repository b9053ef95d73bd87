"""What all readers share: paths, caps, and access to JSON that may hold anything anywhere."""

import json
import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import unquote

from greylag.model import Counts, Diagnostic
from greylag.text import cap, clean, one_line

Tests = tuple[Counts, tuple[Diagnostic, ...]]
Locate = Callable[[object], str | None]

WORKSPACE = "/workspace"
UNREADABLE = "unreadable-report"
LARGEST = 64 << 20  # bytes of one report
MOST = 20_000  # diagnostics of one report
NAMES = 200_000  # tests of one report whose names are kept


def unreadable(what: str, why: object = "") -> Diagnostic:
    """The diagnostic for a report that says nothing we can trust."""
    return Diagnostic(one_line(f"unreadable report: {what}: {why}", 300), rule=UNREADABLE)


def locator(cwd: str, workspace: str) -> Locate:
    """A function that makes paths and file URLs relative to the repository; None for what is no path."""

    def locate(path: object) -> str | None:
        if not isinstance(path, str) or not path.strip():
            return None
        path = unquote(path[7:]) if path.startswith("file://") else path
        path = one_line(path.replace("\\", "/"), 1000)
        absolute = posixpath.normpath(posixpath.join(workspace, cwd, path))
        inside = absolute.removeprefix(workspace.rstrip("/") + "/")
        return inside if inside != absolute else absolute

    return locate


def text(value: object, limit: int = 2000) -> str:
    """Cleaned and capped text, empty for anything but a string."""
    return cap(clean(value[: 4 * limit]).strip(), limit) if isinstance(value, str) else ""


def word(value: object, limit: int = 300) -> str | None:
    """One cleaned line, None for anything but a string with something in it."""
    return (one_line(value, limit) or None) if isinstance(value, str) else None


def number(value: object, plus: int = 0) -> int | None:
    """A positive line or column number, None for anything else."""
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value + plus if 0 < value + plus < 1 << 31 else None


def table(value: object) -> dict[str, Any]:
    """The value when it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def tables(value: object) -> Iterator[dict[str, Any]]:
    """The objects in a JSON array; nothing for anything else."""
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())


def load(data: bytes) -> object:
    """The JSON in `data`, also with other output before or after it. Raises `ValueError` when there is none."""
    if len(data) > LARGEST:
        raise ValueError(f"{len(data)} bytes")
    source = data.decode("utf-8-sig", "replace")
    try:
        return loads(source)
    except ValueError as error:
        starts = [at for at in (source.find("\n["), source.find("\n{")) if at >= 0]
        begin = 0 if source[:1] in {"[", "{"} else min(starts, default=-1)
        end = max(source.rfind("]"), source.rfind("}"))
        if begin < 0 or end < begin:
            raise ValueError(f"{error}") from error
        return loads(source[begin : end + 1])


def json_lines(data: bytes) -> Iterator[object]:
    """The JSON objects among the lines of `data`. Raises `ValueError` for a line that begins like one and is none."""
    if len(data) > LARGEST:
        raise ValueError(f"{len(data)} bytes")
    for line in data.decode("utf-8-sig", "replace").split("\n"):
        if line.startswith("{"):
            yield loads(line)


def loads(source: str) -> object:
    """The JSON that `source` is. Raises `ValueError` for anything else."""
    try:
        return json.loads(source)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def names(tests: Sequence[str]) -> tuple[str, ...]:
    """Names of tests that passed, for `Counts.passed`: none at all of more than can be kept."""
    return tuple(sorted(one_line(test, 500) for test in tests)) if len(tests) <= NAMES else ()


def capped(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """At most `MOST` of them, without repetitions."""
    seen: dict[Diagnostic, None] = {}
    for diagnostic in diagnostics:
        seen.setdefault(diagnostic)
        if len(seen) >= MOST:
            break
    return tuple(seen)
