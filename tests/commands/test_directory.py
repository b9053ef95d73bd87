"""Verifications of one user may end at the same time."""

import os
from pathlib import Path

import pytest

from greylag.commands import _directory


def test_the_logs_of_the_last_verifications_are_kept(tmp_path: Path) -> None:
    for number in range(25):
        home = tmp_path / f"home-{number}"
        home.mkdir()
        (home / "x.log").write_text(str(number))
        _directory._keep(home, tmp_path / "logs" / str(number))
        os.utime(tmp_path / "logs" / str(number), (number, number))
    assert {int(path.name) for path in (tmp_path / "logs").iterdir()} == set(range(5, 25))


def test_logs_that_another_process_removes_meanwhile_are_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(25):
        (tmp_path / "logs" / f"old-{number}").mkdir(parents=True)
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
    assert len(list((tmp_path / "logs").iterdir())) <= 20
