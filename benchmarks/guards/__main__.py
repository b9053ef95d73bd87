"""The guards against labelled changes: precision and recall at block level, and each miss."""

import argparse
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.guards.cases import Case, cases
from greylag import plugins
from greylag.model import Outcome, Scope, Severity
from greylag.protocols import Change, Context
from greylag.testing.changes import NoSandbox, make_change

Judged = list[tuple[Case, list[str]]]


def blocking(change: Change) -> list[str]:
    """The rules by which the guards, all of them as the gate has them, stop a change."""
    sandbox, found = NoSandbox(), []
    for name in plugins.names("guards"):
        guard = plugins.load("guards", name)
        for activation in guard.detect(change.head):
            verdict = guard.verify(activation, Context(change, sandbox, Path("/nonexistent"), sandbox.run))
            if verdict.outcome is not Outcome.PASSED:
                errors = (finding for finding in verdict.diagnostics if finding.severity is Severity.ERROR)
                found += [finding.rule or verdict.verifier for finding in errors] or [verdict.verifier]
    return list(dict.fromkeys(found))


def judge(chosen: Iterable[Case]) -> Judged:
    """Each case with what stops it."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        return [
            (case, blocking(make_change(place, case.base, case.head, scope=Scope(case.allow, case.paths))))
            for case in chosen
        ]


def rates(judged: Judged) -> tuple[float, float]:
    """Of what was stopped, how much should be; of what should be stopped, how much was."""
    right = sum(1 for case, rules in judged if rules and case.label == "block")
    stopped = sum(1 for _, rules in judged if rules)
    wanted = sum(1 for case, _ in judged if case.label == "block")
    return right / (stopped or 1), right / (wanted or 1)


def table(judged: Judged) -> None:
    """One line per language and one for all, the part that nobody looked at apart."""
    print(f"{'':<12}{'cases':>6}{'block':>6}{'pass':>6}   {'all':^13}   {'seen':^13}   {'held out':^13}")
    print(f"{'':<30}" + "   precis recall" * 3)
    for language in (*sorted({case.language for case, _ in judged}), "in total"):
        rows = [row for row in judged if language in {row[0].language, "in total"}]
        block = sum(1 for case, _ in rows if case.label == "block")
        line = f"{language:<12}{len(rows):>6}{block:>6}{len(rows) - block:>6}"
        for part in (rows, [r for r in rows if not r[0].held_out], [r for r in rows if r[0].held_out]):
            line += "   {:6.2f} {:6.2f}".format(*rates(part)) if part else f"{'-':>10}{'-':>7}"
        print(line)


def misses(judged: Judged, *, named: bool) -> None:
    """Each case on which the guards and the label do not agree; held-out ones are only counted unless `named`."""
    missed = [(case, rules) for case, rules in judged if bool(rules) is not (case.label == "block")]
    if hidden := 0 if named else sum(case.held_out for case, _ in missed):
        print(f"  {hidden} misses of held-out cases are not named")
    for case, rules in missed:
        if named or not case.held_out:
            held = "held out, " if case.held_out else ""
            what = "was stopped by " + ", ".join(rules) if rules else "was not stopped"
            print(f"  {case.language}: {case.name} ({held}{case.label}: {case.why}): {what}")


def main(arguments: Sequence[str] | None = None) -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("words", nargs="*", help="only cases that have one of these in their name or language")
    options.add_argument(
        "--held-out", action="store_true", help="name misses of held-out cases, too: then mend nothing"
    )
    chosen = options.parse_args(arguments)
    found = list(cases())
    if chosen.words:
        found = [
            case
            for case in found
            if any(word in (case.language, case.name) or word in case.name for word in chosen.words)
        ]
    judged = judge(found)
    table(judged)
    misses(judged, named=chosen.held_out)


if __name__ == "__main__":
    main()
