"""How often the judge vetoes and was wrong can be asked, and a person's word is kept with the case it is about."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from greylag import cli, questions
from greylag.errors import UserError
from greylag.model import Outcome, Phase, Repo, Status, Task, Verdict
from greylag.report import Report, Run
from greylag.store import Store

QUESTION: dict[str, Any] = {
    "prompt": "do", "allow": [], "paths": [], "base": "b", "head": "h", "diff": "", "earlier": [], "baseline": None,
}  # fmt: skip


def judged(decision: str, *categories: str, **details: Any) -> Report:
    found = [{"category": name} for name in categories]
    usual = {"model": "openai:a", "rubric": "2", "dropped_quotes": 0, "usage": {"usd": 0.25}}
    outcome = Outcome.PASSED if decision == "pass" else Outcome.FAILED
    said = {"decision": decision, "findings": found, **usual, **details}
    return Report("t", "b", (Verdict("judge", Phase.JUDGE, outcome, details=said),))


def add(
    store: Store, *reports: Report, campaign: str = "", agent: str = "builtin", prompt: str = "do", title: str = "Do it"
) -> str:
    made = store.new_id()
    task = Task(prompt, Repo("/r"), title, campaign=campaign)
    store.record(Run(made, task, Status.OPENED, datetime.now(UTC), agent=agent, reports=tuple(reports)))
    return made


@pytest.fixture
def told(state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """What `greylag show` prints."""
    monkeypatch.setenv("GREYLAG_STATE", str(state))

    def run(*words: str) -> str:
        assert cli.command_line(["show", *words]) == 0
        return capsys.readouterr().out

    return run


def test_what_was_judged_is_counted_by_what_one_asks_for(state: Path, told: Any) -> None:
    store = Store(state)
    add(store, judged("pass"), campaign="utc")
    add(store, judged("veto", "tests", "out-of-scope"), judged("pass"), campaign="utc", agent="codex")
    add(store, judged("veto", "tests", dropped_quotes=2, model="openai:b"), judged("veto", "tests"))
    add(store, judged("abstain", usage={"usd": None}))
    add(store)  # no judge saw it
    everything = json.loads(told("--judge", "all", "--json"))["all"]
    assert everything == {
        "judged": 4, "passed": 1, "vetoed": 2, "abstained": 1, "corrected": 1, "wrong": 0, "missed": 0, "made_up": 2,
        "usd": 1.25, "veto_rate": 0.5, "abstain_rate": 0.25, "corrected_share": 0.5,
    }  # fmt: skip
    by = {
        key: json.loads(told("--judge", key, "--json")) for key in ("campaign", "agent", "model", "category", "prompt")
    }
    assert {name: row["judged"] for name, row in by["campaign"].items()} == {"none": 2, "utc": 2}
    assert {name: row["vetoed"] for name, row in by["agent"].items()} == {"builtin": 1, "codex": 1}
    assert {name: row["vetoed"] for name, row in by["model"].items()} == {"openai:a": 1, "openai:b": 1}
    assert {name: row["judged"] for name, row in by["category"].items()} == {"none": 2, "out-of-scope": 1, "tests": 2}
    (prompt,) = by["prompt"]
    assert prompt.startswith("Do it [")
    assert "codex         1       0  1 (100%)          1" in told("--judge", "agent")


def test_prompts_with_one_title_and_different_texts_are_apart(state: Path, told: Any) -> None:
    for prompt in ("one", "two", "one"):
        add(Store(state), judged("pass"), prompt=prompt, title="Do it " * 30)
    assert sorted(row["judged"] for row in json.loads(told("--judge", "prompt", "--json")).values()) == [1, 2]
    assert len({line.split("  ")[0] for line in told("--judge", "prompt").splitlines()[1:]}) == 2
    assert (
        json.loads(told("--cost", "prompt", "--json")).keys() == json.loads(told("--judge", "prompt", "--json")).keys()
    )


def test_words_of_people_are_kept_beside_each_other_and_each_kind_counts_once(state: Path, told: Any) -> None:
    run = add(Store(state), judged("veto"), judged("pass"))
    logs = Store(state).home(run) / "logs" / "2-gate"
    logs.mkdir(parents=True)
    (logs / questions.NAME).write_text(json.dumps({"judged-1": {**QUESTION, "details": {"decision": "veto"}}}))
    assert "counted" not in told(run, "--veto-was-wrong")
    told(run, "--should-have-vetoed")
    said = told(run, "--veto-was-wrong")
    assert said.count("said of its judge: veto was wrong, 2") == 2
    assert "counted: veto was wrong and should have vetoed, once each" in said
    assert said.split("counted")[0] in told(run)
    assert [word["label"] for word in json.loads(told(run, "--json"))["labels"]] == [
        "veto-was-wrong", "should-have-vetoed", "veto-was-wrong"
    ]  # fmt: skip
    row = json.loads(told("--judge", "all", "--json"))["all"]
    assert (row["wrong"], row["missed"]) == (1, 1)


def test_nothing_judged_is_no_rate(told: Any) -> None:
    assert json.loads(told("--judge", "all", "--json")) == {}
    assert told("--judge", "all").startswith("all  judged")


@pytest.mark.parametrize(
    ("decisions", "label", "number"),
    [
        (["veto"], "veto-was-wrong", "wrong"),
        (["veto", "abstain"], "veto-was-wrong", "wrong"),
        (["veto", "pass"], "veto-was-wrong", "wrong"),
        (["pass"], "should-have-vetoed", "missed"),
    ],
)
def test_a_persons_word_is_kept_as_a_labelled_case(
    state: Path, told: Any, decisions: Sequence[str], label: str, number: str
) -> None:
    store = Store(state)
    run = add(store, *map(judged, decisions))
    for number_of_gate, decision in enumerate(decisions, 2):
        logs = store.home(run) / "logs" / f"{number_of_gate:02}-gate"
        logs.mkdir(parents=True)
        (logs / questions.NAME).write_text(json.dumps({"judged-1": {**QUESTION, "details": {"decision": decision}}}))
    said = told(run, f"--{label}")
    case = json.loads(Path(said.strip().rpartition(": ")[2]).read_text())
    decided = next(one for one in reversed(decisions) if (one == "pass") == (number == "missed"))
    assert case == {"judged-1": {**QUESTION, "details": {"decision": decided}}, "label": label}
    assert json.loads(told("--judge", "all", "--json"))["all"][number] == 1


@pytest.mark.parametrize(
    ("reports", "label", "said"),
    [
        ([], "veto-was-wrong", "has no decision of a judge"),
        ([judged("pass")], "veto-was-wrong", "said pass in run .*: that cannot be said of it"),
        ([judged("veto")], "should-have-vetoed", "said veto in run .*: that cannot be said of it"),
    ],
)
def test_what_cannot_be_said_of_a_decision_is_refused(
    state: Path, told: Any, reports: Sequence[Report], label: str, said: str
) -> None:
    run = add(Store(state), *reports)
    with pytest.raises(UserError, match=said):
        told(run, f"--{label}")
    with pytest.raises(UserError, match="name a RUN"):
        told(f"--{label}")
