"""Expected output that has marks of a failure in the place of a value: it was taken over from a wrong result."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from greylag.diffs import FileDiff
from greylag.guards._cases.runs import runs
from greylag.guards._guard import finding
from greylag.kinds import matches
from greylag.model import Diagnostic
from greylag.protocols import Change

_EXPECTED = """
*.snap __snapshots__/ snapshots/ *.approved.* *.golden golden/ goldens/ *golden*.* expected/ *expected*.* *.expected
"""
_BROKEN = re.compile(
    r"\bundefined\b|\bNaN\b|\[object \w{1,40}\]|\bInvalid Date\b|\bTraceback \(most recent call last\)|%!\w?\("
    r"|<[\w.]{1,80} object at 0x|\bgoroutine \d{1,9} \[|\bSegmentation fault\b|\bat [\w.$]{1,200}\(\w{1,80}\.java:\d"
)
_WIDEST = 2000  # characters of a line


def broken(change: Change, files: Sequence[FileDiff]) -> Iterator[Diagnostic]:
    """Findings on files of expected output; what a new case is expected to show is none, since nothing gave way."""
    for file in files:
        if file.status not in {"modified", "renamed"} or file.binary or not matches(file.path, _EXPECTED):
            continue
        for run in runs(file):
            had, has = (
                Counter(one for line in lines for one in _BROKEN.findall(line.text[:_WIDEST]))
                for lines in (run.removed, run.added)
            )
            if run.removed and (come := has - had):
                message = f"takes `{min(come)}` over into what is expected, where another value was"
                yield finding(change, "tests", "tests/broken-data", message, file.path, line=run.line)
                break
