"""Attempts to get out, each with a control: the same attempt without the sandbox gets through.

A probe prints `reached` when it got through.
"""

import json
import os
import platform
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from greylag.protocols import Bind, Bounds, Command, Ended, Sandbox, SandboxBackend
from greylag.sandboxes._seccomp import ARCHES, DENIED, MISSING
from greylag.testing.sandbox import python, shell, spec

pytestmark = pytest.mark.toolchain("bwrap")

_COLUMN = list(ARCHES).index(platform.machine())
_IS_ROOT = os.getuid() == 0


@dataclass(frozen=True)
class Host:
    """Things of the host that a sandboxed command may want."""

    secret: str
    file: Path
    process: int
    port: int
    abstract: str


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    secret = uuid.uuid4().hex
    file = tmp_path_factory.mktemp("host") / "secret"
    file.write_text(secret)
    abstract = f"greylag-{secret}"
    with (
        subprocess.Popen(["sleep", "600"], env={"SECRET": secret}) as process,
        closing(socket.create_server(("127.0.0.1", 0))) as tcp,
        closing(socket.socket(socket.AF_UNIX)) as unix,
    ):
        unix.bind(f"\0{abstract}")
        unix.listen()
        yield Host(secret, file, process.pid, tcp.getsockname()[1], abstract)
        process.kill()


_SYSCALL = """
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
answer = libc.syscall({number}, {arguments})
code = ctypes.get_errno()
print('reached' if answer >= 0 or code not in (errno.EPERM, errno.ENOSYS) else errno.errorcode[code])
"""


def syscall(name: str, arguments: str = "0, 0, 0, 0, 0") -> str:
    number = (DENIED | MISSING).get(name, (-1, -1))[_COLUMN]
    return _SYSCALL.format(number=number, arguments=arguments)


def attempt(code: str) -> str:
    body = "".join(f"    {line}\n" for line in code.splitlines())
    return f"import os, socket\ntry:\n{body}    print('reached')\nexcept OSError as error:\n    print(error)\n"


_FILL = """import tempfile
with tempfile.TemporaryFile(dir='DIRECTORY') as file:
    file.write(bytes(3 << 20))
    file.flush()"""

# name -> code; what is in braces is a fact of `Host`
PROBES = {
    "environment of a host process": "import glob\nfor path in glob.glob('/proc/[0-9]*/environ'):\n    try:\n"
    "        if '{secret}' in open(path).read(): print('reached')\n    except OSError: pass",
    "file of the host": attempt("open('{file}').read()"),
    "file of the host through init": attempt("open('/proc/1/root{file}').read()"),
    "process of the host": attempt("os.kill({process}, 0)"),
    "loopback of the host": attempt("socket.create_connection(('127.0.0.1', {port}), 5)"),
    "abstract socket": attempt("socket.socket(socket.AF_UNIX).connect('\\0{abstract}')"),
    "vsock": attempt("socket.socket(40, socket.SOCK_STREAM)"),
    "netlink: netfilter": attempt("socket.socket(16, socket.SOCK_RAW, 12)"),
    "netlink: sockets of others": attempt("socket.socket(16, socket.SOCK_RAW, 4)"),
    "netlink: devices": attempt("socket.socket(16, socket.SOCK_RAW, 15)"),
    "netlink: generic": attempt("socket.socket(16, socket.SOCK_RAW, 16)"),
    "kernel crypto socket": attempt("socket.socket(38, 5)"),
    "terminal injection": attempt(
        "import errno, fcntl\ntry:\n    fcntl.ioctl(0, 0x5412, b'x')\nexcept OSError as error:\n"
        "    if error.errno == errno.EPERM: raise"
    ),
    "shared memory beyond its size": attempt(_FILL.replace("DIRECTORY", "/dev/shm")),
    "temporary files beyond their size": attempt(_FILL.replace("DIRECTORY", "/tmp")),
    "io_uring": syscall("io_uring_setup", "1, 0"),
    "ptrace": syscall("ptrace"),
    "bpf": syscall("bpf"),
    "keyring": syscall("keyctl", "0, -3, 1"),
    "new user namespace": syscall("unshare", "0x10000000"),
    "clone3": syscall("clone3"),
    "another process's memory": syscall("process_vm_readv", "1, 0, 0, 0, 0, 0"),
    "userfaultfd": syscall("userfaultfd", "1"),
}
# RTM_DELLINK of an interface that nobody has: a caller that may change interfaces is told so, any other is not
_REMOVE_LINK = """import struct
route = socket.socket(16, socket.SOCK_RAW, 0)
route.send(struct.pack('=IHHIIBxHiII', 32, 17, 5, 1, 0, 0, 0, 0x7ffffff0, 0, 0))
code = -struct.unpack_from('=i', route.recv(4096), 16)[0]
if code == 1: raise PermissionError(code, 'netlink')"""
# Without a sandbox, only root gets through these.
ROOT_PROBES = {
    "change of interfaces": attempt(_REMOVE_LINK),
    "core_pattern": attempt("os.open('/proc/sys/kernel/core_pattern', os.O_WRONLY)"),
    "sysrq": attempt("os.open('/proc/sysrq-trigger', os.O_WRONLY)"),
    "file of the system": attempt("os.open('/usr/lib/os-release', os.O_WRONLY)"),
    "device node": attempt("os.mknod('node', 0o20666, os.makedev(1, 3))\nos.open('node', os.O_RDONLY)"),
    "password hashes": attempt("open('/etc/shadow').read()"),
    "chroot": syscall("chroot", "b'/'"),
    "mount": syscall("mount", "b'x', b'/proc/self/fd', b'none', 0, 0"),
    "owner of another user": attempt("open('mine', 'w').close()\nos.chown('mine', 12345, 12345)"),
}
_BOUNDS = Bounds(seconds=60, temporary=1 << 20)


@pytest.fixture(scope="module")
def inside(sandboxed: SandboxBackend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandboxed.open(spec(tmp_path_factory.mktemp("inside"), bounds=_BOUNDS)) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def outside(unsandboxed: SandboxBackend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with unsandboxed.open(spec(tmp_path_factory.mktemp("outside"), bounds=_BOUNDS)) as sandbox:
        yield sandbox


def _fill(code: str, host: Host) -> str:
    for name, value in vars(host).items():
        code = code.replace("{" + name + "}", str(value))
    return code


_ALL = """
import json, os, subprocess, sys
run = lambda code: subprocess.run([sys.executable, '-I', '-S', '-c', code], capture_output=True, text=True)
print(json.dumps({name: [*vars(run(code)).values()][1:] for name, code in json.loads(sys.stdin.read()).items()}))
"""


@pytest.fixture(scope="module")
def answers(inside: Sandbox, outside: Sandbox, host: Host) -> dict[str, tuple[str, str]]:
    """What each probe printed in the sandbox, and without one."""
    probes = {name: _fill(code, host) for name, code in (PROBES | ROOT_PROBES).items()}
    found = []
    for sandbox in (inside, outside):
        completed = sandbox.run(Command(python(_ALL), stdin=json.dumps(probes).encode()))
        assert completed.returncode == 0, completed
        found.append(json.loads(completed.output))
    for name, (code, _, errors) in [*found[0].items(), *found[1].items()]:
        assert code == 0, (name, errors)
    return {name: (found[0][name][1], found[1][name][1]) for name in probes}


@pytest.mark.parametrize("name", [*PROBES, *ROOT_PROBES])
def test_probe_is_blocked(name: str, answers: dict[str, tuple[str, str]]) -> None:
    inside, outside = answers[name]
    assert "reached" not in inside
    if name in ROOT_PROBES and not _IS_ROOT:
        return  # the control needs root
    if "reached" not in outside:
        pytest.skip("UNPROVEN HERE: this machine blocks it without a sandbox, too")


def test_interfaces_can_be_listed_and_are_loopback(inside: Sandbox, outside: Sandbox) -> None:
    """As getifaddrs(3) does, for which Node, Go and Python need netlink."""
    code = python("import socket; print(sorted(name for _, name in socket.if_nameindex()))")
    names = outside.run(Command(code)).output.decode()
    assert "lo" in names
    seen = inside.run(Command(code))
    assert seen.returncode == 0, seen.output
    assert "eth0" not in seen.output.decode()
    assert "'lo'" in seen.output.decode()


def test_descriptors_of_greylag_are_not_inherited(inside: Sandbox, host: Host) -> None:
    code = (
        "import os\n"
        "names = [f'/proc/self/fd/{n}' for n in range(3, 64)]\n"
        "print([os.path.realpath(name) for name in names if os.path.lexists(name)])"
    )
    with host.file.open() as file:
        os.set_inheritable(file.fileno(), True)
        control = subprocess.check_output([sys.executable, "-c", code], close_fds=False, text=True)
        assert str(host.file) in control
        assert inside.run(Command(python(code))).output.strip() == b"[]"


def test_files_in_the_workspace_never_belong_to_root(sandboxed: SandboxBackend, tmp_path: Path) -> None:
    with sandboxed.open(spec(tmp_path)) as sandbox:
        made = sandbox.run(Command(shell("cp /bin/true x && chmod 4755 x && ./x && grep NoNewPrivs /proc/self/status")))
    assert made.output == b"NoNewPrivs:\t1\n"
    owner = (tmp_path / "workspace/x").lstat().st_uid
    assert owner == sandboxed.owner != 0


@pytest.mark.skipif(not _IS_ROOT, reason="UNPROVEN HERE: needs root")
def test_private_files_of_root_stay_private(sandboxed: SandboxBackend, tmp_path: Path) -> None:
    given = spec(tmp_path)
    (tmp_path / "workspace/private").write_text("x")
    (tmp_path / "workspace/private").chmod(0o600)
    with sandboxed.open(given) as sandbox:
        assert b"Permission denied" in sandbox.run(Command(("cat", "private"))).output


def test_the_options_of_the_sandbox_do_not_show(sandboxed: SandboxBackend, tmp_path: Path) -> None:
    with sandboxed.open(spec(tmp_path)) as sandbox:
        seen = sandbox.run(Command(shell("cat /proc/1/cmdline /proc/1/environ"))).output
    assert str(tmp_path).encode() not in seen


def test_layers_of_an_overlay_do_not_show(sandboxed: SandboxBackend, tmp_path: Path) -> None:
    (tmp_path / "hidden-lower").mkdir(mode=0o777)
    with sandboxed.open(spec(tmp_path, lowers=(tmp_path / "hidden-lower",))) as sandbox:
        seen = sandbox.run(Command(shell("grep ' /workspace ' /proc/self/mountinfo"))).output
    assert b"overlay" in seen
    assert b"hidden-lower" not in seen


def test_a_mount_does_not_go_through_a_link_of_the_agent(sandboxed: SandboxBackend, tmp_path: Path) -> None:
    """`.git` is replaced by a link, so that its protection would land elsewhere."""
    (tmp_path / "git").mkdir()
    (tmp_path / "git/HEAD").write_text("ref: refs/heads/main\n")
    given = replace(spec(tmp_path), binds=(Bind(tmp_path / "git", "/workspace/a/.git"),))
    with sandboxed.open(given) as sandbox:
        first = sandbox.run(Command(shell("cat a/.git/HEAD; touch a/.git/x; mv a/.git b; rm -rf a/.git; mv a c")))
        assert first.output.startswith(b"ref:")
        assert (tmp_path / "git/HEAD").exists()
        assert not (tmp_path / "git/x").exists()
        (tmp_path / "workspace/c").rename(tmp_path / "workspace/d")
        (tmp_path / "workspace/a").symlink_to("d")
        with pytest.raises(Exception, match="symbolic link"):
            sandbox.run(Command(("true",)))


def test_a_source_below_the_workspace_is_not_a_link(sandboxed: SandboxBackend, host: Host, tmp_path: Path) -> None:
    given = spec(tmp_path)
    (tmp_path / "workspace/.github").symlink_to(host.file.parent)
    given = replace(given, binds=(Bind(tmp_path / "workspace/.github", "/mnt/github"),))
    with pytest.raises(Exception, match="symbolic link"), sandboxed.open(given):
        pass


def test_two_sandboxes_do_not_see_each_other(sandboxed: SandboxBackend, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    look = shell(f"ls {tmp_path}; ls /tmp; ps ax 2>/dev/null | wc -l; ls -d /proc/[0-9]* | wc -l; echo x > /tmp/x")
    with sandboxed.open(spec(tmp_path / "one")) as one, sandboxed.open(spec(tmp_path / "two")) as two:
        for sandbox in (one, two):
            completed = sandbox.run(Command(look))
            assert completed.ended is Ended.EXITED
            assert b"one" not in completed.output.replace(str(tmp_path).encode(), b"")
            assert int(completed.output.split()[-1]) < 8
