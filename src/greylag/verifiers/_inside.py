"""What runs in the sandbox beside a tool: standard library only, nothing of greylag is imported here.

`python -I inside.py run ANSWER REQUEST WORKSPACE ARGUMENT...` reads a JSON request from a file, removes stale reports,
runs the first program that is there with the arguments, and writes a JSON answer with the reports. `after` is the last
of it alone, for a tool that was ended. The tool's own code is hostile: links are not followed, anything but a regular
file is left alone, sizes are bounded.

Every step of every verifier waits for it, so what takes long to import is left out, or waits until it is needed.
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
TOTAL_LIMIT = 128 << 20  # bytes of all reports of a step
FILES = 20_000  # reports of a step
_IGNORED = (13, 25)  # SIGPIPE, SIGXFSZ: by Python, which programs would inherit
_NO_FORMAT = 8  # ENOEXEC
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


def before(request: dict[str, Any]) -> list[str] | None:
    """Remove stale reports, make room for new ones; the first program that is there."""
    for path in list(matching(request["reports"])):
        os.unlink(path)
    for glob in request["reports"]:
        if glob.startswith("/"):
            os.makedirs(os.path.dirname(glob), exist_ok=True)
    return next((argv for argv in request["programs"] if _where(argv[0])), None)


def _where(program: str) -> str | None:
    """Where a program is found, as a shell would."""
    places = [""] if "/" in program else os.environ["PATH"].split(":")
    paths = (os.path.join(place, program) for place in places)
    return next((path for path in paths if os.path.isfile(path) and os.access(path, os.X_OK)), None)


def after(request: dict[str, Any]) -> dict[str, Any]:
    """The report files, files that a formatter rewrote, and the versions of the tools, bounded."""
    reports, dropped = _fetched(matching(request["reports"]))
    rewritten, _ = _fetched(path for path in request["rewritten"] if _regular(path))
    versions = {name: _version(argv) for name, argv in request["tools"].items()}
    return {"reports": reports, "dropped": dropped, "rewritten": rewritten, "tools": versions}


def _fetched(paths: Iterator[str]) -> tuple[list[list[str]], int]:
    """Files with their contents, and how many are too large or too many."""
    files: list[list[str]] = []
    total = dropped = 0
    for path in paths:
        data = _read(path)
        if data is None or total + len(data) > TOTAL_LIMIT or len(files) == FILES:
            dropped += 1
            continue
        total += len(data)
        files.append([path, binascii.b2a_base64(data, newline=False).decode("ascii")])
    return files, dropped


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


def run(request: dict[str, Any], program: list[str], workspace: str) -> int:
    """Run a program to its end; its exit code, 128 + signal when it was killed, 126 or 127 when it cannot be run.

    When its time is nearly over, it is asked where it stands.
    """
    for name, value in request["append"].items():
        os.environ[name] = f"{os.environ.get(name, '')} {value}".strip()
    try:
        child = _spawn(program)
    except OSError as error:
        print(f"{program[0]}: {error.strerror}", file=sys.stderr, flush=True)
        return 127 if isinstance(error, FileNotFoundError) else 126
    if request["patience"]:
        _ask_later(request, workspace)
    status = os.waitpid(child, 0)[1]
    if request["patience"]:
        _alarm(0)  # what comes now is not the tool's
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _ask_later(request: dict[str, Any], workspace: str) -> None:
    import signal

    def ask(*_: object) -> None:
        own = __file__.replace("inside.py", "stacks.py")
        argv = [sys.executable, "-I", "-S", own, workspace, str(os.getpid()), request["journal"]]
        os.posix_spawn(sys.executable, argv, os.environ)

    signal.signal(signal.SIGALRM, ask)
    _alarm(request["patience"])


def _alarm(seconds: float) -> None:
    import signal

    signal.setitimer(signal.ITIMER_REAL, seconds)


def _spawn(argv: list[str]) -> int:
    try:
        return os.posix_spawnp(argv[0], argv, os.environ, setsigdef=_IGNORED)
    except OSError as error:
        if error.errno != _NO_FORMAT:
            raise
    script = _where(argv[0]) or argv[0]  # which does not say of what language
    return os.posix_spawnp("sh", ["sh", script, *argv[1:]], os.environ, setsigdef=_IGNORED)


def main(verb: str, place: str, path: str, workspace: str, *arguments: str) -> int:
    """Entry point: a verb, where the answer goes, the path of its request, and where the workspace is in here."""
    answer = os.open(place, os.O_WRONLY)
    for first, end in ((3, answer), (answer + 1, os.sysconf("SC_OPEN_MAX"))):
        os.closerange(first, end)  # no program inherits it
    with open(path, encoding="utf-8") as file:
        request = json.load(file)
    os.environ["PATH"] = ":".join([*request["paths"], os.environ.get("PATH", os.defpath)])
    program = before(request) if verb == "run" else None
    code = run(request, [*program, *arguments], workspace) if program else 0
    absent = verb == "run" and program is None
    with open(answer, "w", encoding="ascii") as file:
        json.dump({"workspace": workspace, "absent": absent, **({} if absent else after(request))}, file)
    return code


if __name__ == "__main__":
    exit_code = main(*sys.argv[1:])
    os._exit(exit_code)
