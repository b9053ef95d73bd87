"""The one runner of command-line verifiers, which are data: a `Plan` of `Step`s.

A step's stale reports are deleted, the tool runs, its reports are fetched, all of that by one command in the sandbox.
Structured reports are read first; the log is distilled when they say nothing.
"""

import base64
import functools
import hashlib
import json
import posixpath
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from greylag import readers
from greylag.errors import InfraError
from greylag.model import Counts, Diagnostic, Outcome, Phase, Severity, Verdict
from greylag.protocols import Activation, Command, Completed, Context, Ended
from greylag.text import one_line
from greylag.verifiers._affected import SAID, conclusive, narrowed
from greylag.verifiers._flaky import settled
from greylag.verifiers._outcome import Found, Result, judge, not_over, tests, total
from greylag.verifiers._plan import Plan, Reader, Step, Tests
from greylag.verifiers._rewriting import rewriting

__all__ = ["Plan", "Reader", "Step", "online", "run"]

_HELPER = (sys.executable, "-I", "-S", "@files@/inside.py")
OUTPUT = 64 << 20  # bytes of a tool's output that a reader is given
_FILES = ("reports", "rewritten")  # keys of an answer that hold files
_WORST = (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.ERRORED, Outcome.PASSED, Outcome.SKIPPED)
_LONG = 0.25  # of the time that a command has
_MARGIN, _MARGIN_MOST = 0.2, 15.0  # share of that time, and seconds, in which programs are asked where they stand
_ENDED = (Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED)
DIAGNOSTICS = 5000  # of one verdict; what is more becomes one that stands for all of the rest


def run(activation: Activation, context: Context) -> Verdict:
    """Carry out the plan of `activation` until a step does not pass.

    Raises `InfraError` when the sandbox cannot even run the few lines that fetch reports.
    """
    plan = activation.plan
    if not isinstance(plan, Plan):
        raise TypeError(f"{activation.name}: not a plan of a command-line verifier")
    results: list[Result] = []
    for number, step in enumerate(plan.steps, 1):
        last = number == len(plan.steps)
        name = _log_name(activation, 0 if last else number)
        results.append(_part_or_all(step, plan.tools if last else {}, name, activation, context))
        if results[-1].outcome is not Outcome.PASSED and not plan.keep_going:
            break
    return _verdict(activation, plan, results)


def online(activation: Activation, context: Context) -> bool:
    """Whether the policy may give this activation a network: preparation, and the run on the base commit.

    A tool that is not told that there is none tries again for minutes, for each package.
    """
    return context.connected and (activation.phase is Phase.PREPARE or context.mode == "baseline")


def _verdict(activation: Activation, plan: Plan, results: Sequence[Result]) -> Verdict:
    last = min(reversed(results), key=lambda result: _WORST.index(result.outcome)) if plan.keep_going else results[-1]
    diagnostics = tuple(d for result in results for d in result.diagnostics)
    counted = [result.counts for result in results if result.counts]
    several = len(counted) > 1
    said = [result.summary for result in results if not several or result.summary != tests(result.counts)]
    said = [tests(total(counted)) if several else "", *said, plan.note]
    return Verdict(
        verifier=activation.name,
        phase=activation.phase,
        outcome=last.outcome,
        root=activation.root,
        reason=activation.reason,
        summary=one_line("; ".join(dict.fromkeys(filter(None, said))), 600),
        diagnostics=_bounded(diagnostics),
        seconds=round(sum(result.seconds for result in results), 3),
        counts=total(counted),
        log=last.log,
        details={
            "tools": {k: v for result in results for k, v in result.tools.items() if v},
            **({"partial": SAID} if any(result.partial for result in results) else {}),
            **({"again": True} if any(result.again for result in results) else {}),
        },
    )


def _bounded(diagnostics: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """At most so many that a record can hold them. A finding that is new must not hide behind many known ones: what
    stands for the rest is another one when any of the rest is.
    """
    kept, rest = diagnostics[:DIAGNOSTICS], diagnostics[DIAGNOSTICS:]
    if not rest:
        return kept
    digest = hashlib.sha256("".join(sorted(d.fingerprint for d in rest)).encode()).hexdigest()[:8]
    return (*kept, Diagnostic(f"{len(rest)} more findings, which the log names", rule=f"more-{digest}"))


def _log_name(activation: Activation, number: int) -> str:
    parts = (activation.phase.name.lower(), activation.name, activation.root, str(number or ""))
    return re.sub(r"[^\w.]+", "-", "-".join(part for part in parts if part not in {"", "."}))[:120].strip("-.") + ".log"


# -- one step --------------------------------------------------------------------------------------------------------


def _part_or_all(
    step: Step, tools: Mapping[str, Sequence[str]], log: str, activation: Activation, context: Context
) -> Result:
    """The part of a step that the change can affect, where that is worth it and tells; else all of it."""
    if part := narrowed(step, activation, context):
        result = _take(part, tools, log, activation, context)
        if step.may_fail:  # it proves nothing, neither in part
            return result
        if conclusive(result):
            return replace(result, partial=True)
    return _ended(step, _take(step, tools, log, activation, context), log, activation, context)


def _ended(step: Step, result: Result, log: str, activation: Activation, context: Context) -> Result:
    """Where tests are missing that the base commit has: with the places where their process ended itself."""
    before = context.before(activation)
    if step.traced is None or not (before and before.counts and _missing(result, before.counts.run)):
        return result
    done = context.execute(_inside(step.traced, {}, activation, context, log=log.replace(".log", "-ended.log")))
    if done.ended is not Ended.EXITED or not done.answer or step.traced.read_report is None:
        return result
    fetched = _answer(done, activation)
    read, workspace = step.traced.read_report, fetched["workspace"]
    found, _ = _parts([read(data, activation.root, workspace) for _, data in fetched.get("reports", ())])
    if not found:
        return result
    summary = f"tests are missing: {found[0].message}"
    diagnostics = (*found, *result.diagnostics)
    return replace(result, outcome=Outcome.FAILED, summary=summary, diagnostics=diagnostics)


def _missing(result: Result, before: int) -> bool:
    """Whether no test was counted; or fewer than `before` in a run that failed, though none of them did."""
    if result.outcome in {Outcome.ERRORED, Outcome.TIMED_OUT}:
        return False
    counts = result.counts or Counts(0)
    return counts.run < before and not counts.failed and (not counts.run or result.outcome is Outcome.FAILED)


def _take(step: Step, tools: Mapping[str, Sequence[str]], log: str, activation: Activation, context: Context) -> Result:
    done = context.execute(_inside(step, tools, activation, context, log=log))
    whole = done.ended is Ended.EXITED and done.answer
    fetched = _answer(done, activation) if whole else {}
    if fetched.get("absent") and not done.returncode:
        return _absent(step)
    if (
        step.fallback
        and done.returncode
        and re.search(step.fallback_on, (done.output + done.errors).decode("utf-8", "replace"))
    ):
        return _take(step.fallback, tools, log, activation, context)
    if not fetched:  # it was ended: what its tool had reported by then is there all the same
        fetched = _answer(context.execute(_inside(step, tools, activation, context)), activation)
    output = _whole(done, context.logs / log)
    found = _read(step, fetched, output, _place(step, activation), context.change.head.paths())
    before = context.before(activation)
    result = judge(
        step,
        activation.phase,
        done,
        found,
        original=context.mode == "baseline" or (before is not None and before.outcome is Outcome.ERRORED),
        ended_before=before is not None and before.outcome in _ENDED,
    )
    result = replace(result, log=log, seconds=done.seconds, tools=fetched["tools"])
    if result.outcome is Outcome.TIMED_OUT and before and before.counts and result.counts:
        result = not_over(result, before.counts.passed)
    if formatting := rewriting(step, result, activation, context):
        _rewrite(*formatting, activation, context)
    return settled(step, result, context, lambda again, place: _take(again, {}, log, activation, place))


def _rewrite(step: Step, paths: Sequence[str], activation: Activation, context: Context) -> None:
    """Let a formatter rewrite `paths`, and pass on what it made of them; where it fails, they stay as they are."""
    places = {f"@workspace@/{path}": path for path in paths}
    command = _inside(step, {}, activation, context, log=_log_name(activation, 0) + ".rewrite", rewritten=tuple(places))
    done = context.execute(command)
    if done.ended is not Ended.EXITED or done.returncode or not done.answer or context.rewrite is None:
        return
    fetched = _answer(done, activation)
    for place, data in fetched["rewritten"]:
        path = places.get(place.replace(fetched["workspace"], "@workspace@", 1))
        if path is not None:
            context.rewrite(path, data)


def _place(step: Step, activation: Activation) -> str:
    return posixpath.normpath(posixpath.join(activation.root, step.cwd))


def _directory(path: str, step: Step, activation: Activation) -> str:
    """One of a step's `paths`, absolute."""
    own = path.startswith("@home@/")
    return path if own else posixpath.normpath(posixpath.join("@workspace@", _place(step, activation), path))


def _absent(step: Step) -> Result:
    if step.absent:
        return Result(Outcome.SKIPPED, step.absent)
    return Result(Outcome.ERRORED, f"`{step.programs[0][0]}` was not found: {step.install or 'install it'}")


def _inside(
    step: Step,
    tools: Mapping[str, Sequence[str]],
    activation: Activation,
    context: Context,
    *,
    log: str = "",
    rewritten: Sequence[str] = (),
) -> Command:
    """A step by way of `_inside.py`; without a log for its output only the end of it, which fetches reports."""
    offline = not online(activation, context)
    arguments = (*step.arguments, *step.offline) if offline else step.arguments
    request = {
        "programs": step.programs,
        "paths": [_directory(path, step, activation) for path in step.paths],
        "reports": step.reports,
        "append": {name: _share(value, context) for name, value in step.append.items()},
        "rewritten": rewritten,
        "tools": tools,
        "journal": step.journal,
        "patience": 0.0,
    }
    files = {**step.files, "inside.py": _program("_inside.py")}
    if log and activation.phase is Phase.TEST:
        seconds = context.seconds if step.seconds is None else step.seconds
        request["patience"] = seconds - min(_MARGIN * seconds, _MARGIN_MOST)
        files["stacks.py"] = _program("_stacks.py")
    # Not for tests: those of programs with colours would see it, and fail here but nowhere else.
    plain = {} if activation.phase is Phase.TEST else {"NO_COLOR": "1"}
    words = (*_HELPER, "run" if log else "after", "@answer@", "@files@/request.json", "@workspace@")
    return Command(
        argv=(*words, *(_share(part, context) for part in arguments)) if log else words,
        cwd=_place(step, activation),
        env={"CI": "true", **plain, **_env(step, activation, context)},
        files={**files, "request.json": json.dumps(request)},
        seconds=step.seconds if log else 300.0,
        log=context.logs / log if log else None,
        merge=step.merge,
        answer=True,
    )


def _share(text: str, context: Context) -> str:
    return text.replace("@cpus@", str(context.cpus)).replace("@long@", str(max(1, int(context.seconds * _LONG))))


@functools.cache
def _program(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


def _env(step: Step, activation: Activation, context: Context) -> dict[str, str]:
    """The variables of a step. Whatever else is asked of its programs, such as their version, is asked with them."""
    env = step.env if online(activation, context) else {**step.env, **step.offline_env}
    return {name: _share(value, context) for name, value in env.items()}


def _whole(done: Completed, log: Path) -> bytes:
    """All that was printed, up to a bound: JSON with a gap in the middle could not be read."""
    if not done.truncated or not log.is_file():
        return done.output
    with log.open("rb") as file:
        return file.read(OUTPUT)


def _read(step: Step, fetched: Mapping[str, Any], output: bytes, root: str, paths: Sequence[str]) -> Found:
    """Reports first. The log repeats them in worse words: it tells counts only where they do not, errors likewise."""
    workspace = fetched["workspace"]
    reader, read_log = (_knowing(part, paths) for part in (step.read_report, step.read_log))
    reports = fetched["reports"]
    diagnostics, counts = _parts([reader(data, root, workspace) for _, data in reports] if reader else [])
    if fetched["dropped"]:
        said = f"{fetched['dropped']} of the report files are too large, or too many, to be read"
        diagnostics.append(Diagnostic(said, rule=readers.UNREADABLE))
    if read_log and not any(d.severity is Severity.ERROR for d in diagnostics):
        more, printed = _parts([read_log(output, root, workspace)])
        diagnostics, counts = [*diagnostics, *more], counts or printed
    if step.located:
        diagnostics = list(step.located(diagnostics, output, root, workspace))
    if step.cut_short and (hit := re.search(step.cut_short, output.decode("utf-8", "replace"))):
        diagnostics.append(Diagnostic(one_line(hit[0], 300), rule=readers.UNREADABLE))
    return Found(tuple(diagnostics), total(counts), root, workspace)


def _knowing(reader: Reader | None, paths: Sequence[str]) -> Reader | None:
    """Reports that name classes, targets or the like: the tree knows the files."""
    if reader in (readers.junit_xml, readers.bazel_report, readers.ava_tap):
        reader = partial(reader, files=paths)
    return reader


def _parts(found: Sequence[Tests | tuple[Diagnostic, ...]]) -> tuple[list[Diagnostic], list[Counts]]:
    """What readers answer, taken apart: some have counts, some do not."""
    diagnostics: list[Diagnostic] = []
    counts: list[Counts] = []
    for part in (part for answer in found for part in answer):
        if isinstance(part, Counts):
            counts.append(part)
        else:
            diagnostics += (part,) if isinstance(part, Diagnostic) else part
    return diagnostics, counts


def _answer(done: Completed, activation: Activation) -> dict[str, Any]:
    """What `_inside.py` says. Raises `InfraError` when it says nothing."""
    if done.ended is not Ended.EXITED or not done.answer:
        said = one_line(done.errors or done.output, 200)
        raise InfraError(f"{activation.name}: the sandbox cannot run Python: {said}")
    try:
        answer = json.loads(done.answer)
    except (ValueError, RecursionError) as error:
        raise InfraError(f"{activation.name}: the sandbox gave no readable answer: {error}") from error
    if not _is_answer(answer):
        raise InfraError(f"{activation.name}: the sandbox gave an answer of another form")
    try:
        files = {key: [(path, _decoded(data)) for path, data in answer.get(key, ())] for key in _FILES}
    except ValueError as error:
        raise InfraError(f"{activation.name}: the sandbox gave a file that cannot be decoded: {error}") from error
    return {**answer, **files}


def _decoded(data: str) -> bytes:
    return base64.b64decode(data.encode("ascii", "replace"), validate=True)


def _is_answer(answer: object) -> bool:
    """Whether it has the form of what `_inside.py` says: the tool could have written, too."""
    match answer:
        case {"absent": True, "workspace": str()}:
            return True
        case {
            "absent": False, "workspace": str(), "reports": [*reports], "dropped": int(), "rewritten": [*rewritten],
            "tools": dict(tools),
        }:  # fmt: skip
            named = all(isinstance(version, str) for version in tools.values())
            files = (*reports, *rewritten)
            return named and all(isinstance(f, list) and [type(part) for part in f] == [str, str] for f in files)
    return False
