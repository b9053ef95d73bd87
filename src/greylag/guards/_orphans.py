"""Files of Rust that no target and no module names: cargo does not compile them, so tests in them do not run."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from posixpath import basename, dirname, join, relpath

from greylag.diffs import FileDiff
from greylag.guards._guard import read
from greylag.protocols import Change, Tree

_TARGET = re.compile(
    r"build\.rs|src/(?:lib|main)\.rs|src/bin/(?:[^/]+\.rs|[^/]+/main\.rs)|(?:tests|benches|examples)/(?:[^/]+\.rs|[^/]+/main\.rs)"
)
_FINDS = re.compile(r"\bautomod\b|\binclude!|\btrybuild\b")  # may name files in ways that are not read here
_MOST, _LARGEST = 300, 500_000  # files of a crate that are read, and characters of one


def is_orphan(change: Change, file: FileDiff) -> bool:
    """Whether a file of Rust that is new at its place is not part of any crate."""
    if not file.path.endswith(".rs") or file.status not in {"added", "renamed", "copied"}:
        return False
    crate = next((home for home in _homes(file.path) if read(change.head, join(home, "Cargo.toml")) is not None), None)
    if crate is None or _TARGET.fullmatch(relpath(file.path, crate or ".")):
        return False
    name = PurePosixPath(file.path)
    if name.name in (read(change.head, join(crate, "Cargo.toml")) or ""):
        return False
    return not any(_names(path, text, name) for path, text in _files(change.head, crate) if path != file.path)


def _homes(path: str) -> Iterator[str]:
    while path:
        path = dirname(path)
        yield path


def _files(tree: Tree, crate: str) -> Iterator[tuple[str, str]]:
    paths = [path for path in tree.paths() if path.endswith(".rs") and path.startswith(f"{crate}/" if crate else "")]
    return ((path, (read(tree, path) or "")[:_LARGEST]) for path in paths[:_MOST])


def _names(path: str, text: str, file: PurePosixPath) -> bool:
    """Whether a file says that another one is its module, or brings it in by its path."""
    stem, home = (file.parent.name, file.parent.parent) if file.name == "mod.rs" else (file.stem, file.parent)
    if _FINDS.search(text) or f'{file.name}"' in text:
        return True
    near = PurePosixPath(dirname(path)) == home
    above = basename(path) == f"{home.name}.rs" or re.search(rf"\bmod\s+{re.escape(home.name)}\s*\{{", text)
    return bool(near or above) and re.search(rf"\bmod\s+{re.escape(stem)}\s*;", text) is not None
