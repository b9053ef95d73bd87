"""One verification, phase by phase: what is known already, what must run, what becomes a layer, how it counts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from greylag.diffs import renames
from greylag.directories import remove_tree
from greylag.model import Outcome, Phase, Verdict
from greylag.protocols import Tree
from greylag.report import Report
from greylag.verification import comparison, exits
from greylag.verification.chains import Bench, Chain, chains
from greylag.verification.layers import Layer, Lease, Stage, is_empty, merge, open_up, prune
from greylag.verification.passes import Passes
from greylag.verification.passes import key as digest
from greylag.verification.selection import Job, Key, Selection
from greylag.verification.versions import Line

TOOLS = (Phase.FORMAT, Phase.STATIC, Phase.COMPILE, Phase.TEST)


@dataclass(frozen=True, slots=True)
class Rules:
    """What may be let through: failures from before (`red`), fewer tests than before (`tests`)."""

    red: bool
    tests: bool


@dataclass(slots=True)
class Work:
    """One verification on its bench. `leases` hold the layers that may be used, `key` makes keys of the caches."""

    bench: Bench
    selection: Selection
    leases: Sequence[Lease]
    passes: Passes
    key: Callable[..., str]
    rules: Rules
    base: str
    versions: Mapping[Line, str]
    here: dict[str, Verdict]  # what counts for this run alone, by key: what had nothing to do, what guards said
    chains: list[Chain] = field(init=False)
    known: dict[Key, Verdict] = field(init=False, default_factory=dict)
    notes: list[str] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.chains = chains(self.selection.jobs)
        if self.bench.mode != "baseline":
            self.known = dict(self._known())

    def report(self) -> Report:
        """All phases in order. On the base commit only a failed build stops the later ones: all else is a measure."""
        verdicts: list[Verdict] = []
        stopped: Phase | None = None
        for phase in self._phases():
            if stopped:
                verdicts += self._skipped(phase, stopped)
                continue
            found = self._phase(phase, tuple(verdicts))
            verdicts += found
            if self._stops(phase, found):
                stopped = phase
        return Report(self.bench.change.head.id, self.base, tuple(verdicts), self._notes(verdicts))

    def _stops(self, phase: Phase, found: Sequence[Verdict]) -> bool:
        if self.bench.mode == "baseline":
            return phase in comparison.BUILD and any(comparison.blocks(v, skipped=False) for v in found)
        return any(comparison.blocks(verdict) for verdict in found)

    def promote_homes(self) -> None:
        """Make one layer of what the steps on the base commit left in the home directory."""
        used = [stage for chain in self.chains if chain.layered and chain.sound for stage in chain.stages()]
        stages = [stage for stage in used if not is_empty(stage.home)]
        if not stages:
            return
        first, *others = stages
        for stage in stages:
            open_up(stage.home, self._homes())
        for stage in others:
            merge(stage.home, first.home)
        remove_tree(first.workspace)
        first.workspace.mkdir()
        self.bench.lease.add(first)

    def _phases(self) -> list[Phase]:
        if self.bench.mode == "baseline":
            return [phase for phase in Phase if comparison.tool(phase)]
        return [phase for phase in Phase if phase is not Phase.JUDGE or self.bench.mode == "gate"]

    def _phase(self, phase: Phase, earlier: tuple[Verdict, ...]) -> list[Verdict]:
        jobs = [job for chain in self.chains for job in chain.of(phase)]
        if jobs:
            self.bench.tell("phase.started", phase.name.lower(), phase=phase.name.lower())
        done = {job.key: self.known[job.key] for job in jobs if job.key in self.known}
        if phase is Phase.GUARD:
            done |= {job.key: known for job in jobs if (known := self.here.get(self._guard_key(job, earlier)))}
        for verdict in done.values():
            self.bench.tell_verdict(verdict)
        if phase is Phase.PREPARE:
            done |= self._prepare(earlier)
        else:
            missing = {chain: [job for job in chain.of(phase) if job.key not in done] for chain in self.chains}
            ran = self.bench.run({chain: todo for chain, todo in missing.items() if todo}, earlier)
            for job in (job for job in jobs if job.key in ran and comparison.tool(phase)):
                self._keep(job, ran[job.key])
            for job in (job for job in jobs if job.key in ran and phase is Phase.GUARD):
                if ran[job.key].outcome is Outcome.ERRORED:  # it has not looked
                    continue
                self.here[self._guard_key(job, earlier)] = replace(ran[job.key], cached=True)
            done |= ran
        return list(self._counted([done[job.key] for job in jobs], phase, earlier))

    def _counted(self, verdicts: Sequence[Verdict], phase: Phase, earlier: Sequence[Verdict]) -> Iterator[Verdict]:
        """The verdicts of a phase as they count for the change. What had nothing to do becomes a note."""
        baseline = self.bench.baseline
        if self.bench.mode == "baseline":
            yield from verdicts
            return
        before = {(v.verifier, v.root, v.phase): v for v in baseline.verdicts} if baseline else {}
        names = renames(self.bench.change.diff)
        for verdict in verdicts:
            was = comparison.moved(before.get((verdict.verifier, verdict.root, verdict.phase)), names)
            counted = comparison.compare(verdict, was, red=self.rules.red, tests=self.rules.tests)
            counted = exits.located(counted, self.bench.change.diff)
            if counted.outcome is not verdict.outcome:
                self.bench.tell_verdict(counted)  # it was told when its tool ended, before it was compared
            if counted.outcome is Outcome.SKIPPED and comparison.tool(phase):
                self.notes.append(f"{counted.id}: {counted.summary or counted.reason or 'nothing to do'}")
            else:
                yield counted
        yield from (verdict for verdict in self.selection.off if verdict.phase is phase)
        if phase is Phase.TEST and baseline and not self.rules.tests:
            gone = [v for v in baseline.verdicts if (v.verifier, v.root) in self.selection.gone]
            lost = comparison.lost_tests((*earlier, *verdicts), baseline, gone)
            yield from (lost,) if lost else ()

    def _skipped(self, phase: Phase, stopped: Phase) -> list[Verdict]:
        if not comparison.tool(phase):
            return []
        activations = [job.activation for chain in self.chains for job in chain.of(phase)]
        reason = f"not run, since {stopped.name.lower()} did not pass"
        return [Verdict(a.name, phase, Outcome.SKIPPED, a.root, reason) for a in activations]

    def _notes(self, verdicts: Sequence[Verdict]) -> tuple[str, ...]:
        remarks = comparison.remarks(verdicts, self.bench.baseline)
        return tuple(dict.fromkeys((*remarks, *self.selection.notes, *self.notes, *comparison.refused(verdicts))))

    # -- passes ------------------------------------------------------------------------------------------------------

    def _known(self) -> Iterator[tuple[Key, Verdict]]:
        """Passes of this tree. In a chain only the last ones count: what runs may need what came before it."""
        needed = False
        for chain in self.chains:
            for job in reversed([job for job in chain.jobs if job.activation.phase in TOOLS]):
                verdict = self.passes.verdict(self._pass_key(job)) or self.here.get(self._pass_key(job))
                if verdict is None:
                    needed = True
                    break
                yield job.key, verdict
        if not needed and any(job.activation.phase in TOOLS for job in self.selection.jobs):
            for job in self.selection.jobs:
                if job.activation.phase is Phase.PREPARE:
                    yield job.key, _prepared(job, "nothing has to run")

    def _keep(self, job: Job, verdict: Verdict) -> None:
        """A pass is one for other runs, too; that a tool is missing, or finds nothing to do, only for this one."""
        self.passes.keep_verdict(self._pass_key(job), verdict)
        if verdict.outcome is Outcome.SKIPPED:
            self.here[self._pass_key(job)] = replace(verdict, cached=True)

    def _guard_key(self, job: Job, earlier: Sequence[Verdict]) -> str:
        """Guards read both trees, and what tests reported; the prompt is the run's."""
        change = self.bench.change
        reported = (f"{v.id} {v.root} {v.outcome} {v.counts} {v.details}" for v in earlier)
        return self.key("guard", change.head.id, change.base.id, job.activation.name, job.activation.root, *reported)

    def _pass_key(self, job: Job) -> str:
        change = self.bench.change
        return self.key("pass", change.head.id, change.base.id, describe(job, self.versions))

    # -- preparation -------------------------------------------------------------------------------------------------

    def _prepare(self, earlier: tuple[Verdict, ...]) -> dict[Key, Verdict]:
        """Take finished layers where the inputs are the same; run the rest, and make layers of what they left."""
        todo = {
            chain: jobs for chain in self.chains if (jobs := chain.of(Phase.PREPARE)) and jobs[0].key not in self.known
        }
        done: dict[Key, Verdict] = {}
        for chain in list(todo):
            names = (self._layer_key(chain), self._own_key(chain))
            if layer := next((found for lease in self.leases for name in names if (found := lease.find(name))), None):
                self.bench.prepared.append(layer)
                done |= {job.key: _prepared(job, "taken from before") for job in todo.pop(chain)}
            elif nothing := self._nothing_before(chain):
                done |= nothing
                todo.pop(chain)
        for verdict in done.values():
            self.bench.tell_verdict(verdict)
        ran = self.bench.run(todo, earlier)
        for chain, jobs in todo.items():
            if chain.stage and chain.layered and all(ran[job.key].passed for job in jobs):
                self.bench.prepared.append(self._promote(chain, chain.stage))
        return done | ran

    def _nothing_before(self, chain: Chain) -> dict[Key, Verdict]:
        """The verdicts on the base commit, where the same preparation had nothing that could be done."""
        jobs, change, baseline = chain.of(Phase.PREPARE), self.bench.change, self.bench.baseline
        if baseline is None or _inputs(jobs, change.base) != _inputs(jobs, change.head):
            return {}
        before = {(v.verifier, v.root): v for v in baseline.verdicts if v.phase is Phase.PREPARE}
        found = {job.key: before.get((job.activation.name, job.activation.root)) for job in jobs}
        kept = {key: replace(v, cached=True) for key, v in found.items() if v and v.outcome is Outcome.SKIPPED}
        return kept if len(kept) == len(jobs) else {}

    def _promote(self, chain: Chain, stage: Stage) -> Layer:
        """Make a layer of what a preparation left, for all chains; the chain goes on with a new stage."""
        allowed = [job.activation.outputs for job in chain.of(Phase.PREPARE)]
        keep = None if None in allowed else [pattern for patterns in allowed for pattern in patterns or ()]
        prune(stage.workspace, self.bench.change.head.paths(), keep)
        open_up(stage.workspace, [self.bench.export()])
        open_up(stage.home, self._homes())
        chain.stage = None
        key = self._layer_key(chain) if self.bench.mode == "baseline" else self._own_key(chain)
        return self.bench.lease.add(stage, key)

    def _homes(self) -> list[Path]:
        return [*(layer.home for layer in self.bench.prepared), *self.bench.caches]

    def _layer_key(self, chain: Chain) -> str:
        """By inputs, so that other trees find it: the key of what was made on the base commit, which is trusted."""
        jobs = chain.of(Phase.PREPARE)
        what = (describe(job, self.versions) for job in jobs)
        return self.key("layer", *what, *_inputs(jobs, self.bench.change.head))

    def _own_key(self, chain: Chain) -> str:
        """What a change's own preparation left is good for exactly its tree: its code may have written anything."""
        return self.key("own", self._layer_key(chain), self.bench.change.head.id)


def describe(job: Job, versions: Mapping[Line, str]) -> str:
    """All that decides what an activation does."""
    said = [versions[line] for line in job.activation.tools.values()]
    return repr((*job.key, job.activation.plan, said))


def _prepared(job: Job, summary: str) -> Verdict:
    a = job.activation
    return Verdict(a.name, a.phase, Outcome.PASSED, a.root, a.reason, summary, cached=True)


def _inputs(jobs: Sequence[Job], tree: Tree) -> list[str]:
    """What decides the outcome of a preparation: the contents of its inputs, or all of the tree."""
    paths = sorted({path for job in jobs for path in job.activation.inputs})
    names = {path: _names_in(tree, path) for path in paths if path.endswith("/")}
    return [digest(path, names[path] if path in names else _read(tree, path)) for path in paths] or [tree.id]


def _names_in(tree: Tree, directory: str) -> list[str]:
    """Names directly in a directory, which ends in `/`; `./` is the top of the repository."""
    prefix = directory.removeprefix("./")
    return sorted({path[len(prefix) :].partition("/")[0] for path in tree.paths() if path.startswith(prefix)})


def _read(tree: Tree, path: str) -> bytes | None:
    try:
        return tree.read(path)
    except KeyError:
        return None
