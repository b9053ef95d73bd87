"""Tests that failed are run again, on the same tree in a new place: one that passes then may be flaky.

A place that the first run has not touched, because a test must not pass the second time for what the first has left.
By itself, a test may also pass because what breaks it are the others: it is flaky, and no failure, when it passes in a
complete run, too.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from posixpath import dirname

from greylag.diffs import DiffError, parse
from greylag.kinds import classify
from greylag.model import Diagnostic, Origin, Outcome, Severity
from greylag.protocols import Context
from greylag.verifiers._outcome import Result, tests
from greylag.verifiers._plan import Step

MOST = 20  # failed tests; more of them are no coincidence
_TRIES = {"gate": 3}  # runs of each kind in which a test may pass; an agent in its loop waits for one
_TELLING = frozenset(("tests", "test configuration", "build", "dependencies"))  # kinds of files
_LONG = 20.0  # seconds, of a run after which no other is worth its time


def settled(step: Step, result: Result, context: Context, run: Callable[[Step, Context], Result]) -> Result:
    """`result`, with the flaky ones among its failures told apart. `run` carries out a step in another context."""
    found = _suspects(step, result, context)
    if not found or context.again is None or step.again is None:
        return result
    seconds = result.seconds
    for arguments in dict.fromkeys((step.again(found), step.arguments)):
        passed: list[Diagnostic] = []
        for _ in range(_TRIES.get(context.mode, 1)):
            with context.again() as other:
                if other is None:
                    return result
                second = run(replace(step, arguments=arguments, again=None), other)
            seconds += second.seconds
            passed = [d for d in found if _passed(d, second)]
            if passed or second.seconds > _LONG:
                break
        found = passed
        if not found:
            return replace(result, seconds=seconds, again=True)
    return replace(_without(result, found, second), seconds=seconds)


def _suspects(step: Step, result: Result, context: Context) -> Sequence[Diagnostic]:
    """Failed tests that the change has not touched and that did not fail before it; none when it is not only those."""
    if step.again is None or result.outcome is not Outcome.FAILED or result.counts is None:
        return ()
    failures = [d for d in result.diagnostics if d.severity is Severity.ERROR]
    if len(failures) > MOST or len(failures) != result.counts.failed or not all(d.test for d in failures):
        return ()
    known = context.baseline.diagnostics if context.baseline else ()
    before = {d.fingerprint for d in known if d.origin is not Origin.FLAKY}
    return [d for d in failures if d.fingerprint not in before and not _touched(d, context)]


def _touched(diagnostic: Diagnostic, context: Context) -> bool:
    """Whether the change is in the file of a test, or in a file of tests beside it: some runners name the helper in
    which a test broke. Where a runner names no file, any of tests or of the build may be it.
    """
    path = diagnostic.path
    try:
        changed = {name for file in parse(context.change.diff) for name in file.names}
    except DiffError:
        return True
    if path is None:
        return any(classify(name) in _TELLING for name in changed)
    if path not in context.change.base.paths() or path not in context.change.head.paths():
        return True
    return path in changed or any(dirname(name) == dirname(path) and classify(name) == "tests" for name in changed)


def _passed(diagnostic: Diagnostic, second: Result) -> bool:
    return bool(
        second.counts
        and diagnostic.test in second.counts.passed
        and not any(d.test == diagnostic.test and d.severity is Severity.ERROR for d in second.diagnostics)
    )


def _without(result: Result, flaky: Sequence[Diagnostic], second: Result) -> Result:
    """The result without the failures that are `flaky`: a pass only if nothing else was wrong either time."""
    if not flaky or result.counts is None:
        return result
    told = {id(d) for d in flaky}
    diagnostics = tuple(
        replace(d, severity=Severity.WARNING, origin=Origin.FLAKY) if id(d) in told else d for d in result.diagnostics
    )
    names = [d.test for d in flaky if d.test]
    passed = tuple(sorted((*result.counts.passed, *names)))
    counts = replace(result.counts, failed=result.counts.failed - len(flaky), passed=passed)
    fine = not counts.failed and second.outcome is Outcome.PASSED
    return replace(
        result,
        outcome=Outcome.PASSED if fine else result.outcome,
        summary=f"{tests(counts)}, {len(flaky)} flaky",
        diagnostics=diagnostics,
        counts=counts,
    )
