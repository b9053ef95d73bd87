"""What Claude Code prints with `--output-format stream-json`, line by line. Measured with 2.1.332.

`system/init` comes first and names session, model and tools; `assistant` holds blocks of text and tool calls; `result`
comes last. A run is judged by its `is_error` and `terminal_reason`: `subtype` is "success" even after an API error.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from greylag.agents._record import note, tell
from greylag.model import StopReason
from greylag.protocols import AgentRequest
from greylag.text import clean, one_line

_ENDS = {"max_turns": StopReason.TURNS, "budget_exhausted": StopReason.BUDGET}
_SUBJECTS = ("file_path", "command", "pattern", "path")  # of a tool call, the argument that says most


class Conversation:
    """One run of the client, as its lines tell it. All of it is untrusted text."""

    def __init__(self, tool: str, request: AgentRequest) -> None:
        self.session, self.model, self.text = "", "", ""
        self.started, self.crippled = False, False
        self.result: Mapping[str, Any] | None = None
        self._tool, self._request = tool, request

    def line(self, line: str) -> bool:
        """Take one line of standard output; the answer is whether the model has spoken."""
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            return False
        if not isinstance(data, dict):
            return False
        match data.get("type"), data.get("subtype"):
            case "system", "init":
                self._init(data)
            case "assistant" | "user", _:
                for block in _blocks(data):
                    self._block(block)
                return data.get("type") == "assistant"
            case "result", _:
                self.result = data
        note(self._request, "client", line=data)
        return False

    def _init(self, data: Mapping[str, Any]) -> None:
        self.started = True
        self.session, self.model = _string(data, "session_id"), one_line(_string(data, "model"), 80)
        tools = data.get("tools")
        if not isinstance(tools, list) or self._tool not in tools:
            self.crippled = True
            self._request.sandbox.kill()

    def _block(self, block: Mapping[str, Any]) -> None:
        if block.get("type") == "text" and (text := clean(_string(block, "text")).strip()):
            self.text = text
            note(self._request, "text", text=text)
            tell(self._request, "agent.text", text)
        if block.get("type") == "tool_use":
            name = one_line(_string(block, "name"), 60)
            given = block.get("input")
            subject = next((_string(given, key) for key in _SUBJECTS if _string(given, key)), "")
            note(self._request, "tool", tool=name, args=given)
            tell(self._request, "agent.tool", f"{name} {subject}", tool=name)
        if block.get("type") == "tool_result":
            outcome = "error" if block.get("is_error") else "success"
            note(self._request, "result", tool="", outcome=outcome, text=_words(block.get("content")))

    @property
    def stop(self) -> StopReason | None:
        """How it ended by its own account; None when it did not say."""
        if self.result is None:
            return None
        reason = self.result.get("terminal_reason")
        if self.result.get("is_error") is False and reason in {None, "completed"}:
            return StopReason.COMPLETED
        return _ENDS.get(str(reason), StopReason.LLM_ERROR)

    @property
    def last_words(self) -> str:
        """The final text: an answer, or an error in the client's words."""
        return clean(_string(self.result, "result")).strip() or self.text


def _blocks(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    message = data.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    yield from (block for block in content if isinstance(block, dict)) if isinstance(content, list) else ()


def _words(content: object) -> str:
    """The text of a result, which is a string or a list of blocks."""
    if isinstance(content, list):
        return "\n".join(_string(part, "text") for part in content)
    return content if isinstance(content, str) else ""


def _string(data: object, key: str) -> str:
    value = data.get(key) if isinstance(data, Mapping) else None
    return value if isinstance(value, str) else ""
