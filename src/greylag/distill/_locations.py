"""Places and test names in lines of text, for tools without a structured report."""

import re
from collections.abc import Sequence
from dataclasses import replace

from greylag.model import Diagnostic, Severity
from greylag.text import one_line

_PATH = r"(?:file://)?(/?[\w.@+-]+(?:/[\w.@+ -]{1,100}){0,30}\.[A-Za-z]\w{0,9})"
_COMPILER = re.compile(
    r"(?:\[(?:ERROR|WARNING)\] )?\s{0,20}" + _PATH + r"(?::\[?|\()(\d{1,9})(?:[:,](\d{1,9}))?[\])]?"
    r":?(?: -|:)? {0,4}(?:(fatal error|error|warning|note|info)\b)?:? {0,4}(.*)"
)  # gcc, clang, javac, Go, tsc, mypy, flake8, pyright: path:line:column: message
_BELOW = re.compile(
    r"\s{0,20}(?:-->|\u276f|at|in|\u256d\u2500\[|\|) (?:\S{1,200} )?\(?" + _PATH + r":(\d{1,9})(?::(\d{1,9}))?"
)
_PYTHON = re.compile(r"\s{0,20}File \"([^\"]{1,300})\", line (\d{1,9})")
_TESTS = (  # go; pytest; jest and mocha; TAP; cargo; jest and vitest files; surefire
    re.compile(r"\s{0,20}--- FAIL: (?P<test>\S{1,300})"),
    re.compile(r"(?:FAILED|ERROR) (?P<test>\S{1,300}::\S{1,300}|\S{1,300}\.py)(?: - (?P<message>.{0,600}))?$"),
    re.compile(r"\s{0,20}\u25cf (?P<test>(?!Console$|Test suite failed).{1,300})"),
    re.compile(r"\s{0,40}not ok \d{1,9} (?:- )?(?P<test>.{1,300})"),
    re.compile(r"\s{0,20}test (?P<test>\S{1,300}) \.\.\. FAILED"),
    re.compile(r"\s{0,3}FAIL {1,2}(?P<test>[\w./-]{1,200}/[\w./-]{1,200}.{0,300})"),
    re.compile(r"\[ERROR\] (?P<test>[\w.$]{1,300}(?:\(.{0,100})?) .{0,60}<<< (?:FAILURE|ERROR)"),
)
_ERROR = re.compile(
    r"(?:\w{1,60}: )?(?:error|Error|ERROR|fatal|panic)\b(?!\()|\w{0,80}(?:Error|Exception): |E {2,}\S"
    r"|thread '.{1,100}' panicked"
)
_ABOVE = re.compile(r":\d{1,9}: in \S")
_FOREIGN = re.compile(r"site-packages/|node_modules/|node:internal|/usr/|/opt/|/rustc/|/\.cargo/|/lib/python|^https?:")
_HOMES = re.compile(r"/(?:workspace|github/workspace|home/runner/work/[\w.-]+/[\w.-]+|builds/[\w.-]+/[\w.-]+)/")
_MOST = 50
_NO_MESSAGE = "test failed"
_YAML = re.compile(
    r"\s{0,40}(?:---$|(?:duration_ms|type|location|failureType):|error: \|-$)"
)  # of TAP, before what matters


def located(lines: Sequence[str]) -> tuple[Diagnostic, ...]:
    """Diagnostics for lines that name a place or a test; else one for the first line that is an error.

    An empty line stands for a gap. A place below its message (rustc, JavaScript) takes the error line before it, one
    above the line after it that pytest marks with `E`, or the exception that ends a trace of Python.
    """
    found: list[Diagnostic] = []
    message, above, quoted = "", None, False
    frame: Diagnostic | None = None
    for line in lines:
        if not line:
            message = ""
            continue
        diagnostic = _test(line) or _compiler(line)
        place = None if diagnostic else _place(line)
        first = line.startswith("E ") and not quoted  # pytest's: the first says what, the others explain
        if place and message:
            diagnostic, message = replace(place, message=message), ""
        elif place and _ABOVE.search(line):
            above = place
        elif first and above:
            diagnostic, above = replace(above, message=one_line(line[2:], 400)), None
        elif place and _PYTHON.match(line):
            frame = place
        elif frame and not diagnostic and _ERROR.match(line):
            diagnostic, frame = replace(frame, message=one_line(line, 400)), None
        if diagnostic:
            found.append(diagnostic)
        elif _ERROR.match(line.lstrip()) and (first or not line.startswith("E ")):
            message = one_line(line.removeprefix("E "), 400)
        if not diagnostic and found and found[-1].message == _NO_MESSAGE and not _YAML.match(line):
            found[-1] = replace(found[-1], message=one_line(line, 400))
        quoted = line.startswith("E ")
    if not found:
        found = [Diagnostic(one_line(line, 400)) for line in lines if _ERROR.match(line.lstrip())][:1]
    return tuple(dict.fromkeys(found))[:_MOST]


def _test(line: str) -> Diagnostic | None:
    match = next((found for pattern in _TESTS if (found := pattern.match(line))), None)
    if not match:
        return None
    path, _, rest = match["test"].partition("::")
    message = match.groupdict().get("message")
    return Diagnostic(message or _NO_MESSAGE, path=_relative(path) if rest else None, test=one_line(match["test"], 300))


def _compiler(line: str) -> Diagnostic | None:
    if not (match := _COMPILER.match(line)) or not match[5]:
        return None
    path, row, column, level, message = match.groups()
    if _FOREIGN.search(path) or not (level or line.startswith("[") or _ERROR.match(message)):
        return None
    severity = Severity(level) if level in {"warning", "info"} else Severity.INFO if level == "note" else Severity.ERROR
    return Diagnostic(one_line(message, 400), severity, _relative(path), int(row) or None, int(column or 0) or None)


def _place(line: str) -> Diagnostic | None:
    match = _BELOW.match(line) or _PYTHON.match(line) or _COMPILER.match(line)
    if not match or _FOREIGN.search(match[1]):
        return None
    column = int(match[3] or 0) if match.re.groups > 2 else 0
    return Diagnostic("", path=_relative(match[1]), line=int(match[2]) or None, column=column or None)


def _relative(path: str) -> str:
    """Relative to the check-out, where the path begins with one of the places that CI services put it."""
    match = _HOMES.match(path)
    return path[match.end() :] if match else path.removeprefix("./")
