# ruff: noqa: E501 - a table reads best with one row a line
"""Each row: files before and after, what the runner named before and after, and what the guard must say of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.guards.conftest import context

from greylag import plugins
from greylag.model import Counts, Outcome, Phase, Scope, Verdict
from greylag.report import Report
from greylag.testing.changes import make_change

Judge = Callable[..., Verdict]
SUM, NONE = "def test_sum():\n    assert total([1, 2]) == 3\n", "def test_none():\n    assert total([]) == 0\n"
PY = SUM + NONE
JS = 'it("adds numbers", () => {\n  expect(add(1, 2)).toBe(3);\n});\nit.each([[1, 1]])("squares %i to %i", (a, b) => {\n  expect(a * a).toBe(b);\n});\n'
JAVA = "class TotalTest {\n    @Test\n    void sums() {\n        assertEquals(3, total(1, 2));\n    }\n}\n"
GO = 'func TestAdd(t *testing.T) {\n\tfor _, row := range []row{{"small", 1}, {"big", 2}} {\n\t\tt.Run(row.name, func(t *testing.T) {\n\t\t\tif Add(row.n) != 3 {\n\t\t\t\tt.Error("no")\n\t\t\t}\n\t\t})\n\t}\n}\n'
NAMES = ("tests/test_a.py::test_sum", "tests/test_a.py::test_none")


def _report(names: Sequence[str], *more: str) -> tuple[Verdict, ...]:
    ran = tuple(sorted((*names, *more)))
    return (Verdict("pytest", Phase.TEST, Outcome.PASSED, counts=Counts(len(ran), passed=ran)),)


@pytest.fixture
def judge(repository: Path) -> Judge:
    def run(
        base: Mapping[str, str],
        head: Mapping[str, str],
        before: Sequence[str] | None,
        after: Sequence[str],
        allow: tuple[str, ...] = (),
    ) -> Verdict:
        change = make_change(repository, base, head, scope=Scope(allow))
        baseline = None if before is None else Report("base", "", _report(before))
        guard = plugins.load("guards", "lost-tests")
        (activation,) = guard.detect(change.head)
        asked = replace(context(change, _report(after)), baseline=baseline)
        verdict: Verdict = guard.verify(activation, asked)
        return verdict

    return run


@pytest.mark.parametrize(
    ("head", "after"),
    [
        pytest.param({"tests/test_a.py": PY.replace("def test_sum", "class Sums:\n  def test_sum")}, (), id="uncollected"),
        pytest.param({"tests/test_a.py": PY + '\nglobals().pop("test_sum")\n'}, (), id="popped"),
        pytest.param({"tests/test_a.py": PY, "conftest.py": "collect_ignore_glob = ['*']"}, (), id="by a plugin"),
        pytest.param({"tests/test_a.py": PY}, ("tests/test_b.py::test_sum",), id="one of its name elsewhere"),
        pytest.param({"tests/test_a.py": SUM.replace("sum()", "other()") + NONE}, ("a::test_one",), id="replaced"),
    ],
)  # fmt: skip
def test_a_test_that_is_not_run_any_more_blocks_whatever_runs_instead(
    judge: Judge, head: Mapping[str, str], after: Sequence[str]
) -> None:
    verdict = judge({"tests/test_a.py": PY}, head, NAMES, (NAMES[1], *after, "tests/test_a.py::test_trivial"))
    assert verdict.outcome is Outcome.FAILED
    assert verdict.diagnostics[0].rule == "lost-tests/not-run"
    assert verdict.diagnostics[0].message.startswith(
        "1 test passed before the change and did not run, or were skipped, now: tests/test_a.py::test_sum;"
    )


@pytest.mark.parametrize(
    ("base", "head", "before", "after"),
    [
        pytest.param({"a": "1"}, {"a": "2"}, NAMES, (*NAMES, "tests/test_a.py::test_new"), id="more tests"),
        pytest.param({"a": "1"}, {"a": "2"}, None, NAMES, id="no baseline"),
        pytest.param({"a": "1"}, {"a": "2"}, (), NAMES, id="a runner that named none"),
        pytest.param(
            {"tests/test_a.py": PY}, {"tests/test_a.py": PY.replace("test_sum", "test_total")},
            NAMES, ("tests/test_a.py::test_total", NAMES[1]), id="renamed",
        ),
        pytest.param(
            {"tests/test_a.py": PY}, {"tests/unit/test_sums.py": PY},
            NAMES, ("tests/unit/test_sums.py::test_sum", "tests/unit/test_sums.py::test_none"), id="file moved",
        ),
        pytest.param(
            {"tests/test_a.py": PY, "tests/test_b.py": "x = 1\n"},
            {"tests/test_a.py": SUM, "tests/test_b.py": "x = 1\n" + NONE},
            NAMES, (NAMES[0], "tests/test_b.py::test_none"), id="test moved to another file",
        ),
        pytest.param(
            {"tests/test_a.py": PY}, {"tests/test_a.py": "class TestAll:\n    " + PY.replace("\n", "\n    ")},
            NAMES, [name.replace("::", "::TestAll::") for name in NAMES], id="into a class that is collected",
        ),
        pytest.param(
            {"tests/test_a.py": PY}, {"tests/test_a.py": PY + "\n"},
            ("t.py::test_at[<object at 0x7f1c3b]>]",), ("t.py::test_at[<object at 0x7f9999]>]",), id="arguments",
        ),
        pytest.param(
            {"a_test.go": GO}, {"a_test.go": GO.replace("small", "tiny")},
            ("calc.TestAdd/small", "calc.TestAdd/big"), ("calc.TestAdd/tiny", "calc.TestAdd/big"), id="a row of a table in go",
        ),
        pytest.param(
            {"calc/a_test.go": GO}, {"calc/a_test.go": GO.replace("TestAdd", "TestSum")},
            ("calc.TestAdd/small", "calc.TestAdd/big"), ("calc.TestSum/small", "calc.TestSum/big"), id="go function renamed",
        ),
        pytest.param({"src/old.py": "x"}, {"src/new.py": "x"}, ("src/old.py::ruff",), ("src/new.py::ruff",), id="items"),
        pytest.param(
            {"a.test.js": JS}, {"a.test.js": JS.replace("adds numbers", "adds two numbers")},
            ("add > adds numbers", "add > squares 1 to 1"), ("add > adds two numbers", "add > squares 1 to 1"), id="js",
        ),
        pytest.param(
            {"a.test.js": JS}, {"a.test.js": JS.replace("[[1, 1]]", "[[2, 4]]")},
            ("add > squares 1 to 1",), ("add > squares 2 to 4",), id="a row of a table in js",
        ),
        pytest.param(
            {"src/test/java/TotalTest.java": JAVA}, {"src/test/java/SumTest.java": JAVA.replace("TotalTest", "SumTest")},
            ("org.TotalTest.sums",), ("org.SumTest.sums",), id="java class renamed",
        ),
        pytest.param(
            {"tests/test_a.py": PY, "a.py": "def total(n):\n    return sum(n)\n"},
            {"tests/test_a.py": PY.replace("total", "plus").replace("test_sum", "test_plus"), "a.py": "def plus(n):\n    return sum(n)\n"},
            NAMES, ("tests/test_a.py::test_plus", NAMES[1]), id="renamed with the function that it tests",
        ),
        pytest.param(
            {"a.test.js": JS, "a.js": "export function add(a, b) {\n  return a + b;\n}\n"},
            {"a.test.js": JS.replace("add(", "plus(").replace("adds", "sums up"), "a.js": "export function plus(a, b) {\n  return a + b;\n}\n"},
            ("add > adds numbers",), ("add > sums up numbers",), id="renamed with the function that it tests in js",
        ),
    ],
)  # fmt: skip
def test_a_test_that_still_runs_is_not_lost(
    judge: Judge,
    base: Mapping[str, str],
    head: Mapping[str, str],
    before: Sequence[str] | None,
    after: Sequence[str],
) -> None:
    verdict = judge(base, head, before, after)
    assert (verdict.outcome, verdict.summary) == (Outcome.PASSED, "no finding")


def test_a_row_of_a_table_in_go_that_is_gone_blocks(judge: Judge) -> None:
    verdict = judge(
        {"a_test.go": GO}, {"a_test.go": GO + "\n"}, ("calc.TestAdd/small", "calc.TestAdd/big"), ("calc.TestAdd/big",)
    )
    assert "calc.TestAdd (2 times, 1 now)" in verdict.diagnostics[0].message


BASE = "class Base:\n    def test_load(self):\n        assert self.make().load() == 1\n"
SUB = "class TestOne(Base):\n    @fixture\n    def make(self):\n        return TestOne.shop('key')\n"
SUBS = {"t/base.py": BASE, "t/test_sub.py": SUB}
INHERITED = ("t/test_sub.py::TestOne::test_load[a]", "t/test_sub.py::TestOne::test_dump")
OWN = SUB + "    def test_own(self):\n        assert self.make() == 2\n"
JUNIT = (
    "package org.a;\n\n@Slow\nclass OneTest extends Base {\n    Shop make() { return new Shop(OneTest.class); }\n}\n"
)


def _renamed(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize(
    ("base", "head", "before", "after"),
    [
        pytest.param(
            SUBS, SUBS | {"t/test_sub.py": _renamed(SUB, ("TestOne", "TestTwo"))},
            INHERITED, [name.replace("TestOne", "TestTwo") for name in INHERITED], id="renamed",
        ),
        pytest.param(
            SUBS, SUBS | {"t/test_sub.py": "", "t/test_other.py": SUB},
            INHERITED, [name.replace("test_sub", "test_other") for name in INHERITED], id="moved",
        ),
        pytest.param(
            {"t/test_sub.py": OWN}, {"t/test_sub.py": _renamed(OWN, ("TestOne", "TestTwo"), ("self.make() == 2", "2 == self.make()"))},
            INHERITED, [name.replace("TestOne", "TestTwo") for name in INHERITED], id="renamed, and a test of its own edited",
        ),
        pytest.param(
            {"t/test_sub.py": _renamed(SUB, ("class", "class Outer(A):\n  class"), ("\n    ", "\n      "))},
            {"t/test_sub.py": _renamed(SUB, ("class", "class Around(A):\n  class"), ("\n    ", "\n      "))},
            [name.replace("TestOne", "Outer::TestOne") for name in INHERITED],
            [name.replace("TestOne", "Around::TestOne") for name in INHERITED], id="class around it renamed",
        ),
        pytest.param(
            {"src/test/java/OneTest.java": JUNIT}, {"src/test/java/TwoTest.java": _renamed(JUNIT, ("OneTest", "TwoTest"))},
            ("org.a.OneTest.loads", "org.a.OneTest$Inner.dumps"), ("org.a.TwoTest.loads", "org.a.TwoTest$Inner.dumps"), id="java",
        ),
    ],
)  # fmt: skip
def test_inherited_tests_of_a_renamed_class_are_not_lost(
    judge: Judge, base: Mapping[str, str], head: Mapping[str, str], before: Sequence[str], after: Sequence[str]
) -> None:
    assert judge(base, head, before, after).summary == "no finding"
    assert not judge(base, head, before, after[:1]).passed


@pytest.mark.parametrize(
    "head",
    [
        pytest.param("class TestTwo(Base):\n    pass\n", id="without its fixture"),
        pytest.param(SUB.replace("TestOne", "TestTwo").replace("(Base)", "(Trivial)"), id="of another base"),
        pytest.param(SUB.replace("TestOne", "TestTwo").replace("'key'", "None"), id="of another fixture"),
        pytest.param("@skipped\n" + SUB.replace("TestOne", "TestTwo"), id="decorated"),
        pytest.param(SUB.replace("TestOne", "TestTwo") + "    def test_load(self):\n        pass\n    test_dump = test_load\n", id="that overrides"),
        pytest.param(SUB + "\n\n" + SUB.replace("TestOne", "TestTwo"), id="while the old one stays"),
    ],
)  # fmt: skip
def test_another_class_does_not_stand_in_for_one_that_is_gone(judge: Judge, head: str) -> None:
    after = [name.replace("TestOne", "TestTwo") for name in INHERITED]
    assert not judge(SUBS, SUBS | {"t/test_sub.py": head}, INHERITED, after).passed


COMPUTED = """describe("isSamePath", () => {
  for (const [a, b] of same) {
    test(a + " == " + b, () => {
      expect(isSame(a, b)).toBe(true);
    });
  }
  for (const name of names) {
    test(name, () => {
      expect(isSame(name, name)).toBe(true);
    });
  }
  test("is strict (always)", () => {
    expect(isSame(1, "1")).toBe(false);
  });
});
"""
PATHS = ("isSamePath > /a == /a/", "isSamePath > / ==", "isSamePath > any path", "isSamePath > is strict (always)")


@pytest.mark.parametrize(
    ("edits", "after"),
    [
        pytest.param((("isSamePath", "same path"),), [name.replace("isSamePath", "same path") for name in PATHS], id="block"),
        pytest.param((('" == "', '" equals "'),), [name.replace("==", "equals") for name in PATHS], id="string part"),
        pytest.param((("test(a + ", "test(`${a}` + "),), PATHS, id="spelling"),
        pytest.param((("is strict", "is\\u0020 strict"), ("isSamePath", "same\\n  Path")), [name.replace("isSame", "same ") for name in PATHS], id="escapes"),
        pytest.param((("of names", "of others"),), [*PATHS[:2], "isSamePath > other path", PATHS[3]], id="values"),
        pytest.param((("is strict", "is very strict"),), [name.replace("is strict", "is very strict") for name in PATHS], id="literal"),
        pytest.param(
            (("isSamePath", "same"), ("is strict", "strict")), ["same /a == /a/", "same / ==", "same any path", "same strict (always)"],
            id="block and literal, as mocha reports",
        ),
    ],
)  # fmt: skip
def test_computed_titles_are_known_by_what_is_written_in_them(
    judge: Judge, edits: Sequence[tuple[str, str]], after: Sequence[str]
) -> None:
    base, head = {"test/a.test.ts": COMPUTED}, {"test/a.test.ts": _renamed(COMPUTED, *edits)}
    before = [" ".join(name.split(" > ")) for name in PATHS] if " > " not in after[0] else PATHS
    assert judge(base, head, before, after).summary == "no finding"
    assert not judge(base, head, before, after[1:]).passed
    assert not judge(base, head, (*before, "other > works"), after).passed


@pytest.mark.parametrize(
    "after",
    [
        pytest.param((*PATHS[:3], "isSamePath > trivial"), id="a certain title"),
        pytest.param((*PATHS[:2], "any path", PATHS[3]), id="outside of its block"),
        pytest.param((*PATHS[:2], "is isSamePathOther > any", PATHS[3]), id="in another block"),
        pytest.param((*PATHS[1:], "isSamePath > is new"), id="a new test with a title of its own"),
    ],
)
def test_computed_titles_excuse_no_other_loss(judge: Judge, after: Sequence[str]) -> None:
    new = '  test("is new", () => {\n    expect(1).toBe(one);\n  });\n});\n'
    head = COMPUTED.removesuffix("});\n") + new
    assert not judge({"test/a.test.ts": COMPUTED}, {"test/a.test.ts": head}, PATHS, after).passed


def test_title_without_a_certain_word_excuses_nothing(judge: Judge) -> None:
    loop = "for (const n of all) {\n  test(n, () => {\n    expect(f(n)).toBe(1);\n  });\n}\n"
    assert not judge({"a.test.js": loop}, {"a.test.js": loop + "\n"}, ("x", "y"), ("x", "z")).passed


def test_rows_of_a_table_are_counted(judge: Judge) -> None:
    rows = [f"t.py::test_at[{row}]" for row in range(8)]
    verdict = judge({"t.py": "1"}, {"t.py": "2"}, rows, rows[3:])
    assert "t.py::test_at (8 times, 5 now)" in verdict.diagnostics[0].message
    assert verdict.diagnostics[0].message.startswith("3 tests passed")


def test_many_lost_tests_are_one_finding_that_names_some(judge: Judge) -> None:
    names = [f"t.py::test_{number:03}" for number in range(400)]
    verdict = judge({"t.py": "1"}, {"conftest.py": ""}, names, names[:1])
    assert len(verdict.diagnostics) == 1
    assert "399 tests passed" in verdict.diagnostics[0].message
    assert "t.py::test_001, " in verdict.diagnostics[0].message
    assert " and 394 more" in verdict.diagnostics[0].message


def test_a_prompt_may_let_tests_go(judge: Judge) -> None:
    verdict = judge({"tests/test_a.py": PY}, {"tests/test_a.py": SUM}, NAMES, NAMES[:1], allow=("tests",))
    assert verdict.passed
    assert "the prompt allows tests" in verdict.diagnostics[0].message


def test_examples_in_the_docstrings_of_deleted_code_go_with_it(judge: Judge) -> None:
    verdict = judge({"src/a.py": "1", "b": ""}, {"b": "1"}, ("src/a.py::a.f",), ("x",))
    assert (verdict.outcome, verdict.summary) == (Outcome.PASSED, "1 noted")


def test_a_large_suite_that_moves_is_compared_in_time(judge: Judge) -> None:
    bodies = "".join(
        f"    @Test\n    void sums{n}() {{\n        assertEquals({n}, total({n}));\n    }}\n" for n in range(600)
    )
    before = [f"org.a.BigTest.sums{n}" for n in range(600)]
    files = [{f"src/test/java/{at}/BigTest.java": f"class BigTest {{\n{bodies}}}\n"} for at in "ab"]
    assert judge(*files, before, [name.replace(".a.", ".b.") for name in before]).summary == "no finding"


def test_tests_that_became_rows_of_a_table_that_runs_are_not_lost(judge: Judge) -> None:
    rows = "@pytest.mark.parametrize(('numbers', 'sum_'), [([1, 2], 3), ([4], 4)])\ndef test_totals(numbers, sum_):\n    assert total(numbers) == sum_\n"
    base, head = {"tests/test_a.py": SUM}, {"tests/test_a.py": rows}
    names, new = ("tests/test_a.py::test_sum",), ("tests/test_a.py::test_totals",) * 2
    assert judge(base, head, names, new).passed
    assert not judge(base, head, names, ()).passed
    assert not judge(base, {"tests/test_a.py": rows.replace("[1, 2], 3", "[1, 1], 2")}, names, new).passed
