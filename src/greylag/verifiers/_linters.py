"""Formatters and linters of a Python project: ruff, black, flake8."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from greylag import readers
from greylag.model import Phase
from greylag.protocols import Tree
from greylag.verifiers import _environment, _pyproject
from greylag.verifiers._checks import Check, configured, file, of_project, section, used
from greylag.verifiers._plan import Step
from greylag.verifiers._pyproject import FOREIGN, Project

_RUFF_FORMAT = re.compile(r"\bruff format\b|\bid: ruff-format\b|^\[format\]", re.MULTILINE)
_BLACK = (
    "-l= --line-length= -t= --target-version= -S --skip-string-normalization -C --skip-magic-trailing-comma --preview"
    " --unstable --config= --include= --exclude= --extend-exclude= --force-exclude="
)
_FLAKE8 = (
    "--config= --append-config= --select= --extend-select= --ignore= --extend-ignore= --exclude= --extend-exclude="
    " --per-file-ignores= --max-line-length= --max-doc-length= --max-complexity= --exit-zero"
)
_PLAIN = "--format=%(path)s:%(row)d:%(col)d: %(code)s %(text)s"  # whatever its settings say


def linters(project: Project, tree: Tree) -> Iterator[Check]:
    """What looks at the text of the sources."""
    yield from _ruff(project, tree)
    yield from _black(project, tree)
    yield from _flake8(project, tree)


def _ruff(project: Project, tree: Tree) -> Iterator[Check]:
    where = configured(project, "ruff", ("ruff.toml", ".ruff.toml"))
    if not where:
        return
    made = _environment.made(project)
    # --no-fix: `fix = true` in its settings would hide what it mends.
    common = ("check", "--no-fix", "--output-format", "json", "--no-cache")
    lint = of_project("ruff", *common, *(f"--extend-exclude={it}" for it in made), ".", read=readers.ruff_json)
    yield "ruff", Phase.STATIC, where, lint
    if evidence := _formats(project, tree):
        yield "ruff format", Phase.FORMAT, evidence, _ruff_format(made)


def _ruff_format(made: Sequence[str]) -> Step:
    """Its `--extend-exclude` is only a few months old. One in `--config`, since 0.2.1, adds to the project's, too."""
    check, exclude = ("format", "--check", "--diff", "--no-cache"), f"extend-exclude={json.dumps(made)}"
    rewrite = of_project("ruff", "format", "--no-cache")
    older = of_project("ruff", *check, ".", read=readers.ruff_format_text, rewrite=rewrite)
    return replace(older, arguments=(*check, "--config", exclude, "."), fallback=older)


def _formats(project: Project, tree: Tree) -> str:
    """Why the project seems to format with ruff; having ruff as a linter says nothing about that."""
    if _pyproject.table(project.pyproject, "tool", "ruff", "format") is not None:
        return "[tool.ruff.format] in pyproject.toml"
    own = ("Makefile", "tox.ini", "noxfile.py", "justfile", "ruff.toml", ".ruff.toml")
    shared = [".pre-commit-config.yaml", *(path for path in tree.paths() if path.startswith(".github/workflows/"))]
    found = [name for name in own if _RUFF_FORMAT.search(file(project, tree, name))]
    found += [path for path in shared if _RUFF_FORMAT.search(_pyproject.text(tree, path))]
    return found[0] if found else ""


def _black(project: Project, tree: Tree) -> Iterator[Check]:
    if evidence := used(project, tree, "black", configured(project, "black", ()), _BLACK):
        arguments = ("--check", "--diff", *evidence.options, *(evidence.paths or (".",)))
        rewrite = of_project("black", "--quiet", *evidence.options)
        # it says all on standard error
        step = of_project("black", *arguments, read=readers.black_text, merge=True, rewrite=rewrite)
        yield "black", Phase.FORMAT, evidence.reason, step


def _flake8(project: Project, tree: Tree) -> Iterator[Check]:
    where = configured(project, "flake8", (".flake8",)) or section(project, tree, "flake8", ("setup.cfg", "tox.ini"))
    if evidence := used(project, tree, "flake8", where, _FLAKE8):
        targets = evidence.paths if set(evidence.paths) - {"."} else _sources(project)
        step = of_project("flake8", _PLAIN, *evidence.options, *targets, read=readers.flake8_text)
        yield "flake8", Phase.STATIC, evidence.reason, step


def _sources(project: Project) -> tuple[str, ...]:
    """What has Python in it at the top of a project: its environment, which flake8 would look at, is none of that."""
    tops = {name.partition("/")[0] for name in project.files if name.endswith((".py", ".pyi"))}
    return tuple(f"./{top}" for top in sorted(tops) if top not in FOREIGN - {"test", "tests", "testing"}) or (".",)
