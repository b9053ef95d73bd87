"""Checks of what a command finds around it."""

import os
import stat
import uuid
from pathlib import Path

from greylag.errors import InfraError
from greylag.protocols import Command, SandboxBackend, SandboxSpec
from greylag.testing.sandbox.helpers import echo_server, python, shell, spec


def marks_are_replaced(backend: SandboxBackend, directory: Path) -> None:
    """In arguments, environment and files; files are there, readable and not writable."""
    command = Command(
        shell('cd "$1" && pwd && cat "$0" && echo "$WHERE" && . "$0.sh"'.replace("$1", "@home@")),
        env={"WHERE": "@workspace@/x"},
        files={"a": "home is @home@\n", "a.sh": "echo sourced\n"},
    )
    command = Command((*command.argv, "@files@/a"), env=command.env, files=command.files)
    with backend.open(spec(directory)) as sandbox:
        lines = sandbox.run(command).output.decode().splitlines()
        mode = sandbox.run(Command(("stat", "-c", "%a", "@files@/a"), files={"a": ""})).output
    assert lines[1] == f"home is {lines[0]}"
    assert lines[2].endswith("/x")
    assert lines[3:] == ["sourced"]
    assert not int(mode, 8) & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)


def marks_in_words_of_others_stay(backend: SandboxBackend, directory: Path) -> None:
    """A prompt or a program of a user's may hold what looks like a mark."""
    argv = (*shell('cat "$WHERE/prompt" && echo "$0"'), "@home@ @port:x@")
    command = Command(argv, env={"WHERE": "@files@"}, files={"prompt": "use @workspace@, @port:y@\n"}, verbatim=True)
    with backend.open(spec(directory)) as sandbox:
        assert sandbox.run(command).output.decode() == "use @workspace@, @port:y@\n@home@ @port:x@\n"


def the_environment_is_what_was_asked_for(backend: SandboxBackend, directory: Path) -> None:
    """Nothing of the caller's; the command's own variables win over the sandbox's."""
    os.environ["GREYLAG_CONTRACT_SECRET"] = secret = uuid.uuid4().hex
    try:
        given = spec(directory)
        given = SandboxSpec(given.profile, given.workspace, given.home, given.scratch, env={"A": "spec", "B": "spec"})
        with backend.open(given) as sandbox:
            seen = sandbox.run(Command(("env",), env={"B": "command"})).output.decode().splitlines()
    finally:
        del os.environ["GREYLAG_CONTRACT_SECRET"]
    assert not [line for line in seen if secret in line]
    assert {"A=spec", "B=command", "LANG=C.UTF-8", "TERM=dumb"} <= set(seen)
    assert {line.partition("=")[0] for line in seen} >= {"HOME", "PATH", "TMPDIR", "USER", "GREYLAG_PYTHON"}


def writes_go_to_the_upper(backend: SandboxBackend, directory: Path) -> None:
    """Lowers come together, the first on top; they stay as they were; commands see what earlier ones wrote."""
    low, high = directory / "low", directory / "high"
    for path, text in ((low / "sub/both", "low"), (low / "gone", "low"), (high / "sub/both", "high")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for path in (low, high, *low.rglob("*"), *high.rglob("*")):
        path.chmod(0o777)
    given = spec(directory, lowers=(high, low))
    with backend.open(given) as sandbox:
        first = sandbox.run(
            Command(shell("cat sub/both gone && rm gone && echo new > sub/new && echo changed > sub/both"))
        )
        second = sandbox.run(Command(shell("ls . sub; cat sub/both")))
        layered = sandbox.layered
    with backend.open(given) as sandbox:
        third = sandbox.run(Command(shell("ls . sub; cat sub/both")))
    assert first.output == b"highlow"
    assert second.output == third.output == b".:\nsub\n\nsub:\nboth\nnew\nchanged\n"
    assert (low / "gone").read_text() == "low"
    assert (high / "sub/both").read_text() == "high"
    assert (directory / "workspace/sub/new").read_text() == "new\n"
    assert (directory / "workspace/sub/new").lstat().st_uid == backend.owner
    leftovers = {path.name for path in directory.iterdir()} - {"low", "high", "workspace", "home", "scratch"}
    assert leftovers <= (set() if layered else {".workspace.flattened"})


def unchanged_files_stay_below(backend: SandboxBackend, directory: Path) -> None:
    """`layered` tells the truth: then, and only then, the upper holds nothing but differences."""
    (directory / "low").mkdir()
    (directory / "low/same").write_text("same")
    with backend.open(spec(directory, lowers=(directory / "low",))) as sandbox:
        assert sandbox.run(Command(("cat", "same"))).output == b"same"
        layered = sandbox.layered
    assert (directory / "workspace/same").exists() is not layered


def the_home_stays_between_commands(backend: SandboxBackend, directory: Path) -> None:
    """Caches need a home that can be written."""
    with backend.open(spec(directory)) as sandbox:
        sandbox.run(Command(shell("mkdir -p ~/.cache && echo kept > ~/.cache/x")))
        assert sandbox.run(Command(shell("cat ~/.cache/x"))).output == b"kept\n"
    assert (directory / "home/.cache/x").read_text() == "kept\n"


def commands_run_in_their_directory(backend: SandboxBackend, directory: Path) -> None:
    """Relative to the workspace, never outside; a missing one is not the command's failure."""
    (directory / "workspace/a b").mkdir(parents=True)
    with backend.open(spec(directory)) as sandbox:
        assert sandbox.run(Command(shell('basename "$PWD"'), cwd="a b")).output == b"a b\n"
        for cwd, error in (("..", ValueError), ("/", ValueError), ("a/../../x", ValueError), ("missing", InfraError)):
            try:
                sandbox.run(Command(("true",), cwd=cwd))
            except error:
                continue
            raise AssertionError(f"{cwd} was accepted")


def sockets_and_forwards_reach_the_host(backend: SandboxBackend, directory: Path) -> None:
    """By path and by port; the port's command keeps its exit code and its signals."""
    by_path = python(
        "import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.connect('@sockets@/echo')\n"
        "s.sendall(b'path')\nprint(s.recv(99).decode())"
    )
    by_port = python(
        "import socket,sys\ns=socket.create_connection(('127.0.0.1',@port:echo@))\n"
        "s.sendall(b'port')\nprint(s.recv(99).decode())\nsys.exit(5)"
    )
    way = directory / "s"
    with echo_server(way) as received, backend.open(spec(directory)) as sandbox:
        first = sandbox.run(Command(by_path, sockets={"echo": way}))
        second = sandbox.run(Command(by_port, sockets={"echo": way}, forwards=("echo",)))
        shared = sandbox.run(Command(by_port, sockets={"echo": way}, forwards=("echo",), host_network=True))
        died = sandbox.run(Command(shell("kill -9 $$"), sockets={"echo": way}, forwards=("echo",)))
        absent = sandbox.run(Command(("no-such",), sockets={"echo": way}, forwards=("echo",)))
    assert first.output == b"PATH\n", first
    assert (second.output, second.returncode) == (b"PORT\n", 5), second
    assert (shared.output, shared.returncode) == (b"PORT\n", 5), shared
    assert (died.returncode, absent.returncode) == (137, 127)
    assert received == [b"path", b"port", b"port"]
