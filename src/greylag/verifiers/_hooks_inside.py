"""What runs in the sandbox around pre-commit, with pre-commit's own Python: nothing of greylag is imported here.

`prepare CONFIG STATE` installs the hooks of one repository after the other, so that one which cannot be had takes none
of the others along. `run CONFIG STATE` runs those that were installed, on all files. pre-commit asks git for the files:
it is given a repository of its own, in STATE, of what lies here.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # pre-commit needs it, so it is there

NONE = "no hook of pre-commit has been run"
_AS = ("-c", "user.name=greylag", "-c", "user.email=greylag@localhost", "-c", "commit.gpgSign=false")


def repository(state: Path) -> None:
    """A git repository of the files that git would know: pre-commit looks at no others."""
    shutil.rmtree(state / "git", ignore_errors=True)
    state.mkdir(parents=True, exist_ok=True)
    os.environ.update(GIT_DIR=str(state / "git"), GIT_WORK_TREE=str(Path.cwd()), GIT_CONFIG_GLOBAL=os.devnull)
    git("init", "--quiet", "--initial-branch=greylag")
    (state / "git" / "info").mkdir(exist_ok=True)
    (state / "git" / "info" / "exclude").write_text("/.venv/\n/node_modules/\n", "utf-8")
    git("add", "--all", "--", ".")
    git(*_AS, "commit", "--quiet", "--no-verify", "--allow-empty", "--message=all files")


def git(*arguments: str) -> bytes:
    """What git says; it must succeed."""
    return subprocess.run(("git", *arguments), check=True, stdout=subprocess.PIPE).stdout


def configuration(path: str) -> dict[str, Any]:
    """The settings of pre-commit; without hooks when they are of another form. Ends on what is no YAML."""
    try:
        found = yaml.safe_load(Path(path).read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        sys.exit(f"{path}: {error}")
    return found if isinstance(found, dict) and isinstance(found.get("repos"), list) else {"repos": []}


def with_only(config: dict[str, Any], repos: list[Any], place: Path) -> str:
    """A file of the same settings with these repositories of hooks."""
    place.write_text(yaml.safe_dump({**config, "repos": repos}), "utf-8")
    return str(place)


def pre_commit(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    """pre-commit, with what it prints."""
    command = (sys.executable, "-m", "pre_commit", *arguments)
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


def key(repo: Any) -> str:
    """What tells a repository of hooks, with all that is said of it, from others."""
    return json.dumps(repo, sort_keys=True, default=str)


def wanted(repo: Any) -> bool:
    """Whether any of a repository's hooks is not left to somebody else."""
    hooks = repo.get("hooks") if isinstance(repo, dict) else None
    left = os.environ.get("SKIP", "").split(",")
    return not isinstance(hooks, list) or not all(isinstance(hook, dict) and hook.get("id") in left for hook in hooks)


def prepare(config: dict[str, Any], state: Path) -> int:
    """Install what can be had, and remember it."""
    had, lacking = [], []
    for repo in filter(wanted, config["repos"]):
        done = pre_commit("install-hooks", "--config", with_only(config, [repo], state / "one.yaml"))
        say(done.stdout)
        if done.returncode:
            lacking.append(str(repo.get("repo") if isinstance(repo, dict) else repo))
        else:
            had.append(key(repo))
    (state / "had.json").write_text(json.dumps(had), "utf-8")
    if lacking:
        print(f"hooks that cannot be had: {', '.join(lacking)}", flush=True)
    return 1 if lacking else 0


def run(config: dict[str, Any], state: Path) -> int:
    """Run what was installed, and name the files that it changes."""
    had = json.loads((state / "had.json").read_text("utf-8")) if (state / "had.json").is_file() else []
    repos = [repo for repo in config["repos"] if key(repo) in had]
    done = pre_commit(
        "run", "--all-files", "--color", "never", "--config", with_only(config, repos, state / "had.yaml")
    )
    say(done.stdout.replace(NONE.encode(), b""))  # a hook of the repository may not say it for us
    if not re.search(rb"\.(?:Passed|Failed)\r?$", done.stdout, re.MULTILINE) and not (repos and done.returncode):
        print(NONE, flush=True)
        return 1
    for path in git("diff", "--name-only", "-z").split(b"\0"):
        if path:
            say(b"changed by hooks: " + path.replace(b"\n", b" ") + b"\n")
    return done.returncode


def say(what: bytes) -> None:
    """Print bytes as they are."""
    sys.stdout.buffer.write(what)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    verb, path, place = sys.argv[1:4]
    repository(Path(place))
    sys.exit({"prepare": prepare, "run": run}[verb](configuration(path), Path(place)))
