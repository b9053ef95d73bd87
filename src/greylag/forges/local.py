"""A repository on this machine: the branch is pushed to it, pull requests are JSON records beside the state."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from greylag.errors import InfraError, UserError
from greylag.git import Git, disk, printable
from greylag.git.remote import Remote, head
from greylag.model import PullRequest
from greylag.protocols import Pushable

_OPEN = {"open", "draft"}
_FIELDS = {each.name for each in fields(PullRequest)}


class LocalForge:
    """Keeps the records of each repository in a directory of their own below `state`, one file for each number."""

    name = "local"

    def __init__(self, state: str | Path) -> None:
        self.state = Path(state).expanduser().absolute()

    def clone_url(self, repo: str) -> tuple[str, str | None]:
        """The path itself; no token. Raises `UserError` where this user could push nothing in the end."""
        remote = _path(repo)
        if remote.path and not _writable(remote.path):
            raise UserError(
                f"{remote.url} cannot be written by this user, who must push a branch there: run as its owner"
            )
        return remote.url, None

    def publish(self, commit: Pushable, request: PullRequest) -> PullRequest:
        """Push the branch and write the record, or update the one of the same branch. Safe to repeat.

        Raises `UserError` when the base is missing, the branch is checked out or somebody else's, or the pull request
        was closed.
        """
        remote = _path(request.repo)
        with self._opened(remote) as (git, records):
            if head(git, remote, request.base) is None:
                raise UserError(
                    f"{remote.url} has no branch `{printable(request.base)}` to open a pull request against"
                )
            record = _of_branch(records, request.branch) or {"number": _last(records) + 1, "heads": []}
            if record.get("state", "open") not in _OPEN:
                raise UserError(
                    f"pull request {record['url']} was closed; delete that file to let greylag open another"
                )
            there = head(git, remote, request.branch)
            if there not in {None, commit.commit, *record["heads"]}:
                raise UserError(
                    f"branch `{request.branch}` of {remote.url} has commits that are not greylag's: handed over"
                )
            file = records / f"{record['number']}.json"
            updated = bool(record.get("pushed", "url" in record))
            made = replace(request, number=record["number"], url=file.as_uri(), forge=self.name, repo=remote.url)
            made = replace(made, updated=updated)
            known = {"heads": [*record["heads"], commit.commit]}
            before = record if "url" in record else asdict(made) | {"state": "open", "pushed": False}
            _write(file, before | known)  # first, so that the head is known; it tells of what is there until it changes
            commit.push(remote.url, request.branch, expect=there)
            _write(file, asdict(made) | known)
            return made

    def pulls(self, repo: str | None = None) -> tuple[PullRequest, ...]:
        """All pull requests, or those of one repository, by number. Those whose push never ended are left out."""
        places = [self._records(_path(repo))] if repo is not None else sorted(self.state.glob("*/"))
        read = [record for place in places for record in _read(place) if record.get("pushed", True)]
        return tuple(_pull_request(record) for record in read)

    def _records(self, remote: Remote) -> Path:
        key = hashlib.sha256(os.fsencode(remote.url)).hexdigest()[:16]
        return self.state / key

    @contextmanager
    def _opened(self, remote: Remote) -> Iterator[tuple[Git, Path]]:
        """A git runner and the directory of a repository's records, which nobody else has at the same time."""
        records = self._records(remote)
        with disk(self.state):
            records.mkdir(parents=True, exist_ok=True)
            with (records / "lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield Git.open(records / "git"), records


def _path(repo: str) -> Remote:
    remote = Remote.of(repo)
    if remote.path is None:
        raise UserError(f"forge `local` is for repositories on this machine, not {printable(repo)}; name another forge")
    return remote


def _writable(path: Path) -> bool:
    """Whether objects can be added, as far as that is plain to see; a `.git` that is a file names another place."""
    inside = path / ".git" if (path / ".git").exists() else path
    return not inside.is_dir() or os.access(inside / "objects", os.W_OK | os.X_OK)


def _read(records: Path) -> list[dict[str, Any]]:
    files = sorted((int(file.stem), file) for file in records.glob("*.json") if file.stem.isdecimal())
    try:
        return [json.loads(file.read_text(encoding="utf-8")) for _, file in files]
    except ValueError as error:
        raise InfraError(f"a record in {records} cannot be read: {error}") from error


def _of_branch(records: Path, branch: str) -> dict[str, Any] | None:
    return next((record for record in _read(records) if record.get("branch") == branch), None)


def _last(records: Path) -> int:
    return max((record["number"] for record in _read(records)), default=0)


def _pull_request(record: dict[str, Any]) -> PullRequest:
    known = {key: value for key, value in record.items() if key in _FIELDS}
    return PullRequest(**known | {"labels": tuple(record.get("labels", ()))})


def _write(file: Path, record: dict[str, Any]) -> None:
    """All or nothing, also when the machine stops. Under the lock."""
    new = file.with_suffix(".new")
    with new.open("w", encoding="utf-8") as stream:
        stream.write(json.dumps(record, indent=1, ensure_ascii=True))
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)


PLUGIN = LocalForge
