"""Directories for work are removed with it, or by the next process when it was killed; those of living ones stay."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from greylag import homes
from greylag.errors import UserError
from greylag.holding import HELD

_WORK = """
import sys, time
from pathlib import Path
from greylag.homes import home

with home(Path(sys.argv[1]), "verify-", "GREYLAG_CACHE") as path:
    (path / "layers/.upper.work/work").mkdir(parents=True)
    (path / "layers/.upper.work/work").chmod(0)
    (path / "link").symlink_to("/")
    print(path, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Callable[[], "tuple[subprocess.Popen[str], Path]"]]:
    started = []

    def start() -> "tuple[subprocess.Popen[str], Path]":
        command = [sys.executable, "-c", _WORK, str(tmp_path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout
        return process, Path(process.stdout.readline().strip())

    yield start
    for process in started:
        process.kill()
        process.communicate()


def _used(parent: Path) -> Path:
    with homes.home(parent, "verify-", "GREYLAG_CACHE") as path:
        assert (path / HELD).is_file()
        (path / "tree").mkdir()
    return path


def test_a_killed_holders_directory_is_removed_by_the_next_and_a_living_ones_is_not(
    tmp_path: Path, work: Callable[[], "tuple[subprocess.Popen[str], Path]"]
) -> None:
    (living, its), (dead, left) = work(), work()
    dead.send_signal(signal.SIGKILL)
    dead.wait()
    assert (left / "layers").is_dir()
    assert not _used(tmp_path).exists()
    assert not left.exists()
    assert (its / "layers").is_dir()
    assert living.poll() is None


def test_what_is_not_greylags_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "verify-mine").mkdir()
    (tmp_path / "verify-mine" / "notes.txt").touch()
    (tmp_path / "verify-new").mkdir()
    (tmp_path / "verify-old").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / HELD).touch()
    (tmp_path / "verify-link").symlink_to("elsewhere")
    for name in ("verify-mine", "verify-old", "elsewhere"):
        os.utime(tmp_path / name, (0, 0))
    _used(tmp_path)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["elsewhere", "verify-link", "verify-mine", "verify-new"]
    assert (tmp_path / "elsewhere" / HELD).exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    theirs = tmp_path / "verify-theirs"
    theirs.mkdir()
    (theirs / HELD).touch()
    os.chown(theirs, 65534, 65534)
    _used(tmp_path)
    assert (theirs / HELD).exists()


def test_temporary_ones_are_where_the_machine_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with homes.temporary() as path:
        assert path.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_locks_names_the_variable_that_moves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fcntl.flock", lambda handle, kind: None)
    with pytest.raises(UserError, match="GREYLAG_CACHE"):
        _used(tmp_path)
