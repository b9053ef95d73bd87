"""`greylag verify`: the gate's verifiers and guards on a directory, as it is now."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import click

from greylag import assembly
from greylag.commands import _allowed, _directory, _options, _screen
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
@click.option(
    "--allow",
    metavar="KIND",
    multiple=True,
    type=click.Choice(_allowed.ALLOWED),
    help=f"Let guards pass a kind of change, as the front matter of a prompt can: {', '.join(_allowed.ALLOWED)}.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show findings for information, too.")
@_options.sandbox_options
def command(
    path: Path, base: str | None, form: str, config_path: Path | None, allow: tuple[str, ...],
    *, verbose: bool, unsafe_no_sandbox: bool,
) -> int:  # fmt: skip
    """Print the report; exit 0 when it passed, 1 when not, 75 when something could not be run."""
    settings = _options.settings(config_path, {})
    with (
        show(sys.stderr, as_json=False) as progress,
        _directory.opened(
            path, settings, _allowed.heard(progress), base=base, unsafe=unsafe_no_sandbox, allow=allow
        ) as directory,
    ):
        report = _allowed.reworded(directory.verify(), allow)
    if unsafe_no_sandbox:
        report = replace(report, notes=(assembly.NO_SANDBOX, *report.notes))
    if form == "text":
        logs = [f"logs: {directory.logs}"] if any(v.log for v in report.verdicts if not v.passed) else []
        more = _screen.information(report, verbose=verbose)
        print("\n".join([_screen.fitted(report, logs if verbose else [*more, *logs]), *more, *logs]))
    else:
        said = {**report_to_dict(report), "allowed": list(allow)} if form == "json" else to_sarif(report)
        print(json.dumps(said, indent=2))
    return 0 if report.passed else 75 if report.errored else 1
