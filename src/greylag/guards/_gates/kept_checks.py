"""Findings on files that run checks: those of build files, and of what gates include or run."""

from collections.abc import Iterator, Sequence
from posixpath import basename

from greylag.diffs import FileDiff
from greylag.guards._gates.checks import by_name
from greylag.guards._gates.failing_programs import lost_exit
from greylag.guards._gates.followed import Named
from greylag.guards._gates.lost_checks import Checks
from greylag.guards._guard import finding, read
from greylag.kinds import LINT, TESTS, matches
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change

_PLACES = "tools/ tool/ dev/ ci/ hack/ script/ scripts/"
_VERBS = {"added": "adds", "deleted": "deletes"}


def checks_by_name(file: FileDiff) -> bool:
    """Whether a program of a directory for them is called after what it checks."""
    path = file.old_path
    tests = matches(path, TESTS) and not matches(basename(path), "test.* tests.*")  # which have guards of their own
    return matches(path, _PLACES) and by_name(basename(path)) and not tests


def unkept(change: Change, file: FileDiff, known: Checks, *, program: bool = False) -> Iterator[Diagnostic]:
    """Checks that a file ran before, and runs no more or not in the same strength."""
    for loss in known.lost(file, program=program) if file.status in {"modified", "renamed"} else ():
        task = f"`{loss.task}` of " if loss.task else ""
        if loss.fault:
            message = f"{loss.fault}: `{loss.check.words}`, a check of {task}{file.path}"
            yield finding(change, "build", "gates/loosened", message, file.path, line=loss.line)
        else:
            message = f"removes `{loss.check.words}`, a check of {task}{file.path}"
            severity = Severity.WARNING if loss.replaced else Severity.ERROR
            yield finding(change, "build", "gates/removed", message, file.path, severity=severity)


def of_gates(
    change: Change, file: FileDiff, gate: Named | None, known: Checks, found: Sequence[Diagnostic]
) -> Iterator[Diagnostic]:
    """A file that a gate names: as a part of it, or as a program, whose checks and exit code must stay.

    `found` is what is known of its lines.
    """
    place = file.path if file.status in {"added", "copied"} else file.old_path
    verb = _VERBS.get(file.status, "changes")
    if gate and gate.included:
        yield finding(change, "ci", "gates/ci", f"{verb} {place}, which {gate.gate} includes", place)
        return
    found = found or list(unkept(change, file, known, program=True))
    old, new = read(change.base, file.old_path) or "", read(change.head, file.path)
    way = lost_exit(file.path, old, new) if new is not None and not found else ""
    if way:
        runs = f", and {gate.gate} runs it" if gate else ""
        message = f"drops `{way}`, by which {place} failed{runs}"
        gates = matches(place, _PLACES) or known.has_some(file) or (gate and matches(gate.gate, LINT))
        severity = Severity.ERROR if gates else Severity.WARNING  # any program may be started somewhere
        found = [finding(change, "build", "gates/loosened", message, place, severity=severity)]
    yield from found
    if gate and not found:
        told = known.has_some(file) or checks_by_name(file) or matches(gate.gate, LINT)
        severity = Severity.WARNING if told else Severity.INFO
        message = f"{verb} {place}, which {gate.gate} runs"
        yield finding(change, "build", "gates/loaded", message, place, severity=severity)
