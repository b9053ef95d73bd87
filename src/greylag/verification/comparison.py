"""Head against base: which failures are new, whether fewer tests ran, what a reader must be told. Pure functions."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from greylag.model import FINDINGS, Diagnostic, Origin, Outcome, Phase, Severity, Strength, Verdict
from greylag.report import Report
from greylag.report.rendering import failed_tests
from greylag.text import one_line

UNVERIFIED = "unverified: nothing in this repository vouches for a change (no tests, no linter, no build found)"
ALL_RED = "unverified: all that ran failed before this change, too, so nothing vouches for it"
NO_TESTS = "no tests ran"
UNCOUNTED = "how many tests ran is not told in a form that is known here"
_NAMED = 3  # lost tests
_REMEDY = "; `hosts` in `[verify]` of the settings allows it"
BUILD = (Phase.PREPARE, Phase.COMPILE)


def tool(phase: Phase) -> bool:
    """Whether tools run in this phase: guards and the judge look at a change, not at a commit."""
    return phase <= Phase.TEST


def blocks(verdict: Verdict, *, skipped: bool = True) -> bool:
    """Whether later phases are not worth their time after this. `skipped`: also when it had nothing to do."""
    fine = {Outcome.PASSED, Outcome.RED_BEFORE, *(() if skipped else (Outcome.SKIPPED,))}
    return verdict.outcome not in fine


def no_measure(baseline: Report) -> str | None:
    """Why nothing can be compared with this base commit: it cannot be built, or its tests do not even begin."""
    for verdict in baseline.failed:
        if verdict.phase in BUILD:
            return f"{verdict.id} fails in {verdict.phase.name.lower()} on the base commit: {verdict.summary}"
        if verdict.phase is Phase.TEST and not _comparable(verdict):
            place = "" if any(d.path for d in verdict.diagnostics) else ", nor the place of an error"
            return f"{verdict.id} fails on the base commit and names no test that ran{place}: {verdict.summary}"
    return None


def unmeasured(baseline: Report | None, obstacle: str) -> Verdict:
    """What stands for all verdicts on a change that cannot be measured, with what is wrong with the base commit."""
    cause = next(iter(baseline.failed if baseline else ()), None)
    found = tuple(replace(d, origin=Origin.PRE_EXISTING) for d in (cause.diagnostics if cause else ()))
    log = cause.log if cause else None
    return Verdict("baseline", Phase.PREPARE, Outcome.RED_BEFORE, reason=obstacle, diagnostics=found, log=log)


def _comparable(verdict: Verdict) -> bool:
    """Whether tests ran, or a declared command came to its end with findings that the next one can be compared with."""
    ran = bool(verdict.counts and verdict.counts.run) or any(d.test for d in verdict.diagnostics)
    return ran or (verdict.outcome is Outcome.FAILED and bool(verdict.details.get(FINDINGS)))


def moved(before: Verdict | None, names: Mapping[str, str]) -> Verdict | None:
    """A verdict of the base commit with the `names` that files have now: a failure whose file is renamed is not new."""
    if before is None or not names:
        return before
    return replace(before, diagnostics=tuple(_moved(d, names) for d in before.diagnostics))


def _moved(diagnostic: Diagnostic, names: Mapping[str, str]) -> Diagnostic:
    old = next((part for part in (diagnostic.path, (diagnostic.test or "").partition("::")[0]) if part in names), None)
    if old is None:
        return diagnostic
    test = diagnostic.test and diagnostic.test.replace(f"{old}::", f"{names[old]}::", 1)
    path = names.get(diagnostic.path or "", diagnostic.path)
    return replace(diagnostic, path=path, test=test, message=diagnostic.message.replace(old, names[old]))


def compare(verdict: Verdict, before: Verdict | None, *, red: bool, tests: bool) -> Verdict:
    """The verdict as it counts for the change, given the one on the base commit (None: there was none).

    A failure counts as there before only if the verifier failed before, too, and says nothing new. A failed build or
    preparation is never excused, and neither is a failure that names nothing that could be compared.
    `red`: whether failures from before are let through. `tests`: whether tests may go.
    """
    if before is None or not tool(verdict.phase) or verdict.outcome is Outcome.ERRORED:
        return verdict
    if verdict.outcome is Outcome.SKIPPED:
        return _vanished(verdict, before)
    known = Counter(d.fingerprint for d in before.diagnostics if d.origin is not Origin.FLAKY)
    verdict = replace(verdict, diagnostics=tuple(_origin(d, known) for d in verdict.diagnostics))
    if verdict.outcome is Outcome.FAILED and before.outcome is Outcome.FAILED and verdict.phase not in BUILD:
        serious = [d for d in verdict.diagnostics if d.severity is not Severity.INFO]
        if red and serious and not any(d.origin is Origin.NEW for d in serious):
            verdict = replace(verdict, outcome=Outcome.RED_BEFORE)
    verdict = _told_apart(verdict)
    if tests or blocks(verdict) or verdict.details.get("partial"):
        return verdict
    return _fewer(verdict, before)


def _origin(diagnostic: Diagnostic, known: Counter[str]) -> Diagnostic:
    """Mark one diagnostic; `known` is used up, so that a second one of the same kind is new."""
    if diagnostic.origin is Origin.FLAKY:
        return diagnostic
    old = known[diagnostic.fingerprint] > 0
    known[diagnostic.fingerprint] -= old
    return replace(diagnostic, origin=Origin.PRE_EXISTING if old else Origin.NEW)


def _told_apart(verdict: Verdict) -> Verdict:
    """The summary with the number of failed tests split into new ones and those from before."""
    if verdict.counts is None:
        return verdict
    plain = f"{_tests(verdict.counts.run)}, {verdict.counts.failed} failed"
    return replace(verdict, summary=verdict.summary.replace(plain, failed_tests(verdict), 1))


def _vanished(verdict: Verdict, before: Verdict) -> Verdict:
    if before.outcome is Outcome.SKIPPED:
        return verdict
    why = verdict.summary or verdict.reason or "no reason given"
    text = f"ran before the change and has nothing to do now: {why}"
    if lost := _lost(verdict, before):
        text = f"{_tests(before.counts.run if before.counts else 0)} ran before the change and none now: {why}{lost}"
    return failed(verdict, text, "vanished")


def _fewer(verdict: Verdict, before: Verdict) -> Verdict:
    if before.counts is None:
        return verdict
    run, skipped = (verdict.counts.run, verdict.counts.skipped) if verdict.counts else (0, 0)
    if run < before.counts.run:
        text = f"{_tests(before.counts.run)} ran before the change and {run} now: {before.counts.run - run} fewer"
        return failed(verdict, text + _missing(verdict, before), "fewer-tests")
    if skipped > before.counts.skipped:
        text = f"{_tests(skipped)} skipped now, and {before.counts.skipped} before the change"
        return failed(verdict, text + _missing(verdict, before), "more-skipped-tests")
    return verdict


def _missing(verdict: Verdict, before: Verdict) -> str:
    """Names of tests that passed before and do not now, as far as the runner tells them, and the remedy."""
    return f"; put them back, or allow `tests` in the prompt's front matter{_lost(verdict, before)}"


def _lost(verdict: Verdict, before: Verdict) -> str:
    passed = [Counter(v.counts.passed if v.counts else ()) for v in (before, verdict)]
    lost = sorted(passed[0] - passed[1])
    more = f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
    return f": {', '.join(one_line(name, 120) for name in lost[:_NAMED])}{more}" if lost else ""


def failed(verdict: Verdict, text: str, rule: str) -> Verdict:
    """The verdict turned into a failure that says `text`."""
    diagnostics = (Diagnostic(text, rule=rule), *verdict.diagnostics)
    return replace(verdict, outcome=Outcome.FAILED, summary=text, diagnostics=diagnostics)


def lost_tests(verdicts: Sequence[Verdict], baseline: Report, gone: Sequence[Verdict]) -> Verdict | None:
    """A failure when the tests of directories that are `gone` have not turned up in new ones."""
    lost = sum(v.counts.run for v in gone if v.counts)
    known = {v.id for v in baseline.verdicts}
    found = sum(v.counts.run for v in verdicts if v.counts and v.id not in known)
    if found >= lost:
        return None
    roots = ", ".join(sorted({v.root for v in gone}))
    empty = Verdict("tests", Phase.TEST, Outcome.FAILED, reason="tests of directories that are gone")
    text = f"{_tests(lost)} ran in {roots} before the change; the directory is gone, and {found} ran in new places"
    return failed(empty, text, "fewer-tests")


def refused(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """What the network refused while these were made, in words, with the remedy."""
    texts = [text for verdict in verdicts for text in verdict.details.get("refused", ())]
    return tuple(f"network: {text}" + (_REMEDY if "not on the list" in text else "") for text in texts)


def remarks(verdicts: Sequence[Verdict], baseline: Report | None) -> list[str]:
    """Notes that a reader of the report must have, in words."""
    notes = []
    tools = [v for v in verdicts if Phase.FORMAT <= v.phase <= Phase.TEST]
    ran = [v for v in tools if v.outcome is not Outcome.SKIPPED]
    stopped = any(blocks(v) for v in verdicts)
    if ran and not stopped and Report("", "", tuple(tools)).strength is Strength.NONE:
        notes.append(ALL_RED)
    if not ran and not stopped:
        notes.append(UNVERIFIED)
    if not stopped and not any(v.counts and v.counts.run for v in ran):
        uncounted = [v.id for v in ran if v.phase is Phase.TEST and v.counts is None]
        notes.append(f"{', '.join(uncounted)}: {UNCOUNTED}" if uncounted else NO_TESTS)
    notes += [f"{v.id}: {v.details['partial']}" for v in ran if v.details.get("partial")]
    return notes + ([] if baseline is None else _red(baseline))


def _red(baseline: Report) -> list[str]:
    failed_tests = sum(v.counts.failed for v in baseline.failed if v.counts)
    errors = sum(
        d.severity is Severity.ERROR
        for v in baseline.failed
        if not (v.counts and v.counts.failed)
        for d in v.diagnostics
    )
    notes = []
    if failed_tests:
        notes.append(f"{_tests(failed_tests)} failed before this change")
    if errors:
        notes.append(f"{errors} {'failure was' if errors == 1 else 'failures were'} there before this change")
    return notes


def _tests(number: int) -> str:
    return f"{number} test" if number == 1 else f"{number} tests"
