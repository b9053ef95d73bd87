"""Which files the settings of jest and vitest load before any test: no test imports them, and each depends on them."""

import json
import posixpath
import re
from collections.abc import Iterable, Iterator

from greylag.protocols import Tree
from greylag.verifiers._pyproject import text

_SETTINGS = re.compile(
    r"package\.json|(?:jest|vitest|vite|babel)\.(?:[\w-]{1,50}\.)?(?:config|workspace|projects)\.(?:[cm]?[jt]s|json)"
)
_KEYS = re.compile(  # without an end, so that what is never closed is passed by once
    r"\b(?:setupFiles(?:AfterEnv)?|global(?:Setup|Teardown)|(?:testE|e)nvironment|transform|resolver|(?:testR|r)unner"
    r"|snapshotSerializers|reporters|(?:testS|s)equencer|preset)[\"']?\s{0,9}:\s{0,9}"
    r"(?:\[[^\]]{0,4000}|\{[^}]{0,4000}|[^\n]{0,500})"
)
_PROJECTS = re.compile(r"\bprojects\b[\"']?\s{0,9}[:,}]")
_QUOTED = re.compile(r"[\"'`]([^\"'`\n]{1,300})")
_RELATIVE = re.compile(r"[\"'`](\.{1,2}/[^\"'`\n]{1,300})")
_OPTION = re.compile(r"\s--?[\w.-]{1,50}=[\"']?([^\s\"']{1,300})")
_ENDS = ("", ".ts", ".js", ".tsx", ".jsx", ".mts", ".mjs", ".cts", ".cjs", "/index.ts", "/index.js")
_COMPILED = re.compile(r"\.[cm]?jsx?$")


def setup_files(tree: Tree, root: str, place: str = ".", command: str = "") -> frozenset[str]:
    """What settings anywhere below `root` name, what they import, and so on, as far as it is in the tree.

    Settings are also what the options of a `command` in the directory `place` name.
    """
    paths = frozenset(tree.paths())
    prefix = "" if root == "." else f"{root}/"
    below = [path for path in paths if path.startswith(prefix) and "node_modules/" not in path]
    settings = {path for path in below if _SETTINGS.fullmatch(posixpath.basename(path))}
    settings.update(_by_option(place, command, paths))
    found: set[str] = set()
    todo = list(settings)
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += _named(path, _said(tree, path), root, paths, settings=path in settings)
    return frozenset(found)


def several(tree: Tree, place: str, command: str) -> bool:
    """Whether jest runs several projects: none of them sees that its tests import files of another one."""
    paths = frozenset(tree.paths())
    own = [path for path in paths if (posixpath.dirname(path) or ".") == place]
    settings = [path for path in own if _SETTINGS.fullmatch(posixpath.basename(path))]
    settings += _by_option(place, command, paths)
    return "--projects" in command or any(_PROJECTS.search(_said(tree, path)) for path in settings)


def _by_option(place: str, command: str, paths: frozenset[str]) -> Iterator[str]:
    return _resolved(posixpath.join(place, "package.json"), _OPTION.findall(command), paths)


def _named(path: str, said: str, root: str, paths: frozenset[str], *, settings: bool) -> Iterator[str]:
    """The files that one file names or imports."""
    names = [part.removeprefix("<rootDir>/") for hit in _KEYS.finditer(said) for part in _QUOTED.findall(hit[0])]
    yield from _resolved(path, names, paths)
    yield from _resolved(posixpath.join(root, "package.json"), names, paths)
    yield from _resolved(path, _imports(said) if settings else _RELATIVE.findall(said), paths)


def _said(tree: Tree, path: str) -> str:
    """A file's text; of package.json what it has for jest."""
    if posixpath.basename(path) != "package.json":
        return text(tree, path)
    try:
        data = json.loads(text(tree, path))
    except (ValueError, RecursionError):
        return ""
    return json.dumps(data.get("jest", "")) if isinstance(data, dict) else ""


def _imports(source: str) -> Iterator[str]:
    """Relative names in lines that import: other paths in settings are of what is built."""
    for line in source.split("\n"):
        if line.startswith(("import", "export", "}")) or "require(" in line[:1000]:
            yield from _RELATIVE.findall(line)


def _resolved(path: str, names: Iterable[str], paths: frozenset[str]) -> Iterator[str]:
    """Files of the tree that `names` may mean in the file `path`: what is written as JavaScript may be TypeScript."""
    for name in names:
        place = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
        yield from (there for end in _ENDS if (there := place + end) in paths)
        if (bare := _COMPILED.sub("", place)) != place:
            yield from (there for end in _ENDS[1:] if (there := bare + end) in paths)
