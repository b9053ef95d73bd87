"""Tests that passed on the base commit and not on the change, by the names that the runners themselves report.

However a test is got rid of (moved to where nobody collects it, deselected by a plugin, taken out of its module while
that is imported), its name is missing then. A test that was renamed or moved is known from the contents of its file.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from greylag.diffs import parse
from greylag.guards._guard import Guard, finding
from greylag.guards._pairs import Found, same
from greylag.kinds import TESTS, matches
from greylag.model import Diagnostic, Phase, Severity, Verdict
from greylag.protocols import Activation, Change, Context, Tree

_NAMED = 5  # lost tests that a finding names
_ARGUMENTS = re.compile(r"^([^\s\[({]+)[\[({].*[\])}]$")  # a parametrised test: its arguments are volatile text
_VOLATILE = re.compile(
    r"0x[0-9a-f]{6,}|\b\d{6,}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|/tmp/\S+", re.IGNORECASE
)
_SEPARATOR = re.compile(r"[\s.:>/#]")
_FILLED = re.compile(r"%[a-zA-Z#%]|\$\{[^}]*\}|\$[\w.]+")  # places of a title that a table fills

NAME = "lost-tests"


@dataclass(frozen=True, slots=True)
class LostTests:
    """Guard that compares the tests that passed with those of the base commit."""

    name: str = NAME

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Every change."""
        return (Activation(self.name, self.name, Phase.GUARD, ".", "every change"),)

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """A failure when a test is gone that the prompt lets nobody touch. Nothing without names on the base commit."""
        before = context.baseline.verdicts if context.baseline else ()
        return Guard(self.name, partial(_check, before, context.earlier)).verify(activation, context)


PLUGIN = LostTests


def _check(before: Sequence[Verdict], after: Sequence[Verdict], change: Change) -> Iterator[Diagnostic]:
    files = parse(change.diff)
    was = _names(before, {file.old_path: file.path for file in files if file.status == "renamed"})
    now = _names(after, {})
    lost = was - now
    if lost:
        lost = _Unmatched(lost, now - was).without(same(change))
    gone = {file.path for file in files if file.status == "deleted" and not matches(file.path, TESTS)}
    code = Counter({name: number for name, number in lost.items() if name.partition("::")[0] in gone})
    for names, severity in ((lost - code, Severity.ERROR), (code, Severity.INFO)):
        if names:
            yield finding(change, "tests", f"{NAME}/not-run", _told(names, was, now), "", severity=severity)


def _names(verdicts: Iterable[Verdict], moved: dict[str, str]) -> Counter[str]:
    """How often a test of a name passed; names begin with a file only where the runner says so (pytest)."""
    found = Counter[str]()
    for name in (name for v in verdicts if v.phase is Phase.TEST and v.counts for name in v.counts.passed):
        file, mark, rest = _plain(name).partition("::")
        found[f"{moved.get(file, file)}{mark}{rest}"] += 1
    return found


def _plain(name: str) -> str:
    """A name without what differs from run to run. Tests that only differ in that are counted."""
    return _VOLATILE.sub("#", _ARGUMENTS.sub(r"\1", name))


@dataclass(frozen=True)
class _Unmatched:
    """Names that only the base commit has, and names that only the change has."""

    lost: Counter[str]
    new: Counter[str]

    def without(self, pairs: Iterable[tuple[Found, Found]]) -> Counter[str]:
        """What is still lost when each of the pairs, which are one test by the contents of its file, is taken out."""
        index = _by_end(self.lost), _by_end(self.new)
        for before, after in pairs:
            for old in _fitting(index[0], before):
                for new in _fitting(index[1], after) if self.lost[old] else ():
                    number = min(self.lost[old], self.new[new])
                    self.lost[old] -= number
                    self.new[new] -= number
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
    parts = _FILLED.split(_plain(title))
    last = "" if len(parts) > 1 else _SEPARATOR.split(parts[0])[-1]
    pattern = re.compile(rf"(?:^|{_SEPARATOR.pattern}){'.{0,200}'.join(map(re.escape, parts))}$")
    return [name for name in index.get(last, ()) if pattern.search(name)]


def _told(names: Counter[str], was: Counter[str], now: Counter[str]) -> str:
    number = names.total()
    said = [f"{name} ({was[name]} times, {now[name]} now)" if was[name] > 1 else name for name in sorted(names)]
    more = f" and {len(said) - _NAMED} more" if len(said) > _NAMED else ""
    tests = "1 test" if number == 1 else f"{number} tests"
    return f"{tests} passed before the change and did not run, or were skipped, now: {', '.join(said[:_NAMED])}{more}"
