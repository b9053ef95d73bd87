"""The files of one task: checkout, freeze, export, diff, commit.

The agent's work tree is hostile ground. The git directory that greylag trusts lies outside of it; what is verified,
judged and pushed is always a git tree that was frozen into that directory, named by its id.
"""

import base64
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from greylag.directories import own_tree, remove_tree
from greylag.errors import UserError
from greylag.git import Git, borrow, disk, printable
from greylag.git.remote import Commit, Remote
from greylag.model import Diagnostic, Repo
from greylag.protocols import Command, Sandbox, SandboxBackend
from greylag.text import PERSON, clean, one_line
from greylag.workspace import checkouts, freezing, mirror
from greylag.workspace.trees import SUBMODULE, GitTree, Objects, changes, problems

__all__ = ["AUTHOR", "Commit", "GitTree", "Workspace"]

AUTHOR = "greylag <greylag@users.noreply.github.com>"
HISTORY = 50  # commits that the agent can look back on
DIFF = 64 << 20  # bytes of a diff


@dataclass
class Workspace:
    """One checkout of one repository, and the trusted git directory beside it.

    `base` is the commit that the change starts from, `branch` the branch that a pull request goes against, `directory`
    the work tree.
    """

    repo: Repo
    base: str
    branch: str
    directory: Path
    git: Git
    borrowed: Path  # where the objects of the base are
    head: str = ""  # the commit that is checked out, where that is not the base
    kept: Callable[[GitTree], Iterable[str]] = lambda _: ()  # what a freeze takes as it is in the head
    ours: bool = True  # the directory is removed at the end
    _left_out: dict[str, tuple[Diagnostic, ...]] = field(default_factory=dict, init=False, repr=False)
    _problems: dict[str, tuple[Diagnostic, ...]] = field(default_factory=dict, init=False, repr=False)
    _last: tuple[tuple[str, str], str] = field(default=(("", ""), ""), init=False, repr=False)  # trees, and their diff
    _made: dict[tuple[str, ...], Commit] = field(default_factory=dict, init=False, repr=False)  # the last commit

    def __post_init__(self) -> None:
        self._objects = Objects(self.git)

    @cached_property
    def base_tree(self) -> str:
        """Tree id of the base commit."""
        return self.git.text("rev-parse", f"{self.base}^{{tree}}")

    @cached_property
    def head_tree(self) -> str:
        """Tree id of the commit that is checked out."""
        return self.git.text("rev-parse", f"{self.head}^{{tree}}") if self.head else self.base_tree

    @classmethod
    def checkout(
        cls, repo: Repo, *, home: Path, cache: Path, owner: int, token: str | None = None, url: str | None = None,
        commit: str = "",
    ) -> "Workspace":  # fmt: skip
        """Fetch a repository through the mirror cache and check its branch out into `home`/tree for uid `owner`.

        `url` is where to fetch from when `repo.url` is a forge's short name, `commit` what to begin with in place of
        the branch's last. Raises `UserError` for a repository, branch or commit that is missing, `InfraError` when
        network or disk fail.
        """
        with disk(home):
            git = Git.open(home / "trusted")
            found = mirror.fetch(git, Remote.of(url or repo.url, token), repo.branch, cache, commit)
            trusted = git.init(home / "trusted/repository.git")
            borrow(trusted.directory, found.git_dir / "objects")
            head = f"create refs/heads/{found.branch} {found.commit}\n"
            trusted.run("update-ref", "--stdin", stdin=head.encode("utf-8", "surrogateescape") + found.tags)
            tree = home / "tree"
            work = cls(repo, found.commit, found.branch, tree, trusted, found.git_dir / "objects")
            tree.mkdir()
            work._write(work.base_tree, tree, umask=0o022)
            _give(git.at(tree / ".git"), trusted, found.branch, owner)
            return work

    @classmethod
    def of_directory(
        cls,
        path: Path,
        *,
        home: Path,
        cache: Path,  # noqa: ARG003  # called like `checkout`; objects are read in place
        base: str | None = None,
    ) -> "Workspace":
        """The user's own work tree around `path`, which is never modified. The base is the merge base with `base`."""
        with disk(home):
            git = Git.open(home / "trusted")
            place = checkouts.find(git, path)
            trusted = git.init(home / "trusted/repository.git")
            borrow(trusted.directory, place.objects)
            (trusted.directory / "info/exclude").write_bytes(place.excludes)
            start = place.head if base is None else _merge_base(trusted, place.resolve(base), place.head, base)
            repo = Repo(str(place.top), place.branch)
            work = cls(repo, start, place.branch or "HEAD", place.top, trusted, place.objects, ours=False)
            work.head, work.kept = place.head, place.kept
            return work

    def freeze(self, backend: SandboxBackend | None = None) -> str:
        """Git tree id of what is in the work tree now, ignored files apart.

        With a backend, that is found out inside a sandbox: needed for a work tree that an agent can write.
        Raises `AgentError` for a work tree that cannot be frozen.
        """
        head = self.tree(self.head_tree)
        what = (self.git, self.directory, head.id, (*head.of_mode(SUBMODULE), *self.kept(head)))
        if backend is None or backend.name == "none":  # without a sandbox there is no wall to read it behind
            frozen = freezing.on_host(*what)
        else:
            frozen = freezing.in_sandbox(*what, backend=backend, objects=self.borrowed)
        self._left_out[frozen.tree] = frozen.left_out
        return frozen.tree

    def rewrite(self, files: Mapping[str, bytes], sandbox: Sandbox) -> str:
        """Replace the contents of files in the work tree, by way of the sandbox that it is in.

        Which ones could not be, in words: the agent may have taken a file away meanwhile.
        """
        contents = {path: base64.b64encode(data).decode("ascii") for path, data in files.items()}
        argv = (sys.executable, "-I", "-S", "@files@/rewrite.py")
        program = Path(__file__).with_name("_rewrite.py").read_text("utf-8")
        done = sandbox.run(Command(argv, stdin=json.dumps(contents).encode(), files={"rewrite.py": program}))
        return one_line(done.output[-2000:]) if done.returncode else ""

    def tree(self, tree_id: str) -> GitTree:
        """A frozen tree to read."""
        return GitTree(tree_id, self.git, self._objects)

    def export(self, tree_id: str, destination: Path) -> None:
        """Write a tree to a new or empty directory, without `.git`, modes 0666 and 0777: any uid may change it."""
        with disk(destination):
            destination.mkdir(parents=True, exist_ok=True)
            destination.chmod(0o777)
            self._write(tree_id, destination, umask=0)

    def diff(self, tree_id: str, base: str | None = None) -> str:
        """Unified diff from the base (or the tree `base`) to a tree, with renames; binary files are only named."""
        trees = base or self.base_tree, tree_id
        if self._last[0] != trees:
            options = ("-r", "-p", "-M", "--no-color", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none")
            diff = self.git.run("diff-tree", *options, *trees, cap=DIFF)
            self._last = trees, diff.decode("utf-8", "replace")
        return self._last[1]

    def changed(self, tree_id: str) -> tuple[str, ...]:
        """Paths that differ from the base, sorted."""
        return tuple(sorted(entry.path for entry in changes(self.git, self.base_tree, tree_id)))

    def problems(self, tree_id: str) -> tuple[Diagnostic, ...]:
        """What no change may carry, whatever its purpose, and what could not be frozen."""
        if tree_id not in self._problems:
            self._problems[tree_id] = tuple(problems(self.tree(self.base_tree), self.tree(tree_id)))
        return (*self._problems[tree_id], *self._left_out.get(tree_id, ()))

    def commit(self, tree_id: str, message: str, branch: str, *, author: str = AUTHOR) -> Commit:
        """Commit exactly that tree on top of the base, in the trusted git directory; the same again is one commit."""
        asked = tree_id, message, branch, author
        if asked not in self._made:
            self._made = {asked: self._commit(*asked)}
        return self._made[asked]

    def _commit(self, tree_id: str, message: str, branch: str, author: str) -> Commit:
        name = PERSON.fullmatch(author)
        if name is None:
            raise UserError(f"author `{printable(author)}` is not of the form `Name <address>`")
        if self.git.call("check-ref-format", f"refs/heads/{branch}").code:
            raise UserError(f"`{printable(branch)}` cannot be the name of a branch")
        env = {
            f"GIT_{who}_{what}": name[i] for who in ("AUTHOR", "COMMITTER") for i, what in ((1, "NAME"), (2, "EMAIL"))
        }
        text = clean(message).encode("utf-8", "replace")
        commit = self.git.text("commit-tree", "-p", self.base, "-F", "-", tree_id, stdin=text, env=env)
        self.git.run("update-ref", f"refs/heads/{branch}", commit)
        return Commit(commit, tree_id, self.base, name[2], self.git)

    def close(self) -> None:
        """Remove the work tree, if it is ours, and end what reads the trees. The trusted git directory stays."""
        self._objects.close()
        if self.ours:
            with disk(self.directory):
                remove_tree(self.directory)

    def _write(self, tree_id: str, directory: Path, *, umask: int) -> None:
        with tempfile.TemporaryDirectory(prefix="write-", dir=self.git.home) as place:
            env = {"GIT_WORK_TREE": str(directory), "GIT_INDEX_FILE": f"{place}/index"}
            self.git.run("read-tree", "--reset", "-u", tree_id, env=env, umask=umask)


def _merge_base(git: Git, other: str, head: str, name: str) -> str:
    answer = git.call("merge-base", other, head)
    if answer.code:
        raise UserError(f"`{printable(name)}` and HEAD have no commit in common; name another --base")
    return answer.output.decode().strip()


def _give(theirs: Git, trusted: Git, branch: str, owner: int) -> None:
    """Give the work tree to the agent, with a git directory of its own to look at history.

    It has no remote and no connection to ours, and nothing of ours ever reads it.
    """
    tree = theirs.directory.parent
    Git(theirs.home).run("init", "--quiet", "--template=", f"--initial-branch={branch}", "--", str(tree))
    ref = f"refs/heads/{branch}"
    options = ("--quiet", f"--depth={HISTORY}", "--no-write-fetch-head", "--update-head-ok", "--update-shallow")
    theirs.run("fetch", *options, str(trusted.directory), f"{ref}:{ref}")
    with (theirs.directory / "config").open("a") as config:
        config.write("[user]\n\tname = agent\n\temail = agent@localhost\n[gc]\n\tauto = 0\n")
    env = {"GIT_WORK_TREE": str(tree)}
    theirs.run("read-tree", "HEAD", env=env)
    own_tree(tree, owner)
    theirs.call("update-index", "-q", "--refresh", env=env)  # says which files it takes for changed; none matters
    own_tree(theirs.directory, owner)
