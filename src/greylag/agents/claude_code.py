"""Claude Code, the real client, headless and whole inside the sandbox. Measured with 2.1.330.

What it is given from outside: the tool `verify` over MCP, a stop hook, a base URL on the inside loopback. What a
repository could give it (settings, hooks, MCP servers, CLAUDE.md, skills) is switched off by fixed flags.
"""

import importlib.util
import json
import os
import shutil
import sys
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from greylag.agents._claude_stream import Conversation
from greylag.agents._record import session_id, tell
from greylag.bridge import TOOL, Gate, sockets
from greylag.endings import HOW_TO_DECLINE, declined
from greylag.errors import AgentError, UserError
from greylag.llm import LLM
from greylag.model import Session, StopReason, Usage
from greylag.protocols import AgentRequest, Command, Completed, Ended
from greylag.proxy import Proxy, Upstream, serve
from greylag.text import cap, one_line

INSTALL = "`npm install -g @anthropic-ai/claude-code` or `pip install claude-agent-sdk`"
SERVER = "greylag"
VERIFY = f"mcp__{SERVER}__{TOOL}"
_TOOLS = ("Read", "Edit", "Write", "Glob", "Grep", "Bash")
_ISOLATION = ("--setting-sources", "", "--strict-mcp-config", "--disable-slash-commands")
_RETRIES = 4  # of the client, for one request to the LLM
_RELAY = ("-I", "-S", "@files@/relay.py")


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

    def run(self, request: AgentRequest) -> Session:
        """One session in the sandbox of `request`; its conversation goes on when `request.resume` is given.

        Raises `UserError` for a refused key, `InfraError` for an LLM that does not answer, `AgentError` for a client
        that does not start or crashes, and whatever verification raised.
        """
        gate = Gate(request.verify, request.observe, self.max_blocks)
        conversation = Conversation(VERIFY, request)

        def line(text: str) -> None:
            if conversation.line(text):
                _tell_usage(request, proxy.meter.usage)

        with ExitStack() as stack:
            proxy, llm = stack.enter_context(serve(self.upstream(), request.limits))
            paths = stack.enter_context(sockets(gate))
            completed = request.sandbox.run(self._command(request, line, {**paths, "llm": llm}))
        gate.settle()
        return self._session(request, conversation, gate, proxy, _stop(completed, conversation, proxy))

    def _session(
        self, request: AgentRequest, conversation: Conversation, gate: Gate, proxy: Proxy, stop: StopReason
    ) -> Session:
        usage, text = proxy.meter.usage, conversation.last_words
        _tell_usage(request, usage)
        return Session(
            id=session_id(request),
            agent=self.name,
            model=conversation.model or self.model or "",
            stop=StopReason.DECLINED if stop is StopReason.COMPLETED and declined(text) is not None else stop,
            usage=usage,
            text=cap(declined(text) or text, 4000),
            transcript=str(request.transcript),
            resume=conversation.session or None,
            verifications=gate.verifications,
            blocks=gate.blocks,
        )

    def _command(self, request: AgentRequest, line: Callable[[str], None], paths: Mapping[str, Path]) -> Command:
        resume = request.resume.resume if request.resume else None
        session = ("--resume", resume) if resume else ("--session-id", str(uuid.uuid4()))
        model = ("--model", self.model.removeprefix("anthropic:")) if self.model else ()
        return Command(
            argv=(
                str(self.program()), "--print", "--output-format", "stream-json", "--verbose", *_ISOLATION,
                "--mcp-config", "@files@/mcp.json", "--settings", "@files@/settings.json",
                "--permission-mode", "acceptEdits", "--tools", ",".join(_TOOLS),
                "--allowedTools", ",".join((*_TOOLS, VERIFY)), "--max-turns", str(request.limits.turns),
                "--append-system-prompt", _instructions(), *session, *model,
            ),
            env=_environment(request.limits.seconds, self.max_blocks),
            stdin=_message(request.prompt),
            seconds=request.limits.seconds,
            sockets=paths,
            forwards=("llm",),
            files=_files(request.limits.seconds),
            on_line=line,
            merge=False,
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


def _instructions() -> str:
    return files("greylag.agents").joinpath("claude_code.md").read_text("utf-8").replace("{decline}", HOW_TO_DECLINE)


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
    """Configuration and the relay, read-only inside."""
    python = os.path.realpath(sys.executable)
    server = {"type": "stdio", "command": python, "args": [*_RELAY, f"@sockets@/{TOOL}"]}
    line = " ".join(f'"{word}"' for word in (python, *_RELAY, "@sockets@/stop"))
    hook = {"type": "command", "command": line, "timeout": int(seconds)}
    settings = {
        "hooks": {"Stop": [{"hooks": [hook]}]},
        "includeGitInstructions": False,
        "attribution": {"commit": "", "pr": ""},
    }
    return {
        "mcp.json": json.dumps({"mcpServers": {SERVER: server}}),
        "settings.json": json.dumps(settings),
        "relay.py": files("greylag.agents").joinpath("_relay.py").read_text("utf-8"),
    }


def _tell_usage(request: AgentRequest, usage: Usage) -> None:
    money = "" if usage.usd is None else f", ${usage.usd:.4f}"
    text = f"{usage.turns} turns, {usage.input_tokens} tokens in, {usage.output_tokens} out{money}"
    tell(request, "usage", text, turns=usage.turns, usd=usage.usd)


def _stop(completed: Completed, conversation: Conversation, proxy: Proxy) -> StopReason:
    """Why it ended: our own knowledge first, then the client's account. Raises when nobody's work can go on."""
    if conversation.crippled:
        raise AgentError("Claude Code started without the tool `verify`; nothing was done")
    if conversation.stop is StopReason.COMPLETED:
        return StopReason.COMPLETED
    if completed.ended is Ended.TIMED_OUT:
        return StopReason.TIMEOUT
    if proxy.meter.over:
        return StopReason.BUDGET
    if completed.ended is Ended.KILLED:
        return StopReason.KILLED
    if completed.ended is not Ended.EXITED:
        raise AgentError(f"Claude Code was ended by the sandbox: {completed.ended.value}")
    if conversation.stop in {None, StopReason.LLM_ERROR} and (problem := proxy.problem()):
        raise problem
    if completed.returncode in {126, 127} and not conversation.started:
        raise UserError(
            "Claude Code cannot be started in the sandbox: put the directory of `claude` on PATH, so that it is mounted"
        )
    if conversation.stop is None or not conversation.started:
        words = one_line(completed.errors[-2000:] or completed.output[-2000:], 300) or "no word"
        raise AgentError(f"Claude Code ended with exit code {completed.returncode} and without a result: {words}")
    return conversation.stop
