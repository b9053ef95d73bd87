"""Meson projects: what is found, and the real meson, ninja and compiler in the real sandbox."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from greylag import readers
from greylag.model import Counts, Diagnostic, Outcome, Phase, Severity
from greylag.testing.verifiers import Bench, detect
from greylag.verifiers._tool import Plan
from greylag.verifiers.meson import Meson

MakeBench = Callable[[dict[str, str]], Bench]
GOLDEN = Path(__file__).parent.parent / "golden" / "meson"
MAIN = "#include <assert.h>\nint sum(int, int);\nint main(void) {\n  assert(sum(2, 3) == 5);\n}\n"
PROJECT = {
    "meson.build": "project('calc', 'c')\nprog = executable('t', 'src/calc.c', 'tests/t.c')\ntest('sum', prog)\n",
    "src/calc.c": "int sum(int a, int b) { return a + b; }\n",
    "tests/t.c": MAIN,
}


def roots(files: Mapping[str, str]) -> set[str]:
    return {activation.root for activation in detect(Meson(), files).values()}


def test_the_outermost_project_of_each_tree_is_one() -> None:
    project = "project('a')"
    assert roots({"meson.build": project, "subprojects/b/meson.build": project, "src/meson.build": ""}) == {"."}
    assert roots({"a/meson.build": project, "b/meson.build": project, "examples/c/meson.build": project}) == {"a", "b"}
    assert roots({"meson.build": project, "pyproject.toml": ""}) == set()


def test_phases_are_what_the_project_has() -> None:
    def phases(files: Mapping[str, str]) -> list[Phase]:
        return [a.phase for a in detect(Meson(), {"meson.build": "project('a')", **files}).values()]

    assert phases({}) == [Phase.COMPILE]
    assert phases({"tests/meson.build": "foreach x : y\n  test(x, z)\n"}) == [Phase.COMPILE, Phase.TEST]
    assert phases({"subprojects/b.wrap": "[wrap-git]"}) == [Phase.PREPARE, Phase.COMPILE]


def test_what_is_downloaded_is_decided_by_wraps_and_stays_with_the_subprojects() -> None:
    files = {"meson.build": "project('a')", "subprojects/b.wrap": "", "subprojects/packagefiles/b/meson.build": ""}
    prepare = detect(Meson(), {f"lib/{path}": text for path, text in files.items()})["meson subprojects (lib)"]
    assert prepare.inputs == ("lib/subprojects/b.wrap", "lib/subprojects/packagefiles/b/meson.build")
    assert prepare.outputs == ("/lib/subprojects/",)


def test_errors_of_the_compiler_are_relative_to_the_repository() -> None:
    found = readers.native_text((GOLDEN / "compile.txt").read_bytes())
    errors = [(d.path, d.line) for d in found if d.severity is Severity.ERROR]
    assert errors == [("src/calc.c", 1), ("src/calc.c", 2), ("src/calc.c", 3), ("tests/calc_test.c", 1)]


def test_reports_tell_what_ran_and_where_it_broke() -> None:
    counts, failed = readers.junit_xml((GOLDEN / "testlog.junit.xml").read_bytes())
    assert (counts.run, counts.failed, counts.skipped) == (5, 2, 1)
    assert [(d.test, d.path, d.line) for d in failed] == [
        ("calc:unit / product", "tests/calc_test.c", 8),
        ("calc.calc / words 2 - lower case", None, None),
    ]
    assert "product(2, 3) == 6" in failed[0].message


def test_the_log_tells_the_failures_that_the_report_has_for_passes() -> None:
    entries = [
        {"name": "slow", "result": "TIMEOUT", "stdout": "waiting"},
        {"name": "wrong", "result": "FAIL", "stdout": ""},
        {"name": "points", "result": "ERROR", "stdout": "1..2\nok 1\nnot ok 2"},
        {"name": "early", "result": "ERROR", "stdout": "1..3\nok 1\nok 2"},
        {"name": "fine", "result": "OK", "stdout": ""},
        {"result": ["TIMEOUT"]},
    ]
    counts, found = readers.meson_tests("\n".join(map(json.dumps, entries)).encode())
    assert (counts.run, counts.failed) == (0, 2)
    assert [(d.test, d.message.split()[0]) for d in found] == [("slow", "did"), ("early", "ended")]
    assert found[0].excerpt == "waiting"
    data = (GOLDEN / "testlog.junit.xml").read_bytes()
    assert readers.meson_tests(data) == readers.junit_xml(data)
    assert readers.meson_tests(b'{"name": ')[1][0].rule == readers.UNREADABLE


def test_failed_tests_are_run_again_by_their_names() -> None:
    plan = detect(Meson(), PROJECT)["meson test"].plan
    assert isinstance(plan, Plan)
    assert plan.steps[0].again
    names = ("calc:unit / product", "calc.calc / words 2 - lower case", "calc.sum", "calc.tap.1 - a", "calc.tap.2")
    arguments = plan.steps[0].again([Diagnostic("no", test=name) for name in names])
    assert arguments[-5:] == ("--", "product", "words", "sum", "tap")


@pytest.mark.toolchain("meson")
@pytest.mark.toolchain("ninja")
def test_a_project_is_built_beside_its_tree_and_tested(bench: MakeBench) -> None:
    at = bench(PROJECT)
    verdicts = at.verify(Meson())
    assert [verdict.outcome for verdict in verdicts.values()] == [Outcome.PASSED, Outcome.PASSED]
    assert verdicts["meson test"].counts == Counts(1, 0, 0, ("calc / sum",))
    assert {path.name for path in at.workspace.iterdir()} == {"meson.build", "src", "tests"}


@pytest.mark.toolchain("meson")
@pytest.mark.toolchain("ninja")
def test_a_failed_test_is_named_with_its_place(bench: MakeBench) -> None:
    verdict = bench({**PROJECT, "src/calc.c": "int sum(int a, int b) { return a - b; }\n"}).verify(Meson())[
        "meson test"
    ]
    assert (verdict.outcome, verdict.counts) == (Outcome.FAILED, Counts(1, 1))
    assert [(d.test, d.path, d.line) for d in verdict.diagnostics] == [("calc.sum", "tests/t.c", 4)]


@pytest.mark.toolchain("meson")
@pytest.mark.toolchain("ninja")
def test_all_that_does_not_compile_is_named(bench: MakeBench) -> None:
    files = {"src/calc.c": "int sum(int a) { return a + b; }\n", "tests/t.c": "int main(void) { return c; }\n"}
    verdict = bench({**PROJECT, **files}).verify(Meson())["meson compile"]
    errors = {(d.path, d.line) for d in verdict.diagnostics if d.severity is Severity.ERROR}
    assert (verdict.outcome, errors) == (Outcome.FAILED, {("src/calc.c", 1), ("tests/t.c", 1)})


@pytest.mark.toolchain("meson")
@pytest.mark.toolchain("ninja")
def test_errors_of_the_setup_and_a_lack_of_tests_are_told(bench: MakeBench) -> None:
    broken = f"{PROJECT['meson.build']}dependency('no-such-thing')\n"
    verdict = bench({**PROJECT, "meson.build": broken}).verify(Meson(), "meson compile")["meson compile"]
    assert verdict.outcome is Outcome.FAILED
    assert [(d.path, d.line) for d in verdict.diagnostics] == [("meson.build", 4)]
    none = "project('a', 'c')\nif false\n  test('a', find_program('true'))\nendif\n"
    verdict = bench({"meson.build": none}).verify(Meson())["meson test"]
    assert (verdict.outcome, verdict.summary) == (Outcome.SKIPPED, "no tests, and no report of any")


@pytest.mark.toolchain("meson")
@pytest.mark.toolchain("ninja")
def test_a_meson_that_is_too_old_and_a_wrap_that_could_not_be_downloaded_are_the_machines(bench: MakeBench) -> None:
    at = bench({"meson.build": "project('calc', 'c', meson_version: '>=99')\n"})
    assert at.verify(Meson())["meson compile"].outcome is Outcome.ERRORED
    wrap = (
        "[wrap-file]\ndirectory = b-1\nsource_url = https://example.invalid/b\nsource_filename = b\nsource_hash = 0\n"
    )
    files = {"meson.build": "project('calc')\ndependency('no-such-thing')\n", "subprojects/no-such-thing.wrap": wrap}
    verdict = bench(files).verify(Meson(), "meson compile")["meson compile"]
    assert (verdict.outcome, "downloading is disabled" in verdict.summary) == (Outcome.ERRORED, True)
