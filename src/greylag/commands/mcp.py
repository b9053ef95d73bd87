"""`greylag mcp`: the one tool, over stdio."""

from contextlib import AbstractContextManager
from pathlib import Path

import click

from greylag import mcp
from greylag.commands import _directory, _options
from greylag.report import Report, paging


@click.command(name="mcp", help="Serve the tool `verify` for PATH over stdio, for any agent or IDE that speaks MCP.")
@click.argument("path", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path())
@click.option("--base", metavar="REV", help="Commit to compare with; HEAD otherwise.")
@_options.sandbox_options
def command(path: Path, base: str | None, config_path: Path | None, *, unsafe_no_sandbox: bool) -> None:
    """Serve until the client hangs up."""
    settings = _options.settings(config_path, {})

    def here() -> AbstractContextManager[_directory.Directory]:
        return _directory.opened(path, settings, lambda _event: None, base=base, unsafe=unsafe_no_sandbox)

    logs: Path | None = None  # of the last verification

    def verify() -> Report:
        """Of the tree and the commit that are there now, since a session in an editor outlives many of both."""
        nonlocal logs
        with here() as directory:
            logs = directory.logs
            return directory.verify()

    with here():
        pass  # what is wrong already is said at once
    mcp.serve(verify, lambda name, page, search: paging.read(logs, name, page, search))
