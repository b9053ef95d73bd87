"""A process of tests that ends itself: its place is told, where the runner says nothing."""

import json
import shutil
from collections.abc import Callable

import pytest

from greylag.model import Counts, Outcome, Phase, Verdict
from greylag.testing.verifiers import Bench
from greylag.verifiers import _exits
from greylag.verifiers.node import Node

RUN = "const { a } = require('./a');\na();\nconsole.log('  2 passing');\n"  # as a runner that knows nothing of ends
MOCHA = "const { a } = require('../a');\nit('one', () => {});\nit('two', () => a());\n"


def verify(at: Bench, run: int = 2) -> Verdict:
    before = Verdict("npm run test", Phase.TEST, Outcome.PASSED, counts=Counts(run))
    return at.verify(Node(), "npm run test", before=(before,))["npm run test"]


@pytest.mark.toolchain("npm", "node")
def test_the_place_where_a_process_ended_is_told(bench: Callable[[dict[str, str]], Bench]) -> None:
    package = json.dumps({"scripts": {"test": "node run.js"}})
    at = bench({"package.json": package, "run.js": RUN, "a.js": "exports.a = () => {\n  process.exit();\n};\n"})
    verdict = verify(at)
    assert verdict.outcome is Outcome.FAILED
    assert [(d.path, d.line, d.rule) for d in verdict.diagnostics] == [("a.js", 2, "process-exit")]
    assert "process.exit()" in verdict.summary
    assert verify(at, 0).outcome is Outcome.PASSED, "no tests ran before"
    at.files["a.js"] = "exports.a = () => {\n  process.exit(3);\n};\n"
    assert [d.rule for d in verify(at).diagnostics] != ["process-exit"], "this code speaks for itself"
    at.files["a.js"] = "exports.a = () => {};\n"
    assert verify(at).counts == Counts(2)


@pytest.mark.toolchain("npm", "mocha")
def test_mocha_which_writes_its_report_at_the_end(bench: Callable[[dict[str, str]], Bench]) -> None:
    at = bench({
        "package.json": json.dumps({"scripts": {"test": "mocha"}}), "a.js": "exports.a = () => process.exit(0);\n",
        "test/a.js": MOCHA, "node_modules/.bin/mocha": f'#!/bin/sh\nexec "{shutil.which("mocha")}" "$@"\n',
    })  # fmt: skip
    verdict = verify(at)
    assert (verdict.outcome, [(d.path, d.line) for d in verdict.diagnostics]) == (Outcome.FAILED, [("a.js", 1)])


def test_only_what_the_repository_calls_as_if_all_was_well() -> None:
    calls = (
        "Error: process.exit(0)\n    at exit (/workspace/node_modules/a/cli.js:1:1)\n    at /usr/lib/npm.js:3:3\n"
        "Error: process.exit(1)\n    at f (/workspace/src/one.js:1:1)\n"
        "Error: process.exit(0)\n    at process.exit (/home/agent/x.cjs:5:1)\n    at a.b [as c] (file:///workspace/src/b.mjs:7:2)\n"
        "    at /workspace/test/c.js:1:1\nError: process.exit()\n    at async file:///workspace/top.mjs:2:1\n"
    )
    found = _exits.ends(calls.encode())
    assert [(d.path, d.line) for d in found] == [("src/b.mjs", 7), ("top.mjs", 2)]


def test_reading_ends_takes_time_in_proportion() -> None:
    for text in ("Error: process.exit(0)\n" * 40_000, "    at " + "/a(" * 300_000, "    at /" + "a:1" * 300_000):
        _exits.ends(f"Error: process.exit(0)\n{text}".encode())
