"""New and changed dependencies; lock files that changed without a manifest, or take a package from elsewhere."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath

from greylag.diffs import FileDiff, parse
from greylag.guards._gates.locks import LOCKED, moved, places
from greylag.guards._gates.manifests import ManifestError, dependencies
from greylag.guards._gates.own_packages import Packages
from greylag.guards._guard import Guard, finding, read
from greylag.kinds import LOCKS, MANIFESTS, matches
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change, Tree
from greylag.text import one_line

_MARKS = ("://", "git+", "git@", "file:", "github:", "gitlab:", "bitbucket:", "link:", "=> ", '"git"', '"path"')
_REPOSITORY = re.compile(r"[A-Za-z][\w-]*/[A-Za-z][\w.-]*(?:#\S+)?")  # as npm knows one of GitHub
_ADDRESS = re.compile(r"://(?:[^/@\s\"']{1,200}@)?([^/:@\s\"']{1,200})")


def check(change: Change) -> Iterator[Diagnostic]:
    """A new name or source blocks; another version or lock file is shown."""
    files = parse(change.diff)
    manifests = [file for file in files if matches(file.path, MANIFESTS)]
    packages = Packages(change)
    for file in manifests:
        yield from _manifest(change, file, packages)
    homes = {str(PurePosixPath(file.path).parent) for file in manifests}
    for file in files:
        if matches(file.path, LOCKED) and file.status != "deleted":
            yield from _addresses(change, file)
        if matches(file.path, LOCKS) and file.status != "deleted" and not _has_manifest(file.path, homes):
            message = "the lock file changes and no manifest beside it does"
            yield finding(
                change, "dependencies", "dependencies/lock-only", message, file.path, severity=Severity.WARNING
            )


def _has_manifest(lock: str, homes: set[str]) -> bool:
    """Beside it, or below it, as in workspaces."""
    home = str(PurePosixPath(lock).parent)
    return any(home in {".", other} or other.startswith(f"{home}/") for other in homes)


def _addresses(change: Change, file: FileDiff) -> Iterator[Diagnostic]:
    """Where a lock file takes packages from; a new one is compared with those that were beside it."""
    home = PurePosixPath(file.path).parent
    beside = [path for path in change.base.paths() if PurePosixPath(path).parent == home and matches(path, LOCKED)]
    before: dict[str, frozenset[str]] = {}
    for path in beside if file.status in {"added", "copied"} else [file.old_path]:
        for name, some in (places(path, read(change.base, path) or "") or {}).items():
            before[name] = before.get(name, frozenset()) | some
    after = places(file.path, read(change.head, file.path) or "")
    if after is None and before:
        message = "the lock file cannot be read any more"
        yield finding(change, "dependencies", "dependencies/unreadable", message, file.path)
    for name, was, now in moved(before, after or {}):
        message = one_line(f"takes {name} from {now}" + (f" and not from {was} any more" if was else ""), 300)
        yield finding(change, "dependencies", "dependencies/moved", message, file.path)


def _manifest(change: Change, file: FileDiff, packages: Packages) -> Iterator[Diagnostic]:
    before = _declared(change.base, file.old_path) or {}
    after = _declared(change.head, file.path)
    if after is None:
        message = "the manifest cannot be read any more"
        yield finding(change, "dependencies", "dependencies/unreadable", message, file.path)
        return
    for name in sorted(after.keys() - before.keys()):
        message, severity = f"adds the dependency {_shown(name, after[name])}", Severity.ERROR
        if who := packages.known(file.path, name, after[name]):
            message, severity = f"{message}, {who}", Severity.INFO
        yield finding(change, "dependencies", "dependencies/added", message, file.path, severity=severity)
    for name in sorted(after.keys() & before.keys()):
        if after[name] != before[name]:
            message = f"changes the dependency {_shown(name, before[name])} to {_shown('', after[name])}"
            moved_on = _elsewhere(after[name]) and not _elsewhere(before[name])
            severity = Severity.ERROR if moved_on or _hosts(after[name]) - _hosts(before[name]) else Severity.WARNING
            yield finding(change, "dependencies", "dependencies/changed", message, file.path, severity=severity)
    for name in sorted(before.keys() - after.keys()):
        message = f"removes the dependency {_shown(name, before[name])}"
        yield finding(change, "dependencies", "dependencies/removed", message, file.path, severity=Severity.INFO)


def _declared(tree: Tree, path: str) -> dict[str, str] | None:
    text = read(tree, path)
    try:
        return dependencies(path, text) if text is not None else {}
    except ManifestError:
        return None


def _elsewhere(requirement: str) -> bool:
    """Whether it comes from another place than the registry."""
    short = _REPOSITORY.fullmatch(requirement.strip("\"' "))
    return short is not None or any(mark in requirement for mark in _MARKS)


def _hosts(requirement: str) -> frozenset[str]:
    """Where the addresses in it lead, if they are whole ones."""
    return frozenset(match[1].lower() for match in _ADDRESS.finditer(requirement))


def _shown(name: str, requirement: str) -> str:
    return one_line(f"{name} {requirement}".strip() or "any version", 120)


PLUGIN = partial(Guard, "dependencies", check)
