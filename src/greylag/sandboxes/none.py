"""No sandbox: commands run on the host, as the caller, with a clean environment. Only by explicit flag."""

import json
import os
import posixpath
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from greylag import homes
from greylag.errors import InfraError
from greylag.protocols import Bind, Command, Completed, Guarantee, Layers, Sandbox, SandboxSpec
from greylag.sandboxes import _cgroup, _command, _guard, _layers, _profile, _relay, _toolchains
from greylag.sandboxes._box import Box
from greylag.sandboxes._process import Launch, Ran, Started
from greylag.sandboxes._streams import Pipe, spool

_WHY = "commands run on the host as the caller"
_ABSENT = ("user", "no-new-privs", "seccomp", "network")


class Unsandboxed:
    """Runs commands on the host. Time, output and (with control groups) memory are bounded; nothing else is."""

    name = "none"

    def __init__(self) -> None:
        self.platform = _command.here()
        self.owner = os.getuid()

    @cached_property
    def _control(self) -> _cgroup.Control:
        return _cgroup.find()

    @contextmanager
    def open(self, spec: SandboxSpec) -> Iterator[Sandbox]:
        """Workspace and home are the upper directories themselves; lowers are copied into them."""
        with ExitStack() as stack:
            group = _cgroup.open_group(self._control, spec.bounds)
            if group:
                stack.callback(group.remove)
            own = stack.enter_context(homes.temporary())
            workspace = _directory(spec.workspace, spec.scratch / "workspace")
            home = _directory(spec.home, spec.scratch / "home")
            for bind in spec.binds:
                stack.callback(_link(bind, workspace, home).unlink, missing_ok=True)
            tools = _toolchains.find(os.environ)
            _layers.put(home, tools.home_files, self.owner)
            box = Box(_Host(spec, workspace, home, own, tools), group)
            stack.callback(box.close)
            yield box

    def probe(self) -> Sequence[Guarantee]:
        """Says plainly what is absent."""
        memory = f"cgroup v{self._control.version}" if self._control.version else self._control.reason
        state: Literal["enforced", "absent"] = "enforced" if self._control.version else "absent"
        return [
            *(Guarantee(name, "absent", _WHY) for name in _ABSENT),
            Guarantee("environment", "weak", "the variables are clean, the files of the caller are readable"),
            Guarantee("time", "enforced", "by the clock"),
            Guarantee("output", "enforced", "by the reader"),
            Guarantee("memory", state, memory),
            Guarantee("processes", state, memory),
            Guarantee("disk", "absent", _WHY),
            Guarantee("layers", "absent", "layers are copied"),
        ]


@dataclass(frozen=True, slots=True)
class _Host:
    """The real places of one opened spec; `own` is a directory that lives as long."""

    spec: SandboxSpec
    workspace: Path
    home: Path
    own: Path
    tools: _toolchains.Tools
    name: str = "none"
    layered: bool = False

    def launch(self, command: Command, join: Sequence[str], stack: ExitStack) -> Launch:
        """The guard, which starts the command and sees to it that nothing of it is left."""
        own = stack.enter_context(tempfile.TemporaryDirectory(dir=self.own))
        listeners = {name: stack.enter_context(socket.create_server(("127.0.0.1", 0))) for name in command.forwards}
        ports = {name: int(server.getsockname()[1]) for name, server in listeners.items()}
        answer = Pipe() if command.answer else None
        if answer:
            stack.callback(answer.close)
        place = f"/dev/fd/{answer.write}" if answer else ""
        places = _command.Places(str(self.workspace), str(self.home), f"{own}/files", f"{own}/sockets", ports, place)
        _write(places, command)
        relay: list[str] = []
        if listeners:
            ways = [(f"fd:{server.fileno()}", f"{own}/sockets/{name}") for name, server in listeners.items()]
            relay = [sys.executable, "-I", "-S", "-B", _relay.__file__, json.dumps(ways)]
        status = Pipe()
        stack.callback(status.close)
        descriptor = spool(json.dumps({"parent": os.getpid(), "status": status.write, "cgroups": join}).encode())
        stack.callback(os.close, descriptor)
        program = places.words(command)
        argv = (sys.executable, "-I", "-S", "-B", _guard.__file__, str(descriptor), *relay, *program)
        given = [descriptor, status.write, *(server.fileno() for server in listeners.values())]
        given += [answer.write] if answer else []
        env, cwd = self._environment(command, places), str(_below(self.workspace, command.cwd))
        return Launch(lambda *streams: Started(argv, env, cwd, given, streams), status, answer=answer)

    def _environment(self, command: Command, places: _command.Places) -> dict[str, str]:
        temporary = self.own / "tmp"
        temporary.mkdir(exist_ok=True)
        own = {
            **_profile.environment(self.tools),
            "HOME": str(self.home),
            "TMPDIR": str(temporary),
            "PATH": os.environ.get("PATH", os.defpath),
            "CARGO_HOME": f"{self.home}/.cargo",
            "GOPATH": f"{self.home}/go",
            "GREYLAG_PYTHON": sys.executable,
        }
        return places.fill_all({**own, **self.spec.env, **command.env})

    def unstarted(self, _ran: Ran, command: Command) -> Completed:
        """The guard tells the exit code of a program that is not there, too."""
        raise InfraError(f"`{command.argv[0]}` could not be started: its guard ended without a word")


def _write(places: _command.Places, command: Command) -> None:
    for directory in (places.files, places.sockets):
        Path(directory).mkdir()
    for name, text in places.texts(command).items():
        path = Path(places.files, name)
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
        path.chmod(0o555)
    for name, source in command.sockets.items():
        Path(places.sockets, name).symlink_to(source.absolute())


def _below(workspace: Path, cwd: str) -> Path:
    directory = workspace / cwd
    if not directory.is_dir():
        raise InfraError(f"no such directory in the workspace: {cwd}")
    return directory


def _directory(layers: Layers, fallback: Path) -> Path:
    """The host directory in which the layers come together."""
    if layers.upper is None:
        fallback.mkdir(exist_ok=True)
        layers = Layers(layers.lowers, fallback)
    path = _layers.flatten(layers, None).upper
    if path is None or not path.is_dir():
        raise InfraError(f"not a directory: {path}")
    return path.absolute()


def _link(bind: Bind, workspace: Path, home: Path) -> Path:
    """Without mounts, a link stands for a bind; one outside workspace and home cannot be had."""
    for inside, directory in ((_profile.WORKSPACE, workspace), (_profile.HOME, home)):
        if posixpath.commonpath([inside, bind.target]) == inside and bind.target != inside:
            link = directory / posixpath.relpath(bind.target, inside)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(bind.source.absolute())
            return link
    raise InfraError(f"without a sandbox, {bind.source} cannot appear at {bind.target}")


PLUGIN = Unsandboxed
