# ruff: noqa: E501 - a table reads best with one row a line
"""Assertions that run too late, exits with success, what belongs to a test framework or to make, casts, hostile text."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from greylag.diffs import Line
from greylag.guards._cases.cases import cases
from greylag.guards._cases.late import late, unsettled
from greylag.guards._cases.runs import Run
from greylag.guards._cases.tautologies import always_holds
from greylag.guards._cases.written import written
from greylag.guards._code.refusing import FAILS, found
from greylag.guards._gates.included import recipes
from greylag.guards._sources import exchanged as exchange
from greylag.guards._sources.ends import left, on_import
from greylag.guards._sources.silent import silent
from greylag.guards._tests.bounds import wider
from greylag.guards._tests.fewer import asks_less
from greylag.guards._tests.patterns import fits_more
from greylag.guards._tests.reopened import owned
from greylag.guards._tests.sorted import statements

JS = "import { f } from '../src/a';\n\ntest('f', KIND() => {\n  BODY\n});\n"
EXPECT = "expect(f('a')).toBe(1);"


@pytest.mark.parametrize(
    ("kind", "now", "passes"),
    [
        ("", "setTimeout(() => { expect(f('a')).toBe(1); }, 5);", False),
        ("", "setImmediate(() => expect(f('a')).toBe(1));", False),
        ("", "queueMicrotask(() => expect(f('a')).toBe(1));", False),
        ("", "process.on('exit', () => expect(f('a')).toBe(1));", False),
        ("", "jest.useFakeTimers(); setTimeout(() => expect(f('a')).toBe(1), 5); jest.runAllTimers();", True),
        ("", "return new Promise((resolve) => setTimeout(() => { expect(f('a')).toBe(1); resolve(); }, 5));", True),
        ("", "bus.on('x', () => expect(f('a')).toBe(1)); bus.emit('x');", True),
        ("async ", "await new Promise((done) => setTimeout(done, 5)); expect(f('a')).toBe(1);", True),
    ],
)
def test_assertion_that_runs_later_is_waited_for(guard: Any, kind: str, now: str, passes: bool) -> None:
    files = [{"test/a.test.js": JS.replace("KIND", kind).replace("BODY", body)} for body in (EXPECT, now)]
    assert guard("tests", *files).passed is passes


@pytest.mark.parametrize(
    ("path", "before", "after", "passes"),
    [
        ("test/a.test.js", "test('f', (t) => {\n  t.plan(1);\n  f((e) => t.error(e));\n});\n", "test('f', (t) => {\n  f((e) => t.error(e));\n  t.end();\n});\n", False),
        ("test/a.test.js", "test('f', (t) => {\n  t.plan(1);\n  f((e) => t.error(e));\n});\n", "test('f', (t) => {\n  f((e) => { t.error(e); t.end(); });\n});\n", True),
        ("test/a.test.js", "it('f', (done) => {\n  f().then((x) => { expect(x).toBe(1); done(); });\n});\n", "it('f', () => {\n  return f().then((x) => { expect(x).toBe(1); });\n});\n", True),
        ("test/a.test.js", "test('f', (t) => {\n  t.plan(2);\n  f((e) => t.error(e));\n});\n", "test('f', (t) => {\n  t.plan(1);\n  f((e) => t.error(e));\n});\n", False),
        ("a_test.go", "package a\n\nfunc TestA(t *testing.T) {\n\tm := NewM()\n\tA(m)\n\tm.AssertExpectations(t)\n}\n", "package a\n\nfunc TestA(t *testing.T) {\n\tm := NewM()\n\tA(m)\n}\n", False),
        ("a_test.go", "package a\n\nfunc TestA(t *testing.T) {\n\tm := new(M)\n\tA(m)\n\tm.AssertExpectations(t)\n}\n", "package a\n\nfunc TestA(t *testing.T) {\n\tm := NewMockM(t)\n\tA(m)\n}\n", True),
        ("tests/a_test.cpp", "TEST(A, B) {\n  EXPECT_EQ(a(), 1);\n}\n", "TEST(A, B) {\n  std::thread t([] { EXPECT_EQ(a(), 1); });\n  t.detach();\n}\n", False),
        ("tests/a_test.cpp", "TEST(A, B) {\n  EXPECT_EQ(a(), 1);\n}\n", "TEST(A, B) {\n  std::thread t([] { EXPECT_EQ(a(), 1); });\n  t.join();\n}\n", True),
        ("tests/test_a.py", "def test_a():\n    assert f() == 1\n", "def test_a():\n    def check():\n        assert f() == 1\n\n    Timer(1, check).start()\n", False),
        ("tests/test_a.py", "async def test_a():\n    assert f() == 1\n", "async def test_a():\n    async def check():\n        assert f() == 1\n\n    await asyncio.create_task(check())\n", True),
    ],
)  # fmt: skip
def test_announced_and_expected_assertions_stay(guard: Any, path: str, before: str, after: str, passes: bool) -> None:
    assert guard("tests", {path: before}, {path: after}).passed is passes


@pytest.mark.parametrize(
    ("path", "text", "number"),
    [
        ("src/a.js", "export function f() {\n  process.exit(0);\n}\n", 1),
        ("src/a.rs", "pub fn f() { std::process::exit(0) }\n", 1),
        ("src/A.java", "class A { void f() { Runtime.getRuntime().halt(0); } }\n", 1),
        ("src/a.py", "def f():\n    raise SystemExit\n", 1),
        ("src/a.py", "def f():\n    raise SystemExit(2)\n", 0),
        ("src/a.py", "def main():\n    sys.exit(0)\n", 0),
        ("bin/a.js", "process.exit(0);\n", 0),
        ("src/a.js", "process.on('SIGINT', () => process.exit(0));\n", 0),
        ("src/main.rs", "fn main() { std::process::exit(0) }\n", 0),
        ("a.go", "package a\n\nfunc f() { os.Exit(1) }\n", 0),
    ],
)
def test_library_that_ends_the_process_with_success_is_told(path: str, text: str, number: int) -> None:
    assert len(list(left(path, text))) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("import sys\nsys.exit(0)\n", 1),
        ("try:\n    import a\nexcept ImportError:\n    pass\nelse:\n    exit()\n", 1),
        ("if __name__ == '__main__':\n    sys.exit(0)\n", 0),
        ("def f():\n    sys.exit(0)\n", 0),
        ("sys.exit(1)\n", 0),
        ("sys.exit(0\n", 0),
    ],
)
def test_module_that_ends_the_run_on_import_is_told(text: str, number: int) -> None:
    assert len(list(on_import("tests/helpers.py", text))) == number


@pytest.mark.parametrize(
    ("path", "text", "passes"),
    [
        ("lib/a.rb", "class RSpec::Core::Example\n  def run(*) = true\nend\n", False),
        ("lib/a.rb", "module Minitest\n  module Assertions\n  end\nend\n", False),
        ("lib/a.rb", "class PoolTest < Minitest::Test\nend\n", True),
        ("lib/a.rb", "# class RSpec::Core::Example\n", True),
        ("src/main/java/org/junit/Assert.java", "package org.junit;\n\nclass Assert {}\n", False),
        ("src/A.php", "<?php\nnamespace PHPUnit\\Framework;\n", False),
        ("lib/a.ex", "defmodule ExUnit.Assertions do\nend\n", False),
    ],
)
def test_source_that_takes_over_a_test_framework_blocks(guard: Any, path: str, text: str, passes: bool) -> None:
    assert guard("tests", {"a": "a\n"}, {"a": "a\n", path: text}).passed is passes


def test_framework_may_change_itself(guard: Any) -> None:
    base = {"lib/rspec/core/example.rb": "module RSpec\n  module Core\n  end\nend\n"}
    head = {**base, "lib/rspec/core/more.rb": "module RSpec\n  module Core\n    class More\n    end\n  end\nend\n"}
    assert guard("tests", base, head).passed


MAKE = "test: build\n\tpytest -q\n"


@pytest.mark.parametrize(
    ("makefile", "included", "passes"),
    [
        (f"{MAKE}\ninclude more.mk\n", "test:\n\t@true\n", False),
        (f"{MAKE}\n-include more.mk\n", "build test: ; @true\n", False),
        (f"include more.mk\n\n{MAKE}", "SHELL = /bin/true\n", False),
        (f"include more.mk\n\n{MAKE}", "docs:\n\tsphinx-build\n", True),
        (f"include more.mk\n\n{MAKE}", "test: docs\n", True),
        ("include more.mk\n", MAKE, True),
        (MAKE, "test:\n\t@true\n", True),
    ],
)
def test_included_file_of_make_takes_no_target(guard: Any, makefile: str, included: str, passes: bool) -> None:
    assert guard("gates", {"Makefile": MAKE}, {"Makefile": makefile, "more.mk": included}).passed is passes


@pytest.mark.parametrize(
    ("before", "after", "passes"),
    [
        ("envlist = py{39,310}-{a,b}", "envlist = py{39,310,311}-{a,b}", True),
        ("env_list = py3{9-11}", "env_list = py3{9-12}, docs", True),
        ("env_list = py3{9-12}", "env_list = py3{9-11}", False),
    ],
)
def test_tox_may_run_more(guard: Any, before: str, after: str, passes: bool) -> None:
    files = [{"tox.ini": f"[tox]\n{line}\n"} for line in (before, after)]
    assert guard("gates", *files).passed is passes


@pytest.mark.parametrize(
    ("path", "before", "after", "passes"),
    [
        ("build.gradle", "tasks.jar.enabled = false\n", "tasks.named('jar') { enabled = false }\n", True),
        ("build.gradle", "tasks.jar.enabled = false\n", "jar { enabled = false }\ntest { enabled = false }\n", False),
        ("build.xml", '<javac srcdir="a"/>\n', '<javac srcdir="a" nowarn="true"/>\n', False),
        ("pom.xml", "<a>1</a>\n", "<showWarnings>false</showWarnings>\n", False),
    ],
)
def test_warnings_and_tasks_stay_on(guard: Any, path: str, before: str, after: str, passes: bool) -> None:
    assert guard("gates", {path: before}, {path: after}).passed is passes


def test_tests_of_another_style_are_the_same_tests(guard: Any, found: Any) -> None:
    base = "TEST(SizeTest, EmptyText) {\n  EXPECT_EQ(0, SizeOf(1));\n}\n"
    head = "TEST(size_test, empty_text) {\n  EXPECT_EQ(0, size_of(1));\n}\n"
    assert guard("tests", {"tests/a_test.cpp": base}, {"tests/a_test.cpp": head}).passed
    assert not guard("tests", {"tests/a_test.cpp": base}, {"tests/a_test.cpp": head.replace("(0,", "(1,")}).passed


@pytest.mark.parametrize(
    ("before", "after", "passes"),
    [
        ("const n: number = get(a);", "const n = get(a) as any;", False),
        ("const n: number = get(a);", "const n = get(a) as unknown as number;", False),
        ("const n = JSON.parse(a);", "const n = JSON.parse(a) as Settings;", True),
        ("", "const n = made(a) as any;", True),
        ("const n: any = get(a);", "const n: number = get(a);", True),
    ],
)
def test_cast_in_place_of_a_type_blocks(guard: Any, before: str, after: str, passes: bool) -> None:
    files = [{"src/a.ts": f"f();\n{line}\ng();\n"} for line in (before, after)]
    assert guard("suppressions", *files).passed is passes


def test_claims_of_python_are_written_like_others() -> None:
    (case,) = cases("tests/test_a.py", "def test_a():\n    assert 3 <= f(x) <= -4 and x is not None\n")
    assert [written(claim) for claim in case.proof.claims] == ["3<=f(x)<=-4&&x!=None"]
    assert written("Name(id='__import__', ctx=Load()).x") == ""


# -- hostile text ----------------------------------------------------------------------------------------------------


def _exchange(text: str) -> None:
    run = Run([Line("-", part, 1, None) for part in text.split("\n")], [Line("+", text[:5000], None, 1)])
    for rows in (*exchange.SOURCES.values(), *exchange.PROOF.values()):
        exchange.weaker(run, rows)


def _claims(text: str) -> None:
    for claim in (text[:1000], text[-1000:], text[:900] + ")"):
        wider(claim, claim + "1")
        fits_more(claim, claim + "1")
        asks_less(claim, claim + "1")
        always_holds(claim)
        written(claim)


HOSTILE: dict[str, Callable[[str], object]] = {
    "checks": lambda text: [list(found(text[:200_000], family)) for family in FAILS],
    "exits": lambda text: [list(left(f"a.{end}", text)) for end in ("py", "js", "go", "rs", "java", "c")],
    "handlers": lambda text: [list(silent(f"a.{end}", text, told=True)) for end in ("js", "java")],
    "sorted": lambda text: [list(statements(f"a.{end}", text)) for end in ("py", "js", "go", "java", "cpp")],
    "late": lambda text: (list(late(text, (0, len(text)), [9, 99])), unsettled(text, (0, len(text)), [9, 99])),
    "frameworks": lambda text: [list(owned(f"a.{end}", text)) for end in ("rb", "java")],
    "make": recipes,
    "exchanged": _exchange,
    "claims": _claims,
}


@pytest.mark.parametrize(
    "piece",
    ["if (a) ", "if a:\n  raise\n", "a: b\n\n", "f(", "x.sort();\n", "setTimeout(() => {", "} catch (e) { log.a(", "a = f(1)\n", "1<2<", "snprintf(", "class RSpec::Core::", "=> {", '"'],
)  # fmt: skip
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_costs_little(name: str, piece: str) -> None:
    began = time.process_time()
    HOSTILE[name](piece * (1_000_000 // len(piece)))
    assert time.process_time() - began < 5
