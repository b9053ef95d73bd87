"""What is kept of a request and of its answer: digests of the one, the other without secrets.

Answers: one JSON object, or server-sent events, in which a text comes in pieces (Anthropic Messages: `delta.text`;
OpenAI Responses: `delta`; Chat Completions: `choices[].delta.content`). What is neither stays as it is.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from greylag.text import redacted

# what differs each time although nothing else is asked: ids, short ones among them, fences, names of runs and of logs,
# dates, durations, and what was cached
_VOLATILE = re.compile(
    r"(?<![0-9a-f])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b(?:[0-9a-f]{16}|[0-9a-f]{64})\b"
    r"|\b\d{8}-\d{6}-[0-9a-f]{4}\b|\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?"
    r"|\b(?=[0-9a-f]{0,40}\d)(?=\d{0,40}[a-f])[0-9a-f]{6,40}\b"
    r"|(?: |\b)\d++(?:\.\d++)? ?(?:m?s|seconds?|minutes?)\b| cached\b|\b\d\d-(?=(?:baseline|loop|gate)/)"
)
_PERSONAL = {"metadata", "client_metadata", "prompt_cache_key"}  # keys that name a session
_KEYS, _NAME = 100, 200  # keys of a request, and characters of a name, that are looked at
_ENDS = ("/messages/count_tokens", "/messages", "/responses", "/chat/completions", "/models")


def api(path: str) -> str:
    """The part of a path that all addresses of an API share."""
    path = path.partition("?")[0]
    return next((end for end in _ENDS if path.endswith(end)), path)


def parsed(text: str | bytes) -> Any:
    """JSON, or None."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def digests(body: bytes) -> dict[str, str]:
    """What is asked, by the keys of the request: a digest for each, blind to what differs each time."""
    data = parsed(body)
    if not isinstance(data, dict) or len(data) > _KEYS:
        return {"body": _digest(body)} if body else {}
    try:
        return {
            key[:_NAME]: value[:_NAME] if key == "model" and isinstance(value, str) else _digest(_canonical(value))
            for key, value in data.items()
            if key not in _PERSONAL
        }
    except RecursionError:
        return {"body": _digest(body)}


def _canonical(value: object) -> bytes:
    settled = _mapped(value, lambda text: _VOLATILE.sub("", _safe(text)))
    return json.dumps(settled, sort_keys=True).encode("utf-8", "surrogatepass")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


def without_secrets(answer: str) -> str:
    """An answer without secrets that can be told by their form, also where a stream has them in pieces."""
    try:
        data = parsed(answer)
        if data is not None:
            clean = _mapped(data, _safe)
            return answer if clean == data else json.dumps(clean)
        return _stream(answer)
    except RecursionError:
        return redacted(answer)


def _stream(answer: str) -> str:
    lines = answer.split("\n")
    parts = ((number, parsed(line[5:])) for number, line in enumerate(lines) if line.startswith("data:"))
    found = {number: data for number, data in parts if isinstance(data, dict)}
    if not found:
        return redacted(answer)
    events = {number: _mapped(event, _safe) for number, event in found.items()}
    pieces: dict[tuple[Any, ...], list[tuple[Any, Any]]] = {}
    for event in events.values():
        for path, holder, key in _deltas(event):
            of = (*(str(event.get(name)) for name in ("type", "index", "output_index", "item_id")), *path)
            pieces.setdefault(of, []).append((holder, key))
    for places in pieces.values():
        text = "".join(holder[key] for holder, key in places)
        if (clean := _safe(text)) != text:
            for holder, key in places:
                holder[key], clean = clean, ""
    for number, line in enumerate(lines):
        if number not in found:
            lines[number] = redacted(line)
        elif events[number] != found[number]:
            lines[number] = f"data: {json.dumps(events[number])}"
    return "\n".join(lines)


def _deltas(event: object) -> Iterator[tuple[tuple[Any, ...], Any, Any]]:
    """Strings below a key `delta`: their path, and where they are."""
    left: list[tuple[tuple[Any, ...], Any]] = [((), event)]
    while left:
        path, value = left.pop()
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, item in items:
            if isinstance(item, str) and "delta" in (*path, key):
                yield (*path, key), value, key
            elif isinstance(item, dict | list) and len(path) < 8:
                left.append(((*path, key), item))


def _safe(text: str) -> str:
    """A text without secrets; where it is JSON itself, as arguments of a tool are, it stays JSON."""
    if text.lstrip()[:1] in {"{", "["}:
        data = parsed(text)
        if isinstance(data, dict | list):
            clean = _mapped(data, _safe)
            return text if clean == data else json.dumps(clean)
    return redacted(text)


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _mapped(item, change) for key, item in value.items()}
    return [_mapped(item, change) for item in value] if isinstance(value, list) else value
