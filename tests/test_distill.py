"""The distiller keeps what tells why a log failed, in budget, in order, whatever the log holds."""

import itertools
import random
from io import BytesIO
from pathlib import Path

import pytest

from greylag.distill import distill
from greylag.distill.bounded import BETWEEN, HEAD, TAIL, Bounded, bounded
from greylag.model import Severity

GOLDEN = Path(__file__).parent / "golden"


def lines(number: int, text: str = "step {} of the build is done") -> list[str]:
    return [text.format(n) for n in range(number)]


def log(*parts: str | list[str]) -> bytes:
    return "\n".join(line for part in parts for line in ([part] if isinstance(part, str) else part)).encode()


GITHUB = log(
    "2026-04-22T16:11:50.0000000Z ##[group]Run actions/checkout@v4",
    lines(400, "2026-04-22T16:11:50.0000000Z Receiving objects: {}%"),
    "2026-04-22T16:11:51.0000000Z error: cache entry not found, that is fine",
    "2026-04-22T16:11:52.0000000Z ##[group]Run make test",
    "2026-04-22T16:11:52.0000000Z \x1b[36;1mmake test || echo 'error: tests failed'\x1b[0m",
    lines(3000, "2026-04-22T16:11:53.0000000Z tests/test_ok.py::test_error_handling[{}] PASSED"),
    "2026-04-22T16:11:54.0000000Z src/core/parser.py:87: in parse",
    "2026-04-22T16:11:54.0000000Z     return table[key]",
    "2026-04-22T16:11:54.0000000Z E   KeyError: 'colour'",
    "2026-04-22T16:11:55.0000000Z FAILED tests/test_parser.py::test_colours - KeyError: 'colour'",
    "2026-04-22T16:11:55.0000000Z ======== 1 failed, 3000 passed in 9.1s ========",
    "2026-04-22T16:11:56.0000000Z ##[error]Process completed with exit code 1.",
    "2026-04-22T16:11:57.0000000Z Post job cleanup.",
    lines(200, "2026-04-22T16:11:57.0000000Z [command]/usr/bin/git config --unset-all failed.{}"),
)


@pytest.mark.parametrize("budget", [100, 300, 1000])
def test_ci_log(budget: int) -> None:
    kept = distill(GITHUB, budget=budget)
    assert len(kept.text) <= 4 * budget
    for wanted in (
        "src/core/parser.py:87: in parse",
        "E   KeyError: 'colour'",
        "FAILED tests/test_parser.py::test_colours",
        "1 failed, 3000 passed",
    ):
        assert wanted in kept.text
    assert "2026-04" not in kept.text
    assert [(d.path, d.line, d.test, d.message) for d in kept.diagnostics] == [
        ("src/core/parser.py", 87, None, "KeyError: 'colour'"),
        ("tests/test_parser.py", None, "tests/test_parser.py::test_colours", "KeyError: 'colour'"),
    ]


def test_an_exception_of_python_stands_at_the_last_frame_that_is_not_foreign() -> None:
    said = "SyntaxError: '(' was never closed"
    frames = [
        '  File "/workspace/checks/a.py", line 3, in <module>',
        "    import shop",
        '  File "/workspace/shop.py", line 2',
    ]
    python = '  File "/usr/lib/python3.11/unittest/main.py", line 151, in parseArgs'
    kept = distill(log("Traceback (most recent call last):", python, frames, "    return sum(items", said), budget=300)
    assert [(d.path, d.line, d.message) for d in kept.diagnostics] == [("shop.py", 2, said)]


def test_maven_says_more_than_where_its_manual_is() -> None:
    cause = f"[ERROR] Failed to execute goal on project core: Could not find artifact a:b:jar:1 {'in central ' * 20}"
    manual = [
        "[ERROR] To see the full stack trace of the errors, re-run Maven with the -e switch.",
        "[ERROR] Re-run Maven using the -X switch to enable full debug logging.",
        "[ERROR] For more information about the errors and possible solutions, please read the following articles:",
        "[ERROR] [Help 1] http://cwiki.apache.org/confluence/display/MAVEN/DependencyResolutionException",
        "[ERROR] After correcting the problems, you can resume the build with the command",
        "[ERROR]   mvn <args> -rf :core",
    ]
    found = distill(log(lines(28, "[INFO] step {}"), "[INFO] BUILD FAILURE", cause, manual), budget=700)
    assert "Could not find artifact" in found.gist


def test_jest_says_more_than_its_manual() -> None:
    kept = distill((GOLDEN / "jest/syntax-esm.log").read_bytes(), budget=500).text.splitlines()
    assert any("/workspace/src/price.js: Unexpected token (3:15)" in line for line in kept[:10])
    assert not any("transformIgnorePatterns" in line for line in kept)


def test_order_is_kept_and_gaps_are_marked() -> None:
    kept = distill(log(lines(500), "error: first", lines(500), "error: second", lines(500)), budget=60).text
    assert kept.index("error: first") < kept.index("error: second")
    assert (
        sum(int(line.split()[1]) for line in kept.splitlines() if line.startswith("... "))
        + sum(not line.startswith("... ") for line in kept.splitlines())
        == 1502
    )


def test_a_repeated_error_does_not_crowd_out_the_rare_one() -> None:
    noisy = lines(5000, "error: /build/part{0}/x.c:{0}: deprecated thing '{0}' in use")
    kept = distill(log(noisy[:2500], "error: linker failed: undefined reference to `main`", noisy[2500:]), budget=300)
    assert "undefined reference to `main`" in kept.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("src/a.c:3:7: error: expected ';' before '}'", ("src/a.c", 3, 7, None)),
        ("src/a.ts(3,7): error TS2322: bad", ("src/a.ts", 3, 7, None)),
        ("src/a.ts:3:7 - error TS2322: bad", ("src/a.ts", 3, 7, None)),
        ("[ERROR] /workspace/src/A.java:[3,7] cannot find symbol", ("src/A.java", 3, 7, None)),
        ("error[E0308]: mismatched types\n --> src/main.rs:3:7", ("src/main.rs", 3, 7, None)),
        ('Traceback (most recent call last):\nValueError: x\n  File "a/b.py", line 3, in f', ("a/b.py", 3, None, None)),
        ("/home/runner/work/r/r/a.py:3: error: bad  [misc]", ("a.py", 3, None, None)),
        ("--- FAIL: TestX (0.00s)\n    x_test.go:3: boom", (None, None, None, "TestX")),
        ("not ok 2 - adds numbers", (None, None, None, "adds numbers")),
        ("  \u25cf calc \u203a adds\n\n    expect(received)", (None, None, None, "calc \u203a adds")),
        ("[ERROR] a.CalcTest.adds -- Time elapsed: 0.1 s <<< FAILURE!\nx", (None, None, None, "a.CalcTest.adds")),
        ("E: nothing is located here\nfatal: not a git repository", (None, None, None, None)),
    ],
)
def test_locations(text: str, expected: tuple[object, ...]) -> None:
    (found,) = distill(log(lines(50), text, lines(5)), budget=400).diagnostics
    assert (found.path, found.line, found.column, found.test) == expected
    assert found.severity is Severity.ERROR
    assert found.message


def test_real_maven_log() -> None:
    kept = distill((GOLDEN / "maven/test-failures.txt").read_bytes(), budget=500)
    assert "expected: <4> but was: <0>" in kept.text
    assert "a.CalcTest.adds" in {d.test for d in kept.diagnostics}


def test_a_baseline_log_makes_known_noise_count_less() -> None:
    noise = lines(30, "ERROR: plugin {} could not be loaded from registry")
    unlike = [f"{line} kind{chr(97 + n % 26)}" for n, line in enumerate(noise)]
    failed = log(unlike, "the wombat is missing", lines(100), unlike)
    assert "wombat" not in distill(failed, budget=100).text
    assert "wombat" in distill(failed, budget=100, baseline=log(unlike, lines(100))).text


def test_a_log_without_any_error_gives_its_end() -> None:
    assert distill(log(lines(3000)), budget=50).text.endswith("step 2999 of the build is done")


def test_nothing_comes_of_nothing() -> None:
    assert distill(b"", budget=100).text == ""
    assert distill(b"\n\n\x1b[0m\n", budget=100).diagnostics == ()


HOSTILE = {
    "one line": b"a" * 50_000_000,
    "one line of errors": b"error: " * 7_000_000,
    "escapes": b"\x1b[31mx\x1b[0m" * 1_000_000,
    "half escapes": b"\x1b[" * 2_000_000,
    "titles that never end": b"\x1b]0;" * 1_000_000,
    "no text": random.Random(1).randbytes(2_000_000),
    "empty lines": b"\n" * 2_000_000,
    "one error": b"ERROR: it failed\n" * 100_000,
    "dots": (b"error " + b"a." * 740 + b"\n") * 300,
    "quotes": (b"error " + b'"a' * 740 + b"\n") * 300,
    "slashes": (b"error " + b"/a" * 740 + b"\n") * 300,
    "spaces": (b"error" + b" " * 1480 + b"x\n") * 300,
    "digits": (b"error " + b"1" * 1480 + b"\n") * 300,
    "tabs": (b"a\t" * 700 + b"error\n") * 300,
    "turned": "error: \u202etxet \u2066x\u200b\n".encode() * 3_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_logs_stay_in_budget_and_harmless(name: str) -> None:
    kept = distill(HOSTILE[name], budget=500)
    assert len(kept.text) <= 2000
    assert not set("\x1b\r\x07\u202e\u2066\u200b") & set(kept.text)
    assert len(kept.diagnostics) <= 50
    assert all(len(d.message) <= 2000 for d in kept.diagnostics)


@pytest.mark.parametrize(
    "odd", ["ERROR: it failed\n".encode("utf-16"), random.Random(2).randbytes(1 << 17) + b"\nERROR: it failed\n"]
)
def test_a_log_that_is_no_utf8_says_what_it_says(odd: bytes) -> None:
    assert "ERROR: it failed" in distill(odd + b"\n" * (1 << 16) + "caf\u00e9\n".encode(), budget=200).text
    assert "caf\u00e9" in distill(odd + b"\n" * (1 << 16) + "caf\u00e9\n".encode(), budget=2000).text


def test_scripts_that_cost_more_tokens_get_fewer_characters() -> None:
    told = distill(
        "".join(f"\u9519\u8bef{n} error: \u6ca1\u6709\u6587\u4ef6\n" for n in range(900)).encode(), budget=200
    )
    assert 600 < len(told.text.encode()) <= 800


def test_the_one_error_in_the_middle_of_a_very_large_log_is_found() -> None:
    noise = lines(40_000, "INFO compiling module number {} of very many, and nothing is wrong with it")
    block = log(noise)
    middle = block * 6 + log("src/main.c:10:4: error: unknown type name 'colour'", "   10 | colour c;") + block * 6
    assert len(middle) > HEAD + TAIL + BETWEEN
    told = distill(middle + b"make: *** [all] Error 2\n", budget=500).text
    assert "src/main.c:10:4: error: unknown type name 'colour'" in told
    assert told.endswith("make: *** [all] Error 2")


def test_the_one_error_among_a_million_short_lines_is_found() -> None:
    log = b"a1\n" * 300_000 + b"src/x.c:3:5: error: expected a name\n" + b"b2\n" * 700_000
    assert "src/x.c:3:5: error: expected a name" in distill(log, budget=200).text


@pytest.mark.parametrize("size", [1000, 1 << 22, 1 << 30])
def test_a_log_is_read_in_bounded_memory_whatever_its_pieces(size: int) -> None:
    whole = BytesIO(b"a\n" * (1 << 20) + b"x" * (1 << 20))
    assert bounded(lambda room: whole.read(min(room, size))) == Bounded(whole.getvalue())


def test_of_a_log_without_lines_the_two_ends_are_kept() -> None:
    whole = BytesIO(b"a" * (60 << 20))
    kept = bounded(whole.read)
    assert HEAD + TAIL <= len(kept.head) + len(kept.rest) <= HEAD + TAIL + BETWEEN
    assert kept.lost + len(kept.head) + len(kept.rest) == 60 << 20


@pytest.mark.parametrize("budget", [1, 5, 10, 25])
def test_tiny_budgets(budget: int) -> None:
    assert len(distill(GITHUB, budget=budget).text) <= 4 * budget


PNPM = log(
    "Scope: 2 of 3 workspace projects",
    "packages/a check$ node --test",
    "packages/b check$ node --test",
    "packages/b check: TAP version 13",
    "packages/b check: # Subtest: mul b",
    "packages/a check: # Subtest: adds a",
    "packages/a check: ok 1 - adds a",
    "packages/b check: not ok 1 - mul b",
    "packages/a check:   ---",
    "packages/b check:   ---",
    "packages/b check:   error: 'Expected values to be strictly equal'",
    lines(30, "packages/a check: ok {} - adds more"),
    "packages/b check: # fail 1",
    "packages/b check: Failed",
    "/workspace:",
    " ERR_PNPM_RECURSIVE_RUN_FIRST_FAIL  b@1.0.0 check: `node --test`",
)
TURBO = PNPM.replace(b"packages/a check:", b"a:check:").replace(b"packages/b check:", b"b:check:")
TURBO = TURBO.replace(b"packages/a check$", b"a:check: cache miss,").replace(
    b"packages/b check$", b"b:check: cache miss,"
)
YARN = PNPM.replace(b"packages/a check:", b"[@w/a]:").replace(b"packages/b check:", b"[b]:")


@pytest.mark.parametrize("text", [PNPM, TURBO, YARN])
def test_lines_of_packages_that_a_task_runner_mixes_are_taken_apart(text: bytes) -> None:
    kept = distill(text, budget=700)
    (failed,) = [d for d in kept.diagnostics if d.test]
    assert (failed.test, failed.message) == ("mul b", "error: 'Expected values to be strictly equal'")
    assert "# Subtest: mul b\nnot ok 1 - mul b\n  ---\n  error: 'Expected" in kept.text


def test_the_gist_is_what_fails_not_what_comes_first() -> None:
    kept = distill(PNPM, budget=700)
    assert len(kept.text.splitlines()) > 10 >= len(kept.gist.splitlines())
    assert "not ok 1 - mul b\n  ---\n  error: 'Expected" in kept.gist
    assert distill(b"one\ntwo", budget=100).gist == "one\ntwo"


def test_names_that_no_task_runner_introduces_stay() -> None:
    for text in ("packages/a check: not ok 1 - mul b", "[error]: no", "error: > a@1 b"):
        assert distill(text.encode(), budget=100).text == text


def test_a_log_that_says_little_gives_what_stands_alone_and_not_the_last_of_a_thousand_alike() -> None:
    noise = "".join(f"part {n} of the world, {n} bytes\n" for n in range(3000))
    odd = "src/a.go:4:2: no module provides x; to add it:\n\tget x\n"
    text = distill((noise + odd + noise).encode(), budget=300).text
    assert "src/a.go:4:2: no module provides x" in text
    assert "get x" in text


def test_what_fails_because_of_warnings_is_no_mere_warning() -> None:
    noise = "".join(f"downloaded part {n}\n" for n in range(500))
    said = (
        "warning: x is unused\n  lib/a.ex:3: A.b/0\n\nCompilation failed due to warnings as --warnings-as-errors says\n"
    )
    text = distill((noise + said + noise).encode(), budget=300).text
    assert "Compilation failed due to warnings" in text
    assert "lib/a.ex:3" in text


def test_totals_without_a_failure_take_no_room_from_the_failures_of_maven() -> None:
    fine = "".join(
        f"[INFO] Tests run: {n}, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.{n} s\n" for n in range(40)
    )
    bad = "[ERROR] DirectoryTest.testGet:91 expected:<a> but was:<b>\n"
    log = f"{fine}{bad}{fine}[ERROR] Tests run: 900, Failures: 1, Errors: 0, Skipped: 0\n[INFO] BUILD FAILURE\n"
    text = distill(log.encode(), budget=200).text
    assert "DirectoryTest.testGet:91" in text
    assert "Tests run: 900, Failures: 1" in text


def test_a_line_that_begins_with_a_desert_is_read_all_the_same() -> None:
    assert "error: boom" in distill((" " * 100_000 + "error: boom\n").encode(), budget=100).text


@pytest.mark.parametrize("budget", [50, 100, 333, 800])
def test_the_end_of_what_is_kept_is_never_cut_off(budget: int) -> None:
    progress = "".join(f"\rDownloading {n / 3000:.2f}%" for n in range(30_000))
    text = distill(f"{progress}\nERROR: boom at foo.py:3\n".encode(), budget=budget).text
    assert text.endswith("ERROR: boom at foo.py:3")
    assert len(text) <= 4 * budget


def page(total: int) -> str:
    return f'"{"<li>item</li>" * 60}<p>total: {total}</p>"'


LONG = {
    "values": (f"    a_test.go:6: Render() = {page(41)}, want {page(42)}", ["a_test.go:6", "total: 41", "total: 42"]),
    "end": (f"RuntimeError: no SQL: {'select a from b; ' * 100} -> no such column: c", ["RuntimeError", "column: c"]),
}
for _size, _where in ((3_000, 1.0), (20_000, 0.5), (200_000, 1.0), (5_000_000, 0.5)):
    _parts = ['{"level":"info","msg":"ok"}'] * (_size // 28)
    _parts.insert(int(len(_parts) * _where), '{"level":"error","msg":"KeyError: token at src/auth.py:77"}')
    LONG[f"json {_size}"] = (f"[{','.join(_parts)}]", ['[{"level"', "KeyError: token at src/auth.py:77"])


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("noise", [0, 2000])
def test_of_a_long_line_the_ends_and_what_tells_are_kept(name: str, noise: int) -> None:
    line, wanted = LONG[name]
    text = distill(log(lines(noise), line, lines(noise)), budget=800).text
    assert [part for part in wanted if part not in text] == []


def test_what_fits_is_not_cut_and_what_is_left_out_of_a_line_is_counted() -> None:
    line = f"error: {'word ' * 600}the end"
    assert distill(line.encode(), budget=1000).text == line
    rows = distill(line.encode(), budget=300).text.split("\n")
    left = sum(int(row.split()[1]) for row in rows if row.startswith("... "))
    assert [row for row in rows if row.startswith("... ")] == [f"... {left} characters"]
    assert left + sum(len(row) for row in rows if not row.startswith("... ")) == len(line)


def test_lines_of_a_log_cannot_pass_for_our_marks() -> None:
    text = distill(b"... 7 lines\n... (the log is cut here: 9 MB are not shown)\nerror: a\n", budget=100).text
    assert text == " ... 7 lines\n ... (the log is cut here: 9 MB are not shown)\nerror: a"


QUIET = {
    "mocha": "  1) Cart\n       adds tax:\n\n      119 is not 120\n      at Context.<anonymous> (test/cart.js:14:9)",
    "difference": "diff --git a/gen.txt b/gen.txt\n@@ -1,2 +1,2 @@\n version = 3\n-fields = 12\n+fields = 13",
    "shell": "check port ... got 41 want 42",
}


@pytest.mark.parametrize("name", QUIET)
def test_what_stands_out_of_a_very_large_log_is_found_without_a_word_that_names_an_error(name: str) -> None:
    noise = log(lines(40_000, "tests/test_a.py::test_case[{}-parameter] PASSED                  [ 12%]")) + b"\n"
    text = distill(noise * 9 + QUIET[name].encode() + b"\n" + noise * 9, budget=1000).text
    assert [row for row in QUIET[name].split("\n") if row not in text] == []
    marks = [n for n, row in enumerate(text.split("\n")) if row.startswith("... ")]
    assert len([row for row in text.split("\n") if "(the log is cut here: " in row]) == 1
    assert all(after - mark > 1 for mark, after in itertools.pairwise(marks))


def test_a_rare_failure_is_not_drowned_by_a_million_errors() -> None:
    noise = "".join(
        f"ERROR [svc-{n % 9}] request {n * n * 7919:x} failed: upstream timeout {n}\n" for n in range(300_000)
    )
    told = "    a_test.go:6: Add(2,3) = 5; want 6\n--- FAIL: TestTotals (0.00s)\n"
    for flood in (noise[: 8 << 20], noise):
        text = distill((flood + told + flood).encode(), budget=500).text
        assert told in text


def test_where_a_log_says_what_failed_lines_that_tell_nothing_do_not_fill_the_budget() -> None:
    kept = distill(log(lines(1000, "INFO {}"), "FAILED tests/a.py::test_x - assert 1 == 2"), budget=1000).text
    assert kept.endswith("FAILED tests/a.py::test_x - assert 1 == 2")
    assert 3 < len(kept.splitlines()) < 100
