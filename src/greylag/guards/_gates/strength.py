"""How much a command checks: what it demands, what narrows it, and options by which it checks nothing."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from greylag.guards._gates.shell import Command

_VOID = re.compile(  # by which nothing is checked, or nothing fails
    r"--version|--help|-h|--co(?:llect-only)?|--dry-run|--just-print|--list(?:-?[tT]ests|Tests)?|--no-run|--show-?config"
    r"|--print-config|--exit-zero|--issues-exit-code=0|--exit-code=0|--error-exitcode=0|--no-verify|--if-present"
    r"|--fixtures|--markers|--setup-(?:plan|only)|--init"
)
_VALUES = re.compile(r"--(?:issues-exit-code|exit-code|error-exitcode)")
_NARROWS = re.compile(
    r"-OO?|-[DP](?:test|\w*skip)\w*(?:=.*)?"
    r"|(?i:--?(?:deselect|ignore(?:-\w+){0,3}|filter|tests?-?\w*pattern\w*|grep|fgrep|last-failed|lf|sw|stepwise|testmon"
    r"|changed\w*|only-?\w*|exclude\w*|extend-(?:exclude|ignore)|skip\w*|lib|bins?|doc|new|new-from-\w+(?:-\w+){0,3}"
    r"|disable(?:-all|-error-code)?|default|fast(?:-only)?|no-cov|cap-lints|updatesnapshot|update|passwithnotests"
    r"|allow\w*|no-strict\w*|select|severity|test_tag_filters|build_tag_filters|nocheck|skiplibcheck|no-\w*fail\w*"
    r"|continue-on-\w+|keep-going|tests|assert=plain|no-warnings|disable-warnings|baseline)(?:=.*)?)",
    re.DOTALL,
)
_SHORT: Mapping[str, str] = {  # of single programs
    "pytest": "-k -m", "unittest": "-k", "go test": "-run -skip -short -vet=off", "cargo clippy": "-A",
    "eslint": "--quiet",
    "cargo test": "-p --package", "ctest": "-R -E -L -LE", "vitest": "-t", "jest": "-t", "mocha": "-g -f", "ava": "-m",
    "playwright": "-g", "golangci-lint": "-D", "golangci-lint run": "-D",
}  # fmt: skip
_DEMANDS = re.compile(
    r"(?:-race|--strict[\w-]*|--max-warnings|--cov(?:-fail-under)?|--fail-(?:under|on[\w-]*)|--workspace|--branch"
    r"|--all(?:-(?:targets|features|files))?|--(?:error-)?exit-?code|-W(?:error)?|--warnings-as-errors|-D|--leak-check"
    r"|--coverage(?:\.\S+)?|--no-?[eE]mit|--type-?check|--check-coverage|--noImplicit\w+|--doctest-modules)(?:=.*)?",
)
FORMATS = re.compile(
    r"black|isort|yapf|prettier|gofmt|gofumpt|rustfmt|shfmt|clang-format"
    r"|(?:ruff|cargo|mix|dart|terraform|biome|dotnet) (?:fmt|format)"
)
_ONLY_LOOKS = re.compile(
    r"--?check(?:-only|-formatted)?|--diff|-[ldc]|--list-different|--dry-run|--exit-code|-Werror|--verify-no-changes"
    r"|--set-exit-if-changed|--output=none|-w=false"
)
_PLACE = re.compile(r"[\w.@][\w./@*+-]*|\$.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Check:
    """One check: which, by what words, what narrows it, what it demands, of which files, whether it may fail or be
    left out.
    """

    key: str
    words: str
    line: int
    narrows: tuple[str, ...] = ()
    demands: frozenset[str] = frozenset()
    places: tuple[str, ...] = ()
    heeded: bool = True
    sure: bool = True


def measured(key: str, rest: Sequence[str], command: Command) -> Iterator[Check]:
    """The check that a key is with the words behind it, unless they make it none."""
    own = _SHORT.get(key, "").split()
    pairs = [f"{a}={b}" if _VALUES.fullmatch(a) else a for a, b in pairwise([*rest, ""])]
    if any(_VOID.fullmatch(word) for word in pairs) or rest[:1] in (["version"], ["-V"]):
        return
    if key == "coverage report" and not any(word.startswith("--fail") for word in rest):
        return
    if FORMATS.fullmatch(key) and ("-w" in rest or not any(_ONLY_LOOKS.fullmatch(word) for word in rest)):
        return
    narrows = sorted(word.partition("=")[0] for word in rest if word in own or _NARROWS.fullmatch(word))
    demands = [word for word in rest if _DEMANDS.fullmatch(word) and word not in own]
    demands = [word.partition("=")[0] for word in demands if not word.endswith(("=false", "=0"))]
    places = tuple(word for word in rest if _PLACE.fullmatch(word))
    words = " ".join(command.words)[:100]
    yield Check(key, words, command.line, tuple(narrows), frozenset(demands), places, command.heeded, command.sure)
