"""When another correction is not worth its price: the judge says the same again, or what was to shrink has grown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from greylag.model import Phase
from greylag.report import Report

ROUNDS = 2  # corrections after a veto
_LESS = frozenset(("out-of-scope", "guardrail", "addressed-to-reviewer"))  # findings that ask to take something back


@dataclass(frozen=True, slots=True)
class Veto:
    """What a judge objected to, by its details, and the lines of the diff that it saw."""

    findings: tuple[tuple[str, str, str], ...]  # category, path, and the line of the diff or the words of the prompt
    lines: int


def veto(report: Report, diff: str) -> Veto | None:
    """The judge's veto in a report on this diff; None where no judge vetoed."""
    details = [v.details for v in report.failed if v.phase is Phase.JUDGE]
    if not details:
        return None
    found = (finding for one in details for finding in one.get("findings", ()))
    return Veto(tuple(_about(finding) for finding in found), diff.count("\n"))


def hopeless(vetoes: Sequence[Veto]) -> str:
    """Why the agent is not asked again after the last of these vetoes, in words; empty when it may be."""
    if len(vetoes) > ROUNDS:
        return f"the judge still objects after {ROUNDS} corrections"
    if len(vetoes) < 2:
        return ""
    before, now = vetoes[-2:]
    if again := [one for one in now.findings if 0 < before.findings.count(one) <= now.findings.count(one)]:
        category, path, _ = again[0]
        return f"the judge found the same again: {category.replace('-', ' ')}{path and f' in {path}'}"
    if before.findings and now.lines > before.lines and {category for category, _, _ in before.findings} <= _LESS:
        return f"the change grew from {before.lines} to {now.lines} lines of diff when a part was to be taken back"
    return ""


def _about(finding: dict[str, Any]) -> tuple[str, str, str]:
    """What it is, but for the judge's words, which change from answer to answer: words of the prompt, or a place."""
    category, path, quote, asked = (
        " ".join(str(finding.get(name, "")).split()) for name in ("category", "path", "quote", "asked")
    )
    return (category, "", asked) if asked else (category, path, quote)
