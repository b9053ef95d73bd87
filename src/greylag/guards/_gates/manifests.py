"""Dependencies that a manifest declares, as text, with their tables. One reader for each format."""

import json
import re
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from greylag.kinds import matches

_PEP508 = re.compile(r"\s*([A-Za-z0-9][\w.\-]*+)\s*+(?:\[[^\]]{0,500}\])?(.*)", re.DOTALL)
_GO = re.compile(
    r"^[ \t]*+(?:(require|replace)[ \t]++)?([\w.\-/~]++)(?:[ \t]++v\S++(?=[ \t]*+=>))?[ \t]++(v\S++|=>[ \t]*+\S.*)",
    re.MULTILINE,
)
_GRADLE = re.compile(
    r"(?:^|[;{])[ \t]*+(\w{0,60}(?:[iI]mplementation|[aA]pi|[cC]ompileOnly|[rR]untimeOnly|kapt|ksp|annotationProcessor"
    r"|classpath|[cC]ompile))\b(?:[^'\"\n]{0,80}[\"']([\w.\-]+:[\w.\-]+)(?::([^\"'\n]*))?[\"']"
    r"|[ \t(]{1,9}((?:files|fileTree)\([^)\n]{1,300}\)))"
    r"|(?:^|[;{])[ \t]*+(id)\s{0,9}\(?\s{0,9}[\"']([\w.\-]+)[\"']\s{0,9}\)?\s{0,9}version\s{0,9}[\"']([^\"'\n]*)"
    r"|\b(using|with)[ \t(]{1,9}module[ \t(]{1,9}[\"']([\w.\-]{1,200}:[\w.\-]{1,200})(?::([^\"'\n]*))?[\"']",
    re.MULTILINE,
)
_GEM = re.compile(
    r"^[ \t]*+(?:\w{1,40}\.)?(gem|pod|add_\w{0,20}dependency)[ \t(]{0,9}[\"']([^\"'\n]+)[\"']"
    r"[ \t]*+(?:,[ \t]*+\n?([^\n]*+))?",
    re.MULTILINE,
)
_INSTALL = re.compile(
    r"()[\"']([A-Za-z][\w.\-]*+)\s{0,20}(?:\[[^\]\"']{0,500}\])?\s{0,20}((?:(?:[<>=!~]|@\s)[^\"'\n]*)?)[\"']"
)
_REFERENCE = re.compile(
    r"<(Package(?:Reference|Version))\s[^>]{0,200}Include\s*=\s*\"([^\"]+)\"[^>]{0,200}?(?:Version\s*=\s*\"([^\"]*)\"|/?>)"
)
_LISTS = re.compile(r"(?:[\w-]*-)?(?:dependencies|requires|dependency-groups)")
_EGG = re.compile(r"#(?:[^#\s]*&)?egg=([\w.-]+)")
_LARGEST, _WIDEST = 1_000_000, 4_000  # characters of a manifest and of a line in TOML, whose reader is not linear
UNREADABLE = (ValueError, TypeError, AttributeError, RecursionError, ElementTree.ParseError, DefusedXmlException)

Found = Mapping[str, Mapping[str, str]]
"""Name -> each of its requirements, as text, with the table that it stands in."""
Rows = Iterator[tuple[str, str, str]]  # table, name, requirement


class ManifestError(ValueError):
    """A manifest that its own tool would not read either."""


def dependencies(path: str, text: str) -> Found:
    """What the manifest at `path` declares. Raises `ManifestError` when it cannot be read."""
    if len(text) > _LARGEST:
        raise ManifestError(path)
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    reader = next((reader for patterns, reader in _READERS.items() if matches(path, patterns)), None)
    try:
        for table, name, requirement in reader(text) if reader else ():
            found[name].setdefault(requirement, table)
    except UNREADABLE as error:
        raise ManifestError(path) from error
    return found


def is_read(path: str) -> bool:
    """Whether the requirements of the manifest at `path` are known."""
    return any(matches(path, patterns) for patterns in _READERS)


# -- formats ---------------------------------------------------------------------------------------------------------


def _python(table: str, text: Any) -> tuple[str, str, str]:
    match = _PEP508.fullmatch(str(text))
    return (table, re.sub(r"[-_.]+", "-", match[1]).lower(), match[2].strip()) if match else (table, str(text), "")


def _pyproject(text: str) -> Rows:
    data = read_toml(text)
    stack: list[tuple[str, Mapping[str, Any]]] = [("", data)]
    while stack:
        place, table = stack.pop()
        for key, value in table.items():
            here = f"{place}.{key}".removeprefix(".")
            if _LISTS.fullmatch(key) and here != "tool.setuptools.dynamic.dependencies":
                yield from _declared(here, value)
            elif isinstance(value, dict):
                stack.append((here, value))
    sources = data.get("tool", {}).get("uv", {}).get("sources", {})
    yield from (("tool.uv.sources", f"source of {name}", json.dumps(value)) for name, value in sources.items())


def _declared(place: str, value: Any) -> Rows:
    """A list, a table of lists (groups), or a table of requirements by name."""
    for name, item in value.items() if isinstance(value, dict) else [("", value)]:
        if isinstance(item, list) and all(isinstance(one, str | dict) for one in item) and not _is_spec(item):
            yield from (_python(f"{place}.{name}".rstrip("."), one) for one in item if isinstance(one, str))
        elif name and name != "python":
            yield (place, _python("", name)[1], json.dumps(item))


def _is_spec(item: list[Any]) -> bool:
    """Several requirements of one name, as Poetry has them, each a table."""
    return any(isinstance(one, dict) and "include-group" not in one for one in item)


def _requirements(text: str) -> Rows:
    for line in text.split("\n"):
        bare = re.sub(r"(?:^|(?<=\s))#.*", "", line).strip().rstrip("\\").strip()
        if not bare or bare.startswith(("-r", "-c", "--hash", *FROM)):
            continue
        if bare.startswith("-") or "://" in bare:
            named = _python("", bare.split("@")[0])[1] if " @ " in bare else ""
            egg = _EGG.search(bare)
            yield "", named or (egg[1] if egg else bare), bare
        else:
            yield _python("", bare)


FROM = ("-i ", "-f ", "-i=", "--index-url", "--extra-index-url", "--find-links", "--trusted-host", "--pypi-url")
"""Options in files of requirements that say where packages come from."""


def _toml_tables(*names: str) -> Callable[[str], Rows]:
    def read(text: str) -> Rows:
        stack: list[tuple[str, Mapping[str, Any]]] = [("", read_toml(text))]
        while stack:
            place, table = stack.pop()
            for key, value in table.items():
                here = f"{place}.{key}".removeprefix(".")
                if isinstance(value, dict) and (key in names or place == "patch" or here == "replace"):
                    for name, spec in value.items():
                        yield here, name.partition(":")[0], json.dumps(spec, sort_keys=True, default=str)
                elif isinstance(value, dict):
                    stack.append((here, value))

    return read


def _package_json(text: str) -> Rows:
    data = json.loads(text)
    for kind in ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies"):
        yield from ((kind, name, str(spec)) for name, spec in data.get(kind, {}).items())
    of_pnpm = data.get("pnpm", {})
    for kind, table in (
        ("overrides", data.get("overrides", {})),
        ("resolutions", data.get("resolutions", {})),
        ("pnpm.overrides", of_pnpm.get("overrides", {})),
    ):
        yield from ((kind, f"override of {name}", json.dumps(spec)) for name, spec in table.items())


def _composer(text: str) -> Rows:
    data = json.loads(text)
    for kind in ("require", "require-dev"):
        yield from ((kind, name, str(spec)) for name, spec in (data.get(kind) or {}).items())


def _pom(text: str) -> Rows:
    for element in ElementTree.fromstring(text).iter():
        kind = element.tag.rpartition("}")[2]
        if kind in {"dependency", "plugin", "parent", "extension"}:
            parts = {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in element}
            if "artifactId" in parts:
                group = parts.get("groupId", "org.apache.maven.plugins")
                file = f" systemPath {parts['systemPath']}" if "systemPath" in parts else ""
                yield kind, f"{group}:{parts['artifactId']}", parts.get("version", "") + file


def _by(pattern: re.Pattern[str]) -> Callable[[str], Rows]:
    """Groups of the pattern are a table, a name and maybe a requirement; of each of its branches."""

    def read(text: str) -> Rows:
        for match in pattern.finditer(text):
            table, name, *rest = [group for group in match.groups() if group is not None]
            yield table, name, "".join(rest[:1]).strip()

    return read


def _go(text: str) -> Rows:
    for match in _GO.finditer(text):
        yield "replace" if match[3].startswith("=>") else "require", match[2], match[3]


def read_toml(text: str) -> dict[str, Any]:
    """A file in TOML. Raises `ValueError`, also for lines that its reader would take too long for."""
    if any(len(line) > _WIDEST for line in text.split("\n")):
        raise ValueError("line too long")
    return tomllib.loads(text)


def _setup_cfg(text: str) -> Rows:
    inside = ""
    for line in text.split("\n"):
        match = re.match(r"\s*(install_requires|tests_require|setup_requires)\s*=|\[(options\.extras_require)", line)
        if match:
            inside = match[1] or match[2]
        elif inside and line[:1].isspace() and line.strip():
            yield _python(inside, line)
        elif line.strip() and not (inside == "options.extras_require" and re.match(r"[\w.-]+[ \t]*=", line)):
            inside = ""


_READERS: Mapping[str, Callable[[str], Rows]] = {
    "pyproject.toml": _pyproject,
    "requirements*.txt requirements*.in requirements/*.txt requirements/*.in constraints*.txt": _requirements,
    "setup.cfg": _setup_cfg,
    "setup.py": _by(_INSTALL),
    "Pipfile": _toml_tables("packages", "dev-packages"),
    "package.json": _package_json,
    "composer.json": _composer,
    "go.mod go.work": _go,
    "Cargo.toml": _toml_tables("dependencies", "dev-dependencies", "build-dependencies"),
    "pom.xml": _pom,
    "*.versions.toml": _toml_tables("libraries", "plugins", "versions"),
    "*.gradle *.gradle.kts": _by(_GRADLE),
    "Gemfile *.gemspec Podfile": _by(_GEM),
    "*.csproj *.fsproj *.vbproj Directory.Packages.props": _by(_REFERENCE),
}
