"""What becomes of a frozen tree: a commit that is pushed and proposed, or a branch that is kept as an artefact."""

from collections.abc import Callable
from dataclasses import dataclass

from greylag import evidence
from greylag.errors import UserError
from greylag.interrupts import held_off
from greylag.model import PullRequest, Status
from greylag.protocols import Forge, Pushable
from greylag.recording import Recording, published
from greylag.report import Report, Run
from greylag.workspace import Workspace


def publish(recording: Recording, workspace: Workspace, report: Report, forge: Forge | None, author: str) -> Run:
    """Commit exactly the tree that was verified and judged, push it, open the pull request or update the one there.

    Without a forge it is kept as a branch in the run's directory, and nobody else learns of it.
    An interrupt waits until that is over, which the forge's time-outs bound; a second one does not.
    """
    if forge is None:
        save(recording, workspace, author)
        return recording.end(Status.PASSED, "the gate said yes; a replay publishes nothing")
    task = recording.run.task
    branch = evidence.branch(task)
    commit = workspace.commit(report.tree, evidence.commit_message(task), branch, author=author)
    recording.tell("publish", f"pushing {branch} for a pull request on {forge.name}")
    request = PullRequest(
        forge=forge.name, repo=task.repo.url, number=0, url="", branch=branch, base=workspace.branch,
        head=commit.commit, title=task.title, body=evidence.body(recording.run, report), labels=task.policy.labels,
        state="draft" if task.policy.draft else "open",
    )  # fmt: skip
    told = _Told(commit, lambda reason: recording.keep(branch=branch, reason=reason))
    with held_off():
        pull = forge.publish(told, request)
        recording.keep(branch=branch, pull_request=pull)
        discard(recording)
        return recording.end(*published(pull))


def save(recording: Recording, workspace: Workspace, author: str) -> None:
    """Keep the last frozen tree as a branch in a bundle, and as a diff, in the run's directory."""
    tree, branch = str(recording.run.tree), evidence.branch(recording.run.task)
    commit = workspace.commit(tree, evidence.commit_message(recording.run.task), branch, author=author)
    commit.save(recording.home / "branch.bundle")
    (recording.home / "change.diff").write_text(workspace.diff(tree), "utf-8", "surrogateescape")
    recording.keep(branch=branch, artefacts=("branch.bundle", "change.diff"))


def discard(recording: Recording) -> None:
    """What was kept is not needed: the pull request has it, or the agent took it back."""
    run = recording.run
    recording.keep(artefacts=(), branch=run.branch if run.pull_request else None)
    for name in run.artefacts:
        (recording.home / name).unlink(missing_ok=True)


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
            f"branch `{branch}` may have been pushed to {url} and its pull request opened or updated; "
            "run the same task again: it finishes what is there"
        )
        try:
            self.made.push(url, branch, expect=expect, token=token)
        except UserError:  # it was refused
            self.tell("")
            raise
