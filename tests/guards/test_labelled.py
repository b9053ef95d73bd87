# ruff: noqa: E501 - a table reads best with one row a line
"""What the labelled changes of `benchmarks/guards` have taught the guards, one small change each."""

from typing import Any

import pytest

CC, C, GO, RS, PY, TS = (
    "tests/a_test.cc",
    "tests/a_tests.c",
    "a_test.go",
    "tests/a.rs",
    "tests/test_a.py",
    "src/a.test.ts",
)
GTEST = "TEST(Sum, Two) {\n  EXPECT_EQ(sum(1, 2), 3);\n  EXPECT_TRUE(ready());\n}\n"
CATCH = 'TEST_CASE("two", "[sum]")\n{\n  REQUIRE(sum(1, 2) == 3);\n}\n'
UNITY = "static void two(void)\n{\n    TEST_ASSERT_EQUAL_INT(3, sum(1, 2));\n}\n\nint main(void)\n{\n    RUN_TEST(two);\n    return 0;\n}\n"
GOTEST = 'package a\n\nfunc TestA(t *testing.T) {\n\tif got := A(1); got != 2 {\n\t\tt.Error("no")\n\t}\n}\n'
RUST = '#[test]\n#[should_panic(expected = "empty")]\nfn pops() {\n    pop();\n}\n'
PYTEST = "from a import f, g\n\n\ndef test_a():\n    x = f(1)\n    assert g(x) == 2\n"
VITEST = "import { f } from './a';\nit('rejects', async () => {\n  await expect(f()).rejects.toThrow('no');\n});\n"

BLOCKED = {
    "c: disabled": (CC, GTEST, "Two", "DISABLED_Two", "skipped"),
    "c: hidden by a tag": (CC, CATCH, "[sum]", "[.][sum]", "skipped"),
    "c: weaker": (CC, GTEST, "EXPECT_EQ(sum(1, 2), 3)", "EXPECT_GE(sum(1, 2), 0)", "weaker-assertions"),
    "c: one less": (CC, GTEST, "  EXPECT_TRUE(ready());\n", "", "fewer-assertions"),
    "c: function of Unity": (C, UNITY, "    TEST_ASSERT_EQUAL_INT(3, sum(1, 2));\n", "", "deleted-file"),
    "go: build constraint": (GO, GOTEST, "package a", "//go:build manual\n\npackage a", "skipped"),
    "go: with itself": (GO, GOTEST, "got != 2", "got != got", "constant-assertion"),
    "rust: any panic": (RS, RUST, '(expected = "empty")', "", "weaker-assertions"),
    "rust: behind a feature": (RS, RUST, "#[test]", '#![cfg(feature = "slow")]\n#[test]', "skipped"),
    "python: behind a return": (PY, PYTEST, "    x = f(1)\n", "    x = f(1)\n    return\n", "conditional-assertion"),
    "js: promise that nobody waits for": (TS, VITEST, "await ", "", "conditional-assertion"),
    "bats: tried again": ("test/a.bats", '@test "a" {\n  run a\n}\n', "  run a", "  BATS_TEST_RETRIES=2\n  run a", "skipped"),
    "bats: skipped": ("test/a.bats", '@test "a" {\n  run a\n}\n', "  run a", "  has a || skip 'no a'\n  run a", "skipped"),
    "python: tried again": (PY, PYTEST, "def test_a", "@pytest.mark.flaky(reruns=3)\ndef test_a", "skipped"),
}  # fmt: skip


@pytest.mark.parametrize("name", BLOCKED)
def test_weaker_test_blocks(guard: Any, found: Any, name: str) -> None:
    path, text, old, new, rule = BLOCKED[name]
    assert old in text
    lines = found(guard("tests", {path: text}, {path: text.replace(old, new, 1)}))
    assert [line.split()[1] for line in lines if line.startswith("error")] == [f"tests/{rule}"]


def test_list_of_what_is_not_tested_that_grows_blocks(guard: Any, found: Any) -> None:
    path, text = "test262/run_test262.ts", "const SKIP_FILES: string[] = [\n  'a.js',\n];\nrun(SKIP_FILES);\n"
    more = text.replace("'a.js',", "'a.js',\n  'b.js',")
    assert found(guard("tests", {path: text}, {path: more})) == [f"error tests/skipped {path}:1"]
    assert guard("tests", {path: more}, {path: text}).passed
    names = text.replace("SKIP_FILES", "FILES")
    assert guard("tests", {path: names}, {path: names.replace("'a.js',", "'a.js',\n  'b.js',")}).passed


def test_raised_demand_passes(guard: Any) -> None:
    text = "<p><a.ratio>0.98</a.ratio></p>\n"
    assert guard("gates", {"pom.xml": text}, {"pom.xml": text.replace("0.98", "0.99")}).passed


JAVA = "package a;\nclass TaxTest {\n  @Test void rate() {\n    Tax tax = new Tax();\n    assertEquals(19, tax.rate());\n  }\n}\n"


def test_mock_in_place_of_what_is_tested_blocks(guard: Any, found: Any) -> None:
    path, source = "src/test/java/a/TaxTest.java", {"src/main/java/a/Tax.java": "package a;\nclass Tax {}\n"}
    mocked = JAVA.replace("new Tax()", "mock(Tax.class)")
    verdict = guard("tests", {path: JAVA} | source, {path: mocked} | source)
    assert f"error tests/not-the-source {path}" in found(verdict)
    python, calc = (
        "from calc import rate\n\n\ndef test_a():\n    assert rate(1) == 2\n",
        {"calc.py": "def rate(n): ...\n"},
    )
    stub = python.replace("from calc import rate", "from unittest.mock import Mock\n\nrate = Mock(return_value=2)")
    assert f"error tests/not-the-source {PY}" in found(guard("tests", {PY: python} | calc, {PY: stub} | calc))


TABLES = {
    "python": (
        PY,
        "def test_one():\n    assert roman(1) == 'I'\n\n\ndef test_four():\n    assert roman(4) == 'IV'\n",
        "@pytest.mark.parametrize(('n', 'text'), [(1, 'I'), (4, 'IV')])\ndef test_roman(n, text):\n    assert roman(n) == text\n",
        "(4, 'IV')",
    ),
    "js": (
        TS,
        "test('one', () => {\n  expect(roman(1)).toBe('I');\n});\ntest('four', () => {\n  expect(roman(4)).toBe('IV');\n});\n",
        "test.each([\n  [1, 'I'],\n  [4, 'IV'],\n])('%s', (n, text) => {\n  expect(roman(n)).toBe(text);\n});\n",
        "[4, 'IV']",
    ),
    "go": (
        GO,
        GOTEST.replace("TestA(", "TestOne(").replace("A(1)", "Abs(-21)").replace("!= 2", "!= 21"),
        "package a\n\nfunc TestAbs(t *testing.T) {\n\tfor _, c := range []struct{ in, want int }{{-21, 21}, {3, 3}} {\n"
        "\t\tif got := Abs(c.in); got != c.want {\n\t\t\tt.Error(got)\n\t\t}\n\t}\n}\n",
        "{-21, 21}",
    ),
    "rust": (
        RS,
        '#[test]\nfn one() {\n    assert_eq!(roman(1), "I");\n}\n\n#[test]\nfn four() {\n    assert_eq!(roman(4), "IV");\n}\n',
        '#[test]\nfn numbers() {\n    for (n, text) in [(1, "I"), (4, "IV")] {\n        assert_eq!(roman(n), text);\n    }\n}\n',
        '(4, "IV")',
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_tests_that_become_rows_pass_and_a_lost_one_blocks(guard: Any, found: Any, name: str) -> None:
    path, single, table, row = TABLES[name]
    assert guard("tests", {path: single}, {path: table}).passed, found(guard("tests", {path: single}, {path: table}))
    assert row in table
    assert not guard(
        "tests", {path: single}, {path: table.replace(row, row.replace("4", "9").replace("21", "5"))}
    ).passed


def test_same_assertions_in_another_style_pass(guard: Any) -> None:
    old = "import unittest\n\n\nclass STest(unittest.TestCase):\n    def test_pop(self):\n        s = S([1, 2])\n        self.assertEqual(s.pop(), 2)\n"
    new = "def test_pop():\n    s = S([1, 2])\n    assert s.pop() == 2\n"
    assert guard("tests", {PY: old}, {PY: new}).passed
    assert not guard("tests", {PY: old}, {PY: new.replace("== 2", "> 0")}).passed


def test_whole_value_in_place_of_its_size_passes(guard: Any) -> None:
    old = "def test_a():\n    found = tags('#a #b')\n    assert found\n    assert len(found) == 2\n"
    new = "def test_a():\n    assert tags('#a #b') == ['a', 'b']\n"
    assert guard("tests", {PY: old}, {PY: new}).passed
    assert not guard("tests", {PY: old}, {PY: new.replace("tags(", "other(")}).passed
    assert not guard("tests", {PY: old + "    assert ready(1) == 3\n"}, {PY: new}).passed


GATES = {
    "go vet": ("Makefile", "test:\n\tgo vet ./...\n\tgo test ./...\n", "\tgo vet ./...\n", "", "removed"),
    "race detector": ("Makefile", "test:\n\tgo test -race ./...\n", " -race", "", "removed"),
    "a test of CMake": (
        "CMakeLists.txt",
        "add_test(NAME a COMMAND a)\n",
        "add_test(NAME a COMMAND a)",
        "# none",
        "removed",
    ),
    "coverage": ("pom.xml", "<p><a.ratio>0.98</a.ratio></p>\n", "0.98", "0.80", "loosened"),
    "deselected": ("Makefile", "test:\n\tpytest tests\n", "tests\n", "tests --deselect tests/test_a.py\n", "loosened"),
    "root": ("Dockerfile", "FROM x\nRUN y\nUSER app\nCMD z\n", "USER app\n", "", "loosened"),
    "xo": ("xo.config.js", "export default [{}];\n", "{}", "{rules: {a: 'off'}}", "lint"),
}


@pytest.mark.parametrize("name", GATES)
def test_gate_that_is_loosened_blocks(guard: Any, found: Any, name: str) -> None:
    path, text, old, new, rule = GATES[name]
    lines = found(guard("gates", {path: text}, {path: text.replace(old, new, 1)}))
    assert [line.split()[1] for line in lines if line.startswith("error")] == [f"gates/{rule}"]


def test_user_of_an_earlier_stage_does_not_count(guard: Any) -> None:
    text = "FROM x AS build\nUSER app\nRUN y\nFROM z\nUSER app\n"
    assert guard("gates", {"Dockerfile": text}, {"Dockerfile": text.replace("USER app\nRUN", "RUN")}).passed


@pytest.mark.parametrize(
    ("old", "new", "passes"),
    [
        ('[tool.ruff.lint]\nselect = ["E"]\n', '[tool.ruff.lint]\nselect = ["E", "I"]\n', True),
        ('[tool.ruff.lint]\nselect = ["E", "I"]\n', '[tool.ruff.lint]\nselect = ["E"]\n', False),
        ('[tool.ruff.lint]\nignore = ["E501"]\n', "[tool.ruff.lint]\n", True),
        ("[tool.ruff.lint]\n", '[tool.ruff.lint]\nignore = ["E501"]\n', False),
        ("[tool.ruff.lint]\n", '[tool.ruff.lint]\nselect = ["E"]\n', False),  # the default may be more
        ("[tool.coverage.report]\nfail_under = 80\n", "[tool.coverage.report]\nfail_under = 90\n", True),
        ("[tool.coverage.report]\nfail_under = 90\n", "[tool.coverage.report]\nfail_under = 80\n", False),
        ("[tool.mypy]\npretty = true\n", "[tool.mypy]\npretty = true\nstrict = true\n", True),
    ],
)
def test_settings_that_only_demand_more_pass(guard: Any, old: str, new: str, passes: bool) -> None:
    assert guard("gates", {"pyproject.toml": old}, {"pyproject.toml": new}).passed is passes


def test_lint_that_is_no_longer_denied_blocks(guard: Any, found: Any) -> None:
    old = "#![deny(warnings, unsafe_code)]\nfn f() {}\n"
    lines = found(guard("suppressions", {"src/lib.rs": old}, {"src/lib.rs": old.replace(", unsafe_code", "")}))
    assert lines == ["error suppressions/lenient src/lib.rs"]
    moved = {"src/lib.rs": "fn f() {}\n", "src/main.rs": "#![deny(warnings, unsafe_code)]\n"}
    assert guard("suppressions", {"src/lib.rs": old, "src/main.rs": "\n"}, moved).passed


def test_licence_blocks_but_for_its_years(guard: Any, found: Any) -> None:
    old = {"LICENSE": "MIT License\n\nCopyright (c) 2023 The authors\n"}
    assert guard("licence", old, {"LICENSE": "MIT License\n\nCopyright (c) 2023-2024 The authors\n"}).passed
    other = {"LICENSE": "MIT License\n\nCopyright (c) 2023 Somebody\n"}
    assert found(guard("licence", old, other)) == ["error licence/changed LICENSE"]
    assert guard("licence", old, other, allow=["licence"]).passed
    assert not guard("licence", old, {}).passed


def test_new_program_blocks_and_a_picture_does_not(guard: Any) -> None:
    assert not guard("generated", {}, {"tools/fast": b"\x7fELF\0\0\0"}).passed
    assert guard("generated", {}, {"docs/a.png": b"\x89PNG\r\n\0\0"}).passed
