"""The judge's typed answer, and the decision that code computes from it: pass, veto or abstain."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from greylag.judge._quotes import Place, Quotable
from greylag.judge._requirements import asked, key
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
    tests_honest: StrictBool
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
    """What survived: a category of `_ACTIONS`, with a line that is in the diff (perhaps none for `incomplete`)."""

    category: str
    place: Place | None = None
    text: str = ""  # the requirement that is not met, in the model's words
    asked: str = ""  # and in the prompt's
    why: str = ""

    def diagnostic(self) -> Diagnostic:
        """Category, place, quoted line, one action: what an agent is told, and nothing of the model's prose."""
        about = "requirement not met" if self.category == "incomplete" else self.category.replace("-", " ")
        prompt = self.asked and f": {one_line(self.asked, 300)}"
        path, line, text = (self.place.path, self.place.line, self.place.text) if self.place else (None, None, "")
        return Diagnostic(
            f"{about}{prompt}; {_ACTIONS[self.category]}", path=one_line(path) if path else None, line=line,
            rule=f"judge/{self.category}", excerpt=one_line(text, 200),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ruling:
    """The decision, what it rests on, and how many quotes were made up."""

    decision: Decision
    reason: str
    findings: tuple[Finding, ...] = ()
    requirements: tuple[Requirement, ...] = ()  # each once, with the quotes that exist
    dropped: int = 0

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """At most five, for the agent; one that asks for a person when nothing was decided."""
        if self.decision == "abstain":
            return (Diagnostic(f"the judge could not decide: {self.reason}; a person must look", rule="judge/abstain"),)
        return tuple(finding.diagnostic() for finding in self.findings[:_MOST])


def rule(answer: Answer, diff: Quotable, *, prompt: str = "", unseen: Sequence[str] = ()) -> Ruling:
    """Pass, veto or abstain. `unseen`: changed files that the model was not shown and that somebody must see.

    A finding counts only with a quote that is in the diff. A requirement that is not met needs none, since what is
    missing cannot be quoted, but it must have none that is made up. Nothing is passed on the strength of quotes that do
    not exist.
    """
    claimed = _merged(answer.requirements)
    shown = tuple(r.model_copy(update={"quotes": tuple(q for q in r.quotes if diff.find(q))}) for r in claimed)
    invented = sum(len(before.quotes) - len(after.quotes) for before, after in zip(claimed, shown, strict=True))
    sound = [before.quotes == after.quotes for before, after in zip(claimed, shown, strict=True)]
    objections = [_objection(category, passage, diff) for category, passage in _passages(answer)]
    missing = [
        _missing(r, diff, prompt) if counts else None
        for r, counts in zip(shown, sound, strict=True)
        if r.status == "not_met"
    ]
    findings = tuple({(f.category, f.place, f.text): f for f in (*objections, *missing) if f}.values())
    made_up = objections.count(None) + invented
    if doubt := _muddle(answer, findings):
        return Ruling("abstain", doubt, findings, shown, made_up)
    if findings:  # a veto stands on what can be shown; what was made up beside it changes nothing
        return Ruling("veto", _reason(findings), findings, shown, made_up)
    dropped = objections.count(None) + missing.count(None)
    if doubt := _unfounded(answer, shown, diff, dropped, sound=all(sound)):
        return Ruling("abstain", doubt, (), shown, made_up)
    if unseen:
        names = ", ".join(one_line(name, 80) for name in unseen[:3])
        return Ruling("abstain", f"{len(unseen)} changed files could not be shown: {names}", (), shown, made_up)
    met = sum(r.status == "met" for r in shown)
    return Ruling("pass", f"{met} requirements met, nothing out of scope", (), shown, made_up)


def _merged(requirements: Iterable[Requirement]) -> tuple[Requirement, ...]:
    """Each requirement once, with all quotes; one that is said to be met and not met stays twice."""
    found: dict[tuple[str, str], tuple[Requirement, dict[str, None]]] = {}
    for r in requirements:
        _, quotes = found.setdefault((key(r.text), r.status), (r, {}))
        quotes.update(dict.fromkeys(r.quotes))
    return tuple(r.model_copy(update={"quotes": tuple(quotes)}) for r, quotes in found.values())


def _objection(category: str, passage: Passage, diff: Quotable) -> Finding | None:
    """None for one that cannot be shown."""
    place = diff.find(passage.quote, passage.path, changed=True)
    return Finding(category, place, why=passage.why) if place else None


def _missing(requirement: Requirement, diff: Quotable, prompt: str) -> Finding:
    places = filter(None, (diff.find(quote, changed=True) for quote in requirement.quotes))
    return Finding("incomplete", next(places, None), requirement.text, asked(requirement.text, prompt))


def _passages(answer: Answer) -> Iterator[tuple[str, Passage]]:
    yield from (("tests", passage) for passage in answer.tests)
    yield from (("guardrail", passage) for passage in answer.guardrails)
    yield from (("out-of-scope", passage) for passage in answer.out_of_scope)
    yield from (("addressed-to-reviewer", passage) for passage in answer.addressed_to_reviewer)


def _muddle(answer: Answer, findings: Sequence[Finding]) -> str:
    """What makes an answer worthless, whichever way it points; empty where nothing does."""
    if not answer.requirements:
        return "its answer names no requirement"
    status: dict[str, str] = {}
    if any(status.setdefault(key(r.text), r.status) != r.status for r in answer.requirements):
        return "its answer contradicts itself on a requirement"
    two_minds = answer.tests_honest and any(finding.category == "tests" for finding in findings)
    return "its answer calls the tests honest and objects to them" if two_minds else ""


def _unfounded(answer: Answer, shown: Sequence[Requirement], diff: Quotable, dropped: int, *, sound: bool) -> str:
    """What keeps a pass from standing; empty where nothing does."""
    met = [r for r in shown if r.status == "met"]
    quotes = [quote for r in met for quote in r.quotes]
    flaws = {
        f"its objections quote what is not in the diff ({dropped})": dropped > 0,
        "its answer calls the tests dishonest and shows nothing": not answer.tests_honest,
        "its answer rests on quotes that are not in the diff": not sound,
        "its answer finds no requirement that applies": not met,
        "its answer shows no line of the diff for what it calls met": not quotes,
        "its answer shows only lines that the change leaves as they are": not any(
            diff.find(quote, changed=True) for quote in quotes
        ),
    }
    return next((flaw for flaw, has in flaws.items() if has), "")


def _reason(findings: Sequence[Finding]) -> str:
    kinds = [finding.category.replace("-", " ") for finding in findings]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
