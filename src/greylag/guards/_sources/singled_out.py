"""A source that has learnt what its tests ask: a new branch leads from their inputs to just what they expect."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from greylag.diffs import FileDiff
from greylag.guards._cases.cases import within
from greylag.guards._code.kept import kept
from greylag.guards._code.python_tree import UNREADABLE, Function, parsed, walk
from greylag.guards._code.source import LARGEST, language
from greylag.guards._guard import finding, read
from greylag.guards._sources.branches import Branch, Decided, decided
from greylag.guards._sources.literals import found, means_little
from greylag.kinds import TESTS, matches
from greylag.model import Diagnostic
from greylag.protocols import Change

_ASSERTS = re.compile(r"assert|expect|should|require|\bwant\b|!=|==", re.IGNORECASE)
_TELLS = re.compile(r"assert|expect|raises|\bt\.(?:Error|Fatal|Fail)|should|XCT", re.IGNORECASE)
_MOST, _LIKELY = 300, 30  # files of tests that are read, and branches of a file that are looked for


class _Tests(NamedTuple):
    """One file of tests: what stands around them, and each of them."""

    around: frozenset[str]  # literals
    tests: Sequence[tuple[str, frozenset[str]]]  # text, and literals


def singled_out(change: Change, file: FileDiff) -> Iterator[Diagnostic]:
    """Findings on functions that were there before, went by more than literals, and still do."""
    family = language(file.path) or ""
    if file.status not in {"modified", "renamed"} or family not in {"python", "js", "java", "go", "rust"}:
        return
    texts = read(change.base, file.old_path) or "", read(change.head, file.path) or ""
    if max(map(len, texts)) > LARGEST:
        return
    old, new = (decided(family, text) for text in texts)
    for name, code in new.items():
        was = old.get(name)
        if was is None or not was.computes or was.branches == code.branches:
            continue
        for branch in islice(_new(was, code), _LIKELY):
            if place := _told(change, family, name.rpartition(".")[2], branch):
                asked = ", ".join(one.literal for one in branch.asked)
                message = f"`{name}` answers {branch.answer} where it is asked for {asked}, as {place} does"
                yield finding(change, "tests", "sources/answer", message, file.path)
                break


def _new(was: Decided, code: Decided) -> Iterator[Branch]:
    """Branches that have come, where none of their kind was: else the function is a table."""
    kinds = {_kind(branch) for branch in was.branches}
    for branch in code.branches:
        speaks = any(not means_little(one.literal) for one in branch.asked)
        alone = len(branch.asked) == 1 and (not code.computes or means_little(branch.answer))
        if speaks and not alone and branch not in was.branches and _kind(branch) not in kinds:
            yield branch


def _kind(branch: Branch) -> int:
    return min(len(branch.asked), 2)


def _told(change: Change, family: str, name: str, branch: Branch) -> str:
    """The file of tests that has all that leads to an answer, and expects that."""
    called = re.compile(rf"(?<!\w){re.escape(name)}\s*\(")
    several = len(branch.asked) > 1
    for tree in (change.base, change.head) if several else (change.base,):
        paths = (path for path in tree.paths() if matches(path, TESTS) and language(path) == family)
        for path in islice(paths, _MOST):
            text = read(tree, path) or ""
            if len(text) <= LARGEST and called.search(text) and _has(_read(path, text), called, branch):
                return path
    return ""


def _has(file: _Tests, called: re.Pattern[str], branch: Branch) -> bool:
    for text, known in file.tests:
        if branch.answer not in known or not called.search(text) or not _expects(text, branch.answer):
            continue
        whole = known | file.around
        plain = [one for one in branch.asked if not one.derived] or branch.asked
        there = [one.literal in whole or (one.part and any(one.literal in other for other in whole)) for one in plain]
        near = [one for one in plain if one.literal in known and not means_little(one.literal)]
        if all(there) and (near or any(one.part for one in plain) or len(plain) > 1):
            return True
    return False


def _expects(text: str, answer: str) -> bool:
    """Whether an assertion of a test has the answer, or one of its rows that may be what is expected."""
    lines = text.split("\n")
    asserted = (line for line in lines if _ASSERTS.search(line))
    return any(answer in found(line) for line in asserted) or any(
        answer in found(line) for line in lines if re.match(r"\s*(?:@|[(\[{].*[)\]}],?$)", line)
    )


@kept
def _read(path: str, text: str) -> _Tests:
    spans = sorted(_spans(path, text))
    around, tests, end = "", [], 0
    for begin, stop in spans:
        around += text[end : max(end, begin)]
        part = text[max(begin, end) : stop]
        if _TELLS.search(part):
            tests.append((part, found(part)))
        else:
            around += part  # what prepares tests
        end = max(end, stop)
    return _Tests(found(around + text[end:]), tests)


def _spans(path: str, text: str) -> Iterator[tuple[int, int]]:
    """Where tests and functions are, with the annotations before them."""
    if language(path) != "python":
        marks = re.compile(r"(?:^[ \t]*(?:@|#\[)[^\n]*\n)*\Z", re.MULTILINE)
        for begin, end in within(path, text):
            line = text.rfind("\n", 0, begin) + 1
            ahead = marks.search(text[max(0, line - 2000) : line])
            yield line - (len(ahead[0]) if ahead else 0), end
        return
    try:
        nodes = [node for node in walk(parsed(text)) if isinstance(node, Function)]
    except UNREADABLE:
        return
    starts = [0, *(match.end() for match in re.finditer("\n", text)), len(text)]
    for node in nodes:
        first = min([node.lineno, *(mark.lineno for mark in node.decorator_list)])
        yield starts[first - 1], starts[min(node.end_lineno or node.lineno, len(starts) - 1)]
