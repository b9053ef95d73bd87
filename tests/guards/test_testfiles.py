"""Files of tests that no usual name betrays, and names that every runner collects: what is done to them is seen."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.guards.conftest import context

from greylag import plugins
from greylag.kinds import classify
from greylag.model import Counts, Outcome, Phase, Verdict
from greylag.report import Report
from greylag.testing.changes import make_change

UNITTEST = "import unittest\n\n\nclass A(unittest.TestCase):\n    def test_a(self):\n        self.assertEqual(f(), 1)\n"
MODULE = "from a import f\n\n\ndef test_a():\n    assert f() == 1\n"
CUSTOM = "from a import F\n\n\nclass A(F):\n    def test_a(self):\n        assert self.f() == 1\n"
TAPE = "const t = require('tape')\n\nt.test('a', x)\ntest('adds', () => {\n  assert.equal(f(), 1)\n})\n"
OWN = "import { test } from './mine.js'\ntest('adds', () => {\n  assert.equal(f(), 1)\n})\n"
DESCRIBE = "describe('f', () => {\n  it('adds', () => {\n    expect(f()).toBe(1)\n  })\n})\n"
JUNIT = "import org.junit.Test;\n\nclass Checks {\n  @Test\n  public void adds() {\n    assertEquals(1, f());\n  }\n}\n"
RSTEST = "#[rstest]\nfn adds() {\n    assert_eq!(f(), 1);\n}\n"
COLLECTED = """
test.py pkg/tests.py a_tests.py test.js test.ts test.mjs test.tsx spec.js a-test.js a_test.ts test-a.mjs test_a.js
aSpec.js a.test-d.ts a.cy.ts ui.e2e.ts ASpec.java ATests.java AIT.java ASpec.kt ATestCase.kt ASpec.groovy a_test.go
a_spec.rb test_a.rb ATest.php ACest.php a.phpt ATests.cs A.UnitTests/a.cs AIntegrationTests.fs a.bats a_test.cc
src/integrationTest/a.kt t/a.t tests.rs
"""
OTHERS = """
latest.py attest/a.py contest.py pkg/testing.py Item.java src/it.ts fastest.js cy.js src/protest.ts respect.js a.t
locale/messages.cy.json Iterator.kt
"""


@pytest.mark.parametrize("path", COLLECTED.split())
def test_what_runners_collect_by_default_is_a_test(path: str) -> None:
    assert classify(path) == "tests"


@pytest.mark.parametrize("path", OTHERS.split())
def test_what_only_resembles_such_a_name_is_none(path: str) -> None:
    assert classify(path) != "tests"


@pytest.mark.parametrize(
    ("path", "text", "old", "new"),
    [
        ("test.py", UNITTEST, "self.assertEqual(f(), 1)", "self.assertTrue(True)"),
        ("checks/all.py", UNITTEST, "self.assertEqual(f(), 1)", "self.assertTrue(True)"),
        ("checks/all.py", UNITTEST, "    def", "    @unittest.skipIf(True, 'x')\n    def"),
        ("checks/all.py", MODULE, "f() == 1", "True"),
        ("checks/all.js", TAPE, "assert.equal(f(), 1)", ""),
        ("checks/all.js", DESCRIBE, "toBe(1)", "toBeDefined()"),
        ("checks/Checks.java", JUNIT, "assertEquals(1, f())", "assertTrue(true)"),
        ("src/a.rs", RSTEST, "assert_eq!(f(), 1);", ""),
    ],
)
def test_weaker_tests_block_wherever_they_are(guard: Any, path: str, text: str, old: str, new: str) -> None:
    assert old in text
    assert not guard("tests", {path: text}, {path: text.replace(old, new)}).passed


def test_file_that_a_script_of_the_package_names_is_one_of_tests(guard: Any) -> None:
    base = {"package.json": '{"scripts": {"test": "node ./checks/all.js"}}', "checks/all.js": OWN}
    head = {**base, "checks/all.js": OWN.replace("assert.equal(f(), 1)", "")}
    assert not guard("tests", base, head).passed
    other = '{"scripts": {"start": "node ./checks/all.js"}}'
    assert guard("tests", {**base, "package.json": other}, {**head, "package.json": other}).passed


@pytest.fixture
def reported(repository: Path) -> Callable[..., Verdict]:
    """Runs a guard on a change to one file, after a base run that reported these tests and a run that did not."""

    def run(guard: str, name: str, base: str, head: str | None) -> Verdict:
        files = {"a": "1", "checks/all.py": base}
        change = make_change(repository, files, {**files, "checks/all.py": head} if head is not None else {"a": "1"})
        report = Report("base", "", (Verdict("pytest", Phase.TEST, Outcome.PASSED, counts=Counts(1, passed=(name,))),))
        plugin = plugins.load("guards", guard)
        (activation,) = plugin.detect(change.head)
        verdict: Verdict = plugin.verify(activation, replace(context(change), baseline=report))
        return verdict

    return run


def test_file_that_the_base_run_named_is_one_of_tests(reported: Callable[..., Verdict]) -> None:
    weaker = CUSTOM.replace("self.f() == 1", "True")
    assert reported("tests", "other.py::A::test_a", CUSTOM, weaker).passed
    assert not reported("tests", "checks/all.py::A::test_a[1]", CUSTOM, weaker).passed


def test_deleting_such_a_file_loses_tests_and_no_mere_examples(reported: Callable[..., Verdict]) -> None:
    assert not reported("lost-tests", "checks/all.py::A::test_a", CUSTOM, None).passed
    assert reported("lost-tests", "checks/all.py::checks.all.F", "class F:\n    'x'\n", None).passed


Renamed = Callable[..., Verdict]


@pytest.fixture
def renamed(repository: Path) -> Renamed:
    """Runs the guard on the renaming of a file, with the names that a runner reported before and after."""

    def run(old: str, new: str, text: str, before: Sequence[str] = (), after: Sequence[str] = ()) -> Verdict:
        change = make_change(repository, {old: text}, {new: text})
        verdicts = [
            Verdict("x", Phase.TEST, Outcome.PASSED, counts=Counts(1, passed=tuple(n))) for n in (before, after)
        ]
        plugin = plugins.load("guards", "tests")
        (activation,) = plugin.detect(change.head)
        asked = replace(context(change, verdicts[1:]), baseline=Report("base", "", tuple(verdicts[:1])))
        verdict: Verdict = plugin.verify(activation, asked)
        return verdict

    return run


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("test/issue-2.js", "test/issue-two.js"),
        ("lib/__tests__/a.ts", "lib/__tests__/b.ts"),
        ("test/a.test.js", "test/b.test.js"),
    ],
)
def test_file_that_is_collected_by_its_place_may_have_another_name(renamed: Renamed, old: str, new: str) -> None:
    assert renamed(old, new, DESCRIBE).passed


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("test/a.js", "test/_a.js"),
        ("test/a.js", "test/a.txt"),
        ("test/a.js", "lib/a.js"),
        ("src/a.test.js", "src/a.js"),
        ("test/a.test.js", "test/a.js"),
        ("tests/test_a.py", "tests/a.py"),
    ],
)
def test_renamed_file_is_lost_unless_all_its_tests_are_known_to_have_run(renamed: Renamed, old: str, new: str) -> None:
    text = MODULE if old.endswith(".py") else DESCRIBE
    before = [f"{old}::test_a", "x"] if old.endswith(".py") else ["f > adds", "x"]
    after = [name.replace(old, new) for name in before]
    assert not renamed(old, new, text).passed
    assert renamed(old, new, text, before, after).passed == (not new.endswith(".txt"))
    assert not renamed(old, new, text, before, after[:1]).passed
    assert not renamed(old, new, text, before, after[1:]).passed
    assert not renamed(old, new, text, before[1:], after).passed


@pytest.mark.parametrize(
    ("path", "base", "head"),
    [
        ("src/db.py", "class DB:\n    def test_link(self):\n        return ping()\n", "class DB:\n    pass\n"),
        ("src/db.ts", "function test(a) { expect(a) }\ntest('x', () => { assert(1) })\n", "\n"),
        ("src/Db.java", "class Db {\n  void testLink() {\n    assert ping();\n  }\n}\n", "class Db {\n}\n"),
    ],
)
def test_production_code_that_says_test_is_none(guard: Any, found: Any, path: str, base: str, head: str) -> None:
    assert found(guard("tests", {path: base}, {path: head})) == []


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("rate/a_test.go", "rate/a_windows_test.go", "func TestA(t *testing.T) {\n\tt.Error()\n}\n"),
        ("rate/a_test.go", "rate/testdata/a_test.go", "func TestA(t *testing.T) {\n\tt.Error()\n}\n"),
        ("rate/a_test.go", "rate/_a_test.go", "func TestA(t *testing.T) {\n\tt.Error()\n}\n"),
        ("tests/test_a.py", "tests/build/test_a.py", "def test_a():\n    assert f() == 1\n"),
        ("tests/test_a.py", "tests/.old/test_a.py", "def test_a():\n    assert f() == 1\n"),
    ],
)
def test_file_in_a_place_that_no_runner_looks_at_is_lost(renamed: Renamed, old: str, new: str, text: str) -> None:
    assert not renamed(old, new, text).passed
    assert renamed(old, f"more/{old}", text).passed
