"""Prepares the mounts of a sandbox and starts its commands. A program of its own: standard library only.

    python -I -S _launch.py keep FD     once per sandbox: hold a mount namespace, and clean up when greylag is gone
    python -I -S _launch.py start FD    once per command: enter that namespace, become harmless, become bubblewrap

FD holds the plan as JSON. Whatever goes wrong is told on a channel of its own, never on the command's output.

Why a mount namespace before bubblewrap's: as root, sources below a 0700 home must be reachable after the uid is
dropped; and bubblewrap before 0.11 cannot mount overlays. Every source is opened before anything is mounted, so that
a mount cannot hide a later source. The namespace is shared by the commands of a sandbox, because two overlay mounts
with one upper directory are undefined behaviour.
"""

import ctypes
import json
import os
import resource
import signal
import socket
import stat
import sys
import time
from pathlib import Path
from typing import Any

_CLONE_NEWNS = 0x00020000
_CLONE_NEWUSER = 0x10000000
_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18
_PR_SET_PDEATHSIG = 1
_O_PATH = 0o10000000


class StepError(Exception):
    """A step of the preparation that the kernel refused."""

    def __init__(self, step: str, error: OSError) -> None:
        super().__init__(f"{step}: {error.strerror or error}" + (f" ({error.filename})" if error.filename else ""))
        self.step = step


def call(name: str, *arguments: Any) -> None:
    """Call a function of libc that answers 0; `OSError` when it does not."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """mount(2)."""
    words = [os.fsencode(word) if word else None for word in (source, target, kind)]
    call("mount", *words, ctypes.c_ulong(flags), os.fsencode(data) if data else None)


def die_with(parent: int, sign: int = signal.SIGKILL) -> None:
    """Ask for `sign` when the parent dies; end now if it is dead. A change of uid clears the wish: ask again."""
    call("prctl", _PR_SET_PDEATHSIG, ctypes.c_ulong(sign), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(125)


def remove_cgroup(path: Path, seconds: float = 5.0) -> bool:
    """Kill what runs in a control group and remove it with its children; False when it could not be done in time."""
    deadline = time.monotonic() + seconds
    while path.is_dir():
        for group in [*sorted((p for p in path.rglob("*") if p.is_dir()), reverse=True), path]:
            _kill_members(group)
            try:
                group.rmdir()
            except OSError:
                continue
        if not path.is_dir():
            break
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _kill_members(group: Path) -> None:
    try:
        members = (group / "cgroup.procs").read_text().split()
    except OSError:
        return
    for member in members:
        try:
            os.kill(int(member), signal.SIGKILL)
        except ProcessLookupError:
            continue


# -- keep ------------------------------------------------------------------------------------------------------------


def keep(plan: dict[str, Any]) -> int:
    """Make the namespace, hand its descriptors over, wait for the other end to close, clean up."""
    channel = socket.socket(fileno=plan["channel"])
    try:
        held = _namespace(plan)
    except StepError as error:
        channel.send(json.dumps({"step": error.step, "error": str(error)}).encode())
        return 1
    socket.send_fds(channel, [b"{}"], held)
    while True:
        try:
            if not channel.recv(1):
                break
        except ConnectionError:
            break
    for path in plan["cgroups"]:
        remove_cgroup(Path(path))
    return 0


def _namespace(plan: dict[str, Any]) -> list[int]:
    if plan["namespace"] == "none":
        return []
    names = _unshare(as_user=plan["namespace"] == "user")
    sources = {name: _open(path, base) for name, path, base in plan["sources"]}
    overlays = [
        (name, [_open(lower) for lower in lowers], [_open(path) for path in writable])
        for name, lowers, writable in plan["overlays"]
    ]
    stage = plan["stage"]
    _step("stage", mount, "tmpfs", stage, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=755,size=4m")
    Path(stage, "command").mkdir()
    for name, source in sources.items():
        _bind(source, f"{stage}/{name}")
    for name, lowers, writable in overlays:
        Path(stage, name).mkdir()
        options = _overlay_options(lowers, writable, as_user=plan["namespace"] == "user")
        _step("overlay", mount, "overlay", f"{stage}/{name}", "overlay", _MS_NOSUID | _MS_NODEV, options)
    return [os.open(f"/proc/self/ns/{name}", os.O_RDONLY) for name in names]


def _unshare(*, as_user: bool) -> list[str]:
    uid, gid = os.getuid(), os.getgid()
    _step("namespace", call, "unshare", _CLONE_NEWNS | (_CLONE_NEWUSER if as_user else 0))
    if as_user:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            _step("namespace", Path("/proc/self", name).write_text, text)
    _step("namespace", mount, "", "/", "", _MS_REC | _MS_PRIVATE)
    return ["user", "mnt"] if as_user else ["mnt"]


def _overlay_options(lowers: list[int], writable: list[int], *, as_user: bool) -> str:
    """By descriptor: host paths do not show inside, and none of their characters needs quoting."""
    options = ["lowerdir=" + ":".join(f"/proc/self/fd/{lower}" for lower in lowers)]
    if writable:
        upper, work = writable
        options += [f"upperdir=/proc/self/fd/{upper}", f"workdir=/proc/self/fd/{work}", "index=off"]
    return ",".join([*options, "userxattr" if as_user else "metacopy=off"])


def _open(path: str, base: str | None = None) -> int:
    """A descriptor of `path`. Below `base`, which a sandbox could write, no symbolic link is followed."""
    flags = _O_PATH | os.O_CLOEXEC
    descriptor: int = _step("source", os.open, base or path, flags)
    for part in Path(path).relative_to(base).parts if base else ():
        descriptor = _step("source", lambda p, d: os.open(p, flags | os.O_NOFOLLOW, dir_fd=d), part, descriptor)
        if stat.S_ISLNK(os.fstat(descriptor).st_mode):
            raise StepError("source", OSError(40, "a symbolic link in a writable directory", path))
    return descriptor


def _bind(source: int, target: str) -> None:
    if stat.S_ISDIR(os.fstat(source).st_mode):
        Path(target).mkdir()
    else:
        Path(target).touch()
    _step("source", mount, f"/proc/self/fd/{source}", target, "", _MS_BIND | _MS_REC)


def _step(name: str, function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except OSError as error:
        raise StepError(name, error) from error


# -- start -----------------------------------------------------------------------------------------------------------


def start(plan: dict[str, Any]) -> int:
    """Become the program of the plan, without privileges and without an environment. Returns only on failure."""
    try:
        _start(plan)
    except StepError as error:
        os.write(plan["status"], json.dumps({"error": str(error)}).encode() + b"\n")
    return 125


def _start(plan: dict[str, Any]) -> None:
    die_with(plan["parent"])
    for path in plan["cgroups"]:
        _step("control group", Path(path).write_text, "0")
    _step("oom score", Path("/proc/self/oom_score_adj").write_text, "500")
    for held in plan["namespaces"]:
        _step("enter the namespace", call, "setns", held, 0)
        os.close(held)
    if plan["sockets"]:
        _step("namespace", call, "unshare", _CLONE_NEWNS)
        _step("stage", mount, "tmpfs", plan["stage"] + "/command", "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=755,size=1m")
        for name, path in plan["sockets"]:
            _bind(_open(path), f"{plan['stage']}/command/{name}")
    if plan["uid"] is not None:
        _step("drop privileges", os.setgroups, [])
        _step("drop privileges", os.setresgid, *[plan["uid"]] * 3)
        _step("drop privileges", os.setresuid, *[plan["uid"]] * 3)
    _limit(plan["rlimits"])
    os.umask(0o022)
    os.chdir("/")
    die_with(plan["parent"])
    if 0 in {os.getuid(), os.geteuid()}:
        raise StepError("drop privileges", OSError(1, "still uid 0"))
    _step("exec", os.execve, plan["argv"][0], plan["argv"], {})


def _limit(wanted: dict[str, int]) -> None:
    for name, value in {"RLIMIT_CORE": 0, **wanted}.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        _step("limits", resource.setrlimit, kind, (bound, bound))


def main() -> int:
    """Read the plan and do it."""
    descriptor = int(sys.argv[2])
    with os.fdopen(descriptor, "rb") as file:
        plan = json.load(file)
    return {"keep": keep, "start": start}[sys.argv[1]](plan)


if __name__ == "__main__":
    sys.exit(main())
