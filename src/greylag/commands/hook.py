"""`greylag hook stop`: an agent in an IDE or a terminal may end only when verification passes."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from greylag import config, hook
from greylag.commands import _directory, _options
from greylag.errors import GreylagError, UserError


class _Hooks(click.Group):
    """Exit code 2 of a hook sends the agent back, with our words as an order: what is the user's to mend must not."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise HookError(f"{error.format_message()} (see `greylag hook stop --help`)") from error
        except UserError as error:
            raise HookError(str(error)) from error


class HookError(GreylagError):
    """What a hook says to the person at the screen, while the agent goes on to its end."""

    exit_code = 1


@click.group(name="hook", cls=_Hooks)
def command() -> None:
    """Hooks for Claude Code and Codex."""


@command.command(name="stop", short_help="Send an agent back while verification fails.")
@click.option("--base", metavar="REV", help="Commit to compare with; HEAD otherwise.")
@click.option("--max-blocks", default=3, show_default=True, type=click.IntRange(1, 7), help="Times to send it back.")
@_options.sandbox_options
def stop(base: str | None, max_blocks: int, config_path: Path | None, *, unsafe_no_sandbox: bool) -> None:
    """Stop gate: reads the hook's JSON from standard input, and sends the agent back while verification fails."""
    payload = hook.read(sys.stdin.buffer if sys.stdin else None)
    path = hook.directory(payload)
    memory = config.Directories.of(os.environ).cache / "hooks"
    settings = _options.settings(config_path, {})
    with _directory.opened(path, settings, lambda _event: None, base=base, unsafe=unsafe_no_sandbox) as directory:
        print(json.dumps(hook.stop(payload, directory.verify, memory=memory, max_blocks=max_blocks)))
