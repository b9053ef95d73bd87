"""Reader of the two reports that `meson test` writes, neither of which tells all."""

from greylag.model import Counts, Diagnostic
from greylag.readers._common import WORKSPACE, Tests, capped, json_lines, table, text, unreadable, word
from greylag.readers.junit import junit_xml

_UNTOLD = {
    "TIMEOUT": "did not end within its time",
    "INTERRUPT": "was interrupted",
    "UNEXPECTEDPASS": "passed, although it is marked as one that should fail",
}


def meson_tests(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> Tests:
    """JUnit XML; of the log in lines of JSON only how tests failed that are without any failure in the former."""
    if not data.startswith(b"{"):
        return junit_xml(data, cwd, workspace)
    try:
        failed = [found for entry in json_lines(data) if (found := table(entry)).get("result") in list(_UNTOLD)]
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
