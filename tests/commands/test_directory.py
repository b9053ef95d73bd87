"""Verifications of one user may end at the same time."""

import os
from pathlib import Path

import pytest

from greylag.commands import _directory


def kept(logs: Path, number: int, size: int = 1) -> None:
    """Logs of the verification `number`, which ends that many hours after the beginning of time."""
    home = logs.parent / f"home-{number}"
    home.mkdir()
    with (home / "x.log").open("wb") as file:
        file.truncate(size)
    _directory._keep(home, logs / str(number), now=number * 3600.0)


def test_the_logs_of_the_last_verifications_are_kept(tmp_path: Path) -> None:
    for number in range(205):
        kept(tmp_path / "logs", number)
    assert {int(path.name) for path in (tmp_path / "logs").iterdir()} == set(range(5, 205))


def test_large_logs_go_sooner_but_not_within_minutes(tmp_path: Path) -> None:
    for number in range(5):
        kept(tmp_path / "logs", number, 300 << 20)
    assert {int(path.name) for path in (tmp_path / "logs").iterdir()} == {2, 3, 4}
    (tmp_path / "home").mkdir()
    with (tmp_path / "home/x.log").open("wb") as file:
        file.truncate(2 << 30)
    _directory._keep(tmp_path / "home", tmp_path / "logs" / "5", now=4 * 3600.0 + 60)
    assert {int(path.name) for path in (tmp_path / "logs").iterdir()} == {4, 5}


def test_logs_that_another_process_removes_meanwhile_are_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(250):
        old = tmp_path / "logs" / f"old-{number}"
        old.mkdir(parents=True)
        os.utime(old, (number, number))
    glob = Path.glob

    def racing(self: Path, pattern: str) -> list[Path]:
        found = list(glob(self, pattern))
        for path in sorted(found)[::2]:
            path.rmdir()
        return found

    monkeypatch.setattr(Path, "glob", racing)
    (tmp_path / "home").mkdir()
    _directory._keep(tmp_path / "home", tmp_path / "logs" / "new")
    monkeypatch.undo()
    assert len(list((tmp_path / "logs").iterdir())) <= 200
