"""`greylag doctor`: what this machine can do, and what the settings lack."""

import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click

from greylag import __version__, assembly, config, git
from greylag.commands import _options, _screen
from greylag.errors import GreylagError
from greylag.llm import LLM
from greylag.model import Repo
from greylag.text import one_line

_PROGRAMS = ("uv", "node", "npm", "java", "mvn", "go", "cargo", "claude", "codex", "opencode")


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's table. `failed` must be mended, `unset` is a choice to be made, `note` is only said."""

    name: str
    state: Literal["ok", "note", "weak", "unset", "failed"]
    text: str


@click.command(name="doctor", help="Check this machine and the settings; exit 2 when something must be mended.")
@click.option("--config", "path", type=click.Path(path_type=Path), help=_options.CONFIG_HELP)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(path: Path | None, *, as_json: bool) -> int:
    """Print the table."""
    checks = list(_checks(path))
    if as_json:
        print(json.dumps([{"name": c.name, "state": c.state, "text": c.text} for c in checks]))
    else:
        for check in checks:
            print(f"{check.state:8} {check.name:22} {one_line(check.text, 1000)}")
        print(f"\n{_conclusion(checks)}")
    return 2 if any(check.state == "failed" for check in checks) else 0


def _conclusion(checks: list[Check]) -> str:
    """What all of that comes to, in one line."""
    failed, unset = (", ".join(check.name for check in checks if check.state == state) for state in ("failed", "unset"))
    if failed:
        return f"To be mended (see `failed` above): {failed}."
    if unset:
        init, verify = _screen.again("init"), _screen.again("verify")
        return (
            f"Nothing is missing here. Still to be chosen for `run`: {unset} (`{init}`); `{verify} PATH` needs neither."
        )
    return "Nothing is missing: greylag can run here."


def _checks(path: Path | None) -> Iterator[Check]:
    yield Check("greylag", "ok", f"{__version__}, Python {platform.python_version()}, {platform.platform()}")
    try:
        yield Check("git", "ok", git.program())
    except GreylagError as error:
        yield Check("git", "failed", str(error))
    yield from _directories()
    try:
        settings = _options.settings(path, {})
    except GreylagError as error:
        yield Check("settings", "failed", str(error))
        return
    yield from _sandbox(settings)
    for program in _PROGRAMS:
        where = shutil.which(program) or shutil.which(program, path=str(Path(sys.prefix, "bin")))
        yield Check(program, "ok" if where else "note", where or "not installed")
    yield from _plugins(settings)


def _directories() -> Iterator[Check]:
    directories = config.Directories.of(os.environ)
    for name, path in (("state", directories.state), ("cache", directories.cache)):
        try:
            path.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(path).free / 2**30
            writable = os.access(path, os.W_OK)
        except OSError as error:
            yield Check(name, "failed", f"{path}: {error.strerror}; set GREYLAG_{name.upper()} to a directory of yours")
            continue
        state: Literal["ok", "weak", "failed"] = "failed" if not writable else "ok" if free > 2 else "weak"
        yield Check(name, state, f"{path}, {free:.0f} GiB free" + ("" if writable else ", not writable"))


def _sandbox(settings: config.Settings) -> Iterator[Check]:
    try:
        backend = assembly.backend(settings, unsafe=False)
        for guarantee in backend.probe():
            state: Any = {"enforced": "ok", "weak": "weak", "absent": "weak"}[guarantee.state]
            yield Check(f"sandbox {guarantee.name}", state, f"{guarantee.state}: {guarantee.evidence}")
    except GreylagError as error:
        yield Check("sandbox", "failed", str(error))


def _plugins(settings: config.Settings) -> Iterator[Check]:
    for kind, make in (("agent", assembly.agent), ("judge", assembly.judge)):
        try:
            made = make(settings)
            yield Check(kind, "ok", _described(made))
        except assembly.NotChosenError as error:
            yield Check(kind, "unset", str(error))
        except GreylagError as error:
            yield Check(kind, "failed", str(error))
    try:
        if settings.forge.name:
            assembly.forge(settings, Repo(""), config.Directories.of(os.environ))
        yield Check("forge", "ok", settings.forge.name or "by the repository: local for a path, github for github.com")
    except GreylagError as error:
        yield Check("forge", "failed", str(error))


def _described(made: object) -> str:
    """Name, and model where there is one; an empty tuple is a judge that is off."""
    plugins = made if isinstance(made, tuple) else (made,)
    words = [word for plugin in plugins for word in (getattr(plugin, "name", ""), _model(plugin)) if word]
    return ", ".join(words) or "off"


def _model(plugin: object) -> str:
    model = getattr(plugin, "llm", None) or getattr(plugin, "model", None)
    return model.model if isinstance(model, LLM) else str(model or "")
