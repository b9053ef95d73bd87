"""Which packages of a Cargo workspace depend on those that a change touches, by their manifests."""

import posixpath
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from greylag.protocols import Tree
from greylag.verifiers._affected import dependents, nearest
from greylag.verifiers._pyproject import below, table, toml

_KINDS = ("dependencies", "dev-dependencies", "build-dependencies")


def affected(root: str, tree: Tree, changed: Collection[str]) -> tuple[str, ...] | None:
    """Names of packages; None where manifests do not tell, as for a change of one of them."""
    if any(posixpath.basename(path) in {"Cargo.toml", "Cargo.lock", "rust-toolchain.toml"} for path in changed):
        return None
    manifests = {
        posixpath.dirname(path) or ".": toml(tree, path)
        for path in tree.paths()
        if posixpath.basename(path) == "Cargo.toml" and (path == f"{root}/Cargo.toml" or below(path, root))
    }
    names = {place: _name(manifest) for place, manifest in manifests.items() if _name(manifest)}
    touched = {nearest(path, names.keys()) for path in changed}
    if None in touched or len(names) < 2:
        return None
    uses = {names[place]: set(_used(manifests[place])) for place in names}
    found = dependents(uses, {names[place] for place in touched if place}) & set(names.values())
    return tuple(sorted(found))


def _name(manifest: Mapping[str, Any]) -> str:
    name = (table(manifest, "package") or {}).get("name")
    return name if isinstance(name, str) and not name.startswith("-") else ""


def _used(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Names of packages that a manifest depends on, on whatever platform."""
    tables = [manifest, *(found for found in (table(manifest, "target") or {}).values() if isinstance(found, Mapping))]
    for of in tables:
        for kind in _KINDS:
            for name, said in (table(of, kind) or {}).items():
                renamed = said.get("package") if isinstance(said, Mapping) else None
                yield renamed if isinstance(renamed, str) else name
