"""The cache of repositories: one bare mirror each, which only grows, fetched under a lock."""

import difflib
import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from greylag.errors import UserError
from greylag.git import Git, GitError, disk, printable
from greylag.git.remote import Remote, explain


@dataclass(frozen=True, slots=True)
class Fetched:
    """A branch in the cache. `tags` are all tags there, as `git update-ref --stdin` reads them."""

    git_dir: Path
    branch: str
    commit: str
    tags: bytes


def fetch(git: Git, remote: Remote, branch: str | None, cache: Path, commit: str = "") -> Fetched:
    """Bring one branch (default: the repository's own default) into the cache, or one `commit` for that branch.

    Raises `UserError` for a repository, branch or commit that is missing or empty or may not be read.
    """
    try:
        branch = _choose(git, remote, branch)
        key = hashlib.sha256(remote.url.encode("utf-8", "surrogateescape")).hexdigest()[:24]
        ref = f"refs/greylag/{hashlib.sha256(branch.encode()).hexdigest()[:24]}"
        with disk(cache), _locked(cache, key):
            mirror = git.init(cache / f"{key}.git")
            for pattern in ("**/*.lock", "objects/**/tmp_*"):
                for stale in mirror.directory.glob(pattern):
                    stale.unlink()  # of a fetch that was killed: the lock is ours
            options = ["--quiet", "--update-shallow", "--no-write-fetch-head", *remote.service("upload-pack")]
            remote.run(mirror, "fetch", *options, "--", remote.url, f"+refs/heads/{branch}:{ref}")
            tags = mirror.run("for-each-ref", "--format=create %(refname) %(objectname)", "refs/tags")
            if commit:
                _bring(mirror, remote, commit, options)
            return Fetched(mirror.directory, branch, commit or mirror.text("rev-parse", ref), tags)
    except GitError as error:
        raise explain(error, remote) from error


def _bring(mirror: Git, remote: Remote, commit: str, options: list[str]) -> None:
    """A commit that the branch need not lead to any more."""
    if mirror.call("cat-file", "-e", f"{commit}^{{commit}}").code == 0:
        return
    try:
        remote.run(mirror, "fetch", *options, "--", remote.url, commit)
    except GitError:
        where = printable(remote.url)
        raise UserError(f"commit {commit[:12]} cannot be had any more: neither {where} nor the cache has it") from None


def _choose(git: Git, remote: Remote, branch: str | None) -> str:
    """The branch to work from. Nothing is guessed: when none is checked out, somebody has to name it."""
    where = printable(remote.url)
    listed = remote.run(
        git, "ls-remote", "--symref", *remote.service("upload-pack"), "--", remote.url, "HEAD", "refs/heads/*"
    )
    lines = [line.split("\t", 1) for line in listed.decode("utf-8", "surrogateescape").splitlines()]
    pointers = {name: ref for ref, name in lines if ref.startswith("ref: ")}
    heads = [name.removeprefix("refs/heads/") for ref, name in lines if name.startswith("refs/heads/")]
    detached = "HEAD" not in pointers and any(name == "HEAD" for _, name in lines)
    if not heads:
        remedy = "has a detached HEAD and no branch; make one there with `git switch -c NAME`"
        raise UserError(f"{where} {remedy if detached else 'has no commit yet; commit something to it first'}")
    if branch is not None:
        return _known(branch, heads, where)
    if "HEAD" in pointers:
        return _known(pointers["HEAD"].removeprefix("ref: refs/heads/"), heads, where)
    why = "has a detached HEAD" if detached else "is on a branch without a commit"
    names = ", ".join(heads[:10]) + (", ..." if len(heads) > 10 else "")
    raise UserError(f"{where} {why}; name the base branch with --branch (there are: {printable(names)})")


def _known(branch: str, heads: list[str], where: str) -> str:
    if branch in heads:
        return branch
    near = difflib.get_close_matches(branch, heads, 1)
    hint = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(heads[:10])}"
    raise UserError(f"{where} has no branch `{printable(branch)}` with a commit; {printable(hint)}")


@contextmanager
def _locked(cache: Path, key: str) -> Iterator[None]:
    """Hold the lock of one mirror; it ends with the process, however that ends."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
