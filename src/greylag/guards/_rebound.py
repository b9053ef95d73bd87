"""Names of a test runner that a test file takes from somewhere else than before: `expect` from a file of its own."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence

from greylag.diffs import FileDiff
from greylag.guards._case import LARGEST
from greylag.guards._guard import finding, read
from greylag.guards._source import Source, language, scan
from greylag.model import Diagnostic
from greylag.protocols import Change

_HERE = "this file"
_NAMES: Mapping[str, re.Pattern[str]] = {
    "python": re.compile(r"pytest|unittest|TestCase|raises|approx|mark|fixture|mock"),
    "js": re.compile(r"it|test|describe|suite|expect|assert|should|t|specify"),
    "java": re.compile(r"Test|Assert\w*|assert\w*|fail|verify|expect\w*|Truth"),
    "go": re.compile(r"testing|assert|require|is|qt"),
}
_RUNNERS: Mapping[str, re.Pattern[str]] = {
    "python": re.compile(
        r"(?:pytest|_pytest|unittest|unittest2|mock|testtools|django\.test|rest_framework\.test|twisted\.trial|aiounittest"
        r"|asynctest|absl\.testing|nose2?|numpy\.testing|tornado\.testing|IPython\.testing|torch\.testing)(?:\.|$)"
    ),
    "js": re.compile(r"(?![./~#]|@/|src/|tests?/)"),  # a package: a new one is a new dependency
    "java": re.compile(
        r"(?:org\.(?:junit|testng|assertj|hamcrest|mockito|spockframework|scalatest)|junit|com\.google\.common\.truth|kotlin\.test"
        r"|io\.(?:kotest|mockk)|reactor\.test|org\.springframework|jakarta|javax)\."
    ),
    "go": re.compile(r"testing$|(?:[\w-]+\.)+[a-z]+/"),
}
_IMPORT = re.compile(r"^[ \t]*import\s+(?!type\b)([^;'\"]{1,800}?)\s*\bfrom\s*(['\"])", re.MULTILINE)
_REQUIRE = re.compile(r"^[ \t]*(?:const|let|var)\s+([^;=]{1,800}?)\s*=\s*require\s*\(\s*(['\"`])([^\n]*)", re.MULTILINE)
_LOCAL = re.compile(
    r"^(?:export\s+)?(?:async\s+)?(?:const|let|var|function)\s+(\w+)\b(?::[^=\n]{0,200})?(?:\s*=\s*(?:await\s+)?(\w+))?",
    re.MULTILINE,
)
_BOUND = re.compile(r"(\w+)(?:\s*(?:\bas\b|:)\s*(\w+))?")
_JAVA = re.compile(r"^[ \t]*import\s+(?:static\s+)?([\w.]+)\.(\w+)", re.MULTILINE)
_GO = re.compile(r"^[ \t]*(?:import\s+)?(?:(\w+)[ \t]+)?\"([^\"\n]{1,300})\"", re.MULTILINE)


def rebound(change: Change, files: Sequence[FileDiff]) -> Iterator[Diagnostic]:
    """Files that were there before and now have such a name from elsewhere."""
    for file in files:
        family = language(file.path) or ""
        before, after = read(change.base, file.old_path), read(change.head, file.path)
        if family not in _NAMES or file.status in {"added", "copied"} or not before or not after:
            continue
        if max(len(before), len(after)) <= LARGEST and (found := _changed(family, before, after)):
            name, source = found
            message = f"takes `{name}` from {source} and not from the test runner any more"
            yield finding(change, "tests", "tests/runner-name", message, file.path)


def taken(change: Change, files: Sequence[FileDiff]) -> set[str]:
    """Names that a changed file has from somewhere else than before, or of its own now."""
    names: set[str] = set()
    for file in files:
        reader = _READERS.get(language(file.path) or "")
        before, after = read(change.base, file.old_path) or "", read(change.head, file.path) or ""
        if reader and file.status not in {"added", "copied"} and max(len(before), len(after)) <= LARGEST:
            old, new = reader(before), reader(after)
            names |= {name for name in new if name in old and old[name] != new[name]}
    return names


def _changed(family: str, before: str, after: str) -> tuple[str, str] | None:
    old, new = (_READERS[family](text) for text in (before, after))
    runner, unbound = _RUNNERS[family], "global" if family == "js" else _HERE  # names of runners may be global there
    for name in [name for name in new if _NAMES[family].fullmatch(name)]:
        was, now = old.get(name, unbound), new[name]
        if was != _HERE and runner.match(was) and (now == _HERE or not runner.match(now)):
            return name, now
    return None


def _python(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return found
    for node in body:
        if isinstance(node, ast.Import):
            found |= {alias.asname or alias.name.partition(".")[0]: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            found |= {alias.asname or alias.name: module for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = _HERE
        elif isinstance(node, ast.Assign):
            found |= {target.id: _HERE for target in node.targets if isinstance(target, ast.Name)}
    return found


def _js(text: str) -> dict[str, str]:
    source: Source = scan(text, "js")
    found: dict[str, str] = {}
    for match in (*_IMPORT.finditer(source.code), *_REQUIRE.finditer(source.code)):
        begin = match.start(2) + 1
        module = text[begin : text.find(match[2], begin, begin + 300)]
        found |= {bound[2] or bound[1]: module for bound in _BOUND.finditer(match[1])}
    for match in _LOCAL.finditer(source.code):
        if match[1] not in found and match[2] != "require":
            found[match[1]] = found.get(match[2] or "", _HERE)
    return found


def _java(text: str) -> dict[str, str]:
    return {match[2]: match[1] + "." for match in _JAVA.finditer(scan(text, "java").code)}


def _go(text: str) -> dict[str, str]:
    head = text[: text.find("\nfunc ")] if "\nfunc " in text else text
    return {match[1] or match[2].rpartition("/")[2]: match[2] for match in _GO.finditer(head)}


_READERS = {"python": _python, "js": _js, "java": _java, "go": _go}
