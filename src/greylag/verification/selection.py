"""Which verifiers apply to a tree, and which ones a change has switched off. Nothing runs."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from greylag.model import Outcome, Phase, Verdict
from greylag.protocols import Activation, Tree, Verifier
from greylag.verification.comparison import failed, tool

Key = tuple[str, str, str, Phase]


@dataclass(frozen=True, slots=True)
class Job:
    """One activation, and the verifier that it belongs to."""

    verifier: Verifier
    activation: Activation

    @property
    def key(self) -> Key:
        """What makes an activation on two trees the same."""
        a = self.activation
        return (self.verifier.name, a.name, a.root, a.phase)


@dataclass(frozen=True, slots=True)
class Selection:
    """`off`: failures for verifiers that a change switched off. `gone`: name and root where the directory is gone."""

    jobs: tuple[Job, ...]
    off: tuple[Verdict, ...] = ()
    gone: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Detection:
    """What verifiers say of trees. Each tree is asked about once: a gate follows upon a `verify` of the same one."""

    verifiers: Sequence[Verifier]
    _known: dict[str, tuple[Job, ...]] = field(default_factory=dict)

    def __call__(self, tree: Tree) -> tuple[Job, ...]:
        """The activations on a tree, with their verifiers."""
        if tree.id not in self._known:
            self._known[tree.id] = tuple(Job(v, a) for v in self.verifiers for a in v.detect(tree))
        return self._known[tree.id]


def select(detect: Detection, base: Tree, head: Tree, *, may_drop: bool = False) -> Selection:
    """The jobs for `head`, so that a change cannot get rid of a verifier by deleting what it goes by.

    - What applies to head runs as head says: it is the state that will be merged.
    - A tool that applied to base and does not to head, in a directory that is still there, is a failed verdict, unless
      the prompt's author lets verifiers go (`may_drop`). It is not run with base's plan: that could well fail for no
      other reason than that its configuration is gone, or pass without having looked at anything.
    - Where the whole directory is gone, there is nothing to verify; its tests must turn up elsewhere
      (`comparison.lost_tests`).
    - Preparation vouches for nothing and may come and go. Guards and the judge run if either tree wants them.
    """
    jobs = [*detect(head)]
    known = {job.key for job in jobs}
    missing = [job for job in detect(base) if job.key not in known]
    jobs += [job for job in missing if not tool(job.activation.phase)]
    dropped = [job.activation for job in missing if Phase.PREPARE < job.activation.phase <= Phase.TEST]
    gone = [a for a in dropped if not _exists(head, a.root)]
    here = [a for a in dropped if a not in gone]
    return Selection(
        jobs=tuple(sorted(jobs, key=lambda job: job.activation.phase)),
        off=() if may_drop else tuple(_off(a, _instead(a, jobs)) for a in here),
        gone=tuple((a.name, a.root) for a in gone),
        notes=(
            *(f"{_id(a)} is gone, and the directory with it" for a in gone),
            *(f"{_id(a)} does not apply any more, which the prompt allows" for a in here if may_drop),
        ),
    )


def _exists(tree: Tree, root: str) -> bool:
    return root in {"", "."} or any(path.startswith(f"{root}/") for path in tree.paths())


def _instead(activation: Activation, jobs: Sequence[Job]) -> str:
    """Others of its kind in its directory, which may be what became of it: a person must say that they are as good."""
    kind = (activation.verifier, activation.root, activation.phase)
    others = [a for job in jobs if ((a := job.activation).verifier, a.root, a.phase) == kind]
    return ", ".join(f"{_id(a)} ({a.reason})" for a in others if a.name != activation.name)


def _off(activation: Activation, instead: str) -> Verdict:
    verdict = Verdict(activation.name, activation.phase, Outcome.FAILED, activation.root, activation.reason)
    before = f"{_id(activation)} vouched for this repository before the change ({activation.reason})"
    if instead:
        text = f"{before}; put that back as it was, or allow `verifiers` in the prompt: there is {instead} in its place"
    else:
        text = (
            f"{before} and does not apply to it any more; put back what it goes by, or allow `verifiers` in the prompt"
        )
    return failed(verdict, text, "verifier-switched-off")


def _id(activation: Activation) -> str:
    return Verdict(activation.name, activation.phase, Outcome.SKIPPED, activation.root).id
