"""Maven reactors: what is found, how Maven is called, and real logs through the whole verifier.

Maven cannot be run without its plug-ins, so a wrapper script plays it here: it writes what the real tool wrote (see
`tests/golden/maven`). The real one is run by `tests/verifiers/by_hand.py`.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from greylag.model import Counts, Diagnostic, Outcome, Phase
from greylag.testing.verifiers import Bench, detect
from greylag.verifiers._tool import Plan
from greylag.verifiers.maven import Maven

MakeBench = Callable[[dict[str, str]], Bench]
GOLDEN = Path(__file__).parent.parent / "golden" / "maven"
WRAPPER = {".mvn/wrapper/maven-wrapper.properties": "", "pom.xml": "<project/>", "core/src/test/java/a/ATest.java": ""}


def test_the_outermost_pom_of_each_tree_is_a_reactor() -> None:
    assert {a.root for a in detect(Maven(), {"pom.xml": "", "core/pom.xml": ""}).values()} == {"."}
    poms = ("api/pom.xml", "api/core/pom.xml", "web/pom.xml", "lib/src/it/x/pom.xml", "examples/y/pom.xml")
    assert {a.root for a in detect(Maven(), dict.fromkeys(poms, "")).values()} == {"api", "web"}


def test_tests_are_run_where_there_are_some() -> None:
    phases = {a.phase for a in detect(Maven(), {"pom.xml": "", "src/main/java/A.java": ""}).values()}
    assert phases == {Phase.PREPARE, Phase.COMPILE}


def test_failsafe_needs_the_phase_verify() -> None:
    pom = "<plugin><artifactId> maven-failsafe-plugin </artifactId></plugin>"
    assert "maven verify" in detect(Maven(), {"pom.xml": pom, "src/test/java/AIT.java": ""})


def test_the_wrapper_is_preferred_when_it_is_whole() -> None:
    def programs(*files: str) -> tuple[tuple[str, ...], ...]:
        plan = detect(Maven(), dict.fromkeys(("pom.xml", *files), ""))["maven compile"].plan
        assert isinstance(plan, Plan)
        return plan.steps[0].programs

    assert programs("mvnw") == (("mvn",),)
    assert programs("mvnw", ".mvn/wrapper/maven-wrapper.properties")[0] == ("sh", "./mvnw")


def test_inputs_are_what_decides_the_artefacts() -> None:
    files = {
        "pom.xml": "",
        "core/pom.xml": "",
        ".mvn/extensions.xml": "",
        "src/main/java/A.java": "",
        "gradle/wrapper/x": "",
    }
    assert detect(Maven(), files)["maven resolve"].inputs == (".mvn/extensions.xml", "core/pom.xml", "pom.xml")


def mvnw(script: str) -> dict[str, str]:
    return {**WRAPPER, "mvnw": f'[ "$1" = -v ] && exit; echo "$MAVEN_OPTS" > opts; echo "$*" > args\n{script}\n'}


def test_later_phases_are_offline_and_the_machine_is_shared(bench: MakeBench) -> None:
    at = bench(mvnw("true"))
    at.verify(Maven(), "maven compile")
    arguments = (at.workspace / "args").read_text().split()
    assert {"-B", "-ntp", "-fae", "-o", "test-compile"} <= set(arguments)
    assert not any("@" in argument for argument in arguments)
    assert "-XX:ActiveProcessorCount=2" in (at.workspace / "opts").read_text()
    at.verify(Maven(), "maven resolve")
    assert "-o" not in (at.workspace / "args").read_text().split()


def test_compile_errors_have_places(bench: MakeBench) -> None:
    log = (GOLDEN / "compile-error.txt").read_text()
    verdict = bench({**mvnw("cat log; exit 1"), "log": log}).verify(Maven(), "maven compile")["maven compile"]
    assert verdict.outcome is Outcome.FAILED
    assert all(d.path and d.path.endswith(".java") and d.line for d in verdict.diagnostics)


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ("[ERROR] COMPILATION ERROR :", Outcome.PASSED),
        (
            "[ERROR] Could not resolve dependencies for project a:b:jar:1: Could not find artifact x:y:jar:9",
            Outcome.FAILED,
        ),
        ("[ERROR] Could not transfer artifact x:y:pom:1 from/to central: Connection refused", Outcome.ERRORED),
        ("[ERROR] Fatal error compiling: error: release version 99 not supported", Outcome.ERRORED),
        ("[ERROR] The plugin a:b:5.1.7 requires Maven version 3.9.6 -> [Help 1]", Outcome.ERRORED),
        ("[ERROR] Detected Maven Version: 3.8.7 is not in the allowed range [3.9,).", Outcome.ERRORED),
    ],
)
def test_preparation_fails_for_what_is_its_own(bench: MakeBench, line: str, outcome: Outcome) -> None:
    verdict = bench(mvnw(f"echo '{line}'; exit 1")).verify(Maven(), "maven resolve")["maven resolve"]
    assert verdict.outcome is outcome


def test_reports_of_all_modules_are_read_and_classes_become_files(bench: MakeBench) -> None:
    case = '<testcase classname="a.ATest" name="{}">{}</testcase>'
    trace = '<failure message="no" type="E">E: no\n\tat a.ATest.two(ATest.java:7)</failure>'
    red = f'<testsuite name="a.ATest">{case.format("one", "")}{case.format("two", trace)}</testsuite>'
    green = f'<testsuite name="b.BTest">{case.format("three", "")}</testsuite>'
    script = (
        "mkdir -p core/target/surefire-reports web/target/failsafe-reports\n"
        "cp red core/target/surefire-reports/TEST-a.ATest.xml; cp green web/target/failsafe-reports/TEST-b.xml\n"
        "echo '[ERROR] There are test failures.'; exit 1"
    )
    verdict = bench({**mvnw(script), "red": red, "green": green}).verify(Maven(), "maven test")["maven test"]
    assert verdict.counts == Counts(3, 1)
    assert [(d.path, d.line) for d in verdict.diagnostics] == [("core/src/test/java/a/ATest.java", 7)]


@pytest.mark.parametrize("line", ["[INFO] No tests to run.", "[INFO] Tests are skipped.", "[INFO] BUILD SUCCESS"])
def test_a_build_without_tests_is_no_pass_of_the_test_phase(bench: MakeBench, line: str) -> None:
    stale = {"core/target/surefire-reports/TEST-a.xml": '<testsuite><testcase name="old"/></testsuite>'}
    verdict = bench({**mvnw(f"echo '{line}'"), **stale}).verify(Maven(), "maven test")["maven test"]
    assert verdict.outcome is Outcome.SKIPPED
    assert verdict.summary == "no tests, and no report of any"


def test_a_module_without_tests_does_not_excuse_another_that_cannot_be_built(bench: MakeBench) -> None:
    script = "echo '[INFO] No tests to run.'; echo '[ERROR] Failed to execute goal a:b:generate on project web'; exit 1"
    verdict = bench(mvnw(script)).verify(Maven(), "maven test")["maven test"]
    assert verdict.outcome is Outcome.FAILED
    assert "project web" in "".join(d.message + d.excerpt for d in verdict.diagnostics)


def test_modules_without_tests_are_prepared_like_others(bench: MakeBench) -> None:
    script = "echo '[INFO] No tests to run.'; echo '[ERROR] COMPILATION ERROR :'; exit 1"
    assert bench(mvnw(script)).verify(Maven(), "maven resolve")["maven resolve"].outcome is Outcome.PASSED


SKIPS = """
for word; do [ "$word" = -Dmaven.test.failure.ignore=true ] && all=yes; done
mkdir -p a/target/surefire-reports b/target/surefire-reports
echo '<testsuite><testcase classname="A" name="old"><failure>no</failure></testcase></testsuite>' \
    > a/target/surefire-reports/TEST-A.xml
[ "$all" ] || exit 1
echo '<testsuite><testcase classname="B" name="new"><failure>no</failure></testcase></testsuite>' \
    > b/target/surefire-reports/TEST-B.xml
"""


def test_modules_that_depend_on_one_with_failed_tests_are_tested_all_the_same(bench: MakeBench) -> None:
    verdict = bench(mvnw(SKIPS)).verify(Maven(), "maven test")["maven test"]
    assert verdict.outcome is Outcome.FAILED
    assert [d.test for d in verdict.diagnostics] == ["A.old", "B.new"]


def test_a_test_process_that_ends_is_told_beside_other_failures(bench: MakeBench) -> None:
    script = """
    mkdir -p target/surefire-reports
    echo '<testsuite><testcase classname="A" name="old"><failure>no</failure></testcase></testsuite>' \
        > target/surefire-reports/TEST-A.xml
    printf '[ERROR] The forked VM terminated without properly saying goodbye. VM crash?\n[ERROR] Command was java\n'
    printf '[ERROR] Crashed tests:\n[ERROR] b.EndTest\n'
    exit 1
    """
    verdict = bench(mvnw(script)).verify(Maven(), "maven test")["maven test"]
    assert verdict.diagnostics[0].test == "A.old"
    assert verdict.diagnostics[1].message.endswith("b.EndTest")


def test_failed_tests_are_run_again_by_their_classes() -> None:
    plan = detect(Maven(), WRAPPER)["maven test"].plan
    assert isinstance(plan, Plan)
    assert plan.steps[0].again
    names = ("a.ATest.one", "a.ATest.two(int)[1]", "b.BTest$Inner.three[x.y]")
    arguments = plan.steps[0].again([Diagnostic("no", test=name) for name in names])
    assert arguments[: len(plan.steps[0].arguments)] == plan.steps[0].arguments
    assert {"-Dtest=a.ATest,b.BTest", "-Dit.test=a.ATest,b.BTest"} <= set(arguments)
