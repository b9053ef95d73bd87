# ruff: noqa: E501 - a table reads best with one row a line
"""Tests of languages that guards read line by line: Ruby, PHP, Elixir, bats; and those that they do not read."""

import time
from typing import Any

import pytest

from greylag.diffs import FileDiff
from greylag.guards._cases.line_cases import line_cases
from greylag.guards._tests.line_losses import line_losses
from greylag.model import Scope

RSPEC = "describe A do\n  it 'a' do\n    expect(f(1))\n      .to eq(2)\n    expect(f(2)).to eq(3)\n  end\n\n  it { is_expected.to be(1) }\nend\n"
PEST = "<?php\ntest('a', function () {\n    expect(f(1))->toBe(2);\n});\n"
PHPUNIT = "<?php\nclass ATest extends TestCase\n{\n    #[Test]\n    public function testA(): void\n    {\n        $this->assertSame(2, f(1));\n    }\n}\n"
EXUNIT = 'defmodule ATest do\n  test "a", %{x: x} do\n    assert f(x) == 2\n    refute g(x)\n  end\nend\n'
BATS = '@test "a" {\n  run f 1\n  [ "$output" = 2 ]\n}\n'


@pytest.mark.parametrize(
    ("path", "text", "claims"),
    [
        ("spec/a_spec.rb", RSPEC, {"a": 2, "it {is_expected.tobe(1)}": 1}),
        ("tests/ATest.php", PHPUNIT, {"testA": 1}),
        ("tests/ATest.php", PEST, {"a": 1}),
        ("test/a_test.exs", EXUNIT, {"a": 2}),
        ("test/a.bats", BATS, {"a": 1}),
    ],
)
def test_assertions_are_found(path: str, text: str, claims: dict[str, int]) -> None:
    assert {case.name: len(case.claims) for case in line_cases(path, text)} == claims


@pytest.mark.parametrize(
    ("path", "text", "old", "new", "rules"),
    [
        ("spec/a_spec.rb", RSPEC, "expect(f(2)).to eq(3)", "expect(f(2)).to be_truthy", ["error weaker-assertions", "warning unread"]),
        ("spec/a_spec.rb", RSPEC, "expect(f(2)).to eq(3)", "expect(f(2)).to eq(3) rescue nil", ["error swallowed", "warning unread"]),
        ("spec/a_spec.rb", RSPEC, "expect(f(2)).to eq(3)", "expect(g(2)).to eq(4)", ["warning unread"]),
        ("spec/a_spec.rb", RSPEC, "    expect(f(1))", "    skip 'slow'\n    expect(f(1))", ["error swallowed"]),
        ("spec/a_spec.rb", RSPEC, "  it { is", "  it 'b' do\n    expect(1).to eq(1)\n  end\n\n  it { is", []),
        ("tests/ATest.php", PEST, "expect(f(1))->toBe(2)", "f(1)", ["error fewer-assertions", "warning unread"]),
        ("tests/ATest.php", PHPUNIT, "$this->assert", "$this->markTestSkipped();\n        $this->assert", ["error swallowed"]),
        ("test/a_test.exs", EXUNIT, "assert f(x) == 2", "catch_error(assert f(x) == 2)", ["error swallowed", "warning unread"]),
        ("test/a_test.exs", EXUNIT, "    refute", "    # why\n    refute", []),
        ("t/run.sh", "test 1 = 2\n", "2", "3", ["warning unread"]),
        ("t/a.pl", "is(f(1), 2);\n", "2", "3", ["warning unread"]),
    ],
)  # fmt: skip
def test_what_edited_lines_mean(
    guard: Any, found: Any, path: str, text: str, old: str, new: str, rules: list[str]
) -> None:
    assert old in text
    base = {path: text} if not path.startswith("t/") else {f"tests/{path}": text}
    verdict = guard("tests", base, {name: text.replace(old, new, 1) for name in base})
    lines = [line.split() for line in found(verdict) if not line.startswith("info")]
    assert [f"{severity} {rule.removeprefix('tests/')}" for severity, rule, _ in lines] == rules


def test_a_language_is_told_once(guard: Any, found: Any) -> None:
    base = {f"spec/{name}_spec.rb": RSPEC for name in "abc"}
    verdict = guard("tests", base, {path: text.replace("eq(3)", "eq(4)") for path, text in base.items()})
    assert [line for line in found(verdict) if "unread" in line] == ["warning tests/unread spec/a_spec.rb"]


def test_a_test_may_move_to_another_file_and_may_not_go(guard: Any) -> None:
    base = {"spec/a_spec.rb": RSPEC, "spec/b_spec.rb": "describe B do\nend\n"}
    one = "  it 'a' do\n    expect(f(1))\n      .to eq(2)\n    expect(f(2)).to eq(3)\n  end\n"
    left = {**base, "spec/a_spec.rb": RSPEC.replace(one, "")}
    assert not guard("tests", base, left).passed
    assert guard("tests", base, {**left, "spec/b_spec.rb": f"describe B do\n{one}end\n"}).passed


HOSTILE = {
    "tests": ("a_spec.rb", "it 'a' do\n" * 50_000),
    "expects": ("a_spec.rb", "it 'a' do\n" + "  expect(" * 55_000),
    "lines": ("a_spec.rb", "it 'a' do\n" + "  expect(1)\n" * 40_000),
    "chain": ("a_spec.rb", "it 'a' do\n" + "  .a\n" * 90_000),
    "commas": ("a_test.exs", 'test "a" do\n' + "  assert(a,\n" * 40_000),
    "rescues": ("a_test.exs", 'test "a" do\n' + "  rescue\n" * 50_000),
    "brackets": ("a.bats", '@test "a" {\n' + "  [ 1 =\n" * 60_000 + "  [ " * 9000),
    "functions": ("ATest.php", "public function testA(" * 20_000),
    "deep": ("a_spec.rb", "".join(" " * (n % 400) + "it 'a' do\n" for n in range(2_000))),
    "deeper": ("a_spec.rb", "".join(" " * min(n, 60) + "it 'a' do\n" for n in range(7_000))),
}


class _Tree:
    def __init__(self, text: str) -> None:
        self._text = text.encode()

    def read(self, path: str) -> bytes:
        return self._text


def test_a_new_test_of_something_else_takes_no_place(guard: Any) -> None:
    base = {"spec/a_spec.rb": RSPEC}
    other = RSPEC.replace("it 'a'", "it 'b'").replace("f(", "g(")
    assert not guard("tests", base, {"spec/a_spec.rb": other.replace("g(", "other(")}).passed
    assert guard("tests", base, {"spec/a_spec.rb": RSPEC.replace("it 'a'", "it 'b'").replace("(3)", "(4)")}).passed


def test_many_tests_that_go_are_compared_quickly() -> None:
    old = "".join(f"it 'a{n}' do\n  expect(f({n})).to eq({n})\nend\n" for n in range(6000))
    new = "".join(f"it 'b{n}' do\n  expect(f(x)).to be_truthy # {n}\nend\n" for n in range(6000))
    change: Any = type("Change", (), {"base": _Tree(old), "head": _Tree(new), "scope": Scope()})()
    began = time.process_time()
    assert list(line_losses(change, [FileDiff("a_spec.rb", "a_spec.rb", "modified", (), ())]))
    assert time.process_time() - began < 4


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_lines_are_read_quickly(name: str) -> None:

    path, text = HOSTILE[name]
    change: Any = type("Change", (), {"base": _Tree(text), "head": _Tree(f"{text}\n# x"), "scope": Scope()})()
    began = time.process_time()
    list(line_losses(change, [FileDiff(path, path, "modified", (), ())]))
    assert time.process_time() - began < 4
