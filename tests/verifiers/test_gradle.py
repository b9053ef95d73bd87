"""Gradle builds: what is found, how Gradle is called, its real logs through the whole verifier, and the real Gradle.

A wrapper script plays the logs: it writes what the real tool wrote (see `tests/golden/gradle`).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from greylag import readers
from greylag.model import Counts, Diagnostic, Outcome, Phase, Severity
from greylag.protocols import Activation, Tree
from greylag.testing.verifiers import Bench, detect
from greylag.verifiers._plan import Plan, Step
from greylag.verifiers.gradle import Gradle

MakeBench = Callable[[dict[str, str]], Bench]
GOLDEN = Path(__file__).parent.parent / "golden" / "gradle"
PROPERTIES = "gradle/wrapper/gradle-wrapper.properties"
WRAPPER = {"gradlew": "", "gradle/wrapper/gradle-wrapper.jar": "", PROPERTIES: ""}
TEST = "core/src/test/java/a/CalcTest.java"


def roots(*paths: str, **texts: str) -> set[str]:
    files = {**dict.fromkeys(paths, ""), **{name.replace("__", "/"): text for name, text in texts.items()}}
    return {activation.root for activation in detect(Gradle(), files).values()}


def step(name: str, files: dict[str, str]) -> Step:
    plan = detect(Gradle(), files)[name].plan
    assert isinstance(plan, Plan)
    return plan.steps[0]


class Otherwise(Gradle):
    """The verifier with steps that are somewhat different, and without asking for versions."""

    def __init__(self, **changes: Any) -> None:
        self._changes = changes

    def detect(self, tree: Tree) -> Sequence[Activation]:
        found = []
        for activation in super().detect(tree):
            assert isinstance(activation.plan, Plan)
            steps = tuple(replace(step, **self._changes) for step in activation.plan.steps)
            found.append(replace(activation, plan=Plan(steps)))
        return found


# -- detection -------------------------------------------------------------------------------------------------------


def test_the_outermost_build_of_each_tree_is_one() -> None:
    assert roots("build.gradle", "core/build.gradle") == {"."}
    assert roots("settings.gradle.kts", "core/build.gradle.kts") == {"."}
    assert roots("api/build.gradle", "api/core/build.gradle", "web/settings.gradle") == {"api", "web"}
    assert roots("examples/a/build.gradle", "src/test/resources/b/settings.gradle", "vendor/c/build.gradle") == set()


def test_a_build_in_a_build_is_one_of_its_own_unless_it_is_part_of_the_other() -> None:
    nested = {"tools/settings.gradle": "", "app/settings.gradle": "", "buildSrc/settings.gradle": ""}
    settings = "include ':app'\nincludeBuild('build-logic')\n"
    files = {**nested, "settings.gradle": settings, "build-logic/settings.gradle.kts": ""}
    assert {a.root for a in detect(Gradle(), files).values()} == {".", "tools"}


def test_an_android_directory_of_another_tool_is_left_to_it() -> None:
    assert roots("android/settings.gradle") == {"android"}
    assert roots("android/settings.gradle", "package.json") == set()
    assert roots("app/android/build.gradle", "app/pubspec.yaml") == set()


def test_phases_are_what_the_build_has() -> None:
    def phases(*paths: str, text: str = "") -> list[Phase]:
        found = detect(Gradle(), {**dict.fromkeys(paths, ""), "build.gradle": text})
        return [activation.phase for activation in found.values()]

    assert phases("src/main/java/A.java") == [Phase.PREPARE, Phase.COMPILE]
    assert phases("src/integrationTest/kotlin/a.kt") == [Phase.PREPARE, Phase.COMPILE, Phase.TEST]
    assert phases(text="plugins { id 'checkstyle' }") == [Phase.PREPARE, Phase.STATIC, Phase.COMPILE]


def test_the_linter_may_be_named_by_a_catalogue_or_by_the_code_of_the_build() -> None:
    for name in ("gradle/libs.versions.toml", "buildSrc/src/main/kotlin/lint.gradle.kts", "core/build.gradle"):
        assert detect(Gradle(), {"build.gradle": "", name: 'id("com.diffplug.spotless")'})["gradle check"].reason == (
            f"spotless in {name}"
        )


def test_the_wrapper_is_run_when_it_is_whole_also_that_of_a_directory_above() -> None:
    files = {**WRAPPER, "build.gradle": "", "api/settings.gradle": ""}
    assert step("gradle compile", files).programs == (("sh", "./gradlew"),)
    assert step("gradle compile (api)", files).programs == (("sh", "../gradlew"),)
    assert step("gradle compile", {"build.gradle": "", "gradlew": "", PROPERTIES: ""}).programs == (("gradle",),)


def test_the_reason_tells_the_version_that_is_pinned() -> None:
    url = r"distributionUrl=https\://services.gradle.org/distributions/gradle-9.1.0-bin.zip"
    found = detect(Gradle(), {**WRAPPER, "build.gradle.kts": "", PROPERTIES: url})
    assert found["gradle compile"].reason == "build.gradle.kts, gradlew of Gradle 9.1.0"


def test_inputs_are_what_decides_the_downloads() -> None:
    settings = "pluginManagement { includeBuild 'logic' }"
    deciding = (
        "buildSrc/src/main/java/A.java",
        "core/build.gradle.kts",
        "gradle.properties",
        "gradle/libs.versions.toml",
    )
    others = ("src/main/java/a/gradle/B.java", "README.md", "tools/settings.gradle", "tools/build.gradle")
    files = {**dict.fromkeys((*deciding, *others, "logic/src/main/java/B.java"), ""), "settings.gradle": settings}
    expected = (*deciding, "logic/src/main/java/B.java", "settings.gradle")
    assert detect(Gradle(), files)["gradle resolve"].inputs == expected


def test_failed_tests_are_run_again_by_their_classes() -> None:
    found = step("gradle test", {"build.gradle": "", TEST: ""})
    assert found.again
    names = ("a.ATest.one", "a.ATest.two(int)[1]", "b.c.BTest$Inner.adds 1.5 to 2()", "no class")
    arguments = found.again([Diagnostic("no", test=name) for name in names])
    assert arguments == (*found.arguments, "-Dgreylag.tests=a.ATest,a.ATest$*,b.c.BTest,b.c.BTest$*")


# -- real output -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("checkstyle", [("core/src/main/java/a/Calc.java", 5, "NeedBraces", "'if' construct must use '{}'s.")]),
        ("groovy-error", [("src/main/groovy/A.groovy", 2, None, "unable to resolve class Nowhere")]),
        ("kotlin-joined", [("src/main/kotlin/A.kt", 3, None, "Unresolved reference: nowhere")]),
        ("kotlin-error", [("src/main/kotlin/A.kt", 3, None, "Unresolved reference: nowhere")]),
        (
            "compile-error",
            [
                ("core/src/main/java/a/Calc.java", 5, None, "variable x is already defined in method add(int,int)"),
                ("core/src/main/java/a/Calc.java", 5, None, "cannot find symbol"),
            ],
        ),
    ],
)
def test_compilers_and_linters_are_read_with_their_places(name: str, expected: object) -> None:
    found = readers.gradle_text((GOLDEN / f"{name}.txt").read_bytes())
    assert [(d.path, d.line, d.rule, d.message) for d in found] == expected


def test_what_only_gradle_says_is_told_with_its_place() -> None:
    (script,) = readers.gradle_text((GOLDEN / "script.txt").read_bytes())
    assert (script.path, script.line) == ("build.gradle", 6)
    assert script.message.startswith("Could not find method nowhere()")
    missing = readers.gradle_text((GOLDEN / "missing-artifact.txt").read_bytes())
    assert {d.message for d in missing} == {"Could not find junit:junit:4.99."}
    assert "':core:testCompileClasspath'" in missing[0].excerpt


def test_newer_compilers_and_linters_are_read_as_their_documentation_has_them() -> None:
    log = b"""
e: file:///workspace/src/A.kt:79:33 Unresolved reference 'x'.
w: file:///workspace/src/A.kt:8:3 Variable 'y' is never used
/workspace/src/B.java:3: warning: [unchecked] unchecked call
/workspace/src/B.java:4:\tUnusedLocalVariable:\tAvoid unused local variables
[Error] /workspace/src/C.scala:5:7: not found: value z
* What went wrong:
Execution failed for task ':compileJava'.
> Compilation failed; see the compiler output below.
  /workspace/src/B.java:9: error: cannot find symbol
* Try:
"""
    found = [(d.path, d.line, d.severity is Severity.ERROR) for d in readers.gradle_text(log)]
    assert found == [
        ("src/A.kt", 79, True),
        ("src/A.kt", 8, False),
        ("src/B.java", 3, False),
        ("src/B.java", 4, True),
        ("src/C.scala", 5, True),
        ("src/B.java", 9, True),
    ]


def test_a_long_hostile_line_takes_no_time() -> None:
    assert readers.gradle_text(b"/" * 100_000 + b"\n" + b"/.java:1" * 20_000 + b"\n" + b": " * 50_000) == ()


def test_reports_name_tests_and_their_files() -> None:
    counts, (failed,) = readers.junit_xml((GOLDEN / "TEST-a.CalcTest.xml").read_bytes(), files=[TEST])
    assert counts == Counts(2, 1, 1, ("a.CalcTest.adds",))
    assert (failed.path, failed.line, failed.test) == (TEST, 16, "a.CalcTest.subtracts")


# -- logs through the whole verifier ---------------------------------------------------------------------------------


def gradlew(script: str, **logs: str) -> dict[str, str]:
    play = f'[ "$1" = --version ] && exit; echo "$*" > args\n{script}\n'
    return {"build.gradle": "", TEST: "", **WRAPPER, "gradlew": play, **logs}


def test_later_phases_are_offline_without_caches_of_results(bench: MakeBench) -> None:
    at = bench(gradlew('for word; do [ -f "$word" ] && cp "$word" init; done; true'))
    at.verify(Gradle(), "gradle compile")
    arguments = (at.workspace / "args").read_text().split()
    assert {"--offline", "--no-daemon", "--no-build-cache", "--continue", "--max-workers=2"} <= set(arguments)
    assert not any("@" in argument for argument in arguments)
    assert "greylagCompile" in (at.workspace / "init").read_text()
    at.verify(Gradle(), "gradle resolve")
    assert "--offline" not in (at.workspace / "args").read_text().split()


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("compile-error", Outcome.PASSED),
        ("checkstyle", Outcome.PASSED),
        ("missing-artifact", Outcome.FAILED),
        ("script", Outcome.FAILED),
        ("network", Outcome.ERRORED),
        ("wrapper-network", Outcome.ERRORED),
        ("offline", Outcome.ERRORED),
    ],
)
def test_preparation_fails_for_what_is_its_own(bench: MakeBench, name: str, outcome: Outcome) -> None:
    at = bench(gradlew("cat log; exit 1", log=(GOLDEN / f"{name}.txt").read_text()))
    assert at.verify(Gradle(), "gradle resolve")["gradle resolve"].outcome is outcome


@pytest.mark.parametrize(
    "log",
    [
        "Error: Could not find or load main class org.gradle.wrapper.GradleWrapperMain",
        "* What went wrong:\nCould not create service of type X.\n",
        "* What went wrong:\nExecution failed for task ':compileJava'.\n> Could not resolve all files for a.\n",
    ],
)
def test_a_build_that_did_not_come_to_its_tasks_is_not_prepared(bench: MakeBench, log: str) -> None:
    verdict = bench(gradlew("cat log; exit 1", log=log)).verify(Gradle(), "gradle resolve")["gradle resolve"]
    assert verdict.outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ("ERROR: JAVA_HOME is not set and no 'java' command could be found in your PATH.", Outcome.ERRORED),
        (
            "   > Cannot find a Java installation on your machine (Linux) matching: {languageVersion=17}",
            Outcome.ERRORED,
        ),
        ("> error: invalid source release: 99", Outcome.ERRORED),
        ("Unsupported class file major version 69", Outcome.ERRORED),
        ("> No cached version of a:b:1 available for offline mode.", Outcome.ERRORED),
        ("    Unsupported class file major version 69", Outcome.FAILED),  # as a test prints it
        ("> Process 'Gradle Test Executor 1' finished with non-zero exit value 134", Outcome.FAILED),
    ],
)
def test_what_the_machine_lacks_is_no_failure(bench: MakeBench, line: str, outcome: Outcome) -> None:
    log = f"* What went wrong:\nExecution failed for task ':test'.\n{line}\n\n* Try:\n"
    verdict = bench(gradlew("cat log; exit 1", log=log)).verify(Gradle(), "gradle test")["gradle test"]
    assert verdict.outcome is outcome


@pytest.mark.parametrize("code", [0, 1])
def test_reports_of_all_projects_and_suites_count_and_stale_ones_do_not(bench: MakeBench, code: int) -> None:
    green = '<testsuite name="b.BTest"><testcase classname="b.BTest" name="one"/></testsuite>'
    script = (
        "mkdir -p core/build/test-results/test web/build/test-results/integrationTest\n"
        "cp red core/build/test-results/test/TEST-a.xml; cp green web/build/test-results/integrationTest/TEST-b.xml\n"
        f"echo; echo '> There were failing tests.'; exit {code}"
    )
    stale = {"old/build/test-results/test/TEST-c.xml": green}
    files = gradlew(script, red=(GOLDEN / "TEST-a.CalcTest.xml").read_text(), green=green, **stale)
    verdict = bench(files).verify(Gradle(), "gradle test")["gradle test"]
    assert (verdict.outcome, verdict.counts) == (Outcome.FAILED, Counts(3, 1, 1, ("a.CalcTest.adds", "b.BTest.one")))
    assert [(d.path, d.line) for d in verdict.diagnostics] == [(TEST, 16)]


def test_a_build_whose_tests_are_none_has_not_passed_them(bench: MakeBench) -> None:
    verdict = bench(gradlew("echo BUILD SUCCESSFUL")).verify(Gradle(), "gradle test")["gradle test"]
    assert (verdict.outcome, verdict.summary) == (Outcome.SKIPPED, "no tests, and no report of any")


def test_a_machine_without_gradle_is_not_the_changes_fault(bench: MakeBench) -> None:
    missing = Otherwise(programs=(("no-gradle-here",),))
    verdict = bench({"build.gradle": ""}).verify(missing, "gradle compile")["gradle compile"]
    assert verdict.outcome is Outcome.ERRORED
    assert "install Gradle" in verdict.summary


# -- the real Gradle -------------------------------------------------------------------------------------------------

BUILD = """apply plugin: 'java'
def jars = { place, names -> fileTree(place) { names.each { include it } } }
dependencies {
    testImplementation jars(gradle.gradleHomeDir, ['lib/junit-4*.jar', 'lib/hamcrest*.jar'])
    testImplementation jars('/usr/share/java', ['junit4.jar', 'hamcrest.jar'])
}
"""
CALC = "package a;\n\nclass Calc {\n    static int add(int x, int y) {\n        return x + y;\n    }\n}\n"
CALC_TEST = """package a;

import org.junit.Assert;
import org.junit.Test;

public class CalcTest {
    @Test
    public void adds() {
        Assert.assertEquals(5, Calc.add(2, 3));
    }

    @Test
    public void wrong() {
        Assert.assertEquals(9, Calc.add(2, 3));
    }
}
"""
PROJECT = {
    "settings.gradle": "",
    "build.gradle": BUILD,
    "gradle.properties": "org.gradle.caching=true\n",
    "src/main/java/a/Calc.java": CALC,
    "src/test/java/a/CalcTest.java": CALC_TEST,
}


@pytest.fixture
def quick() -> Gradle:
    """Gradle with the first compiler of the JVM only, which halves what these short builds take."""
    return Otherwise(append={"GRADLE_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"})


@pytest.mark.toolchain("gradle")
def test_a_failed_test_is_named_with_its_place(bench: MakeBench, quick: Gradle) -> None:
    verdict = bench(PROJECT).verify(quick, "gradle test")["gradle test"]
    assert verdict.counts == Counts(2, 1, 0, ("a.CalcTest.adds",)), verdict
    assert [(d.path, d.line) for d in verdict.diagnostics] == [("src/test/java/a/CalcTest.java", 14)]


@pytest.mark.toolchain("gradle")
def test_all_that_does_not_compile_is_named(bench: MakeBench, quick: Gradle) -> None:
    broken = CALC.replace("return x + y;", "return x + nowhere;")
    at = bench({**PROJECT, "src/main/java/a/Calc.java": broken})
    verdict = at.verify(quick, "gradle compile")["gradle compile"]
    assert verdict.outcome is Outcome.FAILED
    assert [(d.path, d.line, d.message) for d in verdict.diagnostics] == [
        ("src/main/java/a/Calc.java", 5, "cannot find symbol")
    ]
