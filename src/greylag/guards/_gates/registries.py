"""Where a manifest takes packages from besides single requirements: registries, indexes, repositories, remote files."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from defusedxml import ElementTree

from greylag.guards._gates.addresses import LOCAL, addresses, host, located, place
from greylag.guards._gates.manifests import FROM, UNREADABLE, ManifestError, read_toml
from greylag.kinds import matches

_LARGEST, _DEEPEST = 1_000_000, 50  # characters of a manifest, blocks in blocks
_MOST = 5_000  # addresses in a manifest


def sources(path: str, text: str) -> Mapping[str, str]:
    """Place -> how the manifest at `path` says it. Raises `ManifestError` when it cannot be read."""
    if len(text) > _LARGEST:
        raise ManifestError(path)
    reader = next((reader for patterns, reader in _READERS.items() if matches(path, patterns)), _anything)
    try:
        return {where: said for where, said in reader(text) if where}
    except UNREADABLE as error:
        raise ManifestError(path) from error


Rows = Iterator[tuple[str, str]]  # place, how it is said


def _placed(said: Iterable[tuple[str, Any]]) -> Rows:
    """Of settings: the places of all addresses in them, or what they say instead."""
    for key, value in said:
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
        found = [place(address) for address in addresses(text)]
        yield from ((where, f"{key} {text}") for where in found or ([f"{LOCAL}/{text}"] if text else []))


# -- formats with tables ---------------------------------------------------------------------------------------------

_KEYS = re.compile(r"(?:extra-|default-)?index(?:-url|-servers)?|sources?|find-links|registr(?:y|ies)", re.IGNORECASE)
_SETTING = re.compile(r"^[ \t]*+([^=:\s#;/][^=\n]{0,300}?)[ \t]*(?:=|:(?=[ \t]))[ \t]*(\S[^\n]*+)$", re.MULTILINE)
_SETTINGS = re.compile(r"registry|index|source|url|host|find-links|feed", re.IGNORECASE)


def _pyproject(text: str) -> Rows:
    tool = read_toml(text).get("tool", {})
    tables = [table for name in ("uv", "poetry", "pdm", "pixi") if isinstance(table := tool.get(name), dict)]
    tables += [table["pip"] for table in tables if isinstance(table.get("pip"), dict)]
    yield from _placed(_listed(tables))


def _listed(tables: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Entries that name a registry; `sources` as a table are of single packages."""
    for table in tables:
        for key, value in table.items():
            if _KEYS.fullmatch(key) and not (key == "sources" and isinstance(value, dict)):
                items = value if isinstance(value, list) else [value]
                yield from ((key, item.get("url", item) if isinstance(item, dict) else item) for item in items)


def _pipfile(text: str) -> Rows:
    yield from _placed(("source", entry.get("url", "")) for entry in read_toml(text).get("source", []))


def _requirements(text: str) -> Rows:
    for line in text.split("\n"):
        bare = line.strip()
        if bare.startswith(FROM) or (bare.startswith(("-r", "-c", "--requirement", "--constraint")) and "://" in bare):
            option, _, value = bare.replace("=", " ", 1).partition(" ")
            yield from _placed([(option, value.strip())])


def _composer(text: str) -> Rows:
    given = json.loads(text).get("repositories") or []
    entries = given.values() if isinstance(given, dict) else given
    yield from _placed(("repository", entry.get("url", "")) for entry in entries if isinstance(entry, dict))


def _pom(text: str) -> Rows:
    for element in ElementTree.fromstring(text).iter():
        if element.tag.rpartition("}")[2] in {"repository", "pluginRepository", "mirror"}:
            yield from _placed([("repository", (element.findtext("{*}url") or "").strip())])


def _settings(text: str) -> Rows:
    yield from _placed(("address", address) for address in addresses(_COMMENT.sub("", text)))
    yield from _placed((m[1].strip(), m[2].strip()) for m in _SETTING.finditer(text) if _SETTINGS.search(m[1]))


# -- everything else -------------------------------------------------------------------------------------------------

_COMMENT = re.compile(r"(?:^|(?<=\s))(?:#|//|;)[^\n]*+", re.MULTILINE)
_STRING = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")
_BRACKET = re.compile(r"[{}()\[\]]")
_ABOUT = re.compile(  # what leads to people and papers, or is where the package itself goes to
    r"home_?page|docu?m|docs?\b|licen[cs]e|scm|issue|bug|track|changelog|fund|donat|author|develop|organi[sz]ation"
    r"|website|links?\b|\bpom\b|publish|distribution|meta_?data|descri|(?:repo|git|github|project|base)_?url|contact|mail|source_?(?:url|code)"
    r"|vcs|javadoc|dokka|summary|canonical|\brepository[\"']?:|site|push|badge|upload|maintainer|\$schema",
    re.IGNORECASE,
)


def _anything(text: str, needs: re.Pattern[str] | None = None) -> Rows:
    """Hosts and owners of addresses outside of comments and of what tells about the package."""
    stack: list[str] = []
    left = _MOST
    for line in _COMMENT.sub("", text).split("\n"):
        for begin, address in located(line):
            left -= 1
            if left < 0:
                raise ValueError("too many addresses")
            around = f"{' '.join(stack[-6:])} {line[max(0, begin - 200) : begin]}"
            if not _ABOUT.search(around) and (needs is None or needs.search(around)):
                yield host(place(address)), address
        _blocks(stack, line)


def _blocks(stack: list[str], line: str) -> None:
    """Follows what opens and ends on a line; each block is kept with the words before it."""
    bare = _STRING.sub("", line)
    begin = 0
    for match in _BRACKET.finditer(bare):
        if match[0] in "{([":
            stack.append(bare[max(begin, match.start() - 80) : match.start()])
            del stack[_DEEPEST:]
        elif stack:
            stack.pop()
        begin = match.end()


_TAKEN = re.compile(r"repositor|apply\W{1,9}from|sourceControl|resolve|\bmaven\b")


def _gradle(text: str) -> Rows:
    yield from _anything(text, _TAKEN)


def _net(text: str) -> Rows:
    for match in re.finditer(r"<(Restore\w{0,40}Sources)>([^<]{1,2000})<|<(HintPath)>([^<]{1,500})<", text):
        yield from _placed([(match[1] or match[3], match[2] or match[4])])


def _none(_: str) -> Rows:
    yield from ()


_READERS: Mapping[str, Callable[[str], Rows]] = {
    "pyproject.toml": _pyproject,
    "Pipfile": _pipfile,
    "requirements*.txt requirements*.in requirements/*.txt requirements/*.in constraints*.txt": _requirements,
    "composer.json": _composer,
    "pom.xml .mvn/settings.xml": _pom,
    "*.gradle *.gradle.kts build.sbt": _gradle,
    "*.csproj *.fsproj *.vbproj Directory.Packages.props packages.config": _net,
    ".npmrc .yarnrc .yarnrc.yml pip.conf .pypirc uv.toml bunfig.toml nuget.config": _settings,
    "package.json bower.json go.mod go.work Cargo.toml *.versions.toml setup.py setup.cfg": _none,
}
