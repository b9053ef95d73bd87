"""How each kind of lock file is read: as a tree, or by the lines that its entries begin with."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from posixpath import basename
from typing import Any, NamedTuple

from greylag.guards._gates.addresses import addresses
from greylag.guards._gates.lock_facts import Fact
from greylag.guards._gates.lock_trees import tree
from greylag.guards._gates.manifests import read_toml
from greylag.lockfiles import read_json


class Format(NamedTuple):
    """How a lock file is read, and in which files people say what is to be in it."""

    files: str
    manifests: str
    read: Callable[[str], Iterator[Fact]]
    owned: bool = True  # a registry vouches for owners; else addresses on shared hosts are all that there is
    lists: bool = True  # whether what it has is used; checksums alone bring nothing in


_GIT = re.compile(r"(?:^|[\s:\"+])git(?:$|[\s:\"+@])|\.git\b|/(?:tar\.gz|zipball|tarball|archive)/")


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


# -- entries ---------------------------------------------------------------------------------------------------------

_NAME = r"(?P<name>(?:@[^/@\s\"']{1,200}/)?[^@/\s\"':(]{1,200})"
_ALIAS = re.compile(rf"(?<![^\s\"',]){_NAME}@npm:{_NAME.replace('name', 'other')}@")
_VERSION = re.compile(r"^[ \t]+version(?::|[ \t]{0,40}=)?[ \t]{1,40}[\"']?([^\s\"']{1,100})", re.MULTILINE)
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


_VERSIONED = r"(?P<version>[\w.-]{1,100})"
_POD = rf"  (?:- )?\"?(?!https?:)(?P<name>[\w+./-]{{1,200}})(?=[ :\"\n])(?: \({_VERSIONED}\))?"
_yarn = _lines(rf"^[\"']?{_NAME}(?=[@:\"'])")
_pnpm = _lines(rf"^  [\"']?/?{_NAME}(?=[@/:\"'])(?:[@/](?P<version>\d[^:\s\"'(]{{0,100}}))?")
_conda = _lines(r"^- name: (?P<name>\S{1,200})")
_go = _lines(r"^(?P<name>\S{1,300}) (?P<version>v\S{1,100})")
_gems = _lines(rf"^ {{2,4}}(?P<name>[\w.-]{{1,100}}) \({_VERSIONED}\)", whole=True)
_gradle = _lines(r"^(?P<name>[^\s:#=]{1,200}:[^\s:=]{1,200}):(?P<version>[^\s=]{1,100})=")
_pods = _lines(rf"^(?:[A-Z][A-Z ]{{1,40}}(?=:)|{_POD})")
_carthage = _lines(r"^(?:github|git|binary) \"(?P<name>[^\"\n]{1,300})\" \"(?P<version>[^\"\n]{1,100})\"")
_mix = _lines(r"^ *\"(?P<name>\w{1,100})\": \{:\w{1,20},(?: :\w{1,100}, \"(?P<version>[^\"\n]{1,100})\")?")
_pub = _lines(r"^  (?P<name>\w{1,100}):$")
_terraform = _lines(r"^provider \"(?P<address>[^/\"\n]{1,100}/(?P<name>[^\"\n]{1,200}))\"")
_json, _toml = partial(tree, read_json), partial(tree, read_toml)

_JS = "package.json pnpm-workspace.yaml"
_PYTHON = "pyproject.toml requirements*.txt requirements*.in requirements/ constraints*.txt setup.cfg setup.py Pipfile"
_GRADLE = "*.gradle *.gradle.kts *.versions.toml"
_DENO = "deno.json* jsr.json package.json *.ts *.tsx *.js *.mjs"
FORMATS = (
    Format("package-lock.json npm-shrinkwrap.json", _JS, _npm),
    Format("yarn.lock", _JS, _yarn),
    Format("pnpm-lock.yaml", _JS, _pnpm),
    Format("bun.lock", _JS, _json),
    Format("uv.lock poetry.lock pdm.lock", _PYTHON, _tables),
    Format("pylock.toml pylock.*.toml", _PYTHON, _toml),
    Format("Pipfile.lock", _PYTHON, _json),
    Format("conda-lock.yml", "environment*.y*ml pyproject.toml", _conda),
    Format("Cargo.lock", "Cargo.toml", _tables),
    Format("go.sum go.work.sum", "go.mod go.work", _go, lists=False),
    Format("Gemfile.lock gems.locked", "Gemfile gems.rb *.gemspec", _gems),
    Format("composer.lock", "composer.json", _json, owned=False),
    Format("gradle.lockfile buildscript-gradle.lockfile", _GRADLE, _gradle),
    Format("packages.lock.json", "*.csproj *.fsproj *.vbproj *.props", _json),
    Format("Package.resolved", "Package.swift *.pbxproj", _json, owned=False),
    Format("Podfile.lock", "Podfile *.podspec", _pods),
    Format("Cartfile.resolved", "Cartfile Cartfile.private", _carthage, owned=False),
    Format("mix.lock", "mix.exs", _mix),
    Format("flake.lock", "flake.nix", _json, owned=False),
    Format("deno.lock", _DENO, _json),
    Format("pubspec.lock", "pubspec.yaml", _pub),
    Format(".terraform.lock.hcl", "*.tf *.tofu *.tf.json", _terraform),
    Format("MODULE.bazel.lock", "MODULE.bazel *.bzl", _json, owned=False),
)
