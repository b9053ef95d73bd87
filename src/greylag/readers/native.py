"""Readers of what C and C++ compilers, linkers, CMake and CTest print; their text has been the same for decades."""

import itertools
import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace

from greylag.model import Counts, Diagnostic, Severity
from greylag.readers._common import LARGEST, WORKSPACE, Locate, Tests, capped, locator, names, number, unreadable
from greylag.text import cap, clean, one_line

_LINE = 2000  # characters of a line that are looked at
_DEEPEST = 50  # directories that make has gone into
_GCC = re.compile(r"(\S[^:]*):(\d+):(?:(\d+):)? (fatal error|error|warning|ERROR|WARNING): (.*)")
_RULE = re.compile(r" \[(-W[\w=+#-]+)\]$")
_LINKER = ("undefined reference to ", "multiple definition of ", "cannot find -l", "library not found for ")
_OBJECT = re.compile(r"([^\s:]{1,200}):\((?:\.\w[\w.]{0,50}|__text)\+0x[0-9a-f]+\): $")
_CMAKE = re.compile(r"CMake Error(?: \(dev\))?(?: at ([^:]+):(\d+) \(([\w-]+)\)|: (.*)|.*):?")
_MAKE = re.compile(r"(?:g?make(?:\[\d+\])?|ninja): (?:\*\*\* (No rule to make target .*)|error: (.*))")
_PLACE = re.compile(r"(?:g?make(?:\[\d+\])?|ninja): (Entering|Leaving) directory ['`](.{1,1000})'")
_CTEST = re.compile(r" *\d+/\d+ Test +#\d+: (.*) sec *$")


def native_text(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """gcc, clang, the linker, make (also in other directories), ninja, CMake and Meson, in the order of their lines."""
    if len(data) > LARGEST:
        return (unreadable("compiler output", f"{len(data)} bytes"),)
    lines = [line[:_LINE] for line in clean(data).split("\n")]
    return capped(_found(lines, locator(cwd, workspace)))


def _found(lines: list[str], locate: Locate) -> Iterator[Diagnostic]:
    places = ["."]  # directories that make or ninja has gone into
    for at, line in enumerate(lines):
        if (": Entering" in line or ": Leaving" in line) and (hit := _PLACE.match(line)):
            places = [*places[-_DEEPEST:], hit[2]] if hit[1] == "Entering" else places[:-1] or ["."]
        elif hit := _GCC.match(line):
            path, row, column, level, message = hit.groups()
            rule = _RULE.search(message)
            severity = Severity.WARNING if level.lower() == "warning" else Severity.ERROR
            message = message[: rule.start()] if rule else message
            path = posixpath.join(places[-1], path)
            yield Diagnostic(message, severity, locate(path), number(row), number(column), rule and rule[1])
        elif word := next((word for word in _LINKER if word in line), None):
            before, _, what = line.partition(word)
            hit = _OBJECT.search(before[-300:])
            where = f" (in {posixpath.basename(hit[1])})" if hit else ""  # not where in the tree
            yield Diagnostic(word + what + where, rule="linker")
        elif line.startswith("CMake Error") and (hit := _CMAKE.match(line)):
            yield replace(_cmake(lines, at, hit[4]), path=locate(hit[1]), line=number(hit[2]), rule=hit[3] or "cmake")
        elif hit := _MAKE.match(line):
            yield Diagnostic(hit[1] or hit[2], rule="make")


def _cmake(lines: list[str], at: int, said: str | None) -> Diagnostic:
    """The indented paragraphs below say what is wrong, the first one of them in short."""
    below = [line.strip() for line in itertools.takewhile(lambda line: line[:2] in {"", "  "}, lines[at + 1 : at + 30])]
    text = "\n".join(below).strip()
    first = text.partition("\n\n")[0].replace("\n", " ")
    return Diagnostic(one_line(said or first, 300) or "CMake failed", excerpt=cap(text, 2000))


def _ctest(text: str) -> tuple[str, str]:
    """Name and result in `name .......   Passed    0.00`."""
    name, _, result = text.rpartition(" ")[0].rpartition("..")
    return name.rstrip(".").strip(), result.strip()


def ctest_text(data: bytes, _cwd: str = ".", _workspace: str = WORKSPACE) -> Tests:
    """What CTest prints of each test: for versions before 3.21, which write no JUnit XML."""
    lines = (line[:_LINE] for line in clean(data).split("\n"))
    results = [_ctest(hit[1]) for line in lines if (hit := _CTEST.match(line))]
    passed = [name for name, result in results if result == "Passed"]
    skipped = [name for name, result in results if re.match(r"\*+(?:Skipped|Not Run \(Disabled\))", result)]
    failed = [(name, result.lstrip("*")) for name, result in results if name not in {*passed, *skipped}]
    counts = Counts(len(passed) + len(failed), len(failed), len(skipped), names(passed))
    return counts, capped(Diagnostic(one_line(result), test=one_line(name)) for name, result in failed)
