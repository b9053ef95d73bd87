"""Readers of Go: the events of `go test -json`, and the text of `go build`, `go vet` and `gofmt -d`."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from posixpath import dirname, join, normpath
from typing import Any

from greylag.model import Counts, Diagnostic, Severity
from greylag.readers._common import (
    LARGEST,
    WORKSPACE,
    Locate,
    Tests,
    capped,
    loads,
    locator,
    names,
    number,
    table,
    unreadable,
)
from greylag.readers._differences import Difference, first_differences, unformatted
from greylag.readers.text import continued
from greylag.text import clean, one_line

_LINE = 2000  # characters of a line that are looked at
_KEEP = 10  # lines of an excerpt
_NAME = 400  # characters of a test's name
_LINES = 20_000  # of one test that are kept
_PLACE = re.compile(r"(?:vet: )?(\S[^:]{0,400}\.\w+):(\d+)(?::(\d+))?: (.*)")
_WHOLE = re.compile(
    r"go: (?!downloading |extracting |finding |added |warning: |no module dependencies)(.*)"
    r"|\s+imports (.*: .*)|(pattern .*)"
)
_MARK = re.compile(r"\s*(?:=== (?:RUN|PAUSE|CONT|NAME)|--- (?:FAIL|PASS|SKIP|BENCH):)")
_SUMMARY = re.compile(r"(?:FAIL|PASS|ok|exit status \d+|\?)(?:\s|$)")
_SAID = re.compile(r"\s*([\w.-]+\.go):(\d+): ?(.*)")  # of t.Log, t.Error and the like: the name of a file alone
_FRAME = re.compile(r"\t(\S.*\.\w+):(\d+)(?: \+0x[0-9a-f]+)?$")
_TRACE = re.compile(r"Error Trace:|Test:|\S+\.go:\d+$")  # of testify, which repeats place and name
_UNBUILT = re.compile(r"FAIL\t(\S+) \[(?:build|setup) failed\]")
_PANIC = re.compile(r"(?:panic|fatal error): ")


# -- go build, go vet, gofmt -----------------------------------------------------------------------------------------


def go_text(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`go build` and `go vet`: errors with a place; where there is none, what the go command itself complains of."""
    if len(data) > LARGEST:
        return (unreadable("output of go", f"{len(data)} bytes"),)
    return _compiled([line[:_LINE] for line in clean(data).split("\n")], locator(cwd, workspace))


def gofmt_text(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`gofmt -d`, each file with its first difference, and `gofmt -l`; one that is no Go has its errors instead."""
    if len(data) > LARGEST:
        return (unreadable("output of gofmt", f"{len(data)} bytes"),)
    found, rest = first_differences(clean(data).split("\n"))
    locate = locator(cwd, workspace)
    listed = {line: Difference() for line in rest if line.endswith(".go")}
    found = {**listed, **found}
    broken = _compiled([line[:_LINE] for line in rest], locate)
    return (*broken, *unformatted(found, "gofmt", "gofmt", locate))


def _compiled(lines: Sequence[str], locate: Locate) -> tuple[Diagnostic, ...]:
    found = capped(continued((line, _placed(line, locate)) for line in lines))
    return found or capped(continued((line, _unplaced(line)) for line in lines))


def _placed(line: str, locate: Locate) -> Diagnostic | None:
    hit = _PLACE.match(line)
    if hit is None:
        return None
    path, row, column, message = hit.groups()
    kind = {"warning": Severity.WARNING, "note": Severity.INFO}.get(message.partition(":")[0], Severity.ERROR)  # of cgo
    return Diagnostic(message, kind, locate(path), number(row), number(column))


def _unplaced(line: str) -> Diagnostic | None:
    hit = _WHOLE.match(line)
    return Diagnostic(next(filter(None, hit.groups()), "failed")) if hit else None


# -- go test ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Package:
    """What the events of one package say. Lines without a test are under the name ""."""

    place: str  # its directory
    ended: str = ""
    states: dict[str, str] = field(default_factory=dict)
    lines: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    errors: set[str] = field(default_factory=set)  # the lines that Go 1.27 marks as such
    unbuilt: bool = False

    def add(self, event: Mapping[str, Any]) -> None:
        """Take in one event."""
        action, test, said = event.get("Action"), one_line(str(event.get("Test") or ""), _NAME), event.get("Output")
        if action == "output" and isinstance(said, str):
            line = clean(said[:_LINE]).rstrip("\n")
            self.print(test, line)
            self.errors |= {line} if event.get("OutputType") == "error" else set()
        elif not test and action in {"pass", "fail", "skip"}:
            self.ended = str(action)
        elif test and action in {"run", "pass", "fail", "skip"} and self.states.get(test) != "fail":
            self.states[test] = str(action)

    def print(self, test: str, line: str) -> None:
        """Take in one line of output."""
        if not test and _UNBUILT.match(line):
            self.ended, self.unbuilt = "fail", True
        elif len(self.lines[test]) < _LINES:
            self.lines[test].append(line)

    def of(self, state: str) -> list[str]:
        """Tests in a state. One with subtests is none itself, unless it failed and none of them did."""
        around = _around(test for test, its in self.states.items() if state != "fail" or its == "fail")
        return [test for test, its in self.states.items() if its == state and test not in around]

    def named(self, test: str) -> str:
        """A test as people and other runs know it: its directory does not change when the module is renamed."""
        return one_line(f"{self.place}.{test}" if self.place != "." else test, 500)

    def settle(self) -> None:
        """At the end: where the run ended in the middle of one test, that test is to blame."""
        running = self.of("run")
        if running and not self.ended:  # nobody waited for its end
            self.ended = "fail"
        if self.broken and not self.unbuilt and len(running) == 1:
            rest = [line for line in self.lines.pop("", ()) if not _SUMMARY.match(line)]
            self.lines[running[0]] += rest or ["the run ended before this test did"]
            self.states[running[0]] = "fail"

    @property
    def broken(self) -> bool:
        """Whether it failed as a whole, with no test of its own to blame."""
        return self.ended == "fail" and not self.of("fail")


def go_test(data: bytes, cwd: str = ".", workspace: str = WORKSPACE, modules: Mapping[str, str] | None = None) -> Tests:
    """`go test -json`, with what the go command prints between the events (before Go 1.24 also errors of the compiler).

    `modules` are directories by the import paths of their modules. Tests without subtests are counted, and packages
    that failed as a whole, unless no test ran at all: then there is nothing that another run could be compared with.
    """
    if len(data) > LARGEST:
        return Counts(0), (unreadable("output of go test", f"{len(data)} bytes"),)
    packages: dict[str, _Package] = {}
    compiler: list[str] = []
    for line in data.decode("utf-8", "replace").split("\n"):
        event = _event(line)
        unbuilt = _UNBUILT.match(line)  # before Go 1.24 that is no event
        name = unbuilt[1] if unbuilt else event.get("Package")
        if isinstance(name, str):
            name = one_line(name, 1000)
            package = packages.setdefault(name, _Package(_directory(name, modules or {})))
            package.print("", line) if unbuilt else package.add(event)
        else:
            said = event.get("Output", "") if event else line
            compiler.append(clean(str(said)[:_LINE]).rstrip("\n"))
    for package in packages.values():
        package.settle()
    return _told(list(packages.values()), compiler, locator(cwd, workspace))


def _told(packages: Sequence[_Package], compiler: Sequence[str], locate: Locate) -> Tests:
    failed = [(package, test) for package in packages for test in package.of("fail")]
    passed = [package.named(test) for package in packages for test in package.of("pass")]
    skipped = sum(len(package.of("skip")) for package in packages)
    broken = [package for package in packages if package.broken]
    unbuilt = _compiled(compiler, locate) if not packages or any(p.unbuilt for p in broken) else ()
    crashed = [package for package in broken if not (package.unbuilt and unbuilt)]
    found = capped((*unbuilt, *(_failure(*one, locate) for one in failed), *(_crash(one, locate) for one in crashed)))
    bad = len(failed) + (len(broken) if failed or passed else 0)
    return Counts(len(passed) + bad, bad, skipped, names(passed)), found


def _event(line: str) -> Mapping[str, Any]:
    """The event that a line is; an empty one for what is none."""
    try:
        return table(loads(line)) if line.startswith("{") else {}
    except ValueError:
        return {}


def _directory(package: str, modules: Mapping[str, str]) -> str:
    """Where a package is in the repository; its import path where no module of the repository has it."""
    own = max((m for m in modules if package == m or package.startswith(f"{m}/")), key=len, default=None)
    return package if own is None else normpath(join(modules[own], package[len(own) + 1 :]))


def _around(tests: Iterable[str]) -> set[str]:
    """The names that others begin with, up to a slash."""
    return {test[:at] for test in tests for at, char in enumerate(test) if char == "/"}


def _failure(package: _Package, test: str, locate: Locate) -> Diagnostic:
    said = _explained(package, [line for line in package.lines[test] if not _MARK.match(line)], locate)
    return replace(said, test=package.named(test))


def _crash(package: _Package, locate: Locate) -> Diagnostic:
    """A package that ended before its tests did, or whose tests could not even begin."""
    running = package.of("run")
    lines = [line for test in ("", *running) for line in package.lines[test]]
    said = _explained(package, [line for line in lines if not (_MARK.match(line) or _SUMMARY.match(line))], locate)
    during = f" while {', '.join(running[:3])} ran" if running else ""
    return replace(said, message=one_line(f"the tests in {package.place} ended early{during}: {said.message}", 300))


def _explained(package: _Package, lines: Sequence[str], locate: Locate) -> Diagnostic:
    """The panic, or the first error, or the last thing that was said with a place in a file of tests; with the lines
    around it.
    """
    lines = list(_without_foreign(lines, locate))
    panic = next((at for at, line in enumerate(lines) if _PANIC.match(line)), None)
    if panic is not None:
        path, row = _frame(package, lines[panic:], locate)
        return Diagnostic(one_line(lines[panic], 300), path=path, line=row, excerpt=_excerpt(lines[panic:]))
    places = [(at, hit) for at, line in enumerate(lines) if (hit := _SAID.match(line))]
    own = [(at, hit) for at, hit in places if hit[1].endswith("_test.go")]
    if not (own or places):
        return Diagnostic(_message(lines), excerpt=_excerpt(lines))
    at, hit = next((place for place in own if lines[place[0]] in package.errors), (own or places)[-1])
    path = normpath(join(package.place, hit[1])) if own else None
    message = _message([hit[3] if own else hit[0].strip(), *lines[at + 1 :]])
    excerpt = _excerpt(lines[max(0, at - 3) :])
    return Diagnostic(message, path=path, line=number(hit[2]) if own else None, excerpt=excerpt)


def _message(lines: Sequence[str]) -> str:
    """The first lines folded into one, up to the next place."""
    end = next((at for at, line in enumerate(lines) if at and _SAID.match(line)), len(lines))
    words = [" ".join(line.split()) for line in lines[:end]]
    said = [line.removeprefix("Error: ") for line in words if line and not _TRACE.match(line)]
    return one_line(" / ".join(said[:4]), 300) or "failed without a message"


def _without_foreign(lines: Sequence[str], locate: Locate) -> Iterator[str]:
    """Without frames of Go itself and of dependencies, which take two lines each, and without empty lines."""
    for line, below in zip_longest(lines, lines[1:], fillvalue=""):
        frame = _FRAME.match(line)
        if frame is None and not _elsewhere(_FRAME.match(below), locate) and line.strip():
            if not line.startswith("goroutine "):
                yield line
        elif frame and not _elsewhere(frame, locate):
            yield f"{frame[1]}:{frame[2]}"


def _elsewhere(frame: re.Match[str] | None, locate: Locate) -> bool:
    return frame is not None and (not frame[1].startswith("/") or (locate(frame[1]) or "/").startswith("/"))


def _frame(package: _Package, lines: Sequence[str], locate: Locate) -> tuple[str | None, int | None]:
    """The innermost frame in the package's own tests, or the innermost one in the repository."""
    hits = [(locate(path), number(row)) for path, _, row in (line.rpartition(":") for line in lines) if path[:1] == "/"]
    own = [(path, row) for path, row in hits if path and path.endswith("_test.go") and _of(path) == package.place]
    return next(iter(own or hits), (None, None))


def _of(path: str) -> str:
    return dirname(path) or "."


def _excerpt(lines: Sequence[str]) -> str:
    return "\n".join(line.expandtabs(4).rstrip() for line in lines[:_KEEP])
