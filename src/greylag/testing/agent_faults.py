"""What an agent must bear: a service that refuses, breaks off or is gone, and its own end. See `greylag.testing.agent`.

`CONTRACT` is for every agent that asks a model, `CLIENT` for one whose client runs whole inside the sandbox. Of an
agent without a model, `is_killed_cleanly` and `greylag.testing.agent.ends_at_its_time_limit` are true as well.
"""

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from greylag.errors import AgentError, InfraError, UserError
from greylag.model import Limits, Session, StopReason
from greylag.testing.agent import Bench, Step, Trial, raised, trial

_OVERTIME = 20.0  # seconds that an end may take on a busy machine


def blames_a_refused_key_on_the_user(bench: Bench) -> None:
    """HTTP 401."""
    with trial(bench, [{"status": 401}] * 20) as tried:
        assert "\n" not in raised(UserError, tried.run)


def blames_an_outage_on_the_service(bench: Bench) -> None:
    """HTTP 529 and 429 that last."""
    for status in (529, 429):
        with trial(replace(bench, directory=bench.directory / str(status)), [{"status": status}] * 20) as tried:
            assert "\n" not in raised(InfraError, tried.run)


def does_not_wait_for_hours(bench: Bench) -> None:
    """A service that wants it to come back in an hour does not answer: nobody waits, however long a session may be."""
    later: Step = {"status": 429, "headers": {"retry-after": "3600"}}
    with trial(bench, [later] * 20) as tried:
        begun = time.monotonic()
        assert "429" in raised(InfraError, partial(tried.run, limits=Limits(seconds=1000.0)))
        assert time.monotonic() - begun < 2 * _OVERTIME


def takes_no_answer_for_no_word(bench: Bench) -> None:
    """A model that says nothing has not said that there is nothing to do."""
    with trial(bench, [{"text": ""}] * 20) as tried:
        try:
            assert tried.run().text == ""
        except AgentError as error:
            assert "\n" not in str(error)  # noqa: PT017 - that is as good


def survives_nonsense(bench: Bench) -> None:
    """Bytes that are no answer are a failure of the service, which is named."""
    for number, raw in enumerate(("data: {nonsense\n\n", "<html>Welcome</html>", "")):
        _fails_by_name(replace(bench, directory=bench.directory / str(number)), {"raw": raw})


def survives_silence(bench: Bench) -> None:
    """So is a connection that is closed at once, or in the middle of an answer."""
    for number, part in enumerate((0, 0.5)):
        _fails_by_name(replace(bench, directory=bench.directory / str(number)), {"text": "No more", "cut": part})


def _fails_by_name(bench: Bench, step: Step) -> None:
    with trial(bench, [step] * 20) as tried:
        assert tried.model.url.removeprefix("http://") in raised(InfraError, tried.run)


def asks_again_after_an_answer_that_broke_off(bench: Bench) -> None:
    """Once is nothing that a person need know of."""
    with trial(bench, [{"text": "Half of an answ", "cut": 0.5}, {"text": "Done."}]) as tried:
        session = tried.run()
        assert (session.stop, session.text) == (StopReason.COMPLETED, "Done.")


def notices_a_lost_network(bench: Bench) -> None:
    """A service that is gone in the middle of the session is a failure of the service, which is named."""
    with trial(bench, [{"tools": [bench.verify]}, {"lost": True}]) as tried:
        assert tried.model.url.removeprefix("http://") in raised(InfraError, tried.run)
        assert tried.model.left == 0


CONTRACT = (
    blames_a_refused_key_on_the_user,
    blames_an_outage_on_the_service,
    does_not_wait_for_hours,
    takes_no_answer_for_no_word,
    survives_nonsense,
    survives_silence,
    asks_again_after_an_answer_that_broke_off,
    notices_a_lost_network,
)


# -- the end of a client ---------------------------------------------------------------------------------------------


def is_killed_cleanly(bench: Bench) -> None:
    """Killing the sandbox ends the session; no process of it is left."""
    with trial(bench, [{"hang": True}]) as tried:
        assert _meanwhile(tried, tried.sandbox.kill).stop is StopReason.KILLED


def is_missed_when_its_program_is_killed(bench: Bench) -> None:
    """Something else, such as the kernel out of memory, kills the client alone: the agent failed, in one line."""
    assert bench.program, "name what the client's process is known by"

    def kill() -> None:
        for pid in _below(os.getpid()):
            with suppress(OSError):  # it ended meanwhile
                words = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")[:2]
                if any(bench.program in word for word in words):
                    os.kill(pid, signal.SIGKILL)

    with trial(bench, [{"hang": True}]) as tried:
        assert "\n" not in raised(AgentError, lambda: _meanwhile(tried, kill))


def fails_early_without_verify(bench: Bench) -> None:
    """A client that has no tool `verify` is ended at once, not after the turns that it would take."""
    assert bench.crippled, "say how the agent is built without a way to `verify`"
    with trial(replace(bench, make=bench.crippled), [{"hang": True}]) as tried:
        raised(AgentError, tried.run)  # although no answer of the model ever comes


CLIENT = (is_killed_cleanly, is_missed_when_its_program_is_killed, fails_early_without_verify)


def _meanwhile(tried: Trial, act: Callable[[], None]) -> Session:
    """A session, and something that happens in the middle of it."""

    def wait_and_act() -> None:
        while not (tried.model.hanging.wait(0.1) or tried.kinds("agent.tool")):
            pass
        act()

    actor = threading.Thread(target=wait_and_act, daemon=True)
    actor.start()
    try:
        return tried.run("A prompt.")
    finally:
        actor.join(_OVERTIME)


def dies_with_greylag(argv: Sequence[str], marker: str) -> None:
    """A program that runs a session and prints a line in the middle of it: when it is killed, nothing is left.

    Its processes are known by the marker in their command lines.
    """
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout
            assert program.stdout.readline()
            left = _with_marker(marker)
            assert len(left) > 1, "no process of the session bears the marker"
        finally:
            program.kill()
    for descriptor in left.values():
        assert select.select([descriptor], [], [], 30)[0], "a process of the session outlived greylag"
        os.close(descriptor)
    assert _with_marker(marker) == {}


def _with_marker(marker: str) -> dict[int, int]:
    """Processes that bear the marker, with descriptors that tell of their end."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile
            if marker.encode() in (entry / "cmdline").read_bytes():
                found[int(entry.name)] = os.pidfd_open(int(entry.name))
    return found


def _below(top: int) -> set[int]:
    """Processes that this one has started, and theirs."""
    parents = dict[int, int]()
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(entry.name)] = int((entry / "stat").read_bytes().rpartition(b")")[2].split()[1])
    found, new = set[int](), {top}
    while new := {pid for pid, parent in parents.items() if parent in new}:
        found |= new
    return found
