"""Backends for these tests: made once, because they look for tool chains and control groups."""

import pytest

from greylag.protocols import SandboxBackend
from greylag.sandboxes import bubblewrap, none


@pytest.fixture(scope="session")
def sandboxed() -> SandboxBackend:
    return bubblewrap.Bubblewrap()


@pytest.fixture(scope="session")
def unsandboxed() -> SandboxBackend:
    return none.Unsandboxed()


@pytest.fixture(scope="session", params=["bubblewrap", "none"])
def backend(request: pytest.FixtureRequest, sandboxed: SandboxBackend, unsandboxed: SandboxBackend) -> SandboxBackend:
    return sandboxed if request.param == "bubblewrap" else unsandboxed
