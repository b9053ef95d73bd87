"""The faults of `benchmarks/faults`: enough of them, well written; and how their runner tells what is wrong."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.faults.__main__ import Shown, table
from benchmarks.faults.faults import Fault, faults

FAULTS = list(faults())
FAULT = Fault("x", "one", {"a": "b\n"}, (), {"a": "c\n"}, "failed", ("a:1",), ("\x1b",), "", ())


def test_set_is_large_enough_and_each_fault_says_what_must_come_of_it() -> None:
    ecosystems = Counter(fault.ecosystem for fault in FAULTS)
    assert len(ecosystems) >= 20
    assert min(ecosystems.values()) >= 10
    assert max(Counter((fault.ecosystem, fault.name) for fault in FAULTS).values()) == 1
    for fault in FAULTS:
        assert fault.change, fault
        assert fault.says or fault.name == "green", fault
    for ecosystem in ecosystems:
        names = {fault.name for fault in FAULTS if fault.ecosystem == ecosystem}
        assert {"green", "one failing test"} <= names, ecosystem


def test_a_fault_is_whole_files_or_edits_of_them(tmp_path: Path) -> None:
    base = '[base]\n"a" = "one two"\n"b" = ""\n[[fault]]\nname = "x"\n'
    (tmp_path / "t.toml").write_text(
        base + 'edits = { "a" = ["two", "three"] }\nfiles = { "b" = false, "c" = "new" }\n'
    )
    (fault,) = faults(tmp_path)
    assert (fault.base, fault.ends) == ({"a": "one two", "b": ""}, "failed")
    assert fault.change == {"a": "one three", "b": None, "c": "new"}
    for wrong in ('edits = { "a" = ["four", ""] }\n', 'ends = "well"\n', "sais = []\n"):
        (tmp_path / "t.toml").write_text(base + wrong)
        with pytest.raises(ValueError, match=r"t\.toml, x"):
            list(faults(tmp_path))


@pytest.mark.parametrize(
    ("ends", "ended", "report", "wrong"),
    [
        ("failed", "failed", "a:1: no", ""),
        ("failed", "passed", "a:1", "FALSE PASS"),
        ("errored", "failed", "a:1", "BLAMED"),
        ("passed", "failed", "a:1", "FALSE ALARM"),
        ("failed", "exit code 3", "", "WRONG END"),
        ("failed", "failed", "\n" * 10 + "a:1", "NOT IN 10 LINES"),
        ("failed", "failed", "a:1 \x1b[31m", "NOISE"),
    ],
)
def test_what_is_wrong_is_said_the_worst_first(ends: str, ended: str, report: str, wrong: str) -> None:
    shown = Shown(replace(FAULT, ends=ends), ended, report, 1.0)
    assert shown.wrong.startswith(wrong)
    assert bool(shown.wrong) is bool(wrong)


def test_false_passes_and_places_are_counted_apart(capsys: pytest.CaptureFixture[str]) -> None:
    table([Shown(FAULT, "failed", "a:1", 1.0), Shown(FAULT, "passed", "", 2.0), Shown(FAULT, "errored", "", 3.0)])
    total = capsys.readouterr().out.splitlines()[-1]
    assert total.split() == ["in", "total", "3", "1", "1", "1/3", "6"]
