"""Where a sandbox is refused: what is said, and what to do about it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from greylag.errors import InfraError, UserError
from greylag.protocols import Command, SandboxBackend
from greylag.sandboxes import _remedies
from greylag.sandboxes._probe import _Seen
from greylag.sandboxes.bubblewrap import Bubblewrap
from greylag.testing.sandbox import shell, spec

pytestmark = pytest.mark.toolchain("bwrap")


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
