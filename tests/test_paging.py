"""Logs a page at a time, and what is found in them."""

from pathlib import Path

import pytest

from greylag.report import paging

LOG = "".join(f"line {n} of it\n" for n in range(1, 401)).encode()


def test_a_page_says_where_it_is() -> None:
    head, first, *_, last = paging.page(LOG, 2).split("\n")
    assert (head, first, last) == ("page 2 of 3, 400 lines of 400", "151: line 151 of it", "300: line 300 of it")
    assert paging.page(LOG, 99).startswith("page 3 of 3")
    assert paging.page(b"").startswith("page 1 of 1, 0 lines of 0")


def test_a_search_shows_what_is_around_its_hits_whatever_the_case() -> None:
    text = paging.page(LOG, search="LINE 200 OF")
    assert text.split("\n") == [
        "page 1 of 1, 5 lines near 'LINE 200 OF' of 400",
        *(f"{n}: line {n} of it" for n in range(198, 203)),
    ]
    assert paging.page(LOG, search="(").startswith("page 1 of 1, 0 lines near '('")


def test_hostile_lines_are_cleaned_and_cut() -> None:
    head, line = paging.page(b"\x1b[31m" + b"x" * 5000 + b"\x07").split("\n")
    assert head.startswith("page 1 of 1")
    assert len(line) < 420
    assert "\x1b" not in line


@pytest.mark.parametrize(
    "name",
    ["../secret", "/etc/passwd", "link", "link.log", "a", "a/judge.json", "no.log", "a\0.log", "x" * 5000, "\ud800"],
)
def test_only_logs_of_the_run_are_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "logs/a").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "logs/link").symlink_to(tmp_path / "secret")
    (tmp_path / "logs/link.log").symlink_to(tmp_path / "secret")
    (tmp_path / "logs/a/judge.json").write_text("secret")
    (tmp_path / "logs/a/b.log").write_text("fine\n")
    said = paging.read(tmp_path / "logs", name)
    assert said.startswith("there is no log `")
    assert "secret" not in said.removeprefix(f"there is no log `{name}`")
    assert "a/b.log" in said.partition("there are: ")[2]
    assert paging.read(tmp_path / "logs", "a/b.log").endswith("1: fine")


def test_of_a_very_large_log_both_ends_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "_HALF", 50)
    for number, cut in ((5, False), (500, True)):
        (tmp_path / "a.log").write_text("".join(f"line {n} of it\n" for n in range(number)))
        text = paging.read(tmp_path, "a.log")
        assert "1: line 0 of it" in text
        assert text.endswith(f"line {number - 1} of it")
        assert ("the log is cut here" in text) is cut


def test_before_anything_was_verified_there_is_no_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.log").write_text("somebody's own\n")
    assert paging.read(None, "a.log") == "there is no log `a.log`; there are: none"
