"""Interrupts and kills at the worst moment: while a command is being started."""

import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from greylag.errors import InfraError
from greylag.protocols import Command, Ended, SandboxBackend
from greylag.sandboxes import _keeper, _process
from greylag.sandboxes._cgroup import Control
from greylag.sandboxes._jobs import Job
from greylag.sandboxes.bubblewrap import Bubblewrap
from greylag.testing.sandbox import Sleepers, alive, spec

pytestmark = pytest.mark.toolchain("bwrap")


class _Interrupted(subprocess.Popen[bytes]):
    """Ctrl-C right after the process was made."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        signal.raise_signal(signal.SIGINT)


def test_an_interrupt_during_a_start_leaves_nothing(
    backend: SandboxBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = Sleepers()
    with backend.open(spec(tmp_path)) as sandbox:
        monkeypatch.setattr(subprocess, "Popen", _Interrupted)
        with pytest.raises(KeyboardInterrupt):
            sandbox.run(Command(tree.argv))
        monkeypatch.undo()
        assert not tree.alive()
        assert sandbox.run(Command(("true",))).returncode == 0
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_interrupt_waits_for_the_end_of_the_first(
    backend: SandboxBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree, end = Sleepers(), Job.end

    def interrupt(_line: str) -> None:
        signal.raise_signal(signal.SIGINT)

    def end_and_interrupt(job: Job, reason: Ended) -> None:
        signal.raise_signal(signal.SIGINT)
        end(job, reason)

    monkeypatch.setattr(Job, "end", end_and_interrupt)
    with backend.open(spec(tmp_path)) as sandbox:
        with pytest.raises(KeyboardInterrupt):
            sandbox.run(Command(tree.argv, on_line=interrupt))
        assert not tree.alive()


def test_an_interrupt_while_mounts_are_prepared_leaves_nothing(
    sandboxed: SandboxBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def interrupt(*_arguments: object) -> None:
        signal.raise_signal(signal.SIGINT)

    def start(*arguments: Any) -> subprocess.Popen[bytes]:
        started.append(real(*arguments))
        return started[-1]

    real = _keeper._start
    monkeypatch.setattr(_keeper, "_start", start)
    monkeypatch.setattr(socket, "recv_fds", interrupt)
    with pytest.raises(KeyboardInterrupt), sandboxed.open(spec(tmp_path)):
        pass
    assert [process.poll() for process in started] == [0]


@pytest.fixture
def stuck() -> Iterator[Path]:
    """A bubblewrap that is killed before it has said who its child is; the child holds its output and waits."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        program = Path(name, "bwrap")
        program.write_text(
            '#!/bin/sh\n[ "$1" = --help ] && echo "--json-status-fd --clearenv --perms --size --seccomp'
            f' --unshare-cgroup-try" && exit\n/bin/sh -c "read word < {name}/never" "$@" &\nkill -9 $$\n'
        )
        os.mkfifo(Path(name, "never"))
        Path(name, "never").chmod(0o666)
        program.chmod(0o755)
        yield program


def test_a_child_of_a_killed_bubblewrap_is_found_by_its_mark(
    stuck: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_process, "_GRACE", 0.5)
    backend = Bubblewrap(program=str(stuck))
    backend._control, backend._trusted = Control(reason="a test"), True
    with backend.open(spec(tmp_path)) as sandbox:
        with pytest.raises(InfraError):
            sandbox.run(Command(("true",)))
        assert not alive(sandbox._room.mounted.keeper.token)  # type: ignore[attr-defined]
