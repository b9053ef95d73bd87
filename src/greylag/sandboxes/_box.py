"""One open sandbox of any kind: commands in, results out."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Protocol

from greylag.protocols import Command, Completed, Ended, SandboxSpec
from greylag.sandboxes import _command
from greylag.sandboxes._cgroup import Group
from greylag.sandboxes._jobs import Jobs
from greylag.sandboxes._process import Launch, Ran, execute
from greylag.sandboxes._streams import enough_files

_KILLED = 137


class Room(Protocol):
    """What a kind of sandbox knows of one that is open."""

    @property
    def name(self) -> str:
        """Name in settings and records."""
        ...

    @property
    def layered(self) -> bool:
        """Whether an upper layer holds only what differs from the lowers."""
        ...

    @property
    def spec(self) -> SandboxSpec:
        """What was asked for."""
        ...

    def launch(self, command: Command, join: Sequence[str], stack: ExitStack) -> Launch:
        """How to start a command in the control groups `join`; the stack holds what lives as long as it."""
        ...

    def unstarted(self, ran: Ran, command: Command) -> Completed:
        """The result of a process that told no exit code: a program that is not there; raises for all else."""
        ...


class Box:
    """The `Sandbox` of both kinds. `group` bounds all commands; each gets a child of it."""

    def __init__(self, room: Room, group: Group | None) -> None:
        self.name, self.layered, self.platform = room.name, room.layered, _command.here()
        self._room, self._group = room, group
        self._jobs = Jobs()

    def run(self, command: Command) -> Completed:
        """Run one command to its end; see `greylag.protocols.Sandbox`."""
        _command.check(command)
        with enough_files(), ExitStack() as stack:
            job = stack.enter_context(self._jobs.one())
            group = self._group.child() if self._group else None
            if group:
                stack.callback(group.remove)
            launch = self._room.launch(command, group.join if group else (), stack)
            ran = execute(launch, command, self._room.spec.bounds, job)
            return self._judge(ran, job.reason, group, command)

    def kill(self) -> None:
        """End every command now, from any thread. Later ones may run."""
        self._jobs.kill()

    def close(self) -> None:
        """Kill, accept no more, wait until nothing is left."""
        self._jobs.close()

    def _judge(self, ran: Ran, reason: Ended | None, group: Group | None, command: Command) -> Completed:
        """A result, or the error of a sandbox that broke: only the status channel says that the command ran."""
        code = ran.status.get("exit-code")
        if reason is not None:
            return ran.completed(reason, _KILLED)
        if code != 0 and group and group.oom_kills():
            return ran.completed(Ended.OUT_OF_MEMORY, code if isinstance(code, int) else _KILLED)
        if isinstance(code, int):
            return replace(ran.completed(Ended.EXITED, code), memory_told=group is not None)
        return self._room.unstarted(ran, command)
