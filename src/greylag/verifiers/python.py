"""Python projects of uv, poetry or pip: formatters, linters, types and tests, each only where the project has it.

Tools are taken from the project's environment (see `_environment.py`), so in the versions that the project asks for, or
are brought in the version that hooks or CI ask for (see `_added.py`); one that is only configured is said and skipped.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from greylag.model import Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.verifiers import _added, _environment, _pyproject, _testenvs, _tool
from greylag.verifiers._checks import Check
from greylag.verifiers._environment import PYTHON
from greylag.verifiers._linters import linters
from greylag.verifiers._plan import Plan
from greylag.verifiers._pyproject import Project
from greylag.verifiers._runners import runners
from greylag.verifiers._types import type_checkers


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
    checks: list[Check] = [*linters(project, tree), *type_checkers(project, tree), *runners(project, tree)]
    tests = any(phase is Phase.TEST for _, phase, *_ in checks)
    environment = None if tests else _testenvs.find(project, tree, [name.split()[0] for name, *_ in checks])
    if environment:
        checks.append((environment.tool, Phase.TEST, environment.reason, environment.test))
        checks += [(name, Phase.STATIC, "env_list of tox", step) for name, step in environment.others.items()]
    if not checks:
        return
    plan = _added.preparation(project, tree, [name for name, *_ in checks])
    title = _environment.TITLES[project.manager]
    inputs, outputs = _environment.inputs(project, tree), _environment.outputs(project)
    if environment:  # which holds a copy of the project: it is made for each tree
        inputs, outputs, plan = (), None, replace(plan, steps=(*plan.steps, environment.prepare))
    yield Activation("python", title, Phase.PREPARE, project.root, project.why, inputs, plan, outputs)
    for name, phase, reason, step in checks:
        plan = Plan((step,), _versions(name.split()[0], step.programs[0][0]))
        yield Activation("python", name, phase, project.root, reason, (), plan)


def _versions(module: str, program: str) -> dict[str, tuple[str, ...]]:
    if program.startswith("@home@/"):  # in an environment of its own
        return {"python": (PYTHON, "--version"), module: (program, "--version")}
    ask = (PYTHON, "-c", f"import importlib.metadata as m; print(m.version({module!r}))")
    return {"python": (PYTHON, "--version")} | ({} if module == "unittest" else {module: ask})
