"""`greylag distill`: keep the few lines of a log that matter."""

import sys
from pathlib import Path

import click

from greylag.distill import distill


@click.command(name="distill", help="Read a log from standard input and print the lines that matter.")
@click.option(
    "--budget",
    default=800,
    show_default=True,
    type=click.IntRange(50),
    help="Tokens to print at most, four characters each.",
)
@click.option("--baseline", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Log of a passing run.")
def command(budget: int, baseline: Path | None) -> None:
    """Distil standard input."""
    log = sys.stdin.buffer.read()
    kept = distill(log, budget=budget, baseline=baseline.read_bytes() if baseline else None)
    print(kept.text)
