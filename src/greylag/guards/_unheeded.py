"""Calls whose failure was looked at, and that stand alone now: nobody is told how they went."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from greylag.diffs import FileDiff
from greylag.guards._case import plain
from greylag.guards._guard import finding
from greylag.guards._runs import concerned
from greylag.guards._source import language
from greylag.model import Diagnostic
from greylag.protocols import Change

_ALONE: Mapping[str, re.Pattern[str]] = {  # lines without blanks that are a call and nothing else
    "go": re.compile(r"([A-Za-z_][\w.\[\]]*\(.*\))"),
    "c": re.compile(r"(?:\(void\))?([A-Za-z_][\w.:>-]*\(.*\));"),
    "java": re.compile(r"([A-Za-z_][\w.]*\(.*\));?"),
    "js": re.compile(r"([A-Za-z_$][\w.$]*\(.*\));?"),
    "rust": re.compile(r"([A-Za-z_][\w.:]*\(.*\))\.ok\(\);"),
}
_HEEDED: Mapping[str, tuple[str, ...]] = {  # what stands before such a call where it is looked at
    "go": ("return", "iferr:=", "iferr=", "err:=", "err=", "if!"),
    "c": ("return", "if(", "if(!", "if((", "err=", "rc=", "ret=", "res="),
    "java": ("if(!",),
    "js": ("await",),
    "rust": (),
}
_SHORTEST, _WIDEST, _MOST = 6, 500, 300
_TOGETHER = re.compile(r"\bPromise\.\w+\(|\bwaitUntil\(|\ballSettled\(|\bvoid\b")
_QUIET = re.compile(r"(?:\w+\.)*(?:Lock|Unlock|RLock|RUnlock|Done|Wait|Add|Stop|cancel|close|free|log\w*|print\w*)\(")


def unheeded(change: Change, files: Iterable[FileDiff]) -> Iterator[Diagnostic]:
    """Added lines of sources with such a call, where no edit of the change makes another function of it."""
    places = [(file, run) for file, run in concerned(change, files) if language(file.path) in _ALONE]
    gone = "\n".join(line.text[:_WIDEST] for file, _ in places for line in islice(file.removed, _MOST))
    for file, run in places:
        family = language(file.path) or ""
        before, new = [plain(line.text[:_WIDEST]) for line in run.removed[:_MOST]], run.new
        if not before or not run.added or (family == "js" and _TOGETHER.search(new)):
            continue
        for line in run.added[:_MOST]:
            match = _ALONE[family].fullmatch("".join(line.text[:_WIDEST].split()))
            if not match or len(match[1]) < _SHORTEST or _QUIET.match(match[1]) or match[0].rstrip(";") in before:
                continue
            if _looked_at(match[1], family, before) and not _defined(match[1], gone):
                message = f"does not look any more how `{match[1][:60]}` went"
                yield finding(change, "suppressions", "sources/swallowed", message, file.path, line=line.new)
                break


def _looked_at(call: str, family: str, before: list[str]) -> bool:
    if family == "rust":
        return any(f"{call}?" in line for line in before)
    return any(line.startswith(f"{words}{call}") for line in before for words in _HEEDED[family]) or (
        family == "js" and any(f"=await{call}" in line for line in before)
    )


def _defined(call: str, gone: str) -> bool:
    """Whether the change edits the head of a function of that name: it may return nothing any more."""
    name = re.escape(call.partition("(")[0].rpartition(".")[2].rpartition(">")[2].rpartition(":")[2])
    head = rf"(?:\b(?:func|function|fn|fun|async)\b[^\n(]{{0,80}}(?:\([^()\n]{{0,80}}\)\s?)?|^\s*[\w<>,*&\s]{{1,60}}\s){name}\s?\([^\n]{{0,200}}\{{\s*$"
    return re.search(head, gone, re.MULTILINE) is not None
