"""Reader of sbt's console: what the compilers of Scala and Java, scalafmt and scalafix say, and which task failed."""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from greylag.model import Diagnostic, Severity
from greylag.readers._common import LARGEST, WORKSPACE, Locate, capped, locator, number, unreadable
from greylag.readers.text import lines_of, once
from greylag.text import cap, one_line

END = "greylagEnd"  # an alias that is shown when all commands before it have succeeded

_LEVEL = r"\[(?P<level>error|warn)\] "
_FILE = r"(?P<path>/[^:\0]{1,1000}\.(?:scala|java|sbt|sc))"
_UNFORMATTED = "isn't formatted properly!"
_CHANGED = {_UNFORMATTED: ("is not formatted", "scalafmt"), "---": ("scalafix would change this file", "scalafix")}
_PATTERNS = (
    re.compile(
        rf"{_LEVEL}{_FILE}:(?P<line>\d+):(?P<column>\d+): (?:error: )?(?:\[(?P<rule>\w[\w.]*)\] )?(?P<message>.*)"
    ),
    re.compile(rf"{_LEVEL}\[{_FILE}\]:(?P<line>\d+): (?P<message>.*)"),  # a build definition that cannot be parsed
    re.compile(rf"{_FILE}:(?P<line>\d+): error: (?P<message>.*)"),  # one that cannot be compiled
    re.compile(rf"\[(?:error|warn)\] (?:scalafmt: )?{_FILE} (?P<message>{_UNFORMATTED})"),
    re.compile(rf"{_LEVEL}(?P<message>---) {_FILE}"),  # what scalafix would change
)
_SCALA3 = re.compile(
    rf"{_LEVEL}-- (?:\[(?P<rule>E\d+)\] )?(?P<kind>[\w -]{{0,100}}?)(?:Error|Warning): "
    rf"{_FILE}:(?P<line>\d+):(?P<column>\d+) ?-*"
)
_BODY = re.compile(r"\[(?:error|warn)\] (?: *\d* *\|)?(.*)")
_FOUND = re.compile(r" +(found|required|symbol|location) *: *(.*)")
_TASK = re.compile(r"\[error\] (?:\((?P<task>[^()]{1,200})\) |(?P<launcher>\[launcher\]) )(?P<message>.*)")
_ENDED = re.compile(rf"\s*{END} =|\[error\] (?:\(|\[launcher\] )|\[warn\] Project loading failed")
_MORE = 8  # lines that are kept of what is said below a place
_TELLING = 20  # of all that is said of tasks that failed


def sbt_text(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """Errors and warnings with a place, given once; where there is no error with one, the tasks that failed."""
    if len(data) > LARGEST:
        return (unreadable("sbt output", f"{len(data)} bytes"),)
    lines = list(lines_of(data))
    placed = list(once(_placed(lines, locator(cwd, workspace))))
    if any(d.severity is Severity.ERROR for d in placed):
        return capped(placed)
    return capped([*placed, *_failures(lines)])


def sbt_tests(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """The same, and whether sbt came to its end: a test that ends the whole process ends it with exit code 0."""
    found = sbt_text(data, cwd, workspace)
    ended = any(_ENDED.match(line) for line in lines_of(data))
    return found if ended else (*found, unreadable("sbt", "it ended before it said that all tests were over"))


def _placed(lines: Sequence[str], locate: Locate) -> Iterator[Diagnostic]:
    for at, line in enumerate(lines):
        if "/" not in line:
            continue
        if hit := _SCALA3.match(line):
            yield _of_scala3(hit, lines[at + 1 : at + 30], locate)
        elif hit := next(filter(None, (pattern.match(line) for pattern in _PATTERNS)), None):
            yield _of_line(hit, lines[at + 1 : at + 1 + _MORE], locate)


def _of_line(hit: re.Match[str], below: Sequence[str], locate: Locate) -> Diagnostic:
    """Scala 2 and javac: the message, more of it, the line of the source, a caret."""
    said = {"level": "error", "column": None, "rule": None, **hit.groupdict()}
    body = _until_caret(below)
    more = " ".join(f"{part[1]}: {part[2]}" for line in body if (part := _FOUND.fullmatch(line)))
    message = one_line(f"{said['message']} {more}".strip(), 300)
    severity = Severity.ERROR if said["level"] == "error" else Severity.WARNING
    path, row, column = locate(said["path"]), number(said.get("line")), number(said["column"])
    found = Diagnostic(message, severity, path, row, column, said["rule"], excerpt="\n".join(body))
    if message in _CHANGED:
        return replace(found, message=_CHANGED[message][0], rule=_CHANGED[message][1], excerpt="")
    return found


def _until_caret(lines: Sequence[str]) -> list[str]:
    """What belongs to a message; nothing where no caret says where it ends."""
    body = [hit[1] if (hit := re.match(r"\[(?:error|warn)\] ?(.*)", line)) else line for line in lines]
    end = next((at for at, line in enumerate(body) if line.strip() == "^"), -1)
    return [line.rstrip() for line in body[: end + 1]]


def _of_scala3(hit: re.Match[str], below: Sequence[str], locate: Locate) -> Diagnostic:
    """Scala 3: the source between bars, marked by carets, and the message after them up to an empty line."""
    inside = itertools.takewhile(lambda line: re.match(r"\[(?:error|warn)\]  *\d* *\|", line), below)
    body = [(_BODY.match(line) or [line, line])[1].rstrip() for line in inside]
    marked = next((at for at, line in enumerate(body) if line.strip().startswith("^")), -1)
    message = itertools.takewhile(str.strip, body[marked + 1 :])
    said = one_line(" ".join(line.strip() for line in message), 300) or one_line(hit["kind"])
    severity = Severity.ERROR if hit["level"] == "error" else Severity.WARNING
    excerpt = "\n".join(body[:_MORE])
    row, column = number(hit["line"]), number(hit["column"], plus=1)
    return Diagnostic(said, severity, locate(hit["path"]), row, column, hit["rule"], excerpt=excerpt)


def _failures(lines: Sequence[str]) -> Iterator[Diagnostic]:
    """Each task that failed, else the first that sbt calls an error; the excerpt has all of them, without traces."""
    errors = [line for line in lines if line.startswith("[error] ") and not re.match(r"\[error\] +\tat ", line)]
    told = [line.removeprefix("[error] ").rstrip() for line in errors if not line.startswith("[error] Total time")]
    excerpt = cap("\n".join(told[-_TELLING:]), 2000)
    tasks = [hit for line in errors if (hit := _TASK.match(line))]
    for hit in tasks:
        yield Diagnostic(one_line(hit["message"], 300), rule=hit["task"] or "launcher", excerpt=excerpt)
        excerpt = ""
    if told and not tasks:
        yield Diagnostic(one_line(told[0], 300), rule="sbt", excerpt=excerpt)
