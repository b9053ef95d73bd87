"""Problem matchers that are known by a name, as in tasks of VS Code, in the format that all others are written in.

Tried with what gcc, shellcheck, mypy, TypeScript, ESLint, Go, rustc and Python print; `msCompile` is unproven with
MSBuild itself.
"""

from collections.abc import Mapping
from typing import Any

Table = Mapping[str, Any]

_PLACED = {"file": 1, "line": 2, "column": 3}


def _traceback(*between: Table) -> Table:
    """The innermost frame of a traceback and the error below it."""
    frame = {"regexp": r'^\s+File "([^"]+)", line (\d+)', "file": 1, "line": 2}
    error = {"regexp": r"^([A-Za-z_][\w.]*(?:Error|Exception|Warning|Interrupt|Exit))(?::\s*(.*))?$", "code": 1}
    return {"owner": "python", "pattern": [frame, *between, {**error, "message": 0}]}


_SOURCE, _MARKS = {"regexp": r"^\s{4}\s*\S"}, {"regexp": r"^\s{4}[\s~^]+$"}

KNOWN: Mapping[str, tuple[Table, ...]] = {
    "eslint-compact": (
        {
            "owner": "eslint",
            "pattern": {
                "regexp": r"^(.+): line (\d+), col (\d+), (Error|Warning|Info) - (.+?)(?: \(([^()]+)\))?$",
                **_PLACED, "severity": 4, "message": 5, "code": 6,
            },
        },
    ),
    "eslint-stylish": (
        {
            "owner": "eslint",
            "pattern": [
                {"regexp": r"^(\S.*)$", "file": 1},
                {
                    "regexp": r"^\s+(\d+):(\d+)\s+(error|warning|info)\s+(.+?)(?:\s{2,}([@\w/.-]+))?\s*$",
                    "line": 1, "column": 2, "severity": 3, "message": 4, "code": 5, "loop": True,
                },
            ],
        },
    ),
    "gcc": (
        {
            "owner": "gcc",
            "pattern": {
                "regexp": r"^([^\s:][^:]*):(\d+):(?:(\d+):)?\s+((?:fatal )?error|warning|note|info):\s+(.*?)"
                r"(?:\s+\[([\w,=+#-]+)\])?$",
                **_PLACED, "severity": 4, "message": 5, "code": 6,
            },
        },
    ),
    "go": (
        {
            "owner": "go",
            "pattern": {
                "regexp": r"^\s*(?:vet: )?([^\s:](?:[^:]|:\\)*\.go):(\d+)(?::(\d+))?:\s+(.+)$",
                **_PLACED, "message": 4,
            },
        },
    ),
    "msCompile": (
        {
            "owner": "msCompile",
            "pattern": {
                "regexp": r"^\s*(?:\d+>)?(\S.*?)\((\d+(?:,\d+){0,3})\)\s*:\s+(?:fatal )?(error|warning|info)"
                r"\s+([A-Za-z]+\d+)\s*:\s*(.*?)(?:\s+\[[^\]]*\])?$",
                "file": 1, "location": 2, "severity": 3, "code": 4, "message": 5,
            },
        },
    ),
    "python": (_traceback(_SOURCE), _traceback(_SOURCE, _MARKS), _traceback()),
    "rustc": (
        {
            "owner": "rustc",
            "pattern": [
                {"regexp": r"^(error|warning)(?:\[(\w+)\])?: (.+)$", "severity": 1, "code": 2, "message": 3},
                {"regexp": r"^\s*--> (.+?):(\d+):(\d+)$", **_PLACED},
            ],
        },
    ),
    "tsc": (
        {
            "owner": "typescript",
            "pattern": {
                "regexp": r"^(\S.*?)[(:](\d+)[,:](\d+)(?:\):| -)\s+(error|warning|message)\s+(TS\d+):\s+(.*)$",
                **_PLACED, "severity": 4, "code": 5, "message": 6,
            },
        },
    ),
}  # fmt: skip
