"""Checks that build files ran at the base, and that the head does not run, or not in the same strength."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from posixpath import basename, dirname, join, normpath

from greylag.diffs import FileDiff
from greylag.guards._code.kept import kept
from greylag.guards._code.source import LARGEST
from greylag.guards._gates.checks import checks, unheeded
from greylag.guards._gates.narrowed import Files, Places, fault
from greylag.guards._gates.strength import Check
from greylag.guards._gates.tasks import Tasks, bare, code, tasks
from greylag.guards._guard import read
from greylag.protocols import Change, Tree

_MOST, _TASKS, _SCRIPTS, _COMPARED = 100, 300, 30, 300  # checks of a task, tasks of a file, scripts, comparisons
_LOCAL = re.compile(r"(?:g?make|just|task|rake) (.+)")
_ROLES = (
    re.compile(r"test|spec\b|jest|mocha|ava\b|jasmine|karma|tox|nox|cypress|playwright|pest\b|bats|e2e|phpunit"),
    re.compile(r"mypy|pyright|pyre|tsc|types|typing|dialyzer|tsd"),
)
_OPAQUE = re.compile(
    r"(?:tox|nox|pre-commit run)\b.*|(?:npm|make|just|task|rake|composer) (?:ci|check|verify|validate)\b.*"
)


@dataclass(frozen=True, slots=True)
class Loss:
    """A check that is gone (no fault) or weaker, and whether something else may have taken its place."""

    check: Check
    task: str
    fault: str = ""
    line: int | None = None
    replaced: bool = False


@kept
def _tasks(path: str, text: str, program: bool) -> Tasks:
    return tasks(path, text) or (code(path, text) if program else {})


@dataclass(slots=True)
class _Side:
    """The tasks of one file on one side of a change, with all that they run."""

    tree: Tree
    path: str
    program: bool = False
    seen: dict[str, list[Check]] = field(default_factory=dict)

    def tasks(self) -> Tasks:
        text = read(self.tree, self.path)
        return _tasks(self.path, text, self.program) if text and len(text) <= LARGEST else {}

    def of(self, task: str) -> list[Check]:
        """Checks of a task, and of the tasks and scripts that it runs."""
        if task not in self.seen:
            self.seen[task] = _reached(self, task, self.tasks())
        return self.seen[task]


def _reached(side: _Side, task: str, every: Tasks) -> list[Check]:
    found, done, coming, scripts = list[Check](), {task}, [(task, True)], set[str]()
    while coming and len(found) < _MOST and len(done) < _MOST:
        name, heeded = coming.pop()
        if name not in every:
            continue
        coming += [(one, heeded) for one in every[name].needs if one not in done]
        done.update(every[name].needs)
        for command in every[name].commands[: 10 * _MOST]:
            for check in checks(command, bare=bare(side.path), within=name or basename(side.path)):
                inner = _scripted(side, check, scripts) if "/" in check.key or "." in check.key else None
                found += [one if heeded else unheeded(one) for one in ([check] if inner is None else inner)]
                local = _LOCAL.fullmatch(check.key)
                if local and local[1] in every and local[1] not in done:
                    done.add(local[1])
                    coming.append((local[1], heeded and check.heeded))
    return found


def _scripted(side: _Side, check: Check, seen: set[str]) -> list[Check] | None:
    """What a script of the repository checks, where a task runs one; None where it may check in a way of its own.

    One that was seen before says nothing new.
    """
    for home in dict.fromkeys(("", dirname(side.path))):
        path = normpath(join(home, check.key))
        text = read(side.tree, path)
        if text is None or len(text) > LARGEST or len(seen) > _SCRIPTS:
            continue
        if path in seen:
            return []
        seen.add(path)
        found = list[Check]()
        for one in (
            one for task in _tasks(path, text, False).values() for command in task.commands for one in checks(command)
        ):
            inner = _scripted(side, one, seen) if "/" in one.key else None
            found += [one] if inner is None else inner
        if found or re.search(r"lint|fmt|format", check.key):
            return [one if check.heeded else unheeded(one) for one in found[:_MOST]]
    return None


@dataclass(frozen=True)
class Checks:
    """Compares the checks of both sides of a change. What comes in one file may be what another has lost."""

    change: Change
    files: Sequence[FileDiff]

    @cached_property
    def _sides(self) -> tuple[Files, Files]:
        return Files(self.change.base.paths()), Files(self.change.head.paths())

    @cached_property
    def _faults(self) -> dict[tuple[Check, Check, str], str]:
        return {}

    def _fault(self, old: Check, new: Check, home: str) -> str:
        """By what one is less than another, asked once for each pair."""
        pair = (_plain(old), _plain(new), home)
        if pair not in self._faults:
            said = fault(old, new, Places(*self._sides, home)) if len(self._faults) < _COMPARED else ""
            self._faults[pair] = said
        return self._faults[pair]

    def held(self, file: FileDiff) -> frozenset[str]:
        """Keys of the checks that a changed file runs on both sides, or that have come in another one."""
        lost = {loss.check.key for loss in self.lost(file)}
        side = _Side(self.change.base, file.old_path)
        return frozenset(one.key for task in side.tasks() for one in side.of(task)) - lost - {"set -e"}

    def has_some(self, file: FileDiff) -> bool:
        """Whether the base's file runs checks that are known as such."""
        side = _Side(self.change.base, file.old_path)
        return any(one.key != "set -e" for task in side.tasks() for one in side.of(task))

    @cached_property
    def _come(self) -> list[Check]:
        """Checks of changed files that their base does not have."""
        found: list[Check] = []
        for file in [file for file in self.files if file.status != "deleted"]:
            side = _Side(self.change.head, file.path)
            own = [one for task in side.tasks() for one in side.of(task)]
            if own and file.status != "added":
                old = _Side(self.change.base, file.old_path)
                had = {one.key for task in old.tasks() for one in old.of(task)}
                own = [one for one in own if one.key not in had]
            found += own
        return found

    def lost(self, file: FileDiff, *, program: bool = False) -> Iterator[Loss]:
        """One loss for each check of a changed file."""
        old = _Side(self.change.base, file.old_path, program)
        new = _Side(self.change.head, file.path, program)
        told: set[str] = set()
        names = new.tasks()
        every = [one for name in names for one in new.of(name)]
        for name in islice(old.tasks(), _TASKS):
            had, has = _different(old.of(name)), _different(new.of(name) if name in names else every)
            for check in [check for check in had if check.key not in told]:
                loss = self._loss(check, had, has, name, file)
                if loss:
                    told.add(check.key)
                    yield loss

    def _is_new(self, key: str, home: str) -> bool:
        """Whether that is a script which the change brings: what it does is not known to be a check."""
        base, head = self._sides
        return ("/" in key or "." in key) and head.of(key, home) is not None and base.of(key, home) is None

    def _loss(self, check: Check, had: Sequence[Check], has: Sequence[Check], name: str, file: FileDiff) -> Loss | None:
        if check.key == "set -e" and (not any(one.key != "set -e" for one in has) or file.path.endswith("akefile")):
            return None
        home, weaker = dirname(file.path), None
        moved = [one.path for one in self.files if one.old_path == check.key != one.path]
        if moved and moved[0].rpartition("/")[2] in (read(self.change.head, file.path) or ""):
            return None
        for one in [one for one in (*has, *self._come) if one.key == check.key]:
            said = self._fault(check, one, home)
            if not said:
                return None
            weaker = weaker or (one, said)
        if weaker:
            parts = [
                one for one in has if one.key == check.key and not self._fault(check, replace(one, places=()), home)
            ]
            together = tuple(place for one in parts for place in one.places)[:_MOST]
            if len(parts) > 1 and not self._fault(check, replace(parts[0], places=together), home):
                return None  # one after the other
            return Loss(check, name, weaker[1], weaker[0].line)
        before = {one.key for one in had}
        come = [one.key for one in (*has, *self._come) if one.key not in before and one.heeded]
        come = [key for key in come if not self._is_new(key, home)]
        replaced = any(_role(key) == _role(check.key) or _OPAQUE.fullmatch(key) for key in come)
        return Loss(check, name, replaced=replaced)


def _plain(check: Check) -> Check:
    return replace(check, line=0, words="")


def _different(found: Sequence[Check]) -> list[Check]:
    """One of each kind: a task that runs the same once more needs no second look."""
    return list({_plain(one): one for one in reversed(found)}.values())[::-1][:_MOST]


def _role(key: str) -> int:
    return next((number for number, pattern in enumerate(_ROLES) if pattern.search(key)), len(_ROLES))
