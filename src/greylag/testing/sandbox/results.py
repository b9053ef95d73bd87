"""Checks of how a command ended and what it printed."""

from pathlib import Path

from greylag.protocols import Bounds, Command, Ended, SandboxBackend
from greylag.testing.sandbox.helpers import python, shell, spec

_MIB = 1 << 20


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


def an_answer_comes_apart_from_the_output(backend: SandboxBackend, directory: Path) -> None:
    """Only for who asks for one, and bounded as the output is."""
    script, endless = 'echo said; echo answered > "$0"', 'while :; do echo 0123456789; done > "$0"'
    refused = ""
    with backend.open(spec(directory, bounds=Bounds(seconds=60, output=_MIB))) as sandbox:
        completed = sandbox.run(Command((*shell(script), "@answer@"), answer=True))
        large = sandbox.run(Command((*shell(endless), "@answer@"), answer=True))
        silent = sandbox.run(Command(("true",), answer=True))
        try:
            sandbox.run(Command((*shell(script), "@answer@")))
        except ValueError as error:
            refused = str(error)
    assert (completed.output, completed.answer, completed.returncode) == (b"said\n", b"answered\n", 0)
    assert large.ended is Ended.OUTPUT_CAPPED
    assert silent.answer == b""
    assert "@answer@" in refused
