"""Changes of unusual size: shown, not blocked. Lock files, generated and vendored ones do not count."""

from collections.abc import Iterator
from functools import partial

from greylag.diffs import parse
from greylag.guards._guard import Guard, finding
from greylag.kinds import classify
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change

_FILES = 100
_LINES = 3000  # added and removed ones
_BYTES = 1_000_000  # of one new file


def check(change: Change) -> Iterator[Diagnostic]:
    """Warnings above so many files and lines, and for large new files."""
    counted = [file for file in parse(change.diff) if classify(file.path) not in {"lock", "generated", "vendored"}]
    if len(counted) > _FILES:
        message = f"changes {len(counted)} files; more than {_FILES} are unusual"
        yield finding(change, "size", "size/files", message, "", severity=Severity.WARNING)
    changed = sum(line.sign != " " for file in counted for line in file.lines)
    if changed > _LINES:
        message = f"changes {changed} lines; more than {_LINES} are unusual"
        yield finding(change, "size", "size/lines", message, "", severity=Severity.WARNING)
    for file in counted:
        size = _size(change, file.path) if file.status == "added" else 0
        if size > _BYTES:
            message = f"adds a file of {size:,} bytes; more than {_BYTES:,} are unusual"
            yield finding(change, "size", "size/large-file", message, file.path, severity=Severity.WARNING)


def _size(change: Change, path: str) -> int:
    try:
        return len(change.head.read(path))
    except KeyError:
        return 0


PLUGIN = partial(Guard, "size", check)
