"""Readers of Ruby's tools: JSON of RuboCop and RSpec, the text of Minitest and test-unit."""

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any

from greylag.model import Counts, Diagnostic, Severity
from greylag.readers._common import (
    LARGEST,
    WORKSPACE,
    Locate,
    Tests,
    capped,
    load,
    locator,
    names,
    number,
    table,
    tables,
    text,
    unreadable,
    word,
)
from greylag.readers._failures import Failed, diagnose, resolver
from greylag.text import clean, one_line

_LINE = 2000  # characters of a line that are looked at
_BODY = 30  # lines of one failure
_FOREIGN = re.compile(r"/gems/|/lib/ruby/|/bin/")
_PLACE = re.compile(r"([^\s\[\]()'`]+\.rb):(\d{1,9})\b")
_RAISED = re.compile(r"[A-Z]\w*(?:::\w+)*:$")
_TOTAL = re.compile(
    r"(\d{1,9}) (?:runs|tests), \d+ assertions, (\d{1,9}) failures, (\d{1,9}) errors, (\d{1,9}) (?:skips|pendings)"
    r"(?:, (\d{1,9}) omissions)?"
)
_PASSED = re.compile(r"(\S+#.+) = \d+\.\d+ s = \.$")  # of Minitest
_SUITE, _CASE = re.compile(r" *([A-Z]\w*(?:::\w+)*): *$"), re.compile(r" +(test\S*.*?):\s+\.: \(\d")  # of test-unit
_FAILURE = re.compile(r" *(?:\d+\) )?(?:Failure|Error):$")  # of Minitest: the name stands below
_NAMED = re.compile(r"(\S+#.+?)(?: \[(\S+\.rb):(\d{1,9})\])?:$")
_LISTING = re.compile(r"  +(?:=> +)?\d+: ")  # of the source, by test-unit
_OF_UNIT = re.compile(r"(?:Failure|Error): (.+?)\((\w+(?:::\w+)*)\)(?:: (.*))?$")


def rubocop_json(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`rubocop --format json`, and standardrb: whatever it finds makes it fail, except for `info`."""
    locate = locator(cwd, workspace)
    try:
        found = table(load(data))
    except ValueError as error:
        return (unreadable("RuboCop JSON", error),)
    return capped(
        Diagnostic(
            text(offense.get("message")) or "no message",
            Severity.INFO if offense.get("severity") == "info" else Severity.ERROR,
            locate(file.get("path")),
            number(table(offense.get("location")).get("start_line")),
            number(table(offense.get("location")).get("start_column")),
            word(offense.get("cop_name")),
        )
        for file in tables(found.get("files"))
        for offense in tables(file.get("offenses"))
    )


def rspec_json(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> Tests:
    """`rspec --format json`. Errors outside of examples, such as of a file that cannot be loaded, are no tests."""
    locate = locator(cwd, workspace)
    try:
        found = table(load(data))
    except ValueError as error:
        return Counts(0), (unreadable("RSpec JSON", error),)
    examples = list(tables(found.get("examples")))
    passed = [str(word(e.get("full_description"), 500)) for e in examples if e.get("status") == "passed"]
    failed = [e for e in examples if e.get("status") == "failed"]
    skipped = len(examples) - len(passed) - len(failed)
    resolve = resolver(())
    diagnostics = [diagnose(_example(example), locate, resolve) for example in failed]
    if table(found.get("summary")).get("errors_outside_of_examples_count"):
        said = found.get("messages")
        errors = [text(one) for one in (said if isinstance(said, list) else []) if "rror" in text(one)]
        diagnostics += [_outside(error, locate) for error in errors]
    return Counts(len(passed) + len(failed), len(failed), skipped, names(passed)), capped(diagnostics)


def _example(example: dict[str, Any]) -> Failed:
    exception = table(example.get("exception"))
    kind = (word(exception.get("class")) or "").rpartition("::")[2]
    said = text(exception.get("message"))
    message = said if kind in {"ExpectationNotMetError", ""} else f"{kind}: {said}"
    trace = exception.get("backtrace")
    frames = [frame for frame in trace if isinstance(frame, str)] if isinstance(trace, list) else []
    own = word(example.get("file_path"), 1000)
    name = word(example.get("full_description")) or "an example without a name"
    return Failed(name, message, "\n".join((message, *_own(frames))), own, number(example.get("line_number")))


def _own(frames: Sequence[str]) -> list[str]:
    """Frames of the repository's files, in a form that all readers of traces know."""
    hits = (_PLACE.match(frame.strip()) for frame in frames if not _FOREIGN.search(frame))
    return [f"{hit[1]}:{hit[2]}" for hit in hits if hit][:10]


def _outside(said: str, locate: Locate) -> Diagnostic:
    """`An error occurred while loading ./spec/a_spec.rb.` with what was raised, and where."""
    lines = [line.strip() for line in said.split("\n") if line.strip()]
    hit = next((hit for line in lines if line.startswith("#") and (hit := _PLACE.search(line))), None)
    path, line = (locate(hit[1]), number(hit[2])) if hit else (None, None)
    raised = next((f"{a} {b}" for a, b in itertools.pairwise(lines) if _RAISED.match(a)), " / ".join(lines[:5]))
    return Diagnostic(one_line(raised, 300), path=path, line=line, rule="rspec", excerpt=said)


def minitest_text(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> Tests | tuple[()]:
    """What Minitest (also with Rails) and test-unit print with `--verbose`, of one run or several; nothing without
    totals.
    """
    if len(data) > LARGEST:
        return Counts(0), (unreadable("the output of tests", f"{len(data)} bytes"),)
    lines = [line[:_LINE] for line in clean(data).split("\n")]
    totals = [[int(part or 0) for part in hit.groups()] for line in lines if (hit := _TOTAL.match(line))]
    if not totals:
        return ()
    ran, failures, errors, skipped, omitted = (sum(column) for column in zip(*totals, strict=True))
    locate, resolve = locator(cwd, workspace), resolver(())
    diagnostics = capped(diagnose(failed, locate, resolve) for failed in _failures(lines))
    counts = Counts(max(0, ran - skipped - omitted), failures + errors, skipped + omitted, names(list(_passed(lines))))
    return counts, diagnostics


def _passed(lines: Sequence[str]) -> Iterator[str]:
    suite = ""
    for line in lines:
        if hit := _PASSED.match(line):
            yield hit[1]
        elif hit := _SUITE.match(line):
            suite = hit[1]
        elif hit := _CASE.match(line):
            yield f"{suite}#{hit[1]}"


def _failures(lines: Sequence[str]) -> Iterator[Failed]:
    for at, line in enumerate(lines[:-1]):
        if _FAILURE.match(line) and (hit := _NAMED.match(lines[at + 1])):
            body = _until(lines, at + 2, "")
            yield _failure(hit[1], body, hit[2], hit[3])
        elif hit := _OF_UNIT.match(line):
            body = _until(lines, at + 1, "=====")
            said = [hit[3]] if hit[3] else [row for row in body if not row.startswith(" ") and not _PLACE.match(row)]
            yield _failure(f"{hit[2]}#{hit[1]}", [*said, *(row for row in body if row not in said)])


def _until(lines: Sequence[str], first: int, end: str) -> list[str]:
    """The lines up to one that begins with `end`, or is empty and has no more of an exception below: a message of Ruby
    may point at the source, which has an empty line before it.
    """
    rows = lines[first : first + _BODY]
    below = [*rows[1:], ""]
    stop = (
        at
        for at, row in enumerate(rows)
        if (row.startswith(end) if end else not row.strip() and not below[at].startswith("    "))
    )
    return list(rows[: next(stop, len(rows))])


def _failure(name: str, body: Sequence[str], path: str | None = None, line: str | None = None) -> Failed:
    hits = (_PLACE.match(row.strip()) for row in body if not _FOREIGN.search(row))
    place = next((hit.groups() for hit in hits if hit), (None, None))
    path, line = (path, line) if path else place
    said = (row for row in body if not _PLACE.match(row.strip()) and not _LISTING.match(row))
    return Failed(name, "\n".join(said), "", path, number(line))
