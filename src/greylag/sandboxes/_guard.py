"""Runs a command without a sandbox and sees to it that nothing of it is left. Standard library only.

    python -I -S _guard.py FD PROGRAM ARGUMENT...

FD holds the plan as JSON: `parent`, `status` (a descriptor), `cgroups` (files to join). Descendants that leave their
process group or are orphaned become children of the guard (child subreaper, Linux), so that it can find and kill
them: at the end of the command, on SIGTERM, and when greylag dies.
"""

import contextlib
import ctypes
import json
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_IGNORED = (signal.SIGPIPE, signal.SIGXFSZ)  # by Python, which programs would inherit
_GRACE = 5.0
END = signal.SIGTERM  # how greylag asks the guard to end it all


def adopt(parent: int) -> None:
    """Become the parent of all orphans below, and be told when greylag dies."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(1), 0, 0, 0)
    libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(END), 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(125)


def descendants(root: int) -> list[int]:
    """Process ids of the whole tree below `root`, from /proc (empty elsewhere)."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = entry.read_text(errors="replace").rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(entry.parent.name))
    found, waiting = [], [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def sweep(child: int) -> None:
    """Kill everything below until nothing is left."""
    deadline = time.monotonic() + _GRACE
    while time.monotonic() < deadline:
        if child:
            _kill(os.killpg, child)
        for pid in descendants(os.getpid()):
            _kill(os.kill, pid)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.005)


def _kill(function: Any, target: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        function(target, signal.SIGKILL)


def main() -> int:
    """Run, wait, sweep; the exit code is the command's, 128 + signal when it was killed."""
    descriptor = int(sys.argv[1])
    with os.fdopen(descriptor, "rb") as file:
        plan = json.load(file)
    status = plan["status"]
    os.set_inheritable(status, False)
    adopt(plan["parent"])
    for path in plan["cgroups"]:
        Path(path).write_text("0")
    argv = sys.argv[2:]
    child = 0

    def end(_number: int, _frame: FrameType | None) -> None:
        sweep(child)
        os._exit(128 + signal.SIGKILL)

    signal.signal(END, end)
    try:
        child = os.posix_spawnp(argv[0], argv, os.environ, setpgroup=0, setsigdef=_IGNORED)
    except OSError as error:
        print(f"{argv[0]}: {error.strerror}", file=sys.stderr, flush=True)
        code = 126 if isinstance(error, PermissionError) else 127
        os.write(status, json.dumps({"exit-code": code}).encode() + b"\n")
        return code
    code = _wait(child)
    sweep(child)
    os.write(status, json.dumps({"exit-code": code}).encode() + b"\n")
    return code


def _wait(child: int) -> int:
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child:
            return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


if __name__ == "__main__":
    sys.exit(main())
