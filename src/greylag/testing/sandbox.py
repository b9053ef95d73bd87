"""What every sandbox backend must do. `CONTRACT` holds checks; each takes a backend and an empty directory.

    @pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
    def test_contract(check, tmp_path):
        check(MyBackend(), tmp_path)

They need a POSIX shell and a Python inside, nothing else. What isolates is not in here: it cannot hold for `none`.
"""

import os
import socket
import stat
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from greylag.errors import InfraError
from greylag.protocols import Bounds, Command, Completed, Ended, Layers, Sandbox, SandboxBackend, SandboxSpec

_MIB = 1 << 20


def spec(directory: Path, *, lowers: tuple[Path, ...] = (), bounds: Bounds | None = None) -> SandboxSpec:
    """A spec with everything below `directory`, which may hold an earlier one."""
    for name in ("workspace", "home", "scratch"):
        (directory / name).mkdir(exist_ok=True)
    return SandboxSpec(
        profile="verifier",
        workspace=Layers(lowers, directory / "workspace"),
        home=Layers(upper=directory / "home"),
        scratch=directory / "scratch",
        bounds=bounds or Bounds(seconds=60, memory=1024 * _MIB, processes=256, temporary=64 * _MIB),
    )


def shell(script: str) -> tuple[str, ...]:
    """Arguments that run a script."""
    return ("/bin/sh", "-c", script)


def python(code: str) -> tuple[str, ...]:
    """Arguments that run Python code with greylag's interpreter."""
    return ("/bin/sh", "-c", 'exec "$GREYLAG_PYTHON" -I -S -c "$0"', code)


@contextmanager
def echo_server(path: Path) -> Iterator[list[bytes]]:
    """A unix socket that answers in capitals, and what it received."""
    received: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    received.append(client.recv(4096))
                    client.sendall(received[-1].upper())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield received
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def alive(marker: str) -> bool:
    """Whether any process of this machine has `marker` in its arguments (zombies have none)."""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker.encode() in entry.read_bytes() and int(entry.parent.name) != os.getpid():
                return True
        except OSError:
            continue
    return False


def until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Wait for a condition; False when it did not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


# -- results ---------------------------------------------------------------------------------------------------------


def exit_codes_are_told_apart(backend: SandboxBackend, directory: Path) -> None:
    """A failure, a signal, a missing program and a missing permission are data, each with its code."""
    (directory / "plain").write_text("not a program")
    with backend.open(spec(directory)) as sandbox:
        for argv, code in (
            (shell("exit 0"), 0),
            (shell("exit 3"), 3),
            (shell("kill -9 $$"), 137),
            (shell("kill -TERM $$"), 143),
            (("no-such-program", "x"), 127),
            (("/dev/null",), 126),
        ):
            completed = sandbox.run(Command(argv))
            assert (completed.ended, completed.returncode) == (Ended.EXITED, code), (argv, completed)
        assert b"no-such-program" in sandbox.run(Command(("no-such-program",))).output


def streams_are_merged_or_apart(backend: SandboxBackend, directory: Path) -> None:
    """One stream in order, or two; a log has all; lines come without their ends, also the last one."""
    script = shell("echo one; echo two >&2; echo three; printf four")
    lines: list[str] = []
    with backend.open(spec(directory)) as sandbox:
        merged = sandbox.run(Command(script, log=directory / "log", on_line=lines.append))
        apart = sandbox.run(Command(script, merge=False))
    assert merged.output == b"one\ntwo\nthree\nfour"
    assert (directory / "log").read_bytes() == merged.output
    assert lines == ["one", "two", "three", "four"]
    assert (apart.output, apart.errors) == (b"one\nthree\nfour", b"two\n")


def streams_can_be_reopened_by_name(backend: SandboxBackend, directory: Path) -> None:
    """Scripts write to /dev/stderr and read /dev/stdin, whatever uid they run as."""
    with backend.open(spec(directory)) as sandbox:
        completed = sandbox.run(Command(shell("cat /dev/stdin >/dev/stdout; echo x >/dev/stderr"), stdin=b"in\n"))
    assert completed.output == b"in\nx\n"


def standard_input_is_given_or_empty(backend: SandboxBackend, directory: Path) -> None:
    """Nothing waits for a terminal; large input arrives whole."""
    data = b"0123456789abcdef" * 65536
    with backend.open(spec(directory)) as sandbox:
        assert sandbox.run(Command(("cat",))).output == b""
        assert sandbox.run(Command(("wc", "-c"), stdin=data)).output.strip() == str(len(data)).encode()


def large_output_keeps_head_and_tail(backend: SandboxBackend, directory: Path) -> None:
    """Not everything, and it says so; the log has it all; a line may be very long."""
    script = python("import sys\nsys.stdout.write('first ' + 'x' * 12_000_000 + ' last')")
    with backend.open(spec(directory)) as sandbox:
        completed = sandbox.run(Command(script, log=directory / "log"))
    assert completed.truncated
    assert completed.output.startswith(b"first ")
    assert completed.output.endswith(b" last")
    assert len(completed.output) < 6 * _MIB
    assert (directory / "log").stat().st_size == 12_000_011


def bytes_are_not_text(backend: SandboxBackend, directory: Path) -> None:
    """Output that is no UTF-8 arrives as it is; lines replace what cannot be decoded."""
    lines: list[str] = []
    with backend.open(spec(directory)) as sandbox:
        completed = sandbox.run(Command(shell(r"printf 'a\377\000b\r\nc'"), on_line=lines.append))
    assert completed.output == b"a\xff\x00b\r\nc"
    assert lines == ["a\ufffd\x00b", "c"]


def a_callback_that_raises_ends_the_command(backend: SandboxBackend, directory: Path) -> None:
    """The caller sees its own exception, and nothing goes on running."""
    marker = uuid.uuid4().hex

    def refuse(line: str) -> None:
        raise RuntimeError(line)

    with backend.open(spec(directory)) as sandbox:
        told = ""
        try:
            sandbox.run(Command(shell(f"echo stop; exec sleep 300 # {marker}"), on_line=refuse))
        except RuntimeError as error:
            told = str(error)
        assert told == "stop"
        assert until(lambda: not alive(marker))


# -- what is inside --------------------------------------------------------------------------------------------------


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


# -- limits and ends -------------------------------------------------------------------------------------------------


def time_is_bounded(backend: SandboxBackend, directory: Path) -> None:
    """A command that ignores signals and hides its children ends as well."""
    marker = uuid.uuid4().hex
    script = f"trap '' TERM INT HUP; setsid sleep 300.{int(marker[:6], 16)} & echo started; wait # {marker}"
    with backend.open(spec(directory)) as sandbox:
        completed = sandbox.run(Command(shell(script), seconds=1.0))
        assert (completed.ended, completed.returncode) == (Ended.TIMED_OUT, 137), completed
        assert completed.output == b"started\n"
        assert not alive(marker)
        assert not alive(f"300.{int(marker[:6], 16)}")


def output_is_bounded(backend: SandboxBackend, directory: Path) -> None:
    """The log holds no more than the bound either."""
    with backend.open(spec(directory, bounds=Bounds(seconds=60, output=_MIB))) as sandbox:
        completed = sandbox.run(Command(shell("while :; do echo 0123456789; done"), log=directory / "log"))
    assert completed.ended is Ended.OUTPUT_CAPPED
    assert (directory / "log").stat().st_size == _MIB


def memory_is_bounded_and_named(backend: SandboxBackend, directory: Path) -> None:
    """Out of memory is neither a failure nor a success of the command, also when a child was hit."""
    states = {guarantee.name: guarantee.state for guarantee in backend.probe()}
    hog = python("data = bytearray(400 << 20)\nprint(len(data))")
    bounds = Bounds(seconds=60, memory=150 * _MIB)
    with backend.open(spec(directory, bounds=bounds)) as sandbox:
        direct = sandbox.run(Command(hog))
        by_child = sandbox.run(Command(("/bin/sh", "-c", '"$@" || exit 1', "sh", *hog)))
        after = sandbox.run(Command(("true",)))
    if states["memory"] == "enforced":
        assert direct.ended is Ended.OUT_OF_MEMORY, direct
        assert by_child.ended is Ended.OUT_OF_MEMORY, by_child
    elif states["memory"] == "weak":
        assert direct.returncode != 0
    assert (after.ended, after.returncode) == (Ended.EXITED, 0)


def processes_are_bounded(backend: SandboxBackend, directory: Path) -> None:
    """A fork bomb meets a wall and is cleared away."""
    states = {guarantee.name: guarantee.state for guarantee in backend.probe()}
    bomb = python(
        "import os, time\nn = 0\ntry:\n    while n < 200:\n        if os.fork() == 0:\n"
        "            time.sleep(300)\n        n += 1\nexcept BlockingIOError:\n    pass\nprint(n)"
    )
    with backend.open(spec(directory, bounds=Bounds(seconds=60, processes=60))) as sandbox:
        completed = sandbox.run(Command(bomb))
    if states["processes"] == "enforced":
        assert 10 < int(completed.output) < 60, completed


def kill_ends_commands_at_once(backend: SandboxBackend, directory: Path) -> None:
    """From another thread; the result says so; the sandbox can go on."""
    marker = uuid.uuid4().hex
    results: list[Completed] = []
    with backend.open(spec(directory)) as sandbox:
        command = Command(shell(f"echo here; sleep 300; : {marker}"))
        threads = [threading.Thread(target=lambda: results.append(sandbox.run(command))) for _ in range(2)]
        for thread in threads:
            thread.start()
        assert until(lambda: _count(marker) >= len(threads))
        sandbox.kill()
        for thread in threads:
            thread.join(20)
        assert [(each.ended, each.returncode) for each in results] == [(Ended.KILLED, 137)] * 2
        assert not alive(marker)
        assert sandbox.run(Command(("true",))).returncode == 0


def _count(marker: str) -> int:
    found = 0
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            data = entry.read_bytes()
        except OSError:
            continue
        found += data.startswith(b"/bin/sh\0-c\0") and marker.encode() in data
    return found


def nothing_outlives_a_command(backend: SandboxBackend, directory: Path) -> None:
    """Not a background process, not a session leader, not an orphan of a double fork."""
    number = f"300.{uuid.uuid4().int % 10**9}"
    script = f"sleep {number} & setsid sleep {number} & (setsid sh -c 'sleep {number} & sleep {number}' &) ; echo done"
    with backend.open(spec(directory)) as sandbox:
        completed = sandbox.run(Command(shell(script)))
        assert (completed.returncode, completed.output) == (0, b"done\n")
        assert not alive(number)


def closing_kills_and_refuses(backend: SandboxBackend, directory: Path) -> None:
    """The context's end ends what another thread runs; later commands are refused."""
    marker = uuid.uuid4().hex
    results: list[Completed] = []
    with backend.open(spec(directory)) as sandbox:
        command = Command(shell(f"sleep 300; : {marker}"))
        thread = threading.Thread(target=lambda: results.append(sandbox.run(command)))
        thread.start()
        assert until(lambda: _count(marker) > 0)
    thread.join(20)
    assert [each.ended for each in results] == [Ended.KILLED]
    assert not alive(marker)
    _refused(sandbox)


def _refused(sandbox: Sandbox) -> None:
    try:
        sandbox.run(Command(("true",)))
    except InfraError:
        return
    raise AssertionError("a closed sandbox ran a command")


def commands_run_at_the_same_time(backend: SandboxBackend, directory: Path) -> None:
    """Several threads, one workspace, no result mixed up."""
    results: dict[int, bytes] = {}
    (directory / "low").mkdir(mode=0o777)
    with backend.open(spec(directory, lowers=(directory / "low",))) as sandbox:

        def work(number: int) -> None:
            results[number] = sandbox.run(Command(shell(f"echo {number} > f{number}; cat f{number}"))).output

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == {number: f"{number}\n".encode() for number in range(6)}
    assert sorted(path.name for path in (directory / "workspace").iterdir()) == [f"f{n}" for n in range(6)]


CONTRACT: tuple[Callable[[SandboxBackend, Path], None], ...] = (
    exit_codes_are_told_apart,
    streams_are_merged_or_apart,
    streams_can_be_reopened_by_name,
    standard_input_is_given_or_empty,
    large_output_keeps_head_and_tail,
    bytes_are_not_text,
    a_callback_that_raises_ends_the_command,
    marks_are_replaced,
    the_environment_is_what_was_asked_for,
    writes_go_to_the_upper,
    unchanged_files_stay_below,
    the_home_stays_between_commands,
    commands_run_in_their_directory,
    sockets_and_forwards_reach_the_host,
    time_is_bounded,
    output_is_bounded,
    memory_is_bounded_and_named,
    processes_are_bounded,
    kill_ends_commands_at_once,
    nothing_outlives_a_command,
    closing_kills_and_refuses,
    commands_run_at_the_same_time,
)
