"""What is installed for a Python project beside what its own files ask for: tools that it uses and names elsewhere."""

import json
import posixpath
import re
from collections.abc import Collection, Iterator, Sequence

from greylag.protocols import Tree
from greylag.verifiers import _checks, _evidence, _pyproject
from greylag.verifiers._pyproject import Project

_PLUGINS = {  # traces of a pytest plug-in in the configuration -> the package that brings it
    r"--cov\b": "pytest-cov",
    r"(?:^|\s)-n[ =]?(?:\d|auto)": "pytest-xdist",
    r"\basyncio_mode\b": "pytest-asyncio",
    r"--timeout\b": "pytest-timeout",
    r"\bDJANGO_SETTINGS_MODULE\b": "pytest-django",
}
_HOOKS = {  # tools -> where pre-commit has their hooks from
    "ruff": "astral-sh/ruff-pre-commit",
    "black": "psf/black(?:-pre-commit-mirror)?",
    "flake8": "[Pp]y[Cc][Qq][Aa]/flake8",
    "basedpyright": "DetachHead/basedpyright-pre-commit-mirror",
    "ty": "astral-sh/ty-pre-commit",
}
_ENVIRONMENTS = ("tox", "nox", "hatch")


def packages(project: Project, tree: Tree, checks: Sequence[str]) -> list[str]:
    """Requirements for the checks of these names."""
    wanted = dict.fromkeys(check.split()[0] for check in checks)
    found = [*_test_runner(project, tree, wanted)]
    for tool in (tool for tool in wanted if tool not in project.declared):
        found += _tool(project, tree, tool)
    return found


def _tool(project: Project, tree: Tree, tool: str) -> Iterator[str]:
    """A tool in the version of its hook, else of CI or a build file; the newest where those call it without one."""
    if tool not in (*_HOOKS, *_ENVIRONMENTS):
        return
    pinned = _evidence.pinned(tree, _HOOKS[tool]) if tool in _HOOKS else ""
    version = pinned or ("" if tool == "ruff" else _evidence.required(tree, tool))
    if version or tool in _ENVIRONMENTS or (tool != "ruff" and _checks.called(project, tree, tool)):
        yield f"{tool}=={version}" if version else tool
        yield from _evidence.brought(tree, tool) if pinned else ()


def _test_runner(project: Project, tree: Tree, checks: Collection[str]) -> list[str]:
    """pytest, with the plug-ins that its configuration uses, where there are tests for it and nobody brings it."""
    if "pytest" not in checks or "pytest" in project.declared:
        return []
    config = json.dumps(project.tool("pytest"), default=str) + "".join(
        _pyproject.text(tree, posixpath.join(project.root, file)) for file in ("pytest.ini", "tox.ini", "setup.cfg")
    )
    plugins = {package for trace, package in _PLUGINS.items() if re.search(trace, config, re.MULTILINE)}
    return ["pytest", *sorted(plugins - project.declared)]
