"""`greylag hook stop`: the stop gate as a command hook of Claude Code and Codex, outside of greylag's own runs."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from greylag.bridge import Gate
from greylag.errors import UserError
from greylag.protocols import Verify

_MOST = 16 << 20  # bytes of a hook's JSON, in which the agent's last message stands


def read(stream: BinaryIO | None) -> Mapping[str, Any]:
    """The hook's JSON; nothing at all is an empty object. Raises `UserError`."""
    text = stream.read(_MOST + 1) if stream else b""
    try:
        payload = json.loads(text[:_MOST] or b"{}")
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        raise UserError("standard input of `greylag hook stop` is not the JSON object of a hook")
    return payload


def directory(payload: Mapping[str, Any]) -> Path:
    """Where the agent works: the hook's `cwd`, else the process's own. Raises `UserError`."""
    cwd = payload.get("cwd") or str(Path.cwd())
    try:
        usable = isinstance(cwd, str) and b"\0" not in os.fsencode(cwd)
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise UserError("`cwd` in the JSON of the hook is no path")
    return Path(cwd)


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
