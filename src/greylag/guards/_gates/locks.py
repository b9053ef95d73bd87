"""Where lock files take packages from: the addresses of each, without what differs from version to version."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from posixpath import normpath
from typing import Any
from urllib.parse import unquote

from greylag.guards._gates.manifests import read_toml
from greylag.kinds import matches

Places = Mapping[str, frozenset[str]]  # name of a package -> host and path of its addresses

LOCKED = "package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml uv.lock poetry.lock pdm.lock Cargo.lock"
_USUAL = frozenset({"registry.npmjs.org", "pypi.org", "files.pythonhosted.org", "github.com/rust-lang"})
_SAME = {"registry.yarnpkg.com": "registry.npmjs.org"}
_SHARED = re.compile(r"(?:[\w-]+\.)*(?:github|gitlab|bitbucket|githubusercontent|codeberg)\.\w+")  # hosts of all
_INSECURE, _LOCAL = "http://", "this repository"
_ADDRESS = re.compile(  # not the `//` of an integrity hash, which is base64
    r"(?:\b[\w+.-]{1,40}:|(?<![\w+/=-]))//[^\s\"'`,{}()<>]{1,2000}|\bgit@[^\s\"'`,{}()<>]{1,2000}"
)
_PARTS = re.compile(r"(?:([\w+.-]*):)?//(?:[^/@]*@)?([^/:?#]+)(?::\d+)?/?([^?#]*)|git@([^:/]+)[:/]([^?#]*)")
_VOLATILE = re.compile(  # where what depends on the version begins
    r"/(?:v?\d+\.\d[^/]*|[0-9a-f]{12,}|\+[a-f]|[0-9a-f]{2}/[0-9a-f]{2}|archive|tar\.gz|zipball|tarball)(?=/|$)"
)
_ARCHIVE = re.compile(r"\.(?:tgz|tar|zip|whl|crate|gz|bz2|xz)\b")
_LARGEST = 10_000_000  # characters


def places(path: str, text: str) -> Places | None:
    """Of each package in the lock file at `path`; None when it cannot be read."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    reader = next((reader for patterns, reader in _READERS.items() if matches(path, patterns)), None)
    try:
        for name, address in reader(text.removeprefix("\ufeff")) if reader and len(text) <= _LARGEST else ():
            found[name].update(filter(None, [_place(address)]))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return None
    return {name: frozenset(some) for name, some in found.items()}


def moved(before: Places, after: Places) -> Iterator[tuple[str, str, str]]:
    """Packages that come from elsewhere: name, a place before (or nothing), and a new one.

    A package that is new, or had no address, may come from the hosts that the others come from.
    """
    known = {_host(place) for some in before.values() for place in some} | _USUAL
    for name in sorted(after):
        had = before.get(name, frozenset())
        secured = {place.removeprefix(_INSECURE) for place in had}
        usual = known if name in before else known | {_LOCAL}
        new = after[name] - had - secured if had else {place for place in after[name] if _host(place) not in usual}
        if new and before:
            yield name, min(had, default=""), min(new)


def _host(place: str) -> str:
    host, _, path = place.removeprefix(_INSECURE).partition("/")
    owned = f"{host}/{path.partition('/')[0]}" if _SHARED.fullmatch(host) else host
    return _INSECURE + owned if place.startswith(_INSECURE) else owned


def _place(address: str) -> str:
    """Host and package path: `registry.npmjs.org/left-pad`."""
    parts = _PARTS.match(address)
    if not parts:
        return _LOCAL if address else ""
    host = (parts[2] or parts[4]).lower()
    path = normpath("/" + unquote(parts[3] or parts[5] or "")).removesuffix(".git").lstrip("/")
    if "/-/" in path:
        path = path.partition("/-/")[0]
    elif _ARCHIVE.search(path):
        home, file = ("/" + path).rsplit("/", 1)
        name = re.match(r"(.{1,100}?)-v?\d", file)
        home = _VOLATILE.split(home)[0].lstrip("/") if host != "files.pythonhosted.org" else ""
        path = f"{home}/{re.sub(r'[-_.]+', '-', name[1]).lower() if name else ''}".strip("/")
    else:
        path = _VOLATILE.split("/" + path)[0].lstrip("/")
    return f"{_INSECURE if parts[1] == 'http' else ''}{_SAME.get(host, host)}/{path}".rstrip("/")


# -- formats: name of a package and one of its addresses, or an empty one --------------------------------------------


def _npm(text: str) -> Iterator[tuple[str, str]]:
    data = json.loads(text)
    if isinstance(data, dict):
        for key, entry in data.get("packages", {}).items():
            if "node_modules/" in key:
                yield key.rpartition("node_modules/")[2], _resolved(entry)
        yield from _nested(data.get("dependencies", {}))


def _nested(entries: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, entry in entries.items():
        version = str(entry.get("version", ""))
        yield name, _resolved(entry) or (version if "/" in version else "")
        yield from _nested(entry.get("dependencies", {}))


def _resolved(entry: Mapping[str, Any]) -> str:
    return str(entry.get("resolved") or "")


def _tables(text: str) -> Iterator[tuple[str, str]]:
    for entry in read_toml(text).get("package", []):
        name, given = str(entry["name"]), entry.get("source", {})
        source = given if isinstance(given, dict) else {"registry": given}
        yield name, ""
        yield from ((name, str(source[key])) for key in _SOURCES if key in source)
        files = [entry.get("sdist", {}), *entry.get("wheels", []), *entry.get("files", [])]
        yield from ((name, str(file.get("url", ""))) for file in files)


_SOURCES = ("registry", "url", "git", "path", "directory", "editable")


_NAME = r"((?:@[^/@\s\"']{1,200}/)?[^@/\s\"':(]{1,200})"
_KEY = {
    "yarn": re.compile(rf"^[\"']?{_NAME}(?=[@:\"'])", re.MULTILINE),
    "pnpm": re.compile(rf"^  [\"']?/?{_NAME}(?=[@/:\"'])", re.MULTILINE),
}
_ALIAS = re.compile(rf"(?<![^\s\"',]){_NAME}@npm:{_NAME}@")


def _blocks(kind: str, text: str) -> Iterator[tuple[str, str]]:
    """Entries of yarn and pnpm: a key, and all addresses before the next one."""
    if "\\" in text:
        raise ValueError("escapes")
    starts = list(_KEY[kind].finditer(text))
    if not starts and text.count("\n") > 9:
        raise ValueError("no entry")
    for match, end in zip(starts, [*(match.start() for match in starts[1:]), len(text)], strict=True):
        yield match[1], ""
        yield from ((match[1], address[0]) for address in _ADDRESS.finditer(text, match.start(), end))
        yield from ((alias[1], f"//npm/{alias[2]}") for alias in _ALIAS.finditer(text, match.start(), end))


_READERS: Mapping[str, Callable[[str], Iterator[tuple[str, str]]]] = {
    "package-lock.json npm-shrinkwrap.json": _npm,
    "uv.lock poetry.lock pdm.lock Cargo.lock": _tables,
    "yarn.lock": partial(_blocks, "yarn"),
    "pnpm-lock.yaml": partial(_blocks, "pnpm"),
}
