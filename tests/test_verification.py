"""Verification with real trees, real shells and the real sandbox."""

import itertools
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from greylag import plugins
from greylag.errors import InfraError
from greylag.model import Counts, Diagnostic, Event, Origin, Outcome, Phase, Scope, Strength, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.testing.verifying import TEST, Fixed, House, MakeHouse, Repository, Shell
from greylag.verification import Settings
from greylag.verification.comparison import ALL_RED, NO_TESTS, UNVERIFIED, compare

PREPARE = Shell("prepare.sh", Phase.PREPARE, inputs=("lock",))
LINT = Shell("lint.sh", Phase.STATIC)


def named(verdicts: tuple[Verdict, ...]) -> dict[str, Outcome]:
    return {verdict.id: verdict.outcome for verdict in verdicts}


# -- phases ----------------------------------------------------------------------------------------------------------


def test_a_change_that_passes_is_strong_and_keeps_its_logs(house: MakeHouse) -> None:
    at = house({"test.sh": "echo RAN 3 0", "code": "old"})
    verification = at.verification(TEST)
    baseline = verification.baseline()
    report = verification.run(at.repository.change({"code": "new"}), mode="gate", baseline=baseline)
    assert report.passed
    assert report.strength is Strength.STRONG
    assert report.notes == ()
    assert report.verdicts[0].verifier == "test.sh"
    assert "RAN 3 0" in (verification.home / "logs" / (report.verdicts[0].log or "?")).read_text()


def test_all_of_a_phase_runs_and_the_next_ones_are_skipped(house: MakeHouse) -> None:
    files = {"lint.sh": "echo ERROR a; exit 1", "other.sh": "echo ERROR b; exit 1", "test.sh": "echo RAN 1 0"}
    at = house({**files, "lint.sh": "true", "other.sh": "true"})
    verification = at.verification(LINT, Shell("other.sh", Phase.STATIC), TEST, Fixed("guard", Phase.GUARD))
    report = verification.run(at.repository.change(files), mode="gate", baseline=verification.baseline())
    assert named(report.verdicts) == {
        "lint.sh": Outcome.FAILED,
        "other.sh": Outcome.FAILED,
        "test.sh": Outcome.SKIPPED,
    }
    assert {d.message for d in report.diagnostics} == {"a", "b"}
    assert report.verdicts[2].reason == "not run, since static did not pass"
    assert not report.passed


def test_nothing_activated_is_unverified_in_words(house: MakeHouse) -> None:
    at = house({"README": "hello"})
    guard = Fixed("guard", Phase.GUARD)
    verification = at.verification(TEST, guard)
    report = verification.run(at.repository.change({"README": "hi"}), mode="gate", baseline=verification.baseline())
    assert not report.passed
    assert report.strength is Strength.NONE
    assert report.notes[0] == UNVERIFIED
    assert guard.asked == 1


def test_without_tests_the_report_says_so(house: MakeHouse) -> None:
    at = house({"lint.sh": "true"})
    verification = at.verification(LINT, TEST)
    report = verification.run(at.repository.change({"x": ""}), mode="gate", baseline=verification.baseline())
    assert report.passed
    assert report.strength is Strength.WEAK
    assert NO_TESTS in report.notes


def test_a_verifier_with_nothing_to_do_is_a_note_unless_it_had_before(house: MakeHouse) -> None:
    at = house({"lint.sh": "true", "test.sh": "echo no tests; exit 5"})
    verification = at.verification(LINT, TEST)
    report = verification.run(at.repository.change({"x": ""}), mode="gate", baseline=verification.baseline())
    assert report.passed
    assert "test.sh: no tests" in report.notes
    at = House(at.state, at.backend, Repository.make(at.state / "second", {"test.sh": "echo RAN 1 0"}), homes=1)
    verification = at.verification(TEST, settings=Settings("second"))
    tree = at.repository.change({"test.sh": "echo no tests; exit 5"})
    report = verification.run(tree, mode="gate", baseline=verification.baseline())
    assert named(report.verdicts) == {"test.sh": Outcome.FAILED}
    assert "ran before the change" in report.diagnostics[0].message


def test_guards_look_at_each_tree_and_the_judge_only_at_the_gate(house: MakeHouse) -> None:
    at = house({"test.sh": "echo RAN 1 0"})
    guard, judge = Fixed("guard", Phase.GUARD), Fixed("judge", Phase.JUDGE, Outcome.FAILED)
    verification = at.verification(TEST, guard, judge)
    baseline = verification.baseline()
    assert (guard.asked, judge.asked) == (0, 0)
    tree = at.repository.change({"x": ""})
    assert verification.run(tree, mode="loop", baseline=baseline).passed
    assert (guard.asked, judge.asked) == (1, 0)
    assert not verification.run(tree, mode="gate", baseline=baseline).passed
    assert (guard.asked, judge.asked) == (1, 1), "of the same tree a guard has said it"
    assert not verification.run(at.repository.change({"x": "2"}), mode="gate", baseline=baseline).passed
    assert (guard.asked, judge.asked) == (2, 2)


def test_a_tree_that_cannot_be_committed_fails_before_anything_runs(house: MakeHouse) -> None:
    at = house({"test.sh": "echo RAN 1 0"})
    verification = at.verification(TEST)
    baseline = verification.baseline()
    at.started()
    at.repository.refused = (Diagnostic("link out of the tree", path="evil"),)
    report = verification.run(at.repository.change({"x": ""}), mode="loop", baseline=baseline)
    assert named(report.verdicts) == {"tree": Outcome.FAILED}
    assert report.diagnostics == at.repository.refused
    assert at.started() == []


def test_what_could_not_run_is_tried_again_and_is_nobodys_fault(house: MakeHouse) -> None:
    at = house({"test.sh": "echo RAN 1 0"})

    class Broken(Shell):
        def verify(self, activation: Activation, context: Context) -> Verdict:
            self.asked.append(context)
            raise InfraError("no such machine")

    broken = Broken("test.sh", Phase.TEST)
    report = at.verification(broken).run(at.repository.change({"x": ""}), mode="gate", baseline=None)
    assert [verdict.summary for verdict in report.errored] == ["no such machine"]
    assert len(broken.asked) == 2
    assert not report.passed
    assert report.failed == ()


# -- against the base ------------------------------------------------------------------------------------------------


def test_failures_from_before_do_not_block_and_are_no_pass(house: MakeHouse) -> None:
    at = house({"test.sh": "echo FAIL a; echo FAIL b; echo RAN 9 0; exit 1"})
    verification = at.verification(TEST)
    baseline = verification.baseline()
    report = verification.run(at.repository.change({"x": ""}), mode="gate", baseline=baseline)
    assert named(report.verdicts) == {"test.sh": Outcome.RED_BEFORE}
    assert {d.origin for d in report.diagnostics} == {Origin.PRE_EXISTING}
    assert report.strength is Strength.WEAK
    assert report.passed
    assert "2 tests failed before this change" in report.notes
    assert "before this change, too" in report.render()
    assert at.events[-1].data["outcome"] == "failed before, too"
    new = at.repository.change({"test.sh": "echo FAIL a; echo FAIL c; echo RAN 9 0; exit 1"})
    report = verification.run(new, mode="gate", baseline=baseline)
    assert named(report.verdicts) == {"test.sh": Outcome.FAILED}
    assert {d.test: d.origin for d in report.diagnostics} == {"a": Origin.PRE_EXISTING, "c": Origin.NEW}
    strict = at.verification(TEST, settings=Settings("repo", network="none", allow_red_baseline=False))
    report = strict.run(new, mode="gate", baseline=baseline)
    assert not report.passed
    assert report.failed == ()
    assert "failed before this change" in report.notes[0]


def test_verifiers_are_told_whether_there_is_a_network_at_all(house: MakeHouse) -> None:
    prepare, lint = Shell("prepare.sh", Phase.PREPARE), Shell("lint.sh", Phase.STATIC)
    at = house({"prepare.sh": "true", "lint.sh": "true"})
    at.verification(prepare, settings=Settings("repo", network="none")).baseline()
    at.verification(lint, settings=Settings("repo", network="host")).baseline()
    assert [context.connected for context in (*prepare.asked, *lint.asked)] == [False, True]


def test_one_more_of_the_same_kind_is_new(house: MakeHouse) -> None:
    at = house({"lint.sh": "echo ERROR line 1 bad; exit 1"})
    verification = at.verification(LINT)
    tree = at.repository.change({"lint.sh": "echo ERROR line 7 bad; echo ERROR line 9 bad; exit 1"})
    report = verification.run(tree, mode="gate", baseline=verification.baseline())
    assert [d.origin for d in report.diagnostics] == [Origin.PRE_EXISTING, Origin.NEW]
    assert report.failed
    assert "1 failure was there before this change" in report.notes


def test_where_all_was_red_before_that_is_the_reason(house: MakeHouse) -> None:
    at = house({"test.sh": "echo FAIL only; echo RAN 1 0; exit 1"})
    verification = at.verification(TEST)
    report = verification.run(at.repository.change({"x": ""}), mode="gate", baseline=verification.baseline())
    assert (report.passed, report.failed) == (False, ())
    assert report.notes[0] == ALL_RED


def test_a_failure_that_names_nothing_is_never_excused(house: MakeHouse) -> None:
    at = house({"lint.sh": "exit 1"})
    verification = at.verification(LINT)
    report = verification.run(at.repository.change({"x": ""}), mode="gate", baseline=verification.baseline())
    assert named(report.verdicts) == {"lint.sh": Outcome.FAILED}


def test_a_base_whose_tests_do_not_begin_is_no_measure(house: MakeHouse) -> None:
    at = house({"lint.sh": "true", "test.sh": "echo ERROR no such plugin; exit 1"})
    verification = at.verification(LINT, TEST)
    report = verification.run(at.repository.change({"x": ""}), mode="gate", baseline=verification.baseline())
    assert not report.passed
    assert report.notes[0].startswith("unverified: test.sh fails on the base commit and names no test that ran")


def test_a_base_that_cannot_be_built_is_no_measure(house: MakeHouse) -> None:
    at = house({"build.sh": "echo ERROR syntax; exit 1", "test.sh": "echo RAN 1 0"})
    verification = at.verification(Shell("build.sh", Phase.COMPILE), TEST)
    baseline = verification.baseline()
    assert named(baseline.verdicts) == {"build.sh": Outcome.FAILED, "test.sh": Outcome.SKIPPED}
    report = verification.run(at.repository.change({"x": ""}), mode="gate", baseline=baseline)
    assert not report.passed
    assert (report.failed, report.errored) == ((), ())
    assert report.notes[0].startswith("unverified: build.sh fails in compile on the base commit")
    at.started()
    verification.baseline()
    assert at.started() == ["build.sh"], "it may have been mended from outside, and the reader wants a log"


def test_a_red_linter_on_the_base_does_not_hide_its_tests(house: MakeHouse) -> None:
    at = house({"lint.sh": "echo ERROR x; exit 1", "test.sh": "echo RAN 2 0"})
    baseline = at.verification(LINT, TEST).baseline()
    assert named(baseline.verdicts) == {"lint.sh": Outcome.FAILED, "test.sh": Outcome.PASSED}


@pytest.mark.parametrize(
    ("now", "said"),
    [("RAN 29 0", "31 tests ran before the change and 29 now: 2 fewer"), ("RAN 31 4", "4 tests skipped now, and 1")],
)
def test_fewer_tests_are_a_failure_unless_the_prompt_allows_it(house: MakeHouse, now: str, said: str) -> None:
    at = house({"test.sh": "echo RAN 31 1"})
    verification = at.verification(TEST)
    baseline = verification.baseline()
    tree = at.repository.change({"test.sh": f"echo {now}"})
    report = verification.run(tree, mode="gate", baseline=baseline)
    assert [verdict.outcome for verdict in report.verdicts] == [Outcome.FAILED]
    assert said in report.diagnostics[0].message
    allowed = at.verification(TEST, settings=Settings("repo", scope=Scope(("tests",)), network="none"))
    assert allowed.run(tree, mode="gate", baseline=baseline).passed


def test_tests_that_are_fewer_are_named_with_the_remedy(house: MakeHouse) -> None:
    names = [f"test_{number}" for number in range(8)]
    at = house({"test.sh": "cat names; echo RAN $(wc -l < names) 0", "names": "".join(f"PASS {n}\n" for n in names)})
    verification = at.verification(TEST)
    tree = at.repository.change({"names": "PASS test_7\n"})
    report = verification.run(tree, mode="gate", baseline=verification.baseline())
    assert report.diagnostics[0].message.endswith(
        "7 fewer; put them back, or allow `tests` in the prompt's front matter: test_0, test_1, test_2 and 4 more"
    )


def test_a_failure_of_before_is_none_of_the_change_when_its_file_is_renamed(house: MakeHouse) -> None:
    text = "x = 1\n" * 20
    at = house({"test.sh": "for file in *.py; do echo FAIL $file::test_x; done; echo RAN 9 0; exit 1", "a.py": text})
    verification = at.verification(TEST)
    baseline = verification.baseline()
    renamed = at.repository.change({"a.py": None, "b.py": text})
    assert verification.run(renamed, mode="gate", baseline=baseline).verdicts[0].outcome is Outcome.RED_BEFORE
    added = at.repository.change({"b.py": "y = 2\n"})
    assert verification.run(added, mode="gate", baseline=baseline).verdicts[0].outcome is Outcome.FAILED


def test_what_took_the_place_of_a_verifier_is_named(house: MakeHouse) -> None:
    at = house({"one.sh": "echo RAN 1 0"})
    both = Shell("one.sh", Phase.TEST, also=((Phase.TEST, "two.sh"),))
    verification = at.verification(both)
    tree = at.repository.change({"one.sh": None, "two.sh": "echo RAN 1 0"})
    report = verification.run(tree, mode="gate", baseline=verification.baseline())
    assert report.diagnostics[0].message.endswith(
        "or allow `verifiers` in the prompt: there is two.sh (there is two.sh) in its place"
    )


def test_a_base_commit_that_is_no_measure_is_shown_with_its_cause_and_log(house: MakeHouse) -> None:
    at = house({"build.sh": "echo ERROR no rule to make it; exit 1", "test.sh": "echo RAN 1 0"})
    verification = at.verification(Shell("build.sh", Phase.COMPILE), TEST)
    report = verification.run(at.repository.change({"x": ""}), mode="gate", baseline=verification.baseline())
    assert not report.passed
    assert "no rule to make it" in report.render()
    assert report.verdicts[0].log == "01-baseline/build.sh-..log"
    assert "not run" not in report.render()


def test_a_change_cannot_switch_a_verifier_off(house: MakeHouse) -> None:
    at = house({"lint.sh": "true", "test.sh": "echo RAN 1 0"})
    verification = at.verification(LINT, TEST)
    baseline = verification.baseline()
    tree = at.repository.change({"test.sh": None})
    report = verification.run(tree, mode="gate", baseline=baseline)
    assert named(report.failed) == {"test.sh": Outcome.FAILED}
    assert "there is test.sh" in report.diagnostics[0].message
    allowed = at.verification(LINT, TEST, settings=Settings("repo", scope=Scope(("verifiers",)), network="none"))
    report = allowed.run(tree, mode="gate", baseline=baseline)
    assert report.passed
    assert "test.sh does not apply any more, which the prompt allows" in report.notes


def test_tests_may_move_to_another_directory_but_not_away(house: MakeHouse) -> None:
    at = house({"lint.sh": "true", "old/test.sh": "echo RAN 5 0"})
    verification = at.verification(LINT, TEST)
    baseline = verification.baseline()
    moved = at.repository.change({"old/test.sh": None, "new/test.sh": "echo RAN 5 0"})
    report = verification.run(moved, mode="gate", baseline=baseline)
    assert report.passed
    assert "test.sh (old) is gone, and the directory with it" in report.notes
    report = verification.run(at.repository.change({"old/test.sh": None}), mode="gate", baseline=baseline)
    assert named(report.failed) == {"tests": Outcome.FAILED}
    assert "5 tests ran in old before the change" in report.diagnostics[0].message


# -- what is not run again -------------------------------------------------------------------------------------------


def test_a_gate_after_a_passing_loop_runs_no_tool(house: MakeHouse) -> None:
    at = house({"prepare.sh": "true", "lock": "1", "lint.sh": "true", "test.sh": "echo RAN 1 0"})
    verification = at.verification(PREPARE, LINT, TEST)
    baseline = verification.baseline()
    assert at.started() == ["prepare.sh", "lint.sh", "test.sh"]
    tree = at.repository.change({"x": ""})
    verification.run(tree, mode="loop", baseline=baseline)
    assert at.started() == ["lint.sh", "test.sh"]
    exports = at.repository.exports
    report = verification.run(tree, mode="gate", baseline=baseline)
    assert at.started() == []
    assert at.repository.exports == exports
    assert report.passed
    assert report.strength is Strength.STRONG
    assert all(verdict.cached for verdict in report.verdicts)


def test_a_test_that_is_gone_is_missed_also_where_everything_is_remembered(house: MakeHouse) -> None:
    at = house({"test.sh": "cat tests; echo RAN 2 0", "tests": "PASS one\nPASS two\n"})
    tree = at.repository.change({"tests": "PASS one\nPASS trivial\n"})
    for _ in range(2):
        verification = at.verification(TEST, plugins.load("guards", "lost-tests"))
        report = verification.run(tree, mode="gate", baseline=verification.baseline())
        assert named(report.verdicts) == {"test.sh": Outcome.PASSED, "lost-tests": Outcome.FAILED}
        assert "now: two;" in report.verdicts[-1].diagnostics[0].message
    assert at.started().count("test.sh") == 2


def test_what_had_nothing_to_do_is_not_asked_again_in_the_same_run(house: MakeHouse) -> None:
    at = house({"lint.sh": "echo is not here; exit 5", "test.sh": "echo RAN 1 0"})
    both = Shell("lint.sh", Phase.STATIC, also=((Phase.TEST, "test.sh"),))
    tree = at.repository.change({"x": ""})
    for _ in range(2):
        verification = at.verification(both)
        baseline = verification.baseline()
        at.started()
        loop = verification.run(tree, mode="loop", baseline=baseline)
        assert "lint.sh" in at.started(), "another run asks for itself"
        gate = verification.run(tree, mode="gate", baseline=baseline)
        assert at.started() == []
        assert loop.notes == gate.notes == ("lint.sh: is not here",)


def test_nothing_counts_that_another_version_of_a_tool_has_passed(house: MakeHouse, tmp_path: Path) -> None:
    tool = tmp_path / "tools/tool"

    def install(version: str) -> None:
        tool.parent.mkdir(exist_ok=True)
        tool.write_text(f"#!/bin/sh\necho tool {version}\n")
        tool.chmod(0o755)

    class Versioned(Shell):
        def detect(self, tree: Tree) -> Sequence[Activation]:
            tools = {"tool": (str(tool), "--version"), "other": ("missing", "--version")}
            return [replace(found, plan=SimpleNamespace(tools=tools)) for found in super().detect(tree)]

    install("1.0")
    at = house({"prepare.sh": "true", "lock": "1", "test.sh": "echo RAN 1 0"})
    at.backend = plugins.load("sandboxes", "bubblewrap", {"tools": [str(tool.parent)]})
    verifiers = [Versioned("prepare.sh", Phase.PREPARE, inputs=("lock",)), Versioned("test.sh", Phase.TEST)]
    tree = at.repository.change({"x": ""})
    started = []
    for version in ("1.0", "1.0", "1.1"):
        install(version)
        verification = at.verification(*verifiers)
        report = verification.run(tree, mode="gate", baseline=verification.baseline())
        assert report.passed
        started.append(at.started())
    assert started == [["prepare.sh", "test.sh", "test.sh"], [], ["prepare.sh", "test.sh", "test.sh"]]


def test_the_baseline_is_remembered_with_its_failures_and_damage_is_a_miss(house: MakeHouse) -> None:
    at = house({"test.sh": "echo FAIL a; echo RAN 1 0; exit 1"})
    first = at.verification(TEST).baseline()
    at.started()
    second = at.verification(TEST).baseline()
    assert at.started() == []
    assert named(second.verdicts) == named(first.verdicts) == {"test.sh": Outcome.FAILED}
    for number, text in itertools.product(range(1), ("", "[]", "{", '{"format": 1, "at": "x"}')):
        for path in (at.state / "cache" / "passes").rglob("*.json"):
            path.write_text(text)
        assert named(at.verification(TEST).baseline().verdicts) == named(first.verdicts), number
        assert at.started() == ["test.sh"]


def test_failures_and_partial_passes_run_again(house: MakeHouse) -> None:
    at = house({"test.sh": "echo RAN 1 0"})

    class Partial(Shell):
        def verify(self, activation: Activation, context: Context) -> Verdict:
            verdict = super().verify(activation, context)
            return Verdict(
                verdict.verifier, verdict.phase, verdict.outcome, details={"partial": context.mode == "loop"}
            )

    verification = at.verification(Partial("test.sh", Phase.TEST))
    tree = at.repository.change({"x": ""})
    verification.run(tree, mode="loop", baseline=None)
    verification.run(tree, mode="gate", baseline=None)
    assert at.started() == ["test.sh"] * 2
    failing = at.repository.change({"test.sh": "exit 1"})
    for _ in range(2):
        verification.run(failing, mode="gate", baseline=None)
    assert at.started() == ["test.sh"] * 2


def test_a_test_finds_what_its_own_build_made_even_if_the_build_has_passed_before(house: MakeHouse) -> None:
    at = house({"build.sh": "echo made > out", "try.sh": "cat out; exit 1"})
    both = Shell("build.sh", Phase.COMPILE, also=((Phase.TEST, "try.sh"),))
    verification = at.verification(both)
    tree = at.repository.change({"x": ""})
    for _ in range(2):
        report = verification.run(tree, mode="gate", baseline=None)
        assert report.verdicts[1].summary == "made"
        assert at.started() == ["build.sh", "try.sh"]


# -- layers ----------------------------------------------------------------------------------------------------------

_PREPARED = {
    "lock": "one",
    "prepare.sh": "cp lock dep; echo evil > code; echo cached > ~/cached; echo x >> ~/count",
    "test.sh": "echo RAN 1 0; echo $(cat dep) $(cat code) $(cat ~/cached ~/count)",
    "code": "good\n",
}


def test_preparation_serves_all_chains_and_never_replaces_the_tree(house: MakeHouse) -> None:
    at = house(_PREPARED)
    verification = at.verification(PREPARE, TEST)
    baseline = verification.baseline()
    assert at.started() == ["prepare.sh", "test.sh"]
    assert baseline.verdicts[1].summary.split() == ["one", "good", "cached", "x"]
    report = verification.run(at.repository.change({"code": "better"}), mode="gate", baseline=baseline)
    assert at.started() == ["test.sh"]
    assert report.verdicts[0].cached
    assert report.verdicts[1].summary.split() == ["one", "better", "cached", "x"]


def test_other_inputs_are_prepared_anew_and_stay_in_their_run(house: MakeHouse) -> None:
    at = house(_PREPARED)
    verification = at.verification(PREPARE, TEST)
    baseline = verification.baseline()
    at.started()
    poisoned = at.repository.change(
        {"lock": "two", "prepare.sh": "cp lock dep; echo poison > ~/cached; echo y >> ~/count"}
    )
    report = verification.run(poisoned, mode="loop", baseline=baseline)
    assert at.started() == ["prepare.sh", "test.sh"]
    assert report.verdicts[1].summary.split() == ["two", "good", "poison", "x", "y"]
    again = at.repository.change({"lock": "two", "prepare.sh": _PREPARED["prepare.sh"], "x": ""})
    report = verification.run(again, mode="loop", baseline=baseline)
    assert at.started() == ["prepare.sh", "test.sh"], "what another tree of the change prepared may be poisoned"
    assert "poison" not in report.verdicts[1].summary
    verification.run(again, mode="gate", baseline=baseline)
    assert at.started() == [], "the same tree"
    other = at.verification(PREPARE, TEST)
    report = other.run(again, mode="loop", baseline=baseline)
    assert at.started() == [], "a pass counts, whoever found it"
    report = other.run(at.repository.change({"lock": "two", "y": ""}), mode="loop", baseline=baseline)
    assert at.started() == ["prepare.sh", "test.sh"], "what the first run prepared is not used by a second one"
    assert report.verdicts[1].summary.split() == ["two", "good", "cached", "x", "x"]
    verification.close()
    assert sorted(path.name for path in verification.home.iterdir()) == ["logs"]


def test_a_preparation_that_could_not_be_had_on_the_base_is_not_tried_with_each_change(house: MakeHouse) -> None:
    at = house({"prepare.sh": "exit 5", "lock": "1", "test.sh": "echo RAN 1 0"})
    verification = at.verification(PREPARE, TEST)
    baseline = verification.baseline()
    assert at.started() == ["prepare.sh", "test.sh"], "the base is measured all the same"
    assert verification.run(at.repository.change({"x": ""}), mode="loop", baseline=baseline).passed
    assert at.started() == ["test.sh"]
    verification.run(at.repository.change({"lock": "2"}), mode="loop", baseline=baseline)
    assert at.started() == ["prepare.sh", "test.sh"]


def test_a_new_name_in_a_directory_that_decides_means_a_new_preparation(house: MakeHouse) -> None:
    at = house({"prepare.sh": "true", "test.sh": "echo RAN 1 0", "src/a/x": "1", "b": ""})
    verification = at.verification(Shell("prepare.sh", Phase.PREPARE, inputs=("src/", "./")), TEST)
    baseline = verification.baseline()
    for files, prepared in (({"src/a/x": "2"}, 0), ({"src/c/x": ""}, 1), ({"b": "changed"}, 0), ({"d/x": ""}, 1)):
        at.started()
        verification.run(at.repository.change(files), mode="loop", baseline=baseline)
        assert at.started().count("prepare.sh") == prepared, files


def test_only_the_base_commit_warms_the_home_directory(house: MakeHouse) -> None:
    show = "cat ~/.cache/* 2>/dev/null | tr '\\n' ' '; mkdir -p ~/.cache; echo {0} > ~/.cache/{0}; echo; echo RAN 1 0"
    at = house({"test.sh": show.format("base"), "lint.sh": show.format("lint")})
    verification = at.verification(TEST, LINT)
    baseline = verification.baseline()
    for name in ("first", "second"):
        report = verification.run(at.repository.change({"test.sh": show.format(name)}), mode="gate", baseline=baseline)
        log = (verification.home / "logs" / (report.verdicts[1].log or "?")).read_text()
        assert log.split("\n")[0].split() == ["base", "lint"], name


def test_chains_do_not_see_each_others_files(house: MakeHouse) -> None:
    dirty = "test -e mine-* && exit 1; echo x > mine-{0}; echo {0} > code; rm -f other; echo RAN 1 0"
    at = house({"a.sh": dirty.format("a"), "b.sh": dirty.format("b"), "code": "x", "other": "y"})
    verification = at.verification(Shell("a.sh", Phase.STATIC), Shell("b.sh", Phase.TEST))
    baseline = verification.baseline()
    report = verification.run(at.repository.change({"x": ""}), mode="gate", baseline=baseline)
    assert baseline.passed
    assert report.passed


def test_a_lost_layer_means_a_new_baseline(house: MakeHouse) -> None:
    at = house(_PREPARED)
    at.verification(PREPARE, TEST).baseline()
    at.started()
    for index in (at.state / "cache" / "layers").rglob("index.json"):
        index.write_text("rubbish")
    assert at.verification(PREPARE, TEST).baseline().passed
    assert at.started() == ["prepare.sh", "test.sh"]


def test_runs_at_the_same_time_share_one_baseline(house: MakeHouse) -> None:
    at = house(_PREPARED)
    runs = [at.verification(PREPARE, TEST) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        reports = list(pool.map(lambda run: run.baseline(), runs))
    assert [report.passed for report in reports] == [True] * 3
    assert sorted(at.started()) == ["prepare.sh", "test.sh"]


def test_without_layers_a_chain_prepares_for_itself_in_each_run(tmp_path: Path) -> None:
    repository = Repository.make(tmp_path / "repo", {"lock": "1", "prepare.sh": "echo dep > dep", "try.sh": "cat dep"})
    at = House(tmp_path, plugins.load("sandboxes", "none"), repository)
    both = Shell("prepare.sh", Phase.PREPARE, ("lock",), also=((Phase.TEST, "try.sh"),))
    verification = at.verification(both)
    baseline = verification.baseline()
    report = verification.run(repository.change({"x": ""}), mode="gate", baseline=baseline)
    assert [verdict.summary for verdict in (baseline.verdicts[1], report.verdicts[1])] == ["dep", "dep"]
    assert at.started() == ["prepare.sh", "try.sh"] * 2


# -- stopping, network -----------------------------------------------------------------------------------------------


def test_kill_ends_what_runs_and_lets_nothing_start(house: MakeHouse) -> None:
    at = house({"test.sh": "echo started; sleep 600"})
    running = threading.Event()

    def observe(event: Event) -> None:
        if event.kind == "verifier.started":
            running.set()

    verification = at.verification(TEST, observe=observe)

    def stop() -> None:
        running.wait(30)
        verification.kill()

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(InfraError, match="stopped"):
        verification.baseline()
    thread.join()
    with pytest.raises(InfraError, match="stopped"):
        verification.run(at.repository.base_tree, mode="gate", baseline=None)


_ASK = """
import os, socket, sys
proxy = os.environ.get("HTTPS_PROXY")
if not proxy:
    sys.exit("no proxy")
host, port = proxy.removeprefix("http://").split(":")
link = socket.create_connection((host, int(port)))
link.sendall(b"CONNECT evil.example:443 HTTP/1.1\\r\\n\\r\\n")
print(link.recv(1000).decode().splitlines()[0])
"""


def test_only_preparation_has_a_way_out_and_refusals_are_told(house: MakeHouse) -> None:
    ask = f"{sys.executable} ask.py"
    at = house(
        {"ask.py": _ASK, "lock": "", "prepare.sh": f"{ask}; echo $MAVEN_OPTS", "test.sh": f"{ask} || echo RAN 1 0"}
    )
    verification = at.verification(PREPARE, TEST, settings=Settings("repo"))
    baseline = verification.baseline()
    assert sum(event.kind == "egress.refused" for event in at.events) == 2, "preparation and tests of the base commit"
    assert "-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=" in baseline.verdicts[0].summary
    report = verification.run(at.repository.change({"lock": "2"}), mode="gate", baseline=baseline)
    logs = [(verification.home / "logs" / (verdict.log or "?")).read_text() for verdict in report.verdicts]
    assert logs[0].startswith("HTTP/1.1 403")
    assert "no proxy" in logs[1]
    said = "network: evil.example:443: the host is not on the list of allowed ones; `hosts` in `[verify]`"
    assert any(note.startswith(said) for note in report.notes)


def test_tests_that_need_a_network_are_no_fault_of_a_change_that_has_none(house: MakeHouse) -> None:
    script = f"{sys.executable} ask.py || {{ echo ERROR no proxy; exit 1; }}"
    at = house({"ask.py": _ASK, "test.sh": f"{script}\necho RAN 2 0"})
    verification = at.verification(TEST, settings=Settings("repo"))
    baseline = verification.baseline()
    (verdict,) = baseline.verdicts
    assert verdict.outcome is Outcome.FAILED
    assert verdict.summary.endswith("; with a network all pass")
    report = verification.run(at.repository.change({"README": "more"}), mode="gate", baseline=baseline)
    assert report.failed == ()
    assert not [d for d in report.diagnostics if d.origin is Origin.NEW]


def test_tests_that_ask_nothing_run_once_on_the_base_commit(house: MakeHouse) -> None:
    at = house({"test.sh": "echo x >> runs; echo RAN $(wc -l < runs) 0"})
    (verdict,) = at.verification(TEST, settings=Settings("repo")).baseline().verdicts
    assert verdict.counts == Counts(1)


def test_what_the_base_commit_was_refused_is_told_with_its_failure(house: MakeHouse) -> None:
    at = house({"ask.py": _ASK, "lock": "", "prepare.sh": f"{sys.executable} ask.py; exit 1", "test.sh": "true"})
    verification = at.verification(PREPARE, TEST, settings=Settings("repo"))
    report = verification.run(at.repository.change({"x": ""}), mode="gate", baseline=verification.baseline())
    assert not report.passed
    assert any(note.startswith("network: evil.example:443") for note in report.notes), report.notes


def test_the_summary_tells_new_failures_from_old_ones() -> None:
    old = Diagnostic("old", path="x.py", test="x.py::old")
    before = Verdict("pytest", Phase.TEST, Outcome.FAILED, diagnostics=(old,), counts=Counts(2, 1))
    now = replace(before, diagnostics=(old, replace(old, test="x.py::new")), counts=Counts(2, 2))
    now = replace(now, summary="2 tests, 2 failed; network: none")
    compared = compare(now, before, red=True, tests=False)
    assert compared.summary == "2 of 2 tests failed (1 new, 1 as before); network: none"
