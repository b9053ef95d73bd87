"""Readers of GitLab's code quality report, as ty 0.0.108 and biome 1.9 and 2.6 write it, and of lines of black, flake8,
ruff's formatter and older mypy.

The report has five words for severities, and each tool has its own use of them.
"""

import re
from collections.abc import Mapping

from greylag.model import Diagnostic, Severity
from greylag.readers._common import (
    LARGEST,
    WORKSPACE,
    capped,
    load,
    locator,
    number,
    table,
    tables,
    text,
    unreadable,
    word,
)
from greylag.readers._differences import Difference, first_differences, unformatted
from greylag.text import clean

_LINE = 2000  # characters of a line that are looked at
_TY = {"minor": Severity.WARNING, "info": Severity.INFO}
_BIOME = {"major": Severity.WARNING, "minor": Severity.INFO, "info": Severity.INFO}
_FLAKE8 = re.compile(r"(\S[^:]*):(\d+):(\d+): ([A-Z]+\d+) (.*)")
_HEADING = re.compile(
    r"(\S[^:]*?)(?::(\d+):(\d+))? ((?:lint|assist|suppressions)/\S+|format|parse|organizeImports) .*\u2501{3,}"
)
_CROSS = re.compile("[\u2716\u00d7] (.*)")
_BLACK = re.compile(
    r"(?:(?P<changed>would reformat) (?P<path>\S.*)"
    r"|error: cannot format (?P<file>\S[^:]*): (?P<why>.*?)"
    r"|error: (?P<message>cannot parse [^:]*): (?P<broken>\S[^:]*):(?P<line>\d+):(?P<column>\d+))"
)
_MYPY = re.compile(r"(\S[^:]*):(\d+)(?::(\d+))?: (error|note): (.*?)(?:  \[([a-z-]+)\])?")
_RUFF = re.compile(r"error: Failed to parse (\S[^:]*):(\d+):(\d+): (.*)")
_AT = re.compile(r"annot parse(?: for target version [^:]*)?: (\d+):(\d+)")


def ty_gitlab(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`ty check --output-format gitlab`: the message repeats the rule."""
    return _gitlab(data, cwd, workspace, _TY)


def biome_gitlab(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`biome ci`, `check`, `lint` and `format` with `--reporter=gitlab`; a rule is `format`, `parse` or a linter's."""
    return _gitlab(data, cwd, workspace, _BIOME)


def biome_text(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """What biome prints without a report: a heading with place and rule, then what is wrong. Errors have a cross."""
    if len(data) > LARGEST:
        return (unreadable("biome output", f"{len(data)} bytes"),)
    locate = locator(cwd, workspace)
    found, heading = list[Diagnostic](), None
    for line in (line[:_LINE].strip() for line in clean(data).split("\n")):
        heading = _HEADING.fullmatch(line) or heading
        if heading and (hit := _CROSS.fullmatch(line)):
            path, row, column, rule = heading.groups()
            found.append(Diagnostic(hit[1], path=locate(path), line=number(row), column=number(column), rule=rule))
            heading = None
    return capped(found)


def _gitlab(data: bytes, cwd: str, workspace: str, severities: Mapping[str, Severity]) -> tuple[Diagnostic, ...]:
    locate = locator(cwd, workspace)
    try:
        found = load(clean(data).encode())  # biome colours even an empty string
    except ValueError as error:
        return (unreadable("code quality JSON", error),)
    if not isinstance(found, list):
        return (unreadable("code quality JSON", "no array"),)
    return capped(_quality(item, locate(table(item.get("location")).get("path")), severities) for item in tables(found))


def _quality(item: dict[str, object], path: str | None, severities: Mapping[str, Severity]) -> Diagnostic:
    rule, place = word(item.get("check_name")), table(item.get("location"))
    begin = table(table(place.get("positions")).get("begin"))
    return Diagnostic(
        text(item.get("description")).removeprefix(f"{rule}: ") or "no message",
        severities.get(str(item.get("severity")), Severity.ERROR),
        path,
        number(begin.get("line")) or number(table(place.get("lines")).get("begin")),
        number(begin.get("column")),
        rule,
    )


def flake8_text(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """flake8 with its default format: one line each."""
    if len(data) > LARGEST:
        return (unreadable("flake8 output", f"{len(data)} bytes"),)
    locate = locator(cwd, workspace)
    found = (_FLAKE8.fullmatch(line[:_LINE]) for line in clean(data).split("\n"))
    return capped(
        Diagnostic(hit[5], path=locate(hit[1]), line=number(hit[2]), column=number(hit[3]), rule=hit[4])
        for hit in found
        if hit
    )


def mypy_text(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """mypy before 1.11, which writes no JSON: one line each, with notes."""
    if len(data) > LARGEST:
        return (unreadable("mypy output", f"{len(data)} bytes"),)
    locate = locator(cwd, workspace)
    found = (_MYPY.fullmatch(line[:_LINE]) for line in clean(data).split("\n"))
    return capped(
        Diagnostic(
            hit[5],
            Severity.INFO if hit[4] == "note" else Severity.ERROR,
            locate(hit[1]),
            number(hit[2]),
            number(hit[3]),
            hit[6],
        )
        for hit in found
        if hit
    )


def black_text(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`black --check --diff`: files that it would change, with the first difference, and those that it cannot read, in
    the words of old and new ones.
    """
    if len(data) > LARGEST:
        return (unreadable("black output", f"{len(data)} bytes"),)
    locate = locator(cwd, workspace)
    found, rest = first_differences(clean(data).split("\n"))
    hits = [hit for line in rest if (hit := _BLACK.fullmatch(line[:_LINE]))]
    for hit in hits:
        if hit["changed"]:
            found.setdefault(hit["path"], Difference())
    broken = (_black(hit, locate(hit["file"] or hit["broken"])) for hit in hits if not hit["changed"])
    return (*unformatted(found, "black", "black", locate), *capped(broken))


def _black(hit: re.Match[str], path: str | None) -> Diagnostic:
    at = _AT.search(hit["why"] or "")
    line, column = (at[1], at[2]) if at else (hit["line"], hit["column"])
    return Diagnostic(hit["why"] or hit["message"], path=path, line=number(line), column=number(column), rule="black")


def ruff_format_text(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`ruff format --diff`: files that it would change, with the first difference, and those that it cannot read."""
    if len(data) > LARGEST:
        return (unreadable("output of ruff format", f"{len(data)} bytes"),)
    locate = locator(cwd, workspace)
    found, rest = first_differences(clean(data).split("\n"))
    broken = (hit for line in rest if (hit := _RUFF.fullmatch(line[:_LINE])))
    return (
        *unformatted(found, "`ruff format`", "ruff-format", locate),
        *capped(Diagnostic(hit[4], path=locate(hit[1]), line=number(hit[2]), column=number(hit[3])) for hit in broken),
    )
