"""A stored run again: the same answers, no key and no model, today's code; what differs is said."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from greylag.exchanges import NAME, load
from greylag.store import Store
from greylag.testing import model_server
from greylag.testing.repos import git
from greylag.testing.service import make_service
from greylag.testing.warm import Ended, Warm

pytestmark = pytest.mark.toolchain("bwrap")

EDIT = {"name": "edit_file", "input": {"path": "greet", "old": "echo Hello, $1", "new": 'echo "Hello, $1"'}}
LOOK = ["find", "/", "-path", "/proc", "-prune", "-o", "-name", NAME, "-print"]
WORK: list[dict[str, Any]] = [
    {"text": "I edit.", "tools": [EDIT]},
    {"tools": [{"name": "verify", "input": {}}, {"name": "run_command", "input": {"argv": LOOK}}]},
    {"text": "Quoted."},
    {"text": "It lacked nothing."},
]
ANSWER = {
    "requirements": [{"text": "greet with quotes", "status": "met", "quotes": ['+echo "Hello, $1"']}],
    "tests_honest": True,
}
MODEL = "anthropic:claude-sonnet-4-6"


@dataclass(frozen=True)
class Place:
    """greylag with directories of its own, and a repository."""

    home: Path
    service: Path
    warm: Warm

    def greylag(self, *words: str) -> Ended:
        own = {"GREYLAG_CONFIG": "greylag.toml", "GREYLAG_STATE": "state", "GREYLAG_CACHE": "cache", "HOME": ""}
        env = {name: str(self.home / value) for name, value in own.items()}
        env |= {"PATH": os.environ["PATH"]} | ({"THE_KEY": "sk-the-key-of-the-models"} if words[0] == "run" else {})
        return self.warm(*words, stdin=b"", env=env, cwd=self.home, seconds=200)

    def run(self, work: list[dict[str, Any]], judge: list[dict[str, Any]], *words: str) -> tuple[Ended, list[str]]:
        """A run with models that are played, and what the agent's was asked."""
        self.home.mkdir(exist_ok=True)
        with model_server.serve(work) as agent, model_server.serve(judge) as other:
            tables = [
                f'[{role}]\nmodel = "{MODEL}"\nbase-url = "{model.url}"\nkey-env = "THE_KEY"\n'
                for role, model in (("judge", other), ("agent", agent))
            ]
            settings = "".join(tables) + 'name = "builtin"\nshell = ["find"]\n[forge]\nname = "local"\n'
            (self.home / "greylag.toml").write_text(settings)
            done = self.greylag("run", "-m", "Greet with quotes", "--repo", str(self.service), "--json", *words)
        return done, [request.text for request in agent.questions]

    @property
    def store(self) -> Store:
        return Store(self.home / "state")


@pytest.fixture(scope="module")
def ready() -> Iterator[Warm]:
    with Warm("pydantic_ai.models.anthropic") as server:
        yield server


@pytest.fixture
def place(tmp_path: Path, ready: Warm) -> Place:
    return Place(tmp_path / "home", make_service(tmp_path / "service"), ready)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory, ready: Warm) -> tuple[Path, str]:
    """A run that opened a pull request, for replays of it in copies of its directories."""
    home = tmp_path_factory.mktemp("stored")
    home.chmod(0o755)
    place = Place(home / "home", make_service(home / "service"), ready)
    ruling = [{"tools": [{"name": "final_result", "input": ANSWER}]}]
    done, asked = place.run(WORK, ruling)
    assert done.returncode == 0, done.stderr[-3000:]
    assert NAME not in asked[2].replace(json.dumps(LOOK)[1:-1], ""), "no sandbox sees the record"
    return home, json.loads(done.stdout)["id"]


@pytest.fixture
def copied(stored: tuple[Path, str], ready: Warm) -> Iterator[tuple[Place, str]]:
    """The same place, of which a test may change the record."""
    home, run_id = stored
    record = home / "home/state/runs" / run_id / NAME
    kept = record.read_bytes()
    yield Place(home / "home", home / "service", ready), run_id
    record.write_bytes(kept)


def rewrite(place: Place, run_id: str, change: Callable[[list[dict[str, Any]]], Any]) -> None:
    path = place.home / "state/runs" / run_id / NAME
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in change(lines)))


def test_a_run_is_replayed_without_a_key_or_a_model(copied: tuple[Place, str]) -> None:
    place, run_id = copied
    pulls = sorted((place.home / "state/pulls").rglob("*"))
    branches = git(place.service, "branch")
    done = place.greylag("replay", run_id[:-2], "--json")
    assert done.returncode == 0, done.stderr[-3000:]
    run, before = json.loads(done.stdout), place.store.run(run_id)
    assert (run["status"], run["differences"], run["replay_of"]) == ("passed", [], run_id)
    assert (run["tree"], run["base"], run["pull_request"]) == (before.tree, before.base, None)
    assert run["reflection"]["text"] == "It lacked nothing."
    assert (run["sessions"][0]["usage"]["usd"], run["sessions"][0]["usage"]["cost_source"]) == (0.0, "replay")
    assert (sorted((place.home / "state/pulls").rglob("*")), git(place.service, "branch")) == (pulls, branches)
    asked = load(place.home / "state/runs" / run["id"])
    assert [one.who for one in asked] == [*["session 1"] * 3, "judge", "reflection"]
    once_more = place.greylag("replay", run["id"])
    assert f"the same as run {run['id']}; 5 recorded answers were played" in once_more.stdout


def test_it_shows_what_was_asked_and_what_it_cost(copied: tuple[Place, str]) -> None:
    place, run_id = copied
    shown = place.greylag("show", run_id, "--requests").stdout
    assert "session 1: 3 requests, 3000 tokens in (0 cached), 150 out, $0.011" in shown
    assert "judge: 1 request, " in shown
    assert "all: 5 requests, 5000 tokens in (0 cached), 250 out, $0.018" in shown
    listed = json.loads(place.greylag("show", run_id, "--requests", "--json").stdout)
    assert [one["number"] for one in listed] == [1, 2, 3, 4, 5]
    assert not {"answer", "asked"} & set(listed[0])
    assert "models: 5 requests, 5000 tokens in (0 cached), 250 out, $0.018" in place.greylag("show", run_id).stdout
    total = json.loads(place.greylag("show", "--cost", "campaign", "--json").stdout)
    assert (total["none"]["runs"], total["none"]["usd"]) == (1, pytest.approx(0.01875)), "replays cost nothing"


def test_what_differs_is_said(copied: tuple[Place, str]) -> None:
    place, run_id = copied

    def change(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        lines[0]["answer"] = lines[0]["answer"].replace('echo \\\\\\"Hello, $1', 'echo \\\\\\"Bye, $1')
        lines[2]["asked"]["tools"] = "another"
        return lines

    rewrite(place, run_id, change)
    done = place.greylag("replay", run_id, "--json")
    assert done.returncode == 4, "the stop gate sends it back, and there is no answer left"
    found = json.loads(done.stdout)["differences"]
    text = "\n".join(found)
    assert "outcome: errored, was opened" in text
    assert "report 1: missing" in text
    assert "requests: 4, 5 not asked this time" in text
    assert "patch: tree " in text
    assert "request 3: something else was asked than was recorded (messages, tools)" in text
    assert "request 2: " in text, "what `verify` answered"
    events = [event.text for event in place.store.events(json.loads(done.stdout)["id"]) if event.kind == "replay"]
    assert [line.strip() for line in events[1:]] == [line.strip() for line in found]


def test_answers_that_run_out_end_it_with_one_line(copied: tuple[Place, str]) -> None:
    place, run_id = copied
    rewrite(place, run_id, lambda lines: lines[:2])
    done = place.greylag("replay", run_id)
    assert done.returncode == 4, done.stderr[-3000:]
    assert f"the record of run {run_id} has no answer left: request 3 of the session" in done.stderr
    assert "differs from run" in done.stdout
    assert "Traceback" not in done.stderr


def test_what_cannot_be_replayed_is_refused_with_one_line(copied: tuple[Place, str], tmp_path: Path) -> None:
    place, run_id = copied
    run = place.store.run(run_id)
    for changes, says in (
        ({"settings": {}}, "made before greylag kept what its models answered"),
        ({"base": ""}, "ended before its repository was checked out"),
        ({"base": "0123456789abcdef" * 2 + "01234567"}, "commit 0123456789ab cannot be had any more"),
    ):
        place.store.record(replace(run, **changes))
        done = place.greylag("replay", run_id)
        assert (done.returncode, says in done.stderr) == (2, True), done.stderr
    place.store.record(run)
    moved = place.service.rename(tmp_path / "moved")
    done = place.greylag("replay", run_id)
    moved.rename(place.service)
    assert done.returncode == 2
    assert str(place.service) in done.stderr


def test_a_base_that_the_branch_has_left_is_still_had(copied: tuple[Place, str]) -> None:
    place, run_id = copied
    git(place.service, "commit", "--amend", "-q", "-m", "rewritten")
    for cache in (place.home / "cache", None):
        done = place.greylag("replay", run_id, "--json")
        assert json.loads(done.stdout)["differences"] == [], "from the cache, then from the repository"
        if cache:
            shutil.rmtree(cache)


# -- a budget --------------------------------------------------------------------------------------------------------


def test_a_budget_of_ten_cents_is_passed_by_one_request_of_all(place: Place) -> None:
    dear = {"usage": {"input_tokens": 12_000, "output_tokens": 10}}  # nearly four cents
    ruling = [{"tools": [{"name": "final_result", "input": ANSWER}], **dear}]
    done, asked = place.run([{**step, **dear} for step in WORK], ruling, "--usd", "0.10")
    run = json.loads(done.stdout)
    assert (done.returncode, run["status"]) == (1, "vetoed"), done.stderr[-3000:]
    assert "the budget of the run is used up" in run["reason"]
    assert len(asked) == 3, "nobody was asked what the prompt lacked, and no judge"
    assert [one.who for one in load(place.home / "state/runs" / run["id"])] == ["session 1"] * 3
    assert 0.10 < run["sessions"][0]["usage"]["usd"] < 0.14


def test_dollars_without_a_price_are_refused_before_anything_is_spent(place: Place) -> None:
    place.home.mkdir()
    for agent, judge in (("openai:ours", MODEL), (MODEL, "openai:ours")):
        tables = f'[agent]\nname = "builtin"\nmodel = "{agent}"\nkey-env = "THE_KEY"\n'
        (place.home / "greylag.toml").write_text(f'{tables}[judge]\nmodel = "{judge}"\nkey-env = "THE_KEY"\n')
        done = place.greylag("run", "-m", "Greet", "--repo", str(place.service), "--usd", "1")
        assert done.returncode == 2
        who = "judge" if judge == "openai:ours" else "builtin"
        assert f"no price is known for `openai:ours` of the {who}" in done.stderr


def test_what_was_paid_for_is_not_lost_with_a_session_that_an_error_ends(place: Place) -> None:
    done, asked = place.run(WORK[:2], [])
    run = json.loads(done.stdout)
    assert (done.returncode, run["status"], run["sessions"], len(asked)) == (4, "errored", [], 3)
    assert (run["broken_off"]["input_tokens"], run["broken_off"]["usd"]) == (2000, pytest.approx(0.0075))
    assert "models: 2 requests, 2000 tokens in" in place.greylag("show", run["id"]).stdout
    assert json.loads(place.greylag("show", "--cost", "all", "--json").stdout)["all"]["usd"] == pytest.approx(0.0075)
