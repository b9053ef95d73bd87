"""Claude Code, the real client, headless and whole inside the sandbox. Measured with 2.1.332.

What it is given from outside: the tool `verify` over MCP, a stop hook, a base URL on the inside loopback. What a
repository could give it (settings, hooks, MCP servers, CLAUDE.md, skills) is switched off by fixed flags.
"""

import importlib.util
import json
import uuid
from functools import partial
from pathlib import Path

from greylag.agents._claude_stream import Conversation
from greylag.agents._client import Client, ClientAgent
from greylag.agents._shims import SERVER, hook, instructions, relay
from greylag.bridge import TOOL
from greylag.protocols import AgentRequest, Command

VERIFY = f"mcp__{SERVER}__{TOOL}"
_TOOLS = ("Read", "Edit", "Write", "Glob", "Grep", "Bash")
_ISOLATION = ("--setting-sources", "", "--strict-mcp-config", "--disable-slash-commands")
# What an earlier session has left must not steer this one: only conversations stay.
_START = """
home=$CLAUDE_CONFIG_DIR
if [ -L "$home" ]; then rm -f "$home"; fi
for entry in "$home"/* "$home"/.[!.]* "$home"/..?* "$home"/projects/*/* "$home"/projects/*/.[!.]*; do
    case $entry in
        "$home"/projects) if [ -L "$entry" ]; then rm -f "$entry"; fi ;;
        "$home"/projects/*/*.jsonl) ;;
        *) rm -rf "$entry" ;;
    esac
done
exec "$@"
"""
_RETRIES = 4  # of the client, for one request to the LLM


def _command(agent: ClientAgent, request: AgentRequest) -> Command:
    resume = request.resume.resume if request.resume else None
    session = ("--resume", resume) if resume else ("--session-id", str(uuid.uuid4()))
    model = ("--model", agent.bare_model) if agent.bare_model else ()
    return Command(
        argv=(
            "sh", "-c", _START, "claude", str(agent.program()),
            "--print", "--output-format", "stream-json", "--verbose", *_ISOLATION,
            "--mcp-config", "@files@/mcp.json", "--settings", "@files@/settings.json",
            "--permission-mode", "acceptEdits", "--tools", ",".join(_TOOLS),
            "--allowedTools", ",".join((*_TOOLS, VERIFY)), "--max-turns", str(request.limits.turns),
            "--append-system-prompt", instructions(), *session, *model,
        ),
        env=_environment(request.limits.seconds, agent.max_blocks),
        stdin=_message(request.prompt),
        files=_files(request.limits.seconds),
    )  # fmt: skip


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


def _bundled() -> Path | None:
    """The client inside the PyPI package `claude-agent-sdk`."""
    spec = importlib.util.find_spec("claude_agent_sdk")
    return next(Path(spec.origin or "").parent.glob("_bundled/claude"), None) if spec else None


CLIENT = Client(
    agent="claude-code",
    title="Claude Code",
    program="claude",
    tried="2.1.332",
    install="`npm install -g @anthropic-ai/claude-code` or `pip install claude-agent-sdk`",
    provider="anthropic",
    command=_command,
    account=lambda request: Conversation(VERIFY, request),
    bundled=_bundled,
    tells=True,
)
PLUGIN = partial(ClientAgent, CLIENT)
