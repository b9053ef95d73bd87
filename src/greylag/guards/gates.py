"""Gates that a change must not move by itself: CI, linters, types, tests, builds, and the programs that check."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from greylag.diffs import FileDiff, parse
from greylag.guards import _gate_tables as tables
from greylag.guards import _programs as programs
from greylag.guards._guard import Guard, finding, read
from greylag.guards._shadows import imports, shadow
from greylag.kinds import BUILD, CI, LINT, TEST_CONFIG, matches
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change, Tree

_WHOLE: Mapping[str, tuple[str, str]] = {  # kind -> patterns, what such a file is
    "ci": (CI, "configures continuous integration"),
    "lint": (LINT, "configures linters or hooks"),
    "tests": (TEST_CONFIG, "configures tests or coverage"),
    "build": (".pnpmfile.cjs .pnpmfile.mjs .env.yarn", "steers a package manager"),
}
_TABLES: Mapping[str, Callable[[str], tables.Parts]] = {
    "pyproject.toml": tables.pyproject,
    "Cargo.toml": tables.cargo,
    "setup.cfg tox.ini": tables.ini,
    "package.json": tables.package_json,
    "tsconfig*.json jsconfig*.json": tables.tsconfig,
    ".npmrc .yarnrc .yarnrc.yml .yarnrc.yaml pnpm-workspace.yaml": tables.manager,
}
_BUILD = f"{BUILD} pom.xml *.gradle *.gradle.kts *.sbt *.csproj *.props *.targets *.sh *.bash *.ps1 *.bat scripts/ bin/"
_WIDEST = 2000  # characters of a line that are looked at


def check(change: Change) -> Iterator[Diagnostic]:
    """Files that are gates or shadow one, tables in mixed files, lines in build files that loosen or remove one."""
    files = parse(change.diff)
    if not files:
        return
    named = programs.named(change.base)
    known = imports(change)
    for file in files:
        whole = _whole(file)
        if whole:
            kind, name, what = whole
            verb = {"added": "adds", "deleted": "deletes"}.get(file.status, "changes")
            yield finding(change, kind, f"gates/{kind}", f"{verb} {name}, which {what}", name)
            continue
        if taken := shadow(change, file, known):
            yield finding(change, "build", "gates/shadow", f"{file.path} {taken}", file.path)
        if program := next((name for name in sorted(file.names) if name in named), None):
            message = f"changes {program}, which verification runs ({named[program]})"
            yield finding(change, "build", "gates/program", message, program)
            continue
        reader = next((reader for patterns, reader in _TABLES.items() if matches(file.path, patterns)), None)
        if reader:
            yield from _mixed(change, file, reader)
        elif matches(file.path, _BUILD):
            yield from _lines(change, file)


def _whole(file: FileDiff) -> tuple[str, str, str] | None:
    for name in sorted(file.names):
        for kind, (patterns, what) in _WHOLE.items():
            if matches(name, patterns):
                return kind, name, what
    return None


def _mixed(change: Change, file: FileDiff, reader: Callable[[str], tables.Parts]) -> Iterator[Diagnostic]:
    before = _parts(change.base, file.old_path, reader)
    after = _parts(change.head, file.path, reader)
    if after is None:
        yield finding(change, "build", "gates/unreadable", f"{file.path} cannot be read any more", file.path)
        return
    for kind, name in tables.changed(before or {}, after):
        yield finding(change, kind, f"gates/{kind}", f"changes {name} in {file.path}, which is a gate", file.path)


def _parts(tree: Tree, path: str, reader: Callable[[str], tables.Parts]) -> tables.Parts | None:
    text = read(tree, path)
    try:
        return reader(text) if text is not None else {}
    except tables.UnreadableError:
        return None


def _lines(change: Change, file: FileDiff) -> Iterator[Diagnostic]:
    if file.binary:
        return
    before = Counter(line.text.strip() for line in file.removed)
    for line in file.added:
        match = tables.LOOSENED.search(line.text[:_WIDEST])
        if match and not before[line.text.strip()]:
            message = f"`{match[0].strip()}` lets a build pass where it would fail"
            yield finding(
                change, "build", "gates/loosened", message, file.path, line=line.new, excerpt=line.text.strip()
            )
    after = Counter(match[0].lower() for line in file.added for match in _checkers(line.text))
    lost = Counter(match[0].lower() for line in file.removed for match in _checkers(line.text)) - after
    for name in sorted(lost):
        message = f"removes `{name}`, a check of the build"
        severity = Severity.ERROR if file.status != "deleted" else Severity.WARNING
        yield finding(change, "build", "gates/removed", message, file.path, severity=severity)


def _checkers(text: str) -> Iterator[re.Match[str]]:
    return tables.CHECKERS.finditer(text[:_WIDEST])


PLUGIN = partial(Guard, "gates", check)
