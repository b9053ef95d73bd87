"""Both sandboxes keep the public contract, in a real sandbox."""

import os
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from greylag.protocols import Bounds, Command, SandboxBackend
from greylag.sandboxes._cgroup import Control
from greylag.sandboxes.bubblewrap import Bubblewrap
from greylag.sandboxes.none import Unsandboxed
from greylag.testing.sandbox import CONTRACT, ends, inside, spec

pytestmark = pytest.mark.toolchain("bwrap")


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: str(check.__name__))
def test_contract(check: Callable[[SandboxBackend, Path], None], backend: SandboxBackend, tmp_path: Path) -> None:
    check(backend, tmp_path)


@pytest.mark.parametrize("check", [inside.writes_go_to_the_upper, inside.unchanged_files_stay_below])
def test_contract_without_overlays(check: Callable[[SandboxBackend, Path], None], tmp_path: Path) -> None:
    """As where the kernel has refused one before."""
    backend = Bubblewrap()
    backend._without_overlay.add(tmp_path.stat().st_dev)
    check(backend, tmp_path)
    assert (tmp_path / ".workspace.flattened").exists()


_ENDS = [check for check in CONTRACT if check.__module__ == ends.__name__]


@pytest.mark.parametrize("make", [Bubblewrap, Unsandboxed])
@pytest.mark.parametrize("check", _ENDS, ids=lambda check: str(check.__name__))
def test_contract_without_control_groups(
    check: Callable[[SandboxBackend, Path], None], make: type[Bubblewrap | Unsandboxed], tmp_path: Path
) -> None:
    """As for an ordinary user without delegation: no group kills what was forgotten.

    Processes are counted by uid then, so that root takes one that no other test runs at the same time.
    """
    backend = make() if make is Unsandboxed or os.getuid() else Bubblewrap(uid=60300 + os.getpid() % 5000)
    backend._control = Control(reason="a test")
    check(backend, tmp_path)


@pytest.mark.skipif(os.getuid() == 0, reason="UNPROVEN HERE: root has a uid for sandboxes alone")
def test_what_else_a_user_runs_does_not_count_against_a_sandbox(tmp_path: Path) -> None:
    """A desktop has more threads than many a bound."""
    backend = Bubblewrap()
    backend._control = Control(reason="a test")
    with ExitStack() as stack:
        for _ in range(60):
            stack.callback(stack.enter_context(subprocess.Popen(["sleep", "300"])).kill)
        with backend.open(spec(tmp_path, bounds=Bounds(processes=40))) as sandbox:
            assert sandbox.run(Command(("sh", "-c", "true | true"))).returncode == 0
