"""Python projects of uv, poetry or pip: ruff, mypy, pyright, pytest or unittest, each only where the project has it.

Tools are taken from the project's environment (see `_environment.py`), so in the versions that the project asks for;
one that is configured but not installed there is said and skipped.
"""

import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

from greylag import readers
from greylag.model import Diagnostic, Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.verifiers import _environment, _pyproject, _summaries, _tool
from greylag.verifiers._environment import PYTHON, VENV
from greylag.verifiers._pyproject import Project
from greylag.verifiers._tool import Plan, Reader, Step

Check = tuple[str, Phase, str, Step]  # name, phase, reason, what to run

_MYPY_TARGETS = re.compile(r"^\s*(?:files|packages|modules)\s*=|\"(?:files|packages|modules)\":", re.MULTILINE)
_RUFF_FORMAT = re.compile(r"\bruff format\b|\bid: ruff-format\b|^\[format\]", re.MULTILINE)
_PYTEST_STYLE = re.compile(r"^(?:import pytest|from pytest import|(?:async )?def test_)", re.MULTILINE)
_PATHS = (f"{VENV}/bin",)  # as in an activated environment: tests start programs by their names
_PYTEST = (
    "-m",
    "pytest",
    "-q",
    "--tb=short",
    "--color=no",
    "-p",
    "no:cacheprovider",
    "--continue-on-collection-errors",  # else one broken file, known from the base commit, would hide all other tests
    "-o",
    "junit_family=xunit1",
    "--rootdir=.",
)


class Python:
    """Verifier of Python projects, one or several in a repository."""

    name = "python"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """One preparation per project and one activation per tool that the project has configured."""
        return [activation for project in _pyproject.projects(tree) for activation in _activations(project, tree)]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run the plan of one activation."""
        return _tool.run(activation, context)


PLUGIN = Python


def _activations(project: Project, tree: Tree) -> Iterator[Activation]:
    checks = [*_ruff(project, tree), *_mypy(project, tree), *_pyright(project), *_tests(project, tree)]
    if not checks:
        return
    plan = _environment.plan(project, tree, [name for name, *_ in checks])
    title = _environment.TITLES[project.manager]
    inputs, outputs = _environment.inputs(project), _environment.outputs(project)
    yield Activation("python", title, Phase.PREPARE, project.root, project.why, inputs, plan, outputs)
    for name, phase, reason, step in checks:
        yield Activation("python", name, phase, project.root, reason, (), Plan((step,), _versions(name.split()[0])))


def _versions(module: str) -> dict[str, tuple[str, ...]]:
    ask = (PYTHON, "-c", f"import importlib.metadata as m; print(m.version({module!r}))")
    return {"python": (PYTHON, "--version")} | ({} if module == "unittest" else {module: ask})


def _file(project: Project, tree: Tree, name: str) -> str:
    return _pyproject.text(tree, posixpath.normpath(posixpath.join(project.root, name)))


def _configured(project: Project, tool: str, files: Sequence[str]) -> str:
    if project.tool(tool) is not None:
        return f"[tool.{tool}] in pyproject.toml"
    return next((file for file in files if file in project.files), "")


def _of_project(
    module: str,
    *arguments: str,
    read: Reader | None = None,
    env: Mapping[str, str] | None = None,
    fallback: Step | None = None,
) -> Step:
    """A tool of the project's environment that prints JSON; an old one that does not know how has a fallback."""
    return Step(
        ((f"{VENV}/bin/{module}",),),
        arguments,
        absent=f"{module} is configured, but the project does not install it",
        env=env or {},
        paths=_PATHS,
        read_log=read,
        merge=False,
        fallback=fallback,
        fallback_on="unrecognized arguments|extend-exclude=",  # the old ruff looks for a file of that name
    )


# -- linters and types -----------------------------------------------------------------------------------------------


def _ruff(project: Project, tree: Tree) -> Iterator[Check]:
    where = _configured(project, "ruff", ("ruff.toml", ".ruff.toml"))
    if not where:
        return
    made = _environment.made(project)
    # --no-fix: `fix = true` in its settings would hide what it mends.
    common = ("check", "--no-fix", "--output-format", "json", "--no-cache")
    lint = _of_project("ruff", *common, *(f"--extend-exclude={it}" for it in made), ".", read=readers.ruff_json)
    yield "ruff", Phase.STATIC, where, lint
    if evidence := _formats(project, tree):
        yield "ruff format", Phase.FORMAT, evidence, _ruff_format(made)


def _ruff_format(made: Sequence[str]) -> Step:
    """Its `--extend-exclude` is only a few months old. One in `--config`, since 0.2.1, adds to the project's, too."""
    check, exclude = ("format", "--check", "--no-cache"), f"extend-exclude={json.dumps(made)}"
    older = _of_project("ruff", *check, ".", read=_unformatted)
    return _of_project("ruff", *check, "--config", exclude, ".", read=_unformatted, fallback=older)


def _formats(project: Project, tree: Tree) -> str:
    """Why the project seems to format with ruff; having ruff as a linter says nothing about that."""
    if _pyproject.table(project.pyproject, "tool", "ruff", "format") is not None:
        return "[tool.ruff.format] in pyproject.toml"
    own = ("Makefile", "tox.ini", "noxfile.py", "justfile", "ruff.toml", ".ruff.toml")
    shared = [".pre-commit-config.yaml", *(path for path in tree.paths() if path.startswith(".github/workflows/"))]
    found = [file for file in own if _RUFF_FORMAT.search(_file(project, tree, file))]
    found += [path for path in shared if _RUFF_FORMAT.search(_pyproject.text(tree, path))]
    return found[0] if found else ""


def _unformatted(data: bytes, root: str, _workspace: str) -> tuple[Diagnostic, ...]:
    """Files in the words of older and of newer versions of ruff."""
    text = data.decode("utf-8", "replace")
    paths = re.findall(r"^(?:Would reformat: | +--> )(\S.*?)(?::\d+:\d+)?$", text, re.MULTILINE)
    places = [posixpath.normpath(posixpath.join(root, path)) for path in paths]
    return tuple(Diagnostic("not formatted as `ruff format` does", path=place, rule="ruff-format") for place in places)


def _mypy(project: Project, tree: Tree) -> Iterator[Check]:
    where = _configured(project, "mypy", ("mypy.ini", ".mypy.ini"))
    if not where and _pyproject.ini(_file(project, tree, "setup.cfg")).has_section("mypy"):
        where = "[mypy] in setup.cfg"
    if not where:
        return
    settings = [_file(project, tree, file) for file in ("mypy.ini", ".mypy.ini", "setup.cfg")]
    told = _MYPY_TARGETS.search("\n".join((json.dumps(project.tool("mypy"), default=str), *settings)))
    common = ("--no-error-summary", "--no-color-output", "--cache-dir", "@home@/.cache/mypy")
    targets = () if told else _code(project)
    older = _of_project("mypy", *common, *targets)
    step = _of_project("mypy", *common, "--output", "json", *targets, read=readers.mypy_json, fallback=older)
    yield "mypy", Phase.STATIC, where, step


def _code(project: Project) -> tuple[str, ...]:
    """Where a project keeps its own modules: `src`, packages at its root, or everywhere."""
    if any(file.startswith("src/") for file in project.files):
        return ("src",)
    packages = {file.split("/")[0] for file in project.files if file.count("/") == 1 and file.endswith("/__init__.py")}
    return tuple(sorted(packages - {"tests", "test", "docs", "examples"})) or (".",)


def _pyright(project: Project) -> Iterator[Check]:
    if where := _configured(project, "pyright", ("pyrightconfig.json",)):
        quiet = {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
        step = _of_project("pyright", "--outputjson", "--pythonpath", PYTHON, read=readers.pyright_json, env=quiet)
        yield "pyright", Phase.STATIC, where, step


# -- tests -----------------------------------------------------------------------------------------------------------


def _tests(project: Project, tree: Tree) -> Iterator[Check]:
    if reason := _why_pytest(project, tree):
        yield "pytest", Phase.TEST, reason, _pytest(project)
    elif project.test_files:
        yield "unittest", Phase.TEST, f"unittest tests such as {project.test_files[0]}", _unittest(project)


def _why_pytest(project: Project, tree: Tree) -> str:
    if project.tool("pytest") is not None:
        return "[tool.pytest] in pyproject.toml"
    for file, section in (("pytest.ini", "pytest"), ("setup.cfg", "tool:pytest"), ("tox.ini", "pytest")):
        if _pyproject.ini(_file(project, tree, file)).has_section(section):
            return f"[{section}] in {file}"
    if conftest := [file for file in project.files if posixpath.basename(file) == "conftest.py"]:
        return min(conftest)
    if "pytest" in project.declared and project.test_files:
        return f"pytest among its dependencies, and {project.test_files[0]}"
    styled = (file for file in project.test_files if _PYTEST_STYLE.search(_file(project, tree, file)))
    return next((f"pytest tests such as {file}" for file in styled), "")


def _pytest(project: Project) -> Step:
    report = f"@home@/.greylag/pytest-{re.sub(r'[^A-Za-z0-9]+', '-', project.root)}.xml"
    arguments = (*_PYTEST, f"--junitxml={report}", *(f"--ignore={other}" for other in project.nested))
    return Step(
        ((PYTHON,),),
        arguments,
        install="the preparation made no environment",
        env={"PYTHONDONTWRITEBYTECODE": "1"},
        paths=_PATHS,
        reports=(report,),
        read_report=readers.junit_xml,
        empty_codes=(5,),
        again=lambda failed: (*arguments, *_tests_of(failed)),
    )


def _tests_of(failed: Sequence[Diagnostic]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(d.test for d in failed if d.test and not d.test.startswith("-")))


def _unittest(project: Project) -> Step:
    top = "." if any("/" not in file for file in project.test_files) else project.test_files[0].split("/")[0]
    return Step(
        ((PYTHON,),),
        ("-m", "unittest", "discover", "-v", "-s", top, "-t", "."),
        install="the preparation made no environment",
        env={"PYTHONDONTWRITEBYTECODE": "1"},
        paths=_PATHS,
        read_log=_summaries.unittest,
        empty_codes=(5,),
        again=lambda failed: ("-m", "unittest", "-v", *_tests_of(failed)),
    )
