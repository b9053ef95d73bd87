"""Tests that are deleted, skipped, weakened or made to exit as passed: by comparing the contents of base and head."""

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath

from greylag.diffs import FileDiff, parse
from greylag.guards._cases.c_checks import toothless
from greylag.guards._cases.dialects import DIALECTS
from greylag.guards._cases.helpers import Helpers
from greylag.guards._cases.lambdas import waiting_lambdas
from greylag.guards._cases.matching import Found
from greylag.guards._cases.reported import Comparing, Reported
from greylag.guards._cases.unreported import unreported
from greylag.guards._code.fresh import fresh
from greylag.guards._code.loaded import named
from greylag.guards._code.source import LARGEST, language, scan
from greylag.guards._gates import limits
from greylag.guards._guard import fact, finding, read
from greylag.guards._sources.ends import on_import
from greylag.guards._sources.exchanged import exchanged
from greylag.guards._tests.answered import answered, taken_out
from greylag.guards._tests.benchmarks import benched
from greylag.guards._tests.broken_data import broken
from greylag.guards._tests.copied import copied
from greylag.guards._tests.data import changed_data
from greylag.guards._tests.doctests import lost_examples
from greylag.guards._tests.escapes import escapes
from greylag.guards._tests.exits import exits
from greylag.guards._tests.expected_failures import expected_failures
from greylag.guards._tests.fitting import Names
from greylag.guards._tests.helper_losses import helper_losses
from greylag.guards._tests.inverted import inverted
from greylag.guards._tests.itself import by_itself
from greylag.guards._tests.line_losses import line_losses
from greylag.guards._tests.loops import shrunk
from greylag.guards._tests.looser import loosened
from greylag.guards._tests.losses import vain, weaker
from greylag.guards._tests.made_answers import made_answers, made_before_all
from greylag.guards._tests.margins import named as margins
from greylag.guards._tests.narrowed import narrowed
from greylag.guards._tests.native_copied import copied as native_copied
from greylag.guards._tests.origins import displaced
from greylag.guards._tests.pairs import Pairs, collected, concerned, nowhere, pair
from greylag.guards._tests.patched_tests import patched_tests
from greylag.guards._tests.patches import opaque, patches, runners
from greylag.guards._tests.rebound import rebound
from greylag.guards._tests.renames import renames
from greylag.guards._tests.reopened import reopened
from greylag.guards._tests.replaced import replaced
from greylag.guards._tests.retried import retried
from greylag.guards._tests.scanned_makers import scanned_makers
from greylag.guards._tests.set_up import set_up
from greylag.guards._tests.sorted import sorts
from greylag.guards._tests.standins import standins
from greylag.guards._tests.substitutes import substitutes
from greylag.guards._tests.swallows import swallows
from greylag.guards._tests.test_callbacks import vain_callbacks
from greylag.guards._tests.turns import extensions, macros, renamed_runners, turns
from greylag.guards._tests.uncollected import uncollected
from greylag.guards._tests.unrun import unrun
from greylag.guards._tests.wrapped import wrapped
from greylag.kinds import matches
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change

_REACH = 30  # lines between a test and a mark that belongs to it
_BROAD = re.compile(r"\b(?:class|describe|suite|context|only|fit|pytestmark|collect_ignore\w*|pytest_\w+|mod)\b")
_RUNNERS = re.compile(r"\b(\w+)[ \t]+\*?(?:testing\.(?:T|B|F|TB)|(?:check\.)?C|(?:\w+\.)?TestingT|GinkgoTInterface)\b")
_WIDEST = 2000  # characters of a line that are looked at
_DATA = "__snapshots__/ *.snap testdata/ fixtures/ golden/ goldens/ cassettes/ *.feature"


def check(reported: Reported, change: Change) -> Iterator[Diagnostic]:
    """Lost tests and weaker ones, new marks that skip, forced exit codes, deleted test data."""
    files = concerned(change, reported)
    yield from _too_large(change, files)
    settings = named(change)
    loading = [*files, *(file for file in parse(change.diff) if file.path in settings and file not in files)]
    yield from exits(change, loading)
    yield from _runner(change, loading)
    yield from rebound(change, files)
    yield from loosened(change, files)
    yield from narrowed(change, files)
    yield from toothless(change, files)
    yield from _limits(change, files)
    yield from margins(change, files)
    yield from broken(change, files)
    yield from retried(change, [file for file in files if file.status != "deleted"])
    helpers = Helpers.of(change, files)
    found = pair(change, files, helpers.known, _still_ran(reported, change))
    elsewhere = list(displaced(change, files, found))
    yield from elsewhere
    yield from standins(change)
    yield from (*substitutes(change, files), *made_before_all(change, files))
    yield from set_up(change, files)
    yield from reopened(change, list(parse(change.diff)))
    yield from native_copied(change, found.pairs)
    yield from by_itself(change, found.edited)
    yield from benched(change, files)
    yield from expected_failures(change, files)
    yield from _lost(change, files, found, helpers.moved, reported)
    rows = Counter(row for new in found.head for row in new.case.rows)
    told: set[str | None] = set()
    for before, after in found.edited:
        for one in (*weaker(change, before, after, rows), *taken_out(change, before, after)):
            told |= {one.path} if one.severity is Severity.ERROR else set()
            yield one
    yield from exchanged(change, [file for file in files if file.path not in told], tests=True)
    yield from answered(change, files)
    yield from wrapped(change, found.edited)
    yield from (*shrunk(change, files, found.edited), *uncollected(change, files, found.edited))
    yield from inverted(change, [file for file in parse(change.diff) if file not in files], found.edited)
    yield from patched_tests(change, found.pairs)
    yield from sorts(change, files, found.pairs)
    other = {one.path for one in elsewhere if one.severity is Severity.ERROR}
    for look, pairs in ((copied, found.edited), (scanned_makers, found.edited), (made_answers, found.pairs)):
        yield from (one for one in look(change, pairs) if one.path not in other)
    yield from helper_losses(change, files, helpers)
    yield from line_losses(change, files)
    yield from lost_examples(change)
    yield from changed_data(change, files)
    yield from renames(change, files, found)
    known = {(after.file.path, after.case.name) for _, after in found.pairs}
    new = [test for test in found.head if (test.file.path, test.case.name) not in known]
    yield from (vain(change, test) for test in new if test.case.proof.constant)
    yield from _skips(change, files, {(test.file.path, test.case.line) for test in new})


def _too_large(change: Change, files: list[FileDiff]) -> Iterator[Diagnostic]:
    for file in files:
        if (
            language(file.path) in DIALECTS
            and not matches(file.path, "*.h *.hpp")
            and len(read(change.head, file.path) or "") > LARGEST
        ):
            yield finding(change, "tests", "tests/too-large", "is too large a test file to be compared", file.path)


def _limits(change: Change, files: list[FileDiff]) -> Iterator[Diagnostic]:
    for file in files:
        for rule, what, found in (
            ("longer", "may take longer", limits.times(file)),
            ("fewer-inputs", "is tried with fewer inputs", limits.inputs(file)),
            ("fewer-planned", "announces fewer assertions", limits.plans(file)),
        ):
            for limit in found:
                message = f"{what} than before: {limit.was} was the number, {limit.now} is it now"
                yield finding(change, "tests", f"tests/{rule}", message, file.path, line=limit.line.new)


def _runner(change: Change, files: list[FileDiff]) -> Iterator[Diagnostic]:
    python = [file for file in files if language(file.path) == "python"]
    sources = [file for file in parse(change.diff) if file not in files]
    rust = [file for file in [*files, *sources] if language(file.path) == "rust"]
    for file, mark in (
        *fresh(change, python, patches),
        *fresh(change, files, turns),
        *fresh(change, rust, macros),
        *fresh(change, sources, runners),
        *fresh(change, [*files, *sources], renamed_runners),
    ):
        message = f"changes the test runner by `{mark.words}`, so that tests may pass whatever they find"
        yield finding(change, "tests", "tests/runner", message, file.path, line=mark.line)
    for file, mark in fresh(change, python, replaced):
        message = f"binds `{mark.words}` anew, so that the test of that name before it is gone"
        yield finding(change, "tests", "tests/replaced", message, file.path, line=mark.line)
    plain = [file for file in python if PurePosixPath(file.path).name != "conftest.py"]
    for file, mark in fresh(change, plain, on_import):
        if "_exit" in mark.words:
            continue  # that is told wherever it stands
        message = f"ends the run by `{mark.words}` as soon as it is imported, with success"
        yield finding(change, "tests", "tests/exit-code", message, file.path, line=mark.line)
    for file, mark in fresh(change, files, swallows):
        message = f"adds `{mark.words}`, which swallows what an assertion raises"
        yield finding(change, "tests", "tests/swallowed", message, file.path, line=mark.line)
    for file, mark in fresh(change, files, unreported):
        message = f"has `{mark.words}`: failures of tests are not told, or any failure is what is expected"
        yield finding(change, "tests", "tests/unreported", message, file.path, line=mark.line)
    for file, mark in (
        one for marks in (unrun, vain_callbacks, waiting_lambdas) for one in fresh(change, files, marks)
    ):
        message = f"has `{mark.words}`: the runner calls it, and no assertion of the test is made, or fails"
        yield finding(change, "tests", "tests/unreported", message, file.path, line=mark.line)
    for file, mark in fresh(change, parse(change.diff), escapes):
        message = f"writes a character of the syntax as `{mark.words}`, so that code looks like something else"
        yield finding(change, "tests", "tests/escaped", message, file.path, line=mark.line)
    for file, mark in fresh(change, files, extensions):
        message = f"adds `{mark.words}`: an extension decides over the tests, too"
        yield fact("tests/extension", message, file.path, line=mark.line, severity=Severity.INFO)
    loaded = [file for file in python if PurePosixPath(file.path).name == "conftest.py"]
    for file, mark in fresh(change, loaded, opaque):
        message = f"calls `{mark.words}` in a file that pytest loads: what that does cannot be read"
        yield finding(change, "tests", "tests/opaque", message, file.path, line=mark.line, severity=Severity.WARNING)


def _still_ran(reported: Reported, change: Change) -> Callable[[FileDiff, Sequence[Found]], bool]:
    """Tests of a file that reports name have run when not a single test that passed before is missing now."""
    was = reported.was(parse(change.diff))
    if not was or was - reported.after:
        return nowhere
    names = Names.of(was)
    return lambda _file, tests: bool(tests) and all(names.fitting(test) for test in tests)


# -- lost ------------------------------------------------------------------------------------------------------------


def _lost(
    change: Change, files: list[FileDiff], found: Pairs, moved: frozenset[str], reported: Reported
) -> Iterator[Diagnostic]:
    had = Counter(test.file.path for test in found.base)
    gone: defaultdict[str, list[tuple[Found, Found | None]]] = defaultdict(list)
    for test, like in found.lost:
        if collected(test.file.old_path) or test.case.proof.asserts or reported.ran(test.file.old_path, test.case.name):
            gone[test.file.path].append((test, like))
    for file in (file for file in files if file.status != "added"):
        tests = gone[file.path]
        emptied = len(tests) == had[file.path] and not any(like for _, like in tests)
        if tests and (file.status == "deleted" or emptied):
            verb = "deletes the test file" if file.status == "deleted" else "makes a runner see no test any more in"
            message = f"{verb} {file.old_path} ({len(tests)} tests lost)"
            yield finding(change, "tests", "tests/deleted-file", message, file.path)
        elif file.status == "deleted" and not had[file.path] and file.path not in moved:
            yield _deleted_data(change, file)
        else:
            for test, like in tests:
                message = f"removes the test `{test.case.name}`"
                if like:
                    message += f"; the new test `{like.case.name}` resembles it, and does not assert all that it did"
                yield finding(change, "tests", "tests/deleted-test", message, file.path)


def _deleted_data(change: Change, file: FileDiff) -> Diagnostic:
    unread = language(file.path) not in DIALECTS and re.search(r"test|spec", PurePosixPath(file.path).name.lower())
    severity = Severity.ERROR if unread and not matches(file.path, _DATA) else Severity.WARNING
    message = f"deletes {file.path}, which belongs to the tests"
    return finding(change, "tests", "tests/deleted-data", message, file.path, severity=severity)


# -- skipped ---------------------------------------------------------------------------------------------------------


def _skips(change: Change, files: list[FileDiff], new: set[tuple[str, int]]) -> Iterator[Diagnostic]:
    """Marks on added lines that skip a test, or all others (`only`). One that was moved or kept is not new."""
    moved = Counter(line.text.strip() for file in files for line in file.removed)
    for file in files:
        family = language(file.path) or ""
        text = read(change.head, file.path) if family in DIALECTS and file.status != "deleted" else None
        if text is None:
            continue
        code, pattern = _looked_at(text, family).split("\n"), DIALECTS[family].skips
        runners = {*_RUNNERS.findall(text)} if family == "go" else set[str]()
        kept = Counter(_mark(match) for line in file.removed for match in pattern.finditer(line.text[:_WIDEST]))
        added = {line.new or 0: line.text.strip() for line in file.added}
        brought = sorted(line for path, line in new if path == file.path)
        for number, whole in added.items():
            for match in pattern.finditer("".join(code[number - 1 : number])[:_WIDEST]):
                if family == "go" and match["who"] and match["who"] not in runners:
                    continue  # a method of what is tested
                if kept[_mark(match)] > 0:
                    kept[_mark(match)] -= 1
                elif moved[whole] > 0:
                    moved[whole] -= 1
                else:
                    mark = _mark(match).strip(" (")
                    own = _of_new_test(number, brought, added)
                    yield finding(
                        change, "tests", "tests/skipped",
                        f"adds `{mark}`, which keeps {'a new test' if own else 'tests'} from running", file.path,
                        line=number, excerpt=whole, severity=Severity.WARNING if own else Severity.ERROR,
                    )  # fmt: skip


def _mark(match: re.Match[str]) -> str:
    """A mark, whether it is written with its package or imported."""
    return re.sub(r"@(?:\w{1,60}\.){1,9}", "@", match[0])


def _looked_at(text: str, family: str) -> str:
    """The code; in C with its strings, since tags of Catch are in these."""
    source = scan(text, family)
    if family != "c":
        return source.code
    return "".join(one if note.isspace() else " " for one, note in zip(text, source.comments, strict=True))


def _of_new_test(mark: int, new: Sequence[int], added: Mapping[int, str]) -> bool:
    """Whether a mark can only concern one test that the change itself brings: then no proof is lost.

    `new` are the lines at which such tests begin, in ascending order.
    """
    start = new[number - 1] if (number := bisect_right(new, mark)) else 0
    after = new[number] if (number := bisect_left(new, mark)) < len(new) else 0
    for first, last in ((start, mark), (mark, after)):
        between = [added.get(line) for line in range(first, last + 1)] if first and last - first < _REACH else []
        if between and all(text is not None and not _BROAD.search(text) for text in between):
            return True
    return False


PLUGIN = partial(Comparing, "tests", check)
