"""npm, pnpm and yarn projects with or without TypeScript: the scripts that package.json has, and no others.

A script is run only when its name and its text say that it checks: what watches, fixes or serves is left out, and that
is said. Where the test runner or linter at the end of a script is known, it is asked for a structured report by more
arguments; the text of others goes to the distiller, and the counts come from their summary.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from greylag import readers
from greylag.model import Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.verifiers import _package, _summaries, _tool
from greylag.verifiers._package import Package, Project
from greylag.verifiers._tool import Plan, Reader, Step

_KINDS: tuple[tuple[str, Phase, tuple[str, ...]], ...] = (
    (
        "format",
        Phase.FORMAT,
        ("format:check", "check:format", "format-check", "check-format", "prettier:check", "fmt:check", "format"),
    ),
    ("lint", Phase.STATIC, ("lint:check", "lint:ci", "check:lint", "lint", "eslint")),
    ("types", Phase.STATIC, ("typecheck", "type-check", "check-types", "check:types", "types:check", "tsc", "types")),
    ("build", Phase.COMPILE, ("build", "compile")),
    ("test", Phase.TEST, ("test", "test:ci", "test:unit", "unit")),
)
_REFUSED = {
    "it fixes instead of checking": re.compile(r"--fix\b|--write\b|--apply\b|--save\b"),
    "it watches": re.compile(
        r"--watch(?:All)?\b(?!=false)|\bnodemon\b|\btsc-watch\b|vitest watch"
        r"|\b(?:tsc|jest|mocha|vitest|ava|rollup|webpack)\b[^&|;]*\s-w\b"
    ),
    "it serves": re.compile(
        r"(?:^|&&\s*)(?:npx )?(?:vite|next dev|webpack serve|webpack-dev-server|http-server|serve)\s*$"
    ),
    "it is npm's placeholder": re.compile(r"no test specified"),
}
_FORMAT_CHECKS = re.compile(r"--check\b|\s-c\b|--list-different|\s-l\b|biome (?:format|check|ci)\b|dprint check")
_TYPES = re.compile(r"\b(?:tsc|vue-tsc|svelte-check|tsgo)\b")
_PREFIX = re.compile(  # what may stand before the program whose arguments we add to
    r"(?:(?:cross-env|npx|[A-Z][A-Z0-9_]*=[\w./:,-]*|(?:c8|nyc)(?:\s+--[\w-]+(?:=[\w./:,-]+)?)*)\s+)+"
)
_SPEAKS = re.compile(r"--(?:reporter|format|json|outputFile|tap)\b|\s-[fR]\s")  # has a form of output of its own
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


@dataclass(frozen=True, slots=True)
class _Script:
    """A script that is going to be run."""

    package: Package
    name: str
    text: str

    @property
    def last(self) -> str:
        """The command that arguments behind the script go to; nothing when a shell's operators make that unsure."""
        commands = self.text.split("&&")
        if any(re.search(r"[|;&<>`()$]", command) for command in commands):
            return ""
        return _PREFIX.sub("", commands[-1].strip())


def _activations(project: Project) -> Iterator[Activation]:
    root, manager = project.package.root, project.manager
    checks = [(kind, phase, _scripts(project, kind, names)) for kind, phase, names in _KINDS]
    compiler = not any(_TYPES.search(s.text) for _, _, scripts in checks for s in scripts) and _has_compiler(
        project.package
    )
    if not compiler and not any(scripts for *_, scripts in checks):
        return
    title = " ".join((manager.name, manager.install[0]))
    yield Activation("node", title, Phase.PREPARE, root, _why(project), project.inputs, _installation(project))
    if compiler:
        plan = Plan((_tsc(project),), _tools(project, "typescript"))
        yield Activation("node", "tsc", Phase.STATIC, root, "tsconfig.json, and typescript is a dependency", (), plan)
    for kind, phase, scripts in checks:
        if scripts:
            yield _activation(project, kind, phase, scripts)


def _activation(project: Project, kind: str, phase: Phase, scripts: Sequence[_Script]) -> Activation:
    names = {script.name for script in scripts}
    runners = {_word(script.last) for script in scripts} & {"vitest", "jest", "mocha", "ava", "eslint", "xo"}
    steps = tuple(_step(project, script, phase) for script in scripts)
    plan = Plan(steps, _tools(project, *sorted(runners)), keep_going=phase is not Phase.COMPILE)
    places = ", ".join(script.package.root for script in scripts if script.package is not project.package)
    reason = f"script `{scripts[0].name}` in package.json" + (f" of {places}" if places else "")
    name = f"{project.manager.name} run {min(names) if len(names) == 1 else kind}"
    return Activation("node", name, phase, project.package.root, reason, (), plan)


# -- which scripts ---------------------------------------------------------------------------------------------------


def _scripts(project: Project, kind: str, names: Sequence[str]) -> list[_Script]:
    """The root's own script of a kind; where it has none, those of the members of its workspace."""
    for packages in ((project.package,), project.members):
        chosen = [
            next((_Script(p, name, p.scripts[name]) for name in names if not _refusal(kind, p.scripts.get(name))), None)
            for p in packages
        ]
        if found := [script for script in chosen if script]:
            return found
    return []


def _refusal(kind: str, text: str | None) -> str:
    """Why a script is not run; nothing when it is fit."""
    if not text:
        return "there is none"
    if kind == "format" and not _FORMAT_CHECKS.search(text):
        return "it formats instead of checking"
    if kind == "types" and not _TYPES.search(text):
        return "it does not check types"
    return next((why for why, pattern in _REFUSED.items() if pattern.search(text)), "")


def _left_out(project: Project) -> str:
    """What a reader must know of scripts that look like checks and are none."""
    said = [
        f"script `{name}` is not run: {why}"
        for kind, _, names in _KINDS
        for name in names
        if (why := _refusal(kind, project.package.scripts.get(name))) not in {"", "there is none"}
    ]
    return "; ".join(said)


def _has_compiler(package: Package) -> bool:
    return package.tsconfig and "typescript" in package.dependencies


# -- how they are run ------------------------------------------------------------------------------------------------


def _why(project: Project) -> str:
    where = project.manager.lock or "package.json without a lock file"
    return f"{where}; workspace of {len(project.members)} packages" if project.members else where


def _installation(project: Project) -> Plan:
    notes = [_left_out(project)]
    if not project.manager.lock:
        notes.insert(0, "there is no lock file: versions are the registry's newest that fit")
    wrong_node = r'The engine "node" is incompatible|ERR_PNPM_UNSUPPORTED_ENGINE'
    step = replace(_base(project), arguments=project.manager.install, unable=wrong_node)
    return Plan((step,), _tools(project), "; ".join(filter(None, notes)))


def _base(project: Project) -> Step:
    manager = project.manager
    return Step(manager.programs, install=f"install Node.js with {manager.name}", env=_ENV, offline_env=_OFFLINE)


def _tools(project: Project, *modules: str) -> dict[str, tuple[str, ...]]:
    read = "console.log(JSON.parse(require('fs').readFileSync('node_modules/{}/package.json')).version)"
    own = {module: ("node", "-e", read.format(module)) for module in modules}
    return {"node": ("node", "--version"), project.manager.name: (*project.manager.programs[0], "--version"), **own}


def _tsc(project: Project) -> Step:
    command = project.manager.binary("tsc", "--noEmit", "--pretty", "false")
    return replace(_base(project), arguments=command, read_log=readers.tsc_text)


def _step(project: Project, script: _Script, phase: Phase) -> Step:
    place = posixpath.relpath(script.package.root, project.package.root)
    stem = f"@home@/.greylag/node-{re.sub(r'[^A-Za-z0-9]+', '-', f'{script.package.root}-{script.name}')}"
    base = replace(_base(project), cwd=place, seconds=3600.0, read_log=_log_reader(phase))
    runner = _RUNNERS.get(_word(script.last))
    if runner and not _SPEAKS.search(script.last):
        report = stem + runner.suffix
        arguments = tuple(part.replace("REPORT", report) for part in runner.arguments)
        reports = (report,) if runner.suffix else ()
        base = replace(
            base, reports=reports, read_report=runner.read if reports else None, empty=runner.empty,
            read_log=base.read_log if reports else runner.read,
        )  # fmt: skip
        return replace(base, arguments=project.manager.script(script.name, arguments))
    base = replace(base, arguments=project.manager.script(script.name), empty=r"[Nn]o tests? (?:files? )?found")
    if phase is Phase.TEST and re.match(r"node\s(?:[^&]*\s)?--test(?:\s|$)", script.last):
        junit = f"{stem}.xml"
        options = "".join(
            f" --test-reporter={name} --test-reporter-destination={to}"
            for name, to in (("spec", "stdout"), ("junit", junit))
        )
        return replace(base, append={"NODE_OPTIONS": options}, reports=(junit,), read_report=readers.junit_xml)
    return base


def _log_reader(phase: Phase) -> Reader | None:
    if phase is Phase.TEST:
        return _summaries.javascript
    return readers.tsc_text if phase in {Phase.STATIC, Phase.COMPILE} else None


def _word(command: str) -> str:
    """The program of a command line."""
    return command.split(maxsplit=1)[0] if command else ""


@dataclass(frozen=True, slots=True)
class _Runner:
    """How a program is asked for a structured report: in a file when there is a suffix, else on standard output."""

    arguments: tuple[str, ...]
    suffix: str
    read: Reader
    empty: str = ""


_RUNNERS = {
    "vitest": _Runner(
        ("--reporter=default", "--reporter=json", "--outputFile.json=REPORT"),
        ".json",
        readers.jest_json,
        r"No test files found",
    ),
    "jest": _Runner(
        ("--ci", "--json", "--outputFile=REPORT", "--maxWorkers=@cpus@"), ".json", readers.jest_json, r"No tests found"
    ),
    "mocha": _Runner(
        ("--reporter", "xunit", "--reporter-option", "output=REPORT"), ".xml", readers.junit_xml, r"No test files found"
    ),
    "ava": _Runner(("--tap",), "", readers.tap, r"Couldn.t find any files to test"),
    "eslint": _Runner(("--format", "json", "--output-file", "REPORT"), ".json", readers.eslint_json),
}
