"""Reports of real tools (golden files, made by running them) become diagnostics; hostile ones are survived."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from greylag import readers
from greylag.model import Counts, Diagnostic, Origin, Severity

GOLDEN = Path(__file__).parent / "golden"
JAVA = ("core/src/main/java/a/Calc.java", "core/src/test/java/a/CalcTest.java")


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def places(diagnostics: tuple[Diagnostic, ...]) -> list[str]:
    return [f"{d.path}:{d.line} {d.test or d.rule}" for d in diagnostics]


PYTEST = [
    "tests/test_app.py:11 tests/test_app.py::test_add",
    "tests/test_app.py:7 tests/test_app.py::test_many[1]",
    "tests/test_app.py:7 tests/test_app.py::test_many[2]",
    "tests/test_app.py:20 tests/test_app.py::test_name",
    "tests/test_app.py:None tests/test_app.py::test_broken",
    "tests/test_app.py:39 tests/test_app.py::TestGroup::test_dicts",
]


@pytest.mark.parametrize("name", ["short", "long", "xunit1"])
def test_pytest(name: str) -> None:
    counts, found = readers.junit_xml(golden(f"pytest/{name}.xml"))
    assert counts == Counts(7, 6, 2)
    if name == "xunit1":  # this family has the line of the test, too
        assert places(found)[4] == "tests/test_app.py:23 tests/test_app.py::test_broken"
    else:
        assert places(found) == PYTEST
    assert [d.message for d in found[:2]] == [
        "assert 0 == 4 / + where 0 = add(2, 2)",
        "AssertionError: helper says no / assert 0 == (1 + 1) / + where 0 = add(1, 1)",
    ]
    assert found[4].message == "error at setup: RuntimeError: cannot be made: / because of <reasons> & more"
    assert "E   NameError: name 'undefined_name' is not defined" in found[3].excerpt.replace("       ", "   ")
    assert all(len(d.excerpt.splitlines()) <= 10 for d in found)


def test_pytest_excerpt_shows_where_it_broke() -> None:
    _, found = readers.junit_xml(golden("pytest/short.xml"))
    assert found[3].excerpt.splitlines() == [
        "tests/test_app.py:20: in test_name",
        "    name(3)",
        "app.py:10: in name",
        "    return x + undefined_name",
        "E   NameError: name 'undefined_name' is not defined",
    ]


def test_a_test_module_that_cannot_be_imported() -> None:
    counts, (found,) = readers.junit_xml(golden("pytest/collection.xml"))
    assert counts == Counts(1, 1)
    assert places((found,)) == ["tests/test_import.py:1 tests/test_import.py"]
    assert found.message == "ModuleNotFoundError: No module named 'does_not_exist'"


INHERITED = b"""<testsuites><testsuite name="pytest">
<testcase classname="tests.test_url.TestUrl" name="test_load[1]" file="tests/test_base.py" line="4"/>
<testcase classname="tests.test_url.url" name="test_load[1]" file="tests/test_base.py" line="4"/>
<testcase classname="tests.test_url" name="test_load" file="../venv/lib/shared.py" line="9">
<failure message="no">tests/test_base.py:6: in test_load
    assert 0
E   assert 0</failure></testcase>
</testsuite></testsuites>"""


def test_an_inherited_or_imported_test_has_the_name_of_the_module_that_ran_it() -> None:
    """pytest gives the file that it is written in; else a class could go, and another one run the same tests twice."""
    files = ("tests/test_base.py", "tests/test_url.py")
    counts, (failed,) = readers.junit_xml(INHERITED, files=files)
    assert counts.passed == ("tests/test_url.py::TestUrl::test_load[1]", "tests/test_url.py::url::test_load[1]")
    assert failed.test == "tests/test_url.py::test_load"
    assert readers.junit_xml(INHERITED)[0].passed[0] == counts.passed[0]


def test_paths_are_relative_to_the_repository_where_the_tool_ran_in_a_subdirectory() -> None:
    _, found = readers.junit_xml(golden("pytest/short.xml"), cwd="services/api")
    assert found[0].path == "services/api/tests/test_app.py"
    assert found[0].test == "tests/test_app.py::test_add"  # as the tool says it


def test_surefire_with_reruns() -> None:
    counts, found = readers.junit_xml(golden("maven/surefire-rerun.xml"), files=JAVA)
    assert counts == Counts(7, 6, 1)
    assert places(found)[:2] == [
        "core/src/test/java/a/CalcTest.java:18 a.CalcTest.adds_with_words",
        "core/src/test/java/a/CalcTest.java:13 a.CalcTest.adds",
    ]
    flaky = [d for d in found if d.origin is Origin.FLAKY]
    assert [(d.test, d.severity) for d in flaky] == [("a.CalcTest.flaky", Severity.WARNING)]
    nulls = next(d for d in found if d.test == "a.CalcTest.nulls")
    assert nulls.message == 'NullPointerException: Cannot invoke "Object.toString()" because "o" is null'
    assert nulls.excerpt.splitlines()[1:] == [
        "\tat a.Calc.name(Calc.java:9)",
        "\tat a.CalcTest.nulls(CalcTest.java:29)",
    ]
    assert found[-1].test == "a.CalcTest$Inner.nested"
    assert found[-1].path == "core/src/test/java/a/CalcTest.java"


def test_java_class_that_two_files_could_hold_is_not_guessed() -> None:
    _, found = readers.junit_xml(golden("maven/surefire-rerun.xml"), files=(*JAVA, "other/src/a/CalcTest.java"))
    assert {d.path for d in found} == {None}


VITEST = [
    "vi/calc.test.ts:4 calc > adds",
    "vi/calc.test.ts:5 calc > objects",
    "vi/calc.test.ts:2 calc > names",
    "vi/calc.test.ts:9 calc > inner > many 1",
    "vi/calc.test.ts:9 calc > inner > many 2",
]


def test_vitest_says_the_same_in_both_formats() -> None:
    for counts, found in (
        readers.junit_xml(golden("vitest/junit.xml")),
        readers.jest_json(golden("vitest/results.json")),
    ):
        assert counts == Counts(7, 5, 1)
        assert places(found) == VITEST
        assert found[0].message == "AssertionError: expected +0 to be 4 // Object.is equality"


@pytest.mark.parametrize(
    ("name", "reader", "passed"),
    [
        ("pytest/xunit1.xml", readers.junit_xml, ("tests/test_app.py::test_many[0]",)),
        ("maven/surefire-rerun.xml", readers.junit_xml, ("a.CalcTest.flaky",)),
        ("vitest/junit.xml", readers.junit_xml, ("calc > fine", "never")),
        ("vitest/results.json", readers.jest_json, ("calc > fine", "never")),
        ("jest/results.json", readers.jest_json, ("calc > fine",)),
        ("mocha/xunit.xml", readers.junit_xml, ("calc inner fine",)),
        ("node/test.tap", readers.tap, ("calc > fine",)),
        ("node/junit.xml", readers.junit_xml, ("calc > fine",)),
        ("ava/output.tap", readers.tap, ("fine",)),
    ],
)
def test_what_passed_is_named(name: str, reader: Callable[[bytes], readers.Tests], passed: tuple[str, ...]) -> None:
    counts, _ = reader(golden(name))
    assert counts.passed == passed


def test_jest() -> None:
    counts, found = readers.jest_json(golden("jest/results.json"))
    assert counts == Counts(7, 6, 1)
    assert places(found)[0] == "src/calc.test.js:3 calc > adds"
    assert found[0].message.endswith("Expected: 4 / Received: 0")
    assert "node_modules" not in found[0].excerpt
    broken = next(d for d in found if d.path == "src/broken.test.js")
    assert broken.message.startswith("Cannot find module './missing'")


@pytest.mark.parametrize("name", ["mocha-junit-reporter", "xunit"])
def test_mocha(name: str) -> None:
    counts, found = readers.junit_xml(golden(f"mocha/{name}.xml"))
    assert (counts.run, counts.failed) == (3, 2)
    assert places(found) == ["mo/a.spec.js:3 calc adds", "mo/a.spec.js:5 calc inner names"]


def test_node_says_the_same_in_both_formats() -> None:
    for counts, found in (readers.tap(golden("node/test.tap")), readers.junit_xml(golden("node/junit.xml"))):
        assert counts == Counts(4, 3, 2)
        assert places(found) == [
            "nt/a.test.mjs:4 calc > adds",
            "nt/a.test.mjs:5 calc > objects",
            "nt/a.test.mjs:10 names",
        ]
        assert "0 !== 4" in found[0].message


def test_tap_of_ava_says_why_a_test_failed() -> None:
    counts, (adds, throws) = readers.tap(golden("ava/output.tap"))
    assert counts == Counts(3, 2, 1)
    assert "- 2" in adds.excerpt
    assert throws.message.startswith("AssertionError: 'Function threw unexpected exception:'")
    assert (throws.path, throws.line) == ("a.test.js", 3)


@pytest.mark.parametrize(
    ("title", "path"),
    [
        ("b \u203a four", "test/b.test.js"),
        ("b \u203a deep \u203a four", "test/b/deep.js"),
        ("deep \u203a four \u203a x", "test/deep/test-four.js"),
        ("c \u203a x", None),
        ("x", None),
    ],
)
def test_a_title_of_ava_names_its_file(title: str, path: str | None) -> None:
    """Its TAP has no place in the tests."""
    files = ["src/b.js", "test/b.test.js", "test/b/deep.js", "test/deep/test-four.js", "c.test.js", "test/c.js"]
    log = f"TAP version 13\nnot ok 1 - {title}\n1..1\n".encode()
    assert readers.ava_tap(log, files=files)[1][0].path == path
    assert readers.ava_tap(log, files=["src/a.js", "test/a.js"])[1][0].path == "test/a.js"


def test_tap_of_ava_tells_what_was_thrown() -> None:
    thrown = "'Error thrown in test:': |-\n        ReferenceError {\n          message: 'no such floor',\n        }\n"
    facts = f"    name: AssertionError\n    details:\n      {thrown}    message: Error thrown in test\n"
    log = f"not ok 1 - a\n  ---\n{facts}  ...\n1..1\n"
    _, (found,) = readers.tap(log.encode())
    assert "Error thrown in test" in found.message
    assert "no such floor" in found.excerpt


def assertions(data: bytes, cwd: str = ".", workspace: str = "/workspace") -> readers.Tests:
    """TAP of tape and the like."""
    return readers.tap(data, cwd, workspace, assertions=True)


DEEP = ("2 adds", "4 deep")


@pytest.mark.parametrize(
    ("name", "counts", "said"),
    [
        ("tape/output.tap", Counts(2, 2, 1), ["a.test.js:2 adds", "a.test.js:4 throws"]),
        ("tap/output.tap", Counts(3, 2, 1, ("fine",)), [f"a.test.js:{t}" for t in DEEP]),
        ("qunit/output.tap", Counts(2, 1, 2, ("m > fine",)), ["q.js:1 m > adds"]),
    ],
)  # fmt: skip
def test_where_points_are_assertions_the_test_around_them_counts(name: str, counts: Counts, said: list[str]) -> None:
    found, diagnostics = assertions(golden(name))
    assert found == counts
    assert places(diagnostics) == said
    assert diagnostics[0].message.startswith("three")
    assert "node_modules" not in diagnostics[0].excerpt


def test_an_assertion_of_tape_says_what_it_expected() -> None:
    assert assertions(golden("tape/output.tap"))[1][0].message == "three / expected: 3 / actual: 2"


def test_assertions_outside_of_any_test_count_by_their_own_names() -> None:
    counts, (found,) = assertions(b"TAP version 13\nok 1 a\nok 2 b\nnot ok 3 c\n1..3\n")
    assert counts == Counts(3, 1, 0, ("a", "b"))
    assert (found.test, found.message) == ("c", "c")


def test_uvu() -> None:
    found = readers.uvu_text(golden("uvu/output.txt"))
    assert found
    assert found[0] == Counts(5, 3, 1)
    assert places(found[1]) == [
        "uvu/a.test.js:4 wrong",
        "uvu/a.test.js:8 other > equal",
        "uvu/a.test.js:9 other > throws",
    ]
    assert found[1][0].message == "Expected values to be strictly equal: (is) / ++3 (Expected) / --2 (Actual)"
    assert "b.test.js" not in found[1][2].excerpt
    assert readers.uvu_text(b'   FAIL  "a"\n    no\n') == ()


def test_tap_counts_a_parent_that_fails_for_itself_and_a_bail_out() -> None:
    log = (
        "TAP version 13\n# Subtest: a\n    ok 1 - fine\n    1..1\nnot ok 1 - a\nok 2 - b # SKIP later\nBail out! disk\n"
    )
    counts, found = readers.tap(log.encode())
    assert counts == Counts(2, 1, 1)
    assert [d.message for d in found] == ["Bail out! disk", "failed without a message"]


def test_colours_in_a_message_do_not_hide_a_report() -> None:
    failure = '<failure message="\x1b[31mno\x1b[0m &#27;&#x1B; &#10;">x</failure>'
    case = f'<testcase classname="a" name="one">{failure}</testcase>'
    counts, (found,) = readers.junit_xml(f"<testsuite>{case}</testsuite>".encode())
    assert counts == Counts(1, 1)
    assert (found.test, found.message) == ("a.one", "no ??")
    utf16 = '<?xml version="1.0" encoding="utf-16"?><testsuite><testcase name="a"/></testsuite>'.encode("utf-16")
    assert readers.junit_xml(utf16)[0] == Counts(1)


def test_tap_that_ends_before_all_planned_tests_cannot_be_read() -> None:
    counts, found = readers.tap(b"1..3\nok 1 - a\nok 2 - b\n")
    assert counts == Counts(2)
    assert [(d.rule, "3 tests were planned" in d.message) for d in found] == [(readers.UNREADABLE, True)]
    assert (
        readers.tap(b"1..1\nok 1 - a\n1..2\nnot ok 1 - b\n  ---\n  message: |-\n    1..9\n  ...\nok 2\n")[1][1:] == ()
    )
    assert readers.tap(b"ok 1 - a\n    1..7\n    ok 1 - b\nok 2\n1..2\n")[1] == ()


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("esm", "SyntaxError: src/price.js:3:15: Unexpected token"),
        ("babel", "SyntaxError: src/price.js:3:15: Unexpected token"),
        ("nobabel", "SyntaxError: test/price.test.js:1: Cannot use import statement outside a module"),
        ("export", "SyntaxError: node_modules/esmdep/index.js:1: Unexpected token 'export'"),
        ("tsjest", "src/price.ts:3:16: TS1109: Expression expected."),
        ("nodiag", "SyntaxError: src/price.ts:7: Unexpected token '*'"),  # the line of what ts-jest has made of it
    ],
)
def test_jest_names_the_source_that_cannot_be_parsed_without_its_manual(log: str, expected: str) -> None:
    _, (found, *_) = readers.jest_json(golden(f"jest/syntax-{log}.json"))
    assert (found.message, (found.path or "").startswith("test/price.test.")) == (expected, True)
    assert "transformIgnorePatterns" not in found.excerpt
    assert "Object.<anonymous>" not in found.excerpt.partition("  at ")[0]


def test_a_dependency_that_jest_cannot_parse_is_told_with_the_line_that_imports_it() -> None:
    _, (found,) = readers.jest_json(golden("jest/syntax-export.json"))
    assert "at Object.require (src/price.js:1:1)" in found.excerpt


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (
            "1-parse",
            {"test/price.test.js": "Expression expected", "test/tax.test.ts": 'src/tax.ts:2:15: Unexpected "*"'},
        ),
        (
            "2-parse",
            {"test/price.test.js": "Expression expected", "test/tax.test.ts": 'src/tax.ts:2:15: Unexpected "*"'},
        ),
        (
            "3-parse",
            {
                "test/price.test.js": "src/price.js:3:15: Expression expected",
                "test/tax.test.ts": 'src/tax.ts:2:15: Unexpected "*"',
            },
        ),
        (
            "4-parse",
            {
                "test/price.test.js": "src/price.js:3:15: Unexpected token",
                "test/tax.test.ts": "src/tax.ts:2:16: Unexpected token",
            },
        ),
    ],
)
def test_vitest_names_the_source_that_cannot_be_parsed(log: str, expected: dict[str, str]) -> None:
    _, found = readers.jest_json(golden(f"vitest/syntax-{log}.json"))
    assert {d.path: d.message for d in found} == expected


@pytest.mark.parametrize(("version", "place"), [(2, "src/price.js:1:1"), (4, "src/price.js:1:0")])
def test_a_source_that_only_the_log_of_vitest_names_is_told_for_each_test_file(version: int, place: str) -> None:
    _, found = readers.jest_json(golden(f"vitest/syntax-{version}-analysis.json"))
    placed = readers.vitest_places(found, golden(f"vitest/syntax-{version}-analysis.log"))
    assert sorted(str(d.path) for d in placed) == ["test/cart.test.js", "test/price.test.js"]
    assert all(d.message.startswith(f"{place}: Failed to parse source for import analysis") for d in placed)
    assert [d.fingerprint for d in placed] == [d.fingerprint for d in found]


def test_hostile_words_about_a_source_take_no_time() -> None:
    for part in ("/a:1\n", "Parse failure: a\n", " FAIL  [ a ]\n"):
        said = part * ((1 << 20) // len(part))
        data = {"testResults": [{"name": "/workspace/a.test.js", "status": "failed", "message": said}]}
        _, found = readers.jest_json(json.dumps(data).encode())
        assert [d.path for d in readers.vitest_places(found, said.encode())] == ["a.test.js"]


def test_ruff() -> None:
    expected = ["app.py:1 I001", "app.py:1 F401"]
    assert places(readers.ruff_json(golden("ruff/check.json")))[:2] == expected
    assert places(readers.sarif(golden("ruff/check.sarif")))[:2] == expected
    found = readers.ruff_json(golden("ruff/check.json"), cwd="lib")
    assert found[2] == Diagnostic("Undefined name `undefined_name`", path="app.py", line=10, column=16, rule="F821")


def test_type_checkers_count_columns_from_one() -> None:
    mypy = readers.mypy_json(b"Warning: something else\n" + golden("mypy/output.jsonl"), cwd="svc")
    pyright = readers.pyright_json(b"npm noise\n" + golden("pyright/output.json"))
    assert (mypy[1].path, mypy[1].line, mypy[1].column, mypy[1].rule) == ("svc/app.py", 10, 16, "name-defined")
    assert (pyright[0].path, pyright[0].line, pyright[0].column) == ("app.py", 10, 16)


def test_eslint() -> None:
    found = readers.eslint_json(golden("eslint/output.json"))
    assert places(found) == [
        "src/l.mjs:1 prefer-const",
        "src/l.mjs:2 no-unused-vars",
        "src/l.mjs:3 no-undef",
        "src/s.mjs:1 parse-error",
    ]
    assert [d.severity for d in found].count(Severity.WARNING) == 1
    assert found[2].excerpt == "undefinedFn(a);"


def test_tsc() -> None:
    found = readers.tsc_text(
        golden("tsc/plain.txt") + b"  Type 'x' is not assignable.\n    Deeper.\nerror TS18003: No inputs.\n"
    )
    assert places(found)[:2] == ["ts/a.ts:1 TS2307", "ts/a.ts:3 TS2322"]
    assert found[0].column == 22
    assert found[4].excerpt == "Type 'x' is not assignable.\nDeeper."
    assert places(found)[5] == "None:None TS18003"
    pretty = readers.tsc_text(
        b"\x1b[96ma.ts\x1b[0m:\x1b[93m3\x1b[0m:\x1b[93m7\x1b[0m - \x1b[91merror\x1b[0m TS2322: bad\n"
    )
    assert places(pretty) == ["a.ts:3 TS2322"]


def test_maven_errors_appear_once_and_help_never() -> None:
    found = readers.maven_text(golden("maven/compile-error.txt"))
    assert [(d.path, d.line, d.column, d.message) for d in found] == [
        ("core/src/main/java/a/Bad.java", 4, 13, "incompatible types: java.lang.String cannot be converted to int"),
        ("core/src/main/java/a/Bad.java", 5, 16, "cannot find symbol"),
        ("core/src/main/java/a/Bad.java", 5, 44, "cannot find symbol"),
    ]
    assert found[1].excerpt == "symbol:   method undefined()\nlocation: class a.Bad"


def test_maven_without_a_place_says_why_the_goal_failed() -> None:
    (found,) = readers.maven_text(golden("maven/source-level.txt"))
    assert found.rule == "maven-compiler-plugin:compile"
    assert found.message == "Source option 5 is no longer supported. Use 7 or later."
    assert "Help" not in found.excerpt
    (kotlin,) = readers.maven_text(b"[ERROR] /workspace/src/A.kt: (3, 5) Unresolved reference: x\n")
    assert (kotlin.path, kotlin.line, kotlin.column, kotlin.message) == ("src/A.kt", 3, 5, "Unresolved reference: x")


def test_rustc_says_each_thing_once_and_where_the_repository_uses_a_macro() -> None:
    found = readers.cargo_json(golden("cargo/check.jsonl"))
    assert places(found) == [
        "core/src/lib.rs:2 unused_variables",  # of two targets
        "app/src/main.rs:4 E0308",
        "app/tests/it.rs:2 E0425",
        "app/src/main.rs:5 E0308",  # within a macro of another package
        "app/src/main.rs:6 E0369",  # within one of the standard library
    ]
    assert [d.severity for d in found] == [Severity.WARNING, *[Severity.ERROR] * 4]
    assert (found[1].message, found[1].column) == ("mismatched types: expected `u32`, found `&str`", 18)
    assert found[1].excerpt.split("\n")[1] == '4 |     let x: u32 = "words";'


def test_clippy_has_its_own_rules_and_paths_are_those_of_the_repository() -> None:
    found = readers.cargo_json(golden("cargo/clippy.jsonl"), cwd="svc")
    assert places(found) == ["svc/core/src/lib.rs:2 unused_variables", "svc/core/src/lib.rs:3 clippy::needless_return"]


def test_an_error_of_cargo_itself_is_told_where_no_compiler_found_one() -> None:
    text = (
        b"  Compiling a\nerror: failed to run custom build command for `a`\n\nCaused by:\n  panicked at build.rs:3:5:\n"
    )
    (found,) = readers.cargo_json(text + b'{"reason":"build-finished","success":false}\n')
    assert (found.message, found.path, found.line) == ("failed to run custom build command for `a`", "build.rs", 3)
    assert "build-finished" not in found.excerpt
    assert "build.rs" not in {d.path for d in readers.cargo_json(golden("cargo/check.jsonl") + text)}


def test_rustfmt_names_the_first_line_that_differs() -> None:
    found = readers.rustfmt_text(golden("cargo/fmt.txt"))
    assert places(found) == ["app/tests/it.rs:2 rustfmt", "core/src/lib.rs:3 rustfmt"]


def libtest(data: bytes) -> readers.Tests:
    answer = readers.libtest(data)
    assert answer
    return answer


def test_cargo_test() -> None:
    counts, found = libtest(golden("cargo/test.txt"))
    assert counts == Counts(15, 9, 1)
    documented = ["core/src/lib.rs::documentation"] * 2  # by file: lines and items change
    assert list(counts.passed) == [
        *documented,
        "crashes::passes",
        "demo_app::starts",
        "demo_core::tests::adds",
        "exits::passes",
    ]
    assert places(found) == [
        "None:None crashes",
        "None:None exits",
        "app/tests/own_harness.rs:3 own_harness",
        "core/src/lib.rs:45 demo_core::tests::panics",
        "core/src/lib.rs:50 demo_core::tests::panics_with_words",
        "None:None demo_core::tests::parses",
        "core/src/lib.rs:36 demo_core::tests::sums",
        "core/src/lib.rs:13 core/src/lib.rs::add",
        "core/src/lib.rs:9 core/src/lib.rs::add",
    ]
    said = [d.message for d in found]
    crash = "crashes ended before its tests did: -p demo-app --test crashes: signal: 6, SIGABRT: process abort signal"
    assert said[:2] == [crash, "exits ended before its tests did"]  # the second one with exit code 0
    assert said[3:5] == [
        "test did not panic as expected",
        'panic did not contain expected string / panic message: "xyz" / expected substring: "abc"',
    ]
    assert said[5:] == [
        "Error: ParseIntError { kind: InvalidDigit }",
        "assertion `left == right` failed: of 1 / left: 2 / right: 3",
        "error[E0425]: cannot find function `missing` in this scope",
        "assertion `left == right` failed / left: 2 / right: 3",
    ]


def test_cargo_test_in_one_thread_mixes_output_and_results() -> None:
    counts, found = libtest(golden("cargo/test-one-thread.txt"))
    assert counts == Counts(4, 2)
    assert counts.passed == ("demo_core::tests::a_prints", "demo_core::tests::b_prints")
    assert [d.test for d in found] == ["demo_core::tests::c_fails", "demo_core"]
    assert "d_overflows' (445) has overflowed its stack" in found[1].excerpt


def test_nextest() -> None:
    counts, found = readers.junit_xml(golden("nextest/junit.xml"))
    assert counts == Counts(10, 5)
    assert counts.passed[:2] == ("demo-app::bin/demo-app::starts", "demo-app::crashes::passes")
    assert places(found) == [
        "None:None demo-app::crashes::aborts",
        "core/src/lib.rs:45 demo-core::tests::panics",
        "core/src/lib.rs:50 demo-core::tests::panics_with_words",
        "None:None demo-core::tests::parses",
        "core/src/lib.rs:36 demo-core::tests::sums",
    ]
    assert found[4].message == "assertion `left == right` failed: of 1 / left: 2 / right: 3"


def test_no_tests_and_an_error_before_all_tests_are_told_apart() -> None:
    built = b"    Finished `test` profile target(s) in 0.00s\n"
    assert readers.libtest(built) == (Counts(0), ())
    assert readers.libtest(b"error: could not compile `a` (lib test) due to 1 previous error\n") == ()


SHOP = {"example.org/shop": ".", "example.org/checked": "services/checked"}
GO_TESTS = [  # the same for all versions but for the line of the first error, which only Go 1.27 tells from a log
    "broken/broken_test.go:6 None",
    "broken/broken_test.go:7 None",
    "broken/broken_test.go:7 None",
    "calc/calc_test.go:16 calc.TestAdd/with_zero",
    "calc/calc_test.go:24 calc.TestParent",
    "calc/calc_test.go:30 calc.TestLogs",
    "None:None ex.ExampleBad",
    "None:None exits.TestExits",
    "panics/p_test.go:11 panics.TestPanics",
    "slow/s_test.go:10 slow.TestSlow",
    "None:None None",
    "None:None None",
]


def test_go_counts_tests_without_subtests_and_packages_that_failed_as_a_whole() -> None:
    counts, found = go_test("test")
    assert counts == Counts(21, 10, 1)
    assert counts.passed[:4] == ("TestRoot", "calc.FuzzAdd/seed#0", "calc.TestAdd/a/b", "calc.TestAdd/small")
    assert places(found) == GO_TESTS
    assert [d.message for d in found[3:]] == [
        "Add(1, 0) = 1, want 2",
        "the parent itself / fails on two lines",
        "second error",
        "got: / a / want: / b",
        "the run ended before this test did",
        "panic: runtime error: integer divide by zero [recovered, repanicked]",
        "panic: test timed out after 2s",
        "the tests in mainfail ended early: cannot connect to the database",
        "the tests in two ended early while TestOne, TestTwo ran: failed without a message",
    ]


def test_go_excerpts_show_what_was_said_and_the_frames_of_the_repository() -> None:
    _, found = go_test("test")
    assert found[5].excerpt.splitlines()[-1] == "    calc_test.go:30: second error"
    panic = found[8].excerpt.splitlines()
    assert panic[1:3] == ["example.org/shop/calc.Div(...)", "/workspace/calc/calc.go:8"]
    assert not any("/usr/local/go/" in d.excerpt or "goroutine" in d.excerpt for d in found)


@pytest.mark.parametrize(("version", "line"), [("1.19", 30), ("1.27", 29)])
def test_go_before_and_after(version: str, line: int) -> None:
    counts, found = go_test(f"test-{version}")
    assert [d.line for d in found if d.test] == [16, 24, line]
    assert counts.failed == len({d.test for d in found})
    assert ("broken/broken_test.go", 6) in {(d.path, d.line) for d in found} or version == "1.27"


def test_go_results_from_the_cache_count_as_they_are() -> None:
    assert go_test("cached") == (Counts(1), ())


def test_go_assertions_of_libraries_say_what_differs() -> None:
    _, found = go_test("testify")
    assert [(d.path, d.line, d.test, d.message) for d in found] == [
        (
            "services/checked/c_test.go",
            12,
            "services/checked.TestEqual",
            "Not equal: / expected: 3 / actual : 2 / Messages: arithmetic",
        ),
        (
            "services/checked/c_test.go",
            21,
            "services/checked.TestInHelper",
            '"[a]" should have 2 item(s), but has 1',
        ),
    ]


def test_go_without_a_test_that_ran_counts_nothing() -> None:
    """Else a base commit that cannot be built would look like one whose tests can be compared."""
    log = golden("go/test-1.19.jsonl").splitlines(keepends=True)
    counts, found = readers.go_test(b"".join(line for line in log if b"broken" in line))
    assert counts == Counts(0)
    assert places(found) == ["broken/broken_test.go:6 None", "broken/broken_test.go:7 None"]
    assert readers.go_test(b"go: cannot find main module\n") == (Counts(0), (Diagnostic("cannot find main module"),))
    assert readers.go_test(b"") == (Counts(0), ())
    assert readers.go_text(b"go: no module dependencies to download\n") == ()


def go_test(name: str) -> tuple[Counts, tuple[Diagnostic, ...]]:
    return readers.go_test(golden(f"go/{name}.jsonl"), modules=SHOP)


def test_go_compiler_and_vet() -> None:
    found = readers.go_text(golden("go/build.txt"))
    assert [(d.path, d.line, d.column) for d in found] == [
        ("types/a.go", 4, 6), ("types/a.go", 5, 7), ("types/a.go", 6, 9), ("cgo/a.go", 3, 11),
    ]  # fmt: skip
    assert found[1].excerpt == "have (number, string)\nwant (int)"
    found = readers.go_text(golden("go/vet.txt"), "services/api")
    assert [(d.path, d.message) for d in found] == [
        ("services/api/vetted/a.go", 'fmt.Printf format %d has arg "x" of wrong type string'),
        ("services/api/types/a_test.go", "undefined: missing"),
    ]
    missing = readers.go_text(golden("go/imports.txt"))[0]
    assert (missing.path, missing.excerpt) == ("imports/a.go", "go get example.org/bad/absent")
    (cycle,) = readers.go_text(golden("go/cycle.txt"))
    assert cycle.message == "example.org/bad/cycle from a.go: import cycle not allowed"
    assert places(readers.gofmt_text(golden("go/gofmt.txt"))) == ["types/a.go:2 None", "types/b.go:None gofmt"]
    first = readers.gofmt_text(golden("go/gofmt-d.txt"), "svc")
    assert places(first) == ["svc/b.go:2 None", "svc/a b/a.go:5 gofmt", "svc/c.go:5 gofmt"]
    assert "-++ y" in first[2].excerpt


def test_golangci_lint() -> None:
    assert readers.golangci_json(golden("golangci-lint/output.json"), "sub") == (
        Diagnostic(
            "Error return value of `os.Remove` is not checked",
            path="sub/pkg/p.go",
            line=8,
            column=11,
            rule="errcheck",
            excerpt='os.Remove("x")',
        ),
    )
    (error,) = readers.golangci_json(golden("golangci-lint/typecheck.json"), "sub")
    assert (error.path, error.line, error.column) == ("sub/pkg/q.go", 3, 13)


def test_sarif_leaves_out_what_is_no_finding() -> None:
    place = {
        "physicalLocation": {"artifactLocation": {"uri": "a%20b.c", "uriBaseId": "ROOT"}, "region": {"startLine": 3}}
    }
    results: list[dict[str, object]] = [
        {"ruleIndex": 0, "message": {"id": "m"}, "locations": [place]},
        {"message": {"text": "accepted"}, "suppressions": [{"kind": "inSource"}]},
        {"message": {"text": "gone"}, "baselineState": "absent"},
        {"message": {"text": "fine"}, "kind": "pass"},
    ]
    rule = {"id": "R1", "defaultConfiguration": {"level": "error"}, "messageStrings": {"m": {"text": "from the rule"}}}
    run = {
        "tool": {"driver": {"rules": [rule]}},
        "results": results,
        "originalUriBaseIds": {"ROOT": {"uri": "file:///workspace/sub/"}},
        "invocations": [{"toolExecutionNotifications": [{"level": "error", "message": {"text": "could not parse x"}}]}],
    }
    found = readers.sarif(json.dumps({"version": "2.1.0", "runs": [run]}).encode())
    assert found == (
        Diagnostic("could not parse x"),
        Diagnostic("from the rule", Severity.ERROR, "sub/a b.c", 3, rule="R1"),
    )


READERS: list[Callable[[bytes], object]] = [
    readers.junit_xml, readers.jest_json, readers.tap, readers.sarif, readers.ruff_json, readers.mypy_json,
    readers.pyright_json, readers.eslint_json, readers.tsc_text, readers.maven_text, readers.cargo_json,
    readers.rustfmt_text, readers.libtest, readers.golangci_json, readers.go_test, readers.go_text, readers.gofmt_text,
    readers.uvu_text, assertions,
]  # fmt: skip
LINES = (  # other output may stand among their lines
    readers.tsc_text, readers.maven_text, readers.mypy_json, readers.cargo_json, readers.rustfmt_text, readers.libtest,
    readers.go_test, readers.go_text, readers.gofmt_text, readers.uvu_text,
)  # fmt: skip
STRUCTURED = [reader for reader in READERS if reader not in LINES]
BOMB = b'<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><testsuite><testcase name="&b;"/></testsuite>'
OUTSIDE = b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuite><testcase name="&x;"/></testsuite>'
HOSTILE = [
    b"", b"\0" * 100, b"\xff\xfe\xfa" * 100, b"<", b"[" * 200_000, b'{"a":' * 100_000, b"null", b"[null, 1, []]", b"{}",
    b'{"runs": 3}', b'{"runs": [{"results": [{"locations": [3], "message": 4, "ruleId": []}], "tool": []}]}',
    b'{"testResults": [{"assertionResults": [{"status": [], "ancestorTitles": 3}], "status": "failed"}]}',
    b'{"testResults": [{"assertionResults": [{"status": "failed", "ancestorTitles": 3, "failureMessages": [1]}]}]}',
    b'{"generalDiagnostics": [{"range": 3, "message": {}}]}', b'[{"messages": [{"line": -1e99}], "source": 3}]',
    b'[{"location": {"row": 1e999, "column": true}, "filename": ["x"]}]', BOMB, OUTSIDE,
    b'<?xml version="1.0" encoding="nonsense"?><testsuite/>', b"<testsuite>" * 10_000,
    b"<testsuite><testcase><failure>" + b"\x1b[31m" * 1000 + b"</failure></testcase></testsuite>",
    b"not ok " * 10_000, b"---\n" * 10_000, b"[ERROR] " * 10_000, b"[ERROR] /a:" + b"[" * 100_000, b"a(" * 100_000,
    b'{"reason":"compiler-message",' + b'"message": {"spans": [[], 3], "level": 3, "message": 4, "rendered": 5}}',
    b'{"reason":"compiler-message","message": {"level": "error", "spans": [{"is_primary": 1, "expansion": 3}]}}',
    b"<testsuites name='nextest-run'><testcase><failure>thread '" + b"panicked at " * 8000 + b"</failure></testcase>",
    b"     Running x (a/b-0123456789abcdef)\n" + b"test a ... " * 10_000, b"---- a stdout ----\n" * 1000,
    b"     Running x (a/b-0123456789abcdef)\ntest " + b" - should panic" * 10_000, b"Diff in a:9:\n" * 1000,
    b'{"Action":"fail","Package":3,"Test":[]}\n{"Action":"output","Package":"a","Output":"\\t/"}\n{"Action":"fail","Package":"a"}',
    b'{"Action":"run","Package":"a","Test":"' + b"T/" * 100_000 + b'"}', b"a.go:1:1: " * 10_000, b"go: " * 10_000,
    b'{"Issues": [{"Pos": 3, "SourceLines": [3], "FromLinter": "typecheck", "Text": {}}, 4]}',
    b"99999999999999999999", b"[" + b"9" * 10_000 + b"]",
]  # fmt: skip


@pytest.mark.parametrize("reader", READERS)
def test_no_reader_raises(reader: Callable[[bytes], object]) -> None:
    for data in HOSTILE:
        reader(data)


@pytest.mark.parametrize("reader", [assertions, readers.uvu_text, readers.ava_tap])
@pytest.mark.parametrize(
    "text",
    [
        "".join(f"{' ' * n}# Subtest: a\n" for n in range(800)) + "ok 1 a\n" * 20_000,
        "# a\nnot ok 1 b\n  ---\n" * 20_000,
        '   FAIL  "a"\n' * 20_000 + "  Total:     1\n  Passed:    1\n  Skipped:   0\n",
        "   FAIL " + " " * 500_000 + '"' * 500_000,
        "(1 / 1" * 160_000,
        "Error: (1 / 1)\n" * 60_000,
    ],
)
def test_what_runners_print_is_read_in_time_in_proportion(reader: Callable[[bytes], object], text: str) -> None:
    started = time.process_time()
    reader(f"TAP version 13\n{text}".encode())
    assert time.process_time() - started < 10


@pytest.mark.parametrize("reader", STRUCTURED)
@pytest.mark.parametrize("data", [b"{broken", b"\xff\xff{", b"[1, 2", b"<testsuite><testcase"])
def test_what_cannot_be_read_is_never_clean(reader: Callable[[bytes], object], data: bytes) -> None:
    result = reader(data)
    assert isinstance(result, tuple)
    found = result[1] if isinstance(result[0], Counts) else result
    assert found[-1].rule == readers.UNREADABLE
    assert found[-1].severity is Severity.ERROR


def test_a_damaged_line_is_never_clean() -> None:
    (found,) = readers.mypy_json(b'note\n{"file": "a.py", \n')
    assert found.rule == readers.UNREADABLE
    (found,) = readers.cargo_json(b'{"reason":"compiler-message", \n')
    assert found.rule == readers.UNREADABLE


@pytest.mark.parametrize("data", [BOMB, OUTSIDE])
def test_entities_are_refused(data: bytes) -> None:
    counts, (found,) = readers.junit_xml(data)
    assert counts == Counts(0)
    assert found.rule == readers.UNREADABLE
    assert "root:" not in found.message


def test_a_truncated_report_keeps_what_was_read_and_says_so() -> None:
    counts, found = readers.junit_xml(golden("pytest/short.xml")[:2000])
    assert counts.failed >= 2
    assert found[0].test == "tests/test_app.py::test_add"
    assert found[-1].rule == readers.UNREADABLE


def test_fields_of_a_hostile_report_are_harmless() -> None:
    evil = "\u202e\x1b]0;x\x07" + "A" * 1_000_000 + "\nok: pytest 31 tests"
    item = {"message": evil, "filename": evil, "code": evil, "location": {"row": 1, "column": 1}}
    (found,) = readers.ruff_json(json.dumps([item]).encode())
    assert len(found.message) <= 2000
    assert len(found.path or "") <= 1100
    assert "\n" not in (found.path or "") + (found.rule or "")
    assert not set("\u202e\x1b\x07") & set(found.message)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("/workspace/a/b.py", "a/b.py"),
        ("file:///workspace/a%20b.py", "a b.py"),
        ("b.py", "svc/b.py"),
        ("./x/../b.py", "svc/b.py"),
        ("../b.py", "b.py"),
        ("../../etc/passwd", "/etc/passwd"),
        ("/workspace2/b.py", "/workspace2/b.py"),
        ("/usr/lib/x.py", "/usr/lib/x.py"),
    ],
)
def test_paths(given: str, expected: str) -> None:
    (found,) = readers.ruff_json(json.dumps([{"filename": given, "message": "m"}]).encode(), cwd="svc")
    assert found.path == expected
