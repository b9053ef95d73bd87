"""`greylag verify`: the gate's verifiers and guards on a directory, as it is now."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import click

from greylag import assembly
from greylag.commands import _directory, _options, _screen
from greylag.progress import show
from greylag.report.sarif import to_sarif
from greylag.report.serialise import report_to_dict


@click.command(name="verify", help="Verify PATH as it is now, against its base commit. Nothing in it is modified.")
@click.argument("path", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path())
@click.option("--base", metavar="REV", help="Commit to compare with; HEAD otherwise.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    show_default=True,
    help="For people, for machines, for code scanning.",
)
@_options.sandbox_options
def command(path: Path, base: str | None, form: str, config_path: Path | None, *, unsafe_no_sandbox: bool) -> int:
    """Print the report; exit 0 when it passed, 1 when not, 75 when something could not be run."""
    settings = _options.settings(config_path, {})
    with (
        show(sys.stderr, as_json=False) as progress,
        _directory.opened(path, settings, progress, base=base, unsafe=unsafe_no_sandbox) as directory,
    ):
        report = directory.verify()
    if unsafe_no_sandbox:
        report = replace(report, notes=(assembly.NO_SANDBOX, *report.notes))
    if form == "text":
        logs = [f"logs: {directory.logs}"] if any(v.log for v in report.verdicts if not v.passed) else []
        print("\n".join([_screen.fitted(report, logs), *logs]))
    else:
        print(json.dumps(report_to_dict(report) if form == "json" else to_sarif(report), indent=2))
    return 0 if report.passed else 75 if report.errored else 1
