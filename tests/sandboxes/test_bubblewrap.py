"""What is bubblewrap's own: errors with a remedy, uids, what a crash leaves behind, the filter."""

import contextlib
import os
import platform
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from greylag.errors import InfraError, UserError
from greylag.protocols import Bind, Bounds, Command, SandboxBackend
from greylag.sandboxes import _cgroup, _remedies, _seccomp
from greylag.sandboxes._probe import _Seen
from greylag.sandboxes.bubblewrap import Bubblewrap
from greylag.testing.sandbox import alive, shell, spec, until

pytestmark = pytest.mark.toolchain("bwrap")


# -- errors ----------------------------------------------------------------------------------------------------------


def test_missing_bubblewrap_names_the_command_to_type(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match="sudo apt-get install bubblewrap"),
        Bubblewrap(program="no-bwrap").open(spec(tmp_path)),
    ):
        pass


def test_something_else_is_not_taken_for_bubblewrap(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match=r"bubblewrap 0\.6 or later"),
        Bubblewrap(program="/bin/true").open(spec(tmp_path)),
    ):
        pass


@pytest.fixture
def fake() -> Iterator[Path]:
    """A bubblewrap that fails as the script says; other users can run it."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name, "bwrap")


_OPTIONS = "--json-status-fd --clearenv --perms --size --seccomp --unshare-cgroup-try"


@pytest.mark.parametrize(
    ("says", "error", "remedy"),
    [
        ("bwrap: setting up uid map: Permission denied", UserError, "forbids user namespaces: "),
        ("bwrap: No permissions to create new namespace", UserError, "forbids user namespaces: "),
        ("bwrap: Can't mount proc on /newroot/proc: Operation not permitted", UserError, "systempaths=unconfined"),
        ("bwrap: Can't bind mount /x: No such file", InfraError, "Can't bind mount /x"),
    ],
)
def test_a_broken_sandbox_is_not_a_failed_command(
    says: str, error: type[Exception], remedy: str, fake: Path, tmp_path: Path
) -> None:
    fake.write_text(f'#!/bin/sh\n[ "$1" = --help ] && echo {_OPTIONS} && exit\necho "{says}" >&2\nexit 1\n')
    fake.chmod(0o755)
    with pytest.raises(error, match=re.escape(remedy)), Bubblewrap(program=str(fake)).open(spec(tmp_path)):
        pass


@pytest.mark.skipif(os.getuid() != 0, reason="UNPROVEN HERE: needs root")
def test_a_bubblewrap_that_only_root_can_reach_is_named(fake: Path, tmp_path: Path) -> None:
    fake.write_text(f"#!/bin/sh\necho {_OPTIONS}\n")
    fake.chmod(0o700)
    with (
        pytest.raises(UserError, match=rf"{fake}.*where every user can run it"),
        Bubblewrap(program=str(fake)).open(spec(tmp_path)),
    ):
        pass


@pytest.mark.parametrize(
    ("name", "text", "remedy", "others"),
    [
        ("proc/sys/user/max_user_namespaces", "0\n", "user.max_user_namespaces=28633", "apparmor"),
        ("proc/sys/kernel/unprivileged_userns_clone", "0\n", "unprivileged_userns_clone=1", "apparmor"),
        ("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n", "/etc/apparmor.d/bwrap", "max_user"),
        (".dockerenv", "", "start this container with `--security-opt seccomp=unconfined", "sysctl"),
    ],
)
def test_the_remedy_is_for_what_forbids_namespaces_here(
    name: str, text: str, remedy: str, others: str, tmp_path: Path
) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text)
    said = str(_remedies.explain("bwrap: Creating new namespace failed", tmp_path))
    assert remedy in said
    assert others not in said
    (tmp_path / name).unlink()
    unknown = str(_remedies.explain("bwrap: Creating new namespace failed", tmp_path))
    assert remedy.removeprefix("start this container with ") in unknown
    assert others in unknown


_WITHOUT_NAMESPACES = """
import ctypes, os, sys
uid, gid = os.getuid(), os.getgid()
if ctypes.CDLL(None).unshare(0x10000000):
    sys.exit(77)
for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
    open(f"/proc/self/{name}", "w").write(text)
open("/proc/sys/user/max_user_namespaces", "w").write("0")
from pathlib import Path
from greylag.errors import UserError
from greylag.sandboxes.bubblewrap import Bubblewrap
from greylag.testing.sandbox import spec
try:
    with Bubblewrap().open(spec(Path(sys.argv[1]))):
        print("opened")
except UserError as error:
    print(error)
"""


@pytest.mark.skipif(os.getuid() == 0, reason="UNPROVEN HERE: root needs no user namespace of its own")
def test_a_machine_without_user_namespaces_is_refused_with_its_remedy(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", _WITHOUT_NAMESPACES, str(tmp_path)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode == 77:
        pytest.skip("UNPROVEN HERE: no user namespaces to begin with")
    assert "forbids user namespaces: `sudo sysctl -w user.max_user_namespaces=28633`" in done.stdout, done


@pytest.mark.skipif(os.getuid() != 0, reason="UNPROVEN HERE: needs root")
def test_a_root_without_its_capabilities_is_told_so(tmp_path: Path) -> None:
    """As in a container."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom greylag.sandboxes.bubblewrap import Bubblewrap\n"
        "from greylag.testing.sandbox import spec\nBubblewrap().open(spec(Path(sys.argv[1]))).__enter__()"
    )
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    drop = ["setpriv", "--bounding-set=-sys_admin,-chown", "--inh-caps=-sys_admin,-chown"]
    done = subprocess.run(
        [*drop, sys.executable, "-c", code, str(tmp_path)], env=environ, capture_output=True, text=True, check=False
    )
    assert "UserError: greylag runs as root but without CAP_CHOWN, CAP_SYS_ADMIN" in done.stderr


def test_a_killed_sandbox_is_not_a_failed_command(fake: Path, tmp_path: Path) -> None:
    fake.write_text(f'#!/bin/sh\n[ "$1" = --help ] && echo {_OPTIONS} && exit\nkill -9 $$\n')
    fake.chmod(0o755)
    with pytest.raises(InfraError), Bubblewrap(program=str(fake)).open(spec(tmp_path)):
        pass


# What a bubblewrap does that leaves something out, or adds it; its options are behind a descriptor.
_CARELESS = """#!/usr/bin/python3 -ISB
import os, sys
if sys.argv[1] == "--help": os.execv(REAL, sys.argv)
at = sys.argv.index("--args") + 1
words = open(int(sys.argv[at]), "rb").read().decode("utf-8", "surrogateescape").split("\\0")
EDIT
new = os.memfd_create("args", 0)
os.write(new, "\\0".join(words).encode("utf-8", "surrogateescape"))
os.lseek(new, 0, 0)
sys.argv[at] = str(new)
os.execve(REAL, sys.argv, ENVIRON)
"""


@pytest.mark.parametrize(
    ("name", "edit", "environ"),
    [
        ("network", "words.remove('--unshare-net')", {}),
        ("seccomp", "at_ = words.index('--seccomp'); del words[at_:at_ + 2]", {}),
        ("user", "words += ['--cap-add', 'CAP_SYS_CHROOT']", {}),
        ("environment", "words.remove('--clearenv')", {"TOKEN": "x"}),
        ("environment", "", {"TOKEN": "x"}),
    ],
)
def test_a_sandbox_that_does_not_keep_its_promises_is_refused_at_once(
    name: str, edit: str, environ: dict[str, str], fake: Path, tmp_path: Path
) -> None:
    if not Path("/usr/bin/python3").exists():
        pytest.skip("UNPROVEN HERE: no /usr/bin/python3")
    text = _CARELESS.replace("REAL", repr(shutil.which("bwrap"))).replace("EDIT", edit)
    fake.write_text(text.replace("ENVIRON", repr(environ)))
    fake.chmod(0o755)
    with (
        pytest.raises(UserError, match=rf"cannot be trusted here: {name}: .*install the bubblewrap"),
        Bubblewrap(program=str(fake)).open(spec(tmp_path)),
    ):
        raise AssertionError("somebody got it")


def test_idle_tunnels_of_the_kernel_are_no_way_out() -> None:
    """Some kernels put `tunl0` and `sit0` into every network; without a route they lead nowhere."""
    table = (
        "/proc/net/dev:Inter-| Receive\n/proc/net/dev:    lo: 0 0\n/proc/net/dev: tunl0: 0 0\n/proc/net/route:Iface\n"
    )
    inside = table + "/proc/net/ipv6_route:00 00 lo\n/namespace:net:[2]\n"
    assert _Seen(inside).network("net:[1]").state == "enforced"
    assert _Seen(inside).network("net:[2]").state == "absent"  # the host's own
    assert _Seen(inside.replace("Iface\n", "Iface\n/proc/net/route:tunl0 0\n")).network("net:[1]").state == "absent"
    assert _Seen("").network("net:[1]").state == "absent"


def test_output_that_looks_like_an_error_of_the_sandbox_is_output(sandboxed: SandboxBackend, tmp_path: Path) -> None:
    with sandboxed.open(spec(tmp_path)) as sandbox:
        completed = sandbox.run(Command(shell("echo 'bwrap: execvp x: No such file or directory' >&2; exit 1")))
    assert completed.returncode == 1


def test_a_missing_layer_is_named(sandboxed: SandboxBackend, tmp_path: Path) -> None:
    given = spec(tmp_path, lowers=(tmp_path / "absent",))
    with pytest.raises(InfraError, match="absent"), sandboxed.open(given):
        pass


def test_uid_0_is_refused(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("UNPROVEN HERE: needs root")
    with pytest.raises(UserError, match="never 0"):
        Bubblewrap(uid=0)
    assert Bubblewrap(uid=61000).owner == 61000
    assert Bubblewrap().owner not in {0, os.getuid()}


def test_probe_finds_every_essential_guarantee(sandboxed: SandboxBackend) -> None:
    states = {guarantee.name: guarantee.state for guarantee in sandboxed.probe()}
    essential = ("user", "no-new-privs", "seccomp", "network", "environment", "time", "output")
    assert [states[name] for name in essential] == ["enforced"] * len(essential)
    assert states["memory"] in {"enforced", "weak"}


def test_probe_of_none_promises_nothing(unsandboxed: SandboxBackend) -> None:
    states = {guarantee.name: guarantee.state for guarantee in unsandboxed.probe()}
    assert {states[name] for name in ("user", "seccomp", "network", "no-new-privs")} == {"absent"}


# -- crash -----------------------------------------------------------------------------------------------------------

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


# -- the filter ------------------------------------------------------------------------------------------------------


def _answer(machine: str, number: int, *, arch: int | None = None, arguments: tuple[int, ...] = (0, 0)) -> int:
    """Interpret the filter as the kernel would (classic BPF, only the instructions in use)."""
    six = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("<iIQ6Q", number, _seccomp.ARCHES[machine] if arch is None else arch, 0, *six)
    program = [*struct.iter_unpack("<HBBI", _seccomp.program(machine))]
    at = loaded = 0
    while True:
        code, true, false, operand = program[at]
        at += 1
        if code == 0x20:
            loaded = struct.unpack_from("<I", data, operand)[0]
        elif code == 0x06:
            return int(operand)
        else:
            held = {0x15: loaded == operand, 0x35: loaded >= operand, 0x45: bool(loaded & operand)}[code]
            at += true if held else false


_ALLOW, _EPERM, _ENOSYS, _FAMILY, _KILL = 0x7FFF0000, 0x50001, 0x50026, 0x50061, 0x80000000


@pytest.mark.parametrize("machine", _seccomp.ARCHES)
def test_filter(machine: str) -> None:
    column = list(_seccomp.ARCHES).index(machine)
    for row in _seccomp.DENIED.values():
        assert row[column] == -1 or _answer(machine, row[column]) == _EPERM
    for row in _seccomp.MISSING.values():
        assert _answer(machine, row[column]) == _ENOSYS
    clone, socket, ioctl = (_seccomp.INSPECTED[name][column] for name in ("clone", "socket", "ioctl"))
    assert _answer(machine, clone, arguments=(0x3D0F00, 0)) == _ALLOW  # a thread
    assert _answer(machine, clone, arguments=(0x10000011, 0)) == _EPERM  # a user namespace
    assert [_answer(machine, socket, arguments=(family, 0)) for family in (1, 2, 10)] == [_ALLOW] * 3
    assert [_answer(machine, socket, arguments=(family, 0)) for family in (0, 17, 38, 40)] == [_FAMILY] * 4
    assert _answer(machine, socket, arguments=(16, 0x80003, 0)) == _ALLOW  # what getifaddrs(3) opens
    assert [_answer(machine, socket, arguments=(16, 3, protocol)) for protocol in range(1, 32)] == [_FAMILY] * 31
    assert _answer(machine, ioctl, arguments=(0, 0x5401)) == _ALLOW
    assert _answer(machine, ioctl, arguments=(0, 0x5412)) == _EPERM
    assert _answer(machine, ioctl, arguments=(0, (1 << 32) + 0x5412)) == _EPERM  # the kernel looks at 32 bits
    assert _answer(machine, 0, arch=0x40000003) == _KILL
    read, write = {"x86_64": (0, 1), "aarch64": (63, 64)}[machine]
    assert [_answer(machine, number) for number in (read, write)] == [_ALLOW] * 2


def test_x32_calls_do_not_slip_through() -> None:
    assert _answer("x86_64", 0x40000000 + 101) == _ENOSYS


def test_an_unknown_machine_is_refused() -> None:
    with pytest.raises(UserError, match="riscv64"):
        _seccomp.program("riscv64")


@pytest.mark.parametrize(
    ("machine", "header"),
    [
        ("x86_64", f"/usr/include/{platform.machine()}-linux-gnu/asm/unistd_64.h"),
        ("aarch64", "/usr/include/asm-generic/unistd.h"),
    ],
)
def test_numbers_agree_with_the_headers_of_the_kernel(machine: str, header: str) -> None:
    if not Path(header).exists():
        pytest.skip(f"UNPROVEN HERE: no {header}")
    known = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", Path(header).read_text()))
    column = list(_seccomp.ARCHES).index(machine)
    for name, row in (_seccomp.DENIED | _seccomp.MISSING | _seccomp.INSPECTED).items():
        if row[column] == -1:
            assert name not in known
        elif name in known:  # headers may be older than a call
            assert known[name] == str(row[column]), name
