# ruff: noqa: E501 - a table reads best with one row a line
"""Tests that a runner calls and that prove nothing then, and builds that run them through something else."""

import time
from typing import Any

import pytest

from greylag.diffs import FileDiff
from greylag.guards._cases.lambdas import waiting_lambdas
from greylag.guards._gates.test_launchers import launchers
from greylag.guards._tests.benchmarks import benched
from greylag.guards._tests.expected_failures import expected_failures
from greylag.guards._tests.test_callbacks import vain_callbacks
from greylag.guards._tests.unrun import unrun
from greylag.model import Scope

PY, JS, GO = "tests/test_a.py", "test/a.test.js", "a_test.go"
UNIT = "import unittest\n\n\nclass A(unittest.TestCase):\n    def test_a(self):\n        self.assertEqual(f(1), 2)\n"
PLAIN = "import contextlib\n\n\ndef test_a():\n    assert f(1) == 2\n"
NODE = "import { test } from 'node:test';\ntest('a', () => {\n  assert.equal(f(1), 2);\n});\n"
CC = "tests/a_test.cc"
MAIN = "#include <cassert>\nint main() {\n  assert(f(1) == 2);\n}\n"

STOPPED = {
    "coroutine": (PY, UNIT, "    def test_a", "    async def test_a"),
    "generator": (PY, UNIT, "self.assert", "yield self.assert"),
    "own assertion": (PY, UNIT, "    def test_a", "    def assertEqual(self, *_): ...\n    def test_a"),
    "assertion of nothing": (PY, UNIT, "    def test_a", "    assertEqual = lambda *_: None\n    def test_a"),
    "own run": (PY, UNIT, "    def test_a", "    def __call__(self, *_): ...\n    def test_a"),
    "returned": (PY, PLAIN, "    assert f(1) == 2\n", "    def g():\n        assert f(1) == 2\n    return g\n"),
    "itself": (PY, PLAIN, "== 2", "== int(f(1))"),
    "pushed": (PY, PLAIN, "    assert", "    with contextlib.ExitStack() as s:\n        s.push(lambda *a: True)\n        assert"),
    "generator of js": (JS, NODE, "() =>", "function* ()"),
    "returned by js": (JS, NODE, "() =>", "() => () =>"),
    "returned function of js": (JS, NODE, "  assert.equal(f(1), 2);", "  return () => { assert.equal(f(1), 2); };"),
    "kept in a list": (PY, PLAIN, "    assert f(1) == 2\n", "    later = []\n    def g():\n        assert f(1) == 2\n    later.append(g)\n"),
    "lambda": (CC, MAIN, "assert(f(1) == 2);", "auto g = [] { assert(f(1) == 2); };\n  (void)g;"),
    "expected failure": (JS, NODE, "assert.equal(f(1), 2)", "assert.throws(() => assert.equal(f(1), 2))"),
}  # fmt: skip
FREE = {
    "own assertion that asserts": (PY, UNIT, "    def test_a", "    def assertEqual(self, a, b):\n        assert a is b\n    def test_a"),
    "called": (PY, PLAIN, "    assert f(1) == 2\n", "    def g():\n        assert f(1) == 2\n    return g()\n"),
    "closing": (PY, PLAIN, "    assert", "    with contextlib.ExitStack() as s:\n        s.push(lambda *a: None)\n        assert"),
    "async function of js": (JS, NODE, "() =>", "async function ()"),
    "kept in a list and called": (PY, PLAIN, "    assert f(1) == 2\n", "    later = []\n    def g():\n        assert f(1) == 2\n    later.append(g)\n    for one in later:\n        one()\n"),
    "kept in a list that is handed over": (PY, PLAIN, "    assert f(1) == 2\n", "    later = []\n    run(later)\n    def g():\n        assert f(1) == 2\n    later.append(g)\n"),
    "lambda that is called": (CC, MAIN, "assert(f(1) == 2);", "auto g = [] { assert(f(1) == 2); };\n  g();"),
    "lambda that is handed over": (CC, MAIN, "assert(f(1) == 2);", "auto g = [] { assert(f(1) == 2); };\n  each(xs, g);"),
    "hook": (JS, NODE, "  assert", "  before(() => () => stop());\n  assert"),
}  # fmt: skip


@pytest.mark.parametrize("name", [*STOPPED, *FREE])
def test_what_a_runner_calls_must_assert(guard: Any, name: str) -> None:
    path, text, old, new = (STOPPED | FREE)[name]
    assert old in text
    assert guard("tests", {path: text}, {path: text.replace(old, new, 1)}).passed is (name in FREE)


def test_a_test_class_of_another_kind_may_have_coroutines(guard: Any) -> None:
    text = UNIT.replace("unittest.TestCase", "django.TestCase").replace("import unittest", "from x import django")
    assert guard("tests", {PY: text}, {PY: text.replace("    def test_a", "    async def test_a")}).passed


@pytest.mark.parametrize(
    ("path", "text", "marks"),
    [
        ("CMakeLists.txt", "macro(ADD_TEST)\nendmacro()\n", 1),
        ("CMakeLists.txt", "set(CMAKE_TEST_LAUNCHER true)\n", 1),
        ("CMakeLists.txt", "# set(CMAKE_TEST_LAUNCHER true)\nadd_test(NAME a COMMAND a)\n", 0),
        ("cmake/arm.cmake", "set(CMAKE_SYSTEM_NAME Linux)\nset(CMAKE_CROSSCOMPILING_EMULATOR qemu)\n", 0),
        ("meson.build", "test('a', a, should_fail: true)\n", 1),
        ("meson.build", "test('a', a, should_fail: false)\n", 0),
        ("meson.build", "add_test_setup('a', exe_wrapper: w, is_default: true)\n", 1),
        ("meson.build", "add_test_setup('a', exe_wrapper: ['valgrind'])\n", 0),
    ],
)
def test_builds_that_decide_how_tests_run(path: str, text: str, marks: int) -> None:
    assert len(list(launchers(path, text))) == marks


HOSTILE = {
    "js tests": (JS, "it('a', () => " * 35_000),
    "js returns": (JS, "it('a', () => {" + "return a;" * 50_000),
    "js arrows": (JS, "it('a', " + "x => " * 99_000),
    "js expects": (JS, "expect(() => " * 38_000),
    "java expects": ("ATest.java", "assertThrows(" * 38_000),
    "go": (GO, "func TestA(\n" * 20_000 + "if a " * 40_000),
    "go questions": (GO, "func TestA() {" + "if a == b {" * 45_000),
    "cmake": ("CMakeLists.txt", "function(add_test " * 27_000),
    "meson": ("meson.build", "add_test_setup(" * 33_000),
    "lambdas": ("a_test.cc", "auto a = [&]() { assert(a); (void)a; " * 13_000),
    "lambda heads": ("a_test.cc", "auto a = [" * 48_000),
    "python": (PY, "class A(A): pass\n" * 20_000),
    "python chain": (PY, "".join(f"class A{n}(A{n - 1}): pass\n" for n in range(17_000))),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_read_quickly(guard: Any, name: str) -> None:
    path, text = HOSTILE[name]
    began = time.process_time()
    for marks in (unrun, vain_callbacks, waiting_lambdas, launchers):
        list(marks(path, text))
    assert time.process_time() - began < 3


class _Tree:
    def __init__(self, text: str) -> None:
        self._text = text.encode()

    def read(self, path: str) -> bytes:
        return self._text

    def paths(self) -> list[str]:
        return []


@pytest.mark.parametrize("name", [name for name in HOSTILE if not name.startswith(("python", "cmake", "meson"))])
def test_hostile_changes_are_compared_quickly(name: str) -> None:
    path, text = HOSTILE[name]
    change: Any = type("Change", (), {"base": _Tree(text), "head": _Tree(f"{text}\n"), "scope": Scope()})()
    file = FileDiff(path, path, "modified", (), ())
    began = time.process_time()
    list(benched(change, [file]))
    list(expected_failures(change, [file]))
    assert time.process_time() - began < 3
