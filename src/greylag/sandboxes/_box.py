"""One open bubblewrap sandbox: commands in, results out."""

import json
import marshal
import os
import re
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from greylag.protocols import Command, Completed, Ended, SandboxSpec
from greylag.sandboxes import _command, _layers, _profile, _relay, _remedies
from greylag.sandboxes._cgroup import Group
from greylag.sandboxes._keeper import Keeper, launcher
from greylag.sandboxes._process import Job, Jobs, Launch, Ran, execute, kill_group
from greylag.sandboxes._streams import Pipe, spool
from greylag.sandboxes._toolchains import Tools

_FIRST_PORT = 18080
_KILLED = 137
_NOT_STARTED = re.compile(rb"bwrap: execvp (?P<name>.+): (?P<why>[^:\n]+)\n?\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Room:
    """What all commands of a sandbox share. `uid` is what root becomes, None for an ordinary user."""

    program: str
    features: frozenset[str]
    filter: bytes
    tools: Tools
    spec: SandboxSpec
    mounts: tuple[_profile.Mount, ...]
    empty: str
    uid: int | None
    rlimits: Mapping[str, int]


class Box:
    """The `Sandbox` of bubblewrap. Every command has its own namespaces, /tmp and /dev/shm; workspace and home stay."""

    name = "bubblewrap"

    def __init__(self, room: Room, keeper: Keeper, group: Group | None, *, layered: bool) -> None:
        self.platform = _command.here()
        self.layered = layered
        self._room, self._keeper, self._group = room, keeper, group
        self._jobs = Jobs(kill_group)

    def run(self, command: Command) -> Completed:
        """Run one command to its end; see `greylag.protocols.Sandbox`."""
        _command.check(command)
        with ExitStack() as stack:
            return self._run(command, stack.enter_context(self._jobs.one()), stack)

    def kill(self) -> None:
        """End every command now, from any thread. Later ones may run."""
        self._jobs.kill()

    def close(self) -> None:
        """Kill, and accept no more."""
        self._jobs.close()

    def _run(self, command: Command, job: Job, stack: ExitStack) -> Completed:
        self._check_targets()
        group = self._group.child() if self._group else None
        if group:
            stack.callback(group.remove)
        launch = self._launch(_Start(self._room, self._keeper, command, stack), group)
        ran = execute(launch, command, self._room.spec.bounds, job)
        return _judge(ran, job, group, command)

    def _check_targets(self) -> None:
        spec = self._room.spec
        for bind in spec.binds:
            for inside, layers in ((_profile.WORKSPACE, spec.workspace), (_profile.HOME, spec.home)):
                if Path(bind.target).is_relative_to(inside):
                    _layers.refuse_links(layers, inside, bind.target)

    def _launch(self, start: "_Start", group: Group | None) -> Launch:
        argv = start.argv()
        plan = {
            "parent": os.getpid(),
            "status": start.status.write,
            "cgroups": group.join if group else (),
            "namespaces": start.namespaces,
            "stage": self._keeper.stage,
            "sockets": start.staged_sockets(),
            "uid": self._room.uid,
            "rlimits": dict(self._room.rlimits),
            "argv": argv,
        }
        descriptor = start.spool(marshal.dumps(plan))
        return Launch(
            launcher("start", descriptor), start.status, tuple(start.inherited), cwd="/", owner=self._room.uid
        )


class _Start:
    """The arguments and descriptors of one command; the stack closes our side of them."""

    def __init__(self, room: Room, keeper: Keeper, command: Command, stack: ExitStack) -> None:
        self._room, self._command, self._stack, self._stage = room, command, stack, keeper.stage
        self._token = keeper.token
        self.status = Pipe()
        stack.callback(self.status.close)
        self.namespaces = keeper.namespaces
        self.inherited = [self.status.write, *keeper.namespaces]
        self._listeners = self._listen()
        ports = {name: port for name, (port, _) in self._listeners.items()}
        self._places = _profile_places(ports)

    def spool(self, data: bytes) -> int:
        descriptor = spool(data)
        self._stack.callback(os.close, descriptor)
        self.inherited.append(descriptor)
        return descriptor

    def staged_sockets(self) -> list[tuple[str, str]]:
        """As root, sockets may lie where the sandbox's uid cannot go: the launcher binds them on the stage."""
        if self._room.uid is None:
            return []
        for path in self._command.sockets.values():
            os.chown(path, self._room.uid, -1, follow_symlinks=False)
        return [(name, str(path)) for name, path in self._command.sockets.items()]

    def argv(self) -> list[str]:
        """bubblewrap; its options, which show in /proc/1/cmdline inside, are behind a descriptor, but for its mark."""
        options = "\0".join(self._options()).encode("utf-8", "surrogateescape")
        program = [self._places.fill(word) for word in self._command.argv]
        mark = ("--setenv", "GREYLAG_SANDBOX", self._token)
        return [self._room.program, *mark, "--args", str(self.spool(options)), "--", *self._relay(), *program]

    def _options(self) -> list[str]:
        room, command, spec = self._room, self._command, self._room.spec
        env = {**_profile.environment(room.tools), **spec.env, **command.env}
        return [
            *_profile.namespaces(host_network=command.host_network, features=room.features),
            *_profile.system(),
            *_profile.own_file_systems(spec.bounds.temporary),
            *_profile.mounts(room.mounts),
            *_profile.masks(room.tools, room.empty),
            *self._files(),
            *self._sockets(),
            *("--json-status-fd", str(self.status.write), "--seccomp", str(self.spool(room.filter))),
            *_profile.setenv(self._places.fill_all(env)),
            *("--chdir", os.path.normpath(f"{_profile.WORKSPACE}/{command.cwd}")),
            *("--remount-ro", "/"),
        ]

    def _files(self) -> list[str]:
        texts = {**_profile.ETC_FILES, **_profile.network_files(host_network=self._command.host_network)}
        own = self._places.fill_all(self._command.files)
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
        words: list[str] = []
        for name, path in self._command.sockets.items():
            source = str(path) if self._room.uid is None else f"{self._stage}/command/{name}"
            words += ["--ro-bind", source, f"{_profile.SOCKETS}/{name}"]
        return words

    def _listen(self) -> dict[str, tuple[int, str]]:
        """Port and how the relay comes by it: in its own network it is free, on the host's we listen for it."""
        if not self._command.host_network:
            return {name: (_FIRST_PORT + i, str(_FIRST_PORT + i)) for i, name in enumerate(self._command.forwards)}
        found = {}
        for name in self._command.forwards:
            server = self._stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            self.inherited.append(server.fileno())
            found[name] = (server.getsockname()[1], f"fd:{server.fileno()}")
        return found

    def _relay(self) -> list[str]:
        if not self._listeners:
            return []
        ways = [(how, f"{_profile.SOCKETS}/{name}") for name, (_, how) in self._listeners.items()]
        return [self._room.tools.python, "-I", "-S", "-B", _profile.RELAY, json.dumps(ways)]


def _profile_places(ports: Mapping[str, int]) -> _command.Places:
    return _command.Places(_profile.WORKSPACE, _profile.HOME, _profile.FILES, _profile.SOCKETS, ports)


def _judge(ran: Ran, job: Job, group: Group | None, command: Command) -> Completed:
    """A result, or the error of a sandbox that broke: only bubblewrap's status channel says that the command ran."""
    code = ran.status.get("exit-code")
    if job.reason is not None:
        return ran.completed(job.reason, _KILLED)
    if code != 0 and group and group.oom_kills():
        return ran.completed(Ended.OUT_OF_MEMORY, code if isinstance(code, int) else _KILLED)
    if isinstance(code, int):
        return ran.completed(Ended.EXITED, code)
    said = (ran.output if command.merge else ran.errors).value()
    if "error" not in ran.status and (absent := _NOT_STARTED.search(said)):
        return ran.completed(Ended.EXITED, 127 if absent["why"].startswith(b"No such") else 126)
    raise _remedies.explain(str(ran.status.get("error") or said.decode("utf-8", "replace")))
