"""A work tree of the user's: where it begins, what it is based on, what it leaves out. Nothing in it is changed."""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from greylag.errors import UserError
from greylag.git import Git, GitError, printable
from greylag.protocols import Tree

# github.com/git-lfs/git-lfs, docs/spec.md
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-.*\n)*oid sha256:([0-9a-f]{64})\nsize (\d+)\n?"
)
_LARGEST = 1 << 20  # bytes of an exclude file


@dataclass(frozen=True, slots=True)
class Checkout:
    """The work tree `top`; `branch` is None for a detached HEAD."""

    top: Path
    objects: Path
    head: str
    branch: str | None
    excludes: bytes
    git: Git = field(repr=False, compare=False)

    def resolve(self, name: str) -> str:
        """Commit id of a revision. Raises `UserError` for one that does not exist."""
        options = ("rev-parse", "--verify", "--quiet", "--end-of-options")
        answer = self.git.call("-C", str(self.top), *options, f"{name}^{{commit}}")
        if answer.code:
            raise UserError(
                f"`{printable(name)}` is no revision of {printable(str(self.top))}; name a commit or branch"
            )
        return answer.output.decode().strip()

    def kept(self, head: Tree) -> Iterator[str]:
        """Paths that the work tree only seems to change: left out by a sparse checkout, or unpacked by Git LFS."""
        top = str(self.top)
        if self.git.call("-C", top, "config", "--type=bool", "core.sparseCheckout").output.strip() == b"true":
            listed = self.git.fields("-C", top, "ls-files", "-t", "-z")
            yield from (entry[2:] for entry in listed if entry.startswith("S "))
        for path in self.git.fields("-C", top, "ls-files", "-z", "--", ":(top,attr:filter=lfs)"):
            try:
                pointer = _POINTER.fullmatch(head.read(path))
            except KeyError:
                continue
            if pointer is not None and _digest(self.top / path, int(pointer[2])) == pointer[1].decode():
                yield path


def _digest(path: Path, size: int) -> str | None:
    """SHA-256 of a regular file of that size."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size != size:
                return None
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None


def find(git: Git, path: Path) -> Checkout:
    """The work tree around `path`. Raises `UserError` when there is none, or no commit in it."""
    if not path.is_dir():
        raise UserError(f"no directory `{printable(str(path))}`; name a directory in a git repository")
    try:
        top = git.text("-C", str(path), "rev-parse", "--show-toplevel")
        common = Path(git.text("-C", top, "rev-parse", "--path-format=absolute", "--git-common-dir"))
    except GitError as error:
        raise UserError(_no_work_tree(printable(str(path)), error)) from error
    if not path.resolve().is_relative_to(top):
        raise UserError(f"`{printable(str(path))}`: its git directory has its work tree elsewhere, at {printable(top)}")
    head = git.call("-C", top, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if head.code:
        raise UserError(f"{printable(top)} has no commit yet; commit something first")
    branch = git.call("-C", top, "symbolic-ref", "--quiet", "--short", "HEAD").output.decode().strip() or None
    return Checkout(
        Path(top),
        common / "objects",
        head.output.decode().strip(),
        branch,
        _excludes(git, common / "info/exclude"),
        git,
    )


def _no_work_tree(where: str, error: GitError) -> str:
    if "not a git repository" in error.errors:
        return f"`{where}` is not in a git repository; name a directory of one, or make one there with `git init`"
    if "bare repository" in error.errors or "must be run in a work tree" in error.errors:
        return f"`{where}` has no work tree (it is a bare repository, or a .git directory); name a checkout of it"
    return f"`{where}` is in no work tree of a git repository: {error}"


def _excludes(git: Git, own: Path) -> bytes:
    """What the user ignores beside `.gitignore`: in this repository, and everywhere."""
    home = Path(os.environ.get("HOME", os.devnull))
    files = [own, Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "git/ignore"]
    config = home / ".gitconfig"
    if config.is_file():
        named = git.call("config", "--file", str(config), "--type=path", "core.excludesFile", env={"HOME": str(home)})
        files.append(Path(os.fsdecode(named.output.strip()) or os.devnull))
    found = [file.read_bytes() for file in files if file.is_file() and file.stat().st_size <= _LARGEST]
    return b"\n".join(found)
