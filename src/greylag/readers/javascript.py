"""Reader of the JSON that jest and vitest write."""

import re
from collections.abc import Iterator
from typing import Any

from greylag.model import Counts
from greylag.readers._common import (
    WORKSPACE,
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
)
from greylag.readers._failures import Failed, diagnose, resolver

# Babel puts the place behind what it says.
_UNREAD = re.compile(r"(SyntaxError: /[^\n:]{1,500}): ([^\n]{1,500}) \((\d{1,9}):(\d{1,9})\)$", re.MULTILINE)
_SKIPPED = {"pending", "skipped", "todo", "disabled"}


def jest_json(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> Tests:
    """`jest --json` and `vitest --reporter=json`. A file that could not be loaded counts as one failed test."""
    try:
        found = table(load(data))
    except ValueError as error:
        return Counts(0), (unreadable("jest JSON", error),)
    if not isinstance(found.get("testResults"), list):
        return Counts(0), (unreadable("jest JSON", "no testResults"),)
    locate, resolve = locator(cwd, workspace), resolver(())
    cases = [case for file in tables(found["testResults"]) for case in _cases(file)]
    failed = [case for status, case in cases if status == "failed"]
    passed = [case for status, case in cases if status == "passed"]
    flaky = [case for case in passed if case.flaky]
    skipped = sum(status in _SKIPPED for status, _ in cases)
    diagnostics = capped(diagnose(case, locate, resolve) for case in (*failed, *flaky))
    return Counts(len(cases) - skipped, len(failed), skipped, names([case.test for case in passed])), diagnostics


def _cases(file: dict[str, Any]) -> Iterator[tuple[str, Failed]]:
    """Status of each test of one file, with what was said about it."""
    name = text(file.get("name")) or None
    tests = list(tables(file.get("assertionResults")))
    if file.get("status") == "failed" and not any(test.get("status") == "failed" for test in tests):
        said = _UNREAD.sub(r"\1:\3:\4: \2", text(file.get("message"), 20_000))
        yield "failed", Failed("the file could not be run", said, said, name)
    for test in tests:
        status = str(test.get("status"))
        failures = test.get("failureMessages") or test.get("retryReasons")
        said = "\n".join(text(part, 20_000) for part in failures[:3]) if isinstance(failures, list) else ""
        outer = test.get("ancestorTitles")
        titles = [*(outer if isinstance(outer, list) else ()), test.get("title")]
        line = number(table(test.get("location")).get("line"))
        yield (
            status,
            Failed(" > ".join(map(str, titles)), said, said, name, line, flaky=status == "passed" and bool(said)),
        )
