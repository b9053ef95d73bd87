"""Sources that define what belongs to a test framework: its classes opened again, its packages and namespaces."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from greylag.diffs import FileDiff
from greylag.guards._code.fresh import Mark, fresh
from greylag.guards._code.source import language, scan
from greylag.guards._guard import finding, read
from greylag.model import Diagnostic
from greylag.protocols import Change

_RUBY = (
    r"(?:::)?(?:RSpec::(?:Core|Expectations|Mocks|Support)\b(?>(?:::\w++)*)|Minitest::(?:Test|Assertions|Spec"
    r"|Runnable|Result|Unit)\b|Test::Unit(?>(?:::\w++)+))"
)
_JVM = (
    r"(?:org\.(?:junit|testng|hamcrest|assertj|mockito|spockframework)|junit\.framework|kotlin\.test"
    r"|io\.(?:kotest|mockk)|com\.google\.common\.truth)"
)
_OWNED: Mapping[str, re.Pattern[str]] = {
    "rb": re.compile(
        rf"^[ \t]*+(?:class|module)[ \t]++{_RUBY}(?![ \t]*+<)"
        rf"|^[ \t]*+module[ \t]++RSpec\s++module[ \t]++(?:Core|Expectations|Mocks|Support)\b"
        r"|^[ \t]*+module[ \t]++Minitest\s++(?:class[ \t]++(?:Test|Runnable|Result)\b(?![ \t]*+<)"
        r"|module[ \t]++Assertions\b)"
        rf"|\b{_RUBY}[ \t]*+\.[ \t]*+(?:prepend|class_eval|class_exec|module_eval|define_method|alias_method"
        rf"|remove_method|undef_method|send|instance_eval)\b",
        re.MULTILINE,
    ),
    "php": re.compile(r"^[ \t]*+namespace[ \t]++PHPUnit\\[\w\\]++", re.MULTILINE),
    "ex": re.compile(r"^[ \t]*+defmodule[ \t]++ExUnit\b[\w.]*+", re.MULTILINE),
    "java": re.compile(rf"^[ \t]*+package[ \t]++{_JVM}\b[\w.]*+", re.MULTILINE),
    "cs": re.compile(r"^[ \t]*+namespace[ \t]++(?:Xunit|NUnit\.Framework"
    r"|Microsoft\.VisualStudio\.TestTools)\b[\w.]*+", re.MULTILINE),
}  # fmt: skip
_KINDS = {
    "rb": "rb", "rake": "rb", "php": "php", "ex": "ex", "exs": "ex", "java": "java", "kt": "java", "scala": "java",
    "groovy": "java", "cs": "cs",
}  # fmt: skip
_MOST = 500  # files of the base that are read


def reopened(change: Change, files: Sequence[FileDiff]) -> Iterator[Diagnostic]:
    """New ones, unless the repository is the framework: then the base has such files."""
    found = list(fresh(change, [file for file in files if _kind(file.path)], owned))
    for file, mark in found:
        if not _framework(change, _kind(file.path), mark.key):
            message = f"has `{mark.words}`, which belongs to a test framework: tests may pass whatever they find"
            yield finding(change, "tests", "tests/runner", message, file.path, line=mark.line)


def owned(path: str, text: str) -> Iterator[Mark]:
    """Where a file opens or declares what is a framework's."""
    if kind := _kind(path):
        code = scan(text, language(path) or "hash").code
        for match in _OWNED[kind].finditer(code):
            words = " ".join(match[0].split())
            yield Mark(
                words.partition(".")[0] if kind == "java" else words, text.count("\n", 0, match.end()) + 1, words
            )


def _kind(path: str) -> str:
    return _KINDS.get(path.rpartition(".")[2], "")


def _framework(change: Change, kind: str, key: str) -> bool:
    paths = (path for path in change.base.paths() if _kind(path) == kind)
    return any(mark.key == key for path in islice(paths, _MOST) for mark in owned(path, read(change.base, path) or ""))
