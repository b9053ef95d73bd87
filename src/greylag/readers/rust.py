"""Readers of what Cargo's compilers and its formatter say: rustc and clippy in JSON, rustfmt in text."""

import re
from typing import Any

from greylag.model import Diagnostic, Severity
from greylag.readers._common import (
    LARGEST,
    WORKSPACE,
    Locate,
    capped,
    json_lines,
    locator,
    number,
    table,
    tables,
    text,
    unreadable,
    word,
)
from greylag.text import clean

_MESSAGE = b'{"reason":"compiler-message",'  # as every line begins that says something about code
_TOTAL = re.compile(r"aborting due to |\d+ warnings? emitted")
_LINE = 2000  # characters of a line that are looked at
_PLACE = re.compile(r"(?:--> |panicked at )(\S+?):(\d+):(\d+):?$")
_DEEPEST = 100  # macros within macros
_DIFF = re.compile(r"Diff in (.+?)(?: at line |:)(\d+):$")


def cargo_json(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`cargo check` and `cargo clippy` with `--message-format=json`, once for all targets that a file is part of.

    What goes wrong within a macro of somebody else is placed where the repository uses it. Where no compiler found an
    error, Cargo's own is given: a manifest that it cannot read, a build script that failed.
    """
    if len(data) > LARGEST:
        return (unreadable("Cargo's JSON lines", f"{len(data)} bytes"),)
    locate = locator(cwd, workspace)
    lines = b"\n".join(line for line in data.split(b"\n") if line.startswith(_MESSAGE))
    try:
        messages = [table(table(item).get("message")) for item in json_lines(lines)]
    except ValueError as error:
        return (unreadable("Cargo's JSON lines", error),)
    found = [diagnostic for message in messages if (diagnostic := _diagnostic(message, locate))]
    own = [] if any(diagnostic.severity is Severity.ERROR for diagnostic in found) else _own(data, locate)
    return capped([*found, *own])


def _own(data: bytes, locate: Locate) -> list[Diagnostic]:
    """The first error that stands between the messages, with all that follows."""
    lines = [line for line in clean(data).split("\n") if not line.startswith("{")]
    begin = next((at for at, line in enumerate(lines) if line.startswith("error")), len(lines))
    more = "\n".join(lines[begin + 1 :])
    places = (hit.groups() for line in lines[begin:] if (hit := _PLACE.search(line[:_LINE])))
    path, row, column = next(places, (None, None, None))
    said = [line.removeprefix("error: ") for line in lines[begin : begin + 1]]
    return [
        Diagnostic(text(first), path=locate(path), line=number(row), column=number(column), excerpt=text(more))
        for first in said
    ]


def _diagnostic(message: dict[str, Any], locate: Locate) -> Diagnostic | None:
    level = str(message.get("level"))
    severity = Severity.ERROR if level.startswith("error") else Severity.WARNING if level == "warning" else None
    said = text(message.get("message")) or "no message"
    if severity is None or (not message.get("spans") and _TOTAL.match(said)):
        return None
    span = next((span for span in tables(message.get("spans")) if span.get("is_primary")), {})
    label, place = word(span.get("label")), _place(span, locate)
    shown = text(message.get("rendered")).split("\n")
    arrow = len(shown) > 1 and shown[1].lstrip().startswith("-->")
    return Diagnostic(
        f"{said}: {label}" if label and label not in said else said,
        severity,
        locate(place.get("file_name")),
        number(place.get("line_start")),
        number(place.get("column_start")),
        word(table(message.get("code")).get("code")),
        excerpt="\n".join(shown[2 if arrow else 1 :]),
    )


def _place(span: dict[str, Any], locate: Locate) -> dict[str, Any]:
    """The innermost place in the repository, of those that lead into a macro; the given one when there is none."""
    here = span
    for _ in range(_DEEPEST):
        path = locate(here.get("file_name"))
        if path and not path.startswith(("/", "<")):
            return here
        here = table(table(here.get("expansion")).get("span"))
    return span


def rustfmt_text(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`cargo fmt --check`: each file with the place and the text of its first difference."""
    if len(data) > LARGEST:
        return (unreadable("rustfmt's output", f"{len(data)} bytes"),)
    locate = locator(cwd, workspace)
    first: dict[str, tuple[int, list[str]]] = {}  # where the text of a difference begins, which is before what differs
    lines_of: list[str] = []
    for line in clean(data).split("\n"):
        if hit := _DIFF.match(line[:_LINE]):
            lines_of = []
            first.setdefault(locate(hit[1]) or hit[1], (number(hit[2]) or 1, lines_of))
        else:
            lines_of.append(line)
    return capped(
        Diagnostic(
            "not formatted as `cargo fmt` does",
            path=path,
            line=begin + next((at for at, line in enumerate(lines) if line.startswith(("-", "+"))), 0),
            rule="rustfmt",
            excerpt=text("\n".join(lines)),
        )
        for path, (begin, lines) in first.items()
    )
