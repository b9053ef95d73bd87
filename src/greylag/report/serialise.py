"""Reports as JSON and back: for the caches and `--json`. The names of tests that passed are left out."""

import json
from collections.abc import Mapping
from typing import Any

from greylag.model import Counts, Diagnostic, Origin, Outcome, Phase, Severity, Verdict
from greylag.report import Report


def to_json(report: Report) -> str:
    """The report as one JSON object; `from_json` gives an equal report."""
    return json.dumps(report_to_dict(report), ensure_ascii=True)


def from_json(text: str | bytes) -> Report:
    """The report that `to_json` wrote. Raises `ValueError` for anything else."""
    try:
        return report_from_dict(json.loads(text))
    except RecursionError as error:
        raise ValueError("not a report: nested too deeply") from error


def report_to_dict(report: Report) -> dict[str, Any]:
    """Values for JSON. `passed` and `strength` are for readers; loading computes them anew."""
    return {
        "tree": report.tree,
        "base": report.base,
        "passed": report.passed,
        "strength": report.strength.value,
        "verdicts": [verdict_to_dict(verdict) for verdict in report.verdicts],
        "notes": list(report.notes),
    }


def report_from_dict(data: Mapping[str, Any]) -> Report:
    """Inverse of `report_to_dict`. Raises `ValueError` for anything else."""
    try:
        return Report(
            tree=data["tree"],
            base=data["base"],
            verdicts=tuple(verdict_from_dict(verdict) for verdict in data["verdicts"]),
            notes=tuple(data["notes"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a report: {error!r}") from error


def verdict_to_dict(verdict: Verdict) -> dict[str, Any]:
    """Values for JSON; the phase by its name, `details` as they are (they must be JSON values)."""
    counts = verdict.counts
    return {
        "id": verdict.id,
        "verifier": verdict.verifier,
        "phase": verdict.phase.name.lower(),
        "outcome": verdict.outcome.value,
        "root": verdict.root,
        "reason": verdict.reason,
        "summary": verdict.summary,
        "diagnostics": [diagnostic_to_dict(diagnostic) for diagnostic in verdict.diagnostics],
        "seconds": verdict.seconds,
        "counts": counts and {"run": counts.run, "failed": counts.failed, "skipped": counts.skipped},
        "log": verdict.log,
        "cached": verdict.cached,
        "details": dict(verdict.details),
    }


def verdict_from_dict(data: Mapping[str, Any]) -> Verdict:
    """Inverse of `verdict_to_dict`. Raises `ValueError` for anything else."""
    try:
        values = {name: value for name, value in data.items() if name != "id"}
        values["phase"] = Phase[data["phase"].upper()]
        values["outcome"] = Outcome(data["outcome"])
        values["counts"] = None if data["counts"] is None else Counts(**data["counts"])
        values["diagnostics"] = tuple(diagnostic_from_dict(diagnostic) for diagnostic in data["diagnostics"])
        return Verdict(**values)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a verdict: {error!r}") from error


def diagnostic_to_dict(diagnostic: Diagnostic) -> dict[str, Any]:
    """Values for JSON. The fingerprint is for readers; loading computes it anew."""
    return {
        "message": diagnostic.message,
        "severity": diagnostic.severity.value,
        "path": diagnostic.path,
        "line": diagnostic.line,
        "column": diagnostic.column,
        "rule": diagnostic.rule,
        "test": diagnostic.test,
        "excerpt": diagnostic.excerpt,
        "origin": diagnostic.origin.value,
        "fingerprint": diagnostic.fingerprint,
    }


def diagnostic_from_dict(data: Mapping[str, Any]) -> Diagnostic:
    """Inverse of `diagnostic_to_dict`. Raises `ValueError` for anything else."""
    try:
        values = {name: value for name, value in data.items() if name != "fingerprint"}
        values["severity"] = Severity(data["severity"])
        values["origin"] = Origin(data["origin"])
        return Diagnostic(**values)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a diagnostic: {error!r}") from error
