"""Readers of Elixir's compiler and formatter, which have only text."""

import re
from collections.abc import Iterator

from greylag.model import Diagnostic, Severity
from greylag.readers._common import LARGEST, WORKSPACE, Locate, capped, locator, number, unreadable
from greylag.text import clean, one_line

_LINE = 2000  # characters of a line that are looked at
_NEAR = 12  # lines between a message and its place
_RAISED = re.compile(r"\*\* \((\w+)\) (\S+\.exs?):(\d+):(?:(\d+):)? (.*)")
_SAID = re.compile(r" *(error|warning): (.*)")
_PLACE = re.compile(r"[ \u2502]*(?:\u2514\u2500 )?([\w./@+-]+\.exs?):(\d+)(?::(\d+))?(?::|$)")  # since 1.16 in a frame
_FILE = re.compile(r"  \* (\S.*\.\w+)$")


def elixir_text(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """Errors and warnings of `mix compile`, and the files that `mix format --check-formatted` names."""
    locate = locator(cwd, workspace)
    if len(data) > LARGEST:
        return (unreadable("the output of mix", f"{len(data)} bytes"),)
    return capped(_found([line[:_LINE] for line in clean(data).split("\n")], locate))


def _found(lines: list[str], locate: Locate) -> Iterator[Diagnostic]:
    unformatted = False
    for at, line in enumerate(lines):
        unformatted = unformatted or line.startswith("The following files are not formatted")
        if hit := _RAISED.match(line):
            kind, path, row, column, message = hit.groups()
            yield Diagnostic(one_line(message, 500), Severity.ERROR, locate(path), number(row), number(column), kind)
        elif hit := _SAID.match(line):
            near = (_PLACE.match(below) for below in lines[at + 1 : at + 1 + _NEAR])
            path, row, column = next((place.groups() for place in near if place), (None, None, None))
            message, severity = one_line(hit[2], 500), Severity(hit[1])
            yield Diagnostic(message, severity, locate(path), number(row), number(column), "elixirc")
        elif unformatted and (hit := _FILE.match(line)):
            yield Diagnostic("not formatted as `mix format` does", path=locate(hit[1]), rule="mix format")
