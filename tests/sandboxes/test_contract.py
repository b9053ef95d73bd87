"""Both sandboxes keep the public contract, in a real sandbox."""

from collections.abc import Callable
from pathlib import Path

import pytest

from greylag.protocols import SandboxBackend
from greylag.sandboxes.bubblewrap import Bubblewrap
from greylag.testing import sandbox
from greylag.testing.sandbox import CONTRACT

pytestmark = pytest.mark.toolchain("bwrap")


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: str(check.__name__))
def test_contract(check: Callable[[SandboxBackend, Path], None], backend: SandboxBackend, tmp_path: Path) -> None:
    check(backend, tmp_path)


@pytest.mark.parametrize("check", [sandbox.writes_go_to_the_upper, sandbox.unchanged_files_stay_below])
def test_contract_without_overlays(check: Callable[[SandboxBackend, Path], None], tmp_path: Path) -> None:
    """As where the kernel has refused one before."""
    backend = Bubblewrap()
    backend._without_overlay.add(tmp_path.stat().st_dev)
    check(backend, tmp_path)
    assert (tmp_path / ".workspace.flattened").exists()
