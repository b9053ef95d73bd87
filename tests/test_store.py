"""Records survive, as they were, for several processes at once."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from greylag.costs import costs
from greylag.errors import UserError
from greylag.exchanges import NAME, Exchanges
from greylag.holding import HELD, held
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
from greylag.store import Store, to_json


def _run(run_id: str) -> Run:
    counts, found = Counts(3, 1, passed=("its-name", "b")), Diagnostic("é\udc80", line=3)
    verdict = Verdict("pytest", Phase.TEST, Outcome.FAILED, "api", diagnostics=(found,), counts=counts)
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


def test_a_record_does_not_name_each_of_thousands_of_tests(state: Path) -> None:
    Store(state).record(_run("1"))
    assert "its-name" not in json.dumps(to_json(Store(state).run("1")))
    assert all(b"its-name" not in path.read_bytes() for path in state.rglob("*") if path.is_file())


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


def test_three_processes_write_at_once_and_nothing_is_lost(state: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from datetime import UTC, datetime; from greylag.store import Store;"
        "from greylag.model import *; from greylag.report import Run;"
        "s = Store(Path(sys.argv[1])); i = s.new_id();"
        "r = Run(i, Task('p', Repo('/r'), 't'), Status.NO_CHANGE, datetime.now(UTC)); s.record(r);"
        "[s.observe(i, n, Event('k', 't', datetime.now(UTC))) for n in range(20)]; s.record(r)"
    )
    started = [subprocess.Popen([sys.executable, "-c", code, str(state)]) for _ in range(3)]
    assert [process.wait() for process in started] == [0] * 3
    store = Store(state)
    runs = store.newest(100)
    assert len(runs) == 3
    assert all(len(store.events(run.id)) == 20 for run in runs)


def test_a_run_tells_which_later_one_its_pull_request_is_of_by_now(state: Path) -> None:
    store = Store(state)
    runs = [replace(_run(store.new_id()), finished=datetime(2026, 1, day, tzinfo=UTC)) for day in (3, 1, 2)]
    other = replace(_run(store.new_id()), finished=datetime(2026, 1, 4, tzinfo=UTC))
    assert other.pull_request
    refused = replace(runs[0], id=store.new_id(), pull_request=None, finished=datetime(2026, 1, 5, tzinfo=UTC))
    for run in (*runs, replace(other, pull_request=replace(other.pull_request, url="local:/r#2")), refused):
        store.record(run)
    assert [store.updated_by(run) for run in runs] == [None, runs[0].id, runs[0].id]
    assert store.updated_by(refused) is None


# -- runs that were killed ---------------------------------------------------------------------------------------------

_CARRY_OUT = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from greylag.holding import held
from greylag.model import *
from greylag.report import Run
from greylag.store import Store, to_json

store = Store(Path(sys.argv[1]))
run_id = store.new_id()
pull = PullRequest("local", "/r", 1, "file:///1.json", "b", "main", "abc", "t", "",
                   updated="updated" in sys.argv) if "opened" in sys.argv else None
with held(store.home(run_id)):
    for name in ("tree", "sandbox", "logs"):
        (store.home(run_id) / name).mkdir()
    reason = "branch `b` may have been pushed to /r" if "publishing" in sys.argv else ""
    run = Run(run_id, Task("p", Repo("/r"), "t"), Status.RUNNING, datetime(2026, 1, 1, tzinfo=UTC), reason=reason,
              artefacts=("change.diff",), pull_request=pull)
    if "unrecorded" not in sys.argv:
        store.record(run)
        store.observe(run_id, 0, Event("gate", "verifying", datetime(2026, 1, 2, tzinfo=UTC)))
    print(run_id, flush=True)
    time.sleep(60)
"""


@dataclass
class Carrier:
    """A process that carries out a run, and how to kill it."""

    process: "subprocess.Popen[str]"
    run_id: str

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def carry_out(state: Path) -> Iterator[Callable[..., Carrier]]:
    started = []

    def start(*how: str) -> Carrier:
        command = [sys.executable, "-c", _CARRY_OUT, str(state), *how]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout
        return Carrier(process, process.stdout.readline().strip())

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_run_is_running_as_long_as_its_process_lives_and_not_longer(
    state: Path, carry_out: Callable[..., Carrier]
) -> None:
    store, carrier = Store(state), carry_out()
    assert store.run(carrier.run_id).status is Status.RUNNING
    carrier.kill()
    (listed,), run = Store(state).newest(), store.run(carrier.run_id)
    assert (run.status, run.reason) == (Status.ERRORED, "greylag was killed; kept: change.diff")
    assert run.finished == datetime(2026, 1, 2, tzinfo=UTC), "when it was last seen alive"
    assert listed == run
    assert [event.text for event in store.events(run.id)] == ["verifying", f"errored: {run.reason}"]


def test_what_a_killed_run_had_asked_of_models_is_in_its_cost(state: Path, carry_out: Callable[..., Carrier]) -> None:
    carrier, store = carry_out(), Store(state)
    asked = Exchanges(store.home(carrier.run_id) / NAME)
    for _ in range(2):
        asked.keep(asked.begin("session 1", "/v1/messages", b"{}"), Usage(1, 1000, 10, usd=0.03), "m")
    carrier.kill()
    run = store.run(carrier.run_id)
    assert run.broken_off == Usage(2, 2000, 20, usd=0.06)
    assert costs(store.newest(), "all")["all"].usage.usd == pytest.approx(0.06)


def test_a_run_that_was_killed_while_it_published_says_what_may_be_there(
    state: Path, carry_out: Callable[..., Carrier]
) -> None:
    carrier = carry_out("publishing")
    carrier.kill()
    assert "may have been pushed to /r" in Store(state).run(carrier.run_id).reason


def test_a_run_that_was_killed_after_its_pull_request_was_opened_does_not_deny_it(
    state: Path, carry_out: Callable[..., Carrier]
) -> None:
    carrier = carry_out("opened")
    carrier.kill()
    run = Store(state).run(carrier.run_id)
    assert (run.status, run.reason) == (Status.OPENED, "pull request file:///1.json")
    carrier = carry_out("opened", "updated")
    carrier.kill()
    assert Store(state).run(carrier.run_id).status is Status.UPDATED


def test_two_that_look_at_once_write_one_end(state: Path, carry_out: Callable[..., Carrier]) -> None:
    carrier = carry_out()
    carrier.kill()
    code = "import sys; from pathlib import Path; from greylag.store import Store; Store(Path(sys.argv[1])).newest()"
    looking = [subprocess.Popen([sys.executable, "-c", code, str(state)]) for _ in range(2)]
    assert [process.wait() for process in looking] == [0] * 2
    assert [event.kind for event in Store(state).events(carrier.run_id)] == ["gate", "end"]


@pytest.mark.toolchain("bwrap")
def test_who_may_only_look_is_told_the_truth_all_the_same(state: Path, carry_out: Callable[..., Carrier]) -> None:
    carrier = carry_out()
    carrier.kill()
    code = (
        "import sys; from pathlib import Path; from greylag.store import Store\n"
        "print([run.status.value for run in Store(Path(sys.argv[1])).newest()])"
    )
    read_only = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
    command = ["unshare", "-rm", "sh", "-c", read_only, str(state), sys.executable, "-c", code, str(state)]
    for _ in range(2):  # with the write-ahead log of the killed process, and without one
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "['errored']\n"
        Store(state).newest()


def test_the_next_run_removes_what_dead_ones_left_and_nothing_of_live_ones(
    state: Path, carry_out: Callable[..., Carrier]
) -> None:
    store, live = Store(state), carry_out()
    dead, stillborn = carry_out(), carry_out("unrecorded")
    dead.kill()
    stillborn.kill()
    (store.runs / "empty").mkdir()
    os.utime(store.runs / "empty", (0, 0))
    store.new_id()
    assert sorted(path.name for path in store.home(live.run_id).iterdir()) == [HELD, "logs", "sandbox", "tree"]
    assert [path.name for path in store.home(dead.run_id).iterdir()] == ["logs"]
    assert not (store.runs / "empty").exists()
    assert not store.home(stillborn.run_id).exists()
    assert store.run(live.run_id).status is Status.RUNNING
    assert [run.status for run in store.newest()] == [Status.RUNNING, Status.ERRORED]


@pytest.mark.toolchain("bwrap")
def test_a_run_in_another_pid_namespace_is_seen_to_live(state: Path, carry_out: Callable[..., Carrier]) -> None:
    carrier = carry_out()
    code = (
        "import sys; from pathlib import Path; from greylag.store import Store\n"
        "print(Store(Path(sys.argv[1])).newest()[0].status)"
    )
    command = ["unshare", "-rpf", sys.executable, "-c", code, str(state)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "running\n"
    assert carrier.process.poll() is None


def test_a_file_system_without_locks_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(handle: int, kind: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.flock", none)
    with pytest.raises(UserError, match="GREYLAG_STATE"), held(tmp_path):
        pytest.fail("it is not held")
    monkeypatch.setattr("fcntl.flock", lambda handle, kind: None)  # locks that keep nobody out are worse
    with pytest.raises(UserError, match="GREYLAG_STATE"), held(tmp_path):
        pytest.fail("it is not held")
    assert list(tmp_path.iterdir()) == []
