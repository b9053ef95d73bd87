"""What lines of build and test logs say, for `greylag.distill`.

Plain words are looked for as substrings, which is many times faster than an alternation of them; patterns are anchored
or begin with a literal, have no nested quantifiers, and see a bounded part of a line.
"""

import operator
import re
from bisect import bisect
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate, compress, count, islice

_SCORED = 400  # characters of a line that are scored: what a line is, it says at its beginning
_TEMPLATE = 120  # characters of a template that count

STAMP = re.compile(
    r"(?:[^\t]{1,80}\t[^\t]{1,80}\t)?\ufeff?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)? ?"
)  # of GitHub Actions, also with the columns of `gh run view --log`, and of most loggers
COMMAND = "$ "  # what a shell was told to do, as CI logs show it; not what came of it

_WORDS = (
    "error", "fail", "exception", "fatal", "panic", "traceback", "assert", "expected", "received", "actual",
    " not ", "no such", "cannot", "n't ", "unable", "undefined", "denied", "refused", "timed out", "timeout", "abort",
    "segmentation", "signal", "exit", "returned", "killed", "out of memory", "unresolved", "invalid", "missing",
    "mismatch", "warning", "caused by", "problem", "violation", "crash", "differ", "conflict", "unsupported", "must ",
    "no tests", "unused", "rejected", "incompatible", "please ", "broken", "forbidden", "unauthorized", "bad ", "wrong",
    "required from here",
    "\u2717", "\u2715", "\u2716", "\u00d7", "\u25cf", "\u276f", "\u274c",
)  # fmt: skip
_BYTES = tuple(map(str.encode, _WORDS))
_STRONG = (
    "FAILED", "FAILURE", "Traceback", "<<< ERROR", "SIGSEGV", "SIGABRT", "SIGKILL", "SIGBUS", "Segmentation fault",
    "ommand not found", "o such file", "ermission denied", "undefined reference", "nhandled ", "ncaught ",
    "ould not ", "nable to ", "ailed to ", "annot ", "an't ", "id not ", "out of memory", "OOMKilled", "core dumped",
    "timed out", "Timeout", "No tests found", "No tests ran", "rror:", "ERROR:", "Error [", "Exception:", "[error]",
    "[ERROR]", "FATAL:", "fatal:", "Error!", "required from here",
)  # fmt: skip
_STRONG_START = re.compile(
    r"\s{0,40}(?:(?:Error|ERROR|FAIL|FAILED|FAILURE|error|fatal|panic|FATAL|SEVERE)\b|[\u2717\u2715\u2716\u00d7\u25cf\u274c]"
    r"|not ok \d)|_{3,} .*[A-Z]"
)
_VERY = (" error: ", "error[", "error TS", "--- FAIL:", "panicked at", "Error: ", "Exception: ")
_VERY_START = re.compile(
    r"error: |ERROR:|E {3}|\s{0,40}(?:(?:FAILED|FAIL) \S|fatal: |FATAL: |Fatal: |\u25cf)|panic:|\[ERROR\] \S"
)
_SUMMARY = re.compile(
    r"\b[1-9]\d{0,8}(?: of \d{1,9})? (?:tests? |specs? |checks? |hooks? )?"
    r"(?:failed|failures?|errors?|problems?|failing)\b"
    r"|(?:Failures|Errors|failed|errors): ?[1-9]|\bFAIL(?:ED|URE):? \(|BUILD FAIL|failed to pass"
    r"|test result: FAILED|\b[Tt]ests? run: *\d{1,9}, *(?:Failures: *(?:[1-9]|\d{1,9}, *Errors: *[1-9]))"
)
_PLACE = re.compile(r"\.[A-Za-z]\w{0,9}(?::\[?|\(|,? (?:on )?line )\d")
_END_WORDS = (
    "##[error]",
    "rocess completed",
    "make",
    "marked build",
    "xit",
    "eturned",
    "ELIFEC",
    "npm ",
    "BUILD F",
    "FAILURE",
)
_END = re.compile(
    r"^##\[error\]|^Error: Process completed with exit code|^make(?:\[\d+\])?: \*\*\*|marked build as failure"
    r"|(?:exit(?:ed)?(?: with)?|returned)(?: a)?(?: non-zero)? (?:exit )?(?:code|status)(?: code)?:? [1-9]\d*\b"
    r"|ELIFECYCLE|npm (?:ERR!|error) code|^BUILD FAILED|\[INFO\] BUILD FAILURE|^FAILURE: Build"
)
_GOOD = (
    " PASS", "PASSED", "XPASS", "SKIPPED", "XFAIL", "--- SKIP", "fail-fast", "continue-on-error", "if-no-files-found",
    "fail_ci_if_error", "set -e", "pipefail", "fail-on-cache-miss", "-Werror", " 0 errors", " 0 failures", " 0 failed",
    "no errors", "no failures", "no problems", "... ok",
    "o see the full stack trace", "Re-run Maven using", "For more information about the err", "[Help 1] http",
    "After correcting the problems",
)  # fmt: skip
_GOOD_START = re.compile(
    r"\s{0,40}[\u2713\u2714\u221a]|ok\b|PASS|SKIP|=== (?:RUN|PAUSE|CONT)|\S{1,200}\.py::"
    r"|##\[(?:group|endgroup|debug|command)\]|::"
    r"|\$ |\[command\]|Download|Fetching|Receiving|Resolving|Compiling|Unpacking|Selecting|Preparing|Setting up|Get:"
    r"|0 (?:errors|failures|problems)|Progress: resolved \d|\s{0,40}(?:##\[)?\[?(?:DEBUG|TRACE)\b"
)
_CONTINUES = re.compile(r"\s|[|>+\-^~]|at |E\b|\d+ *\||Caused by|Expected|Received|got|want|goroutine")
_VARIES = re.compile(
    r"\"[^\"]{0,200}\"|'[^']{0,200}'|`[^`]{0,200}`|(?<!\S)[^\s\"'`/]{0,200}/\S*"
    r"|\b0x[0-9a-fA-F]+|\b[0-9a-f]{7,64}\b|\d+"
)
_WARNING = re.compile(r"warn(?:ing)?s?\b")
_FEW_LETTERS = 5
_DENSE = 0.05  # of all lines hold one word
FEW = 3
"""Lines that resemble each other and are no crowd."""
_ALONE = 20_000  # lines that resemble no other
_HEX = b"0123456789abcdefABCDEF"  # what lines of one kind may differ in
_STEPS = ("##[group]Run ", "Run ", "Post job cleanup")


def telling(lines: Sequence[str]) -> Iterator[int]:
    """Indices, in order, of the lines that hold a word that may matter; what every line pays for is here."""
    source = "\n".join(lines).lower().encode()  # bytes are searched faster than text with wide characters
    tells = bytearray(len(lines))
    left: Sequence[int] = range(len(lines))  # lines that held no word yet
    rows = source.split(b"\n")
    ends = _ends(rows)
    for word in filter(bytes.isascii, _BYTES) if source.isascii() else _BYTES:
        hits, most = 0, len(rows) * _DENSE
        at = find(source, word, 0)
        while at >= 0 and hits <= most:
            row = bisect(ends, at)
            tells[left[row]] = 1
            hits += 1
            at = find(source, word, ends[row])
        if hits > most:  # quicker line by line; and these need no second look
            silent = [word not in row for row in rows]
            for row in compress(left, map(operator.not_, silent)):
                tells[row] = 1
            left, rows = list(compress(left, silent)), list(compress(rows, silent))
            source, ends = b"\n".join(rows), _ends(rows)
    return compress(range(len(lines)), tells)


def find(source: bytes, word: bytes, start: int) -> int:
    """As `bytes.find`, which is several times faster with a few letters than with many."""
    at = source.find(word[:_FEW_LETTERS], start)
    return at if at < 0 or source.startswith(word, at) else source.find(word, at)


def _ends(rows: Sequence[bytes]) -> list[int]:
    """For each row, where the next one begins when they are joined by newlines."""
    return list(map(operator.add, accumulate(map(len, rows)), count(1)))


def template(line: str) -> str:
    """The line without what varies from one occurrence to the next: numbers, addresses, paths, quoted names."""
    return _VARIES.sub("#", line[: 2 * _SCORED])[:_TEMPLATE]


def kinds(text: bytes) -> list[bytes]:
    """For each line what is left of it without digits and addresses: lines of one kind resemble each other."""
    return text.translate(None, _HEX).split(b"\n")


def rare(lines: Sequence[str]) -> Iterator[int]:
    """Indices of lines that hardly another one resembles, digits apart: those with a place first, then the last."""
    keys = "\n".join(lines).encode().translate(None, b"0123456789").split(b"\n")
    times = Counter(keys)
    ones = (at for at in range(len(lines) - 1, -1, -1) if lines[at] and times[keys[at]] <= FEW)
    alone = list(islice(ones, _ALONE))
    placed = {at for at in alone if has_place(lines[at]) and not is_noise(lines[at])}
    yield from (at for at in alone if at in placed)
    yield from (at for at in alone if at not in placed)


def score(line: str) -> float:
    """How much a telling line says about a failure: 0 to about 25."""
    line = line[:_SCORED]
    summary = bool(_SUMMARY.search(line))
    if not summary and is_noise(line):
        return 0.0
    very = bool(_VERY_START.match(line)) or _has_one(line, _VERY)
    value = 13.0 if summary else 1.0
    if very:
        value += 10
    elif _STRONG_START.match(line) or _has_one(line, _STRONG) or line.endswith(("Error", "Exception")):
        value += 6
    if has_place(line):
        value += 3
    low = line.lower()
    if not very and not summary and _WARNING.search(low) and "fail" not in low:
        value -= 4
    return max(value, 0.0)


def is_noise(line: str) -> bool:
    """Whether the line tells of success, of progress, or of a command."""
    return bool(_GOOD_START.match(line.lstrip())) or _has_one(line, _GOOD)


def _has_one(line: str, words: tuple[str, ...]) -> bool:
    for word in words:  # twice as fast as `any`  # noqa: SIM110
        if word in line:
            return True
    return False


def has_place(line: str) -> bool:
    """Whether the line names a file and a line in it."""
    return bool(_PLACE.search(line, 0, _SCORED)) or '", line ' in line


def starts_step(line: str) -> bool:
    """Whether a step of a CI job begins here."""
    return line.startswith(_STEPS)


def ends_step(line: str) -> bool:
    """Whether a step of a build ended in failure here."""
    line = line[:_SCORED]
    return _has_one(line, _END_WORDS) and bool(_END.search(line))


def continues(line: str) -> bool:
    """Whether the line looks like a part of the message above it."""
    return bool(_CONTINUES.match(line))
