"""A budget is that of the run: its sessions share it with the judge, and a person is warned before it is used up."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from greylag import costs
from greylag.exchanges import Exchange
from greylag.model import Event, Limits, Outcome, Phase, Repo, Session, Status, StopReason, Task, Usage, Verdict
from greylag.report import Report, Run
from greylag.spending import Warned, left, spent


def run(*usages: Usage, judge: dict[str, Any] | None = None) -> Run:
    sessions = tuple(Session(str(n), "a", "m", StopReason.COMPLETED, usage) for n, usage in enumerate(usages))
    verdict = Verdict("judge", Phase.JUDGE, Outcome.FAILED, details={"usage": judge} if judge else {})
    reports = (Report("t", "b", (verdict,)),)
    return Run("r", Task("do", Repo("/r"), "Do"), Status.RUNNING, datetime.now(UTC), sessions=sessions, reports=reports)


def test_each_session_gets_what_the_others_and_the_judge_have_left() -> None:
    limits = Limits(tokens=1000, usd=0.10)
    assert limits.less(spent(run())) == limits
    one = run(Usage(2, 300, 100, 0, 0.04, "prices"), judge={"input_tokens": 90, "output_tokens": 10, "usd": 0.02})
    rest = limits.less(spent(one))
    assert rest is not None
    assert rest.tokens == 500
    assert rest.usd == pytest.approx(0.04)
    assert Limits(usd=0.05).less(spent(one)) is None
    assert Limits(tokens=500).less(spent(one)) is None
    assert Limits().less(spent(one)) == Limits()


def test_a_price_that_is_not_known_takes_nothing_from_the_dollars() -> None:
    unknown = run(Usage(2, 300, 100), judge={"input_tokens": 1, "output_tokens": 1, "usd": None})
    assert Limits(usd=0.05).less(spent(unknown)) == Limits(usd=0.05)


@pytest.mark.parametrize(
    ("limits", "data", "said"),
    [
        (Limits(usd=0.10), {"usd": 0.09}, "90% of the budget is used: $0.09 of $0.10"),
        (Limits(tokens=1000), {"input_tokens": 800, "output_tokens": 100}, "90% .* 900 tokens of 1000 tokens"),
        (Limits(usd=0.10, tokens=1000), {"usd": 0.07, "input_tokens": 700, "output_tokens": 0}, None),
        (Limits(), {"usd": 100, "input_tokens": 10**9}, None),
        (Limits(usd=0.10), {"usd": None}, None),
    ],
)
def test_at_four_fifths_there_is_one_warning(limits: Limits, data: dict[str, Any], said: str | None) -> None:
    seen: list[Event] = []
    observe = Warned(seen.append, limits)
    for _ in range(3):
        observe(Event("usage", "", datetime.now(UTC), data))
    warnings = [event for event in seen if event.kind == "budget.warning"]
    assert len(seen) == 3 + len(warnings)
    assert len(warnings) == (said is not None)
    if said:
        assert re.search(said.replace("$", "[$]"), warnings[0].text)


def test_what_others_have_used_before_and_what_a_judge_uses_counts_for_the_warning() -> None:
    seen: list[Event] = []
    observe = Warned(seen.append, Limits(usd=0.10))
    observe.before = Usage(1, 1, 1, usd=0.04)
    observe(Event("usage", "", datetime.now(UTC), {"usd": 0.02}))
    assert [event.kind for event in seen] == ["usage"]
    observe.look(Usage(2, 1, 1, usd=0.09))
    assert [event.text for event in seen[1:]] == ["90% of the budget is used: $0.09 of $0.10"]


def test_runs_of_which_a_part_has_no_known_price_are_counted() -> None:
    priced, unknown = Usage(1, 10, 10, 0, 0.01, "prices"), Usage(1, 10, 10)
    found = costs.costs([run(priced), run(priced, unknown), run(unknown)], "all")["all"]
    assert (found.runs, found.unpriced) == (3, 2)
    assert found.usage.usd == pytest.approx(0.02)
    (line,) = costs.table({"all": found})
    assert line.endswith("; 2 of them used models without a known price")


def test_what_is_left_is_what_no_session_and_no_judge_tells_of() -> None:
    asked = [Usage(1, n, n, usd=0.01) for n in range(5)]
    exchanges = [Exchange(n, "session 1", "/messages", {}, "", usage=one) for n, one in enumerate(asked)]
    assert left(run(), exchanges) == sum(asked, Usage())
    assert left(run(Usage(2, 1, 1), judge={"requests": 1, "input_tokens": 1}), exchanges) == asked[3] + asked[4]
    assert left(run(Usage(9, 1, 1)), exchanges) == Usage()
