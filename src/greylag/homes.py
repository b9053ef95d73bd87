"""Directories that live as long as what works in them: removed at its end, or by the next one when it was killed."""

import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from greylag.directories import remove_tree
from greylag.holding import HELD, claimed, held, release

_STILLBORN = 3600.0  # seconds


@contextmanager
def home(parent: Path, prefix: str, variable: str) -> Iterator[Path]:
    """A new private directory in `parent`, which is made as well; what dead holders left there is removed first.

    `variable` moves `parent` elsewhere. Raises as `greylag.holding.held` does.
    """
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _sweep(parent, prefix)
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    with held(path, variable):
        try:
            yield path
        finally:
            _remove(path)


def temporary() -> AbstractContextManager[Path]:
    """The same in the machine's temporary directory, where paths are short enough for sockets."""
    return home(Path(tempfile.gettempdir()), "greylag-", "TMPDIR")


def _sweep(parent: Path, prefix: str) -> None:
    for path in parent.glob(f"{prefix}*"):
        with suppress(OSError):
            found = path.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
                continue
            with claimed(path) as granted:
                if granted:
                    _remove(path)
                elif time.time() - found.st_mtime > _STILLBORN:
                    path.rmdir()  # only an empty one: its holder was killed before it held it


def _remove(path: Path) -> None:
    """Remove a held directory, the lock last: what cannot be removed, the next one tries again."""
    with suppress(OSError):
        for inside in path.iterdir():
            if inside.name != HELD:
                remove_tree(inside) if inside.is_dir() and not inside.is_symlink() else inside.unlink()
        release(path)
        path.rmdir()
