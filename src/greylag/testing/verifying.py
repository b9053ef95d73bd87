"""For tests of verification: trees in a real git repository, verifiers that are shell scripts, and a house for both."""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from greylag.model import Counts, Diagnostic, Event, Outcome, Phase, Verdict
from greylag.protocols import Activation, Command, Context, Observe, SandboxBackend, Tree, Verifier
from greylag.testing.repos import Files, git, make_repo, write
from greylag.verification import Settings, Verification


@dataclass
class GitTree:
    """A `Tree` of a repository of one's own making."""

    repo: Path
    id: str

    @cached_property
    def _paths(self) -> list[str]:
        return sorted(filter(None, git(self.repo, "ls-tree", "-r", "-z", "--name-only", self.id).split("\0")))

    def paths(self) -> Sequence[str]:
        """All files, sorted."""
        return self._paths

    def read(self, path: str) -> bytes:
        """Contents of a file; `KeyError` when there is none."""
        if path not in self._paths:
            raise KeyError(path)
        return git(self.repo, "show", f"{self.id}:{path}").encode("utf-8", "surrogateescape")


@dataclass
class Repository:
    """A repository whose commits are the frozen trees. `exports` counts."""

    path: Path
    base: str = ""
    base_tree: str = ""
    refused: tuple[Diagnostic, ...] = ()
    exports: int = 0
    _trees: dict[str, Tree] = field(default_factory=dict)

    @classmethod
    def make(cls, path: Path, files: Files) -> "Repository":
        """A repository whose base commit has `files`."""
        base, tree = git(make_repo(path, files), "rev-parse", "HEAD", "HEAD^{tree}").splitlines()
        return cls(path, base, tree)

    def change(self, files: Files) -> str:
        """The id of the base tree with `files` written over it."""
        git(self.path, "checkout", "--quiet", "--force", "--detach", self.base)
        write(self.path, files)
        git(self.path, "add", "--all", "--force")
        return git(self.path, "write-tree")

    def tree(self, tree: str) -> Tree:
        """A view of a tree."""
        return self._trees.setdefault(tree, GitTree(self.path, tree))

    def export(self, tree: str, path: Path) -> None:
        """The files of a tree, for anybody to change."""
        self.exports += 1
        archive = path.with_suffix(".tar")
        git(self.path, "archive", "--format=tar", "-o", str(archive), tree)
        path.mkdir()
        subprocess.run(["tar", "-xf", archive, "-C", path], check=True)
        archive.unlink()
        for entry in (path, *path.rglob("*")):
            if not entry.is_symlink():
                entry.chmod(0o777)

    def diff(self, tree: str) -> str:
        """Unified diff from the base."""
        return git(self.path, "diff", "--no-ext-diff", self.base_tree, tree)

    def problems(self, tree: str) -> Sequence[Diagnostic]:
        """What the test said."""
        return self.refused


@dataclass
class Shell:
    """Applies to each directory with a file `marker` and runs it with sh.

    In its output, `FAIL name` is a failed test, `ERROR text` another diagnostic, `RAN n m` says that n tests ran and m
    were skipped, `PASS name` names one that passed. Exit code 75 means that it could not be run, 5 that there was
    nothing to do.
    """

    name: str
    phase: Phase
    inputs: tuple[str, ...] = ()
    also: tuple[tuple[Phase, str], ...] = ()
    asked: list[Context] = field(default_factory=list)

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """One activation for each marker."""
        found = []
        for phase, marker in ((self.phase, self.name), *self.also):
            for path in tree.paths():
                root, _, file = path.rpartition("/")
                if file == marker:
                    found.append(Activation(self.name, marker, phase, root or ".", f"there is {path}", self.inputs))
        return found

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run the marker; the verdict's name and phase are wrong on purpose."""
        self.asked.append(context)
        log = f"{activation.name}-{activation.root.replace('/', '-')}.log"
        command = Command(("/bin/sh", "-e", f"./{activation.name}"), cwd=activation.root, log=context.logs / log)
        done = context.execute(command)
        lines = done.output.decode().splitlines()
        named = [Diagnostic("it failed", test=line[5:]) for line in lines if line.startswith("FAIL ")]
        named += [Diagnostic(line[6:]) for line in lines if line.startswith("ERROR ")]
        numbers = next((line.split()[1:] for line in lines if line.startswith("RAN ")), None)
        passed = tuple(line[5:] for line in lines if line.startswith("PASS "))
        failed = sum(d.test is not None for d in named)
        counts = Counts(int(numbers[0]), failed, int(numbers[1]), passed) if numbers else None
        outcomes = {0: Outcome.PASSED, 5: Outcome.SKIPPED, 75: Outcome.ERRORED}
        outcome = outcomes.get(done.returncode, Outcome.FAILED)
        return Verdict(
            "?",
            Phase.TEST,
            outcome,
            summary=lines[-1] if lines else "",
            diagnostics=tuple(named),
            counts=counts,
            log=log,
        )


@dataclass
class Fixed:
    """A guard or judge that answers the same always."""

    name: str
    phase: Phase
    outcome: Outcome = Outcome.PASSED
    asked: int = 0

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Always."""
        return [Activation(self.name, self.name, self.phase, ".", "always")]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """The fixed answer."""
        self.asked += 1
        return Verdict(self.name, self.phase, self.outcome)


TEST = Shell("test.sh", Phase.TEST)


@dataclass
class House:
    """Makes verifications of one repository that share a cache."""

    state: Path
    backend: SandboxBackend
    repository: Repository
    events: list[Event] = field(default_factory=list)
    homes: int = 0

    def verification(
        self, *verifiers: Verifier, settings: Settings | None = None, observe: Observe | None = None
    ) -> Verification:
        """One with a home of its own."""
        self.homes += 1
        home = self.state / f"run{self.homes}"
        home.mkdir()
        settings = settings or Settings("repo", network="none")
        observe = observe or self.events.append
        return Verification(verifiers, self.backend, self.repository, self.state / "cache", home, settings, observe)

    def started(self) -> list[str]:
        """Names of what ran since this was asked last."""
        names = [str(event.data["verifier"]) for event in self.events if event.kind == "verifier.started"]
        self.events.clear()
        return names


MakeHouse = Callable[[Files], House]
