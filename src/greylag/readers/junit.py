"""Reader of JUnit XML in the dialects of pytest, surefire, failsafe, vitest, jest-junit, mocha, node:test, nextest."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from greylag.model import Counts, Diagnostic
from greylag.readers._common import LARGEST, MOST, WORKSPACE, Locate, Tests, capped, locator, names, number, unreadable
from greylag.readers._failures import Failed, Resolve, diagnose, errors_of_pytest, resolver, said_by_rust, telling

_BAD = {"failure", "error"}
_PRINTED = {"system-out", "system-err"}
_FLAKY = {"flakyFailure", "flakyError"}
_GENERIC = re.compile(r'collection failure$|failed on (setup|teardown) with "')
_TEXT = 100_000  # characters of one failure
_DEEPEST = 100  # packages, modules and classes around a test
_NOT_RUN = {"disabled", "notrun"}  # of CTest and GoogleTest
_COLOUR = re.compile(r"\[\d{1,3}(?:;\d{1,3}){0,3}m")  # of a terminal, without the first character, which XML has not
_ILLEGAL = bytes(code for code in range(32) if code not in b"\t\n\r")  # which some runners write as they come
_REFERENCE = re.compile(rb"&#(?:0{0,5}(?:[0-8]|1[124-9]|2\d|3[01])|[xX]0{0,5}(?:[0-8bBcCeEfF]|1[\da-fA-F]));")
_SCRIPT = re.compile(r"\S+\.[cm]?[jt]sx?$")
_RUNNERS = {"pytest": "pytest", "pytest tests": "pytest", "nextest-run": "nextest"}  # by the name of the whole run


def junit_xml(data: bytes, cwd: str = ".", workspace: str = WORKSPACE, files: Collection[str] = ()) -> Tests:
    """Counts by the test cases themselves (totals in attributes are often wrong), and one diagnostic per failed one.

    `files`, the repository's paths, resolve classes to files where traces name classes (Java, Kotlin). A test that
    failed first and passed on a rerun is a warning of origin flaky.
    """
    if len(data) > LARGEST:
        return Counts(0), (unreadable("JUnit XML", f"{len(data)} bytes"),)
    cases = _Cases(locator(cwd, workspace), resolver(files))
    parser = DefusedXMLParser(target=cases, forbid_dtd=True)
    try:
        parser.feed(_legal(data))
        parser.close()
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        return cases.counts, (*capped(cases.diagnostics), unreadable("JUnit XML", error))
    if not cases.suites_seen:
        return Counts(0), (unreadable("JUnit XML", "no test suite in it"),)
    return cases.counts, capped(cases.diagnostics)


def _legal(data: bytes) -> bytes:
    """Without control characters, which no XML may have: a message with colours must not hide the whole report."""
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:  # UTF-16, where they are halves of others
        return data
    return _REFERENCE.sub(b"?", data.translate(None, _ILLEGAL))


@dataclass
class _Case:
    attributes: dict[str, str]
    suites: tuple[str, ...]
    runner: str
    file: str | None
    bad: tuple[str, dict[str, str], list[str]] | None = None
    flaky: tuple[str, dict[str, str], list[str]] | None = None
    skipped: bool = False
    output: list[str] = field(default_factory=list)  # what it printed


@dataclass
class _Cases:
    """Parser target that keeps what failed, and of what passed only the name."""

    locate: Locate
    resolve: Resolve
    failed: int = 0
    skipped: int = 0
    passed: list[str] = field(default_factory=list)
    suites_seen: bool = False
    runner: str = ""
    diagnostics: list[Diagnostic] = field(default_factory=list)
    suites: list[dict[str, str]] = field(default_factory=list)
    case: _Case | None = None
    sink: list[str] | None = None

    @property
    def counts(self) -> Counts:
        return Counts(len(self.passed) + self.failed, self.failed, self.skipped, names(self.passed))

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition("}")[2]
        if tag in {"testsuites", "testsuite"}:
            self.suites_seen = True
            self.runner = _RUNNERS.get(attributes.get("name", ""), self.runner)
            self.suites.append(attributes if tag == "testsuite" else {})
        elif tag == "testcase":
            self.case = self._case(attributes)
        elif tag in _BAD | _FLAKY:
            self._event(tag, attributes)
        elif tag == "skipped" and self.case:
            self.case.skipped = True
        elif tag in _PRINTED and self.case:
            self.sink = self.case.output

    def end(self, tag: str) -> None:
        tag = tag.rpartition("}")[2]
        if tag in {"testsuites", "testsuite"} and self.suites:
            self.suites.pop()
        elif tag in _PRINTED:
            self.sink = None
        elif tag in _BAD | _FLAKY:
            self.sink = None
            if self.case and self.case.attributes.get("name") is None:  # an error of the suite itself
                self._finish(self.case)
        elif tag == "testcase" and self.case:
            self._finish(self.case)

    def data(self, text: str) -> None:
        if self.sink is not None and sum(map(len, self.sink[:64])) < _TEXT and len(self.sink) < 2000:
            self.sink.append(text[:_TEXT])

    def close(self) -> None:
        """Part of the parser's protocol."""

    def _case(self, attributes: dict[str, str]) -> _Case:
        names = tuple(suite["name"] for suite in self.suites if suite.get("name"))
        files = [suite["file"] for suite in self.suites if suite.get("file")]
        return _Case(attributes, names, self.runner, attributes.get("file") or (files[-1] if files else None))

    def _event(self, tag: str, attributes: dict[str, str]) -> None:
        if self.case is None:
            self.case = self._case({})
        event = (tag, attributes, list[str]())
        if tag in _BAD and self.case.bad is None:
            self.case.bad = event
        elif tag in _FLAKY and self.case.flaky is None:
            self.case.flaky = event
        self.sink = event[2]

    def _finish(self, case: _Case) -> None:
        self.case = None
        if case.skipped or case.attributes.get("status") in _NOT_RUN:
            self.skipped += 1
            return
        told = _told(case, self.resolve)
        if case.bad:
            self.failed += 1
        else:
            self.passed.append(told.test)
        if (case.bad or case.flaky) and len(self.diagnostics) < MOST:
            self.diagnostics.append(diagnose(told, self.locate, self.resolve))


def _told(case: _Case, resolve: Resolve) -> Failed:
    _, attributes, parts = case.bad or case.flaky or ("", {}, [])
    text = _COLOUR.sub("", "".join(parts))
    if not text and not attributes.get("message"):  # CTest, Meson: all that a program with many tests printed
        text = telling("".join(case.output))
    owner, name = case.attributes.get("classname", ""), case.attributes.get("name", "")
    if text.startswith(f"{case.attributes.get('class')}::"):  # PHPUnit: the name, what it says, an empty line, a trace
        text = text.partition("\n")[2]
        attributes = {"message": text.rpartition("\n\n")[0]}
    line = number(case.attributes.get("line"))
    message, flaky = _message(attributes, text), case.bad is None
    if case.runner == "nextest":
        return Failed(f"{owner}::{name}", said_by_rust(text) or message, text, flaky=flaky)
    if case.runner == "pytest":
        own, test = _pytest(owner, name, case.file, text, resolve)
        return Failed(test, message, text, own, line and line + 1, flaky=flaky)
    if _SCRIPT.match(owner):  # vitest
        return Failed(name, message, text, owner, line, flaky=flaky)
    own = case.file if case.file and _SCRIPT.match(case.file) else None
    if owner in {"", "test"}:  # node:test, where a file that did not load is a test whose name is its path
        place = name if name.startswith("/") and _SCRIPT.match(name) else own
        titles = (*case.suites, name.removeprefix(f"{WORKSPACE}/"))
        return Failed(" > ".join(titles), message, text, place, line, flaky=flaky)
    if owner in name or " " in owner or own:  # jest-junit and mocha repeat the titles in one or the other
        return Failed(name if owner in name else f"{owner} {name}", message, text, own, line, flaky=flaky)
    return Failed(f"{owner}.{name}", message, text, case.file, line, owner, flaky)


def _pytest(owner: str, name: str, file: str | None, text: str, resolve: Resolve) -> tuple[str | None, str]:
    """File and node id of a pytest case: `tests.test_a.TestB`, `test_c` -> `tests/test_a.py::TestB::test_c`.

    The file is where the test is written. One that is inherited or imported belongs to another module, its owner's.
    """
    if not owner:  # a module that could not be collected
        file = file or name.replace(".", "/") + ".py"
        return file, file
    if file is None:
        named = re.findall(r"^([^\s:]{1,300}\.py):\d+:", text[:_TEXT], re.MULTILINE)
        file = next((path for path in named if _is_module(path, owner)), None) or _module(owner, resolve)
    module = file if _is_module(file, owner) else _module(owner, resolve)
    rest = owner[len(module.removesuffix(".py")) + 1 :]
    return file, "::".join(part for part in (module, *rest.split("."), name) if part)


def _is_module(path: str, owner: str) -> bool:
    return f"{owner}.".startswith(path.removesuffix(".py").replace("/", ".") + ".")


def _module(owner: str, resolve: Resolve) -> str:
    """The longest beginning that is a file; where none is, classes begin with a capital, modules do not."""
    parts = owner.split(".")[:_DEEPEST]
    paths = ["/".join(parts[:end]) + ".py" for end in range(len(parts), 0, -1)]
    capital = next((at for at, part in enumerate(parts) if part[:1].isupper() and at), len(parts))
    return next(filter(resolve, paths), paths[-capital])


def _message(attributes: dict[str, str], text: str) -> str:
    given = _COLOUR.sub("", attributes.get("message", ""))
    if found := _GENERIC.match(given):
        when = f"error at {found[1]}: " if found[1] else ""
        return when + (errors_of_pytest(text) or given)
    kind = attributes.get("type", "").rpartition(".")[2]
    useful = kind and given and kind not in given and kind[:1].isupper() and " " not in kind
    return f"{kind}: {given}" if useful else given
