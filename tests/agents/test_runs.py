"""The main job with the real clients: `greylag run` from the prompt to the pull request; only the model is played."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from greylag.pipeline import LACKED
from greylag.testing import model_server, takeovers
from greylag.testing.model_server import Model
from greylag.testing.repos import git
from greylag.testing.service import FILES, make_service

pytestmark = pytest.mark.toolchain("bwrap")

Tools = list[dict[str, Any]]
VERIFY: Tools = [{"name": "mcp__greylag__verify", "input": {}}]
GOOD, BAD, BETTER = "echo Hello, $1", "echo Bye, $1", 'echo "Hello, $1"'
LOOK = "find / -xdev -name CANARY -not -path '/proc/*' 2>/dev/null | wc -l | sed 's/.*/<& marks>/'"


@dataclass(frozen=True)
class Client:
    """A client, how its model calls its tools, and the files that try to take it over."""

    agent: str
    program: str
    hostile: Mapping[str, str]

    def edit(self, old: str, new: str) -> Tools:
        if self.program == "codex":
            text = f"*** Begin Patch\n*** Update File: greet\n@@\n-{old}\n+{new}\n*** End Patch\n"
            return [{"name": "apply_patch", "input": text}]
        change = {"file_path": "greet", "old_string": old, "new_string": new}
        return [{"name": "Read", "input": {"file_path": "greet"}}, {"name": "Edit", "input": change}]

    def shell(self, command: str) -> Tools:
        if self.program == "codex":
            return [{"name": "exec_command", "input": {"cmd": command, "yield_time_ms": 20_000}}]
        return [{"name": "Bash", "input": {"command": command}}]


CLAUDE = Client("claude-code", "claude", takeovers.claude_code())
CODEX = Client("codex", "codex", takeovers.codex())
clients = pytest.mark.parametrize(
    "client",
    [
        pytest.param(CLAUDE, marks=pytest.mark.client("claude"), id="claude-code"),
        pytest.param(CODEX, marks=pytest.mark.client("codex"), id="codex"),
    ],
)


@dataclass(frozen=True)
class Trial:
    """`greylag run` of one client on one repository, in directories of their own."""

    client: Client
    home: Path
    service: Path

    def __call__(self, model: Model) -> subprocess.CompletedProcess[str]:
        name = "gpt-5.5" if self.client.program == "codex" else "claude-sonnet-4-5"
        (self.home / "greylag.toml").write_text(
            f'[agent]\nname = "{self.client.agent}"\nmodel = "{name}"\nbase-url = "{model.url}"\nkey-env = "THE_KEY"\n'
            '[judge]\nmode = "off"\n[forge]\nname = "local"\n'
        )
        return self.greylag("run", "-m", "Greet with quotes", "--repo", str(self.service), "--json")

    def greylag(self, *words: str) -> subprocess.CompletedProcess[str]:
        own = {"GREYLAG_CONFIG": "greylag.toml", "GREYLAG_STATE": "state", "GREYLAG_CACHE": "cache"}
        env = {key: str(self.home / value) for key, value in own.items()}
        env |= {"HOME": str(self.home), "PATH": os.environ["PATH"], "THE_KEY": "sk-real-key"}
        command = [sys.executable, "-m", "greylag", *words]
        return subprocess.run(command, env=env, cwd=self.home, capture_output=True, text=True, check=False, timeout=300)


def trial(client: Client, tmp_path: Path, files: Mapping[str, str] | None = None) -> Trial:
    home = tmp_path / "home"
    home.mkdir()
    return Trial(client, home, make_service(tmp_path / "service", files))


def conversation(client: Client, *more: dict[str, Any]) -> list[dict[str, Any]]:
    """An edit that breaks a test, a try to end with it, the repair."""
    return [
        {"text": "I edit.", "tools": client.edit(GOOD, BAD)},
        {"tools": VERIFY},
        {"text": "Done?"},
        {"text": "Repaired.", "tools": client.edit(BAD, BETTER)},
        *more,
        {"text": "All done."},
    ]


def opened(done: "subprocess.CompletedProcess[str]", at: Trial, files: Sequence[str]) -> dict[str, Any]:
    """The record of a run that opened its pull request, with nothing else changed anywhere."""
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-3000:]
    run: dict[str, Any] = json.loads(done.stdout)
    assert run["status"] == "opened"
    branch = run["pull_request"]["branch"]
    assert git(at.service, "show", f"{branch}:greet") == f"#!/bin/sh\n{BETTER}"
    assert git(at.service, "diff", "--name-only", f"main..{branch}") == "greet"
    assert git(at.service, "status", "--porcelain") == ""
    assert sorted(git(at.service, "ls-files").splitlines()) == sorted(files)
    assert "sk-real-key" not in done.stdout + done.stderr
    return run


@clients
def test_from_the_prompt_to_the_pull_request(client: Client, tmp_path: Path) -> None:
    at = trial(client, tmp_path)
    lacked = {"text": "It did not say\nwhom to greet."}
    with model_server.serve([*conversation(client), lacked]) as model:
        run = opened(at(model), at, list(FILES))
    asked = [request.text for request in model.questions]
    assert model.left == 0
    assert "Greet with quotes" in asked[0]
    assert "greet said: Bye, Ada" in asked[2], "what `verify` answered"
    assert asked[3].count("greet said: Bye, Ada") > asked[2].count("greet said: Bye, Ada"), "and then the stop gate"
    (session,) = run["sessions"]
    assert (session["agent"], session["stop"], session["text"]) == (client.agent, "completed", "All done.")
    assert (session["verifications"], session["blocks"], session["usage"]["turns"]) == (1, 1, 5)
    assert {verdict["outcome"] for verdict in run["reports"][-1]["verdicts"]} == {"passed"}
    assert "sk-real-key" not in "".join(asked)
    shown = at.greylag("show", run["id"]).stdout
    assert "sent back (1 of 3)" in shown
    again = at.greylag("replay", run["id"], "--json")  # when no model is there any more
    assert again.returncode == 0, again.stderr[-3000:]
    assert json.loads(again.stdout)["differences"] == []
    assert "Greet with quotes" in asked[5], "the question after the run is asked in the same conversation"
    assert LACKED[:40] in asked[5]
    assert (run["reflection"]["text"], run["reflection"]["usage"]["turns"]) == (lacked["text"], 1)
    assert "what the prompt lacked, by the agent: It did not say whom to greet." in shown


@clients
def test_a_repository_that_tries_to_take_it_over_does_not(client: Client, tmp_path: Path) -> None:
    at = trial(client, tmp_path, client.hostile)
    with model_server.serve(conversation(client, {"tools": client.shell(LOOK)})) as model:
        run = opened(at(model), at, [*FILES, *client.hostile])
    asked = [request.text for request in model.questions]
    assert "<0 marks>" in asked[5]
    assert takeovers.CANARY not in "".join(request.text for request in model.requests)
    assert run["sessions"][0]["blocks"] == 1
    assert run["reflection"]["stop"] == "llm error", "the script has no answer to the question after the run"
    assert "what the prompt lacked" not in at.greylag("show", run["id"]).stdout, "and an error is none"
    assert not list(tmp_path.rglob("CANARY"))


@clients
@pytest.mark.parametrize(
    "raw", ["<html>Sign in</html>", 'event: message_start\ndata: {"type": "message_start", "message": null}\n\n']
)
def test_nonsense_from_the_model_is_blamed_on_its_server(client: Client, raw: str, tmp_path: Path) -> None:
    at = trial(client, tmp_path)
    with model_server.serve([{"raw": raw}] * 20) as model:
        done = at(model)
    assert done.returncode == 75, done.stderr
    assert model.url.removeprefix("http://") in done.stderr
    assert "Traceback" not in done.stderr
    assert git(at.service, "branch", "--format=%(refname:short)") == "main"
