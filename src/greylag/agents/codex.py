"""Codex, the real command line, headless and whole inside the sandbox. Measured with 0.171.0.

What it is given from outside: settings of ours alone, the tool `verify` over MCP, a stop hook, a model provider on the
inside loopback. Its own sandbox and approvals are off, since ours holds. What a repository could give it (`.codex/`,
hooks, rules, skills, AGENTS.md) is switched off by the settings below.
"""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from greylag.agents._client import Client, ClientAgent
from greylag.agents._codex_events import Conversation
from greylag.agents._shims import SERVER, hook, instructions, relay, script, source
from greylag.bridge import TOOL
from greylag.protocols import AgentRequest, Command

_FLAGS = ("--json", "--skip-git-repo-check", "--dangerously-bypass-hook-trust", "--ignore-rules")
_RETRIES = 4  # of the client, for one request to the LLM
_ISOLATION: Mapping[str, Any] = {
    "projects": {"@workspace@": {"trust_level": "untrusted"}},  # its `.codex` and its AGENTS.md are not read
    "project_root_markers": [],  # nor what lies above it
    "project_doc_max_bytes": 0,
    "skills.include_instructions": False,  # `_codex_start.py` sees to those that are called by name
    "skills.bundled.enabled": False,
}
_WHERE = f"""\
- `{TOOL}` is the tool of the MCP server `{SERVER}`. Where it is not listed, it is deferred: look it up, and use it.
"""  # Codex shows tools of MCP servers to some of its models on demand only
_OFF = (
    *("apps", "goals", "image_generation", "plugins", "shell_snapshot", "skill_search"),
    *("enable_request_compression", "unbounded_connection_retries"),
)


def _command(agent: ClientAgent, request: AgentRequest) -> Command:
    resume = request.resume.resume if request.resume else None
    flags = (*_FLAGS, *(("--model", agent.bare_model) if agent.bare_model else ()))
    words = ("exec", "resume", *flags, resume, "-") if resume else ("exec", *flags, "-")
    return Command(
        argv=(*script("start.py"), "@files@/config.toml", "@workspace@", str(agent.program()), *words),
        env={"CODEX_HOME": "@home@/.codex"},
        stdin=request.prompt.encode("utf-8", "replace"),
        files={"config.toml": config(request.limits.seconds), "start.py": source("_codex_start.py")},
    )


def config(seconds: float) -> str:
    """Text of `config.toml`, with the sandbox's marks in it. Settings: developers.openai.com/codex/config-reference."""
    program, *words = relay(TOOL)
    settings = {
        "model_provider": SERVER,
        "model_providers": {SERVER: _provider()},
        "developer_instructions": instructions() + _WHERE,
        "include_permissions_instructions": False,
        "mcp_servers": {SERVER: _server(program, words, seconds)},
        "hooks": {"Stop": [{"hooks": [{"type": "command", "command": hook(), "timeout": int(seconds)}]}]},
        "approval_policy": "never",
        "sandbox_mode": "danger-full-access",
        "allow_login_shell": False,
        "web_search": "disabled",
        "check_for_update_on_startup": False,
        "analytics": {"enabled": False},
        "agents": {"enabled": False},
        "features": dict.fromkeys(_OFF, False),
        **_ISOLATION,
    }
    return "".join(f"{key} = {_toml(value)}\n" for key, value in settings.items())


def _provider() -> dict[str, Any]:
    """The LLM, on the inside loopback. It wants no key here: the real one is added outside."""
    return {
        "name": SERVER,
        "base_url": "http://127.0.0.1:@port:llm@/v1",
        "wire_api": "responses",
        "request_max_retries": _RETRIES,
        "stream_max_retries": _RETRIES,
    }


def _server(program: str, words: list[str], seconds: float) -> dict[str, Any]:
    """The MCP server. Unless it is required, the first turn may start before `verify` is there."""
    return {
        "command": program,
        "args": words,
        "required": True,
        "startup_timeout_sec": 60,
        "tool_timeout_sec": int(seconds),
        "default_tools_approval_mode": "approve",
    }


def _toml(value: object) -> str:
    """A value in one line. JSON's strings, numbers and booleans are TOML's, too."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


CLIENT = Client(
    agent="codex",
    title="Codex",
    program="codex",
    tried="0.171.0",
    install="`npm install -g @openai/codex`",
    provider="openai",  # another server than OpenAI's own must speak the Responses API
    command=_command,
    account=Conversation,
)
PLUGIN = partial(ClientAgent, CLIENT)
