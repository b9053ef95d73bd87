"""`greylag distill`: keep the few lines of a log that matter."""

import sys
from pathlib import Path

import click

from greylag.distill import distill
from greylag.distill.bounded import Bounded, bounded
from greylag.model import Outcome, Phase, Severity, Verdict
from greylag.readers import tools
from greylag.report import Report
from greylag.text import one_line, size


@click.command(name="distill", help="Read a log from standard input and print the lines that matter.")
@click.option(
    "--budget",
    default=800,
    show_default=True,
    type=click.IntRange(50),
    help="Tokens to print at most, four bytes each.",
)
@click.option(
    "--tool",
    metavar="NAME",
    help=f"What printed the log, to say its errors first. Known: {', '.join(tools.NAMES)}.",
)
@click.option("--baseline", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Log of a passing run.")
def command(budget: int, tool: str | None, baseline: Path | None) -> None:
    """Distil standard input."""
    log = bounded(sys.stdin.buffer.read)
    head = _errors(tool, log.head + log.rest, budget // 2) if tool else ""
    if tool and not head:
        why = "its reader found no error" if tool in tools.NAMES else "no reader is known for it"
        click.echo(f"greylag: {one_line(tool, 80)}: {why}; the log is distilled like any other", err=True)
    room = budget - (size(head) + 5) // 4
    kept = distill(log, budget=room, baseline=_log(baseline) if baseline else None)
    if text := "\n\n".join(filter(None, (head, kept.text))):
        print(text)


def _log(path: Path) -> Bounded:
    with path.open("rb") as file:
        return bounded(file.read)


def _errors(tool: str, log: bytes, budget: int) -> str:
    """What the tool's own reader makes of the log, as a report; nothing where there is none or it finds no error."""
    found, counts = tools.read(tool, log)
    if not any(diagnostic.severity is Severity.ERROR for diagnostic in found):
        return ""
    phase = Phase.TEST if counts else Phase.COMPILE
    verdict = Verdict(tool, phase, Outcome.FAILED, diagnostics=found, counts=counts)
    return Report("", "", (verdict,)).render(budget=budget)
