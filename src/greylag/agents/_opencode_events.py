"""What `opencode run --format json` prints, line by line. Measured with 1.18.33.

`text` and `tool_use` are words and calls, each when it is over; `step_finish` ends a turn, and says by its reason
whether another follows; `error` says what the model's service, or the client, had against it. Each names the session.
"""

import json
from collections.abc import Mapping
from typing import Any

from greylag.agents._record import note, tell
from greylag.model import StopReason
from greylag.protocols import AgentRequest
from greylag.text import clean, one_line

_LONGEST = 400  # characters of an error
_SUBJECTS = ("filePath", "command", "pattern", "path")  # of a tool call, the argument that says most
_MORE = {"tool-calls", "unknown", ""}  # reasons after which the client goes on


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
        part, kind = _table(data, "part"), data.get("type")
        self.session = _string(data, "sessionID") or self.session
        self.started = self.started or bool(self.session)
        if kind == "text" and (text := clean(_string(part, "text")).strip()):
            self.text = text
            note(self._request, "text", text=text)
            tell(self._request, "agent.text", text)
        elif kind == "tool_use":
            self._tool(part)
        else:
            note(self._request, "client", line=data)
        if kind == "step_finish":
            self.stop = None if _string(part, "reason") in _MORE else StopReason.COMPLETED
        if kind == "error":
            error = _table(data, "error")
            words = _string(_table(error, "data"), "message") or _string(error, "message") or _string(error, "name")
            self.stop, self.error = StopReason.LLM_ERROR, one_line(words, _LONGEST)
        return kind == "step_finish"

    def _tool(self, part: Mapping[str, Any]) -> None:
        state, name = _table(part, "state"), one_line(_string(part, "tool"), 60)
        given = _table(state, "input")
        subject = next((_string(given, key) for key in _SUBJECTS if _string(given, key)), "")
        note(self._request, "tool", tool=name, args=given)
        said = _string(state, "output") or _string(state, "error")
        note(self._request, "result", tool=name, outcome=_string(state, "status") or "unknown", text=said)
        tell(self._request, "agent.tool", f"{name} {subject}", tool=name)

    @property
    def last_words(self) -> str:
        """The final text: an answer, or an error in the client's words."""
        return (self.error or self.text) if self.stop is StopReason.LLM_ERROR else self.text


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _string(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""
