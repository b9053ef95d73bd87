"""A bench with the real sandbox."""

from collections.abc import Callable
from pathlib import Path

import pytest

from greylag.protocols import SandboxBackend
from greylag.testing.verifiers import Bench

MakeBench = Callable[..., Bench]


@pytest.fixture
def bench(tmp_path: Path, backend: SandboxBackend) -> Callable[[dict[str, str]], Bench]:
    """A bench with files on it."""

    def make(files: dict[str, str]) -> Bench:
        return Bench(tmp_path, backend, files)

    return make
