"""The licence of a repository, and what sources say of theirs: whoever asked for something else wants no other."""

import re
from collections.abc import Iterator
from functools import partial

from greylag.diffs import FileDiff, parse
from greylag.guards._code.source import language, scan
from greylag.guards._guard import Guard, finding, read
from greylag.kinds import LICENCES, matches
from greylag.model import Diagnostic
from greylag.protocols import Change, Tree

_WHO = re.compile(r"\bcopyright\b|©|\(c\)", re.IGNORECASE)
_YEARS = re.compile(r"\b(?:19|20)\d\d\b(?:\s*[-\u2013,]\s*(?:(?:19|20)\d\d|present)\b)*")
_NOTICE = re.compile(
    r"(?P<spdx>SPDX-License-Identifier:\s*[^\n*]{1,100})|(?P<owner>\bcopyright\b[^\n]{1,200})"
    r"|(?P<terms>\blicen[sc]ed under\b"
    r"|\bpermission is hereby granted\b|\bGNU (?:\w+ )?General Public\b|\bredistribution and use in\b)",
    re.IGNORECASE,
)
_HEAD = 5000  # characters of a file in which its notice is


def check(change: Change) -> Iterator[Diagnostic]:
    """Every edit of such a file but other years of a copyright. A new one in a directory of its own comes with code."""
    for file in parse(change.diff):
        name = next((name for name in sorted(file.names) if matches(name, LICENCES)), None)
        if name is None and file.status in {"modified", "renamed"} and language(file.path):
            yield from _notices(change, file)
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


def _notices(change: Change, file: FileDiff) -> Iterator[Diagnostic]:
    """What the first comments of a source said of its owners and licence, and do not say any more."""
    if not any(_NOTICE.search(line.text[:500]) for line in file.removed):
        return
    before, after = _said(change.base, file.old_path), _said(change.head, file.path)
    if lost := sorted(before - after):
        message = f"no longer says `{lost[0][:100]}`, which says who may do what"
        yield finding(change, "licence", "licence/notice", message, file.path)


def _said(tree: Tree, path: str) -> frozenset[str]:
    head = (read(tree, path) or "")[:_HEAD]
    notes = scan(head, language(path) or "").comments
    found = (_YEARS.sub("", match[0]).strip(" */#;.-") for match in _NOTICE.finditer(notes))
    return frozenset("".join(character for character in one.lower() if character not in " ,\t") for one in found)


PLUGIN = partial(Guard, "licence", check)
