"""In an editor or a terminal, outside of greylag's own runs: `greylag mcp` and `greylag hook stop`."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from greylag.testing import model_server
from greylag.testing.repos import git
from greylag.testing.service import make_service
from greylag.testing.warm import Ended, Warm

pytestmark = pytest.mark.toolchain("bwrap")

BROKEN = "#!/bin/sh\necho Bye, $1\n"


@dataclass(frozen=True)
class Desk:
    """A person's work tree, and the command line in an environment of its own."""

    home: Path
    tree: Path
    warm: Warm

    @property
    def environment(self) -> dict[str, str]:
        own = {"GREYLAG_CONFIG": "greylag.toml", "GREYLAG_STATE": "state", "GREYLAG_CACHE": "cache", "HOME": ""}
        return {"PATH": os.environ["PATH"], **{name: str(self.home / value) for name, value in own.items()}}

    def hook(self, payload: Any, *options: str) -> Ended:
        text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return self.warm("hook", "stop", *options, stdin=text, env=self.environment, cwd=self.tree)

    def blocked(self, payload: Any) -> bool:
        done = self.hook(payload)
        assert done.returncode == 0, done.stderr
        return bool(json.loads(done.stdout))


@pytest.fixture
def desk(tmp_path: Path, warm: Warm) -> Desk:
    home = tmp_path / "home"
    home.mkdir()
    (home / "greylag.toml").touch()
    return Desk(home, make_service(tmp_path / "service"), warm)


# -- the tool ----------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def session(desk: Desk) -> AsyncIterator[Callable[[], Coroutine[Any, Any, str]]]:
    """The official client, connected to `greylag mcp` in the work tree; what it gives calls `verify`."""
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters, stdio_client

    words = ["-m", "greylag", "mcp", str(desk.tree)]
    server = StdioServerParameters(command=sys.executable, args=words, env=desk.environment)
    with (desk.home / "mcp.log").open("w") as log:
        async with Client(stdio_client(server, errlog=log)) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["verify"]

            async def verify() -> str:
                (content,) = (await client.call_tool("verify", {})).content
                return getattr(content, "text", "")

            yield verify


def test_the_official_client_reads_what_is_true_of_the_tree_now(desk: Desk) -> None:
    async def talk() -> list[str]:
        async with session(desk) as verify:
            texts = [await verify()]
            (desk.tree / "greet").write_text(BROKEN)
            texts += [await verify(), await verify()]
            git(desk.tree, "checkout", "--quiet", "greet")
            return [*texts, await verify()]

    clean, broken, again, mended = anyio.run(talk)
    assert "ok: sh tests 2 tests" in clean
    assert broken.count("greet said: Bye, Ada") == 1
    assert again == broken
    assert "cached" in mended


def test_the_change_is_what_differs_from_the_commit_that_is_there_now(desk: Desk) -> None:
    """A session in an editor outlives many commits; what was committed meanwhile is no change any more."""

    async def talk() -> tuple[str, str]:
        async with session(desk) as verify:
            settings = desk.tree / ".claude/settings.json"
            settings.parent.mkdir()
            settings.write_text("{}")
            before = await verify()
            git(desk.tree, "add", "-A")
            git(desk.tree, "commit", "--quiet", "-m", "Settings of the agent")
            after = await verify()
            return before, after

    before, after = anyio.run(talk)
    assert "agents-config" in before
    assert "ok: sh tests 2 tests" in after


def test_the_logs_that_a_report_names_are_there_when_it_is_read(desk: Desk) -> None:
    async def talk() -> bool:
        async with session(desk) as verify:
            (desk.tree / "greet").write_text(BROKEN)
            text = await verify()
            log = next(line.split()[2] for line in text.splitlines() if line.startswith("details: log "))
            return b"Bye, Ada" in next((desk.home / "cache/logs").rglob(log)).read_bytes()

    assert anyio.run(talk)


def test_what_is_the_persons_to_mend_is_told_and_does_not_outlast_its_cause(desk: Desk) -> None:
    async def talk() -> list[str]:
        async with session(desk) as verify:
            (desk.tree / ".greylag.toml").write_text("of = ['x']\n")
            git(desk.tree, "commit", "--quiet", "-am", "A slip")
            slipped = await verify()
            git(desk.tree, "revert", "--no-edit", "HEAD")
            return [slipped, await verify()]

    slipped, mended = anyio.run(talk)
    assert "Tell the person" in slipped
    assert "did you mean `off`" in slipped
    assert "ok: sh tests 2 tests" in mended
    assert "did you mean `off`" in (desk.home / "mcp.log").read_text()


def test_outside_of_a_repository_the_server_does_not_start(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    command = [sys.executable, "-m", "greylag", "mcp", str(tmp_path / "plain")]
    done = subprocess.run(command, env=desk.environment, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert "not in a git repository" in done.stderr


# -- the stop gate -----------------------------------------------------------------------------------------------------


def claude(desk: Desk, **more: Any) -> dict[str, Any]:
    """What Claude Code 2.1.332 sends."""
    return {
        "session_id": "5b6d1c7e-2f1a-4e54-9f4b-0a5f0f1f0001", "transcript_path": "/nowhere/t.jsonl",
        "cwd": str(desk.tree), "prompt_id": "p", "permission_mode": "default", "effort": {"level": "high"},
        "hook_event_name": "Stop", "stop_hook_active": False, "last_assistant_message": "Done.",
        "background_tasks": [], "session_crons": [], **more,
    }  # fmt: skip


def codex(desk: Desk, **more: Any) -> dict[str, Any]:
    """What Codex 0.171.0 sends."""
    return {
        "session_id": "019ab", "turn_id": "1", "transcript_path": None, "cwd": str(desk.tree),
        "hook_event_name": "Stop", "model": "gpt-5.5", "permission_mode": "default", "stop_hook_active": False,
        "last_assistant_message": None, **more,
    }  # fmt: skip


@pytest.mark.parametrize("sent", [claude, codex])
def test_an_agent_is_sent_back_until_the_tree_verifies_or_the_cap_is_reached(
    sent: Callable[..., dict[str, Any]], desk: Desk
) -> None:
    (desk.tree / "greet").write_text(BROKEN)
    first = json.loads(desk.hook(sent(desk)).stdout)
    assert first["decision"] == "block"
    assert "greet said: Bye, Ada" in first["reason"]
    active = sent(desk, stop_hook_active=True)
    assert json.loads(desk.hook(active, "--max-blocks", "1").stdout) == {}
    assert desk.blocked(active)
    git(desk.tree, "checkout", "--quiet", "greet")
    assert not desk.blocked(active)


def test_a_directory_within_the_repository_will_do(desk: Desk) -> None:
    (desk.tree / "greet").write_text(BROKEN)
    assert desk.blocked(claude(desk, cwd=str(desk.tree / "tests")))
    assert desk.blocked(b""), "where nothing is said, the hook's own directory counts"


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b"{", "is not the JSON"),
        (b"[]", "is not the JSON"),
        (b"\xff\xfe{}", "is not the JSON"),
        (b"[" * 200_000, "is not the JSON"),
        (b'{"a": "' + b"x" * (20 << 20) + b'"}', "is not the JSON"),
        (b'{"cwd": "/nowhere"}', "/nowhere"),
        (b'{"cwd": "/"}', "not in a git repository"),
        (b'{"cwd": 5}', "cwd"),
        (b'{"cwd": "a\\u0000b"}', "cwd"),
        (b'{"cwd": "/\\ud800"}', "cwd"),
    ],
)
def test_a_hook_that_cannot_do_its_work_says_why_and_blocks_nobody(payload: bytes, says: str, desk: Desk) -> None:
    """Exit code 2 of a hook would send the agent back, with our words as an order."""
    done = desk.hook(payload)
    assert (done.returncode, done.stdout) == (1, "")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_wrong_settings_and_options_block_nobody(desk: Desk) -> None:
    wrong = desk.hook(claude(desk), "--bas", "main")
    assert (wrong.returncode, "--base" in wrong.stderr) == (1, True)
    (desk.home / "greylag.toml").write_text("[run]\natempts = 2\n")
    wrong = desk.hook(claude(desk))
    assert (wrong.returncode, "attempts" in wrong.stderr) == (1, True)


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_closed_streams_are_no_bug(closed: str, desk: Desk) -> None:
    command = ["sh", "-c", f'"$0" -m greylag hook stop {closed}', sys.executable]
    done = subprocess.run(
        command, input=b"{}", capture_output=True, env=desk.environment, cwd=desk.tree, check=False, timeout=60
    )
    assert (done.returncode, b"greylag:" in done.stderr) == (0, False)


# -- the real clients, as the handbook configures them -----------------------------------------------------------------

FAULT = "greet said: Bye, Ada"
VERIFY = {"name": "mcp__greylag__verify", "input": {}}


def talked(desk: Desk, command: list[str], steps: list[dict[str, Any]], **env: str) -> list[str]:
    """What the model was told, request by request, by a client that works in a tree with a fault and mends it."""
    (desk.tree / "greet").write_text(BROKEN)
    with model_server.serve(steps) as model:
        own = {name: value.replace("@url@", model.url) for name, value in env.items()}
        done = subprocess.run(
            [word.replace("@url@", model.url) for word in command], env={**desk.environment, **own}, cwd=desk.tree,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=200,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        assert model.left == 0
        assert git(desk.tree, "status", "--porcelain") == ""
        return [request.text for request in model.questions]


@pytest.mark.client("claude")
def test_claude_code_verifies_and_is_sent_back(desk: Desk) -> None:
    greylag = f'"{sys.executable}" -m greylag'
    (desk.home / ".claude").mkdir()
    (desk.home / ".claude/settings.json").write_text(
        json.dumps({"hooks": {"Stop": [{"hooks": [{"type": "command", "command": f"{greylag} hook stop"}]}]}})
    )
    server = {"command": sys.executable, "args": ["-m", "greylag", "mcp"]}
    (desk.home / "mcp.json").write_text(json.dumps({"mcpServers": {"greylag": server}}))
    change = {"file_path": "greet", "old_string": "Bye", "new_string": "Hello"}
    steps: list[dict[str, Any]] = [
        {"tools": [VERIFY]},
        {"text": "Done?"},
        {"tools": [{"name": "Read", "input": {"file_path": "greet"}}, {"name": "Edit", "input": change}]},
        {"text": "Done."},
    ]
    flags = ["--permission-mode", "acceptEdits", "--allowedTools", "Read,Edit,mcp__greylag__verify"]
    command = ["claude", "--print", "Mend it.", "--mcp-config", str(desk.home / "mcp.json"), *flags]
    asked = talked(
        desk, command, steps, ANTHROPIC_BASE_URL="@url@", ANTHROPIC_API_KEY="none", CLAUDE_CODE_MAX_RETRIES="1",
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1", DISABLE_AUTOUPDATER="1", MCP_CONNECTION_NONBLOCKING="0",
    )  # fmt: skip
    assert [text.count(FAULT) for text in asked[:2]] == [0, 1]
    assert "Stop hook feedback" in asked[2]
    assert asked[2].count(FAULT) > 1


@pytest.mark.client("codex")
def test_codex_verifies_and_is_sent_back(desk: Desk) -> None:
    python = json.dumps(sys.executable)
    hook = json.dumps(f'"{sys.executable}" -m greylag hook stop')
    keep = json.dumps([name for name in desk.environment if name.startswith("GREYLAG")])
    (desk.home / ".codex").mkdir()
    patch = "*** Begin Patch\n*** Update File: greet\n@@\n-echo Bye, $1\n+echo Hello, $1\n*** End Patch\n"
    steps: list[dict[str, Any]] = [
        {"tools": [VERIFY]},
        {"text": "Done?"},
        {"tools": [{"name": "apply_patch", "input": patch}]},
        {"text": "Done."},
    ]
    (desk.home / ".codex/config.toml").write_text(
        'model = "gpt-5.5"\nmodel_provider = "played"\napproval_policy = "never"\nweb_search = "disabled"\n'
        "check_for_update_on_startup = false\n[analytics]\nenabled = false\n"
        '[model_providers.played]\nname = "played"\nwire_api = "responses"\nbase_url = "unknown"\n'
        f'[mcp_servers.greylag]\ncommand = {python}\nargs = ["-m", "greylag", "mcp"]\nenv_vars = {keep}\n'
        'required = true\nstartup_timeout_sec = 60\ntool_timeout_sec = 1800\ndefault_tools_approval_mode = "approve"\n'
        f'[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ntype = "command"\ncommand = {hook}\n'
    )
    base = 'model_providers.played.base_url="@url@/v1"'
    flags = ["-c", base, "--sandbox", "danger-full-access", "--dangerously-bypass-hook-trust", "--json"]
    asked = talked(desk, ["codex", "exec", *flags, "Mend it."], steps)
    assert [text.count(FAULT) for text in asked] == [0, 1, 2, 2]
    assert "hook_prompt" in asked[2]
