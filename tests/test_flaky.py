"""Tests that fail and then pass on the same tree: told, not blocking, and only where that is no excuse."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest

from greylag import readers
from greylag.model import Origin, Outcome, Phase, Severity, Verdict
from greylag.protocols import Activation, Command, Completed, Context, Tree
from greylag.report import Report
from greylag.testing.repos import Files
from greylag.testing.verifying import House, MakeHouse
from greylag.verifiers import _tool
from greylag.verifiers._tool import Plan, Step

GREEN = '<testsuite><testcase classname="t.a" name="one" file="t/a.py"/></testsuite>'
RED = GREEN.replace("/><", '><failure message="no">no</failure></testcase><')
FILES = {"green": GREEN, "red": RED, "t/a.py": "", "build.sh": "true"}


@pytest.fixture
def house(house: MakeHouse) -> MakeHouse:
    """With files that all of these repositories have."""
    return lambda files: house({**FILES, **files})


@dataclass(frozen=True)
class Script:
    """Compiles with `build.sh`, tests with `test.sh`: `sh test.sh`, or `sh test.sh again ID...` for what failed.

    `$RUN` tells the tests how often they have been run.
    """

    name: str = "script"
    runs: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    builds: list[Activation] = field(default_factory=list)

    def detect(self, tree: Tree) -> Sequence[Activation]:
        build = Plan((Step((("sh",),), ("build.sh",)),))
        test = Step(
            (("sh",),), ("test.sh",), reports=("out.xml",), read_report=readers.junit_xml, empty_codes=(5,),
            again=lambda failed: ("test.sh", "again", *(str(d.test) for d in failed)),
        )  # fmt: skip
        return [
            Activation(self.name, "build", Phase.COMPILE, ".", "always", (), build),
            Activation(self.name, "test", Phase.TEST, ".", "always", (), Plan((test,))),
        ]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        if activation.phase is Phase.COMPILE:
            self.builds.append(activation)
        return _tool.run(activation, self._counting(context) if activation.phase is Phase.TEST else context)

    def _counting(self, context: Context) -> Context:
        def execute(command: Command) -> Completed:
            return context.execute(replace(command, env={**command.env, "RUN": str(next(self.runs))}))

        @contextmanager
        def again() -> Iterator[Context | None]:
            assert context.again
            with context.again() as other:
                yield other and self._counting(other)

        return replace(context, execute=execute, again=context.again and again)


def changed(at: House, files: Files, *, known: bool = False) -> Report:
    """The report of a change; with a baseline if that is `known`."""
    verification = at.verification(Script())
    baseline = verification.baseline() if known else None
    return verification.run(at.repository.change(files), mode="gate", baseline=baseline)


def of(report: Report) -> Verdict:
    (verdict,) = [verdict for verdict in report.verdicts if verdict.phase is Phase.TEST]
    return verdict


_FLAKY = "if [ $RUN = 1 ]; then cp red out.xml; exit 1; else cp green out.xml; fi\n"


def test_a_test_that_passes_the_second_time_is_told_and_does_not_block(house: MakeHouse) -> None:
    report = changed(house({"test.sh": _FLAKY}), {"x": ""})
    verdict = of(report)
    assert (verdict.outcome, verdict.summary) == (Outcome.PASSED, "1 test, 1 flaky")
    assert [(d.test, d.origin, d.severity) for d in verdict.diagnostics] == [
        ("t.a.one", Origin.FLAKY, Severity.WARNING)
    ]
    assert verdict.counts
    assert (verdict.counts.failed, verdict.counts.passed) == (0, ("t.a.one",))
    assert report.passed
    assert "flaky" in report.render()
    assert "t.a.one" in report.render()


def test_a_pass_by_a_flaky_test_is_not_remembered(house: MakeHouse) -> None:
    at = house({"test.sh": _FLAKY})
    verification = at.verification(Script())
    tree = at.repository.change({"x": ""})
    for _ in range(2):
        verification.run(tree, mode="gate", baseline=None)
        assert at.started() == ["build", "test"]


@pytest.mark.parametrize("green", ["[ $RUN -gt 3 ]", "[ $RUN = 2 ] || [ $RUN = 5 ]"])
def test_one_that_fails_half_of_the_time_is_flaky_at_the_gate(house: MakeHouse, green: str) -> None:
    verdict = of(changed(house({"test.sh": f"{green} && cp green out.xml && exit; cp red out.xml; exit 1"}), {"x": ""}))
    assert (verdict.outcome, verdict.summary) == (Outcome.PASSED, "1 test, 1 flaky")


def test_an_agent_does_not_wait_for_many_runs(house: MakeHouse) -> None:
    at = house({"test.sh": "[ $RUN -gt 2 ] && cp green out.xml && exit; cp red out.xml; exit 1"})
    report = at.verification(Script()).run(at.repository.change({"x": ""}), mode="loop", baseline=None)
    assert of(report).outcome is Outcome.FAILED
    assert "again when they were run again" in report.render()


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("cp red out.xml; exit 1", "it fails again"),
        ("[ -e left ] && cp green out.xml && exit; touch left; cp red out.xml; exit 1", "only for what the first left"),
        ('[ "$1" = again ] && { cp green out.xml; exit 2; }; cp red out.xml; exit 1', "something else fails again"),
        ('[ "$1" = again ] && exit 5; cp red out.xml; exit 1', "it does not run again"),
        ('[ "$1" = again ] && cp green out.xml && exit; cp red out.xml; exit 1', "only the others break it"),
        ("[ $RUN = 2 ] && cp green out.xml && exit; cp red out.xml; exit 1", "it fails most of the time"),
        ("cp green out.xml; exit 1", "it is no test that fails"),
    ],
)
def test_what_is_no_flaky_test_fails(house: MakeHouse, script: str, why: str) -> None:
    verdict = of(changed(house({"test.sh": script}), {"x": ""}))
    assert verdict.outcome is Outcome.FAILED, why
    assert not [d for d in verdict.diagnostics if d.origin is Origin.FLAKY and d.severity is Severity.ERROR]


def test_a_test_that_the_change_has_touched_has_no_excuse(house: MakeHouse) -> None:
    at = house({"test.sh": _FLAKY})
    assert of(changed(at, {"t/a.py": "# another test"})).outcome is Outcome.FAILED
    assert of(changed(at, {"x": ""})).outcome is Outcome.PASSED


def test_neither_has_one_beside_which_a_test_was_touched(house: MakeHouse) -> None:
    """The place that a report names may be a helper's."""
    at = house({"test.sh": _FLAKY, "t/test_b.py": ""})
    assert of(changed(at, {"t/test_b.py": "# another"})).outcome is Outcome.FAILED
    assert of(changed(at, {"t/lib.py": "# no test"})).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("files", "outcome"),
    [
        ({"README": "more"}, Outcome.PASSED),
        ({"t/test_b.py": "# another"}, Outcome.FAILED),
        ({"Makefile": ""}, Outcome.FAILED),
    ],
)
def test_of_one_without_a_file_any_test_or_build_file_may_be_it(
    house: MakeHouse, files: Files, outcome: Outcome
) -> None:
    red, green = (each.replace(' file="t/a.py"', "") for each in (RED, GREEN))
    at = house({"test.sh": _FLAKY, "red": red, "green": green})
    assert of(changed(at, files)).outcome is outcome


def test_many_failures_are_no_coincidence(house: MakeHouse) -> None:
    cases = "".join(f'<testcase classname="t.a" name="n{n}" file="t/a.py">%s</testcase>' for n in range(21))
    red = f"<testsuite>{cases.replace('%s', '<failure/>')}</testsuite>"
    at = house({"test.sh": _FLAKY, "red": red, "green": f"<testsuite>{cases.replace('%s', '')}</testsuite>"})
    assert of(changed(at, {"x": ""})).outcome is Outcome.FAILED


def test_the_second_place_is_built_like_the_first(house: MakeHouse) -> None:
    at = house({"build.sh": "echo built > made", "test.sh": f"cat made || exit 5\n{_FLAKY}"})
    assert of(changed(at, {"x": ""})).outcome is Outcome.PASSED


def test_what_was_built_before_any_test_is_there_for_all_of_them(house: MakeHouse) -> None:
    """Nothing is compiled a second time, neither where tests run again nor for what they have made of it."""
    script = Script()
    build = "rm t/old.py; mkdir out; echo 1 > out/made; echo 1 > $HOME/made"
    test = f"[ -e t/old.py ] && exit 5; cat out/made $HOME/made || exit 5; rm -r out $HOME/made; mkdir out\n{_FLAKY}"
    at = house({"build.sh": build, "test.sh": test, "t/old.py": ""})
    report = at.verification(script).run(at.repository.change({"x": ""}), mode="gate", baseline=None)
    assert (of(report).outcome, of(report).summary) == (Outcome.PASSED, "1 test, 1 flaky")
    assert len(script.builds) == 1


def test_what_a_build_and_tests_of_the_base_commit_leave_in_the_home_is_kept(house: MakeHouse) -> None:
    warm = "mkdir -p $HOME/.warm; touch $HOME/.warm/"
    at = house({"build.sh": f"{warm}built", "test.sh": f"{warm}tested; cp green out.xml"})
    verification = at.verification(Script())
    baseline = verification.baseline()
    cold = {"build.sh": "true", "test.sh": "[ -e $HOME/.warm/built ] && [ -e $HOME/.warm/tested ] && cp green out.xml"}
    assert of(verification.run(at.repository.change(cold), mode="gate", baseline=baseline)).outcome is Outcome.PASSED


def test_one_flaky_and_one_real_failure_are_told_apart(house: MakeHouse) -> None:
    two = '<testcase classname="t.a" name="two" file="t/a.py"><failure message="no">no</failure></testcase>'
    red, green = (each.replace("</testsuite>", f"{two}</testsuite>") for each in (RED, GREEN))
    script = "[ $RUN = 1 ] && cp red out.xml || cp green out.xml; exit 1"
    verdict = of(changed(house({"test.sh": script, "red": red, "green": green}), {"x": ""}))
    assert verdict.outcome is Outcome.FAILED
    assert {(d.test, d.origin) for d in verdict.diagnostics} == {
        ("t.a.one", Origin.FLAKY),
        ("t.a.two", Origin.NEW),
    }
    assert verdict.summary == "2 tests, 1 failed, 1 flaky"


def test_a_flaky_base_commit_is_no_red_one(house: MakeHouse) -> None:
    report = changed(house({"test.sh": _FLAKY}), {"test.sh": "cp red out.xml; exit 1"}, known=True)
    assert of(report).outcome is Outcome.FAILED
    assert [d.origin for d in of(report).diagnostics if d.test] == [Origin.NEW]
