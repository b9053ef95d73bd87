"""A command starts with the signals that a program expects: Python ignores some, and they would be inherited."""

import socket
from pathlib import Path

import pytest

from greylag.protocols import Command, Layers, SandboxBackend, SandboxSpec

pytestmark = pytest.mark.toolchain("bwrap")


@pytest.mark.parametrize("forwards", [(), ("service",)], ids=["alone", "behind the relay"])
def test_a_closed_pipe_ends_a_program_without_a_word(
    backend: SandboxBackend, tmp_path: Path, forwards: tuple[str, ...]
) -> None:
    for name in ("workspace", "home", "scratch"):
        (tmp_path / name).mkdir()
    spec = SandboxSpec(
        "agent", Layers(upper=tmp_path / "workspace"), Layers(upper=tmp_path / "home"), tmp_path / "scratch"
    )
    with socket.socket(socket.AF_UNIX) as service:
        service.bind(str(tmp_path / "service"))
        sockets = {name: tmp_path / name for name in forwards}
        with backend.open(spec) as sandbox:
            command = Command(("sh", "-c", "yes | head -n 1"), sockets=sockets, forwards=forwards)
            done = sandbox.run(command)
    assert (done.returncode, done.output) == (0, b"y\n")
