# ruff: noqa: E501 - a table reads best with one row a line
"""A name of a test that is bound a second time, so that the test before it never runs."""

import pytest
from tests.guards.conftest import Guarded

from greylag.model import Outcome

ADD = "def test_add():\n    assert add(2, 3) == 5\n"
SECOND = "\n\ndef test_add():\n    assert add(0, 0) == 0\n"


@pytest.mark.parametrize(
    ("base", "head"),
    [
        (ADD, ADD + SECOND),
        (ADD, ADD + "\n\ntest_add = other\n"),
        (ADD, ADD + "\n\nfrom helpers import quiet as test_add\n"),
        (ADD, ADD + "\n\ndel test_add\n"),
        (f"class TestA:\n    {ADD.replace(chr(10), chr(10) + '    ')}", "class TestA:\n    def test_add(self): assert add(2, 3) == 5\n    def test_add(self): pass\n"),
        ("class TestA:\n    def test_add(self): assert add(2, 3) == 5\n", "class TestA:\n    def test_add(self): assert add(2, 3) == 5\nclass TestA:\n    def test_b(self): assert add(0, 0) == 0\n"),
    ],
)  # fmt: skip
def test_a_second_test_of_a_name_blocks(guard: Guarded, base: str, head: str) -> None:
    verdict = guard("tests", {"tests/test_a.py": base}, {"tests/test_a.py": head})
    assert verdict.outcome is Outcome.FAILED
    assert "tests/replaced" in {d.rule for d in verdict.diagnostics}


@pytest.mark.parametrize(
    ("base", "head"),
    [
        (ADD, f"{ADD}\n\ndef test_other():\n    assert add(0, 0) == 0\n"),
        (ADD, f"{ADD}\n\nclass TestB:\n    def test_add(self):\n        assert add(0, 0) == 0\n"),
        (ADD + SECOND, f"# moved\n{ADD}{SECOND}"),
        (ADD, f"{ADD}\n\nvalue = 1\nvalue = 2\n"),
    ],
)
def test_names_that_are_all_their_own_do_not(guard: Guarded, base: str, head: str) -> None:
    verdict = guard("tests", {"tests/test_a.py": base}, {"tests/test_a.py": head})
    assert "tests/replaced" not in {d.rule for d in verdict.diagnostics}
