"""What lines of build and test logs say: patterns over one line, for `greylag.distill`.

No pattern has nested quantifiers, and all are meant for lines of bounded length.
"""

import re

STAMP = re.compile(
    r"(?:[^\t]{1,80}\t[^\t]{1,80}\t)?\ufeff?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)? ?"
)  # of GitHub Actions, also with the columns of `gh run view --log`, and of most loggers

WORDS = (
    "error", "fail", "exception", "fatal", "panic", "traceback", "assert", "expected", "received", "actual",
    "not found", "no such", "cannot", "can't", "could not", "couldn't", "unable", "undefined", "denied", "refused",
    "timed out", "timeout", "abort", "segmentation", "signal", "exit code", "exit status", "exited", "returned",
    "killed", "out of memory", "unresolved", "invalid", "unexpected", "missing", "mismatch", "warning", "caused by",
    "not up", "problem", "violation", "crash", "differ", "not ok", "conflict", "unsupported", "does not", "did not",
    "doesn't", "isn't", "is not", "must ", "no tests", "unused", "rejected", "incompatible", "please ",
    "broken", "forbidden", "unauthorized", "bad ", "wrong",
    "\u2717", "\u2715", "\u2716", "\u00d7", "\u25cf", "\u276f", "\u274c",
)  # fmt: skip

COMMAND = "$ "  # what a shell was told to do, as CI logs show it; not what came of it

_STRONG = re.compile(
    r"(?:^|[\s\[(#:|])(?:[Ee]rror|ERROR|FATAL|SEVERE|[Ff]atal)(?:\[[\w:.-]+\])?(?:[:!\]]| TS\d|$)"
    r"|^\s*(?:Error|ERROR|FAIL|FAILED|FAILURE|error|fatal|panic|FATAL)\b|^_{3,} .*[A-Z]"
    r"|(?:Error|Exception)\b(?::| \[|$)"
    r"|--- FAIL\b|<<< (?:FAILURE|ERROR)|\bnot ok \d|\bFAILED\b|\bFAILURE\b|\bTraceback\b|\bpanicked at\b"
    r"|^\s*[\u2717\u2715\u2716\u00d7\u25cf\u274c]|^E {2,}\S|\bSIG(?:SEGV|ABRT|KILL|BUS)\b|\bSegmentation fault\b"
    r"|\b(?:[Cc]ommand not found|[Nn]o such file|[Pp]ermission denied|undefined reference|[Uu]nhandled|[Uu]ncaught)\b"
    r"|\b(?:[Cc]ould not|[Uu]nable to|[Ff]ailed to|[Cc]annot|[Cc]an't|[Dd]id not) \w"
    r"|\b(?:out of memory|OOMKilled|core dumped|timed out|Timeout)\b|No tests (?:found|ran)"
)
_VERY = re.compile(
    r"(?:^|\s)error(?:\[[\w:.-]+\]|:| TS\d)|^ERROR:|--- FAIL:|^E {3}|^\s*(?:FAILED|FAIL) \S|^panic:|\bpanicked at\b"
    r"|^\s*\u25cf|(?:Error|Exception): \S|^\s*(?:fatal|FATAL|Fatal): |^\[ERROR\] \S"
)
_SUMMARY = re.compile(
    r"\b[1-9]\d*(?: of \d+)? (?:tests? |specs? |checks? |hooks? )?(?:failed|failures?|errors?|problems?|failing)\b"
    r"|(?:Failures|Errors|failed|errors): ?[1-9]|\bFAIL(?:ED|URE):? \(|BUILD FAIL|failed to pass"
    r"|test result: FAILED|\b[Tt]ests? run: \d+"
)
_FILE = r"(?<![\w./\\@+-])[\w./\\@+-]{1,200}"
_LOCATION = re.compile(_FILE + r"\.[A-Za-z]\w{0,9}(?::\d+|\(\d+|:\[\d+)|File \"[^\"]{1,300}\", line \d+")
_END = re.compile(
    r"^##\[error\]|^Error: Process completed with exit code|^make(?:\[\d+\])?: \*\*\*|marked build as failure"
    r"|(?:exit(?:ed)?(?: with)?|returned)(?: a)?(?: non-zero)? (?:exit )?(?:code|status)(?: code)?:? [1-9]\d*\b"
    r"|ELIFECYCLE|npm (?:ERR!|error) code|^BUILD FAILED|\[INFO\] BUILD FAILURE|^FAILURE: Build"
)
_GOOD = re.compile(
    r"\.\.\. ?ok$|\bX?PASS(?:ED)?\b|^\s*[\u2713\u2714\u221a]|^ok\b|^=== (?:RUN|PAUSE|CONT)|--- (?:PASS|SKIP)"
    r"|\bSKIP(?:PED)?\b|\bXFAIL\b|^\S{1,200}\.py::|##\[(?:group|endgroup|debug|command)\]|^::|^\$ |^\[command\]"
    r"|\b(?:0|no) (?:errors?|failures?|failed|problems?|warnings?)\b"
    r"|^(?:Downloading|Downloaded|Fetching|Receiving|Resolving|Compiling|Unpacking|Selecting|Preparing|Setting up|Get:)"
    r"|\.\.\.\s*(?:yes|no|done|found)$"
    r"|(?:fail-fast|continue-on-error|if-no-files-found|fail_ci_if_error|set -e|pipefail|fail-on-cache-miss)\b"
    r"|-Werror|^\s*(?:##\[)?\[?(?:DEBUG|TRACE)\b"
)
_WARNING = re.compile(r"\bwarn(?:ing)?\b|\[WARN|Warning:", re.IGNORECASE)
_CONTINUES = re.compile(r"\s|[|>+\-^~]|at |E\b|\d+ *\||Caused by|Expected|Received|got|want|goroutine|\t")
_VARIES = re.compile(
    r"\"[^\"]{0,200}\"|'[^']{0,200}'|`[^`]{0,200}`|(?<!\S)[^\s\"'`/]{0,200}/\S*"
    r"|\b0x[0-9a-fA-F]+|\b[0-9a-f]{7,64}\b|\d+"
)
_STEP = re.compile(r"##\[group\]Run |^Run |^Post job cleanup")


def template(line: str) -> str:
    """The line without what varies from one occurrence to the next: numbers, addresses, paths, quoted names."""
    return _VARIES.sub("#", line)


def tells(line: str) -> bool:
    """Whether the line holds a word that may matter; the only test that every line pays for."""
    low = line.lower()
    return any(word in low for word in WORDS)


def score(line: str) -> float:
    """How much a telling line says about a failure: 0 to about 25."""
    summary = bool(_SUMMARY.search(line))
    if not summary and _GOOD.search(line):
        return 0.0
    value = 13.0 if summary else 1.0
    very = bool(_VERY.search(line))
    if very:
        value += 10
    elif _STRONG.search(line):
        value += 6
    if has_place(line):
        value += 3
    if _WARNING.search(line) and not very and not summary:
        value -= 4
    return max(value, 0.0)


def has_place(line: str) -> bool:
    """Whether the line names a file and a line in it."""
    return bool(_LOCATION.search(line))


def starts_step(line: str) -> bool:
    """Whether a step of a CI job begins here."""
    return bool(_STEP.match(line))


def ends_step(line: str) -> bool:
    """Whether a step of a build ended in failure here."""
    return bool(_END.search(line))


def continues(line: str) -> bool:
    """Whether the line looks like a part of the message above it."""
    return bool(_CONTINUES.match(line))
