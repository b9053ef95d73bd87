"""Files of tests that take the place of a source: modules and classes of the same name, mocks, patches at import."""

import re
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import PurePosixPath
from posixpath import dirname, join, normpath

from greylag.diffs import FileDiff, parse
from greylag.guards._code.fresh import Mark, fresh
from greylag.guards._code.source import LARGEST, language, scan
from greylag.guards._gates.shadows import Imports, imports, module
from greylag.guards._guard import finding, read
from greylag.guards._tests.origins import Sources, is_source, package
from greylag.guards._tests.patched import patched
from greylag.kinds import TESTS, matches
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change

_IMPORTLIB = re.compile(r"import[-_]mode\s{0,9}[=\"' ]{1,9}importlib|importmode\s{0,9}=\s{0,9}.?importlib")
_SETTINGS = ("pyproject.toml", "pytest.ini", "setup.cfg", "tox.ini", ".pytest.ini")
_AUTOUSE = re.compile(r"\bfixture\([^()\n]{0,200}\bautouse\s*+=\s*+True")
_MOST, _ASKED = 300, 20  # files of tests that are read, and patches for which they are
_CLASS = re.compile(r"^(?:[a-z]+[ \t]+){0,5}(?:class|interface|enum|record|object)[ \t]+(\w+)", re.MULTILINE)


def standins(change: Change) -> Iterator[Diagnostic]:
    """New files that hide a source from the tests, and test code that patches one while it is loaded."""
    files = [file for file in parse(change.diff) if file.status != "deleted" and not file.binary]
    new = [file for file in files if file.status in {"added", "copied", "renamed"}]
    python = [file for file in files if language(file.path) == "python" and matches(file.path, TESTS)]
    if not new and not python:
        return
    head = Sources(change.head)
    known = imports(change) if any(language(file.path) == "python" for file in new) else None
    for file in new:
        if hidden := _hidden(change, file, head, known):
            message = f"takes the place of {hidden} in tests, which no longer test the repository's own"
            yield finding(change, "tests", "tests/not-the-source", message, file.path)
    for asked, (file, mark) in enumerate(fresh(change, python, partial(patched, head))):
        message = f"patches the repository's own code by `{mark.words.lstrip('?')}` for all tests"
        sure = not mark.words.startswith("?") or (asked < _ASKED and _before_all(change, file.path, mark))
        shown = Severity.ERROR if sure else Severity.WARNING
        yield finding(change, "tests", "tests/not-the-source", message, file.path, line=mark.line, severity=shown)


def _before_all(change: Change, path: str, mark: Mark) -> bool:
    """Whether a fixture that every test gets replaces a function that tests beside or below it call."""
    text, name = read(change.head, path) or "", mark.words.rpartition(".")[2].rstrip("]")
    if not _AUTOUSE.search(_around(text, mark.line)):
        return False
    called = re.compile(rf"(?<![\w'\"])(?<!def ){re.escape(name)}\s*+\(")
    home = f"{dirname(path)}/" if dirname(path) else ""
    near = (one for one in change.head.paths() if one.startswith(home) and one.endswith(".py") and matches(one, TESTS))
    return any(called.search(read(change.head, one) or "") for one in islice(near, _MOST) if one != path)


def _around(text: str, line: int) -> str:
    """What stands from the last decorator or function at the left edge before a line to that line."""
    lines = text.split("\n")[:line]
    starts = {number for number, one in enumerate(lines) if one.startswith(("@", "def ", "async def "))}
    last = max(starts, default=0)
    while last - 1 in starts:
        last -= 1
    return "\n".join(lines[last:])


def _hidden(change: Change, file: FileDiff, head: Sources, known: Imports | None) -> str | None:
    """The source whose place a file takes."""
    family, home, name = language(file.path), dirname(file.path), PurePosixPath(file.path).name
    if family == "js" and home.endswith("__mocks__"):
        stem = f"./{name.partition('.')[0]}"
        return next((one for one in [head.find(join(dirname(home), "x.js"), stem)] if is_source(one)), None)
    if not matches(file.path, TESTS):
        return None
    if family == "java":
        code = scan((read(change.head, file.path) or "")[:LARGEST], "java").code
        found = (head.find(file.path, package(code), one, sources=True) for one in _CLASS.findall(code)[:99])
        return next((one for one in found if one and PurePosixPath(one).stem in code), None)
    if known is None or any(_IMPORTLIB.search(read(change.head, one) or "") for one in _SETTINGS):
        return None
    for root in map(str, PurePosixPath(file.path).parents):
        top = module(file, root, change.head) if known.roots.get(root) else ""
        source = head.find("x.py", top, sources=True) if top else None
        if source and not source.startswith(normpath(join(root, top)) + "/"):  # else it is a part of that package
            return source
    return None
