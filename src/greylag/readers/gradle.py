"""Reader of Gradle's console: what compilers and linters say with a place, and what Gradle says went wrong."""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from greylag.model import Diagnostic, Severity
from greylag.readers._common import LARGEST, WORKSPACE, Locate, capped, locator, number, unreadable
from greylag.readers.text import continued, lines_of, once
from greylag.text import cap, one_line

_FILE = r"(?:file://)?(?P<path>/[^:\0]{1,1000}\.(?:java|kts?|groovy|gradle|scala))"
_AT = rf"{_FILE}:(?P<line>\d+):(?:(?P<column>\d+):)?"
_PLACED = (
    rf"(?P<level>[ew]): {_FILE}: \((?P<line>\d+), (?P<column>\d+)\): (?P<message>.*)",  # kotlinc before 1.8
    rf"(?P<level>[ew]): {_FILE}:(?P<line>\d+):(?P<column>\d+):? (?P<message>.*)",
    rf"\[(?P<level>Error|Warn)\] {_AT} (?P<message>.*)",  # scalac
    rf"\[ant:\w+\] \[(?P<level>\w+)\] {_AT} (?P<message>.*?)(?: \[(?P<rule>\w+)\])?$",  # Checkstyle
    rf"{_FILE}: (?P<line>\d+): (?P<message>.*)",  # groovyc
    rf"{_FILE}:(?P<line>\d+): (?P<level>error|warning): (?:\[(?P<rule>[\w.-]+)\] )?(?P<message>.*)",  # javac
    rf"{_AT}\s+(?P<message>.*?)(?: [\[(](?P<rule>[\w:.-]+)[\])])?$",  # PMD, ktlint, detekt
)
# Old versions of Gradle put the first line behind the name of a task, and new ones repeat some with an indent.
_PATTERNS = tuple(re.compile(rf"\s*(?::[\w:-]{{1,200}}?)?{pattern}") for pattern in _PLACED)
_WARNINGS = {"w", "Warn", "WARN", "INFO", "warning"}
_WHERE = re.compile(r"(?:Build|Settings|Initialization|Script|Precompiled script plugin) \w+ '(.+)' line: (\d+)")
_TASK = re.compile(r"Execution failed for task '([^']+)'")
_WRAPPER = re.compile(r'Exception in thread "main" (?:java\.\w+\.)?(.*)')
_SAID_ELSEWHERE = re.compile(
    r"[Cc]ompilation (?:failed|error)|(?:rule )?violations were found|There were failing tests"
)


def gradle_text(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """Errors and warnings with a place, given once, and each failure of Gradle's that is not told by them."""
    if len(data) > LARGEST:
        return (unreadable("Gradle output", f"{len(data)} bytes"),)
    locate, lines = locator(cwd, workspace), list(lines_of(data))
    placed = list(once(continued((line, _placed(line, locate)) for line in lines)))
    told = any(d.severity is Severity.ERROR for d in placed)
    failures = [d for d in _failures(lines, locate) if not (told and _SAID_ELSEWHERE.search(d.message))]
    return capped([*placed, *failures])


def _placed(line: str, locate: Locate) -> Diagnostic | None:
    """What a line says of a file."""
    if "/" not in line:
        return None
    hit = next(filter(None, (pattern.match(line) for pattern in _PATTERNS)), None)
    if hit is None:
        return None
    said = {"level": "", "column": None, "rule": None, **hit.groupdict()}
    severity = Severity.WARNING if said["level"] in _WARNINGS else Severity.ERROR
    path, row, column = locate(said["path"]), number(said["line"]), number(said["column"])
    return Diagnostic(str(said["message"]).strip(), severity, path, row, column, said["rule"])


def _failures(lines: Sequence[str], locate: Locate) -> Iterator[Diagnostic]:
    """One diagnostic for each `* What went wrong:`, with the script's place where Gradle names it; or the wrapper's."""
    where: re.Match[str] | None = None
    for at, line in enumerate(lines):
        if line == "* Where:" and at + 1 < len(lines):
            where = _WHERE.match(lines[at + 1])
        elif line == "* What went wrong:":
            block = itertools.takewhile(lambda line: not line.startswith("* "), lines[at + 1 : at + 60])
            found = _failure([line.rstrip() for line in block if line.strip()])
            yield replace(found, path=locate(where[1]), line=number(where[2])) if where else found
            where = None
        elif hit := _WRAPPER.match(line):
            yield Diagnostic(one_line(hit[1], 300), rule="gradlew")


def _failure(block: Sequence[str]) -> Diagnostic:
    """Its cause is the line that is nested most deeply, the first one of these."""
    causes = [line for line in block if line.lstrip().startswith("> ")]
    first = block[0] if block else "the build failed"
    cause = max(causes, key=lambda line: len(line) - len(line.lstrip()), default=first)
    task = _TASK.match(first)
    message = one_line(cause.lstrip("> "), 300)
    return Diagnostic(message, rule=task[1] if task else "gradle", excerpt=cap("\n".join(block), 2000))
