"""Tests of Python that compared what the sources answer, and now compare what they have made themselves.

The object that is asked is a mock or a class of the tests, the method that is asked is replaced, or a function on the
way is made to return just what is expected.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import PurePosixPath

from greylag.diffs import FileDiff
from greylag.guards._cases.matching import Found
from greylag.guards._code.python_tree import Function, leaf, unparsed, walk
from greylag.guards._code.source import LARGEST, language
from greylag.guards._guard import finding, read
from greylag.guards._tests.makers import Answers, Maker, called, methods
from greylag.guards._tests.patched import target
from greylag.guards._tests.patched_tests import Reader, Test, TestFile, asked
from greylag.model import Diagnostic
from greylag.protocols import Change

_FILES = 300  # files of tests that are searched
_SETS = frozenset({"object", "setattr", "__setattr__"})
_TEXTS = frozenset({"patch", "setattr", "object", "__setattr__"})
_MEANS_LITTLE = frozenset({"None", "True", "False", "0", "1", "''", "[]", "{}", "()"})


def made_answers(change: Change, pairs: Sequence[tuple[Found, Found]]) -> Iterator[Diagnostic]:
    """The first of these for each test."""
    base, head = Reader(change.base), Reader(change.head)
    for was, now in pairs:
        if language(now.file.path) != "python":
            continue
        files = base(was.file.old_path), head(now.file.path)
        tests = files[0].test(was), files[1].test(now)
        if tests[0] is None or tests[1] is None:
            continue
        old = Answers(files[0], tests[0], files[0].set_ups(was))
        new = Answers(files[1], tests[1], files[1].set_ups(now))
        if words := _made(head, old, new) or _expected(head, was, now, old, new):
            message = f"`{now.case.name}` {words}: no longer what the repository's own code answers"
            yield finding(change, "tests", "tests/not-the-source", message, now.file.path, line=now.case.line)


def made_before_all(change: Change, files: Sequence[FileDiff]) -> Iterator[Diagnostic]:
    """Fixtures of a `conftest.py` that newly replace a method before every test, which some of them assert about."""
    base, head = Reader(change.base), Reader(change.head)
    for file in files:
        if PurePosixPath(file.path).name != "conftest.py" or file.status == "deleted":
            continue
        old, new = (dict(_always(side(path))) for side, path in ((base, file.old_path), (head, file.path)))
        for (owner, name), words in new.items():
            asserted = re.compile(rf"\bassert[^\n]{{0,200}}\.{re.escape(name)}\(")
            if (owner, name) not in old and (place := _asserting(change, file, asserted)):
                message = (
                    f"replaces `{owner}.{name}` before every test by `{words}`, and {place} asserts what it answers"
                )
                yield finding(change, "tests", "tests/not-the-source", message, file.path)


def _always(file: TestFile) -> Iterator[tuple[tuple[str, str], str]]:
    nothing = ast.FunctionDef("", ast.arguments([], [], None, [], [], None, []), [], [], None)
    yield from _replaced(Answers(file, Test(nothing, ())))


def _asserting(change: Change, file: FileDiff, asserted: re.Pattern[str]) -> str:
    """A test of the base, below the file, that asserts about a method."""
    home = f"{PurePosixPath(file.path).parent}/".removeprefix("./")
    paths = (path for path in change.base.paths() if path.startswith(home) and path.endswith(".py"))
    return next(
        (path for path in islice(paths, _FILES) if asserted.search((read(change.base, path) or "")[:LARGEST])), ""
    )


def _made(head: Reader, old: Answers, new: Answers) -> str:
    """What of the sources was asked, and is answered by the test now."""
    had, has = list(old.asked()), list(new.asked())
    real = [Counter(name for name, maker in side if maker and maker.path) for side in (had, has)]
    fakes = {name: maker for name, maker in has if maker and maker.answers(name)}
    before = {name for name, maker in had if maker and maker.answers(name)}
    for name, maker in had:
        if name in fakes.keys() - before and maker and real[1][name] < real[0][name] and _is_there(head, maker, name):
            return f"compares what `{fakes[name].name}` of the tests answers for `{name}`"
    put, kept = dict(_replaced(new)), dict(_replaced(old))
    for (owner, name), words in put.items():
        if (owner, name) in kept:
            continue
        if any(one == name and (maker is None or owner in {"", maker.name}) for one, maker in had):
            return f"replaces `{name}`, which it tests, by `{words}`"
    return ""


def _is_there(head: Reader, maker: Maker, name: str) -> bool:
    """Whether the sources still have what was asked."""
    if maker.path not in head.sources.paths:
        return False
    known = methods(head.sources, maker.path, maker.name)
    return known is not None and (name in known or name == maker.name or not known)


# -- what is replaced ------------------------------------------------------------------------------------------------


def _replaced(answers: Answers) -> Iterator[tuple[tuple[str, str], str]]:
    """Methods of classes of the sources, and names of the test's own file, that a test or its set-up replaces."""
    own = answers.test.node, *answers.test.marks, *answers.before
    for node in (*own, *_fixtures(answers), *answers.file.loaded):
        for part in walk(node):
            for owner, name in _targets(part, answers):
                if isinstance(part, ast.stmt | ast.expr):
                    yield (owner, name), unparsed(part)[:80]


def _fixtures(answers: Answers) -> Iterator[Function]:
    """Those that a test names, and those that run before each."""
    for name in asked(answers.test):
        if fixture := answers.file.fixture(name):
            yield fixture[1]
    yield from answers.file.automatic


def _targets(part: ast.AST, answers: Answers) -> Iterator[tuple[str, str]]:
    if isinstance(part, ast.Assign):
        for one in part.targets:
            if isinstance(one, ast.Attribute):
                yield from _method(answers.maker(one.value), one.attr, answers)
    elif isinstance(part, ast.Call) and part.args and not any(word.arg == "wraps" for word in part.keywords):
        name, first = leaf(part.func), part.args[0]
        if name in _SETS and len(part.args) > 1 and _text(part.args[1]):
            yield from _method(answers.maker(first), _text(part.args[1]), answers)
        elif name == "multiple":
            for word in part.keywords:
                yield from _method(answers.maker(first), word.arg or "", answers)
        if name in _TEXTS and "." in _text(first):
            yield from _by_text(_text(first), answers)


def _method(owner: Maker | None, name: str, answers: Answers) -> Iterator[tuple[str, str]]:
    if owner and owner.path and name in (methods(answers.file.own.head, owner.path, owner.name) or ()):
        yield owner.name, name


def _by_text(whole: str, answers: Answers) -> Iterator[tuple[str, str]]:
    """`package.module.Class.method`, and a name of the file of tests itself."""
    owner, _, name = whole.rpartition(".")
    module, _, made = owner.rpartition(".")
    own = answers.file.own
    if source := own.module(module):
        yield from _method(Maker(made, source), name, answers)
    elif owner == "__name__" or own.head.find("x.py", owner) == own.path:
        yield from [("", name)] if own.source(name) else []


def _text(node: ast.expr) -> str:
    """A text that is written as such, or after the name of the module."""
    if isinstance(node, ast.JoinedStr) and len(node.values) == 2 and "__name__" in unparsed(node.values[0]):
        return f"__name__{_text(node.values[1])}"
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


# -- what is expected ------------------------------------------------------------------------------------------------


def _expected(head: Reader, was: Found, now: Found, old: Answers, new: Answers) -> str:
    """A patch of what the asked code calls, which returns just what a comparison expects that there was."""
    fresh = {words: value for words, value in _constants(new).items() if value not in _MEANS_LITTLE}
    if not fresh or not fresh.keys() - _constants(old).keys():
        return ""
    kept = set(was.case.proof.compared) & set(now.case.proof.compared)
    sides = {side for pair in kept for side in pair}
    answered = [(name, maker) for name, maker in new.asked() if maker and maker.path]
    for words in [words for words in fresh.keys() - _constants(old).keys() if fresh[words] in sides]:
        if any(words.rpartition(".")[2] in called(head.sources, maker.path, name) for name, maker in answered):
            return f"makes `{words}` return what it expects"
    return ""


def _constants(answers: Answers) -> Mapping[str, str]:
    """By what functions of the sources are patched, and the value that these return then."""
    found: dict[str, str] = {}
    for node in (answers.test.node, *answers.test.marks, *answers.before, *_fixtures(answers)):
        for part in walk(node):
            if isinstance(part, ast.Call) and (words := target(part, answers.file.own).lstrip("?")):
                given = [word.value for word in part.keywords if word.arg in {"return_value", "new"}]
                values = [one.body if isinstance(one, ast.Lambda) else one for one in (*given, *part.args[1:])]
                plain = [one for one in values if not any(isinstance(inner, ast.Lambda) for inner in walk(one))]
                if plain:
                    found[words] = unparsed(plain[-1])
    return found
