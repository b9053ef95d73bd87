"""Gates that a change must not move by itself: CI, linters, types, tests, builds, and the programs that check."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath
from posixpath import dirname, join, normpath

from greylag.diffs import FileDiff, parse
from greylag.guards._code.comments import only_comments
from greylag.guards._code.fresh import fresh
from greylag.guards._code.loaded import HOOKS, STEERS, loaded, named
from greylag.guards._gates import ctest, limits, programs
from greylag.guards._gates import gate_lines as lines
from greylag.guards._gates import gate_tables as tables
from greylag.guards._gates.beside import beside
from greylag.guards._gates.editors import more_for_editors
from greylag.guards._gates.encodings import encoded
from greylag.guards._gates.followed import followed
from greylag.guards._gates.hidden import hides
from greylag.guards._gates.included import overriding
from greylag.guards._gates.kept_checks import checks_by_name, of_gates, unkept
from greylag.guards._gates.lost_checks import Checks
from greylag.guards._gates.moved import out_of_sight
from greylag.guards._gates.newcomers import Newcomers
from greylag.guards._gates.outline import outline
from greylag.guards._gates.own_packages import Packages
from greylag.guards._gates.remote import fetched
from greylag.guards._gates.shadows import imports, shadow
from greylag.guards._gates.strictness import as_strict, only_more_rules
from greylag.guards._gates.test_launchers import launchers
from greylag.guards._guard import Guard, fact, finding, read
from greylag.kinds import BUILD, CI, LINT, MANIFESTS, TEST_CONFIG, TESTS, matches
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change, Tree

_WHOLE: Mapping[str, tuple[str, str]] = {  # kind -> patterns, what such a file is
    "ci": (CI, "configures continuous integration"),
    "lint": (LINT, "configures linters or hooks"),
    "tests": (f"{TEST_CONFIG} {STEERS['tests']}", "configures tests or coverage"),
    "build": (STEERS["build"], "steers a package manager or build"),
}
_TABLES: Mapping[str, Callable[[str], tables.Parts]] = {
    "pyproject.toml": tables.pyproject,
    "Cargo.toml": tables.cargo,
    "setup.cfg tox.ini": tables.ini,
    "package.json": tables.package_json,
    "tsconfig*.json jsconfig*.json": tables.tsconfig,
    "bunfig.toml": tables.bunfig,
    "rust-toolchain rust-toolchain.toml": tables.toolchain,
    ".npmrc .yarnrc .yarnrc.yml .yarnrc.yaml pnpm-workspace.yaml": tables.manager,
}
_BUILD = (
    f"{BUILD} pom.xml *.gradle *.gradle.kts *.sbt *.csproj *.props *.targets mix.exs *.sh *.bash *.ps1 *.bat scripts/"
    " bin/"
)
_LIMITS = (
    f"{BUILD} pom.xml *.gradle *.gradle.kts package.json project.json angular.json *size-limit* *bundlesize*"
    " *bundlewatch* *lighthouse* *budget*.json"
)
_WIDEST = 2000  # characters of a line that are looked at


def check(change: Change) -> Iterator[Diagnostic]:
    """Files that are gates or shadow one, tables in mixed files, lines that loosen one, and what else tools load."""
    files = parse(change.diff)
    if not files:
        return
    run, settings, known = programs.named(change.base), named(change), imports(change)
    newcomers, packages, lost = Newcomers(change), Packages(change), Checks(change, files)
    yield from _brought(change, files)
    yield from overriding(change, list(files))
    gates = followed(change.base)
    there = {*change.base.paths()} & {*change.head.paths()}
    for file in files:
        yield from encoded(change, file)
        whole = _whole(file)
        if whole:
            yield _gate(change, file, whole, newcomers)
            continue
        yield from hides(change, file)
        if taken := shadow(change, file, known):
            yield finding(change, "build", "gates/shadow", f"{file.path} {taken}", file.path)
        if known_by := beside(file, there):
            other, severity = known_by
            message = f"adds {file.path}, which may be taken in place of {other}"
            yield finding(change, "build", "gates/shadow", message, file.path, severity=severity)
        if matches(file.path, MANIFESTS) and file.status != "deleted" and (name := packages.taken(file.path)):
            message = f"{file.path} takes the name of the dependency {name}, in place of which it may be installed"
            yield finding(change, "build", "gates/shadow", message, file.path)
        if program := next((name for name in sorted(file.names) if name in run), None):
            message = f"changes {program}, which verification runs ({run[program]})"
            yield finding(change, "build", "gates/program", message, program)
            continue
        if file.old_path in gates or checks_by_name(file):
            found = [*(_lines(change, file, lost) if matches(file.path, _BUILD) else ()), *out_of_sight(change, file)]
            yield from of_gates(change, file, gates.get(file.old_path), lost, found)
            continue
        yield from _numbers(change, file)
        reader = next((reader for patterns, reader in _TABLES.items() if matches(file.path, patterns)), None)
        if reader:
            found = list(_mixed(change, file, reader, newcomers))
            yield from found or unkept(change, file, lost)
            continue
        found = list(_lines(change, file, lost)) if matches(file.path, _BUILD) else []
        yield from found or unkept(change, file, lost)
        if matches(file.path, ctest.FILES) and file.status in {"modified", "renamed"}:
            yield from ctest.other_tests(change, file)
        yield from out_of_sight(change, file)
        yield from _loaded(change, file, settings, newcomers)


def _brought(change: Change, files: Sequence[FileDiff]) -> Iterator[Diagnostic]:
    """What builds newly have from the net, and by what they newly run tests."""
    for file, mark in fresh(change, [file for file in files if matches(file.path, _BUILD)], fetched):
        message = f"runs what it gets from the net, whatever that is: `{mark.words}`"
        yield finding(change, "build", "gates/remote-script", message, file.path, line=mark.line)
    for file, mark in fresh(change, files, launchers):
        message = f"`{mark.words}` decides how tests are run, or whether they may fail"
        yield finding(change, "build", "gates/loosened", message, file.path, line=mark.line)


def _gate(change: Change, file: FileDiff, whole: tuple[str, str, str], newcomers: Newcomers) -> Diagnostic:
    """That a whole file which is a gate has changed: a fact, where it is plain that it demands no less."""
    kind, name, what = whole
    rule = f"gates/{kind}"
    if only_comments(file):
        return fact(rule, f"changes comments of {name}, which {what}", name, severity=Severity.INFO)
    if more_for_editors(change, file):
        return fact(rule, f"adds to {name} what only editors go by", name, severity=Severity.INFO)
    if file.status == "modified" and _stricter(change, file):
        message = f"changes {name}, which {what}, and demands no less than before"
        return fact(rule, message, name, severity=Severity.INFO)
    if newcomers.whole(file, kind):
        return fact(rule, f"adds {name}, which {what} of a new package", name, severity=Severity.INFO)
    return finding(change, kind, rule, f"{_verb(file)} {name}, which {what}", name)


def _numbers(change: Change, file: FileDiff) -> Iterator[Diagnostic]:
    """Limits that accept more, and settings of what is deployed that protect no more."""
    for limit in limits.budgets(file) if matches(file.path, _LIMITS) else ():
        message = f"accepts more than before: {limit.was} was the limit, {limit.now} is it now"
        yield finding(change, "build", "gates/loosened", message, file.path, line=limit.line.new)
    if matches(file.path, "pom.xml *.gradle *.gradle.kts") and file.status == "modified":
        some = lines.chosen(read(change.base, file.old_path) or "", read(change.head, file.path) or "")
        if some:
            yield finding(change, "build", "gates/loosened", f"runs only chosen tests: `{some}`", file.path)
    for setting in lines.less_secure(file) if matches(file.path, "*.y*ml *.tf") else ():
        yield finding(change, "build", "gates/loosened", f"takes `{setting}` back, which protects", file.path)


def _stricter(change: Change, file: FileDiff) -> bool:
    """Whether the settings of a checker are plain, and all that differs makes them stricter."""
    texts = [read(tree, file.path) or "" for tree in (change.base, change.head)]
    if matches(file.path, "eslint.config.* .eslintrc.js .eslintrc.cjs xo.config.*"):
        return only_more_rules(texts[0], texts[1])
    old, new = (outline(file.path, text) for text in texts)
    return old is not None and new is not None and as_strict(old, new)


def _verb(file: FileDiff) -> str:
    return {"added": "adds", "deleted": "deletes"}.get(file.status, "changes")


def _loaded(change: Change, file: FileDiff, settings: Mapping[str, str], newcomers: Newcomers) -> Iterator[Diagnostic]:
    """Files that tools load: a new hook of the build blocks, what settings name is to be looked at, others are told."""
    where = next((name for name in sorted(file.names) if name in settings), None)
    if file.status == "added" and matches(file.path, HOOKS):
        message = f"adds {file.path}, which every build runs"
        likewise = file.path.endswith("setup.py") and newcomers.like(file)
        severity = Severity.WARNING if likewise else Severity.ERROR
        yield finding(change, "build", "gates/hook", message, file.path, severity=severity)
    elif where:
        message = f"{_verb(file)} {where}, which {settings[where]} names"
        kind = "tests" if matches(where, TESTS) else "build"
        yield finding(change, kind, "gates/loaded", message, where, severity=Severity.WARNING)
    elif known := loaded(file):
        kind, name = known
        who = "a test runner loads" if kind == "tests" else "the build reads"
        message = f"{_verb(file)} {name}, which {who}"
        yield finding(change, kind, "gates/loaded", message, name, severity=Severity.INFO)


def _whole(file: FileDiff) -> tuple[str, str, str] | None:
    for name in sorted(file.names):
        for kind, (patterns, what) in _WHOLE.items():
            if matches(name, patterns):
                return kind, name, what
    return None


def _mixed(
    change: Change, file: FileDiff, reader: Callable[[str], tables.Parts], newcomers: Newcomers
) -> Iterator[Diagnostic]:
    before = _parts(change.base, file.old_path, reader)
    after = _parts(change.head, file.path, reader)
    if after is None:
        yield finding(change, "build", "gates/unreadable", f"{file.path} cannot be read any more", file.path)
        return
    for kind, name in tables.changed(before or {}, after):
        if name in after and newcomers.free(file, name, after, reader):
            message = f"sets {name} in {file.path}, for a new package alone"
            yield fact(f"gates/{kind}", message, file.path, severity=Severity.INFO)
        else:
            yield finding(change, kind, f"gates/{kind}", f"changes {name} in {file.path}, which is a gate", file.path)


def _parts(tree: Tree, path: str, reader: Callable[[str], tables.Parts]) -> tables.Parts | None:
    text = read(tree, path)
    try:
        return reader(text) if text is not None else {}
    except tables.UnreadableError:
        return None


def _lines(change: Change, file: FileDiff, known: Checks) -> Iterator[Diagnostic]:
    if file.binary:
        return
    if matches(file.path, "vite.config.*"):
        yield from _vite(change, file)
    if matches(file.path, "Dockerfile* *.dockerfile Containerfile*") and _becomes_root(change, file):
        yield finding(change, "build", "gates/loosened", "makes the image run as root", file.path)
    for line, was, now in lines.lowered(file):
        message = f"lowers what a build demands from {was} to {now}"
        excerpt = line.text.strip()
        yield finding(change, "build", "gates/loosened", message, file.path, line=line.new, excerpt=excerpt)
    before = Counter(line.text.strip() for line in file.removed)
    marks = Counter(_mark(match) for line in file.removed if (match := lines.LOOSENED.search(line.text[:_WIDEST])))
    for line in file.added:
        match = None if lines.tidies(line) else lines.LOOSENED.search(line.text[:_WIDEST])
        if match and not before[line.text.strip()] and marks[_mark(match)] > 0 and "=" in match[0]:
            marks[_mark(match)] -= 1  # what was off is written in another way
        elif match and not before[line.text.strip()]:
            message = f"`{match[0].strip()}` lets a build pass where it would fail"
            yield finding(
                change, "build", "gates/loosened", message, file.path, line=line.new, excerpt=line.text.strip()
            )
    for limit in limits.times(file):
        message = f"gives tests longer than before: {limit.was} was the limit, {limit.now} is it now"
        yield finding(change, "build", "gates/loosened", message, file.path, line=limit.line.new)
    if lines.unlocked(file):
        message = "installs or builds without the lock file, which was binding"
        yield finding(change, "build", "gates/loosened", message, file.path)
    yield from _removed(change, file, known)


def _removed(change: Change, file: FileDiff, known: Checks) -> Iterator[Diagnostic]:
    """Checks of a build that are in fewer of its lines, unless all that it runs still has them."""
    after = Counter(_checker(match) for line in file.added for match in _checkers(line.text))
    lost = Counter(_checker(match) for line in file.removed for match in _checkers(line.text)) - after
    whole = (read(change.head, file.path) or "").lower()
    held = known.held(file) if lost and file.status != "deleted" else ()
    for name in sorted(lost):
        if " ".join(name.split()) in held:
            continue  # elsewhere, or in another way
        if name.startswith(("-w", "-pedantic")) and name in whole:
            continue  # once is enough
        message = f"removes `{name}`, a check of the build"
        severity = Severity.ERROR if file.status != "deleted" else Severity.WARNING
        yield finding(change, "build", "gates/removed", message, file.path, severity=severity)


def _mark(match: re.Match[str]) -> str:
    return "".join(match[0].lower().split())


def _becomes_root(change: Change, file: FileDiff) -> bool:
    """Whether the last stage of an image had a user, and has none or root now."""
    users = []
    for text in (read(change.base, file.old_path) or "", read(change.head, file.path) or ""):
        stage = re.split(r"^\s*FROM\b", text, flags=re.MULTILINE | re.IGNORECASE)[-1]
        users.append((re.findall(r"^\s*USER\s+([^\s:]+)", stage, re.MULTILINE | re.IGNORECASE) or ["root"])[-1])
    return users[0] not in {"root", "0"} and users[1] in {"root", "0"}


def _vite(change: Change, file: FileDiff) -> Iterator[Diagnostic]:
    """Settings that decide what the tests are; those that the bundler has, too, count where tests are configured."""
    text = (read(change.base, file.old_path) or "") + (read(change.head, file.path) or "")
    keys = lines.VITEST
    if re.search(r"\btest\s*:", text):
        keys = lines.VITEST_AND_VITE
    elif _by_vitest(change, file.path):
        keys = lines.VITEST_AND_ALIAS
    added, removed = ([line.text.strip() for line in lines] for lines in (file.added, file.removed))
    moved = Counter(added) & Counter(removed)
    names = {m[1] for text in added + removed if not moved[text] for m in keys.finditer(text[:_WIDEST])}
    for name in sorted(names):
        yield finding(change, "tests", "gates/tests", f"changes `{name}` in {file.path}, which is a gate", file.path)


def _by_vitest(change: Change, path: str) -> bool:
    """Whether Vitest reads the settings of the bundler: it is used, and has no file of its own beside, or one that
    takes these.
    """
    homes = [parent.as_posix() for parent in PurePosixPath(path).parents]
    own = [one for one in change.head.paths() if matches(one, "vitest.config.*") and dirname(one) == dirname(path)]
    if any("vite.config" not in (read(change.head, one) or "") for one in own):
        return False
    return any("vitest" in (read(change.base, normpath(join(home, "package.json"))) or "") for home in homes)


def _checkers(text: str) -> Iterator[re.Match[str]]:
    return lines.CHECKERS.finditer(text[:_WIDEST])


def _checker(match: re.Match[str]) -> str:
    words = match[0].lower().strip()
    return "set -e" if words.startswith("set -") else words


PLUGIN = partial(Guard, "gates", check)
