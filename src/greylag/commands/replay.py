"""`greylag replay`: a stored run again, by today's code, with the recorded answers of its models."""

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from greylag import assembly, config
from greylag.commands import _options
from greylag.commands._carrying import carry_out
from greylag.differences import differences
from greylag.errors import UserError
from greylag.exchanges import Exchange, Exchanges, load
from greylag.model import Event
from greylag.report import Run
from greylag.store import Store


@click.command(
    name="replay",
    help="Carry out RUN again from the same commit, with the answers that its models gave then: no model is asked, and "
    "nothing is published. Says how it differs from RUN.",
)
@click.argument("run_id", metavar="RUN")
@click.option("--json", "as_json", is_flag=True, help="Events as JSON lines on stderr, the run as JSON on stdout.")
@click.option(
    "--unsafe-no-sandbox", is_flag=True, help="Run hostile code on this machine as you. Stamped on every report."
)
def command(run_id: str, *, as_json: bool, unsafe_no_sandbox: bool) -> int:
    """Put together what the run was made of, play its answers, compare."""
    directories = config.Directories.of(os.environ)
    assembly.usable("GREYLAG_STATE", directories.state)
    assembly.usable("GREYLAG_CACHE", directories.cache)
    store = Store(directories.state)
    run = store.run(run_id)
    recorded = _recorded(run, store.home(run.id))
    settings = config.replayed(run.settings, _options.settings(None, {}))
    parts = assembly.parts(run.task, settings, directories, unsafe=unsafe_no_sandbox, replayed=run)
    return carry_out(
        run.task, parts, store, as_json=as_json,
        exchanges=lambda place: Exchanges(place, recorded, run.id),
        compare=lambda now, exchanges: _compared(run, now, exchanges),
    )  # fmt: skip


def _recorded(run: Run, home: Path) -> list[Exchange]:
    """The answers that can be played. Raises `UserError` for a run without them."""
    if not run.settings:
        raise UserError(f"run {run.id} cannot be replayed: it was made before greylag kept what its models answered")
    if not run.base:
        raise UserError(f"run {run.id} cannot be replayed: it ended before its repository was checked out")
    if not home.is_dir():
        raise UserError(f"run {run.id} cannot be replayed: its directory {home} is gone, with what its models answered")
    return load(home)


def _compared(then: Run, now: Run, exchanges: Exchanges) -> list[Event]:
    at = datetime.now(UTC)
    found = differences(then, now, exchanges)
    head = f"differs from run {then.id} in {len(found)} points" if found else f"the same as run {then.id}"
    asked = f"{exchanges.played} recorded answers were played"
    lines = [(f"{head}; {asked}", False), *((f"  {line}", True) for line in found)]
    return [Event("replay", text, at, {"differs": differs}) for text, differs in lines]
