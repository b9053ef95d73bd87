"""Lock files that are trees, JSON or TOML, whatever their keys are called."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from greylag.guards._gates.addresses import addresses
from greylag.guards._gates.lock_facts import Fact, is_sum

_ASIDE = frozenset(  # what is said of a package, and is no place that it comes from
    (
        *("authors", "contributors", "funding", "support", "homepage", "description", "keywords", "license", "extra"),
        *("autoload", "suggest", "notification-url", "specifiers", "workspaces", "peers", "original"),
    )
)
_SUM = re.compile(
    r"integrity|\w{0,12}hash(?:es)?|shasum|sha\d{1,3}|checksum|digest|md5|reference|rev(?:ision)?", re.IGNORECASE
)
_NAMES, _VERSIONS = ("name", "identity", "package"), ("version", "resolved", "rev", "revision")
_UNSTABLE = re.compile(r"dev|/")  # of a branch or an address, which have other contents from day to day


def tree(read: Callable[[str], Any], text: str) -> Iterator[Fact]:
    """Each table that has a name or a version is about a package, and what is below it, too."""
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


def _entry(key: str, node: Mapping[str, Any], name: str, version: str, inside: bool) -> tuple[str, str, bool]:
    """Name and version of what a table is about, its own or of the table around it, and whether it has any."""
    given = next((node[word] for word in _NAMES if isinstance(node.get(word), str)), "")
    if inside and not given:
        return name, version, inside
    tables = [node, *(node[word] for word in ("state", "locked") if isinstance(node.get(word), dict))]
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
    elif _SUM.fullmatch(key) or is_sum(value):
        stable = version and not _UNSTABLE.search(version)
        yield Fact(name, version if stable else "", "", value, key)
    else:
        yield from (Fact(name, version, address) for address in addresses(value))
