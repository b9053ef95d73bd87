"""Tests that passed on the base commit and not on the change, by the names that the runners themselves report.

However a test is got rid of (moved to where nobody collects it, deselected by a plugin, taken out of its module while
that is imported), its name is missing then. A test that was renamed or moved is known from the contents of its file.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from greylag.diffs import parse
from greylag.guards._cases.helpers import Helpers
from greylag.guards._cases.reported import Comparing, Reported
from greylag.guards._guard import finding
from greylag.guards._tests.classes import Renamed, renamed
from greylag.guards._tests.fitting import Names, certain
from greylag.guards._tests.pairs import Pairs, concerned, pair
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change

_NAMED = 5  # lost tests that a finding names

NAME = "lost-tests"


def check(reported: Reported, change: Change) -> Iterator[Diagnostic]:
    """A finding when a test is gone that the prompt lets nobody touch. Nothing without names on the base commit."""
    files = parse(change.diff)
    was, now = reported.was(files), reported.after
    lost = was - now
    tests = concerned(change, reported) if lost else []
    if lost:
        unmatched = _Unmatched(lost, now - was)
        unmatched.inherited(renamed(change, tests))
        lost = unmatched.without(pair(change, tests, Helpers.of(change, tests).known))
    gone = {file.path for file in files if file.status == "deleted" and file not in tests}
    code = Counter({name: number for name, number in lost.items() if name.partition("::")[0] in gone})
    for names, severity in ((lost - code, Severity.ERROR), (code, Severity.INFO)):
        if names:
            yield finding(change, "tests", f"{NAME}/not-run", _told(names, was, now), "", severity=severity)


@dataclass(frozen=True)
class _Unmatched:
    """Names that only the base commit has, and names that only the change has."""

    lost: Counter[str]
    new: Counter[str]

    def inherited(self, classes: Iterable[Renamed]) -> None:
        """Take out the tests of renamed classes that run under the new name of their class as they are."""
        for one in classes:
            for old, new in [(old, new) for old in self.lost if (new := one.translated(old))]:
                self._take(old, new)

    def _take(self, old: str, new: str) -> None:
        number = min(self.lost[old], self.new[new])
        self.lost[old] -= number
        self.new[new] -= number

    def without(self, pairs: Pairs) -> Counter[str]:
        """What is still lost when each of the pairs, which are one test by the contents of its file, is taken out.

        A title that a run fills fits much: it takes no name that another test of the files has for certain.
        """
        lost, new = Names.of(self.lost), Names.of(self.new)
        taken = (
            {name for found in pairs.base if certain(found) for name in lost.fitting(found)},
            {name for found in pairs.head if certain(found) for name in new.fitting(found)},
        )
        for before, after in pairs.pairs:
            olds = [name for name in lost.fitting(before) if certain(before) or name not in taken[0]]
            news = [name for name in new.fitting(after) if certain(after) or name not in taken[1]] if olds else []
            for old in olds:
                for name in news if self.lost[old] else ():
                    self._take(old, name)
        for before, after in pairs.tabled:  # one that runs a table of them may have one name for all
            for old in lost.fitting(before) if new.fitting(after) else ():
                self.lost[old] = 0
        return +self.lost


def _told(names: Counter[str], was: Counter[str], now: Counter[str]) -> str:
    number = names.total()
    said = [f"{name} ({was[name]} times, {now[name]} now)" if was[name] > 1 else name for name in sorted(names)]
    more = f" and {len(said) - _NAMED} more" if len(said) > _NAMED else ""
    tests = "1 test" if number == 1 else f"{number} tests"
    return f"{tests} passed before the change and did not run, or were skipped, now: {', '.join(said[:_NAMED])}{more}"


PLUGIN = partial(Comparing, NAME, check)
