"""Type checkers of a Python project: mypy, pyright, basedpyright, ty."""

import re
from collections.abc import Iterator
from dataclasses import replace

from greylag import readers
from greylag.model import Phase
from greylag.protocols import Tree
from greylag.verifiers import _added, _evidence, _hooked
from greylag.verifiers._added import Brought
from greylag.verifiers._checks import Check, configured, of_project, section, settings_of_mypy, used
from greylag.verifiers._environment import PYTHON
from greylag.verifiers._plan import Step
from greylag.verifiers._pyproject import Project

_MYPY_TARGETS = re.compile(r"^\s*(?:files|packages|modules)\s*=|\"(?:files|packages|modules)\":", re.MULTILINE)
_MYPY = (
    "--strict --ignore-missing-imports --scripts-are-modules --check-untyped-defs --config-file= --python-version="
    " --platform= --follow-imports= --exclude= --disable-error-code= --enable-error-code="
    " --always-true= --always-false= --disallow-any-unimported --disallow-any-expr --disallow-any-decorated"
    " --disallow-any-explicit"
    " --disallow-any-generics --disallow-subclassing-any --disallow-untyped-calls --disallow-untyped-defs"
    " --disallow-incomplete-defs --disallow-untyped-decorators --no-implicit-optional --implicit-optional"
    " --no-strict-optional --warn-redundant-casts --warn-unused-ignores --warn-return-any --warn-unreachable"
    " --warn-unused-configs --warn-incomplete-stub --no-warn-no-return --allow-untyped-globals --allow-redefinition"
    " --allow-untyped-defs --allow-untyped-calls --allow-subclassing-any --no-implicit-reexport --implicit-reexport"
    " --strict-equality --extra-checks --strict-bytes --local-partial-types --no-namespace-packages"
    " --namespace-packages --explicit-package-bases --follow-untyped-imports --no-incremental -p= --package= -m="
    " --module="
)
_MIRROR = ("--ignore-missing-imports", "--scripts-are-modules")  # what mirrors-mypy has unless it is told otherwise
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
    found = _added.brought(project, tree, "mypy")
    options, targets = _as_called(project, tree) if found else ((), _code(project))
    if _MYPY_TARGETS.search(settings_of_mypy(project, tree)):
        targets = ()
    common = ("--no-error-summary", "--no-color-output", "--cache-dir", "@home@/.cache/mypy", *options)
    older = of_project("mypy", *common, *targets, read=readers.mypy_text)
    step = of_project("mypy", *common, "--output", "json", *targets, read=readers.mypy_json)
    step, older = (_apart(it, found, "--python-executable", _python(found)) for it in (step, older))
    yield "mypy", Phase.STATIC, where, replace(step, fallback=older)


def _python(tool: Brought | None) -> str:
    """The Python whose packages a type checker looks at."""
    return tool.python if tool and tool.apart else PYTHON


def _apart(step: Step, tool: Brought | None, *arguments: str) -> Step:
    """A step whose tool may have an environment of its own, where it must be told of the project's."""
    if not tool or not tool.apart:
        return step
    return replace(
        step,
        programs=((f"{tool.directory}/{tool.tool}",),),
        arguments=(*arguments, *step.arguments),
        absent=f"{tool.requirement} could not be installed",
    )


def _as_called(project: Project, tree: Tree) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """With which options, and on what, pre-commit or CI calls mypy."""
    if project.root != ".":
        return (), _code(project)
    if hook := next((it for it in _hooked.hooks(tree) if it.id == "mypy"), None):
        words = _MIRROR if hook.arguments is None else hook.arguments
        everything = _code(project) if hook.chosen else (".",)
        return _evidence.chosen(words, _MYPY), _evidence.places(words, tree) or everything
    calls = (_evidence.called(tree, "mypy", _MYPY, alone=alone) for alone in (False, True))
    call = next(filter(None, calls), None)
    return (call.options, call.paths or _code(project)) if call else ((), _code(project))


def _code(project: Project) -> tuple[str, ...]:
    """Where a project keeps its own modules: `src`, packages at its root, or everywhere."""
    if any(name.startswith("src/") for name in project.files):
        return ("src",)
    packages = {name.split("/")[0] for name in project.files if name.count("/") == 1 and name.endswith("/__init__.py")}
    return tuple(sorted(packages - {"tests", "test", "docs", "examples"})) or (".",)


def _pyright(project: Project, tree: Tree) -> Iterator[Check]:
    """Settings of pyright are basedpyright's, too, where a project uses that one."""
    where = configured(project, "pyright", ("pyrightconfig.json",))
    based = used(project, tree, "basedpyright", configured(project, "basedpyright", ()))
    if where and not (based and "pyright" not in project.installed):
        found = _added.brought(project, tree, "pyright")
        step = of_project(
            "pyright", "--outputjson", "--pythonpath", _python(found), read=readers.pyright_json, env=_QUIET
        )
        step = _apart(step, found)
        yield "pyright", Phase.STATIC, where, step
    if based:
        step = of_project("basedpyright", "--outputjson", "--pythonpath", PYTHON, read=readers.pyright_json, env=_QUIET)
        yield "basedpyright", Phase.STATIC, based.reason, step


def _ty(project: Project, tree: Tree) -> Iterator[Check]:
    if evidence := used(project, tree, "ty", configured(project, "ty", ("ty.toml",))):
        arguments = ("check", "--output-format", "gitlab", "--python", PYTHON, *evidence.paths)
        yield "ty", Phase.STATIC, evidence.reason, of_project("ty", *arguments, read=readers.ty_gitlab)
