"""Dependencies that a manifest declares: name -> requirement, as text. One reader for each format."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from greylag.kinds import matches

_PEP508 = re.compile(r"^\s*([A-Za-z0-9][\w.\-]*)\s*(?:\[[^\]]*\])?\s*(.*?)\s*$")
_GO = re.compile(
    r"^\s*(?:require\s+|replace\s+)?([\w.\-/~]++)(?:[ \t]++v\S++(?=[ \t]*+=>))?[ \t]++(v\S++|=>[ \t]*+\S.*)",
    re.MULTILINE,
)
_GRADLE = re.compile(
    r"^\s*(?:\w*(?:[iI]mplementation|[aA]pi|[cC]ompileOnly|[rR]untimeOnly|kapt|ksp|annotationProcessor|classpath|[cC]ompile))\b"
    r"[^'\"\n]{0,80}[\"']([\w.\-]+:[\w.\-]+)(?::([^\"'\n]*))?[\"']"
    r"|^\s*id\s*\(?\s*[\"']([\w.\-]+)[\"']\s*\)?\s*version\s*[\"']([^\"'\n]*)",
    re.MULTILINE,
)
_GEM = re.compile(
    r"^\s*(?:gem|pod|(?:\w+\.)?add_\w*dependency)\s*\(?\s*[\"']([^\"'\n]+)[\"']\s*,?\s*([^\n]*)", re.MULTILINE
)
_INSTALL = re.compile(r"[\"']([A-Za-z][\w.\-]*)\s*(?:\[[^\]\"']*\])?\s*((?:[<>=!~][^\"'\n]*)?)[\"']")
_REFERENCE = re.compile(
    r"<Package(?:Reference|Version)\s[^>]{0,200}Include\s*=\s*\"([^\"]+)\"[^>]{0,200}?(?:Version\s*=\s*\"([^\"]*)\"|/?>)"
)
_SETTING = re.compile(r"^[ \t]*([^=\s][^=\n]{0,300}?)[ \t]*(?:=|:(?=[ \t]))[ \t]*(\S.*)$", re.MULTILINE)
_SOURCES = re.compile(r"registry|index|source|url|host", re.IGNORECASE)
_LARGEST, _WIDEST = 1_000_000, 4_000  # characters of a manifest and of a line in TOML, whose reader is not linear

Found = dict[str, str]


class ManifestError(ValueError):
    """A manifest that its own tool would not read either."""


def dependencies(path: str, text: str) -> Found:
    """What the manifest at `path` declares. Raises `ManifestError` when it cannot be read."""
    if len(text) > _LARGEST:
        raise ManifestError(path)
    for patterns, reader in _READERS.items():
        if matches(path, patterns):
            try:
                return dict(reader(text))
            except (
                ValueError,
                TypeError,
                AttributeError,
                RecursionError,
                ElementTree.ParseError,
                DefusedXmlException,
            ) as error:
                raise ManifestError(path) from error
    return {}


Pairs = Iterator[tuple[str, str]]


def _requirement(text: Any) -> tuple[str, str]:
    match = _PEP508.match(str(text))
    return (re.sub(r"[-_.]+", "-", match[1]).lower(), match[2]) if match else (str(text), "")


def _pyproject(text: str) -> Pairs:
    data = read_toml(text)
    project = data.get("project", {})
    groups = (*project.get("optional-dependencies", {}).values(), *data.get("dependency-groups", {}).values())
    for group in (project.get("dependencies", []), data.get("build-system", {}).get("requires", []), *groups):
        yield from (_requirement(item) for item in group if isinstance(item, str))
    tool = data.get("tool", {})
    poetry = tool.get("poetry", {})
    tables = [poetry.get("dependencies", {}), poetry.get("dev-dependencies", {})]
    tables += [group.get("dependencies", {}) for group in poetry.get("group", {}).values()]
    for table in tables:
        yield from ((_requirement(name)[0], json.dumps(value)) for name, value in table.items() if name != "python")
    yield from (
        (f"source of {name}", json.dumps(value)) for name, value in tool.get("uv", {}).get("sources", {}).items()
    )
    for name in ("index", "source"):
        found = tool.get("uv", {}).get(name) or poetry.get(name) or tool.get("pdm", {}).get(name)
        if found:
            yield f"package {name}", json.dumps(found, sort_keys=True)


def _requirements(text: str) -> Pairs:
    for line in text.split("\n"):
        bare = re.sub(r"(^|\s)#.*", "", line).strip().rstrip("\\")
        if bare.startswith(("-r", "-c", "--hash")) or not bare:
            continue
        if bare.startswith("-") or "://" in bare:
            yield (bare.split("@")[0].strip() if " @ " in bare else bare), bare
        else:
            yield _requirement(bare)


def _toml_tables(*names: str) -> Callable[[str], Pairs]:
    def read(text: str) -> Pairs:
        yield from _walk(read_toml(text), names)

    return read


def _walk(data: Mapping[str, Any], names: tuple[str, ...]) -> Pairs:
    for key, value in data.items():
        if key in names and isinstance(value, dict):
            yield from ((name, json.dumps(spec, sort_keys=True, default=str)) for name, spec in value.items())
        elif isinstance(value, dict):
            yield from _walk(value, names)


def _package_json(text: str) -> Pairs:
    data = json.loads(text)
    for kind in ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies"):
        yield from ((name, str(spec)) for name, spec in data.get(kind, {}).items())
    pinned = {**data.get("overrides", {}), **data.get("resolutions", {}), **data.get("pnpm", {}).get("overrides", {})}
    yield from ((f"override of {name}", json.dumps(spec)) for name, spec in pinned.items())


def _composer(text: str) -> Pairs:
    data = json.loads(text)
    for kind in ("require", "require-dev"):
        yield from ((name, str(spec)) for name, spec in data.get(kind, {}).items())


def _pom(text: str) -> Pairs:
    root = ElementTree.fromstring(text)
    for element in root.iter():
        kind = element.tag.rpartition("}")[2]
        if kind in {"dependency", "plugin", "parent", "extension"}:
            parts = {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in element}
            if "artifactId" in parts:
                group = parts.get("groupId", "org.apache.maven.plugins")
                yield f"{group}:{parts['artifactId']}", parts.get("version", "")
        elif kind == "repository":
            yield f"repository {element.findtext('{*}url') or ''}", ""


def _by(pattern: re.Pattern[str]) -> Callable[[str], Pairs]:
    def read(text: str) -> Pairs:
        for match in pattern.finditer(text):
            groups = [group or "" for group in match.groups()]
            name, spec = groups[:2] if groups[0] else groups[-2:]
            yield name, spec.strip()

    return read


def _settings(text: str) -> Pairs:
    yield from ((name, value) for name, value in _by(_SETTING)(text) if _SOURCES.search(name))


def read_toml(text: str) -> dict[str, Any]:
    """A file in TOML. Raises `ValueError`, also for lines that its reader would take too long for."""
    if any(len(line) > _WIDEST for line in text.split("\n")):
        raise ValueError("line too long")
    return tomllib.loads(text)


def _setup_cfg(text: str) -> Pairs:
    inside = False
    for line in text.split("\n"):
        if re.match(r"\s*(?:install_requires|tests_require|setup_requires)\s*=|\[options\.extras_require", line):
            inside = True
        elif inside and line[:1].isspace() and line.strip():
            yield _requirement(line)
        elif line.strip():
            inside = False


_READERS: Mapping[str, Callable[[str], Pairs]] = {
    "pyproject.toml": _pyproject,
    "requirements*.txt requirements*.in requirements/*.txt requirements/*.in constraints*.txt": _requirements,
    "setup.cfg": _setup_cfg,
    "setup.py": _by(_INSTALL),
    "Pipfile": _toml_tables("packages", "dev-packages"),
    "package.json": _package_json,
    "composer.json": _composer,
    "go.mod go.work": _by(_GO),
    "Cargo.toml": _toml_tables("dependencies", "dev-dependencies", "build-dependencies", "crates-io"),
    "pom.xml": _pom,
    "*.versions.toml": _toml_tables("libraries", "plugins", "versions"),
    "*.gradle *.gradle.kts": _by(_GRADLE),
    "Gemfile *.gemspec Podfile": _by(_GEM),
    "*.csproj *.fsproj *.vbproj Directory.Packages.props": _by(_REFERENCE),
    ".npmrc .yarnrc .yarnrc.yml pip.conf .pypirc uv.toml bunfig.toml nuget.config": _settings,
}
