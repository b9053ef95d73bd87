"""Where addresses and requirements in manifests and lock files lead, whatever the version."""

import re
from collections.abc import Iterable, Iterator
from posixpath import normpath
from urllib.parse import unquote

_REGISTRIES = """
registry.npmjs.org pypi.org files.pythonhosted.org github.com/rust-lang index.crates.io rubygems.org
repo.maven.apache.org repo1.maven.org plugins.gradle.org dl.google.com maven.google.com api.nuget.org packagist.org
repo.packagist.org repo.hex.pm hex.pm pub.dev proxy.golang.org registry.terraform.io cdn.cocoapods.org jsr.io deno.land
github.com/nixos github.com/cocoapods
"""
USUAL = frozenset(_REGISTRIES.split())
"""Where the tools of an ecosystem look without being told."""
LOCAL = "this repository"
INSECURE = "http://"
ARCHIVE = re.compile(r"\.(?:tgz|tar|zip|whl|crate|gz|bz2|xz|conda)\b")

_SHORT = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}
_ADDRESS = re.compile(  # not the `//` of an integrity hash, which is base64
    r"(?:\b[\w+.-]{1,40}:|(?<![\w+/=-]))//[^\s\"'`,{}()<>]{1,2000}|(?<![\w-])git@[\w.-]{1,200}[:/][^\s\"'`,{}()<>]{1,2000}"
    r"|\b(github|gitlab|bitbucket)(?::[ \t]{0,9}|[ \t]{1,9}|[ \t]{0,9}=>?[ \t]{0,9})[\"']?"
    r"([A-Za-z0-9][\w.-]{0,100}/[\w.-]{1,100})"
)
_SAME = {"registry.yarnpkg.com": "registry.npmjs.org"}
_SHARED = re.compile(r"(?:[\w-]+\.)*(?:github|gitlab|bitbucket|githubusercontent|codeberg)\.\w+")  # hosts of all
_PARTS = re.compile(r"(?:([\w+.-]*):)?//(?:[^/@]*@)?([^/:?#]+)(?::\d+)?/?([^?#]*)|git@([^:/]+)[:/]([^?#]*)")
_VOLATILE = re.compile(  # where what depends on the version begins
    r"/(?:v?\d+\.\d[^/]*|[0-9a-f]{12,}|\+[a-f]|[0-9a-f]{2}/[0-9a-f]{2}|archive|tar\.gz|zipball|tarball)(?=/|$)"
)


def addresses(text: str, begin: int = 0, end: int | None = None) -> Iterator[str]:
    """All of them in a text, or in a part of it; `github:owner/name` and the like as whole ones."""
    return (address for _, address in located(text, begin, end))


def located(text: str, begin: int = 0, end: int | None = None) -> Iterator[tuple[int, str]]:
    """Each with the place at which it begins."""
    for match in _ADDRESS.finditer(text, begin, len(text) if end is None else end):
        yield match.start(), f"//{_SHORT[match[1]]}/{match[2]}" if match[1] else match[0]


def host(place: str, *, owned: bool = True) -> str:
    """Of a place; with its owner where many share it, such as `github.com/rust-lang`."""
    name, _, path = place.removeprefix(INSECURE).partition("/")
    shared = f"{name}/{path.partition('/')[0].lower()}" if owned and _SHARED.fullmatch(name) else name
    return INSECURE + shared if place.startswith(INSECURE) else shared


def hosts(text: str) -> frozenset[str]:
    """Hosts, with owners, of all addresses in a text."""
    return frozenset(host(place(address)) for address in addresses(text)) - {LOCAL, ""}


def place(address: str) -> str:
    """Host and package path: `registry.npmjs.org/left-pad`."""
    parts = _PARTS.match(address)
    if not parts:
        return LOCAL if address else ""
    name = (parts[2] or parts[4]).lower()
    path = normpath("/" + unquote(parts[3] or parts[5] or "").rstrip(":")).removesuffix(".git").lstrip("/")
    if "/-/" in path:
        path = path.partition("/-/")[0]
    elif ARCHIVE.search(path):
        home, file = ("/" + path).rsplit("/", 1)
        package = re.match(r"(.{1,100}?)-v?\d", file)
        home = _VOLATILE.split(home)[0].lstrip("/") if name != "files.pythonhosted.org" else ""
        path = f"{home}/{re.sub(r'[-_.]+', '-', package[1]).lower() if package else ''}".strip("/")
    else:
        path = _VOLATILE.split("/" + path)[0].lstrip("/")
    return f"{INSECURE if parts[1] == 'http' else ''}{_SAME.get(name, name)}/{path}".rstrip("/")


# -- where a requirement leads ---------------------------------------------------------------------------------------

_MARKS = re.compile(
    r"://|git\+|git@|\b(?:file|link|portal|github|gitlab|bitbucket|jsr|git|path):|=> |(?:files|fileTree)\("
    r"|:(?:git|path|github) =>|\"(?:git|path|registry|registry-index|url|file|source|index)\": |systemPath"
)
_REPOSITORY = re.compile(r"[A-Za-z][\w-]*/[A-Za-z][\w.-]*(?:#\S+)?")  # as npm knows one of GitHub
_PATHS = re.compile(
    r"=> (\.{1,2}(?:/\S{0,300})?|/\S{1,300})|\"path\": \"([^\"]{1,300})\"|\b(?:file|link|portal):([^\"\s]{1,300})"
    r"|\bpath(?::| =>) ?[\"']([^\"']{1,300})"
)
_OTHER = re.compile(r"\bnpm:((?:@[^/@\s\"']{1,200}/)?[^@\s\"']{1,200})|\"package\": \"([\w.-]{1,200})\"")


def elsewhere(requirement: str) -> bool:
    """Whether it comes from another place than the registry."""
    return _REPOSITORY.fullmatch(requirement.strip("\"' ")) is not None or _MARKS.search(requirement) is not None


def paths(requirements: Iterable[str]) -> frozenset[str]:
    """Directories and files that they name."""
    found = (match for requirement in requirements for match in _PATHS.finditer(requirement))
    return frozenset(next(filter(None, match.groups())) for match in found)


def origins(name: str, requirement: str) -> frozenset[str]:
    """Hosts, with their owners, of the addresses in it, and the other package that it is, if it is one."""
    others = {match[1] or match[2] for match in _OTHER.finditer(requirement)} - {name.removeprefix("override of ")}
    short = requirement.strip("\"' ")
    owner = {f"github.com/{short.partition('/')[0].lower()}"} if _REPOSITORY.fullmatch(short) else set()
    return hosts(requirement) | owner | {f"the package {other}" for other in others}
