# ruff: noqa: E501 - a table reads best with one row a line
"""Tests that no longer test the repository's own code; and honest moves, renames and mocks."""

from collections.abc import Mapping
from typing import Any

import pytest

Files = Mapping[str, str]

PY = "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
JS = 'import { expect, it } from "vitest";\nimport { add } from "../src/add";\nit("adds", () => {\n  expect(add(1, 2)).toBe(3);\n});\n'
NODE = 'const test = require("node:test");\nconst assert = require("node:assert/strict");\nconst { add } = require("../src/add");\ntest("adds", () => {\n  assert.equal(add(1, 2), 3);\n});\n'
JAVA = "package x;\n\nimport static org.junit.jupiter.api.Assertions.assertEquals;\n\nclass CalcTest {\n  @Test void adds() {\n    assertEquals(3, Calc.add(1, 2));\n  }\n}\n"
CALC = "package x;\n\npublic class Calc {\n  public static int add(int a, int b) { return a + b; }\n}\n"
SRC = {
    "pyproject.toml": "[project]\nname = 'calc'\n",
    "src/calc/__init__.py": "def add(a, b):\n    return a + b\n",
    "src/add.ts": "export function add(a, b) { return a + b; }\n",
    "src/main/java/x/Calc.java": CALC,
}
P, J, N, V = "tests/test_add.py", "test/add.test.ts", "test/add.test.js", "src/test/java/x/CalcTest.java"
GOOD = "def add(a, b):\n    return a + b\n"


def swap(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


IMPORTED, TAKEN = "from calc import add\n", 'import { add } from "../src/add";\n'
PLUS = {"src/calc/__init__.py": GOOD + "\n\ndef plus(a, b):\n    return a + b\n"}
DISPLACED: dict[str, tuple[Files, Files, str]] = {
    "python: defined in the test": ({P: PY}, {P: swap(PY, IMPORTED, GOOD)}, P),
    "python: defined beside the import": ({P: PY}, {P: swap(PY, IMPORTED, IMPORTED + GOOD)}, P),
    "python: defined under a condition": ({P: PY}, {P: swap(PY, IMPORTED, "try:\n    from calc import add\nfinally:\n    add = lambda a, b: a + b\n")}, P),
    "python: defined in the function": ({P: PY}, {P: swap(PY, "    assert", "    add = lambda a, b: a + b\n    assert")}, P),
    "python: from the tests": ({P: PY}, {P: swap(PY, "calc", "helpers"), "tests/helpers.py": GOOD}, P),
    "python: from the tests, relative": ({P: PY, "tests/__init__.py": ""}, {P: swap(PY, "calc", ".helpers"), "tests/__init__.py": "", "tests/helpers.py": GOOD}, P),
    "python: all from the tests": ({P: PY}, {P: swap(PY, IMPORTED, "from helpers import *\n"), "tests/helpers.py": GOOD}, P),
    "python: wrapped": ({P: PY}, {P: swap(PY, IMPORTED, "from calc import add as real\nfrom helpers import quiet\n\nadd = quiet(real)\n"), "tests/helpers.py": "def quiet(f):\n    return lambda a, b: a + b\n"}, P),
    "python: the module": ({P: swap(PY, IMPORTED, "import calc\n").replace("add(1", "calc.add(1")}, {P: swap(PY, IMPORTED, "import helpers as calc\n").replace("add(1", "calc.add(1"), "tests/helpers.py": GOOD}, P),
    "python: the test moves too": ({P: PY}, {"tests/test_sum.py": swap(PY, IMPORTED, GOOD)}, "tests/test_sum.py"),
    "python: package beside the tests": ({P: PY}, {P: PY, "tests/calc/__init__.py": GOOD}, "tests/calc/__init__.py"),
    "python: module beside the tests": ({P: PY}, {P: PY, "tests/calc.py": GOOD}, "tests/calc.py"),
    "python: patched by conftest": ({P: PY}, {P: PY, "tests/conftest.py": "import calc\n\ncalc.add = lambda a, b: a + b\n"}, "tests/conftest.py"),
    "python: patched by its text": ({P: PY}, {P: PY, "tests/conftest.py": "from unittest import mock\n\nmock.patch('calc.add', lambda a, b: a + b).start()\n"}, "tests/conftest.py"),
    "python: patched by setattr": ({P: PY}, {P: swap(PY, IMPORTED, "import calc\n\nsetattr(calc, 'add', lambda a, b: a + b)\n" + IMPORTED)}, P),
    "python: patched whole": ({P: PY}, {P: PY, "tests/conftest.py": "import sys\n\nsys.modules['calc'] = object()\n"}, "tests/conftest.py"),
    "python: default of the test": ({P: PY}, {P: swap(PY, "test_add()", "test_add(add=lambda a, b: a + b)")}, P),
    "python: default by name": ({P: PY}, {P: swap(PY, "test_add()", "test_add(x=1, *, add=int.__add__)")}, P),
    "python: default from the tests": ({P: PY}, {P: swap(PY, IMPORTED, IMPORTED + "from helpers import plus\n").replace("test_add()", "test_add(add=plus)"), "tests/helpers.py": "def plus(a, b):\n    return a + b\n"}, P),
    "python: default of a lambda": ({P: PY}, {P: swap(PY, "add(1, 2) ==", "(lambda add=int.__add__: add(1, 2))() ==")}, P),
    "python: default of an inner function": ({P: PY}, {P: swap(PY, "    assert add(1, 2) == 3", "    def inner(add=sum):\n        assert add(1, 2) == 3\n\n    inner()")}, P),
    "python: default of a method": ({P: "from calc import add\n\n\nclass TestAdd:\n    def test_add(self):\n        assert add(1, 2) == 3\n"}, {P: "from calc import add\n\n\nclass TestAdd:\n    def test_add(self, add=int.__add__):\n        assert add(1, 2) == 3\n"}, P),
    "python: another name of the sources": ({P: PY}, {**PLUS, P: swap(PY, "import add", "import plus as add")}, P),
    "python: another name, beside it": ({P: PY}, {**PLUS, P: swap(PY, IMPORTED, IMPORTED + "from calc import plus as add\n")}, P),
    "python: another name, in the test": ({P: PY}, {**PLUS, P: swap(PY, "    assert", "    from calc import plus as add\n\n    assert")}, P),
    "python: another name, assigned": ({P: PY}, {**PLUS, P: swap(PY, "import add\n", "import plus\n\nadd = plus\n")}, P),
    "python: another name of a new module": ({P: PY}, {"src/calc/fast.py": PLUS["src/calc/__init__.py"], P: swap(PY, "calc import add", "calc.fast import plus as add")}, P),
    "python: another name, as default": ({P: PY}, {**PLUS, P: swap(PY, "import add", "import add, plus").replace("test_add()", "test_add(add=plus)")}, P),
    "python: another module": ({P: swap(PY, IMPORTED, "import calc\n").replace("add(1", "calc.add(1")}, {"src/quick.py": GOOD, P: swap(PY, IMPORTED, "import quick as calc\n").replace("add(1", "calc.add(1")}, P),
    "js: defined in the test": ({J: JS}, {J: swap(JS, TAKEN, "const add = (a, b) => a + b;\n")}, J),
    "js: a function of the test": ({J: JS}, {J: swap(JS, TAKEN, "") + "function add(a, b) { return a + b; }\n"}, J),
    "js: defined in the block": ({J: JS}, {J: swap(JS, "  expect(", "  const add = (a, b) => a + b;\n  expect(")}, J),
    "js: from the tests": ({J: JS}, {J: swap(JS, "../src/add", "./copy"), "test/copy.ts": "export const add = (a, b) => a + b;\n"}, J),
    "js: required from the tests": ({N: NODE}, {N: swap(NODE, "../src/add", "./copy"), "test/copy.js": "exports.add = (a, b) => a + b;\n"}, N),
    "js: under another's name": ({J: JS}, {J: swap(JS, "{ add }", "{ plus as add }"), "src/add.ts": SRC["src/add.ts"] + "export const plus = (a, b) => a + b;\n"}, J),
    "js: required under another's name": ({N: NODE}, {N: swap(NODE, "{ add }", "{ plus: add }"), "src/add.ts": SRC["src/add.ts"] + "export const plus = (a, b) => a + b;\n"}, N),
    "js: another file under its name": ({J: JS}, {J: swap(JS, '{ add } from "../src/add"', '{ plus as add } from "../src/plus"'), "src/plus.ts": "export const plus = (a, b) => a + b;\n"}, J),
    "js: new file beside the old one": ({J: JS}, {J: swap(JS, "../src/add", "../src/testing"), "src/testing.ts": SRC["src/add.ts"]}, J),
    "js: mocked": ({J: JS}, {J: swap(JS, TAKEN, TAKEN + 'vi.mock("../src/add", () => ({ add: (a, b) => a + b }));\n')}, J),
    "js: mocked by jest": ({J: JS}, {J: swap(JS, TAKEN, TAKEN + 'jest.mock("../src/add.js", () => ({ add: (a, b) => a + b }));\n')}, J),
    "js: mock beside the source": ({J: JS}, {J: JS, "src/__mocks__/add.ts": "export const add = (a, b) => a + b;\n"}, "src/__mocks__/add.ts"),
    "java: same class in the tests": ({V: JAVA}, {V: JAVA, "src/test/java/x/Calc.java": CALC}, "src/test/java/x/Calc.java"),
    "java: same class in a file of tests": ({V: JAVA}, {V: JAVA, "src/test/java/x/MoreTest.java": "package x;\n\nclass Calc {}\n"}, "src/test/java/x/MoreTest.java"),
    "java: class in the class": ({V: JAVA}, {V: swap(JAVA, "  @Test", "  static class Calc { static int add(int a, int b) { return a + b; } }\n  @Test")}, V),
    "java: from another package": ({V: JAVA}, {V: swap(JAVA, "import static", "import y.Calc;\nimport static"), "src/test/java/y/Calc.java": swap(CALC, "x;", "y;")}, V),
}  # fmt: skip
MOVED = {"src/calc/__init__.py": "", "src/calc/ops.py": GOOD}
OWN: dict[str, tuple[Files, Files]] = {
    "python: symbol renamed": ({**SRC, P: PY}, {**SRC, "src/calc/__init__.py": swap(GOOD, "add", "plus"), P: swap(PY, "add(1", "plus(1").replace("import add", "import plus")}),
    "python: module moved": ({**SRC, P: PY}, {**SRC, **MOVED, P: swap(PY, "calc ", "calc.ops ")}),
    "python: no longer in the source": ({**SRC, P: PY}, {**SRC, "src/calc/__init__.py": "", P: swap(PY, IMPORTED, GOOD)}),
    "python: into the helpers of tests": ({**SRC, P: PY}, {**SRC, "src/calc/__init__.py": "", "tests/helpers.py": GOOD, P: swap(PY, "calc", "helpers")}),
    "python: replaced by the library": ({**SRC, P: PY}, {**SRC, P: swap(PY, "calc", "operator")}),
    "python: by its module": ({**SRC, P: PY}, {**SRC, P: swap(PY, IMPORTED, "import calc\n\nadd = calc.add\n")}),
    "python: new test with helpers": ({**SRC, P: PY}, {**SRC, P: PY, "tests/test_new.py": "from calc import add\n\n\ndef make():\n    return add(1, 1)\n\n\ndef test_new():\n    assert make() == 2\n"}),
    "python: tests in a package of that name": ({**SRC, "tests/__init__.py": "", P: PY}, {**SRC, "tests/__init__.py": "", P: PY, "tests/calc/__init__.py": "", "tests/calc/test_b.py": PY.replace("test_add", "test_b")}),
    "python: imported by importlib": ({**SRC, P: PY, "pytest.ini": "[pytest]\naddopts = --import-mode=importlib\n"}, {**SRC, P: PY, "pytest.ini": "[pytest]\naddopts = --import-mode=importlib\n", "tests/calc/__init__.py": "", "tests/calc/test_b.py": PY.replace("test_add", "test_b")}),
    "python: patched in a test": ({**SRC, P: PY}, {**SRC, P: PY + "\n\ndef test_new(monkeypatch):\n    monkeypatch.setattr('calc.add', None)\n    assert True is not None\n".replace("True is not None", "f() == 1")}),
    "python: setting of the source": ({**SRC, P: PY}, {**SRC, P: PY, "tests/conftest.py": "import calc\n\ncalc.DEBUG = True\n"}),
    "python: source in a fixture": ({**SRC, P: PY}, {**SRC, P: PY, "tests/conftest.py": "import pytest\nfrom calc import add\n\n\n@pytest.fixture\ndef three():\n    return add(1, 2)\n"}),
    "python: default that is the source": ({**SRC, P: PY}, {**SRC, P: swap(PY, "test_add()", "test_add(add=add)")}),
    "python: default of another name": ({**SRC, P: PY}, {**SRC, P: swap(PY, "test_add()", "test_add(plus=lambda a, b: a + b)")}),
    "python: parameter of a helper": ({**SRC, P: PY}, {**SRC, P: PY + "\n\ndef check(add, n):\n    assert add(n, n) == 2 * n\n\n\ndef test_check():\n    check(add, 1)\n"}),
    "python: fixture beside it": ({**SRC, P: PY}, {**SRC, P: swap(PY, "test_add()", "test_add(tmp_path, capsys)")}),
    "python: symbol renamed, and its uses": ({**SRC, **PLUS, P: PY}, {**SRC, **PLUS, P: swap(PY, "add(1", "plus(1").replace("import add", "import plus")}),
    "python: alias dropped": ({**SRC, **PLUS, P: swap(PY, "import add", "import plus as add")}, {**SRC, **PLUS, P: swap(PY, "add(1", "plus(1").replace("import add", "import plus")}),
    "python: alias of a renamed one": ({**SRC, P: PY}, {**SRC, "src/calc/__init__.py": swap(GOOD, "add", "plus"), P: swap(PY, "import add", "import plus as add")}),
    "python: old name is an alias": ({**SRC, P: PY}, {**SRC, "src/calc/__init__.py": swap(GOOD, "add", "plus") + "\n\nadd = plus\n", P: swap(PY, "import add", "import plus as add")}),
    "python: module moved, handed on": ({**SRC, P: PY}, {**SRC, "src/calc/__init__.py": "from calc.core import add\n", "src/calc/core.py": GOOD, P: swap(PY, "calc ", "calc.core ")}),
    "python: part of the package": ({**SRC, P: swap(PY, IMPORTED, "import calc\n").replace("add(1", "calc.add(1")}, {**SRC, "src/calc/core.py": GOOD, P: swap(PY, IMPORTED, "import calc.core\n").replace("add(1", "calc.core.add(1")}),
    "python: more of the sources": ({**SRC, **PLUS, P: PY}, {**SRC, **PLUS, P: swap(PY, "import add", "import add, plus")}),
    "js: symbol renamed": ({**SRC, J: JS}, {**SRC, "src/add.ts": "export function plus(a, b) { return a + b; }\n", J: swap(JS, "add }", "plus }").replace("add(1", "plus(1")}),
    "js: symbol renamed, name kept": ({**SRC, J: JS}, {**SRC, "src/add.ts": "export function plus(a, b) { return a + b; }\n", J: swap(JS, "{ add }", "{ plus as add }")}),
    "js: alias dropped": ({**SRC, J: swap(JS, "{ add }", "{ add as sum }").replace("add(1", "sum(1")}, {**SRC, J: JS}),
    "js: alias added": ({**SRC, J: JS}, {**SRC, J: swap(JS, "{ add }", "{ add as sum }").replace("add(1", "sum(1")}),
    "js: default": ({**SRC, J: swap(JS, "{ add }", "add")}, {**SRC, J: JS}),
    "js: default by its name": ({**SRC, J: JS}, {**SRC, J: swap(JS, "{ add }", "{ default as add }")}),
    "js: moved, and handed on": ({**SRC, J: JS}, {**SRC, "src/add.ts": 'export { add } from "./sum";\n', "src/sum.ts": SRC["src/add.ts"], J: swap(JS, "src/add", "src/sum")}),
    "js: by an index": ({**SRC, J: JS}, {**SRC, "src/index.ts": 'export { add } from "./add";\n', J: swap(JS, "src/add", "src/index")}),
    "js: module moved": ({**SRC, J: JS}, {"src/math/add.ts": SRC["src/add.ts"], J: swap(JS, "src/add", "src/math/add")}),
    "js: alias": ({**SRC, J: JS}, {**SRC, J: swap(JS, "../src/add", "@/add")}),
    "js: new test mocks a package": ({**SRC, J: JS}, {**SRC, J: JS, "test/b.test.ts": 'import { expect, it, vi } from "vitest";\nvi.mock("axios", () => ({}));\nit("b", () => { expect(f()).toBe(1); });\n'}),
    "js: new test mocks what it stands on": ({**SRC, J: JS}, {**SRC, J: JS, "test/b.test.ts": 'import { expect, it, vi } from "vitest";\nvi.mock("../src/add", () => ({}));\nit("b", () => { expect(f()).toBe(1); });\n'}),
    "js: mock of another module": ({**SRC, "src/net.ts": "x\n", J: JS}, {**SRC, "src/net.ts": "x\n", J: swap(JS, TAKEN, TAKEN + 'vi.mock("../src/net", () => ({}));\n')}),
    "js: module format": ({**SRC, N: NODE}, {**SRC, N: swap(NODE, 'const { add } = require("../src/add");', 'import { add } from "../src/add.js";')}),
    "java: class renamed": ({**SRC, V: JAVA}, {"src/main/java/x/Sum.java": swap(CALC, "Calc", "Sum"), V: swap(JAVA, " Calc.", " Sum.")}),
    "java: moved to the tests": ({**SRC, V: JAVA}, {V: JAVA, "src/test/java/x/Calc.java": CALC}),
    "java: class of another name": ({**SRC, V: JAVA}, {**SRC, V: swap(JAVA, "  @Test", "  static class Fake { static int add(int a, int b) { return a + b; } }\n  @Test")}),
}  # fmt: skip


def shown(verdict: Any) -> list[str]:
    return [f"{d.severity.value} {d.rule} {d.path}" for d in verdict.diagnostics if d.severity.value != "info"]


SWAP = "def swap(f):\n    f.__code__ = (lambda a, b: a + b).__code__\n"
PATCHES = {
    "names": "import calc\n\ncalc.__dict__.update(add=int.__add__)\n",
    "names by vars": "import calc\n\nvars(calc).update({'add': int.__add__})\n",
    "one of the names": "import calc\n\ncalc.__dict__['add'] = int.__add__\n",
    "each of the names": "import calc\n\nfor key, value in {'add': int.__add__}.items():\n    calc.__dict__[key] = value\n",
    "names of a function": "from calc import add\n\nadd.__globals__['add'] = int.__add__\n",
    "names by a method": "import calc\n\ncalc.add.__globals__.__setitem__('a' 'dd', int.__add__)\n",
    "names by dict": "import calc\n\ndict.update(calc.__dict__, add=int.__add__)\n",
    "names by getattr": "import calc\n\ngetattr(calc, '__dict__').update(add=int.__add__)\n",
    "names by another name": "import calc\n\nnames = vars(calc)\nnames['add'] = int.__add__\n",
    "names by operator": "import calc\nimport operator\n\noperator.setitem(vars(calc), 'add', int.__add__)\n",
    "names by patch": "from unittest.mock import patch\n\npatch.dict('calc.__dict__', add=int.__add__).start()\n",
    "names by exec": "import calc\n\nexec('add = int.__add__', calc.__dict__)\n",
    "names joined": "import calc\n\ncalc.__dict__ |= {'add': int.__add__}\n",
    "by the module": "import sys\n\nimport calc\n\nsys.modules['calc'].add = int.__add__\n",
    "by importlib": "import importlib\n\nimportlib.import_module('calc').add = int.__add__\n",
    "by object": "import calc\n\nobject.__setattr__(calc, 'add', int.__add__)\n",
    "by type": "import calc\n\ntype(calc).__setattr__(calc, 'add', int.__add__)\n",
    "by itself": "import calc\n\ncalc.__setattr__('add', int.__add__)\n",
    "deleted": "import calc\n\ndel calc.add\n",
    "class of the module": "import types\n\nimport calc\n\ncalc.__class__ = type('M', (types.ModuleType,), {'add': 1})\n",
    "defaults": "from calc import add\n\nadd.__defaults__ = (1, 2)\n",
    "whole by its name": "import sys\n\nimport calc\n\nsys.modules[calc.__name__] = object()\n",
    "whole by update": "import sys\nimport types\n\nsys.modules.update({'calc': types.ModuleType('calc')})\n",
    "whole by keyword": "import sys\n\nsys.modules.update(calc=object())\n",
    "whole by setitem": "import sys\n\nsys.modules.__setitem__('calc', object())\n",
    "in a function that is called": "import calc\n\n\ndef prepare():\n    calc.add = int.__add__\n\n\nprepare()\n",
    "in set-up of a module": "import calc\n\n\ndef setup_module(module):\n    calc.add.__globals__['add'] = int.__add__\n",
    "by a function of the sources": "import calc\n\ncalc.swap(calc.add)\n",
    "by an imported function of the sources": "from calc import add, swap as prepare\n\nprepare(add)\n",
}  # fmt: skip
AS_IT_IS = {
    "names of a test": "from calc import add\n\nfor n in (1, 2):\n    globals()[f'test_{n}'] = lambda n=n: check(add(n, n))\n",
    "setting": "import calc\n\ncalc.__dict__['DEBUG'] = True\nvars(calc).update(DEBUG=True)\n",
    "names that are read": "import calc\n\nnames = dict(vars(calc))\nnames.update(x=1)\nadd = calc.__dict__['add']\n",
    "another module": "import sys\nimport types\n\nsys.modules['boto'] = types.ModuleType('boto')\nsys.modules.update(lxml=None)\n",
    "put away": "import sys\n\nmine = dict(sys.modules)\nmine.pop('x', None)\n",
    "own table": "import calc\n\nTABLE = {}\nTABLE.update(add=calc.add)\nTABLE['add'] = 1\n",
    "called with a function of the sources": "import calc\n\nprint(calc.add)\ncalc.add(calc.add, 1)\n",
    "undone in a test": "import calc\n\n\ndef prepare(monkeypatch):\n    monkeypatch.setitem(calc.add.__globals__, 'add', None)\n",
    "environment": "import os\n\nos.environ.update(add='1')\nos.environ.pop('calc', None)\n",
    "object of a test": "class Some:\n    pass\n\n\nSome.__dict__\nsetattr(Some, 'add', 1)\nvars(Some)\n",
}  # fmt: skip


@pytest.mark.parametrize(
    "path", ["tests/__init__.py", "tests/test_aaa.py", "tests/conftest.py", "tests/unit/__init__.py"]
)
@pytest.mark.parametrize("name", PATCHES)
def test_patch_of_the_sources_that_is_loaded_blocks(guard: Any, name: str, path: str) -> None:
    source = {**SRC, "src/calc/__init__.py": GOOD + SWAP}
    told = shown(guard("tests", {**source, P: PY}, {**source, P: PY, path: PATCHES[name]}))
    assert f"error tests/not-the-source {path}" in told


@pytest.mark.parametrize("name", AS_IT_IS)
def test_what_only_looks_like_a_patch_passes(guard: Any, name: str) -> None:
    source = {**SRC, "src/calc/__init__.py": GOOD + SWAP}
    for path in ("tests/__init__.py", "tests/test_aaa.py"):
        assert shown(guard("tests", {**source, P: PY}, {**source, P: PY, path: AS_IT_IS[name]})) == []


def test_patch_that_a_fake_may_need_is_shown(guard: Any) -> None:
    for text in (
        "import calc\n\n\ndef setup_module():\n    calc.add = print\n",
        "import calc\n\nfor name in NAMES:\n    setattr(calc, name, print)\n",
    ):
        head = {**SRC, P: PY, "tests/test_new.py": text}
        assert shown(guard("tests", {**SRC, P: PY}, head)) == ["warning tests/not-the-source tests/test_new.py"]


@pytest.mark.parametrize("name", DISPLACED)
def test_test_of_something_else_than_the_source_blocks(guard: Any, name: str) -> None:
    base, head, path = DISPLACED[name]
    assert shown(guard("tests", {**SRC, **base}, {**SRC, **head})) == [f"error tests/not-the-source {path}"]
    assert guard("tests", {**SRC, **base}, {**SRC, **head}, allow=["tests"]).passed


@pytest.mark.parametrize("name", OWN)
def test_test_of_the_source_passes(guard: Any, name: str) -> None:
    assert shown(guard("tests", *OWN[name])) == []


def test_what_only_a_person_can_judge_is_shown(guard: Any) -> None:
    fixture = swap(
        PY, IMPORTED, "import pytest\nfrom calc import make\n\n\n@pytest.fixture\ndef add():\n    return make()\n"
    )
    assert shown(guard("tests", {**SRC, P: PY}, {**SRC, P: fixture})) == [f"warning tests/not-the-source {P}"]
    twice = {"src/calc/core.py": GOOD, P: swap(PY, "calc ", "calc.core ")}
    both = {**SRC, "src/calc/core.py": GOOD}
    assert shown(guard("tests", {**both, P: PY}, {**both, **twice})) == [f"warning tests/not-the-source {P}"]
    assert shown(guard("tests", {**SRC, P: PY}, {**SRC, **twice})) == [f"error tests/not-the-source {P}"]
    wraps = {
        "src/calc/__init__.py": swap(GOOD, "add", "plus") + "\n\ndef add(a, b):\n    warn()\n    return plus(a, b)\n"
    }
    aside = {**SRC, **wraps, P: swap(PY, "import add", "import plus as add")}
    assert shown(guard("tests", {**SRC, P: PY}, aside)) == [f"warning tests/not-the-source {P}"]
    app = {"src/calc/__init__.py": "def make():\n    return 1\n\n\nadd = make()\n"}
    fresh = swap(PY, "import add\n", "import make\n\nadd = make()\n")
    assert shown(guard("tests", {**SRC, **app, P: PY}, {**SRC, **app, P: fresh})) == [
        f"warning tests/not-the-source {P}"
    ]
    filled = swap(PY, "def test_add()", "@pytest.mark.parametrize('add', [max])\ndef test_add(add)")
    assert shown(guard("tests", {**SRC, P: PY}, {**SRC, P: filled})) == [f"warning tests/not-the-source {P}"]
    patch = "import calc\nimport pytest\n\n\n@pytest.fixture\ndef quiet(monkeypatch):\n    monkeypatch.setattr(calc, 'add', None)\n"
    assert shown(guard("tests", {**SRC, P: PY}, {**SRC, P: PY, "conftest.py": patch})) == [
        "warning tests/not-the-source conftest.py"
    ]


PATCH = "import calc\nimport pytest\n\n\n@pytest.fixture\ndef quiet(monkeypatch):\n    monkeypatch.setattr(calc, 'add', lambda a, b: 3)\n"
ASKS = swap(PY, "test_add()", "test_add(quiet)")


@pytest.mark.parametrize(
    ("test", "more"),
    [
        (ASKS, {"conftest.py": PATCH}),
        (ASKS, {"tests/conftest.py": PATCH}),
        (
            swap(PY, "test_add()", "test_add(calm)"),
            {"tests/conftest.py": PATCH + "\n\n@pytest.fixture\ndef calm(quiet):\n    return 1\n"},
        ),
        (swap(PY, "def test", "@pytest.mark.usefixtures('quiet')\ndef test"), {"conftest.py": PATCH}),
    ],
)
def test_fixture_of_another_file_that_patches_what_is_tested_blocks(guard: Any, test: str, more: Files) -> None:
    told = shown(guard("tests", {**SRC, P: PY}, {**SRC, P: test, **more}))
    assert f"error tests/not-the-source {P}" in told


def test_fixture_that_a_test_had_or_that_is_made_anew_nearby_passes(guard: Any) -> None:
    had = {**SRC, P: ASKS, "conftest.py": PATCH}
    edited = swap(ASKS, "== 3", "== 3 and add(2, 2) == 4")
    assert f"error tests/not-the-source {P}" not in shown(guard("tests", had, {**had, P: edited}))
    near = {"tests/conftest.py": "import pytest\n\n\n@pytest.fixture\ndef quiet():\n    return 1\n"}
    told = shown(guard("tests", {**SRC, P: PY, "conftest.py": PATCH}, {**SRC, P: ASKS, "conftest.py": PATCH, **near}))
    assert f"error tests/not-the-source {P}" not in told
