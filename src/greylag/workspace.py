"""The files of one task: mirror cache, checkout, freeze, export, diff, commit.

The agent's work tree is hostile ground. The git directory that greylag trusts lies outside it; what is verified,
judged and pushed is always a git tree that was frozen into that directory, named by its id.
"""

import functools
from dataclasses import dataclass, field
from pathlib import Path

from greylag.git import Git
from greylag.model import Diagnostic, Repo
from greylag.protocols import SandboxBackend
from greylag.remote import Commit

AUTHOR = "greylag <greylag@users.noreply.github.com>"
HISTORY = 50  # commits that the agent can look back on


@dataclass(frozen=True)
class GitTree:
    """One git tree, read from the object database. Symbolic links and submodules are no files."""

    id: str
    git: Git = field(repr=False, compare=False)

    def paths(self) -> tuple[str, ...]:
        """All files, sorted."""
        return tuple(self._blobs)

    def read(self, path: str) -> bytes:
        """Contents of a file; `KeyError` when there is none."""
        return self.git.run("cat-file", "blob", self._blobs[path])

    @functools.cached_property
    def _blobs(self) -> dict[str, str]:
        found = {}
        for entry in self.git.fields("ls-tree", "-r", "-z", "--full-tree", self.id):
            meta, _, path = entry.partition("\t")
            mode, _, blob = meta.split(" ")
            if mode.startswith("100"):
                found[path] = blob
        return dict(sorted(found.items()))


@dataclass
class Workspace:
    """One checkout of one repository, and the trusted git directory beside it."""

    repo: Repo
    base: str
    base_tree: str
    branch: str
    directory: Path
    git: Git
    notes: tuple[str, ...] = ()  # what a reader of the report must know

    @classmethod
    def checkout(
        cls, repo: Repo, *, home: Path, cache: Path, owner: int, token: str | None = None, url: str | None = None
    ) -> "Workspace":
        """Fetch a repository through the mirror cache and check its branch out into `home`/tree for uid `owner`.

        `url` is where to fetch from when `repo.url` is a forge's short name. Raises `UserError` for a repository or
        branch that is missing or empty, `InfraError` when network or disk fail.
        """
        raise NotImplementedError

    @classmethod
    def of_directory(cls, path: Path, *, home: Path, cache: Path, base: str | None = None) -> "Workspace":
        """The user's own work tree around `path`, which is never modified. The base is the merge base with `base`."""
        raise NotImplementedError

    def freeze(self, backend: SandboxBackend | None = None) -> str:
        """Git tree id of what is in the work tree now."""
        raise NotImplementedError

    def tree(self, tree_id: str) -> GitTree:
        """A frozen tree to read."""
        return GitTree(tree_id, self.git)

    def export(self, tree_id: str, destination: Path) -> None:
        """Write a tree to a new directory, without `.git`, modes 0666 and 0777."""
        raise NotImplementedError

    def diff(self, tree_id: str, base: str | None = None) -> str:
        """Unified diff from the base to a tree, with renames; binary files are named, not dumped."""
        raise NotImplementedError

    def changed(self, tree_id: str) -> tuple[str, ...]:
        """Paths that differ from the base."""
        raise NotImplementedError

    def problems(self, tree_id: str) -> tuple[Diagnostic, ...]:
        """What no change may carry, whatever its purpose."""
        raise NotImplementedError

    def commit(self, tree_id: str, message: str, branch: str, *, author: str = AUTHOR) -> Commit:
        """Commit exactly that tree on top of the base, in the trusted git directory."""
        raise NotImplementedError

    def close(self) -> None:
        """Remove the work tree."""
        raise NotImplementedError
