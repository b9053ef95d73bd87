"""Which source a tool of JavaScript could not read, and where: what jest, Babel, Node.js, ts-jest and vitest say of it.

Their words name the test that imports the source, and the source itself far below a manual, or only in the log.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from greylag.model import Diagnostic
from greylag.readers._common import LARGEST, WORKSPACE, Locate, locator
from greylag.text import clean, one_line

UNLOADED = "the file could not be run"  # the name of what stands for all tests of such a file
_MANUAL, _DETAILS = "Jest encountered an unexpected token\n", "Details:\n"
_WRAPPER = re.compile(r'\(\{"Object\.<anonymous>":function\([\w,]{0,300}\)\{')  # which jest puts before a source
_PLACES = (
    re.compile(  # Babel
        r"^ *(?P<kind>SyntaxError: )(?P<path>/[^\n:]{1,500}): (?P<said>[^\n]{1,500})"
        r" \((?P<line>\d{1,9}):(?P<column>\d{1,9})\)$",
        re.MULTILINE,
    ),
    re.compile(  # Node.js
        r"^ *(?P<path>/[^\n:]{1,500}):(?P<line>\d{1,9})\n(?:[^\n]{0,2000}\n){1,4}?"
        r" *(?P<kind>SyntaxError: )(?P<said>[^\n]{1,500})",
        re.MULTILINE,
    ),
    re.compile(  # ts-jest
        r"^ *(?P<path>[^\n:]{1,500}):(?P<line>\d{1,9}):(?P<column>\d{1,9}) - error (?P<said>TS\d{1,9}: [^\n]{1,500})",
        re.MULTILINE,
    ),
    re.compile(  # esbuild
        r"^(?P<path>/[^\n:]{1,500}):(?P<line>\d{1,9}):(?P<column>\d{1,9}): ERROR: (?P<said>[^\n]{1,500})", re.MULTILINE
    ),
    re.compile(  # Rollup and Rolldown, with a path below the root of vite
        r"^Parse failure: (?:Parse failed with \d{1,9} errors?:\n)?(?P<said>[^\n]{1,500})\n(?:[^\n]{0,2000}\n){0,20}?"
        r"At file: /(?:@fs(?=/))?(?P<path>[^\n:]{1,500}):(?P<line>\d{1,9}):(?P<column>\d{1,9})$",
        re.MULTILINE,
    ),
    re.compile(  # Oxc
        r"^\[PARSE_ERROR\] (?P<said>[^\n]{1,500})\n\s{0,9}\u256d\u2500\[ "
        r"(?P<path>[^\n:]{1,500}):(?P<line>\d{1,9}):(?P<column>\d{1,9}) \]",
        re.MULTILINE,
    ),
)
_SUITE = re.compile(r" FAIL  (?:\S.{0,300} )?\[ (.{1,1000}) \]$")
_END = "\u23af\u23af"  # of what vitest says about one file
_FILE = re.compile(r"\s{1,9}File: (/.{1,1000}?):(\d{1,9}):(\d{1,9})$")
_LINE = 1500  # characters of a line of a log that are looked at


@dataclass(frozen=True, slots=True)
class Unread:
    """A source that could not be read: where, and what the tool says of it."""

    path: str
    line: int
    message: str


def without_manual(said: str) -> str:
    """The words of jest without those that explain its settings, which are the same for every file."""
    before, manual, rest = said.partition(_MANUAL)
    _, details, after = rest.partition(_DETAILS)
    return _WRAPPER.sub("", before.rstrip(" ") + after.lstrip("\n") if manual and details else said)


def unread(said: str, locate: Locate) -> Unread | None:
    """The source that `said` is about, where it names one."""
    hits = sorted(filter(None, (pattern.search(said) for pattern in _PLACES)), key=re.Match.start)
    for hit in hits:
        found = hit.groupdict()
        if path := locate(found["path"]):
            place = ":".join(part for part in (path, found["line"], found.get("column")) if part)
            return Unread(path, int(found["line"]), f"{found.get('kind') or ''}{place}: {found['said']}")
    return None


def vitest_places(
    found: Sequence[Diagnostic], log: bytes, cwd: str = ".", workspace: str = WORKSPACE
) -> tuple[Diagnostic, ...]:
    """Diagnostics of vitest's report with the places that only its log tells of sources that could not be read."""
    if len(log) > LARGEST or not any(_without_place(d) for d in found):
        return tuple(found)
    locate = locator(cwd, workspace)
    places = dict(_told(log, locate))
    return tuple(_placed(d, *places.get(d.path or "", ("", 0, ""))) if _without_place(d) else d for d in found)


def _without_place(diagnostic: Diagnostic) -> bool:
    return diagnostic.test == UNLOADED and diagnostic.line is None


def _placed(diagnostic: Diagnostic, path: str, line: int, place: str) -> Diagnostic:
    if not path or path in diagnostic.message:
        return diagnostic
    own = line if path == diagnostic.path else None
    return replace(diagnostic, line=own, message=one_line(f"{place}: {diagnostic.message}", 300))


def _told(log: bytes, locate: Locate) -> Iterator[tuple[str, tuple[str, int, str]]]:
    """Test files, and the place that the log names for each; one block may be about several of them."""
    suites: list[str] = []
    for row in clean(log).split("\n"):
        line = row[:_LINE]
        if suite := _SUITE.match(line):
            suites.append(locate(suite[1]) or "")
        elif line.startswith(_END):
            suites.clear()
        elif suites and (file := _FILE.match(line)):
            path = locate(file[1]) or "/"
            if not path.startswith("/"):  # of later versions a path below the root of vite, which the report has, too
                yield from ((name, (path, int(file[2]), f"{path}:{file[2]}:{file[3]}")) for name in suites)
            suites.clear()
