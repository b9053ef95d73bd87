"""Lock files: one reader for trees (JSON), one for entries that begin with a line of their own, two for their like."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from posixpath import basename
from typing import Any, NamedTuple

from greylag.guards._gates.addresses import addresses
from greylag.guards._gates.manifests import read_toml
from greylag.lockfiles import read_json


class Fact(NamedTuple):
    """What a lock file says of one version of a package. The file as a whole has no name."""

    name: str
    version: str = ""
    address: str = ""
    checksum: str = ""
    part: str = ""  # which of several files


class Format(NamedTuple):
    """How a lock file is read, and in which files people say what is to be in it."""

    files: str
    manifests: str
    read: Callable[[str], Iterator[Fact]]
    owned: bool = True  # a registry vouches for owners; else addresses on shared hosts are all that there is
    lists: bool = True  # whether what it has is used; checksums alone bring nothing in


_GIT = re.compile(r"(?:^|[\s:\"+])git(?:$|[\s:\"+@])|\.git\b|/(?:tar\.gz|zipball|tarball|archive)/")
_KIND_OF_SUM = re.compile(r"(sha\d{1,3}|md5|h1|zh|blake\w{1,4}|\d{1,2}(?:c\d)?)[-:=/]")


def kind_of(checksum: str) -> str:
    """Only checksums of one algorithm can be compared."""
    match = _KIND_OF_SUM.match(checksum)
    return match[1] if match else str(len(checksum))


# -- npm and TOML ----------------------------------------------------------------------------------------------------


def _npm(text: str) -> Iterator[Fact]:
    data = json.loads(text)
    if isinstance(data, dict):
        for key, entry in data.get("packages", {}).items():
            if "node_modules/" in key:
                yield from _installed(key.rpartition("node_modules/")[2], entry)
            else:
                for kind in ("dependencies", "devDependencies", "optionalDependencies"):
                    yield from (Fact(name, str(spec)) for name, spec in entry.get(kind, {}).items())
        yield from _nested(data.get("dependencies", {}))


def _nested(entries: Mapping[str, Any]) -> Iterator[Fact]:
    for name, entry in entries.items():
        yield from _installed(name, entry)
        yield from _nested(entry.get("dependencies", {}))


def _installed(name: str, entry: Mapping[str, Any]) -> Iterator[Fact]:
    version = str(entry.get("version", ""))
    address = str(entry.get("resolved") or "") or (version if "/" in version else "")
    yield Fact(name, version, address)
    if not _GIT.search(address):
        yield from (Fact(name, version, "", one) for one in str(entry.get("integrity") or "").split())


_SOURCES = ("registry", "url", "git", "path", "directory", "editable")


def _tables(text: str) -> Iterator[Fact]:
    for entry in read_toml(text).get("package", []):
        name, version, given = str(entry["name"]), str(entry.get("version", "")), entry.get("source", {})
        source = given if isinstance(given, dict) else {"registry": given}
        yield Fact(name, version, "", str(entry.get("checksum") or ""))
        yield from (Fact(name, version, str(source[key])) for key in _SOURCES if key in source)
        yield from (Fact(name, version, str(entry[key])) for key in ("url", "git") if key in entry)  # of PDM
        for file in [entry.get("sdist", {}), *entry.get("wheels", []), *entry.get("files", [])]:
            url = str(file.get("url", ""))
            what = basename(url.partition("#")[0]) or str(file.get("file", ""))
            yield Fact(name, version, url, str(file.get("hash") or ""), what)


# -- trees -----------------------------------------------------------------------------------------------------------

_ASIDE = frozenset(  # what is said of a package, and is no place that it comes from
    "authors contributors funding support homepage description keywords license autoload extra suggest notification-url"
    " specifiers workspaces peers original".split()
)
_SUM = re.compile(r"integrity|\w{0,12}hash(?:es)?|shasum|sha\d{1,3}|checksum|digest|md5|reference|rev(?:ision)?", re.I)
_NAMES, _VERSIONS = ("name", "identity", "package"), ("version", "resolved", "rev", "revision")
_UNSTABLE = re.compile(r"dev|/")  # of a branch or an address, which have other contents from day to day


def _tree(read: Callable[[str], Any], text: str) -> Iterator[Fact]:
    data = read(text)
    if not isinstance(data, dict):
        raise TypeError("no table")
    stack: list[tuple[str, Any, str, str, bool]] = [(key, value, "", "", False) for key, value in data.items()]
    while stack:
        key, node, name, version, inside = stack.pop()
        if key in _ASIDE:
            continue
        if isinstance(node, dict):
            name, version, inside = _entry(key, node, name, version, inside)
            if version:
                yield Fact(name, version)
            if isinstance(node.get("repo"), str):
                of = str(node.get("host") or f"{node.get('type', 'github')}.com")
                yield Fact(name, version, f"//{of}/{node.get('owner', '')}/{node['repo']}")
            stack += [(below, value, name, version, inside) for below, value in node.items()]
        elif isinstance(node, list):
            if node and isinstance(node[0], str) and any(isinstance(item, dict) for item in node):  # as in bun.lock
                (name, version), inside = _named(node[0]), True
                yield Fact(name, version)
            stack += [(key, item, name, version, inside) for item in node]
        elif isinstance(node, str):
            yield from _leaf(key, node, name, version)


def _entry(
    key: str, node: Mapping[str, Any], name: str, version: str, inside: bool
) -> tuple[str, str, bool]:
    """Name and version of what a table is about, its own or of the table around it, and whether it has any."""
    given = next((node[word] for word in _NAMES if isinstance(node.get(word), str)), "")
    if inside and not given:
        return name, version, inside
    tables = [node, *(value for value in node.values() if isinstance(value, dict))]
    told = (table[word] for word in _VERSIONS for table in tables if isinstance(table.get(word), str))
    found = next((word for word in told if not _UNSTABLE.search(word)), "")
    bare, behind = _named(key)
    return given or (key if found else bare), found or ("" if given else behind), bool(given or found or behind)


def _named(text: str) -> tuple[str, str]:
    """`@a/b@1.0.0` in its two halves."""
    at = text.find("@", 1)
    return (text[:at], text[at + 1 :].partition("_")[0]) if at > 0 else (text, "")


def _leaf(key: str, value: str, name: str, version: str) -> Iterator[Fact]:
    if "://" in key:  # a file by its address
        yield Fact(key, "", key)
        yield Fact(key, "" if "://" in value else "any", value if "://" in value else "", value)
    elif _SUM.fullmatch(key) or _KIND_OF_SUM.match(value):
        stable = version and not _UNSTABLE.search(version)
        yield Fact(name, version if stable else "", "", value, key)
    else:
        yield from (Fact(name, version, address) for address in addresses(value))


# -- entries ---------------------------------------------------------------------------------------------------------

_NAME = r"(?P<name>(?:@[^/@\s\"']{1,200}/)?[^@/\s\"':(]{1,200})"
_ALIAS = re.compile(rf"(?<![^\s\"',]){_NAME}@npm:{_NAME.replace('name', 'other')}@")
_VERSION = re.compile(r"^[ \t]+version:?(?: =)? [\"']?([^\s\"']{1,100})", re.MULTILINE)
_CHECKSUM = re.compile(
    r"(?<![\w/.-])(?:(?:sha\d{1,3}|h1|zh)[-:=][\w+/=]{20,200}"
    r"|(?:\d{1,2}(?:c\d)?/)?(?<![\w.-])[0-9a-f]{32,128}(?![\w/.-]))"
)
_BESIDE = re.compile(r"^[ \t]+:?path: ", re.MULTILINE)  # a package of the repository itself
_CACHE = re.compile(r"^  cacheKey: (\S{1,20})", re.MULTILINE)  # another one makes other checksums


def _entries(key: re.Pattern[str], whole: bool, text: str) -> Iterator[Fact]:
    """A line that begins an entry, and all before the next one. `whole`: addresses are of the file."""
    if "\\" in text:
        raise ValueError("escapes")
    starts = list(key.finditer(text))
    if not starts and text.count("\n") > 9:
        raise ValueError("no entry")
    ends = [*(match.start() for match in starts[1:]), len(text)]
    cache = match[1] if (match := _CACHE.search(text)) else ""
    if whole and starts:
        yield from (Fact("", "", address) for address in addresses(text))
    for start, end in zip(starts, ends, strict=False):
        groups = start.groupdict("")
        inside = _VERSION.search(text, start.start(), end)
        fact = Fact(groups["name"], groups.get("version") or (inside[1] if inside else ""))
        yield fact._replace(address=f"//{groups['address']}" if groups.get("address") else "")
        if _BESIDE.search(text, start.start(), end):
            yield fact._replace(address="./")
        if not whole:
            yield from (fact._replace(address=address) for address in addresses(text, start.start(), end))
        yield from (Fact(m["name"], "", f"//npm/{m['other']}") for m in _ALIAS.finditer(text, start.start(), end))
        if not _GIT.search(text, start.start(), end):
            found = _CHECKSUM.finditer(text, start.start(), end)
            yield from (fact._replace(checksum=match[0], part=cache) for match in found)


def _lines(key: str, *, whole: bool = False) -> Callable[[str], Iterator[Fact]]:
    return partial(_entries, re.compile(key, re.MULTILINE), whole)


_JS = "package.json pnpm-workspace.yaml"
_PYTHON = "pyproject.toml requirements*.txt requirements*.in requirements/ constraints*.txt setup.cfg setup.py Pipfile"
_RUBY, _SWIFT, _GRADLE = "Gemfile gems.rb *.gemspec", "Package.swift *.pbxproj", "*.gradle *.gradle.kts *.versions.toml"
_NET = "*.csproj *.fsproj *.vbproj *.props"
FORMATS = (
    Format("package-lock.json npm-shrinkwrap.json", _JS, _npm),
    Format("yarn.lock", _JS, _lines(rf"^[\"']?{_NAME}(?=[@:\"'])")),
    Format("pnpm-lock.yaml", _JS, _lines(rf"^  [\"']?/?{_NAME}(?=[@/:\"'])(?:[@/](?P<version>\d[^:\s\"'(]{{0,100}}))?")),
    Format("bun.lock", _JS, partial(_tree, read_json)),
    Format("uv.lock poetry.lock pdm.lock", _PYTHON, _tables),
    Format("pylock.toml pylock.*.toml", _PYTHON, partial(_tree, read_toml)),
    Format("Pipfile.lock", _PYTHON, partial(_tree, read_json)),
    Format("conda-lock.yml", "environment*.y*ml pyproject.toml", _lines(r"^- name: (?P<name>\S{1,200})")),
    Format("Cargo.lock", "Cargo.toml", _tables),
    Format("go.sum go.work.sum", "go.mod go.work", _lines(r"^(?P<name>\S{1,300}) (?P<version>v\S{1,100})"), lists=False),
    Format(
        "Gemfile.lock gems.locked", _RUBY,
        _lines(r"^ {2,4}(?P<name>[\w.-]{1,100}) \((?P<version>[\w.-]{1,100})\)", whole=True),
    ),
    Format("composer.lock", "composer.json", partial(_tree, read_json), owned=False),
    Format("gradle.lockfile buildscript-gradle.lockfile", _GRADLE,
           _lines(r"^(?P<name>[^\s:#=]{1,200}:[^\s:=]{1,200}):(?P<version>[^\s=]{1,100})=")),
    Format("packages.lock.json", _NET, partial(_tree, read_json)),
    Format("Package.resolved", _SWIFT, partial(_tree, read_json), owned=False),
    Format("Podfile.lock", "Podfile *.podspec",
           _lines(r"^(?:[A-Z][A-Z ]{1,40}(?=:)|  (?:- )?\"?(?!https?:)(?P<name>[\w+./-]{1,200})(?=[ :\"\n])"
                  r"(?: \((?P<version>[\w.-]{1,100})\))?)")),
    Format("Cartfile.resolved", "Cartfile*",
           _lines(r"^(?:github|git|binary) \"(?P<name>[^\"\n]{1,300})\" \"(?P<version>[^\"\n]{1,100})\""), owned=False),
    Format("mix.lock", "mix.exs", _lines(r"^ *\"(?P<name>\w{1,100})\": \{:\w{1,20},(?: :\w{1,100}, \"(?P<version>[^\"\n]{1,100})\")?")),
    Format("flake.lock", "flake.nix", partial(_tree, read_json), owned=False),
    Format("deno.lock", "deno.json* jsr.json package.json *.ts *.tsx *.js *.mjs", partial(_tree, read_json)),
    Format("pubspec.lock", "pubspec.yaml", _lines(r"^  (?P<name>\w{1,100}):$")),
    Format(".terraform.lock.hcl", "*.tf *.tofu *.tf.json",
           _lines(r"^provider \"(?P<address>[^/\"\n]{1,100}/(?P<name>[^\"\n]{1,200}))\"")),
    Format("MODULE.bazel.lock", "MODULE.bazel *.bzl", partial(_tree, read_json), owned=False),
)  # fmt: skip
