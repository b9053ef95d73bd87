"""Modules that take the place of others, because Python looks in the repository first.

Import roots are the root and its sources, what settings name as `pythonpath`, and each directory of tests that pytest
puts in front of the path (https://docs.pytest.org/en/stable/explanation/pythonpath.html).
"""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from posixpath import dirname, join, normpath

from greylag.diffs import FileDiff
from greylag.guards._gates.manifests import ManifestError, dependencies
from greylag.guards._guard import read
from greylag.kinds import MANIFESTS, matches
from greylag.protocols import Change, Tree

_TOOLS = re.compile(
    r"_?pytest|pluggy|iniconfig|unittest|nose2?|tox|nox|coverage|pytest_cov|xdist|(?:site|user)customize"
    r"|mypyc?|ruff|(?:based)?pyright|flake8|pylint|black|isort"
)
# What the tools import, under whatever name it is distributed.
_IMPORTED = """
pygments packaging exceptiongroup tomli tomllib colorama attr attrs py execnet hypothesis anyio mypy_extensions librt
typing_extensions pathspec click platformdirs nodeenv pycodestyle pyflakes mccabe astroid dill tomlkit blib2to3 blackd
pytokens setuptools pkg_resources _distutils_hack distutils hatchling editables flit_core poetry maturin wheel
scikit_build_core pip virtualenv distlib filelock cachetools chardet trove_classifiers yaml jinja2 markupsafe
pyproject_hooks pyproject_api
"""
_OF_TOOLS = frozenset(_IMPORTED.split())
_STANDARD = sys.stdlib_module_names - {"test"}
_MODULES = (".py", ".pyc", ".so", ".pyd")
_PROJECT = frozenset({"pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "pytest.ini", "tox.ini"})
_SETTINGS = frozenset({"pyproject.toml", "setup.cfg", "pytest.ini", ".pytest.ini", "pytest.toml", "tox.ini"})
_PATHS = re.compile(
    r"^[ \t]*(?:pythonpath|mypy_path|PYTHONPATH)[ \t]*=[ \t]*(\[[^\]]{0,2000}\]|[^\n]{0,2000})", re.MULTILINE
)
_NAME = re.compile(r"^[ \t]*name[ \t]*=[ \t]*[\"']?([\w.-]{1,100})", re.MULTILINE)
_STARTED = re.compile(r"(?:site|user)customize")  # run at every start
_WORD = re.compile(r"[\w./-]+")
_TEST = re.compile(r"conftest\.py|test_[^/]*\.py|[^/]*_test\.py")
_MOST = 200  # manifests that are read


@dataclass(frozen=True, slots=True)
class Imports:
    """Where imports begin, and whether the standard library can be shadowed there; modules that others bring.

    `own` are those that the repository's projects are named by: a tool's own repository has the tool in it.
    """

    roots: Mapping[str, bool]
    others: frozenset[str]
    own: frozenset[str] = frozenset()


def imports(change: Change) -> Imports:
    """What Python finds first in the head; what it should find elsewhere, by the base commit's dependencies."""
    paths = {*change.base.paths(), *change.head.paths()}
    projects = {dirname(path) or "." for path in paths if path.rpartition("/")[2] in _PROJECT}
    found = {normpath(join(home, "src")): False for home in {".", *projects}} | {".": False}
    if projects:
        found |= dict.fromkeys(_first(change.head, change.head.paths()), True)
    own = frozenset(_own(change.base, projects))
    return Imports(found | dict.fromkeys(projects, True), frozenset(_brought(change.base)), own)


def _own(base: Tree, projects: set[str]) -> Iterator[str]:
    for path in [
        normpath(join(home, name)) for home in projects for name in ("pyproject.toml", "setup.cfg", "setup.py")
    ]:
        for match in _NAME.finditer(read(base, path) or ""):
            yield re.sub(r"[-.]", "_", match[1].lower())


def _first(head: Tree, paths: Sequence[str]) -> Iterator[str]:
    """Directories that pytest puts in front of the path: of settings, and of tests outside of packages."""
    for path in [path for path in paths if path.rpartition("/")[2] in _SETTINGS][:_MOST]:
        for match in _PATHS.finditer(read(head, path) or ""):
            yield from (normpath(join(dirname(path), word)) for word in _WORD.findall(match[1]))
    packages = {dirname(path) for path in paths if path.endswith("/__init__.py")}
    for home in {dirname(path) for path in paths if _TEST.fullmatch(path.rpartition("/")[2])}:
        place = home
        while place in packages:
            place = dirname(place)
        yield place or "."


def _brought(base: Tree) -> Iterator[str]:
    manifests = [path for path in base.paths() if path.endswith((".py", ".toml", ".cfg", ".txt", ".in", "Pipfile"))]
    for path in [path for path in manifests if matches(path, MANIFESTS)][:_MOST]:
        try:
            names = dependencies(path, read(base, path) or "")
        except ManifestError:
            continue
        yield from (re.sub(r"[-.]", "_", name.lower()) for name in names)


def shadow(change: Change, file: FileDiff, known: Imports) -> str | None:
    """What a new or changed file takes the place of, when Python would import it first."""
    if file.status == "deleted":
        return None
    if file.path.endswith((".pth", "._pth")):
        weights = file.binary or (read(change.head, file.path) or "").startswith("version https://git-lfs")
        return None if weights else "is run or read at every start of Python"
    for root in map(str, PurePosixPath(file.path).parents):
        name = module(file, root, change.head) if root in known.roots else ""
        if name in known.own and not _STARTED.fullmatch(name):
            continue
        if _TOOLS.fullmatch(name) or (name and _foreign(name, root, known) and not _had(change.base, name, known)):
            return f"takes the place of the module `{name}`"
    return None


def _foreign(name: str, root: str, known: Imports) -> bool:
    elsewhere = name in _OF_TOOLS or name.lower() in known.others
    return elsewhere or (known.roots[root] and name in _STANDARD)


def _had(base: Tree, name: str, known: Imports) -> bool:
    """Whether the repository had a module of that name before: then the tools have lived with it."""
    places = (join(root, name) for root in known.roots)
    return any(_is_module(base, normpath(place)) for place in places)


def _is_module(tree: Tree, place: str) -> bool:
    return any(read(tree, f"{place}{middle}{end}") is not None for middle in ("", "/__init__") for end in _MODULES)


def module(file: FileDiff, root: str, head: Tree) -> str:
    """Name of the top-level module at `root` that the file is, or is part of."""
    first, *rest = PurePosixPath(file.path).relative_to(root).parts
    if not rest:
        return first.split(".")[0] if file.path.endswith(_MODULES) or file.new_mode == "120000" else ""
    package = any(read(head, normpath(join(root, first, f"__init__{end}"))) is not None for end in _MODULES)
    return first if package and file.path.endswith(_MODULES) else ""
