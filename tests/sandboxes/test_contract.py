"""Both sandboxes keep the public contract, in a real sandbox."""

from collections.abc import Callable
from pathlib import Path

import pytest

from greylag.protocols import SandboxBackend
from greylag.sandboxes import bubblewrap, none
from greylag.testing.sandbox import CONTRACT


@pytest.fixture(scope="session", params=[bubblewrap.PLUGIN, none.PLUGIN], ids=["bubblewrap", "none"])
def backend(request: pytest.FixtureRequest) -> SandboxBackend:
    made: SandboxBackend = request.param()
    return made


@pytest.mark.toolchain("bwrap")
@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: str(check.__name__))
def test_contract(
    check: Callable[[SandboxBackend, Path], None], backend: SandboxBackend, tmp_path: Path
) -> None:
    check(backend, tmp_path)
