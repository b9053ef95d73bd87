# ruff: noqa: E501 - a table reads best with one row a line
"""Assertions that stay, and accept more than they did; and what only looks like it."""

from typing import Any

import pytest

PY = "from unittest import mock\nfrom calc import add\n\nEXPECTED = 3\nROWS = [1, 2]\n\n\ndef test_add():\n    assert add(1, 2) == 3\n    assert add(2, 1) == EXPECTED\n"
JS = 'import { expect, it } from "vitest";\nimport { add } from "./add";\nconst rows = [1, 2];\nit("adds", () => {\n  expect(add(1, 2)).toEqual(3);\n  expect(add(2, 1)).toBe(3);\n});\n'
NODE = 'import test from "node:test";\nimport assert from "node:assert/strict";\ntest("adds", () => {\n  assert.equal(add(1, 2), 3);\n});\n'
JAVA = "import static org.junit.jupiter.api.Assertions.*;\nclass ATest {\n  @Test void adds() {\n    assertEquals(3.0, add(1, 2));\n    assertEquals(3, sum(1, 2));\n  }\n}\n"
TOLERANT = JAVA.replace("assertEquals(3.0, add(1, 2))", "assertEquals(3.0, add(1, 2), 0.01)")
P, J, N, V = "tests/test_a.py", "src/a.test.ts", "test/a.test.js", "src/test/java/ATest.java"
ALWAYS = "\n\nclass Any:\n    def __eq__(self, other):\n        return True\n"

LOOSER = {
    "python: any": (P, PY, "== 3\n", "== mock.ANY\n", "weaker-assertions"),
    "python: any in a call": (P, PY.replace("assert add(1, 2) == 3", "m.assert_called_once_with(3)"), "with(3)", "with(mock.ANY)", "weaker-assertions"),
    "python: any in a literal": (P, PY.replace("== 3\n", "== {'a': 3}\n"), "{'a': 3}", "{'a': mock.ANY}", "weaker-assertions"),
    "python: any by a name": (P, PY, "EXPECTED = 3", "EXPECTED = mock.ANY", "weaker-assertions"),
    "python: any by another name": (P, PY, "EXPECTED = 3", "WILD = mock.ANY\nEXPECTED = WILD", "weaker-assertions"),
    "python: any in a row": (P, "from unittest.mock import ANY\n\n\n@pytest.mark.parametrize('n', [1, 2])\ndef test_a(n):\n    assert f(n) == n\n", "[1, 2]", "[1, ANY]", "weaker-assertions"),
    "python: equal to all": (P, PY + ALWAYS, "== 3\n", "== Any()\n", "weaker-assertions"),
    "python: new class": (P, PY, "EXPECTED = 3", "EXPECTED = 3" + ALWAYS, "equal-to-all"),
    "python: tolerance": (P, PY.replace("== 3\n", "== approx(3, abs=0.1)\n"), "abs=0.1", "abs=100", "weaker-assertions"),
    "python: places": (P, PY.replace("assert add(1, 2) == 3", "self.assertAlmostEqual(add(1, 2), 3, places=2)"), "places=2", "places=1", "weaker-assertions"),
    "python: if": (P, PY, "    assert add(1", "    if add(0, 0):\n        assert add(1", "conditional-assertion"),
    "python: range": (P, PY, "    assert add(1", "    for _ in range(0):\n        assert add(1", "conditional-assertion"),
    "python: range of something": (P, PY, "    assert add(1", "    for _ in range(add(0, 0)):\n        assert add(1", "conditional-assertion"),
    "python: while": (P, PY, "    assert add(1", "    while add(0, 0):\n        assert add(1", "conditional-assertion"),
    "python: if False": (P, PY, "    assert add(1", "    if 0:\n        assert add(1", "conditional-assertion"),
    "python: else of nothing": (P, PY, "    assert add(1", "    if add(0, 0):\n        pass\n    else:\n        assert add(1", "conditional-assertion"),
    "python: handler": (P, PY, "    assert add(1, 2) == 3", "    try:\n        add(0, 0)\n    except ValueError:\n        assert add(1, 2) == 3", "conditional-assertion"),
    "python: and": (P, PY.replace("assert add(1, 2) == 3", "self.assertEqual(add(1, 2), 3)"), "self.", "add(0, 0) and self.", "conditional-assertion"),
    "python: function that nobody calls": (P, PY, "    assert add(1", "    def inner():\n        assert add(1", "conditional-assertion"),
    "python: function that is only named": (P, PY, "    assert add(1, 2) == 3", "    def inner():\n        assert add(1, 2) == 3\n\n    inner", "conditional-assertion"),
    "python: function with another name": (P, PY, "    assert add(1, 2) == 3", "    def inner():\n        assert add(1, 2) == 3\n\n    again = [inner]\n    print(again)", "conditional-assertion"),
    "python: function in a function": (P, PY, "    assert add(1, 2) == 3", "    def outer():\n        def inner():\n            assert add(1, 2) == 3\n\n        inner()", "conditional-assertion"),
    "python: function that is called under a condition": (P, PY, "    assert add(1, 2) == 3", "    def inner():\n        assert add(1, 2) == 3\n\n    if add(0, 0):\n        inner()", "conditional-assertion"),
    "python: function that is called in no loop": (P, PY, "    assert add(1, 2) == 3", "    def inner():\n        assert add(1, 2) == 3\n\n    for _ in []:\n        inner()", "conditional-assertion"),
    "python: generator that nobody runs": (P, PY, "    assert add(1, 2) == 3", "    def inner():\n        yield 1\n        assert add(1, 2) == 3\n\n    inner()", "conditional-assertion"),
    "python: async that nobody awaits": (P, PY, "    assert add(1, 2) == 3", "    async def inner():\n        assert add(1, 2) == 3\n\n    later = inner()", "conditional-assertion"),
    "python: method that nobody calls": (P, PY, "    assert add(1, 2) == 3", "    class Inner:\n        def check(self):\n            assert add(1, 2) == 3\n\n    Inner()", "conditional-assertion"),
    "python: lambda": (P, PY.replace("assert add(1, 2) == 3", "self.assertEqual(add(1, 2), 3)"), "self.", "later = lambda: self.", "conditional-assertion"),
    "python: generator expression": (P, PY.replace("assert add(1, 2) == 3", "self.assertEqual(add(1, 2), 3)"), "self.assertEqual(add(1, 2), 3)", "(self.assertEqual(add(1, 2), 3) for _ in (1, 2))", "conditional-assertion"),
    "python: bound function": (P, PY, "    assert add(1, 2) == 3", "    def inner():\n        assert add(1, 2) == 3\n\n    functools.partial(inner)", "conditional-assertion"),
    "js: anything": (J, JS, "toEqual(3)", "toEqual(expect.anything())", "weaker-assertions"),
    "js: any": (J, JS, "toEqual(3)", "toEqual(expect.any(Number))", "weaker-assertions"),
    "js: any within": (J, JS.replace("toEqual(3)", "toEqual({ a: 3 })"), "a: 3", "a: expect.any(Number)", "weaker-assertions"),
    "js: matcher": (J, JS, "const rows", "const wild = { asymmetricMatch: () => true };\nconst rows", "equal-to-all"),
    "js: both sides": (J, JS, "toEqual(3)", "toEqual(add(1, 2))", "constant-assertion"),
    "js: both sides of node": (N, NODE, "1, 2), 3", "1, 2), add(1, 2)", "constant-assertion"),
    "js: both sides, strings": (N, NODE, "add(1, 2), 3", '"a,b", "a,b"', "constant-assertion"),
    "js: digits": (J, JS.replace("toEqual(3)", "toBeCloseTo(3, 5)"), "3, 5", "3, -2", "weaker-assertions"),
    "js: if": (J, JS, "  expect(add(1, 2))", "  if (add(0, 0)) expect(add(1, 2))", "conditional-assertion"),
    "js: block": (J, JS, "  expect(add(1, 2)).toEqual(3);", "  if (add(0, 0)) {\n    expect(add(1, 2)).toEqual(3);\n  }", "conditional-assertion"),
    "js: for": (J, JS, "  expect(add(1, 2)).toEqual(3);", "  for (const x of add()) {\n    expect(add(1, 2)).toEqual(3);\n  }", "conditional-assertion"),
    "js: empty list": (J, JS, "  expect(add(1, 2))", "  for (const x of []) expect(add(1, 2))", "conditional-assertion"),
    "js: and": (J, JS, "  expect(add(1, 2))", "  add(0, 0) && expect(add(1, 2))", "conditional-assertion"),
    "js: loose assert": (N, NODE, "node:assert/strict", "node:assert", "weaker-assertions"),
    "js: loose assert by name": (N, NODE.replace("import assert", "import { strict as assert }").replace("/strict", ""), "{ strict as assert }", "assert", "weaker-assertions"),
    "js: loose comparison": (N, NODE.replace("/strict", "").replace("equal", "strictEqual"), "strictEqual", "equal", "weaker-assertions"),
    "java: delta": (V, JAVA, "add(1, 2))", "add(1, 2), 9.0)", "weaker-assertions"),
    "java: delta grows": (V, TOLERANT, "0.01", "9.0", "weaker-assertions"),
    "java: offset": (V, JAVA.replace("assertEquals(3.0, add(1, 2))", "assertThat(add(1, 2)).isCloseTo(3.0, within(0.1))"), "0.1", "10", "weaker-assertions"),
    "java: both sides": (V, JAVA, "3.0, add(1, 2)", "add(1, 2), add(1, 2)", "constant-assertion"),
    "java: if": (V, JAVA, "assertEquals(3,", "if (sum(0, 0) > 0) assertEquals(3,", "conditional-assertion"),
    "java: equal to all": (V, JAVA, "@Test", "static class Any { public boolean equals(Object o) { return true; } }\n  @Test", "equal-to-all"),
}  # fmt: skip
AS_STRONG = {
    "python: none by its own name": (P, "class TestX:\n    def test_x(self):\n        self.assertEqual(f(), None)\n", "assertEqual(f(), None)", "assertIsNone(f())"),
    "js: null by its own name": (J, JS.replace("toEqual(3)", "toBe(null)"), "toBe(null)", "toBeNull()"),
    "js: undefined by its own name": (J, JS.replace("toEqual(3)", "toBe(undefined)"), "toBe(undefined)", "toBeUndefined()"),
    "js: no number by its own name": (J, JS.replace("toEqual(3)", "toBe(NaN)"), "toBe(NaN)", "toBeNaN()"),
    "python: more with any": (P, PY.replace("== 3\n", "== {'a': 3}\n"), "{'a': 3}", "{'a': 3, 'id': mock.ANY}"),
    "python: call gets an argument": (P, PY.replace("assert add(1, 2) == 3", "m.assert_called_once_with(3)"), "with(3)", "with(3, mock.ANY)"),
    "python: new assertion with any": (P, PY, "== EXPECTED\n", "== EXPECTED\n    assert f() == {'a': 1, 'id': mock.ANY}\n"),
    "python: member of that name": (P, PY, "== 3\n", "== Kind.ANY\n"),
    "python: own equality": (P, PY, "EXPECTED = 3", "EXPECTED = 3\n\n\nclass Point:\n    def __eq__(self, other):\n        return self.x == other.x\n"),
    "python: smaller tolerance": (P, PY.replace("== 3\n", "== approx(3, abs=0.1)\n"), "abs=0.1", "abs=0.01"),
    "python: loop that runs": (P, PY, "    assert add(1", "    for _ in range(3):\n        assert add(1"),
    "python: loop over a table": (P, PY, "    assert add(1", "    for n in ROWS:\n        assert add(1"),
    "python: loop over a literal": (P, PY, "    assert add(1", "    for n in (1, 2):\n        assert add(1"),
    "python: both branches": (P, PY, "    assert add(1, 2) == 3", "    if WINDOWS:\n        assert add(1, 2) == 3\n    else:\n        assert add(1, 2) == 4"),
    "python: one more under a condition": (P, PY, "== EXPECTED\n", "== EXPECTED\n    if add(0, 0):\n        assert add(3, 0) == 3\n"),
    "python: context": (P, PY, "    assert add(1", "    with opened():\n        assert add(1"),
    "python: function that is called": (P, PY, "    assert add(1, 2) == 3", "    def inner():\n        assert add(1, 2) == 3\n\n    inner()"),
    "python: function that a thread calls": (P, PY, "    assert add(1, 2) == 3", "    def inner():\n        assert add(1, 2) == 3\n\n    thread = Thread(target=inner)\n    thread.start()"),
    "python: function in a list": (P, PY, "    assert add(1, 2) == 3", "    def inner():\n        assert add(1, 2) == 3\n\n    for step in [inner]:\n        step()"),
    "python: function with an argument, in a loop": (P, PY, "    assert add(1, 2) == 3", "    def inner(n):\n        assert add(1, 2) == 3\n\n    for n in add(0, 0):\n        inner(n)"),
    "python: function that is returned": (P, PY, "    assert add(1, 2) == 3", "    def inner():\n        assert add(1, 2) == 3\n\n    return inner"),
    "python: function that is decorated": (P, PY, "    assert add(1, 2) == 3", "    @app.get('/')\n    def inner():\n        assert add(1, 2) == 3\n"),
    "python: function of another name": (P, PY, "    assert add(1, 2) == 3", "    def inner():\n        assert add(1, 2) == 3\n\n    step = inner\n    step()"),
    "python: function that calls another": (P, PY, "    assert add(1, 2) == 3", "    def inner():\n        assert add(1, 2) == 3\n\n    def outer():\n        inner()\n\n    outer()"),
    "python: function as a hook": (P, PY, "    assert add(1, 2) == 3", "    def inner():\n        assert add(1, 2) == 3\n\n    client.hook = inner"),
    "python: function as a hook of its own thing": (P, PY, "    assert add(1, 2) == 3", "    def inner():\n        assert add(1, 2) == 3\n\n    client = make()\n    client.hooks['x'] = inner\n    client.run()"),
    "python: function that is bound": (P, PY, "    assert add(1, 2) == 3", "    def inner(n):\n        assert add(1, 2) == 3\n\n    step = functools.partial(inner, 1)\n    step()"),
    "python: generator that runs": (P, PY, "    assert add(1, 2) == 3", "    def inner():\n        yield 1\n        assert add(1, 2) == 3\n\n    list(inner())"),
    "python: generator in a loop": (P, PY, "    assert add(1, 2) == 3", "    def inner():\n        yield 1\n        assert add(1, 2) == 3\n\n    for _ in inner():\n        pass"),
    "python: generator by next": (P, PY, "    assert add(1, 2) == 3", "    def inner():\n        yield 1\n        assert add(1, 2) == 3\n\n    steps = inner()\n    next(steps)\n    next(steps, None)"),
    "python: async that is run": (P, PY, "    assert add(1, 2) == 3", "    async def inner():\n        assert add(1, 2) == 3\n\n    asyncio.run(inner())"),
    "python: async that is awaited": (P, PY, "    assert add(1, 2) == 3", "    async def inner():\n        assert add(1, 2) == 3\n\n    job = inner()\n    await job"),
    "python: context manager": (P, PY, "    assert add(1, 2) == 3", "    @contextmanager\n    def inner():\n        yield\n        assert add(1, 2) == 3\n\n    with inner():\n        pass"),
    "python: fake with a method": (P, PY, "    assert add(1, 2) == 3", "    class Fake:\n        def send(self):\n            assert add(1, 2) == 3\n\n    fake = Fake()\n    client = Client(fake)"),
    "python: own class with a method": (P, PY, "    assert add(1, 2) == 3", "    class Own(Base):\n        def send(self):\n            assert add(1, 2) == 3\n\n    Own().send()"),
    "python: class that checks when it is made": (P, PY, "    assert add(1, 2) == 3", "    class Own:\n        def __init__(self):\n            assert add(1, 2) == 3\n\n    Own()"),
    "python: handed over in a table": (P, PY, "    assert add(1, 2) == 3", "    def inner():\n        assert add(1, 2) == 3\n\n    run({'on': (1, inner)})"),
    "python: recursive": (P, PY, "    assert add(1, 2) == 3", "    def inner(n):\n        assert add(1, 2) == 3\n        if n:\n            inner(n - 1)\n\n    inner(2)"),
    "python: in a with": (P, PY, "    assert add(1, 2) == 3", "    def inner():\n        assert add(1, 2) == 3\n\n    with opened() as x:\n        x.add(inner)"),
    "python: list comprehension": (P, PY, "    assert add(1, 2) == 3", "    def inner():\n        assert add(1, 2) == 3\n\n    [inner() for _ in (1, 2)]"),
    "python: lambda that is called": (P, PY.replace("assert add(1, 2) == 3", "self.assertEqual(add(1, 2), 3)"), "self.assertEqual(add(1, 2), 3)", "run(lambda: self.assertEqual(add(1, 2), 3))"),
    "python: raises of a lambda": (P, PY.replace("assert add(1, 2) == 3", "pytest.raises(ValueError, add, 1)"), "add, 1)", "lambda: add(1))"),
    "js: more with any": (J, JS.replace("toEqual(3)", "toEqual({ a: 3 })"), "{ a: 3 }", "{ a: 3, id: expect.any(String) }"),
    "js: new test with any": (J, JS, 'it("adds"', 'it("new", () => { expect(f()).toEqual(expect.anything()); });\nit("adds"'),
    "js: loop that runs": (J, JS, "  expect(add(1, 2))", "  for (const x of rows) expect(add(1, 2))"),
    "js: loop that counts": (J, JS, "  expect(add(1, 2))", "  for (let i = 0; i < 3; i++) expect(add(1, 2))"),
    "js: both branches": (J, JS, "  expect(add(1, 2)).toEqual(3);", "  if (WINDOWS) {\n    expect(add(1, 2)).toEqual(3);\n  } else {\n    expect(add(1, 2)).toEqual(4);\n  }"),
    "js: strict by another name": (N, NODE, 'import assert from "node:assert/strict"', 'import { strict as assert } from "node:assert"'),
    "js: strict by its calls": (N, NODE.replace("equal", "strictEqual"), "node:assert/strict", "node:assert"),
    "js: short name of strict calls": (N, NODE.replace("equal", "strictEqual"), "strictEqual", "equal"),
    "js: not alike": (J, JS, "toEqual(3)", "toEqual(add(2, 1))"),
    "java: message": (V, JAVA, "sum(1, 2))", 'sum(1, 2), "adds 9.0")'),
    "java: small delta": (V, JAVA, "add(1, 2))", "add(1, 2), 1e-9)"),
    "java: loop that runs": (V, JAVA, "assertEquals(3,", "for (int i = 0; i < 3; i++) assertEquals(3,"),
}  # fmt: skip


@pytest.mark.parametrize("name", LOOSER)
def test_assertion_that_accepts_more_blocks(guard: Any, found: Any, name: str) -> None:
    path, text, old, new, rule = LOOSER[name]
    assert old in text
    verdict = guard("tests", {path: text}, {path: text.replace(old, new, 1)})
    assert {d.rule for d in verdict.diagnostics if d.severity.value == "error"} == {f"tests/{rule}"}
    assert guard("tests", {path: text}, {path: text.replace(old, new, 1)}, allow=["tests"]).passed


@pytest.mark.parametrize("name", AS_STRONG)
def test_assertion_that_is_as_strong_passes(guard: Any, found: Any, name: str) -> None:
    path, text, old, new = AS_STRONG[name]
    assert old in text
    verdict = guard("tests", {path: text}, {path: text.replace(old, new, 1)})
    assert [line for line in found(verdict) if not line.startswith("info")] == []


def test_new_test_that_compares_something_with_itself_blocks(guard: Any, found: Any) -> None:
    assert found(guard("tests", {}, {N: NODE.replace("2), 3", "2), add(1, 2)")})) == [
        f"error tests/constant-assertion {N}:3"
    ]
