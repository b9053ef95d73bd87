"""Tasks of make and just: the commands of each target, with what their variables stand for."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from greylag.guards._gates.shell import Command, commands

_ASSIGNED = re.compile(
    r"^[ ]*+(?>(?:(?:export|override)[ \t]++)*)([\w.-]{1,80})[ \t]*+(?:[:+?!]{0,3}=)[ \t]*+([^\n]*+)", re.MULTILINE
)
_RULE = re.compile(r"^(?![\t#])([^\n:=#]{1,500}):{1,2}(?!=)([^\n]*+)$")
_USED = re.compile(r"\$[({]([\w.-]{1,80})[)}]")
_NO_SHELL = re.compile(r"\S*?(?:true|echo|false|:)")
_OWN_VALUE = re.compile(r"(?:^|\s)[\w.-]++\s*+[:+?]?=")  # of one target
_MOST, _TOGETHER = 300, 50  # rules of a file, and targets of one
_VALUE, _LONGEST, _ALL = 500, 4000, 300_000  # characters of a variable, of a line, and of all recipes


@dataclass(slots=True)
class Task:
    """The commands of one task, in their order, and the tasks that run first."""

    commands: list[Command] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)


def joined(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, those that end with a backslash together with the next ones."""
    begin, parts = 1, list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        begin = begin if parts else number
        parts.append(line.lstrip() if parts else line)
        if line.endswith("\\"):
            parts[-1] = parts[-1][:-1]
            continue
        yield begin, " ".join(parts)
        parts = []
    if parts:
        yield begin, " ".join(parts)


def of_make(_path: str, text: str) -> dict[str, Task]:
    """Targets of a Makefile."""
    values = {match[1]: match[2] for match in islice(_ASSIGNED.finditer(text), _MOST)}
    values |= {"MAKE": "make"}
    if _NO_SHELL.fullmatch(values.get("SHELL", "").strip()):
        return {}
    pipefail = "pipefail" in values.get(".SHELLFLAGS", "")
    found: dict[str, Task] = {}
    own: list[Task] = []
    fresh, rules, left = False, 0, _ALL
    for number, line in joined(text):
        if line.startswith("\t") and own and (fresh or len(own[0].commands) < _MOST):
            command = _expanded(line[1:_LONGEST], values)
            left -= len(command)
            recipe = _recipe(command, number, pipefail) if left > 0 else []
            for task in own:
                task.commands[:] = recipe if fresh else [*task.commands, *recipe]  # the last recipe counts
            fresh = False
        elif (match := _RULE.match(line)) and not match[1].lstrip().startswith((".", "ifeq", "ifneq", "define")):
            needs, _, command = match[2].partition(";")
            rules += 1
            own = [found.setdefault(name, Task()) for name in match[1].split()[:_TOGETHER]] if rules < _MOST else []
            fresh = True
            needs = "" if _OWN_VALUE.search(needs[:_LONGEST]) else needs.partition("#")[0]
            inline = _recipe(_expanded(command[:_LONGEST], values), number, pipefail)
            for task in own:
                task.needs = [*task.needs, *needs.split()][:_MOST]
                task.commands += inline
        elif line.strip() and not line.lstrip().startswith("#"):
            own = own if line.startswith((" ", "\t", "if", "el", "end")) else []
    return found


def _recipe(line: str, number: int, pipefail: bool) -> list[Command]:
    ahead = line.lstrip(" @+")
    found = commands(ahead.lstrip("-@+ ").replace("$$", "$"), line=number, pipefail=pipefail)
    return [replace(one, heeded=False) for one in found] if ahead.startswith("-") else found


def _expanded(line: str, values: Mapping[str, str]) -> str:
    for _ in range(4):
        if "$" not in line:
            break
        line = _USED.sub(lambda match: values.get(match[1], match[0])[:_VALUE], line, count=_TOGETHER)[:_LONGEST]
    return line


def of_just(_path: str, text: str) -> dict[str, Task]:
    """Recipes of a justfile."""
    found: dict[str, Task] = {}
    own: Task | None = None
    for number, line in joined(text):
        head = re.match(r"@?([A-Za-z_][\w-]{0,80})\b([^:\n]{0,200}):(?!=)([^\n]*+)", line)
        if line[:1] in " \t" and line.strip():
            if own is not None and len(own.commands) < _MOST:
                own.commands += _recipe(line.strip()[:_LONGEST], number, "pipefail" in text)
        elif head:
            if len(found) >= _MOST:
                break
            own = found.setdefault(head[1], Task())
            own.needs += re.findall(r"[\w-]+", head[3].split("#")[0])[:_MOST]
    return found
