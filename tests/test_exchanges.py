"""What is kept of requests to models: without secrets, bounded, and compared without what differs each time."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from greylag import exchanges
from greylag.exchanges import NAME, Channel, Exchange, Exchanges, ExhaustedError, load
from greylag.exchanges._forms import api, digests, without_secrets
from greylag.model import Limits, Usage
from greylag.report import paging

SECRET = "ghp_" + "a1B2c3D4e5F6" * 3
USED = Usage(1, 10, 1, 0, 0.5, "prices")


def body(**changes: Any) -> bytes:
    return json.dumps({"model": "m", "tools": [], "messages": ["hello"], **changes}).encode()


def events(*data: Any) -> str:
    return "".join(f"event: x\ndata: {json.dumps(one)}\n\n" for one in data)


def ask(channel: Channel, asked: bytes, answer: bytes = b"{}", status: int = 200) -> None:
    opened = channel.begin("/v1/messages", asked)
    opened.begin(status, {"content-type": "application/json"})
    opened.take(answer)
    opened.end()
    channel.keep(opened, USED, "m")


# -- what is asked ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<data 0123456789abcdef>", "<data fedcba9876543210>"),
        ("id msg_21200986-82a0-56b5-96b7-3087a7c635c3", "id msg_bd633d97-9c98-54e3-9f98-0c8d932052ce"),
        ("ok: tests 12 tests 3 s", "ok: tests 12 tests cached"),
        ("Today is 2026-11-29.", "Today is 2026-11-30."),
        ("details: log 02-loop/test-pytest.log", "details: log 01-loop/test-pytest.log"),
        ("/state/runs/20261129-015427-28bc/tree/a", "/state/runs/20261130-115427-28bd/tree/a"),
    ],
)
def test_what_differs_each_time_is_no_difference(one: str, other: str) -> None:
    assert digests(body(messages=[{"content": one}])) == digests(body(messages=[{"content": other}]))
    assert digests(body(metadata={"user": one})) == digests(body(metadata={"user": "somebody"}))


@pytest.mark.parametrize(
    ("one", "other"), [("return 41", "return 42"), ("12 tests 3 s", "13 tests 3 s"), ("a.py", "b.py")]
)
def test_what_is_asked_otherwise_is_told_by_its_key(one: str, other: str) -> None:
    old, new = (digests(body(messages=[{"content": text}])) for text in (one, other))
    assert {key for key in old if old[key] != new[key]} == {"messages"}


def test_a_secret_that_was_taken_out_of_an_answer_makes_no_difference_to_the_next_request() -> None:
    assert digests(body(messages=[f"key\n{SECRET}"])) == digests(body(messages=["key\n[secret]"]))


def test_addresses_of_an_api_are_one_path() -> None:
    assert {api("/v1/messages?beta=true"), api("/proxy/v1/v1/messages")} == {"/messages"}
    assert api("/v1/messages/count_tokens") == "/messages/count_tokens"


# -- secrets ---------------------------------------------------------------------------------------------------------


def test_secrets_leave_a_whole_answer_and_it_stays_json() -> None:
    call = {"arguments": json.dumps({"content": f"a\n{SECRET}\n-----BEGIN PRIVATE KEY-----x"})}
    found = without_secrets(json.dumps({"choices": [{"message": {"content": f"see {SECRET}", "tool_calls": [call]}}]}))
    message = json.loads(found)["choices"][0]["message"]
    assert SECRET not in found
    assert message["content"] == "see [secret]"
    assert json.loads(message["tool_calls"][0]["arguments"])["content"].startswith("a\n[secret]\n")


@pytest.mark.parametrize(
    "form",
    [
        lambda text: {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": text}},
        lambda text: {"type": "response.output_text.delta", "item_id": "i", "delta": text},
        lambda text: {"choices": [{"index": 0, "delta": {"content": text}}]},
    ],
)
def test_secrets_leave_a_stream_that_has_them_in_pieces(form: Any) -> None:
    pieces = ["The key is ", SECRET[:5], SECRET[5:20], SECRET[20:], " and more"]
    found = without_secrets(events(*map(form, pieces)))
    data = [json.loads(line[5:]) for line in found.splitlines() if line.startswith("data:")]
    assert SECRET[5:20] not in found
    assert len(data) == len(pieces)
    assert "The key is [secret] and more" in json.dumps(data[0])


def test_secrets_leave_what_is_no_event_too() -> None:
    cut = events({"type": "ping"}) + f'data: {{"delta": "{SECRET}'
    assert SECRET not in without_secrets(cut)
    assert SECRET not in without_secrets(f"<html>{SECRET}</html>")
    assert SECRET not in without_secrets(f'data: [{{"delta": "{SECRET}"}}]\n\ndata: 5\n\n')


def test_a_call_in_pieces_stays_one_that_can_be_read() -> None:
    text = json.dumps({"path": "a", "content": f"x = 1\n{SECRET}\n"})
    parts = [text[:30], text[30:50], text[50:]]
    deltas = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": part}}
        for part in parts
    ]
    found = without_secrets(events(*deltas))
    data = [json.loads(line[5:])["delta"]["partial_json"] for line in found.splitlines() if line.startswith("data:")]
    assert json.loads("".join(data)) == {"path": "a", "content": "x = 1\n[secret]\n"}


@pytest.mark.parametrize(
    "answer", ["", "<html>", events({"a": 1}) + "data: {brok", "data: 5\n\n", "\udcff", '{"a": [1, "x"]}', "[" * 9999]
)
def test_an_answer_without_secrets_stays_to_the_byte(answer: str) -> None:
    assert without_secrets(answer) == answer


@pytest.mark.parametrize(
    "answer",
    [
        events(*[{"type": "d", "delta": "sk-"}] * 20_000),
        "-----BEGIN PRIVATE KEY-----" * 40_000,
        json.dumps({"a": "1" * 1_000_000}),
        "data: " * 170_000,
        "://a:" * 200_000,
    ],
)
def test_hostile_answers_cost_time_in_proportion(answer: str) -> None:
    began = time.monotonic()
    without_secrets(answer)
    digests(body(messages=[answer]))
    assert time.monotonic() - began < 20


# -- the record ------------------------------------------------------------------------------------------------------


def test_a_record_is_bounded_and_survives_a_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchanges, "_ANSWER", 100)
    monkeypatch.setattr(exchanges, "_ANSWERS", 150)
    channel = Channel("session 1", Exchanges(tmp_path / NAME))
    for size in (90, 101, 90, 10):
        ask(channel, body(), b"x" * size)
    with (tmp_path / NAME).open("a") as file:
        file.write('{"number": 9, "who"')
    kept = load(tmp_path)
    assert [one.answer and len(one.answer) for one in kept] == [90, None, None, None]
    assert [one.usage for one in kept] == [USED] * 4
    playing = Exchanges(None, kept[1:], "r")
    with pytest.raises(ExhaustedError, match="has not kept answer 2, which was too large"):
        playing.begin("session 1", "/v1/messages", body())


def test_a_flood_of_requests_does_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchanges, "_MOST", 3)
    channel = Channel("session 1", Exchanges(tmp_path / NAME))
    for _ in range(5):
        ask(channel, json.dumps({"model": "m" * 100_000, **dict.fromkeys(map(str, range(50)), "x")}).encode())
    ask(channel, json.dumps(dict.fromkeys(map(str, range(100_000)), "x")).encode())
    assert len(load(tmp_path)) == 3
    assert (tmp_path / NAME).stat().st_size < 10_000
    assert channel.used.turns == 6, "and what is paid for counts"


def test_bytes_that_are_no_text_come_back(tmp_path: Path) -> None:
    ask(Channel("judge", Exchanges(tmp_path / NAME)), body(), b"\xff\x00 \xe2\x82")
    assert b"".join(load(tmp_path)[0].pieces) == b"\xff\x00 \xe2\x82"


def recorded(*asked: tuple[str, bytes]) -> list[Exchange]:
    return [
        Exchange(number, who, "/messages", digests(data), "2026-01-01T00:00:00+00:00", answer=str(number))
        for number, (who, data) in enumerate(asked, 1)
    ]


def test_an_answer_goes_to_the_request_that_it_was_recorded_for() -> None:
    side = body(model="small")
    left = recorded(("session 1", body()), ("session 1", side), ("judge", body()), ("session 2", body(tools=[1])))
    playing = Exchanges(None, left, "r")

    def answer(who: str, data: bytes) -> str | None:
        found = playing.begin(who, "/v1/messages", data).recorded
        return found.answer if found else None

    assert answer("session 1", side) == "2", "whichever of two comes first"
    assert answer("session 1", body()) == "1"
    assert answer("session 1", body(tools=[2])) == "4", "asked otherwise, and in another session"
    with pytest.raises(ExhaustedError, match="request 4 of the session"):
        answer("session 2", body())
    assert playing.changed == {4: ("tools",)}
    assert answer("judge", body(model="other")) == "3"
    assert playing.changed[3] == ("model",)


def test_what_a_judge_may_spend_shrinks_with_each_question() -> None:
    channel = Channel("judge", Exchanges(), Limits(usd=0.8))
    ask(channel, body())
    left = channel.left
    assert left is not None
    assert left.usd == pytest.approx(0.3)
    ask(channel, body())
    assert channel.left is None
    assert Channel("judge", Exchanges(), None).left is None


def test_no_tool_of_an_agent_reads_the_record(tmp_path: Path) -> None:
    (tmp_path / "logs/01-gate").mkdir(parents=True)
    ask(Channel("session 1", Exchanges(tmp_path / NAME)), body(), b"words of a model")
    for name in (NAME, f"../{NAME}", f"01-gate/../../{NAME}", str(tmp_path / NAME)):
        assert "words of a model" not in paging.read(tmp_path / "logs", name, 1, "")
