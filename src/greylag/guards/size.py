"""Changes of unusual size: shown, not blocked. Lock files, generated and vendored ones do not count."""

from collections.abc import Iterator
from functools import partial

from greylag.diffs import parse
from greylag.guards._guard import Guard, finding
from greylag.kinds import classify
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change


def plugin(files: int = 100, lines: int = 3000, file_bytes: int = 1_000_000) -> Guard:
    """Warns above `files` changed files, `lines` added and removed lines, `file_bytes` bytes of one new file."""
    return Guard("size", partial(_check, files=files, lines=lines, file_bytes=file_bytes))


def _check(change: Change, *, files: int, lines: int, file_bytes: int) -> Iterator[Diagnostic]:
    counted = [file for file in parse(change.diff) if classify(file.path) not in {"lock", "generated", "vendored"}]
    if len(counted) > files:
        message = f"changes {len(counted)} files; more than {files} are unusual"
        yield finding(change, "size", "size/files", message, "", severity=Severity.WARNING)
    changed = sum(line.sign != " " for file in counted for line in file.lines)
    if changed > lines:
        message = f"changes {changed} lines; more than {lines} are unusual"
        yield finding(change, "size", "size/lines", message, "", severity=Severity.WARNING)
    for file in counted:
        size = _size(change, file.path) if file.status == "added" else 0
        if size > file_bytes:
            message = f"adds a file of {size:,} bytes; more than {file_bytes:,} are unusual"
            yield finding(change, "size", "size/large-file", message, file.path, severity=Severity.WARNING)


def _size(change: Change, path: str) -> int:
    try:
        return len(change.head.read(path))
    except KeyError:
        return 0


PLUGIN = plugin
