"""Checks of limits, and of the end of a command and of all that it started."""

import signal
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from greylag.errors import InfraError
from greylag.protocols import Bounds, Command, Completed, Ended, Sandbox, SandboxBackend
from greylag.testing.sandbox.helpers import Sleepers, alive, python, shell, spec, until

_MIB = 1 << 20


def time_is_bounded(backend: SandboxBackend, directory: Path) -> None:
    """A command that ignores signals and hides its children ends as well."""
    tree = Sleepers()
    with backend.open(spec(directory)) as sandbox:
        completed = sandbox.run(Command(tree.argv, seconds=1.0))
        assert (completed.ended, completed.returncode) == (Ended.TIMED_OUT, 137), completed
        assert completed.output == b"started\n"
        assert not tree.alive()


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


def a_callback_that_raises_ends_the_command(backend: SandboxBackend, directory: Path) -> None:
    """The caller sees its own exception once nothing is left running, and the sandbox can go on."""
    tree = Sleepers()

    def refuse(line: str) -> None:
        raise RuntimeError(f"{line} {tree.alive()}")

    with backend.open(spec(directory)) as sandbox:
        told = ""
        try:
            sandbox.run(Command(tree.argv, on_line=refuse))
        except RuntimeError as error:
            told = str(error)
        assert told == "started True"
        assert not tree.alive()
        assert sandbox.run(Command(("true",))).returncode == 0


def an_interrupt_ends_the_command(backend: SandboxBackend, directory: Path) -> None:
    """Ctrl-C reaches the caller once nothing is left running. To be called in the main thread."""
    tree = Sleepers()

    def interrupt(_line: str) -> None:
        assert tree.alive()
        threading.Thread(target=signal.pthread_kill, args=(threading.main_thread().ident, signal.SIGINT)).start()

    with backend.open(spec(directory)) as sandbox:
        try:
            sandbox.run(Command(tree.argv, on_line=interrupt))
        except KeyboardInterrupt:
            assert not tree.alive()
        else:
            raise AssertionError("the interrupt was swallowed")
        assert sandbox.run(Command(("true",))).returncode == 0


def kill_ends_commands_at_once(backend: SandboxBackend, directory: Path) -> None:
    """From another thread; the result says so; the sandbox can go on."""
    trees = [Sleepers(), Sleepers()]
    with backend.open(spec(directory)) as sandbox, _running(sandbox, *trees) as results:
        sandbox.kill()
        assert until(lambda: len(results) == len(trees))
        assert not [tree for tree in trees if tree.alive()]
        assert sandbox.run(Command(("true",))).returncode == 0
    assert [(each.ended, each.returncode) for each in results] == [(Ended.KILLED, 137)] * 2


@contextmanager
def _running(sandbox: Sandbox, *trees: Sleepers) -> Iterator[list[Completed]]:
    """The commands run, each in a thread, once this is entered; their results come in later."""
    results: list[Completed] = []
    started = threading.Semaphore(0)

    def run(tree: Sleepers) -> None:
        results.append(sandbox.run(Command(tree.argv, on_line=lambda _line: started.release())))

    threads = [threading.Thread(target=run, args=(tree,)) for tree in trees]
    for thread in threads:
        thread.start()
    assert all(started.acquire(timeout=20) for _ in trees)
    assert all(tree.alive() for tree in trees)
    yield results
    for thread in threads:
        thread.join(20)


def nothing_outlives_a_command(backend: SandboxBackend, directory: Path) -> None:
    """Not a background process, not a session leader, not an orphan of a double fork."""
    number = f"300.{uuid.uuid4().int % 10**9}"
    script = f"sleep {number} & setsid sleep {number} & (setsid sh -c 'sleep {number} & sleep {number}' &) ; echo done"
    with backend.open(spec(directory)) as sandbox:
        completed = sandbox.run(Command(shell(script)))
        assert (completed.returncode, completed.output) == (0, b"done\n")
        assert not alive(number)


def closing_kills_and_refuses(backend: SandboxBackend, directory: Path) -> None:
    """When the context has ended, so has what another thread ran; later commands are refused."""
    tree = Sleepers()
    with ExitStack() as threads:
        with backend.open(spec(directory)) as sandbox:
            results = threads.enter_context(_running(sandbox, tree))
        assert not tree.alive()
        _refused(sandbox)
    assert [each.ended for each in results] == [Ended.KILLED]


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
