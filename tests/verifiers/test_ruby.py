"""Ruby projects: what is found, what their tools report, and the real Bundler, RSpec, Minitest and RuboCop."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from greylag import readers
from greylag.model import Counts, Diagnostic, Outcome, Phase, Severity
from greylag.testing.verifiers import Bench, detect
from greylag.verifiers._tool import Plan
from greylag.verifiers.ruby import Ruby

MakeBench = Callable[[dict[str, str]], Bench]
GOLDEN = Path(__file__).parent.parent / "golden"
CALC = "# frozen_string_literal: true\n\n# Sums.\nmodule Calc\n  def self.sum(one, two)\n    one + two\n  end\nend\n"
SPEC = 'require_relative "../calc"\nRSpec.describe Calc do\n  it("adds") { expect(Calc.sum(2, 3)).to eq(5) }\nend\n'
TEST = (
    'require "minitest/autorun"\nrequire_relative "../calc"\nclass CalcTest < Minitest::Test\n'
    "  def test_sum\n    assert_equal 5, Calc.sum(2, 3)\n  end\nend\n"
)
RAKE = 'require "rake/testtask"\nRake::TestTask.new { |t| t.pattern = "test/**/*_test.rb" }\n'
SOURCE = 'source "https://rubygems.org"\n'


def gemfile(*gems: str) -> dict[str, str]:
    return {"Gemfile": SOURCE + "".join(f'gem "{gem}"\n' for gem in gems), "calc.rb": CALC}


def found(files: Mapping[str, str]) -> list[str]:
    return list(detect(Ruby(), files))


# -- detection -------------------------------------------------------------------------------------------------------


def test_each_tool_runs_where_the_project_has_it() -> None:
    assert found({"Gemfile": "", "lib/a.rb": ""}) == []
    assert found({"Gemfile": "", "spec/a_spec.rb": ""}) == ["bundle install", "rspec"]
    assert found({"Gemfile": "", "test/a_test.rb": "", "Rakefile": RAKE}) == ["bundle install", "rake test"]
    assert found({"Gemfile": "", "test/a_test.rb": "", "Rakefile": "task :docs\n"}) == []
    assert found({"gems.rb": "", ".rubocop.yml": ""}) == ["bundle install", "rubocop"]
    assert found({"Gemfile": 'gem "standard"\n'}) == ["bundle install", "standardrb"]
    assert found({"Gemfile": "gemspec\n", "a.gemspec": 's.add_development_dependency "standard"'})[1:] == ["standardrb"]
    assert found({"Gemfile": 'gem "rubocop"\n'}) == []


def test_directories_of_a_monorepo_are_projects_of_their_own() -> None:
    files = {"Gemfile": "", "spec/a_spec.rb": "", "api/Gemfile": "", "api/spec/b_spec.rb": "", "examples/x/Gemfile": ""}
    assert found(files) == ["bundle install", "rspec", "bundle install (api)", "rspec (api)"]


def test_a_lock_file_is_frozen_and_one_that_is_made_stays() -> None:
    def prepare(files: Mapping[str, str]) -> tuple[str | None, tuple[str, ...] | None, tuple[str, ...]]:
        activation = detect(Ruby(), {"a/Gemfile": "", "a/spec/a_spec.rb": "", **files})["bundle install (a)"]
        assert isinstance(activation.plan, Plan)
        return activation.plan.steps[0].env.get("BUNDLE_FROZEN"), activation.outputs, activation.inputs

    assert prepare({}) == (None, ("/a/vendor/bundle", "/a/Gemfile.lock"), ("a/Gemfile",))
    locked = {"a/Gemfile.lock": "", "a/lib/a/version.rb": "", "a/a.gemspec": ""}
    assert prepare(locked) == ("true", ("/a/vendor/bundle",), ("a/Gemfile", *sorted(locked)))


def test_failed_tests_are_run_again_by_their_names() -> None:
    files = {"Gemfile": "", "spec/a_spec.rb": "", "test/a_test.rb": "", "Rakefile": RAKE}

    def again(name: str, *failed: Diagnostic) -> tuple[str, ...]:
        plan = detect(Ruby(), {f"api/{path}": text for path, text in files.items()})[f"{name} (api)"].plan
        assert isinstance(plan, Plan)
        assert plan.steps[0].again
        return plan.steps[0].again(failed)

    spec = Diagnostic("no", path="api/spec/a_spec.rb", test="Calc adds")
    assert again("rspec", spec)[-2:] == ("--example=Calc adds", "./spec/a_spec.rb")
    tests = (Diagnostic("no", test="CalcTest#test_a"), Diagnostic("no", test="A::B#test_0001_it's"))
    assert again("rake test", *tests)[-1] == "TESTOPTS=--verbose --name='/^(test_a|test_0001_it.s)$/'"


# -- real reports ----------------------------------------------------------------------------------------------------


def test_reports_of_rspec_tell_what_ran_and_where_it_broke() -> None:
    counts, failed = readers.rspec_json((GOLDEN / "rspec/failed.json").read_bytes())
    assert counts == Counts(3, 2, 1)
    assert counts.passed == ("Calc adds",)
    assert [(d.test, d.path, d.line, d.message) for d in failed] == [
        ("Calc.product multiplies", "spec/calc_spec.rb", 8, "expected: 6 / got: 5 / (compared using ==)"),
        ("Calc.product breaks", "spec/calc_spec.rb", 11, "ArgumentError: no"),
    ]


def test_a_file_that_cannot_be_loaded_is_an_error_and_no_test() -> None:
    counts, (error,) = readers.rspec_json((GOLDEN / "rspec/broken.json").read_bytes())
    assert (counts, error.path, error.line) == (Counts(0), "spec/broken_spec.rb", 1)
    assert "uninitialized constant Nowhere" in error.message


def test_the_text_of_minitest_and_of_test_unit_is_read() -> None:
    found = readers.minitest_text((GOLDEN / "minitest/failed.txt").read_bytes())
    assert found
    counts, failed = found
    assert (counts, counts.passed) == (Counts(3, 2, 1), ("CalcTest#test_sum",))
    assert [(d.test, d.path, d.line, d.message) for d in failed] == [
        ("CalcTest#test_error", "test/calc_test.rb", 11, "ArgumentError: no"),
        ("CalcTest#test_product", "test/calc_test.rb", 8, "Expected: 6 / Actual: 5"),
    ]
    found = readers.minitest_text((GOLDEN / "test-unit/failed.txt").read_bytes())
    assert found
    counts, failed = found
    assert (counts, counts.passed) == (Counts(3, 2, 1), ("CalcTest#test_sum",))
    assert [(d.test, d.path, d.line) for d in failed] == [
        ("CalcTest#test_error", "test/calc_test.rb", 7),
        ("CalcTest#test_product", "test/calc_test.rb", 5),
    ]
    assert failed[1].message == "<6> expected but was / <5>"
    assert readers.minitest_text(b"rake aborted!\n") == ()


def test_a_message_that_points_at_the_source_does_not_hide_the_place() -> None:
    log = """
  1) Error:
CalcTest#test_a:
NameError: undefined local variable or method `suum' for Calc:Module

    suum(items)
    ^^^^
    /workspace/lib/calc.rb:3:in `total'
    /workspace/test/calc_test.rb:12:in `test_a'

  2) Failure:
CalcTest#test_b [test/calc_test.rb:9]:
Expected: 3
  Actual: 4

2 runs, 2 assertions, 1 failures, 1 errors, 0 skips
"""
    told = readers.minitest_text(log.encode())
    assert told
    _, found = told
    assert [(d.test, d.path, d.line) for d in found] == [
        ("CalcTest#test_a", "lib/calc.rb", 3),
        ("CalcTest#test_b", "test/calc_test.rb", 9),
    ]
    assert found[1].message == "Expected: 3 / Actual: 4"


def test_offenses_of_rubocop_have_their_place() -> None:
    offenses = readers.rubocop_json((GOLDEN / "rubocop/offenses.json").read_bytes())
    assert {d.path for d in offenses} == {"lib/lint.rb"}
    assert ("Lint/UselessAssignment", 2, 3) in {(d.rule, d.line, d.column) for d in offenses}
    assert all(d.severity is Severity.ERROR for d in offenses)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"files": 3, "examples": [3], "messages": 3, "summary": []}'])
def test_nonsense_is_no_report(data: bytes) -> None:
    readers.rubocop_json(data)
    assert readers.rspec_json(data)[0] == Counts(0)


# -- the real tools --------------------------------------------------------------------------------------------------


@pytest.mark.toolchain("bundle")
@pytest.mark.toolchain("rspec")
def test_examples_pass_fail_or_are_none(bench: MakeBench) -> None:
    files = {**gemfile("rspec"), "spec/calc_spec.rb": SPEC}
    green = bench(files).verify(Ruby(), "rspec")["rspec"]
    assert (green.outcome, green.counts) == (Outcome.PASSED, Counts(1))
    red = bench({**files, "calc.rb": CALC.replace("+", "-")}).verify(Ruby(), "rspec")["rspec"]
    assert (red.outcome, red.summary) == (Outcome.FAILED, "1 test, 1 failed")
    assert [(d.test, d.path, d.line) for d in red.diagnostics] == [("Calc adds", "spec/calc_spec.rb", 3)]
    none = bench({**files, "spec/calc_spec.rb": ""}).verify(Ruby(), "rspec")["rspec"]
    assert (none.outcome, none.summary) == (Outcome.SKIPPED, "no tests")


@pytest.mark.toolchain("bundle")
@pytest.mark.toolchain("rake")
def test_a_failed_test_of_minitest_is_named_with_its_place(bench: MakeBench) -> None:
    files = {**gemfile("rake", "minitest"), "Rakefile": RAKE, "test/calc_test.rb": TEST}
    red = bench({**files, "calc.rb": CALC.replace("+", "-")}).verify(Ruby(), "rake test")["rake test"]
    assert (red.outcome, red.counts) == (Outcome.FAILED, Counts(1, 1))
    assert [(d.test, d.path, d.line) for d in red.diagnostics] == [("CalcTest#test_sum", "test/calc_test.rb", 5)]


@pytest.mark.toolchain("bundle")
@pytest.mark.toolchain("rubocop")
def test_rubocop_of_the_bundle_fails_and_one_that_is_not_in_it_is_said(bench: MakeBench) -> None:
    settings = {".rubocop.yml": "AllCops:\n  DisabledByDefault: true\nLint/UselessAssignment:\n  Enabled: true\n"}
    files = {**gemfile("rubocop"), **settings, "calc.rb": "def one\n  x = 1\nend\n"}
    verdict = bench(files).verify(Ruby(), "rubocop")["rubocop"]
    assert verdict.outcome is Outcome.FAILED
    assert [(d.path, d.line, d.rule) for d in verdict.diagnostics] == [("calc.rb", 2, "Lint/UselessAssignment")]
    verdict = bench({**files, **gemfile("rake"), "Gemfile.lock": ""}).verify(Ruby(), "rubocop")["rubocop"]
    assert (verdict.outcome, verdict.phase) == (Outcome.SKIPPED, Phase.STATIC)


@pytest.mark.toolchain("bundle")
def test_a_registry_that_is_down_and_a_ruby_that_is_missing_are_the_machines(bench: MakeBench) -> None:
    spec = {"spec/a_spec.rb": ""}
    assert bench({"Gemfile": SOURCE, **spec}).verify(Ruby(), "bundle install")["bundle install"].passed
    for line in ('gem "no-such-gem-here"', 'ruby "9.9"'):
        at = bench({"Gemfile": f"{SOURCE}{line}\n", **spec})
        assert at.verify(Ruby(), "bundle install")["bundle install"].outcome is Outcome.ERRORED
