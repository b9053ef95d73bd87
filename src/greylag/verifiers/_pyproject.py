"""What a Python project says of itself, read from its files; nothing is run and nothing raises."""

import configparser
import posixpath
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

from greylag.protocols import Tree

# Parts of paths whose projects are material of another project: samples, fixtures, copies.
FOREIGN = frozenset(
    {"test", "tests", "testing", "testdata", "fixtures", "example", "examples", "sample", "samples", "doc", "docs"}
    | {"vendor", "third_party", "node_modules", "site-packages", "templates", "benchmarks", "dist", "build", ".github"}
)
_TEST_GROUPS = re.compile(
    r"(?:unit[-_]?)?(?:tests?|testing|dev|develop|development|ci|checks?|qa|lint|linting|linters|style|format|typing"
    r"|types|typecheck|mypy|pyright|ruff|pytest)",
    re.IGNORECASE,
)
_REQUIREMENTS = re.compile(
    r"requirements\.txt|(?:requirements[-_./](?:base|main|prod))\.txt"
    r"|requirements[-_./](?:dev|tests?|testing|development|ci|lint|typing|types|mypy|pyright)\.txt"
    r"|(?:dev|tests?|testing)[-_]requirements\.txt",
)
_PATH = re.compile(  # a requirement that is a directory or a file; with `-e` before it, a link to that
    r"\s*(?:\.|/|file:|[\w.-]+/|[\w.-]+\s*(?:\[[^]]*\])?\s*@\s*file:)"
)
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


@dataclass(frozen=True, slots=True)
class Project:
    """One Python root: `manager` is `uv`, `poetry` or `pip`; file names are relative to the root."""

    root: str
    manager: str
    why: str
    files: frozenset[str]
    pyproject: Mapping[str, Any]
    setup: str  # text of setup.py and setup.cfg
    requirements: tuple[str, ...]  # requirement files to install
    extras: tuple[str, ...]
    groups: tuple[str, ...]
    tox: tuple[str, ...]  # what tox.ini installs for its tests, where nothing else says what tests need
    declared: frozenset[str]  # normalised names of all packages that its files mention
    installed: frozenset[str]  # the same without those that only tox would install
    copies: bool  # whether directories of the repository are among its requirements, not as links
    nested: tuple[str, ...]  # other roots below it
    shared: frozenset[str]  # files at the top of the repository

    def tool(self, name: str) -> Mapping[str, Any] | None:
        """The table `[tool.NAME]` of pyproject.toml, if there is one."""
        return table(self.pyproject, "tool", name)

    @property
    def installable(self) -> bool:
        """Whether the root itself can be installed, and not only what it needs."""
        return bool({"setup.py"} & self.files or "build-system" in self.pyproject)

    @property
    def test_files(self) -> tuple[str, ...]:
        """Files that a test runner would pick up by their names."""
        return tuple(f for f in sorted(self.files) if re.search(r"(?:^|/)(?:test_[^/]*|[^/]*_test|tests)\.py$", f))


def table(data: Mapping[str, Any], *keys: str) -> Mapping[str, Any] | None:
    """The table at `keys`; None when there is none, whatever stands there instead."""
    value: Any = data
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else None


def text(tree: Tree, path: str) -> str:
    """A file's text, or nothing. `path` may begin with `./`."""
    try:
        return tree.read(posixpath.normpath(path)).decode("utf-8", "replace")
    except KeyError:
        return ""


def toml(tree: Tree, path: str) -> Mapping[str, Any]:
    """A TOML file; empty when it is missing or broken (whatever reads it then will say so)."""
    try:
        return tomllib.loads(text(tree, path))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def ini(source: str) -> configparser.ConfigParser:
    """An INI file such as setup.cfg or tox.ini; empty when it is broken."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(source)
    except configparser.Error:
        return configparser.ConfigParser(interpolation=None)
    return parser


def projects(tree: Tree) -> list[Project]:
    """All Python roots of a tree, outermost first."""
    roots = {posixpath.dirname(path) or "." for path in tree.paths() if _marks(tree, path)}
    roots = {root for root in roots if not FOREIGN & set(root.split("/"))}
    if not roots and any(re.search(r"(?:^|/)test_[^/]*\.py$|_test\.py$", path) for path in tree.paths()):
        roots = {"."}
    members = {member for root in roots for member in _members(tree, root, roots)}
    kept = sorted(roots - members, key=lambda root: (root != ".", root.count("/"), root))
    found = [_project(tree, root, [other for other in kept if below(other, root)]) for root in kept]
    return [project for project in found if any(file.endswith(".py") for file in project.files)]


def below(path: str, root: str) -> bool:
    """Whether `path` lies in the directory `root` and is not `root` itself."""
    return path not in {root, "."} if root == "." else path.startswith(root + "/")


def _marks(tree: Tree, path: str) -> bool:
    name = posixpath.basename(path)
    if name in {"setup.py", "requirements.txt", "uv.lock", "poetry.lock"}:
        return True
    if name == "pyproject.toml":
        data = toml(tree, path)
        return "/" not in path or "project" in data or bool(table(data, "tool", "poetry"))
    return name == "setup.cfg" and ini(text(tree, path)).has_section("metadata")


def _members(tree: Tree, root: str, roots: Iterable[str]) -> Iterator[str]:
    """Roots that a uv workspace at `root` installs together with itself."""
    workspace = table(toml(tree, posixpath.join(root, "pyproject.toml")), "tool", "uv", "workspace") or {}
    for other in roots:
        relative = posixpath.relpath(other, root)
        fits = any(fnmatch(relative, str(glob)) for glob in workspace.get("members") or ())
        if fits and not any(fnmatch(relative, str(glob)) for glob in workspace.get("exclude") or ()):
            yield other


def _project(tree: Tree, root: str, nested: list[str]) -> Project:
    files = frozenset(
        posixpath.relpath(path, root)
        for path in tree.paths()
        if below(path, root) and not any(below(path, other) for other in nested)
    )
    data = toml(tree, posixpath.join(root, "pyproject.toml"))
    manager, why = _manager(files, data)
    tox = ini(text(tree, posixpath.join(root, "tox.ini")))
    requirements = tuple(sorted(file for file in files if _REQUIREMENTS.fullmatch(file)))
    optional = table(data, "project", "optional-dependencies") or table(data, "tool", "poetry", "extras") or {}
    setup = text(tree, posixpath.join(root, "setup.py")) + text(tree, posixpath.join(root, "setup.cfg"))
    legacy = re.findall(r"(?:^|[\"'{\s])([\w-]+)[\"']?\s*[:=]", setup) if "extras_require" in setup else []
    named = {*(table(data, "dependency-groups") or {}), *(table(data, "tool", "poetry", "group") or {})}
    sources = [text(tree, posixpath.join(root, file)) for file in requirements]
    extras = tuple(sorted(filter(_TEST_GROUPS.fullmatch, {*optional, *legacy, *_tox(tox, "extras")})))
    groups = tuple(sorted(filter(_TEST_GROUPS.fullmatch, named)))
    alone = manager == "pip" and not (extras or groups or set(requirements) - {"requirements.txt"})
    return Project(
        root,
        manager,
        why,
        files,
        data,
        setup,
        requirements,
        extras=extras,
        groups=groups,
        tox=tuple(_tox(tox, "deps")) if alone else (),
        declared=frozenset(_declared(data, sources, setup, _tox(tox, "deps"))),
        installed=frozenset(_declared(data, sources, setup, _tox(tox, "deps") if alone else [])),
        copies=any(_copied(data, sources)),
        nested=tuple(posixpath.relpath(other, root) for other in nested),
        shared=frozenset(path for path in tree.paths() if "/" not in path),
    )


def _manager(files: frozenset[str], data: Mapping[str, Any]) -> tuple[str, str]:
    tool = table(data, "tool") or {}
    if "uv.lock" in files:
        return "uv", "uv.lock"
    if "poetry.lock" in files or "poetry" in tool:
        return "poetry", "poetry.lock" if "poetry.lock" in files else "[tool.poetry] in pyproject.toml"
    if "uv" in tool and "project" in data:
        return "uv", "[tool.uv] in pyproject.toml"
    for file in ("pyproject.toml", "setup.py", "setup.cfg", "requirements.txt"):
        if file in files:
            return "pip", file
    return "pip", "Python files with tests"


def _tox(tox: configparser.ConfigParser, key: str) -> list[str]:
    """Lines of `deps` or `extras` of all test environments; substitutions and references are left out."""
    value = "\n".join(
        tox.get(section, key, fallback="")
        for section in tox.sections()
        if re.match(r"testenv(?::(?:py|test)|$)", section)
    )
    lines = [line.split("#")[0].split(": ", 1)[-1].strip() for line in re.split(r"[\n,]", value)]
    return [line for line in lines if line and not re.search(r"[{}]|^-", line)]


def _declared(data: Mapping[str, Any], sources: list[str], setup: str, tox: list[str]) -> Iterator[str]:
    lines = [line for source in sources for line in source.splitlines()] + tox
    lines += list(strings([table(data, "project") or {}, table(data, "dependency-groups") or {}]))
    lines += list(strings(table(data, "tool", "uv") or {})) + re.findall(r"[\"']([^\"'\n]+)[\"']", setup)
    lines += [line for line in setup.splitlines() if line.startswith((" ", "\t"))]
    poetry = table(data, "tool", "poetry") or {}
    keys = [*(table(poetry, "dependencies") or {}), *(table(poetry, "dev-dependencies") or {})]
    keys += [n for group in table(poetry, "group") or {} for n in table(poetry, "group", group, "dependencies") or {}]
    yield from names((*lines, *keys))


def names(lines: Iterable[str]) -> Iterator[str]:
    """The packages that requirement lines begin with, by their normalised names."""
    return (re.sub(r"[-_.]+", "-", found.group(1)).lower() for found in map(_NAME.match, lines) if found)


def _copied(data: Mapping[str, Any], sources: list[str]) -> Iterator[bool]:
    """For each requirement on this machine, in the words of pip, uv or poetry, whether it is copied."""
    named = strings([table(data, "project") or {}, table(data, "dependency-groups") or {}])
    lines = [line for source in sources for line in source.splitlines()]
    yield from (bool(_PATH.match(line)) for line in (*lines, *(text for text in named if "file:" in text)))
    poetry = table(data, "tool", "poetry") or {}
    groups = [table(poetry, "group", name, "dependencies") for name in table(poetry, "group") or {}]
    named_apart = (table(data, "tool", "uv", "sources"), poetry.get("dependencies"), poetry.get("dev-dependencies"))
    for source in _tables([*named_apart, *groups]):
        if "path" in source or "file" in source:
            yield not (source.get("editable") or source.get("develop"))
        elif "workspace" in source:
            yield source.get("editable") is False


def _tables(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from _tables(item)


def strings(value: Any) -> Iterator[str]:
    """All strings in tables and lists, without the keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
