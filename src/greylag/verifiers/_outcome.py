"""From a command that ran to what it means: passed, failed, no tests, or nothing that the change is to blame for."""

import hashlib
import posixpath
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from greylag.distill import Distilled, distill
from greylag.model import Counts, Diagnostic, Outcome, Phase, Severity
from greylag.protocols import Completed, Ended
from greylag.readers import UNREADABLE
from greylag.text import cap, clean, one_line
from greylag.verifiers._plan import Step

BUDGET = 700  # tokens of a distilled log
_LAST = 5  # lines that a command had printed before it was stopped
_NAMED = 3  # tests that had not ended
_WIDE = 200  # characters of such a line

# What no edit of the repository can repair. Looked for only where a tool left no diagnostic of its own.
_NETWORK = re.compile(
    r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT"
    r"|tunneling socket could not be established|Temporary failure in name resolution|Could not resolve host|dns error"
    r"|error sending request for url|client error \(Connect\)"
    r"|Could not transfer artifact [^\n]*(?:Connection refused|timed out|Unknown host|Connection reset)"
    r"|\b50[234] ['\"]?(?:Bad Gateway|Service Unavailable|Gateway Time-?out)",
    re.IGNORECASE,
)
_MACHINE = re.compile(r"No space left on device|ENOSPC|Cannot allocate memory|ENOMEM|Disk quota exceeded")
_RAISED = re.compile(  # as the message of a failed test: raised by the system, no word in an assertion
    r"(?:(?:OSError|[\w.$]{0,100}IOException|(?:System)?Error|Errno::E\w+|\w+ [^\s:]{1,300}): )?"
    r"(?:\[Errno \d+\] |E(?:NOSPC|NOMEM|DQUOT): )?"
    r"(?:[Nn]o space left on device|[Cc]annot allocate memory|Disk quota exceeded)"
)
_MISSING = re.compile(  # interpreters that the machine lacks, artefacts that no preparation brought
    r"No (?:python )?interpreter found (?:for|at|in) |No download found for"
    r"|ENOTCACHED|in offline mode and the artifact|[Nn]etwork (?:connectivity )?(?:was|is) disabled",
)
_UNKNOWN = re.compile(  # a program that a script calls, in the words of shells and of yarn
    r"(?:\b[a-z]{0,3}sh: (?:line )?(?:\d+: )?|\benv: )['\u2018\"]?([\w@./+-]{1,100})['\u2019\"]?: "
    r"(?:(?:command )?not found|No such file or directory)|command not found: ([\w@./+-]{1,100})"
)
_NO_PROGRAM = re.compile(
    r"exit(?:ed with)? (?:code|status) 127|\bspawn ENOENT|not found\s+ELIFECYCLE"
)  # when the exit code does not say it
_STACKS = ("Timeout (", "Fatal Python error: Aborted")  # as Python's faulthandler begins them, and `_stacks.py`
_STACK_SIZE, _FRAMES = 20_000, 8  # characters; lines shown
_FRAME = re.compile(r'^  File "([^"\n]{1,500})", line (\d{1,7}) in ', re.MULTILINE)
_NO_REASON = re.compile(r"tests? failed|failed without a message|\d+ subtests? failed", re.IGNORECASE)
_VOLATILE = re.compile(r"0x[0-9a-fA-F]+|\b[0-9a-f]{7,64}\b|\d+(?:[.,:]\d+)*|/tmp/\S+")


@dataclass(frozen=True, slots=True)
class Found:
    """What the readers made of a step's reports and log. `root` and `workspace` say where relative paths start."""

    diagnostics: tuple[Diagnostic, ...]
    counts: Counts | None
    root: str
    workspace: str


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one step."""

    outcome: Outcome
    summary: str
    diagnostics: tuple[Diagnostic, ...] = ()
    counts: Counts | None = None
    log: str | None = None
    seconds: float = 0.0
    tools: Mapping[str, str] = field(default_factory=dict)
    partial: bool = False
    again: bool = False  # its failed tests were run again, and failed


def total(counts: Sequence[Counts]) -> Counts | None:
    """The sum; None when there is nothing to add."""
    if not counts:
        return None
    passed = sorted(name for c in counts for name in c.passed)
    return Counts(
        sum(c.run for c in counts), sum(c.failed for c in counts), sum(c.skipped for c in counts), tuple(passed)
    )


def judge(
    step: Step, phase: Phase, done: Completed, found: Found, *, original: bool = False, ended_before: bool = False
) -> Result:
    """What `done` says. Exit code and report must agree on a pass, since code within a tool can forge its exit code.

    Otherwise the exit code is the authority, reports and log only tell why. `original`: no change is to blame.
    `ended_before`: on the base commit it came to an end by itself.
    """
    text = clean(done.output + done.errors)
    if done.ended is Ended.OUTPUT_CAPPED and ended_before:
        said = f"`{step.line}` was stopped: it printed more than a log may hold, which it did not on the base commit"
        return Result(Outcome.FAILED, said, _reported(found, Diagnostic(said, excerpt=_ends(text))), found.counts)
    if done.ended is not Ended.EXITED:
        return _interrupted(step, done, text, found)
    if _without_tests(step, phase, done.returncode, text, found.counts):
        return Result(Outcome.SKIPPED, _why_none(step, found.counts), counts=found.counts or Counts(0))
    if done.returncode == 0:
        return _succeeded(step, done, found)
    if excused := _excused(step, done.returncode, text):
        return excused
    missing = _unknown(phase, done.returncode, text) if original and not found.diagnostics else ""
    needs = f"`{step.line}` needs `{missing}`, which was not found"
    return Result(Outcome.ERRORED, needs) if missing else _failed(step, phase, done, text, found)


def _excused(step: Step, code: int, text: str) -> Result | None:
    """What a failure is that does not speak against the repository."""
    if code in step.unable_codes:
        return Result(Outcome.ERRORED, f"`{step.line}` could not be run: exit code {code}")
    if step.unable and (hit := re.search(step.unable, text)):
        return Result(Outcome.ERRORED, _line(text, hit.start()))
    if step.untold and (hit := re.search(step.untold, text)):
        return Result(Outcome.SKIPPED, f"cannot be told here: {one_line(hit[0], 300)}")
    if step.may_fail and not (step.fatal and re.search(step.fatal, text)):
        return Result(Outcome.PASSED, f"`{step.line}` failed, which is allowed")
    return None


def _interrupted(step: Step, done: Completed, text: str, found: Found) -> Result:
    if done.ended is Ended.TIMED_OUT:
        said = f"`{step.line}` was still running after {done.seconds:.0f} s"
        return Result(Outcome.TIMED_OUT, said, _reported(found, _stuck(said, text, found)), found.counts)
    return Result(Outcome.ERRORED, f"`{step.line}` was stopped: {done.ended.value}")


def _stuck(said: str, text: str, found: Found) -> Diagnostic:
    """Where a command was when its time was over: by the stack that its tool printed of a test that took long, else
    what was printed last.
    """
    begin = max(map(text.rfind, _STACKS))
    stack = text[begin:] if begin >= 0 else ""
    if not stack:
        return Diagnostic(said, excerpt="\n".join(text.strip().splitlines()[-_LAST:]))
    frames = (Diagnostic(said, path=hit[1], line=int(hit[2])) for hit in _FRAME.finditer(stack[:_STACK_SIZE]))
    own = (_located(frame, found) for frame in frames if "/site-packages/" not in str(frame.path))
    first = next((frame for frame in own if not str(frame.path).startswith("/")), Diagnostic(said))
    return replace(first, excerpt="\n".join(stack[:_STACK_SIZE].splitlines()[:_FRAMES]))


def not_over(result: Result, before: Collection[str]) -> Result:
    """What was stopped, with the tests of the base commit that it has not told of, where it has told of some."""
    told = set(result.counts.passed) if result.counts else set()
    left = [name for name in before if name not in told]
    if not 0 < len(left) < len(before):
        return result
    *others, stopped = result.diagnostics
    more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
    names = f"not over: {', '.join(one_line(name, 120) for name in left[:_NAMED])}{more}"
    return replace(result, diagnostics=(*others, replace(stopped, excerpt=f"{names}\n{stopped.excerpt}")))


def _reported(found: Found, stopped: Diagnostic) -> tuple[Diagnostic, ...]:
    """What a tool had reported when it was stopped; nobody had finished a report that cannot be read."""
    return (*(d for d in found.diagnostics if d.rule != UNREADABLE), stopped)


def _ends(text: str) -> str:
    """The first and the last lines."""
    lines = [cap(line, _WIDE) for line in text.strip().splitlines()]
    return "\n".join(lines if len(lines) <= 2 * _LAST else (*lines[:_LAST], "...", *lines[-_LAST:]))


def _without_tests(step: Step, phase: Phase, code: int, text: str, counts: Counts | None) -> bool:
    if phase is not Phase.TEST:
        return False
    if code:
        return code in step.empty_codes or bool(step.empty and not counts and re.search(step.empty, text))
    if counts:
        return not counts.run
    return bool(step.reports) or bool(step.empty and re.search(step.empty, text))


def _why_none(step: Step, counts: Counts | None) -> str:
    if counts and counts.skipped:
        return f"no test ran, {counts.skipped} skipped"
    return "no tests" if counts or not step.reports else "no tests, and no report of any"


def _succeeded(step: Step, done: Completed, found: Found) -> Result:
    if found.counts and found.counts.failed:
        summary = f"{tests(found.counts)}, although `{step.line}` ended with exit code 0"
        named = any(d.severity is Severity.ERROR for d in found.diagnostics)
        told = found.diagnostics if named else (*found.diagnostics, *_by_log(summary, done.output + done.errors, found))
        return Result(Outcome.FAILED, summary, told, found.counts)
    if hidden := [d for d in found.diagnostics if d.rule == UNREADABLE]:
        summary = f"{hidden[0].message}, although `{step.line}` ended with exit code 0"
        return Result(Outcome.FAILED, summary, found.diagnostics, found.counts)
    diagnostics = tuple(
        replace(d, severity=Severity.WARNING) if d.severity is Severity.ERROR else d for d in found.diagnostics
    )
    said = f"{_plural(len(diagnostics), 'finding')}, but the tool passed" if diagnostics else ""
    summary = "; ".join(part for part in (tests(found.counts), said) if part)
    return Result(Outcome.PASSED, summary, diagnostics, found.counts)


def _failed(step: Step, phase: Phase, done: Completed, text: str, found: Found) -> Result:
    errors = [d for d in found.diagnostics if d.severity is Severity.ERROR and d.rule != UNREADABLE]
    if errors and all(_RAISED.match(error.message) for error in errors):
        return Result(Outcome.ERRORED, one_line(errors[0].message, 300), counts=found.counts)
    if errors:
        summary = tests(found.counts if found.counts and found.counts.run else None) or _plural(len(errors), "error")
        told = found.diagnostics if any(map(_telling, errors)) else _explained(found, done)
        return Result(Outcome.FAILED, summary, (*told, *_unread(step, done, found)), found.counts)
    if reason := _beyond_repair(phase, done, text):
        return Result(Outcome.ERRORED, reason)
    summary = f"`{step.line}` failed with exit code {done.returncode}"
    told = found.diagnostics if step.rest else ()
    places = {(d.path, d.line, d.column) for d in told}
    by_log = _by_log(summary, _rest(step, done), found)
    more = [d for d in by_log if d.path is None or (d.path, d.line, d.column) not in places]
    return Result(Outcome.FAILED, summary, (*told, *more), found.counts)


def _by_log(summary: str, output: bytes, found: Found) -> tuple[Diagnostic, ...]:
    """What the log tells of a failure that nothing else does."""
    distilled = distill(output, budget=BUDGET)
    located = tuple(_located(d, found) for d in distilled.diagnostics)
    return (*located, _whole(summary, distilled))


def _rest(step: Step, done: Completed) -> bytes:
    output = done.output + done.errors
    return step.rest(output) if step.rest else output


def _unread(step: Step, done: Completed, found: Found) -> tuple[Diagnostic, ...]:
    """What a log holds beside the errors that were read in it: a failure of another kind must not hide behind them."""
    if step.rest is None or (found.counts and found.counts.failed):
        return ()
    distilled = distill(_rest(step, done), budget=BUDGET)
    return (_whole(f"the rest of what `{step.line}` printed", distilled),) if distilled.text else ()


def _telling(error: Diagnostic) -> bool:
    return error.line is not None or not _NO_REASON.fullmatch(error.message)


def _explained(found: Found, done: Completed) -> tuple[Diagnostic, ...]:
    """A report that only says that something failed, as of a test file that does not load: the log says why, and
    perhaps where. The message stays as it is, since it tells one failure from another.
    """
    first, *rest = found.diagnostics
    told = distill(done.output + done.errors, budget=BUDGET)
    places = (d.line for d in told.diagnostics if d.line and _located(d, found).path == first.path)
    return replace(first, line=first.line or next(places, None), excerpt=told.gist), *rest


def _whole(summary: str, distilled: Distilled) -> Diagnostic:
    """The log as one diagnostic. Its rule depends on what the log says, numbers aside: two logs that only share an exit
    code must not look like one failure that was there before.
    """
    lines = {_VOLATILE.sub("#", line.strip()) for line in distilled.text.splitlines()}
    digest = hashlib.sha256("\n".join(sorted(lines)).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return Diagnostic(summary, rule=f"output-{digest}", excerpt=distilled.gist)


def _beyond_repair(phase: Phase, done: Completed, text: str) -> str:
    """Why a failure is none of the repository's, or nothing."""
    if done.returncode == 137 and not done.memory_told:
        return "was killed, which usually means that memory ran out"
    patterns = (_MACHINE, _MISSING, _NETWORK) if phase is Phase.PREPARE else (_MACHINE, _MISSING)
    for pattern in patterns:
        if hit := pattern.search(text):
            return _line(text, hit.start())
    return ""


def _unknown(phase: Phase, code: int, text: str) -> str:
    """The program that a script could not start, where nothing can be verified without: a linter may be missing."""
    if phase not in {Phase.PREPARE, Phase.COMPILE, Phase.TEST} or not (code == 127 or _NO_PROGRAM.search(text)):
        return ""
    hit = _UNKNOWN.search(text)
    return str(hit[1] or hit[2]) if hit else ""


def _line(text: str, at: int) -> str:
    """The line of `text` that `at` is in."""
    return one_line(text[text.rfind("\n", 0, at) + 1 :].split("\n", 1)[0], 300)


def _located(diagnostic: Diagnostic, found: Found) -> Diagnostic:
    """A diagnostic of a log, with its path relative to the repository."""
    path = diagnostic.path
    if path is None:
        return diagnostic
    if path.startswith(f"{found.workspace}/"):
        path = path.removeprefix(f"{found.workspace}/")
    elif not path.startswith("/"):
        path = posixpath.normpath(posixpath.join(found.root, path))
    return replace(diagnostic, path=path)


def tests(counts: Counts | None) -> str:
    """Counts in words, such as `31 tests, 2 failed`."""
    if not counts:
        return ""
    rest = [f"{number} {word}" for number, word in ((counts.failed, "failed"), (counts.skipped, "skipped")) if number]
    return ", ".join((_plural(counts.run, "test"), *rest))


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
