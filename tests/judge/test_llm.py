# ruff: noqa: E501 - a table reads best with one row a line
"""The judge as a verifier: what it decides, what each mode makes of it, and whose fault it is when nobody answers."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from greylag import plugins
from greylag.errors import AgentError, InfraError, UserError
from greylag.judge.llm import read_rubric
from greylag.model import Counts, Diagnostic, Outcome, Phase, Severity, Verdict
from greylag.report import Report
from greylag.testing.model_server import Step, serve

OUT = {"path": "src/app.py", "quote": "return f'Hello {name}!'", "why": "not asked"}
NOT_MET = {"text": "document it", "status": "not_met"}


def decision(verdict: Verdict) -> str:
    return str(verdict.details["decision"])


def test_pass_carries_the_evidence(judge: Any, answer: Any) -> None:
    verdict = judge(answer())
    assert (verdict.outcome, verdict.phase, decision(verdict)) == (Outcome.PASSED, Phase.JUDGE, "pass")
    assert verdict.details["requirements"] == [
        {"text": "exclamation mark", "status": "met", "quotes": ["+ return f'Hello {name}!'"]}
    ]
    assert verdict.details["model"].startswith("replay:")
    assert verdict.details["rubric"] == "3"
    assert verdict.details["usage"]["source"] == "replay"
    assert verdict.details["usage"]["input_tokens"] > 100
    assert verdict.diagnostics == ()


def test_requirement_that_is_not_met_vetoes_without_a_quote(judge: Any, answer: Any) -> None:
    verdict = judge(answer(requirements=[*answer()["requirements"], NOT_MET]))
    assert (verdict.outcome, decision(verdict)) == (Outcome.FAILED, "veto")
    (finding,) = verdict.diagnostics
    assert finding.rule == "judge/incomplete"
    assert (finding.message, finding.path) == ("requirement not met; complete it and keep the rest", None)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("document IT", ": Document it."),
        ("keep tests", ": Do not touch what would keep tests green."),
        ("Greet politely, and `document` it", ": Greet politely and Document it."),
        ("document", ": Document it."),
        ("ocument it", ""),
        ("it", ": Document it."),
        ("keep", ""),
        ("Ignore the prompt", ""),
        ("", ""),
    ],
)
def test_requirement_goes_back_in_the_words_of_the_prompt_or_in_none(
    judge: Any, answer: Any, changes: Any, text: str, told: str
) -> None:
    prompt = (
        "# Title\n\n- Greet\n  politely and\n- Document it.\n- Do not touch what would keep tests\n  green. Keep all."
    )
    missing = {"text": text or "-", "status": "not_met", "quotes": ["+    return f'Hello {name}!'"]}
    (finding,) = judge(answer(requirements=[missing]), change=changes(prompt=prompt)).diagnostics
    assert finding.message == f"requirement not met{told}; complete it and keep the rest"
    assert (finding.path, finding.line, finding.excerpt) == ("src/app.py", 2, "+ return f'Hello {name}!'")


@pytest.mark.parametrize(
    ("field", "rule"),
    [("out_of_scope", "out-of-scope"), ("guardrails", "guardrail"), ("addressed_to_reviewer", "addressed-to-reviewer")],
)
def test_finding_with_a_quote_vetoes_and_says_where_and_what_to_do(
    judge: Any, answer: Any, field: str, rule: str
) -> None:
    verdict = judge(answer(**{field: [OUT]}))
    assert decision(verdict) == "veto"
    (finding,) = verdict.diagnostics
    assert (finding.rule, finding.path, finding.line) == (f"judge/{rule}", "src/app.py", 2)
    assert finding.excerpt == "+ return f'Hello {name}!'"
    assert finding.message.endswith("and keep the rest")
    assert "not asked" not in finding.message  # the model's prose stays with people


def test_dishonest_tests_veto(judge: Any, answer: Any) -> None:
    assert decision(judge(answer(tests_honest=False, tests=[OUT]))) == "veto"


def test_each_finding_goes_back_with_its_own_line_where_it_stands_in_the_head(
    judge: Any, answer: Any, changes: Any
) -> None:
    base = {"a.py": "one = 1\ntwo = 2\nthree = 3\nfour = 4\n", "gone.py": "all_of_it = 1\n"}
    change = changes(base, {"a.py": "zero = 0\none = 1\nthree = 3\n", "b.py": "new = 1\n"})
    quotes = ["two = 2", "four = 4", "all_of_it = 1", "+zero = 0", "new = 1"]
    verdict = judge(answer(out_of_scope=[{"path": "a.py", "quote": quote} for quote in quotes]), change=change)
    told = Report("t", "b", (verdict,)).render()
    places = ["a.py:3", "a.py:3", "gone.py", "a.py:1", "b.py:1"]
    lines = ["-two = 2", "-four = 4", "-all_of_it = 1", "+zero = 0", "+new = 1"]
    for number, (place, line) in enumerate(zip(places, lines, strict=True), 1):
        assert f"\n{number}. {place} judge/out-of-scope: out of scope; take this part back and keep the rest\n" in told
        assert f"\n[{number}] judge\n    | {line}" in told


def test_at_most_five_findings_go_back(judge: Any, answer: Any) -> None:
    many = [{"text": f"thing {n}", "status": "not_met"} for n in range(9)]
    verdict = judge(answer(requirements=many))
    assert len(verdict.diagnostics) == 5
    assert len(verdict.details["requirements"]) == 9


MET: list[dict[str, Any]] = [{"text": "exclamation mark", "status": "met", "quotes": ["return f'Hello {name}!'"]}]
ABSTAIN: dict[str, tuple[dict[str, Any], str]] = {
    "no requirement": ({"requirements": []}, "no requirement"),
    "quotes that do not exist carry the approval": (
        {"requirements": [{"text": "x", "status": "met", "quotes": ["+    raise SystemExit('approved')"]}]}, "not in the diff",
    ),
    "one requirement rests on invention": (
        {"requirements": [{"text": "a", "status": "met", "quotes": ["return f'Hello {name}!'"]}, {"text": "b", "status": "met", "quotes": ["invented()"]}]},
        "not in the diff",
    ),
    "what does not apply rests on invention": (
        {"requirements": [*MET, {"text": "b", "status": "not_applicable", "quotes": ["invented()"]}]}, "not in the diff",
    ),
    "one quote of two is invented": (
        {"requirements": [{**MET[0], "quotes": [*MET[0]["quotes"], "invented()"]}]}, "not in the diff",
    ),
    "what is not met rests on invention": (
        {"requirements": [*MET, {"text": "b", "status": "not_met", "quotes": ["invented()"]}]}, "objections quote what is not",
    ),
    "met and not applicable but for a full stop": (
        {"requirements": [*MET, {"text": "Exclamation-mark.", "status": "not_applicable"}]}, "contradicts itself",
    ),
    "nothing is quoted at all": ({"requirements": [{"text": "x", "status": "met"}]}, "shows no line"),
    "a quote that is in every diff": ({"requirements": [{"text": "x", "status": "met", "quotes": ["}", "+"]}]}, "not in the diff"),
    "only what was there before is quoted": (
        {"requirements": [{"text": "x", "status": "met", "quotes": ["def bye():"]}]}, "leaves as they are",
    ),
    "nothing applies": ({"requirements": [{"text": "x", "status": "not_applicable"}]}, "no requirement that applies"),
    "met and not met": (
        {"requirements": [{"text": "Add it", "status": "met", "quotes": ["return f'Hello {name}!'"]}, {"text": "add  it", "status": "not_met"}]},
        "contradicts itself",
    ),
    "honest tests with objections": ({"tests": [OUT]}, "calls the tests honest"),
    "dishonest tests without a place": ({"tests_honest": False}, "shows nothing"),
    "objections that quote nothing real": ({"out_of_scope": [{"path": "src/app.py", "quote": "import os"}]}, "objections quote what is not"),
    "objections to unchanged lines": ({"out_of_scope": [{"path": "src/app.py", "quote": "def bye():"}]}, "objections quote what is not"),
}  # fmt: skip


@pytest.mark.parametrize("name", ABSTAIN)
def test_answer_that_decides_nothing_asks_for_a_person(judge: Any, answer: Any, name: str) -> None:
    parts, reason = ABSTAIN[name]
    verdict = judge(answer(**parts))
    assert (verdict.outcome, decision(verdict)) == (Outcome.FAILED, "abstain")
    (finding,) = verdict.diagnostics
    assert finding.rule == "judge/abstain"
    assert reason in finding.message
    assert finding.message.endswith("a person must look")


def test_veto_that_can_be_shown_stands_beside_inventions(judge: Any, answer: Any) -> None:
    verdict = judge(answer(out_of_scope=[OUT, {"path": "src/app.py", "quote": "import os"}]))
    assert decision(verdict) == "veto"
    assert len(verdict.diagnostics) == 1
    assert verdict.details["dropped_quotes"] == 1


def test_answer_that_does_not_fit_may_be_corrected_twice(judge: Any, answer: Any) -> None:
    assert decision(judge({"verdict": "approve"}, answer(requirements="all"), answer())) == "pass"


def test_one_requirement_said_twice_is_one(judge: Any, answer: Any) -> None:
    again = {"text": "Exclamation-mark!", "status": "met", "quotes": ["def greet(name):"]}
    verdict = judge(answer(requirements=[*MET, again]))
    assert verdict.summary == "1 requirements met, nothing out of scope"
    (requirement,) = verdict.details["requirements"]
    assert requirement["quotes"] == ["return f'Hello {name}!'", "def greet(name):"]


@pytest.mark.parametrize("honest", ["true", 1, "yes", None])
def test_what_is_no_truth_value_does_not_fit(judge: Any, answer: Any, honest: object) -> None:
    assert decision(judge(*[answer(tests_honest=honest)] * 3)) == "abstain"


@pytest.mark.parametrize(
    ("others", "wanted"),
    [
        ([{}], "pass"),
        ([{"comment": "as I said", "reasoning": "again"}], "pass"),
        ([{"out_of_scope": [OUT]}], "abstain"),
        ([{}, {"requirements": [*MET, NOT_MET]}], "abstain"),
        ([{"tests_honest": "no"}], "abstain"),
    ],
)
@pytest.mark.parametrize("turn", [1, -1])
def test_several_answers_at_once_count_only_if_they_are_the_same(
    judged: Any, changes: Any, answer: Any, key: str, others: list[dict[str, Any]], wanted: str, turn: int
) -> None:
    answers = [answer(), *(answer(**parts) for parts in others)][::turn]
    step = Step(tools=tuple({"name": "final_result", "input": each} for each in answers))
    assert decision(ask(judged, changes, key, step)) == wanted


def test_answer_that_never_fits_abstains(judge: Any) -> None:
    verdict = judge(*[{"verdict": "approve"}] * 3)
    assert (verdict.outcome, decision(verdict)) == (Outcome.FAILED, "abstain")
    assert "does not fit the form" in verdict.summary


def test_diff_that_cannot_be_shown_whole_abstains_without_asking(judge: Any, changes: Any) -> None:
    verdict = judge(change=changes(head={"src/app.py": "x = 1\n" * 2000}), tokens=1000)
    assert decision(verdict) == "abstain"
    assert "at most 1000 are shown" in verdict.summary
    assert verdict.details["usage"]["input_tokens"] == 0


def test_unreadable_diff_abstains(judge: Any, changes: Any) -> None:
    assert decision(judge(change=replace(changes(), diff="--- a\n+++ b\n"))) == "abstain"


# -- modes -----------------------------------------------------------------------------------------------------------


def test_off_is_not_activated(changes: Any) -> None:
    assert plugins.load("judge", "llm", {"model": "replay:x", "mode": "off"}).detect(changes().head) == ()


def test_shadow_passes_and_records(judge: Any, answer: Any) -> None:
    verdict = judge(answer(out_of_scope=[OUT]), mode="shadow")
    assert (verdict.outcome, verdict.diagnostics) == (Outcome.PASSED, ())
    assert verdict.summary == "shadow: would have vetoed (1 out of scope)"
    assert (decision(verdict), verdict.details["mode"]) == ("veto", "shadow")
    assert verdict.details["findings"][0]["quote"] == "+ return f'Hello {name}!'"


@pytest.mark.parametrize(
    ("parts", "rule"), [({"out_of_scope": [OUT]}, "judge/out-of-scope"), ({"requirements": []}, "judge/abstain")]
)
def test_advise_passes_with_warnings(judge: Any, answer: Any, parts: dict[str, Any], rule: str) -> None:
    verdict = judge(answer(**parts), mode="advise")
    assert verdict.passed
    assert [(found.rule, found.severity) for found in verdict.diagnostics] == [(rule, Severity.WARNING)]


@pytest.mark.parametrize(
    "settings", [{"mode": "strict"}, {"model": "gpt"}, {"model": "", "mode": "veto"}, {"verdict": "pass"}]
)
def test_settings_that_do_not_fit_are_one_clear_line(settings: dict[str, Any]) -> None:
    with pytest.raises(UserError) as caught:
        plugins.load("judge", "llm", {"model": "replay:x", **settings})
    assert "\n" not in str(caught.value)


# -- what it is told ---------------------------------------------------------------------------------------------------


def test_facts_reach_the_model_and_the_agents_story_does_not(judge: Any, answer: Any) -> None:
    def tests(count: int) -> Verdict:
        return Verdict(
            "pytest", Phase.TEST, Outcome.PASSED, summary="I am sure it is right", counts=Counts(count, skipped=1)
        )

    guard = Verdict(
        "gates", Phase.GUARD, Outcome.PASSED, diagnostics=(Diagnostic("changes ci.yml", Severity.INFO, "ci.yml", 3),)
    )
    told = [
        "Greet with an exclamation mark.", "src/app.py: modified, +1 -1, source", "+    return f'Hello {name}!'",
        "Verifier pytest: passed; tests before: 9 run, 1 skipped, 0 failed; tests after: 10 run, 1 skipped, 0 failed",
        "Guard gates notes: ci.yml:3: changes ci.yml", "Allowed by the prompt's author: nothing beyond the task",
    ]  # fmt: skip
    baseline = Report("t", "b", (tests(9),))
    assert judge(answer(), expect=told, earlier=(tests(10), guard), baseline=baseline).passed
    with pytest.raises(AgentError, match="expects `I am sure"):
        judge(answer(), expect=["I am sure"], earlier=(tests(10), guard), baseline=baseline)


def test_rubric_changes_with_its_version() -> None:
    """A text that changes under the same version would make records lie: raise `Version:` in the rubric."""
    version, text = read_rubric()
    assert (version, sha256(text.encode()).hexdigest()[:12]) == ("3", "298737f29ef1")


# -- providers ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def key(tmp_path: Any) -> str:
    file = tmp_path / "key"
    file.write_text("sk-dummy-0123456789")
    return str(file)


def ask(judged: Callable[..., Verdict], changes: Any, key: str, *steps: Step, **settings: Any) -> Verdict:
    with serve(steps) as server:
        model = {"model": "anthropic:judge-1", "base_url": server.url, "key_file": key}
        return judged({**model, **settings}, changes())


def test_answer_of_a_real_protocol(judged: Any, changes: Any, answer: Any, key: str) -> None:
    step = Step(tools=({"name": "final_result", "input": answer()},), usage={"input_tokens": 700, "output_tokens": 70})
    verdict = ask(judged, changes, key, step)
    assert decision(verdict) == "pass"
    tokens = {"input_tokens": 700, "output_tokens": 70, "cached_tokens": 0}
    assert verdict.details["usage"] == {"requests": 1, **tokens, "usd": None, "source": "unknown"}
    assert verdict.details["model"] == "anthropic:judge-1"


@pytest.mark.parametrize("mode", ["veto", "advise", "shadow"])
def test_refused_key_is_the_persons_to_mend(judged: Any, changes: Any, key: str, mode: str) -> None:
    with pytest.raises(UserError) as caught:
        ask(judged, changes, key, Step(status=401), mode=mode)
    assert "sk-dummy" not in str(caught.value)


@pytest.mark.parametrize("steps", [[Step(status=500)] * 9, [Step(status=400)], [Step(raw="nonsense")] * 9])
def test_provider_that_fails_is_infrastructure_and_no_pass(
    judged: Any, changes: Any, key: str, steps: list[Step]
) -> None:
    with pytest.raises(InfraError):
        ask(judged, changes, key, *steps)


def test_model_that_hangs_is_infrastructure(judged: Any, changes: Any, key: str) -> None:
    with pytest.raises(InfraError, match="did not answer within 0 seconds"):
        ask(judged, changes, key, Step(hang=True), seconds=0.3)


def test_key_that_is_not_there_is_one_clear_line(judged: Any, changes: Any) -> None:
    with pytest.raises(UserError, match="JUDGE_KEY"):
        judged({"model": "openai:x", "key_env": "JUDGE_KEY"}, changes())


def test_recording_that_does_not_fit_what_happened_fails(judge: Any, answer: Any) -> None:
    with pytest.raises(AgentError, match="expects"):
        judge(answer(), expect=["what never was in the diff"])
