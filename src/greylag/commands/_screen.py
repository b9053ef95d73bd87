"""The last thing one sees of a run or a verification: short enough to be read, and to be given to a model."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from greylag.directories import remove_tree
from greylag.model import Diagnostic, Phase, Severity, Status
from greylag.recording import published
from greylag.report import Report, Run
from greylag.text import cap, clean, one_line, size

# Tokens of four bytes. With the time line above it, a screen stays under the 2,000 that a report may have at most.
SCREEN = 1000
_INFORMATION = 20  # findings that are shown
_REASON = 1200  # characters of what an agent says


def conclusion(run: Run, home: Path) -> str:
    """What came of the run, why, and where everything is; at most `SCREEN` tokens."""
    head, foot = ["", *_headline(run)], []
    if run.branch and not run.pull_request:
        foot += ["", f"The change is kept: git fetch {home / 'branch.bundle'} {run.branch}"]
    last = run.reports[-1] if run.reports else run.baseline if run.status is Status.UNVERIFIED else None
    more = " (--log ID for a log, --diff for the change)" if last and not run.pull_request else ""
    foot += ["", f"The whole record: {again('show', run.id)}{more}"]
    report = ["", fitted(last, [*head, *foot, ""])] if last else []
    return clean("\n".join([*head, *report, *foot]))


def fitted(report: Report, others: Sequence[str] = ()) -> str:
    """The report in the room that the other lines of the screen leave."""
    return report.render(SCREEN - sum(size(line) + 1 for line in others) // 4 - 1)


def information(report: Report, *, verbose: bool) -> list[str]:
    """What guards found that is only for information, a line each; or, where it is not shown, how it would be."""
    guards = (v for v in report.verdicts if v.phase is Phase.GUARD)
    found = [d for v in guards for d in v.diagnostics if d.severity is Severity.INFO]
    if not verbose:
        told = "finding, which --verbose shows" if len(found) == 1 else "findings, which --verbose shows"
        return [f"information: {len(found)} {told}"] if found else []
    rest = [f"information: {len(found) - _INFORMATION} more, in --format json"] if len(found) > _INFORMATION else []
    return [f"information: {one_line(_place(d), 700)}" for d in found[:_INFORMATION]] + rest


def _place(diagnostic: Diagnostic) -> str:
    place = ":".join(str(part) for part in (diagnostic.path, diagnostic.line) if part)
    return " ".join(part for part in (place, diagnostic.rule, diagnostic.message) if part)


def interrupted(run: Run | None, home: Path) -> str:
    """After Ctrl-C: what is running (nothing), what is open or may be, what is kept."""
    lines = ["greylag: interrupted; nothing is left running"]
    if run and run.pull_request:
        lines.append(f"The pull request was {published(run.pull_request)[0].value} before: {run.pull_request.url}")
    elif run and (may_be := run.reason.partition("; ")[2]):
        lines.append(may_be[0].upper() + may_be[1:])
    return clean("\n".join([*lines, *kept(home)]))


def kept(home: Path) -> Iterator[str]:
    """Where a run that ended early has left something; a directory without a file is removed."""
    if any(path.is_file() for path in home.rglob("*")):
        what = "the change of the agent, and the logs" if (home / "branch.bundle").exists() else "logs"
        yield f"Kept: {home} ({what})"
        yield f"The whole record: {again('show', home.name)}"
    else:
        remove_tree(home)


def again(*words: str) -> str:
    """A command line of greylag as it has to be typed here: with the program and the records of this process."""
    state = os.environ.get("GREYLAG_STATE")
    found, own = shutil.which("greylag"), Path(sys.argv[0])
    usual = own.name != "greylag" or (found is not None and os.path.realpath(found) == os.path.realpath(own))
    near = f"./{own.name}" if own.parent == Path.cwd() else os.path.relpath(own)
    program = "greylag" if usual else near if own.is_relative_to(Path.cwd()) else str(own)
    return " ".join(([f"GREYLAG_STATE={shlex.quote(state)}"] if state else []) + [shlex.join([program, *words])])


def _headline(run: Run) -> Iterator[str]:
    if run.pull_request:
        yield f"{run.status.value}: pull request {run.pull_request.url}"
        return
    reason = cap(clean(run.reason).strip().removeprefix(f"{run.status.value}: "), _REASON)
    told = bool(run.reports) and any(reason.startswith(f"{verdict.id}: ") for verdict in run.reports[-1].failed)
    if not reason or told:  # the report below says it
        yield f"no pull request: {run.status.value}"
    elif "\n" not in reason:
        yield f"no pull request: {run.status.value}, {reason}"
    else:
        yield f"no pull request: {run.status.value}; the agent says:"
        yield from (f"    | {one_line(line, 200)}" for line in reason.splitlines() if line.strip())
