"""Which scripts of package.json check something, and what they consist of.

A script such as `xo && npm run build && ava` is taken apart where that is safe: each part is run in its own phase, so
that a linter's complaint does not hide what the tests say, and each tool can be asked for a structured report. A script
with a shell's operators stays whole. What watches, fixes or serves is left out.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from greylag.model import Phase
from greylag.text import one_line
from greylag.verifiers._calls import called
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
_QUOTED = re.compile(r"\\.|'[^']*'|\"(?:[^\"\\]|\\.)*\"")
_EXPANDED = re.compile(r"[&$`\\]")  # what keeps a quoted word from being seen as plain
_PROGRAMS = {
    "format": {"prettier", "dprint", "biome"},
    "lint": {"eslint", "xo", "standard", "ts-standard", "oxlint", "stylelint", "biome", "tslint"},
    "types": {"tsc", "vue-tsc", "svelte-check", "tsd", "tsgo"},
    "test": {"vitest", "jest", "mocha", "ava", "tap", "tape", "uvu", "jasmine", "karma", "qunit"},
}
_KNOWN = "|".join(sorted({program for programs in _PROGRAMS.values() for program in programs}))
_PREFIX = re.compile(  # what may stand before the program whose arguments we add to
    r"(?:(?:cross-env|npx|bunx|[A-Z][A-Z0-9_]*=[\w./:,-]*|(?:c8|nyc)(?:\s+--[\w-]+(?:=[\w./:,-]+)?)*"
    rf"|(?:pnpm|yarn|bun)(?:\s+exec|\s+run)?(?=\s+(?:{_KNOWN})(?:\s|$)))\s+)+"
)
_HARMLESS = re.compile(
    r"(?:is-ci \|\| )?husky(?: install)?(?: [\w./-]+)?|simple-git-hooks|lefthook install|patch-package"
)
_FOLLOWED = 200  # scripts of one root


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
    built = {(package.root, script) for package, script, _ in _built(project) if script in _KINDS["build"][1]}
    found: dict[tuple[str, str], Part] = {}
    for part, refusal in _considered(project, split=split):
        again = part.kind != "build" and (part.package.root, part.script) in built
        if not refusal and not again:
            found.setdefault((part.package.root, part.command), part)
    return sorted(found.values(), key=lambda part: part.phase)


def left_out(project: Project, *, split: bool = True) -> list[str]:
    """What a reader must know of scripts that look like checks and are none, and of commands that are not run."""
    said = []
    for kind, (_, names) in _KINDS.items():
        if not _choice(project.package, kind):
            scripts = project.package.scripts
            present = [(name, _refusal(kind, scripts[name])) for name in names if name in scripts]
            said += [f"script `{name}` is not run: {why}" for name, why in present]
    for part, refusal in _considered(project, split=split):
        if refusal:
            place = "" if part.package is project.package else f" of {part.package.root}"
            said.append(f"`{one_line(part.command, 60)}` of script `{part.script}`{place} is not run: {refusal}")
    return list(dict.fromkeys(said))


def builds_on_install(project: Project) -> bool:
    """Whether an installation runs or copies the repository's own code: its result depends on more than lock files."""
    packages = (project.package, *project.members)
    built = {command for _, _, command in _built(project)}
    return any(package.local for package in packages) or any(
        not _HARMLESS.fullmatch(command) and command not in built
        for package in packages
        for name in ("preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare")
        if name in package.scripts
        for _, _, command in _commands(project, package, name)
    )


def _chosen(project: Project, kind: str) -> list[tuple[Package, str]]:
    """The scripts that are run for a kind: of the root, else of its members."""
    for packages in ((project.package,), project.members):
        if chosen := [(package, name) for package in packages if (name := _choice(package, kind))]:
            return chosen
    return []


def _built(project: Project) -> Iterator[tuple[Package, str, str]]:
    """All that the scripts which are run as builds consist of."""
    for package, name in _chosen(project, "build"):
        yield package, name, package.scripts[name].strip()
        yield from _commands(project, package, name)


def _considered(project: Project, *, split: bool) -> Iterator[tuple[Part, str]]:
    """Parts with the reason not to run them, which is empty where there is none."""
    for kind in _KINDS:
        for package, name in _chosen(project, kind):
            if kind == "build" or not split:
                yield Part(package, kind, name, package.scripts[name], whole=True), ""
            else:
                yield from _split(project, package, kind, name)


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


def _split(project: Project, package: Package, kind: str, name: str) -> Iterator[tuple[Part, str]]:
    commands = list(_commands(project, package, name))
    if not commands:
        yield Part(package, kind, name, package.scripts[name], whole=True), "it only calls itself"
    for place, script, command in commands:
        kinds = [known for known, programs in _PROGRAMS.items() if _program(command) in programs] or [kind]
        own = kind if kind in kinds else kinds[-1]
        part = Part(place, own, script, command, whole=command == place.scripts[script].strip())
        yield part, _refusal("" if own == kind else own, command)


def _commands(
    project: Project, package: Package, name: str, seen: set[tuple[str, str]] | None = None
) -> Iterator[tuple[Package, str, str]]:
    """The commands of a script with those that npm runs before and after it, and of the scripts that it calls, each
    with its package and script.

    Each script is followed once, however often it is called.
    """
    seen = set() if seen is None else seen
    for script in (f"pre{name}", name, f"post{name}"):
        text = "" if (package.root, script) in seen else package.scripts.get(script, "").strip()
        seen.add((package.root, script))
        whole = _operators(text) and not called(project, package, text)
        for command in [text] if whole else filter(None, (part.strip() for part in text.split("&&"))):
            calls = called(project, package, command) if len(seen) < _FOLLOWED else []
            if not all(_simple(place, other) for place, other, more in calls if more):
                calls = []
            for place, other, more in calls:
                if more:
                    yield place, other, f"{place.scripts[other].strip()} {more}"
                else:
                    yield from _commands(project, place, other, seen)
            if not calls:
                yield package, script, command


def _simple(package: Package, script: str) -> bool:
    """Whether a script is one command, so that arguments for it are arguments of that."""
    text = package.scripts[script]
    around = {f"pre{script}", f"post{script}"} & set(package.scripts)
    return not around and plain(text)


def plain(text: str) -> bool:
    """Whether a script is one command without anything that a shell would do to it."""
    return "&&" not in text and not _operators(text)


def _operators(text: str) -> bool:
    """Whether a shell sees more in `text` than programs, their arguments and `&&`."""
    return bool(_OPERATORS.search(_QUOTED.sub(lambda word: ";" if _EXPANDED.search(word[0]) else "", text)))


def _program(command: str) -> str:
    if not plain(command):
        return ""
    words: Sequence[str] = _PREFIX.sub("", command).split(maxsplit=1)
    return words[0] if words else ""
