"""What an agent leaves behind: lines of its transcript, and events on the time line. Both are cleaned.

A transcript is one JSON object a line, for all agents alike, with `at` and `kind`:

    prompt   text, model, resumed       what the agent was asked
    text     text                       what it said
    tool     tool, args                 what it called
    result   tool, outcome, text        what came of that
    end      stop, text                 how the session ended
    command  command, exit, ended, output   the run of a program that is the agent
    client   line                       what else a client printed, in its own form

Secrets that can be told by their form are taken out.
"""

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from greylag.errors import InfraError
from greylag.model import Event
from greylag.protocols import AgentRequest
from greylag.text import cap, clean, one_line, redacted

_LONGEST = 100_000  # characters of one text in a transcript


def note(request: AgentRequest, kind: str, **facts: Any) -> None:
    """One line of the transcript."""
    line = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "kind": kind, **facts}
    try:
        with request.transcript.open("a", encoding="utf-8") as file:
            file.write(json.dumps(_cleaned(line), ensure_ascii=False) + "\n")
    except OSError as error:
        remedy = "make room there, or set GREYLAG_STATE to another place"
        raise InfraError(f"transcript {request.transcript} cannot be written: {error.strerror}; {remedy}") from error


def tell(request: AgentRequest, kind: str, text: str, **data: Any) -> None:
    """One event of the time line."""
    request.observe(Event(kind, one_line(text), datetime.now(UTC), _cleaned(data)))


def session_id(request: AgentRequest) -> str:
    """The id of the session that is resumed, or a new one."""
    return request.resume.id if request.resume else uuid.uuid4().hex[:12]


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return cap(redacted(clean(value)), _LONGEST)
    if isinstance(value, Mapping):
        return {clean(str(key)): _cleaned(item) for key, item in value.items()}
    return [_cleaned(item) for item in value] if isinstance(value, list | tuple) else value
