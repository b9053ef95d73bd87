"""Reader of Xcode's test results, by the schema that `xcresulttool help get test-results tests` prints since Xcode 16.

Nodes: test plan, bundle, suite, test case, and below a case its messages, also by arguments, devices, repetitions.
"""

import re
from collections.abc import Collection, Iterator
from typing import Any

from greylag.model import Counts, Diagnostic
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
    word,
)
from greylag.readers._failures import Resolve, resolver

_PLACE = re.compile(r"([^:\n]{1,400}\.\w{1,10}):(\d{1,9})(?::\s*|$)")
_PROCESS = re.compile(r" \(\d{1,9}\)")  # of a test runner that ended early
_SAYING = ("Failure Message", "Source Code Reference")


def xcresult_json(data: bytes, cwd: str = ".", workspace: str = WORKSPACE, files: Collection[str] = ()) -> Tests:
    """What xcresulttool says of the tests in a bundle. Messages name files without their directories: `files` has them.

    A failure that was expected counts as skipped, and so does a test without a known result.
    """
    try:
        report = table(load(data))
    except ValueError as error:
        return Counts(0), (unreadable("xcresulttool", error),)
    if not isinstance(report.get("testNodes"), list):
        return Counts(0), (unreadable("xcresulttool", "no testNodes"),)
    locate, resolve = locator(cwd, workspace), resolver(files)
    passed: list[str] = []
    found: list[Diagnostic] = []
    failed = skipped = 0
    broken = ""
    for name, node in _nodes(report):
        result = node.get("result")
        if node.get("nodeType") != "Test Case":
            broken = name or broken if result == "Failed" else broken
        elif result == "Passed":
            passed.append(name)
        elif result == "Failed":
            failed += 1
            found.append(_failure(name, node, locate, resolve))
        else:
            skipped += 1
    if broken and not failed:
        failed = 1
        found.append(Diagnostic("failed without a failed test", test=broken))
    return Counts(len(passed) + failed, failed, skipped, names(passed)), capped(found)


def _nodes(report: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Test cases with their names, `Bundle/Class/method()`, and what is around them."""
    todo = [("", node) for node in _children(report, "testNodes")]
    while todo:
        bundle, node = todo.pop()
        kind, name = node.get("nodeType"), word(node.get("name")) or ""
        if kind == "Test Case":
            own = word(node.get("nodeIdentifier"), 400) or name
            yield _PROCESS.sub("", f"{bundle}/{own}" if bundle else own), node
            continue
        bundle = name if isinstance(kind, str) and kind.endswith("test bundle") else bundle
        yield bundle or name, node
        todo += [(bundle, child) for child in _children(node)]


def _children(node: dict[str, Any], key: str = "children") -> list[dict[str, Any]]:
    """In reverse: they are taken from the end."""
    return list(tables(node.get(key)))[::-1]


def _failure(test: str, case: dict[str, Any], locate: Locate, resolve: Resolve) -> Diagnostic:
    """The first message with a place, else the first one; the others below it."""
    said = list(_said(case))
    places = [(hit, line[hit.end() :]) for line in said if (hit := _PLACE.match(line))]
    excerpt = "\n".join(said[:10])
    if not places:
        return Diagnostic((word(said[0]) if said else None) or "failed without a message", test=test, excerpt=excerpt)
    hit, _ = places[0]
    message = next((rest for _, rest in places if rest), "") or next((line for line in said if line != hit[0]), "")
    message = word(message) or "failed"
    path = resolve(hit[1]) or (locate(hit[1]) if "/" in hit[1] else None)
    if path is None:
        return Diagnostic(f"{word(hit[1])}:{hit[2]}: {message}", test=test, excerpt=excerpt)
    return Diagnostic(message, path=path, line=number(hit[2]), test=test, excerpt=excerpt)


def _said(case: dict[str, Any]) -> Iterator[str]:
    """Messages below a test case, in their order."""
    todo = _children(case)
    while todo:
        node = todo.pop()
        if node.get("nodeType") in _SAYING and (line := text(node.get("name"))):
            yield line
        todo += _children(node)
