"""Elixir projects: what is found, what their tools print, and the real Mix in the real sandbox."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from greylag import readers
from greylag.model import Counts, Diagnostic, Outcome, Phase, Severity
from greylag.testing.verifiers import Bench, detect
from greylag.verifiers._tool import Plan
from greylag.verifiers.elixir import Elixir

MakeBench = Callable[[dict[str, str]], Bench]
GOLDEN = Path(__file__).parent.parent / "golden" / "elixir"
MIX = """defmodule Calc.MixProject do
  use Mix.Project
  # {:dep_from_hexpm, "~> 0.3.0"},
  def project, do: [app: :calc, version: "0.1.0", deps: []]
end
"""
CALC = "defmodule Calc do\n  def sum(a, b), do: a + b\nend\n"
TEST = """defmodule CalcTest do
  use ExUnit.Case

  test "adds" do
    assert Calc.sum(2, 3) == 5
  end

  test "breaks # skip" do
    if Calc.sum(1, 1) != 2, do: raise("no\\n...\\nmore")
  end

  @tag :skip
  test "later" do
  end
end
"""
PROJECT = {
    "mix.exs": MIX,
    ".formatter.exs": '[inputs: ["mix.exs", "{lib,test}/**/*.{ex,exs}"]]\n',
    "lib/calc.ex": CALC,
    "test/test_helper.exs": "ExUnit.start()\n",
    "test/calc_test.exs": TEST,
}


def phases(files: Mapping[str, str]) -> list[Phase]:
    return [activation.phase for activation in detect(Elixir(), files).values()]


def test_tests_that_end_before_all_of_them_have_run_are_no_pass() -> None:
    plan = detect(Elixir(), PROJECT)["mix test"].plan
    assert isinstance(plan, Plan)
    read = plan.steps[0].read_report
    assert read
    points, end = b"ok - A test one\nok - A test two\n", b"# all of them\n"
    assert read(points + end, ".", "/workspace") == (Counts(2), ())
    assert read(end, ".", "/workspace") == (Counts(0), ())
    early = Diagnostic("the tests ended before all of them had run", rule=readers.UNREADABLE)
    assert read(points, ".", "/workspace") == (Counts(2), (early,))


# -- detection -------------------------------------------------------------------------------------------------------


def test_phases_are_what_the_project_has() -> None:
    assert phases({"mix.exs": MIX}) == [Phase.COMPILE]
    assert phases({"mix.exs": '{:jason, "~> 1.0"}', "mix.lock": ""}) == [Phase.PREPARE, Phase.COMPILE]
    assert phases(PROJECT) == [Phase.FORMAT, Phase.COMPILE, Phase.TEST]


def test_applications_of_an_umbrella_belong_to_it_and_dependencies_to_nobody() -> None:
    files = {"a/mix.exs": 'apps_path: "apps"', "a/apps/x/mix.exs": "", "b/mix.exs": "", "b/deps/y/mix.exs": ""}
    assert {activation.root for activation in detect(Elixir(), files).values()} == {"a", "b"}


def test_warnings_are_errors_where_the_repository_says_so() -> None:
    def arguments(files: Mapping[str, str]) -> tuple[str, ...]:
        plan = detect(Elixir(), {"mix.exs": "", **files})["mix compile"].plan
        assert isinstance(plan, Plan)
        return plan.steps[0].arguments

    assert arguments({}) == ("compile",)
    said = "run: mix compile --warnings-as-errors"
    assert arguments({".github/workflows/ci.yml": said}) == ("compile", "--warnings-as-errors")
    assert arguments({"docs/ci.md": said}) == ("compile",)


def test_what_is_fetched_is_decided_by_mix_and_stays() -> None:
    files = {"a/mix.exs": '{:jason, "~> 1.0"}', "a/mix.lock": "", "a/config/test.exs": "", "a/lib/a.ex": ""}
    prepare = detect(Elixir(), files)["mix deps.get (a)"]
    assert prepare.inputs == ("a/config/test.exs", "a/mix.exs", "a/mix.lock")
    assert prepare.outputs == ("/a/deps/", "/a/_build/")


def test_failed_tests_are_run_again_by_their_places() -> None:
    plan = detect(Elixir(), {f"a/{path}": text for path, text in PROJECT.items()})["mix test (a)"].plan
    assert isinstance(plan, Plan)
    assert plan.steps[0].again
    failed = Diagnostic("no", path="a/test/calc_test.exs", line=5, test="CalcTest test adds")
    assert plan.steps[0].again([failed])[-1] == "./test/calc_test.exs:5"


# -- real output -----------------------------------------------------------------------------------------------------


def test_errors_and_warnings_of_the_compiler_have_their_place() -> None:
    def read(name: str) -> list[tuple[str | None, int | None, Severity]]:
        found = readers.elixir_text((GOLDEN / f"{name}.txt").read_bytes())
        return [(d.path, d.line, d.severity) for d in found]

    error, warning = Severity.ERROR, Severity.WARNING
    assert read("compile")[-1] == ("lib/calc.ex", 2, error)
    assert read("compile")[1] == ("lib/other.ex", 2, warning)
    assert read("syntax")[-1] == ("lib/syntax.ex", 3, error)
    assert read("warnings") == [("lib/other.ex", 2, warning), ("lib/other.ex", 3, warning)]
    assert read("format") == [("lib/calc.ex", None, error)]


def test_places_in_the_frames_of_newer_versions_are_read() -> None:
    log = '    error: undefined variable "c"\n    │\n  2 │   a + c\n    │       ^\n    │\n'
    log += "    └─ lib/calc.ex:2:7: Calc.sum/2\n"
    (error,) = readers.elixir_text(log.encode())
    assert (error.path, error.line, error.column, error.severity) == ("lib/calc.ex", 2, 7, Severity.ERROR)


# -- the real tools --------------------------------------------------------------------------------------------------


@pytest.mark.toolchain("mix")
def test_tests_are_counted(bench: MakeBench) -> None:
    verdict = bench(PROJECT).verify(Elixir(), "mix test")["mix test"]
    assert (verdict.outcome, verdict.counts) == (Outcome.PASSED, Counts(2, 0, 1))
    assert verdict.counts
    assert verdict.counts.passed == ("CalcTest test adds", "CalcTest test breaks skip")


@pytest.mark.toolchain("mix")
def test_failed_tests_are_named_with_their_places(bench: MakeBench) -> None:
    verdict = bench({**PROJECT, "lib/calc.ex": CALC.replace("+", "*")}).verify(Elixir(), "mix test")["mix test"]
    assert (verdict.outcome, verdict.counts) == (Outcome.FAILED, Counts(2, 2, 1))
    found = {d.test: (d.path, d.line, d.message) for d in verdict.diagnostics}
    assert found["CalcTest test adds"][:2] == ("test/calc_test.exs", 5)
    assert "left: 6 / right: 5" in found["CalcTest test adds"][2]
    assert found["CalcTest test breaks skip"][:2] == ("test/calc_test.exs", 9)
    assert found["CalcTest test breaks skip"][2].startswith("** (RuntimeError) no / (...) / more / code:")


@pytest.mark.toolchain("mix")
def test_what_is_not_formatted_and_warnings_that_are_errors_have_their_places(bench: MakeBench) -> None:
    files = {**PROJECT, "lib/calc.ex": CALC.replace("a + b", " a"), "Makefile": "\tmix compile --warnings-as-errors\n"}
    verdicts = bench(files).verify(Elixir(), "mix format", "mix compile")
    assert [verdict.outcome for verdict in verdicts.values()] == [Outcome.FAILED] * 2
    assert [d.path for d in verdicts["mix format"].diagnostics] == ["lib/calc.ex"]
    assert [(d.path, d.line) for d in verdicts["mix compile"].diagnostics] == [("lib/calc.ex", 2)]


@pytest.mark.toolchain("mix")
def test_no_tests_are_no_pass_and_another_elixir_is_the_machines(bench: MakeBench) -> None:
    verdict = bench({**PROJECT, "test/calc_test.exs": ""}).verify(Elixir(), "mix test")["mix test"]
    assert (verdict.outcome, verdict.summary) == (Outcome.SKIPPED, "no tests")
    other = MIX.replace("version:", 'elixir: "~> 9.9", version:')
    assert bench({**PROJECT, "mix.exs": other}).verify(Elixir(), "mix test")["mix test"].outcome is Outcome.ERRORED


@pytest.mark.toolchain("mix")
def test_a_registry_that_is_down_is_the_machines(bench: MakeBench) -> None:
    at = bench({"mix.exs": MIX.replace("deps: []", 'deps: [{:jason, "~> 1.0"}]')})
    assert at.verify(Elixir(), "mix deps.get")["mix deps.get"].outcome is Outcome.ERRORED
