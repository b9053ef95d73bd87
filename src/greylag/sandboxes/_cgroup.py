"""Control groups: memory and processes of a whole sandbox, and the truth about out of memory.

cgroup v2 where a parent group may be written (delegation, or root), cgroup v1 as root; else nothing, with the reason.
Directories are named `greylag-PID-STARTTIME-PIDNAMESPACE-N` after the process that made them, so that a later start
can sweep what a killed one left. File names and meaning: kernel documentation, `admin-guide/cgroup-v1/memory.rst`,
`cgroup-v2.rst`.
"""

import contextlib
import itertools
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from greylag.protocols import Bounds
from greylag.sandboxes._launch import remove_cgroup

_COUNTER = itertools.count(1)
_V1 = ("memory", "pids")


@dataclass(frozen=True, slots=True)
class Control:
    """Where groups can be made: one parent directory (v2) or one per controller (v1), none with a reason."""

    version: int = 0
    parents: tuple[Path, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """One group: its directories, one per hierarchy."""

    version: int
    paths: tuple[Path, ...]

    @property
    def join(self) -> tuple[str, ...]:
        """Files that a process writes `0` to, in order to join."""
        return tuple(str(path / "cgroup.procs") for path in self.paths)

    def child(self) -> "Group":
        """A group for one command, so that its out-of-memory kills are its own."""
        return _make(self.version, self.paths, f"c{next(_COUNTER)}")

    def oom_kills(self) -> int:
        """Processes of this group that the kernel killed for memory."""
        name = "memory.events" if self.version == 2 else "memory.oom_control"
        for path in self.paths:
            with contextlib.suppress(OSError):
                facts = dict(line.split() for line in (path / name).read_text().splitlines())
                return int(facts.get("oom_kill", 0))
        return 0

    def remove(self) -> bool:
        """Kill what is in it and remove it; False when that took too long."""
        return not [path for path in self.paths if not remove_cgroup(str(path))]


def open_group(control: Control, bounds: Bounds) -> Group | None:
    """A bounded group for one sandbox, None where there is no control."""
    if not control.version:
        return None
    group = _make(control.version, control.parents, f"greylag-{_identity(os.getpid())}-{next(_COUNTER)}")
    try:
        _bound(group, bounds)
    except OSError:
        group.remove()
        raise
    return group


def _make(version: int, parents: tuple[Path, ...], name: str) -> Group:
    group = Group(version, tuple(parent / name for parent in parents))
    for path in group.paths:
        path.mkdir()
    return group


def _bound(group: Group, bounds: Bounds) -> None:
    if group.version == 2:
        (path,) = group.paths
        _delegate(path)
        (path / "memory.max").write_text(str(bounds.memory))
        _try(path / "memory.swap.max", "0")
        (path / "pids.max").write_text(str(bounds.processes))
        return
    memory, pids = group.paths
    _try(memory / "memory.use_hierarchy", "1")
    (memory / "memory.limit_in_bytes").write_text(str(bounds.memory))
    _try(memory / "memory.memsw.limit_in_bytes", str(bounds.memory))
    (pids / "pids.max").write_text(str(bounds.processes))


def _delegate(path: Path) -> None:
    (path / "cgroup.subtree_control").write_text("+memory +pids")


def _try(path: Path, text: str) -> None:
    with contextlib.suppress(OSError):
        path.write_text(text)


# -- finding ---------------------------------------------------------------------------------------------------------


def find(proc: Path = Path("/proc/self")) -> Control:
    """What can be used on this machine, by making a group and moving a process into it."""
    reasons = []
    for control in _candidates(proc):
        try:
            _rehearse(control)
        except OSError as error:
            reasons.append(f"{control.parents[0]}: {error.strerror}")
        else:
            sweep(control)
            return control
    return Control(reason="; ".join(reasons) or "no memory and pids controllers are mounted")


def _rehearse(control: Control) -> None:
    if control.version == 2:
        (parent,) = control.parents
        if not {"memory", "pids"} <= set((parent / "cgroup.subtree_control").read_text().split()):
            _delegate(parent)
    group = open_group(control, Bounds())
    assert group is not None
    try:
        member = group.child()
        with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, env={}) as process:
            for path in member.join:
                Path(path).write_text(str(process.pid))
    finally:
        group.remove()


def _candidates(proc: Path) -> list[Control]:
    try:
        own = [line.split(":", 2) for line in (proc / "cgroup").read_text().splitlines()]
        mounts = [line.split() for line in (proc / "mountinfo").read_text().splitlines()]
    except OSError:
        return []
    parents = []
    for name in _V1:
        for _, controllers, path in own:
            if name in controllers.split(","):
                parents += _directories(mounts, "cgroup", name, path)
    if len(parents) == len(_V1):
        return [Control(1, tuple(parents))]
    unified = [d for n, c, path in own if n == "0" and not c for d in _directories(mounts, "cgroup2", "", path)]
    return [Control(2, (path,)) for directory in unified for path in (directory, directory.parent)]


def _directories(mounts: list[list[str]], kind: str, controller: str, path: str) -> list[Path]:
    """Host directory of the cgroup `path`: mountinfo says which part of the hierarchy is mounted where (proc(5))."""
    for fields in mounts:
        after = fields[fields.index("-") + 1 :]
        if after[0] == kind and (not controller or controller in after[2].split(",")):
            root, point = fields[3], Path(fields[4])
            inside = path.removeprefix(root) if root != "/" and path.startswith(root) else path if root == "/" else "/"
            return [point / inside.lstrip("/")]
    return []


def sweep(control: Control) -> None:
    """Remove groups whose maker is dead; one in another pid namespace is none of our business."""
    namespace = _pid_namespace()
    for parent in control.parents:
        for path in parent.glob(f"greylag-*-*-{namespace}-*"):
            identity, _, _ = path.name.removeprefix("greylag-").rpartition("-")
            pid = identity.partition("-")[0]
            if not pid.isdigit() or _identity(int(pid)) != identity:
                remove_cgroup(str(path))


def _identity(pid: int) -> str:
    return f"{pid}-{start_time(pid)}-{_pid_namespace()}"


def _pid_namespace() -> int:
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return 0


def start_time(pid: int) -> str:
    """Start time of a process in clock ticks since boot (proc(5), `stat` field 22), empty when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19]
    except OSError:
        return ""
