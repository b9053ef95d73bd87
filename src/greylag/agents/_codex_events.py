"""What `codex exec --json` prints, line by line. Measured with 0.171.0.

`thread.started` names the conversation; `item.completed` holds words and calls of tools; `turn.completed` or
`turn.failed` comes last. An item of the type `error` is a warning; an event of the type `error` is a retry or the
reason of the failure that follows. Usage is not read here: it is counted on the way to the model.
"""

import json
from collections.abc import Mapping
from typing import Any

from greylag.agents._record import note, tell
from greylag.model import StopReason
from greylag.protocols import AgentRequest
from greylag.text import clean, one_line

_LONGEST = 400  # characters of an error
_TOLD = frozenset(
    ("agent_message", "command_execution", "mcp_tool_call", "file_change", "web_search")
)  # kinds of items


class Conversation:
    """One run of the client, as its lines tell it. All of it is untrusted text."""

    model = ""  # which it does not tell

    def __init__(self, request: AgentRequest) -> None:
        self.session, self.text, self.error = "", "", ""
        self.started, self.crippled = False, False
        self.stop: StopReason | None = None
        self._request = request

    def line(self, line: str) -> bool:
        """Take one line of standard output; the answer is whether the model has spoken."""
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            return False
        if not isinstance(data, dict):
            return False
        item = data.get("item")
        if data.get("type") == "item.completed" and isinstance(item, dict) and _string(item, "type") in _TOLD:
            return self._item(item)
        note(self._request, "client", line=data)
        match data.get("type"):
            case "thread.started":
                self.session, self.started = _string(data, "thread_id"), True
            case "item.completed" if isinstance(item, dict):
                return _string(item, "type") not in {"", "error"}
            case "turn.completed":
                self.stop = StopReason.COMPLETED
            case "turn.failed":
                self.stop = StopReason.LLM_ERROR
                self.error = _words(_string(data.get("error"), "message")) or self.error
            case "error":
                self.error = _words(_string(data, "message"))
        return False

    def _item(self, item: Mapping[str, Any]) -> bool:
        kind = _string(item, "type")
        if kind == "agent_message" and (text := clean(_string(item, "text")).strip()):
            self.text = text
            note(self._request, "text", text=text)
            tell(self._request, "agent.text", text)
        if kind in _TOLD - {"agent_message"}:
            tool = _string(item, "tool") or kind
            note(self._request, "tool", tool=tool, args=item.get("arguments") or _subject(item))
            outcome = _string(item, "status") or "unknown"
            note(self._request, "result", tool=tool, outcome=outcome, text=_said(item))
            tell(self._request, "agent.tool", f"{one_line(tool, 60)} {_subject(item)}", tool=one_line(tool, 60))
        return True

    @property
    def last_words(self) -> str:
        """The final text: an answer, or an error in the client's words."""
        failed = self.stop is StopReason.LLM_ERROR
        return clean(self.error).strip() or self.text if failed else self.text


def _words(text: str) -> str:
    """A message on one line; of a server's answer, which the client passes on as it is, the words in it."""
    try:
        inner = json.loads(text)
    except (ValueError, RecursionError):
        inner = text
    while not isinstance(inner, str):
        match inner:  # of OpenAI and Anthropic, of vLLM, of FastAPI
            case {"error": deeper} | {"message": deeper} | {"detail": deeper} | {"msg": deeper} | [deeper, *_]:
                inner = deeper
            case _:
                inner = text
    return one_line(inner, _LONGEST)


def _said(item: Mapping[str, Any]) -> str:
    """What came of a call: what a command printed, or the text of a tool's answer."""
    result = item.get("result")
    content = result.get("content") if isinstance(result, dict) else None
    parts = [_string(part, "text") for part in content] if isinstance(content, list) else []
    return _string(item, "aggregated_output") or "\n".join(parts) or _string(item.get("error"), "message")


def _subject(item: Mapping[str, Any]) -> str:
    changes = item.get("changes")
    if isinstance(changes, list):
        return ", ".join(path for change in changes if (path := _string(change, "path")))
    return _string(item, "command") or _string(item, "query")


def _string(data: object, key: str) -> str:
    value = data.get(key) if isinstance(data, Mapping) else None
    return value if isinstance(value, str) else ""
