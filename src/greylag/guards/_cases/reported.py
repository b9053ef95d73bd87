"""Names that runners reported for tests that passed: on the base commit, and on the change."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from greylag.diffs import FileDiff
from greylag.guards._guard import Guard
from greylag.model import Diagnostic, Phase, Verdict
from greylag.protocols import Activation, Change, Context, Tree

_ARGUMENTS = re.compile(r"^([^\s\[({]+)[\[({].*[\])}]$")  # a parametrised test: its arguments are volatile text
_SUBTEST = re.compile(r"^((?:[^\s:]*?\.)?(?:Test|Fuzz)\w*)/.*$")  # of Go, mostly a row of a table
_VOLATILE = re.compile(
    r"0x[0-9a-f]{6,}|\b\d{6,}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|/tmp/\S+", re.IGNORECASE
)


@dataclass(frozen=True)
class Reported:
    """How often a test of a name passed. Names begin with a file only where the runner says so (pytest: `file::`)."""

    before: Counter[str]
    after: Counter[str]

    @classmethod
    def of(cls, context: Context) -> "Reported":
        """What the verdicts of both sides name; nothing without a baseline, or where reports name no test.

        What was run only in part, as inside an agent's loop, says nothing of the tests that were not.
        """
        part = {_of(verdict) for verdict in context.earlier if verdict.details.get("partial")}
        before = context.baseline.verdicts if context.baseline else ()
        whole = ([v for v in side if _of(v) not in part] for side in (before, context.earlier))
        return cls(*map(_names, whole))

    def was(self, files: Iterable[FileDiff]) -> Counter[str]:
        """`before`, with the paths that files have now."""
        moved = {file.old_path: file.path for file in files if file.status == "renamed"}
        found = Counter[str]()
        for name, number in self.before.items():
            file, mark, rest = name.partition("::")
            found[f"{moved.get(file, file)}{mark}{rest}"] += number
        return found

    @cached_property
    def files(self) -> frozenset[str]:
        """Files that names of either side begin with."""
        names = (name.partition("::") for name in (*self.before, *self.after))
        return frozenset(file for file, mark, _ in names if mark)

    def ran(self, path: str, test: str) -> bool:
        """Whether a test of a file (`Class.test`) passed, on either side."""
        name = f"{path}::{test.replace('.', '::')}"
        return name in self.before or name in self.after


def _of(verdict: Verdict) -> tuple[str, str, Phase]:
    return verdict.verifier, verdict.root, verdict.phase


NOTHING = Reported(Counter(), Counter())


@dataclass(frozen=True, slots=True)
class Comparing:
    """A guard that also looks at what runners reported."""

    name: str
    check: Callable[[Reported, Change], Iterable[Diagnostic]]

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Every change, whatever the repository contains."""
        return Guard(self.name, partial(self.check, NOTHING)).detect(tree)

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """The findings on `context.change`; an unreadable diff blocks."""
        return Guard(self.name, partial(self.check, Reported.of(context))).verify(activation, context)


def steady(name: str) -> str:
    """A text without what differs from run to run."""
    return _VOLATILE.sub("#", name)


def plain(name: str) -> str:
    """A name without what differs from run to run, and without arguments. Tests that differ in that are counted."""
    return steady(_ARGUMENTS.sub(r"\1", _SUBTEST.sub(r"\1", name)))


def _names(verdicts: Iterable[Verdict]) -> Counter[str]:
    return Counter(plain(name) for v in verdicts if v.phase is Phase.TEST and v.counts for name in v.counts.passed)
