"""Readers of Bazel: the report of `_bazel_inside.py` on test targets, and what Bazel and compilers print."""

import base64
import binascii
import posixpath
import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from greylag.model import Counts, Diagnostic, Origin, Severity
from greylag.readers._common import (
    LARGEST,
    UNREADABLE,
    WORKSPACE,
    Tests,
    capped,
    load,
    locator,
    names,
    number,
    tables,
    text,
    unreadable,
    word,
)
from greylag.readers._failures import Failed, diagnose, resolver, telling
from greylag.readers.junit import junit_xml
from greylag.readers.native import native_text
from greylag.readers.text import lines_of
from greylag.text import one_line

_PASSED = {"PASSED", "FLAKY"}
_NOT_RUN = {"FAILED_TO_BUILD", "NO_STATUS", "INCOMPLETE"}  # why is for the log to say
_HEAD = re.compile(r"\A[\s\S]{0,2000}?\n-{70,}\n")  # of a log: which target it is of
_PLACE = re.compile(r"/\S{0,300}/(?:execroot|\S{1,100}\.runfiles)/[^/\s]{1,100}/")  # where Bazel has put a copy
_ERROR = re.compile(r"ERROR: (/[^:\s]{1,1000}):(\d+):(\d+): (.*)")
_REFERENCE = re.compile(r"ERROR: (?!Build did NOT|command succeeded)(.*)")
_ACTION = re.compile(r"\S.* failed: \(|\S.*: error executing command ")


def bazel_report(data: bytes, cwd: str = ".", workspace: str = WORKSPACE, files: Collection[str] = ()) -> Tests:
    """The cases in the `test.xml` of each target. One without cases of its own, which is what Bazel writes where the
    test writes nothing, is a test by the target's name; how a target ended is what Bazel says.
    """
    try:
        report = load(data)
    except ValueError as error:
        return Counts(0), (unreadable("events of Bazel", error),)
    run = failed = skipped = 0
    passed: list[str] = []
    diagnostics: list[Diagnostic] = []
    for target in tables(report):
        counts, found = _target(target, cwd, workspace, files)
        run, failed, skipped = run + counts.run, failed + counts.failed, skipped + counts.skipped
        passed += counts.passed
        diagnostics += found
    return Counts(run, failed, skipped, names(passed)), capped(diagnostics)


def _target(target: dict[str, Any], cwd: str, workspace: str, files: Collection[str]) -> Tests:
    label = word(target.get("label")) or "?"
    if target.get("status") in _NOT_RUN:
        return Counts(0), ()
    own = _source(label, cwd, files)
    cases = [case for xml in _decoded(target.get("xml")) for case in [junit_xml(xml, cwd, workspace, files)]]
    readable = [case for case in cases if not any(d.rule == UNREADABLE for d in case[1])]
    if not all(_is_own(label, counts, found) for counts, found in readable):
        counts = Counts(
            sum(counts.run for counts, _ in readable),
            sum(counts.failed for counts, _ in readable),
            sum(counts.skipped for counts, _ in readable),
            tuple(f"{label} {name}" for counts, _ in readable for name in counts.passed),
        )
        found = tuple(
            replace(d, test=f"{label} {d.test}", path=d.path or own) for _, diagnostics in readable for d in diagnostics
        )
        if counts.failed or target.get("status") in _PASSED:
            return counts, found
        return replace(counts, run=counts.run + 1, failed=1), (*found, _failed(target, label, own, cwd, workspace))
    if target.get("status") == "PASSED":
        return Counts(1, 0, 0, (label,)), ()
    failure = _failed(target, label, own, cwd, workspace)
    if target.get("status") == "FLAKY":
        return Counts(1, 0, 0, (label,)), (replace(failure, severity=Severity.WARNING, origin=Origin.FLAKY),)
    return Counts(1, 1), (failure,)


def _decoded(found: object) -> Iterator[bytes]:
    for part in found if isinstance(found, list) else ():
        try:
            yield base64.b64decode(part, validate=True)
        except (TypeError, ValueError, binascii.Error):
            continue


def _is_own(label: str, counts: Counts, found: Collection[Diagnostic]) -> bool:
    """Whether it is the one case that Bazel writes by itself: its name is the target's, with slashes."""
    name = label.rpartition("//")[2].lstrip(":").replace(":", "/")
    told = {*counts.passed, *(str(d.test) for d in found)}
    return counts.run + counts.skipped <= 1 and told <= {f"{name} > {name}", name, ""}


def _source(label: str, cwd: str, files: Collection[str]) -> str | None:
    """The file that a target is named after, if there is one such file."""
    place = posixpath.normpath(f"{cwd}/{label.rpartition('//')[2].replace(':', '/')}")
    candidates = [path for path in files if path == place or path.startswith(f"{place}.")]
    return candidates[0] if len(candidates) == 1 else None


def _failed(target: dict[str, Any], label: str, own: str | None, cwd: str, workspace: str) -> Diagnostic:
    """A target that failed as a whole: its log says why."""
    log = _HEAD.sub("", text(target.get("log"), 20_000))
    log = "\n".join(_PLACE.sub("", line[:1000]) for line in log.split("\n"))
    status = (word(target.get("status"), 40) or "no status").lower().replace("_", " ")
    said = telling(log) if log.strip() else status
    failed = Failed(label, said, log, own and f"{workspace}/{own}")
    found = diagnose(failed, locator(cwd, workspace), resolver(()))
    return found if status == "failed" else replace(found, message=one_line(f"{status}: {found.message}", 300))


def bazel_text(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """Errors of compilers; what Bazel says of BUILD files, and of actions where no compiler has said why."""
    if len(data) > LARGEST:
        return (unreadable("Bazel output", f"{len(data)} bytes"),)
    compiled = native_text(
        b"\n".join(_PLACE.sub("", line).encode("utf-8", "surrogateescape") for line in lines_of(data)), cwd, workspace
    )
    told = any(d.severity is Severity.ERROR for d in compiled)
    locate = locator(cwd, workspace)
    placed = [
        Diagnostic(one_line(hit[4], 300), path=locate(hit[1]), line=number(hit[2]), column=number(hit[3]), rule="bazel")
        for line in lines_of(data)
        if (hit := _ERROR.match(line)) and not (told and _ACTION.match(hit[4]))
    ]
    found = [*compiled, *placed]
    if not any(d.severity is Severity.ERROR for d in found):
        hits = (_REFERENCE.match(line) for line in lines_of(data))
        found += [Diagnostic(one_line(hit[1], 300), rule="bazel") for hit in hits if hit]
    return capped(found)
