"""File tools for an agent. This file is copied into the sandbox and runs there: standard library, Python 3.9 or later.

One JSON object on standard input, `{"op": "read", "path": ...}`; the answer is text on standard output. Exit code 0 is
an answer, 1 a refusal that tells the agent what to do instead; anything else is a crash. Paths are relative to the
working directory and cannot leave it, by `..` or by links, and cannot enter `.git`.
"""

from __future__ import annotations

import difflib
import heapq
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

ROOT = Path.cwd().resolve()
SKIP = {".git", "node_modules", ".venv", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox"}
BIGGEST = 2 << 20  # bytes of a file that is read or searched
CHARACTERS = 30000  # of one answer
LINES = 1000  # of one answer to `read`
MATCHES = 100
PATIENCE = 10  # seconds of one search
WIDTH = 300  # characters of one line that is shown
DEPTH = 12  # levels of directories that are told apart in a list
NEAR = 20000  # lines of a file that are compared with a text that does not occur


class RefusalError(Exception):
    """What the agent should do instead."""


def inside(path: str, *, follow: bool = True) -> Path:
    """Absolute path of `path`, which stays in the workspace. Without `follow` the last component may be a link."""
    full = ROOT / path
    try:
        real = full.resolve() if follow else full.parent.resolve() / full.name
    except (OSError, RuntimeError, ValueError) as error:  # loops of links, NUL
        raise RefusalError(f"`{path}` is no usable path") from error
    if ".." in (real.name, *real.parts) or (real != ROOT and ROOT not in real.parents):
        raise RefusalError(f"`{path}` leads out of the workspace")
    if ".git" in [part.lower() for part in real.relative_to(ROOT).parts]:
        raise RefusalError(f"`{path}` belongs to git and is off limits")
    return real


def load(path: str) -> str:
    """Text of a regular file; bytes that are no UTF-8 survive a round trip."""
    full = inside(path)
    if not full.exists():
        near = difflib.get_close_matches(path, listed("."), 3)
        raise RefusalError(f"there is no `{path}`" + (f"; did you mean {', '.join(near)}?" if near else ""))
    if not full.is_file():
        raise RefusalError(f"`{path}` is {'a directory' if full.is_dir() else 'no regular file'}")
    if full.stat().st_size > BIGGEST:
        raise RefusalError(f"`{path}` is too large: {full.stat().st_size} bytes")
    data = full.read_bytes()
    if b"\0" in data[:8192]:
        raise RefusalError(f"`{path}` is a binary file of {len(data)} bytes")
    return data.decode("utf-8", "surrogateescape")


def store(path: str, text: str) -> None:
    """Write in place, so that the mode stays."""
    full = inside(path)
    if full.exists() and not full.is_file():
        raise RefusalError(f"`{path}` is {'a directory' if full.is_dir() else 'no regular file'}")
    full.parent.mkdir(parents=True, exist_ok=True)
    full.write_bytes(text.encode("utf-8", "surrogateescape"))


def listed(path: str) -> list[str]:
    """Files below `path`, sorted: what git knows or does not ignore; without git all but the usual caches."""
    top = inside(path)
    if not top.is_dir():
        raise RefusalError(f"there is no directory `{path}`")
    query = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--full-name", "--", str(top)]
    try:
        done = subprocess.run(["git", "-c", "safe.directory=*", *query], cwd=ROOT, capture_output=True, check=False)
    except OSError:
        return walked(top)
    if done.returncode or not (ROOT / ".git").exists():
        return walked(top)
    names = {os.fsdecode(name) for name in done.stdout.split(b"\0") if name}
    return sorted(name for name in names if os.path.lexists(ROOT / name))


def walked(top: Path) -> list[str]:
    """Files below `top` without the help of git."""
    found = []
    for directory, below, files in os.walk(top):
        below[:] = sorted(name for name in below if name not in SKIP)
        found += [str((Path(directory) / name).relative_to(ROOT)) for name in files]
    return sorted(found)


def matching(path: str, glob: str) -> list[str]:
    """Files below `path` (or the file itself) whose path or name fits `glob`; `**/` also stands for no directory."""
    if inside(path).is_file():
        return [path]
    names = listed(path)
    if not glob:
        return names
    globs = {glob, glob.replace("**/", ""), str(Path(path) / glob)}
    return [name for name in names if any(fnmatch(name, g) or fnmatch(Path(name).name, g) for g in globs)]


def list_files(path: str = ".", glob: str = "", budget: int = CHARACTERS, named: Sequence[str] = ()) -> str:
    """All files; where they do not fit into `budget` characters, those in `named` and directories with counts."""
    return listing(matching(path, glob), budget, named)


def listing(names: list[str], budget: int, named: Sequence[str]) -> str:
    """See `list_files`."""
    text = "\n".join(names)
    if len(text) <= budget:
        return text or "no files"
    lines = [f"{len(names)} files; list a directory to see more of it:"]
    if meant := mentioned(names, frozenset(named)):
        lines += ["Named in the request:", *fitting(meant, budget // 4), "All:"]
    left = budget - sum(len(line) + 1 for line in lines)
    return "\n".join(lines + fitting(unfolded(names, left, frozenset(named)), left))


def mentioned(names: list[str], words: frozenset[str]) -> list[str]:
    """Files that some words name: by their path or the end of it, then by their name without its suffix."""
    ends, stems = [], []
    for name in names:
        parts = name.split("/")
        if name in words or any("/".join(parts[-count:]) in words for count in range(1, min(len(parts), DEPTH))):
            ends.append(name)
        elif parts[-1].partition(".")[0] in words:
            stems.append(name)
    return ends + stems


def unfolded(names: list[str], budget: int, words: frozenset[str]) -> list[str]:
    """A tree of directories with counts, unfolded as far as it fits: first the named ones, then those with directories.

    Then it goes level by level, and small ones come before large ones: one with thousands of files hides no other.
    """
    below: dict[str, set[str]] = {}
    counts: dict[str, int] = {}
    for name in names:
        parts, parent = name.split("/"), ""
        for part in parts[:DEPTH]:
            counts[parent] = counts.get(parent, 0) + 1
            child = f"{parent}{part}/" if len(parent) + len(part) < len(name) else name
            below.setdefault(parent, set()).add(child)
            parent = child
        if parent != name:
            counts[parent] = counts.get(parent, 0) + 1

    def line(entry: str) -> str:
        return f"{entry} ({counts[entry]} files)" if entry in counts else entry

    def turn(entry: str) -> tuple[bool, bool, int, int, str]:
        leaf = not any(child in below for child in below[entry])
        return entry.rstrip("/") not in words, leaf, entry.count("/"), len(below[entry]), entry

    shown = set(below[""])
    left = budget - sum(len(line(entry)) + 1 for entry in shown)
    waiting = [turn(entry) for entry in shown if entry in below]
    heapq.heapify(waiting)
    while waiting:
        entry = heapq.heappop(waiting)[-1]
        cost = sum(len(line(child)) + 1 for child in below[entry]) - len(line(entry)) - 1
        if cost > left:
            continue
        left -= cost
        shown = (shown - {entry}) | below[entry]
        for child in below[entry]:
            if child in below:
                heapq.heappush(waiting, turn(child))
    return [line(entry) for entry in sorted(shown)]


def fitting(lines: list[str], budget: int) -> list[str]:
    """As many lines as fit, and how many do not."""
    for number, line in enumerate(lines):
        budget -= len(line) + 1
        if budget < 20 and number < len(lines) - 1:
            return [*lines[:number], f"... and {len(lines) - number} more"]
    return lines


def read(path: str, start: int = 1, end: int = 0) -> str:
    """Lines `start` to `end` with their numbers; `end` 0 is the end of the file."""
    lines = load(path).split("\n")
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    if not 1 <= start <= len(lines):
        raise RefusalError(f"`{path}` has {len(lines)} lines")
    shown, size = [], 0
    for number in range(start, min(end or len(lines), len(lines), start + LINES - 1) + 1):
        shown.append(f"{number}\t{clip(lines[number - 1], 10 * WIDTH)}")
        size += len(shown[-1]) + 1
        if size > CHARACTERS - 10 * WIDTH:
            break
    last = start + len(shown) - 1
    more = "" if (start, last) == (1, len(lines)) else f"\n(lines {start} to {last} of {len(lines)})"
    return "\n".join(shown) + more


def search(pattern: str, glob: str = "", path: str = ".") -> str:
    """Lines that a regular expression matches, as `path:line: text`."""
    try:
        wanted = re.compile(pattern)
    except re.error as error:
        raise RefusalError(f"`{pattern}` is no regular expression: {error}") from error
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(PATIENCE)
    found: list[str] = []
    for name in matching(path, glob):
        try:
            lines = load(name).split("\n")
        except (RefusalError, OSError):
            continue
        for number, line in enumerate(lines, 1):
            if wanted.search(line):
                found.append(f"{name}:{number}: {clip(line.strip(), WIDTH)}")
        if len(found) > MATCHES:
            return "\n".join([*found[:MATCHES], "(more matches; narrow the search)"])
    return "\n".join(found) or "no match"


def too_long(*_: object) -> None:
    """The search has taken its time."""
    raise RefusalError(f"no end after {PATIENCE} seconds; search for a plain text, or in fewer files by `glob`")


def edit(path: str, old: str, new: str, everywhere: bool = False) -> str:
    """Replace `old`, which must occur exactly once, or `everywhere`."""
    text = load(path)
    if "\r\n" in text and "\n" not in text.replace("\r\n", ""):
        old, new = (re.sub("\r?\n", "\r\n", part) for part in (old, new))
    if not old:
        raise RefusalError("`old` is empty; give the text to replace, or use write_file for a new file")
    if old == new:
        raise RefusalError("`old` and `new` are the same")
    lines = [text.count("\n", 0, found.start()) + 1 for found in re.finditer(re.escape(old), text)]
    if not lines:
        raise RefusalError(f"`old` does not occur in `{path}`. {nearest(text, old)}")
    if len(lines) > 1 and not everywhere:
        at = ", ".join(map(str, lines[:20]))
        raise RefusalError(f"`old` occurs {len(lines)} times in `{path}`, on lines {at}; give more lines around it")
    store(path, text.replace(old, new))
    return f"edited `{path}` on line {lines[0]}" if len(lines) == 1 else f"edited `{path}` in {len(lines)} places"


def nearest(text: str, old: str) -> str:
    """The lines that look most like `old`, as they stand in the file, and where they first differ from it."""
    lines, wanted = text.splitlines(), old.strip("\r\n").splitlines() or [""]
    bare = [re.sub(r"^\d+\t", "", line) for line in wanted]
    if bare != wanted and "\n".join(bare) in text:
        return "It does without the line numbers (and tabs) that read_file puts before each line: leave them out."
    longest = max(wanted, key=lambda line: len(line.strip()))
    stripped = [clip(line.strip(), WIDTH) for line in lines[:NEAR]]
    close = difflib.get_close_matches(clip(longest.strip(), WIDTH), stripped, 1, 0.6)
    if not close:
        return "No line looks like it; read the file again."
    start = max(0, stripped.index(close[0]) - wanted.index(longest))
    there = lines[start : start + len(wanted)]
    same = [line.strip() for line in wanted] == [line.strip() for line in there]
    shown = "\n".join(clip(line, WIDTH) for line in there[:20])
    first = next((n for n, line in enumerate(there) if line != wanted[n]), None)
    how = "" if first is None else f"\nLine {start + 1 + first} is {quoted(there[first])}, not {quoted(wanted[first])}"
    return f"{'Only white space differs in' if same else 'Nearest are'} the lines from {start + 1}:\n{shown}{how}"


def quoted(line: str) -> str:
    """A line whose tabs and odd characters can be seen."""
    return clip(json.dumps(line), WIDTH)


def write(path: str, content: str) -> str:
    """A new file, or new contents of an old one."""
    done = "overwrote" if inside(path).exists() else "created"
    store(path, content)
    return f"{done} `{path}` ({len(content.splitlines())} lines)"


def delete(path: str) -> str:
    """Remove one file or link."""
    full = inside(path, follow=False)
    if not os.path.lexists(full):
        raise RefusalError(f"there is no `{path}`")
    if full.is_dir() and not full.is_symlink():
        raise RefusalError(f"`{path}` is a directory; delete its files")
    full.unlink()
    return f"deleted `{path}`"


def move(path: str, to: str) -> str:
    """Rename one file."""
    source, target = inside(path, follow=False), inside(to, follow=False)
    if not os.path.lexists(source):
        raise RefusalError(f"there is no `{path}`")
    if os.path.lexists(target):
        raise RefusalError(f"`{to}` exists; delete it first")
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
    return f"moved `{path}` to `{to}`"


def clip(text: str, limit: int) -> str:
    """At most `limit` characters."""
    return text if len(text) <= limit else text[: limit - 4] + " ..."


OPERATIONS: dict[str, Callable[..., str]] = {
    "list": list_files,
    "read": read,
    "search": search,
    "edit": edit,
    "write": write,
    "delete": delete,
    "move": move,
}


def main() -> int:
    """Do what standard input asks for."""
    request: dict[str, Any] = json.loads(sys.stdin.buffer.read().decode("utf-8"))
    code = 1
    try:
        answer = OPERATIONS[request.pop("op")](**request)
        code = 0
    except RefusalError as refusal:
        answer = str(refusal)
    except OSError as error:
        answer = f"that cannot be done: {error.strerror}"
    sys.stdout.buffer.write(clip(answer, CHARACTERS + 1000).encode("utf-8", "surrogateescape"))
    return code


if __name__ == "__main__":
    sys.exit(main())
