"""A report as SARIF 2.1.0 (OASIS), for code scanning pages and editors."""

from typing import Any
from urllib.parse import quote

from greylag.model import Diagnostic, Origin, Outcome, Severity, Verdict
from greylag.report import Report
from greylag.text import clean

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_NOT_RUN = {Outcome.ERRORED, Outcome.TIMED_OUT, Outcome.SKIPPED}


def to_sarif(report: Report) -> dict[str, Any]:
    """A SARIF log with one run per verdict; `json.dumps` it. A verdict that could not run says so in its invocation."""
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(verdict) for verdict in report.verdicts]}


def _run(verdict: Verdict) -> dict[str, Any]:
    rules = sorted({d.rule for d in verdict.diagnostics if d.rule})
    invocation: dict[str, Any] = {"executionSuccessful": verdict.outcome not in _NOT_RUN}
    if verdict.outcome in _NOT_RUN:
        text = verdict.summary or verdict.reason or verdict.outcome.value
        invocation["toolExecutionNotifications"] = [{"level": "error", "message": {"text": clean(text)}}]
    return {
        "tool": {"driver": {"name": clean(verdict.verifier), "rules": [{"id": clean(rule)} for rule in rules]}},
        "automationDetails": {"id": f"{clean(verdict.id)}/"},
        "invocations": [invocation],
        "results": [_result(diagnostic) for diagnostic in verdict.diagnostics],
        "properties": {"outcome": verdict.outcome.value, "phase": verdict.phase.name.lower()},
    }


def _result(diagnostic: Diagnostic) -> dict[str, Any]:
    result: dict[str, Any] = {
        "level": _LEVELS[diagnostic.severity],
        "message": {"text": clean(diagnostic.message) or "no message"},
        "partialFingerprints": {"greylag/v1": diagnostic.fingerprint},
        "baselineState": "unchanged" if diagnostic.origin is Origin.PRE_EXISTING else "new",
    }
    if diagnostic.rule:
        result["ruleId"] = clean(diagnostic.rule)
    if diagnostic.path:
        result["locations"] = [{"physicalLocation": _place(diagnostic, diagnostic.path)}]
    if diagnostic.test:
        result["properties"] = {"test": clean(diagnostic.test)}
    return result


def _place(diagnostic: Diagnostic, path: str) -> dict[str, Any]:
    base = {} if path.startswith("/") else {"uriBaseId": "%SRCROOT%"}
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(path.encode("utf-8", "surrogateescape")), **base}}
    if diagnostic.line and diagnostic.line > 0:
        place["region"] = {"startLine": diagnostic.line}
        if diagnostic.column and diagnostic.column > 0:
            place["region"]["startColumn"] = diagnostic.column
    return place
