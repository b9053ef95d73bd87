"""No sandbox: commands run on the host, as the caller, with a clean environment. Only by explicit flag."""

import json
import os
import posixpath
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from greylag.errors import InfraError
from greylag.protocols import Bind, Command, Completed, Ended, Guarantee, Layers, Sandbox, SandboxSpec
from greylag.sandboxes import _cgroup, _command, _guard, _layers, _profile, _relay, _toolchains
from greylag.sandboxes._process import Job, Jobs, Launch, ask_to_end, execute
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
            own = Path(tempfile.mkdtemp(prefix="greylag-"))
            stack.callback(shutil.rmtree, own, ignore_errors=True)
            workspace = _directory(spec.workspace, spec.scratch / "workspace")
            home = _directory(spec.home, spec.scratch / "home")
            for bind in spec.binds:
                stack.callback(_link(bind, workspace, home).unlink, missing_ok=True)
            room = _Host(spec, workspace, home, own, _toolchains.find(os.environ))
            run = Run(room, group)
            stack.callback(run.close)
            yield run

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


class Run:
    """The `Sandbox` that is none."""

    name = "none"
    layered = False

    def __init__(self, host: _Host, group: _cgroup.Group | None) -> None:
        self.platform = _command.here()
        self._host, self._group = host, group
        self._jobs = Jobs(ask_to_end)

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
        group = self._group.child() if self._group else None
        if group:
            stack.callback(group.remove)
        own = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=self._host.own)))
        ran = execute(self._launch(command, own, group, stack), command, self._host.spec.bounds, job)
        code = ran.status.get("exit-code")
        if job.reason is not None:
            return ran.completed(job.reason, 137)
        if code != 0 and group and group.oom_kills():
            return ran.completed(Ended.OUT_OF_MEMORY, code if isinstance(code, int) else 137)
        if not isinstance(code, int):
            raise InfraError(f"the command could not be started: guard ended with {ran.returncode}")
        return ran.completed(Ended.EXITED, code)

    def _launch(self, command: Command, own: Path, group: _cgroup.Group | None, stack: ExitStack) -> Launch:
        listeners = {name: stack.enter_context(socket.create_server(("127.0.0.1", 0))) for name in command.forwards}
        ports = {name: int(server.getsockname()[1]) for name, server in listeners.items()}
        host = self._host
        places = _command.Places(str(host.workspace), str(host.home), f"{own}/files", f"{own}/sockets", ports)
        _write(places, command)
        relay: list[str] = []
        if listeners:
            ways = [(f"fd:{server.fileno()}", f"{own}/sockets/{name}") for name, server in listeners.items()]
            relay = [sys.executable, "-I", "-S", "-B", _relay.__file__, json.dumps(ways)]
        status = Pipe()
        stack.callback(status.close)
        plan = {"parent": os.getpid(), "status": status.write, "cgroups": group.join if group else ()}
        descriptor = spool(json.dumps(plan).encode())
        stack.callback(os.close, descriptor)
        return Launch(
            (
                *(sys.executable, "-I", "-S", "-B", _guard.__file__, str(descriptor)),
                *(*relay, *(places.fill(word) for word in command.argv)),
            ),
            status,
            (descriptor, status.write, *(server.fileno() for server in listeners.values())),
            self._environment(command, places),
            str(_below(host.workspace, command.cwd)),
        )

    def _environment(self, command: Command, places: _command.Places) -> dict[str, str]:
        host = self._host
        temporary = host.own / "tmp"
        temporary.mkdir(exist_ok=True)
        own = {
            **_profile.environment(host.tools),
            "HOME": str(host.home),
            "TMPDIR": str(temporary),
            "PATH": os.environ.get("PATH", os.defpath),
            "CARGO_HOME": f"{host.home}/.cargo",
            "GOPATH": f"{host.home}/go",
            "GREYLAG_PYTHON": sys.executable,
        }
        return places.fill_all({**own, **host.spec.env, **command.env})


def _write(places: _command.Places, command: Command) -> None:
    for directory in (places.files, places.sockets):
        Path(directory).mkdir()
    for name, text in command.files.items():
        path = Path(places.files, name)
        path.write_text(places.fill(text), encoding="utf-8", errors="surrogateescape")
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
