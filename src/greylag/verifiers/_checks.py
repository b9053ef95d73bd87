"""What all checks of a Python project have in common: where a tool is configured, and how it is started.

A tool is run only where the repository says that it uses it: a table or file of its settings, a hook of pre-commit, a
call in CI, tox, nox or a build file, or a place among the dependencies that are for development. The reason says which.
"""

import json
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from greylag.model import Phase
from greylag.protocols import Tree
from greylag.verifiers import _evidence, _pyproject
from greylag.verifiers._environment import VENV
from greylag.verifiers._evidence import Evidence
from greylag.verifiers._plan import Reader, Step
from greylag.verifiers._pyproject import Project

Check = tuple[str, Phase, str, Step]  # name, phase, reason, what to run

_COMMANDS = {"ty": "ty check"}
PATHS = (f"{VENV}/bin",)  # as in an activated environment: tests start programs by their names


def file(project: Project, tree: Tree, name: str) -> str:
    """The text of one of the project's files, or nothing."""
    return _pyproject.text(tree, posixpath.normpath(posixpath.join(project.root, name)))


def configured(project: Project, tool: str, files: Sequence[str]) -> str:
    """The table or file with a tool's settings, or nothing."""
    if project.tool(tool) is not None:
        return f"[tool.{tool}] in pyproject.toml"
    return next((name for name in files if name in project.files), "")


def section(project: Project, tree: Tree, name: str, files: Sequence[str]) -> str:
    """The section with a tool's settings in one of several INI files, or nothing."""
    having = (it for it in files if _pyproject.ini(file(project, tree, it)).has_section(name))
    return next((f"[{name}] in {it}" for it in having), "")


def settings_of_mypy(project: Project, tree: Tree) -> str:
    """All settings of mypy, one file's after the other's."""
    settings = [file(project, tree, name) for name in ("mypy.ini", ".mypy.ini", "setup.cfg")]
    return "\n".join((json.dumps(project.tool("mypy"), default=str), *settings))


def called(project: Project, tree: Tree, tool: str, options: str = "") -> Evidence | None:
    """How the top of a repository calls a tool, which speaks for the project that is there."""
    if project.root != ".":
        return None
    # black alone does nothing, and is a colour
    return _evidence.called(tree, tool, options, command=_COMMANDS.get(tool, tool), alone=tool != "black")


def used(project: Project, tree: Tree, tool: str, where: str = "", options: str = "") -> Evidence | None:
    """Whether and how a project uses a tool: by its settings (`where`), calls, or dependencies."""
    call = called(project, tree, tool, options)
    if not where and not call and tool in _development(project, tree):
        where = f"{tool} among its dependencies for development"
    if call:
        return replace(call, reason=where or call.reason)
    return Evidence(project.root, where) if where else None


def _development(project: Project, tree: Tree) -> Iterator[str]:
    """Names of what is installed for development: a tool that the project itself needs to run is none that it uses."""
    data, poetry = project.pyproject, _pyproject.table(project.pyproject, "tool", "poetry") or {}
    optional = _pyproject.table(data, "project", "optional-dependencies") or {}
    groups = _pyproject.table(data, "dependency-groups") or {}
    sources = [file(project, tree, name) for name in project.requirements if name != "requirements.txt"]
    lines = [line for source in sources for line in source.splitlines()]
    lines += _pyproject.strings([optional.get(extra) for extra in project.extras])
    lines += _pyproject.strings([groups.get(group) for group in project.groups])
    lines += _pyproject.strings((_pyproject.table(data, "tool", "uv") or {}).get("dev-dependencies"))
    lines += _pyproject.table(poetry, "dev-dependencies") or {}
    for group in project.groups:
        lines += _pyproject.table(poetry, "group", group, "dependencies") or {}
    return _pyproject.names(lines)


def of_project(
    module: str,
    *arguments: str,
    read: Reader | None = None,
    env: Mapping[str, str] | None = None,
    rewrite: Step | None = None,
    merge: bool = False,
) -> Step:
    """A tool of the project's environment; an old one that does not know how to print JSON has a fallback."""
    return Step(
        ((f"{VENV}/bin/{module}",),),
        arguments,
        absent=f"{module} is configured, but the project does not install it",
        env=env or {},
        paths=PATHS,
        read_log=read,
        merge=merge,
        rewrite=rewrite,
        fallback_on="unrecognized arguments|extend-exclude=",  # the old ruff looks for a file of that name
    )
