"""Helpers that assert less than before, that are removed while tests call them, or overridden by nothing."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from greylag.diffs import FileDiff
from greylag.guards._cases.helpers import Helpers, leaf
from greylag.guards._cases.known import keys
from greylag.guards._cases.matching import Found
from greylag.guards._cases.suite import Suite
from greylag.guards._guard import fact, finding
from greylag.guards._tests.losses import weaker
from greylag.guards._tests.overridden import overridden
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change

_HELPER = "the helper "
_RUN = re.compile(r"(?:[\w.]*\.)?_*(?:set_?up|tear_?down)\w*|pytest_\w+", re.IGNORECASE)  # the runner itself calls them


def helper_losses(change: Change, files: Sequence[FileDiff], helpers: Helpers) -> Iterator[Diagnostic]:
    """Findings on helpers; a renamed or moved one is none."""
    for before, after in helpers.pairs:
        if not before.case.same(after.case):
            yield from weaker(change, before, after, what=_HELPER)
    yield from _removed(change, files, helpers.gone)
    for new, owner in overridden(change, files, helpers):
        message = f"overrides {_HELPER}`{leaf(new)}` of `{owner}` by one that asserts nothing"
        yield finding(change, "tests", "tests/overridden-helper", message, new.file.path, line=new.case.line)


def _removed(change: Change, files: Sequence[FileDiff], gone: Sequence[Found]) -> Iterator[Diagnostic]:
    if not gone:
        return
    suite = Suite(change.head, files)
    names = frozenset(map(leaf, gone))
    asserting = {found.case.name.rpartition(".")[2] for found in suite.helpers(names) if found.case.proof.asserts}
    callers: defaultdict[str, str] = defaultdict(str)
    for path, ways in suite.calls(names - asserting):
        for way in ways:
            callers[way] = callers[way] or path
    for found in gone:
        words = f"removes {_HELPER}`{found.case.name}`"
        caller = next((callers[way] for way in keys(found.file.path, found.case.name) if callers[way]), "")
        if _RUN.fullmatch(found.case.name):
            caller = "the runner"
        if caller:
            message = f"{words}, which asserts and which {caller} still calls"
            yield finding(change, "tests", "tests/deleted-helper", message, found.file.path)
        elif found.file.status != "deleted":
            words += ", which no test calls any more"
            yield fact("tests/unused-helper", words, found.file.path, severity=Severity.INFO)
