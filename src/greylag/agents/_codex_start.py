"""Runs inside the sandbox, before Codex. Standard library only. Usage: start.py SETTINGS WORKSPACE PROGRAM [WORD ...].

Makes CODEX_HOME out of our settings alone and becomes the program. An earlier session leaves its conversation there;
what else it left must not steer this one. Skills of the repository are named one by one as disabled: Codex has no
switch for all of them, and loads one wherever a prompt, or the report of a failure in it, has a `$name`.
"""

import json
import os
import shutil
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

KEPT = "sessions"  # in CODEX_HOME
SKILLS = (".codex/skills", ".agents/skills")
MOST = 10_000  # directories that are searched for skills; Codex itself looks at 2,000


def main() -> None:
    """Prepare, then become the program."""
    settings, workspace, *program = sys.argv[1:]
    home = Path(os.environ["CODEX_HOME"])
    if home.is_symlink():
        home.unlink()  # else its end would be emptied
    home.mkdir(parents=True, exist_ok=True)
    for entry in home.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            if entry.name != KEPT:
                shutil.rmtree(entry)
        else:
            entry.unlink()
    tops = [Path(base, below) for base in (workspace, os.environ["HOME"]) for below in SKILLS]
    text = Path(settings).read_text("utf-8") + f"skills.config = [{', '.join(map(disabled, skills(tops)))}]\n"
    (home / "config.toml").write_text(text, "utf-8")
    try:
        os.execv(program[0], program)  # noqa: S606 - no shell is what we want
    except OSError as error:
        print(f"{program[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(127)


def skills(tops: Iterable[Path]) -> Iterator[str]:
    """Real paths of all `SKILL.md` below some directories, links followed."""
    seen, left = set[str](), deque(map(os.path.realpath, tops))
    while left:
        directory = left.popleft()
        if directory in seen or not os.path.isdir(directory):  # noqa: PTH112 - real paths, as texts
            continue
        seen.add(directory)
        if len(seen) > MOST:
            sys.exit(f"more than {MOST} directories below {' or '.join(SKILLS)}")
        for entry in os.scandir(directory):
            if entry.is_dir():
                left.append(os.path.realpath(entry.path))
            elif entry.name == "SKILL.md":
                yield os.path.realpath(entry.path)


def disabled(path: str) -> str:
    """An entry of TOML. Codex itself passes over names that are no UTF-8."""
    text = json.dumps(path.encode("utf-8", "replace").decode(), ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"{{path = {text}, enabled = false}}"


if __name__ == "__main__":
    main()
