"""The nouns: frozen values without I/O that move forward through `greylag.pipeline`.

Seconds are wall-clock seconds, money is US dollars, paths are relative to the repository with `/`.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any


class Severity(StrEnum):
    """How bad a diagnostic is; an error of a guard blocks."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Origin(StrEnum):
    """Whose a diagnostic is, by comparison with the base commit."""

    NEW = "new"
    PRE_EXISTING = "pre-existing"
    FLAKY = "flaky"


class Phase(IntEnum):
    """Order of verification; later phases are skipped after a failed one."""

    PREPARE = 1
    FORMAT = 2
    STATIC = 3
    COMPILE = 4
    TEST = 5
    GUARD = 6
    JUDGE = 7


class Outcome(StrEnum):
    """Result of one verifier. Only `PASSED` is a pass."""

    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"  # it could not be run: infrastructure, never the change's fault
    TIMED_OUT = "timed out"
    SKIPPED = "skipped"
    RED_BEFORE = "failed before, too"  # nothing new failed: it does not block, and it is no pass


class Strength(StrEnum):
    """How much a passed report proves."""

    STRONG = "strong"  # tests ran
    WEAK = "weak"  # something ran, but no test
    NONE = "none"  # nothing ran


_RAISED = re.compile(r"(?:\w{1,80}[.$]){0,20}(\w{0,80}(?:Error|Exception))\b")
_VOLATILE = re.compile(r"0x[0-9a-fA-F]+|\d+(?:\.\d+)?|/tmp/\S+")


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One located message. `line` and `column` count from 1; `test` is the tool's own test id."""

    message: str
    severity: Severity = Severity.ERROR
    path: str | None = None
    line: int | None = None
    column: int | None = None
    rule: str | None = None
    test: str | None = None
    excerpt: str = ""
    origin: Origin = Origin.NEW

    @property
    def fingerprint(self) -> str:
        """Identity across edits: no line numbers, no addresses, no counts. Of a test that fails, what it raises."""
        raised = _RAISED.match(self.message) if self.test else None
        kind = raised[1] if raised and not raised[1].startswith("Assertion") else ""
        text = kind if self.test else _VOLATILE.sub("#", self.message)
        parts = (self.path or "", self.rule or "", self.test or "", text)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Counts:
    """Tests of one verdict: `run` includes the failed ones and excludes the skipped ones.

    `passed`: names of those that passed, sorted, one for each time; empty where the runner's report names none.
    """

    run: int
    failed: int = 0
    skipped: int = 0
    passed: tuple[str, ...] = field(default=(), repr=False, compare=False)


FINDINGS = "findings"  # key of a verdict's details: of a declared command without a report, where its errors come from
MATCHED, LOCATED = "matched", "located"  # from problem matchers; from lines that name a place


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one activated verifier found on one tree. `log` is an id below the run's log directory."""

    verifier: str
    phase: Phase
    outcome: Outcome
    root: str = "."
    reason: str = ""
    summary: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    seconds: float = 0.0
    counts: Counts | None = None
    log: str | None = None
    cached: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Name with the directory where there is one: `pytest` or `pytest (services/api)`."""
        return self.verifier if self.root in {"", "."} else f"{self.verifier} ({self.root})"

    @property
    def passed(self) -> bool:
        """True for a pass and for nothing else."""
        return self.outcome is Outcome.PASSED


@dataclass(frozen=True, slots=True)
class Scope:
    """What the prompt's author lets a change touch: kinds (`tests`, `ci`, `dependencies` ...) and path patterns."""

    allow: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()  # gitignore patterns; empty means everywhere


@dataclass(frozen=True, slots=True)
class Precondition:
    """What must hold on the base commit before an agent is asked.

    Either `run`, a command that exits with 0, or `contains`, a regular expression that a file of `files` (gitignore
    patterns; none: of all) has; `files` alone: there is such a file. `negate`: the opposite. `why`: the reason told.
    """

    run: str = ""
    files: tuple[str, ...] = ()
    contains: str = ""
    negate: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one agent session or one command. In a policy, tokens and dollars are those of the whole run."""

    turns: int = 50
    seconds: float = 3600.0
    tokens: int | None = None
    usd: float | None = None

    def less(self, used: "Usage") -> "Limits | None":
        """What is left when so much was used: fewer tokens and dollars. None: nothing is left."""
        tokens = None if self.tokens is None else self.tokens - used.input_tokens - used.output_tokens
        usd = None if self.usd is None else self.usd - (used.usd or 0.0)
        if (tokens is not None and tokens <= 0) or (usd is not None and usd <= 0):
            return None
        return replace(self, tokens=tokens, usd=usd)


@dataclass(frozen=True, slots=True)
class Policy:
    """How a task is to be carried out."""

    attempts: int = 3
    limits: Limits = Limits()
    scope: Scope = Scope()
    preconditions: tuple[Precondition, ...] = ()
    labels: tuple[str, ...] = ("greylag",)
    draft: bool = False
    ask_back: bool = False  # ask the agent at the end what its prompt lacked


@dataclass(frozen=True, slots=True)
class Repo:
    """A repository as its user names it: URL or path, branch (default branch when None)."""

    url: str
    branch: str | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One prompt for one repository. The id is deterministic, so that a second start finds the first."""

    prompt: str
    repo: Repo
    title: str
    policy: Policy = Policy()
    campaign: str = ""

    @property
    def version(self) -> str:
        """The title, and six digits that tell prompts with one title apart."""
        digest = hashlib.sha256(self.prompt.encode("utf-8", "surrogateescape")).hexdigest()
        return f"{self.title} [{digest[:6]}]"

    @property
    def id(self) -> str:
        """Ten hexadecimal digits of campaign, repository and prompt."""
        key = "\0".join((self.campaign, self.repo.url, self.repo.branch or "", self.prompt))
        return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:10]


class StopReason(StrEnum):
    """Why an agent ended. None of them says that the change is right: that belongs to the gate."""

    COMPLETED = "completed"
    DECLINED = "declined"  # the agent explains why it cannot or should not
    TURNS = "turn limit"
    BUDGET = "budget"
    TIMEOUT = "time limit"
    LLM_ERROR = "llm error"
    KILLED = "killed"


@dataclass(frozen=True, slots=True)
class Usage:
    """What one session consumed, as a delta.

    `cost_source` is `client`, `prices` (of tokens that the server told), `estimate` (of text, where an answer was cut
    off before its server told), `replay`, `unknown`, or `mixed` for a sum over several of them.
    """

    turns: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    usd: float | None = None
    cost_source: str = "unknown"

    def __add__(self, other: "Usage") -> "Usage":
        known = [u.usd for u in (self, other) if u.usd is not None]
        sources = {u.cost_source for u in (self, other) if u.turns or u.input_tokens}
        return Usage(
            self.turns + other.turns,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
            sum(known) if known else None,
            sources.pop() if len(sources) == 1 else "mixed" if sources else "unknown",
        )


@dataclass(frozen=True, slots=True)
class Session:
    """One conversation with an agent. `resume` is the agent's own token to go on with it."""

    id: str
    agent: str
    model: str
    stop: StopReason
    usage: Usage = Usage()
    text: str = ""
    transcript: str | None = None
    resume: str | None = None
    verifications: int = 0
    blocks: int = 0
    command: str = ""  # the program that was run, for an agent that is one and asks no model of ours
    instructions: str = ""  # version of the agent's own system prompt, where it is ours


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request, the same for every forge. `head` is the commit that was pushed.

    `updated`: it was there before it was published the last time.
    """

    forge: str
    repo: str
    number: int
    url: str
    branch: str
    base: str
    head: str
    title: str
    body: str
    state: str = "open"
    labels: tuple[str, ...] = ()
    updated: bool = field(default=False, compare=False)


class Status(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    OPENED = "opened"
    UPDATED = "updated"  # the pull request of an earlier run of the same task
    PASSED = "passed"  # the gate said yes to a replay, which publishes nothing
    NO_CHANGE = "no change"
    DECLINED = "declined"
    FAILED = "failed"  # verifiers or guards still say no after the last attempt
    VETOED = "vetoed"  # the judge does
    UNVERIFIED = "unverified"  # nothing could vouch for the change
    ERRORED = "errored"
    CANCELLED = "cancelled"

    @property
    def exit_code(self) -> int:
        """Exit code of `greylag run`, apart from errors, which carry their own."""
        if self in {Status.OPENED, Status.UPDATED, Status.PASSED, Status.NO_CHANGE, Status.DECLINED}:
            return 0
        return 130 if self is Status.CANCELLED else 1


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the time line: what happened, in words, with facts for machines."""

    kind: str  # `phase.started`, `verdict`, `agent.tool`, `agent.text`, `usage`, `gate.passed` ...
    text: str
    at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)
