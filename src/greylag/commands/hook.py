"""`greylag hook stop`: an agent in an IDE or a terminal may end only when verification passes."""

import json
import os
import sys
from pathlib import Path

import click

from greylag import config, hook
from greylag.commands import _directory, _options
from greylag.errors import UserError


@click.group(name="hook")
def command() -> None:
    """Hooks for Claude Code and Codex."""


@command.command(name="stop", short_help="Send an agent back while verification fails.")
@click.option("--base", metavar="REV", help="Commit to compare with; HEAD otherwise.")
@click.option("--max-blocks", default=3, show_default=True, type=click.IntRange(1, 7), help="Times to send it back.")
@_options.sandbox_options
def stop(base: str | None, max_blocks: int, config_path: Path | None, *, unsafe_no_sandbox: bool) -> None:
    """Stop gate: reads the hook's JSON from standard input, and sends the agent back while verification fails."""
    try:
        payload = json.loads(sys.stdin.buffer.read() or b"{}")
    except ValueError as error:
        raise UserError(f"standard input of `greylag hook stop` is not the JSON of a hook: {error}") from error
    if not isinstance(payload, dict):
        raise UserError("standard input of `greylag hook stop` is not the JSON object of a hook")
    path = Path(str(payload.get("cwd") or Path.cwd()))
    memory = config.Directories.of(os.environ).cache / "hooks"
    settings = _options.settings(config_path, {})
    with _directory.opened(path, settings, lambda _event: None, base=base, unsafe=unsafe_no_sandbox) as directory:
        print(json.dumps(hook.stop(payload, directory.verify, memory=memory, max_blocks=max_blocks)))
