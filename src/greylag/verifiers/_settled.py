"""What a JavaScript project has set up and no script of package.json checks: biome, prettier, tests for bun.

A script that only writes (`prettier --write src`) says what is to be formatted, so its files are the ones to check.
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from greylag.model import Phase
from greylag.verifiers import _scripts
from greylag.verifiers._package import Package, Project

_WRITES = {"--write", "-w"}


@dataclass(frozen=True, slots=True)
class Settled:
    """A command that checks: the words of it, the first of which is the program."""

    name: str
    phase: Phase
    reason: str
    words: tuple[str, ...]

    @property
    def program(self) -> str:
        """What is run."""
        return self.words[0]


def settled(project: Project) -> list[Settled]:
    """All of the root package."""
    parts = _scripts.parts(project, split=not project.manager.pnp)
    commands = " ".join(part.command for part in parts)
    package = project.package
    found = [*_prettier(package)] if "prettier" not in commands else []
    found += _biome(package) if "biome" not in commands else []
    tested = any(part.phase is Phase.TEST for part in parts)
    if project.manager.name == "bun" and package.tests and "test" not in package.scripts and not tested:
        found.append(
            Settled("bun test", Phase.TEST, f"{package.tests}, and the package manager is bun", ("bun", "test"))
        )
    return found


def _prettier(package: Package) -> Iterator[Settled]:
    for name, text in package.scripts.items():
        if checking := _checking(text):
            reason = f"script `{name}` in package.json, which writes"
            yield Settled("prettier", Phase.FORMAT, reason, checking)
            return
    if package.settings.get("prettier") and {"prettier", "eslint-plugin-prettier"} & package.dependencies == {
        "prettier"
    }:
        reason = f"{package.settings['prettier']}, and prettier is a dependency"
        yield Settled("prettier", Phase.FORMAT, reason, ("prettier", "--check", "."))


def _checking(text: str) -> tuple[str, ...]:
    """A command that checks what a script formats with prettier, if it does nothing else."""
    try:
        words = shlex.split(text) if _scripts.plain(text) else []
    except ValueError:
        return ()
    if words[:1] != ["prettier"] or not _WRITES & set(words):
        return ()
    return (
        "prettier",
        "--check",
        "--no-error-on-unmatched-pattern",
        *(word for word in words[1:] if word not in {*_WRITES, "--check", "-c", "-l"}),
    )


def _biome(package: Package) -> Iterator[Settled]:
    if package.settings.get("biome") and "@biomejs/biome" in package.dependencies:
        reason = f"{package.settings['biome']}, and @biomejs/biome is a dependency"
        yield Settled("biome", Phase.STATIC, reason, ("biome", "ci"))
