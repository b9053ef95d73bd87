"""Tests that passed on the base commit and not on the change, by the names that the runners themselves report.

However a test is got rid of (moved to where nobody collects it, deselected by a plugin, taken out of its module while
that is imported), its name is missing then. A test that was renamed or moved is known from the contents of its file.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from greylag.diffs import parse
from greylag.guards._classes import Renamed, renamed
from greylag.guards._guard import finding
from greylag.guards._pairs import Found, concerned, pair
from greylag.guards._reported import Comparing, Reported, plain
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change

_NAMED = 5  # lost tests that a finding names
_SEPARATOR = re.compile(r"[\s.:>/#]")
_FILLED = re.compile(r"%[a-zA-Z#%]|\$\{[^}]*\}|\$[\w.]+")  # places of a title that a table fills

NAME = "lost-tests"


def check(reported: Reported, change: Change) -> Iterator[Diagnostic]:
    """A finding when a test is gone that the prompt lets nobody touch. Nothing without names on the base commit."""
    files = parse(change.diff)
    was, now = reported.was(files), reported.after
    lost, tests = was - now, concerned(change, reported)
    if lost:
        unmatched = _Unmatched(lost, now - was)
        unmatched.inherited(renamed(change, tests))
        lost = unmatched.without(pair(change, tests).pairs)
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

    def without(self, pairs: Iterable[tuple[Found, Found]]) -> Counter[str]:
        """What is still lost when each of the pairs, which are one test by the contents of its file, is taken out."""
        index = _by_end(self.lost), _by_end(self.new)
        for before, after in pairs:
            for old in _fitting(index[0], before):
                for new in _fitting(index[1], after) if self.lost[old] else ():
                    self._take(old, new)
        return +self.lost


def _by_end(names: Iterable[str]) -> dict[str, list[str]]:
    """Names by their last word, and all of them by "": a report may have tens of thousands."""
    index: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        index[""].append(name)
        index[_SEPARATOR.split(name)[-1]].append(name)
    return index


def _fitting(index: Mapping[str, list[str]], found: Found) -> list[str]:
    """Names that a runner may have for a test: its title after others', filled in; a method after its class."""
    title = re.sub(r"#\d+$", "", found.case.name).strip("`")
    title = title.rpartition(".")[2] if found.file.path.endswith(".py") else re.sub(r"\\(.)", r"\1", title)
    parts = _FILLED.split(plain(title))
    last = "" if len(parts) > 1 else _SEPARATOR.split(parts[0])[-1]
    pattern = re.compile(rf"(?:^|{_SEPARATOR.pattern}){'.{0,200}'.join(map(re.escape, parts))}$")
    return [name for name in index.get(last, ()) if pattern.search(name)]


def _told(names: Counter[str], was: Counter[str], now: Counter[str]) -> str:
    number = names.total()
    said = [f"{name} ({was[name]} times, {now[name]} now)" if was[name] > 1 else name for name in sorted(names)]
    more = f" and {len(said) - _NAMED} more" if len(said) > _NAMED else ""
    tests = "1 test" if number == 1 else f"{number} tests"
    return f"{tests} passed before the change and did not run, or were skipped, now: {', '.join(said[:_NAMED])}{more}"


PLUGIN = partial(Comparing, NAME, check)
