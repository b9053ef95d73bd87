"""Directories that verifications share: filled once, never changed afterwards, stacked read-only below throw-away ones.

A layer holds what one step left behind in the workspace (`node_modules`, `.venv`) and in the home directory (`~/.m2`,
`~/.npm`). A store keeps layers and an index that is replaced atomically under a lock. A run holds a lease: a shared
lock on the directory of each layer that it may use, which the kernel drops when the process dies. What has left the
index is removed as soon as nobody holds it.

Who may write into which store is a question of trust and answered by `greylag.verification`: only steps on a base
commit write into the store that runs share.
"""

import contextlib
import fcntl
import json
import os
import stat
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pathspec import GitIgnoreSpec

from greylag.directories import remove_tree

_INDEX = "index.json"
_OPAQUE = ("user.overlay.opaque", "trusted.overlay.opaque", "user.fuseoverlayfs.opaque")


@dataclass(frozen=True, slots=True)
class Layer:
    """One finished layer; `key` says what it is the result of ("" for mere caches), `size` is bytes on disk."""

    path: Path
    key: str
    size: int

    @property
    def id(self) -> str:
        """Name within its store; never used twice."""
        return self.path.name

    @property
    def workspace(self) -> Path:
        """What goes below the workspace."""
        return self.path / "workspace"

    @property
    def home(self) -> Path:
        """What goes below the home directory."""
        return self.path / "home"


@dataclass(frozen=True, slots=True)
class Stage:
    """Throw-away upper directories for one sandbox at a time, on the file system of their store."""

    path: Path

    @property
    def workspace(self) -> Path:
        """Upper directory of the workspace."""
        return self.path / "workspace"

    @property
    def home(self) -> Path:
        """Upper directory of the home."""
        return self.path / "home"

    @property
    def scratch(self) -> Path:
        """For the sandbox's own bookkeeping."""
        return self.path / "scratch"


@dataclass(frozen=True, slots=True)
class LayerStore:
    """Layers below `root`. Beyond `count` layers or `size` bytes the ones not used for longest are dropped."""

    root: Path
    count: int = 12
    size: int = 20 << 30
    owner: int | None = None  # host uid that sandboxed commands run as

    @contextmanager
    def lease(self) -> Iterator["Lease"]:
        """All layers of now, the newest first; none of them goes away before the lease ends."""
        self.root.mkdir(parents=True, exist_ok=True)
        with ExitStack() as held:
            with self.locked():
                lease = Lease(self, held)
                lease.layers = [layer for layer in self.read() if lease.hold(layer.path)]
            yield lease
        self.sweep()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """The store to oneself, among all threads and processes."""
        with _descriptor(self.root / "lock", os.O_RDWR | os.O_CREAT) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def read(self) -> list[Layer]:
        """The index; a damaged one is an empty one. Under the lock."""
        try:
            entries: list[dict[str, Any]] = json.loads((self.root / _INDEX).read_bytes())["layers"]
            layers = [Layer(self.root / str(int(e["id"])), str(e["key"]), int(e["size"])) for e in entries]
        except (OSError, ValueError, TypeError, KeyError):
            return []
        return [layer for layer in layers if layer.workspace.is_dir() and layer.home.is_dir()]

    def write(self, layers: Sequence[Layer]) -> None:
        """Replace the index atomically. Under the lock."""
        entries = [{"id": layer.id, "key": layer.key, "size": layer.size} for layer in layers]
        new = self.root / f"{_INDEX}.new"
        new.write_text(json.dumps({"version": 1, "layers": entries}), "utf-8")
        new.replace(self.root / _INDEX)

    def sweep(self) -> None:
        """Remove directories that are neither in the index nor held by anybody."""
        with ExitStack() as claimed:
            with self.locked():
                known = {layer.path for layer in self.read()}
                others = [path for path in self.root.iterdir() if path.is_dir() and path not in known]
                loose = [path for path in others if _claim(path, claimed)]
            for path in loose:  # outside the lock: half a million files take their time
                with contextlib.suppress(OSError):  # a full disk or a busy mount: the next sweep tries again
                    remove_tree(path)


@dataclass(slots=True)
class Lease:
    """What one run may stack. Several threads may use it."""

    store: LayerStore
    _held: ExitStack
    layers: list[Layer] = field(default_factory=list)

    def find(self, key: str) -> Layer | None:
        """The layer of this key, which counts as used now."""
        found = next((layer for layer in self.layers if layer.key == key), None)
        if found:
            os.utime(found.path)
        return found

    def stage(self) -> Stage:
        """New empty upper directories; they go away with the lease unless they become a layer."""
        with self.store.locked():
            stage = Stage(Path(tempfile.mkdtemp(prefix="stage-", dir=self.store.root)))
            self.hold(stage.path)
        stage.path.chmod(0o711)
        for part in (stage.workspace, stage.home, stage.scratch):
            part.mkdir(mode=0o755)
            if self.store.owner not in {None, os.geteuid()}:
                os.chown(part, self.store.owner or 0, -1)
        return stage

    def add(self, stage: Stage, key: str = "") -> Layer:
        """Make a layer of a stage that no sandbox uses any more. Of two runs with one key, the first one's stays."""
        for rest in set(stage.path.iterdir()) - {stage.workspace, stage.home}:  # what a sandbox put beside its uppers
            remove_tree(rest) if rest.is_dir() and not rest.is_symlink() else rest.unlink()
        size = disk_usage(stage.path)
        with self.store.locked():
            known = self.store.read()
            layer = next((layer for layer in known if key and layer.key == key and self.hold(layer.path)), None)
            if layer is None:
                layer = Layer(self.store.root / str(self._next()), key, size)
                stage.path.rename(layer.path)
                self.store.write(self._kept([layer, *known]))
            self.layers.insert(0, layer)
        return layer

    def hold(self, path: Path) -> bool:
        """Keep a directory from being removed as long as the lease lasts. Under the lock."""
        return _claim(path, self._held, fcntl.LOCK_SH)

    def _next(self) -> int:
        return 1 + max((int(p.name) for p in self.store.root.iterdir() if p.name.isdecimal()), default=0)

    def _kept(self, layers: list[Layer]) -> list[Layer]:
        """Without those not used for longest, beyond the bounds; what this run uses stays."""
        mine = {layer.path for layer in self.layers}
        loose = sorted((x for x in layers[1:] if x.path not in mine), key=lambda x: (x.path.stat().st_mtime, int(x.id)))
        kept = list(layers)
        while loose and (len(kept) > self.store.count or sum(x.size for x in kept) > self.store.size):
            kept.remove(loose.pop(0))
        return kept


# -- what a step left behind -----------------------------------------------------------------------------------------


def prune(upper: Path, tracked: Collection[str], keep: Sequence[str] | None = None) -> None:
    """Take from an upper directory what the tree itself has: a layer must never bring back contents of another tree.

    Links, files and removal marks in the place of a tracked directory go, too. `keep` are gitignore patterns of what
    may stay (None: everything): what a preparation builds from one tree's sources must not stand in for another's.
    No link is followed.
    """
    if keep is not None:
        _keep_only(upper, GitIgnoreSpec.from_lines(keep))
    files = set(tracked)
    directories = {str(parent) for path in files for parent in Path(path).parents}
    for directory, names, others in os.walk(upper):
        where = Path(directory).relative_to(upper)
        for name in list(names):
            path, entry = str(where / name), Path(directory, name)
            if path in files or (entry.is_symlink() and path in directories):
                names.remove(name)
                entry.unlink() if entry.is_symlink() else remove_tree(entry)
        for name in others:
            if str(where / name) in files | directories:
                Path(directory, name).unlink()


def _keep_only(upper: Path, spec: GitIgnoreSpec) -> None:
    entered = [upper]
    for directory in entered:  # grows while it is walked
        for entry in list(os.scandir(directory)):
            path = Path(entry.path)
            name = str(path.relative_to(upper))
            if entry.is_dir(follow_symlinks=False):
                if not spec.match_file(f"{name}/"):
                    entered.append(path)
            elif not spec.match_file(name):
                path.unlink()
    for directory in reversed(entered[1:]):
        with contextlib.suppress(OSError):  # not empty: something below it stays
            directory.rmdir()


def open_up(upper: Path, lowers: Sequence[Path]) -> None:
    """Remove the mark that hides lower directories where there is nothing to hide.

    The kernel sets it on every new directory. Two steps that both made `~/.cache` would otherwise hide each other's.
    """
    for directory, _, _ in os.walk(upper):
        where = Path(directory).relative_to(upper)
        if not any((lower / where).is_dir() for lower in lowers):
            for name in _OPAQUE:
                with contextlib.suppress(OSError):
                    os.removexattr(directory, name, follow_symlinks=False)


def merge(source: Path, target: Path) -> None:
    """Move what `source` has and `target` has not. Directories that both have are merged, no link is followed."""
    for entry in list(os.scandir(source)):
        goal = target / entry.name
        if not os.path.lexists(goal):
            Path(entry.path).rename(goal)
        elif entry.is_dir(follow_symlinks=False) and goal.is_dir() and not goal.is_symlink():
            merge(Path(entry.path), goal)


def is_empty(upper: Path) -> bool:
    """Whether there is no file in it."""
    return not any(files for _, _, files in os.walk(upper))


def disk_usage(path: Path) -> int:
    """Bytes on disk of all that is below `path`; no link is followed."""
    blocks = 0
    for directory, names, files in os.walk(path):
        for name in (*names, *files):
            with contextlib.suppress(OSError):
                status = os.lstat(os.path.join(directory, name))  # noqa: PTH118 - half a million files, half the time
                blocks += 0 if stat.S_ISLNK(status.st_mode) else status.st_blocks
    return blocks * 512


@contextmanager
def _descriptor(path: Path, flags: int) -> Iterator[int]:
    handle = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)


def _claim(path: Path, held: ExitStack, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(held.enter_context(_descriptor(path, os.O_RDONLY | os.O_DIRECTORY)), kind | fcntl.LOCK_NB)
    except OSError:  # somebody else's, or gone
        return False
    return True
