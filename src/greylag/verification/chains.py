"""Where verifiers run. A chain is one verifier in one directory: its activations share throw-away layers, in order.

Different chains of a phase run at the same time and never see each other's files: a formatter, the output of a compiler
or a cache of one does not disturb the other, nothing is copied, and the exported tree below stays clean.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from greylag.directories import for_sockets
from greylag.egress import Egress, registries
from greylag.egress.allowlist import EgressPolicy
from greylag.errors import InfraError
from greylag.exchanges import Channel
from greylag.model import Event, Outcome, Phase, Verdict
from greylag.protocols import (
    Bounds,
    Change,
    Command,
    Completed,
    Context,
    Ended,
    Layers,
    Observe,
    Sandbox,
    SandboxBackend,
    SandboxSpec,
)
from greylag.report import Report
from greylag.report.rendering import verdict_line
from greylag.verification.layers import Layer, Lease, Stage
from greylag.verification.selection import Job, Key

Network = Literal["none", "registries", "host"]


@dataclass(slots=True, eq=False)
class Chain:
    """`jobs` in the order of their phases. `stage` is there once something ran, until it is made a layer.

    `built` is what stood there when all was compiled and no test had run: tests go on above it, also those that are
    run again, which so need not compile anything anew.
    """

    jobs: tuple[Job, ...]
    stage: Stage | None = None
    built: Stage | None = None
    layered: bool = False  # whether the stage holds only what differs
    sound: bool = True  # nothing was killed in the middle of a write

    def of(self, phase: Phase) -> tuple[Job, ...]:
        """The jobs of one phase."""
        return tuple(job for job in self.jobs if job.activation.phase is phase)

    def stages(self) -> tuple[Stage, ...]:
        """What has been written, the newest first."""
        return tuple(stage for stage in (self.stage, self.built) if stage)

    def settle(self, verdicts: Sequence[Verdict]) -> None:
        """Take what is there for what is built, if all of this chain's compilation is among the passed `verdicts`."""
        passed = {(v.verifier, v.root) for v in verdicts if v.phase is Phase.COMPILE and v.passed}
        names = {(job.activation.name, job.activation.root) for job in self.of(Phase.COMPILE)}
        if self.stage and self.layered and self.sound and not self.built and names and names <= passed:
            self.built, self.stage = self.stage, None


def chains(jobs: Sequence[Job]) -> list[Chain]:
    """Group jobs by verifier and directory."""
    grouped: dict[tuple[str, str], list[Job]] = {}
    for job in jobs:
        grouped.setdefault((job.verifier.name, job.activation.root), []).append(job)
    return [Chain(tuple(group)) for group in grouped.values()]


@dataclass(slots=True)
class Running:
    """The sandboxes that are open now, to end them all from any thread."""

    _open: set[Sandbox] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    stopped: bool = False

    @contextmanager
    def entered(self, sandbox: Sandbox) -> Iterator[None]:
        """Count `sandbox` in. Raises `InfraError` after `kill`."""
        with self._lock:
            self.check()
            self._open.add(sandbox)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(sandbox)

    def check(self) -> None:
        """Raises `InfraError` after `kill`."""
        if self.stopped:
            raise InfraError("the verification was stopped")

    def kill(self) -> None:
        """End every command, and let none start."""
        with self._lock:
            self.stopped = True
            sandboxes = list(self._open)
        for sandbox in sandboxes:
            sandbox.kill()


@dataclass(frozen=True, slots=True)
class Bench:
    """What all chains of one verification have in common. `export` gives the directory with the tree."""

    backend: SandboxBackend
    bounds: Bounds
    network: Mapping[Phase, Network]
    egress: EgressPolicy
    change: Change
    mode: Literal["baseline", "loop", "gate"]
    baseline: Report | None
    cpus: int
    logs: Path
    sockets: Path
    export: Callable[[], Path]
    lease: Lease
    caches: tuple[Path, ...]  # lower layers of the home directory
    running: Running
    observe: Observe
    rewrite: Callable[[str, bytes], None] | None = None  # takes what formatters have put right
    channel: Channel = Channel()
    prepared: list[Layer] = field(default_factory=list)  # layers for this tree, for all chains

    def run(self, todo: Mapping[Chain, Sequence[Job]], earlier: tuple[Verdict, ...]) -> dict[Key, Verdict]:
        """Run jobs of one phase, chains at the same time. Whatever ends this early ends all of them."""
        if not todo:
            return {}
        workers = min(len(todo), max(1, self.cpus))
        share = max(1, self.cpus // workers)
        with ThreadPoolExecutor(workers, "greylag-verify") as pool:
            done = False
            try:
                futures = [pool.submit(self._chain, chain, jobs, earlier, share) for chain, jobs in todo.items()]
                verdicts = {key: verdict for future in futures for key, verdict in future.result().items()}
                done = True
            finally:
                if not done:
                    self.running.kill()
                    pool.shutdown(wait=False, cancel_futures=True)
        self.running.check()
        return verdicts

    def _chain(self, chain: Chain, jobs: Sequence[Job], earlier: tuple[Verdict, ...], cpus: int) -> dict[Key, Verdict]:
        verdicts: dict[Key, Verdict] = {}
        if any(job.activation.phase is Phase.TEST for job in jobs):
            chain.settle(earlier)
        with ExitStack() as stack:
            sandbox = _Lazy(self.backend, lambda: stack.enter_context(self.backend.open(self._place(chain))))
            stack.enter_context(self.running.entered(sandbox))
            for job in jobs:
                verdict = self._job(chain, job, sandbox, (*earlier, *verdicts.values()), cpus)
                verdicts[job.key] = verdict
                chain.layered = sandbox.layered
                chain.sound &= verdict.outcome not in {Outcome.ERRORED, Outcome.TIMED_OUT}
        return verdicts

    def _place(self, chain: Chain) -> SandboxSpec:
        chain.stage = chain.stage or self.lease.stage()
        return self._spec(chain, chain.stage)

    def _spec(self, chain: Chain, stage: Stage) -> SandboxSpec:
        built = (chain.built,) if chain.built else ()
        homes = dict.fromkeys((*(layer.home for layer in self.prepared), *self.caches))
        workspaces = (self.export(), *(layer.workspace for layer in self.prepared))
        return SandboxSpec(
            "verifier",
            Layers((*(below.workspace for below in built), *workspaces), stage.workspace),
            Layers((*(below.home for below in built), *homes), stage.home),
            stage.scratch,
            bounds=self.bounds,
        )

    def _job(self, chain: Chain, job: Job, sandbox: Sandbox, earlier: tuple[Verdict, ...], cpus: int) -> Verdict:
        activation = job.activation
        facts = {"verifier": activation.name, "phase": activation.phase.name.lower(), "root": activation.root}
        self.tell("verifier.started", f"{activation.name} ({activation.reason})", **facts)
        started = time.monotonic()
        with self._line(activation.phase) as line:
            context = Context(
                self.change, sandbox, self.logs, lambda command: line.run(sandbox, command), self.mode, earlier,
                self.baseline, cpus, lambda: self._again(chain, context, line), self.rewrite, line.network != "none",
                self.bounds.seconds, self.channel,
            )  # fmt: skip
            verdict = _try(job, context)
            if verdict.outcome is Outcome.ERRORED and line.worth_another:
                verdict = _try(job, context)
            if self.mode == "baseline" and activation.phase is Phase.TEST and line.asked:
                verdict = _alone(job, context, verdict)
            verdict = self._complete(verdict, job, line.refused, time.monotonic() - started)
        self.tell_verdict(verdict)
        return verdict

    @contextmanager
    def _again(self, chain: Chain, context: Context, line: "_Line") -> Iterator[Context | None]:
        """Another place with the same tree, prepared and compiled, that no test has run in; None where there is none.

        Without overlays, what the preparation has left is in the one place that the chain has.
        """
        if not context.sandbox.layered:
            yield None
            return
        with self.backend.open(self._spec(chain, self.lease.stage())) as sandbox, self.running.entered(sandbox):
            logs = self.logs / "again"
            logs.mkdir(exist_ok=True)
            other = replace(
                context, sandbox=sandbox, logs=logs, execute=lambda command: line.run(sandbox, command), again=None,
                rewrite=None,
            )  # fmt: skip
            built = [] if chain.built else [_try(job, other) for job in chain.of(Phase.COMPILE)]
            yield other if all(verdict.passed for verdict in built) else None

    @contextmanager
    def _line(self, phase: Phase) -> Iterator["_Line"]:
        network = self.network.get(phase, "none")
        if network != "registries":
            yield _Line(network)
            return
        with (
            for_sockets(self.sockets) as (directory, short),
            Egress(short / "egress", self.egress, self.observe, owner=self.backend.owner) as egress,
        ):
            yield _Line(network, egress, directory / "egress")

    def _complete(self, verdict: Verdict, job: Job, refused: Sequence[str], seconds: float) -> Verdict:
        """The verdict under its activation's name, whatever the verifier wrote there."""
        activation = job.activation
        return replace(
            verdict,
            verifier=activation.name,
            phase=activation.phase,
            root=activation.root,
            reason=verdict.reason or activation.reason,
            seconds=verdict.seconds or round(seconds, 3),
            log=f"{self.logs.name}/{verdict.log}" if verdict.log else None,
            details={**verdict.details, "refused": list(refused)} if refused else verdict.details,
        )

    def tell_verdict(self, verdict: Verdict) -> None:
        """A verdict for the time line."""
        counts = verdict.counts
        data = {
            "verifier": verdict.verifier, "root": verdict.root, "phase": verdict.phase.name.lower(),
            "outcome": verdict.outcome.value, "seconds": verdict.seconds, "cached": verdict.cached, "log": verdict.log,
            **({"run": counts.run, "failed": counts.failed, "skipped": counts.skipped} if counts else {}),
        }  # fmt: skip
        self.tell("verdict", verdict_line(verdict), **data)

    def tell(self, kind: str, text: str, **data: Any) -> None:
        """One line of the time line."""
        self.observe(Event(kind, text, datetime.now(UTC), data))


def _alone(job: Job, context: Context, verdict: Verdict) -> Verdict:
    """Tests of the base commit that have asked the network, taken once more without it, as those of a change will be.

    What they need may be there by now. What fails without a network is no fault of the change.
    """
    alone = replace(context, execute=context.sandbox.run, connected=False, again=None)
    other = _try(job, alone)
    if other.outcome not in {Outcome.PASSED, Outcome.FAILED}:
        return verdict
    if other.outcome is Outcome.FAILED and verdict.outcome is Outcome.PASSED:
        other = replace(other, summary=f"{other.summary}; with a network all pass")
    return other


def _try(job: Job, context: Context) -> Verdict:
    try:
        return job.verifier.verify(job.activation, context)
    except InfraError as error:
        return Verdict(job.activation.name, job.activation.phase, Outcome.ERRORED, summary=str(error))


@dataclass(slots=True)
class _Line:
    """Commands with the network that the policy allows."""

    network: Network
    egress: Egress | None = None
    socket: Path = Path()
    ended: list[Ended] = field(default_factory=list)

    def run(self, sandbox: Sandbox, command: Command) -> Completed:
        completed = sandbox.run(self.connected(command))
        self.ended.append(completed.ended)
        return completed

    def connected(self, command: Command) -> Command:
        if self.network == "host":
            return replace(command, host_network=True)
        if self.egress is None:
            return command
        return replace(
            command,
            env=registries.environment(command.env, "@port:egress@"),
            sockets={**command.sockets, "egress": self.socket},
            forwards=(*command.forwards, "egress"),
        )

    @property
    def refused(self) -> list[str]:
        """What the proxy refused, in words."""
        found = self.egress.refusals if self.egress else ()
        return [f"{refusal.host}: {refusal.reason}" for refusal, _ in found[:10]]

    @property
    def asked(self) -> bool:
        """Whether anything asked the proxy; without one that is not known."""
        return self.network == "host" or (self.egress is not None and self.egress.asked)

    @property
    def worth_another(self) -> bool:
        """A network recovers, and so does a sandbox that could not be started; memory does not grow."""
        bad = {Ended.OUT_OF_MEMORY, Ended.KILLED, Ended.OUTPUT_CAPPED}
        return not bad.intersection(self.ended) and (self.network != "none" or not self.ended)


class _Lazy:
    """A sandbox that is opened by its first command: guards never run one. After `kill` nothing runs in it."""

    def __init__(self, backend: SandboxBackend, opened: Callable[[], Sandbox]) -> None:
        self.name = backend.name
        self.platform = backend.platform
        self.layered = False
        self._opened = opened
        self._opening = threading.Lock()
        self._idle = threading.Condition()
        self._busy = 0
        self._sandbox: Sandbox | None = None
        self._dead = False

    def run(self, command: Command) -> Completed:
        with self._counted():
            with self._opening:
                if self._sandbox is None:
                    self._sandbox = self._opened()
                    self.layered = self._sandbox.layered
            if self._dead:
                raise InfraError("the verification was stopped")
            return self._sandbox.run(command)

    def kill(self) -> None:
        """Again and again until all have ended: one may be just about to start."""
        self._dead = True
        with self._idle:
            while self._busy:
                if self._sandbox is not None:
                    self._sandbox.kill()
                self._idle.wait(0.05)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._idle:
            if self._dead:
                raise InfraError("the verification was stopped")
            self._busy += 1
        try:
            yield
        finally:
            with self._idle:
                self._busy -= 1
                self._idle.notify_all()
