"""Findings on changed lock files."""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from greylag.diffs import FileDiff
from greylag.guards._gates.addresses import host
from greylag.guards._gates.lock_formats import Format
from greylag.guards._gates.locks import Lock, format_of, lock, moved, replaced
from greylag.guards._gates.manifests import ManifestError, dependencies, is_read
from greylag.guards._gates.own_packages import Packages
from greylag.guards._gates.registries import sources
from greylag.guards._guard import read
from greylag.kinds import LOCKS, MANIFESTS, matches
from greylag.lockfiles import is_lock
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change
from greylag.text import one_line

_NAMED = 5  # packages that one finding names


def locked(change: Change, files: Sequence[FileDiff], packages: Packages) -> Iterator[Diagnostic]:
    """Packages from elsewhere, with other contents, or that no manifest asked for."""
    homes = {str(PurePosixPath(file.path).parent) for file in files if matches(file.path, MANIFESTS)}
    new = {form for file in files if file.status == "added" and (form := format_of(file.path))}
    for file in files:
        if not matches(file.path, LOCKS):
            continue
        if file.status == "deleted":
            form = format_of(file.path)
            if not form or all(other.manifests != form.manifests for other in new):
                message = "removes the lock file, and with it what says which versions are meant"
                yield packages.told("unlocked", message, file.path, severity=Severity.WARNING)
        else:
            yield from _one(change, file, files, packages)
            if not _has_manifest(file.path, homes):
                message = "the lock file changes and no manifest beside it does"
                yield packages.told("lock-only", message, file.path, severity=Severity.WARNING)


def _has_manifest(path: str, homes: set[str]) -> bool:
    """Beside it, or below it, as in workspaces."""
    home = str(PurePosixPath(path).parent)
    return any(home in {".", other} or other.startswith(f"{home}/") for other in homes)


def _one(change: Change, file: FileDiff, files: Sequence[FileDiff], packages: Packages) -> Iterator[Diagnostic]:
    form, text = format_of(file.path), read(change.head, file.path) or ""
    if form is None or file.binary:
        return
    before, after = _before(change, file, form), lock(file.path, text)
    was = (read(change.base, file.old_path) or "") if file.status != "added" else ""
    if (after is None and before.places) or (was.strip() and is_lock(file.old_path, was) > is_lock(file.path, text)):
        yield packages.told("unreadable", "the lock file cannot be read any more", file.path)
    after = after or Lock()
    for name, old, new in moved(before, after, owned=form.owned):
        message = one_line(f"takes {name} from {new}" + (f" and not from {old} any more" if old else ""), 300)
        yield packages.told("moved", message, file.path, [host(new)])
    if others := [f"{name} {version}" for name, version in replaced(before, after)]:
        message = f"has other checksums than before for {_some(others)}"
        yield packages.told("replaced", message, file.path, ["these contents"])
    added = sorted(after.packages - before.packages) if before.packages else []
    severity = _unasked(change, form, files)
    if added and severity:
        message = f"adds {_some(added)}, and no manifest asks for other packages than before"
        yield packages.told("added", message, file.path, severity=severity)


def _before(change: Change, file: FileDiff, form: Format) -> Lock:
    """What it was, or those of its kind that were beside a new one."""
    home, paths = PurePosixPath(file.path).parent, [file.old_path]
    if file.status in {"added", "copied"}:
        of_kind = (path for path in change.base.paths() if PurePosixPath(path).parent == home and matches(path, LOCKS))
        paths = [path for path in of_kind if (other := format_of(path)) and other.manifests == form.manifests]
    found = Lock()
    for path in paths:
        found |= lock(path, read(change.base, path) or "") or Lock()
    return found


def _unasked(change: Change, form: Format, files: Sequence[FileDiff]) -> Severity | None:
    """How bad it is that a lock file has more packages: nothing, where a manifest asks for others than before."""
    asking = [file for file in files if matches(file.path, form.manifests)]
    if any(_asks_otherwise(change, file) for file in asking):
        return None
    return Severity.WARNING if asking else Severity.ERROR


def _asks_otherwise(change: Change, file: FileDiff) -> bool:
    if file.status not in {"modified", "renamed"} or not is_read(file.path):
        return True
    old, new = read(change.base, file.old_path) or "", read(change.head, file.path) or ""
    try:
        same = dependencies(file.old_path, old) == dependencies(file.path, new)
        return not same or sources(file.old_path, old) != sources(file.path, new)
    except ManifestError:
        return True


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return one_line(", ".join(names[:_NAMED]), 300) + more
