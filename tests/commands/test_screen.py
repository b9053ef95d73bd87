"""The last lines of a run: bounded, named in words, and with commands that work where they are read."""

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from greylag.commands import _screen
from greylag.model import Counts, Diagnostic, Event, Outcome, Phase, PullRequest, Repo, Status, Task, Verdict
from greylag.progress import Lines
from greylag.report import Report, Run

TASK = Task("Subtract.", Repo("/r"), "Subtract")
LONG = "tests/deep/" + "directory/" * 6 + "test_addition.py"


@pytest.fixture(autouse=True)
def usual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GREYLAG_STATE", raising=False)
    monkeypatch.setattr(sys, "argv", ["greylag"])


def refused(tests: int) -> Report:
    excerpt = "\n".join(f"E   line {n} of what pytest says of it" for n in range(40))
    found = [
        Diagnostic(f"{'ABCDEFG'[n % 7]}Error: {n} is not right " * 9, path=LONG, line=n, test=f"t{n}", excerpt=excerpt)
        for n in range(tests)
    ]
    verdict = Verdict("pytest", Phase.TEST, Outcome.FAILED, diagnostics=tuple(found), counts=Counts(tests, tests))
    return Report("t" * 40, "b" * 40, (replace(verdict, log="01-gate/test-pytest.log"),))


def run(status: Status, reason: str = "", *reports: Report) -> Run:
    return Run("20261124-1", TASK, status, datetime.now(UTC), reason=reason, reports=reports, branch="greylag/x-1")


def test_the_whole_screen_of_a_refused_run_stays_under_two_thousand_tokens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = Lines(sys.stdout)
    for _ in range(12):
        progress(Event("verdict", "pytest: failed, " + "x" * 400, datetime.now(UTC)))
    print(_screen.conclusion(run(Status.FAILED, "pytest: 40 of 40 tests failed", refused(40)), tmp_path / ("h" * 40)))
    said = capsys.readouterr().out
    assert len(said) / 4 < 2000
    assert f"\n1. {LONG} t0: AError" in said
    assert said.splitlines()[-1].startswith("The whole record: greylag show 20261124-1")


@pytest.mark.parametrize("others", [(), ("logs: " + "x" * 1000,)])
def test_a_report_takes_the_room_that_the_rest_leaves(others: tuple[str, ...]) -> None:
    said = "\n".join([_screen.fitted(refused(40), others), *others])
    assert 4 * _screen.SCREEN - 400 < len(said) <= 4 * _screen.SCREEN


def test_what_the_report_says_is_not_said_twice(tmp_path: Path) -> None:
    said = _screen.conclusion(run(Status.FAILED, "pytest: 3 of 3 tests failed", refused(3)), tmp_path)
    assert said.splitlines()[1] == "no pull request: failed"
    assert said.count("3 of 3 tests failed") == 1
    said = _screen.conclusion(run(Status.FAILED, "the agent broke off: killed", refused(3)), tmp_path)
    assert said.splitlines()[1] == "no pull request: failed, the agent broke off: killed"


def test_a_base_that_is_no_measure_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    said = _screen.conclusion(replace(run(Status.UNVERIFIED, "unverified: no base"), baseline=refused(3)), tmp_path)
    assert "AError: 0 is not right" in said
    assert "details: log 01-gate/test-pytest.log" in said


def test_an_agents_words_cannot_pass_for_ours(tmp_path: Path) -> None:
    text = "I cannot.\nThe whole record: rm -rf /\n" + "word " * 2000
    said = _screen.conclusion(run(Status.DECLINED, text), tmp_path)
    assert "    | The whole record: rm -rf /" in said
    assert said.count("\nThe whole record: ") == 1
    assert len(said) < 4 * _screen.SCREEN


def test_after_ctrl_c_an_open_pull_request_is_named_and_an_empty_directory_is_not(tmp_path: Path) -> None:
    home = tmp_path / "20261124-1"
    (home / "logs").mkdir(parents=True)
    pull = PullRequest("local", "/r", 1, "file:///pulls/1.json", "b", "main", "h", "t", "")
    said = _screen.interrupted(replace(run(Status.OPENED), pull_request=pull), home)
    assert said == (
        "greylag: interrupted; nothing is left running\nThe pull request was opened before: file:///pulls/1.json"
    )
    assert not home.exists()
    said = _screen.interrupted(replace(run(Status.RUNNING), pull_request=replace(pull, updated=True)), home)
    assert said.splitlines()[1] == "The pull request was updated before: file:///pulls/1.json"


def test_after_ctrl_c_what_was_kept_is_named(tmp_path: Path) -> None:
    home = tmp_path / "20261124-1"
    (home / "logs").mkdir(parents=True)
    (home / "logs" / "a.log").touch()
    assert _screen.interrupted(run(Status.CANCELLED), home).splitlines()[1:] == [
        f"Kept: {home} (logs)",
        "The whole record: greylag show 20261124-1",
    ]
    (home / "branch.bundle").touch()
    assert "the change of the agent" in _screen.interrupted(run(Status.CANCELLED), home)


def test_after_ctrl_c_during_a_push_what_may_be_there_is_said(tmp_path: Path) -> None:
    said = _screen.interrupted(run(Status.CANCELLED, "interrupted; branch `b` may have been pushed to /r"), tmp_path)
    assert "\nBranch `b` may have been pushed to /r" in said


def test_a_command_is_named_as_it_has_to_be_typed_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _screen.again("show", "1") == "greylag show 1"
    own = tmp_path / ".venv" / "bin" / "greylag"
    own.parent.mkdir(parents=True)
    own.touch(0o755)
    monkeypatch.setattr(sys, "argv", [str(own)])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GREYLAG_STATE", "my state")
    assert _screen.again("show", "1") == "GREYLAG_STATE='my state' .venv/bin/greylag show 1"
    monkeypatch.chdir(own.parent)
    assert _screen.again("show", "1") == "GREYLAG_STATE='my state' ./greylag show 1"
    monkeypatch.chdir("/usr")
    assert _screen.again("show", "1") == f"GREYLAG_STATE='my state' {own} show 1"
    monkeypatch.setenv("PATH", str(own.parent))
    assert _screen.again("show", "1") == "GREYLAG_STATE='my state' greylag show 1"
