"""What an agent was asked, said and did can be read, without what it must not give away."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from greylag import cli
from greylag.errors import UserError
from greylag.model import Repo, Status, Task
from greylag.report import Run
from greylag.store import Store
from greylag.text import redacted
from greylag.transcripts import readable

LINES: list[dict[str, Any]] = [
    {"kind": "prompt", "text": "Greet\nthem.", "model": "m", "resumed": False},
    {"kind": "text", "text": "I look\x1b[2J."},
    {"kind": "tool", "tool": "read", "args": {"path": "a.py"}},
    {"kind": "result", "tool": "read", "outcome": "success", "text": "line\n" * 30},
    {"kind": "client", "line": {"type": "system"}},
    {"kind": "end", "stop": "completed", "text": "Done."},
]


def written(*lines: dict[str, Any]) -> str:
    return "".join(json.dumps({"at": "2026-01-02T03:04:05+00:00", **line}) + "\n" for line in lines)


def test_a_transcript_reads_like_a_conversation() -> None:
    told = list(readable(written(*LINES) + '{"at": "half'))
    assert told[:6] == [
        "03:04:05 asked:", "    Greet", "    them.", "03:04:05 said:", "    I look.",
        '03:04:05 called read {"path": "a.py"}',
    ]  # fmt: skip
    assert told[6:8] == ["03:04:05 got success:", "    line"]
    assert told[-2:] == ["    ... 18 more lines", "03:04:05 ended: completed"]


def test_show_prints_it(state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("GREYLAG_STATE", str(state))
    store = Store(state)
    run = store.new_id()
    store.record(Run(run, Task("do", Repo("/r"), "Do"), Status.OPENED, datetime.now(UTC)))
    with pytest.raises(UserError, match="no agent was asked"):
        cli.command_line(["show", run, "--transcript"])
    (store.home(run) / "transcript.jsonl").write_text(written(*LINES))
    assert cli.command_line(["show", run, "--transcript"]) == 0
    assert "03:04:05 said:\n    I look.\n" in capsys.readouterr().out
    assert cli.command_line(["show", run, "--transcript", "--json"]) == 0
    assert [json.loads(line)["kind"] for line in capsys.readouterr().out.splitlines()] == [
        line["kind"] for line in LINES
    ]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("key sk-" + "a" * 40 + " end", "key [secret] end"),
        ("ghp_" + "A1" * 18, "[secret]"),
        ("AKIA" + "ABCDEFGH12345678", "[secret]"),
        ("https://me:pass-word@host/x", "https://[secret]@host/x"),
        ("-----BEGIN RSA PRIVATE" + " KEY-----\nMIIa\nb=\n-----END RSA PRIVATE KEY-----", "[secret]"),
        ("eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc", "[secret].abc"),
        ("sk_live_" + "a1" * 12, "[secret]"),
        ("SG." + "a1" * 11 + "." + "b2" * 20, "[secret]"),
        ("hf_" + "aB" * 17, "[secret]"),
        ("Authorization: Bearer abcdef0123456789abcdef", "Authorization: Bearer [secret]"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYz9", "aws_secret_access_key = [secret]"),
        ('{"password": "Tr0ub4dor-and-3-more-words"}', '{"password": "[secret]"}'),
        ("password = get_password_from_the_vault()", None),
        ("token: str = self.tokens[index]; secret=args.secret; api_key=os.environ['OPENAI_API_KEY_2']", None),
        ("sk-short, task-1234567890123456789, ghp_ and https://host/a:b@c", None),
    ],
)
def test_secrets_are_told_by_their_form(text: str, kept: str | None) -> None:
    assert redacted(text) == (text if kept is None else kept)


@pytest.mark.parametrize(
    "piece",
    [
        "sk-",
        "eyJ",
        "eyJ-",
        "eyJ-a ",
        "://a:",
        "-----BEGIN PRIVATE KEY-----",
        "ghp_a",
        "a.b",
        "secret=",
        "token=a",
        "bearer  ",
    ],
)
def test_a_megabyte_is_searched_in_time_in_proportion(piece: str) -> None:
    assert len(redacted(piece * (1_000_000 // len(piece)))) <= 1_000_000
