"""Prepares the mounts of sandboxes and starts their commands. A program of its own: standard library only.

    serve    once per greylag: fork, so that nothing below has to wait for an interpreter
    keep     once per sandbox: hold a mount namespace, fork, and clean up when greylag is gone
    start    once per command, forked by its keeper: become harmless, become bubblewrap

`greylag.sandboxes._forks` is the other end of the channels of `serve` and `keep`. Whatever goes wrong with a command is
told on a channel of its own, never on the command's output.

Why a mount namespace before bubblewrap's: as root, sources below a 0700 home must be reachable after the uid is
dropped; and bubblewrap before 0.11 cannot mount overlays. Every source is opened before anything is mounted, so that
a mount cannot hide a later source. The namespace is shared by the commands of a sandbox, because two overlay mounts
with one upper directory are undefined behaviour.

The first command waits for the imports of this file, so they are few: each of json, pathlib, signal, socket and ctypes
would cost more than all the rest. The last two are taken as what they are made from.
"""

# ruff: noqa: PTH102, PTH106, PTH112, PTH123, PTH208
from __future__ import annotations

import marshal
import os
import resource
import stat
import sys
import time
from _ctypes import FUNCFLAG_CDECL, FUNCFLAG_USE_ERRNO, CFuncPtr, _SimpleCData, dlopen, dlsym, get_errno
from _socket import CMSG_SPACE, MSG_CMSG_CLOEXEC, MSG_CTRUNC, socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, NoReturn

_CLONE_NEWNS = 0x00020000
_CLONE_NEWUSER = 0x10000000
_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18
_PR_SET_PDEATHSIG = 1
_O_PATH = 0o10000000
_SIGKILL, _SIGPIPE, _SIGXFSZ = 9, 13, 25
_CLEANUP = 5.0  # seconds
DESCRIPTORS = 250  # of one message; the kernel takes 253


class StepError(Exception):
    """A step of the preparation that the kernel refused."""

    def __init__(self, step: str, error: OSError) -> None:
        super().__init__(f"{step}: {error.strerror or error}" + (f" ({error.filename})" if error.filename else ""))
        self.step = step


class _Int(_SimpleCData):  # type: ignore[type-arg]
    _type_ = "i"


class _UnsignedLong(_SimpleCData):  # type: ignore[type-arg]
    _type_ = "L"


class _Function(CFuncPtr):
    _flags_ = FUNCFLAG_CDECL | FUNCFLAG_USE_ERRNO
    _restype_ = _Int


def libc(name: str) -> _Function:
    """A function of libc that answers an int."""
    return _Function(dlsym(dlopen(None, 0), name))  # type: ignore[arg-type]


def call(name: str, *arguments: Any) -> None:
    """Call a function of libc that answers 0; `OSError` when it does not."""
    if libc(name)(*arguments) != 0:
        code = get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """mount(2)."""
    words = [os.fsencode(word) if word else None for word in (source, target, kind)]
    call("mount", *words, _UnsignedLong(flags), os.fsencode(data) if data else None)


def die_with(parent: int, sign: int = _SIGKILL) -> None:
    """Ask for `sign` when the parent dies; end now if it is dead. A change of uid clears the wish: ask again."""
    call("prctl", _PR_SET_PDEATHSIG, _UnsignedLong(sign), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(125)


def remove_cgroup(path: str, seconds: float = _CLEANUP) -> bool:
    """Kill what runs in a control group and remove it with its children; False when it could not be done in time."""
    deadline = time.monotonic() + seconds
    while os.path.isdir(path):
        for group, _, _ in os.walk(path, topdown=False):
            _kill(_members(group))
            try:
                os.rmdir(group)
            except OSError:
                continue
        if time.monotonic() > deadline:
            return not os.path.isdir(path)
        if os.path.isdir(path):
            time.sleep(0.005)
    return True


def _members(group: str) -> list[int]:
    try:
        with open(group + "/cgroup.procs") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def _kill(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, _SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def kill_marked(token: str, seconds: float = _CLEANUP) -> None:
    """Kill every bubblewrap of which an argument begins with `token`, until there is none.

    `--die-with-parent` takes effect some milliseconds after the start of a sandbox. One whose parent died before
    then would live for ever without this.
    """
    deadline = time.monotonic() + seconds
    while (found := list(_marked(token.encode()))) and time.monotonic() < deadline:
        _kill(found)
        time.sleep(0.005)


def _marked(token: bytes) -> Iterator[int]:
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                if any(word.startswith(token) for word in file.read().split(b"\0")):
                    yield int(name)
        except OSError:
            continue


# -- serve -----------------------------------------------------------------------------------------------------------


def serve(channel: socket) -> set[int] | None:
    """Fork for each request; None when the other end is done, what runs still when it died.

    `fork` comes with descriptors, the first of which holds a plan; `more` with those that did not fit in one message.
    The answer is a pid, which stays one until that pid comes back: then it is killed if need be, and reaped.
    """
    children: set[int] = set()
    received: list[int] = []
    lost = 0
    while True:
        message, descriptors, flags = _receive(channel)
        received += descriptors
        lost |= flags & MSG_CTRUNC
        if not message:
            return children
        if message == b"end":
            return None
        if message == b"fork":
            answer = "too many open files" if lost else _fork(channel, children, received)
            for descriptor in received:
                os.close(descriptor)
            received, lost = [], 0
            _tell(channel, answer.encode())
        elif message != b"more":
            _kill([int(message)])
            os.waitpid(int(message), 0)
            children.discard(int(message))


def _receive(channel: socket) -> tuple[bytes, list[int], int]:
    try:
        message, control, flags, _ = channel.recvmsg(64, CMSG_SPACE(4 * DESCRIPTORS), MSG_CMSG_CLOEXEC)
    except ConnectionError:
        return b"", [], 0
    data = b"".join(data for _, _, data in control)
    return message, [int.from_bytes(data[i : i + 4], sys.byteorder) for i in range(0, len(data), 4)], flags


def _fork(channel: socket, children: set[int], received: list[int]) -> str:
    parent = os.getpid()
    try:
        pid = os.fork()
    except OSError as error:
        return str(error.strerror)
    if pid == 0:
        code = 125
        try:
            channel.close()
            code = _child(parent, received)
        finally:
            os._exit(code)
    children.add(pid)
    return str(pid)


def _tell(channel: socket, answer: bytes) -> None:
    """Who is gone is heard of by the next look for a request."""
    try:
        channel.send(answer)
    except OSError:
        return


def _child(parent: int, received: list[int]) -> int:
    os.setsid()
    with open(received.pop(0), "rb") as file:
        plan = marshal.load(file)  # noqa: S302 - from our own process
    return {"keep": keep, "start": start}[plan["mode"]](plan, parent, received)


# -- keep ------------------------------------------------------------------------------------------------------------


def keep(plan: dict[str, Any], _parent: int, received: list[int]) -> int:
    """Make the namespace, fork for commands until the other end closes, clean up."""
    channel = socket(fileno=received[0])
    try:
        _namespace(plan)
    except StepError as error:
        _tell(channel, marshal.dumps({"step": error.step, "error": str(error)}))
        return 1
    _tell(channel, marshal.dumps({}))
    running = serve(channel)
    if running is not None:
        _kill(list(running))
        for pid in running:
            os.waitpid(pid, 0)
        kill_marked(plan["token"])
    for path in plan["cgroups"]:
        remove_cgroup(path)
    return 0


def _namespace(plan: dict[str, Any]) -> None:
    if plan["namespace"] == "none":
        return
    _unshare(as_user=plan["namespace"] == "user")
    sources = {name: _open(path, base) for name, path, base in plan["sources"]}
    overlays = [
        (name, [_open(lower) for lower in lowers], [_open(path) for path in writable])
        for name, lowers, writable in plan["overlays"]
    ]
    stage = plan["stage"]
    _step("stage", mount, "tmpfs", stage, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=755,size=4m")
    os.mkdir(f"{stage}/command")
    for name, source in sources.items():
        _bind(source, f"{stage}/{name}")
    for name, lowers, writable in overlays:
        os.mkdir(f"{stage}/{name}")
        options = _overlay_options(lowers, writable, as_user=plan["namespace"] == "user")
        _step("overlay", mount, "overlay", f"{stage}/{name}", "overlay", _MS_NOSUID | _MS_NODEV, options)


def _unshare(*, as_user: bool) -> None:
    uid, gid = os.getuid(), os.getgid()
    _step("namespace", call, "unshare", _CLONE_NEWNS | (_CLONE_NEWUSER if as_user else 0))
    if as_user:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            _step("namespace", _write, f"/proc/self/{name}", text)
    _step("namespace", mount, "", "/", "", _MS_REC | _MS_PRIVATE)


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
    for part in os.path.relpath(path, base).split("/") if base else ():
        descriptor = _step("source", lambda p, d: os.open(p, flags | os.O_NOFOLLOW, dir_fd=d), part, descriptor)
        if stat.S_ISLNK(os.fstat(descriptor).st_mode):
            raise StepError("source", OSError(40, "a symbolic link in a writable directory", path))
    return descriptor


def _bind(source: int, target: str) -> None:
    if stat.S_ISDIR(os.fstat(source).st_mode):
        os.mkdir(target)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o444))
    _step("source", mount, f"/proc/self/fd/{source}", target, "", _MS_BIND | _MS_REC)


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def _step(name: str, function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except OSError as error:
        raise StepError(name, error) from error


# -- start -----------------------------------------------------------------------------------------------------------


def start(plan: dict[str, Any], parent: int, received: list[int]) -> int:
    """Become the program of the plan, without privileges and without an environment. Returns only on failure."""
    die_with(parent)
    _renumber(received)  # from here on `status` is where the plan says
    try:
        _start(plan, parent)
    except (StepError, OSError) as error:
        # json cannot be imported any more where root's Python is closed to other users
        said = "".join(letter if letter.isprintable() and letter not in '"\\' else "?" for letter in str(error))
        os.write(plan["status"], f'{{"error": "{said}"}}\n'.encode("utf-8", "replace"))
    return 125


def _renumber(received: list[int]) -> None:
    """The descriptors become 0, 1, 2 and so on, for the program to inherit."""
    wanted = {descriptor: number for number, descriptor in enumerate(received)}
    for number in range(len(received)):
        if wanted.get(number, number) > number:  # it is in the way of this one
            moved = os.dup(number)
            received[wanted[number]] = moved
            wanted[moved] = wanted.pop(number)
        if received[number] == number:
            os.set_inheritable(number, True)
        else:
            os.dup2(received[number], number)
            os.close(received[number])
            del wanted[received[number]]


def _start(plan: dict[str, Any], parent: int) -> None:
    for path in plan["cgroups"]:
        _step("control group", _write, path, "0")
    _step("oom score", _write, "/proc/self/oom_score_adj", "500")
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
    for number in (_SIGPIPE, _SIGXFSZ):  # Python ignores them, which programs would inherit
        libc("signal")(number, None)
    os.umask(0o022)
    os.chdir("/")
    die_with(parent)
    if 0 in {os.getuid(), os.geteuid()}:
        raise StepError("drop privileges", OSError(1, "still uid 0"))
    _step("exec", os.execve, plan["argv"][0], plan["argv"], {})


def _limit(wanted: dict[str, int]) -> None:
    for name, value in {"RLIMIT_CORE": 0, **wanted}.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        _step("limits", resource.setrlimit, kind, (bound, bound))


def main(descriptor: int) -> NoReturn:
    """Serve until the other end closes, and end without the farewells of an interpreter."""
    os.set_inheritable(descriptor, False)
    serve(socket(fileno=descriptor))
    os._exit(0)
