"""npm, pnpm, yarn and bun projects with or without TypeScript: the scripts that package.json has.

Beside them only what is set up and has no script: the types (tsc), biome, prettier, and tests for bun.

Where the test runner or linter of a script is known, it is asked for a structured report by more arguments; the text
of others goes to the distiller, and the counts come from their summary.
"""

from collections.abc import Iterator, Sequence

from greylag.model import Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.verifiers import _package, _scripts, _tool
from greylag.verifiers._package import Package, Project
from greylag.verifiers._reports import module
from greylag.verifiers._scripts import Part
from greylag.verifiers._settled import settled
from greylag.verifiers._steps import installation, module_of, repeatable, settled_step, step_of, tools, tsc
from greylag.verifiers._tool import Plan

# Not `dist`: what `prepare` builds is of one tree's sources. A lock file is the manager's own where there was none.
_OUTPUTS = ("node_modules/", ".yarn/", ".pnp.*", "yarn.lock", "package-lock.json", "pnpm-lock.yaml", "bun.lock")


class Node:
    """Verifier of JavaScript and TypeScript projects, one or several in a repository."""

    name = "node"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Installation and one activation per kind of script, for each root that is installed on its own."""
        return [activation for project in _package.projects(tree) for activation in _activations(project)]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run the plan of one activation."""
        return _tool.run(activation, context)


PLUGIN = Node


def _activations(project: Project) -> Iterator[Activation]:
    root, manager = project.package.root, project.manager
    parts = _scripts.parts(project, split=not manager.pnp)
    groups: dict[tuple[Phase, str], list[Part]] = {}
    for part in parts:
        groups.setdefault((part.phase, part.kind), []).append(part)
    compiler = not any(part.kind == "types" or "tsc" in part.command for part in parts) and _has_compiler(
        project.package
    )
    more = settled(project)
    if not compiler and not parts and not more:
        return
    title = " ".join((manager.name, manager.install[0]))
    own = _scripts.builds_on_install(project)
    inputs, outputs = ((), None) if own else (project.inputs, _OUTPUTS)
    yield Activation("node", title, Phase.PREPARE, root, _why(project), inputs, installation(project), outputs)
    if compiler:
        plan = Plan((tsc(project),), tools(["typescript"]))
        yield Activation("node", "tsc", Phase.STATIC, root, "tsconfig.json, and typescript is a dependency", (), plan)
    for check in more:
        plan = Plan((settled_step(project, check),), tools([module_of(check)]))
        yield Activation("node", check.name, check.phase, root, check.reason, (), plan)
    for group in groups.values():
        yield _activation(project, group)


def _activation(project: Project, parts: Sequence[Part]) -> Activation:
    phase = parts[0].phase
    scripts = list(dict.fromkeys(part.script for part in parts))
    programs = list(dict.fromkeys(part.program or part.script for part in parts))
    whole = all(part.whole for part in parts)
    name = f"{project.manager.name} run {_few(scripts)}" if whole else _few(programs)
    places = ", ".join(dict.fromkeys(part.package.root for part in parts if part.package is not project.package))
    reason = f"script `{'`, `'.join(scripts)}` in package.json" + (f" of {places}" if places else "")
    plan = Plan(
        tuple(repeatable(step_of(project, part), phase) for part in parts),
        tools([name for name in dict.fromkeys(map(module, parts)) if name]),
        keep_going=phase is not Phase.COMPILE,
    )
    return Activation("node", name, phase, project.package.root, reason, (), plan)


def _few(names: Sequence[str]) -> str:
    return " + ".join([*names[:3], *([f"{len(names) - 3} more"] if len(names) > 3 else [])])


def _has_compiler(package: Package) -> bool:
    return package.tsconfig and "typescript" in package.dependencies


def _why(project: Project) -> str:
    where = project.manager.lock or "package.json without a lock file"
    return f"{where}; workspace of {len(project.members)} packages" if project.members else where
