"""Reader of the JSON that jest and vitest write."""

from collections.abc import Iterator
from typing import Any

from greylag.model import Counts
from greylag.readers._common import (
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
)
from greylag.readers._failures import Failed, diagnose, resolver
from greylag.readers._unread import UNLOADED, unread, without_manual

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
    cases = [case for file in tables(found["testResults"]) for case in _cases(file, locate)]
    failed = [case for status, case in cases if status == "failed"]
    passed = [case for status, case in cases if status == "passed"]
    flaky = [case for case in passed if case.flaky]
    skipped = sum(status in _SKIPPED for status, _ in cases)
    diagnostics = capped(diagnose(case, locate, resolve) for case in (*failed, *flaky))
    return Counts(len(cases) - skipped, len(failed), skipped, names([case.test for case in passed])), diagnostics


def _cases(file: dict[str, Any], locate: Locate) -> Iterator[tuple[str, Failed]]:
    """Status of each test of one file, with what was said about it."""
    name = text(file.get("name")) or None
    tests = list(tables(file.get("assertionResults")))
    if file.get("status") == "failed" and not any(test.get("status") == "failed" for test in tests):
        yield "failed", _unloaded(name, without_manual(text(file.get("message"), 20_000)), locate)
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


def _unloaded(name: str | None, said: str, locate: Locate) -> Failed:
    """A file whose tests could not even be found, as where it, or what it imports, cannot be read."""
    source = unread(said, locate)
    if source is None:
        return Failed(UNLOADED, said, said, name)
    return Failed(UNLOADED, source.message, said, name, source.line if source.path == locate(name) else None)
