"""Test runners of a Python project: pytest, else unittest."""

import posixpath
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from greylag import readers
from greylag.model import Diagnostic, Phase
from greylag.protocols import Tree
from greylag.verifiers import _imports, _summaries
from greylag.verifiers._checks import PATHS, Check, file, section
from greylag.verifiers._environment import PYTHON
from greylag.verifiers._plan import Step
from greylag.verifiers._pyproject import Project

_PYTEST_STYLE = re.compile(r"^(?:import pytest|from pytest import|(?:async )?def test_)", re.MULTILINE)
_PYTEST = (
    "-m",
    "pytest",
    "-q",
    "--tb=short",
    "--color=no",
    "-p",
    "no:cacheprovider",
    "--continue-on-collection-errors",  # else one broken file, known from the base commit, would hide all other tests
    "--maxfail=0",  # the same goes for `-x` in its settings
    "-o",
    "junit_family=xunit1",
    "--rootdir=.",
)
_DUMPS = ("-o", "faulthandler_timeout=@long@")  # says where a test is that does not end
_SETTINGS = ("pyproject.toml", "pytest.ini", "setup.cfg", "tox.ini")


def runners(project: Project, tree: Tree) -> Iterator[Check]:
    """What runs the tests that these two would find by themselves."""
    if reason := _why_pytest(project, tree):
        yield "pytest", Phase.TEST, reason, _pytest(project, tree)
    elif project.test_files:
        yield "unittest", Phase.TEST, f"unittest tests such as {project.test_files[0]}", _unittest(project)


def _why_pytest(project: Project, tree: Tree) -> str:
    if project.tool("pytest") is not None:
        return "[tool.pytest] in pyproject.toml"
    for name, title in (("pytest.ini", "pytest"), ("setup.cfg", "tool:pytest"), ("tox.ini", "pytest")):
        if where := section(project, tree, title, (name,)):
            return where
    if conftest := [name for name in project.files if posixpath.basename(name) == "conftest.py"]:
        return min(conftest)
    if "pytest" in project.declared and project.test_files:
        return f"pytest among its dependencies, and {project.test_files[0]}"
    styled = (name for name in project.test_files if _PYTEST_STYLE.search(file(project, tree, name)))
    return next((f"pytest tests such as {name}" for name in styled), "")


def _pytest(project: Project, tree: Tree) -> Step:
    dumps = () if any("no:faulthandler" in file(project, tree, name) for name in _SETTINGS) else _DUMPS
    report = f"@home@/.greylag/pytest-{re.sub(r'[^A-Za-z0-9]+', '-', project.root)}.xml"
    arguments = (*_PYTEST, *dumps, f"--junitxml={report}", *(f"--ignore={other}" for other in project.nested))
    step = Step(
        ((PYTHON,),),
        arguments,
        install="the preparation made no environment",
        env={"PYTHONDONTWRITEBYTECODE": "1", "PYTEST_XDIST_AUTO_NUM_WORKERS": "@cpus@"},
        paths=PATHS,
        reports=(report,),
        read_report=readers.junit_xml,
        empty_codes=(5,),
        title="pytest",
        again=lambda failed: (*arguments, *_tests_of(failed)),
    )

    def affected(tree: Tree, changed: Collection[str]) -> Step | None:
        files = _imports.affected(project, tree, changed)
        return replace(step, arguments=(*arguments, *files)) if files else None

    return replace(step, affected=affected)


def _tests_of(failed: Sequence[Diagnostic]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(d.test for d in failed if d.test and not d.test.startswith("-")))


def _unittest(project: Project) -> Step:
    top = "." if any("/" not in name for name in project.test_files) else project.test_files[0].split("/")[0]
    return Step(
        ((PYTHON,),),
        ("-m", "unittest", "discover", "-v", "-s", top, "-t", "."),
        install="the preparation made no environment",
        env={"PYTHONDONTWRITEBYTECODE": "1", "PYTHONFAULTHANDLER": "1"},
        paths=PATHS,
        read_log=_summaries.unittest,
        empty_codes=(5,),
        again=lambda failed: ("-m", "unittest", "-v", *_tests_of(failed)),
    )
