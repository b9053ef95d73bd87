"""Calls whose failure was looked at, and that stand alone now: nobody is told how they went."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from greylag.diffs import FileDiff
from greylag.guards._cases.runs import concerned
from greylag.guards._code.source import language, plain
from greylag.guards._guard import finding
from greylag.model import Diagnostic
from greylag.protocols import Change

_ALONE: Mapping[str, re.Pattern[str]] = {  # lines without blanks that are a call and nothing else
    "go": re.compile(r"([A-Za-z_][\w.\[\]]*\(.*\))"),
    "c": re.compile(r"(?:\(void\))?([A-Za-z_][\w.:>-]*\(.*\));"),
    "java": re.compile(r"([A-Za-z_][\w.]*\(.*\));?"),
    "js": re.compile(r"([A-Za-z_$][\w.$]*\(.*\));?"),
}
_HEEDED: Mapping[str, re.Pattern[str]] = {  # what stands before such a call where it is looked at
    "go": re.compile(r"return|(?:if)?err:?=|if!"),
    "c": re.compile(r"return|if\(!?\(?(?:\w+=)?|(?:int|auto|bool|\w{1,40}_t)?(?:err\w*|rc|re[st]|status)="),
    "java": re.compile(r"if\(!"),
    "js": re.compile(r"await|(?:const|let)?[\w{},]{0,80}=await"),
}
_HEAD = re.compile(  # of a function: its name
    r"\b(?:func|function|fn|fun|async)\b[^\n(]{0,80}?(?:\([^()\n]{0,80}\)\s?)?\b(\w{1,80}+)\s?[(<]"
    r"|^[ \t]{0,40}[\w<>,*& ]{1,60}[ *](\w{1,80}+)\s?\([^;\n]{0,200}\{\s?$",
    re.MULTILINE,
)
_NAME = re.compile(r"(\w+)\($")
_SHORTEST, _WIDEST, _MOST = 6, 500, 300
_TOGETHER = re.compile(r"\bPromise\.\w+\(|\bwaitUntil\(|\ballSettled\(|\bvoid\b")
_QUIET = re.compile(
    r"(?:[\w$]+(?:\.|->|::))*(?:R?Lock|R?Unlock|Done|Wait|Add|Stop|cancel|close|free|log\w*|print\w*)\("
)


def unheeded(change: Change, files: Iterable[FileDiff]) -> Iterator[Diagnostic]:
    """Added lines of sources with such a call, where no edit of the change makes another function of it."""
    places = [(file, run) for file, run in concerned(change, files) if language(file.path) in _ALONE]
    defined: set[str] = set()
    for file in {id(file): file for file, _ in places}.values():
        gone = "\n".join(line.text[:_WIDEST] for line in file.removed)
        defined.update(match[1] or match[2] for match in _HEAD.finditer(gone))
    for file, run in places:
        family = language(file.path) or ""
        if not run.removed or not run.added or (family == "js" and _TOGETHER.search(run.new)):
            continue
        before = [plain(line.text[:_WIDEST]) for line in run.removed[:_MOST]]
        heeded = _heeded(before, family)
        for line in run.added[:_MOST]:
            match = _ALONE[family].fullmatch("".join(line.text[:_WIDEST].split()))
            call = match[1] if match else ""
            if len(call) < _SHORTEST or _QUIET.match(call) or plain(line.text[:_WIDEST]) in before:
                continue
            ahead = call.partition("(")[0] + "("
            name = _NAME.search(ahead)
            if any(one.startswith(call) for one in heeded[ahead]) and name and name[1] not in defined:
                message = f"does not look any more how `{call[:60]}` went"
                yield finding(change, "suppressions", "sources/swallowed", message, file.path, line=line.new)
                break


def _heeded(before: Sequence[str], family: str) -> defaultdict[str, list[str]]:
    """What stood behind such words, by the name that is called; a few of each name."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for line in before:
        match = _HEEDED[family].match(line)
        rest = line[match.end() :] if match else ""
        kept = found[rest.partition("(")[0] + "("]
        if rest and len(kept) < 10:
            kept.append(rest)
    return found
