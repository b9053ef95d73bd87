"""`--allow`: what the front matter of a prompt would let pass, in a verb that has no prompt."""

import re
from dataclasses import replace

from greylag.kinds import KINDS
from greylag.model import Phase, Severity
from greylag.protocols import Observe
from greylag.report import Report

ALLOWED = (*KINDS, "verifiers")
_WORDS = (
    (re.compile(r"allow it in the prompt's front matter: `allow = \[\"(\w{1,20})\"\]`"), r"allow it by `--allow \1`"),
    (re.compile(r"allow `(\w{1,20})` in the prompt(?:'s front matter)?"), r"allow that by `--allow \1`"),
    (re.compile(r"\(the prompt allows (\w{1,20})\)"), r"(`--allow \1`)"),
    (re.compile(r"which the prompt allows$"), "which `--allow verifiers` allows"),
)
_KIND = re.compile(r"`--allow (\w{1,20})`")


def reworded(report: Report, allow: tuple[str, ...]) -> Report:
    """The report with remedies that work here, and with notes on what was allowed and what would let it pass."""
    verdicts = tuple(
        replace(
            verdict,
            summary=_here(verdict.summary),
            diagnostics=tuple(replace(d, message=_here(d.message)) for d in verdict.diagnostics),
        )
        for verdict in report.verdicts
    )
    blocking = (
        d.message for v in verdicts if v.phase is Phase.GUARD for d in v.diagnostics if d.severity is Severity.ERROR
    )
    found = {kind for message in blocking for kind in _KIND.findall(message) if kind in ALLOWED}
    notes = [f"allowed by --allow: {', '.join(allow)}"] if allow else []
    if found:
        notes.append(f"to allow what guards refuse: {' '.join(f'--allow {kind}' for kind in sorted(found))}")
    return replace(report, verdicts=verdicts, notes=(*notes, *map(_here, report.notes)))


def heard(observe: Observe) -> Observe:
    """What is told meanwhile, with the same remedies."""
    return lambda event: observe(replace(event, text=_here(event.text)))


def _here(text: str) -> str:
    for pattern, words in _WORDS:
        text = pattern.sub(words, text)
    return text
