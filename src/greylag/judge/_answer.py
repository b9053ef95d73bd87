"""The judge's typed answer, and the decision that code computes from it: pass, veto or abstain."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from greylag.judge._quotes import Quotable
from greylag.model import Diagnostic
from greylag.text import one_line

Decision = Literal["pass", "veto", "abstain"]

_MOST = 5  # findings that go back to an agent


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Requirement(_Part):
    """One requirement of the prompt."""

    text: str = Field(min_length=1)
    status: Literal["met", "not_met", "not_applicable"]
    quotes: tuple[str, ...] = Field(default=(), description="lines of the diff that show it")


class Passage(_Part):
    """A place in the diff that should not be there."""

    path: str
    quote: str = Field(description="copied from the diff")
    why: str = ""


class Answer(_Part):
    """What the model fills in. It has no field for a verdict: code computes it."""

    reasoning: str = ""
    requirements: tuple[Requirement, ...]
    out_of_scope: tuple[Passage, ...] = ()
    guardrails: tuple[Passage, ...] = ()
    tests_honest: bool
    tests: tuple[Passage, ...] = ()
    addressed_to_reviewer: tuple[Passage, ...] = ()
    comment: str = ""


_ACTIONS = {
    "incomplete": "complete it and keep the rest",
    "out-of-scope": "take this part back and keep the rest",
    "guardrail": "restore the check and keep the rest",
    "tests": "restore what the test proves and keep the rest",
    "addressed-to-reviewer": "remove this text and keep the rest",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What survived: a category of `_ACTIONS`, with a quote that is in the diff (none for `incomplete`)."""

    category: str
    text: str = ""  # the requirement that is not met
    path: str | None = None
    line: int | None = None
    quote: str = ""
    why: str = ""

    def diagnostic(self) -> Diagnostic:
        """Category, path, quoted line, one action: what an agent is told, and nothing of the model's prose."""
        about = f"requirement not met: {one_line(self.text, 300)}" if self.category == "incomplete" else (
            self.category.replace("-", " ")
        )  # fmt: skip
        return Diagnostic(
            f"{about}; {_ACTIONS[self.category]}", path=one_line(self.path) if self.path else None, line=self.line,
            rule=f"judge/{self.category}", excerpt=one_line(self.quote, 200),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ruling:
    """The decision, what it rests on, and how many quotes were made up."""

    decision: Decision
    reason: str
    findings: tuple[Finding, ...] = ()
    requirements: tuple[Requirement, ...] = ()  # with the quotes that exist
    dropped: int = 0

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """At most five, for the agent; one that asks for a person when nothing was decided."""
        if self.decision == "abstain":
            return (Diagnostic(f"the judge could not decide: {self.reason}; a person must look", rule="judge/abstain"),)
        return tuple(finding.diagnostic() for finding in self.findings[:_MOST])


def rule(answer: Answer, diff: Quotable, *, unseen: Sequence[str] = ()) -> Ruling:
    """Pass, veto or abstain. `unseen`: changed files that the model was not shown and that somebody must see.

    A finding counts only with a quote that is in the diff. A requirement that is not met needs none, since what is
    missing cannot be quoted. Nothing is passed on the strength of quotes that do not exist.
    """
    requirements = tuple(
        r.model_copy(update={"quotes": tuple(q for q in r.quotes if diff.find(q))}) for r in answer.requirements
    )
    findings, dropped = _findings(answer, diff)
    made_up = dropped + sum(
        len(a.quotes) - len(b.quotes) for a, b in zip(answer.requirements, requirements, strict=True)
    )
    doubt = _doubt(answer, requirements, findings, dropped, diff)
    if doubt:
        return Ruling("abstain", doubt, findings, requirements, made_up)
    if findings:
        return Ruling("veto", _reason(findings), findings, requirements, made_up)
    if unseen:
        names = ", ".join(one_line(name, 80) for name in unseen[:3])
        return Ruling("abstain", f"{len(unseen)} changed files could not be shown: {names}", (), requirements, made_up)
    met = sum(r.status == "met" for r in requirements)
    return Ruling("pass", f"{met} requirements met, nothing out of scope", (), requirements, made_up)


def _findings(answer: Answer, diff: Quotable) -> tuple[tuple[Finding, ...], int]:
    """Those that can be shown, what has a place in the diff first, and the number of those that cannot."""
    kept: list[Finding] = []
    dropped = 0
    for category, passage in _passages(answer):
        place = diff.find(passage.quote, passage.path, changed=True)
        if place:
            kept.append(Finding(category, "", place.path, place.line, passage.quote, passage.why))
        else:
            dropped += 1
    missing = (
        Finding("incomplete", text=r.text, quote=next((q for q in r.quotes if diff.find(q)), ""))
        for r in answer.requirements if r.status == "not_met"
    )  # fmt: skip
    return (*kept, *missing), dropped


def _passages(answer: Answer) -> Iterator[tuple[str, Passage]]:
    yield from (("tests", passage) for passage in answer.tests)
    yield from (("guardrail", passage) for passage in answer.guardrails)
    yield from (("out-of-scope", passage) for passage in answer.out_of_scope)
    yield from (("addressed-to-reviewer", passage) for passage in answer.addressed_to_reviewer)


def _doubt(
    answer: Answer, requirements: tuple[Requirement, ...], findings: tuple[Finding, ...], dropped: int, diff: Quotable
) -> str:
    """Why nothing can be decided from this answer; empty when something can."""
    muddle = _muddle(requirements, answer.tests_honest and any(finding.category == "tests" for finding in findings))
    if muddle or findings:
        return muddle  # a veto stands on what can be shown; what was made up beside it changes nothing
    if dropped:
        return f"its objections quote what is not in the diff ({dropped})"
    if not answer.tests_honest:
        return "its answer calls the tests dishonest and shows nothing"
    return _unfounded(answer.requirements, requirements, diff)


def _muddle(requirements: tuple[Requirement, ...], two_minds: bool) -> str:
    """What makes an answer worthless, whichever way it points."""
    if not requirements:
        return "its answer names no requirement"
    status: dict[str, str] = {}
    for requirement in requirements:
        key = " ".join(requirement.text.lower().split())
        if status.setdefault(key, requirement.status) != requirement.status:
            return "its answer contradicts itself on a requirement"
    return "its answer calls the tests honest and objects to them" if two_minds else ""


def _unfounded(claimed: Sequence[Requirement], shown: Sequence[Requirement], diff: Quotable) -> str:
    """What keeps a pass from standing on the quotes."""
    met = [(before, after) for before, after in zip(claimed, shown, strict=True) if after.status == "met"]
    if not met:
        return "its answer finds no requirement that applies"
    if any(before.quotes and not after.quotes for before, after in met):
        return "its answer rests on quotes that are not in the diff"
    if not any(after.quotes for _, after in met):
        return "its answer shows no line of the diff for what it calls met"
    if not any(diff.find(quote, changed=True) for _, after in met for quote in after.quotes):
        return "its answer shows only lines that the change leaves as they are"
    return ""


def _reason(findings: Sequence[Finding]) -> str:
    kinds = [finding.category.replace("-", " ") for finding in findings]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
