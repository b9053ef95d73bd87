"""Tests that are deleted, skipped, weakened or made to exit as passed: by comparing the contents of base and head."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import PurePosixPath

from greylag.diffs import FileDiff, parse
from greylag.guards._case import LARGEST, Case
from greylag.guards._cases import cases
from greylag.guards._dialects import DIALECTS
from greylag.guards._exits import exits
from greylag.guards._fresh import fresh
from greylag.guards._guard import Guard, fact, finding, read
from greylag.guards._patches import opaque, patches
from greylag.guards._source import language, scan
from greylag.kinds import TESTS as TEST_PATHS
from greylag.kinds import matches
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change, Tree

_CANDIDATES = 100  # new tests that a lost one is compared with
_REACH = 30  # lines between a test and a mark that belongs to it
_BROAD = re.compile(r"\b(?:class|describe|suite|context|only|fit|pytestmark|collect_ignore\w*|pytest_\w+|mod)\b")
_WIDEST = 2000  # characters of a line that are looked at
_DATA = "__snapshots__/ *.snap testdata/ fixtures/ golden/ goldens/ cassettes/ *.feature"
_COLLECTED: Mapping[str, re.Pattern[str]] = {  # names that runners collect by default; other files hold no tests
    "python": re.compile(r"test.*\.py|.*_tests?\.py"),
    "go": re.compile(r".*_test\.go"),
    "js": re.compile(r".*[.\-_](?:test|spec|cy|e2e)s?\.\w+|(?:test|spec)s?[.\-_]?.*\.\w+"),
}


@dataclass(frozen=True, slots=True)
class Found:
    """One test, and the file that it is in."""

    file: FileDiff
    case: Case


def check(change: Change) -> Iterator[Diagnostic]:
    """Lost tests and weaker ones, new marks that skip, forced exit codes, deleted test data."""
    files = [file for file in parse(change.diff) if _concerns(change, file)]
    yield from _too_large(change, files)
    yield from exits(change, files)
    yield from _runner(change, files)
    base, head = _found(change, files)
    pairs, lost = _pair(base, head)
    yield from _lost(change, files, base, lost)
    for before, after in pairs:
        yield from _weaker(change, before.case, after)
    known = {(after.file.path, after.case.name) for _, after in pairs}
    new = [found for found in head if (found.file.path, found.case.name) not in known]
    yield from (_constant(change, found) for found in new if found.case.constant)
    yield from _skips(change, files, {(found.file.path, found.case.line) for found in new})


def same(change: Change) -> list[tuple[Found, Found]]:
    """The tests of changed files, each with what it became, as far as that can be told from the contents."""
    return _pair(*_found(change, [file for file in parse(change.diff) if _concerns(change, file)]))[0]


def _found(change: Change, files: list[FileDiff]) -> tuple[list[Found], list[Found]]:
    base = [Found(f, c) for f in files if f.status not in {"added", "copied"} for c in _cases(change.base, f.old_path)]
    head = [Found(f, c) for f in files if f.status != "deleted" and _runs(f) for c in _cases(change.head, f.path)]
    return base, head


def _concerns(change: Change, file: FileDiff) -> bool:
    if any(matches(name, TEST_PATHS) for name in file.names):
        return True
    if not file.path.endswith(".rs") or file.binary:
        return False
    return any("#[" in line.text and "test" in line.text for line in file.lines) or bool(
        "test]" in ((read(change.base, file.old_path) or "") + (read(change.head, file.path) or ""))
    )


def _runs(file: FileDiff) -> bool:
    """Whether a runner still collects the file: a test file that gets another name or place may not be run any more."""
    old, new = PurePosixPath(file.old_path), PurePosixPath(file.path)
    if file.status != "renamed" or old.name == new.name:
        return file.status != "renamed" or matches(file.path, TEST_PATHS) or not matches(file.old_path, TEST_PATHS)
    pattern = _COLLECTED.get(language(file.path) or "")
    return bool(pattern.fullmatch(new.name.lower())) if pattern else old.suffix == new.suffix


def _cases(tree: Tree, path: str) -> tuple[Case, ...]:
    text = read(tree, path)
    return cases(path, text) if text is not None and len(text) <= LARGEST else ()


def _too_large(change: Change, files: list[FileDiff]) -> Iterator[Diagnostic]:
    for file in files:
        if language(file.path) in DIALECTS and len(read(change.head, file.path) or "") > LARGEST:
            yield finding(change, "tests", "tests/too-large", "is too large a test file to be compared", file.path)


def _runner(change: Change, files: list[FileDiff]) -> Iterator[Diagnostic]:
    python = [file for file in files if language(file.path) == "python"]
    for file, mark in fresh(change, python, patches):
        message = f"changes the test runner by `{mark.words}`, so that tests may pass whatever they find"
        yield finding(change, "tests", "tests/runner", message, file.path, line=mark.line)
    loaded = [file for file in python if PurePosixPath(file.path).name == "conftest.py"]
    for file, mark in fresh(change, loaded, opaque):
        message = f"calls `{mark.words}` in a file that pytest loads: what that does cannot be read"
        yield finding(change, "tests", "tests/opaque", message, file.path, line=mark.line, severity=Severity.WARNING)


# -- lost ------------------------------------------------------------------------------------------------------------


def _pair(base: list[Found], head: list[Found]) -> tuple[list[tuple[Found, Found]], list[Found]]:
    """Each base case with what it became: same file and name, else the same body, else the same name elsewhere."""
    free = dict(enumerate(head))
    pairs: list[tuple[Found, Found]] = []
    rest = base
    keys = (
        lambda found: (found.file.path, found.case.name),
        lambda found: found.case.digest,
        lambda found: found.case.name,
    )
    for key in keys:
        index: defaultdict[object, list[int]] = defaultdict(list)
        for number, found in free.items():
            index[key(found)].append(number)
        left = []
        for found in rest:
            candidates = index.get(key(found))
            if candidates:
                pairs.append((found, free.pop(candidates.pop(0))))
            else:
                left.append(found)
        rest = left
    return _renamed(rest, free, pairs)


def _renamed(
    rest: list[Found], free: dict[int, Found], pairs: list[tuple[Found, Found]]
) -> tuple[list[tuple[Found, Found]], list[Found]]:
    """A test renamed and edited at once: a new one in the same file, of mostly the same words, that asserts as much."""
    lost = []
    near: defaultdict[str, list[int]] = defaultdict(list)
    for number, new in free.items():
        near[new.file.path].append(number)
    for found in rest:
        candidates = islice((number for number in near[found.file.path] if number in free), _CANDIDATES)
        match = next((number for number in candidates if _alike(found, free[number])), None)
        if match is None:
            lost.append(found)
        else:
            pairs.append((found, free.pop(match)))
    return pairs, lost


def _alike(old: Found, new: Found) -> bool:
    if new.file.path != old.file.path or new.case.asserts < old.case.asserts or new.case.constant:
        return False
    return 2 * len(old.case.words & new.case.words) >= len(old.case.words | new.case.words)


def _lost(change: Change, files: list[FileDiff], base: list[Found], lost: list[Found]) -> Iterator[Diagnostic]:
    had = Counter(found.file.path for found in base)
    gone: defaultdict[str, list[str]] = defaultdict(list)
    for found in lost:
        gone[found.file.path].append(found.case.name)
    for file in (file for file in files if file.status != "added"):
        names = gone[file.path]
        if names and (file.status == "deleted" or len(names) == had[file.path]):
            verb = "deletes the test file" if file.status == "deleted" else "makes a runner see no test any more in"
            message = f"{verb} {file.old_path} ({len(names)} tests lost)"
            yield finding(change, "tests", "tests/deleted-file", message, file.path)
        elif file.status == "deleted" and not had[file.path]:
            yield _deleted_data(change, file)
        else:
            for name in names:
                yield finding(change, "tests", "tests/deleted-test", f"removes the test `{name}`", file.path)


def _deleted_data(change: Change, file: FileDiff) -> Diagnostic:
    unread = language(file.path) not in DIALECTS and re.search(r"test|spec", PurePosixPath(file.path).name.lower())
    severity = Severity.ERROR if unread and not matches(file.path, _DATA) else Severity.WARNING
    message = f"deletes {file.path}, which belongs to the tests"
    return finding(change, "tests", "tests/deleted-data", message, file.path, severity=severity)


# -- weaker ----------------------------------------------------------------------------------------------------------


def _weaker(change: Change, before: Case, found: Found) -> Iterator[Diagnostic]:
    after, path = found.case, found.file.path
    strong = before.asserts - before.weak, after.asserts - after.weak
    if after.constant > before.constant:
        yield _constant(change, found)
    elif after.asserts < before.asserts:
        message = f"`{after.name}` asserts less: {before.asserts} assertions before, {after.asserts} now"
        yield finding(change, "tests", "tests/fewer-assertions", message, path, line=after.line)
    elif strong[1] < strong[0] and after.weak > before.weak:
        message = f"`{after.name}` asserts more weakly: {strong[0]} comparisons before, {strong[1]} now"
        yield finding(change, "tests", "tests/weaker-assertions", message, path, line=after.line)
    elif after.leaves and not before.leaves:
        message = f"`{after.name}` now leaves before it tests anything"
        yield finding(change, "tests", "tests/early-return", message, path, line=after.line)
    elif after.digest != before.digest:
        yield fact("tests/edited", f"edits the test `{after.name}`", path, line=after.line, severity=Severity.INFO)


def _constant(change: Change, found: Found) -> Diagnostic:
    message = f"`{found.case.name}` has an assertion that can never fail"
    return finding(change, "tests", "tests/constant-assertion", message, found.file.path, line=found.case.line)


# -- skipped ---------------------------------------------------------------------------------------------------------


def _skips(change: Change, files: list[FileDiff], new: set[tuple[str, int]]) -> Iterator[Diagnostic]:
    """Marks on added lines that skip a test, or all others (`only`). One that was moved or kept is not new."""
    moved = Counter(line.text.strip() for file in files for line in file.removed)
    for file in files:
        family = language(file.path) or ""
        text = read(change.head, file.path) if family in DIALECTS and file.status != "deleted" else None
        if text is None:
            continue
        code, pattern = scan(text, family).code.split("\n"), DIALECTS[family].skips
        kept = Counter(match[0] for line in file.removed for match in pattern.finditer(line.text[:_WIDEST]))
        added = {line.new or 0: line.text.strip() for line in file.added}
        for number, whole in added.items():
            for match in pattern.finditer("".join(code[number - 1 : number])[:_WIDEST]):
                if kept[match[0]] > 0:
                    kept[match[0]] -= 1
                elif moved[whole] > 0:
                    moved[whole] -= 1
                else:
                    mark = match[0].strip(" (")
                    own = _of_new_test(number, {line for path, line in new if path == file.path}, added)
                    yield finding(
                        change, "tests", "tests/skipped",
                        f"adds `{mark}`, which keeps {'a new test' if own else 'tests'} from running", file.path,
                        line=number, excerpt=whole, severity=Severity.WARNING if own else Severity.ERROR,
                    )  # fmt: skip


def _of_new_test(mark: int, new: set[int], added: Mapping[int, str]) -> bool:
    """Whether a mark can only concern one test that the change itself brings: then no proof is lost."""
    start = max((line for line in new if line <= mark), default=0)
    after = min((line for line in new if line >= mark), default=0)
    for first, last in ((start, mark), (mark, after)):
        between = [added.get(line) for line in range(first, last + 1)] if first and last - first < _REACH else []
        if between and all(text is not None and not _BROAD.search(text) for text in between):
            return True
    return False


PLUGIN = partial(Guard, "tests", check)
