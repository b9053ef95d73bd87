"""Which files of a change hold tests: by their names, by what the runner reported, and by what is in them."""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from posixpath import normpath, relpath

from greylag.diffs import FileDiff
from greylag.guards._cases.cases import cases
from greylag.guards._cases.reported import Reported
from greylag.guards._code.source import LARGEST, language
from greylag.guards._gates import gate_tables as tables
from greylag.guards._guard import read
from greylag.kinds import TESTS, matches
from greylag.protocols import Change, Tree

_RUNNERS: Mapping[str, re.Pattern[str]] = {  # what a file of tests has in it, beside tests that assert
    "python": re.compile(r"\b(?:pytest|unittest2?|TestCase|hypothesis)\b"),
    "js": re.compile(
        r"(?:\bfrom|\bimport|\brequire\s*\()\s*[\"'](?:vitest|@jest/globals|mocha|jasmine|(?:node|bun):test|ava|tape|tap|uvu"
        r"|zora|baretest|qunit|chai|expect|@playwright/test|cypress)\b[^\"'\n]*[\"']"
        r"|(?<![\w.$])(?:describe|suite|context)(?:\.\w+)*\s*\(\s*[\"'`]|\bDeno\.test\b"
    ),
    "java": re.compile(
        r"\b(?:org\.junit|junit\.framework|org\.testng|kotlin\.test|io\.kotest|spock\.lang|org\.scalatest|munit|XCTest"
        r"|Xunit|NUnit\.Framework|TestTools\.UnitTesting|TUnit)\b|\bimport\s+Testing\b"
    ),
}
_RUST = re.compile(r"#\[[^\]\n]{0,200}test")
_MAYBE = re.compile(r"[tT]est|\bit\b|\bspecify\b|\[(?:Fact|Theory)\b")  # spares most files a closer look


def holds_tests(change: Change, file: FileDiff, reported: Reported) -> bool:
    """Whether a file is one of tests on either side of the change."""
    if any(matches(name, TESTS) for name in file.names):
        return True
    sides = ((change.base, file.old_path), (change.head, file.path))
    return not file.binary and any(_found(tree, path, change.base, reported) for tree, path in sides)


def _found(tree: Tree, path: str, base: Tree, reported: Reported) -> bool:
    family, text = language(path) or "", read(tree, path) or ""
    if family == "rust":
        return bool(_RUST.search(text))
    if len(text) > LARGEST or not _MAYBE.search(text):
        return False
    if path in reported.files and any(reported.ran(path, case.name) for case in cases(path, text)):
        return True
    if (family in _RUNNERS and _RUNNERS[family].search(text)) or (family == "js" and _scripted(base, path)):
        return any(case.proof.asserts for case in cases(path, text))
    return family == "python" and any(case.proof.asserts and "." not in case.name for case in cases(path, text))


def _scripted(base: Tree, path: str) -> bool:
    """Whether a script that tests, in a `package.json` at or above a file, names the file."""
    return any(normpath(word) in names for words, names in _scripts(base, path) for word in words)


def _scripts(base: Tree, path: str) -> Iterator[tuple[list[str], set[str]]]:
    for home in PurePosixPath(path).parents:
        scripts = tables.scripts(read(base, str(home / "package.json")) or "")
        own = relpath(path, home)
        for name, command in scripts.items():
            if tables.script_kind(name) == "tests":
                yield re.findall(r"[\w./@+-]+", command), {own, own.rpartition(".")[0]}
