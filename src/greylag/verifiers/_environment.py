"""How a Python project gets its `.venv`: uv for speed, poetry where the project is a poetry project.

The user's own `uv` is preferred; without one it is the one that greylag carries. The environment holds the project
(editable), its test dependencies, and what the checks need that the project names nowhere; that last part is said.
"""

import json
import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import uv
from pathspec import GitIgnoreSpec

from greylag.protocols import Tree
from greylag.verifiers import _pyproject
from greylag.verifiers._plan import Plan, Step
from greylag.verifiers._pyproject import FOREIGN, Project

VENV = ".venv"
PYTHON = f"{VENV}/bin/python"
TITLES = {"uv": "uv sync", "poetry": "poetry install", "pip": "uv pip install"}

_ENV = {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1", "UV_LINK_MODE": "copy"}
_HOOKS = ".pre-commit-config.yaml"
_DECLARING = re.compile(r"(?:.*/)?(?:pyproject\.toml|setup\.py|setup\.cfg)")
_INPUTS = re.compile(  # what an installation may read: what declares something, lists, numbers of versions
    r"(?:.*/)?(?:[^/]+\.(?:toml|lock|cfg|ini|txt|in)|\.python-version|setup\.py|(?:_version|version|__about__)\.py)"
    r"|[^/.]+"
)
_BUILT = re.compile(
    r"ext[-_]modules|backend-path|maturin|mesonpy|scikit[-_]build|setuptools[-_]rust|[Cc]ython|cffi"
    r"|\bcmdclass\s*=\s*(?!versioneer\b|\{[^}]{0,500}\})"
    r"|\bcmdclass\s*=\s*\{[^}]{0,500}(?:build|develop|install|egg|wheel)"
)


def plan(project: Project, added: Sequence[str], stubs: Sequence[str] = ()) -> Plan:
    """Preparation, with requirements that are added to those of the project. `stubs` only have types: what they
    describe is left to the project.
    """
    install = {"uv": _sync(project), "poetry": _poetry(project), "pip": _pip(project)}[project.manager]
    extra = [_uv("pip", "install", "--python", PYTHON, *added)] if added else []
    extra += [_uv("pip", "install", "--no-deps", "--python", PYTHON, *stubs)] if stubs else []
    more = (*added, *stubs)
    note = f"{', '.join(more)} added: no file of the project that is installed here names it" if more else ""
    return Plan((_interpreter(project), *install, *extra), {"python": (PYTHON, "--version")}, note)


def inputs(project: Project, tree: Tree) -> tuple[str, ...]:
    """The files that decide what is installed, and the directories where a new name may; none, which means the whole
    tree, where it builds something.

    Other projects of the repository may be requirements of this one, by their paths.
    """
    if _builds(project):
        return ()
    deciding = (file for file in project.files if _INPUTS.fullmatch(file) and not FOREIGN & set(file.split("/")))
    own = {posixpath.normpath(posixpath.join(project.root, file)) for file in deciding}
    declaring = {path for path in tree.paths() if _DECLARING.fullmatch(path) and not FOREIGN & set(path.split("/"))}
    roots = {project.root, *(posixpath.dirname(path) or "." for path in declaring)}
    names = {posixpath.normpath(posixpath.join(root, place)) + "/" for root in roots for place in (".", "src")}
    there = {name for name in names if name == "./" or any(path.startswith(name) for path in tree.paths())}
    return tuple(sorted(own | declaring | there | ({_HOOKS} if _HOOKS in project.shared else set())))


def outputs(project: Project) -> tuple[str, ...] | None:
    """What preparation may leave: the environment, metadata, and the files that builds write a version into."""
    if _builds(project):
        return None
    named = (posixpath.normpath(posixpath.join("/", project.root, file)) for file in _written(project))
    return (f"{VENV}/", "*.egg-info/", "_version.py", *named)


def made(project: Project) -> tuple[str, ...]:
    """Patterns below the root for what preparation makes, as far as the repository has no such file.

    Linters pass over it in a clone, since git ignores it; where verifiers run there is no git.
    """
    patterns = (VENV, "*.egg-info", "_version.py", *_written(project))
    return tuple(p for p in patterns if not any(GitIgnoreSpec.from_lines([p]).match_files(project.files)))


def _written(project: Project) -> list[str]:
    """Files that a build writes the version into."""
    settings = json.dumps(project.pyproject, default=str) + project.setup
    return re.findall(r"(?:write_to|version[-_]file)[\"']?\s*[:=]\s*[\"']?([\w./-]+\.\w+)", settings)


def _builds(project: Project) -> bool:
    """Whether an installation compiles, generates or copies something of the repository's own sources."""
    if project.copies:
        return True
    data = project.pyproject
    hatch = _pyproject.table(data, "tool", "hatch", "build") or {}
    targets = _pyproject.table(hatch, "targets") or {}
    hooks = {hook for key in targets for hook in _pyproject.table(targets, key, "hooks") or {}}
    if (hooks | set(_pyproject.table(hatch, "hooks") or {})) - {"vcs"} or "pdm_build.py" in project.files:
        return True
    if "build" in (_pyproject.table(data, "tool", "poetry") or {}):
        return True
    setuptools = _pyproject.table(data, "tool", "setuptools") or {}
    return bool(_BUILT.search(json.dumps([data.get("build-system"), list(setuptools)], default=str) + project.setup))


def _uv(*arguments: str, fallback: Step | None = None, env: Mapping[str, str] | None = None) -> Step:
    return Step(
        (("uv",), (uv.find_uv_bin(),)),
        arguments,
        env={**_ENV, **(env or {})},
        install="install uv",
        fallback=fallback,
        fallback_on="No interpreter found|Invalid version request",
    )


def _interpreter(project: Project) -> Step:
    """An environment of what .python-version asks for; where the machine lacks that, of what requires-python allows."""
    make = ("venv", "--allow-existing")
    requires = (_pyproject.table(project.pyproject, "project") or {}).get("requires-python")
    allowed = ("--no-project", "--python", requires) if isinstance(requires, str) and requires else ("--no-project",)
    if ".python-version" in project.files:
        return _uv(*make, VENV, fallback=_uv(*make, *allowed, VENV))
    return _uv(*make, *allowed, VENV)


def _sync(project: Project) -> list[Step]:
    chosen = [part for extra in project.extras for part in ("--extra", extra)]
    chosen += [part for group in project.groups for part in ("--group", group)]
    if _pyproject.table(project.pyproject, "tool", "uv", "workspace") is not None:
        chosen.append("--all-packages")
    locked = ("--locked",) if "uv.lock" in project.files else ()
    return [_uv("sync", *locked, "--inexact", "--python", PYTHON, *chosen, env=_version(project))]


def _poetry(project: Project) -> list[Step]:
    """`poetry install`; once more through the plain index where a registry lacks what poetry asks first.

    Poetry wants PyPI's own JSON of each release, which many mirrors do not serve: each package is "not found" then.
    """
    groups = ("--with", ",".join(project.groups)) if project.groups else ()
    extras = (part for extra in project.extras for part in ("--extras", extra))
    uvs = (("uv", "tool", "run"), (uv.find_uv_bin(), "tool", "run"))
    step = Step(
        (("poetry",), *((*run, "poetry") for run in uvs)),
        ("install", "--no-interaction", "--no-ansi", *groups, *extras),
        env={
            **_ENV,
            **_version(project),
            "POETRY_VIRTUALENVS_IN_PROJECT": "true",
            "POETRY_VIRTUALENVS_CREATE": "true",
        },
        install="install poetry or uv",
        fallback_on=r"Unable to find installation candidates|Package \S+ \(\S+\) not found",
    )
    plain = replace(
        step,
        programs=tuple((*run, "--with", "poetry-plugin-pypi-mirror", "poetry") for run in uvs),
        env={**step.env, "POETRY_PYPI_MIRROR_URL": "https://pypi.org/simple/"},
    )
    return [replace(step, fallback=plain)]


def _pip(project: Project) -> list[Step]:
    wanted: list[str] = []
    if project.installable:
        wanted += ["--editable", "." + (f"[{','.join(project.extras)}]" if project.extras else "")]
    elif "project" in project.pyproject:
        wanted += ["--requirements", "pyproject.toml", *(p for extra in project.extras for p in ("--extra", extra))]
    wanted += [part for file in project.requirements for part in ("--requirements", file)]
    wanted += [part for group in project.groups for part in ("--group", group)]
    wanted += project.tox
    return [_uv("pip", "install", "--python", PYTHON, *wanted, env=_version(project))] if wanted else []


def _version(project: Project) -> dict[str, str]:
    """A version for a project that asks git for its own: there is no git where verifiers run.

    A high one, since what depends on the project again mostly sets a lower bound.
    """
    declared = json.dumps([project.pyproject.get("build-system"), project.pyproject.get("tool")], default=str)
    if not re.search(r"setuptools[_-]scm|hatch[_-]vcs|\"scm\"|pbr\b", declared + project.setup):
        return {}
    name = (_pyproject.table(project.pyproject, "project") or {}).get("name", "")
    own = f"SETUPTOOLS_SCM_PRETEND_VERSION_FOR_{re.sub(r'[^A-Z0-9]+', '_', str(name).upper())}"
    # hatch-vcs does not say whose version it asks for.
    anybody = ("SETUPTOOLS_SCM_PRETEND_VERSION",) if not name or re.search(r"hatch[_-]vcs", declared) else ()
    return dict.fromkeys((own, "PDM_BUILD_SCM_VERSION", "PBR_VERSION", *anybody), "999.0.0")
