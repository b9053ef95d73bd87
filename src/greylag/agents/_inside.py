"""The host's side of the file tools: every path is opened in the sandbox, by `_files.py`, never here."""

import json
from importlib.resources import files
from typing import Any

from greylag.errors import AgentError, InfraError
from greylag.protocols import Command, Completed, Ended, Sandbox
from greylag.text import one_line

_SOURCE = (files("greylag.agents") / "_files.py").read_text(encoding="utf-8")
_SECONDS = 120.0


class Refused(Exception):  # noqa: N818 - it says what the agent should do instead; it is no error of ours
    """A tool did nothing, and says why."""


class Killed(Exception):  # noqa: N818 - somebody ended the sandbox on purpose
    """The sandbox was killed while a tool ran."""


def files_tool(sandbox: Sandbox, op: str, *, seconds: float = _SECONDS, **arguments: Any) -> bytes:
    """Answer of one operation of `_files.py` on the workspace; untrusted text.

    Raises `Refused`, `Killed`, and `InfraError` when the tool could not be run at all.
    """
    stdin = json.dumps({"op": op, **arguments}).encode()
    argv = ("python3", "-I", "-S", "@files@/files.py")
    command = Command(argv, stdin=stdin, files={"files.py": _SOURCE}, seconds=min(seconds, _SECONDS), merge=False)
    done = run(sandbox, command)
    if done.ended is not Ended.EXITED:
        raise Refused(f"ended early: {done.ended.value}")
    if done.returncode == 1 and done.output:
        raise Refused(done.output.decode("utf-8", "replace"))
    if done.returncode:
        last = one_line((done.errors or done.output)[-2000:])
        raise InfraError(f"file tools cannot run in the sandbox `{sandbox.name}` ({done.returncode}): {last}")
    return done.output


def run(sandbox: Sandbox, command: Command) -> Completed:
    """Run a command of an agent. Raises `Killed` when the sandbox was ended under it."""
    done = sandbox.run(command)
    if done.ended is Ended.KILLED:
        raise Killed
    return done


def failed(done: Completed, what: str) -> AgentError:
    """The error for a program that was the agent, and failed: its last lines, in one."""
    lines = [line for line in done.output.decode("utf-8", "replace").splitlines() if line.strip()]
    how = f"exit code {done.returncode}" if done.ended is Ended.EXITED else done.ended.value
    return AgentError(f"{what} failed ({how}): {one_line(' | '.join(lines[-3:])) or 'it printed nothing'}")
