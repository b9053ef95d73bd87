"""CMake projects: what is found, and the real cmake, compiler and ctest in the real sandbox."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from greylag import readers
from greylag.model import Counts, Outcome, Phase, Severity, Verdict
from greylag.protocols import Activation, Change, Context, Sandbox, Tree
from greylag.testing.verifiers import Bench, Files, detect
from greylag.verifiers._tool import Plan
from greylag.verifiers.cmake import CMake

MakeBench = Callable[[dict[str, str]], Bench]
GOLDEN = Path(__file__).parent.parent / "golden" / "cmake"
LISTS = """cmake_minimum_required(VERSION 3.10)
project(calc C)
add_library(calc src/calc.c)
enable_testing()
add_executable(calc_test tests/calc_test.c)
target_link_libraries(calc_test calc)
foreach(name sum product)
  add_test(NAME ${name} COMMAND calc_test ${name})
endforeach()
"""
PROJECT = {
    "CMakeLists.txt": LISTS,
    "src/calc.c": "int sum(int a, int b) { return a + b; }\nint product(int a, int b) { return a * b; }\n",
    "tests/calc_test.c": """#include <assert.h>
#include <string.h>
int sum(int, int);
int product(int, int);
int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "sum") == 0) assert(sum(2, 3) == 5);
  else assert(product(2, 3) == 6);
}
""",
}


def roots(files: Mapping[str, str]) -> set[str]:
    return {activation.root for activation in detect(CMake(), files).values()}


# -- detection -------------------------------------------------------------------------------------------------------


def test_the_outermost_project_of_each_tree_is_one() -> None:
    project = "project(a)"
    assert roots({"CMakeLists.txt": project, "src/CMakeLists.txt": project}) == {"."}
    assert roots({"a/CMakeLists.txt": project, "b/CMakeLists.txt": "Project (b)", "c/CMakeLists.txt": ""}) == {"a", "b"}
    assert roots({"third_party/z/CMakeLists.txt": project, "examples/a/CMakeLists.txt": project}) == set()


@pytest.mark.parametrize("owner", ["pyproject.toml", "package.json", "Cargo.toml", "build.gradle.kts"])
def test_a_build_that_another_one_calls_is_left_to_it(owner: str) -> None:
    assert roots({"CMakeLists.txt": "project(a)", owner: ""}) == set()
    assert roots({"native/CMakeLists.txt": "project(a)", owner: ""}) == set()
    assert roots({"native/CMakeLists.txt": "project(a)", f"web/{owner}": ""}) == {"native"}


def test_phases_are_what_the_project_has() -> None:
    def phases(text: str) -> list[Phase]:
        return [activation.phase for activation in detect(CMake(), {"CMakeLists.txt": text}).values()]

    assert phases("project(a)") == [Phase.COMPILE]
    assert phases("project(a)\ninclude(CTest)") == [Phase.COMPILE, Phase.TEST]
    assert phases("project(a)\ninclude(FetchContent)") == [Phase.PREPARE, Phase.COMPILE]


def test_what_is_fetched_is_decided_by_the_files_of_cmake() -> None:
    files = {"CMakeLists.txt": "project(a)", "cmake/deps.cmake": "FetchContent_Declare(x)", "src/a.c": ""}
    assert detect(CMake(), files)["cmake"].inputs == ("CMakeLists.txt", "cmake/deps.cmake")


# -- real output -----------------------------------------------------------------------------------------------------


def test_errors_of_compiler_linker_and_configuration_are_read() -> None:
    def read(name: str) -> list[tuple[str | None, int | None, str | None, str]]:
        found = readers.native_text((GOLDEN / f"{name}.txt").read_bytes(), ".", "/workspace")
        return [(d.path, d.line, d.rule, d.message) for d in found]

    assert read("compile") == [("src/calc.cpp", 2, None, "nowhere.h: No such file or directory")]
    assert read("link") == [(None, None, "linker", "undefined reference to `sub(int, int)' (in add_test.cpp)")]
    (error,) = read("configure")
    assert error[:3] == ("CMakeLists.txt", 15, "find_package")
    assert 'not providing "FindNowhere.cmake"' in error[3]


def test_warnings_have_their_names_and_are_no_errors() -> None:
    log = b"/workspace/a.c:3:7: warning: unused variable 'x' [-Wunused-variable]\n"
    (warning,) = readers.native_text(log)
    assert (warning.path, warning.line, warning.column, warning.rule) == ("a.c", 3, 7, "-Wunused-variable")
    assert warning.severity is Severity.WARNING


def test_reports_of_ctest_tell_what_ran_and_where_it_broke() -> None:
    counts, failed = readers.junit_xml((GOLDEN / "ctest.xml").read_bytes(), ".", "/workspace")
    assert counts == Counts(3, 2, 2, ("add",))
    assert [(d.test, d.path, d.line) for d in failed] == [
        ("names", "tests/names_test.cpp", 4),
        ("crash", "tests/crash_test.cpp", 3),
    ]
    assert readers.ctest_text((GOLDEN / "ctest.txt").read_bytes())[0] == counts


def test_of_a_program_with_many_tests_the_failed_one_is_shown() -> None:
    fine = "".join(f"/workspace/t/a.c:{n}:fine:PASS\n" for n in range(1, 30))
    output = f"{fine}/workspace/t/a.c:174:checks_types:FAIL: Expected TRUE Was FALSE\n{fine}"
    case = f'<testcase name="t" status="fail"><failure message=""/><system-out>{output}</system-out></testcase>'
    _, (failed,) = readers.junit_xml(f"<testsuite>{case}</testsuite>".encode(), ".", "/workspace")
    assert (failed.path, failed.line) == ("t/a.c", 174)
    assert "checks_types:FAIL" in failed.message
    assert "PASS" not in failed.excerpt


# -- options that turn tests on ----------------------------------------------------------------------------------------

OPTIONAL = LISTS.replace("enable_testing()", "option(CALC_TESTS calc)\nif(CALC_TESTS)\nenable_testing()") + "endif()\n"
WORKFLOW = ".github/workflows/ci.yml"
ON = {"CMakeLists.txt": OPTIONAL, WORKFLOW: "jobs:\n  a:\n    steps:\n    - run: cmake -B b -DCALC_TESTS=ON\n"}


def turned_on(files: Mapping[str, str]) -> tuple[str, ...]:
    """What is added to the arguments of the configuration of a project that knows these options."""
    known = "project(a)\noption(A_TESTS)\noption(A_TEST_SLOW)\noption(NO_TESTS)\n"
    plan = detect(CMake(), {"CMakeLists.txt": known, **files})["cmake --build"].plan
    assert isinstance(plan, Plan)
    return plan.steps[0].arguments[4:]


def run(text: str) -> dict[str, str]:
    return {WORKFLOW: f"jobs:\n  a:\n    steps:\n    - run: {text}\n"}


@pytest.mark.parametrize(
    "files",
    [
        run("cmake -S . -B b -DA_TESTS=ON"),
        run("mkdir b && cd b && cmake .. -D A_TESTS=1 && make"),
        run('"cmake .. -DA_TESTS:BOOL=True"'),
        run("|\n        cmake \\\n          -DCMAKE_BUILD_TYPE=Debug \\\n          '-DA_TESTS=yes' .."),
        run(">-\n        cmake ..\n        -DA_TESTS=ON"),
        run("cmake -DA_TESTS=ON ..\n    - run: cmake -DA_TESTS=ON ..\n    - run: cmake -DA_TEST_SLOW=ON .."),
        {".gitlab-ci.yml": "a:\n  script:\n  - cmake3 -DA_TESTS=ON .\n"},
        {"appveyor.yml": "build_script:\n- cmd: cmake.exe -DA_TESTS=ON .\n"},
        {**run("./ci/build.sh Debug"), "ci/build.sh": "set -e\ncmake -DA_TESTS=ON ..\n"},
    ],
)
def test_options_that_turn_tests_on_are_those_of_ci(files: Mapping[str, str]) -> None:
    assert turned_on(files) == ("-DA_TESTS=ON",)


@pytest.mark.parametrize(
    "files",
    [
        {},
        run("cmake -DA_TESTS=OFF -DCMAKE_BUILD_TYPE=Debug .."),
        run("cmake -DA_TESTS=${{matrix.tests}} -DA_TEST_SLOW=/usr/bin/true .."),
        run("cmake -DNO_TESTS=ON .."),
        run("cmake -DOTHER_TESTS=ON .."),
        run("echo -DA_TESTS=ON"),
        run("cmake --build b -DA_TESTS=ON"),
        run("'# cmake -DA_TESTS=ON'"),
        {"ci/build.sh": "cmake -DA_TESTS=ON ..\n", "README.md": "cmake -DA_TESTS=ON .."},
        {WORKFLOW: "a: [\n"},
    ],
)
def test_no_other_option_is_taken_over(files: Mapping[str, str]) -> None:
    assert turned_on(files) == ()


@pytest.mark.parametrize(
    "piece", ["cmake ", "cmake -D", "-DTEST", "TEST", "[", "a.sh ", "/a.sh", "cmake \\\n", "# ", 'cmake -D"']
)
def test_hostile_files_of_ci_are_read_in_no_time(piece: str) -> None:
    text = "a: |\n  cmake " + piece * (250_000 // len(piece))
    began = time.monotonic()
    assert turned_on({WORKFLOW: text, ".ci/build.sh": text, ".gitlab-ci.yml": piece * (1_000_000 // len(piece))}) == ()
    assert time.monotonic() - began < 5


def test_the_options_are_those_of_the_base_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Sequence[str]] = []

    def note(activation: Activation, _: Context) -> Verdict:
        assert isinstance(activation.plan, Plan)
        taken.append(activation.plan.steps[0].arguments[4:])
        return Verdict(activation.name, activation.phase, Outcome.FAILED)

    monkeypatch.setattr("greylag.verifiers._tool.run", note)
    without = {**ON, WORKFLOW: ""}
    for base, head in ((ON, without), (without, ON)):
        context = Context(Change(Files(base), Files(head), ""), cast("Sandbox", None), Path(), cast("Any", None))
        CMake().verify(detect(CMake(), head)["cmake --build"], context)
    assert taken == [("-DCALC_TESTS=ON",), ()]


@pytest.mark.toolchain("cmake")
@pytest.mark.toolchain("cc")
def test_tests_that_only_ci_turns_on_are_run(bench: MakeBench) -> None:
    verdicts = bench({**PROJECT, **ON}).verify(CMake())
    assert verdicts["cmake --build"].summary == "with -DCALC_TESTS=ON, as CI has it"
    assert verdicts["ctest"].counts == Counts(2, 0, 0, ("product", "sum"))
    wrong = PROJECT["src/calc.c"].replace("a * b", "a + b")
    assert bench({**PROJECT, **ON, "src/calc.c": wrong}).verify(CMake())["ctest"].outcome is Outcome.FAILED


@pytest.mark.toolchain("cmake")
@pytest.mark.toolchain("cc")
def test_an_option_with_which_the_base_commit_cannot_be_built_is_left_out(bench: MakeBench) -> None:
    lists = LISTS + "option(CALC_TESTS calc)\nif(CALC_TESTS)\nfind_package(NoSuchThing REQUIRED)\nendif()\n"
    at = bench({**PROJECT, **ON, "CMakeLists.txt": lists})
    base = at.verify(CMake(), mode="baseline")
    assert {verdict.outcome for verdict in base.values()} == {Outcome.PASSED}
    assert base["cmake --build"].summary.startswith("without -DCALC_TESTS=ON, although CI has it")
    after = at.verify(CMake(), before=tuple(base.values()))
    assert {verdict.outcome for verdict in after.values()} == {Outcome.PASSED}
    at.files["CMakeLists.txt"] = lists.replace("add_library(", "add_librar(")
    assert at.verify(CMake(), before=tuple(base.values()))["cmake --build"].outcome is Outcome.FAILED


# -- the real tools --------------------------------------------------------------------------------------------------


@pytest.fixture
def project(bench: MakeBench) -> Callable[[dict[str, str]], Bench]:
    return lambda files: bench({**PROJECT, **files})


@pytest.mark.toolchain("cmake")
@pytest.mark.toolchain("cc")
def test_a_project_is_built_beside_its_tree_and_tested(project: MakeBench) -> None:
    at = project({})
    verdicts = at.verify(CMake())
    assert [verdict.outcome for verdict in verdicts.values()] == [Outcome.PASSED, Outcome.PASSED]
    assert verdicts["ctest"].counts == Counts(2, 0, 0, ("product", "sum"))
    assert {path.name for path in at.workspace.iterdir()} == {"CMakeLists.txt", "src", "tests"}


@pytest.mark.toolchain("cmake")
@pytest.mark.toolchain("cc")
def test_a_failed_test_is_named_with_its_place(project: MakeBench) -> None:
    wrong = PROJECT["src/calc.c"].replace("a * b", "a + b")
    verdict = project({"src/calc.c": wrong}).verify(CMake())["ctest"]
    assert (verdict.outcome, verdict.summary) == (Outcome.FAILED, "2 tests, 1 failed")
    assert [(d.test, d.path, d.line) for d in verdict.diagnostics] == [("product", "tests/calc_test.c", 7)]


@pytest.mark.toolchain("cmake")
@pytest.mark.toolchain("cc")
def test_all_that_does_not_compile_is_named(project: MakeBench) -> None:
    at = project({"src/calc.c": "int sum(int a) { return a + b; }\nint product(void) { return c; }\n"})
    verdict = at.verify(CMake(), "cmake --build")["cmake --build"]
    assert verdict.outcome is Outcome.FAILED
    assert [(d.path, d.line) for d in verdict.diagnostics if d.severity is Severity.ERROR] == [
        ("src/calc.c", 1),
        ("src/calc.c", 2),
    ]


@pytest.mark.toolchain("cmake")
@pytest.mark.toolchain("cc")
def test_a_project_whose_tests_are_none_has_not_passed_them(project: MakeBench) -> None:
    lists = "cmake_minimum_required(VERSION 3.10)\nproject(calc C)\nenable_testing()\n"
    verdict = project({"CMakeLists.txt": lists}).verify(CMake())["ctest"]
    assert (verdict.outcome, verdict.summary) == (Outcome.SKIPPED, "no tests")


def test_a_machine_without_cmake_is_not_the_changes_fault(bench: MakeBench) -> None:
    at = bench({"CMakeLists.txt": "project(a)"})
    (activation,) = detect(CMake(), at.files).values()
    assert isinstance(activation.plan, Plan)
    steps = tuple(replace(step, programs=(("no-cmake-here",),)) for step in activation.plan.steps)
    missing = replace(activation, plan=replace(activation.plan, steps=steps))

    class Missing(CMake):
        def detect(self, tree: Tree) -> Sequence[Activation]:
            return [missing]

    verdict = at.verify(Missing())["cmake --build"]
    assert verdict.outcome is Outcome.ERRORED
    assert "install cmake" in verdict.summary


def test_names_of_tests_are_no_patterns() -> None:
    plan = detect(CMake(), {"CMakeLists.txt": "project(a)\nenable_testing()"})["ctest"].plan
    assert isinstance(plan, Plan)
    assert plan.steps[0].again
    failed = readers.ctest_text(b"1/1 Test #1: a.b+(c) ........***Failed    0.00 sec\n")[1]
    assert plan.steps[0].again(failed)[-2:] == ("-R", "^(a.b..c.)$")
