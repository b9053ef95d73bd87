"""Declarations of problem matchers, as GitHub Actions and tasks of VS Code publish them -> matchers.

`{"problemMatcher": [{"owner", "severity", "pattern": [{"regexp", "file", "line", ...}]}]}`, one of its matchers, or the
name of one that is known, such as `$gcc`. What only an editor needs (`background`, `applyTo`) is left alone. Everything
here raises `UserError` for a declaration that does not fit.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from greylag.errors import UserError
from greylag.model import Severity
from greylag.readers import _ecmascript
from greylag.readers._common import loads
from greylag.readers._known_matchers import KNOWN
from greylag.readers.matchers import Location, Matcher, Pattern, severity
from greylag.text import one_line

_LARGEST = 1 << 18  # bytes of a file
_MOST = 50  # patterns of one matcher
_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/)?', re.DOTALL)
_GROUPS = ("file", "fromPath", "location", "line", "column", "severity", "code", "message")
_UNUSED = ("endLine", "endColumn")  # of which diagnostics have none
_KEYS = {"regexp", "kind", "loop", "name", "label", *_GROUPS, *_UNUSED}
_VARIABLE = re.compile(r"^\$\{(workspaceFolder|workspaceRoot|cwd)\}/?")
_LOCATIONS: Mapping[str, Location] = {  # what is no file there is looked for elsewhere anyhow
    "relative": "relative",
    "autodetect": "relative",
    "absolute": "absolute",
    "search": "search",
}


def table(data: bytes, name: str) -> Mapping[str, Any]:
    """The contents of a file of matchers; `name` is what errors call it."""
    if len(data) > _LARGEST:
        raise UserError(f"problem matchers {name}: {len(data)} bytes are too many; keep it below {_LARGEST}")
    try:
        found = loads(
            _COMMENT.sub(lambda hit: hit[1] or "\n" * hit[0].count("\n"), data.decode("utf-8-sig", "replace"))
        )
    except ValueError as error:
        raise UserError(f"problem matchers {name} are no JSON: {error}") from error
    if not isinstance(found, dict) or "problemMatcher" not in found:
        raise UserError(f'problem matchers {name} have no `problemMatcher`; write {{"problemMatcher": [...]}}')
    return {"problemMatcher": found["problemMatcher"], "name": name}


def parsed(value: object) -> tuple[Matcher, ...]:
    """The matchers of a declaration: a name, a matcher, or a table that holds several."""
    if isinstance(value, Mapping) and "problemMatcher" in value:
        inside, name = value["problemMatcher"], str(value.get("name", ""))
        several = inside if isinstance(inside, list | tuple) else [inside]
        return tuple(matcher for each in several for matcher in _parsed(each, name))
    return _parsed(value, "")


def _parsed(value: object, name: str) -> tuple[Matcher, ...]:
    if isinstance(value, str):
        return tuple(_matcher(known, f"`{value}`") for known in _known(value, f"`{value}`", "there is no such name"))
    if not isinstance(value, Mapping):
        shown = one_line(json.dumps(value, default=str), 60)
        raise _refused(f"{shown}{name and f' of {name}'}", "it is neither a name nor a table")
    owner = str(value.get("owner") or "")
    called = f"`{owner}`{name and f' of {name}'}" if owner else f"of {name}" if name else "without `owner`"
    bases = _known(value["base"], called, "`base` is not known") if "base" in value else ({},)
    return tuple(_matcher({**base, **value}, called) for base in bases)


def _refused(called: str, why: str) -> UserError:
    return UserError(one_line(f"problem matcher {called}: {why}", 500))


def _known(name: object, called: str, why: str) -> tuple[Mapping[str, Any], ...]:
    if isinstance(name, str) and name[:1] == "$" and name[1:] in KNOWN:
        return KNOWN[name[1:]]
    raise _refused(called, f"{why}; there are {', '.join(f'${known}' for known in KNOWN)}")


def _matcher(value: Mapping[str, Any], called: str) -> Matcher:
    said = value.get("severity")
    if said is not None and not isinstance(said, str):
        raise _refused(called, "`severity` is a word, such as warning")
    location, prefix = _location(value.get("fileLocation", "relative"), called)
    return Matcher(
        str(value.get("owner") or value.get("source") or ""),
        tuple(_patterns(value.get("pattern"), called)),
        severity(said or "", Severity.ERROR),
        location,
        prefix,
    )


def _patterns(value: object, called: str) -> Iterator[Pattern]:
    if isinstance(value, str):
        value = _known(value, called, "`pattern` is not known")[0]["pattern"]
    alone = isinstance(value, Mapping)
    tables = [value] if alone else value
    if not isinstance(tables, list | tuple) or not 0 < len(tables) <= _MOST:
        raise _refused(called, f"`pattern` must be a table, or a list of up to {_MOST} tables")
    made = [_pattern(each, called, defaults=alone) for each in tables]
    if any(pattern.loop for pattern in made[:-1]):
        raise _refused(called, "only the last pattern can have `loop`")
    if not any(name == "message" for pattern in made for name, _ in pattern.groups):
        raise _refused(called, "no pattern says which group is the `message`")
    yield from made


def _pattern(value: object, called: str, *, defaults: bool) -> Pattern:
    if not isinstance(value, Mapping) or not isinstance(value.get("regexp"), str):
        raise _refused(called, "a pattern is a table with a text `regexp`")
    if unknown := [key for key in value if key not in _KEYS and key[:1] not in "_$/"]:
        near = difflib.get_close_matches(unknown[0], _KEYS, 1)
        hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(sorted(_KEYS))}"
        raise _refused(called, f"a pattern has no `{unknown[0]}`; {hint}")
    try:
        regexp = _ecmascript.compiled(value["regexp"])
    except ValueError as error:
        shown = one_line(value["regexp"], 80)
        raise _refused(called, f"regexp `{shown}` cannot be read: {error}") from error
    own = {name: value[name] for name in _GROUPS if value.get(name) is not None}
    if defaults:
        own = {**_defaults(own, value.get("kind") == "file", regexp.groups), **own}
    for name, group in own.items():
        if not isinstance(group, int) or isinstance(group, bool) or not 0 <= group <= regexp.groups:
            takes = f"a group of its regexp, 1 to {regexp.groups}, or 0 for all that matched"
            raise _refused(called, f"`{name}` is {one_line(str(group), 40)}; it takes {takes}")
    return Pattern(regexp, tuple(own.items()), value.get("loop") is True)


def _defaults(own: Mapping[str, object], whole: bool, groups: int) -> dict[str, object]:
    """What VS Code takes a pattern that is alone to mean, as far as its groups are there and not taken."""
    usual = (
        {"file": 1, "message": 0} if whole or "location" in own else {"file": 1, "line": 2, "column": 3, "message": 0}
    )
    return {name: group for name, group in usual.items() if group <= groups and group not in own.values()}


def _location(value: object, called: str) -> tuple[Location, str | None]:
    """How paths are to be read, and the directory that they are relative to."""
    kind, *more = value if isinstance(value, list | tuple) and value else (value,)
    location = _LOCATIONS.get(str(kind).lower())
    if location is None:
        known = ", ".join(_LOCATIONS)
        raise _refused(called, f"fileLocation `{kind}` is not known; there are {known}")
    if not more or location != "relative":
        return location, None
    variable = _VARIABLE.match(str(more[0]))
    prefix = str(more[0])[variable.end() if variable else 0 :]
    if "${" in prefix:
        known = "${workspaceFolder} and ${cwd}"
        raise _refused(called, f"fileLocation `{more[0]}` is not known; there are {known}")
    return location, None if variable and variable[1] == "cwd" and not prefix else prefix or "."
