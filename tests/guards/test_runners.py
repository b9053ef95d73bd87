"""Test code that turns the runner itself, however it is spelled; and what only looks like it."""

from typing import Any

import pytest

PATCHES = {
    "method of a class": "import _pytest.python\n_pytest.python.Function.runtest = lambda self: None\n",
    "imported class": "from _pytest.python import Function as F\nF.runtest = lambda self: None\n",
    "item": "import pytest\npytest.Item.ihook = None\n",
    "unittest": "import unittest\nunittest.TestCase.run = lambda self, result=None: result\n",
    "by setattr": "import pytest\nsetattr(pytest.Function, 'runtest', print)\n",
    "by getattr": "import pytest\ngetattr(pytest, 'Func' + 'tion').setup = print\n",
    "by another name": "import _pytest\nrunner = _pytest.python\nitem = runner.Function\nitem.runtest = print\n",
    "by sys.modules": "import sys\nsys.modules['_pytest.python'].Function.setup = print\n",
    "whole module": "import sys, types\nsys.modules['pytest'] = types.ModuleType('pytest')\n",
    "import by call": "import importlib\nimportlib.import_module('_pytest.runner').call_and_report = print\n",
    "by its dictionary": "import unittest\nvars(unittest.TestCase).update(run=print)\n",
    "by mock": "from unittest import mock\nmock.patch('unittest.TestCase.run').start()\n",
    "by mock of an object": "from unittest import TestCase, mock\nmock.patch.object(TestCase, 'run').start()\n",
    "in a fixture": "import pytest\n@pytest.fixture(autouse=True)\ndef f(monkeypatch):\n"
    "    monkeypatch.setattr(pytest, 'raises', None)\n",
    "test function of the node": "import pytest\n@pytest.fixture(autouse=True)\ndef f(request):\n"
    "    request.node.obj = lambda: None\n",
    "code of a function": "def quiet(f):\n    f.__code__ = (lambda: None).__code__\n",
    "outcome of a report": "def finish(report):\n    report.outcome = 'passed'\n",
    "result of a hook": "def finish(wrapped):\n    wrapped.force_result([])\n",
    "built-in name": "import builtins\nbuiltins.AssertionError = Warning\n",
    "deselected": "def pytest_configure(config):\n    config.option.keyword = 'nothing'\n",
    "hook": "def pytest_runtest_makereport(item, call):\n    return None\n",
    "hook of the collection": "def pytest_collection_modifyitems(items):\n    items.clear()\n",
    "hook of the status": "def pytest_report_teststatus(report):\n    return 'passed', '.', ''\n",
    "hook assigned": "pytest_runtest_protocol = lambda item: True\n",
    "hook imported": "from helpers import pytest_pyfunc_call\n",
    "hook imported under another name": "from helpers import quiet as pytest_pyfunc_call\n",
    "hook by dictionary": "globals()['pytest_runtest_call'] = print\n",
    "hook by setattr": "import sys\nsetattr(sys.modules[__name__], 'pytest_runtest_call', print)\n",
}
FIXTURES = {
    "fixtures": "import pytest\nfrom shop import App\n\n\n@pytest.fixture\ndef app():\n    app = App()\n"
    "    app.config = {}\n    yield app\n",
    "options": "def pytest_addoption(parser):\n    parser.addoption('--slow')\n\n\ndef pytest_configure(config):\n"
    "    config.addinivalue_line('markers', 'slow')\n    config.option.verbose = 1\n",
    "parameters": "def pytest_generate_tests(metafunc):\n    metafunc.parametrize('n', [1])\n",
    "rewritten assertions": "import pytest\npytest.register_assert_rewrite('helpers')\n",
    "length of differences": "import unittest\nunittest.TestCase.maxDiff = None\nunittest.util._MAX_LENGTH = 999\n",
    "own attributes": "import pytest\n\n\ndef test_a(item):\n    with pytest.raises(ValueError) as e:\n        f()\n"
    "    e.value.args = ()\n    item.result = 1\n    assert item.node is None\n",
    "mocks": "from unittest import mock\nfrom unittest.mock import patch\nimport builtins\n\n\n"
    "@patch('builtins.open')\ndef test_a(opened, monkeypatch):\n    m = mock.Mock()\n    m.run = 1\n"
    "    monkeypatch.setattr(builtins, 'input', lambda: '')\n    assert m.run == 1\n",
    "translations": "import builtins\nbuiltins._ = str\n",
    "words in strings": "TEXT = 'pytest.Item.runtest = None'\n\n\ndef test_a():\n    assert f(TEXT) == 1\n",
}


@pytest.mark.parametrize("path", ["conftest.py", "tests/plugin.py"])
@pytest.mark.parametrize("name", PATCHES)
def test_code_that_turns_the_runner_blocks_unless_tests_are_allowed(guard: Any, name: str, path: str) -> None:
    verdict = guard("tests", {}, {path: PATCHES[name]})
    assert {(d.rule, d.severity.value) for d in verdict.diagnostics} == {("tests/runner", "error")}
    assert guard("tests", {}, {path: PATCHES[name]}, allow=["tests"]).passed


@pytest.mark.parametrize("path", ["conftest.py", "tests/test_a.py"])
@pytest.mark.parametrize("name", FIXTURES)
def test_ordinary_test_code_passes(guard: Any, found: Any, name: str, path: str) -> None:
    assert found(guard("tests", {}, {path: FIXTURES[name]})) == []


def test_patch_is_new_where_the_base_has_fewer_of_it(guard: Any, found: Any) -> None:
    patch = PATCHES["unittest"]
    assert found(guard("tests", {"tests/a.py": patch}, {"tests/b.py": "x = 1\n" + patch})) == []
    assert found(guard("tests", {"tests/a.py": patch}, {"tests/a.py": patch + "x = 1\n"})) == []
    twice = {"tests/a.py": patch + "x = 1\n", "conftest.py": patch}
    assert found(guard("tests", {"tests/a.py": patch}, twice)) == ["error tests/runner conftest.py:2"]
    swapped = {"tests/a.py": patch.replace("result", "other")}
    assert found(guard("tests", {"tests/a.py": patch}, swapped)) == ["error tests/runner tests/a.py:2"]


def test_code_that_cannot_be_read_is_shown_where_pytest_loads_it(guard: Any, found: Any) -> None:
    text = "import base64\nexec(base64.b64decode('cGFzcw=='))\n"
    assert found(guard("tests", {}, {"conftest.py": text})) == ["warning tests/opaque conftest.py:2"]
    assert found(guard("tests", {}, {"tests/test_a.py": text})) == []


@pytest.mark.parametrize(
    "line",
    ["require('node:assert').strictEqual = () => {}", 'require("assert")["equal"] = none'],
)
def test_an_assertion_of_node_that_a_source_replaces_without_a_name(guard: Any, found: Any, line: str) -> None:
    test = {"test/a.test.js": "test('a', () => { assert.strictEqual(add(1, 2), 3) })\n"}
    base = {"src/a.js": "exports.add = (a, b) => a + b\n", **test}
    lines = found(guard("tests", base, {**base, "src/a.js": f"{line}\n{base['src/a.js']}"}))
    assert any("error tests/runner src/a.js:1" in one for one in lines), lines
    quiet = f"{base['src/a.js']}// {line}\nconst text = `{line}`\n"
    assert not any("tests/runner" in one for one in found(guard("tests", base, {**base, "src/a.js": quiet})))
