"""Codex, the real command line, headless and whole inside the sandbox. Measured with 0.169.0.

What it is given from outside: settings of ours alone, the tool `verify` over MCP, a stop hook, a model provider on the
inside loopback. Its own sandbox and approvals are off, since ours holds. What a repository could give it (`.codex/`,
hooks, rules, skills, AGENTS.md) is switched off by the settings below.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from greylag.agents._client import SERVER, Client, converse, hook, instructions, relay, script, source
from greylag.agents._codex_events import Conversation
from greylag.bridge import TOOL
from greylag.errors import UserError
from greylag.llm import LLM
from greylag.model import Session
from greylag.protocols import AgentRequest, Command
from greylag.proxy import Upstream

TRIED = "0.169.0"
INSTALL = "`npm install -g @openai/codex`"
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


@dataclass(frozen=True, slots=True)
class Codex:
    """The agent `codex`. The key is read from the variable `key_env` or the file `key_file`, nowhere else.

    `model` None leaves the choice to the client; `base_url` None is OpenAI's own, and any other server must speak
    the Responses API. `max_blocks`: how often the stop gate sends it back in one session.
    Raises `UserError` when the client or the key is missing.
    """

    model: str | None = None
    base_url: str | None = None
    key_env: str | None = None
    key_file: str | None = None
    binary: str = "codex"
    max_blocks: int = 3

    def __post_init__(self) -> None:
        self.program()
        self.upstream()

    @property
    def name(self) -> str:
        """Name of the agent in settings and records."""
        return "codex"

    @property
    def corrects(self) -> bool:
        """True: it does better when it is told what failed."""
        return True

    def run(self, request: AgentRequest) -> Session:
        """One session in the sandbox of `request`; its conversation goes on when `request.resume` is given.

        Raises `UserError` for a refused key, `InfraError` for an LLM that does not answer, `AgentError` for a client
        that does not start or crashes, and whatever verification raised.
        """
        client = Client(self.name, "Codex", "codex", TRIED, self._model, self.max_blocks)
        return converse(client, self.upstream(), self._command(request), Conversation(request), request)

    @property
    def _model(self) -> str | None:
        return self.model.removeprefix("openai:") if self.model else None

    def _command(self, request: AgentRequest) -> Command:
        resume = request.resume.resume if request.resume else None
        flags = (*_FLAGS, *(("--model", self._model) if self._model else ()))
        words = ("exec", "resume", *flags, resume, "-") if resume else ("exec", *flags, "-")
        return Command(
            argv=(*script("start.py"), "@files@/config.toml", "@workspace@", str(self.program()), *words),
            env={"CODEX_HOME": "@home@/.codex"},
            stdin=request.prompt.encode("utf-8", "replace"),
            files={"config.toml": config(request.limits.seconds), "start.py": source("_codex_start.py")},
        )

    def program(self) -> Path:
        """The client, on PATH."""
        found = shutil.which(self.binary)
        if found is None:
            raise UserError(f"agent codex: `{self.binary}` is not installed; {INSTALL}, or set its `binary`")
        return Path(os.path.realpath(found))

    def upstream(self) -> Upstream:
        """The LLM service with its key, read anew."""
        llm = LLM(f"openai:{self._model or 'codex'}", self.base_url, self.key_env, self.key_file)
        return Upstream(llm.url, llm.key(), llm.key_place)


PLUGIN = Codex


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
