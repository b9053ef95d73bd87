"""The labelled changes of `benchmarks/guards`: enough of them, well written, and the guards as good as they were."""

from collections import Counter
from pathlib import Path

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


def test_case_stays_short() -> None:
    for case in CASES:
        for side in (case.base, case.head):
            lines = sum(len(text.splitlines()) for text in side.values())
            assert lines <= 60, case.name


def test_guards_are_as_good_as_they_were() -> None:
    judged = judge(CASES)
    seen, held_out = ([row for row in judged if row[0].held_out is part] for part in (False, True))
    assert min(rates(seen)) >= 0.95
    if held_out:
        assert rates(held_out)[0] >= 0.9
        assert rates(held_out)[1] >= 0.8


def test_file_that_was_opened_holds_nothing_out(tmp_path: Path) -> None:
    case = "=== {}\nlabel: pass\nwhy: none\n@@ a.py\n-a = 1\n+a = 2\n\n"
    text = "".join(map(case.format, "abcdefghi"))
    (tmp_path / "python.diff").write_text(text)
    assert 0 < sum(one.held_out for one in cases(tmp_path)) < 9
    (tmp_path / "python.diff").write_text(f"opened\n\n{text}")
    assert not any(one.held_out for one in cases(tmp_path))
    assert sum(1 for _ in cases(tmp_path)) == 9
