"""How programs of JavaScript are asked for a structured report, and who reads what they print."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from greylag import readers
from greylag.model import Phase
from greylag.verifiers import _summaries
from greylag.verifiers._plan import Located, Reader
from greylag.verifiers._scripts import Part


@dataclass(frozen=True, slots=True)
class Runner:
    """How a program is asked for a structured report: in a file when there is a suffix, else on standard output.

    `taken`: options of a command that has a form of output of its own, besides which it cannot have ours. `fits`: what
    a command must begin with. `share` says how much of the machine there is, to a command that does not say it itself
    (`shared`). `unknown`: how an old version says that it does not know the arguments, or has nothing in its report.
    `located`: who finds in the log what the report does not tell of places.
    """

    arguments: tuple[str, ...]
    suffix: str
    read: Reader
    empty: str = ""
    taken: str = r"--(?:reporter|format|json|outputFile|tap)\b|\s-f\s"
    fits: str = ""
    share: tuple[str, ...] = ()
    shared: str = r"--maxWorkers\b|--runInBand\b|\s-[iw]\b"
    unknown: str = ""
    located: Located | None = None
    module: str = ""  # that has its version, when it is not called as the program


RUNNERS = {
    "vitest": Runner(
        ("--reporter=default", "--reporter=json", "--outputFile.json=REPORT"),
        ".json",
        readers.jest_json,
        r"No test files found",
        r"--outputFile\b",  # it may have many reporters
        located=readers.vitest_places,
    ),
    "jest": Runner(
        ("--ci", "--json", "--outputFile=REPORT", "--bail=0"),  # what fails hides nothing
        ".json",
        readers.jest_json,
        r"No tests found",
        share=("--maxWorkers=@cpus@",),
    ),
    "mocha": Runner(
        ("--reporter", "xunit", "--reporter-options", "output=REPORT"),
        ".xml",
        readers.junit_xml,
        r"No test files found",
        r"--reporter-options?\b|\s-O",  # of several reporters it takes the last
    ),
    "bun": Runner(
        ("--reporter=junit", "--reporter-outfile=REPORT"),
        ".xml",
        readers.junit_xml,
        r"No tests found",
        r"--reporter\b",
        fits=r"bun test(?:\s|$)",
    ),
    "ava": Runner(
        ("--tap",),
        "",
        readers.ava_tap,
        r"Couldn.t find any files to test",
        unknown=r"/ava/lib/reporters/tap\.js:\d",  # which breaks where a test ends its process
    ),
    "xo": Runner(("--reporter=json",), "", readers.eslint_json),
    "eslint": Runner(("--format", "json", "--output-file", "REPORT"), ".json", readers.eslint_json),
    "biome": Runner(
        ("--reporter=gitlab", "--colors=off", "--max-diagnostics=none"),
        "",
        readers.biome_gitlab,
        taken=r"--(?:reporter|json|max-diagnostics|colors)\b",
        fits=r"biome (?:ci|check|lint|format)(?:\s|$)",
        # the report of 2.0 has nothing in it where only the format is wrong
        unknown=r"(?m)^(?:\x1b\[0m)?\[\](?:\x1b\[0m)?$|not valid for the --reporter argument"
        r"|is not expected in this context|couldn't parse `none`",
        module="@biomejs/biome",
    ),
}


_LOGS: Mapping[str, Reader] = {"prettier": _summaries.prettier, "biome": readers.biome_text}


_FORMATS: Mapping[str, tuple[str, ...]] = {"prettier": ("prettier", "--write"), "biome": ("biome", "format", "--write")}
_CHECKS = re.compile(  # what a command may say and its writing twin need not: of other options nobody knows
    r"(?:prettier|biome (?:ci|check|format))(?:\s+(?:--check|-c|--list-different|-l|--no-error-on-unmatched-pattern"
    r"|--cache|[^-\s]\S*))*"
)


def formatting(command: str) -> tuple[str, ...]:
    """The command that formats, with names of files behind it, what this one checks; nothing where that is unsure."""
    return _FORMATS[command.split(maxsplit=1)[0]] if _CHECKS.fullmatch(command) else ()


def log_reader(phase: Phase, program: str) -> Reader:
    """Who reads the log of a command that has no better report."""
    if phase is Phase.TEST:
        return _summaries.printed
    return _LOGS.get(program, readers.tsc_text)


def module(part: Part) -> str:
    """The package whose version is told with a part of a script; nothing where none is known."""
    runner = RUNNERS.get(part.program)
    return (runner.module or part.program) if runner else ""
