"""Test environments of a Python project that has no tests for pytest or unittest: tox, nox, hatch.

The environment is made for each tree, since most of them copy the project into it; tests then run without a network.
Its files are read as text and never evaluated, so only what they say plainly is found.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from greylag.protocols import Tree
from greylag.verifiers import _pyproject, _summaries
from greylag.verifiers._checks import PATHS, file
from greylag.verifiers._environment import VENV
from greylag.verifiers._plan import Step
from greylag.verifiers._pyproject import Project
from greylag.verifiers._uvtool import UNREACHABLE

_TESTS = re.compile(r"(?:unit[-_]?)?tests?(?:[-_]?unit)?|unit|py|pytest", re.IGNORECASE)
_INTERPRETER = re.compile(r"(?:^|-)(?:py|pypy)?[23][\d.]*(?:-|$)")
_SESSION = re.compile(
    r"^@(?:nox\.)?session\b(?P<options>[^\n]*(?:\n(?!@|def )[^\n]*)*)(?:\n@[^\n]*(?:\n(?!@|def )[^\n]*)*)*"
    r"\ndef (?P<name>\w+)\(",
    re.MULTILINE,
)
_NAMED = re.compile(r"\bname\s*=\s*[\"']([\w.-]+)[\"']")
_NOX = ("--force-python", "python", "--no-error-on-missing-interpreters", "-s")


@dataclass(frozen=True, slots=True)
class TestEnvironment:
    """How a tool makes an environment for tests, and runs them in it; `others` are checks beside them, by name."""

    tool: str
    reason: str
    prepare: Step
    test: Step
    others: Mapping[str, Step] = field(default_factory=dict)


def find(project: Project, tree: Tree, known: Collection[str]) -> TestEnvironment | None:
    """The first of these tools that says how this project's tests are run. `known` are tools that run anyhow."""
    found = next((found for way in (_tox, _nox, _hatch) for found in way(project, tree)), None)
    if found is None or found.tool != "tox":
        return found
    names = [
        name
        for name, words in _default(project, tree)
        if not (words <= {*known} or _TESTS.fullmatch(name) or _INTERPRETER.search(name))
    ]
    step = replace(found.test, empty="", read_log=None)
    others = {
        f"tox {name}": replace(step, arguments=("run", "-e", name, "--skip-pkg-install"), title=f"tox run -e {name}")
        for name in names
    }
    wanted = ",".join((found.prepare.arguments[2], *names))
    prepare = replace(found.prepare, arguments=("run", "-e", wanted, *found.prepare.arguments[3:]))
    return replace(found, prepare=prepare, others=others)


def _way(tool: str, reason: str, prepare: tuple[str, ...], test: tuple[str, ...]) -> TestEnvironment:
    step = Step(
        ((f"{VENV}/bin/{tool}",),),
        test,
        install=f"the preparation has not installed {tool}",
        paths=PATHS,
        env={"PYTHONFAULTHANDLER": "1"},
        read_log=_summaries.python,
        empty=r"(?m)^Ran 0 tests|^NO TESTS RAN|no tests ran in [\d.]+s",
    )
    first = replace(step, arguments=prepare, read_log=None, empty="", may_fail=True, unable=UNREACHABLE)
    return TestEnvironment(tool, reason, first, step)


# -- tox -------------------------------------------------------------------------------------------------------------


def _tox(project: Project, tree: Tree) -> Iterator[TestEnvironment]:
    table = project.tool("tox") or {}
    sources = {"tox.ini": file(project, tree, "tox.ini"), "setup.cfg": file(project, tree, "setup.cfg")}
    sources["pyproject.toml"] = str(table.get("legacy_tox_ini") or "")
    tables = {"tox.toml": _pyproject.toml(tree, f"{project.root}/tox.toml"), "pyproject.toml": table}
    found = [(name, _ini_environment(source)) for name, source in sources.items()]
    found += [(name, _toml_environment(data)) for name, data in tables.items()]
    for name, environment in found:
        if environment:
            common = ("run", "-e", environment)
            reason = f"environment `{environment}` of tox in {name}"
            yield _way("tox", reason, (*common, "--notest"), (*common, "--skip-pkg-install"))


def _default(project: Project, tree: Tree) -> Iterator[tuple[str, set[str]]]:
    """The environments that tox runs when it is told none, with what they call."""
    for source in (file(project, tree, "tox.ini"), file(project, tree, "setup.cfg")):
        ini = _pyproject.ini(source)
        for title in ("tox", "tox:tox"):
            listed = "".join(ini.get(title, key, fallback="") for key in ("env_list", "envlist"))
            for name in re.split(r"[\s,]+", listed):
                commands = ini.get(f"testenv:{name}", "commands", fallback="")
                if words := {line.split()[0] for line in commands.splitlines() if line.strip()}:
                    yield name, words
    for data in (_pyproject.toml(tree, f"{project.root}/tox.toml"), project.tool("tox") or {}):
        default = data.get("env_list")
        for name, environment in _tables(data, "env"):
            lines = environment.get("commands")
            if isinstance(default, list) and name in default and isinstance(lines, list):
                yield name, {str(line[0]) for line in lines if isinstance(line, list) and line}


def _ini_environment(source: str) -> str:
    """The one for tests: `py`, which tox has without being told, where the settings of all have commands."""
    ini = _pyproject.ini(source)
    names = [name.removeprefix("testenv:") for name in ini.sections() if name.startswith("testenv:")]
    own = (name for name in names if _TESTS.fullmatch(name) and ini.has_option(f"testenv:{name}", "commands"))
    return next(own, "py" if ini.has_option("testenv", "commands") else "")


def _toml_environment(data: Mapping[str, Any]) -> str:
    own = (name for name, env in _tables(data, "env") if _TESTS.fullmatch(name) and "commands" in env)
    return next(own, "py" if "commands" in (_pyproject.table(data, "env_run_base") or {}) else "")


def _tables(data: Mapping[str, Any], *keys: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    names = _pyproject.table(data, *keys) or {}
    return ((name, value) for name, value in names.items() if isinstance(value, Mapping))


# -- nox and hatch ---------------------------------------------------------------------------------------------------


def _nox(project: Project, tree: Tree) -> Iterator[TestEnvironment]:
    for found in _SESSION.finditer(file(project, tree, "noxfile.py")[: 1 << 18]):
        named = _NAMED.search(found["options"])
        session = named[1] if named else found["name"]
        if _TESTS.fullmatch(session):
            common = (*_NOX, session)
            yield _way("nox", f"session `{session}` in noxfile.py", ("--install-only", *common), ("-R", *common))


def _hatch(project: Project, tree: Tree) -> Iterator[TestEnvironment]:
    tables = {
        "pyproject.toml": project.tool("hatch") or {},
        "hatch.toml": _pyproject.toml(tree, f"{project.root}/hatch.toml"),
    }
    for name, data in tables.items():
        for environment, settings in _tables(data, "envs"):
            scripts = _pyproject.table(settings, "scripts") or {}
            script = next((script for script in scripts if _TESTS.fullmatch(script) or script == "run"), "")
            fits = environment == "default" or _TESTS.fullmatch(environment)
            if fits and script and "matrix" not in settings and not (environment == "default" and script == "run"):
                reason = f"script `{script}` of the environment `{environment}` in {name}"
                yield _way("hatch", reason, ("env", "create", environment), ("run", f"{environment}:{script}"))
