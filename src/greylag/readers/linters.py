"""Readers of linters' and type checkers' JSON. Formats as ruff 0.14, mypy 1.18, pyright 1.1 and eslint 9 write them."""

import posixpath
from collections.abc import Iterator
from typing import Any

from greylag.model import Diagnostic, Severity
from greylag.readers._common import (
    WORKSPACE,
    Locate,
    capped,
    json_lines,
    load,
    locator,
    number,
    table,
    tables,
    text,
    unreadable,
    word,
)
from greylag.readers.golang import go_text

_SEVERITIES = {
    "error": Severity.ERROR,
    "fatal": Severity.ERROR,
    "warning": Severity.WARNING,
    "note": Severity.INFO,
    "information": Severity.INFO,
    "none": Severity.INFO,
}


def ruff_json(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`ruff check --output-format json`: an array; positions count from 1."""
    locate = locator(cwd, workspace)
    try:
        found = load(data)
    except ValueError as error:
        return (unreadable("ruff JSON", error),)
    return capped(
        Diagnostic(
            text(item.get("message")) or "no message",
            _SEVERITIES.get(str(item.get("severity")), Severity.ERROR),
            locate(item.get("filename")),
            number(table(item.get("location")).get("row")),
            number(table(item.get("location")).get("column")),
            word(item.get("code")) or "invalid-syntax",
        )
        for item in tables(found)
    )


def mypy_json(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`mypy --output json`: one object a line; columns count from 0."""
    locate = locator(cwd, workspace)
    try:
        found = [table(item) for item in json_lines(data)]
    except ValueError as error:
        return (unreadable("mypy JSON lines", error),)
    return capped(
        Diagnostic(
            text(item.get("message")) or "no message",
            _SEVERITIES.get(str(item.get("severity")), Severity.ERROR),
            locate(item.get("file")),
            number(item.get("line")),
            number(item.get("column"), 1),
            word(item.get("code")),
            excerpt=text(item.get("hint")),
        )
        for item in found
    )


def pyright_json(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`pyright --outputjson` and basedpyright: lines and columns count from 0."""
    locate = locator(cwd, workspace)
    try:
        found = table(load(data))
    except ValueError as error:
        return (unreadable("pyright JSON", error),)
    if "generalDiagnostics" not in found:
        return (unreadable("pyright JSON", "no generalDiagnostics"),)
    return capped(_pyright(item, locate) for item in tables(found["generalDiagnostics"]))


def _pyright(item: dict[str, Any], locate: Locate) -> Diagnostic:
    message, _, more = text(item.get("message")).partition("\n")
    start = table(table(item.get("range")).get("start"))
    return Diagnostic(
        message or "no message",
        _SEVERITIES.get(str(item.get("severity")), Severity.ERROR),
        locate(item.get("file")),
        number(start.get("line"), 1),
        number(start.get("character"), 1),
        word(item.get("rule")),
        excerpt=more,
    )


def eslint_json(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`eslint -f json` and xo: an array of files; severity 2 is an error; the excerpt is the source line."""
    locate = locator(cwd, workspace)
    try:
        found = load(data)
    except ValueError as error:
        return (unreadable("eslint JSON", error),)
    return capped(diagnostic for file in tables(found) for diagnostic in _eslint(file, locate))


def _eslint(file: dict[str, Any], locate: Locate) -> Iterator[Diagnostic]:
    path = locate(file.get("filePath"))
    source = file.get("source")
    rows = source.split("\n") if isinstance(source, str) else []
    for item in tables(file.get("messages")):
        line = number(item.get("line"))
        yield Diagnostic(
            text(item.get("message")) or "no message",
            Severity.ERROR if item.get("severity") == 2 or item.get("fatal") else Severity.WARNING,
            path,
            line,
            number(item.get("column")),
            word(item.get("ruleId")) or "parse-error",
            excerpt=text(rows[line - 1], 200) if line and line <= len(rows) else "",
        )


def golangci_json(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """The JSON of golangci-lint 1 and 2: every issue is an error, whatever severity its configuration gives it."""
    locate = locator(cwd, workspace)
    try:
        found = table(load(data))
    except ValueError as error:
        return (unreadable("golangci-lint JSON", error),)
    if "Issues" not in found:
        return (unreadable("golangci-lint JSON", "no Issues"),)
    issues = list(tables(found["Issues"]))
    compiler = [go_text(text(item.get("Text")).encode(), cwd, workspace) for item in issues if _typecheck(item)]
    linters = [_golangci(item, locate) for item in issues if not (_typecheck(item) and any(compiler))]
    return capped([*(error for errors in compiler for error in errors), *linters])


def _typecheck(item: dict[str, Any]) -> bool:
    """Whether an issue is what the compiler said: its text has the places, its own is that of the package."""
    return item.get("FromLinter") == "typecheck"


def _golangci(item: dict[str, Any], locate: Locate) -> Diagnostic:
    place, rows = table(item.get("Pos")), item.get("SourceLines")
    said, _, more = text(item.get("Text")).partition("\n")
    return Diagnostic(
        said or "no message",
        path=locate(place.get("Filename")),
        line=number(place.get("Line")),
        column=number(place.get("Column")),
        rule=word(item.get("FromLinter")),
        excerpt=text(rows[0], 200) if isinstance(rows, list) and rows else more,
    )


def sarif(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """SARIF 2.1.0 (OASIS). Suppressed results and those that are no findings are left out."""
    locate = locator(cwd, workspace)
    try:
        found = table(load(data))
    except ValueError as error:
        return (unreadable("SARIF", error),)
    if not isinstance(found.get("runs"), list):
        return (unreadable("SARIF", "no runs"),)
    return capped(diagnostic for run in tables(found["runs"]) for diagnostic in _sarif_run(run, locate))


def _sarif_run(run: dict[str, Any], locate: Locate) -> Iterator[Diagnostic]:
    rules = list(tables(table(table(run.get("tool")).get("driver")).get("rules")))
    bases = table(run.get("originalUriBaseIds"))
    for invocation in tables(run.get("invocations")):
        for note in tables(invocation.get("toolExecutionNotifications")):
            if note.get("level") == "error":
                yield Diagnostic(text(table(note.get("message")).get("text")) or "the tool failed")
    by_id = {rule["id"]: rule for rule in rules if isinstance(rule.get("id"), str)}
    for result in tables(run.get("results")):
        if (
            result.get("kind", "fail") != "fail"
            or result.get("suppressions")
            or result.get("baselineState") == "absent"
        ):
            continue
        name = result.get("ruleId") or table(result.get("rule")).get("id")
        index = result.get("ruleIndex")
        rule = by_id.get(name, {}) if isinstance(name, str) else {}
        if not rule and isinstance(index, int) and 0 <= index < len(rules):
            rule = rules[index]
        yield _sarif_result(result, rule, bases, locate)


def _sarif_result(result: dict[str, Any], rule: dict[str, Any], bases: dict[str, Any], locate: Locate) -> Diagnostic:
    level = result.get("level") or table(rule.get("defaultConfiguration")).get("level") or "warning"
    message = table(result.get("message"))
    template = table(table(rule.get("messageStrings")).get(str(message.get("id")))).get("text")
    place = table(next(tables(result.get("locations")), {}).get("physicalLocation"))
    artifact = table(place.get("artifactLocation"))
    region = table(place.get("region"))
    uri = artifact.get("uri")
    base = table(bases.get(str(artifact.get("uriBaseId")))).get("uri")
    if isinstance(base, str) and isinstance(uri, str) and base.startswith("file://"):
        uri = posixpath.join(base, uri)
    first, _, more = (text(message.get("text")) or text(template) or "no message").partition("\n")
    return Diagnostic(
        first,
        _SEVERITIES.get(str(level), Severity.WARNING),
        locate(uri),
        number(region.get("startLine")),
        number(region.get("startColumn")),
        word(result.get("ruleId")) or word(rule.get("id")),
        excerpt=text(table(region.get("snippet")).get("text"), 600) or more,
    )
