# ruff: noqa: E501 - a table reads best with one row a line
"""Functions that assert in files of tests: what a change does to them, and what the guard must say of it."""

from collections.abc import Mapping
from typing import Any

import pytest

Files = Mapping[str, str]

H, P = "tests/helpers.py", "tests/test_total.py"
PY = """def same(a, b):
    assert a == b


def assert_page(page):
    same(page.status, 200)
    assert page.title == "Shop"
"""
PY_TEST = """from tests.helpers import assert_page, same
from shop import total


def test_sum():
    same(total([1, 2]), 3)
    assert_page(total.page)
"""
BASE = """import unittest


class Base(unittest.TestCase):
    def check(self, a, b):
        self.assertEqual(a, b)

    def tearDown(self):
        self.assertFalse(leaks())
"""
SUB = """from tests.base import Base


class TestTotal(Base):
    def test_sum(self):
        self.check(total([1, 2]), 3)
"""
JH, J = "test/helpers.js", "test/add.test.js"
JS = """import { expect } from "vitest";

export const same = (a, b) => expect(a).toBe(b);

export async function page(url, { status } = {}) {
  const found = await get(url);
  expect(found.status).toEqual(status);
}

export class Checks {
  sum(a) {
    expect(total(a)).toBe(3);
  }
}
"""
JS_TEST = 'import { same } from "./helpers";\n\nit("adds", () => {\n  same(add(1, 2), 3);\n});\n'
VH, V = "src/test/java/org/a/Support.java", "src/test/java/org/a/TotalTest.java"
JAVA = """package org.a;

class Support {
    static void check(int a, int b) {
        assertEquals(a, b);
    }

    protected void page(Page page) throws Exception {
        assertThat(page.status()).isEqualTo(200);
    }
}
"""
JAVA_TEST = """package org.a;

class TotalTest extends Support {
    @Test
    void sums() {
        check(3, total(1, 2));
    }
}
"""
GH = "helpers_test.go"
GO = 'package shop\n\nfunc same(t *testing.T, a, b interface{}) {\n\tif a != b {\n\t\tt.Errorf("%v", a)\n\t}\n}\n'
KH = "src/test/kotlin/Support.kt"
KOTLIN = "fun same(a: Int, b: Int) = assertEquals(a, b)\n\nfun one(a: Int): Unit {\n    assertEquals(1, a)\n}\n"
RH = "tests/common/mod.rs"
RUST = "pub fn same(a: i32, b: i32) -> bool {\n    assert_eq!(a, b);\n    true\n}\n"


def edit(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


BLOCKED: dict[str, tuple[Files, Files, list[str]]] = {
    "python: returns": ({H: PY}, {H: edit(PY, ("assert a == b", "return a == b"))}, [f"error tests/fewer-assertions {H}:1"]),
    "python: or": ({H: PY}, {H: edit(PY, ("assert a == b", "assert a or b"))}, [f"error tests/weaker-assertions {H}:1"]),
    "python: not None": ({H: PY}, {H: edit(PY, ('page.title == "Shop"', "page.title is not None"))}, [f"error tests/weaker-assertions {H}:5"]),
    "python: constant": ({H: PY}, {H: edit(PY, ('page.title == "Shop"', "True"))}, [f"error tests/constant-assertion {H}:5"]),
    "python: leaves early": ({H: PY}, {H: edit(PY, ("    same(page", "    return\n    same(page"))}, [f"error tests/early-return {H}:5"]),
    "python: in a file of any name": ({"tests/support/web.py": PY}, {"tests/support/web.py": edit(PY, ('    assert page.title == "Shop"\n', ""))}, ["error tests/fewer-assertions tests/support/web.py:5"]),
    "python: a fixture": (
        {"tests/conftest.py": "@pytest.fixture\ndef shop():\n    yield make()\n    assert not leaks()\n"},
        {"tests/conftest.py": "@pytest.fixture\ndef shop():\n    yield make()\n"}, ["error tests/fewer-assertions tests/conftest.py:2"],
    ),
    "python: becomes a lambda": ({H: "def same(a, b):\n    assert a == b\n"}, {H: "same = lambda a, b: a == b\n"}, [f"error tests/fewer-assertions {H}:1"]),
    "python: a base class": ({"tests/base.py": BASE}, {"tests/base.py": edit(BASE, ("assertEqual(a, b)", "assertTrue(a)"))}, ["error tests/weaker-assertions tests/base.py:5"]),
    "python: defined again": ({H: PY}, {H: PY + "\n\ndef same(a, b):\n    pass\n"}, [f"error tests/fewer-assertions {H}:10"]),
    "python: kept under another name": ({H: PY}, {H: edit(PY, ("def same(a, b):", "def same(a, b):\n    pass\n\n\ndef really_same(a, b):"))}, [f"error tests/fewer-assertions {H}:1"]),
    "python: moved and weaker": (
        {H: PY, "tests/web.py": "A = 1\n"}, {H: edit(PY, ("def same(a, b):\n    assert a == b\n\n\n", "")), "tests/web.py": "A = 1\n\n\ndef same(a, b):\n    assert a\n"},
        ["error tests/weaker-assertions tests/web.py:4"],
    ),
    "python: renamed and weaker": (
        {H: "def same(a, b):\n    assert a == b\n", P: "def test_a():\n    same(f(), 1)\n"},
        {H: "def alike(a, b):\n    assert a\n", P: "def test_a():\n    alike(f(), 1)\n"}, [f"error tests/weaker-assertions {P}:1"],
    ),
    "python: removed while a test calls it": ({H: PY, P: PY_TEST}, {H: PY[PY.index("def assert_page") :], P: PY_TEST}, [f"error tests/deleted-helper {H}"]),
    "python: removed from in front of an inherited one": (
        {"tests/base.py": "class Base:\n    def check(self, a, b):\n        pass\n", "tests/mid.py": "class Mid(Base):\n    def check(self, a, b):\n        assert a == b\n", P: edit(SUB, ("Base", "Mid"))},
        {"tests/base.py": "class Base:\n    def check(self, a, b):\n        pass\n", "tests/mid.py": "class Mid(Base):\n    pass\n", P: edit(SUB, ("Base", "Mid"))}, ["error tests/deleted-helper tests/mid.py"],
    ),
    "python: removed teardown": ({"tests/base.py": BASE}, {"tests/base.py": BASE[: BASE.index("\n    def tearDown")]}, ["error tests/deleted-helper tests/base.py"]),
    "python: overridden": ({"tests/base.py": BASE, P: SUB}, {"tests/base.py": BASE, P: SUB + "\n    def check(self, a, b):\n        pass\n"}, [f"error tests/overridden-helper {P}:8"]),
    "python: overridden by a class that is mixed in": (
        {"tests/base.py": BASE, P: SUB}, {"tests/base.py": BASE, P: edit(SUB, ("class TestTotal(Base)", "class Quiet:\n    def check(self, a, b):\n        pass\n\n\nclass TestTotal(Quiet, Base)"))}, [f"error tests/overridden-helper {P}:5"],
    ),
    "python: overridden by a lambda": ({"tests/base.py": BASE, P: SUB}, {"tests/base.py": BASE, P: SUB + "\n    check = lambda self, a, b: None\n"}, [f"error tests/overridden-helper {P}:8"]),
    "python: another one in place of an imported one": ({H: PY, P: PY_TEST}, {H: PY, P: edit(PY_TEST, ("import assert_page, same", "import assert_page"), ("def test_sum", "def same(a, b):\n    pass\n\n\ndef test_sum"))}, [f"error tests/overridden-helper {P}:5"]),
    "python: another one imported": (
        {H: PY, P: PY_TEST}, {H: PY, "tests/quiet.py": "def same(a, b):\n    return a == b\n", P: edit(PY_TEST, ("import assert_page, same", "import assert_page\nfrom tests.quiet import same"))},
        ["error tests/overridden-helper tests/quiet.py:1"],
    ),
    "python: overridden by one that always holds": ({"tests/base.py": BASE, P: SUB}, {"tests/base.py": BASE, P: SUB + "\n    def check(self, a, b):\n        assert True\n"}, [f"error tests/overridden-helper {P}:8"]),
    "js: another one in place of an imported one": ({JH: JS, J: JS_TEST}, {JH: JS, J: edit(JS_TEST, ('import { same } from "./helpers";', "const same = () => {};"))}, [f"error tests/overridden-helper {J}:1"]),
    "js: a call after an arrow is dropped": (
        {J: "const same = (a, b) => expect(a).toBe(b);\n\nit('adds', () => each(() => same(f(), 1)));\n"}, {J: "const same = (a, b) => expect(a).toBe(b);\n\nit('adds', () => each(() => f()));\n"}, [f"error tests/fewer-assertions {J}:3"],
    ),
    "js: method of an object": ({JH: "module.exports = {\n  same(a, b) {\n    assert.equal(a, b)\n  },\n  one: (a) => assert.equal(a, 1),\n}\n"}, {JH: "module.exports = {\n  same(a, b) {\n  },\n  one: (a) => a,\n}\n"}, [f"error tests/fewer-assertions {JH}:2", f"error tests/fewer-assertions {JH}:4"]),
    "c#: expression, and a generic one": (
        {"A.Tests/S.cs": "class S {\n  public static void Same(int a) => Assert.Equal(1, a);\n  public void One<T>(T a) where T : X {\n    Assert.Equal(1, a);\n  }\n}\n"},
        {"A.Tests/S.cs": "class S {\n  public static void Same(int a) => Nothing();\n  public void One<T>(T a) where T : X {\n  }\n}\n"},
        ["error tests/fewer-assertions A.Tests/S.cs:2", "error tests/fewer-assertions A.Tests/S.cs:3"],
    ),
    "js: arrow emptied": ({JH: JS}, {JH: edit(JS, ("(a, b) => expect(a).toBe(b)", "() => {}"))}, [f"error tests/fewer-assertions {JH}:3"]),
    "js: arrow weaker": ({JH: JS}, {JH: edit(JS, ("toBe(b)", "toBeDefined()"))}, [f"error tests/weaker-assertions {JH}:3"]),
    "js: function with a pattern among its parameters": ({JH: JS}, {JH: edit(JS, ("  expect(found.status).toEqual(status);\n", ""))}, [f"error tests/fewer-assertions {JH}:5"]),
    "js: method": ({JH: JS}, {JH: edit(JS, ("expect(total(a)).toBe(3)", "total(a)"))}, [f"error tests/fewer-assertions {JH}:11"]),
    "js: exports": ({JH: "exports.same = function (a, b) {\n  assert.equal(a, b)\n}\n"}, {JH: "exports.same = function (a, b) {\n}\n"}, [f"error tests/fewer-assertions {JH}:1"]),
    "js: overridden": (
        {JH: JS, J: 'class Mine extends Checks {\n}\n' + JS_TEST}, {JH: JS, J: 'class Mine extends Checks {\n  sum(a) {\n  }\n}\n' + JS_TEST}, [f"error tests/overridden-helper {J}:2"],
    ),
    "java: emptied": ({VH: JAVA}, {VH: edit(JAVA, ("        assertEquals(a, b);\n", ""))}, [f"error tests/fewer-assertions {VH}:4"]),
    "java: weaker": ({VH: JAVA}, {VH: edit(JAVA, ("isEqualTo(200)", "isNotNull()"))}, [f"error tests/weaker-assertions {VH}:8"]),
    "java: overridden": ({VH: JAVA, V: JAVA_TEST}, {VH: JAVA, V: edit(JAVA_TEST, ("    @Test", "    static void check(int a, int b) {}\n\n    @Test"))}, [f"error tests/overridden-helper {V}:4"]),
    "java: a copy of it in another class is no substitute": (
        {VH: JAVA}, {VH: edit(JAVA, ("        assertEquals(a, b);\n", "")) + "\nclass Unused {\n    static void check(int a, int b) {\n        assertEquals(a, b);\n    }\n}\n"}, [f"error tests/fewer-assertions {VH}:4"],
    ),
    "go: emptied": ({GH: GO}, {GH: edit(GO, ('\tif a != b {\n\t\tt.Errorf("%v", a)\n\t}\n', ""))}, [f"error tests/fewer-assertions {GH}:3"]),
    "kotlin: expression": ({KH: KOTLIN}, {KH: edit(KOTLIN, ("= assertEquals(a, b)", "= Unit"))}, [f"error tests/fewer-assertions {KH}:1"]),
    "kotlin: body": ({KH: KOTLIN}, {KH: edit(KOTLIN, ("assertEquals(1, a)", ""))}, [f"error tests/fewer-assertions {KH}:3"]),
    "rust: emptied": ({RH: RUST}, {RH: edit(RUST, ("    assert_eq!(a, b);\n", ""))}, [f"error tests/fewer-assertions {RH}:1"]),
}  # fmt: skip

PAGE = PY[PY.index("def assert_page") :]
UNITS = "pub fn total(a: i32) -> i32 {\n    assert!(a == 0);\n    a\n}\n\n#[cfg(test)]\nmod tests {\n    fn same(a: i32) {\n        assert_eq!(a, 1);\n    }\n\n    #[test]\n    fn sums() {\n        same(total(1));\n    }\n}\n"
CLEAN: dict[str, tuple[Files, Files]] = {
    "python: a symbol renamed everywhere": (
        {"src/shop.py": "def total(a):\n    return a\n", H: edit(PY, ("page.status", "total(page)")), P: PY_TEST},
        {"src/shop.py": "def sum_of(a):\n    return a\n", H: edit(PY, ("page.status", "sum_of(page)")), P: edit(PY_TEST, ("total", "sum_of"))},
    ),
    "python: a symbol renamed that is called like an assertion": (
        {"src/shop.py": "def check_total(a):\n    return a\n", H: "def make(a):\n    check_total(a)\n    return a\n", P: "def test_a():\n    check_total(1)\n    assert f() == 1\n"},
        {"src/shop.py": "def confirm_total(a):\n    return a\n", H: "def make(a):\n    confirm_total(a)\n    return a\n", P: "def test_a():\n    confirm_total(1)\n    assert f() == 1\n"},
    ),
    "python: imported from elsewhere": ({H: PY, P: PY_TEST}, {H: PY, "tests/__init__.py": "from tests.helpers import *\n", P: edit(PY_TEST, ("tests.helpers", "tests"))}),
    "python: a helper renamed everywhere": ({H: PY, P: PY_TEST}, {H: edit(PY, ("same", "equal")), P: edit(PY_TEST, ("same", "equal"))}),
    "python: an assertion more": ({H: PY}, {H: edit(PY, ("assert a == b", "assert type(a) is type(b)\n    assert a == b"))}),
    "python: moved to another file": (
        {H: PY, P: PY_TEST}, {H: PAGE, "tests/web.py": "def same(a, b):\n    assert a == b\n", P: edit(PY_TEST, ("assert_page, same\n", "assert_page\nfrom tests.web import same\n"))},
    ),
    "python: moved out of the test file": (
        {P: PY + "\n\n" + PY_TEST}, {H: PY, P: PY_TEST},
    ),
    "python: all moved to a file that is there": (
        {H: "import shop\n\n\n" + PY, "tests/web.py": "A = 1\nB = 2\nC = 3\nD = 4\n" * 9, P: PY_TEST}, {"tests/web.py": "A = 1\nB = 2\nC = 3\nD = 4\n" * 9 + PY, P: edit(PY_TEST, ("helpers", "web"))},
    ),
    "python: into a class": ({H: "def same(a, b):\n    assert a == b\n", P: "def test_a():\n    same(f(), 1)\n"}, {H: "class Checks:\n    @staticmethod\n    def same(a, b):\n        assert a == b\n", P: "def test_a():\n    Checks.same(f(), 1)\n"}),
    "python: reformatted": ({H: PY}, {H: edit(PY, ("assert a == b", "assert (\n        a\n        == b\n    )"))}),
    "python: annotated": ({H: PY}, {H: edit(PY, ("(a, b)", "(a: int, b: int) -> None"), ("(page)", "(page: Page) -> None"))}),
    "python: another parameter": ({H: PY}, {H: edit(PY, ("def same(a, b)", "def same(a, b, why='')"), ("assert a == b", "assert a == b, why"))}),
    "python: an equal assertion": ({"tests/base.py": edit(BASE, ("assertEqual", "assertEquals"))}, {"tests/base.py": BASE}),
    "python: an assertion in place of unittest's": ({"tests/base.py": BASE}, {"tests/base.py": edit(BASE, ("self.assertEqual(a, b)", "assert a == b"))}),
    "python: split in two": ({H: PY}, {H: edit(PY, ('    assert page.title == "Shop"\n', '    _title(page)\n\n\ndef _title(page):\n    assert page.title == "Shop"\n'))}),
    "python: returns what an assertion returns": ({H: "def same(a, b):\n    check_equal(a, b)\n"}, {H: "def same(a, b):\n    return check_equal(a, b)\n"}),
    "python: removed, and nothing calls it": ({H: PY, P: PY_TEST}, {H: edit(PY, (PAGE, "")), P: edit(PY_TEST, ("assert_page, ", ""), ("    assert_page(total.page)\n", "    assert total.page.status == 200\n    assert total.page.title == 'Shop'\n"))}),
    "python: a new method of that name elsewhere": ({"tests/base.py": BASE, P: SUB}, {"tests/base.py": BASE, P: SUB + "\n\nclass Page:\n    def check(self):\n        return 1\n"}),
    "python: overridden by one that calls it": ({"tests/base.py": BASE, P: SUB}, {"tests/base.py": BASE, P: SUB + "\n    def check(self, a, b):\n        super().check(int(a), b)\n"}),
    "python: overridden by one that asserts": ({"tests/base.py": BASE, P: SUB}, {"tests/base.py": BASE, P: SUB + "\n    def check(self, a, b):\n        self.assertIs(a, b)\n"}),
    "python: setUp of its own": (
        {"tests/base.py": edit(BASE, ("tearDown", "setUp")), P: SUB}, {"tests/base.py": edit(BASE, ("tearDown", "setUp")), P: SUB + "\n    def setUp(self):\n        self.a = 1\n"},
    ),
    "python: an abstract base above it": (
        {"tests/base.py": BASE}, {"tests/base.py": edit(BASE, ("class Base(unittest.TestCase)", "class Root(unittest.TestCase):\n    def check(self, a, b):\n        raise NotImplementedError\n\n\nclass Base(Root)"))},
    ),
    "python: overloads": ({H: PY}, {H: edit(PY, ("def same(a, b):", "@overload\ndef same(a: int, b: int) -> None: ...\n\n\ndef same(a, b):"))}),
    "python: a class renamed": ({"tests/base.py": BASE, P: SUB}, {"tests/base.py": edit(BASE, ("Base", "Shop")), P: edit(SUB, ("(Base)", "(Shop)"), ("import Base", "import Shop"))}),
    "python: helper of the sources": ({"src/a.py": "def check(a):\n    assert a\n"}, {"src/a.py": "def check(a):\n    pass\n"}),
    "js: renamed": ({JH: JS, J: JS_TEST}, {JH: edit(JS, ("same", "equal")), J: edit(JS_TEST, ("same", "equal"))}),
    "js: arrow gets braces": ({JH: JS}, {JH: edit(JS, ("=> expect(a).toBe(b);", "=> {\n  expect(a).toBe(b);\n};"))}),
    "js: arrow becomes a function": ({JH: JS}, {JH: edit(JS, ("const same = (a, b) => expect(a).toBe(b);", "function same(a, b) {\n  expect(a)\n    .toBe(b);\n}"))}),
    "js: typed": ({"test/helpers.ts": JS}, {"test/helpers.ts": edit(JS, ("(a, b) =>", "(a: number, b: number): void =>"), ("sum(a) {", "sum(a: number): void {"))}),
    "js: reformatted": ({JH: JS}, {JH: edit(JS, ("expect(a).toBe(b)", "\n  expect(a)\n    .toBe(b)"))}),
    "js: moved": ({JH: JS, J: JS_TEST}, {"test/support.js": JS, J: edit(JS_TEST, ("helpers", "support"))}),
    "js: moved out of the test file": (
        {J: "function same(a, b) {\n  expect(a).toBe(b);\n}\n\n" + JS_TEST}, {JH: "export function same(a, b) {\n  expect(a).toBe(b);\n}\n", J: JS_TEST},
    ),
    "java: a constructor that throws gets another visibility": (
        {VH: edit(JAVA, ("    static", '    public Support() {\n        throw new AssertionError("none");\n    }\n\n    static'))},
        {VH: edit(JAVA, ("    static", '    Support() {\n        throw new AssertionError("none");\n    }\n\n    static')), V: JAVA_TEST},
    ),
    "java: an anonymous class becomes a lambda": (
        {V: edit(JAVA_TEST, ("    @Test", "    int read(int a) {\n        assertEquals(1, a);\n    }\n\n    @Test"), ("check(3,", "use(new Reader() {\n            public int read(int a) {\n                return a;\n            }\n        });\n        check(3,"))},
        {V: edit(JAVA_TEST, ("    @Test", "    int read(int a) {\n        assertEquals(1, a);\n    }\n\n    @Test"), ("check(3,", "use(a -> a);\n        check(3,"))},
    ),
    "js: a new one that only says that it was called": ({J: JS_TEST}, {J: 'const called = { write() {\n  t.assert.ok(true, "called")\n} }\n' + JS_TEST}),
    "java: renamed": ({VH: JAVA, V: JAVA_TEST}, {VH: edit(JAVA, ("check(", "same(")), V: edit(JAVA_TEST, ("check(", "same("))}),
    "java: another parameter": ({VH: JAVA}, {VH: edit(JAVA, ("(int a, int b)", "(int a, int b, String why)"), ("(a, b);", "(a, b, why);"))}),
    "java: an overload before it": ({VH: JAVA}, {VH: edit(JAVA, ("    static void", "    static void check(String a) {\n        check(Integer.parseInt(a), 1);\n    }\n\n    static void"))}),
    "java: moved out of the test file": (
        {V: edit(JAVA_TEST, (" extends Support", ""), ("    @Test", "    static void check(int a, int b) {\n        assertEquals(a, b);\n    }\n\n    @Test"))}, {VH: JAVA, V: JAVA_TEST},
    ),
    "java: new page objects": ({VH: JAVA}, {VH: JAVA, "src/test/java/org/a/Cart.java": "class Cart extends View {\n    void page(Page page) {\n    }\n}\n"}),
    "go: another type": ({GH: GO}, {GH: edit(GO, ("interface{}", "any"))}),
    "rust: production code beside tests": ({"src/lib.rs": UNITS}, {"src/lib.rs": edit(UNITS, ("    assert!(a == 0);\n", ""))}),
}  # fmt: skip


@pytest.mark.parametrize("name", BLOCKED)
def test_helper_that_proves_less_blocks(guard: Any, found: Any, name: str) -> None:
    base, head, expected = BLOCKED[name]
    verdict = guard("tests", base, head)
    assert [line for line in found(verdict) if not line.startswith("info")] == expected
    assert '`allow = ["tests"]`' in verdict.diagnostics[0].message


@pytest.mark.parametrize("name", CLEAN)
def test_ordinary_work_on_helpers_passes(guard: Any, found: Any, name: str) -> None:
    verdict = guard("tests", *CLEAN[name])
    assert [line for line in found(verdict) if not line.startswith("info")] == []


def test_finding_names_the_helper(guard: Any) -> None:
    (first, *_) = guard("tests", {H: PY}, {H: edit(PY, ("assert a == b", "return a == b"))}).diagnostics
    assert first.message.startswith("the helper `same` asserts less: 1 assertions before, 0 now; take it back")


def test_helper_that_nothing_calls_any_more_is_a_fact(guard: Any) -> None:
    (only,) = guard("tests", {H: PY}, {H: edit(PY, (PAGE, ""))}).diagnostics
    assert (only.severity.value, only.message) == (
        "info",
        "removes the helper `assert_page`, which no test calls any more",
    )


def test_function_that_no_test_calls_does_not_count_for_one(guard: Any) -> None:
    test = "def test_a():\n    open(f())\n    assert f() == 1\n"
    head = {P: edit(test, ("    assert f() == 1\n", "")), H: "def open(a):\n    assert a == 1\n"}
    assert not guard("tests", {P: test}, head).passed
