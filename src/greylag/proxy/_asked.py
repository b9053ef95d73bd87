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
_ANSWERS = ("n", "best_of")
_DEARER = {"service_tier": {"priority"}, "speed": {"fast"}}
_ADDRESSES = ("url", "image_url", "file_url")


def refused(request: Mapping[str, Any]) -> str:
    """Why a request does not go on, in words; empty where it does."""
    for name in _KEPT:
        if request.get(name):
            return f"`{name}` leads on from the service, or to what is kept there"
    for name in _ANSWERS:
        if request.get(name) not in {None, 1}:
            return f"`{name}` asks for several answers, of which the cost cannot be told"
    for name, values in _DEARER.items():
        if request.get(name) in values:
            return f"`{name}` = `{request[name]}` costs more than the list of prices says"
    for kind in _kinds(request.get("tools")):
        if not _OURS.fullmatch(kind):
            return f"the tool `{kind[:60]}` runs at the service, and reaches the network from there"
    if any(map(_outside, _parts(request))):
        return "an address in a message would be fetched by the service; send the content itself"
    return ""


def offered(request: Mapping[str, Any]) -> Sequence[str]:
    """Names of the tools that the model is offered; of a tool without a name its type."""
    tools = _tools(request.get("tools"))
    return tuple(str(tool.get("name") or _named(tool.get("function")) or tool.get("type")) for tool in tools)


def _named(function: object) -> object:
    return function.get("name") if isinstance(function, dict) else None


def _tools(tools: object) -> Iterator[Mapping[str, Any]]:
    """Those of a request, with those in name spaces."""
    for tool in tools if isinstance(tools, list) else ():
        if isinstance(tool, dict):
            yield tool
            yield from _tools(tool.get("tools"))


def _kinds(tools: object) -> Iterator[str]:
    """The types of tools; one without a type is the client's own."""
    for tool in _tools(tools):
        kind = tool.get("type", "custom")
        yield kind if isinstance(kind, str) else json.dumps(kind)


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
    """Whether a part of a message is an image or a document by its address."""
    found = (part.get(name) for name in _ADDRESSES)
    return any(isinstance(one, str) and not one.lstrip().lower().startswith("data:") and "://" in one for one in found)
