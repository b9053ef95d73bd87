"""What a JavaScript project says of itself in package.json and lock files; nothing is run and nothing raises."""

import json
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Any

from greylag.protocols import Tree
from greylag.verifiers._manager import Manager
from greylag.verifiers._pyproject import below, text

_FOREIGN = frozenset(
    {"node_modules", "test", "tests", "__tests__", "fixtures", "__fixtures__", "testdata", "example", "examples"}
    | {"sample", "samples", "template", "templates", "vendor", "dist", "build", "docs", "doc", "website", "benchmark"}
    | {"benchmarks", ".github", "target"}
)
_LONGEST = 4000  # characters of a script that is looked at
_LOCAL = re.compile(r"file:|portal:|\.{0,2}/")
_LOCKS = ("package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb")
_DECIDING = (
    "package.json",
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    "pnpm-workspace.yaml",
    ".pnpmfile.cjs",
    ".nvmrc",
    "bunfig.toml",
    *_LOCKS,
)
_ENDS = (".js", ".cjs", ".mjs", ".ts", ".cts", ".mts")
_SETTINGS = {  # of programs that check without a script
    "biome": ("biome.json", "biome.jsonc", ".biome.json", ".biome.jsonc"),
    "prettier": tuple(f".prettierrc{end}" for end in ("", *_ENDS, ".json", ".json5", ".yml", ".yaml", ".toml"))
    + tuple(f"prettier.config{end}" for end in _ENDS),
}
_BUN_TESTS = re.compile(r"[^/]*(?:[._](?:test|spec))\.[cm]?[jt]sx?")
_PNPM_OF_LOCK = {"5": "7", "6": "8", "9": "9"}  # version of pnpm-lock.yaml -> a pnpm that writes it

_YARN_OF_LOCK = {"4": "2", "5": "3.1", "6": "3", "8": "4.12", "9": "4.14"}  # the same of yarn.lock


@dataclass(frozen=True, slots=True)
class Package:
    """One package.json: scripts by name, names of everything it depends on.

    `local`: something of that is a directory or an archive of the repository, which an installation builds or copies.
    `settings`: the files or tables of programs that need no script. `tests`: a file that bun would take for tests.
    """

    root: str
    name: str
    scripts: Mapping[str, str]
    dependencies: frozenset[str]
    tsconfig: bool
    local: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    tests: str = ""


@dataclass(frozen=True, slots=True)
class Project:
    """A root that is installed as a whole, with its workspace members in the order of their dependencies."""

    package: Package
    members: tuple[Package, ...]
    manager: Manager
    inputs: tuple[str, ...]  # the files that decide what is installed


def projects(tree: Tree) -> list[Project]:
    """All roots that are installed on their own: no member of another one's workspace, no sample."""
    roots = sorted({posixpath.dirname(p) or "." for p in tree.paths() if posixpath.basename(p) == "package.json"})
    globs = {root: _globs(tree, root) for root in roots}
    owner = {root: up for up in roots for root in roots if below(root, up) and _member(root, up, globs[up])}
    tops = [root for root in roots if root not in owner and not _FOREIGN & set(root.split("/"))]
    return [_project(tree, root, [member for member in roots if owner.get(member) == root]) for root in tops]


def _globs(tree: Tree, root: str) -> list[str]:
    """The workspace patterns of a root."""
    workspaces = _json(tree, posixpath.join(root, "package.json")).get("workspaces")
    if isinstance(workspaces, Mapping):
        workspaces = workspaces.get("packages")
    found = [str(glob) for glob in workspaces] if isinstance(workspaces, list) else []
    inside = False
    for line in _at(tree, root, "pnpm-workspace.yaml").splitlines():
        if line[:1] not in {"", " ", "\t", "-", "#"}:
            inside = line.startswith("packages:")
        elif inside and (item := re.match(r"\s*-\s*['\"]?([^'\"\s#]+)", line)):
            found.append(item.group(1))
    return found


def _member(root: str, up: str, globs: Iterable[str]) -> bool:
    """Whether a directory belongs to the workspace at `up`. `*` is one directory, `**` any number, `!` takes back."""
    relative = posixpath.relpath(root, up)
    hit = False
    for glob in globs:
        pattern = glob.removeprefix("!").removeprefix("./").rstrip("/")
        depth = "**" in pattern or pattern.count("/") == relative.count("/")
        if depth and fnmatch(relative, pattern.replace("**", "*")):
            hit = not glob.startswith("!")
    return hit


def _project(tree: Tree, root: str, members: Sequence[str]) -> Project:
    own = {posixpath.normpath(posixpath.join(place, name)) for place in (root, *members) for name in _DECIDING}
    inside = tuple(posixpath.normpath(posixpath.join(root, name)) + "/" for name in ("patches", ".yarn"))
    inputs = tuple(path for path in tree.paths() if path in own or path.startswith(inside))
    packages = _ordered([_package(tree, member) for member in members])
    return Project(_package(tree, root), packages, _manager(tree, root), inputs)


def _package(tree: Tree, root: str) -> Package:
    data = _json(tree, posixpath.join(root, "package.json"))
    scripts = data.get("scripts")
    fields = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")
    tables = [table for table in map(data.get, fields) if isinstance(table, Mapping)]
    sources = [str(source) for table in tables for source in table.values()]
    return Package(
        root,
        str(data.get("name") or root),
        {k: v for k, v in scripts.items() if isinstance(v, str) and len(v) <= _LONGEST}
        if isinstance(scripts, Mapping)
        else {},
        frozenset(name for table in tables for name in table),
        bool(_at(tree, root, "tsconfig.json")),
        any(map(_LOCAL.match, sources)) or '"injected"' in json.dumps(data.get("dependenciesMeta")),
        _settings(tree, root, data),
        _tests(tree, root),
    )


def _settings(tree: Tree, root: str, data: Mapping[str, Any]) -> dict[str, str]:
    paths = set(tree.paths())
    found = {"prettier": "`prettier` in package.json"} if "prettier" in data else {}
    for program, names in _SETTINGS.items():
        there = [name for name in names if posixpath.normpath(posixpath.join(root, name)) in paths]
        if there:
            found[program] = there[0]
    return found


def _tests(tree: Tree, root: str) -> str:
    """The first file that bun would take for tests by its name."""
    own = (posixpath.relpath(path, root) for path in tree.paths() if below(path, root))
    return next((p for p in own if _BUN_TESTS.fullmatch(posixpath.basename(p)) and "node_modules/" not in p), "")


def _ordered(packages: Sequence[Package]) -> tuple[Package, ...]:
    """Packages after those that they depend on; a cycle is left in the given order."""
    rest, done = list(packages), list[Package]()
    while rest:
        names = {package.name for package in rest}
        free = [p for p in rest if not (p.dependencies & names) - {p.name}] or rest[:1]
        done += free
        rest = [package for package in rest if package not in free]
    return tuple(done)


def _manager(tree: Tree, root: str) -> Manager:
    locks = [name for name in _LOCKS if _at(tree, root, name)]
    pinned = re.match(r"(npm|pnpm|yarn|bun)@(\d+(?:\.\d+){0,2}[\w.-]*)", str(_declared(tree, root)))
    name, version = pinned.groups() if pinned else (_by_lock("".join(locks[:1])), "")
    lock = next((lock for lock in locks if _by_lock(lock) == name), "")
    if name == "pnpm" and not version:
        found = re.search(r"lockfileVersion:\s*['\"]?(\d+)", _at(tree, root, lock)[:1000])
        version = _PNPM_OF_LOCK.get(found.group(1), "") if found else ""
        workspace = _at(tree, root, "pnpm-workspace.yaml")
        if version == "9" and workspace and not re.search(r"^packages:", workspace, re.MULTILINE):
            version = "10"  # the first one to which that file is more than a list of packages
    rc = _at(tree, root, ".yarnrc.yml")
    berry = name == "yarn" and (
        version[:1] not in {"", "1"} or bool(rc) or "__metadata:" in _at(tree, root, lock)[:2000]
    )
    if berry and not version:
        written = re.search(r"^__metadata:\s+version: (\d+)", _at(tree, root, lock)[:2000], re.MULTILINE)
        version = _YARN_OF_LOCK.get(written.group(1), "") if written else ""
    release = re.search(r"^yarnPath:\s*['\"]?([^'\"\s]+\.c?js)", rc, re.MULTILINE)
    own = release.group(1) if berry and release and _at(tree, root, release.group(1)) else ""
    own = posixpath.normpath(posixpath.join("@workspace@", root, own)) if own else ""
    pnp = berry and not re.search(r"^nodeLinker:\s*['\"]?(?:node-modules|pnpm)", rc, re.MULTILINE)
    return Manager(name, version, lock, berry, own, pnp)


def _declared(tree: Tree, root: str) -> object:
    return _json(tree, posixpath.join(root, "package.json")).get("packageManager")


def _by_lock(lock: str) -> str:
    return {"pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn", "bun.lock": "bun", "bun.lockb": "bun"}.get(lock, "npm")


def _at(tree: Tree, root: str, name: str) -> str:
    return text(tree, posixpath.normpath(posixpath.join(root, name)))


def _json(tree: Tree, path: str) -> Mapping[str, Any]:
    try:
        data = json.loads(text(tree, posixpath.normpath(path)) or "{}")
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, Mapping) else {}
