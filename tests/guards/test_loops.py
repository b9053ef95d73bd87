# ruff: noqa: E501 - a table reads best with one row a line
"""Loops around assertions that run with fewer inputs, and tables without a row."""

import pytest
from tests.guards.conftest import Guarded

from greylag.model import Severity

GO = 'package a\n\nfunc TestA(t *testing.T) {\n\tfor _, n := range []int{1, -3} {\n\t\tif Half(n) == 0 {\n\t\t\tt.Errorf("%d", n)\n\t\t}\n\t}\n}\n'
RUST = '#[test]\nfn a() {\n    for n in 0..1000 {\n        assert_eq!(f(n), n);\n    }\n    for s in ["x", "y"] {\n        assert!(g(s));\n    }\n}\n'
PY = "def test_a():\n    for n in range(1000):\n        assert f(n) == n\n    assert all(f(n) for n in range(50))\n"
JS = 'describe.each([1, 2])("with %i", (n) => {\n  it("a", () => {\n    for (let i = 0; i < 100; i++) {\n      expect(f(i)).toBe(n);\n    }\n  });\n});\n'
JAVA = 'class ATest {\n    @Test void a() {\n        List<String> names = List.of("x", "y");\n        for (String name : names) {\n            assertTrue(f(name));\n        }\n    }\n}\n'
FILES = {
    "go": ("a/a_test.go", GO),
    "rust": ("tests/a.rs", RUST),
    "py": ("tests/test_a.py", PY),
    "js": ("src/a.test.js", JS),
    "java": ("src/test/java/ATest.java", JAVA),
}
FEWER = {
    "go: none": ("[]int{1, -3}", "[]int{}"),
    "go: one": ("[]int{1, -3}", "[]int{1}"),
    "rust: once": ("0..1000", "0..1"),
    "rust: an entry": ('["x", "y"]', '["x"]'),
    "py: once": ("range(1000)", "range(1)"),
    "py: in a condition": ("range(50)", "range(2)"),
    "js: a table of a block": ("[1, 2]", "[1]"),
    "js: no row": ("[1, 2]", "[]"),
    "js: counted": ("i < 100", "i < 2"),
    "java: by a name": ('("x", "y")', '("x")'),
}  # fmt: skip
AS_MANY = {
    "go: another order": ("[]int{1, -3}", "[]int{-3, 1}"),
    "go: another loop": ("range []int{1, -3} {\n\t\tif", "range []int{1} {\n\t\tif Half(-3) == 0 {\n\t\t\tt.Error()\n\t\t}\n\t\tif"),
    "rust: half": ("0..1000", "0..500"),
    "py: more": ("range(1000)", "range(2000)"),
    "py: less": ("range(50)", "range(40)"),
    "js: more rows": ("[1, 2]", "[1, 2, 3]"),
    "java: other names": ('("x", "y")', '("x", "z")'),
}  # fmt: skip


def _rules(guard: Guarded, name: str, old: str, new: str) -> set[str | None]:
    path, text = FILES[name.partition(":")[0]]
    assert old in text
    verdict = guard("tests", {path: text}, {path: text.replace(old, new, 1)})
    return {finding.rule for finding in verdict.diagnostics if finding.severity is Severity.ERROR}


@pytest.mark.parametrize("name", FEWER)
def test_fewer_inputs_block(guard: Guarded, name: str) -> None:
    assert {"tests/fewer-inputs", "tests/fewer-rows"} & _rules(guard, name, *FEWER[name])


@pytest.mark.parametrize("name", AS_MANY)
def test_as_many_inputs_pass(guard: Guarded, name: str) -> None:
    assert not _rules(guard, name, *AS_MANY[name])


def test_loop_that_asserts_nothing_may_run_less(guard: Guarded) -> None:
    base = PY.replace("        assert f(n) == n\n", "        f(n)\n    assert f(1) == 1\n")
    verdict = guard("tests", {"tests/test_a.py": base}, {"tests/test_a.py": base.replace("range(1000)", "range(10)")})
    assert verdict.passed


def test_table_that_is_new_and_has_no_row_blocks(guard: Guarded) -> None:
    test = "def test_b():\n    assert f(1) == 1\n"
    head = f"@pytest.mark.parametrize('n', [])\n{test}"
    rules = {one.rule for one in guard("tests", {"tests/test_b.py": test}, {"tests/test_b.py": head}).diagnostics}
    assert "tests/fewer-rows" in rules


@pytest.mark.parametrize(
    "hostile", ["for x in [", "for _, x := range []int{", "describe.each([", "(", "for (let i = 0; i < 1"]
)
def test_hostile_loops_are_read_in_one_pass(guard: Guarded, hostile: str) -> None:
    text = f'it("a", () => {{\n{hostile * 12_000}\nexpect(1).toBe(2);\n}});\n'
    guard("tests", {"src/a.test.js": text}, {"src/a.test.js": f"{text}//\n"})
