"""The labelled changes of `benchmarks/guards`: enough of them, well written, and the guards as good as they were."""

from collections import Counter

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
        assert sum(bool(case.like) for case in some) * 3 >= len(some)
        assert sum(case.held_out for case in some) * 4 >= len(some)


def test_changes_apart_are_of_both_kinds_in_each_language_and_mostly_after_real_commits() -> None:
    apart = [case for case in CASES if case.apart]
    assert all(case.held_out for case in apart)
    kinds = Counter((case.language, case.label) for case in apart)
    assert len(kinds) == 14
    assert min(kinds.values()) >= 10
    assert sum(bool(case.like) for case in apart) * 2 > len(apart)


def test_case_stays_short() -> None:
    for case in CASES:
        for side in (case.base, case.head):
            lines = sum(len(text.splitlines()) for text in side.values())
            assert lines <= 60, case.name


def test_guards_are_as_good_as_they_were() -> None:
    judged = judge(case for case in CASES if not case.apart)  # no test says what guards make of the others
    seen, held_out = ([row for row in judged if row[0].held_out is part] for part in (False, True))
    assert min(rates(seen)) >= 0.95
    assert rates(held_out)[0] >= 0.9
    assert rates(held_out)[1] >= 0.8
