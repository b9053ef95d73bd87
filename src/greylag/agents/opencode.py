"""opencode, the real client, headless and whole inside the sandbox, on any Chat Completions. Measured with 1.18.33.

What it is given from outside: settings of ours alone, the tool `verify` over MCP, a model provider on the inside
loopback. It has no stop hook: greylag looks when it has ended, and continues its session with what failed. What a
repository could give it (AGENTS.md, skills) is switched off by the variables below. Of `.opencode/` and `opencode.json`
it runs the plugins all the same, in this version, and beside a file that it reads it takes AGENTS.md for instructions:
so it is not started where they are.
"""

import json

from greylag.agents._client import REFUSED, Client, ClientAgent
from greylag.agents._opencode_events import Conversation
from greylag.agents._shims import SERVER, instructions, relay
from greylag.bridge import TOOL
from greylag.protocols import AgentRequest, Command

_ISOLATION = {
    "OPENCODE_DISABLE_PROJECT_CONFIG": "1",
    "OPENCODE_DISABLE_CLAUDE_CODE": "1",
    "OPENCODE_DISABLE_EXTERNAL_SKILLS": "1",
    "OPENCODE_PURE": "1",  # no plugins from elsewhere
}
_QUIET = {
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
}
_CODE = (".opencode", "opencode.json", "opencode.jsonc")
_WORDS = ("AGENTS.md", "CLAUDE.md", "CONTEXT.md")  # below the top, where no variable keeps it from them
# What an earlier session has left in its home must not steer this one; conversations are elsewhere.
_START = f"""
for name in {" ".join(_CODE)}; do
    if [ -e "$name" ] || [ -L "$name" ]; then
        echo "opencode runs the plugins that $name names, whatever it is told: take another agent here" >&2
        exit {REFUSED}
    fi
done
found=$(find . -mindepth 2 -path ./.git -prune -o {" -o ".join(f"-name {name} -print" for name in _WORDS)} | head -n 1)
if [ -n "$found" ]; then
    echo "opencode takes $found for instructions, whatever it is told: take another agent here" >&2
    exit {REFUSED}
fi
rm -rf "$HOME/.config/opencode" "$HOME/.opencode" "$HOME/.cache/opencode" && exec "$@"
"""
_OFF = ("webfetch", "websearch", "skill", "task")
_WINDOW = {"context": 128_000, "output": 16_000}  # tokens, for its own shortening of a conversation


def _command(agent: ClientAgent, request: AgentRequest) -> Command:
    resume = request.resume.resume if request.resume else None
    session = ("--session", resume) if resume else ("--title", SERVER)  # else it asks the model for a title
    program = str(agent.program())
    return Command(
        argv=("sh", "-c", _START, program, program, "run", "--format", "json", *session),
        env={
            **_ISOLATION,
            **_QUIET,
            "OPENCODE_CONFIG_CONTENT": json.dumps(config(agent.bare_model or "", request.limits.seconds)),
        },
        stdin=request.prompt.encode("utf-8", "replace"),
        files={"job.md": instructions()},
    )


def config(model: str, seconds: float) -> dict[str, object]:
    """Settings that win over all others, with the sandbox's marks in them. See opencode.ai/docs/config."""
    options = {"baseURL": "http://127.0.0.1:@port:llm@/v1", "apiKey": "added-outside"}
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "options": options,
        "models": {model: {"name": model, "limit": _WINDOW}},
    }
    verify = {"type": "local", "command": list(relay(TOOL)), "enabled": True, "timeout": int(seconds * 1000)}
    return {
        "model": f"{SERVER}/{model}",
        "small_model": f"{SERVER}/{model}",
        "enabled_providers": [SERVER],
        "provider": {SERVER: provider},
        "mcp": {SERVER: verify},
        "experimental": {"mcp_timeout": int(seconds * 1000)},
        "instructions": ["@files@/job.md"],
        "permission": {"*": "allow", **dict.fromkeys(_OFF, "deny")},
        "share": "disabled",
        "autoupdate": False,
        "snapshot": False,
        "formatter": False,
        "lsp": False,
    }


CLIENT = Client(
    agent="opencode",
    title="opencode",
    program="opencode",
    tried="1.18.33",
    install="`npm install -g opencode-ai`",
    provider="openai",
    command=_command,
    account=Conversation,
    hooked=False,
)


def agent(
    model: str,
    *,
    base_url: str | None = None,
    key_env: str | None = None,
    key_file: str | None = None,
    binary: str | None = None,
    max_blocks: int = 3,
) -> ClientAgent:
    """`model` is asked by the Chat Completions of OpenAI, or of any server that speaks them at `base_url`."""
    return ClientAgent(CLIENT, model, base_url, key_env, key_file, binary, max_blocks)


PLUGIN = agent
