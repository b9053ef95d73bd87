"""What a replay says of the run that it repeats."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from greylag.differences import differences
from greylag.exchanges import Exchange, Exchanges
from greylag.model import Outcome, Phase, Repo, Session, Status, StopReason, Task, Verdict
from greylag.report import Report, Run

TESTS = Verdict("pytest", Phase.TEST, Outcome.PASSED)
SESSION = Session("1", "builtin", "m", StopReason.COMPLETED)


def judged(decision: str, *categories: str) -> Verdict:
    found = [{"category": category} for category in categories]
    return Verdict("judge", Phase.JUDGE, Outcome.PASSED, details={"decision": decision, "findings": found})


def run(*verdicts: Verdict, **changes: Any) -> Run:
    made = Run("r", Task("do", Repo("/r"), "Do"), Status.OPENED, datetime.now(UTC), tree="t" * 40, sessions=(SESSION,))
    return replace(made, **{"reports": (Report("t", "b", verdicts),), **changes})


def told(then: Run, now: Run) -> list[str]:
    return differences(then, now, Exchanges(None, []))


def test_a_pass_is_what_a_pull_request_was() -> None:
    assert told(run(TESTS, judged("pass")), run(TESTS, judged("pass"), status=Status.PASSED)) == []
    updated = run(TESTS, status=Status.UPDATED)
    assert told(updated, run(TESTS, status=Status.PASSED, reports=updated.reports)) == []


def test_each_difference_is_a_line() -> None:
    failed = replace(TESTS, outcome=Outcome.FAILED)
    limit = (replace(SESSION, stop=StopReason.TURNS),)
    new = run(failed, judged("veto", "tests", "incomplete"), status=Status.FAILED, tree="u" * 40, sessions=limit)
    assert told(run(TESTS, judged("pass")), replace(new, reason="pytest: 1 failed")) == [
        "outcome: failed, was opened (pytest: 1 failed)",
        "session 1: ended by turn limit, was completed",
        "report 1, pytest (test): failed, was passed",
        "report 1, judge (judge): veto incomplete tests, was pass",
        f"patch: tree {'u' * 12}, was {'t' * 12}",
    ]


def test_verdicts_and_reports_that_come_and_go_are_named() -> None:
    then, now = run(TESTS, judged("pass")), run(TESTS, Verdict("ruff", Phase.STATIC, Outcome.PASSED))
    assert told(then, replace(now, status=Status.PASSED)) == [
        "report 1: no verdict of judge (judge)",
        "report 1: new verdict of ruff (static)",
    ]
    none = replace(now, status=Status.PASSED, reports=(), sessions=())
    assert told(now, none) == ["sessions: 0, were 1", "report 1: missing"]


def test_many_requests_that_differ_do_not_fill_the_screen() -> None:
    played = [Exchange(number, "judge", "/messages", {"system": "a"}, "") for number in range(1, 31)]
    exchanges = Exchanges(None, played, "r")
    for _ in range(15):
        exchanges.begin("judge", "/v1/messages", b'{"system": "b"}')
    lines = differences(run(TESTS), run(TESTS, status=Status.PASSED), exchanges)
    assert lines[0] == "request 1: something else was asked than was recorded (system)"
    assert lines[10:] == [
        "and 5 more requests",
        "requests: 16, 17, 18, 19, 20, 21, 22, 23, 24, 25 and 5 more not asked this time",
    ]
