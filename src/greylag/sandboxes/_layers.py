"""Layers without overlayfs, and the checks on paths that a sandbox may have written."""

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from greylag.errors import InfraError
from greylag.protocols import Layers


def work_directory(upper: Path) -> Path:
    """Overlayfs needs one of its own beside the upper, on the same file system."""
    return upper.parent / f".{upper.name}.work"


def flattened(upper: Path) -> Path:
    """Says that the lowers were copied into `upper`: what it lacks was deleted, and no overlay fits it any more."""
    return upper.parent / f".{upper.name}.flattened"


def needs_overlay(layers: Layers) -> bool:
    """Whether more than one directory makes this one."""
    if layers.upper is not None and flattened(layers.upper).exists():
        return False
    return len(layers.lowers) + (layers.upper is not None) > 1


def flatten(layers: Layers, owner: int | None) -> Layers:
    """Copy the lowers into the upper, bottom up, once; then the upper is all there is.

    What the upper holds already wins. Overlayfs whiteouts in a lower delete what lies below them.
    """
    if layers.upper is None:
        raise InfraError("several read-only layers need overlayfs, which cannot be used here")
    mark = flattened(layers.upper)
    if layers.lowers and not mark.exists():
        kept = layers.upper.parent / f".{layers.upper.name}.kept"
        layers.upper.rename(kept)
        layers.upper.mkdir()
        for layer in (*reversed(layers.lowers), kept):
            _copy(layer, layers.upper)
        remove_tree(kept)
        if owner is not None:
            _give(layers.upper, owner)
        mark.touch()
    return Layers(upper=layers.upper)


def _copy(source: Path, target: Path) -> None:
    """Merge one directory over another; no symbolic link is followed on either side."""
    if _opaque(source):
        remove_tree(target)
        target.mkdir()
    for entry in os.scandir(source):
        goal = target / entry.name
        if entry.is_dir(follow_symlinks=False):
            if goal.is_symlink() or not goal.is_dir():
                _remove(goal)
                goal.mkdir()
            _copy(Path(entry.path), goal)
        else:
            _copy_leaf(Path(entry.path), goal, entry.stat(follow_symlinks=False))
    shutil.copystat(source, target, follow_symlinks=False)


def _copy_leaf(source: Path, goal: Path, status: os.stat_result) -> None:
    _remove(goal)
    if stat.S_ISLNK(status.st_mode) or stat.S_ISREG(status.st_mode):
        shutil.copy2(source, goal, follow_symlinks=False)
    # a whiteout (a character device 0/0) has done its work; sockets and FIFOs carry no content


def _opaque(directory: Path) -> bool:
    for name in ("trusted.overlay.opaque", "user.overlay.opaque"):
        with contextlib.suppress(OSError):
            if os.getxattr(directory, name, follow_symlinks=False) == b"y":
                return True
    return False


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        remove_tree(path)
    else:
        path.unlink(missing_ok=True)


def _give(directory: Path, owner: int) -> None:
    for parent, _, files, descriptor in os.fwalk(directory):
        os.fchown(descriptor, owner, owner)
        for name in files:
            os.chown(name, owner, owner, dir_fd=descriptor, follow_symlinks=False)
        for name in _links(Path(parent)):
            os.chown(name, owner, owner, dir_fd=descriptor, follow_symlinks=False)


def _links(directory: Path) -> Iterator[str]:
    return (entry.name for entry in os.scandir(directory) if entry.is_symlink())


def put(directory: Path, files: Mapping[str, str], owner: int) -> None:
    """Write files that are not there yet to the top of a directory that a sandbox can write; no link is followed."""
    for name, text in files.items():
        with contextlib.suppress(FileExistsError):
            made = os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
            with os.fdopen(made, "w", encoding="utf-8") as file:
                file.write(text)
                os.fchown(made, owner, -1)


def remove_tree(path: Path) -> None:
    """Remove a directory, also one without permissions (overlayfs makes such); links are never followed."""
    if not path.is_dir() or path.is_symlink():
        return
    for parent, names, _ in os.walk(path):
        for name in names:
            inner = Path(parent, name)
            if not inner.is_symlink():
                inner.chmod(0o700)
    shutil.rmtree(path)


def refuse_links(layers: Layers, inside: str, target: str) -> None:
    """Raise `InfraError` when a mount at `target` would go through a symbolic link of a writable directory.

    `inside` is where the layers appear. An agent can replace any directory of its workspace by a link; a mount there
    would land, or protect, somewhere else.
    """
    parts = PurePosixPath(target).relative_to(inside).parts
    for layer in (layers.upper, *layers.lowers):
        path = layer
        for part in parts if path else ():
            path = (path or Path()) / part
            if path.is_symlink():
                raise InfraError(f"{target} cannot be mounted: {path} is a symbolic link")
