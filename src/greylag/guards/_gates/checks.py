"""Commands that check: tools wherever they stand, targets and scripts that are called after what they check."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from posixpath import basename, normpath

from greylag.guards._gates.shell import Command
from greylag.guards._gates.strength import FORMATS, Check, measured

_TOOL = re.compile(  # programs that check, wherever they stand behind another that runs them
    r"pytest|py\.test|unittest|nosetests|tox|nox|mypy|dmypy|(?:based)?pyright|pyre|pyrefly|flake8|py(?:code|doc)style|bandit"
    r"|ruff|black|isort|yapf|codespell|deptry|vulture|interrogate|(?:go|c|doc|xc)test(?:sum)?"
    r"|jest|vitest|mocha|ava|jasmine|karma|playwright|cypress|c8|nyc|tsc|vue-tsc|xo|biome|prettier|knip|tsd"
    r"|rspec|rubocop|standardrb|reek|brakeman|php(?:unit|stan|cs)|psalm|pest|infection|gofmt|gofumpt|rustfmt"
    r"|staticcheck|govulncheck|gosec|errcheck|revive|golangci-lint|clang-(?:tidy|format)|valgrind|shfmt|conftest"
    r"|checkstyle|spotbugs|detekt|jacoco\w*|dialyzer|credo|bats|semgrep|trivy|kubeconform|kubeval|pre-commit"
    r"|[\w-]*[a-z]lint\d?|(?:shell|cpp|svelte-|link|spell|dep)check|cargo-(?:deny|audit|nextest|clippy)"
)
_NAMED = re.compile(  # what a target or a script that checks is called
    r"(?:.{0,60}[^a-z])?(?:(?:unit|type|smoke|integration|self|pre)?(?:tests?|lints?|checks?)|specs?|e2e|verify"
    r"|validate|audit|vet|clippy|deny|analy[sz]e|types|typing|mypy|pytest|coverage|rubocop|eslint|jshint|qunit|ci)(?:[^a-z].{0,60})?",
    re.IGNORECASE,
)
_RUNNERS = re.compile(  # programs whose first word, or words, say what is run
    r"go|cargo|npm|pnpm|yarn|bun|make|gmake|just|task|rake|mvnw?|gradlew?|ant|bazel(?:isk)?|dotnet|deno|swift|mix|dart"
    r"|flutter|sbt|nx|turbo|lerna|hatch|pdm|rye|pixi|poe|poetry|uv|inv(?:oke)?|composer|artisan|rails|ninja|meson|zig"
    r"|stack|cabal|lein|rebar3|helm|terraform|buf|opa|cmake|run-[sp]|npm-run-all2?|concurrently|grunt|gulp|moon|mise|scons"
)
_TARGETS = re.compile(
    r"g?make|just|task|rake|mvnw?|gradlew?|ant|run-[sp]|npm-run-all2?|concurrently|grunt|gulp|ninja|inv(?:oke)?"
)
_INTERPRETERS = re.compile(r"(?:ba|da|z|k)?sh|exec|env|sudo|python[\d.]*|node|ruby|perl|php|tsx|ts-node|pwsh")
_SAYS = re.compile(  # programs that run none of their words
    r"echo|printf|:|true|false|\[\[?|which|type|hash|cd|export|rm|cp|mv|ln|mkdir|touch|cat|grep|sed|awk|git"
    r"|apt(?:-get)?|apk|brew|dnf|yum|choco|scoop|pip[\d.]*|pipx|gem|local|declare|readonly|alias|unset|ls|chmod|chown|curl|wget"
    r"|tar|for|case|function|log|info|warn"
)
_INSTALLS = frozenset({
    "install", "add", "sync", "i", "ci", "get", "fetch", "download", "update", "upgrade", "uninstall", "remove", "pull",
    "build", "lock", "init", "publish", "export", "cache", "tool", "push", "tag", "cp", "up", "down",
})  # fmt: skip
_OTHERS = frozenset({  # options whose word is no target
    "-x", "--exclude-task", "-C", "-f", "-o", "-W", "-pl", "-P", "--group", "--extra", "--with", "--only-group",
    "--package",
})  # fmt: skip
_RUNS = frozenset({"run", "exec", "x", "dlx", "-m", "tool", "-c"})
_VARIABLE = re.compile(r"^\$(?:\{\w{1,80}\}|\w{1,80}(?=/))/?")  # ahead of a program's name
_SUB = re.compile(r"check|format|fmt|run|lint|test|ci|report")
_SCRIPT = re.compile(r"[\w./-]*(?:/[\w.-]*|\.(?:[mc]?[jt]s|py|sh|rb|pl|ps1))")
_PREPARES = re.compile(
    r"(?i)install|setup|set-up|build|gen|prepare|clean|bootstrap|deps|fetch|download|start|stop|serve|doc|format|fmt|env"
    r"|wait|compile|update|release|publish|deploy|gradlew|mvnw"
)
_MOST, _LONGEST = 60, 200  # words of a command, and characters of one, that are looked at


def checks(command: Command, *, bare: bool = False, within: str = "") -> Iterator[Check]:
    """The checks that a command is; several for one that makes several targets. `bare`: names alone may be some.

    `within`: the task or script that it stands in; where that is called after what it checks, comparisons and programs
    of the repository are checks, whatever they are called.
    """
    words = [_VARIABLE.sub("", word) for word in _without_environment(command.words[:_MOST])]
    head = basename(words[0]) if words else ""
    if words and _NAMED.fullmatch(within) and (key := _own(head, words)):
        yield Check(key, " ".join(command.words)[:100], command.line, heeded=command.heeded, sure=command.sure)
        return
    if not words or _SAYS.fullmatch(head) or (head == "command" and words[1:2] == ["-v"]):
        return
    if words[0] == "set":
        if re.match(r"-\w*e", " ".join(words[1:])) or "errexit" in words:
            yield Check("set -e", "set -e", command.line)
        return
    for key, rest in _found(words, bare):
        yield from measured(key, rest, command)


def _without_environment(words: Sequence[str]) -> list[str]:
    words = [word[:_LONGEST] for word in words]
    start = next((n for n, word in enumerate(words) if not re.match(r"\w+=|[@+-]+$", word)), len(words))
    return words[start:]


def _found(words: Sequence[str], bare: bool) -> Iterator[tuple[str, Sequence[str]]]:
    """Keys with the words behind: a tool, the targets of a runner, or a script by its name."""
    head = basename(words[0]).removesuffix(".exe")
    plain = [n for n, word in enumerate(words) if not word.startswith(("-", "+"))]
    first = next((words[n] for n in plain[1:]), "")
    runner = _RUNNERS.fullmatch(head)
    if first in _INSTALLS and runner and not _RUNS.intersection(words[1:3]):
        return
    if _TARGETS.fullmatch(head):
        yield from _targets(head, words, plain)
        return
    for n in plain:
        name = basename(words[n])
        tool = _TOOL.fullmatch(name) or words[n : n + 2] == ["coverage", "report"]
        if tool and (n == 0 or not _says(words[:n])) and not (n and runner and "/" in words[n]):
            two = f"{name} {words[n + 1]}" if words[n + 1 : n + 2] and _SUB.fullmatch(words[n + 1]) else name
            ahead = [word for word in words[:n] if word in {"-O", "-OO"}]
            yield two, [*ahead, *words[n + 2 if two != name else n + 1 :]]
            return
    for n in plain:
        word, before = words[n], words[n - 1] if n else ""
        if n and runner and before not in _OTHERS and (_NAMED.fullmatch(word) or FORMATS.fullmatch(f"{head} {word}")):
            yield f"{re.sub('pnpm|yarn|bun', 'npm', head)} {word}", words[n + 1 :]
            return
        by_other = n and _INTERPRETERS.fullmatch(basename(before))
        if _SCRIPT.fullmatch(word) and _NAMED.fullmatch(basename(word)) and (n == 0 or by_other):
            yield normpath(word), words[n + 1 :]
            return
    if bare and len(words) == 1 and _NAMED.fullmatch(head):
        yield head, ()


def _own(head: str, words: Sequence[str]) -> str:
    """What compares, or which program of the repository is run, by a command that has no known check in it."""
    compares = head in {"diff", "cmp"} or (head == "grep" and any(re.match(r"-\w*q", word) for word in words[1:]))
    if compares or (words[:2] == ["git", "diff"] and {"--exit-code", "--quiet"} & set(words)):
        return f"{head} compares"
    if next(_found(words, bare=False), None) or _SAYS.fullmatch(head):
        return ""
    named = next((word for word in words[1:] if not word.startswith("-")), "")
    program = words[0] if "/" in words[0] else named if _INTERPRETERS.fullmatch(head) else ""
    if words[1:2] == ["-m"] and head.startswith("python") and "." in named:
        program = named.replace(".", "/") + ".py"
    if not _SCRIPT.fullmatch(program) or program.startswith("/") or _PREPARES.search(basename(program)):
        return ""
    return normpath(program)


def _targets(head: str, words: Sequence[str], plain: Sequence[int]) -> Iterator[tuple[str, Sequence[str]]]:
    """Each target that a runner of several is to make, and that checks."""
    names = [words[n] for n in plain[1:] if _NAMED.fullmatch(words[n]) and words[n - 1] not in _OTHERS]
    names = [name for name in names if "=" not in name]
    rest = [word for word in words[1:] if word not in names]
    if head in {"make", "gmake"}:
        if any(re.fullmatch(r"-[a-z]*[intq][a-z]*|--(?:ignore-errors|touch|question|recon)", word) for word in rest):
            return
        rest = []
    yield from ((f"{head.removesuffix('w')} {name}", rest) for name in names)


def _says(ahead: Sequence[str]) -> bool:
    """Whether a word further ahead only looks for, or installs, what follows."""
    return any(_SAYS.fullmatch(word) or word in _INSTALLS - {"up", "ci", "build", "tool"} for word in ahead)


def by_name(name: str) -> bool:
    """Whether a script is called after what it checks."""
    return bool(_SCRIPT.fullmatch(f"./{name}") and _NAMED.fullmatch(name))


def unheeded(check: Check) -> Check:
    """The same where its failure is lost."""
    return replace(check, heeded=False)
