"""A test that is the same on both sides of a change is not analysed, unless what is around it is another."""

import ast
import time
from typing import Any

import pytest

from greylag.guards._cases import python_cases, python_proof
from greylag.guards._code.python_tree import parsed, segment, split, walk
from greylag.guards._sources.silent import silent

P = "tests/test_add.py"
TEST = "def test_add():\n    assert add(1, 2) == EXPECTED\n"
HEAD = "from calc import add\n\n"


def file(around: str, *, test: str = TEST) -> dict[str, str]:
    return {P: f"{HEAD}{around}\n\n{test}\n\ndef test_other():\n    assert add(2, 2) == 4\n"}


def rules(verdict: Any) -> set[str]:
    return {finding.rule for finding in verdict.diagnostics if finding.severity.value == "error"}


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ("EXPECTED = 3", "EXPECTED = add(1, 2)", "tests/self-comparison"),
        ("EXPECTED = 3", "from unittest.mock import ANY\n\nEXPECTED = ANY", "tests/weaker-assertions"),
        ("EXPECTED = 3", "from unittest.mock import ANY as EXPECTED\n\nEXPECTED = ANY", "tests/weaker-assertions"),
    ],
)
def test_what_a_name_stands_for_counts_though_the_test_is_the_same(
    guard: Any, before: str, after: str, rule: str
) -> None:
    assert rule in rules(guard("tests", file(before), file(after)))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("@pytest.mark.parametrize('n', [1, 2, 3])", "@pytest.mark.parametrize('n', [1, 2])"),
        ("@pytest.mark.parametrize('n', ROWS)", "@pytest.mark.parametrize('n', ROWS[:1])"),
    ],
)
def test_decorators_of_a_class_count(guard: Any, before: str, after: str) -> None:
    own = "class TestAdd:\n    def test_one(self, n):\n        assert add(n, 0) == n\n"
    sides = ({P: f"import pytest\n{HEAD}ROWS = [1, 2, 3]\n\n\n{mark}\n{own}"} for mark in (before, after))
    assert "tests/fewer-rows" in rules(guard("tests", *sides))


def test_helper_that_a_test_calls_counts(guard: Any) -> None:
    """Through a name: what the helper lost is told of the helper, what the call lost of the test."""
    own = "EXPECTED = 3\n\n\ndef same(a, b):\n    assert a == b\n"
    calls = "def test_add():\n    same(add(1, 2), EXPECTED)\n"
    other = "from helpers import same\n\nEXPECTED = 3\n"
    told = rules(guard("tests", file(own, test=calls), file(other, test=calls)))
    assert "tests/fewer-assertions" in told or "tests/deleted-helper" in told


def test_letters_that_are_one_name_for_python_are_one(guard: Any) -> None:
    test = TEST.replace("EXPECTED", "E\ufb01x")  # the ligature `fi`
    assert "tests/self-comparison" in rules(
        guard("tests", file("Efix = 3", test=test), file("Efix = add(1, 2)", test=test))
    )


def test_only_what_was_edited_is_analysed(guard: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    many = "".join(f"\n\ndef test_number_{n}():\n    assert add({n}, 31) == {n + 31}\n" for n in range(200))
    edited = many.replace("assert add(7, 31) == 38", "assert add(7, 31) >= 38")
    seen: list[str] = []
    proof = python_proof.proof

    def counted(node: Any, *given: Any) -> Any:
        seen.append(node.name)
        return proof(node, *given)

    monkeypatch.setattr(python_cases, "proof", counted)
    verdict = guard("tests", {P: HEAD + many}, {P: HEAD + edited})
    assert "tests/weaker-assertions" in rules(verdict)
    assert set(seen) == {"test_number_7"}


def test_test_that_cannot_be_read_proves_nothing(guard: Any) -> None:
    """A tree that Python parses, and that is too deep to look at."""
    deep = "def test_add():\n    x = " + "-" * 600 + "1\n    assert add(1, 2) == EXPECTED\n"
    assert rules(guard("tests", file("EXPECTED = 3"), file("EXPECTED = 3", test=deep)))


def test_part_of_a_file_is_found_by_its_lines() -> None:
    text = "a = 'ä'; b = (1,\n 2)\r\nc = 3\rd = 4\n"
    assert [segment(split(text), node) for node in parsed(text).body] == ["a = 'ä'", "b = (1,\n 2)", "c = 3", "d = 4"]


def test_nodes_come_in_the_order_of_the_standard_library() -> None:
    module = ast.parse("class A:\n    def f(self, *a, b=1):\n        return [x for x in a if x], {1: 2}\n")
    assert list(walk(module)) == list(ast.walk(module))
    assert list(walk(module)) == list(ast.walk(module))


def test_handlers_of_a_long_file_are_read_in_linear_time() -> None:
    text = "try:\n    call(1)\nexcept Exception:\n    pass\n" * 10_000
    began = time.process_time()
    assert len(list(silent("a.py", text))) == 10_000
    assert time.process_time() - began < 5


FORMAT = "def test_format():\n    end = '\\n'\n    assert render(f'{end}') == f'{end}x'\n"  # unparsing it fails


def test_format_that_cannot_be_written_hides_no_other_test(guard: Any) -> None:
    was = {P: f"from calc import add, render\n\n\n{FORMAT}\n\n{TEST.replace('EXPECTED', '3')}"}
    now = {P: was[P].replace("== 3", ">= 3")}
    assert rules(guard("tests", was, now)) == {"tests/weaker-assertions"}
    gone = {P: was[P].replace("    assert render(f'{end}') == f'{end}x'\n", "    render(f'{end}')\n")}
    assert rules(guard("tests", was, gone)) == {"tests/fewer-assertions"}


def test_format_that_cannot_be_written_hides_no_patch(guard: Any) -> None:
    source = {
        "src/calc/__init__.py": "def add(a, b):\n    return a + b\n",
        "pyproject.toml": "[project]\nname = 'calc'\n",
    }
    where = "getmodule(calc, f\"\"\"{'''\n'''}\"\"\")"
    patch = f"import calc\nfrom inspect import getmodule\n\nsetattr({where}, 'add', max)\n"
    assert "tests/not-the-source" in rules(guard("tests", source, {**source, "tests/test_new.py": patch}))


# -- many of a kind --------------------------------------------------------------------------------------------------


def _marks(number: int, rule: str) -> str:
    return "".join(f"call({n})  # noqa: {rule}{n}\n" for n in range(number))


MANY = {
    "statements that are swallowed": (
        "sources", "src/a.py", "".join(f"call_{n}(1)\n" for n in range(1500)),
        "".join(f"try:\n    call_{n}(1)\nexcept Exception:\n    pass\n" for n in range(1500)),
    ),
    "marks that give way to others": ("suppressions", "src/a.py", _marks(1500, "E1"), _marks(1500, "F2")),
    "new tests that are skipped": (
        "tests", P, "import pytest\n",
        "import pytest\n" + "".join(f"\n\n@pytest.mark.skip\ndef test_{n}():\n    pass\n" for n in range(1500)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MANY)
def test_many_of_a_kind_cost_little(guard: Any, name: str) -> None:
    who, path, before, after = MANY[name]
    began = time.process_time()
    guard(who, {path: before}, {path: after})
    assert time.process_time() - began < 10
