"""sbt builds: what is found, how sbt is called, and real logs and reports of sbt 1.10 through the whole verifier.

sbt cannot be run without what it downloads, so a script plays it here: it prints what the real tool printed (see
`tests/golden/sbt`). The real one is run by `tests/verifiers/by_hand.py`.
"""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from greylag import readers
from greylag.model import Counts, Diagnostic, Outcome, Phase, Severity
from greylag.testing.verifiers import Bench, detect
from greylag.verifiers._tool import Plan, Step
from greylag.verifiers.sbt import Sbt

MakeBench = Callable[[dict[str, str]], Bench]
GOLDEN = Path(__file__).parent.parent / "golden" / "sbt"
PINNED = {"build.sbt": "", "project/build.properties": "sbt.version=1.10.7\n"}
TEST = {"core/src/test/scala/CalcSuite.scala": ""}


def steps(files: dict[str, str], name: str) -> tuple[Step, ...]:
    plan = detect(Sbt(), files)[name].plan
    assert isinstance(plan, Plan)
    return plan.steps


def read(name: str) -> list[tuple[str | None, int | None, int | None, str | None, str]]:
    found = readers.sbt_text((GOLDEN / name).read_bytes())
    return [(d.path, d.line, d.column, d.rule, d.message) for d in found if d.severity is Severity.ERROR]


def test_builds_are_the_outermost_and_those_with_a_version_of_their_own() -> None:
    files = {**PINNED, "core/build.sbt": "", "project/plugins.sbt": "", "tools/build.sbt": ""}
    assert {a.root for a in detect(Sbt(), files).values()} == {"."}
    files |= {"tools/project/build.properties": "sbt.version=1.9.0", "src/sbt-test/a/b/build.sbt": ""}
    assert {a.root for a in detect(Sbt(), files).values()} == {".", "tools"}
    assert {a.root for a in detect(Sbt(), files | {"build.sbt": 'RootProject(file("tools"))'}).values()} == {"."}
    apart = {"api/build.sbt": "", "jobs/project/build.properties": "sbt.version = 1.9.0", "examples/a/build.sbt": ""}
    assert {a.root for a in detect(Sbt(), apart).values()} == {"api", "jobs"}
    assert not detect(Sbt(), {"project/build.properties": "version=1"})


def test_only_what_is_set_up_and_there_is_run() -> None:
    assert [a.phase for a in detect(Sbt(), PINNED).values()] == [Phase.PREPARE, Phase.COMPILE]
    plugins = 'addSbtPlugin("org.scalameta" % "sbt-scalafmt" % "2")\naddSbtPlugin("a" % "sbt-scalafix" % "1")\n'
    files = {**PINNED, **TEST, ".scalafmt.conf": "", ".scalafix.conf": ""}
    assert [a.phase for a in detect(Sbt(), files).values()] == [Phase.PREPARE, Phase.COMPILE, Phase.TEST]
    found = detect(Sbt(), files | {"project/plugins.sbt": plugins})
    assert list(found) == ["sbt update", "sbt scalafmt", "sbt scalafix", "sbt compile", "sbt test"]
    assert found["sbt test"].reason == "build.sbt, sbt 1.10.7"
    assert steps(files | {"project/plugins.sbt": plugins}, "sbt update")[2].arguments == ("scalafixAll --check",)


def test_inputs_are_what_decides_what_is_downloaded() -> None:
    files = {
        **PINNED,
        **TEST,
        "project/Deps.scala": "",
        ".scalafmt.conf": "",
        "core/version.sbt": "",
        "conf/a.conf": "",
    }
    inputs = detect(Sbt(), files)["sbt update"].inputs
    assert inputs == (
        ".scalafmt.conf",
        "build.sbt",
        "core/version.sbt",
        "project/Deps.scala",
        "project/build.properties",
    )


@pytest.mark.parametrize(
    ("version", "compilation", "tests"),
    [("0.13.18", "test:compile", "test"), ("1.10.7", "Test/compile", "test"), ("2.0.0", "Test/compile", "testFull")],
)
def test_commands_are_those_of_the_version(version: str, compilation: str, tests: str) -> None:
    files = {"build.sbt": "", "project/build.properties": f"sbt.version={version}", **TEST}
    assert steps(files, "sbt compile")[0].arguments[-1] == compilation
    assert tests in steps(files, "sbt test")[0].arguments
    assert (steps(files, "sbt compile")[0].arguments[0] == "--server") is version.startswith("2")


def test_a_wrapper_is_preferred() -> None:
    assert steps(PINNED, "sbt compile")[0].programs == (("sbt",),)
    wrapped = PINNED | {"sbt": "#!/usr/bin/env bash\njava -jar sbt-launch.jar"}
    assert steps(wrapped, "sbt compile")[0].programs == (("bash", "./sbt"), ("sbt",))


def test_failed_tests_are_run_again_by_their_suites() -> None:
    again = steps({**PINNED, **TEST}, "sbt test")[0].again
    assert again
    names = ("shop.CalcSuite.adds 1 to 2", "shop.CalcSuite.x; exit", "web.It$Inner.a", "nothing")
    assert again([Diagnostic("no", test=name) for name in names])[1] == (
        "testOnly shop.CalcSuite shop.CalcSuite$* web.It web.It$*"
    )


def test_errors_of_compilers_have_places() -> None:
    calc = "src/main/scala/shop/Calc.scala"
    assert read("scala2.txt")[:2] == [
        (calc, 4, 34, None, 'type mismatch; found: String("three") required: Int'),
        (calc, 5, 26, None, "not found: value missing"),
    ]
    assert read("scala2.txt")[-1][:2] == ("core/src/main/scala/Core.scala", 1)
    assert read("scala3.txt") == [
        (calc, 3, 34, "E007", 'Found: ("three" : String) Required: Int'),
        (calc, 4, 26, "E006", "Not found: missing"),
    ]
    assert read("javac.txt")[-1] == (
        *("src/main/java/shop/Legacy.java", 4, 22, None),
        "cannot find symbol symbol: variable three location: class shop.Legacy",
    )
    (warning,) = (d for d in readers.sbt_text((GOLDEN / "scala2.txt").read_bytes()) if d.severity is Severity.WARNING)
    assert (warning.line, warning.message) == (2, "Unused import")


def test_a_definition_that_is_wrong_has_a_place() -> None:
    assert read("definition.txt") == [("build.sbt", 3, None, None, "not found: value projekt")]
    assert read("definition-syntax.txt") == [("build.sbt", 3, None, None, "')' expected but eof found.")]


def test_scalafmt_and_scalafix_name_files() -> None:
    calc = "src/main/scala/shop/Calc.scala"
    assert read("scalafmt.txt") == [(calc, None, None, "scalafmt", "is not formatted")]
    assert read("scalafix.txt") == [(calc, 4, 3, "DisableSyntax.var", "mutable state should be avoided")]
    assert read("scalafix-diff.txt") == [(calc, None, None, "scalafix", "scalafix would change this file")]


def test_a_task_that_failed_is_told_where_nothing_has_a_place() -> None:
    ((*_, rule, message),) = read("unresolved.txt")
    assert (rule, message[-58:]) == ("update", "ResolveException: Error downloading org.example:nothing_3:1.0"[-58:])
    assert read("network.txt")[-1][3:] == ("launcher", "could not retrieve sbt 1.10.7")


@pytest.mark.parametrize(
    "hostile",
    [
        b"[error] -- " + b"a " * 200_000,
        b"[error] /a.scala:1:1: x\n" * 10_000,
        b"[error] -- [E1] Error: /a.scala:1:1\n[error]   |\n" * 8_000,
        b"[error] " + b"/a" * 200_000,
        b"[error] (" + b"(" * 400_000,
        b"[error] [/a.sbt" * 30_000,
    ],
)
def test_hostile_logs_are_read_in_no_time(hostile: bytes) -> None:
    begin = time.process_time()
    readers.sbt_tests(hostile)
    assert time.process_time() - begin < 3


# -- the whole verifier ----------------------------------------------------------------------------------------------


def played(script: str, **files: str) -> dict[str, str]:
    begin = '# sbt-launch\nprintf "%s\\n" "$@" > arguments; echo "$SBT_OPTS" > options\n'
    return {**PINNED, **TEST, "sbt": f"{begin}{script}\n", **files}


def logged(name: str, code: int, **files: str) -> dict[str, str]:
    return played(f"cat log; exit {code}", log=(GOLDEN / name).read_text(), **files)


def reported(log: str, code: int, *reports: str) -> dict[str, str]:
    copies = "".join(
        f"mkdir -p {name}/target/test-reports; cp {name}.x {name}/target/test-reports/TEST-a.xml\n" for name in reports
    )
    files = {f"{name}.x": (GOLDEN / f"{name}.xml").read_text() for name in reports}
    return played(f"{copies}cat log; exit {code}", log=(GOLDEN / log).read_text(), **files)


def test_the_machine_is_shared_and_later_phases_are_offline(bench: MakeBench) -> None:
    at = bench(played('echo "$COURSIER_MODE" > mode'))
    at.verify(Sbt(), "sbt compile")
    assert (at.workspace / "arguments").read_text() == "Test/compile\n"
    assert "-XX:ActiveProcessorCount=2" in (at.workspace / "options").read_text()
    assert "@" not in (at.workspace / "options").read_text()
    assert (at.workspace / "mode").read_text() == "offline\n"
    at.verify(Sbt(), "sbt update")
    assert (at.workspace / "mode").read_text() == "\n"


@pytest.mark.parametrize(
    ("log", "outcome"),
    [
        ("scala2.txt", Outcome.PASSED),  # for the later phases to say
        ("definition.txt", Outcome.FAILED),
        ("unresolved.txt", Outcome.FAILED),
        ("network.txt", Outcome.ERRORED),
    ],
)
def test_preparation_fails_for_what_is_its_own(bench: MakeBench, log: str, outcome: Outcome) -> None:
    assert bench(logged(log, 1)).verify(Sbt(), "sbt update")["sbt update"].outcome is outcome


def test_compile_errors_fail_with_places(bench: MakeBench) -> None:
    verdict = bench(logged("scala3.txt", 1)).verify(Sbt(), "sbt compile")["sbt compile"]
    assert (verdict.outcome, verdict.summary) == (Outcome.FAILED, "2 errors")
    assert verdict.diagnostics[0].line == 3


def test_reports_of_all_projects_are_read_and_suites_become_files(bench: MakeBench) -> None:
    stale = {"old/target/test-reports/TEST-old.xml": '<testsuite><testcase name="old"/></testsuite>'}
    files = {**reported("scala2.txt", 1, "munit", "scalatest"), **stale, "web/src/test/scala/CalcSpec.scala": ""}
    verdict = bench(files).verify(Sbt(), "sbt test")["sbt test"]
    assert (verdict.outcome, verdict.counts) == (Outcome.FAILED, Counts(4, 2, 1))
    assert verdict.counts
    assert verdict.counts.passed == ("shop.CalcSuite.adds two numbers", "shop.web.CalcSpec.adds")
    assert [(d.path, d.line) for d in verdict.diagnostics] == [
        ("core/src/test/scala/CalcSuite.scala", 4),
        ("web/src/test/scala/CalcSpec.scala", 5),
    ]
    assert "[7m" not in verdict.diagnostics[0].message + verdict.diagnostics[0].excerpt  # what was a colour
    assert "shop.web.CalcSpec" in verdict.diagnostics[1].excerpt
    assert "org.scalatest.Assertions" not in verdict.diagnostics[1].excerpt


def test_a_test_that_ends_the_whole_process_is_no_pass(bench: MakeBench) -> None:
    green = '<testsuite><testcase classname="a.B" name="c"/></testsuite>'
    script = "mkdir -p target/test-reports; cp x target/test-reports/TEST-a.xml; cat log"
    quit_ = played(script, log=(GOLDEN / "quit.txt").read_text(), x=green)
    verdict = bench(quit_).verify(Sbt(), "sbt test")["sbt test"]
    assert verdict.outcome is Outcome.FAILED
    assert "it ended before it said that all tests were over" in verdict.summary
    whole = played(script, log=(GOLDEN / "end.txt").read_text(), x=green)
    assert bench(whole).verify(Sbt(), "sbt test")["sbt test"].outcome is Outcome.PASSED


def test_no_test_is_no_pass(bench: MakeBench) -> None:
    verdict = bench(logged("end.txt", 0)).verify(Sbt(), "sbt test")["sbt test"]
    assert (verdict.outcome, verdict.summary) == (Outcome.SKIPPED, "no tests, and no report of any")


def test_what_a_test_prints_is_no_excuse(bench: MakeBench) -> None:
    log = "[error] x: No space left on device\n[error] (Test / test) sbt.TestsFailedException: Tests unsuccessful\n"
    verdict = bench(played("cat log; exit 1", log=log)).verify(Sbt(), "sbt test")["sbt test"]
    assert verdict.outcome is Outcome.FAILED
