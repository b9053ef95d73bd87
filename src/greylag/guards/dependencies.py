"""New and changed dependencies and where they come from, in manifests and in lock files."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TypeVar

from greylag.diffs import FileDiff, parse
from greylag.guards._gates.addresses import USUAL, elsewhere, host, origins, paths
from greylag.guards._gates.locked import locked
from greylag.guards._gates.manifests import ManifestError, dependencies
from greylag.guards._gates.own_packages import Packages
from greylag.guards._gates.registries import sources
from greylag.guards._guard import Guard, read
from greylag.kinds import MANIFESTS, matches
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change, Tree
from greylag.text import one_line

_T = TypeVar("_T")


def check(change: Change) -> Iterator[Diagnostic]:
    """A new name or source blocks; another version or lock file is shown."""
    files = parse(change.diff)
    packages = Packages(change)
    for file in files:
        if matches(file.path, MANIFESTS):
            yield from _manifest(change, file, packages)
    yield from locked(change, files, packages)


def _manifest(change: Change, file: FileDiff, packages: Packages) -> Iterator[Diagnostic]:
    after, places = _read(change.head, file.path, dependencies), _read(change.head, file.path, sources)
    had = _read(change.base, file.old_path, sources)
    if after is None or (places is None and had is not None):
        yield packages.told("unreadable", "the manifest cannot be read any more", file.path)
        return
    before = _read(change.base, file.old_path, dependencies) or {}
    told: set[str] = set()
    for name in sorted(after.keys() - before.keys()):
        message, severity = f"adds the dependency {_shown(name, after[name])}", Severity.ERROR
        who = [packages.known(file.path, name, requirement) for requirement in after[name]]
        if all(who):
            message, severity = f"{message}, {who[0]}", Severity.INFO
        come = _origins(name, after[name])
        told |= come
        yield packages.told("added", message, file.path, come, severity)
    for name in sorted(after.keys() & before.keys()):
        if changed := _changed(name, before[name], after[name], partial(packages.vouched, file.path, name)):
            message, come, severity = changed
            told |= come
            yield packages.told("changed", message, file.path, come, severity)
    for name in sorted(before.keys() - after.keys()):
        message = f"removes the dependency {_shown(name, before[name])}"
        yield packages.told("removed", message, file.path, severity=Severity.INFO)
    yield from _places(had or {}, places or {}, file.path, packages, told)


def _changed(
    name: str, before: Mapping[str, str], after: Mapping[str, str], vouched: Callable[[str], bool]
) -> tuple[str, frozenset[str], Severity] | None:
    """One name may stand in several tables: each of its requirements counts, whichever the tool would take."""
    new = {requirement: table for requirement, table in after.items() if requirement not in before}
    if not new and not before.keys() - after.keys():
        return None
    message = f"changes the dependency {_shown(name, before)} to {_placed(new or after)}"
    come = _origins(name, new) - _origins(name, before)
    moved = paths(new) - paths(before) or (any(map(elsewhere, new)) and not any(map(elsewhere, before)))
    strange = (moved or come) and not all(map(vouched, new))
    return message, come, Severity.ERROR if strange else Severity.WARNING


def _places(
    before: Mapping[str, str], after: Mapping[str, str], path: str, packages: Packages, told: Iterable[str]
) -> Iterator[Diagnostic]:
    """Registries, repositories and other places that all packages may come from, but for those of single ones."""
    for place in sorted(after.keys() - before.keys()):
        if host(place) in told:
            continue
        message, severity = f"takes packages from {one_line(after[place], 120)}", Severity.ERROR
        if place in packages.sources or host(place) in USUAL:
            message, severity = f"{message}, as other manifests or tools by themselves do", Severity.INFO
        yield packages.told("source", message, path, [host(place)], severity)
    for place in sorted(before.keys() - after.keys()):
        message = f"takes no packages from {one_line(before[place], 120)} any more"
        yield packages.told("source", message, path, severity=Severity.INFO)


def _read(tree: Tree, path: str, reader: Callable[[str, str], Mapping[str, _T]]) -> Mapping[str, _T] | None:
    text = read(tree, path)
    try:
        return reader(path, text) if text is not None else {}
    except ManifestError:
        return None


def _origins(name: str, requirements: Iterable[str]) -> frozenset[str]:
    return frozenset().union(*(origins(name, requirement) for requirement in requirements))


def _shown(name: str, requirements: Mapping[str, str]) -> str:
    return one_line(f"{name} {', '.join(filter(None, requirements))}".strip(), 160)


def _placed(requirements: Mapping[str, str]) -> str:
    shown = (f"{one or 'any version'}{f' in {table}' if table else ''}" for one, table in requirements.items())
    return one_line(", ".join(shown), 160)


PLUGIN = partial(Guard, "dependencies", check)
