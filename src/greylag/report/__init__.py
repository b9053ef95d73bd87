"""The report of one verification, and the run that collects them. A report is the only currency of feedback."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from greylag.model import (
    FINDINGS,
    MATCHED,
    Diagnostic,
    Outcome,
    Phase,
    PullRequest,
    Session,
    Status,
    Strength,
    Task,
    Usage,
    Verdict,
)
from greylag.report import rendering


@dataclass(frozen=True, slots=True)
class Report:
    """All verdicts on one frozen tree (`tree` is its git tree id), compared with the base commit."""

    tree: str
    base: str
    verdicts: tuple[Verdict, ...] = ()
    notes: tuple[str, ...] = ()  # what a reader must know: fewer tests than before, a sandbox that was off ...

    @property
    def passed(self) -> bool:
        """True when every verdict is a pass (a skipped one is none) and at least one tool vouches for the tree.

        A verdict that was red before the change in the same way does not block, but it is no pass, either.
        """
        fine = all(verdict.passed or verdict.outcome is Outcome.RED_BEFORE for verdict in self.verdicts)
        return fine and self.strength is not Strength.NONE

    @property
    def strength(self) -> Strength:
        """Whether tests ran, only other tools did, or nothing that is evidence.

        Tests that pass beside others that failed before the change, too, are weak evidence, and so is a declared check
        whose findings are those from before.
        """
        tools = [v for v in self.verdicts if v.passed and Phase.FORMAT <= v.phase <= Phase.TEST]
        if any(v.counts and v.counts.run for v in tools):
            return Strength.STRONG
        red = [v for v in self.verdicts if v.outcome is Outcome.RED_BEFORE]
        some = any(v.counts.run > v.counts.failed if v.counts else v.details.get(FINDINGS) == MATCHED for v in red)
        return Strength.WEAK if tools or some else Strength.NONE

    @property
    def failed(self) -> tuple[Verdict, ...]:
        """Verdicts that say no."""
        return tuple(v for v in self.verdicts if v.outcome in {Outcome.FAILED, Outcome.TIMED_OUT})

    @property
    def errored(self) -> tuple[Verdict, ...]:
        """Verdicts that could not be reached, by no fault of the change."""
        return tuple(v for v in self.verdicts if v.outcome is Outcome.ERRORED)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All diagnostics, in the order of the verdicts."""
        return tuple(d for v in self.verdicts for d in v.diagnostics)

    def render(self, budget: int = 800) -> str:
        """Text for an agent or a person, at most `budget` tokens of four bytes and never more than 2,000."""
        return rendering.render(self.verdicts, self.notes, passed=self.passed, strength=self.strength, budget=budget)


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a task: what CLI, dashboard, evals and notifiers read."""

    id: str
    task: Task
    status: Status
    started: datetime
    agent: str = ""
    base: str = ""
    tree: str | None = None
    finished: datetime | None = None
    reason: str = ""
    baseline: Report | None = None
    sessions: tuple[Session, ...] = ()
    reports: tuple[Report, ...] = ()
    pull_request: PullRequest | None = None
    branch: str | None = None
    reflection: Session | None = None  # what the agent said its prompt had lacked
    broken_off: Usage = Usage()  # of a session or a judge that an error ended, and that is in no other place
    artefacts: tuple[str, ...] = ()  # what was kept, as paths below the run's directory
    stamps: tuple[str, ...] = field(default=())  # warnings that stay with the run, such as `no sandbox`
    settings: Mapping[str, Any] = field(default_factory=dict)  # the operator's, as far as they were set
    replay_of: str = ""  # the run whose recorded answers were played
