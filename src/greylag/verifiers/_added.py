"""What is installed for a Python project beside what its own files ask for: tools that it uses and names elsewhere."""

import json
import posixpath
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from greylag.protocols import Tree
from greylag.verifiers import _checks, _environment, _evidence, _hooked, _pyproject, _uvtool
from greylag.verifiers._plan import Plan, Step
from greylag.verifiers._pyproject import Project

_PLUGINS = {  # traces of a pytest plug-in in the configuration -> the package that brings it
    r"--cov\b": "pytest-cov",
    r"(?:^|\s)-n[ =]?(?:\d|auto)": "pytest-xdist",
    r"\basyncio_mode\b": "pytest-asyncio",
    r"--timeout\b": "pytest-timeout",
    r"\bDJANGO_SETTINGS_MODULE\b": "pytest-django",
}
_HOOKS = {  # tools -> where pre-commit has their hooks from
    "ruff": "(?:astral-sh|charliermarsh)/ruff-pre-commit",
    "black": "psf/black(?:-pre-commit-mirror)?",
    "flake8": "PyCQA/flake8",
    "mypy": "pre-commit/mirrors-mypy",
    "pyright": "RobertCraigie/pyright-python",
    "basedpyright": "DetachHead/basedpyright-pre-commit-mirror",
    "ty": "astral-sh/ty-pre-commit",
}
_ENVIRONMENTS = ("tox", "nox", "hatch")
_APART = ("mypy", "pyright")  # which see the project's packages from elsewhere
_PLUGGED = re.compile(r"^plugins\s*=|\"plugins\":", re.MULTILINE)
_JOIN = """
import pathlib, sys, sysconfig
own = pathlib.Path(sysconfig.get_path("purelib"))
added = [line for path in own.glob("*.pth") for line in path.read_text().splitlines() if line.startswith("/")]
for place in pathlib.Path(sys.argv[1]).glob("lib/python*/site-packages"):
    (place / "zz-project.pth").write_text("".join(f"{line}\\n" for line in (own, *added)))
"""  # the packages of the Python that runs this, behind those of another environment
_STUBS = re.compile(r"types-[\w.-]+|[\w.-]+-stubs")


@dataclass(frozen=True, slots=True)
class Brought:
    """A tool that a project uses and does not install: its version where one is said, and what comes with it."""

    tool: str
    version: str
    beside: tuple[str, ...]
    apart: bool  # in an environment of its own

    @property
    def requirement(self) -> str:
        """As a requirement line."""
        return f"{self.tool}=={self.version}" if self.version else self.tool

    @property
    def directory(self) -> str:
        """Where the programs of an environment of its own are."""
        return f"{_uvtool.directory(self.tool, self.version)}/bin"

    @property
    def python(self) -> str:
        """The Python whose packages it is to look at: its own, where packages of its own come before the project's."""
        own = {*self.beside} - {*self.stubs}
        return f"{_uvtool.directory(self.tool, self.version)}/{self.tool}/bin/python" if own else _environment.PYTHON

    @property
    def stubs(self) -> tuple[str, ...]:
        """What describes packages of the project, and so must lie where those are."""
        return tuple(it for it in self.beside if _STUBS.fullmatch(re.split(r"[^\w.-]", it, maxsplit=1)[0]))


def brought(project: Project, tree: Tree, tool: str) -> Brought | None:
    """A tool in the version of its hook, else of CI or a build file; the newest where those call it without one."""
    if tool in project.installed or tool not in (*_HOOKS, *_ENVIRONMENTS):
        return None
    version = _hooked.pinned(tree, _HOOKS[tool]) if tool in _HOOKS else ""
    version = version or _evidence.required(tree, tool)
    if not version and tool not in _ENVIRONMENTS and not _checks.called(project, tree, tool):
        return None
    hooked = any(hook.id == tool for hook in _hooked.hooks(tree))
    # Plug-ins are loaded by the tool: those that its hook does not bring are the project's.
    plugged = tool == "mypy" and not hooked and _PLUGGED.search(_checks.settings_of_mypy(project, tree))
    apart = tool in _APART and not plugged
    return Brought(tool, version, _hooked.brought(tree, tool), apart)


def preparation(project: Project, tree: Tree, checks: Sequence[str]) -> Plan:
    """The environment of a project, with what the checks of these names need beside what its files ask for."""
    wanted = dict.fromkeys(check.split()[0] for check in checks)
    tools = [tool for tool in (brought(project, tree, name) for name in wanted) if tool]
    added = _test_runner(project, tree, wanted)
    added += [it for tool in tools if not tool.apart for it in (tool.requirement, *tool.beside)]
    apart = [tool for tool in tools if tool.apart]
    plan = _environment.plan(project, added, [stub for tool in apart for stub in tool.stubs])
    steps = [step for tool in apart for step in _installed(tool)]
    notes = [f"{tool.requirement} in an environment of its own" for tool in apart]
    return replace(plan, steps=(*plan.steps, *steps), note="; ".join(filter(None, (plan.note, *notes))))


def _installed(tool: Brought) -> list[Step]:
    """An environment of its own, and a way to the project's packages where it has others."""
    steps = [_uvtool.install(tool.tool, tool.version, tool.beside)]
    if tool.python != _environment.PYTHON:
        place = tool.python.removesuffix("/bin/python")
        steps.append(Step(((_environment.PYTHON,),), ("-c", _JOIN, place), may_fail=True, title="join the packages"))
    return steps


def _test_runner(project: Project, tree: Tree, checks: Collection[str]) -> list[str]:
    """pytest, with the plug-ins that its configuration uses, where there are tests for it and nobody brings it."""
    if "pytest" not in checks or "pytest" in project.installed:
        return []
    config = json.dumps(project.tool("pytest"), default=str) + "".join(
        _pyproject.text(tree, posixpath.join(project.root, file)) for file in ("pytest.ini", "tox.ini", "setup.cfg")
    )
    plugins = {package for trace, package in _PLUGINS.items() if re.search(trace, config, re.MULTILINE)}
    return ["pytest", *sorted(plugins - project.installed)]
