"""Settings files as nested tables, as far as they are plain: INI, TOML, JSON, and YAML without its finer points."""

import re
from configparser import ConfigParser
from configparser import Error as IniError
from typing import Any

from greylag.guards._gates import gate_tables as tables
from greylag.kinds import matches

_INI = "*.ini .coveragerc .flake8 .pylintrc pylintrc .isort.cfg setup.cfg"
_JSON = (
    ".eslintrc .eslintrc.json biome.json .stylelintrc .stylelintrc.json pyrightconfig.json .nycrc .nycrc.json .c8rc*"
    " knip.json .knip.json stryker.conf.json"
)
_ITEM = re.compile(r"(?P<blank> *+)(?P<dash>- +)?(?:(?P<key>[\w./@*-]++|\"[^\"\n]*+\"):(?: +|$))?(?P<value>[^\n]*+)")
_PLAIN = re.compile(r"(?![&*!|>{%@`])[^#]*+(?:#[^\n]*+)?")  # no anchor, tag, block or table in one line
_LONGEST, _DEEPEST, _MOST = 2000, 30, 500  # characters of a line, tables in tables, entries of a list


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


_Stack = list[tuple[int, dict[str, Any], str]]  # indentation, table, and the key in it that is open


def _yaml(text: str) -> dict[str, Any] | None:
    """Tables and lists by indentation; None at the first line that is anything else."""
    root: dict[str, Any] = {}
    stack: _Stack = [(-1, {"": root}, "")]
    for line in text.split("\n"):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _ITEM.fullmatch(line) if len(line) <= _LONGEST and len(stack) <= _DEEPEST else None
        value = match["value"].strip() if match else ""
        if match is None or (value and not _PLAIN.fullmatch(value)):
            return None
        value = re.sub(r"\s+#.*", "", value).strip("\"'")
        if not (_entry if match["dash"] else _setting)(stack, match, value):
            return None
    return root


def _entry(stack: _Stack, match: re.Match[str], value: str) -> bool:
    """Adds one to the list of the open key; whether that is a list of plain entries."""
    depth = len(match["blank"])
    while stack[-1][0] > depth:
        stack.pop()
    _, table, name = stack[-1]
    kept = table.get(name) or []
    if not isinstance(kept, list) or (match["key"] and not value):
        return False
    table[name] = [*kept, f"{match['key']}: {value}" if match["key"] else value][:_MOST]
    return len(kept) < _MOST


def _setting(stack: _Stack, match: re.Match[str], value: str) -> bool:
    """Puts a key into the table of the open one; whether that is a table."""
    depth, key = len(match["blank"]), (match["key"] or "").strip('"')
    while stack[-1][0] >= depth:
        stack.pop()
    _, table, name = stack[-1]
    inner = table.setdefault(name, {})
    if not isinstance(inner, dict) or not key:
        return False
    inner[key] = value or {}
    stack.append((depth, inner, key))
    return True
