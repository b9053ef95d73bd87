"""Where programs stand when their time is over, asked of real ones in the real sandbox."""

import base64
import json
from collections.abc import Callable

import pytest
from tests.verifiers.test_tool import Planned, sh

from greylag.model import Outcome, Phase
from greylag.testing.verifiers import Bench
from greylag.verifiers import _stacks
from greylag.verifiers._tool import Plan, Step

MakeBench = Callable[[dict[str, str]], Bench]
SECONDS = 9.0
Case = tuple[dict[str, str], Step, tuple[str, set[int], str]]  # files; what is run; path, lines, who called

PYTHON: Case = (
    {"price.py": "def net(x):\n    while x:\n        x += 1\n", "check.py": "import price\n\nprice.net(1)\n"},
    Step((("python3",),), ("check.py",), env={"PYTHONFAULTHANDLER": "1"}, seconds=SECONDS),
    ("price.py", {2, 3}, "check.py"),
)
NODE: Case = (
    {
        "price.js": "exports.net = (x) => {\n  while (x)\n    x += 1 % 2;\n};\n",
        "check.js": 'setTimeout(() => require("./price.js").net(1), 9);\n',
    },
    Step((("sh",),), ("-c", "node check.js; true"), seconds=SECONDS),
    ("price.js", {2, 3}, "check.js"),
)
JAVA: Case = (
    {
        "src/a/Price.java": "package a;\n\nclass Price {\n"
        "  static void net(int x) {\n    while (true)\n      x++;\n  }\n"
        "  public static void main(String[] words) {\n    net(1);\n  }\n}\n",
        "other/Price.java": "class Price {}\n",
    },
    Step((("sh",),), ("-c", "javac -d out src/a/Price.java && java -cp out a.Price"), seconds=2 * SECONDS),
    ("src/a/Price.java", {5, 6}, "line 9 in a.Price.main"),
)


@pytest.mark.parametrize(
    "case",
    [
        PYTHON,
        pytest.param(NODE, marks=pytest.mark.toolchain("node")),
        pytest.param(JAVA, marks=pytest.mark.toolchain("javac", "jcmd")),
    ],
    ids=["python", "node", "java"],
)
def test_a_program_that_does_not_end_is_placed(case: Case, bench: MakeBench) -> None:
    files, step, (path, lines, caller) = case
    verdict = bench(files).verify(Planned(Plan((step,))))["tool"]
    (found,) = verdict.diagnostics
    assert (verdict.outcome, found.path) == (Outcome.TIMED_OUT, path)
    assert found.line in lines
    assert caller in found.excerpt


def test_what_its_runner_had_begun_is_told_where_no_program_can_be_asked(bench: MakeBench) -> None:
    step = sh("for n in 1 2 3; do echo test $n begins >> journal; done; sleep 60", journal="journal", seconds=5.0)
    (found,) = bench({}).verify(Planned(Plan((step,))))["tool"].diagnostics
    assert found.excerpt.splitlines()[-2:] == ["test 2 begins", "test 3 begins"]


def test_nobody_is_asked_but_in_tests(bench: MakeBench) -> None:
    step = sh("echo one > journal; sleep 60", journal="journal", seconds=3.0)
    (found,) = bench({}).verify(Planned(Plan((step,)), Phase.STATIC))["tool"].diagnostics
    assert "one" not in found.excerpt


def test_no_process_is_asked_that_is_not_below_the_tool() -> None:
    assert _stacks.programs(0x7FFFFFFF) == []


@pytest.mark.parametrize(("line", "column", "original"), [(0, 5, 1), (1, 0, 1), (1, 12, 3), (2, 4, 4), (9, 0, 4)])
def test_a_line_is_that_of_the_file_that_was_compiled(line: int, column: int, original: int) -> None:
    mapped = {"version": 3, "sources": ["a.ts"], "mappings": "AAAA;UAEE;IACA"}
    url = f"data:application/json;base64,{base64.b64encode(json.dumps(mapped).encode()).decode()}"
    assert _stacks._original(url, line, column) == original
    assert _stacks._original("a.js.map", line, column) == line + 1
