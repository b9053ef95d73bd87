"""The steps of JavaScript projects: installation, parts of scripts, and what no script runs."""

import posixpath
import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from greylag import readers
from greylag.model import Phase
from greylag.protocols import Tree
from greylag.verifiers import _scripts, _summaries
from greylag.verifiers._exits import traced
from greylag.verifiers._manager import RELEASE
from greylag.verifiers._package import Package, Project
from greylag.verifiers._plan import Plan, Step
from greylag.verifiers._related import related
from greylag.verifiers._reports import RUNNERS, Runner, formatting, log_reader
from greylag.verifiers._scripts import Part
from greylag.verifiers._settled import Settled
from greylag.verifiers._setupfiles import setup_files, several

_ENV = {
    "HUSKY": "0",
    "npm_config_update_notifier": "false",
    "npm_config_audit": "false",
    "npm_config_fund": "false",
    "npm_config_fetch_retry_mintimeout": "1000",  # a registry that is down is down for each of hundreds of packages
    "npm_config_fetch_retry_maxtimeout": "5000",
    "COREPACK_ENABLE_DOWNLOAD_PROMPT": "0",
    "YARN_ENABLE_TELEMETRY": "0",
    "YARN_ENABLE_GLOBAL_CACHE": "false",  # the cache goes into the workspace, so that later phases have it
    # the share of vitest, whose versions have called it by several names; the least must not be more than that
    **dict.fromkeys(("VITEST_MAX_WORKERS", "VITEST_MAX_THREADS", "VITEST_MAX_FORKS"), "@cpus@"),
    **dict.fromkeys(("VITEST_MIN_THREADS", "VITEST_MIN_FORKS"), "1"),
}
_OFFLINE = {"npm_config_offline": "true"}
_NODE = {"node": ("node", "--version")}
_NODE_TEST = re.compile(r"node\s(?:[^&]*\s)?--test(?:\s|$)")


def repeatable(step: Step, phase: Phase) -> Step:
    """With the whole script as what tells a flaky test: scripts do not say where more file names could go. And with
    what tells where the process ended, if no test is left.
    """
    return replace(step, again=lambda _: step.arguments, traced=traced(step)) if phase is Phase.TEST else step


def installation(project: Project) -> Plan:
    """What installs the package manager, if need be, and then the dependencies."""
    notes = _scripts.left_out(project, split=not project.manager.pnp)
    if not project.manager.lock:
        notes.insert(0, "there is no lock file: versions are the registry's newest that fit")
    wrong_node = r'The engine "node" is incompatible|ERR_PNPM_UNSUPPORTED_ENGINE|requires at least Node\.js'
    reader = _summaries.npm if project.manager.name == "npm" else None
    step = replace(_base(project), arguments=project.manager.install, read_log=reader, unable=wrong_node)
    step = replace(step, rest=_summaries.without_progress if project.manager.name == "pnpm" else None)
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


def tools(modules: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Not the package manager, which may have to ask the registry who it is: it says so where there is a network."""
    read = "console.log(JSON.parse(require('fs').readFileSync('node_modules/{}/package.json')).version)"
    return _NODE | {module: ("node", "-e", read.format(module)) for module in modules}


def module_of(check: Settled) -> str:
    """The package whose version is told with a check."""
    runner = RUNNERS.get(check.program)
    return (runner.module if runner else "") or check.program


def tsc(project: Project) -> Step:
    """The compiler of TypeScript, for what it says of types."""
    command = project.manager.binary("tsc", "--noEmit", "--pretty", "false")
    return replace(_base(project), arguments=command, read_log=readers.tsc_text)


def step_of(project: Project, part: Part) -> Step:
    """A part of a script, with a report where its program can be asked for one."""
    place = posixpath.relpath(part.package.root, project.package.root)
    reader = log_reader(part.phase, part.program)
    base = replace(_base(project), cwd=place, read_log=reader, title=part.command)
    if (words := formatting(part.bare)) and not project.manager.pnp:
        base = replace(base, rewrite=_direct(base, project, part.package, words))
    plain = _running(project, part, replace(base, empty=r"[Nn]o tests? (?:files? )?found"), ())
    runner = RUNNERS.get(part.program)
    report = _report(f"{part.package.root}-{part.script}-{part.program}")
    if runner and re.match(runner.fits, part.bare) and not re.search(runner.taken, part.bare):
        arguments = tuple(argument.replace("REPORT", report + runner.suffix) for argument in runner.arguments)
        share = () if re.search(runner.shared, part.bare) else runner.share
        arguments = (*arguments, *share)
        base = replace(base, empty=runner.empty)

        def reporting(run: Step) -> Step:
            return _reporting(run, runner, report + runner.suffix, plain)

        def affected(tree: Tree, changed: Collection[str]) -> Step | None:
            loaded = setup_files(tree, project.package.root, part.package.root, part.command)
            apart = part.program == "jest" and several(tree, part.package.root, part.command)
            if apart or not set(changed) <= set(tree.paths()) - loaded:
                return None
            words = related(part.command, [posixpath.relpath(path, part.package.root) for path in sorted(changed)])
            return reporting(_direct(base, project, part.package, (*words, *arguments))) if words else None

        return replace(reporting(_running(project, part, base, arguments)), affected=affected)
    if part.phase is Phase.TEST and part.program == "node" and _NODE_TEST.match(part.bare):
        return _node_test(plain, f"{report}.xml")
    return plain


def settled_step(project: Project, check: Settled) -> Step:
    """What no script runs: a program of a dependency, or bun itself.

    It is started by itself: where a script has its name, yarn and bun would run that instead.
    """
    base = replace(_base(project), read_log=log_reader(check.phase, check.program), title=" ".join(check.words))
    if (formats := formatting(base.title)) and not project.manager.pnp:
        base = replace(base, rewrite=_direct(base, project, project.package, formats))
    words = check.words[1:]
    if project.manager.pnp:
        words = ("exec", *check.words)
    elif check.program != "bun":
        absent = f"{check.program} is set up, but the project does not install it"
        paths = ("node_modules/.bin", *base.paths)
        base = replace(base, programs=((check.program,),), absent=absent, paths=paths)
    plain = replace(base, arguments=words)
    if not (runner := RUNNERS.get(check.program)):
        return plain
    report = _report(f"{project.package.root}-{check.name}") + runner.suffix
    arguments = tuple(argument.replace("REPORT", report) for argument in runner.arguments)
    step = _reporting(replace(base, arguments=(*words, *arguments), empty=runner.empty), runner, report, plain)
    return repeatable(step, check.phase)


def _report(name: str) -> str:
    return f"@home@/.greylag/node-{re.sub(r'[^A-Za-z0-9]+', '-', name)}"


def _running(project: Project, part: Part, base: Step, arguments: Sequence[str]) -> Step:
    """A whole script is run by the package manager, a part of one by the shell that would have run it."""
    if part.whole:
        return replace(base, arguments=project.manager.script(part.script, arguments))
    line = " ".join((part.command, *arguments))
    return _direct(base, project, part.package, ("sh", "-c", line))


def _direct(base: Step, project: Project, package: Package, words: Sequence[str]) -> Step:
    """A program that a dependency brings, started by itself."""
    top = posixpath.relpath(project.package.root, package.root)
    paths = dict.fromkeys(posixpath.normpath(f"{place}/node_modules/.bin") for place in (".", top))
    return replace(base, programs=((words[0],),), arguments=tuple(words[1:]), paths=(*paths, *base.paths))


def _reporting(step: Step, runner: Runner, report: str, plain: Step) -> Step:
    """With a reader of the report; an old version that does not know of it is run as it stands."""
    if runner.unknown:
        step = replace(step, fallback=plain, fallback_on=runner.unknown)
    if runner.suffix:
        return replace(_counting(step), reports=(report,), read_report=runner.read, located=runner.located)
    return replace(step, read_log=runner.read, merge=False)


def _counting(step: Step) -> Step:
    """Where there is a report of tests, the log has only numbers to add: what else it has may be what a test prints."""
    return replace(step, read_log=_summaries.javascript) if step.read_log is _summaries.printed else step


def _node_test(base: Step, report: str) -> Step:
    """node:test is told by the environment, since its options must stand before its files."""
    pairs = (("spec", "stdout"), ("junit", report))
    options = " ".join(f"--test-reporter={name} --test-reporter-destination={to}" for name, to in pairs)
    base = _counting(base)
    return replace(base, append={"NODE_OPTIONS": options}, reports=(report,), read_report=readers.junit_xml)
