"""The sandbox for Linux: namespaces by bubblewrap(1), a system call filter, control groups, never host uid 0."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from greylag import homes
from greylag.errors import InfraError, UserError
from greylag.protocols import Guarantee, Layers, Sandbox, SandboxSpec
from greylag.sandboxes import _cgroup, _command, _layers, _remedies, _seccomp, _toolchains
from greylag.sandboxes._box import Box
from greylag.sandboxes._bwrap import Machine, Mounted, Room
from greylag.sandboxes._keeper import Keeper, Namespace, Overlay, RefusedError, Source
from greylag.sandboxes._probe import essentials, probe, trial
from greylag.sandboxes._profile import HOME, WORKSPACE, Mount, environment
from greylag.sandboxes._streams import enough_files
from greylag.sandboxes._toolchains import Tools

_UID, _NOBODY = 60222, 65534
_NEEDED = ("--json-status-fd", "--clearenv", "--perms", "--size", "--seccomp", "--unshare-cgroup-try")
_CAPABILITIES = {"CHOWN": 0, "DAC_OVERRIDE": 1, "FOWNER": 3, "KILL": 5, "SETGID": 6, "SETUID": 7, "SYS_ADMIN": 21}


class Bubblewrap:
    """Makes sandboxes with bubblewrap 0.6 or later.

    `uid`: which uid commands run as when greylag is root (60222, or 65534 where that one is not mapped).
    `program`: bubblewrap itself. `tools`: further directories to mount read-only at their own path.

    The upper directories of a spec are given to that uid (not what is in them); what a command must be able to change
    in a lower must be writable for everybody there (`chmod -R a+rwX`), because overlayfs keeps owners and modes.
    """

    name = "bubblewrap"

    def __init__(self, *, uid: int | None = None, program: str = "bwrap", tools: Sequence[str] = ()) -> None:
        self.platform = _command.here()
        self._root = os.getuid() == 0
        self.owner = _unprivileged(uid) if self._root else os.getuid()
        self._wanted = program
        self._extra = tuple(map(Path, tools))
        self._without_overlay: set[int] = set()  # devices on which the kernel refused one
        self._trusted, self._trial = False, threading.Lock()

    @cached_property
    def _program(self) -> str:
        found = shutil.which(self._wanted)
        if found is None:
            raise UserError(_remedies.missing(self._wanted))
        return os.path.realpath(found)

    @cached_property
    def _features(self) -> frozenset[str]:
        answer = subprocess.run([self._program, "--help"], env={}, capture_output=True, text=True, check=False)
        words = frozenset((answer.stdout + answer.stderr).split())
        lacking = [option for option in _NEEDED if option not in words]
        if lacking:
            raise UserError(f"{self._program} is too old (no {lacking[0]}): greylag needs bubblewrap 0.6 or later")
        return words

    @cached_property
    def _tools(self) -> _toolchains.Tools:
        return _toolchains.find(os.environ, self._extra)

    @cached_property
    def _control(self) -> _cgroup.Control:
        return _cgroup.find()

    @cached_property
    def _machine(self) -> Machine:
        uid = self.owner if self._root else None
        if self._root and (lacking := _lacking(Path("/proc/self/status").read_text())):
            raise UserError(_remedies.incapable(lacking))
        return Machine(self._program, self._features, _seccomp.program(), self._tools, uid)

    @contextmanager
    def open(self, spec: SandboxSpec) -> Iterator[Sandbox]:
        """A sandbox. `UserError` with the remedy when none can be started here, or none that keeps its promises.

        Before the first one, a small one is looked at from inside.
        """
        with self._trial:
            if not self._trusted:
                with self._tried() as (_, _found):
                    self._trusted = True
        with ExitStack() as stack:
            with enough_files():
                box = self._open(spec, stack)
            yield box

    @contextmanager
    def _tried(self) -> Iterator[tuple[Sandbox, list[Guarantee]]]:
        """A sandbox that was found to keep the essential promises; `UserError` when it does not."""
        with homes.temporary() as directory, ExitStack() as stack:
            spec = trial(directory)
            box = self._open(spec, stack)
            yield box, essentials(box, spec, self.owner, frozenset(environment(self._tools)))

    def _open(self, spec: SandboxSpec, stack: ExitStack) -> Box:
        _ = self._machine  # says what is missing before anything is made
        group = _cgroup.open_group(self._control, spec.bounds)
        if group:
            stack.callback(group.remove)
        stack.callback(_remove_work, spec)
        room = self._keep(spec, group)
        stack.callback(room.mounted.keeper.close)
        box = Box(room, group)
        stack.callback(box.close)
        return box

    def _keep(self, spec: SandboxSpec, group: _cgroup.Group | None) -> Room:
        """With overlays, or without where the kernel refuses them: then layers are copied, and it is said so."""
        flat = self._flatten(spec)
        try:
            return self._mount(flat, group, layered=flat == spec)
        except RefusedError as refusal:
            if refusal.step not in {"overlay", "namespace"} or not _overlays(flat):
                raise _remedies.explain(str(refusal)) from refusal
        self._without_overlay |= {_device(layers) for layers in _overlays(flat).values()}
        try:
            return self._mount(self._flatten(flat), group, layered=False)
        except RefusedError as refusal:
            raise _remedies.explain(str(refusal)) from refusal

    def _flatten(self, spec: SandboxSpec) -> SandboxSpec:
        owner = self.owner if self._root else None

        def flat(layers: Layers) -> Layers:
            single = len(layers.lowers) + bool(layers.upper) < 2
            if single or (_layers.needs_overlay(layers) and _device(layers) not in self._without_overlay):
                return layers
            return _layers.flatten(layers, owner)

        return replace(spec, workspace=flat(spec.workspace), home=flat(spec.home))

    def _mount(self, spec: SandboxSpec, group: _cgroup.Group | None, *, layered: bool) -> Room:
        for layers in (spec.workspace, spec.home):
            self._own(layers)
        if spec.home.upper:
            _layers.put(spec.home.upper, self._tools.home_files, self.owner)
        overlays = {name: _overlay(layers) for name, layers in _overlays(spec).items()}
        places = _places(spec, self._tools)
        sources = {name: source for name, (source, _) in places.items() if source}
        namespace: Namespace = "root" if self._root else "user"
        if not self._root and not overlays and not any(source.base for source in sources.values()):
            namespace = "none"
        avoid = [spec.scratch, Path(self._program), *_directories(spec)]
        keeper = Keeper(namespace, sources, overlays, group.paths if group else (), avoid)

        def where(name: str) -> str:
            return str(sources[name].path) if namespace == "none" else f"{keeper.stage}/{name}"

        mounts = tuple(replace(mount, source=where(name)) for name, (_, mount) in places.items())
        return Room(self._machine, Mounted(keeper, mounts), spec, layered, grouped=group is not None)

    def _own(self, layers: Layers) -> None:
        """Check that the directories are there, and give the upper to the uid that is to write it."""
        for path in (*layers.lowers, *([layers.upper] if layers.upper else [])):
            if path.is_symlink() or not path.is_dir():
                raise InfraError(f"a layer of the sandbox is not a directory: {path}")
        if layers.upper and self._root:
            os.chown(layers.upper, self.owner, self.owner, follow_symlinks=False)
        if layers.upper and len(layers.lowers):
            _layers.remove_tree(_layers.work_directory(layers.upper))
            _layers.work_directory(layers.upper).mkdir(mode=0o700)

    def probe(self) -> Sequence[Guarantee]:
        """What holds on this machine, by starting a sandbox and looking from inside."""
        with self._tried() as (box, found):
            return [*found, *probe(box, self._control, self._tools.closed)]


def _unprivileged(wanted: int | None) -> int:
    """The uid that root becomes; it must be mapped where greylag itself runs in a user namespace."""
    ranges = [tuple(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text().splitlines()]
    for uid in (_UID, _NOBODY) if wanted is None else (wanted,):
        if uid > 0 and any(start <= uid < start + count for start, _, count in ranges):
            return uid
    if wanted is not None:
        raise UserError(f"sandbox setting `uid`: {wanted} cannot be used; it must be mapped here, and never 0")
    raise UserError("greylag runs as root and no other uid is mapped here: run it as an ordinary user")


def _lacking(status: str) -> list[str]:
    """Capabilities that root needs here and `status`, as in proc(5), does not show."""
    held = int(next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")), 16)
    return [f"CAP_{name}" for name, bit in _CAPABILITIES.items() if not held >> bit & 1]


def _overlays(spec: SandboxSpec) -> dict[str, Layers]:
    named = {"workspace": spec.workspace, "home": spec.home}
    return {name: layers for name, layers in named.items() if _layers.needs_overlay(layers)}


def _overlay(layers: Layers) -> Overlay:
    work = _layers.work_directory(layers.upper) if layers.upper else None
    return Overlay(layers.lowers, layers.upper, work)


def _directories(spec: SandboxSpec) -> list[Path]:
    """The directories that sandboxed commands may have written, now or in an earlier sandbox."""
    layers = (spec.workspace, spec.home)
    return [path for each in layers for path in (each.upper, *each.lowers) if path]


def _places(spec: SandboxSpec, tools: Tools) -> dict[str, tuple[Source | None, Mount]]:
    """Name of a source -> what it is (None: an overlay makes it) and where it appears, in the order of mounting."""
    places: dict[str, tuple[Source | None, Mount]] = {}
    for name, target, layers in (("home", HOME, spec.home), ("workspace", WORKSPACE, spec.workspace)):
        mount = Mount("", target, writable=layers.upper is not None)
        if _layers.needs_overlay(layers):
            places[name] = (None, mount)
        elif path := layers.upper or next(iter(layers.lowers), None):
            places[name] = (Source(path), mount)
    for number, tree in enumerate(tools.trees):
        places[f"tool{number}"] = (Source(tree), Mount("", str(tree)))
    for number, bind in enumerate(spec.binds):
        base = next((path for path in _directories(spec) if bind.source.is_relative_to(path)), None)
        source = Source(bind.source, base if base != bind.source else None)
        places[f"bind{number}"] = (source, Mount("", bind.target, bind.writable))
    return places


def _device(layers: Layers) -> int:
    return (layers.upper or layers.lowers[0]).stat().st_dev


def _remove_work(spec: SandboxSpec) -> None:
    for layers in (spec.workspace, spec.home):
        if layers.upper:
            _layers.remove_tree(_layers.work_directory(layers.upper))


PLUGIN = Bubblewrap
