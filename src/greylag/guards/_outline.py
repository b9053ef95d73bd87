"""Settings files as nested tables, as far as they are plain: INI, TOML, JSON, and YAML without its finer points."""

import re
from configparser import ConfigParser
from configparser import Error as IniError
from typing import Any

from greylag.guards import _gate_tables as tables
from greylag.kinds import matches

_INI = "*.ini .coveragerc .flake8 .pylintrc pylintrc .isort.cfg setup.cfg"
_JSON = ".eslintrc .eslintrc.json biome.json .stylelintrc .stylelintrc.json pyrightconfig.json .nycrc .nycrc.json .c8rc*"
_ITEM = re.compile(r"(?P<blank> *+)(?P<dash>- +)?(?:(?P<key>[\w./@*-]++|\"[^\"\n]*+\"):(?: +|$))?(?P<value>[^\n]*+)")
_PLAIN = re.compile(r"(?![&*!|>{%@`])[^#]*+(?:#[^\n]*+)?")  # no anchor, tag, block or table in one line
_LONGEST, _DEEPEST = 2000, 30


def outline(path: str, text: str) -> dict[str, Any] | None:
    """The settings, or None where they are of another kind or not plain."""
    if matches(path, "*.toml"):
        return _tried(tables.toml, text)
    if matches(path, _JSON):
        return _tried(tables.json_with_comments, text)
    if matches(path, "*.yml *.yaml .clang-tidy"):
        return _yaml(text)
    return _ini(text) if matches(path, _INI) else None


def _tried(reader: Any, text: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = reader(text)
    except tables.UnreadableError:
        return None
    return found


def _ini(text: str) -> dict[str, Any] | None:
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except IniError:
        return None
    return {name: dict(parser[name]) for name in parser.sections()}


def _yaml(text: str) -> dict[str, Any] | None:
    """Tables and lists by indentation; None at the first line that is anything else."""
    root: dict[str, Any] = {}
    stack: list[tuple[int, dict[str, Any], str]] = [(-1, {"": root}, "")]  # indentation, table, the key that is open
    for line in text.split("\n"):
        match = _ITEM.fullmatch(line[:_LONGEST]) if line.strip() and not line.lstrip().startswith("#") else None
        if match is None:
            if line.strip() and not line.lstrip().startswith("#"):
                return None
            continue
        depth, value = len(match["blank"]), match["value"].strip()
        if len(line) > _LONGEST or len(stack) > _DEEPEST or (value and not _PLAIN.fullmatch(value)):
            return None
        value = re.sub(r"\s+#.*", "", value).strip("\"'")
        if match["dash"]:
            while stack[-1][0] > depth or (stack[-1][0] == depth and not stack[-1][2]):
                stack.pop()
            _, table, name = stack[-1]
            entry = f"{match['key']}: {value}" if match["key"] else value
            kept = table.setdefault(name, [])
            if not isinstance(kept, list):
                if kept:
                    return None
                kept = table[name] = []
            kept.append(entry)
            if match["key"] and not value:
                return None  # a list of tables within tables
            continue
        if not match["key"]:
            return None
        while stack[-1][0] >= depth:
            stack.pop()
        _, table, name = stack[-1]
        inner = table.setdefault(name, {})
        if not isinstance(inner, dict):
            return None
        key = match["key"].strip('"')
        inner[key] = value or {}
        stack.append((depth, inner, key))
    return root
