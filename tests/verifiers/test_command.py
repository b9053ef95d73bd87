"""Commands that a repository declares."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from greylag import assembly, config, plugins
from greylag.errors import UserError
from greylag.model import Counts, Diagnostic, Outcome, Phase, Severity, Strength
from greylag.protocols import Verifier
from greylag.report import Report
from greylag.testing.verifiers import Bench, Files, detect
from greylag.verification.comparison import compare, no_measure
from greylag.verifiers._plan import Plan

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
        ({"run": "a", "matchers": "$gcc"}, r"`a`: `matchers` is a list"),
        ({"run": "a", "matchers": ["$gdb"]}, r"`\$gdb`: there is no such name; there are .*\$gcc"),
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


GCC = """#!/bin/sh
printf 'main.c:3:5: error: %s undeclared\\n' "$(cat undeclared)"
cat other 2>&1
exit 1
"""
OWN = {"owner": "own", "pattern": [{"regexp": r"^(\S+):(\d+):(\d+): error: (.*)$", "file": 1, "line": 2, "message": 4}]}


def test_what_a_command_prints_is_read_by_its_problem_matchers(bench: MakeBench) -> None:
    at = bench({"api/check": GCC, "api/undeclared": "x", "api/other": "", "api/main.c": ""})
    verdict = at.verify(declared({"name": "cc", "run": "./check", "root": "api", "matchers": [OWN]}))["cc"]
    assert (verdict.outcome, verdict.summary) == (Outcome.FAILED, "1 error")
    (found,) = verdict.diagnostics
    assert (found.path, found.line, found.rule, found.message) == ("api/main.c", 3, "own", "x undeclared")


def test_what_no_matcher_knows_counts_when_a_failure_is_compared(bench: MakeBench) -> None:
    files = {"check": GCC, "undeclared": "x", "other": "Error: 7 tests failed\n"}
    at, cc = bench(files), declared({"name": "cc", "run": "./check", "phase": "static", "matchers": ["$gcc"]})
    before = at.verify(cc, mode="baseline")["cc"]

    def now(**changed: str) -> Outcome:
        at.files.update(changed)
        return compare(at.verify(cc)["cc"], before, red=True, tests=False).outcome

    assert now(other="Error: 8 tests failed\n") is Outcome.RED_BEFORE
    assert now(other="Error: 7 tests failed\nError: and the linker, too\n") is Outcome.FAILED
    assert now(other="Error: 7 tests failed\n", undeclared="y") is Outcome.FAILED


def test_warnings_alone_do_not_fail_a_command_and_are_told_when_it_fails(bench: MakeBench) -> None:
    warning = "echo 'a.c:1:2: warning: odd [-Wodd]'\n"
    at = bench(
        {"passes": f"#!/bin/sh\n{warning}", "fails": f"#!/bin/sh\n{warning}echo 'Error: it fell over'; exit 3\n"}
    )
    found = at.verify(declared(*({"name": n, "run": f"./{n}", "matchers": ["$gcc"]} for n in ("passes", "fails"))))
    assert (found["passes"].outcome, [d.rule for d in found["passes"].diagnostics]) == (Outcome.PASSED, ["-Wodd"])
    fails = found["fails"]
    assert (fails.outcome, fails.summary) == (Outcome.FAILED, "`./fails` failed with exit code 3")
    assert [d.severity for d in fails.diagnostics if d.rule == "-Wodd"] == [Severity.WARNING]
    assert "it fell over" in fails.diagnostics[-1].excerpt


def test_errors_do_not_fail_a_command_that_passes(bench: MakeBench) -> None:
    at = bench({"check": "#!/bin/sh\necho 'a.c:1:2: error: that is what it should print'\n"})
    verdict = at.verify(declared({"name": "cc", "run": "./check", "matchers": ["$gcc"]}))["cc"]
    assert (verdict.outcome, verdict.summary) == (Outcome.PASSED, "1 finding, but the tool passed")


def test_matchers_belong_to_what_is_remembered() -> None:
    plain, own = ({"run": "cc", "matchers": ["$gcc", *more]} for more in ([], [OWN]))
    plans = [repr(detect(declared(command), FILES)["cc"].plan) for command in (plain, plain, own)]
    assert plans[0] == plans[1] != plans[2]
    assert " at 0x" not in plans[2]


def repository(text: str, base: dict[str, str]) -> Verifier:
    """The verifier as the settings of a repository make it, with the files of its base commit."""
    made = assembly.verifiers(config.Settings(), config.repository(text.encode()), Files(base))
    return next(verifier for verifier in made if verifier.name == "command")


MATCHED = '[[command]]\nname = "cc"\nrun = "cc"\nmatchers = ["m/own.json"]\nwhen = ["*.c"]\n'


def test_files_of_matchers_are_those_of_the_base_commit() -> None:
    head = {"a.c": "", "m/own.json": "broken by the change"}
    cc = detect(repository(MATCHED, {"m/own.json": json.dumps({"problemMatcher": [OWN]})}), head)["cc"]
    assert isinstance(cc.plan, Plan)
    read = cc.plan.steps[0].read_log
    assert read
    assert [d.rule for d in read(b"a.c:1:2: error: x\n", ".", "/workspace") if isinstance(d, Diagnostic)] == ["own"]


def test_a_file_that_the_base_commit_has_not_is_named_where_the_command_applies() -> None:
    verifier = repository(MATCHED, {})
    assert detect(verifier, {"a.py": "", "m/own.json": "{}"}) == {}
    with pytest.raises(UserError, match=r"`cc`: the base commit has no file of problem matchers `m/own.json`"):
        detect(verifier, {"a.c": "", "m/own.json": "{}"})
    with pytest.raises(UserError, match=r"m/own\.json are no JSON"):
        repository(MATCHED, {"m/own.json": "{"})


@pytest.mark.toolchain("cc")
def test_a_compiler_is_read_as_it_prints(bench: MakeBench) -> None:
    at = bench({"src/main.c": "int main(void) {\n  int unused;\n  return missing;\n}\n"})
    run = "cc -Wall -c -o /dev/null main.c"
    verdict = at.verify(declared({"name": "cc", "run": run, "root": "src", "matchers": ["$gcc"]}))["cc"]
    found = {(d.severity, d.path, d.line) for d in verdict.diagnostics}
    assert {(Severity.ERROR, "src/main.c", 3), (Severity.WARNING, "src/main.c", 2)} <= found


def test_a_matcher_that_takes_too_long_leaves_the_log_as_it_was(
    bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("greylag.readers.matchers._EACH", 0.05)
    slow = {"owner": "slow", "pattern": [{"regexp": "^(a|aa)+$", "message": 0}]}
    at = bench({"check": f"#!/bin/sh\necho 'a.c:1:2: error: real'\necho {'a' * 1500}!\nexit 1\n"})
    verdict = at.verify(declared({"name": "cc", "run": "./check", "matchers": ["$gcc", slow]}))["cc"]
    warning, real, whole = verdict.diagnostics
    assert (verdict.outcome, warning.severity) == (Outcome.FAILED, Severity.WARNING)
    assert "`slow` took too long" in warning.message
    assert (real.path, real.line, real.message) == ("a.c", 1, "real")
    assert "a.c:1:2: error: real" in whole.excerpt


def red(bench: MakeBench, old: str, *, matchers: list[Any], **command: Any) -> tuple[Bench, Verifier, Report]:
    """A declared check that failed on the base commit, where it printed `old`."""
    at = bench({"check": "#!/bin/sh\ncat said*\nexit 1\n", "said": old, "z.txt": "", "a.txt": ""})
    verifier = declared({"name": "check", "run": "./check", "matchers": matchers, **command})
    return at, verifier, Report("t", "b", (at.verify(verifier, mode="baseline")["check"],))


def now(at: Bench, verifier: Verifier, before: Report, said: str) -> Report:
    """What the report says of a change after which the check prints `said`, too."""
    at.files["said2"] = said
    verdict = at.verify(verifier)["check"]
    return Report("t", "b", (compare(verdict, before.verdicts[0], red=True, tests=False),))


OLD, NEW = "z.txt:1:1: error: bad word\n", "a.txt:2:1: error: bad word\n"


def test_findings_of_a_check_that_was_red_before_are_compared_in_the_phase_of_tests_too(bench: MakeBench) -> None:
    at, check, before = red(bench, OLD, matchers=[OWN])
    assert no_measure(before) is None
    same = now(at, check, before, "")
    assert (same.passed, same.strength, same.verdicts[0].outcome) == (True, Strength.WEAK, Outcome.RED_BEFORE)
    assert "as before: check" in same.render()
    for said in (NEW, OLD.replace("1", "7"), "Segmentation fault\n"):  # also a second of a kind, and what is no finding
        assert [v.id for v in now(at, check, before, said).failed] == ["check"]
    assert "a.txt:2 own: bad word" in now(at, check, before, NEW).render()


def test_places_in_a_log_are_compared_but_vouch_for_nothing(bench: MakeBench) -> None:
    at, check, before = red(bench, OLD, matchers=[])
    assert no_measure(before) is None
    same = now(at, check, before, "")
    assert (same.passed, same.verdicts[0].outcome) == (False, Outcome.RED_BEFORE)
    assert "a.txt:2" in now(at, check, before, NEW).render()


@pytest.mark.parametrize(
    ("old", "command"),
    [
        ("Error: no such plugin\n", {}),  # nothing that has a place
        (OLD, {"reports": ["out/*.xml"]}),  # tests that did not even begin
        (OLD, {"phase": "compile"}),  # nothing can be compared with what cannot be built
    ],
)
def test_a_red_check_without_findings_that_can_be_compared_is_no_measure(
    bench: MakeBench, old: str, command: dict[str, Any]
) -> None:
    _, _, before = red(bench, old, matchers=[OWN], **command)
    assert "check fails" in str(no_measure(before))
    if not command:
        assert "names no test that ran, nor the place of an error" in str(no_measure(before))
