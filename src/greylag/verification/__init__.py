"""Verify one tree: select verifiers, run them phase by phase, compare with the base commit, remember passes, report.

The baseline is the same thing on the base commit, which is trusted code: it may use the network in every phase, what it
leaves in the home directory warms the caches of all later runs on this repository, and what its preparation leaves in
the workspace is used for every tree whose manifests and lock files are the same. A change's own preparation may do
anything; what comes of it stays in the directory of its run. Nothing that a change leaves behind reaches another run.
"""

import hashlib
import itertools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal, Protocol

from greylag.directories import remove_tree
from greylag.egress import registries
from greylag.egress.allowlist import EgressPolicy
from greylag.exchanges import Channel
from greylag.model import Diagnostic, Event, Outcome, Phase, Scope, Verdict
from greylag.protocols import Bounds, Change, Observe, SandboxBackend, Tree, Verifier
from greylag.report import Report, paging
from greylag.verification import comparison
from greylag.verification.chains import Bench, Network, Running
from greylag.verification.layers import LayerStore, Lease
from greylag.verification.passes import Passes, key
from greylag.verification.phases import TOOLS, Rules, Work, describe
from greylag.verification.selection import Detection, Selection, select
from greylag.verification.versions import Line, Versions

Rewrite = Callable[[Mapping[str, bytes]], str]  # files that formatters have put right -> the tree that they are in


class Source(Protocol):
    """What verification needs of a workspace."""

    @property
    def base(self) -> str:
        """Commit that the change starts from."""
        ...

    @property
    def base_tree(self) -> str:
        """Tree id of that commit."""
        ...

    def tree(self, tree_id: str, /) -> Tree:
        """A view of a frozen tree."""
        ...

    def export(self, tree_id: str, destination: Path, /) -> None:
        """Write the files of a tree into the new directory `path`, for the uid of the sandbox."""
        ...

    def diff(self, tree_id: str, /) -> str:
        """Unified diff from the base commit."""
        ...

    def problems(self, tree_id: str, /) -> Sequence[Diagnostic]:
        """What greylag refuses to commit: links out of the tree, new submodules ..."""
        ...


@dataclass(frozen=True, slots=True)
class Settings:
    """How to verify. `repository` names what layers and passes are shared for.

    `network` is that of preparation; `hosts` are allowed beside the public registries, `private_hosts` may resolve to
    private addresses, too. `allow_red_baseline`: failures from before the change do not block it.
    """

    repository: str
    prompt: str = ""
    scope: Scope = Scope()
    bounds: Bounds = Bounds()
    cpus: int = 2
    network: Network = "registries"
    hosts: tuple[str, ...] = ()
    private_hosts: tuple[str, ...] = ()
    upstream_proxy: str | None = None
    allow_red_baseline: bool = True


@dataclass(frozen=True)
class Verification:
    """Verifies the trees of one workspace, one at a time; any thread may `kill`.

    `cache` is shared between runs, `home` belongs to this one. Raises `InfraError` once it was killed, and `UserError`
    when no sandbox can be had.
    """

    verifiers: Sequence[Verifier]
    backend: SandboxBackend
    workspace: Source
    cache: Path
    home: Path
    settings: Settings
    observe: Observe
    _running: Running = field(default_factory=Running, init=False, repr=False, compare=False)
    _here: dict[str, Verdict] = field(default_factory=dict, init=False, repr=False, compare=False)
    _tools: Versions = field(default_factory=Versions, init=False, repr=False, compare=False)

    @cached_property
    def _detect(self) -> Detection:
        return Detection(self.verifiers)

    def baseline(self) -> Report:
        """The report on the base commit, from the cache where possible. It has no guards and no judge."""
        base = self.workspace.tree(self.workspace.base_tree)
        selection = select(self._detect, base, base)
        versions = self._versions(selection)
        what = (describe(job, versions) for job in selection.jobs)
        name = self._key("baseline", base.id, self.settings.network, *what)
        with self._passes.alone(name), self._shared.lease() as lease:
            self._passes.prune()
            known = self._passes.report(name)
            if known and set(known[1]) <= {layer.id for layer in lease.layers}:
                return replace(known[0], base=self.workspace.base)
            with self._bench("baseline", base, None, (lease, lease)) as bench:
                work = self._work(bench, selection, (lease,))
                report = work.report()
                work.promote_homes()
            shaky = any(v.outcome in {Outcome.ERRORED, Outcome.TIMED_OUT} for v in report.verdicts)
            if not shaky and not comparison.no_measure(report):  # what ends a run is looked at anew, with logs
                self._passes.keep_report(name, report, [layer.id for layer in lease.layers])
            return report

    def run(
        self, tree: str, *, mode: Literal["loop", "gate"], baseline: Report | None, rewrite: Rewrite | None = None,
        channel: Channel = Channel(),
    ) -> Report:  # fmt: skip
        """The report on a frozen tree, compared with `baseline`. The judge is asked only at the gate, over `channel`.

        With `rewrite`, formatters put the files right that the change touches: it is given their contents and answers
        with the tree that they are in, which is the one that the report is about then.
        """
        files: dict[str, bytes] = {}
        report = self._run(tree, mode, baseline, channel, files.__setitem__ if rewrite else None)
        if rewrite is None or not files or (formatted := rewrite(files)) == tree:
            return report
        text = f"formatted {', '.join(sorted(files))}; what was read there before is out of date"
        self.observe(Event("formatted", text, datetime.now(UTC), {"paths": sorted(files)}))
        report = self._run(formatted, mode, baseline, channel)
        return replace(report, notes=(text, *report.notes))

    def _run(
        self,
        tree: str,
        mode: Literal["loop", "gate"],
        baseline: Report | None,
        channel: Channel,
        rewrite: Callable[[str, bytes], None] | None = None,
    ) -> Report:
        if problems := tuple(self.workspace.problems(tree)):
            text = "greylag does not commit such a tree"
            refused = Verdict("tree", Phase.PREPARE, Outcome.FAILED, summary=text, diagnostics=problems)
            return Report(tree, self.workspace.base, (refused,))
        if obstacle := self.obstacle(baseline):
            notes = (obstacle, *comparison.refused(baseline.verdicts if baseline else ()))
            return Report(tree, self.workspace.base, (comparison.unmeasured(baseline, obstacle),), notes)
        base, head = self.workspace.tree(self.workspace.base_tree), self.workspace.tree(tree)
        selection = select(self._detect, base, head, may_drop="verifiers" in self.settings.scope.allow)
        with ExitStack() as stack:
            shared, own = stack.enter_context(self._shared.lease()), stack.enter_context(self._own.lease())
            bench = stack.enter_context(self._bench(mode, head, baseline, (own, shared), rewrite, channel=channel))
            return self._work(bench, selection, (shared, own)).report()

    def obstacle(self, baseline: Report | None) -> str | None:
        """Why no change can be verified at all, known before an agent starts: the base commit is no measure."""
        if baseline is None:
            return None
        if why := comparison.no_measure(baseline):
            return f"unverified: {why}"
        if baseline.failed and not self.settings.allow_red_baseline:
            names = ", ".join(verdict.id for verdict in baseline.failed)
            return f"unverified: {names} failed before this change, which the settings do not accept"
        return None

    def log(self, name: str, page: int, search: str) -> str:
        """A page of a log that a report of this run names, or the lines near what is searched for."""
        return paging.read(self.home / "logs", name, page, search)

    def kill(self) -> None:
        """End what runs now, from any thread; nothing can be verified afterwards."""
        self._running.kill()

    def close(self) -> None:
        """Remove what only this run could use; logs stay."""
        for name in ("layers", "exports"):
            remove_tree(self.home / name)

    @property
    def _passes(self) -> Passes:
        """Passes and baselines of this repository."""
        return Passes(self.cache / "passes" / self._repository)

    def _key(self, *parts: object) -> str:
        """A key of the caches: what is verified, how, and where."""
        return key(*parts, self.backend.name, self.backend.platform)

    @property
    def _repository(self) -> str:
        return hashlib.sha256(self.settings.repository.encode("utf-8", "surrogateescape")).hexdigest()[:12]

    @property
    def _shared(self) -> LayerStore:
        return LayerStore(self.cache / "layers" / self._repository, owner=self.backend.owner)

    @property
    def _own(self) -> LayerStore:
        return LayerStore(self.home / "layers", owner=self.backend.owner)

    def _work(self, bench: Bench, selection: Selection, leases: Sequence[Lease]) -> Work:
        settings = self.settings
        rules = Rules(red=settings.allow_red_baseline, tests="tests" in settings.scope.allow)
        versions = self._versions(selection)
        return Work(bench, selection, leases, self._passes, self._key, rules, self.workspace.base, versions, self._here)

    def _versions(self, selection: Selection) -> Mapping[Line, str]:
        self._running.check()
        activations = [job.activation for job in selection.jobs]
        return self._tools.of(activations, self.backend, self._own, self._running)

    @contextmanager
    def _bench(
        self,
        mode: Literal["baseline", "loop", "gate"],
        head: Tree,
        baseline: Report | None,
        leases: tuple[Lease, Lease],
        rewrite: Callable[[str, bytes], None] | None = None,
        *,
        channel: Channel = Channel(),
    ) -> Iterator[Bench]:
        """`leases`: where stages come from, and whose layers hold the caches."""
        self._running.check()
        settings, base = self.settings, self.workspace.tree(self.workspace.base_tree)
        phases = (Phase.PREPARE, *TOOLS) if mode == "baseline" else (Phase.PREPARE,)
        logs = _numbered(self.home / "logs", mode)
        export = _Once(self.home / "exports" / logs.name, lambda path: self.workspace.export(head.id, path))
        diff = "" if mode == "baseline" else self.workspace.diff(head.id)
        try:
            yield Bench(
                backend=self.backend,
                bounds=settings.bounds,
                network=dict.fromkeys(phases, settings.network),
                egress=EgressPolicy(
                    (*registries.HOSTS, *settings.hosts), settings.private_hosts, settings.upstream_proxy
                ),
                change=Change(base, head, diff, settings.prompt, settings.scope),
                mode=mode,
                baseline=baseline,
                cpus=settings.cpus,
                logs=logs,
                sockets=self.home / "sockets",
                export=export,
                lease=leases[0],
                caches=tuple(layer.home for layer in leases[1].layers),
                running=self._running,
                observe=_serial(self.observe),
                rewrite=rewrite,
                channel=channel,
            )
        finally:
            remove_tree(export.path)


@dataclass(slots=True)
class _Once:
    """The exported tree, written when the first sandbox needs it."""

    path: Path
    make: Callable[[Path], None]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> Path:
        with self.lock:
            if not self.path.exists():
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self.make(self.path)
        return self.path


def _numbered(parent: Path, mode: str) -> Path:
    """A new directory `parent/NN-mode`."""
    parent.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(len(list(parent.iterdir())) + 1):
        path = parent / f"{number:02}-{mode}"
        with suppress(FileExistsError):
            path.mkdir()
            return path
    raise AssertionError


def _serial(observe: Observe) -> Observe:
    """Observers see one event at a time, although chains run at the same time."""
    lock = threading.Lock()

    def one(event: Event) -> None:
        with lock:
            observe(event)

    return one
