"""Fixtures for all tests: no keys, no network but loopback, no configuration of the machine."""

import functools
import gc
import itertools
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from greylag.protocols import SandboxBackend
    from greylag.testing.verifying import MakeHouse
    from greylag.testing.warm import Warm

_KEEP = {"PATH", "LANG", "TERM", "TMPDIR", "USER", "LOGNAME", "VIRTUAL_ENV", "GREYLAG_TEST_CLIENTS"}


_OURS = {"bwrap", "bash", "cc"}  # what greylag itself is tried with
_MODELS = {
    "test_answers",
    "test_bridge",
    "test_builtin",
    "test_builtin_contract",
    "test_editor",
    "test_llm",
    "test_window",
}


def pytest_configure(config: pytest.Config) -> None:
    """Blank the environment before any module of ours is imported."""
    for name in set(os.environ) - _KEEP:
        if not name.startswith(("PYTEST", "COV", "PYTHON")):
            del os.environ[name]
    # what is compiled is kept: each worker and each greylag that a test starts would compile everything again
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    if clients := os.environ.get("GREYLAG_TEST_CLIENTS"):  # directories with agents' programs, behind the usual ones
        os.environ["PATH"] += os.pathsep + clients


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Two for each processor, since most tests wait for other programs; each needs half a GiB with what it starts.

    More than sixteen would only import more: the tests are over before all of them have begun.
    """
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 29
    return max(1, min(2 * len(os.sched_getaffinity(0)), memory, 16))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of an ecosystem are marked: how long they take is decided by the tool chains that the machine has.

    What imports the libraries of models comes first, in the share of one worker: only that one imports them.
    """
    for item in items:
        if any(name not in _OURS for mark in item.iter_markers("toolchain") for name in mark.args):
            item.add_marker("ecosystem")
    items.sort(key=lambda item: item.path.stem not in _MODELS)


def pytest_collection_finish() -> None:
    """What has been imported and collected stays: no collector of garbage needs to look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@functools.cache
def _usable(name: str) -> bool:
    """Whether a program is there; bubblewrap has to start, too, which it may not within another sandbox."""
    path = shutil.which(name)
    if path is None or name != "bwrap":
        return path is not None
    trial = [path, "--unshare-user", "--ro-bind", "/", "/", "true"]
    return subprocess.run(trial, capture_output=True, check=False).returncode == 0


def pytest_runtest_setup(item: pytest.Item) -> None:
    for kind in ("toolchain", "client"):
        for mark in item.iter_markers(kind):
            missing = [name for name in mark.args if not _usable(name)]
            if missing:
                pytest.skip(f"UNPROVEN HERE: {', '.join(missing)} missing or unusable here")


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Directories, one after the other: pytest itself would look through all others for a number that is free."""
    parent = tmp_path_factory.mktemp("home")
    return (parent / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def isolated(homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty home of its own for each test, and a refusal of every address but loopback."""
    home = next(homes)
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            host = address[0] if isinstance(address, tuple) else address
            if host not in {"127.0.0.1", "::1", "localhost"}:
                raise AssertionError(f"a test tried to reach {host}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def warm() -> "Iterator[Warm]":
    """greylag in processes of its own that need not import it first."""
    from greylag.testing.warm import Warm

    with Warm() as server:
        yield server


@pytest.fixture(scope="session")
def backend() -> "SandboxBackend":
    """The real sandbox; skipped where there is none, loudly."""
    from greylag import plugins
    from greylag.errors import UserError

    made: SandboxBackend = plugins.load("sandboxes", "bubblewrap")
    try:
        made.probe()
    except UserError as error:
        pytest.skip(f"UNPROVEN HERE: {error}")
    return made


@pytest.fixture
def house(tmp_path: Path, backend: "SandboxBackend") -> "MakeHouse":
    """Makes verifications of a repository with given files, where every user can reach them."""
    from greylag.testing.verifying import House, Repository

    for directory in (tmp_path, *tmp_path.parents):
        if directory.stat().st_uid == os.geteuid() and directory != Path("/"):
            directory.chmod(directory.stat().st_mode | 0o011)
    return lambda files: House(tmp_path, backend, Repository.make(tmp_path / "repo", files))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A directory for caches and records."""
    path = tmp_path / "state"
    path.mkdir()
    return path
