"""Whether what is called like a lock file is one. Nobody reads lock files: code under such a name must not hide."""

import json
import re
from collections.abc import Mapping
from typing import Any

from greylag.kinds import LOCKS, matches

_LARGEST = 10_000_000  # characters
_JSON = """
package-lock.json npm-shrinkwrap.json bun.lock deno.lock Pipfile.lock composer.lock packages.lock.json Package.resolved
flake.lock MODULE.bazel.lock
"""
_TOML = "poetry.lock uv.lock pdm.lock pylock.toml pylock.*.toml Cargo.lock"
_TABLES = r"\[\[?[\w.\"' -]{1,200}\]\]?|[\w\"'.-]{1,200} = (?:[\"'\[{\d]|true|false).*|[\[\]{}, ]{1,20}"
_YAML = r"[A-Za-z][\w -]{0,80}:(?: +[\w.\"'/=+:{} -]{1,200})?|---"
_LINES: Mapping[str, str] = {  # what stands without indentation
    _TOML: _TABLES,
    "yarn.lock": r"[\"']?[^\s\"':(][^\n(;]{0,4000}@[^\n(;]{0,40000}:|__metadata:",
    "pnpm-lock.yaml pubspec.lock Podfile.lock": _YAML,
    "conda-lock.yml": rf"{_YAML}|- [A-Za-z][\w -]{{0,80}}:[^(;]*",
    "Gemfile.lock gems.locked": r"[A-Z][A-Z ]{0,40}",
    "go.sum go.work.sum": r"\S{1,300} v\S{1,200} h1:\S{20,200}",
    "gradle.lockfile buildscript-gradle.lockfile": r"[\w.-]{1,200}:[\w.-]{1,200}:[\w.+-]{1,100}=[\w.,-]*|empty=.*",
    "Cartfile.resolved": r"(?:github|git|binary) \"[^\"]{1,400}\" \"[^\"]{1,200}\"",
    "mix.lock": r"%\{.*|\}|\"\w{1,100}\": \{:.*",
    ".terraform.lock.hcl": r"provider \"[\w./-]{1,300}\" \{|\}",
}
_TRAILING = re.compile(r",(?=\s{0,99}[}\]])")


def read_json(text: str) -> Any:
    """Also with commas behind the last entry, as bun writes it. Raises `ValueError`."""
    try:
        return json.loads(text)
    except ValueError:
        return json.loads(_TRAILING.sub("", text))


def is_lock(path: str, text: str) -> bool:
    """Whether a file with the name of a lock file has the form of one, too."""
    if not matches(path, LOCKS) or len(text) > _LARGEST:
        return False
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if matches(path, _JSON):
        try:
            return not text.strip() or isinstance(read_json(text), dict)
        except (ValueError, RecursionError):
            return False
    form = next((form for patterns, form in _LINES.items() if matches(path, patterns)), "")
    pattern = re.compile(form)
    lines = (line for line in text.split("\n") if line[:1] not in {"", " ", "\t", "#"} and line.strip())
    return all(pattern.fullmatch(line.rstrip()) for line in lines)
