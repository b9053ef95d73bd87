# ruff: noqa: E501 - a table reads best with one row a line
"""Tests that newly run within something of the repository's own."""

from typing import Any

import pytest

PY = "import pytest\nfrom calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
SRC = {"src/calc/__init__.py": "def add(a, b):\n    return a + b\n"}
P, Q, H = "tests/test_add.py", "src/calc/quiet.py", "tests/helpers.py"
FROM = "from calc.quiet import run\n"


def around(mark: str = "", within: str = "", take: str = FROM, text: str = PY) -> str:
    text = text.replace("import pytest\n", f"import pytest\n{take}").replace(
        "def test", f"{mark}\ndef test" if mark else "def test"
    )
    return text.replace("    assert", f"    {within}:\n        assert") if within else text


SWALLOW = "import functools\n\n\ndef run(f):\n    @functools.wraps(f)\n    def w(*a, **k):\n        try:\n            return f(*a, **k)\n        except AssertionError:\n            return None\n    return w\n"
SECTION = "class run:\n    def __init__(self, name=''):\n        self.name = name\n\n    def __enter__(self):\n        return self\n\n    def __exit__(self, *a):\n        return True\n"
MANAGER = "import contextlib\n\n\n@contextlib.contextmanager\ndef run():\n    try:\n        yield\n    except Exception:\n        print(1)\n"
NEVER = "def run(f):\n    return lambda *a, **k: None\n"
BLOCKED = {
    "decorator that swallows": (Q, SWALLOW, around("@run")),
    "decorator that swallows all": (Q, SWALLOW.replace("AssertionError", "Exception"), around("@run")),
    "decorator by its module": (Q, SWALLOW, around("@quiet.run", take="from calc import quiet\n")),
    "decorator by another name": (Q, SWALLOW, around("@robust", take="from calc.quiet import run as robust\n")),
    "decorator handed on": (Q, SWALLOW, around("@run", take="from calc import run\n")),
    "decorator that suppresses": (Q, "def run(f):\n    def w(*a):\n        with suppress(Exception):\n            f(*a)\n    return w\n", around("@run")),
    "decorator that never calls": (Q, NEVER, around("@run")),
    "decorator that only takes the name": (Q, "import functools\n\n\ndef run(f):\n    @functools.wraps(f)\n    def w(*a, **k):\n        print(f.__name__)\n    return w\n", around("@run")),
    "decorator with arguments": (Q, "def run(name):\n    def deco(f):\n        return lambda: print(name)\n    return deco\n", around("@run('x')")),
    "decorator of the helpers": (H, NEVER, around("@run", take="from helpers import run\n")),
    "decorator in the file": (P, "", around("@run", take=NEVER)),
    "decorator of a class": (Q, NEVER, "import pytest\nfrom calc import add\nfrom calc.quiet import run\n\n\n@run\nclass TestAdd:\n    def test_add(self):\n        assert add(1, 2) == 3\n"),
    "decorator of an inner function": (Q, NEVER, around().replace("    assert add(1, 2) == 3", "    @run\n    def inner():\n        assert add(1, 2) == 3\n\n    inner()")),
    "class": (Q, SECTION, around(within="with run('x')")),
    "class, async": (Q, SECTION.replace("def __exit", "async def __aexit"), around(within="async with run()").replace("def test", "async def test")),
    "context manager": (Q, MANAGER, around(within="with run()")),
    "context manager that leaves at last": (Q, MANAGER.replace("except Exception:\n        print(1)", "finally:\n        return"), around(within="with run()")),
    "context manager beside another": (Q, MANAGER, around(within="with open('x') as x, run()")),
    "method": (P, "", "import pytest\nfrom calc import add\n\n\nclass TestAdd:\n    @contextmanager\n    def quiet(self):\n        try:\n            yield\n        except Exception:\n            pass\n\n    def test_add(self):\n        with self.quiet():\n            assert add(1, 2) == 3\n"),
}  # fmt: skip
IN_CLASS = (
    "import pytest\nfrom calc import add\n\n\nclass TestAdd:\n    def test_add(self):\n        assert add(1, 2) == 3\n"
)
FAIR = "class run:\n    def __enter__(self):\n        return self\n\n    def __exit__(self, kind, *a):\n        self.close()\n        return False\n"
RETRIES = "def run(f):\n    def w(*a):\n        for _ in range(3):\n            try:\n                return f(*a)\n            except AssertionError:\n                continue\n        raise RuntimeError\n    return w\n"
SHOWN = {
    "context of the sources": (Q, FAIR, around(within="with run()")),
    "instance of the sources": (Q, "run = make()\n", around(within="with run.context()")),
    "context by a function": (Q, "def run(name):\n    def enter():\n        return name\n\n    def leave(kind):\n        pass\n\n    return make(enter, leave)\n", around(within="with run('x')")),
    "context of a value": (Q, "app = make()\n\n\ndef section():\n    try:\n        yield\n    except Exception:\n        pass\n", around(within="with app.section()", take="from calc.quiet import app\n")),
    "decorator of the sources": (Q, "def run(f):\n    return register(f)\n", around("@run")),
    "decorator that tries again": (Q, RETRIES, around("@run")),
    "new helper": (H, FAIR, around(within="with run()", take="from helpers import run\n")),
    "new helper in the file": (P, "", around("@run", take="def run(f):\n    f.slow = 1\n    return f\n")),
}  # fmt: skip
FREE = {
    "pytest": around("@pytest.mark.slow\n@pytest.mark.parametrize('n', [1])", "with pytest.warns(UserWarning)", ""),
    "unittest": around("@mock.patch('os.getcwd')", "with mock.patch.object(os, 'x'), self.subTest(n=1)", "import os\nfrom unittest import mock\n"),
    "others": around("@given(st.integers())\n@freeze_time('2020-01-01')", "with contextlib.closing(x), respx.mock", "import contextlib\nimport respx\nfrom freezegun import freeze_time\nfrom hypothesis import given, strategies as st\n"),
    "fixture": around(within="with client.session() as s").replace("test_add()", "test_add(client)"),
    "helper that was there": around("@known", "with opened()", "from support import known, opened\n"),
    "no assertion in it": around(take=FROM).replace("    assert", "    with run():\n        pass\n    assert"),
}  # fmt: skip


def shown(verdict: Any) -> list[str]:
    return [f"{d.severity.value} {d.rule}" for d in verdict.diagnostics if d.severity.value != "info"]


def change(path: str, text: str, head: str) -> tuple[dict[str, str], dict[str, str]]:
    base = IN_CLASS if "class TestAdd" in head else PY
    handed = (
        {"src/calc/__init__.py": "from calc.quiet import run\n" + SRC["src/calc/__init__.py"]}
        if "calc import run" in head
        else {}
    )
    return {**SRC, P: base}, {**SRC, **handed, path: text, P: head}


@pytest.mark.parametrize("name", BLOCKED)
def test_wrapper_that_keeps_failures_from_being_seen_blocks(guard: Any, name: str) -> None:
    base, head = change(*BLOCKED[name])
    assert "error tests/wrapped" in shown(guard("tests", base, head))
    assert guard("tests", base, head, allow=["tests"]).passed


@pytest.mark.parametrize("name", SHOWN)
def test_wrapper_of_ones_own_is_shown(guard: Any, name: str) -> None:
    assert shown(guard("tests", *change(*SHOWN[name]))) == ["warning tests/wrapped"]


@pytest.mark.parametrize("name", FREE)
def test_wrapper_of_others_passes(guard: Any, name: str) -> None:
    known = {
        "tests/support.py": "def known(f):\n    return mark(f)\n\n\n" + FAIR.replace("class run", "class opened"),
        Q: FAIR,
    }
    assert shown(guard("tests", {**SRC, **known, P: PY}, {**SRC, **known, P: FREE[name]})) == []


def test_wrapper_that_was_there_passes(guard: Any) -> None:
    for text in (SWALLOW, NEVER):
        had = {**SRC, Q: text, P: around("@run")}
        assert shown(guard("tests", had, {**had, P: around("@run").replace("1, 2) == 3", "1, 2) == 3, 'sum'")})) == []
        moved = {**SRC, Q: text, "tests/test_sum.py": around("@run")}
        assert shown(guard("tests", had, moved)) == []
