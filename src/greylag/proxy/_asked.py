"""What a request may ask of an LLM service: words, for words that were sent. Nothing that leads on from there.

Services can do more than answer: search the web, fetch an address, talk to servers of tools, run code, remember what
was said. Each is a way out of a sandbox that has none, or makes a request cost what nobody can tell from it. Formats:
platform.claude.com/docs/en/api/messages, platform.openai.com/docs/api-reference (responses, chat).
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_KEPT = (
    "previous_response_id",
    "conversation",
    "prompt",
    "background",
    "mcp_servers",
    "container",
    "web_search_options",
)
_OURS = re.compile(  # tools that the client runs by itself
    r"custom|function|namespace|local_shell|shell|apply_patch|tool_search|computer\w*"
    r"|(?:bash|text_editor|computer|memory|tool_search_tool\w*)_\d{8}"
)
_LOCAL = re.compile(r"local\w*")  # where a shell runs
_SEARCHES = re.compile(r"-search\b|\bsonar\b|deep-research")
_ANSWERS = ("n", "best_of")
_DEARER = {"service_tier": {"priority"}, "speed": {"fast"}}
_ADDRESSES = ("url", "image_url", "file_url")


def read(body: bytes) -> dict[str, Any] | None:
    """The request that a body is; None where services may read it in another way than it is read here."""
    try:
        found = json.loads(body, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def refused(request: Mapping[str, Any]) -> str:
    """Why a request does not go on, in words; empty where it does."""
    searches = "model" if _SEARCHES.search(str(request.get("model"))) else ""
    if kept := next((name for name in _KEPT if request.get(name)), searches):
        return f"`{kept}` leads on from the service, or to what is kept there"
    for name in _ANSWERS:
        if request.get(name) not in {None, 1}:
            return f"`{name}` asks for several answers, of which the cost cannot be told"
    for name, values in _DEARER.items():
        if request.get(name) in values:
            return f"`{name}` = `{request[name]}` costs more than the list of prices says"
    for tool in _tools(request):
        kind = tool.get("type", "custom")
        kind = kind if isinstance(kind, str) else json.dumps(kind)
        if not _OURS.fullmatch(kind) or not _LOCAL.fullmatch(str(_sub(tool.get("environment"), "type") or "local")):
            return f"the tool `{kind[:60]}` runs at the service, and reaches the network from there"
    if any(map(_outside, _parts(request))):
        return "what is kept at the service, or at an address, would be fetched by it; send the content itself"
    return ""


def offered(request: Mapping[str, Any]) -> Sequence[str]:
    """Names of the tools that the model is offered; of a tool without a name its type."""
    tools = _tools(request)
    return tuple(str(tool.get("name") or _sub(tool.get("function"), "name") or tool.get("type")) for tool in tools)


def _sub(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _tools(request: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Those of a request, wherever they stand: at its top, in name spaces, among its messages."""
    holders = [request, *(part for part in _parts(request) if "tools" in part)]
    left = [tool for holder in holders for tool in _listed(holder)]
    while left:  # no recursion: how deep it goes is up to the sandbox
        tool = left.pop(0)
        if isinstance(tool, dict):
            yield tool
            left += _listed(tool)


def _listed(holder: Mapping[str, Any]) -> list[Any]:
    found = holder.get("tools")
    return found if isinstance(found, list) else []


def _parts(request: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Objects in the messages, but for what tools are called with, which is data."""
    left: list[Any] = [request.get(name) for name in ("messages", "input", "system")]
    while left:  # no recursion: how deep it goes is up to the sandbox
        value = left.pop()
        if isinstance(value, list):
            left += value
        elif isinstance(value, dict):
            yield value
            called = value.get("type") in {"tool_use", "server_tool_use", "function_call"}
            left += [item for name, item in value.items() if not (called and name in {"input", "arguments"})]


def _outside(part: Mapping[str, Any]) -> bool:
    """Whether a part of a message is an image, a document or a message by its address, or by its name there."""
    found = (part.get(name) for name in _ADDRESSES)
    if part.get("type") == "item_reference" or isinstance(part.get("file_id"), str):
        return True
    return any(isinstance(one, str) and not one.lstrip().lower().startswith("data:") and "//" in one for one in found)
