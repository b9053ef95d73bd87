"""What holds for every agent that is a real client, whether or not one is installed."""

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
