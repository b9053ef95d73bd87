"""Which tests of a Python project import what a change touches, by the import statements of its files."""

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from greylag.protocols import Tree
from greylag.verifiers import _pyproject
from greylag.verifiers._affected import dependents
from greylag.verifiers._pyproject import Project

_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<base>[\w.]{1,300})[ \t]+import[ \t]+(?:\((?P<many>[^()]{0,10000})\)|(?P<few>[^\n#;(]*))"
    r"|import[ \t]+(?P<whole>[^\n#;(]*))",
    re.MULTILINE,
)
_NAME = re.compile(r"[\w.]{1,300}")
_COMMENT = re.compile(r"#[^\n]*")
_SETTINGS = ("pyproject.toml", "pytest.ini", ".pytest.ini", "setup.cfg", "tox.ini")
_OTHER = re.compile(r"python_files|doctest|--pyargs")  # other files than the usual ones hold tests


def affected(project: Project, tree: Tree, changed: Collection[str]) -> Sequence[str] | None:
    """Files of tests, seen from the project's root; None where imports do not tell."""
    if not changed or not all(path.endswith(".py") for path in changed):
        return None
    settings = "".join(_pyproject.text(tree, _at(project, name)) for name in _SETTINGS)
    if _OTHER.search(settings):
        return None
    sources = {path: _pyproject.text(tree, path) for path in tree.paths() if path.endswith(".py")}
    found = dependents(_uses(sources), changed)
    chosen = [name for name in project.test_files if _at(project, name) in found and _collected(project, name)]
    return chosen or None


def _at(project: Project, name: str) -> str:
    return posixpath.normpath(posixpath.join(project.root, name))


def _collected(project: Project, name: str) -> bool:
    """Whether a run without names of files would come by."""
    options = _pyproject.table(project.pyproject, "tool", "pytest", "ini_options") or {}
    places = list(_pyproject.strings([options.get("testpaths")]))
    return not places or any(name.startswith(f"{place.strip('./')}/") or name == place for place in places)


def _uses(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """For each file those that it imports, and the conftest.py files that pytest imports for it."""
    modules = _modules(sources)
    uses: dict[str, set[str]] = {}
    for path, text in sources.items():
        names = _named(path, text)
        uses[path] = {file for name in names for part in _prefixes(name) for file in modules.get(part, ())}
        uses[path] |= {conftest for conftest in _conftests(path) if conftest in sources}
    return uses


def _modules(paths: Iterable[str]) -> dict[str, list[str]]:
    """Files by every name that they can be imported by: from any directory that is no package."""
    known = set(paths)
    found: dict[str, list[str]] = {}
    for path in known:
        parts = path.removesuffix(".py").removesuffix("/__init__").split("/")
        for start in range(len(parts)):
            above = "/".join(parts[:start])
            if not above or f"{above}/__init__.py" not in known:
                found.setdefault(".".join(parts[start:]), []).append(path)
    return found


def _named(path: str, text: str) -> Iterator[str]:
    """Names that may be modules, absolute or as paths from the repository's top."""
    for hit in _IMPORT.finditer(text):
        if (whole := hit["whole"]) is not None:
            yield from (name[0] for part in whole.split(",") if (name := _NAME.match(part.strip())))
            continue
        base = _base(path, hit["base"])
        yield base
        names = _NAME.findall(_COMMENT.sub("", hit["many"] or hit["few"] or ""))
        yield from (f"{base}.{name}" if base else name for name in names)


def _base(path: str, name: str) -> str:
    """A relative name as it is seen from the top: every file can be named so there."""
    dots = len(name) - len(name.lstrip("."))
    if not dots:
        return name
    parts = path.split("/")[:-dots]
    return ".".join((*parts, *filter(None, [name.lstrip(".")])))


def _prefixes(name: str) -> Iterator[str]:
    """A module and the packages around it, which are imported before it."""
    while name:
        yield name
        name = name.rpartition(".")[0]


def _conftests(path: str) -> Iterator[str]:
    place = posixpath.dirname(path)
    while place:
        yield f"{place}/conftest.py"
        place = posixpath.dirname(place)
    yield "conftest.py"
