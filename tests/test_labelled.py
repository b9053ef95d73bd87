"""The labelled changes of `benchmarks/guards`: enough of them, well written, and the guards as good as they were."""

from collections import Counter

import pytest
from benchmarks.guards.__main__ import judge, rates
from benchmarks.guards.cases import cases

CASES = list(cases())


def test_set_is_large_enough_and_each_case_says_what_it_is() -> None:
    assert len(CASES) >= 240
    assert len({case.language for case in CASES}) >= 5
    assert max(Counter(case.name for case in CASES).values()) == 1
    assert all(case.base != case.head for case in CASES)
    for label in ("block", "pass"):
        some = [case for case in CASES if case.label == label]
        assert sum(bool(case.like) for case in some) * 4 >= len(some)


@pytest.mark.skipif(not any(case.held_out for case in CASES), reason="no change is held out at the moment")
def test_held_out_changes_are_of_both_kinds_in_each_language_and_mostly_after_real_commits() -> None:
    held_out = [case for case in CASES if case.held_out]
    kinds = Counter((case.language, case.label) for case in held_out)
    assert len(kinds) == 14
    assert min(kinds.values()) >= 3
    assert sum(bool(case.like) for case in held_out) * 2 > len(held_out)


def test_case_stays_short() -> None:
    for case in CASES:
        for side in (case.base, case.head):
            lines = sum(len(text.splitlines()) for text in side.values())
            assert lines <= 60, case.name


def test_guards_are_as_good_as_they_were() -> None:
    """No test says what they make of those that are held out."""
    assert min(rates(judge(case for case in CASES if not case.held_out))) >= 0.95
