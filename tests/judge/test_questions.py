"""What a judge was asked is kept, so that another one can be asked, or the same one again, without the repository."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from greylag import cli, plugins, questions
from greylag.errors import UserError
from greylag.judge._input import compose, show
from greylag.model import Counts, Outcome, Phase, Repo, Status, Task, Verdict
from greylag.protocols import Change, Context
from greylag.report import Report, Run
from greylag.store import Store
from greylag.testing.changes import NoSandbox

TESTED = Verdict("pytest", Phase.TEST, Outcome.PASSED, counts=Counts(3))


def recording(path: Path, *answers: dict[str, Any]) -> str:
    path.write_text(json.dumps({"judge": [{"answer": answer} for answer in answers]}))
    return f"replay:{path}"


def asked(change: Change, logs: Path, model: str, earlier: Sequence[Verdict] = (TESTED,)) -> Verdict:
    plugin = plugins.load("judge", "llm", {"model": model})
    (activation,) = plugin.detect(change.head)
    sandbox = NoSandbox()
    baseline = Report("tree", "base", (replace(TESTED, counts=Counts(5)),))
    context = Context(change, sandbox, logs, sandbox.run, earlier=tuple(earlier), baseline=baseline)
    verdict: Verdict = plugin.verify(activation, context)
    return verdict


@pytest.fixture
def run_id(tmp_path: Path, state: Path, changes: Any, answer: Any) -> str:
    """A run whose judge vetoed."""
    store = Store(state)
    made = store.new_id()
    store.record(Run(made, Task("do", Repo("/r"), "Do"), Status.VETOED, datetime.now(UTC)))
    logs = store.home(made) / "logs" / "03-gate"
    logs.mkdir(parents=True)
    missing = answer(requirements=[*answer()["requirements"], {"text": "document it", "status": "not_met"}])
    assert asked(changes(), logs, recording(tmp_path / "first", missing)).outcome is Outcome.FAILED
    return made


def test_the_question_is_the_same_afterwards(state: Path, run_id: str, changes: Any) -> None:
    found = questions.load(state / "runs" / run_id / "logs/03-gate" / questions.NAME)
    change = changes()
    assert found.change.diff == change.diff
    question = compose(found.change, show(found.change), found.earlier, found.baseline)
    assert "tests before: 5 run, 0 skipped, 0 failed; tests after: 3 run" in question
    assert change.prompt in question


def test_a_run_is_judged_again_by_another_model_or_rubric(
    tmp_path: Path, state: Path, run_id: str, answer: Any, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("GREYLAG_STATE", str(state))
    rubric, config = tmp_path / "rubric.md", tmp_path / "greylag.toml"
    rubric.write_text("Version: ours-7\n\nBe kind.\n")
    config.write_text(f'[judge]\nrubric = "{rubric}"\n')
    before = Store(state).run(run_id)
    words = ["judge", "--replay", run_id, "--config", str(config)]
    assert cli.command_line([*words, "--judge-model", recording(tmp_path / "second", answer())]) == 0
    told = capsys.readouterr().out
    assert "03-gate: veto by replay:" in told
    assert "now: pass by replay:" in told
    assert "rubric ours-7" in told
    assert Store(state).run(run_id) == before
    again = [*words, "--json", "--judge-model", recording(tmp_path / "third", answer(tests_honest=False))]
    assert cli.command_line(again) == 1
    assert json.loads(capsys.readouterr().out)[0]["verdicts"][0]["details"]["decision"] == "abstain"


@pytest.mark.parametrize("text", ["", "{}", '{"judged-1": 3}', '{"judged-1": {}}', "[" * 100_000])
def test_what_is_no_question_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    (tmp_path / questions.NAME).write_text(text)
    with pytest.raises(UserError, match="is no question to a judge"):
        questions.load(tmp_path / questions.NAME)


@pytest.mark.parametrize("text", ["", "Be kind.", "Version: \n\nBe kind.", "Version: 3\n\n"])
def test_a_rubric_has_a_version_since_records_name_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "rubric.md").write_text(text)
    with pytest.raises(UserError, match="does not begin with a line `Version: NAME`"):
        plugins.load(
            "judge", "llm", {"model": "openai:x", "base_url": "http://[::1]", "rubric": str(tmp_path / "rubric.md")}
        )


def test_a_run_without_a_judge_has_nothing_to_judge_again(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREYLAG_STATE", str(state))
    made = Store(state).new_id()
    Store(state).record(Run(made, Task("do", Repo("/r"), "Do"), Status.FAILED, datetime.now(UTC)))
    with pytest.raises(UserError, match="has kept no question to a judge"):
        cli.command_line(["judge", "--replay", made, "--judge-model", "openai:x", "--judge-key-env", "PATH"])
