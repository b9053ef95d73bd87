"""Tests that are still written and that their runner passes over: private ones, in an abstract or a plain class."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from greylag.diffs import FileDiff
from greylag.guards._cases.matching import Found
from greylag.guards._code.fresh import Mark, fresh
from greylag.guards._code.python_tree import UNREADABLE, Function, parsed, walk
from greylag.guards._code.source import LARGEST, language, scan
from greylag.guards._guard import finding, read
from greylag.kinds import TESTS, matches
from greylag.model import Diagnostic
from greylag.protocols import Change

_PRIVATE = re.compile(
    r"@(?:Test|ParameterizedTest|RepeatedTest)\b(?:\([^()]{0,200}\))?\s+(?:@[\w.]{1,60}(?:\([^()]{0,200}\))?\s+){0,5}private\s"
    r"[^(){};]{0,80}?(?P<name>\w{1,80})\("
)
_ABSTRACT = re.compile(r"\babstract\s+(?:(?:public|protected|static)\s+)?class\s+(?P<name>\w{1,80})")
_SETTINGS = "pyproject.toml pytest.ini setup.cfg tox.ini setup.py conftest.py requirements*.txt .pytest.ini"
_DRIVES = re.compile(r"asyncio|anyio|trio|twisted|tornado|aiohttp|asynctest|pytest_tornasync|curio", re.IGNORECASE)
_MOST = 300  # files that are read


def uncollected(
    change: Change, files: Sequence[FileDiff], pairs: Sequence[tuple[Found, Found]]
) -> Iterator[Diagnostic]:
    """Findings on tests and classes that were collected before."""
    java = [file for file in files if language(file.path) == "java" and file.status != "deleted"]
    for file, mark in fresh(change, java, _passed_over):
        name = mark.words.removeprefix("abstract class ")
        if name == mark.words or not _has_heirs(change, name):
            message = f"has `{mark.words}`: the runner passes over it"
            yield finding(change, "tests", "tests/unreported", message, file.path, line=mark.line)
    coroutines = {file.path for file in files if any("async def test" in line.text for line in file.added)}
    python = [(was, now) for was, now in pairs if now.file.path in coroutines and language(now.file.path) == "python"]
    for was, now in python:
        old, new = _function(change, was, base=True), _function(change, now, base=False)
        if not isinstance(old, ast.FunctionDef) or not isinstance(new, ast.AsyncFunctionDef) or new.decorator_list:
            continue
        if "." not in now.case.name and not _says(change, _DRIVES):
            message = f"`{now.case.name}` is a coroutine now, and nothing here waits for one"
            yield finding(change, "tests", "tests/unreported", message, now.file.path, line=now.case.line)
    yield from _plain_classes(change, files)


def _passed_over(path: str, text: str) -> Iterator[Mark]:
    code = scan(text, "java").code
    for match in islice(_PRIVATE.finditer(code), _MOST):
        yield Mark(f"private {match['name']}", code.count("\n", 0, match.end()) + 1, f"private {match['name']}")
    for match in islice(_ABSTRACT.finditer(code), _MOST) if matches(path, TESTS) and "@Test" in code else ():
        words = f"abstract class {match['name']}"
        yield Mark(words, code.count("\n", 0, match.start()) + 1, words)


def _has_heirs(change: Change, name: str) -> bool:
    """Whether a class of the tests goes on from one."""
    heir = re.compile(rf"\bextends\s+{re.escape(name)}\b|:\s*{re.escape(name)}\s*\(")
    paths = (path for path in change.head.paths() if language(path) == "java" and matches(path, TESTS))
    return any(heir.search(read(change.head, path) or "") for path in islice(paths, _MOST))


def _says(change: Change, pattern: re.Pattern[str]) -> bool:
    """Whether settings, requirements or a `conftest.py` have words."""
    paths = (path for path in change.head.paths() if matches(path, _SETTINGS))
    return any(pattern.search(read(change.head, path) or "") for path in islice(paths, _MOST))


def _function(change: Change, found: Found, *, base: bool) -> ast.AST | None:
    path, tree = (found.file.old_path, change.base) if base else (found.file.path, change.head)
    functions = (node for node in _nodes(read(tree, path)) if isinstance(node, Function))
    return next((node for node in functions if node.lineno == found.case.line), None)


def _nodes(text: str | None) -> Sequence[ast.AST]:
    try:
        return walk(parsed((text or "")[:LARGEST]))
    except UNREADABLE:
        return ()


# -- classes of Python -----------------------------------------------------------------------------------------------


def _plain_classes(change: Change, files: Sequence[FileDiff]) -> Iterator[Diagnostic]:
    """Classes that had a base, or a name, by which they were collected."""
    for file in files:
        if language(file.path) != "python" or file.status not in {"modified", "renamed"}:
            continue
        old, new = _classes(read(change.base, file.old_path)), _classes(read(change.head, file.path))
        for name, node in new.items():
            lost = name in old and old[name].bases and not node.bases and not name.startswith("Test")
            tests = any(isinstance(part, Function) and part.name.startswith("test") for part in node.body)
            if lost and tests and not _says(change, re.compile(r"python_classes")):
                message = f"`{name}` has no base any more, and no name by which its tests are collected"
                yield finding(change, "tests", "tests/unreported", message, file.path, line=node.lineno)


def _classes(text: str | None) -> Mapping[str, ast.ClassDef]:
    return {node.name: node for node in _nodes(text) if isinstance(node, ast.ClassDef)}
