"""Commands that a repository declares."""

from collections.abc import Callable
from typing import Any

import pytest

from greylag import plugins
from greylag.errors import UserError
from greylag.model import Counts, Outcome, Phase
from greylag.protocols import Verifier
from greylag.testing.verifiers import Bench, detect

MakeBench = Callable[[dict[str, str]], Bench]
FILES = {"Makefile": "", "api/main.c": ""}


def declared(*commands: dict[str, Any]) -> Verifier:
    made: Verifier = plugins.load("verifiers", "command", {"commands": commands})
    return made


def test_nothing_is_declared_by_default() -> None:
    assert detect(plugins.load("verifiers", "command"), FILES) == {}


def test_a_command_is_a_test_of_the_repository_unless_it_says_otherwise() -> None:
    found = detect(
        declared({"run": "make 'the test'"}, {"name": "fmt", "run": ["make", "fmt"], "phase": "format"}), FILES
    )
    assert {name: (a.phase, a.root) for name, a in found.items()} == {
        "make 'the test'": (Phase.TEST, "."),
        "fmt": (Phase.FORMAT, "."),
    }


def test_when_is_decided_by_files_and_given_as_the_reason() -> None:
    found = detect(declared({"run": "cc", "when": ["*.c"]}, {"run": "cargo", "when": ["*.rs"]}), FILES)
    assert list(found) == ["cc"]
    assert found["cc"].reason == "declared in .greylag.toml, since there is api/main.c"


@pytest.mark.parametrize(
    ("command", "word"),
    [
        ({"name": "x"}, "`run` is missing"),
        ({"run": "a", "fase": "test"}, "unknown key `fase`"),
        ({"run": "a", "phase": "judge"}, "no phase `judge`"),
        ({"run": "a", "root": "../.."}, "not a directory of the repository"),
        ({"run": "a", "root": "/etc"}, "not a directory of the repository"),
        ({"run": "echo 'x"}, "cannot be split"),
    ],
)
def test_a_declaration_that_does_not_fit_is_named(command: dict[str, Any], word: str) -> None:
    with pytest.raises(UserError, match=word):
        declared(command)


def test_it_is_run_without_a_shell_after_its_preparation(bench: MakeBench) -> None:
    at = bench(
        {
            "api/deps": "#!/bin/sh\ntouch ready\n",
            "api/check": '#!/bin/sh\ntest -e ready || exit 9\necho "$1" > got; mkdir out\n'
            "echo '<testsuite><testcase name=\"a\"/></testsuite>' > out/r.xml\n",
        }
    )
    verifier = declared(
        {
            "name": "check",
            "run": ["./check", "$(id); a b"],
            "prepare": "./deps",
            "root": "api",
            "reports": ["out/*.xml"],
        }
    )
    verdicts = at.verify(verifier)
    assert {name: v.outcome for name, v in verdicts.items()} == {
        "check: prepare": Outcome.PASSED,
        "check": Outcome.PASSED,
    }
    assert verdicts["check"].counts == Counts(1)
    assert verdicts["check"].root == "api"
    assert (at.workspace / "api/got").read_text() == "$(id); a b\n"
