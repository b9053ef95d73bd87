"""Which directories of a tree Cargo builds on their own, and what the repository says of its tools; nothing is run."""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from greylag.protocols import Tree
from greylag.verifiers._pyproject import below, table, text, toml

_FOREIGN = frozenset(  # parts of paths whose projects are material of another one: samples, fixtures, copies
    {"test", "tests", "testdata", "test-data", "fixtures", "example", "examples", "sample", "samples", "templates"}
    | {"template", "bench", "benches", "benchmark", "benchmarks", "fuzz", "vendor", "third_party", "third-party"}
    | {"node_modules", "target", "doc", "docs", ".github"}
)
_COPIES = frozenset({"vendor", "node_modules"})
_DECIDING = re.compile(r"(?:.*/)?(?:Cargo\.(?:toml|lock)|\.cargo/config(?:\.toml)?|rust-toolchain(?:\.toml)?)")
_SAYING = re.compile(  # files that say how a repository is checked, at its top or at the root of a project
    r"(?:GNUm|[mM])akefile|\.?[jJ]ustfile|Makefile\.toml|Taskfile\.ya?ml|\.pre-commit-config\.yaml"
    r"|\.(?:gitlab-ci|travis|cirrus)\.yml|azure-pipelines\.yml|\.circleci/config\.yml|\.github/workflows/[^/]+"
    r"|(?:ci|scripts?)/[^/]+\.sh|\.cargo/config(?:\.toml)?|\.config/nextest\.toml"
)


@dataclass(frozen=True, slots=True)
class Said:
    """A file that says how the repository is checked, and what it names there, such as a tool chain."""

    path: str = ""
    text: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Project:
    """A workspace, or a package that belongs to none. `said` has the texts that say how it is checked, by path."""

    root: str
    members: int  # other manifests that belong to it
    locked: bool  # whether its Cargo.lock is tracked
    built: bool  # whether the repository carries what Cargo has built
    files: frozenset[str]  # relative to the root
    linted: str  # the manifest that configures clippy
    said: Mapping[str, str]
    inputs: tuple[str, ...]

    @property
    def why(self) -> str:
        """What it was found by."""
        lock = "Cargo.lock" if self.locked else "no Cargo.lock"
        return f"{self.at('Cargo.toml')}, {lock}" + (f"; workspace of {self.members} packages" if self.members else "")

    def at(self, name: str) -> str:
        """The path of a file of the project in the repository."""
        return posixpath.normpath(posixpath.join(self.root, name))

    def first(self, *names: str) -> str:
        """The path of the first of these files that the project has; nothing when it has none."""
        return next((self.at(name) for name in names if name in self.files), "")

    def saying(self, *patterns: re.Pattern[str]) -> Said:
        """What the first file says in which one of `patterns` occurs, with their group `value`."""
        hits = ((path, words, pattern.search(words)) for pattern in patterns for path, words in self.said.items())
        return next((Said(path, words, hit.groupdict().get("value") or "") for path, words, hit in hits if hit), Said())


def projects(tree: Tree) -> list[Project]:
    """All roots. What lies below a workspace is a member of it, unless excluded: Cargo would refuse it otherwise."""
    paths = [path for path in tree.paths() if posixpath.basename(path) == "Cargo.toml"]
    manifests = {posixpath.dirname(path) or ".": toml(tree, path) for path in paths}
    owners = {place: _owner(place, manifests) for place in manifests}
    roots = [place for place, owner in owners.items() if owner == place and not _FOREIGN & set(place.split("/"))]
    return [_project(tree, root, [p for p in manifests if owners[p] == root], manifests) for root in sorted(roots)]


def _owner(place: str, manifests: Mapping[str, Mapping[str, Any]]) -> str:
    """The root that a manifest belongs to; itself when it is one."""
    named = (table(manifests[place], "package") or {}).get("workspace")
    if isinstance(named, str):
        return posixpath.normpath(posixpath.join(place, named))
    if table(manifests[place], "workspace") is not None:
        return place
    for up in _above(place):
        workspace = table(manifests.get(up, {}), "workspace")
        if workspace is not None and not _excluded(place, up, workspace):
            return up
    return place


def _above(place: str) -> Iterator[str]:
    while place != ".":
        place = posixpath.dirname(place) or "."
        yield place


def _excluded(place: str, root: str, workspace: Mapping[str, Any]) -> bool:
    """As Cargo has it: what is named as a member is none the less one."""

    def named(key: str) -> bool:
        entries = workspace.get(key)
        found = [entry for entry in entries if isinstance(entry, str)] if isinstance(entries, list) else []
        places = [posixpath.normpath(posixpath.join(root, entry)) for entry in found]
        return any(place == other or below(place, other) for other in places)

    return named("exclude") and not named("members")


def _project(tree: Tree, root: str, places: Sequence[str], manifests: Mapping[str, Mapping[str, Any]]) -> Project:
    paths = tree.paths()
    prefix = "" if root == "." else f"{root}/"
    files = frozenset(path.removeprefix(prefix) for path in paths if path.startswith(prefix))
    linted = [place for place in places if _configures_clippy(manifests[place])]
    saying = [prefix + file for file in sorted(files) if _SAYING.fullmatch(file)] + list(
        filter(_SAYING.fullmatch, paths)
    )
    return Project(
        root,
        len(places) - 1,
        "Cargo.lock" in files,
        any("/.fingerprint/" in file for file in files),
        files,
        posixpath.normpath(f"{linted[0]}/Cargo.toml") if linted else "",
        {path: text(tree, path) for path in saying},
        tuple(path for path in paths if _DECIDING.fullmatch(path) and not _COPIES & set(path.split("/"))),
    )


def _configures_clippy(manifest: Mapping[str, Any]) -> bool:
    return any(table(manifest, *above, "lints", "clippy") is not None for above in ((), ("workspace",)))
