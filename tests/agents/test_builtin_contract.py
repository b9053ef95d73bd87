"""The contract of agents, for those that need no client: the built-in one with both APIs, and any program."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from greylag import plugins
from greylag.llm import wire
from greylag.protocols import Agent
from greylag.sandboxes.bubblewrap import Bubblewrap
from greylag.testing import agent, agent_faults, takeovers
from greylag.testing.agent import Bench

pytestmark = pytest.mark.toolchain("bwrap")

ANTHROPIC, OPENAI = "anthropic:claude-opus-5", "openai:gpt-5"
CONTRACT = (*agent.CONTRACT, *agent_faults.CONTRACT)


def edit(path: str, old: str, new: str) -> list[dict[str, Any]]:
    return [{"name": "edit_file", "input": {"path": path, "old": old, "new": new}}]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Bench]:
    monkeypatch.setenv("THE_KEY", "sk-real-key")
    monkeypatch.setattr(wire, "_RETRIES", 1)  # the patience of the SDK takes seconds

    def of(model: str) -> Bench:
        def make(url: str) -> Agent:
            settings = {"model": model, "base-url": url if model == ANTHROPIC else f"{url}/v1", "key-env": "THE_KEY"}
            made: Agent = plugins.load("agents", "builtin", settings)
            return made

        hostile = {**takeovers.claude_code(), **takeovers.codex()}
        return Bench(make, Bubblewrap(), tmp_path / "bench", edit, {"name": "verify", "input": {}}, hostile)

    return of


@pytest.mark.parametrize("contract", CONTRACT, ids=lambda contract: contract.__name__)
def test_the_built_in_agent(contract: Callable[[Bench], None], bench: Callable[[str], Bench]) -> None:
    contract(bench(ANTHROPIC))


@pytest.mark.parametrize(
    "contract", [agent.edits_a_file_and_calls_verify, *agent_faults.CONTRACT], ids=lambda contract: contract.__name__
)
def test_the_built_in_agent_by_chat_completions(
    contract: Callable[[Bench], None], bench: Callable[[str], Bench]
) -> None:
    contract(bench(OPENAI))


@pytest.mark.parametrize("contract", [agent.ends_at_its_time_limit, agent_faults.is_killed_cleanly])
def test_a_program(contract: Callable[[Bench], None], tmp_path: Path) -> None:
    def make(_url: str) -> Agent:
        made: Agent = plugins.load("agents", "command", {"run": ["sleep", "1000"]})
        return made

    contract(Bench(make, Bubblewrap(), tmp_path / "bench", edit, {}))
