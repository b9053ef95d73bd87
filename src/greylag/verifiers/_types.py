"""Type checkers of a Python project: mypy, pyright, basedpyright, ty."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

from greylag import readers
from greylag.model import Phase
from greylag.protocols import Tree
from greylag.verifiers._checks import Check, configured, file, of_project, section, used
from greylag.verifiers._environment import PYTHON
from greylag.verifiers._pyproject import Project

_MYPY_TARGETS = re.compile(r"^\s*(?:files|packages|modules)\s*=|\"(?:files|packages|modules)\":", re.MULTILINE)
_QUIET = {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}


def type_checkers(project: Project, tree: Tree) -> Iterator[Check]:
    """What looks at the types of the sources."""
    yield from _mypy(project, tree)
    yield from _pyright(project, tree)
    yield from _ty(project, tree)


def _mypy(project: Project, tree: Tree) -> Iterator[Check]:
    where = configured(project, "mypy", ("mypy.ini", ".mypy.ini")) or section(project, tree, "mypy", ("setup.cfg",))
    if not where:
        return
    settings = [file(project, tree, name) for name in ("mypy.ini", ".mypy.ini", "setup.cfg")]
    told = _MYPY_TARGETS.search("\n".join((json.dumps(project.tool("mypy"), default=str), *settings)))
    common = ("--no-error-summary", "--no-color-output", "--cache-dir", "@home@/.cache/mypy")
    targets = () if told else _code(project)
    older = of_project("mypy", *common, *targets)
    step = of_project("mypy", *common, "--output", "json", *targets, read=readers.mypy_json)
    yield "mypy", Phase.STATIC, where, replace(step, fallback=older)


def _code(project: Project) -> tuple[str, ...]:
    """Where a project keeps its own modules: `src`, packages at its root, or everywhere."""
    if any(name.startswith("src/") for name in project.files):
        return ("src",)
    packages = {name.split("/")[0] for name in project.files if name.count("/") == 1 and name.endswith("/__init__.py")}
    return tuple(sorted(packages - {"tests", "test", "docs", "examples"})) or (".",)


def _pyright(project: Project, tree: Tree) -> Iterator[Check]:
    """Settings of pyright are basedpyright's, too, where a project uses that one."""
    where = configured(project, "pyright", ("pyrightconfig.json",))
    arguments = ("--outputjson", "--pythonpath", PYTHON)
    based = used(project, tree, "basedpyright", configured(project, "basedpyright", ()))
    if where and not (based and "pyright" not in project.declared):
        step = of_project("pyright", *arguments, read=readers.pyright_json, env=_QUIET)
        yield "pyright", Phase.STATIC, where, step
    if based:
        step = of_project("basedpyright", *arguments, read=readers.pyright_json, env=_QUIET)
        yield "basedpyright", Phase.STATIC, based.reason, step


def _ty(project: Project, tree: Tree) -> Iterator[Check]:
    if evidence := used(project, tree, "ty", configured(project, "ty", ("ty.toml",))):
        arguments = ("check", "--output-format", "gitlab", "--python", PYTHON, *evidence.paths)
        yield "ty", Phase.STATIC, evidence.reason, of_project("ty", *arguments, read=readers.ty_gitlab)
