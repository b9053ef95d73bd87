"""Readers of tools that look at single files: shell scripts, workflows, YAML, protobuf, Terraform, Kubernetes, Helm.

Formats as shellcheck 0.11, actionlint 1.7, yamllint 1.38, buf 1.75, Terraform 1.11, kubeconform 0.8 and Helm 3.22 write
them. hadolint's SARIF has a reader of its own, as all SARIF.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from greylag.model import Diagnostic, Severity
from greylag.readers._common import (
    LARGEST,
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
from greylag.text import clean

_LINE = 2000  # characters of a line that are looked at
_YAMLLINT = re.compile(r"(\S.*?):(\d+):(\d+): \[(error|warning)\] (.*?)(?: \(([\w-]+)\))?")
_HELM = re.compile(r"(?:\[(ERROR|WARNING)\] ([^:\s]*)|(Error)): ?(.*)")
_TEMPLATE = re.compile(r"(?:\(|template: |\s|^)[^/\s(]+/((?:charts/[^/\s]+/)*templates/[^:\s]+):(\d+)(?::(\d+))?")
_YAML_LINE = re.compile(r"\bline (\d+)")


def shellcheck_json1(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`shellcheck -f json1`: positions count from 1; a tab is one column. `info` and `style` fail the tool as well."""
    return _objects(data, cwd, workspace, "comments", _shellcheck)


def _shellcheck(item: dict[str, Any], locate: Locate) -> Iterator[Diagnostic]:
    severity = Severity.ERROR if item.get("level") == "error" else Severity.WARNING
    yield Diagnostic(
        text(item.get("message")) or "no message",
        severity,
        locate(item.get("file")),
        number(item.get("line")),
        number(item.get("column")),
        f"SC{number(item.get('code'))}" if number(item.get("code")) else None,
    )


def actionlint_json(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`actionlint -format '{{json .}}'`: an array; the excerpt is the line of the workflow."""
    locate = locator(cwd, workspace)
    try:
        found = load(data)
    except ValueError as error:
        return (unreadable("actionlint JSON", error),)
    return capped(
        Diagnostic(
            text(item.get("message")) or "no message",
            path=locate(item.get("filepath")),
            line=number(item.get("line")),
            column=number(item.get("column")),
            rule=word(item.get("kind")),
            excerpt=text(item.get("snippet"), 600),
        )
        for item in tables(found)
    )


def yamllint_text(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`yamllint -f parsable`: one line each, with the rule at its end."""
    if len(data) > LARGEST:
        return (unreadable("yamllint output", f"{len(data)} bytes"),)
    locate = locator(cwd, workspace)
    found = (_YAMLLINT.fullmatch(line[:_LINE]) for line in clean(data).split("\n"))
    return capped(
        Diagnostic(hit[5], Severity(hit[4]), locate(hit[1]), number(hit[2]), number(hit[3]), hit[6])
        for hit in found
        if hit
    )


def buf_json(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`buf lint --error-format=json`: one object a line; what does not compile has the rule `COMPILE`."""
    locate = locator(cwd, workspace)
    try:
        found = [table(item) for item in json_lines(data)]
    except ValueError as error:
        return (unreadable("buf JSON lines", error),)
    return capped(
        Diagnostic(
            text(item.get("message")) or "no message",
            path=locate(item.get("path")),
            line=number(item.get("start_line")),
            column=number(item.get("start_column")),
            rule=word(item.get("type")),
        )
        for item in found
    )


def terraform_json(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`terraform validate -json`: the message is the summary and the detail, the excerpt the lines of the source."""
    return _objects(data, cwd, workspace, "diagnostics", _terraform)


def _terraform(item: dict[str, Any], locate: Locate) -> Iterator[Diagnostic]:
    place = table(item.get("range"))
    start = table(place.get("start"))
    parts = (word(item.get("summary")), word(item.get("detail"), 2000))
    yield Diagnostic(
        ": ".join(part for part in parts if part) or "no message",
        Severity.WARNING if item.get("severity") == "warning" else Severity.ERROR,
        locate(place.get("filename")),
        number(start.get("line")),
        number(start.get("column")),
        excerpt=text(table(item.get("snippet")).get("code"), 600),
    )


def kubeconform_json(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`kubeconform -output json`: one diagnostic for each place in a resource that its schema does not allow."""
    return _objects(data, cwd, workspace, "resources", _kubeconform)


def _kubeconform(item: dict[str, Any], locate: Locate) -> Iterator[Diagnostic]:
    if item.get("status") not in {"statusInvalid", "statusError"}:
        return
    path = locate(item.get("filename"))
    name = " ".join(part for part in (word(item.get("kind")), word(item.get("name"))) if part)
    errors = [(text(error.get("path")), text(error.get("msg"))) for error in tables(item.get("validationErrors"))]
    for place, message in errors or [("", text(item.get("msg")) or "no message")]:
        said = ": ".join(part for part in (f"{name} {place}".strip(), message) if part)
        yield Diagnostic(said, path=path, rule=word(item.get("status")))


def helm_text(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`helm lint` and `helm template`: errors and warnings; a template is named with the chart's name before it.

    A line that a YAML reader names in a template is one of what was rendered, so it is left out.
    """
    if len(data) > LARGEST:
        return (unreadable("Helm output", f"{len(data)} bytes"),)
    locate = locator(cwd, workspace)
    joined = re.sub(r"\n[ \t]+", " ", clean(data))
    found = (_HELM.fullmatch(line[:_LINE]) for line in joined.split("\n"))
    return capped(_helm(hit, locate) for hit in found if hit and "chart(s) linted" not in hit[4])


def _helm(hit: re.Match[str], locate: Locate) -> Diagnostic:
    level, where, _, message = hit.groups()
    severity = Severity.WARNING if level == "WARNING" else Severity.ERROR
    if template := _TEMPLATE.search(message):
        return Diagnostic(message, severity, locate(template[1]), number(template[2]), number(template[3]))
    path = where if where and not where.startswith("/") and not where.endswith("/") else None
    line = _YAML_LINE.search(message) if path and not path.startswith("templates/") else None
    return Diagnostic(message, severity, locate(path), number(line[1]) if line else None)


def _objects(
    data: bytes,
    cwd: str,
    workspace: str,
    key: str,
    read: Callable[[dict[str, Any], Locate], Iterator[Diagnostic]],
) -> tuple[Diagnostic, ...]:
    """The diagnostics of the objects in the array `key` of a JSON object."""
    locate = locator(cwd, workspace)
    try:
        found = table(load(data))
    except ValueError as error:
        return (unreadable(f"JSON with {key}", error),)
    if not isinstance(found.get(key), list):
        return (unreadable(f"JSON with {key}", f"no {key}"),)
    return capped(diagnostic for item in tables(found[key]) for diagnostic in read(item, locate))
