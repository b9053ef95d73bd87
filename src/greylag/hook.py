"""`greylag hook stop`: the stop gate as a command hook of Claude Code and Codex, outside of greylag's own runs."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from greylag.bridge import Gate
from greylag.protocols import Verify


def stop(
    payload: Mapping[str, Any], verify: Verify, *, memory: Path | None = None, max_blocks: int = 3
) -> dict[str, Any]:
    """Answer one hook call: `{}` lets the agent end, `{"decision": "block", "reason": ...}` sends it back.

    `payload` is the hook's JSON. Each call is a process of its own, so that blocks are counted in the directory
    `memory`, per `session_id`; without it an agent that was sent back once (`stop_hook_active`) may end.
    Raises what `verify` raises.
    """
    counter = _counter(payload, memory)
    before = _before(payload, counter, max_blocks)
    gate = Gate(verify, lambda _event: None, max_blocks - before)
    answer = gate.stop(payload)
    gate.settle()
    if counter is not None:
        counter.parent.mkdir(parents=True, exist_ok=True)
        counter.write_text(str(before + gate.blocks), "ascii")
    return dict(answer)


def _counter(payload: Mapping[str, Any], memory: Path | None) -> Path | None:
    session = payload.get("session_id")
    if memory is None or not isinstance(session, str):
        return None
    return memory / hashlib.sha256(session.encode("utf-8", "replace")).hexdigest()[:16]


def _before(payload: Mapping[str, Any], counter: Path | None, max_blocks: int) -> int:
    """Blocks since the agent last ended by itself."""
    if not payload.get("stop_hook_active"):
        return 0
    if counter is None:
        return max_blocks
    try:
        return int(counter.read_text("ascii"))
    except (OSError, ValueError):
        return max_blocks
