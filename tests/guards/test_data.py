# ruff: noqa: E501 - a table reads best with one row a line
"""Data that tests compare with: a change of it is shown to people and the judge, and does not block."""

from collections.abc import Mapping
from typing import Any

import pytest

Files = Mapping[str, str | bytes]
P, J, V = "tests/test_total.py", "test/add.test.js", "src/test/java/TotalTest.java"
PY = """from shop import total

EXPECTED = 3
ROWS = [(1, 1), (2, 4)]


class TestTotal:
    expected: int = 10
    page = make(total)

    def test_sum(self):
        wanted = 3
        assert total([1, 2]) == self.expected
"""
JS = 'const expected = 3;\nconst rows = [1, 2];\n\nit("adds", () => {\n  const own = 1;\n  expect(f(own)).toBe(expected);\n});\n'
JAVA = """class TotalTest {
    private static final int EXPECTED = 3;
    String name = "shop";

    @Test
    void sums() {
        int own = 1;
        assertEquals(EXPECTED, total(own));
    }
}
"""
RUST = "const MOST: i32 = 3;\n\n#[test]\nfn sums() {\n    assert_eq!(f(), 1);\n}\n"
DATA = """
tests/data/numbers.txt tests/cases.json tests/data/a.csv tests/a.yaml tests/b.yml tests/pages/a.html src/test/resources/a.xml
src/__snapshots__/a.js.snap pkg/testdata/a.golden tests/data/noname spec/fixtures/a.toml
"""
OTHERS = "data/numbers.txt tests/README.md tests/pytest.ini tests/.gitignore docs/a.json src/a.yaml"


@pytest.mark.parametrize("path", DATA.split())
def test_changed_data_below_tests_is_shown(guard: Any, found: Any, path: str) -> None:
    verdict = guard("tests", {path: "1\n2\n"}, {path: "1\n3\n"})
    assert found(verdict) == [f"warning tests/changed-data {path}"]
    assert verdict.passed
    assert found(guard("tests", {path: "1\n"}, {path: "2\n"}, allow=["tests"])) == [f"info tests/changed-data {path}"]


@pytest.mark.parametrize("path", OTHERS.split())
def test_other_files_are_not(guard: Any, found: Any, path: str) -> None:
    assert found(guard("tests", {path: "1\n2\n"}, {path: "1\n3\n"})) == []


def test_binary_data_is_shown(guard: Any, found: Any) -> None:
    verdict = guard("tests", {"tests/a.png": b"\0\1"}, {"tests/a.png": b"\0\2"})
    assert found(verdict) == ["warning tests/changed-data tests/a.png"]


def test_new_and_moved_data_is_not(guard: Any, found: Any) -> None:
    assert found(guard("tests", {"tests/a.txt": "1\n" * 9}, {"tests/b/a.txt": "1\n" * 9, "tests/c.json": "{}\n"})) == []


def edit(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("path", "text", "old", "new", "place"),
    [
        (P, PY, "EXPECTED = 3", "EXPECTED = 4", 3),
        (P, PY, "= 10", "= 11", 8),
        (P, PY, "= 10", "= total([1, 2])", 8),
        (P, PY, "(2, 4)", "(2, 5)", 4),
        (J, JS, "expected = 3", "expected = 4", 1),
        (J, JS, "[1, 2]", "[1, 3]", 2),
        (V, JAVA, "EXPECTED = 3", "EXPECTED = 4", 2),
        (V, JAVA, '"shop"', '"market"', 3),
        ("a_test.go", "package a\n\nvar want = 3\n", "3", "4", 3),
        ("tests/a.rs", "const WANT: i32 = 3;\n", "= 3", "= 4", 1),
    ],
)
def test_changed_value_beside_tests_is_shown(
    guard: Any, found: Any, path: str, text: str, old: str, new: str, place: int
) -> None:
    verdict = guard("tests", {path: text}, {path: edit(text, old, new)})
    assert [line for line in found(verdict) if "warning" in line] == [f"warning tests/changed-value {path}:{place}"]
    assert verdict.passed


@pytest.mark.parametrize(
    ("path", "text", "old", "new"),
    [
        (P, PY, "wanted = 3", "wanted = 4"),
        (P, PY, "total", "sum_of"),
        (P, PY, "(2, 4)]", "(2, 4), (3, 9)]"),
        (P, PY, "[(1, 1), (2, 4)]", "[\n    (1, 1),\n    (2, 4),  # 4\n]"),
        (P, PY, "EXPECTED = 3", "EXPECTED: int = 3\nOTHER = 5"),
        (J, JS, "own = 1", "own = 2"),
        (J, JS, "[1, 2]", "[1, 2, 3]"),
        (J, JS, "[1, 2]", "[\n  1, // 9\n  2,\n]"),
        (J, JS, "expected", "wanted"),
        (V, JAVA, "own = 1", "own = 2"),
        ("src/a.rs", RUST, "= 3", "= 4"),
    ],
)
def test_ordinary_work_on_values_is_not(guard: Any, found: Any, path: str, text: str, old: str, new: str) -> None:
    assert [
        line for line in found(guard("tests", {path: text}, {path: edit(text, old, new)})) if "info" not in line
    ] == []
