"""Give a directory away, remove one that something hostile has filled, make one for sockets."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# what goes away with a run, in order or when the next run finds it dead; logs, transcript and artefacts stay
WORKING = ("agent-home", "exports", "layers", "preconditions", "sandbox", "sockets", "tree", "trusted")
_DIRECTORY = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def own_tree(path: Path, owner: int) -> None:
    """As root, make everything below `path` belong to the uid and gid `owner`; nothing for anybody else."""
    if os.geteuid() != 0:
        return
    os.chown(path, owner, owner)
    for _, directories, files, parent in os.fwalk(path):
        for name in (*directories, *files):
            os.chown(name, owner, owner, dir_fd=parent, follow_symlinks=False)


@contextmanager
def for_sockets(parent: Path) -> Iterator[tuple[Path, Path]]:
    """A new private directory in `parent`, which is made as well: its path, and a short one for this process.

    A unix socket is bound and reached by a path of at most 107 bytes; the short one fits wherever the directory is.
    """
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent) as name:
        handle = os.open(name, os.O_PATH | _DIRECTORY)
        try:
            yield Path(name), Path(f"/proc/self/fd/{handle}")
        finally:
            os.close(handle)


def remove_tree(path: Path) -> None:
    """Remove a directory with all that is in it; nothing happens when it is not there.

    No link is followed, directories without permissions are opened up, and any depth will do: directories inside are
    first moved up, so that two descriptors suffice. Raises `OSError`.
    """
    try:
        top = _open(path, None)
    except FileNotFoundError:
        return
    moved = 0
    try:
        while names := os.listdir(top):  # noqa: PTH208  # pathlib knows no descriptors
            for name in names:
                moved = _empty(top, name, moved)
    finally:
        os.close(top)
    path.rmdir()


def _empty(top: int, name: str, moved: int) -> int:
    """Remove `name` from the directory `top`; directories in it move to `top`, numbered from `moved`."""
    if not stat.S_ISDIR(os.lstat(name, dir_fd=top).st_mode):
        os.unlink(name, dir_fd=top)
        return moved
    inside = _open(name, top)
    try:
        for entry in os.listdir(inside):  # noqa: PTH208  # pathlib knows no descriptors
            if stat.S_ISDIR(os.lstat(entry, dir_fd=inside).st_mode):
                os.close(_open(entry, inside))  # moving a directory takes permission to write in it
                moved += 1
                os.rename(entry, _free(top, moved), src_dir_fd=inside, dst_dir_fd=top)
            else:
                os.unlink(entry, dir_fd=inside)
    finally:
        os.close(inside)
    os.rmdir(name, dir_fd=top)
    return moved


def _free(top: int, number: int) -> str:
    name = f".greylag-removed-{number}"
    while True:
        try:
            os.lstat(name, dir_fd=top)
        except FileNotFoundError:
            return name
        name += "-"


def _open(name: str | Path, parent: int | None) -> int:
    """Descriptor of a directory that its owner may read and change."""
    handle = os.open(name, os.O_PATH | _DIRECTORY, dir_fd=parent)
    try:
        link = Path(f"/proc/self/fd/{handle}")
        mode = stat.S_IMODE(os.fstat(handle).st_mode)
        if mode & stat.S_IRWXU != stat.S_IRWXU and os.fstat(handle).st_uid == os.geteuid():
            link.chmod(mode | stat.S_IRWXU)
        return os.open(link, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    finally:
        os.close(handle)
