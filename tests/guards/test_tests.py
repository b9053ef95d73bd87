# ruff: noqa: E501 - a table reads best with one row a line
"""Each row: what a change does to a test, and what the guard must say of it. The diffs are made by git."""

from collections.abc import Mapping
from typing import Any

import pytest

from greylag.testing.changes import Link

Files = Mapping[str, str | bytes]

PY = """import pytest

from shop import total


def test_sum():
    assert total([1, 2]) == 3
    assert total([]) == 0


class TestErrors:
    def test_rejects_text(self):
        with pytest.raises(ValueError):
            total("x")
        assert total.calls == 1
"""
JS = """import { expect, it, describe } from "vitest";
import { add } from "./add";

describe("add", () => {
  it("adds numbers", () => {
    expect(add(1, 2)).toBe(3);
    expect(add(-1, 1)).toBe(0);
  });

  it.each([[1, 1], [2, 4]])("squares %i", (a, b) => {
    expect(a * a).toBe(b);
  });
});
"""
JAVA = """package org.example;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TotalTest {
    @Test
    void sums() {
        assertEquals(3, total(1, 2));
        assertEquals(0, total());
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({"1,2", "3,4"})
    void each(int a, int b) throws Exception {
        assertThat(total(a)).isEqualTo(b);
    }
}
"""
GO = """package shop

import "testing"

func TestTotal(t *testing.T) {
	if got := Total(1, 2); got != 3 {
		t.Errorf("got %d", got)
	}
	if Total() != 0 {
		t.Fatal("not empty")
	}
}

func TestName(t *testing.T) {
	require.Equal(t, "shop", Name())
}
"""
RUST = """pub fn total(a: &[i32]) -> i32 {
    a.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums() {
        assert_eq!(total(&[1, 2]), 3);
        assert_eq!(total(&[]), 0);
    }

    #[test]
    #[should_panic]
    fn panics() {
        total_of_nothing();
    }
}
"""


def edit(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


PY_ROWS = """import pytest


@pytest.mark.parametrize(("n", "s"), [(1, 1), (2, 4), (0, 0)])
def test_square(n, s):
    assert square(n) == s
"""
GO_ROWS = """package shop

func TestSquare(t *testing.T) {
	for _, c := range []struct {
		n, s int
	}{
		{1, 1},
		{2, 4},
	} {
		if Square(c.n) != c.s {
			t.Error(c.n)
		}
	}
}
"""
RUST_ROWS = "#[rstest]\n#[case(1, 1)]\n#[case(2, 4)]\nfn squares(#[case] n: i32, #[case] s: i32) {\n    assert_eq!(square(n), s);\n}\n"
P, J, V, G, R = "tests/test_total.py", "src/add.test.ts", "src/test/java/TotalTest.java", "total_test.go", "src/lib.rs"
PY_SUM = "def test_sum():\n    assert total([1, 2]) == 3\n    assert total([]) == 0\n"
JS_ADDS = JS[JS.index('  it("adds') : JS.index("  it.each")]
JAVA_SUMS = JAVA[JAVA.index("    @Test") : JAVA.index("    @Param")]
GO_NAME = GO[GO.index("func TestName") :]
RUST_SUMS = RUST[RUST.index("    #[test]\n    fn sums") : RUST.index("    #[test]\n    #[should")]

BLOCKED: dict[str, tuple[Files, Files, list[str]]] = {
    "python: file deleted": ({P: PY}, {}, [f"error tests/deleted-file {P}"]),
    "js: file deleted": ({J: JS}, {}, [f"error tests/deleted-file {J}"]),
    "java: file deleted": ({V: JAVA}, {}, [f"error tests/deleted-file {V}"]),
    "go: file deleted": ({G: GO}, {}, [f"error tests/deleted-file {G}"]),
    "kotlin: file deleted": (
        {"src/test/kotlin/ATest.kt": "class ATest {\n  @Test\n  fun `adds up`() = assertEquals(1, f())\n}\n"}, {},
        ["error tests/deleted-file src/test/kotlin/ATest.kt"],
    ),
    "unknown language: test file deleted": ({"test/run_test.bats": "@test 'x' { true; }\n"}, {}, ["error tests/deleted-data test/run_test.bats"]),
    "python: emptied": ({P: PY}, {P: "import pytest\n"}, [f"error tests/deleted-file {P}"]),
    "python: no longer parses": ({P: PY}, {P: PY + "\n)\n"}, [f"error tests/deleted-file {P}"]),
    "python: function removed": ({P: PY}, {P: edit(PY, (PY_SUM, ""))}, [f"error tests/deleted-test {P}"]),
    "js: case removed": ({J: JS}, {J: edit(JS, (JS_ADDS, ""))}, [f"error tests/deleted-test {J}"]),
    "java: method removed": ({V: JAVA}, {V: edit(JAVA, (JAVA_SUMS, ""))}, [f"error tests/deleted-test {V}"]),
    "go: function removed": ({G: GO}, {G: edit(GO, (GO_NAME, ""))}, [f"error tests/deleted-test {G}"]),
    "rust: function removed": ({R: RUST}, {R: edit(RUST, (RUST_SUMS, ""))}, [f"error tests/deleted-test {R}"]),
    "python: renamed so that it is no test": ({P: PY}, {P: edit(PY, ("def test_sum", "def xtest_sum"))}, [f"error tests/deleted-test {P}"]),
    "python: commented out": ({P: PY}, {P: edit(PY, (PY_SUM, PY_SUM.replace("\n", "\n# ", 2).replace("def", "# def")))}, [f"error tests/deleted-test {P}"]),
    "python: under `if False`": ({P: PY}, {P: edit(PY, (PY_SUM, "if False:\n    def test_sum():\n        assert total([1, 2]) == 3\n        assert total([]) == 0\n"))}, [f"error tests/deleted-test {P}"]),
    "java: annotation removed": ({V: JAVA}, {V: edit(JAVA, ("    @Test\n", ""))}, [f"error tests/deleted-test {V}"]),
    "js: commented out": ({J: JS}, {J: edit(JS, (JS_ADDS, "/*\n" + JS_ADDS + "*/\n"))}, [f"error tests/deleted-test {J}"]),
    "file renamed so that no runner finds it": ({P: PY}, {"tests/total_disabled.py": PY}, ["error tests/deleted-file tests/total_disabled.py"]),
    "test moved out of the tests": ({J: JS}, {"src/old/add.ts.bak": JS}, ["error tests/deleted-file src/old/add.ts.bak"]),
    "replaced by another test": (
        {P: PY}, {P: edit(PY, (PY_SUM, "def test_login(client, user):\n    page = client.get('/login', user=user)\n    assert page.status == 200\n    assert 'Welcome' in page.text\n"))},
        [f"error tests/deleted-test {P}"],
    ),
    "python: skip mark": ({P: PY}, {P: edit(PY, ("def test_sum", "@pytest.mark.skip\ndef test_sum"))}, [f"error tests/skipped {P}:6"]),
    "python: xfail mark": ({P: PY}, {P: edit(PY, ("def test_sum", "@pytest.mark.xfail(strict=False)\ndef test_sum"))}, [f"error tests/skipped {P}:6"]),
    "python: module mark": ({P: PY}, {P: edit(PY, ("\n\ndef test_sum", "\npytestmark = pytest.mark.skipif(True, reason='x')\n\ndef test_sum"))}, [f"error tests/skipped {P}:5"]),
    "python: skip called": ({P: PY}, {P: edit(PY, ("    assert total([1, 2]) == 3", "    pytest.skip('flaky')\n    assert total([1, 2]) == 3"))}, [f"error tests/skipped {P}:7"]),
    "python: unittest skip": ({P: PY}, {P: edit(PY, ("    def test_rejects", "    @unittest.skip('x')\n    def test_rejects"))}, [f"error tests/skipped {P}:12"]),
    "conftest deselects": ({"tests/conftest.py": "x = 1\n"}, {"tests/conftest.py": "x = 1\ncollect_ignore = ['test_a.py']\n"}, ["error tests/skipped tests/conftest.py:2"]),
    "js: it.skip": ({J: JS}, {J: edit(JS, ('it("adds', 'it.skip("adds'))}, [f"error tests/skipped {J}:5"]),
    "js: xit": ({J: JS}, {J: edit(JS, ('it("adds', 'xit("adds'))}, [f"error tests/skipped {J}:5"]),
    "js: describe.skip": ({J: JS}, {J: edit(JS, ('describe("add', 'describe.skip("add'))}, [f"error tests/skipped {J}:4"]),
    "js: it.only": ({J: JS}, {J: edit(JS, ('it("adds', 'it.only("adds'))}, [f"error tests/skipped {J}:5"]),
    "java: Disabled": ({V: JAVA}, {V: edit(JAVA, ("    @Test", "    @Disabled\n    @Test"))}, [f"error tests/skipped {V}:8"]),
    "java: class Ignore": ({V: JAVA}, {V: edit(JAVA, ("class Total", '@Ignore("later")\nclass Total'))}, [f"error tests/skipped {V}:7"]),
    "go: Skip": ({G: GO}, {G: edit(GO, ('\trequire.Equal', '\tt.Skip("flaky")\n\trequire.Equal'))}, [f"error tests/skipped {G}:15"]),
    "rust: ignore": ({R: RUST}, {R: edit(RUST, ("    fn sums", "    #[ignore]\n    fn sums"))}, [f"error tests/skipped {R}:10"]),
    "python: assertion removed": ({P: PY}, {P: edit(PY, ("    assert total([]) == 0\n", ""))}, [f"error tests/fewer-assertions {P}:6"]),
    "js: assertion removed": ({J: JS}, {J: edit(JS, ("    expect(add(-1, 1)).toBe(0);\n", ""))}, [f"error tests/fewer-assertions {J}:5"]),
    "java: assertion removed": ({V: JAVA}, {V: edit(JAVA, ("        assertEquals(0, total());\n", ""))}, [f"error tests/fewer-assertions {V}:8"]),
    "java: assertion of a parameterised test removed": ({V: JAVA}, {V: edit(JAVA, ("assertThat(total(a)).isEqualTo(b)", "total(a)"))}, [f"error tests/fewer-assertions {V}:14"]),
    "go: assertion removed": ({G: GO}, {G: edit(GO, ('\tif Total() != 0 {\n\t\tt.Fatal("not empty")\n\t}\n', ""))}, [f"error tests/fewer-assertions {G}:5"]),
    "rust: assertion removed": ({R: RUST}, {R: edit(RUST, ("        assert_eq!(total(&[]), 0);\n", ""))}, [f"error tests/fewer-assertions {R}:9"]),
    "python: assertion commented out": ({P: PY}, {P: edit(PY, ("    assert total([]) == 0", "    # assert total([]) == 0"))}, [f"error tests/fewer-assertions {P}:6"]),
    "python: comparison made truth": ({P: PY}, {P: edit(PY, ("assert total([1, 2]) == 3", "assert total([1, 2])"))}, [f"error tests/weaker-assertions {P}:6"]),
    "python: not None": ({P: PY}, {P: edit(PY, ("assert total([1, 2]) == 3", "assert total([1, 2]) is not None"))}, [f"error tests/weaker-assertions {P}:6"]),
    "python: any exception": ({P: PY}, {P: edit(PY, ("ValueError", "Exception"))}, [f"error tests/weaker-assertions {P}:12"]),
    "js: toBeDefined": ({J: JS}, {J: edit(JS, ("expect(add(1, 2)).toBe(3)", "expect(add(1, 2)).toBeDefined()"))}, [f"error tests/weaker-assertions {J}:5"]),
    "java: not null": ({V: JAVA}, {V: edit(JAVA, ("assertEquals(3, total(1, 2))", "assertNotNull(total(1, 2))"))}, [f"error tests/weaker-assertions {V}:8"]),
    "go: no error": ({G: GO}, {G: edit(GO, ('require.Equal(t, "shop", Name())', "require.NotEmpty(t, Name())"))}, [f"error tests/weaker-assertions {G}:14"]),
    "python: inequality": ({P: PY}, {P: edit(PY, ("total([1, 2]) == 3", "total([1, 2]) >= 0"))}, [f"error tests/weaker-assertions {P}:6"]),
    "python: membership": ({P: PY}, {P: edit(PY, ("total([1, 2]) == 3", "total([1, 2]) in (3, 4)"))}, [f"error tests/weaker-assertions {P}:6"]),
    "python: or": ({P: PY}, {P: edit(PY, ("total([1, 2]) == 3", "total([1, 2]) == 3 or total([]) == 0"))}, [f"error tests/weaker-assertions {P}:6"]),
    "python: half of an and": ({P: edit(PY, ("== 3", "== 3 and total([2]) == 2"))}, {P: PY}, [f"error tests/weaker-assertions {P}:6"]),
    "python: wide tolerance": ({P: PY}, {P: edit(PY, ("== 3", "== pytest.approx(3, abs=100)"))}, [f"error tests/weaker-assertions {P}:6"]),
    "python: message not matched": ({P: edit(PY, ("(ValueError)", "(ValueError, match='x')"))}, {P: PY}, [f"error tests/weaker-assertions {P}:12"]),
    "python: unittest": ({P: edit(PY, ("assert total.calls == 1", "self.assertEqual(total.calls, 1)"))}, {P: edit(PY, ("assert total.calls == 1", "self.assertGreaterEqual(total.calls, 0)"))}, [f"error tests/weaker-assertions {P}:12"]),
    "js: inequality": ({J: JS}, {J: edit(JS, ("toBe(3)", "toBeGreaterThan(0)"))}, [f"error tests/weaker-assertions {J}:5"]),
    "js: negation": ({J: JS}, {J: edit(JS, (".toBe(3)", ".not.toBe(4)"))}, [f"error tests/weaker-assertions {J}:5"]),
    "java: inequality": ({V: JAVA}, {V: edit(JAVA, ("assertEquals(3, total(1, 2))", "assertTrue(total(1, 2) > 0)"))}, [f"error tests/weaker-assertions {V}:8"]),
    "go: inequality": ({G: GO}, {G: edit(GO, ("got != 3", "got < 0"))}, [f"error tests/weaker-assertions {G}:5"]),
    "rust: inequality": ({R: RUST}, {R: edit(RUST, ("assert_eq!(total(&[1, 2]), 3)", "assert!(total(&[1, 2]) >= 0)"))}, [f"error tests/weaker-assertions {R}:9"]),
    "python: row removed": ({P: PY_ROWS}, {P: edit(PY_ROWS, (", (2, 4)", ""))}, [f"error tests/fewer-rows {P}:5"]),
    "python: row made the same as another": ({P: PY_ROWS}, {P: edit(PY_ROWS, ("(2, 4)", "(1, 1)"))}, [f"error tests/fewer-rows {P}:5"]),
    "js: row made the same as another": ({J: JS}, {J: edit(JS, ("[2, 4]", "[1, 1]"))}, [f"error tests/fewer-rows {J}:10"]),
    "java: row made the same as another": ({V: JAVA}, {V: edit(JAVA, ("3,4", "1,2"))}, [f"error tests/fewer-rows {V}:14"]),
    "python: table removed": ({P: PY_ROWS}, {P: edit(PY_ROWS, ('@pytest.mark.parametrize(("n", "s"), [(1, 1), (2, 4), (0, 0)])\n', ""))}, [f"error tests/fewer-rows {P}:4"]),
    "python: row removed from a named table": (
        {P: "ROWS = [(1, 1), (2, 4)]\n\n\ndef test_a():\n    for n, s in ROWS:\n        assert square(n) == s\n"},
        {P: "ROWS = [(1, 1)]\n\n\ndef test_a():\n    for n, s in ROWS:\n        assert square(n) == s\n"}, [f"error tests/fewer-rows {P}:4", f"warning tests/changed-value {P}:1"],
    ),
    "python: parameter of a fixture removed": (
        {P: "@pytest.fixture(params=[1, 2])\ndef n(request):\n    return request.param\n\n\ndef test_a(n):\n    assert f(n) == 1\n"},
        {P: "@pytest.fixture(params=[1])\ndef n(request):\n    return request.param\n\n\ndef test_a(n):\n    assert f(n) == 1\n"}, [f"error tests/fewer-rows {P}:6"],
    ),
    "python: rows of a class removed": (
        {P: '@pytest.mark.parametrize("n", [1, 2])\nclass TestA:\n    def test_a(self, n):\n        assert f(n) == 1\n'},
        {P: '@pytest.mark.parametrize("n", [1])\nclass TestA:\n    def test_a(self, n):\n        assert f(n) == 1\n'}, [f"error tests/fewer-rows {P}:3"],
    ),
    "js: row removed": ({J: JS}, {J: edit(JS, (", [2, 4]", ""))}, [f"error tests/fewer-rows {J}:10"]),
    "js: row removed from a named table": ({J: "const rows = [1, 2];\n" + edit(JS, ("[[1, 1], [2, 4]]", "rows"))}, {J: "const rows = [1];\n" + edit(JS, ("[[1, 1], [2, 4]]", "rows"))}, [f"error tests/fewer-rows {J}:11", f"warning tests/changed-value {J}:1"]),
    "js: row removed from a template": (
        {J: edit(JS, ("([[1, 1], [2, 4]])", "`a | b\n1 | 1\n2 | 4\n`"))}, {J: edit(JS, ("([[1, 1], [2, 4]])", "`a | b\n1 | 1\n`"))}, [f"error tests/fewer-rows {J}:10"],
    ),
    "java: row removed": ({V: JAVA}, {V: edit(JAVA, (', "3,4"', ""))}, [f"error tests/fewer-rows {V}:14"]),
    "c#: row removed": (
        {"A.Tests/ATests.cs": "class A {\n  [Theory]\n  [InlineData(1)]\n  [InlineData(2)]\n  public void Adds(int a) { Assert.Equal(a, F(a)); }\n}\n"},
        {"A.Tests/ATests.cs": "class A {\n  [Theory]\n  [InlineData(1)]\n  public void Adds(int a) { Assert.Equal(a, F(a)); }\n}\n"},
        ["error tests/fewer-rows A.Tests/ATests.cs:2"],
    ),
    "go: row removed": ({G: GO_ROWS}, {G: edit(GO_ROWS, ("\t\t{2, 4},\n", ""))}, [f"error tests/fewer-rows {G}:3"]),
    "rust: row removed": ({"tests/a.rs": RUST_ROWS}, {"tests/a.rs": edit(RUST_ROWS, ("#[case(2, 4)]\n", ""))}, ["error tests/fewer-rows tests/a.rs:1"]),
    "python: renamed with another assertion": ({P: PY}, {P: edit(PY, ("test_sum", "test_sum_of_list"), ("== 3", "== 4"))}, [f"error tests/deleted-test {P}"]),
    "python: constant": ({P: PY}, {P: edit(PY, ("assert total([1, 2]) == 3", "assert True"))}, [f"error tests/constant-assertion {P}:6"]),
    "python: or True": ({P: PY}, {P: edit(PY, ("total([1, 2]) == 3", "total([1, 2]) == 3 or True"))}, [f"error tests/constant-assertion {P}:6"]),
    "js: constant": ({J: JS}, {J: edit(JS, ("expect(add(1, 2)).toBe(3)", "expect(true).toBe(true)"))}, [f"error tests/constant-assertion {J}:5"]),
    "java: constant": ({V: JAVA}, {V: edit(JAVA, ("assertEquals(3, total(1, 2))", "assertTrue(true)"))}, [f"error tests/constant-assertion {V}:8"]),
    "rust: constant": ({R: RUST}, {R: edit(RUST, ("assert_eq!(total(&[1, 2]), 3)", "assert!(true)"))}, [f"error tests/constant-assertion {R}:9"]),
    "a new test that proves nothing": ({}, {P: "def test_new():\n    assert True\n"}, [f"error tests/constant-assertion {P}:1"]),
    "python: early return": ({P: PY}, {P: edit(PY, ("    assert total([1, 2])", "    return\n    assert total([1, 2])"))}, [f"error tests/early-return {P}:6"]),
    "js: early return": ({J: JS}, {J: edit(JS, ("    expect(add(1, 2))", "    return;\n    expect(add(1, 2))"))}, [f"error tests/early-return {J}:5"]),
    "java: early return": ({V: JAVA}, {V: edit(JAVA, ("        assertEquals(3", "        if (true) return;\n        assertEquals(3"), ("if (true) return;", "return;"))}, [f"error tests/early-return {V}:8"]),
    "a test file becomes a link": ({P: PY}, {P: Link("../other.py")}, [f"error tests/deleted-file {P}"]),
}  # fmt: skip

CLEAN: dict[str, tuple[Files, Files]] = {
    "python: file moved": ({P: PY}, {"tests/unit/test_total.py": PY}),
    "python: file renamed": ({P: PY}, {"tests/test_sums.py": PY}),
    "js: file moved": ({J: JS}, {"test/add.test.ts": JS}),
    "java: file renamed": ({V: JAVA}, {"src/test/java/SumTest.java": edit(JAVA, ("TotalTest", "SumTest"))}),
    "go: file renamed": ({G: GO}, {"sum_test.go": GO}),
    "python: test renamed": ({P: PY}, {P: edit(PY, ("test_sum", "test_adds_up"))}),
    "js: test renamed": ({J: JS}, {J: edit(JS, ("adds numbers", "adds two numbers"))}),
    "java: test renamed": ({V: JAVA}, {V: edit(JAVA, ("void sums", "void addsUp"))}),
    "go: test renamed": ({G: GO}, {G: edit(GO, ("TestName", "TestShopName"))}),
    "rust: test renamed": ({R: RUST}, {R: edit(RUST, ("fn sums", "fn adds_up"))}),
    "python: test moved to another file": (
        {P: PY, "tests/test_b.py": "def test_b():\n    assert f() == 1\n"},
        {P: edit(PY, (PY_SUM, "")), "tests/test_b.py": "def test_b():\n    assert f() == 1\n\n\n" + PY_SUM},
    ),
    "python: file split in two": ({P: PY}, {"tests/test_sum.py": "from shop import total\n\n\n" + PY_SUM, "tests/test_errors.py": edit(PY, (PY_SUM, ""))}),
    "python: renamed and edited": ({P: PY}, {P: edit(PY, ("def test_sum():", "def test_sum_of_list(shop):\n    shop.open()"))}),
    "js: renamed and edited": ({J: JS}, {J: edit(JS, ("adds numbers", "adds two"), ("toBe(0);", "toBe(0);\n    expect(add(0, 0)).toBe(0);"))}),
    "go: renamed and edited": ({G: GO}, {G: edit(GO, ("TestTotal", "TestSum"), ('"got %d"', '"total: %d"'))}),
    "java: renamed and edited": ({V: JAVA}, {V: edit(JAVA, ("void sums() {", "void adds() {\n        open();"))}),
    "python: row added": ({P: PY_ROWS}, {P: edit(PY_ROWS, ("(2, 4),", "(2, 4), (3, 9),"))}),
    "python: rows split over two tests": (
        {P: PY_ROWS}, {P: edit(PY_ROWS, (", (2, 4), (0, 0)", "")) + '\n\n@pytest.mark.parametrize(("n", "s"), [(2, 4), (0, 0)])\ndef test_more(n, s):\n    assert square(n) == s\n'},
    ),
    "python: rows get a name": ({P: PY_ROWS}, {P: "ROWS = [(1, 1), (2, 4), (0, 0)]\n" + edit(PY_ROWS, ("[(1, 1), (2, 4), (0, 0)]", "ROWS"))}),
    "python: narrower": ({P: PY}, {P: edit(PY, ("raises(ValueError)", "raises(ValueError, match='x')"), ("total.calls == 1", "total.calls == approx(1)"))}),
    "python: linted": ({P: PY}, {P: edit(PY, ("total([]) == 0", "0 == total([])"))}),
    "js: another exact matcher": ({J: JS}, {J: edit(JS, ("toBe(3)", "toStrictEqual(3)"))}),
    "java: another library": ({V: JAVA}, {V: edit(JAVA, ("assertEquals(0, total())", "assertThat(total()).isEqualTo(0)"))}),
    "python: assertion added": ({P: PY}, {P: edit(PY, ("== 0\n", "== 0\n    assert total([5]) == 5\n"))}),
    "python: assertions moved into a helper": (
        {P: PY},
        {P: edit(PY, (PY_SUM, "def _sums_up():\n    assert total([1, 2]) == 3\n    assert total([]) == 0\n\n\ndef test_sum():\n    _sums_up()\n"))},
    ),
    "python: reformatted": ({P: PY}, {P: edit(PY, ("total([1, 2]) == 3", "total(\n        [1, 2],\n    ) == 3"))}),
    "python: the word skip in a string": ({P: PY}, {P: edit(PY, ('total("x")', 'total("pytest.mark.skip @skip SkipTest")'))}),
    "python: the word skip in a comment": ({P: PY}, {P: edit(PY, ("    assert total([])", "    # pytest.skip would be wrong here\n    assert total([])"))}),
    "js: the word skip in a string": ({J: JS}, {J: edit(JS, ("adds numbers", "adds it.skip( numbers"))}),
    "js: array.only in production": ({"src/a.ts": "a\n"}, {"src/a.ts": "query.only('x')\nlist.skip(2)\n"}),
    "java: Disabled in a string": ({V: JAVA}, {V: edit(JAVA, ("total(1, 2)", 'total("@Disabled", 1, 2)'))}),
    "go: the word in a string": ({G: GO}, {G: edit(GO, ('"got %d"', '"t.Skip( %d"'))}),
    "python: a skipped test moves": (
        {P: "@pytest.mark.skip\ndef test_a():\n    assert f() == 1\n"},
        {"tests/test_new.py": "import pytest\n\n\n@pytest.mark.skip\ndef test_a():\n    assert f() == 1\n"},
    ),
    "python: a skip mark gets a reason": (
        {P: "@pytest.mark.skip\ndef test_a():\n    assert f() == 1\n"}, {P: "@pytest.mark.skip(reason='x')\ndef test_a():\n    assert f() == 1\n"},
    ),
    "python: a skip mark is removed": ({P: "@pytest.mark.skip\ndef test_a():\n    assert f() == 1\n"}, {P: "def test_a():\n    assert f() == 1\n"}),
    "python: new tests": ({P: PY}, {P: PY, "tests/test_new.py": "def test_new():\n    assert f() == 1\n"}),
    "python: production code only": ({"src/a.py": "def f():\n    return 1\n", P: PY}, {"src/a.py": "def f():\n    return 2\n", P: PY}),
    "python: production code with assert removed": ({"src/a.py": "def f():\n    assert x\n    return 1\n"}, {"src/a.py": "def f():\n    return 1\n"}),
    "rust: production code beside tests": ({R: RUST}, {R: edit(RUST, ("a.iter().sum()", "a.iter().copied().sum()"))}),
    "java: CSV with braces in an annotation changes": ({V: JAVA}, {V: edit(JAVA, ('"3,4"', '"3,4", "5,6"'))}),
    "python: windows line ends": ({P: PY}, {P: PY.replace("\n", "\r\n")}),
    "js: assertions moved into a helper": (
        {J: JS}, {J: edit(JS, ('describe("add"', 'function adds() {\n  expect(add(1, 2)).toBe(3);\n  expect(add(-1, 1)).toBe(0);\n}\n\ndescribe("add"'), (JS_ADDS, '  it("adds numbers", () => { adds(); });\n\n'))},
    ),
    "go: assertions moved into a helper": ({G: GO}, {G: edit(GO, (GO_NAME, "func checked(t *testing.T) {\n\trequire.Equal(t, \"shop\", Name())\n}\n\nfunc TestName(t *testing.T) {\n\tchecked(t)\n}\n"))}),
    "java: assertions moved into a helper": (
        {V: JAVA}, {V: edit(JAVA, (JAVA_SUMS, "    private static void sum(int a) {\n        assertEquals(a, total(1, 2));\n        assertEquals(0, total());\n    }\n\n    @Test\n    void sums() {\n        sum(3);\n    }\n\n"))},
    ),
    "js: regex that looks like a string": ({J: JS}, {J: edit(JS, ("add(1, 2)", "add(1, 2, /[\"'`]/)"))}),
}  # fmt: skip


@pytest.mark.parametrize("name", BLOCKED)
def test_what_takes_proof_away_blocks(guard: Any, found: Any, name: str) -> None:
    base, head, expected = BLOCKED[name]
    verdict = guard("tests", base, head)
    assert [line for line in found(verdict) if not line.startswith("info")] == expected
    assert not verdict.passed
    assert '`allow = ["tests"]`' in verdict.diagnostics[0].message


@pytest.mark.parametrize("name", CLEAN)
def test_ordinary_work_on_tests_passes(guard: Any, found: Any, name: str) -> None:
    verdict = guard("tests", *CLEAN[name])
    assert [line for line in found(verdict) if not line.startswith("info")] == []
    assert verdict.passed


def test_prompt_that_allows_tests_leaves_a_fact_on_record(guard: Any, found: Any) -> None:
    verdict = guard("tests", {P: PY}, {}, allow=["tests"])
    assert verdict.passed
    assert found(verdict) == [f"info tests/deleted-file {P}"]
    assert "the prompt allows tests" in verdict.diagnostics[0].message


def test_deleted_snapshot_is_shown_and_does_not_block(guard: Any, found: Any) -> None:
    verdict = guard("tests", {"src/__snapshots__/a.snap": "x\n"}, {})
    assert verdict.passed
    assert found(verdict) == ["warning tests/deleted-data src/__snapshots__/a.snap"]


@pytest.mark.parametrize(
    ("path", "base", "head"),
    [
        (P, PY, PY + "\n\n@pytest.mark.skipif(WIN, reason='x')\ndef test_new():\n    assert f() == 1\n"),
        (P, PY, PY + "\n\ndef test_new():\n    x = 1\n    pytest.skip('later')\n    assert f() == 1\n"),
        (J, JS, JS + 'it.skip("new", () => { expect(f()).toBe(1) })\n'),
        (G, GO, GO + '\nfunc TestNew(t *testing.T) {\n\tt.Skip("later")\n\tt.Error(1)\n}\n'),
        (
            R,
            RUST,
            RUST.replace(
                "    #[test]\n    fn sums",
                "    #[test]\n    #[ignore]\n    fn new() {\n        assert_eq!(f(), 1);\n    }\n\n    #[test]\n    fn sums",
            ),
        ),
    ],
)
def test_new_test_that_is_skipped_is_shown_because_no_proof_is_lost(
    guard: Any, path: str, base: str, head: str
) -> None:
    verdict = guard("tests", {path: base}, {path: head})
    assert [(found.rule, found.severity.value) for found in verdict.diagnostics] == [("tests/skipped", "warning")]
    assert verdict.passed


@pytest.mark.parametrize(
    "addition",
    [
        "\n\npytestmark = pytest.mark.skip\n\n\ndef test_new():\n    assert f() == 1\n",
        "\n\n@pytest.mark.skip\nclass TestNew:\n    def test_new(self):\n        assert f() == 1\n",
    ],
)
def test_new_test_does_not_excuse_a_mark_that_reaches_further(guard: Any, addition: str) -> None:
    assert not guard("tests", {P: PY}, {P: PY + addition}).passed


def test_only_on_a_new_test_blocks_because_the_others_do_not_run(guard: Any, found: Any) -> None:
    head = JS + 'it.only("new", () => { expect(f()).toBe(1) })\n'
    assert found(guard("tests", {J: JS}, {J: head})) == [f"error tests/skipped {J}:14"]


@pytest.mark.parametrize("mark", ["@lenient", "@pytest.mark.parametrize('n', [9])"])
def test_an_edited_decorator_is_an_edited_test(guard: Any, found: Any, mark: str) -> None:
    assert found(guard("tests", {P: PY}, {P: edit(PY, ("def test_sum", f"{mark}\ndef test_sum"))})) == [
        f"info tests/edited {P}:7"
    ]


def test_replaced_test_is_told_apart_from_an_edited_one(guard: Any) -> None:
    (lost,) = guard("tests", {P: PY}, {P: edit(PY, ("test_sum", "test_add"), ("== 3", "== 4"))}).diagnostics
    assert lost.message.startswith(
        "removes the test `test_sum`; the new test `test_add` resembles it, and does not assert all that it did"
    )
    (kept,) = guard("tests", {P: PY}, {P: edit(PY, ("def test_sum():", "def test_add():\n    g()"))}).diagnostics
    assert kept.message == (
        "removes the test `test_sum`; the new test `test_add` resembles it and asserts all that it did"
    )


def test_test_of_the_same_name_elsewhere_is_no_substitute(guard: Any, found: Any) -> None:
    other = "def test_sum(page):\n    page.open()\n    assert page.status == 200\n    assert page.title == 'Shop'\n"
    head = {P: edit(PY, (PY_SUM, "")), "tests/test_page.py": other}
    assert found(guard("tests", {P: PY}, head)) == [f"error tests/deleted-test {P}"]


@pytest.mark.parametrize(
    ("text", "old", "new"), [(PY_ROWS, "(2, 4)", "(2, 5)"), (JS, "[2, 4]", "[2, 5]"), (GO_ROWS, "{2, 4}", "{2, 5}")]
)
def test_edited_row_is_a_fact_for_the_judge(guard: Any, text: str, old: str, new: str) -> None:
    path = {PY_ROWS: P, JS: J, GO_ROWS: G}[text]
    verdict = guard("tests", {path: text}, {path: edit(text, (old, new))})
    assert [(d.rule, d.severity.value) for d in verdict.diagnostics] == [("tests/edited", "info")]


PY_CLASS = PY[PY.index("class TestErrors") :]
PY_SUB = "class TestShop(Base):\n    shop = 1\n"
RENAMED: dict[str, tuple[Files, Files, list[str]]] = {
    "python: test": ({P: PY}, {P: edit(PY, ("test_sum", "test_adds"))}, ["renames the test `test_sum` to `test_adds`"]),
    "python: class": ({P: PY}, {P: edit(PY, ("TestErrors", "TestTypes"))}, ["moves 1 test from `TestErrors` to `TestTypes`"]),
    "python: class and test": (
        {P: PY}, {P: edit(PY, ("TestErrors", "TestTypes"), ("test_rejects", "test_refuses"))},
        ["renames the test `test_rejects_text` to `test_refuses_text`", "moves 1 test from `TestErrors` to `TestTypes`"],
    ),
    "python: class that inherits its tests": (
        {P: PY_SUB}, {P: edit(PY_SUB, ("TestShop", "TestMarket"))}, ["renames the class `TestShop` to `TestMarket`, with the tests that it runs"],
    ),
    "python: class that tests use": ({P: "class Wrong(ValueError):\n    pass\n\n\n" + PY}, {P: "class Bad(ValueError):\n    pass\n\n\n" + PY}, []),
    "python: out of its class": ({P: PY_CLASS}, {P: "class TestErrors:\n    pass\n\n\n" + edit(PY_CLASS, ("class TestErrors:\n", ""), ("\n    ", "\n"), ("    def", "def"))}, ["moves 1 test from `TestErrors` to the top level"]),
    "python: file": ({P: PY}, {"tests/test_sums.py": PY}, [f"moves 2 tests from {P} to tests/test_sums.py"]),
    "python: to another file": ({P: PY, "tests/test_b.py": "\n"}, {P: edit(PY, (PY_SUM, "")), "tests/test_b.py": PY_SUM}, [f"moves 1 test from {P} to tests/test_b.py"]),
    "js: test": ({J: JS}, {J: edit(JS, ("adds numbers", "adds two"))}, ["renames the test `adds numbers` to `adds two`"]),
    "js: block": ({J: JS}, {J: edit(JS, ('describe("add"', 'describe("sum"'))}, ["moves 2 tests from `add` to `sum`"]),
    "java: test": ({V: JAVA}, {V: edit(JAVA, ("void sums", "void adds"))}, ["renames the test `sums` to `adds`"]),
    "java: class": ({V: JAVA}, {V: edit(JAVA, ("TotalTest", "SumTest"))}, ["renames the class `TotalTest` to `SumTest`, with the tests that it runs"]),
    "nothing": ({P: PY}, {P: PY + "\n"}, []),
}  # fmt: skip


@pytest.mark.parametrize("name", RENAMED)
def test_renamed_tests_are_facts(guard: Any, name: str) -> None:
    base, head, expected = RENAMED[name]
    verdict = guard("tests", base, head)
    assert [one.message for one in verdict.diagnostics] == expected
    assert {(one.rule, one.severity.value) for one in verdict.diagnostics} <= {("tests/renamed", "info")}


@pytest.mark.parametrize(
    ("path", "base", "old", "new"),
    [
        (P, PY, "== 3", "== 4"),
        (P, PY, "total([1, 2])", "total([3, 0])"),
        (J, JS, "toBe(3)", "toBe(4)"),
        (V, JAVA, "assertEquals(3, ", "assertEquals(4, "),
    ],
)
def test_other_values_in_an_assertion_are_shown(
    guard: Any, found: Any, path: str, base: str, old: str, new: str
) -> None:
    """The task may ask for them: a person and the judge see them, and nothing blocks."""
    verdict = guard("tests", {path: base}, {path: edit(base, (old, new))})
    assert [line.rpartition(":")[0] for line in found(verdict)] == [f"warning tests/other-values {path}"]
    assert verdict.passed


def test_padding_a_test_file_beyond_reading_blocks(guard: Any, found: Any) -> None:
    padded = f"# {'padding' * 600}\n" * 300 + PY
    assert f"error tests/too-large {P}" in found(guard("tests", {P: PY}, {P: padded}))


ESCAPED = {
    "end of a line comment": ("    // sum \\u000a return;\n", 3),
    "with more of them": ("    // sum \\uuuu000A return;\n", 3),
    "end of a block comment": ("    /* sum \\u002a\\u002f return; */\n", 3),
    "code": ("    \\u0072eturn;\n", 3),
    "end of a string": ('    log("a\\u0022); return; //");\n', 3),
    "escaped backslash before": ('    log("\\\\\\u0022); return; //");\n', 3),
}
LITERAL = {
    "control character": '    log("\\u001b[0m \\u0000 \\u0041");\n',
    "character": "    log('\\u0020', '\\u0022');\n",
    "apostrophe": '    log("it\\u0027s */ \\u002f");\n',
    "not one": '    log("\\\\u000a");\n',
    "other letters": '    log("\\u00e9", \\u00e9);\n',
    "named in a comment": "    // from \\u0000 to \\u001F\n",
}
CLASS = "class ATest {\n  @Test void adds() {\n    assertEquals(3, sum(1, 2));\n  }\n}\n"


@pytest.mark.parametrize("path", ["src/test/java/ATest.java", "src/main/java/A.java"])
@pytest.mark.parametrize("name", ESCAPED)
def test_syntax_of_java_as_an_escape_blocks(guard: Any, found: Any, name: str, path: str) -> None:
    text, line = ESCAPED[name]
    head = CLASS.replace("    assert", f"{text}    assert")
    lines = [line for line in found(guard("tests", {path: CLASS}, {path: head})) if line.startswith("error")]
    assert f"error tests/escaped {path}:{line}" in lines
    assert guard("tests", {path: head}, {path: head + "\n"}).passed


@pytest.mark.parametrize("name", LITERAL)
def test_escape_that_is_only_a_character_passes(guard: Any, found: Any, name: str) -> None:
    path, head = "src/test/java/ATest.java", CLASS.replace("    assert", f"{LITERAL[name]}    assert")
    assert guard("tests", {path: CLASS}, {path: head}).passed
    assert found(guard("tests", {}, {"a.kt": "// \\u000a\n"})) == []
