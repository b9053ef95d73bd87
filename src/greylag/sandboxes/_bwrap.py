"""An open bubblewrap sandbox, and how each of its commands is started: arguments, descriptors, the launcher's plan."""

import contextlib
import itertools
import json
import os
import re
import resource
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from greylag.errors import InfraError
from greylag.protocols import Command, Completed, Ended, SandboxSpec
from greylag.sandboxes import _command, _layers, _profile, _relay, _remedies
from greylag.sandboxes._forks import Forked
from greylag.sandboxes._keeper import Keeper
from greylag.sandboxes._process import Launch, Ran
from greylag.sandboxes._streams import Pipe, spool
from greylag.sandboxes._toolchains import Tools

_FIRST_PORT = 18080
_NOT_STARTED = re.compile(rb"bwrap: execvp (?P<name>.+): (?P<why>[^:\n]+)\n?\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Machine:
    """What all sandboxes of a backend share. `uid` is what root becomes, None for an ordinary user."""

    program: str
    features: frozenset[str]
    filter: bytes
    tools: Tools
    uid: int | None


@dataclass(frozen=True, slots=True)
class Mounted:
    """What the keeper has prepared: mounts by where bubblewrap finds them."""

    keeper: Keeper
    mounts: tuple[_profile.Mount, ...]


@dataclass(frozen=True, slots=True)
class Room:
    """An open sandbox. Every command has its own namespaces, /tmp and /dev/shm; workspace and home stay."""

    machine: Machine
    mounted: Mounted
    spec: SandboxSpec
    layered: bool
    grouped: bool
    name: str = "bubblewrap"
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def launch(self, command: Command, join: Sequence[str], stack: ExitStack) -> Launch:
        """A fork of the keeper, which becomes bubblewrap, which becomes init of the sandbox."""
        self._check_targets()
        start = _Start(self, command, f"{self.mounted.keeper.token}.{next(self.numbers)}", stack)
        plan = {
            "status": start.status_number,
            "cgroups": join,
            "stage": self.mounted.keeper.stage,
            "sockets": start.staged_sockets(),
            "uid": self.machine.uid,
            "rlimits": self._limits(),
            "argv": start.argv(),
        }

        def begin(*streams: int) -> Forked:
            process = self.mounted.keeper.start(plan, [*streams, *start.inherited])
            stack.callback(process.close)
            return process

        return Launch(begin, start.status, self.machine.uid, start.mark, start.answer, start.born)

    @property
    def counted_late(self) -> bool:
        """Whether the bound for processes has to wait until the sandbox has its own count of them.

        An ordinary user's limit would count all that this user runs, and refuse the sandbox itself. (Linux before 5.14
        counts so in any case.)
        """
        return not self.grouped and self.machine.uid is None

    def _limits(self) -> dict[str, int]:
        if self.grouped:
            return {}
        processes = {} if self.counted_late else {"RLIMIT_NPROC": self.spec.bounds.processes}
        return {"RLIMIT_DATA": self.spec.bounds.memory, **processes}

    def _check_targets(self) -> None:
        for bind in self.spec.binds:
            for inside, layers in ((_profile.WORKSPACE, self.spec.workspace), (_profile.HOME, self.spec.home)):
                if Path(bind.target).is_relative_to(inside):
                    _layers.refuse_links(layers, inside, bind.target)

    def unstarted(self, ran: Ran, command: Command) -> Completed:
        """Bubblewrap says in the output that it found no program; anything else is its own failure."""
        said = (ran.output if command.merge else ran.errors).value()
        if "error" not in ran.status and (absent := _NOT_STARTED.search(said)):
            return ran.completed(Ended.EXITED, 127 if absent["why"].startswith(b"No such") else 126)
        if "child-pid" in ran.status and b"bwrap: " not in said:
            raise InfraError("the sandbox ended before its command: something outside has killed it")
        raise _remedies.explain(str(ran.status.get("error") or said.decode("utf-8", "replace")))


class _Start:
    """The arguments and descriptors of one command; the stack closes our side of them."""

    def __init__(self, room: Room, command: Command, mark: str, stack: ExitStack) -> None:
        self._room, self._command, self._stack, self.mark = room, command, stack, mark
        self.status = Pipe()
        stack.callback(self.status.close)
        self.inherited: list[int] = []
        self.status_number = self._number(self.status.write)
        self._block = Pipe() if room.counted_late else None
        if self._block:
            stack.callback(self._block.close)
        self.answer = Pipe(room.machine.uid) if command.answer else None
        answer = ""
        if self.answer:
            stack.callback(self.answer.close)
            answer = f"/dev/fd/{self._number(self.answer.write)}"
        self._listeners = self._listen()
        ports = {name: port for name, (port, _) in self._listeners.items()}
        self._places = _command.Places(
            _profile.WORKSPACE, _profile.HOME, _profile.FILES, _profile.SOCKETS, ports, answer
        )  # fmt: skip

    def _number(self, descriptor: int) -> int:
        """What `descriptor` will be in bubblewrap, behind the standard streams."""
        self.inherited.append(descriptor)
        return len(self.inherited) + 2

    def spool(self, data: bytes) -> int:
        """The number of a descriptor from which bubblewrap reads `data`."""
        descriptor = spool(data)
        self._stack.callback(os.close, descriptor)
        return self._number(descriptor)

    def born(self, child: int) -> None:
        """Set the bound for processes, and let the sandbox go on."""
        if self._block:
            with contextlib.suppress(ProcessLookupError):
                hard = resource.prlimit(child, resource.RLIMIT_NPROC)[1]
                bound = self._room.spec.bounds.processes
                bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
                resource.prlimit(child, resource.RLIMIT_NPROC, (bound, bound))
            os.write(self._block.write, b".")

    def staged_sockets(self) -> list[tuple[str, str]]:
        """As root, sockets may lie where the sandbox's uid cannot go: the launcher binds them on the stage."""
        uid = self._room.machine.uid
        if uid is None:
            return []
        for path in self._command.sockets.values():
            os.chown(path, uid, -1, follow_symlinks=False)
        return [(name, str(path)) for name, path in self._command.sockets.items()]

    def argv(self) -> list[str]:
        """bubblewrap; its options, which show in /proc/1/cmdline inside, are behind a descriptor, but for its mark."""
        options = "\0".join(self._options()).encode("utf-8", "surrogateescape")
        program = self._places.words(self._command)
        mark = ("--setenv", "GREYLAG_SANDBOX", self.mark)
        return [self._room.machine.program, *mark, "--args", str(self.spool(options)), "--", *self._relay(), *program]

    def _options(self) -> list[str]:
        machine, mounted = self._room.machine, self._room.mounted
        command, spec = self._command, self._room.spec
        env = {**_profile.environment(machine.tools), **spec.env, **command.env}
        return [
            *_profile.namespaces(host_network=command.host_network, features=machine.features),
            *_profile.system(),
            *_profile.own_file_systems(spec.bounds.temporary),
            *_profile.mounts(mounted.mounts),
            *_profile.links(machine.tools),
            *_profile.masks(machine.tools, self.spool),
            *self._files(),
            *self._sockets(),
            *("--json-status-fd", str(self.status_number), "--seccomp", str(self.spool(machine.filter))),
            *(("--block-fd", str(self._number(self._block.read))) if self._block else ()),
            *_profile.setenv(self._places.fill_all(env)),
            *("--chdir", os.path.normpath(f"{_profile.WORKSPACE}/{command.cwd}")),
            *("--remount-ro", "/"),
        ]

    def _files(self) -> list[str]:
        texts = {**_profile.ETC_FILES, **_profile.network_files(host_network=self._command.host_network)}
        own = self._places.texts(self._command)
        texts |= {f"{_profile.FILES}/{name}": text for name, text in own.items()}
        if self._listeners:
            texts[_profile.RELAY] = Path(_relay.__file__).read_text()
        words: list[str] = []
        for target, text in texts.items():
            descriptor = self.spool(text.encode("utf-8", "surrogateescape"))
            mode = "0555" if target.startswith(_profile.FILES) else "0444"
            words += ["--perms", mode, "--file", str(descriptor), target]
        return words

    def _sockets(self) -> list[str]:
        stage, words = f"{self._room.mounted.keeper.stage}/command", list[str]()
        for name, path in self._command.sockets.items():
            source = str(path) if self._room.machine.uid is None else f"{stage}/{name}"
            words += ["--ro-bind", source, f"{_profile.SOCKETS}/{name}"]
        return words

    def _listen(self) -> dict[str, tuple[int, str]]:
        """Port and how the relay comes by it: in its own network it is free, on the host's we listen for it."""
        if not self._command.host_network:
            return {name: (_FIRST_PORT + i, str(_FIRST_PORT + i)) for i, name in enumerate(self._command.forwards)}
        found = {}
        for name in self._command.forwards:
            server = self._stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            found[name] = (server.getsockname()[1], f"fd:{self._number(server.fileno())}")
        return found

    def _relay(self) -> list[str]:
        if not self._listeners:
            return []
        ways = [(how, f"{_profile.SOCKETS}/{name}") for name, (_, how) in self._listeners.items()]
        return [self._room.machine.tools.python, "-I", "-S", "-B", _profile.RELAY, json.dumps(ways)]
