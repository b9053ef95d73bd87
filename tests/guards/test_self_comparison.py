# ruff: noqa: E501 - a table reads best with one row a line
"""Comparisons that hold by themselves, assertions that a return leaves out, tests of what they bring themselves."""

from time import process_time
from typing import Any

import pytest

SRC = {"src/calc/__init__.py": "def add(a, b):\n    return a + b\n\n\ndef half(a):\n    return a // 2\n"}
P = "tests/test_calc.py"
PY = "import pytest\nfrom calc import add, half\n\n\ndef test_add():\n    assert add(2, 3) == 5\n    assert add(0, 0) == 0\n"
LINE = "    assert add(2, 3) == 5\n"
J = "test/calc.test.js"
JS = 'import assert from "node:assert/strict";\nimport test from "node:test";\nimport { add, slow } from "../calc.js";\n\ntest("adds", async () => {\n  assert.equal(add(2, 3), 5);\n  assert.equal(await slow(2), 4);\n});\n'
JLINE = "  assert.equal(add(2, 3), 5);\n"
V = "src/test/java/x/RegTest.java"
JAVA = 'package x;\n\nclass RegTest {\n    @Test\n    void adds() {\n        assertEquals(5, Reg.add(2, 3));\n        assertEquals("a", Reg.name());\n    }\n}\n'
VLINE = "        assertEquals(5, Reg.add(2, 3));\n"
REG = {
    "src/main/java/x/Reg.java": "package x;\n\nclass Reg {\n    static int add(int a, int b) {\n        return a + b;\n    }\n}\n"
}

BLOCKED = {
    "python: by a name": (P, PY, LINE, "    want = add(2, 3)\n    assert add(2, 3) == want\n", "self-comparison"),
    "python: by two names": (P, PY, LINE, "    want, got = add(2, 3), add(2, 3)\n    assert got == want\n", "self-comparison"),
    "python: with other arguments": (P, PY, LINE, "    assert add(2, 3) == add(3, 2)\n", "self-comparison"),
    "python: by a walrus": (P, PY, LINE, "    if (want := add(2, 3)) is not None:\n        pass\n    assert add(2, 3) == want\n", "self-comparison"),
    "python: by a helper": (P, PY, "def test_add():\n" + LINE, "def want():\n    return add(2, 3)\n\n\ndef test_add():\n    assert add(2, 3) == want()\n", "self-comparison"),
    "python: by a default": (P, PY, "def test_add():\n" + LINE, "def test_add(want=add(2, 3)):\n    assert add(2, 3) == want\n", "self-comparison"),
    "python: overwritten": (P, PY, LINE, "    got = add(2, 3)\n    got = 5\n    assert got == 5\n", "self-comparison"),
    "python: greatest": (P, PY, LINE, "    assert max(add(2, 3), 5) == 5\n", "self-comparison"),
    "python: or": (P, PY, LINE, "    assert (add(2, 3) or 5) == 5\n", "self-comparison"),
    "python: conditional": (P, PY, LINE, "    assert (5 if add(2, 3) else 0) == 5\n", "self-comparison"),
    "python: absolute": (P, PY, LINE, "    assert abs(add(2, 3)) == 5\n", "weaker-assertions"),
    "python: absolute of others": (P, PY, LINE, "    assert abs(add(3, -2)) == 5\n", "weaker-assertions"),
    "python: a part": (P, PY.replace("== 5", '== "5"'), 'add(2, 3) == "5"', 'add(2, 3)[:1] == "5"', "weaker-assertions"),
    "python: left to another": (P, PY, LINE, "    assert same(add(2, 3), 5) == 1\n", "weaker-assertions"),
    "python: raised by itself": (P, PY.replace(LINE, "    with pytest.raises(ValueError):\n        half(3)\n"), "        half(3)\n", "        half(3)\n        raise ValueError\n", "self-comparison"),
    "python: raised by what is built in": (P, PY.replace(LINE, "    with pytest.raises(ValueError):\n        half(3)\n"), "        half(3)\n", "        int('x')\n", "self-comparison"),
    "python: returns": (P, PY, LINE, "    if add:\n        return\n" + LINE, "conditional-assertion"),
    "python: returns within a with": (P, PY, LINE, "    with open('a') as a:\n        if a:\n            return\n" + LINE, "conditional-assertion"),
    "python: returns from a handler": (P, PY, LINE, "    try:\n        import x\n    except ImportError:\n        return\n" + LINE, "conditional-assertion"),
    "python: asserts less before it returns": (P, PY, LINE, "    if add:\n        assert add\n        return\n" + LINE, "conditional-assertion"),
    "python: exact in one branch": (P, PY, LINE, "    if add:\n        assert add\n    else:\n        assert add(2, 3) == 5\n", "conditional-assertion"),
    "js: by a name": (J, JS, JLINE, "  const want = add(2, 3);\n  assert.equal(add(2, 3), want);\n", "self-comparison"),
    "js: by names, one after the other": (J, JS, JLINE, "  const first = add(2, 3);\n  let want = first;\n  assert.equal(add(2, 3), want);\n", "self-comparison"),
    "js: overwritten": (J, JS, JLINE, "  let got = add(2, 3);\n  got = 5;\n  assert.equal(got, 5);\n", "self-comparison"),
    "js: greatest": (J, JS, JLINE, "  assert.equal(5, Math.max(5, add(2, 3)));\n", "self-comparison"),
    "js: left to another": (J, JS, JLINE, "  assert.equal(ok(add(2, 3), 5), true);\n", "weaker-assertions"),
    "js: returns": (J, JS, JLINE, "  if (process.env.X !== '1') return;\n" + JLINE, "conditional-assertion"),
    "js: returns from a block": (J, JS, JLINE, "  if (add) {\n    return;\n  }\n" + JLINE, "conditional-assertion"),
    "js: over nothing": (J, JS, JLINE, "  [].forEach(() => assert.equal(add(2, 3), 5));\n", "conditional-assertion"),
    "js: in a case": (J, JS, JLINE, "  switch (add(2, 3)) {\n    case 5:\n      assert.equal(add(2, 3), 5);\n  }\n", "conditional-assertion"),
    "js: in a handler": (J, JS, JLINE, "  try {\n    add(2, 3);\n  } catch (error) {\n    assert.equal(add(2, 3), 5);\n  }\n", "conditional-assertion"),
    "js: dropped": (J, JS, "assert.equal(await slow(2), 4)", "slow(2).then((v) => assert.equal(v, 4)).catch(() => {})", "conditional-assertion"),
    "js: not waited for": (J, JS, "assert.equal(await slow(2), 4)", "slow(2).then((v) => assert.equal(v, 4))", "conditional-assertion"),
    "js: settled": (J, JS, "assert.equal(await slow(2), 4)", "await Promise.allSettled([slow(2).then((v) => assert.equal(v, 4))])", "conditional-assertion"),
    "js: thrown by itself": (J, JS.replace(JLINE, "  assert.throws(() => add(2));\n"), "add(2))", "{\n    add(2);\n    throw new Error('no');\n  })", "self-comparison"),
    "js: rejected by itself": (J, JS.replace(JLINE, "  await assert.rejects(slow(-1));\n"), "slow(-1)", "Promise.reject(new Error('no'))", "self-comparison"),
    "js: fails less": (J, JS.replace(JLINE, "  if (add(2, 3) !== 5) assert.fail('no');\n"), "!== 5", "!== 5 && strict", "weaker-assertions"),
    "java: by a name": (V, JAVA, VLINE, "        int e = Reg.add(2, 3);\n        assertEquals(e, Reg.add(2, 3));\n", "self-comparison"),
    "java: greatest": (V, JAVA, VLINE, "        assertEquals(5, Math.max(5, Reg.add(2, 3)));\n", "self-comparison"),
    "java: or else": (V, JAVA, VLINE, "        assertEquals(5, Reg.find(2, 3).orElse(5));\n", "self-comparison"),
    "java: returns": (V, JAVA, VLINE, "        if (Reg.add(1, 1) > 0) {\n            return;\n        }\n" + VLINE, "conditional-assertion"),
    "java: over an empty array": (V, JAVA, VLINE, f"        for (String s : new String[0]) {{\n    {VLINE}        }}\n", "conditional-assertion"),
    "java: of nothing": (V, JAVA, VLINE, "        Optional.empty().ifPresent(o -> assertEquals(5, Reg.add(2, 3)));\n", "conditional-assertion"),
    "java: in a case": (V, JAVA, VLINE, "        switch (Reg.add(2, 3)) {\n            case 5 -> assertEquals(5, Reg.add(2, 3));\n        }\n", "conditional-assertion"),
    "java: a part": (V, JAVA, '"a", Reg.name()', '"a", Reg.name().substring(0, 1)', "weaker-assertions"),
    "java: thrown by itself": (V, JAVA.replace(VLINE, "        assertThrows(E.class, () -> Reg.add(1));\n"), "Reg.add(1))", "{\n            throw new E();\n        })", "self-comparison"),
}  # fmt: skip

PASSES = {
    "python: names for both": (P, PY, LINE, "    want = 5\n    got = add(2, 3)\n    assert got == want\n"),
    "python: compared besides": (P, PY, LINE, LINE + "    assert add(2, 3) == add(3, 2)\n"),
    "python: a list that is filled": (P, PY, LINE, "    got = []\n    got.append(add(2, 3))\n    assert got == [5]\n"),
    "python: a flag that a function sets": (P, PY, "def test_add():\n" + LINE, "run = False\n\n\ndef done():\n    global run\n    run = True\n\n\ndef test_add():\n    add(2, done)\n    assert run is True\n    assert add(1, 2) == 3\n"),
    "python: an object that is changed": (P, PY, LINE, "    got, want = Box(), Box()\n    fill(got, add(2, 3))\n    assert got == want.of(5)\n"),
    "python: into a list": (P, PY, LINE, "    assert list(add(2, 3)) == 5\n"),
    "python: before and after": (P, PY, LINE, "    before = count()\n    add(2, 3)\n    assert count() == before + 1\n"),
    "python: error within a context": (P, PY, LINE, LINE + "    with pytest.raises(KeyError):\n        with add(1, 2):\n            raise KeyError\n"),
    "python: error of an object": (P, PY.replace(LINE, LINE + "    with pytest.raises(TypeError):\n        add(1, 'a')\n"), "        add(1, 'a')\n", "        made['a'] = 1\n"),
    "python: returns at the end": (P, PY, "    assert add(0, 0) == 0\n", "    assert add(0, 0) == 0\n    if add:\n        return\n"),
    "python: inner function returns": (P, PY, LINE, "    def inner(n):\n        if n:\n            return 1\n        return 2\n\n    run(inner)\n" + LINE),
    "python: branches that assert alike": (P, PY, LINE, "    if NEW:\n        assert add(2, 3) == 5\n        return\n    assert add(3, 2) == 5\n"),
    "python: rows": (P, PY, "def test_add():\n    assert add(2, 3) == 5\n    assert add(0, 0) == 0\n", "@pytest.mark.parametrize('a, b, c', [(2, 3, 5), (0, 0, 0)])\ndef test_add(a, b, c):\n    assert add(a, b) == c\n"),
    "js: names for both": (J, JS, JLINE, "  const want = 5;\n  const got = add(2, 3);\n  assert.equal(got, want);\n"),
    "js: a flag that a callback sets": (J, JS, JLINE, "  let run = false;\n  add(2, () => {\n    run = true;\n  });\n  assert.equal(run, true);\n"),
    "js: name of an argument": (J, JS, JLINE, "  const two = 2;\n  assert.equal(add(two, 3), 5);\n"),
    "js: compared besides": (J, JS, JLINE, JLINE + "  assert.equal(add(2, 3), add(3, 2));\n"),
    "js: inner function returns": (J, JS, JLINE, "  const inner = (n) => {\n    if (n) return 1;\n    return 2;\n  };\n  run(inner);\n" + JLINE),
    "js: returns what it asserts": (J, JS, JLINE, "  if (add) return assert.equal(add(2, 3), 5);\n" + JLINE),
    "js: over entries": (J, JS, JLINE, "  [2, 3].forEach(() => assert.equal(add(2, 3), 5));\n"),
    "js: over entries of an object": (J, JS, JLINE, "  const all = { a: 1 };\n  Object.entries(all).forEach(() => assert.equal(add(2, 3), 5));\n"),
    "js: waited for": (J, JS, "assert.equal(await slow(2), 4)", "await slow(2).then((v) => assert.equal(v, 4))"),
    "js: throws in a callback": (J, JS.replace(JLINE, "  assert.throws(() => add(2));\n"), "add(2))", "add(() => {\n    throw new Error('no');\n  }))"),
    "js: a case for each": (J, JS, JLINE, "  switch (kind) {\n    case 1:\n      assert.equal(add(2, 3), 5);\n      break;\n    default:\n      throw new Error(kind);\n  }\n"),
    "java: names for both": (V, JAVA, VLINE, "        int want = 5;\n        int got = Reg.add(2, 3);\n        assertEquals(want, got);\n"),
    "java: lambda returns": (V, JAVA, VLINE, "        run(n -> {\n            if (n > 0) {\n                return 1;\n            }\n            return 2;\n        });\n" + VLINE),
    "java: over entries": (V, JAVA, VLINE, "        List.of(1, 2).stream().forEach(n -> assertEquals(5, Reg.add(2, 3)));\n"),
    "java: new objects that are equal": (V, JAVA.replace("5, Reg.add(2, 3)", "new Reg(5), Reg.add(2, 3)"), "Reg.add(2, 3)", "new Reg(2).plus(3)"),
}  # fmt: skip


@pytest.mark.parametrize("name", BLOCKED)
def test_test_that_cannot_fail_as_before_blocks(guard: Any, found: Any, name: str) -> None:
    path, text, old, new, rule = BLOCKED[name]
    assert old in text
    lines = found(guard("tests", {**SRC, path: text}, {**SRC, path: text.replace(old, new, 1)}))
    assert f"tests/{rule}" in {line.split()[1] for line in lines if line.startswith("error")}
    assert guard("tests", {**SRC, path: text}, {**SRC, path: text.replace(old, new, 1)}, allow=["tests"]).passed


@pytest.mark.parametrize("name", PASSES)
def test_test_that_still_fails_passes(guard: Any, found: Any, name: str) -> None:
    path, text, old, new = PASSES[name]
    assert old in text
    verdict = guard("tests", {**SRC, path: text}, {**SRC, path: text.replace(old, new, 1)})
    assert [line for line in found(verdict) if line.startswith("error")] == []


def errors(found: Any, verdict: Any) -> set[str]:
    return {line.split()[1] for line in found(verdict) if line.startswith("error")}


def test_expected_value_of_a_module_class_or_fixture_is_followed(guard: Any, found: Any) -> None:
    for base, old, new in (
        (PY.replace("== 5", "== FIVE").replace("\n\n\ndef", "\n\nFIVE = 5\n\n\ndef", 1), "FIVE = 5", "FIVE = add(2, 3)"),
        (PY.replace("test_add()", "test_add(five)").replace("== 5", "== five").replace("\n\n\ndef", "\n\n\n@pytest.fixture\ndef five():\n    return 5\n\n\ndef", 1), "return 5", "return add(2, 3)"),
        ("class TestA(T):\n    def setUp(self):\n        self.five = 5\n\n    def test_a(self):\n        self.assertEqual(add(2, 3), self.five)\n", "five = 5", "five = add(2, 3)"),
    ):  # fmt: skip
        assert old in base
        verdict = guard("tests", {**SRC, P: base}, {**SRC, P: base.replace(old, new)})
        assert "tests/self-comparison" in errors(found, verdict)


def test_rows_that_ask_what_is_tested_block(guard: Any, found: Any) -> None:
    base = "import pytest\nfrom calc import half\n\n\n@pytest.mark.parametrize('a, b', [(2, 1), (4, 2)])\ndef test_half(a, b):\n    assert half(a) == b\n"
    head = base.replace("(2, 1), (4, 2)", "(2, half(2)), (4, half(4))")
    assert errors(found, guard("tests", {**SRC, P: base}, {**SRC, P: head})) == {"tests/self-comparison"}


PATCHES = {
    "in the test": ("def test_add():\n", "def test_add(monkeypatch):\n    monkeypatch.setattr('calc.add', lambda a, b: 5)\n"),
    "by a decorator": ("def test_add():\n", "@patch('calc.add', return_value=5)\ndef test_add(_):\n"),
    "by a fixture for all": ("def test_add():\n", "@pytest.fixture(autouse=True)\ndef _names(monkeypatch):\n    monkeypatch.setitem(globals(), 'add', max)\n\n\ndef test_add():\n"),
    "by a fixture that it asks for": ("def test_add():\n", "@pytest.fixture\ndef fake(monkeypatch):\n    monkeypatch.setitem(globals(), 'add', max)\n\n\ndef test_add(fake):\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", PATCHES)
def test_patch_of_what_a_test_calls_blocks(guard: Any, found: Any, name: str) -> None:
    old, new = PATCHES[name]
    verdict = guard("tests", {**SRC, P: PY}, {**SRC, P: PY.replace(old, new)})
    assert errors(found, verdict) == {"tests/not-the-source"}
    other = PY.replace(old, new).replace("'calc.add'", "'calc.half'").replace("'add'", "'half'")
    assert guard("tests", {**SRC, P: PY}, {**SRC, P: other}).passed


def test_spy_on_what_a_test_calls_passes(guard: Any) -> None:
    spied = PY.replace("def test_add():\n", "@patch.object(calc, 'add', wraps=calc.add)\ndef test_add(_):\n")
    spied = spied.replace("import pytest\n", "import calc\nimport pytest\n")
    assert guard("tests", {**SRC, P: PY}, {**SRC, P: spied}).passed


@pytest.mark.parametrize(
    "words",
    ['globals()["test_add"] = print', 'vars().update(test_add=print)', 'setattr(sys.modules[__name__], "test_add", print)',
     'globals().__setitem__("test_add", print)', 'sys.modules[__name__].__dict__["test_add"] = print'],
)  # fmt: skip
def test_test_that_is_replaced_among_the_names_blocks(guard: Any, found: Any, words: str) -> None:
    assert errors(found, guard("tests", {**SRC, P: PY}, {**SRC, P: f"{PY}\n\n{words}\n"})) == {"tests/replaced"}
    assert guard("tests", {**SRC, P: PY}, {**SRC, P: f"{PY}\n\n{words.replace('test_add', 'other')}\n"}).passed


COPIES = {
    "python: a function": (P, PY, SRC, {"add(2, 3) == 5": "plus(2, 3) == 5", "\n\n\ndef test": "\n\n\ndef plus(a, b):\n    return a + b\n\n\ndef test"}, "return a + b\n", "return add(a, b)\n"),
    "python: a lambda in a list": (P, PY, SRC, {"assert add(2, 3)": "them = [add for add in [lambda a, b: a + b]]\n    assert them[0](2, 3)"}, "[lambda a, b: a + b]", "[add, add]"),
    "js: a function": (J, JS, {"calc.js": "export const add = (a, b) => a + b;\nexport const slow = 1;\n"}, {"equal(add(2, 3), 5)": "equal(plus(2, 3), 5)", "\n\ntest": "\n\nconst plus = (a, b) => a + b;\n\ntest"}, "=> a + b", "=> add(a, b)"),
    "java: a method": (V, JAVA, REG, {"Reg.add(2, 3)": "plus(2, 3)", "    @Test": "    static int plus(int a, int b) {\n        return a + b;\n    }\n\n    @Test"}, "return a + b", "return Reg.add(a, b)"),
}  # fmt: skip


@pytest.mark.parametrize("name", COPIES)
def test_copy_in_test_code_blocks(guard: Any, found: Any, name: str) -> None:
    path, text, sources, edits, copy, call = COPIES[name]
    head = text
    for old, new in edits.items():
        assert old in head
        head = head.replace(old, new, 1)
    assert "tests/not-the-source" in errors(found, guard("tests", {**sources, path: text}, {**sources, path: head}))
    assert copy in head
    assert guard("tests", {**sources, path: text}, {**sources, path: head.replace(copy, call)}).passed


def test_class_beside_the_tests_that_copies_a_source_blocks(guard: Any, found: Any) -> None:
    copy = {"src/test/java/x/Reg2.java": REG["src/main/java/x/Reg.java"].replace("Reg", "Reg2")}
    head = {**REG, **copy, V: JAVA.replace("Reg.add", "Reg2.add")}
    assert errors(found, guard("tests", {**REG, V: JAVA}, head)) == {"tests/not-the-source"}
    head["src/test/java/x/Reg2.java"] = copy["src/test/java/x/Reg2.java"].replace("a + b", "Reg.add(a, b)")
    assert guard("tests", {**REG, V: JAVA}, head).passed


def test_assertion_that_is_switched_off_blocks(guard: Any, found: Any) -> None:
    base = {"calc.js": "export const add = (a, b) => a + b;\n", J: JS}
    for words in ("check.equal = () => {};", "Object.assign(check, { equal() {} });", "check['equal'] = () => {};"):
        off = {"setup.js": f'import check from "node:assert/strict";\n{words}\n'}
        assert errors(found, guard("tests", base, {**base, **off})) == {"tests/runner"}
    mocked = JS.replace("async () => {\n", "async (t) => {\n  t.mock.method(assert, 'equal', () => {});\n")
    assert "tests/runner" in errors(found, guard("tests", base, {**base, J: mocked}))
    chai = {"setup.js": "import chai from 'chai';\nchai.config.truncateThreshold = 0;\n"}
    own = {"setup.js": "const check = {};\ncheck.equal = () => {};\n"}
    assert guard("tests", base, {**base, **chai}).passed
    assert guard("tests", base, {**base, **own}).passed
    patch = {"src/calc/hook.py": "import pytest\n\npytest.raises = print\n"}
    assert errors(found, guard("tests", SRC, {**SRC, **patch})) == {"tests/runner"}


@pytest.mark.parametrize("module", ["#calc", "calc"])
def test_package_that_leads_to_a_copy_blocks(guard: Any, found: Any, module: str) -> None:
    base = {
        "package.json": '{"name": "calc"}',
        "calc.js": "export const add = (a, b) => a + b;\nexport const slow = 1;\n",
        J: JS,
    }
    to = '{"name": "calc", "imports": {"#calc": {"node": "./copy.js"}}, "exports": "./copy.js"}'
    head = {**base, "package.json": to, "copy.js": base["calc.js"], J: JS.replace("../calc.js", module)}
    assert "tests/not-the-source" in errors(found, guard("tests", base, head))
    assert guard("tests", base, {**head, "package.json": to.replace("copy.js", "calc.js")}).passed


def test_hostile_text_takes_linear_time(guard: Any) -> None:
    """Where it is not, some seconds are not enough for these."""
    size = 8_000
    for path, text in (
        (P, "def test_a():\n" + "    a = f(1)\n    assert a == a\n" * (size // 32)),
        (P, "def test_a():\n    a = f(1)\n" + "    a = (a, a)\n    assert a == 1\n" * (size // 34)),
        (P, "def test_a():\n" + "    if a:\n        return\n    assert f(1) == 2\n" * (size // 45)),
        (P, "".join(f"A{n} = f({n})\n" for n in range(size // 18)) + "def test_a():\n    assert f(1) == A1\n"),
        (J, 'test("a", () => {\n' + "a=(" * (size // 3)),
        (J, 'test("a", () => {\n' + "  const a = a + a;\n  assert.equal(a, f(a));\n" * (size // 45)),
        (J, 'test("a", () => {\n' + "  if (a) return;\n  expect(f(1)).toBe(2);\n" * (size // 42)),
        (J, 'test("a", () => {\n' + "  a.then(() => expect(1).toBe(2)).catch(() => {});\n" * (size // 50)),
        (J, 'test("a", () => {\n' + "{return;" * (size // 8)),
        (V, "class A {\n@Test void a() {\n" + "int e = f(1);\nassertEquals(e, f(1));\n" * (size // 38)),
        (V, "class A {\n@Test void a() {\n" + "switch (a) { case 1: return;\n" * (size // 30) + "fail();"),
    ):  # fmt: skip
        began = process_time()
        guard("tests", {path: text}, {path: text + "\n// \n" if path != P else text + "\n"})
        assert process_time() - began < 8, text[:60]
