"""Options that several verbs share, and the settings they make."""

import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from greylag import config
from greylag.errors import UserError


class Amount(click.FloatRange):
    """A number within bounds; `nan` and `inf`, which `float` understands as well, are none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or the error of a wrong one."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number that says anything.", param, ctx)
        return number


CONFIG_HELP = "Settings; otherwise $GREYLAG_CONFIG or ~/.config/greylag/greylag.toml."
F = TypeVar("F", bound=Callable[..., Any])


def sandbox_options(function: F) -> F:
    """`--config` and `--unsafe-no-sandbox`."""
    function = click.option(
        "--unsafe-no-sandbox", is_flag=True, help="Run hostile code on this machine as you. Stamped on every report."
    )(function)
    return click.option("--config", "config_path", type=click.Path(path_type=Path), help=CONFIG_HELP)(function)


def judge_options(function: F) -> F:
    """`--judge`, `--judge-model` and `--judge-key-env`."""
    function = click.option("--judge-key-env", metavar="NAME", help="Variable that holds the key of the judge.")(
        function
    )
    function = click.option("--judge-model", help="Model of the judge, as PROVIDER:NAME.")(function)
    return click.option(
        "--judge",
        "judge_mode",
        type=click.Choice(["off", "shadow", "advise", "veto"]),
        help="What the judge may do: nothing, be recorded, speak in the pull request, or (by default) refuse.",
    )(function)


def there(path: str | Path) -> bool:
    """Whether something is at a path: not where the caller may not look, for which `Path.exists` raises."""
    return os.path.exists(path)  # noqa: PTH110


def settings(path: Path | None, flags: dict[str, Any]) -> config.Settings:
    """Settings of the operator's file, the environment and the flags that were given (None: was not)."""
    if path is None:
        usual = config.location(os.environ)
        path = usual if there(usual) or "GREYLAG_CONFIG" in os.environ else None
    return config.load(path, os.environ, {key: value for key, value in flags.items() if value is not None})


def read_prompt(file: str | None, message: str | None) -> config.Prompt:
    """The prompt from `-m`, a file, or standard input (`-`)."""
    if (file is None) == (message is None):
        raise UserError("give one prompt: a file, `-` for standard input, or -m TEXT")
    if message is not None:
        return config.prompt(message.encode("utf-8", "surrogateescape"), "the text of -m")
    if file == "-":
        return config.prompt(sys.stdin.buffer.read(), "standard input")
    try:
        return config.prompt(Path(str(file)).read_bytes(), str(file))
    except OSError as error:
        raise UserError(f"prompt {file} cannot be read: {error.strerror}") from error
