"""Which modules of Go a repository has, and which of them are built together, by go.mod and go.work."""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from greylag.protocols import Tree
from greylag.verifiers._pyproject import FOREIGN, text

_DECIDING = {"go.mod", "go.sum", "go.work", "go.work.sum"}  # which modules are downloaded
_LINTER = (".golangci.yml", ".golangci.yaml", ".golangci.toml", ".golangci.json")
_NAME = re.compile(r"^[ \t]*module[ \t]+[\"`]?([^\s\"`]+)", re.MULTILINE)
_USE = re.compile(r"^[ \t]*use[ \t]*(?:\(([^()]*)\)|([^\s(].*))", re.MULTILINE)
_PINNED = re.compile(
    r"^[ \t]*(?:tool[ \t]+)?github\.com/golangci/golangci-lint(?:/v\d+)?/cmd/golangci-lint[ \t\r]*$", re.MULTILINE
)
_GENERATED = re.compile(rb"^// Code generated .* DO NOT EDIT\.\r?$", re.MULTILINE)  # as the go command has it
_UNBUILT = re.compile(rb"^//go:build (?:tools?|ignore)\r?$", re.MULTILINE)
_HEAD = 20_000  # bytes of a file before its package clause


@dataclass(frozen=True, slots=True)
class Unit:
    """What one command builds: a module, or those of a workspace. Files are relative to `root`."""

    root: str
    reason: str
    modules: Mapping[str, str]  # import path -> directory in the repository
    patterns: tuple[str, ...]  # its packages, seen from `root`
    files: tuple[str, ...]  # of these packages
    written: tuple[str, ...]  # those of them that no tool generates
    inputs: tuple[str, ...]
    vendored: bool
    outside: bool  # there is a go.work above that does not name it
    linter: str  # the file that configures golangci-lint
    pinned: bool  # go.mod has golangci-lint among its tools

    @property
    def env(self) -> Mapping[str, str]:
        """The variables of its commands."""
        return {"GOMAXPROCS": "@cpus@"} | ({"GOWORK": "off"} if self.outside else {})

    @property
    def tests(self) -> bool:
        """Whether it has files of tests."""
        return any(file.endswith("_test.go") for file in self.files)


@dataclass(slots=True)
class _Module:
    """A go.mod with the files that `./...` covers; `builds`: it has some that are no mere list of tools."""

    name: str
    pinned: bool
    files: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    builds: bool = False


def units(tree: Tree) -> Iterator[Unit]:
    """Workspaces, and the modules that belong to none. Modules without a package are left out, and so are samples,
    unless a workspace names them.
    """
    modules = _modules(tree)
    works = {root: _used(tree, root) for root in _with(tree, "go.work") if not _foreign(root)}
    named = {directory for uses in works.values() for directory in uses}
    groups = [(root, uses, False) for root, uses in works.items()]
    groups += [
        (root, [root], any(place in works for place in _upwards(root)))
        for root in modules
        if root not in named and not _foreign(root)
    ]
    for root, uses, outside in groups:
        if members := {place: modules[place] for place in uses if place in modules and modules[place].builds}:
            yield _unit(tree, root, members, outside=outside)


def _unit(tree: Tree, root: str, members: Mapping[str, _Module], *, outside: bool) -> Unit:
    paths = set(tree.paths())
    work = _at(root, "go.work") if not outside and _at(root, "go.work") in paths else ""
    lists = (_at(place, name) for place in _upwards(root) for name in _LINTER)
    return Unit(
        root,
        f"{work}, modules {', '.join(members)}" if work else _at(root, "go.mod"),
        {module.name: place for place, module in members.items() if module.name},
        tuple(f"./{posixpath.normpath(posixpath.join(posixpath.relpath(place, root), '...'))}" for place in members),
        tuple(posixpath.relpath(file, root) for module in members.values() for file in module.files),
        tuple(posixpath.relpath(file, root) for module in members.values() for file in module.written),
        tuple(path for path in tree.paths() if posixpath.basename(path) in _DECIDING),
        _at(root, "vendor/modules.txt") in paths,
        outside,
        next((path for path in lists if path in paths), ""),
        any(module.pinned for module in members.values()),
    )


def _modules(tree: Tree) -> dict[str, _Module]:
    """All modules by their directories, each with its own files."""
    found = {}
    for root in _with(tree, "go.mod"):
        declared = text(tree, _at(root, "go.mod"))
        name = _NAME.search(declared)
        found[root] = _Module(name[1] if name else "", bool(_PINNED.search(declared)))
    for path in (path for path in tree.paths() if path.endswith(".go")):
        own = next((place for place in _upwards(posixpath.dirname(path) or ".") if place in found), None)
        if own is None or _ignored(posixpath.relpath(path, own)):
            continue
        head = (b"\n" + tree.read(path)).partition(b"\npackage ")[0][:_HEAD]
        found[own].files.append(path)
        found[own].builds |= not _UNBUILT.search(head)
        if not _GENERATED.search(head):
            found[own].written.append(path)
    return found


def _with(tree: Tree, name: str) -> list[str]:
    """Directories that have a file of this name."""
    return [posixpath.dirname(path) or "." for path in tree.paths() if posixpath.basename(path) == name]


def _used(tree: Tree, root: str) -> Sequence[str]:
    """The directories that a go.work names."""
    declared = re.sub(r"//.*", "", text(tree, _at(root, "go.work")))
    lines = [line for block, one in _USE.findall(declared) for line in (block or one).split("\n")]
    return list(dict.fromkeys(_at(root, place) for line in lines if (place := line.strip().strip('"`'))))


def _at(root: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(root, path))


def _upwards(place: str) -> Iterator[str]:
    """A directory and all above it."""
    yield place
    while place != ".":
        place = posixpath.dirname(place) or "."
        yield place


def _foreign(root: str) -> bool:
    """Whether a directory is of samples or of somebody else."""
    parts = set(root.split("/")) - {"."}
    return bool(FOREIGN & parts) or any(part[0] in "._" for part in parts)


def _ignored(path: str) -> bool:
    """Whether the go command passes over a file."""
    parts = path.split("/")
    return bool({"testdata", "vendor"}.intersection(parts[:-1])) or any(part[0] in "._" for part in parts)
