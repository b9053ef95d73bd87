"""Commands that a repository declares in `.greylag.toml`, for whatever greylag has no verifier of its own.

[[verifiers.command.commands]]
name = "make test"
run = "make test"                      # or a list of arguments; never a shell
phase = "test"                         # prepare, format, static, compile or test (the default)
root = "services/api"                  # where to run it; the repository by default
reports = ["build/reports/**/*.xml"]   # JUnit XML, below the root
prepare = "make deps"                  # runs once before, with the network of preparation
when = ["**/*.c", "Makefile"]          # only in a repository with such a file
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pathspec import GitIgnoreSpec

from greylag import readers
from greylag.errors import UserError
from greylag.model import Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.verifiers import _tool
from greylag.verifiers._tool import Plan, Step

_KEYS = {"name", "run", "phase", "root", "prepare", "reports", "when", "seconds"}
_PHASES = {phase.name.lower(): phase for phase in Phase if phase <= Phase.TEST}


class CommandVerifier:
    """Verifier of declared commands. Raises `UserError` for a declaration that does not fit."""

    name = "command"

    def __init__(self, commands: Sequence[Mapping[str, Any]] = ()) -> None:
        self._commands = [_checked(command) for command in commands]

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Every declared command whose `when` fits a file of the tree."""
        return [activation for command in self._commands for activation in _activations(command, tree)]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run the command; its exit code decides."""
        return _tool.run(activation, context)


PLUGIN = CommandVerifier


def _checked(command: Mapping[str, Any]) -> Mapping[str, Any]:
    name = command.get("name") or command.get("run")
    if unknown := set(command) - _KEYS:
        raise UserError(f"command `{name}`: unknown key `{min(unknown)}`; there are {', '.join(sorted(_KEYS))}")
    if not command.get("run"):
        raise UserError(f"command `{name}`: `run` is missing: the command line to verify with")
    if command.get("phase", "test") not in _PHASES:
        raise UserError(f"command `{name}`: no phase `{command['phase']}`; there are {', '.join(_PHASES)}")
    root = str(command.get("root", "."))
    if root.startswith("/") or ".." in root.split("/"):
        raise UserError(f"command `{name}`: root `{root}` is not a directory of the repository")
    for key in ("run", "prepare"):
        _argv(command.get(key, ()), str(name))
    return command


def _argv(line: str | Sequence[str], name: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(line)) if isinstance(line, str) else tuple(map(str, line))
    except ValueError as error:
        raise UserError(f"command `{name}`: `{line}` cannot be split into arguments: {error}") from error


def _activations(command: Mapping[str, Any], tree: Tree) -> Iterator[Activation]:
    when = tuple(command.get("when", ()))
    hit = next(iter(GitIgnoreSpec.from_lines(when).match_files(tree.paths())), None) if when else ""
    if hit is None:
        return
    argv = _argv(command["run"], "")
    name = str(command.get("name") or shlex.join(argv))
    root = str(command.get("root", ".")).rstrip("/") or "."
    reason = "declared in .greylag.toml" + (f", since there is {hit}" if hit else "")
    if prepare := _argv(command.get("prepare", ()), name):
        yield Activation(
            "command", f"{name}: prepare", Phase.PREPARE, root, reason, (), Plan((_step(prepare, command),))
        )
    phase = _PHASES[command.get("phase", "test")]
    yield Activation("command", name, phase, root, reason, (), Plan((_step(argv, command),)))


def _step(argv: tuple[str, ...], command: Mapping[str, Any]) -> Step:
    return Step(
        (argv[:1],),
        argv[1:],
        install=f"install {argv[0]} on this machine, or correct the declaration in .greylag.toml",
        reports=tuple(command.get("reports", ())),
        read_report=readers.junit_xml,
        seconds=float(command["seconds"]) if "seconds" in command else None,
    )
