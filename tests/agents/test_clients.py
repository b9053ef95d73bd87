"""What holds for every agent that is a real client, whether or not one is installed."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from greylag import plugins
from greylag.errors import UserError
from greylag.protocols import Agent
from greylag.sandboxes.bubblewrap import Bubblewrap
from greylag.testing import agent

CLIENTS = {
    "claude-code": ("claude", "npm install -g @anthropic-ai/claude-code"),
    "codex": ("codex", "npm install -g @openai/codex"),
}
each = pytest.mark.parametrize("name", CLIENTS)


def program(path: Path) -> Path:
    path.write_text("#!/bin/sh\n", "ascii")
    path.chmod(0o755)
    return path


@each
def test_what_is_missing_is_named_with_the_remedy(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual, install = CLIENTS[name]

    def load(**settings: object) -> Agent:
        made: Agent = plugins.load("agents", name, {key.replace("_", "-"): value for key, value in settings.items()})
        return made

    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=install):
        load(key_env="THE_KEY")
    program(tmp_path / usual)
    with pytest.raises(UserError, match="`other` is not installed"):
        load(binary="other")
    with pytest.raises(UserError, match="key-env"):
        load()
    with pytest.raises(UserError, match="THE_KEY"):
        load(key_env="THE_KEY")
    with pytest.raises(UserError, match="nowhere"):
        load(key_file=str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="https"):
        load(base_url="http://llm.example.org")
    with pytest.raises(UserError, match="turbo"):
        load(turbo=True)
    made = load(base_url="http://127.0.0.1:1")
    assert (made.name, made.corrects) == (name, True)


@each
@pytest.mark.toolchain("bwrap")
def test_a_client_that_the_sandbox_does_not_show_is_named_with_the_remedy(name: str, tmp_path: Path) -> None:
    hidden = str(program(tmp_path / "elsewhere"))

    def make(url: str) -> Agent:
        made: Agent = plugins.load("agents", name, {"base-url": url, "binary": hidden})
        return made

    with agent.trial(agent.Bench(make, Bubblewrap(), tmp_path / "bench", lambda *_: (), {}), []) as tried:
        assert "on PATH" in agent.raised(UserError, tried.run)


BECOME = """
import os, sys
if os.getuid() == 0:
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
"""
ORDINARY = """
from pathlib import Path
from greylag import plugins
from greylag.sandboxes.bubblewrap import Bubblewrap
from greylag.testing import agent, agent_faults

name, model, tool, key, process, place = sys.argv[1:]

def make(url):
    return plugins.load("agents", name, {"model": model, "base-url": url})

def edit(path, old, new):
    return [{"name": tool, "input": {key: f"sed -i s/{old}/{new}/ {path}"}}]

verify = {"name": "mcp__greylag__verify", "input": {}}
contracts = (agent.edits_a_file_and_calls_verify, agent_faults.is_missed_when_its_program_is_killed)
for number, contract in enumerate(contracts):
    contract(agent.Bench(make, Bubblewrap(), Path(place) / str(number), edit, verify, program=process))
print("done as", os.getuid() or "root")
"""


CLAUDE = ("claude-code", "claude-sonnet-4-5", "Bash", "command", "claude")
CODEX = ("codex", "gpt-5.5", "exec_command", "cmd", "codex")


@pytest.mark.toolchain("bwrap")
@pytest.mark.parametrize(
    "words",
    [
        pytest.param(CLAUDE, marks=pytest.mark.client("claude")),
        pytest.param(CODEX, marks=pytest.mark.client("codex")),
    ],
    ids=lambda words: words[0],
)
def test_a_client_works_for_an_ordinary_user_as_well(words: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as place:  # pytest's own are closed to others
        if os.getuid() == 0:
            os.chown(place, 65534, 65534)
        env = {"PATH": os.environ["PATH"], "HOME": place, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

        def python(code: str) -> "subprocess.CompletedProcess[str]":
            command = [sys.executable, "-c", BECOME + code, *words, place]
            return subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd="/")

        if python("import greylag.assembly").returncode:
            pytest.skip("UNPROVEN HERE: only this user can read the program")
        done = python(ORDINARY)
    assert "done as" in done.stdout, done.stderr[-3000:]
    assert "root" not in done.stdout
