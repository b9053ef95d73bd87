"""From a prompt to a pull request: the whole line. READ THIS FIRST.

    check out -> baseline -> agent -> freeze -> gate (verifiers, guards, judge) -> commit -> publish
                               ^                    |
                               +--- Report.render --+   at most `policy.attempts` times

Values move forward; the report's text is the only thing that goes back. The gate is ours and outside: it looks at a
frozen tree, the same tree is judged, committed and pushed, and what the agent says of itself decides nothing.
"""

import errno
import sys
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from greylag import evidence
from greylag.directories import WORKING, remove_tree
from greylag.errors import GreylagError, InfraError, UserError
from greylag.holding import held, release
from greylag.interrupts import held_off
from greylag.model import Event, Phase, PullRequest, Session, Status, StopReason, Task
from greylag.protocols import Agent, AgentRequest, Bounds, Forge, Layers, Observe, Pushable, SandboxBackend, SandboxSpec
from greylag.report import Report, Run
from greylag.verification import Verification
from greylag.workspace import AUTHOR, Workspace

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_GIVEN_UP = {StopReason.DECLINED, StopReason.LLM_ERROR, StopReason.KILLED}


@dataclass(frozen=True, slots=True)
class Parts:
    """What a run is put together from. `home` is the run's own directory, kept as its record."""

    agent: Agent
    backend: SandboxBackend
    forge: Forge
    checkout: Callable[[Task, Path], Workspace]
    verification: Callable[[Task, Workspace, Path, Observe], Verification]
    bounds: Bounds = Bounds()
    author: str = AUTHOR
    stamps: tuple[str, ...] = ()


def run_task(
    task: Task, run_id: str, home: Path, parts: Parts, *, observe: Observe, record: Callable[[Run], None]
) -> Run:
    """Carry out one task. The answer says what happened; `record` has seen every step, also when this raises.

    Raises `UserError`, `InfraError` and `AgentError` after the run was recorded as errored, and `KeyboardInterrupt`
    after it was recorded as cancelled. Nothing is left running, and no pull request is half open. `home` is held by a
    lock meanwhile: who finds it free knows that a run which its record calls running was killed.
    """
    run = Run(run_id, task, Status.RUNNING, datetime.now(UTC), agent=parts.agent.name, stamps=parts.stamps)
    steps = _Steps(task, home, parts, observe, record, run)
    with held(home):
        try:
            record(run)
            return steps.carry_out()
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            raise InfraError(f"{error.strerror} at {error.filename or home}; make room and run again") from error
        finally:
            steps.leave()


@dataclass(slots=True)
class _Steps:
    """The steps of one run, in order; holds the record as it grows."""

    task: Task
    home: Path
    parts: Parts
    observe: Observe
    record: Callable[[Run], None]
    run: Run
    written: bool = True

    def carry_out(self) -> Run:
        self.tell("checkout", f"checking out {self.task.repo.url}")
        with closing(self.parts.checkout(self.task, self.home)) as workspace:
            self.keep(base=workspace.base)
            with closing(self.parts.verification(self.task, workspace, self.home, self.observe)) as verification:
                self.tell("baseline", f"verifying the base commit {workspace.base[:10]}")
                baseline = verification.baseline()
                self.keep(baseline=baseline)
                _raise_infrastructure(baseline)
                if obstacle := verification.obstacle(baseline):
                    return self.end(Status.UNVERIFIED, obstacle)  # before anything is spent on an agent
                return self.attempts(workspace, verification, baseline)

    def attempts(self, workspace: Workspace, verification: Verification, baseline: Report) -> Run:
        policy, lock, prompt = self.task.policy, threading.Lock(), self.task.prompt

        def verify() -> Report:
            with lock:  # an agent may call its tool and end at the same time
                tree = workspace.freeze(self.parts.backend)
                return verification.run(tree, mode="loop", baseline=baseline)

        attempts = policy.attempts if self.parts.agent.corrects else 1
        with self.parts.backend.open(self.agent_sandbox(workspace)) as sandbox:
            for attempt in range(1, attempts + 1):
                self.tell("attempt", f"attempt {attempt} of {attempts}: {self.run.agent}", attempt=attempt)
                last = self.run.sessions[-1] if self.run.sessions else None
                request = AgentRequest(
                    prompt, sandbox, verify, policy.limits, self.home / "transcript.jsonl", self.observe, last
                )
                session = self.parts.agent.run(request)
                self.keep(sessions=(*self.run.sessions, session))
                tree = workspace.freeze(self.parts.backend)
                self.keep(tree=tree)
                if tree == workspace.base_tree:
                    return self.unchanged(session)
                with suppress(InfraError):  # what an agent was paid for is not lost with what comes after it
                    self.save(workspace)
                if session.stop in _GIVEN_UP:
                    return self.given_up(workspace, session)
                self.tell("gate", f"gate: verifying the frozen tree {tree[:10]}", tree=tree)
                report = verification.run(tree, mode="gate", baseline=baseline)
                self.keep(reports=(*self.run.reports, report))
                _raise_infrastructure(report)
                if report.passed:
                    return self.publish(workspace, report)
                self.tell("gate.refused", _first_reason(report))
                if session.stop is not StopReason.COMPLETED or not _mendable(report):
                    break
                prompt = evidence.feedback(report)
        return self.refused(workspace)

    def agent_sandbox(self, workspace: Workspace) -> SandboxSpec:
        """The agent's sandbox: its work tree, and a home that lasts as long as the run."""
        scratch, home = self.home / "sandbox", self.home / "agent-home"
        for directory in (scratch, home):
            directory.mkdir(parents=True, exist_ok=True)
        tree, own = Layers(upper=workspace.directory), Layers(upper=home)
        return SandboxSpec("agent", tree, own, scratch, bounds=self.parts.bounds)

    def unchanged(self, session: Session) -> Run:
        """No pull request, and no failure of ours: nothing to do, or a task that the agent explains it cannot do."""
        self.discard()
        if session.stop is StopReason.DECLINED:
            return self.end(Status.DECLINED, session.text)
        if session.stop is not StopReason.COMPLETED:
            return self.end(Status.FAILED, f"the agent ended without a change: {session.stop.value}")
        return self.end(Status.NO_CHANGE, session.text)

    def given_up(self, workspace: Workspace, session: Session) -> Run:
        """The agent changed something and then said that it cannot, or broke off: nobody stands for that change."""
        self.save(workspace)
        status = Status.DECLINED if session.stop is StopReason.DECLINED else Status.FAILED
        return self.end(status, session.text or f"the agent broke off: {session.stop.value}")

    def publish(self, workspace: Workspace, report: Report) -> Run:
        """Commit exactly the tree that was verified and judged, push it, open the pull request.

        An interrupt waits until that is over, which the forge's time-outs bound; a second one does not.
        """
        branch = evidence.branch(self.task)
        commit = workspace.commit(report.tree, evidence.commit_message(self.task), branch, author=self.parts.author)
        self.tell("publish", f"pushing {branch} and opening the pull request on {self.parts.forge.name}")
        request = PullRequest(
            forge=self.parts.forge.name, repo=self.task.repo.url, number=0, url="", branch=branch,
            base=workspace.branch, head=commit.commit, title=self.task.title,
            body=evidence.body(self.run, report), labels=self.task.policy.labels,
            state="draft" if self.task.policy.draft else "open",
        )  # fmt: skip
        told = _Told(commit, lambda reason: self.keep(branch=branch, reason=reason))
        with held_off():
            opened = self.parts.forge.publish(told, request)
            self.keep(branch=branch, pull_request=opened)
            self.discard()
            return self.end(Status.OPENED, f"pull request {opened.url}")

    def refused(self, workspace: Workspace) -> Run:
        """The gate said no to the last: keep the branch as an artefact, and say why."""
        self.save(workspace)
        report = self.run.reports[-1]
        return self.end(_refusal(report), _first_reason(report))

    def save(self, workspace: Workspace) -> None:
        """Keep the last frozen tree as a branch in a bundle, and as a diff, in the run's directory."""
        tree, branch = str(self.run.tree), evidence.branch(self.task)
        commit = workspace.commit(tree, evidence.commit_message(self.task), branch, author=self.parts.author)
        commit.save(self.home / "branch.bundle")
        (self.home / "change.diff").write_text(workspace.diff(tree), "utf-8", "surrogateescape")
        self.keep(branch=branch, artefacts=("branch.bundle", "change.diff"))

    def discard(self) -> None:
        """What was kept is not needed: the pull request has it, or the agent took it back."""
        kept = self.run.artefacts
        self.keep(artefacts=(), branch=self.run.branch if self.run.pull_request else None)
        for name in kept:
            (self.home / name).unlink(missing_ok=True)

    def leave(self) -> None:
        """Close the record, if an error or an interrupt passes through, and remove what only the run needed."""
        try:
            if self.run.status is Status.RUNNING:
                self.broken_off(sys.exception())
        finally:
            with suppress(OSError):  # the next run tries again
                for name in WORKING:
                    remove_tree(self.home / name)
                if not self.written:  # for want of disk: there may be some now
                    self.record(self.run)
                release(self.home)

    def broken_off(self, error: BaseException | None) -> Run:
        """Close the record with the error that ends the run, and with what may be there all the same."""
        if opened := self.run.pull_request:  # too late to cancel: the record must say what is there
            return self.end(Status.OPENED, f"pull request {opened.url}")
        status = Status.CANCELLED if isinstance(error, KeyboardInterrupt) else Status.ERRORED
        known = isinstance(error, GreylagError)
        text = "interrupted" if status is Status.CANCELLED else str(error) if known else f"a bug of greylag: {error!r}"
        return self.end(status, f"{text}; {self.run.reason}" if self.run.reason else text)

    def end(self, status: Status, reason: str) -> Run:
        """Close the record."""
        self.keep(status=status, reason=reason, finished=datetime.now(UTC))
        said = reason.removeprefix(f"{status.value}: ")
        self.tell("end", f"{status.value}: {said}" if said else status.value, status=status.value)
        return self.run

    def keep(self, **changes: Any) -> None:
        """Write the run down as it is now."""
        self.run, self.written = replace(self.run, **changes), False
        self.record(self.run)
        self.written = True

    def tell(self, kind: str, text: str, **data: Any) -> None:
        """One line of the time line."""
        self.observe(Event(kind, text, datetime.now(UTC), data))


@dataclass(frozen=True, slots=True)
class _Told:
    """A commit that tells the record before it is pushed what may be there, however the run ends then."""

    made: Pushable
    tell: Callable[[str], None]

    @property
    def commit(self) -> str:
        return self.made.commit

    @property
    def committer(self) -> str:
        return self.made.committer

    def push(self, url: str, branch: str, *, expect: str | None, token: str | None = None) -> None:
        self.tell(
            f"branch `{branch}` may have been pushed to {url} and its pull request opened; "
            "run the same task again: it finishes what is there"
        )
        try:
            self.made.push(url, branch, expect=expect, token=token)
        except UserError:  # it was refused
            self.tell("")
            raise


def _raise_infrastructure(report: Report) -> None:
    """A verifier that could not run says nothing about the change: the run ends, and can be started again."""
    if report.errored:
        verdict = report.errored[0]
        raise InfraError(f"{verdict.id} could not be run: {verdict.summary or verdict.reason}")


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
