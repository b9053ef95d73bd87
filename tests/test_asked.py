"""What a request may ask of a model's service, and what of its answer comes back."""

import json
from typing import Any

import pytest

from greylag.exchanges.patience import wait
from greylag.proxy._asked import offered, read, refused
from greylag.proxy._keyless import keyless, keyless_pieces
from greylag.tallies import Tally

KEY = "sk-real-0123456789"
LEADS_ON: dict[str, dict[str, Any]] = {
    "search": {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
    "fetch": {"tools": [{"name": "Edit"}, {"type": "web_fetch_20250910", "name": "web_fetch"}]},
    "code at the service": {"tools": [{"type": "code_execution_20250825", "name": "code_execution"}]},
    "search of another service": {"tools": [{"type": "web_search"}]},
    "hosted server of tools": {"tools": [{"type": "mcp", "server_url": "https://example.com"}]},
    "within a name space": {"tools": [{"type": "namespace", "name": "a", "tools": [{"type": "code_interpreter"}]}]},
    "no type at all": {"tools": [{"type": {"web": 1}}]},
    "servers of tools": {"mcp_servers": [{"url": "https://example.com"}]},
    "search option": {"web_search_options": {"search_context_size": "low"}},
    "kept answer": {"previous_response_id": "resp_1"},
    "kept conversation": {"conversation": "conv_1"},
    "kept prompt": {"prompt": {"id": "pmpt_1"}},
    "later": {"background": True},
    "many answers": {"n": 100},
    "dearer": {"service_tier": "priority"},
    "faster": {"speed": "fast"},
    "image by address": {"messages": [{"content": [{"type": "image", "source": {"type": "url", "url": "https://a/b"}}]}]},
    "image of a chat": {"messages": [{"content": [{"type": "image_url", "image_url": {"url": "http://a/?secret"}}]}]},
    "image of a response": {"input": [{"content": [{"type": "input_image", "image_url": "HTTPS://a/b"}]}]},
    "file of a response": {"input": [{"content": [{"type": "input_file", "file_url": "https://a/b"}]}]},
    "among the messages": {"input": [{"type": "additional_tools", "tools": [{"type": "web_search"}]}]},
    "shell at the service": {"tools": [{"type": "shell", "environment": {"type": "container_auto"}}]},
    "message by its name": {"input": [{"type": "item_reference", "id": "msg_1"}]},
    "file by its name": {"input": [{"content": [{"type": "input_file", "file_id": "file_1"}]}]},
    "address without a scheme": {"input": [{"content": [{"type": "input_image", "image_url": "//a/b"}]}]},
    "model that searches": {"model": "gpt-4o-search-preview"},
    "in the answer of a tool": {
        "messages": [{"content": [{"type": "tool_result", "content": [{"source": {"url": "ftp://a/b"}}]}]}]
    },
}  # fmt: skip
FINE: dict[str, dict[str, Any]] = {
    "own tools": {"tools": [{"name": "Edit", "input_schema": {}}, {"type": "custom", "name": "Bash"}]},
    "tools of a client": {"tools": [{"type": "bash_20250124", "name": "bash"}, {"type": "text_editor_20250728"}]},
    "functions": {"tools": [{"type": "function", "function": {"name": "edit"}}, {"type": "local_shell"}]},
    "name space": {"tools": [{"type": "namespace", "name": "a", "tools": [{"type": "function", "name": "verify"}]}]},
    "shell here": {"tools": [{"type": "shell", "environment": {"type": "local"}}]},
    "one answer": {"n": 1, "background": False, "previous_response_id": None},
    "usual price": {"service_tier": "auto"},
    "image itself": {"messages": [{"content": [{"type": "image_url", "image_url": {"url": "data:image/png,AA"}}]}]},
    "address in words": {"messages": [{"role": "user", "content": "see https://example.com/a"}]},
    "address that a tool is given": {
        "messages": [{"content": [{"type": "tool_use", "name": "Bash", "input": {"url": "https://example.com"}}]}]
    },
    "no request": {},
}  # fmt: skip


@pytest.mark.parametrize("name", LEADS_ON)
def test_what_leads_on_from_the_service_is_refused(name: str) -> None:
    assert refused(LEADS_ON[name])


@pytest.mark.parametrize("name", FINE)
def test_what_clients_ask_goes_on(name: str) -> None:
    assert refused(FINE[name]) == ""


def test_depth_does_no_harm() -> None:
    deep: Any = []
    for _ in range(50_000):
        deep = [deep]
    assert refused({"messages": deep}) == ""


@pytest.mark.parametrize(
    "body",
    [
        b'{"metadata": {"n": %s}}' % (b"9" * 5000), b'{"model": "\xff"}', b"[" * 60_000, b'{"model": "a"} {"tools": 1}',
        b'{"tools": [{"type": "web_search"}], "tools": []}', b'{"a": {"tools": 1, "tools": 2}}', b"[]",
    ],
)  # fmt: skip
def test_what_may_be_read_in_two_ways_is_no_request(body: bytes) -> None:
    assert read(body) is None


def test_names_of_offered_tools_are_told_whatever_their_shape() -> None:
    tools = [
        {"name": "Edit"}, {"type": "function", "function": {"name": "verify"}}, {"type": "tool_search"}, "x",
        {"type": "namespace", "name": "a", "tools": [{"type": "function", "name": "b"}]},
    ]  # fmt: skip
    assert offered({"tools": tools}) == ("Edit", "verify", "tool_search", "a", "b")
    assert offered({"tools": None}) == ()
    late = {"input": [{"type": "additional_tools", "tools": [{"type": "function", "name": "exec_command"}]}]}
    assert offered(late) == ("exec_command",)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_the_key_is_taken_out_of_a_stream_however_it_is_cut(size: int) -> None:
    text = f"a{KEY}b sk-real {KEY}{KEY} sk-".encode()
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert b"".join(keyless_pieces(pieces, KEY)) == keyless(text, KEY) == b"a[key]b sk-real [key][key] sk-"
    assert b"".join(keyless_pieces(pieces, None)) == text


def test_a_stream_without_the_key_is_not_held_back() -> None:
    pieces = iter([b"data: one\n\n", b"data: two\n\n"])
    assert next(keyless_pieces(pieces, KEY)) == b"data: one\n\n"


# -- counts that cannot be -------------------------------------------------------------------------------------------


def counted(answer: dict[str, Any], prompt: int = 400) -> Tally:
    tally = Tally("anthropic", "claude-sonnet-4-5", prompt)
    tally.read(json.dumps({"type": "message", "model": "claude-sonnet-4-5", **answer}).encode())
    return tally


def test_a_service_that_tells_no_tokens_of_what_it_wrote_is_not_believed() -> None:
    told = counted(
        {"content": [{"type": "text", "text": "w" * 6400}], "usage": {"input_tokens": 0, "output_tokens": 0}}
    )
    assert (told.input, told.output, told.usage.cost_source) == (100, 100, "estimate")
    assert told.usage.usd


def test_all_that_a_tool_is_called_with_was_written() -> None:
    call = {"type": "tool_use", "name": "Write", "input": {"file_text": "w" * 4000, "more": [{"old": "x" * 400}]}}
    assert counted({"content": [call]}).output == 1100


def test_an_hour_in_the_cache_costs_more_than_five_minutes() -> None:
    usage: dict[str, Any] = {"input_tokens": 0, "output_tokens": 1, "cache_creation_input_tokens": 100_000}
    short = counted({"content": [], "usage": usage}).usage.usd
    long = counted(
        {"content": [], "usage": {**usage, "cache_creation": {"ephemeral_1h_input_tokens": 100_000}}}
    ).usage.usd
    assert short
    assert long
    assert long / short == pytest.approx(2 / 1.25, rel=1e-3)


def test_a_service_may_say_by_a_date_when_it_wants_to_be_asked_again() -> None:
    assert wait({"retry-after": "Fri, 31 Dec 2199 23:59:59 GMT"}) > 1_000_000
    assert wait({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}) == 0
    assert [wait({"retry-after": text}) for text in ("20", "1.5", "soon", "-1")] == [20, 1.5, 0, 0]
    assert wait({}) == 0
