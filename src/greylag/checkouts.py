"""A work tree of the user's: where it begins, what it is based on, what it leaves out. Nothing in it is changed."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from greylag.errors import UserError
from greylag.git import Git, GitError, printable

_LARGEST = 1 << 20  # bytes of an exclude file


@dataclass(frozen=True, slots=True)
class Checkout:
    """The work tree `top`; `branch` is None for a detached HEAD; `absent` is what a sparse checkout leaves out."""

    top: Path
    objects: Path
    head: str
    branch: str | None
    excludes: bytes
    absent: tuple[str, ...]
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


def find(git: Git, path: Path) -> Checkout:
    """The work tree around `path`. Raises `UserError` when there is none, or no commit in it."""
    if not path.is_dir():
        raise UserError(f"no directory `{printable(str(path))}`; name a directory in a git repository")
    try:
        top = git.text("-C", str(path), "rev-parse", "--show-toplevel")
        common = Path(git.text("-C", top, "rev-parse", "--path-format=absolute", "--git-common-dir"))
    except GitError as error:
        raise UserError(f"`{printable(str(path))}` is in no work tree of a git repository: {error}") from error
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
        _absent(git, top),
        git,
    )


def _absent(git: Git, top: str) -> tuple[str, ...]:
    if git.call("-C", top, "config", "--type=bool", "core.sparseCheckout").output.strip() != b"true":
        return ()
    return tuple(entry[2:] for entry in git.fields("-C", top, "ls-files", "-t", "-z") if entry.startswith("S "))


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
