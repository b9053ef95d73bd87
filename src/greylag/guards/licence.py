"""The licence of a repository: whoever asked for something else does not want another one."""

import re
from collections.abc import Iterator
from functools import partial

from greylag.diffs import FileDiff, parse
from greylag.guards._guard import Guard, finding
from greylag.kinds import LICENCES, matches
from greylag.model import Diagnostic
from greylag.protocols import Change

_WHO = re.compile(r"\bcopyright\b|©|\(c\)", re.IGNORECASE)
_YEARS = re.compile(r"\b(?:19|20)\d\d\b(?:\s*[-\u2013,]\s*(?:(?:19|20)\d\d|present)\b)*")


def check(change: Change) -> Iterator[Diagnostic]:
    """Every edit of such a file but other years of a copyright. A new one in a directory of its own comes with code."""
    for file in parse(change.diff):
        name = next((name for name in sorted(file.names) if matches(name, LICENCES)), None)
        if name is None or (file.status == "added" and "/" in name) or file.status == "copied":
            continue
        if not _only_years(file):
            verb = {"added": "adds", "deleted": "deletes"}.get(file.status, "changes")
            yield finding(change, "licence", "licence/changed", f"{verb} {name}, which says who may do what", name)


def _only_years(file: FileDiff) -> bool:
    """Whether nothing but the years of its copyright is another one."""
    if file.status != "modified" or file.binary:
        return False
    sides = [[line.text for line in lines] for lines in (file.removed, file.added)]
    plain = [[_YEARS.sub("", text).strip() for text in side] for side in sides]
    return plain[0] == plain[1] and all(_WHO.search(text) for side in sides for text in side)


PLUGIN = partial(Guard, "licence", check)
