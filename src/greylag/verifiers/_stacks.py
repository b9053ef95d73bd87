"""Runs in the sandbox when the time of a tool is nearly over: asks its programs where they stand.

`python -I stacks.py WORKSPACE TOOL JOURNAL` prints the end of JOURNAL, in which a runner writes down the tests that it
begins, then lets the processes below TOOL say their stacks: frames of the repository's own files, in the form of
Python's faulthandler, the busiest program last. Standard library only, nothing of greylag is imported here. Nothing is
killed but Python, which prints its stacks by itself when it is aborted; TOOL, which waits for the end, is stopped
before, so that time is what ends it.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

_PAUSE = 0.3  # seconds in which the processors' use is measured
_PROGRAMS = 3  # of one kind, the busiest
_THREADS, _FRAMES = 5, 12
_SOURCES = (".java", ".kt", ".kts", ".scala", ".groovy")
_SKIPPED = {"node_modules", ".git", ".gradle"}
_FILES = 200_000
_BEGUN = 2  # lines of a journal
_JAVA_FRAME = re.compile(r"^\s+at (?:[\w.$-]{0,200}/{1,2})?([\w.$]{1,500})\(([\w$-]{1,200}\.\w{1,10}):(\d{1,9})\)$")
_INSPECTOR = ("127.0.0.1", 9229)  # where Node.js listens when it is asked to
_DIGITS = {c: n for n, c in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")}

Frame = tuple[str, int, str]  # file, line, function


class Program(NamedTuple):
    """A process, the base name of its program, and what it used of the processors a moment ago."""

    pid: int
    name: str
    used: int


def programs(root: int) -> list[Program]:
    """The processes below `root`, the busiest first. There may be others where no sandbox hides them."""
    before = {pid: used for pid, _, used in _processes()}
    time.sleep(_PAUSE)
    below, found = {root}, []
    for pid, parent, used in sorted(_processes()):
        if parent in below and pid != os.getpid():
            below.add(pid)
            with contextlib.suppress(OSError):
                name = Path(f"/proc/{pid}/exe").readlink().name
                found.append(Program(pid, name, used - before.get(pid, 0)))
    return sorted(found, key=lambda program: -program.used)


def _processes() -> Iterator[tuple[int, int, int]]:
    """Number, parent and clock ticks of each process."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = entry.read_text(errors="replace").rpartition(")")[2].split()
            yield int(entry.parent.name), int(fields[1]), int(fields[11]) + int(fields[12])


# -- Java ------------------------------------------------------------------------------------------------------------


def java(pid: int, workspace: str) -> Iterator[list[Frame]]:
    """Threads of a virtual machine that are in files of the repository."""
    jcmd = Path(f"/proc/{pid}/exe").resolve().with_name("jcmd")
    try:
        done = subprocess.run([str(jcmd), str(pid), "Thread.print"], capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return
    files = _sources(workspace)
    for thread in done.stdout.decode("utf-8", "replace").split("\n\n"):
        hits = (hit for line in thread.splitlines() if (hit := _JAVA_FRAME.match(line)))
        own = ((_place(hit, files), int(hit[3]), hit[1]) for hit in hits)
        if frames := [frame for frame in own if frame[0]]:
            yield frames


def _place(hit: re.Match[str], files: dict[str, list[str]]) -> str:
    """The file of a frame: the one of its package, else the only one of its name."""
    package = hit[1].split("$")[0].rpartition(".")[0].rpartition(".")[0].replace(".", "/")
    named = files.get(hit[2], [])
    inside = [path for path in named if path.endswith(f"/{package}/{hit[2]}")]
    return (inside or (named if len(named) == 1 and not package.startswith(("java/", "jdk/")) else [""]))[0]


def _sources(workspace: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    seen = 0
    for directory, below, files in os.walk(workspace):
        below[:] = sorted(set(below) - _SKIPPED)
        seen += len(files)
        if seen > _FILES:
            break
        for name in files:
            if name.endswith(_SOURCES):
                found.setdefault(name, []).append(f"{directory}/{name}")
    return found


# -- Node.js ---------------------------------------------------------------------------------------------------------


def node(pid: int, workspace: str) -> Iterator[list[Frame]]:
    """The stack of a JavaScript program that is busy, by its own debugger."""
    if not _refused(_INSPECTOR):  # somebody else listens there already
        return
    os.kill(pid, signal.SIGUSR1)
    deadline = time.monotonic() + 5
    while _refused(_INSPECTOR):
        if time.monotonic() > deadline:
            return
        time.sleep(0.05)
    with contextlib.suppress(OSError, ValueError, LookupError), socket.create_connection(_INSPECTOR, 5) as wire:
        frames = []
        for url, line, column, function, mapped in _paused(wire):
            path = url.removeprefix("file://")
            if path.startswith(f"{workspace}/") and "/node_modules/" not in path:
                frames.append((path, _original(mapped, line, column), function or "a function"))
        if frames:
            yield frames


def _refused(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, 1).close()
    except OSError:
        return True
    return False


def _paused(wire: socket.socket) -> Iterator[tuple[str, int, int, str, str]]:
    """URL, line, column, function and source map of each frame, the innermost first, from 0.

    The protocol is that of Chrome's DevTools, over a WebSocket (RFC 6455).
    """
    stream = wire.makefile("rb")
    wire.sendall(b"GET /json/list HTTP/1.1\r\nHost: 127.0.0.1:9229\r\n\r\n")
    size = 0
    while line := stream.readline().strip():
        name, _, value = line.partition(b":")
        size = int(value) if name.lower() == b"content-length" else size
    place = json.loads(stream.read(size))[0]["webSocketDebuggerUrl"].rpartition("/")[2]
    with socket.create_connection(_INSPECTOR, 5) as talk:
        key = base64.b64encode(os.urandom(16)).decode()
        talk.sendall(
            f"GET /{place} HTTP/1.1\r\nHost: 127.0.0.1:9229\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        heard = talk.makefile("rb")
        while heard.readline().strip():
            pass
        for number, method in enumerate(("Debugger.enable", "Debugger.pause"), 1):
            _say(talk, json.dumps({"id": number, "method": method}).encode())
        scripts: dict[str, tuple[str, str]] = {}
        while True:
            message = json.loads(_heard(heard))
            params = message.get("params", {})
            if message.get("method") == "Debugger.scriptParsed":
                scripts[params["scriptId"]] = params["url"], params.get("sourceMapURL", "")
            elif message.get("method") == "Debugger.paused":
                break
        for frame in params["callFrames"]:
            at = frame["location"]
            url, mapped = scripts.get(at["scriptId"], ("", ""))
            yield url, at["lineNumber"], at.get("columnNumber", 0), frame["functionName"], mapped


def _say(talk: socket.socket, text: bytes) -> None:
    """One short masked text frame; the mask is all zeros."""
    talk.sendall(bytes((0x81, 0x80 | len(text))) + bytes(4) + text)


def _heard(stream: BinaryIO) -> bytes:
    """One message, whose parts may be several frames."""
    whole = b""
    while True:
        first, second = stream.read(2)
        size = second & 0x7F
        if size > 125:
            size = int.from_bytes(stream.read(2 if size == 126 else 8), "big")
        whole += stream.read(size)
        if first & 0x80:
            return whole


def _original(source_map: str, line: int, column: int) -> int:
    """The line, from 1, in the file that was compiled: by its source map, version 3, where it holds one itself."""
    head, _, data = source_map.partition(";base64,")
    if not head.startswith("data:") or not data:
        return line + 1
    source = original = 0
    best = line
    for number, group in enumerate(json.loads(base64.b64decode(data))["mappings"].split(";")[: line + 1]):
        at = 0
        for segment in filter(None, group.split(",")):
            deltas = list(_numbers(segment))
            at += deltas[0]
            if len(deltas) > 2:
                source, original = source + deltas[1], original + deltas[2]
                if number < line or at <= column:
                    best = original
    return best + 1


def _numbers(segment: str) -> Iterator[int]:
    """Base 64 VLQ: five bits a digit, the lowest first; of the first digit the lowest is the sign."""
    value = shift = 0
    for digit in map(_DIGITS.__getitem__, segment):
        value |= (digit & 31) << shift
        shift += 5
        if not digit & 32:
            yield -(value >> 1) if value & 1 else value >> 1
            value = shift = 0


# -- all -------------------------------------------------------------------------------------------------------------


def ask(workspace: str, tool: int, journal: str) -> None:
    """Print where the programs stand."""
    with contextlib.suppress(OSError):
        print("", *Path(journal).read_text("utf-8", "replace").splitlines()[-_BEGUN:], sep="\n", flush=True)
    found = programs(tool)
    for kind, stacks, most in (("java", java, _PROGRAMS), ("node", node, 1)):  # one debugger has room
        named = [program for program in found if program.name == kind][:most]
        for program in reversed(named):
            threads = list(itertools.islice(stacks(program.pid, workspace), _THREADS))
            if threads:
                print(f"\nTimeout ({kind}, process {program.pid})!", flush=True)
            for frames in threads:
                print("Thread (most recent call first):")
                for path, line, function in frames[:_FRAMES]:
                    print(f'  File "{path}", line {line} in {function}', flush=True)
    aborted = [p for p in found if p.name.startswith("python") and _catches(p.pid, signal.SIGABRT)]
    if aborted:
        os.kill(tool, signal.SIGSTOP)
    for program in reversed(aborted):
        os.kill(program.pid, signal.SIGABRT)


def _catches(pid: int, number: int) -> bool:
    """Whether a process has a handler of its own for a signal."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        caught = Path(f"/proc/{pid}/status").read_text().split("SigCgt:")[1].split()[0]
        return bool(int(caught, 16) >> (number - 1) & 1)
    return False


if __name__ == "__main__":
    os.dup2(2, 1)
    ask(sys.argv[1], int(sys.argv[2]), sys.argv[3])
