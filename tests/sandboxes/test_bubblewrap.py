"""What a sandbox leaves behind, after a crash and after a normal end, and where overlays cannot be."""

import contextlib
import os
import signal
import subprocess
import sys
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from greylag.errors import InfraError
from greylag.protocols import Bind, Bounds, Command, SandboxBackend
from greylag.sandboxes import _cgroup
from greylag.testing.sandbox import alive, spec, until

pytestmark = pytest.mark.toolchain("bwrap")


_VICTIM = """
import sys
from pathlib import Path
from greylag.plugins import load
from greylag.protocols import Command
from greylag.testing.sandbox import shell, spec
with load("sandboxes", sys.argv[1]).open(spec(Path(sys.argv[2]), lowers=(Path(sys.argv[2], "low"),))) as sandbox:
    print("open", flush=True)
    script = f"sleep {sys.argv[3]} & setsid sleep {sys.argv[3]} & echo started; wait"
    sandbox.run(Command(shell(script), on_line=lambda line: print(line, flush=True)))
"""


def _groups(pid: int) -> list[Path]:
    return [path for path in Path("/sys/fs/cgroup").rglob(f"greylag-{pid}-*") if path.is_dir()]


@pytest.mark.parametrize("name", ["bubblewrap", "none"])
@pytest.mark.parametrize("moment", ["open", "started"])
def test_a_crash_of_greylag_leaves_nothing(name: str, moment: str, tmp_path: Path) -> None:
    """`open`: while the command is starting, at whatever point that is."""
    (tmp_path / "low").mkdir(mode=0o777)
    number = f"300.{uuid.uuid4().int % 10**12}"
    argv = [sys.executable, "-c", _VICTIM, name, str(tmp_path), number]
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(tmp_path)}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environ) as victim:
        assert victim.stdout is not None
        while victim.stdout.readline().strip() != moment:
            assert victim.poll() is None
        assert until(lambda: bool(_children(victim.pid)))
        if moment == "started":
            assert alive(number)
        children = _children(victim.pid)
        assert children
        victim.send_signal(signal.SIGKILL)
    assert until(lambda: not alive(number))
    assert until(lambda: not [pid for pid in children if Path("/proc", str(pid)).exists()])
    if name == "bubblewrap":
        assert until(lambda: not _groups(victim.pid))


def _children(parent: int) -> list[int]:
    """Direct children: what holds the mounts, and what starts commands."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = entry.read_text(errors="replace").rpartition(")")[2].split()
            found += [int(entry.parent.name)] if int(fields[1]) == parent else []
    return found


def test_groups_of_a_dead_greylag_are_swept(sandboxed: SandboxBackend, tmp_path: Path) -> None:
    control = _cgroup.find()
    if not control.version:
        pytest.skip(f"UNPROVEN HERE: {control.reason}")
    stale = _cgroup.open_group(control, Bounds())
    assert stale is not None
    renamed = []
    for path in stale.paths:
        _, pid, started, *rest = path.name.split("-")
        renamed.append(path.with_name("-".join(["greylag", pid, str(int(started) - 1), *rest])))
        path.rename(renamed[-1])
    with sandboxed.open(spec(tmp_path)) as sandbox:
        _cgroup.sweep(control)
        assert sandbox.run(Command(("true",))).returncode == 0  # its own group is not stale
    assert not [path for path in renamed if path.exists()]


def test_nothing_is_left_after_a_normal_end(sandboxed: SandboxBackend, tmp_path: Path) -> None:
    (tmp_path / "low").mkdir(mode=0o777)
    before = set(_groups(os.getpid()))
    mounts = Path("/proc/self/mountinfo").read_text()
    with sandboxed.open(spec(tmp_path, lowers=(tmp_path / "low",))) as sandbox:
        sandbox.run(Command(("true",)))
    assert set(_groups(os.getpid())) == before
    assert Path("/proc/self/mountinfo").read_text() == mounts
    assert {path.name for path in tmp_path.iterdir()} == {"low", "workspace", "home", "scratch"}


def test_descriptors_do_not_pile_up(sandboxed: SandboxBackend, tmp_path: Path) -> None:
    broken = (
        Command(("true", "@port:x@")),
        Command(("true",), log=tmp_path / "no/log"),
        Command(("true",), sockets={"x": tmp_path / "no"}),
    )
    with sandboxed.open(spec(tmp_path)) as sandbox:
        sandbox.run(Command(("true",), files={"a": "b"}))
        before = len([*Path("/proc/self/fd").iterdir()])
        for _ in range(3):
            sandbox.run(Command(("true",), files={"a": "b"}, stdin=b"x", merge=False))
        for command in broken:
            with pytest.raises((ValueError, InfraError)):
                sandbox.run(command)
        assert len([*Path("/proc/self/fd").iterdir()]) == before


@pytest.mark.skipif(os.getuid() != 0, reason="UNPROVEN HERE: needs root")
def test_layers_are_copied_where_overlays_cannot_be(tmp_path: Path) -> None:
    """An upper on an overlay, as in a container: the kernel refuses, and the sandbox says so."""
    for name in ("a", "b", "c", "d"):
        (tmp_path / name).mkdir()
    code = """
import sys
from pathlib import Path
from greylag.sandboxes.bubblewrap import Bubblewrap
from greylag.testing.sandbox.inside import unchanged_files_stay_below, writes_go_to_the_upper
here = Path(sys.argv[1])
backend = Bubblewrap()
for check in (unchanged_files_stay_below, writes_go_to_the_upper):
    (here / check.__name__).mkdir()
    check(backend, here / check.__name__)
states = {each.name: each.state for each in backend.probe()}
print(states["layers"], (here / "writes_go_to_the_upper/.workspace.flattened").exists())
"""
    script = f'mount -t overlay o -o lowerdir=a,upperdir=b,workdir=c d && TMPDIR={tmp_path}/d exec "$@"'
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    answer = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", sys.executable, "-c", code, str(tmp_path / "d")],
        cwd=tmp_path, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.stdout == "weak True\n", answer


def test_git_works_on_what_belongs_to_another_user(sandboxed: SandboxBackend, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path / "git"], check=True)
    given = replace(spec(tmp_path), binds=(Bind(tmp_path / "git/.git", "/workspace/.git"),))
    with sandboxed.open(given) as sandbox:
        assert sandbox.run(Command(("git", "status", "--short"))).returncode == 0
