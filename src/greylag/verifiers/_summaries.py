"""What test runners print when they cannot be asked for a structured report: counts and names of failed tests."""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from greylag import readers
from greylag.distill.tasks import ungrouped
from greylag.model import Counts, Diagnostic, Outcome, Phase, Verdict
from greylag.text import clean, one_line
from greylag.verifiers._outcome import total
from greylag.verifiers._plan import Tests

Row = tuple[str, str, str]  # patterns of the closing lines of one runner: tests that passed, failed, were skipped

_OF_TAP: tuple[Row, ...] = (  # of node:test, QUnit and tape, and of tap
    (r"^(?:\u2139|#) pass {1,2}(\d+)", r"^(?:\u2139|#) fail {1,2}(\d+)", r"^(?:\u2139|#) skip(?:ped)? (\d+)"),
    (r"^# \{ [^}\n]{0,80}\bpass: (\d+)", r"^# \{ [^}\n]{0,80}\bfail: (\d+)", r"^# \{ [^}\n]{0,80}\bskip: (\d+)"),
)
_JAVASCRIPT: tuple[Row, ...] = (
    (r"^Tests:.*?\b(\d+) passed", r"^Tests:.*?\b(\d+) failed", r"^Tests:.*?\b(\d+) (?:skipped|todo)"),  # jest
    (r"^\s+Tests\s.*?(\d+) passed", r"^\s+Tests\s.*?(\d+) failed", r"^\s+Tests\s.*?(\d+) skipped"),  # vitest
    (r"^\s+(\d+) passing\b", r"^\s+(\d+) failing\b", r"^\s+(\d+) pending\b"),  # mocha
    (r"^ *(\d+) pass$", r"^ *(\d+) fail$", r"^ *(\d+) skip$"),  # bun
    (r"^\s+(\d+) tests? passed", r"^\s+(\d+) tests? failed", r"^\s+(\d+) tests? skipped"),  # ava
    (r"^ +passing: +(\d+)$", r"^ +failing: +(\d+)$", r"^ +skipped: +(\d+)$"),  # tap-spec
    *_OF_TAP,
)
_TAP = re.compile(r"^TAP version 1[34]$", re.MULTILINE)
_UNREAD = re.compile(r"^\[error\] ([^\n:]+): (\w+: [^\n]*) \((\d{1,9}):(\d{1,9})\)$", re.MULTILINE)
_PROGRESS = re.compile(rb"^(?:[^\n|]{1,200} \| )?Progress: resolved \d[^\n]*\n", re.MULTILINE)
_PYTEST = ("passed", "failed", "error", "skipped", "xfailed")
_EXCERPT = 2000  # characters of one failure
_FRAME = re.compile(r'^  File "([^"\n]+)", line (\d{1,9})(?:, in (\S{1,200}))?$', re.MULTILINE)
_STARTED = re.compile(r"^(?!setUp|tearDown)(\w+) \(([\w.]+)\)(?: \.\.\. (?!skipped)|$)", re.MULTILINE)


def uncounted(verdict: Verdict) -> Verdict:
    """The verdict; of tests that passed without a count of them, with words that say so."""
    if verdict.phase is Phase.TEST and verdict.outcome is Outcome.PASSED and verdict.counts is None:
        return replace(verdict, summary="passed, but its output names no test that could be counted")
    return verdict


def unittest(data: bytes, _root: str, workspace: str) -> Tests:
    """The text of `python -m unittest -v`: a line at the start of each test, one block per failure, then totals."""
    text = clean(data)
    totals = re.findall(r"^Ran (\d+) tests? in ", text, re.MULTILINE)
    skipped = sum(int(n) for n in re.findall(r"^(?:OK|FAILED|NO TESTS RAN) \(.*?skipped=(\d+)", text, re.MULTILINE))
    blocks = re.findall(r"^(?:FAIL|ERROR): (.+)\n((?:(?!={70}|Ran \d).*\n)*)", text, re.MULTILINE)
    failures = tuple(_failure(name, body, workspace) for name, body in blocks)
    ran = sum(int(total) for total in totals)
    started = {_dotted(*found) for found in _STARTED.findall(text)}
    passed = started - {str(failure.test) for failure in failures}
    return Counts(max(0, ran - skipped), len(failures), skipped, tuple(sorted(passed))), failures


def python(data: bytes, root: str, workspace: str) -> Tests | tuple[()]:
    """The text of what runs Python tests: unittest's totals, or the closing lines of pytest; nothing without them."""
    text = clean(data)
    if re.search(r"^Ran \d+ tests? in ", text, re.MULTILINE):
        return unittest(data, root, workspace)
    closing = re.findall(r"^(?:=+ )?((?:\d+ \w+(?:, )?)+) in [\d.]+s", text, re.MULTILINE)
    if not closing:
        return ()
    count = {w: sum(int(n) for line in closing for n in re.findall(rf"(\d+) {w}", line)) for w in _PYTEST}
    failed = count["failed"] + count["error"]
    return Counts(count["passed"] + failed + count["xfailed"], failed, count["skipped"]), ()


def javascript(data: bytes, _root: str, _workspace: str) -> Tests | tuple[()]:
    """Counts from the closing lines of the usual runners, of all packages; nothing when there are none."""
    counts = _closing("\n".join(ungrouped(clean(data).split("\n"))), _JAVASCRIPT)
    return (counts, ()) if counts else ()


def printed(data: bytes, root: str, workspace: str) -> Tests | tuple[()]:
    """What a runner without a report prints: failed tests of uvu and in TAP, and the closing lines of others."""
    text = "\n".join(ungrouped(clean(data).split("\n")))
    tap = readers.tap(text.encode(), root, workspace, assertions=True) if _TAP.search(text) else ()
    found = [part for part in (tap, readers.uvu_text(text.encode(), root, workspace)) if part]
    rest = _closing(text, [row for row in _JAVASCRIPT if not tap or row not in _OF_TAP])
    counts = total([part[0] for part in found] + ([rest] if rest else []))
    return (counts, tuple(d for part in found for d in part[1])) if counts else ()


def _closing(text: str, rows: Sequence[Row]) -> Counts | None:
    numbers = [[sum(map(int, re.findall(p, text, re.MULTILINE))) for p in patterns] for patterns in rows]
    passed, failed, skipped = (sum(column) for column in zip(*numbers, strict=True))
    found = any(re.search(pattern, text, re.MULTILINE) for patterns in rows for pattern in patterns)
    return Counts(passed + failed, failed, skipped) if found else None


def npm(data: bytes, root: str, _workspace: str) -> tuple[Diagnostic, ...]:
    """What `npm ci` says of a lock file that does not fit, without the manual that it prints behind that."""
    found = re.findall(r"^npm (?:error|ERR!) ((?:Missing|Invalid): [^\n]{1,500})$", clean(data), re.MULTILINE)
    place = posixpath.normpath(posixpath.join(root, "package-lock.json"))
    return tuple(Diagnostic(said, path=place, rule="npm") for said in dict.fromkeys(found))


def without_progress(log: bytes) -> bytes:
    """The log of an installation by pnpm without the lines that only count packages, of which there are many."""
    return _PROGRESS.sub(b"", log)


def prettier(data: bytes, root: str, _workspace: str) -> tuple[Diagnostic, ...]:
    """The files that `prettier --check` or `--list-different` names, and the places that it cannot read."""
    names = re.findall(
        r"^(?!yarn run v|[>$] )(?:\[warn\] )?([^\s\[](?:[^\n:]*/)?[^\n/:]*\.\w+)$", clean(data), re.MULTILINE
    )
    places = [posixpath.normpath(posixpath.join(root, name)) for name in names]
    found = [Diagnostic("not formatted as prettier does", path=place, rule="prettier") for place in places]
    for name, message, line, column in _UNREAD.findall(clean(data)):
        place = posixpath.normpath(posixpath.join(root, name))
        found.append(Diagnostic(message, path=place, line=int(line), column=int(column), rule="prettier"))
    return tuple(dict.fromkeys(found))


def _failure(name: str, body: str, workspace: str) -> Diagnostic:
    """`name` is `test_x (tests.test_a.Case.test_x)`; the last line of the trace back says what happened, and the last
    frame of the test itself where. Of a module that cannot be imported, what happened has a place of its own.
    """
    lines = [line for line in _own_lines(body, workspace) if line.strip() and not line.startswith("-----")]
    dotted = re.match(r"(\w+) \(([\w.]+)\)", name)
    message = next((line for line in reversed(lines) if not line.startswith(" ")), name)
    frames = [(path, int(line), function) for path, line, function in _FRAME.findall(body) if _own(path, workspace)]
    frames = [(path.removeprefix(f"{workspace}/"), line, function) for path, line, function in frames]
    of_test = [frame for frame in frames if dotted and frame[2] == dotted[1]]
    path, line, _ = of_test[-1] if of_test else next(iter(frames), (None, None, ""))
    if "_FailedTest" in name and frames and frames[-1][:2] != (path, line):
        kind, colon, said = message.partition(": ")
        message = f"{kind}: {frames[-1][0]}:{frames[-1][1]}{colon}{said}"
    test = one_line(_dotted(*dotted.groups()) if dotted else name)
    excerpt = "\n".join(lines)[:_EXCERPT]
    return Diagnostic(one_line(message), path=path, line=line, test=test, excerpt=excerpt)


def _own_lines(body: str, workspace: str) -> Iterator[str]:
    """A trace back without the frames that are not of the repository, each with its source below it."""
    kept = True
    for line in body.splitlines():
        frame = _FRAME.match(line)
        if frame or not line.startswith("    "):
            kept = frame is None or _own(frame[1], workspace)
        if kept:
            yield line


def _own(path: str, workspace: str) -> bool:
    return path.startswith(f"{workspace}/") and "/site-packages/" not in path


def _dotted(method: str, place: str) -> str:
    """`a.Case.test_x`, as Python has it since 3.11; earlier ones do not repeat the method in the brackets."""
    return place if place.endswith(f".{method}") else f"{place}.{method}"
