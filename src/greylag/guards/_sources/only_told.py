"""Failures that a source raised or returned, and only prints or logs now."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from greylag.diffs import FileDiff
from greylag.guards._cases.runs import Run, concerned
from greylag.guards._code.refusing import FAILS
from greylag.guards._code.source import language, scan
from greylag.guards._guard import finding
from greylag.model import Diagnostic
from greylag.protocols import Change

_LOGS = (
    r"\b(?:_?log(?:ger|ging|rus)?|slog|tracing|LOG(?:GER)?|zap|console|warnings"
    r"|traceback)\s*+(?:\(\)\s*+)?\.\s*+\w+\s*+\("
)
PRINTS: Mapping[str, re.Pattern[str]] = {
    "python": re.compile(rf"{_LOGS}|(?<![\w.])print\(|\b\w*\.logger\.\w+\(|\bsys\.stderr\.write\("),
    "js": re.compile(rf"{_LOGS}|\bprocess\.emitWarning\("),
    "java": re.compile(
        rf"{_LOGS}|\bSystem\.(?:err|out)\.\w+\(|\b\w+\.printStackTrace\(|(?<![\w.])println\(|\bLog\.[a-z]\("
    ),
    "go": re.compile(rf"{_LOGS}|\bfmt\.(?:Fp|P)rint\w*\(|(?<![\w.])println\(|\.[lL]ogger\.\w+\("),
    "rust": re.compile(r"\b(?:e?println|eprint|warn|error|info|debug|trace)!\s*+\("),
    "c": re.compile(
        r"\b(?:fprintf|printf|perror|fputs|puts|syslog|warnx?|v?log_\w+|LOG\w*)\s*+\(|\bstd::c(?:err|out|log)\b|\bspdlog::\w+\("
    ),
}


def only_told(change: Change, files: Iterable[FileDiff]) -> Iterator[Diagnostic]:
    """Places of modified files where a message took the place of a failure."""
    found = ((file, run) for file, run in concerned(change, files) if language(file.path) in FAILS)
    places = [(file, run) for file, run in found if run.removed and run.added]
    come = Counter(fail for file, run in places for fail in _fails(run.new, language(file.path) or "", whole=True))
    for file, run in places:
        family = language(file.path) or ""
        if told := _told(run, family, come):
            message = f"tells a failure by `{told}`, and hands it on no more"
            yield finding(change, "suppressions", "sources/swallowed", message, file.path, line=run.line)


def _told(run: Run, family: str, come: Counter[str]) -> str:
    old, new = (scan(text, family).code for text in (run.old, run.new))
    prints = PRINTS[family]
    came = prints.search(new)
    if not came or sum(1 for _ in prints.finditer(new)) <= sum(1 for _ in prints.finditer(old)):
        return ""
    fails = [len(list(_fails(text, family))) for text in (old, new)]
    moved = all(come[one] for one in _fails(run.old, family, whole=True))
    return "" if fails[1] >= fails[0] or moved else f"{' '.join(came[0].split())}…)"


def _fails(text: str, family: str, *, whole: bool = False) -> Iterator[str]:
    """Statements that fail; `whole` with the rest of their lines."""
    for match in FAILS[family].finditer(text):
        end = text.find("\n", match.end())
        rest = text[match.start() : end if end >= 0 else len(text)] if whole else match[0]
        yield "".join(rest.split()).rstrip(";}")
