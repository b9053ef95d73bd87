"""Commands that a repository declares in `.greylag.toml`, for whatever greylag has no verifier of its own.

[[verifiers.command.commands]]
name = "make test"
run = "make test"                      # or a list of arguments; never a shell
phase = "test"                         # prepare, format, static, compile or test (the default)
root = "services/api"                  # where to run it; the repository by default
reports = ["build/reports/**/*.xml"]   # JUnit XML, below the root
prepare = "make deps"                  # runs once before, with the network of preparation
when = ["**/*.c", "Makefile"]          # only in a repository with such a file
matchers = ["$gcc", ".github/x.json"]  # problem matchers: names, files of the base commit, or tables
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pathspec import GitIgnoreSpec

from greylag import readers
from greylag.errors import UserError
from greylag.model import FINDINGS, LOCATED, MATCHED, Phase, Severity, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.readers import matcher_files
from greylag.readers.matchers import Matchers
from greylag.verifiers import _tool
from greylag.verifiers._tool import Plan, Step

_KEYS = {"name", "run", "phase", "root", "prepare", "reports", "when", "seconds", "matchers"}
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
        verdict = _tool.run(activation, context)
        kind = _findings(verdict) if activation.phase is not Phase.PREPARE and not _reports(activation) else ""
        return replace(verdict, details={**verdict.details, FINDINGS: kind}) if kind else verdict


PLUGIN = CommandVerifier


def _reports(activation: Activation) -> bool:
    return isinstance(activation.plan, Plan) and any(step.reports for step in activation.plan.steps)


def _findings(verdict: Verdict) -> str:
    """Where the errors come from that the next run can be compared with; nothing where none has a place."""
    placed = [d for d in verdict.diagnostics if d.path and d.severity is Severity.ERROR]
    return MATCHED if any(d.rule for d in placed) else LOCATED if placed else ""


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
    for matcher in _matchers(command):
        if not _is_file(matcher):
            matcher_files.parsed(matcher)
    return command


def _matchers(command: Mapping[str, Any]) -> Sequence[object]:
    declared = command.get("matchers", ())
    if not isinstance(declared, list | tuple):
        raise UserError(f'command `{command["run"]}`: `matchers` is a list, such as ["$gcc"]')
    return declared


def _is_file(matcher: object) -> bool:
    return isinstance(matcher, str) and not matcher.startswith("$")


def _read_by(command: Mapping[str, Any], tree: Tree) -> Matchers | None:
    """Who reads what the command prints."""
    declared = _matchers(command)
    if absent := next(filter(_is_file, declared), None):  # a file that is there has been replaced by its contents
        raise UserError(
            f"command `{command.get('name') or command['run']}`: the base commit has no file of problem matchers "
            f"`{absent}`; commit it, or correct the declaration in .greylag.toml"
        )
    found = tuple(matcher for each in declared for matcher in matcher_files.parsed(each))
    return Matchers(found, tree.paths()) if found else None


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
        plan = Plan((_step(prepare, command),))
        yield Activation("command", f"{name}: prepare", Phase.PREPARE, root, reason, (), plan)
    phase = _PHASES[command.get("phase", "test")]
    plan = Plan((_step(argv, command, _read_by(command, tree)),))
    yield Activation("command", name, phase, root, reason, (), plan)


def _step(argv: tuple[str, ...], command: Mapping[str, Any], matchers: Matchers | None = None) -> Step:
    return Step(
        (argv[:1],),
        argv[1:],
        install=f"install {argv[0]} on this machine, or correct the declaration in .greylag.toml",
        reports=tuple(command.get("reports", ())),
        read_report=readers.junit_xml,
        read_log=matchers,
        rest=matchers.rest if matchers else None,
        seconds=float(command["seconds"]) if "seconds" in command else None,
    )
