"""The server that plays a model: its answers are what real SDKs understand, its faults are real ones."""

import http.client
import json
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest

from greylag.testing.model_server import Model, serve

ASK: dict[str, Any] = {"model": "m", "messages": [], "tools": [{"type": "function", "function": {"name": "edit"}}]}
STEPS: list[dict[str, Any]] = [
    {"text": "I edit.", "tools": [{"name": "edit", "input": {"path": "a.py"}}, {"name": "verify", "input": {}}]},
    {"text": "Done."},
]


def ask(model: Model) -> tuple[int, str | None, bytes]:
    """Status, `retry-after` and body."""
    with closing(http.client.HTTPConnection(urlsplit(model.url).netloc, timeout=10)) as connection:
        connection.request("POST", "/v1/chat/completions", json.dumps(ASK), {"content-type": "application/json"})
        with connection.getresponse() as answer:
            return answer.status, answer.headers["retry-after"], answer.read()


def test_chat_completions_are_streamed_as_their_sdk_reads_them() -> None:
    with serve(STEPS) as model, openai.OpenAI(base_url=f"{model.url}/v1", api_key="dummy") as client:
        for words, names in (("I edit.", ["edit", "verify"]), ("Done.", [])):
            with client.chat.completions.stream(**ASK, stream_options={"include_usage": True}) as stream:
                completion = stream.get_final_completion()
            message = completion.choices[0].message
            assert message.content == words
            assert [call.function.name for call in message.tool_calls or ()] == names
            assert completion.usage
            assert completion.usage.total_tokens == 1050
    assert completion.choices[0].finish_reason == "stop"


def test_a_status_has_the_headers_of_the_script() -> None:
    with serve([{"status": 429, "headers": {"retry-after": "7"}}]) as model:
        status, later, body = ask(model)
    assert (status, later) == (429, "7")
    assert json.loads(body)["error"]["type"] == "rate_limit_error"


def test_an_answer_can_break_off_or_never_begin() -> None:
    with serve([{"text": "x" * 1000, "cut": 0.5}, {"cut": 0}]) as model:
        with pytest.raises(http.client.IncompleteRead) as broken:
            ask(model)
        assert len(broken.value.partial) > 400
        with pytest.raises(http.client.RemoteDisconnected):
            ask(model)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/v1/messages", {"output_config": {"format": {"type": "json_schema", "schema": {}}}}),
        ("/v1/responses", {"text": {"format": {"type": "json_schema", "schema": {}}}, "input": []}),
        ("/v1/chat/completions", {"response_format": {"type": "json_schema", "json_schema": {}}}),
    ],
)
def test_a_question_with_a_schema_for_its_answer_is_no_side_question(path: str, form: dict[str, Any]) -> None:
    """As a judge asks a model that needs no tool for that."""
    with serve([{"text": "yes"}]) as model:
        for more, left in ({}, 1), (form, 0):
            with closing(http.client.HTTPConnection(urlsplit(model.url).netloc, timeout=10)) as connection:
                body = json.dumps({"model": "m", "messages": [], **more})
                connection.request("POST", path, body, {"content-type": "application/json"})
                assert connection.getresponse().status == 200
            assert model.left == left


def test_a_lost_network_stays_lost() -> None:
    with serve([{"lost": True}, {"text": "never"}]) as model:
        with pytest.raises(http.client.RemoteDisconnected):
            ask(model)
        with pytest.raises(ConnectionRefusedError):
            ask(model)
        assert model.left == 1
