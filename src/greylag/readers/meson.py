"""Reader of the two reports that `meson test` writes, neither of which tells all."""

import re
from typing import Any

from greylag.model import Counts, Diagnostic
from greylag.readers._common import WORKSPACE, Tests, capped, json_lines, table, text, unreadable, word
from greylag.readers.junit import junit_xml

_POINT, _FAILED = (re.compile(rf"^{bad}ok\b", re.MULTILINE) for bad in ("(?:not )?", "not "))  # of TAP
_UNTOLD = {
    "TIMEOUT": "did not end within its time",
    "INTERRUPT": "was interrupted",
    "UNEXPECTEDPASS": "passed, although it is marked as one that should fail",
    "ERROR": "ended with an error, although none of its parts failed",
}


def meson_tests(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> Tests:
    """JUnit XML; of the log in lines of JSON only how tests failed that are without any failure in the former."""
    if not data.startswith(b"{"):
        return junit_xml(data, cwd, workspace)
    try:
        failed = [found for entry in json_lines(data) if _untold(found := table(entry))]
    except ValueError as error:
        return Counts(0), (unreadable("Meson's log of tests", error),)
    diagnostics = capped(
        Diagnostic(
            _UNTOLD[found["result"]],
            test=word(found.get("name")) or "a test without a name",
            excerpt="\n".join(filter(None, (text(found.get("stdout")), text(found.get("stderr"))))),
        )
        for found in failed
    )
    return Counts(0, len(failed)), diagnostics


def _untold(entry: dict[str, Any]) -> bool:
    result, printed = entry.get("result"), entry.get("stdout")
    if result != "ERROR":
        return result in list(_UNTOLD)
    return isinstance(printed, str) and bool(_POINT.search(printed)) and not _FAILED.search(printed)
