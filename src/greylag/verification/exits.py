"""Where a change may end the process of its tests: a runner that is ended by them has no time to say where."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from greylag.diffs import DiffError, parse
from greylag.model import Diagnostic, Origin, Outcome, Phase, Severity, Verdict
from greylag.text import one_line

_NAMED = 2  # places
_EXIT = re.compile(
    r"\b_?_?exit\b!?\s{0,3}(?:[(;\d]|$)|\b(?:_Exit|quick_exit|abort|halt|die|quit|Halt|exitProcess)\s{0,3}[(!;]"
    r"|\bSystemExit\b|\.(?:exit|Exit|Fatal\w{0,3}|reallyExit)\(|\bkill\b"
)
_LINE = 300  # characters of a line that are looked at


def located(verdict: Verdict, diff: str) -> Verdict:
    """A failure of tests that names no place, with the added lines that may be why."""
    if verdict.outcome is not Outcome.FAILED or verdict.phase is not Phase.TEST or not verdict.diagnostics:
        return verdict
    if any(d.path and d.line for d in verdict.diagnostics if _new(d)):
        return verdict
    places = list(islice(_places(diff), _NAMED))
    if not places:
        return verdict
    first, *rest = verdict.diagnostics
    told = f"this change may end the process of the tests: {', '.join(places)}\n{first.excerpt}"
    return replace(verdict, diagnostics=(replace(first, excerpt=told), *rest))


def _new(diagnostic: Diagnostic) -> bool:
    return diagnostic.origin is Origin.NEW and diagnostic.severity is Severity.ERROR


def _places(diff: str) -> Iterator[str]:
    """Lines that end a process, as `path:line text`."""
    try:
        files = parse(diff)
    except DiffError:  # which guards say
        return
    for file in files:
        for line in file.added:
            if _EXIT.search(line.text[:_LINE]):
                yield f"{one_line(file.path, 120)}:{line.new} `{one_line(line.text, 80)}`"
