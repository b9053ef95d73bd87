"""What runs in the sandbox beside a tool: standard library only, nothing of greylag is imported here.

`python -I inside.py before|after REQUEST WORKSPACE` reads a JSON request from a file and prints a JSON answer. The
tool's own code is hostile: links are not followed, anything but a regular file is left alone, sizes are bounded.

Every step of every verifier waits for it twice, so what takes long to import is left out, or waits until it is needed.
"""

# ruff: noqa: PLC0415, PTH103, PTH108, PTH113, PTH118, PTH120, PTH123
from __future__ import annotations

import binascii
import json
import os
import re
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

FILE_LIMIT = 32 << 20  # bytes of one report
TOTAL_LIMIT = 64 << 20  # bytes of all reports of a step
FILES = 5000  # reports of a step
_SKIPPED = frozenset({"node_modules", ".git", ".venv", "site-packages"})


def glob_pattern(glob: str) -> re.Pattern[str]:
    """A regular expression for a glob of relative paths: `*` stays within a directory, `**/` crosses any number."""
    parts = re.split(r"(\*\*/|\*|\?)", glob)
    known = {"**/": "(?:[^/]+/)*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(known.get(part, re.escape(part)) for part in parts) + r"\Z")


def matching(globs: list[str]) -> Iterator[str]:
    """Regular files that fit one of `globs`, as paths: absolute ones literally, relative ones below here."""
    yield from (glob for glob in globs if "*" not in glob and _regular(glob))
    patterns = [glob_pattern(glob) for glob in globs if "*" in glob]
    for directory, subdirectories, files in os.walk(".") if patterns else ():
        subdirectories[:] = sorted(set(subdirectories) - _SKIPPED)
        for file in sorted(files):
            path = os.path.normpath(f"{directory}/{file}")
            if any(pattern.match(path) for pattern in patterns) and _regular(path):
                yield path


def _regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


def before(request: dict[str, Any]) -> dict[str, Any]:
    """Remove stale reports, make room for new ones, find the first program that is there."""
    for path in list(matching(request["reports"])):
        os.unlink(path)
    for glob in request["reports"]:
        if glob.startswith("/"):
            os.makedirs(os.path.dirname(glob), exist_ok=True)
    found = [number for number, argv in enumerate(request["programs"]) if _there(argv[0])]
    return {"program": found[0] if found else None, "env": {name: os.environ.get(name, "") for name in request["env"]}}


def _there(program: str) -> bool:
    """Whether a program is found, as a shell would."""
    places = [""] if "/" in program else os.environ["PATH"].split(":")
    return any(os.path.isfile(path) and os.access(path, os.X_OK) for path in (os.path.join(p, program) for p in places))


def after(request: dict[str, Any]) -> dict[str, Any]:
    """The report files and the versions of the tools, bounded."""
    reports: list[list[str]] = []
    total = dropped = 0
    for path in matching(request["reports"]):
        data = _read(path)
        if data is None or total + len(data) > TOTAL_LIMIT or len(reports) == FILES:
            dropped += 1
            continue
        total += len(data)
        reports.append([path, binascii.b2a_base64(data, newline=False).decode("ascii")])
    return {"reports": reports, "dropped": dropped, "tools": {k: _version(v) for k, v in request["tools"].items()}}


def _read(path: str) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(FILE_LIMIT + 1)
    return data if len(data) <= FILE_LIMIT else None


def _version(argv: list[str]) -> str:
    import subprocess

    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"\d+(?:\.\d+)+[\w.+-]*", (done.stdout + done.stderr).decode("utf-8", "replace"))
    return found.group() if found and not done.returncode else ""


def main(arguments: list[str]) -> None:
    """Entry point: a verb, the path of its request, and where the workspace is in here."""
    verb, path, workspace = arguments
    with open(path, encoding="utf-8") as file:
        request = json.load(file)
    os.environ["PATH"] = ":".join([*request["paths"], os.environ.get("PATH", os.defpath)])
    sys.stdout.write(json.dumps({"before": before, "after": after}[verb](request) | {"workspace": workspace}))


if __name__ == "__main__":
    main(sys.argv[1:])
