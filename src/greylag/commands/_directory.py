"""What `verify`, `mcp` and `hook` share: verification of a directory where it is, with nothing in it modified."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from greylag import assembly, config
from greylag.protocols import Observe, Verify
from greylag.report import Report
from greylag.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory that can be verified again and again; `logs` holds the logs that reports name."""

    verify: Verify
    logs: Path


@contextmanager
def opened(
    path: Path, settings: config.Settings, observe: Observe, *, base: str | None = None, unsafe: bool = False
) -> Iterator[Directory]:
    """Verification of what is in `path` now, against the base commit."""
    directories = config.Directories.of(os.environ)
    assembly.enough_space(directories)
    directories.cache.mkdir(parents=True, exist_ok=True)
    box = assembly.backend(settings, unsafe=unsafe)
    home = Path(tempfile.mkdtemp(prefix="verify-", dir=_homes(directories)))
    try:
        workspace = Workspace.of_directory(path.resolve(), home=home, cache=directories.cache, base=base)
        verification = assembly.verification(workspace, settings, directories, home=home, box=box, observe=observe)

        def verify() -> Report:
            tree = workspace.freeze()
            baseline = verification.baseline()
            return verification.run(tree, mode="gate", baseline=baseline)

        yield Directory(verify, home / "logs")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _homes(directories: config.Directories) -> Path:
    homes = directories.cache / "work"
    homes.mkdir(parents=True, exist_ok=True, mode=0o700)
    return homes
