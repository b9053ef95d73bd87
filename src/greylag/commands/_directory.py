"""What `verify`, `mcp` and `hook` share: verification of a directory where it is, with nothing in it modified."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from greylag import assembly, config, homes
from greylag.directories import remove_tree
from greylag.model import Event
from greylag.protocols import Observe, Verify
from greylag.report import Report
from greylag.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory that can be verified again and again. Afterwards the logs that reports name are in `logs`."""

    verify: Verify
    logs: Path


@contextmanager
def opened(
    path: Path, settings: config.Settings, observe: Observe, *, base: str | None = None, unsafe: bool = False
) -> Iterator[Directory]:
    """Verification of what is in `path` now, against the base commit."""
    directories = config.Directories.of(os.environ)
    assembly.usable("GREYLAG_CACHE", directories.cache)
    box = assembly.backend(settings, unsafe=unsafe)
    with ExitStack() as stack:
        home = stack.enter_context(homes.home(directories.cache / "work", "verify-", "GREYLAG_CACHE"))
        logs = directories.cache / "logs" / home.name.removeprefix("verify-")
        stack.callback(_keep, home / "logs", logs)
        workspace = Workspace.of_directory(path.resolve(), home=home, cache=directories.cache, base=base)
        stack.callback(workspace.close)
        verification = assembly.verification(workspace, settings, directories, home=home, box=box, observe=observe)
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


def _keep(source: Path, target: Path, most: int = 20) -> None:
    """Keep the logs of the last verifications: a report names them when its reader wants to know more.

    Others may end at the same time, and remove the same old ones.
    """
    if source.is_dir():
        target.parent.mkdir(exist_ok=True, mode=0o700)
        source.rename(target)
    kept = sorted(target.parent.glob("*"), key=_made) if target.parent.is_dir() else []
    for old in kept[:-most]:
        with suppress(OSError):  # the next one tries again
            remove_tree(old)


def _made(path: Path) -> float:
    """When something was made last in a directory; the beginning of time for one that is gone."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
