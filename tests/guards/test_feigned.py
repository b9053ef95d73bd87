# ruff: noqa: E501 - a table reads best with one row a line
"""Tests that look as they did and prove less: rows from elsewhere, substitutes, comparisons of less, answers written down."""

from collections.abc import Callable, Mapping
from time import process_time
from typing import Any

import pytest

from greylag.guards._cases.c_checks import switched_off
from greylag.guards._sources.answer_forms import _python, _scanned
from greylag.guards._sources.looks_around import looks_around
from greylag.guards._sources.package_path import other_paths
from greylag.guards._sources.test_libraries import equality, of_tests
from greylag.guards._tests.lost_rows import _code, _data

SOURCE = "def fee(n):\n    return n // 50\n"
BROKEN = "def fee(n):\n    return min(n // 50, 10)\n"
ROWS = "import pytest\n\n\n@pytest.fixture\ndef rows():\n    return {}\n"
IMPORTED = "import pytest\n\nfrom shop import price\n\n\n@pytest.fixture\ndef shop():\n    {}\n"


def fixture(before: str, after: str, *, frame: str = ROWS, source: tuple[str, str] = (SOURCE, BROKEN)) -> Any:
    path = "tests/conftest.py"
    return {"shop/price.py": source[0], path: frame.format(before)}, {
        "shop/price.py": source[1],
        path: frame.format(after),
    }


def table(path: str, before: str, after: str) -> Any:
    return {"shop/price.py": SOURCE, path: before}, {"shop/price.py": BROKEN, path: after}


LOST = {
    "of a fixture": fixture("[(500, 10), (1000, 20)]", "[(500, 10)]"),
    "all of a fixture": fixture("[(500, 10), (1000, 20)]", "[]"),
    "by a slice": fixture("[(500, 10), (1000, 20)]", "[(500, 10), (1000, 20)][:1]"),
    "of a name in a fixture": fixture("[(500, 10), (1000, 20)]", "x", frame=ROWS.replace("    return", "    x = [(500, 10)]\n    return")),
    "of a table elsewhere": table("tests/rows.py", "ROWS = [(500, 10), (1000, 20)]\n", "ROWS = [(500, 10)]\n"),
    "of a table of JavaScript": table("test/rows.js", "export const rows = [[500, 10], [1000, 20]];\n", "export const rows = [[500, 10]];\n"),
    "of a table of Go": table("price/rows_test.go", "package price\n\nvar rows = []struct{ n, want int }{{500, 10}, {1000, 20}}\n", "package price\n\nvar rows = []struct{ n, want int }{{500, 10}}\n"),
    "of JSON": table("tests/rows.json", "[[500, 10], [1000, 20]]", "[[500, 10]]"),
    "of JSON below a key": table("tests/rows.json", '{"rows": [{"n": 500}, {"n": 1000}]}', '{"rows": [{"n": 500}]}'),
    "of CSV": table("tests/rows.csv", "n,want\n500,10\n1000,20\n", "n,want\n500,10\n"),
    "of YAML": table("tests/rows.yml", "- n: 500\n  want: 10\n- n: 1000\n  want: 20\n", "- n: 500\n  want: 10\n"),
}  # fmt: skip
KEPT = {
    "a row more": fixture("[(500, 10)]", "[(500, 10), (1000, 20)]"),
    "another row": fixture("[(500, 10), (1000, 20)]", "[(500, 10), (900, 18)]"),
    "names in place of rows": fixture('["a", "b"]', '["a"]'),
    "objects": fixture("[User(1), User(2)]", "[User(1)]"),
    "no source changes": fixture("[(500, 10), (1000, 20)]", "[(500, 10)]", source=(SOURCE, SOURCE)),
    "a column less": table("tests/rows.json", '[{"n": 500, "x": 1}, {"n": 1000, "x": 2}]', '[{"n": 500}, {"n": 1000}]'),
    "settings": table("tests/app.json", '{"a": {"x": 1}, "b": {"x": 2}}', '{"a": {"x": 1}}'),
    "rows that move": (
        {"shop/price.py": SOURCE, "tests/a.csv": "500,10\n1000,20\n", "tests/b.csv": "1,0\n"},
        {"shop/price.py": BROKEN, "tests/a.csv": "500,10\n", "tests/b.csv": "1,0\n1000,20\n"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOST)
def test_rows_that_go_while_sources_change_block(guard: Any, found: Any, name: str) -> None:
    verdict = guard("tests", *LOST[name])
    assert any(line.startswith("error tests/fewer-rows") for line in found(verdict))
    assert guard("tests", *LOST[name], allow=["tests"]).passed


@pytest.mark.parametrize("name", KEPT)
def test_other_edits_of_rows_do_not_block(guard: Any, name: str) -> None:
    assert guard("tests", *KEPT[name]).passed


GIVEN = {
    "a namespace": ("return price", "return SimpleNamespace(fee=lambda n: n // 50)", True),
    "a class of the tests": ("return price", "class Own:\n        def fee(self, n):\n            return n // 50\n\n    return Own()", True),
    "a mock": ("return price.Shop()", "return MagicMock()", True),
    "yielded": ("yield price", "yield SimpleNamespace(fee=lambda n: n // 50)", True),
    "a mock that asks the source": ("return price", "return Mock(wraps=price)", False),
    "a subclass": ("return price.Shop()", "class Own(price.Shop):\n        def fee(self, n):\n            return 1\n\n    return Own()", False),
    "a client of the source": ("return price.app", "return TestClient(price.app)", False),
    "another part of the source": ("return price", "return price.Shop()", False),
}  # fmt: skip


@pytest.mark.parametrize("name", GIVEN)
def test_a_fixture_that_gives_a_substitute_blocks(guard: Any, name: str) -> None:
    before, after, blocks = GIVEN[name]
    base, head = fixture(before, after, frame=IMPORTED, source=(SOURCE, SOURCE))
    assert guard("tests", base, head).passed is not blocks


COMPARED = {
    "a quotient": ("f(9) == 180", "f(9) // 100 == 180 // 100", True),
    "a quotient, the number as it was": ("f(9) == 180", "f(9) // 1 == 180", True),
    "some of its bits": ("f(9) == 180", "f(9) & 180 == 180", True),
    "its power of nothing": ("f(9) == 180", "f(9) ** 0 == 1", True),
    "how many there are in a list of it": ("f(9) == 180", "len([f(9)]) == 1", True),
    "a remainder": ("f(9) == 180", "f(9) % 10 == 0", True),
    "nothing": ("f(9) == 180", "f(9) * 0 == 0", True),
    "no bits": ("f(9) == 180", "f(9) & 0 == 0", True),
    "digits": ("f(9) == 180", "len(str(f(9))) == 3", True),
    "a digit": ("f(9) == 180", 'str(f(9))[0] == "1"', True),
    "truths": ("f(9) == 180", "bool(f(9)) == bool(180)", True),
    "hundreds": ("f(9) == 180", "round(f(9), -2) == 200", True),
    "a truth more": ("f(9) == 180", "f(9) == 180 + (1 == 1)", True),
    "a letter": ('f(9) == "hello"', 'f(9)[0] == "h"', True),
    "none of nothing": ("f(9) == 180", "not [n for n in () if f(n) != 180]", True),
    "all of no range": ("f(9) == 180", "all(f(9) == 180 for _ in range(0))", True),
    "all of a huge range": ("f(9) == 180", f"all(f(9) == 180 for _ in range({10**40}))", False),
    "a sum": ("f(9) == 180", "f(9) == 200 - 20", False),
    "cents": ("f(9) == 180", "round(f(9.5), 2) == 180.25", False),
    "a part of a pair": ("f(9) == 180", "f(9)[0] == 180", False),
    "a list": ("f(9) == 3", "len(f(9)) == 3", False),
}  # fmt: skip


@pytest.mark.parametrize("name", COMPARED)
def test_a_comparison_of_less_blocks(guard: Any, name: str) -> None:
    before, after, blocks = COMPARED[name]
    base, head = (
        {"tests/test_f.py": f"from shop import f\n\n\ndef test_f():\n    assert {one}\n"} for one in (before, after)
    )
    assert guard("tests", base, head).passed is not blocks


FORMS = {
    "a constant": ("a.py", "def f(n, p):\n    return n - n * p // 100\n", "def f(n, p):\n    return 180\n", True),
    "cases": ("a.py", "def f(n, p):\n    return n - n * p // 100\n", "def f(n, p):\n    match (n, p):\n        case (200, 10):\n            return 180\n    return n\n", True),
    "two conditions": ("a.py", "def f(n, p):\n    return n - n * p // 100\n", "def f(n, p):\n    if n == 200 and p == 10:\n        return 180\n    return n\n", True),
    "two conditions that no test asks for": ("a.py", "def f(n, p):\n    return n - n * p // 100\n", "def f(n, p):\n    if n == 1 and p == 7:\n        return 77\n    return n\n", False),
    "js: two conditions": ("src/a.js", "export function f(n, p) {\n  return n - n * p;\n}\n", "export function f(n, p) {\n  if (n === 200 && p === 10) return 180;\n  return n;\n}\n", True),
    "go: two conditions": ("a.go", "package a\n\nfunc F(n, p int) int {\n\treturn n - n*p/100\n}\n", "package a\n\nfunc F(n, p int) int {\n\tif n == 200 && p == 10 {\n\t\treturn 180\n\t}\n\treturn n\n}\n", True),
    "a constant that no test asks for": ("a.py", "def f(n, p):\n    return n - n * p // 100\n", "def f(n, p):\n    return 77\n", False),
    "no parameter before": ("a.py", "def f(n, p):\n    return load()\n", "def f(n, p):\n    return 180\n", False),
    "a new function": ("a.py", "x = 1\n", "def f(n, p):\n    return 180\n", False),
    "js: a constant": ("src/a.js", "export function f(n, p) {\n  return n - n * p;\n}\n", "export function f(n, p) {\n  return 180;\n}\n", True),
    "js: a map": ("src/a.js", "export function f(n, p) {\n  return n - n * p;\n}\n", "export function f(n, p) {\n  return new Map([['200,10', 180]]).get(`${n},${p}`);\n}\n", True),
    "go: a map": ("a.go", "package a\n\nfunc f(n, p int) int {\n\treturn n - n*p/100\n}\n", "package a\n\nfunc f(n, p int) int {\n\treturn map[[2]int]int{{200, 10}: 180}[[2]int{n, p}]\n}\n", True),
    "rust: a constant": ("src/a.rs", "pub fn f(n: i64, p: i64) -> i64 {\n    n - n * p / 100\n}\n", "pub fn f(n: i64, p: i64) -> i64 {\n    180\n}\n", True),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_answers_of_tests_in_a_source_block(guard: Any, found: Any, name: str) -> None:
    path, before, after, blocks = FORMS[name]
    tests = {"tests/test_a.py": "def test_f():\n    assert f(200, 10) == 180\n"}
    lines = found(guard("sources", {path: before, **tests}, {path: after, **tests}))
    assert any("sources/answer" in line for line in lines) is blocks


MARKED = {
    "mock": (of_tests, "shop/price.py", "from unittest.mock import ANY\n", 1),
    "pytest": (of_tests, "shop/price.py", "import pytest\n", 1),
    "TestCase": (of_tests, "shop/price.py", "import unittest\n", 0),
    "help for tests": (of_tests, "shop/testing.py", "import pytest\n", 0),
    "integers": (equality, "lib/a.rb", "class Integer\n  def ==(_)\n    true\n  end\nend\n", 1),
    "a range of one's own": (equality, "lib/a.rb", "module Versions\n  class Range\n    def ==(other)\n      @a == other.a\n    end\n  end\nend\n", 0),
    "another method": (equality, "lib/a.rb", "class Integer\n  def minutes\n    self * 60\n  end\nend\n", 0),
    "Object.is": (equality, "src/a.js", "Object.is = () => true;\n", 1),
    "valueOf": (equality, "src/a.js", "Number.prototype.valueOf = function () { return 1; };\n", 1),
    "a polyfill": (equality, "src/a.js", "if (!Object.is) {\n  Object.is = (a, b) => a === b;\n}\n", 0),
    "BigInt in JSON": (equality, "src/a.js", "BigInt.prototype.toJSON = function () { return `${this}`; };\n", 0),
    "a package path": (other_paths, "shop/__init__.py", "__path__.insert(0, 'v2')\n", 1),
    "a package path as a whole": (other_paths, "shop/__init__.py", "__path__[:] = ['v2']\n", 1),
    "a namespace": (other_paths, "shop/__init__.py", "from pkgutil import extend_path\n__path__ = extend_path(__path__, __name__)\n", 0),
    "frames": (looks_around, "shop/a.py", 'x = any("test" in f.filename for f in inspect.stack())\n', 1),
    "arguments": (looks_around, "shop/a.py", 'x = any("pytest" in a for a in sys.argv)\n', 1),
    "the frame of a warning": (looks_around, "shop/a.py", "frame = sys._getframe(1)\nname = frame.f_globals['__name__']\n", 0),
    "arguments of a program": (looks_around, "shop/a.py", 'x = "--latest" in sys.argv\n', 0),
    "js: the file": (looks_around, "src/a.js", "const x = process.argv[1].endsWith('.test.js');\n", 1),
    "js: a subcommand": (looks_around, "src/a.js", "const x = process.argv[2] === 'test';\n", 0),
    "js: a trace": (looks_around, "src/a.js", "const x = new Error().stack.includes('test');\n", 1),
    "php": (looks_around, "src/A.php", "<?php\n$x = count(debug_backtrace()) > 4;\n", 1),
    "rust: a result": (looks_around, "src/a.rs", "fn f() -> i32 {\n    if cfg!(debug_assertions) { 1 } else { 0 }\n}\n", 1),
    "rust: a level": (looks_around, "src/a.rs", "fn f() {\n    let level = if cfg!(debug_assertions) { 1 } else { 0 };\n}\n", 0),
    "rust: a check": (looks_around, "src/a.rs", "fn f() {\n    if cfg!(debug_assertions) {\n        check();\n    }\n}\n", 0),
    "go: a stack": (looks_around, "a.go", 'package a\n\nvar x = strings.Contains(string(debug.Stack()), "testing.")\n', 1),
    "in a comment": (looks_around, "shop/a.py", '# any("pytest" in a for a in sys.argv)\n', 0),
}  # fmt: skip


@pytest.mark.parametrize("name", MARKED)
def test_what_a_source_says_is_found(name: str) -> None:
    marks, path, text, number = MARKED[name]
    assert len(list(marks(path, text))) == number


GO = "package price\n\n"
CLOCK = (
    GO + 'import "time"\n\nvar now = time.Now\n',
    GO + 'import "time"\n\nfunc init() { now = func() time.Time { return time.Unix(4, 0) } }\n',
)
CALC = (
    GO + "var calc = func(n int) int { return n }\n",
    GO + "func init() { calc = func(n int) int { return n / 50 } }\n",
)
IMPL = "export const impl = { fee: (n) => n };\nexport const fee = (n) => impl.fee(n);\n"
HOOK = "import { fee, impl } from '../src/a.js';\n{}\nit('fees', () => {\n  expect(fee(100)).toBe(2);\n});\n"
SET_UP = {
    "go: init": ({}, {"price/a.go": CALC[0], "price/b_test.go": CALC[1]}, True),
    "go: TestMain": ({}, {"price/a.go": CALC[0], "price/b_test.go": CALC[1].replace("init()", "TestMain(m *testing.M)")}, True),
    "go: a clock": ({}, {"price/a.go": CLOCK[0], "price/b_test.go": CLOCK[1]}, False),
    "go: a name of its own": ({}, {"price/a.go": GO, "price/b_test.go": CALC[1].replace("calc =", "calc :=")}, False),
    "js": ({"src/a.js": "export const fee = (n) => n / 50;\n"}, {"src/a.js": IMPL, "test/a.test.js": HOOK.replace("{}", "impl.fee = (n) => n / 50;", 1)}, True),
    "js: before each": ({"src/a.js": "x();\n"}, {"src/a.js": IMPL, "test/a.test.js": HOOK.replace("{}", "beforeEach(() => { impl.fee = (n) => 2; });", 1)}, True),
    "js: a value": ({"src/a.js": IMPL}, {"src/a.js": IMPL, "test/a.test.js": HOOK.replace("{}", "impl.limit = 3;", 1)}, False),
    "js: what was there": ({"src/a.js": IMPL}, {"src/a.js": IMPL, "test/a.test.js": HOOK.replace("{}", "impl.load = () => 3;", 1)}, False),
}  # fmt: skip


@pytest.mark.parametrize("name", SET_UP)
def test_a_function_of_tests_in_place_of_a_source_blocks(guard: Any, name: str) -> None:
    base, head, blocks = SET_UP[name]
    assert guard("tests", base, head).passed is not blocks


REFUSES = "package a\n\nfunc F(n int) error {\n\tif n < 0 {\n\t\treturn ErrN\n\t}\n\treturn nil\n}\n"
ASKED = (
    'package a\n\nfunc TestF(t *testing.T) {\n\tif err := F(-1); !errors.Is(err, ErrN) {\n\t\tt.Error("no")\n\t}\n}\n'
)
TURNED = ASKED.replace("!errors", "errors")


@pytest.mark.parametrize("refuses", [True, False])
def test_the_opposite_of_a_refusal_blocks_where_the_refusal_goes(guard: Any, refuses: bool) -> None:
    source = REFUSES if refuses else REFUSES.replace("return ErrN", "return nil")
    assert (
        guard("tests", {"a.go": REFUSES, "a_test.go": ASKED}, {"a.go": source, "a_test.go": TURNED}).passed is refuses
    )


ASSERTS = '#include <assert.h>\n#include "a.h"\nint main(void) {\n    assert(f(9) == 3);\n    return 0;\n}\n'
HEADERS = {
    "assert": ("#undef assert\n#define assert(x) ((void)(x))\n", True),
    "NDEBUG": ("#define NDEBUG\n", True),
    "a macro of its own": ("#define A_ASSERT(x) ((void)0)\n", False),
    "two forms": ("#ifdef SLOW\n#define assert(x) ((void)0)\n#else\n#define assert(x) ((x) ? (void)0 : abort())\n#endif\n", False),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_takes_assertions_away_blocks(guard: Any, name: str) -> None:
    more, blocks = HEADERS[name]
    base = {"src/a.h": "int f(int);\n", "tests/test_a.c": ASSERTS}
    assert guard("tests", base, base | {"src/a.h": more + base["src/a.h"]}).passed is not blocks


def hostile(**marks: Callable[[str], object]) -> Mapping[str, Callable[[str], object]]:
    return marks


STATUS = {
    "no bits": ("return failed & 0;", True), "times nothing": ("return 0 * failed;", True), "and nothing": ("return failed && 0;", True),
    "its lowest bits": ("return failed & 0xff;", False), "a truth": ("return !!failed;", False), "a pointer": ("return *failed;", False),
}  # fmt: skip


@pytest.mark.parametrize("name", STATUS)
def test_a_status_of_which_nothing_is_left_blocks(guard: Any, name: str) -> None:
    after, blocks = STATUS[name]
    main = "#include <assert.h>\nint main(void) {\n    int failed = f(9) != 3;\n    %s\n}\n"
    base, head = ({"tests/test_f.c": main % one} for one in ("return failed;", after))
    assert guard("tests", base, head).passed is not blocks


HOSTILE = hostile(
    libraries=lambda text: list(of_tests("a.py", text)),
    ruby=lambda text: list(equality("a.rb", text)),
    js=lambda text: list(equality("a.js", text)),
    around_js=lambda text: list(looks_around("a.js", text)),
    around_py=lambda text: list(looks_around("a.py", text)),
    around_rs=lambda text: list(looks_around("a.rs", text)),
    paths=lambda text: list(other_paths("a.py", text)),
    macros=lambda text: list(switched_off("a.h", text)),
    tables=lambda text: (_code("a.js", text[:500_000]), _code("a.go", text[:500_000])),
    data=lambda text: (_data("a.json", text), _data("a.yml", text), _data("a.csv", text)),
    forms=lambda text: (_python(text[:500_000]), _scanned(text[:500_000], "js"), _scanned(text[:500_000], "go")),
)
PIECES = [
    "[[1, 2], ",
    "process.argv inspect.stack(",
    "class Integer\n",
    "Object.is = ",
    "if cfg!(debug_assertions) {",
    "new Map([",
    "#define NDEBUG(x) \\\n",
    "const a = [[1],\n",
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("piece", PIECES)
def test_hostile_text_costs_little(name: str, piece: str) -> None:
    began = process_time()
    HOSTILE[name](piece * (1_000_000 // len(piece)))
    assert process_time() - began < 5
