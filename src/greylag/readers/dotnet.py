"""Readers of .NET: MSBuild's text, and TRX, as the documentation of VSTest has it."""

import re
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from greylag.model import Counts, Diagnostic, Severity
from greylag.readers._common import LARGEST, WORKSPACE, Tests, capped, locator, names, number, unreadable
from greylag.readers._failures import Failed, diagnose, resolver
from greylag.text import clean

_LINE = 2000  # characters of a line that are looked at
_BUILD = re.compile(
    r"\s*(?P<path>[^\s(][^(]*?)(?:\((?P<line>\d+)(?:,(?P<column>\d+))?[\d,-]*\))? ?: "
    r"(?P<level>error|warning) (?P<rule>[A-Z]\w*): (?P<what>.*?)(?: \[[^\]]+\])?$"
)
_FRAME = re.compile(r" in (\S[^:]*):line (\d{1,9})$")
_FAILED, _PASSED = {"Failed", "Error", "Timeout", "Aborted"}, {"Passed", "PassedButRunAborted", "Warning"}


def msbuild_text(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`dotnet build`, `restore` and `format`: `path(line,column): error CODE: message [project]`."""
    locate = locator(cwd, workspace)
    if len(data) > LARGEST:
        return (unreadable("MSBuild output", f"{len(data)} bytes"),)
    lines = (line[:_LINE] for line in clean(data).split("\n") if ": error " in line or ": warning " in line)
    return capped(
        Diagnostic(
            hit["what"],
            Severity(hit["level"]),
            locate(hit["path"]),
            number(hit["line"]),
            number(hit["column"]),
            hit["rule"],
        )
        for hit in map(_BUILD.match, lines)
        if hit
    )


def trx(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> Tests:
    """One TRX file. What was not executed, or is inconclusive, counts as skipped."""
    if len(data) > LARGEST:
        return Counts(0), (unreadable("TRX", f"{len(data)} bytes"),)
    try:
        root = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        return Counts(0), (unreadable("TRX", error),)
    classes = {
        test.get("id"): method.get("className", "")
        for test in root.iterfind(".//{*}UnitTest")
        if (method := test.find("{*}TestMethod")) is not None
    }
    results = list(root.iterfind(".//{*}UnitTestResult"))
    passed = [_name(result, classes) for result in results if result.get("outcome") in _PASSED]
    failed = [result for result in results if result.get("outcome") in _FAILED]
    locate, resolve = locator(cwd, workspace), resolver(())
    diagnostics = capped(diagnose(_failure(result, classes), locate, resolve) for result in failed)
    skipped = len(results) - len(passed) - len(failed)
    return Counts(len(passed) + len(failed), len(failed), skipped, names(passed)), diagnostics


def _name(result: Element, classes: dict[str | None, str]) -> str:
    """With its class, which NUnit and MSTest leave out."""
    name = result.get("testName", "")
    owner = classes.get(result.get("testId"), "").partition(",")[0]
    return name if not owner or name.startswith(f"{owner}.") else f"{owner}.{name}"


def _failure(result: Element, classes: dict[str | None, str]) -> Failed:
    said = result.findtext(".//{*}ErrorInfo/{*}Message") or ""
    trace = result.findtext(".//{*}ErrorInfo/{*}StackTrace") or ""
    frames = [f"{hit[1]}:{hit[2]}" for line in trace.splitlines()[:200] if (hit := _FRAME.search(line[:_LINE]))]
    return Failed(_name(result, classes), said, "\n".join((said, *frames)))
