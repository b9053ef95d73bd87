"""The main job with the built-in agent and the judge on models that are played, over the wires of both providers."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from greylag.testing import model_server
from greylag.testing.model_server import Model
from greylag.testing.repos import git
from greylag.testing.service import make_service
from greylag.testing.warm import Ended, Warm

pytestmark = pytest.mark.toolchain("bwrap")

MODELS = ["anthropic:claude-sonnet-4-5", "openai:gpt-5"]  # the first is asked to stream
EDIT = {"name": "edit_file", "input": {"path": "greet", "old": "echo Hello, $1", "new": 'echo "Hello, $1"'}}
VERIFY: dict[str, Any] = {"name": "verify", "input": {}}
WORK: list[dict[str, Any]] = [{"text": "I edit.", "tools": [EDIT]}, {"tools": [VERIFY]}, {"text": "Quoted."}]
ANSWER = {
    "requirements": [{"text": "greet with quotes", "status": "met", "quotes": ['+echo "Hello, $1"']}],
    "tests_honest": True,
    "comment": "fine",
}
NONSENSE = [{"raw": 'event: message_start\ndata: {"type": "message_start", "message": null}\n\n'}] * 9


@dataclass(frozen=True)
class Job:
    """`greylag run` on a repository, with directories of its own."""

    home: Path
    service: Path
    name: str
    warm: Warm

    def __call__(self, agent: Model, judge: Model) -> Ended:
        self.home.mkdir()
        path = "/v1" if self.name.startswith("openai") else ""
        tables = [
            f'[{role}]\nmodel = "{self.name}"\nbase-url = "{model.url}{path}"\nkey-env = "{role.upper()}_KEY"\n'
            for role, model in (("agent", agent), ("judge", judge))
        ]
        tables[0] += 'name = "builtin"\n'
        (self.home / "greylag.toml").write_text("".join(tables) + '[forge]\nname = "local"\n')
        own = {"GREYLAG_CONFIG": "greylag.toml", "GREYLAG_STATE": "state", "GREYLAG_CACHE": "cache", "HOME": ""}
        env = {name: str(self.home / value) for name, value in own.items()}
        env |= {"PATH": os.environ["PATH"], "AGENT_KEY": "sk-agent", "JUDGE_KEY": "sk-judge"}
        command = ("run", "-m", "Greet with quotes", "--repo", str(self.service), "--json")
        return self.warm(*command, stdin=b"", env=env, cwd=self.home, seconds=200)


@pytest.fixture(scope="module")
def ready() -> Iterator[Warm]:
    """greylag with the libraries of both providers, which each run would import for seconds."""
    with Warm("pydantic_ai.models.anthropic", "pydantic_ai.models.openai") as server:
        yield server


@pytest.fixture
def job(tmp_path: Path, request: pytest.FixtureRequest, ready: Warm) -> Job:
    return Job(tmp_path / "home", make_service(tmp_path / "service"), request.param, ready)


@pytest.mark.parametrize("job", MODELS, indirect=True)
def test_from_the_prompt_to_the_pull_request(job: Job) -> None:
    ruling = [{"tools": [{"name": "final_result", "input": ANSWER}]}]
    with model_server.serve(WORK) as agent, model_server.serve(ruling) as judge:
        done = job(agent, judge)
    assert done.returncode == 0, done.stderr[-3000:]
    run = json.loads(done.stdout)
    assert git(job.service, "show", f"{run['pull_request']['branch']}:greet").endswith('echo "Hello, $1"')
    assert "ok: sh tests 2 tests" in agent.questions[2].text
    assert run["sessions"][0]["usage"]["input_tokens"] == 3000
    assert bool(agent.questions[0].body.get("stream")) is job.name.startswith("anthropic")
    assert "Quoted." not in judge.questions[0].text, "the agent's own story"
    for model, key in ((agent, "sk-agent"), (judge, "sk-judge")):
        headers = [request.headers for request in model.requests]
        assert {sent.get("x-api-key") or sent["authorization"].removeprefix("Bearer ") for sent in headers} == {key}
    assert "sk-" not in done.stdout + done.stderr


@pytest.mark.parametrize(("job", "role"), [(MODELS[0], "agent"), (MODELS[1], "judge")], indirect=["job"])
def test_nonsense_of_a_server_is_infrastructure_and_names_it(job: Job, role: str) -> None:
    with (
        model_server.serve(NONSENSE if role == "agent" else WORK) as agent,
        model_server.serve(NONSENSE) as judge,
    ):
        done = job(agent, judge)
    server = agent if role == "agent" else judge
    assert done.returncode == 75, done.stderr[-3000:]
    assert server.url.removeprefix("http://") in json.loads(done.stdout)["reason"]
    assert len(server.requests) >= 3, "and was tried again"
    kept = list(job.home.rglob("change.diff"))
    assert len(kept) == (role == "judge"), "what the agent was paid for is kept"
    assert git(job.service, "branch", "--format=%(refname:short)") == "main"
