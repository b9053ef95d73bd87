"""A runner that the change itself ends has no time to say where: the report names the lines that may be why."""

import pytest

from greylag.model import Diagnostic, Outcome, Phase, Verdict
from greylag.verification.exits import located

FAILED = Verdict("tests", Phase.TEST, Outcome.FAILED, diagnostics=(Diagnostic("none ran", excerpt="the log"),))


def diff(line: str) -> str:
    head = "diff --git a/src/a b/src/a\nindex 1234567..89abcde 100644\n--- a/src/a\n+++ b/src/a\n"
    return f"{head}@@ -1,2 +1,3 @@\n one\n+{line}\n two\n"


@pytest.mark.parametrize(
    "line",
    [
        "os._exit(0)", "    raise SystemExit", "process.exit();", "System.exit(0);", "os.Exit(0)", "log.Fatalf(x)",
        "std::process::exit(1)", "exit(0);", "exit 0", "exit;", "exit!", "abort();", "System.halt(0)", "die('no');",
        "_Exit(3);", "exitProcess(0)", "os.kill(os.getpid(), 9)", "exit",
    ],
)  # fmt: skip
def test_a_line_that_may_end_the_process_is_named(line: str) -> None:
    told = located(FAILED, diff(line)).diagnostics[0].excerpt
    assert told == f"this change may end the process of the tests: src/a:2 `{line.strip()}`\nthe log"


@pytest.mark.parametrize("line", ["exit_code = 3", "on_exit(callback)", "halted = skill", "existing(0)", "diet(1)"])
def test_other_lines_are_not(line: str) -> None:
    assert located(FAILED, diff(line)) == FAILED


def test_a_failure_that_has_a_place_needs_no_other() -> None:
    placed = Verdict("t", Phase.TEST, Outcome.FAILED, diagnostics=(Diagnostic("bad", path="t", line=3),))
    assert located(placed, diff("exit(0)")) == placed
    assert located(FAILED, "no diff") == FAILED
