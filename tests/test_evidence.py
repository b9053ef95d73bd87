"""Texts that leave greylag carry data that cannot break out of its place."""

from dataclasses import replace
from datetime import UTC, datetime

from greylag import evidence
from greylag.model import (
    Counts,
    Diagnostic,
    Origin,
    Outcome,
    Phase,
    Repo,
    Session,
    Severity,
    Status,
    StopReason,
    Task,
    Usage,
    Verdict,
)
from greylag.report import Report, Run

TASK = Task("Use aware times.", Repo("/r"), "Use time-zone aware timestamps!")


SESSION = Session("s", "builtin", "m-1", StopReason.COMPLETED, Usage(7, 100, 20, 0, 0.5, "prices"))


def _body(
    *verdicts: Verdict, base: tuple[Verdict, ...] = (), notes: tuple[str, ...] = (), session: Session = SESSION,
    earlier: tuple[Verdict, ...] = (),
) -> str:  # fmt: skip
    before = [Report("e", "b", earlier)] if earlier else []
    report = Report("t" * 40, "b" * 40, verdicts, notes)
    run = Run(
        "r1", TASK, Status.RUNNING, datetime.now(UTC), session.agent, "b" * 40,
        baseline=Report("x", "b", base), sessions=(session,), reports=(*before, report),
    )  # fmt: skip
    return evidence.body(run, report)


def test_the_evidence_names_tree_tests_before_and_after_agent_and_cost() -> None:
    before = Verdict("pytest", Phase.TEST, Outcome.PASSED, counts=Counts(10))
    text = _body(Verdict("pytest", Phase.TEST, Outcome.PASSED, counts=Counts(11, 0, 2)), base=(before,))
    assert "t" * 40 in text
    assert "| `pytest` | passed | 10 run | 11 run, 2 skipped |" in text
    assert "builtin" in text
    assert "`m-1`" in text
    assert "7 turns, 100 tokens in, 20 out, $0.5000 (prices)" in text
    assert f"<!-- greylag-task: {TASK.id} -->" in text


def test_what_was_known_says_from_where() -> None:
    made = Verdict("uv sync", Phase.PREPARE, Outcome.PASSED, cached=True)
    text = _body(made, Verdict("pytest", Phase.TEST, Outcome.PASSED, cached=True))
    assert "| `uv sync` | passed (known from the same inputs) |" in text
    assert "| `pytest` | passed (known from the same tree) |" in text


def test_failures_from_before_are_named_and_the_many_are_counted() -> None:
    old = tuple(
        Diagnostic(f"boom {n}", path="a.py", line=n, test=f"a.py::test_{n}", origin=Origin.PRE_EXISTING)
        for n in range(1, 13)
    )
    red = Verdict("pytest", Phase.TEST, Outcome.RED_BEFORE, diagnostics=old, counts=Counts(20, 12))
    lint = Diagnostic("unused", path="b.py", line=3, rule="F401", origin=Origin.PRE_EXISTING)
    text = _body(Verdict("ruff", Phase.STATIC, Outcome.RED_BEFORE, diagnostics=(lint,)), red)
    assert "**Failed before this change, too** (13)" in text
    assert "- `ruff` `b.py:3`: `unused`" in text
    assert "- `pytest` `a.py::test_9`: `boom 9`" in text
    assert "test_10" not in text
    assert "- and 3 more" in text
    assert "Failed before" not in _body(Verdict("pytest", Phase.TEST, Outcome.PASSED, counts=Counts(9)))


def test_a_codemod_is_shown_in_full_and_cannot_break_out() -> None:
    program = "sed -i 's/a/b/' *.py\n```\n# heading @everyone fixes #12 \x1b[31m"
    text = _body(session=replace(SESSION, agent="command", model="", command=program))
    assert "### Command\n\nThe change was made by this program:\n\n````sh\nsed -i" in text
    assert "a program, no model; what it ran is below" in text
    assert "tokens in" not in text
    assert "@everyone" not in text
    assert "fixes #12" not in text
    assert "\x1b" not in text
    assert "### Command" not in _body()


def test_what_the_judge_cost_is_summed_over_the_attempts() -> None:
    told = {"model": "j-1", "usage": {"input_tokens": 10, "output_tokens": 2, "usd": 0.25, "source": "prices"}}
    verdict = Verdict("judge", Phase.JUDGE, Outcome.PASSED, details=told)
    text = _body(verdict, earlier=(verdict,))
    assert "- judge: model `j-1`, asked 2 times, 20 tokens in, 4 out, $0.5000 (prices)" in text


def test_guards_and_the_judge_requirement_by_requirement() -> None:
    guard = Verdict(
        "size", Phase.GUARD, Outcome.PASSED, diagnostics=(Diagnostic("1,200 lines", Severity.WARNING, "a.py", 3),)
    )
    answer = {
        "model": "j-1",
        "rubric": "3",
        "requirements": [{"text": "no utcnow", "status": "met", "quotes": ["datetime.now(UTC)"]}],
    }
    text = _body(guard, Verdict("judge", Phase.JUDGE, Outcome.PASSED, details=answer))
    assert "- `size` warning: `a.py:3` `1,200 lines`" in text
    assert "**Judge** `j-1`, rubric `3`: " in text
    assert "not shown to it" not in text
    assert "- met: `no utcnow`" in text
    assert "  - `datetime.now(UTC)`" in text


def test_what_the_judge_did_not_see_is_said() -> None:
    answer = {"model": "j-1", "elided": [{"path": "uv.lock", "why": "lock file"}], "repeats": 40}
    text = _body(Verdict("judge", Phase.JUDGE, Outcome.PASSED, details=answer))
    assert "- not shown to it: the contents of 1 files and what surrounds 40 hunks that repeat an edit\n" in text


def test_the_worst_findings_of_all_guards_come_first_and_the_rest_is_counted() -> None:
    facts = tuple(Diagnostic(f"fact {number}", Severity.INFO) for number in range(30))
    chatty = Verdict("gates", Phase.GUARD, Outcome.PASSED, diagnostics=facts)
    warning = Verdict("tests", Phase.GUARD, Outcome.PASSED, diagnostics=(Diagnostic("look here", Severity.WARNING),))
    lines = [
        line for line in _body(chatty, warning).splitlines() if line.startswith(("- `gates`", "- `tests`", "- and"))
    ]
    assert lines[0] == "- `tests` warning: `look here`"
    assert lines[-1] == "- and 21 more"


def test_a_judge_that_is_off_is_said() -> None:
    assert "**Judge**: off" in _body()


def test_hostile_text_stays_in_its_span_and_wakes_nobody() -> None:
    bad = "`</details> ``` @everyone fixes #12 | x\n# heading"
    text = _body(Verdict("g", Phase.GUARD, Outcome.FAILED, diagnostics=(Diagnostic(bad),)), notes=(bad,))
    assert "\n# heading" not in text
    line = next(line for line in text.splitlines() if line.startswith("- `g` blocked"))
    assert line.count("````") == 2
    assert "@everyone" not in text
    assert "fixes #12" not in text


def test_a_long_prompt_cannot_hide_the_evidence() -> None:
    task = Task("```sh\nx\n" + "y\n" * 9000, Repo("/r"), "T")
    run = Run("r", task, Status.RUNNING, datetime.now(UTC))
    text = evidence.body(run, Report("t", "b"))
    assert text.index("### Evidence") < text.index("### Prompt")
    assert text.count("````") == 2
    assert text.rstrip().endswith(f"<!-- greylag-task: {task.id} -->")


def test_branch_is_the_same_for_every_start_of_a_task() -> None:
    assert evidence.branch(TASK) == f"greylag/use-time-zone-aware-timestamps-{TASK.id}"
    assert evidence.branch(Task("x", Repo("/r"), "!!!")).startswith("greylag/change-")
