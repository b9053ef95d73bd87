"""From a prompt to a pull request: the whole line. READ THIS FIRST.

    check out -> baseline -> agent -> freeze -> gate (verifiers, guards, judge) -> commit -> publish
                               ^                    |
                               +--- Report.render --+   at most `policy.attempts` times

Values move forward; the report's text is the only thing that goes back. The gate is ours and outside: it looks at a
frozen tree, the same tree is judged, committed and pushed, and what the agent says of itself decides nothing.
`recording` keeps the record of all that, `publishing` commits, pushes and proposes.
"""

import errno
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from greylag import corrections, evidence, preconditions, publishing, spending
from greylag.errors import AgentError, GreylagError, InfraError, UserError
from greylag.exchanges import NAME, Channel, Exchanges
from greylag.holding import held
from greylag.model import Limits, Phase, Session, Status, StopReason, Task, Usage
from greylag.protocols import Agent, AgentRequest, Bounds, Forge, Layers, Observe, Sandbox, SandboxBackend, SandboxSpec
from greylag.recording import Recording
from greylag.report import Report, Run
from greylag.text import one_line, redacted
from greylag.verification import Verification
from greylag.workspace import AUTHOR, Workspace

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_REFLECTION = 120.0  # seconds
LACKED = (
    "The run is over; do not use any tool. For whoever words the next prompt like this one: what did the prompt lack, "
    "or say wrongly, that cost you time or made you guess? Answer in at most five sentences; `nothing` if nothing."
)
GO_ON = (
    "The turns of that session are used up, and you have a new one. Go on where you stood: look at what is left to do, "
    "do it, call `verify` until it passes, and end."
)
_BROKEN_OFF = {StopReason.LLM_ERROR, StopReason.KILLED}


_UNFINISHED = "the agent did not end by itself; what it has changed so far is verified as it is"


@dataclass(frozen=True, slots=True)
class Parts:
    """What a run is put together from. `settings` are those that made it so, for the record.

    Without a forge nothing is published, as for a replay of the run `replay_of`.
    """

    agent: Agent
    backend: SandboxBackend
    forge: Forge | None
    checkout: Callable[[Task, Path], Workspace]
    verification: Callable[[Task, Workspace, Path, Observe], Verification]
    bounds: Bounds = Bounds()
    author: str = AUTHOR
    stamps: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    replay_of: str = ""


def run_task(
    task: Task, run_id: str, home: Path, parts: Parts, *, observe: Observe, record: Callable[[Run], None],
    exchanges: Exchanges | None = None,
) -> Run:  # fmt: skip
    """Carry out one task. The answer says what happened; `record` has seen every step, also when this raises.

    `home` is the run's own directory, kept as its record; `exchanges` those with models, which are kept there, too.

    Raises `UserError`, `InfraError` and `AgentError` after the run was recorded as errored, and `KeyboardInterrupt`
    after it was recorded as cancelled. Nothing is left running, and no pull request is half open. `home` is held by a
    lock meanwhile: who finds it free knows that a run which its record calls running was killed.
    """
    run = Run(
        run_id, task, Status.RUNNING, datetime.now(UTC), agent=parts.agent.name, stamps=parts.stamps,
        settings=parts.settings, replay_of=parts.replay_of,
    )  # fmt: skip
    recording = Recording(run, home, record, observe)
    with held(home):
        try:
            record(run)
            return _Steps(task, home, parts, recording, exchanges or Exchanges(home / NAME)).carry_out()
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            raise InfraError(f"{error.strerror} at {error.filename or home}; make room and run again") from error
        finally:
            recording.leave()


@dataclass(frozen=True, slots=True)
class _Steps:
    """The steps of one run, in order."""

    task: Task
    home: Path
    parts: Parts
    recording: Recording
    exchanges: Exchanges

    def carry_out(self) -> Run:
        """Check out, verify the base commit, then let the agent try."""
        recording, parts = self.recording, self.parts
        recording.tell("checkout", f"checking out {self.task.repo.url}")
        with closing(parts.checkout(self.task, self.home)) as workspace:
            recording.keep(base=workspace.base)
            if unmet := self.unmet(workspace):
                return recording.end(Status.NO_CHANGE, unmet)  # before any token is spent
            with closing(parts.verification(self.task, workspace, self.home, recording.observe)) as verification:
                recording.tell("baseline", f"verifying the base commit {workspace.base[:10]}")
                baseline = verification.baseline()
                recording.keep(baseline=baseline)
                _raise_infrastructure(baseline)
                if obstacle := verification.obstacle(baseline):
                    return recording.end(Status.UNVERIFIED, obstacle)  # before anything is spent on an agent
                self.attempts(workspace, verification, baseline)
                return recording.run  # with what was asked after the end

    def unmet(self, workspace: Workspace) -> str:
        """Which precondition of the prompt the base commit does not meet."""
        wanted = self.task.policy.preconditions
        if not wanted:
            return ""
        self.recording.tell("preconditions", f"checking {len(wanted)} preconditions")
        place = preconditions.Place(
            self.parts.backend, self.parts.bounds, self.home / "preconditions",
            lambda directory: workspace.export(workspace.base_tree, directory),
        )  # fmt: skip
        return preconditions.unmet(wanted, workspace.tree(workspace.base_tree), place)

    def attempts(self, workspace: Workspace, verification: Verification, baseline: Report) -> Run:
        """Agent, freeze, gate: until the gate says yes, nothing more can be mended, or all attempts are used up."""
        recording, policy, prompt = self.recording, self.task.policy, self.task.prompt
        lock = threading.Lock()

        def rewrite(files: Mapping[str, bytes]) -> str:
            if refused := workspace.rewrite(files, sandbox):
                recording.tell("formatted", f"not all could be formatted: {refused}")
            return workspace.freeze(self.parts.backend)

        def verify() -> Report:
            with lock:  # an agent may call its tool and end at the same time
                tree = workspace.freeze(self.parts.backend)
                return verification.run(tree, mode="loop", baseline=baseline, rewrite=rewrite)

        attempts = policy.attempts if self.parts.agent.corrects else 1
        warned = spending.Warned(recording.observe, policy.limits)
        with self.parts.backend.open(self.agent_sandbox(workspace)) as sandbox, self.asked_back(sandbox):
            for attempt in range(1, attempts + 1):
                recording.tell("attempt", f"attempt {attempt} of {attempts}: {recording.run.agent}", attempt=attempt)
                last = recording.run.sessions[-1] if recording.run.sessions else None
                limits, warned.before = self.limits() or policy.limits, spending.spent(recording.run)
                with self.channel(f"session {attempt}") as channel:
                    request = AgentRequest(
                        prompt, sandbox, verify, limits, self.home / "transcript.jsonl",
                        warned, last, verification.log, channel,
                    )  # fmt: skip
                    session = self.asked(workspace, request)
                recording.keep(sessions=(*recording.run.sessions, session))
                self.exchanges.check()
                tree = workspace.freeze(self.parts.backend)
                changed = self.kept(workspace, tree)
                if session.stop is StopReason.TURNS and attempt < attempts and self.limits():
                    prompt = GO_ON  # it has not ended: there is nothing to judge yet
                    continue
                if not changed:
                    return self.unchanged(session)
                if session.stop in {StopReason.DECLINED, *_BROKEN_OFF}:
                    return self.given_up(workspace, session)
                recording.tell("gate", f"gate: verifying the frozen tree {tree[:10]}", tree=tree)
                with self.channel("judge") as channel:
                    report = verification.run(tree, mode="gate", baseline=baseline, rewrite=rewrite, channel=channel)
                    recording.keep(tree=report.tree, reports=(*recording.run.reports, report))
                    warned.look(spending.spent(recording.run))
                    if tree != report.tree == workspace.base_tree:
                        return self.unchanged(session, "all that it did was to format otherwise")
                    _raise_infrastructure(report)
                if report.passed:
                    return publishing.publish(recording, workspace, report, self.parts.forge, self.parts.author)
                recording.tell("gate.refused", _first_reason(report))
                if session.stop is not StopReason.COMPLETED or not _mendable(report):
                    break
                if why := self.hopeless(workspace):
                    return self.refused(workspace, f"{why}; ")
                prompt = evidence.feedback(report)
        return self.refused(workspace)

    def asked(self, workspace: Workspace, request: AgentRequest) -> Session:
        """One session. When an error ends it, what it had changed by then is kept as an artefact."""
        try:
            session = self.parts.agent.run(request)
        except (InfraError, AgentError, UserError):
            with suppress(GreylagError):
                if self.kept(workspace, workspace.freeze(self.parts.backend)):
                    self.save(workspace)
            raise
        if session.stop in {StopReason.TIMEOUT, StopReason.BUDGET}:
            self.recording.tell("ended.early", f"{session.stop.value}: {_UNFINISHED}")
        return replace(session, text=redacted(session.text))

    def kept(self, workspace: Workspace, tree: str) -> bool:
        """Whether there is a change: what an agent was paid for is not lost with what comes after it."""
        self.recording.keep(tree=tree)
        if tree == workspace.base_tree and not workspace.problems(tree):
            return False
        with suppress(InfraError):
            self.save(workspace)
        return True

    @contextmanager
    def channel(self, who: str) -> Iterator[Channel]:
        """The way to a model. What went over it is not lost with the error that ends it."""
        channel = Channel(who, self.exchanges, self.limits())
        with ExitStack() as unless_it_ends:
            unless_it_ends.callback(lambda: self.recording.keep(broken_off=channel.used))
            yield channel
            unless_it_ends.pop_all()

    @contextmanager
    def asked_back(self, sandbox: Sandbox) -> Iterator[None]:
        """At the end, when all is decided and published, the agent is asked what its prompt lacked."""
        yield
        run, limits = self.recording.run, self.limits()
        last = run.sessions[-1] if run.sessions else None
        if not (self.task.policy.ask_back and self.parts.agent.reflects and limits and last and last.resume):
            return
        limits = replace(limits, turns=1, seconds=min(limits.seconds, _REFLECTION))
        nothing = Report(run.tree or "", run.base, ())
        request = AgentRequest(
            LACKED, sandbox, lambda: nothing, limits, self.home / "transcript.jsonl", self.recording.observe, last,
            channel=Channel("reflection", self.exchanges),
        )  # fmt: skip
        with suppress(InfraError, AgentError, UserError):  # nothing depends on it
            answer = self.parts.agent.run(request)
            self.recording.keep(reflection=replace(answer, text=redacted(answer.text)))

    def limits(self) -> Limits | None:
        """Limits of the next session; None when the run has used up its budget.

        What models were seen to answer counts as well: as if it were paid for, where it is played.
        """
        used, seen = spending.spent(self.recording.run), self.exchanges.priced
        tokens = max(used.input_tokens, seen.input_tokens), max(used.output_tokens, seen.output_tokens)
        return self.task.policy.limits.less(Usage(0, *tokens, usd=max(used.usd or 0.0, seen.usd or 0.0)))

    def hopeless(self, workspace: Workspace) -> str:
        """Why another attempt would lead nowhere: there is no money for it, or the judge has said it all."""
        if self.limits() is None:
            return "the budget of the run is used up"
        found = (corrections.veto(report, workspace.diff(report.tree)) for report in self.recording.run.reports)
        return corrections.hopeless([veto for veto in found if veto])

    def agent_sandbox(self, workspace: Workspace) -> SandboxSpec:
        """The agent's sandbox: its work tree, and a home that lasts as long as the run."""
        scratch, home = self.home / "sandbox", self.home / "agent-home"
        for directory in (scratch, home):
            directory.mkdir(parents=True, exist_ok=True)
        tree, own = Layers(upper=workspace.directory), Layers(upper=home)
        return SandboxSpec("agent", tree, own, scratch, bounds=self.parts.bounds)

    def unchanged(self, session: Session, why: str = "") -> Run:
        """No pull request, and no failure of ours: nothing to do, or a task that the agent explains it cannot do."""
        publishing.discard(self.recording)
        _raise_broken_off(session)
        if session.stop is StopReason.DECLINED:
            return self.recording.end(Status.DECLINED, session.text)
        if session.stop is not StopReason.COMPLETED:
            return self.recording.end(Status.FAILED, f"the agent ended without a change: {session.stop.value}")
        reason = session.text.strip() or why
        if not reason:
            return self.recording.end(Status.FAILED, "the agent ended without a change, and without a word of why")
        return self.recording.end(Status.NO_CHANGE, reason)

    def given_up(self, workspace: Workspace, session: Session) -> Run:
        """The agent changed something and then said that it cannot, or broke off: nobody stands for that change."""
        self.save(workspace)
        _raise_broken_off(session)
        return self.recording.end(Status.DECLINED, session.text)

    def refused(self, workspace: Workspace, why: str = "") -> Run:
        """The gate said no to the last: keep the branch as an artefact, and say why."""
        self.save(workspace)
        report = self.recording.run.reports[-1]
        return self.recording.end(_refusal(report), why + _first_reason(report))

    def save(self, workspace: Workspace) -> None:
        """Keep the last frozen tree."""
        publishing.save(self.recording, workspace, self.parts.author)


def _raise_infrastructure(report: Report) -> None:
    """A verifier that could not run says nothing about the change: the run ends, and can be started again."""
    if report.errored:
        verdict = report.errored[0]
        raise InfraError(f"{verdict.id} could not be run: {verdict.summary or verdict.reason}")


def _raise_broken_off(session: Session) -> None:
    """An agent that could not go on says nothing about the change either: the gate was not asked."""
    if session.stop in _BROKEN_OFF:
        said = one_line(session.text, 400)
        raise AgentError(f"the agent {session.agent} broke off ({session.stop.value}){said and f': {said}'}")


def _mendable(report: Report) -> bool:
    """Whether an agent can do something about it: not when nothing vouches for a tree, nor when the judge abstained."""
    return bool(report.failed) and not any(v.details.get("decision") == "abstain" for v in report.failed)


def _refusal(report: Report) -> Status:
    if any(verdict.phase is Phase.JUDGE for verdict in report.failed):
        return Status.VETOED
    return Status.FAILED if report.failed else Status.UNVERIFIED


def _first_reason(report: Report) -> str:
    for verdict in report.failed:
        first = verdict.diagnostics[0].message if verdict.diagnostics else verdict.outcome.value
        return f"{verdict.id}: {verdict.summary or first}"
    return report.notes[0] if report.notes else "nothing vouches for the change"
