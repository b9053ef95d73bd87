"""Interrupts and kills at the worst moment: while a command is being started."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from greylag.errors import InfraError
from greylag.protocols import Command, Ended, SandboxBackend
from greylag.sandboxes import _forks, _keeper, _process
from greylag.sandboxes._cgroup import Control
from greylag.sandboxes._jobs import Job
from greylag.sandboxes.bubblewrap import Bubblewrap
from greylag.testing.sandbox import Sleepers, alive, spec, until

pytestmark = pytest.mark.toolchain("bwrap")


def _interrupted(make: Callable[..., Any]) -> Callable[..., Any]:
    """Ctrl-C right after `make` has made something."""

    def then(*arguments: Any, **settings: Any) -> Any:
        made = make(*arguments, **settings)
        signal.raise_signal(signal.SIGINT)
        return made

    return then


def test_a_process_that_is_closed_can_be_asked_and_killed_by_other_threads() -> None:
    class Graves(_forks.Forks):
        def __init__(self) -> None:
            self.buried: list[int] = []

        def bury(self, pid: int) -> None:
            self.buried.append(pid)

    with subprocess.Popen(("sleep", "60")) as child:
        graves = Graves()
        process = _forks.Forked(graves, child.pid)
        assert process.alive()
        process.close()
        process.close()
        assert not process.alive()
        process.kill()  # nobody else's process, either
        process.wait()
        assert (graves.buried, child.poll()) == ([child.pid], None)
        child.kill()


def test_an_interrupt_during_a_start_leaves_nothing(
    backend: SandboxBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = Sleepers()
    with backend.open(spec(tmp_path)) as sandbox:
        monkeypatch.setattr(subprocess, "Popen", _interrupted(subprocess.Popen))
        monkeypatch.setattr(_forks.Forks, "fork", _interrupted(_forks.Forks.fork))
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
    started: list[_forks.Forked | None] = []

    def interrupt(keeper: _keeper.Keeper) -> None:
        started.append(keeper._process)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(_keeper.Keeper, "_receive", interrupt)
    with pytest.raises(KeyboardInterrupt), sandboxed.open(spec(tmp_path)):
        pass
    (process,) = started
    assert process
    assert until(lambda: not Path("/proc", str(process.pid)).exists())


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


def test_more_files_than_one_message_carries_reach_a_command(sandboxed: SandboxBackend, tmp_path: Path) -> None:
    files = {f"{number}.txt": f"{number} " for number in range(600)}
    with sandboxed.open(spec(tmp_path)) as sandbox:
        done = sandbox.run(Command(("sh", "-c", "cat @files@/*.txt"), files=files))
    assert sorted(done.output.split(), key=int) == [str(number).encode() for number in range(600)]


def test_a_killed_launcher_is_replaced_and_open_sandboxes_go_on(sandboxed: SandboxBackend, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with sandboxed.open(spec(tmp_path)) as sandbox:
        running = _forks.server._running
        assert running
        running[1].kill()
        running[1].wait()
        assert sandbox.run(Command(("true",))).returncode == 0
        with sandboxed.open(spec(tmp_path / "other")) as another:
            assert another.run(Command(("true",))).returncode == 0


def test_a_killed_keeper_takes_its_commands_along_and_is_named(sandboxed: SandboxBackend, tmp_path: Path) -> None:
    tree = Sleepers()
    with sandboxed.open(spec(tmp_path)) as sandbox:
        keeper = sandbox._room.mounted.keeper  # type: ignore[attr-defined]
        with pytest.raises(InfraError, match="outside has killed it"):
            sandbox.run(Command(tree.argv, on_line=lambda _line: keeper._process.kill()))
        assert not tree.alive()
        with pytest.raises(InfraError, match="launcher"):
            sandbox.run(Command(("true",)))


_FORKED = """
import os, sys
from pathlib import Path
from greylag.plugins import load
from greylag.protocols import Command
from greylag.testing.sandbox import spec
backend = load("sandboxes", "bubblewrap")
def code(name):
    (Path(sys.argv[1]) / name).mkdir()
    with backend.open(spec(Path(sys.argv[1]) / name)) as sandbox:
        return sandbox.run(Command(("sh", "-c", "exit 7"))).returncode
before = code("before")
if (child := os.fork()) == 0:
    os._exit(code("forked"))
print(before, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), code("after"))
"""


def test_a_fork_of_greylag_has_a_launcher_of_its_own(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(tmp_path)}
    argv = [sys.executable, "-c", _FORKED, str(tmp_path)]
    answer = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False)
    assert answer.stdout == "7 7 7\n", answer.stderr
