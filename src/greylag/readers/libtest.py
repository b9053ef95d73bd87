"""Reader of what `cargo test` prints: the text of libtest, which has no other form that is stable."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from greylag.model import Counts, Diagnostic
from greylag.readers._common import LARGEST, WORKSPACE, Locate, Tests, capped, locator, names, unreadable
from greylag.readers._failures import Failed, diagnose, resolver, said_by_rust
from greylag.text import clean

_LINE = 2000  # characters of a line that are looked at
_TAIL = 40  # lines of what a broken binary printed last
_BINARY = re.compile(r" +Running (?:unittests )?\S.* \((?:[^()]*/)?([^/()]+?)(?:-[0-9a-f]{16})?\)$")
_DOCUMENTATION = re.compile(r" +Doc-tests (\S+)$")
_BEGIN = re.compile(r"running \d+ tests?$")
_KINDS = (" - should panic", " - compile fail", " - compile")
_OUTPUT = re.compile(r"---- (\S.*) stdout ----$")
_RESULT = re.compile(r"test result: (?:ok|FAILED)\. (\d+) passed; (\d+) failed; (\d+) ignored; ")
_BAD = re.compile(r"error: (?:doc)?test failed, to rerun pass [`'](.+)[`']$")
_STATUS = re.compile(r"  process didn't exit successfully: `.*` \((.+)\)$")
_END = re.compile(r"error: \d+ targets? failed:$")
_ITEM = re.compile(r"(\S.*\.\w+) - (.*?) ?\(line (\d+)\)$")  # a documentation test


class _Ran(NamedTuple):
    """A line about one test: what it printed without libtest's knowledge, and how it ended, if that is there, too."""

    name: str
    said: str
    how: str


def _test(line: str) -> _Ran | None:
    """`test NAME ... ok`, behind what another one may have printed. Searched without patterns: lines are hostile."""
    end = line.find(" ... ")
    start = 0 if line.startswith("test ") else line.rfind("test ", 0, end)
    name = line[start + len("test ") : end] if 0 <= start < end else ""
    if not name.strip():
        return None
    rest = line[end + len(" ... ") :]
    for how in ("ok", "FAILED"):
        if rest.endswith(how):
            return _Ran(_named(name), rest.removesuffix(how), how)
    said, ignored, why = rest.partition("ignored")
    return _Ran(_named(name), said, "ignored" if ignored and (not why or why.startswith(", ")) else "")


def _named(test: str) -> str:
    return next((test.removesuffix(kind) for kind in _KINDS if test.endswith(kind)), test)


@dataclass
class _Binary:
    """One test binary, or the documentation tests of one package. `results` are totals that it printed."""

    name: str
    documentation: bool
    begun: int = 0
    passed: set[str] = field(default_factory=set)
    failed: dict[str, list[str]] = field(default_factory=dict)
    results: list[tuple[int, int, int]] = field(default_factory=list)
    target: str = ""  # how Cargo calls it, once it has failed
    status: str = ""
    tail: list[str] = field(default_factory=list)

    _output: list[str] | None = None  # of the failed test whose output is being listed
    _waiting: str = ""  # the test of which more may be said, since it printed something itself

    def take(self, line: str) -> None:
        """The next line that is printed."""
        if hit := _RESULT.search(line):
            self.results.append((int(hit[1]), int(hit[2]), int(hit[3])))
            self._output = None
        elif (hit := _OUTPUT.match(line)) and ((test := _named(hit[1])) in self.failed or test in self.passed):
            self._output = self._ended(test, "FAILED")
        elif line == "failures:":
            self._output = None
        elif self._output is not None:
            self._output.append(line)
        elif _BEGIN.match(line):
            self.begun += 1
        elif ran := _test(line):
            self._waiting = "" if ran.how and not ran.said else ran.name
            self._ended(ran.name, ran.how)
        elif line in {"ok", "FAILED"} and self._waiting:
            self._ended(self._waiting, line)
        elif hit := _BAD.match(line):
            self.target = hit[1]
        elif hit := _STATUS.match(line) if self.target else None:
            self.status = hit[1]
        elif line.strip() and line != "Caused by:":
            self.tail.append(line)

    def _ended(self, test: str, how: str | None) -> list[str]:
        """Count a test; where it failed, the answer takes its output. What is listed as failed has not passed."""
        if how == "ok":
            self.passed.add(test)
        elif how == "FAILED":
            self.passed.discard(test)
            return self.failed.setdefault(test, [])
        return []

    @property
    def totals(self) -> tuple[int, int, int]:
        """Passed, failed, ignored. Tests can print totals; those of a binary come last. Documentation has several."""
        if not self.results:
            return len(self.passed), len(self.failed), 0
        used = self.results if self.documentation else self.results[-1:]
        passed, failed, ignored = (sum(column) for column in zip(*used, strict=True))
        return passed, failed, ignored

    @property
    def broken(self) -> str:
        """Why its totals do not say it all; nothing when they do."""
        missing = self.begun > len(self.results) if self.documentation else self.begun and not self.results
        why = "ended before its tests did" if missing else "failed" if self.target and not self.totals[1] else ""
        return ": ".join(filter(None, (why, self.target, self.status))) if why else ""


def libtest(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> Tests | tuple[()]:
    """`cargo test`. Tests are named `binary::module::test`, those of documentation that passed by their file alone,
    since items and lines change their names. A binary that ends without totals, whatever its exit code, is one failed
    test more; one with a harness of its own has no tests that could be counted. No counts where an error kept all from
    running.
    """
    if len(data) > LARGEST:
        return Counts(0), (unreadable("cargo test", f"{len(data)} bytes"),)
    locate, lines = locator(cwd, workspace), [line[:_LINE] for line in clean(data).split("\n")]
    binaries = _binaries(lines)
    if not binaries and any(line.startswith("error") for line in lines):
        return ()
    passed, failed, ignored = (sum(column) for column in zip(*(b.totals for b in binaries), (0, 0, 0), strict=True))
    broken = sum(bool(binary.broken) for binary in binaries)
    told = names([_passed(binary, test, locate) for binary in binaries for test in binary.passed])
    diagnostics = capped(found for binary in binaries for found in _diagnostics(binary, locate))
    return Counts(passed + failed + broken, failed + broken, ignored, told), diagnostics


def _binaries(lines: Sequence[str]) -> list[_Binary]:
    found: list[_Binary] = []
    for line in lines:
        if (hit := _BINARY.match(line)) or (hit := _DOCUMENTATION.match(line)):
            found.append(_Binary(hit[1], documentation=hit.re is _DOCUMENTATION))
        elif _END.match(line):
            break
        elif found:
            found[-1].take(line)
    return found


def _passed(binary: _Binary, test: str, locate: Locate) -> str:
    item = _ITEM.match(test) if binary.documentation else None
    return f"{locate(item[1])}::documentation" if item else f"{binary.name}::{test}"


def _diagnostics(binary: _Binary, locate: Locate) -> Iterator[Diagnostic]:
    for test, lines in binary.failed.items():
        output = "\n".join(lines)
        item = _ITEM.match(test) if binary.documentation else None
        name = f"{locate(item[1])}::{item[2] or 'documentation'}" if item else f"{binary.name}::{test}"
        own, line = (item[1], int(item[3])) if item else (None, None)
        found = diagnose(Failed(name, said_by_rust(output), output, own), locate, resolver(()))
        yield replace(found, line=line) if line else found  # rustdoc's own lines are not those of the file
    if binary.broken:
        tail = "\n".join(binary.tail[-_TAIL:])
        yield diagnose(Failed(binary.name, f"{binary.name} {binary.broken}", tail), locate, resolver(()))
