"""What runs in the sandbox around `bazel test`: nothing of greylag is imported here.

`bazel_inside.py EVENTS REPORT ARGUMENT...` runs Bazel, and then takes out of its events, which can be very large, what
they say of each test target: how it ended, the `test.xml` of each of its runs, and the end of the log of one that did
not pass. All of that becomes one report. The exit code is Bazel's.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

PROGRAMS = ("bazelisk", "bazel")
_XML = 4 << 20  # bytes of one test.xml
_LOG = 16 << 10  # bytes of the end of a log
_TOTAL = 16 << 20  # bytes of all of them, with room for how they are written


def main(events: str, report: str, *arguments: str) -> int:
    """Run Bazel with `arguments`, and write `report`; where there is no Bazel, it is said as a shell does."""
    program = next(filter(shutil.which, PROGRAMS), PROGRAMS[-1])
    Path(events).unlink(missing_ok=True)
    try:
        code = subprocess.run([program, *arguments], check=False).returncode
    except FileNotFoundError:
        print(f"sh: {program}: not found", file=sys.stderr)
        return 127
    if Path(events).is_file():
        with Path(report).open("w", encoding="utf-8") as file:
            json.dump([{**target, "xml": list(target["xml"].values())} for target in targets(events)], file)
        Path(events).unlink()
    return code if code >= 0 else 128 - code


def targets(events: str) -> list[dict[str, Any]]:
    """What the events say of each target. Of several attempts the last one counts, as it does for Bazel."""
    found: dict[str, dict[str, Any]] = {}  # by label
    room = _TOTAL
    for event in _events(events):
        kind = "testResult" if "testResult" in event["id"] else "testSummary"
        which = event["id"][kind]
        label, part = str(which.get("label", "")), f"{which.get('run')}/{which.get('shard')}"
        target = found.setdefault(label, {"label": label, "status": "", "xml": {}, "log": ""})
        said = event.get(kind) or {}
        target["status"] = said.get("overallStatus") or target["status"] or str(said.get("status", ""))
        for output in said.get("testActionOutput") or ():
            failed = said.get("status") != "PASSED"
            if output.get("name") == "test.xml":
                data = _read(output, min(_XML, room))
                target["xml"][part] = base64.b64encode(data).decode("ascii")
                room -= len(data)
            elif output.get("name") == "test.log" and failed and not target["log"]:
                data = _read(output, min(_LOG, room), end=True)
                target["log"] = data.decode("utf-8", "replace")
                room -= len(data)
    return list(found.values())


def _events(path: str) -> Iterator[dict[str, Any]]:
    with Path(path).open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith(('{"id":{"testResult":', '{"id":{"testSummary":')):
                try:
                    yield json.loads(line)
                except ValueError:  # Bazel was ended while it wrote
                    return


def _read(output: dict[str, Any], limit: int, *, end: bool = False) -> bytes:
    """A file that an event names by its URL; nothing of one that is too large, or the end of it."""
    try:
        with Path(unquote(str(output.get("uri", "")).removeprefix("file://"))).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if end:
                file.seek(max(0, size - limit))
            return file.read(limit) if end or size <= limit else b""
    except OSError:
        return b""


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
