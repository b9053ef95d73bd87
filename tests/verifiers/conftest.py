"""A bench with the real sandbox."""

from collections.abc import Callable
from pathlib import Path

import pytest

from greylag import plugins
from greylag.errors import UserError
from greylag.protocols import SandboxBackend
from greylag.testing.verifiers import Bench

MakeBench = Callable[..., Bench]


@pytest.fixture(scope="session")
def backend() -> SandboxBackend:
    """The real sandbox; skipped where there is none, loudly."""
    made: SandboxBackend = plugins.load("sandboxes", "bubblewrap")
    try:
        made.probe()
    except UserError as error:
        pytest.skip(f"UNPROVEN HERE: {error}")
    return made


@pytest.fixture
def bench(tmp_path: Path, backend: SandboxBackend) -> Callable[[dict[str, str]], Bench]:
    """A bench with files on it."""

    def make(files: dict[str, str]) -> Bench:
        return Bench(tmp_path, backend, files)

    return make
