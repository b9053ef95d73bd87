"""The packages of a repository, and what its manifests declare: what one of them has is new to no other."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from itertools import islice
from posixpath import basename, dirname, join, normpath
from typing import Any

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from greylag.guards._gates.addresses import LOCAL, USUAL, host, origins
from greylag.guards._gates.manifests import ManifestError, dependencies, read_toml
from greylag.guards._gates.registries import sources
from greylag.guards._guard import fact, finding, read
from greylag.kinds import MANIFESTS, TESTS, VENDORED, matches
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change, Tree

_KINDS: Mapping[str, str] = {  # manifests that take packages from one place
    "python": "pyproject.toml requirements*.txt requirements*.in requirements/*.txt requirements/*.in constraints*.txt"
    " setup.cfg setup.py Pipfile",
    "js": "package.json",
    "php": "composer.json",
    "go": "go.mod go.work",
    "rust": "Cargo.toml",
    "java": "pom.xml *.gradle *.gradle.kts *.versions.toml",
    "ruby": "Gemfile *.gemspec",
    "net": "*.csproj *.fsproj *.vbproj Directory.Packages.props",
}
_LIKELY = re.compile(  # spares most files a closer look
    r"\.(?:toml|txt|in|cfg|mod|work|gradle|kts|gemspec|\w{1,9}proj|props)$"
    r"|(?:^|/)(?:setup\.py|(?:package|composer)\.json|pom\.xml|Pipfile|Gemfile)$"
)
_PLACED = re.compile(  # a requirement that says where it comes from, or that it is another package
    r"://|git|(?:file|link|portal|npm|patch|jsr|path):|=> |\"(?:path|registry|package|url|source|index)\"|\.\./"
    r"|systemPath|(?:files|fileTree)\(|^[\w.-]+/[\w.-]+$"
)
_PATH = re.compile(
    r"(?:(?:file|link|portal):|=> |\"path\": \")(\.{1,2}/[^\"\s]{0,300}|\.{1,2}(?=[\"\s]|$)|[\w@-][^\"\s:]{0,300})"
)
_FOREIGN = re.compile(r"://|git|\"(?:registry|package|url|index)\"")
_WORKSPACE = re.compile(r"\"workspace\": true|workspace:[\w.^~*-]{0,40}")
_ASIDE = f"{VENDORED} fixtures/ __fixtures__/ testdata/ test-data/"  # manifests there are no packages of the repository
_SPECIAL = re.compile(r"override of |source of |-")  # entries that are no package
_OF_CHANGE = "which is a package of this change"
_MOST, _LARGEST = 500, 1_000_000  # manifests of one tree that are read, and characters of one


class Packages:
    """Of one change. Reads nothing before it is asked."""

    def __init__(self, change: Change) -> None:
        self._change = change

    @cached_property
    def _declared(self) -> Mapping[str, Mapping[str, set[str]]]:
        """Of each kind: name of a dependency -> what the base's manifests require of it."""
        found: dict[str, defaultdict[str, set[str]]] = {kind: defaultdict(set) for kind in _KINDS}
        for path, kind in _manifests(self._change.base):
            try:
                for name, requirements in dependencies(path, read(self._change.base, path) or "").items():
                    found[kind][name].update(requirements)
            except ManifestError:
                continue
        return found

    @cached_property
    def sources(self) -> frozenset[str]:
        """Places that the base's manifests take packages from."""
        found: set[str] = set()
        for path in islice((path for path in self._change.base.paths() if matches(path, MANIFESTS)), _MOST):
            try:
                found.update(sources(path, read(self._change.base, path) or ""))
            except ManifestError:
                continue
        return frozenset(found)

    @cached_property
    def _origins(self) -> frozenset[str]:
        """Hosts and owners of all that the base takes packages from."""
        required = (origins(name, one) for names in self._declared.values() for name in names for one in names[name])
        return USUAL.union({host(place) for place in self.sources}, *required)

    def told(
        self, rule: str, message: str, path: str, come: Iterable[str] = (), severity: Severity = Severity.ERROR
    ) -> Diagnostic:
        """A finding. Packages that `come` from where none came from are shown even if the prompt allows them."""
        rule, allowed = f"dependencies/{rule}", "dependencies" in self._change.scope.allow
        if come and allowed and severity is Severity.ERROR and (new := set(come) - {LOCAL} - self._origins):
            message = f"{message} (the prompt allows dependencies; new to the repository: {min(new)})"
            return fact(rule, message, path, severity=Severity.WARNING)
        return finding(self._change, "dependencies", rule, message, path, severity=severity)

    @cached_property
    def _base(self) -> Mapping[tuple[str, str], str]:
        return _packages(self._change.base)

    @cached_property
    def _head(self) -> Mapping[tuple[str, str], str]:
        return _packages(self._change.head)

    def known(self, path: str, name: str, requirement: str) -> str:
        """Who has a dependency already that the manifest at `path` has now, or nothing."""
        kind = _kind(path)
        had = self._declared[kind].get(name, set()) if kind else set()
        if requirement in had or (
            not _SPECIAL.match(name) and not _PLACED.search(requirement) and any(not _PLACED.search(one) for one in had)
        ):
            return "which another manifest has, too"
        bare = name.removeprefix("source of ")
        here = self._local(kind, path, requirement)
        if (kind, bare) in self._base and (here or (bare == name and not _PLACED.search(requirement))):
            return "which is a package of this repository"
        family = bool(_family(bare)) and any(of == kind and _family(own) == _family(bare) for of, own in self._base)
        if (kind, bare) in self._head and (here or (family and bare == name and not _PLACED.search(requirement))):
            return _OF_CHANGE
        return ""

    def vouched(self, path: str, name: str, requirement: str) -> bool:
        """Whether the base has the package, or another manifest that requires the same."""
        who = self.known(path, name, requirement)
        return bool(who) and who != _OF_CHANGE

    def _local(self, kind: str, path: str, requirement: str) -> bool:
        """Whether it is required from a package that the head has itself."""
        if _FOREIGN.search(requirement):
            return False
        if _WORKSPACE.search(requirement):
            return True
        match = _PATH.search(requirement)
        place = normpath(join(dirname(path), match[1])) if match else ""
        return any(of == kind and home == place for (of, _), home in self._head.items())

    def taken(self, path: str) -> str:
        """A dependency of the base whose name a package at `path` has in the head, and none had before, or nothing."""
        kind = _kind(path)
        name = _name(kind, path, read(self._change.head, path) or "") if kind else ""
        if not name or name not in self._declared[kind] or (kind, name) in self._base:
            return ""
        return "" if matches(path, f"{TESTS} examples/ {_ASIDE}") else name


def _kind(path: str) -> str:
    return next((kind for kind, patterns in _KINDS.items() if matches(path, patterns)), "")


def _family(name: str) -> str:
    """What names of one house begin with: a scope, a group, the path of a module."""
    return re.split(r"[/:](?=[^/:]*$)", name)[0] if re.search(r"[/:]", name) else ""


def _manifests(tree: Tree) -> list[tuple[str, str]]:
    likely = (path for path in tree.paths() if _LIKELY.search(path) and matches(path, MANIFESTS))
    named = ((path, kind) for path in likely if (kind := _kind(path)) and not matches(path, _ASIDE))
    return list(islice(named, _MOST))


def _packages(tree: Tree) -> dict[tuple[str, str], str]:
    """Kind and name of each package -> its directory."""
    found = {}
    for path, kind in _manifests(tree):
        if name := _name(kind, path, read(tree, path) or ""):
            found[kind, name] = dirname(path) or "."
    return found


def _name(kind: str, path: str, text: str) -> str:
    reader = _NAMES.get(basename(path)) or _NAMES.get(path.rpartition(".")[2])
    try:
        name = reader(text) if reader and len(text) <= _LARGEST else ""
    except (ValueError, TypeError, AttributeError, RecursionError, ElementTree.ParseError, DefusedXmlException):
        return ""
    if not isinstance(name, str):
        return ""
    if kind == "net":
        return basename(path).rpartition(".")[0]
    return re.sub(r"[-_.]+", "-", name).lower() if kind == "python" else name


def _pyproject(text: str) -> Any:
    data = read_toml(text)
    return data.get("project", {}).get("name") or data.get("tool", {}).get("poetry", {}).get("name")


def _pom(text: str) -> str:
    root = ElementTree.fromstring(text)
    group = root.findtext("{*}groupId") or root.findtext("{*}parent/{*}groupId") or ""
    return f"{group.strip()}:{(root.findtext('{*}artifactId') or '').strip()}"


def _first(pattern: str) -> Callable[[str], str]:
    return lambda text: match[1] if (match := re.search(pattern, text, re.MULTILINE)) else ""


_NAMES: Mapping[str, Callable[[str], Any]] = {
    "pyproject.toml": _pyproject,
    "setup.cfg": _first(r"^name[ \t]*=[ \t]*([\w.-]{1,100})"),
    "setup.py": _first(r"\bname[ \t]*=[ \t]*[\"']([\w.-]{1,100})[\"']"),
    "package.json": lambda text: json.loads(text).get("name"),
    "composer.json": lambda text: json.loads(text).get("name"),
    "go.mod": _first(r"^module[ \t]+(\S{1,300})"),
    "Cargo.toml": lambda text: read_toml(text).get("package", {}).get("name"),
    "pom.xml": _pom,
    "gemspec": _first(r"\.name[ \t]*=[ \t]*[\"']([\w.-]{1,100})[\"']"),
    "csproj": lambda _: "by its file",
    "fsproj": lambda _: "by its file",
    "vbproj": lambda _: "by its file",
}
