"""Readers of compilers that have only text: tsc, and javac and others as Maven's console shows them."""

import re
from collections.abc import Iterator
from dataclasses import replace

from greylag.model import Diagnostic, Severity
from greylag.readers._common import LARGEST, WORKSPACE, Locate, capped, locator, number, unreadable
from greylag.text import cap, clean

_LINE = 2000  # characters of a line that are looked at, so that no pattern meets a long one
_MORE = 6  # continuation lines that are kept of a message
_TSC = re.compile(r"([^\s(][^(]*)\((\d+),(\d+)\): (error|warning) (TS\d+): (.*)")
_TSC_PRETTY = re.compile(r"(\S+):(\d+):(\d+) - (error|warning) (TS\d+): (.*)")
_TSC_GLOBAL = re.compile(r"(error|warning) (TS\d+): (.*)")
_MAVEN = re.compile(r"\[(ERROR|WARNING)\] (?:file://)?(\S[^\[\](]*?):\s?[\[(](\d+)(?:,\s?(-?\d+))?[\])]:? ?(.*)")
_GOAL = re.compile(r"\[ERROR\] Failed to execute goal (?:[\w.-]+:)?([\w.-]+):[\w.-]+:([\w-]+)[^:]*: (.*)")
_PROBLEM = re.compile(r"\[(?:ERROR|FATAL)\] +(\S.*)")
_HELP = re.compile(
    r"-> \[Help|To see the full stack|Re-run Maven|For more information|\[Help \d|After correcting|  mvn "
)


def tsc_text(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`tsc`, pretty or not; indented lines continue the message before them."""
    locate = locator(cwd, workspace)
    if len(data) > LARGEST:
        return (unreadable("tsc output", f"{len(data)} bytes"),)
    return capped(continued((line, _tsc(line, locate)) for line in lines_of(data)))


def _tsc(line: str, locate: Locate) -> Diagnostic | None:
    if " TS" not in line:
        return None
    if found := _TSC.match(line) or _TSC_PRETTY.match(line):
        path, row, column, severity, code, message = found.groups()
        return Diagnostic(message, Severity(severity), locate(path), number(row), number(column), code)
    if found := _TSC_GLOBAL.match(line):
        severity, code, message = found.groups()
        return Diagnostic(message, Severity(severity), rule=code)
    return None


def maven_text(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """Maven's console: errors and warnings with a place (printed twice, given once), else why a goal failed."""
    locate = locator(cwd, workspace)
    if len(data) > LARGEST:
        return (unreadable("Maven output", f"{len(data)} bytes"),)
    lines = list(lines_of(data))
    located = list(once(continued((line, _maven(line, locate)) for line in lines)))
    if not any(d.severity is Severity.ERROR for d in located):
        located += _goals(lines)
    return capped(located)


def _maven(line: str, locate: Locate) -> Diagnostic | None:
    if found := _MAVEN.match(line) if line.startswith(("[ERROR] ", "[WARNING] ")) else None:
        level, path, row, column, message = found.groups()
        severity = Severity.ERROR if level == "ERROR" else Severity.WARNING
        return Diagnostic(message.strip(), severity, locate(path.strip()), number(row), number(column))
    return None


def _goals(lines: list[str]) -> Iterator[Diagnostic]:
    """One diagnostic per goal that failed; the problems named around it are its excerpt."""
    problems = [found[1].rstrip() for line in lines if (found := _PROBLEM.match(line)) and not _HELP.search(line)]
    goals = [found.groups() for line in lines if (found := _GOAL.match(line))]
    told = "\n".join(dict.fromkeys(p for p in problems if not p.startswith("Failed to execute goal")))
    for plugin, goal, message in goals:
        reason = message.removesuffix("-> [Help 1]").strip()
        if reason.endswith(":"):  # the reason stands on lines of its own
            reason = next((p for p in told.split("\n") if p and not p.rstrip().endswith(":")), reason)
        yield Diagnostic(reason or "failed", rule=f"{plugin}:{goal}", excerpt=cap(told, 2000))
    if problems and not goals:
        yield Diagnostic(problems[0], excerpt=cap(told, 2000))


def continued(pairs: Iterator[tuple[str, Diagnostic | None]]) -> Iterator[Diagnostic]:
    """Diagnostics with the indented lines below them as their excerpt."""
    current: Diagnostic | None = None
    more: list[str] = []
    for line, diagnostic in pairs:
        if diagnostic is None and current and line.removeprefix("[ERROR]").startswith(("  ", "\t")) and line.strip():
            more.append(line.removeprefix("[ERROR]").strip())
            continue
        if current:
            yield replace(current, excerpt="\n".join(more[:_MORE]))
        current, more = diagnostic, []
    if current:
        yield replace(current, excerpt="\n".join(more[:_MORE]))


def once(diagnostics: Iterator[Diagnostic]) -> Iterator[Diagnostic]:
    """Without those that say the same of the same place."""
    seen = set()
    for diagnostic in diagnostics:
        key = (diagnostic.path, diagnostic.line, diagnostic.column, diagnostic.message)
        if key not in seen:
            seen.add(key)
            yield diagnostic


def lines_of(data: bytes) -> Iterator[str]:
    """Clean lines, of which the patterns never meet a long one."""
    return (line[:_LINE] for line in clean(data).split("\n"))
