"""What `verify`, `mcp` and `hook` share: verification of a directory where it is, with nothing in it modified."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from greylag import assembly, config, homes
from greylag.directories import remove_tree
from greylag.model import Event, Scope
from greylag.protocols import Observe, Verify
from greylag.report import Report
from greylag.workspace import Workspace

_MOST, _ROOM = 200, 1 << 30  # directories of logs that are kept, and bytes of all of them
_YOUNG = 900.0  # seconds in which nothing is removed


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory that can be verified again and again. Afterwards the logs that reports name are in `logs`."""

    verify: Verify
    logs: Path


@contextmanager
def opened(
    path: Path, settings: config.Settings, observe: Observe, *, base: str | None = None, unsafe: bool = False,
    allow: tuple[str, ...] = (),
) -> Iterator[Directory]:  # fmt: skip
    """Verification of what is in `path` now, against the base commit. `allow`: kinds of change that may pass guards."""
    directories = config.Directories.of(os.environ)
    assembly.usable("GREYLAG_CACHE", directories.cache)
    box = assembly.backend(settings, unsafe=unsafe)
    with ExitStack() as stack:
        home = stack.enter_context(homes.home(directories.cache / "work", "verify-", "GREYLAG_CACHE"))
        logs = directories.cache / "logs" / home.name.removeprefix("verify-")
        stack.callback(_keep, home / "logs", logs)
        workspace = Workspace.of_directory(path.resolve(), home=home, cache=directories.cache, base=base)
        stack.callback(workspace.close)
        verification = assembly.verification(
            workspace, settings, directories, home=home, box=box, observe=observe, scope=Scope(allow)
        )
        stack.callback(verification.close)

        def tell(kind: str, text: str) -> None:
            observe(Event(kind, text, datetime.now(UTC)))

        def verify() -> Report:
            tree = workspace.freeze()
            tell("baseline", f"verifying the base commit {workspace.base[:10]}")
            baseline = verification.baseline()
            if baseline.errored:  # a machine that cannot do it for the base commit cannot do it for a change
                return replace(baseline, tree=tree)
            tell("gate", f"verifying {workspace.directory} as it is now")
            return verification.run(tree, mode="gate", baseline=baseline)

        yield Directory(verify, logs)


def _keep(source: Path, target: Path, now: float | None = None) -> None:
    """Keep the logs of the last verifications: a report names them when its reader wants to know more.

    The oldest go first where there are too many or too large ones, but none that a reader may just have been told of.
    Others may end at the same time, and remove the same old ones.
    """
    now = time.time() if now is None else now
    if source.is_dir():
        target.parent.mkdir(exist_ok=True, mode=0o700)
        source.rename(target)
        os.utime(target, (now, now))  # a long verification made it long ago
    kept = sorted(target.parent.glob("*"), key=_made, reverse=True) if target.parent.is_dir() else []
    room = _ROOM
    for number, directory in enumerate(kept, 1):
        room -= _size(directory)
        if (number > _MOST or room < 0) and _made(directory) < now - _YOUNG:
            with suppress(OSError):  # the next one tries again
                remove_tree(directory)


def _size(directory: Path) -> int:
    """Bytes of the files below a directory, as far as they are still there."""
    total = 0
    for place, _, names in os.walk(directory):
        for name in names:
            with suppress(OSError):
                total += os.lstat(f"{place}/{name}").st_size
    return total


def _made(path: Path) -> float:
    """When something was made last in a directory; the beginning of time for one that is gone."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
