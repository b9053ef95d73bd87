"""Who is at work in a directory: a file lock, which the kernel drops when its holder dies, however that happens.

It holds across users, containers and pid namespaces, where process ids say nothing. The lock is taken before the file
gets its name: a file that is there and not locked was left behind by somebody who is dead.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from greylag.errors import InfraError, UserError

HELD = "held"


@contextmanager
def held(directory: Path, variable: str = "GREYLAG_STATE") -> Iterator[None]:
    """Hold a directory as long as the context lasts; call `release` before its end when nothing is left to be done.

    Raises `UserError` for a file system whose locks keep nobody out, naming the variable that moves the directory
    elsewhere, and `InfraError` when the disk is full.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f"{HELD}-", dir=directory)
    except OSError as error:
        raise InfraError(f"{error.strerror} at {directory}") from error
    try:
        if not (_lock(handle, fcntl.LOCK_EX) and _locked(Path(name))):
            Path(name).unlink()
            raise UserError(f"the file system of {directory} has no file locks; set {variable} to another directory")
        Path(name).replace(directory / HELD)
        yield
    finally:
        os.close(handle)


def release(directory: Path) -> None:
    """Say that whoever held a directory has left it in order."""
    (directory / HELD).unlink(missing_ok=True)


def is_held(directory: Path) -> bool:
    """Whether somebody is at work there. True also when that cannot be found out: nobody is declared dead by guess."""
    try:
        return _locked(directory / HELD)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


@contextmanager
def claimed(directory: Path) -> Iterator[bool]:
    """Hold a directory whose holder is dead, to clean up after them; the answer is whether that was granted."""
    try:
        handle = os.open(directory / HELD, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        yield False
        return
    try:
        yield _lock(handle, fcntl.LOCK_EX)
    finally:
        os.close(handle)


def _locked(path: Path) -> bool:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return not _lock(handle, fcntl.LOCK_SH)  # shared: who only looks does not disturb others who look
    finally:
        os.close(handle)


def _lock(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
