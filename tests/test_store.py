"""Records survive, as they were, for several processes at once."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from greylag.errors import UserError
from greylag.model import (
    Counts,
    Diagnostic,
    Event,
    Outcome,
    Phase,
    PullRequest,
    Repo,
    Session,
    Status,
    StopReason,
    Task,
    Usage,
    Verdict,
)
from greylag.report import Report, Run
from greylag.store import Store


def _run(run_id: str) -> Run:
    verdict = Verdict(
        "pytest", Phase.TEST, Outcome.FAILED, "api", diagnostics=(Diagnostic("é\udc80", line=3),), counts=Counts(3, 1)
    )
    session = Session("s", "builtin", "m", StopReason.COMPLETED, Usage(2, 10, 5, 0, 0.25, "prices"))
    pull = PullRequest("local", "/r", 1, "local:/r#1", "b", "main", "abc", "t", "body", labels=("x",))
    report = Report("tree", "base", (verdict,), ("a note",))
    return Run(
        run_id, Task("do", Repo("/r"), "Do"), Status.OPENED, datetime.now(UTC), "builtin", "base", "tree",
        baseline=report, sessions=(session,), reports=(report,), pull_request=pull,
    )  # fmt: skip


def test_a_run_comes_back_as_it_was_written(state: Path) -> None:
    store = Store(state)
    run = _run(store.new_id())
    store.record(replace(run, status=Status.RUNNING))
    store.record(run)
    assert Store(state).run(run.id[:-1]) == run
    assert [found.id for found in store.newest()] == [run.id]


def test_the_time_line_keeps_its_order_and_facts(state: Path) -> None:
    store = Store(state)
    run_id = store.new_id()
    for number in range(3):
        store.observe(run_id, number, Event("verdict", f"line {number}", datetime.now(UTC), {"path": Path("x")}))
    found = store.events(run_id)
    assert [event.text for event in found] == ["line 0", "line 1", "line 2"]
    assert found[0].data == {"path": "x"}
    assert found[0].at.tzinfo is UTC


def test_an_unknown_run_is_a_clear_error(state: Path) -> None:
    with pytest.raises(UserError, match="no run begins with `2030`"):
        Store(state).run("2030")


def test_a_directory_that_cannot_be_written_names_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="GREYLAG_STATE"):
        Store(tmp_path / "file")


def test_five_processes_write_at_once_and_nothing_is_lost(state: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from datetime import UTC, datetime; from greylag.store import Store;"
        "from greylag.model import *; from greylag.report import Run;"
        "s = Store(Path(sys.argv[1])); i = s.new_id();"
        "r = Run(i, Task('p', Repo('/r'), 't'), Status.RUNNING, datetime.now(UTC)); s.record(r);"
        "[s.observe(i, n, Event('k', 't', datetime.now(UTC))) for n in range(20)]; s.record(r)"
    )
    started = [subprocess.Popen([sys.executable, "-c", code, str(state)]) for _ in range(5)]
    assert [process.wait() for process in started] == [0] * 5
    store = Store(state)
    runs = store.newest(100)
    assert len(runs) == 5
    assert all(len(store.events(run.id)) == 20 for run in runs)
