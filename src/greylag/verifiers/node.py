"""npm, pnpm and yarn projects with or without TypeScript: the scripts that package.json has, and no others.

Where the test runner or linter of a script is known, it is asked for a structured report by more arguments; the text
of others goes to the distiller, and the counts come from their summary.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from greylag import readers
from greylag.model import Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.verifiers import _package, _scripts, _summaries, _tool
from greylag.verifiers._manager import RELEASE
from greylag.verifiers._package import Package, Project
from greylag.verifiers._scripts import Part
from greylag.verifiers._tool import Plan, Reader, Step

_ENV = {
    "HUSKY": "0",
    "npm_config_update_notifier": "false",
    "npm_config_audit": "false",
    "npm_config_fund": "false",
    "COREPACK_ENABLE_DOWNLOAD_PROMPT": "0",
    "YARN_ENABLE_TELEMETRY": "0",
    "YARN_ENABLE_GLOBAL_CACHE": "false",  # the cache goes into the workspace, so that later phases have it
}
_OFFLINE = {"npm_config_offline": "true"}
# Not `dist`: what `prepare` builds is of one tree's sources. A lock file is the manager's own where there was none.
_OUTPUTS = ("node_modules/", ".yarn/", ".pnp.*", "yarn.lock", "package-lock.json", "pnpm-lock.yaml")
_NODE = {"node": ("node", "--version")}
_NODE_TEST = re.compile(r"node\s(?:[^&]*\s)?--test(?:\s|$)")


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
    if not compiler and not parts:
        return
    title = " ".join((manager.name, manager.install[0]))
    own = _scripts.builds_on_install(project)
    inputs, outputs = ((), None) if own else (project.inputs, _OUTPUTS)
    yield Activation("node", title, Phase.PREPARE, root, _why(project), inputs, _installation(project), outputs)
    if compiler:
        plan = Plan((_tsc(project),), _tools(["typescript"]))
        yield Activation("node", "tsc", Phase.STATIC, root, "tsconfig.json, and typescript is a dependency", (), plan)
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
        tuple(_repeatable(_step(project, part), phase) for part in parts),
        _tools([program for program in programs if program in _RUNNERS]),
        keep_going=phase is not Phase.COMPILE,
    )
    return Activation("node", name, phase, project.package.root, reason, (), plan)


def _repeatable(step: Step, phase: Phase) -> Step:
    """With the whole script as what tells a flaky test: scripts do not say where more file names could go."""
    return replace(step, again=lambda _failed: step.arguments) if phase is Phase.TEST else step


def _few(names: Sequence[str]) -> str:
    return " + ".join([*names[:3], *([f"{len(names) - 3} more"] if len(names) > 3 else [])])


def _has_compiler(package: Package) -> bool:
    return package.tsconfig and "typescript" in package.dependencies


def _why(project: Project) -> str:
    where = project.manager.lock or "package.json without a lock file"
    return f"{where}; workspace of {len(project.members)} packages" if project.members else where


# -- steps -----------------------------------------------------------------------------------------------------------


def _installation(project: Project) -> Plan:
    notes = _scripts.left_out(project, split=not project.manager.pnp)
    if not project.manager.lock:
        notes.insert(0, "there is no lock file: versions are the registry's newest that fit")
    wrong_node = r'The engine "node" is incompatible|ERR_PNPM_UNSUPPORTED_ENGINE|requires at least Node\.js'
    step = replace(_base(project), arguments=project.manager.install, unable=wrong_node)
    manager = {project.manager.name: (*project.manager.programs[0], "--version")}
    return Plan((*_provision(project), step), _NODE | manager, "; ".join(notes))


def _provision(project: Project) -> tuple[Step, ...]:
    """The package manager itself, where it does not come with Node.js: it stays in the home for all later phases."""
    if not project.manager.provision:
        return ()
    title = f"npm install --global {project.manager.package}"
    return (replace(_base(project), programs=(("sh",),), arguments=project.manager.provision, title=title),)


def _base(project: Project) -> Step:
    manager = project.manager
    env = _ENV | ({RELEASE: manager.release} if manager.release else {})
    install = f"install Node.js with {manager.name}"
    return Step(manager.programs, install=install, env=env, offline_env=_OFFLINE, paths=manager.paths)


def _tools(modules: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Not the package manager, which may have to ask the registry who it is: it says so where there is a network."""
    read = "console.log(JSON.parse(require('fs').readFileSync('node_modules/{}/package.json')).version)"
    return _NODE | {module: ("node", "-e", read.format(module)) for module in modules}


def _tsc(project: Project) -> Step:
    command = project.manager.binary("tsc", "--noEmit", "--pretty", "false")
    return replace(_base(project), arguments=command, read_log=readers.tsc_text)


def _step(project: Project, part: Part) -> Step:
    place = posixpath.relpath(part.package.root, project.package.root)
    slug = re.sub(r"[^A-Za-z0-9]+", "-", f"{part.package.root}-{part.script}-{part.program}")
    base = replace(_base(project), cwd=place, read_log=_log_reader(part), title=part.command)
    runner = _RUNNERS.get(part.program)
    if runner and not re.search(runner.taken, part.bare):
        return _reporting(project, part, base, runner, f"@home@/.greylag/node-{slug}{runner.suffix}")
    base = _running(project, part, replace(base, empty=r"[Nn]o tests? (?:files? )?found"), ())
    if part.phase is Phase.TEST and part.program == "node" and _NODE_TEST.match(part.bare):
        return _node_test(base, f"@home@/.greylag/node-{slug}.xml")
    return base


def _running(project: Project, part: Part, base: Step, arguments: Sequence[str]) -> Step:
    """A whole script is run by the package manager, a part of one by the shell that would have run it."""
    if part.whole:
        return replace(base, arguments=project.manager.script(part.script, arguments))
    line = " ".join((part.command, *arguments))
    top = posixpath.relpath(project.package.root, part.package.root)
    paths = dict.fromkeys(posixpath.normpath(f"{place}/node_modules/.bin") for place in (".", top))
    return replace(base, programs=(("sh",),), arguments=("-c", line), paths=(*paths, *base.paths))


def _reporting(project: Project, part: Part, base: Step, runner: "_Runner", report: str) -> Step:
    arguments = tuple(argument.replace("REPORT", report) for argument in runner.arguments)
    step = _running(project, part, replace(base, empty=runner.empty), arguments)
    if runner.suffix:
        return replace(step, reports=(report,), read_report=runner.read)
    return replace(step, read_log=runner.read, merge=False)


def _node_test(base: Step, report: str) -> Step:
    """node:test is told by the environment, since its options must stand before its files."""
    pairs = (("spec", "stdout"), ("junit", report))
    options = " ".join(f"--test-reporter={name} --test-reporter-destination={to}" for name, to in pairs)
    return replace(base, append={"NODE_OPTIONS": options}, reports=(report,), read_report=readers.junit_xml)


def _log_reader(part: Part) -> Reader | None:
    if part.phase is Phase.TEST:
        return _summaries.javascript
    if part.program == "prettier":
        return _summaries.prettier
    return readers.tsc_text


@dataclass(frozen=True, slots=True)
class _Runner:
    """How a program is asked for a structured report: in a file when there is a suffix, else on standard output.

    `taken`: options of a command that has a form of output of its own, besides which it cannot have ours.
    """

    arguments: tuple[str, ...]
    suffix: str
    read: Reader
    empty: str = ""
    taken: str = r"--(?:reporter|format|json|outputFile|tap)\b|\s-f\s"


_RUNNERS = {
    "vitest": _Runner(
        ("--reporter=default", "--reporter=json", "--outputFile.json=REPORT"),
        ".json",
        readers.jest_json,
        r"No test files found",
        r"--outputFile\b",  # it may have many reporters
    ),
    "jest": _Runner(
        ("--ci", "--json", "--outputFile=REPORT", "--maxWorkers=@cpus@"), ".json", readers.jest_json, r"No tests found"
    ),
    "mocha": _Runner(
        ("--reporter", "xunit", "--reporter-options", "output=REPORT"),
        ".xml",
        readers.junit_xml,
        r"No test files found",
        r"--reporter-options?\b|\s-O",  # of several reporters it takes the last
    ),
    "ava": _Runner(("--tap",), "", readers.tap, r"Couldn.t find any files to test"),
    "xo": _Runner(("--reporter=json",), "", readers.eslint_json),
    "eslint": _Runner(("--format", "json", "--output-file", "REPORT"), ".json", readers.eslint_json),
}
