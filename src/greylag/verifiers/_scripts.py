"""Which scripts of package.json check something, and what they consist of.

A script such as `xo && npm run build && ava` is taken apart where that is safe: each part is run in its own phase, so
that a linter's complaint does not hide what the tests say, and each tool can be asked for a structured report. A script
with a shell's operators stays whole. What watches, fixes or serves is left out.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from greylag.model import Phase
from greylag.verifiers._package import Package, Project

_KINDS: Mapping[str, tuple[Phase, tuple[str, ...]]] = {
    "format": (
        Phase.FORMAT,
        (
            *("format:check", "check:format", "format-check", "check-format", "prettier:check", "fmt:check"),
            *("test:format", "format", "prettier"),
        ),
    ),
    "lint": (Phase.STATIC, ("lint:check", "lint:ci", "check:lint", "test:lint", "lint", "eslint")),
    "types": (
        Phase.STATIC,
        ("typecheck", "type-check", "check-types", "check:types", "types:check", "test:types", "tsc", "types"),
    ),
    "build": (Phase.COMPILE, ("build", "compile")),
    "test": (Phase.TEST, ("test", "test:ci", "test:unit", "unit")),
}
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
_CHECKS_FORMAT = re.compile(r"--check\b|\s-c\b|--list-different|\s-l\b|biome (?:format|check|ci)\b|dprint check")
_CHECKS_TYPES = re.compile(r"\b(?:tsc|vue-tsc|svelte-check|tsgo|tsd)\b")
_OPERATORS = re.compile(r"[|;<>`()\n$]|(?<!&)&(?!&)")
_PREFIX = re.compile(  # what may stand before the program whose arguments we add to
    r"(?:(?:cross-env|npx|[A-Z][A-Z0-9_]*=[\w./:,-]*|(?:c8|nyc)(?:\s+--[\w-]+(?:=[\w./:,-]+)?)*)\s+)+"
)
_CALL = re.compile(
    r"(?:npm|pnpm|yarn)(?:\s+run(?:-script)?)?(?:\s+-[\w-]+)*\s+(?:[\"']?/\^?([\w:-]+)(?:\.[*+])?/[\"']?|([\w:.-]+))"
)
_CALLS = re.compile(r"(?:npm-run-all|run-s|run-p)((?:\s+[\w:.*-]+)+)")
_PROGRAMS = {
    "format": {"prettier", "dprint", "biome"},
    "lint": {"eslint", "xo", "standard", "ts-standard", "oxlint", "stylelint", "biome", "tslint"},
    "types": {"tsc", "vue-tsc", "svelte-check", "tsd", "tsgo"},
    "test": {"vitest", "jest", "mocha", "ava", "tap", "tape", "uvu", "jasmine", "karma", "qunit"},
}
_HARMLESS = re.compile(
    r"(?:is-ci \|\| )?husky(?: install)?(?: [\w./-]+)?|simple-git-hooks|lefthook install|patch-package"
)
_FOLLOWED = 200  # scripts of one package


@dataclass(frozen=True, slots=True)
class Part:
    """One command of a script; `whole` when the script is nothing else and can be run as it stands."""

    package: Package
    kind: str
    script: str
    command: str
    whole: bool

    @property
    def phase(self) -> Phase:
        """When it is run."""
        return _KINDS[self.kind][0]

    @property
    def program(self) -> str:
        """The program that arguments behind the command go to; nothing when that is unsure."""
        return _program(self.command)

    @property
    def bare(self) -> str:
        """The command without what stands before its program."""
        return _PREFIX.sub("", self.command)


def parts(project: Project, *, split: bool = True) -> list[Part]:
    """All parts, in the order of phases. The root's own scripts, and its members' where it has none of a kind."""
    builds = set(_KINDS["build"][1])
    found: dict[tuple[str, str], Part] = {}
    for kind in _KINDS:
        for part in _of_kind(project, kind, split=split):
            if not (part.script in builds and part.kind != "build"):
                found.setdefault((part.package.root, part.command), part)
    return sorted(found.values(), key=lambda part: part.phase)


def left_out(package: Package) -> list[str]:
    """What a reader must know of scripts that look like checks and are none."""
    said = []
    for kind, (_, names) in _KINDS.items():
        if not _choice(package, kind):
            present = [(name, _refusal(kind, package.scripts[name])) for name in names if name in package.scripts]
            said += [f"script `{name}` is not run: {why}" for name, why in present]
    return said


def builds_on_install(project: Project) -> bool:
    """Whether an installation runs or copies the repository's own code: its result depends on more than lock files."""
    packages = (project.package, *project.members)
    return any(package.local for package in packages) or any(
        not _HARMLESS.fullmatch(command) and command not in {built for _, built in _commands(package, "build")}
        for package in packages
        for name in ("preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare")
        if name in package.scripts
        for _, command in _commands(package, name)
    )


def _of_kind(project: Project, kind: str, *, split: bool) -> Iterator[Part]:
    for packages in ((project.package,), project.members):
        chosen = [(package, name) for package in packages if (name := _choice(package, kind))]
        for package, name in chosen:
            if kind == "build" or not split:
                yield Part(package, kind, name, package.scripts[name], whole=True)
            else:
                yield from _split(package, kind, name)
        if chosen:
            return


def _choice(package: Package, kind: str) -> str:
    names = (name for name in _KINDS[kind][1] if name in package.scripts)
    return next((name for name in names if not _refusal(kind, package.scripts[name])), "")


def _refusal(kind: str, text: str) -> str:
    """Why a script is not run; nothing when it is fit."""
    if kind == "format" and not _CHECKS_FORMAT.search(text):
        return "it formats instead of checking"
    if kind == "types" and not _CHECKS_TYPES.search(text):
        return "it does not check types"
    return next((why for why, pattern in _REFUSED.items() if pattern.search(text)), "")


def _split(package: Package, kind: str, name: str) -> Iterator[Part]:
    commands = list(_commands(package, name))
    for script, command in commands:
        kinds = [known for known, programs in _PROGRAMS.items() if _program(command) in programs] or [kind]
        own = kind if kind in kinds else kinds[-1]
        if not _refusal("" if own == kind else own, command):
            yield Part(package, own, script, command, whole=command == package.scripts[script].strip())


def _commands(package: Package, name: str, seen: set[str] | None = None) -> Iterator[tuple[str, str]]:
    """The commands of a script with those that npm runs before and after it, and of the scripts that it calls.

    Each script is followed once, however often it is called.
    """
    seen = set() if seen is None else seen
    for script in (f"pre{name}", name, f"post{name}"):
        text = "" if script in seen else package.scripts.get(script, "").strip()
        seen.add(script)
        if _OPERATORS.search(text) and not _CALL.fullmatch(text):
            yield script, text
            continue
        for command in filter(None, (part.strip() for part in text.split("&&"))):
            called = _called(package, command) if len(seen) < _FOLLOWED else []
            for other in called:
                yield from _commands(package, other, seen)
            if not called:
                yield script, command


def _called(package: Package, command: str) -> list[str]:
    """Scripts that a command runs, if it does nothing else."""
    if call := _CALL.fullmatch(command):
        prefix, name = call.groups()
        names = [other for other in package.scripts if prefix and other.startswith(prefix)]
        return names or [other for other in (name,) if other in package.scripts]
    if calls := _CALLS.fullmatch(command):
        globs = [word for word in calls.group(1).split() if not word.startswith("-")]
        return [other for glob in globs for other in package.scripts if fnmatchcase(other, glob)]
    return []


def _program(command: str) -> str:
    if "&&" in command or _OPERATORS.search(command):
        return ""
    words: Sequence[str] = _PREFIX.sub("", command).split(maxsplit=1)
    return words[0] if words else ""
