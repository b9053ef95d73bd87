"""Tests of CMake that run something else than before: another command, or a program of other sources."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from posixpath import basename, dirname, join, normpath

from greylag.diffs import FileDiff
from greylag.guards._code.source import brackets
from greylag.guards._guard import finding, read
from greylag.model import Diagnostic
from greylag.protocols import Change

FILES = "CMakeLists.txt *.cmake"
_CALL = re.compile(r"\b(add_test|add_executable)\s*+(?=\()", re.IGNORECASE)
_NOTE = re.compile(r"#[^\n]*+")
_WORD = re.compile(r"\"(?>[^\"]*)\"|[^\s\"()]+")
_END = frozenset({"CONFIGURATIONS", "WORKING_DIRECTORY", "COMMAND_EXPAND_LISTS"})
_TOOLS = re.compile(
    r"(?:\$\{CMAKE_COMMAND\}|cmake)\s+-E\s+(?!env\b|time\b|chdir\b)|(?:\S*/)?(?:true|echo|test|printf|sleep|:)(?:\s|$)"
)
_WRAPPED = re.compile(
    r"(?:\$\{CMAKE_COMMAND\}|cmake)\s+-E\s+(?:(?:env|time)\b|chdir\s+\S+)\s*(?:(?:--\S+|\w+=\S*)\s+)*"
)
_TARGET = re.compile(r"\$<TARGET_FILE:([^<>]{1,100})>")


@dataclass(frozen=True, slots=True)
class _Build:
    """The commands of the tests of one file, and the sources of its programs, by their names."""

    text: str
    tests: dict[str, list[str]] = field(default_factory=dict)
    programs: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> "_Build":
        code = _NOTE.sub(lambda note: " " * len(note[0]), text)
        found, round_, over = cls(code), brackets(code, "()"), 0
        for match in _CALL.finditer(code):
            begin, end = round_.after(match.end())
            if match.start() < over:
                continue
            over = end
            name, *words = [word.strip('"') for word in _WORD.findall(code[begin + 1 : end - 1])] or [""]
            if match[1].lower() == "add_executable":
                found.programs[name] = words
            elif name == "NAME":
                found.tests[words[0] if words else ""] = (
                    words[words.index("COMMAND") + 1 :] if "COMMAND" in words else []
                )
            else:
                found.tests[name] = words
        return found

    def command(self, test: str) -> list[str]:
        """The words that are run, programs by their names."""
        words = self.tests[test]
        end = next((number for number, word in enumerate(words) if word in _END), len(words))
        return [basename(_TARGET.sub(r"\1", word)) if number == 0 or "TARGET_FILE" in word else word
                for number, word in enumerate(words[:end])]  # fmt: skip


def other_tests(change: Change, file: FileDiff) -> Iterator[Diagnostic]:
    """Findings on one file of CMake."""
    before, after = (_Build.of(read(*side) or "") for side in ((change.base, file.old_path), (change.head, file.path)))
    for test in [test for test in before.tests if test in after.tests]:
        old, new = before.command(test), after.command(test)
        if old and old != new and (fault := _fault(before, after, old, new)):
            message = f"makes the test `{test}` of CMake {fault}"
            yield finding(change, "build", "gates/loosened", message, file.path)
    tested = {word for test in before.tests for word in before.command(test)}
    for name in [name for name in before.programs if name in tested and name in after.programs]:
        for source in before.programs[name]:
            place = normpath(join(dirname(file.path), source))
            if source not in after.text and read(change.head, place) is not None:
                message = f"builds the test `{name}` without {source}, which is still there"
                yield finding(change, "build", "gates/loosened", message, file.path)


def _fault(before: _Build, after: _Build, old: list[str], new: list[str]) -> str:
    line, was = (_WRAPPED.sub("", " ".join(words)) for words in (new, old))
    if not new or (_TOOLS.match(line) and not _TOOLS.match(was)):
        return "run nothing of its own"
    if old[0] in new or any(word in new for word in old if word in before.programs):
        return ""
    shared = set(before.programs.get(old[0], ())) & set(after.programs.get(new[0], ()))
    renamed = old[0] not in after.programs and (shared or old[0] not in before.programs)
    return "" if renamed and new[0] not in before.programs else f"run `{line[:80]}` and not `{' '.join(old)[:80]}`"
