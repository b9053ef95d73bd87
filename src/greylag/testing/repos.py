"""Real git repositories from a mapping of files, for tests and examples."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

Files = Mapping[str, str | bytes | None]

ENV = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "Ada Example",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada Example",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
    "LC_ALL": "C",
}  # of every git that tests start


def git(path: Path, *arguments: str, stdin: bytes = b"", check: bool = True) -> str:
    """Standard output of git in `path`, without the last line end. For repositories of one's own making only."""
    env = {"PATH": os.environ["PATH"], "HOME": os.devnull, **ENV}
    command = ["git", "-c", "safe.directory=*", "-c", "maintenance.auto=false", *arguments]
    done = subprocess.run(command, cwd=path, env=env, input=stdin, capture_output=True, check=False)
    if check and done.returncode:
        raise AssertionError(f"git {' '.join(arguments)}: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")


def make_repo(path: Path, files: Files, *, branch: str = "main") -> Path:
    """A new repository at `path` with one commit of `files` (without a commit when there are none)."""
    path.mkdir(parents=True, exist_ok=True)
    git(path, "init", "--quiet", "--template=", f"--initial-branch={branch}")
    if files:
        commit(path, files, "Start")
    return path


def make_bare(path: Path, files: Files, *, branch: str = "main") -> Path:
    """Like `make_repo`, but bare, as a server keeps it."""
    (make_repo(path.with_name(path.name + ".seed"), files, branch=branch) / ".git").rename(path)
    git(path, "config", "core.bare", "true")
    return path


def write(path: Path, files: Files) -> None:
    """Put `files` below `path`; None deletes one; text that starts with `#!` becomes executable."""
    for name, content in files.items():
        file = path / name
        if content is None:
            file.unlink()
            continue
        data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        if data.startswith(b"#!"):
            file.chmod(0o755)


def commit(path: Path, files: Files, message: str) -> str:
    """Write `files` into the work tree at `path`, commit everything there, return the commit id."""
    write(path, files)
    git(path, "add", "--all", "--force")
    said = git(path, "-c", "core.abbrev=no", "commit", "--no-verify", "--no-status", "--allow-empty", "-m", message)
    (made,) = re.findall(r"^\[.* ([0-9a-f]{40,64})\] ", said)  # `[main (root-commit) 1234...] Start`
    return str(made)
