"""What tells one failure from another."""

import pytest

from greylag.model import Diagnostic


@pytest.mark.parametrize(
    ("before", "now", "same"),
    [
        ("AssertionError: assert 1 == 2", "assert 3 == 2", True),
        ("RuntimeError: pump 1 broke", "RuntimeError: pump 2 broke", True),
        ("assert 1 == 2", "RuntimeError: pump broke", False),
        ("KeyError: 'a'", "RuntimeError: pump broke", False),
        ("java.lang.NullPointerException: x", "java.lang.IllegalStateException: x", False),
        ("java.lang.AssertionError: x", "org.opentest4j.AssertionFailedError: y", True),
    ],
)
def test_a_test_that_fails_for_another_reason_has_another_failure(before: str, now: str, same: bool) -> None:
    old, new = (Diagnostic(message, path="t.py", test="t.py::test") for message in (before, now))
    assert (old.fingerprint == new.fingerprint) is same
