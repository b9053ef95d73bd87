"""Claude Code, the real client, headless and whole inside the sandbox. Measured with 2.1.330.

What it is given from outside: the tool `verify` over MCP, a stop hook, a base URL on the inside loopback. What a
repository could give it (settings, hooks, MCP servers, CLAUDE.md, skills) is switched off by fixed flags.
"""

import importlib.util
import json
import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from greylag.agents._claude_stream import Conversation
from greylag.agents._client import SERVER, Client, converse, hook, instructions, relay
from greylag.bridge import TOOL
from greylag.errors import UserError
from greylag.llm import LLM
from greylag.model import Session
from greylag.protocols import AgentRequest, Command
from greylag.proxy import Upstream

TRIED = "2.1.330"
INSTALL = "`npm install -g @anthropic-ai/claude-code` or `pip install claude-agent-sdk`"
VERIFY = f"mcp__{SERVER}__{TOOL}"
_TOOLS = ("Read", "Edit", "Write", "Glob", "Grep", "Bash")
_ISOLATION = ("--setting-sources", "", "--strict-mcp-config", "--disable-slash-commands")
_RETRIES = 4  # of the client, for one request to the LLM


@dataclass(frozen=True, slots=True)
class ClaudeCode:
    """The agent `claude-code`. The key is read from the variable `key_env` or the file `key_file`, nowhere else.

    `model` None leaves the choice to the client. `max_blocks`: how often the stop gate sends it back in one session.
    Raises `UserError` when the client or the key is missing.
    """

    model: str | None = None
    base_url: str | None = None
    key_env: str | None = None
    key_file: str | None = None
    binary: str = "claude"
    max_blocks: int = 3

    def __post_init__(self) -> None:
        self.program()
        self.upstream()

    @property
    def name(self) -> str:
        """Name of the agent in settings and records."""
        return "claude-code"

    @property
    def corrects(self) -> bool:
        """True: it does better when it is told what failed."""
        return True

    def run(self, request: AgentRequest) -> Session:
        """One session in the sandbox of `request`; its conversation goes on when `request.resume` is given.

        Raises `UserError` for a refused key, `InfraError` for an LLM that does not answer, `AgentError` for a client
        that does not start or crashes, and whatever verification raised.
        """
        client = Client(self.name, "Claude Code", "claude", TRIED, self.model, self.max_blocks)
        return converse(client, self.upstream(), self._command(request), Conversation(VERIFY, request), request)

    def _command(self, request: AgentRequest) -> Command:
        resume = request.resume.resume if request.resume else None
        session = ("--resume", resume) if resume else ("--session-id", str(uuid.uuid4()))
        model = ("--model", self.model.removeprefix("anthropic:")) if self.model else ()
        return Command(
            argv=(
                str(self.program()), "--print", "--output-format", "stream-json", "--verbose", *_ISOLATION,
                "--mcp-config", "@files@/mcp.json", "--settings", "@files@/settings.json",
                "--permission-mode", "acceptEdits", "--tools", ",".join(_TOOLS),
                "--allowedTools", ",".join((*_TOOLS, VERIFY)), "--max-turns", str(request.limits.turns),
                "--append-system-prompt", instructions(), *session, *model,
            ),
            env=_environment(request.limits.seconds, self.max_blocks),
            stdin=_message(request.prompt),
            files=_files(request.limits.seconds),
        )  # fmt: skip

    def program(self) -> Path:
        """The client: on PATH, or the one inside the PyPI package `claude-agent-sdk`."""
        found = shutil.which(self.binary)
        if found is None and self.binary == "claude" and (spec := importlib.util.find_spec("claude_agent_sdk")):
            found = next((str(p) for p in Path(spec.origin or "").parent.glob("_bundled/claude")), None)
        if found is None:
            raise UserError(f"agent claude-code: `{self.binary}` is not installed; {INSTALL}, or set its `binary`")
        return Path(os.path.realpath(found))

    def upstream(self) -> Upstream:
        """The LLM service with its key, read anew."""
        llm = LLM(
            f"anthropic:{(self.model or 'claude').removeprefix('anthropic:')}",
            self.base_url,
            self.key_env,
            self.key_file,
        )
        return Upstream(llm.url, llm.key(), llm.key_place)


PLUGIN = ClaudeCode


def _message(prompt: str) -> bytes:
    """What starts with a slash would be taken for a command of the client, and no model would see it."""
    return (f"Task: {prompt}" if prompt.lstrip().startswith("/") else prompt).encode("utf-8", "replace")


def _environment(seconds: float, max_blocks: int) -> dict[str, str]:
    """Everything that the client is told by variables; the key is a placeholder, the real one is added outside."""
    return {
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:@port:llm@",
        "ANTHROPIC_API_KEY": "added-outside",
        "CLAUDE_CONFIG_DIR": "@home@/.claude",
        "CLAUDE_CODE_DISABLE_FILE_MENTIONS": "1",  # a prompt or report may say @name and not mean a file
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_MAX_RETRIES": str(_RETRIES),
        "CLAUDE_CODE_STOP_HOOK_BLOCK_CAP": str(max_blocks + 1),
        "CLAUDE_CODE_MCP_TOOL_IDLE_TIMEOUT": "0",
        "DISABLE_AUTOUPDATER": "1",
        "DISABLE_ERROR_REPORTING": "1",
        "DISABLE_TELEMETRY": "1",
        "MCP_CONNECTION_NONBLOCKING": "0",  # else the first turn may start before `verify` is there
        "MCP_TIMEOUT": "60000",
        "MCP_TOOL_TIMEOUT": str(int(seconds * 1000)),
    }


def _files(seconds: float) -> dict[str, str]:
    """Configuration, read-only inside."""
    program, *words = relay(TOOL)
    server = {"type": "stdio", "command": program, "args": words}
    settings = {
        "hooks": {"Stop": [{"hooks": [{"type": "command", "command": hook(), "timeout": int(seconds)}]}]},
        "includeGitInstructions": False,
        "attribution": {"commit": "", "pr": ""},
    }
    return {"mcp.json": json.dumps({"mcpServers": {SERVER: server}}), "settings.json": json.dumps(settings)}
