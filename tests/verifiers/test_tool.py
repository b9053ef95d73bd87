"""The one runner, with real commands in the real sandbox: what counts, and what is never a pass."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from greylag import readers
from greylag.errors import InfraError
from greylag.model import Counts, Diagnostic, Outcome, Phase, Severity, Verdict
from greylag.protocols import Activation, Bounds, Completed, Context, Ended, Tree
from greylag.testing.verifiers import Bench, Files
from greylag.verification.comparison import compare
from greylag.verifiers import _inside, _summaries, _tool
from greylag.verifiers._outcome import Found, Result, judge, not_over
from greylag.verifiers._tool import Plan, Step

MakeBench = Callable[[dict[str, str]], Bench]
GREEN = '<testsuite><testcase classname="a" name="one"/><testcase classname="a" name="two"/></testsuite>'
RED = '<testsuite><testcase classname="a" name="one"><failure message="no">no</failure></testcase></testsuite>'


@dataclass(frozen=True)
class Planned:
    """A verifier with one activation of a given plan."""

    plan: Plan
    phase: Phase = Phase.TEST
    root: str = "."
    name: str = "planned"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        return [Activation(self.name, "tool", self.phase, self.root, "told so", (), self.plan)]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        return _tool.run(activation, context)


def sh(script: str, **more: object) -> Step:
    return replace(Step((("sh",),), ("-c", script), title="the tool"), **more)  # type: ignore[arg-type]


def junit(script: str) -> Step:
    return sh(script, reports=("out/*.xml",), read_report=readers.junit_xml)


def take(bench: Bench, *steps: Step, phase: Phase = Phase.TEST, **more: bool) -> Verdict:
    return bench.verify(Planned(Plan(steps, **more), phase))["tool"]  # type: ignore[arg-type]


# -- the exit code is the authority ----------------------------------------------------------------------------------


def test_a_report_tells_counts_and_failures(bench: MakeBench) -> None:
    at = bench({"red.xml": RED, "green.xml": GREEN})
    verdict = take(at, junit("mkdir out; cp red.xml green.xml out; exit 1"))
    assert verdict.outcome is Outcome.FAILED
    assert verdict.counts == Counts(3, 1)
    assert [d.test for d in verdict.diagnostics] == ["a.one"]
    assert verdict.summary == "3 tests, 1 failed"


def test_a_failure_without_a_diagnostic_shows_the_log(bench: MakeBench) -> None:
    verdict = take(bench({}), sh("echo 'fatal: the flux is inverted'; exit 7"), phase=Phase.STATIC)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.summary == "`the tool` failed with exit code 7"
    assert "the flux is inverted" in verdict.diagnostics[-1].excerpt


def test_tests_that_were_cut_short_are_no_pass_and_not_only_the_failures_of_before(bench: MakeBench) -> None:
    at = bench({"red.xml": RED, "green.xml": GREEN})
    for report, code, rules in (("green", 0, [readers.UNREADABLE]), ("red", 1, [None, readers.UNREADABLE])):
        step = junit(f"mkdir -p out; cp {report}.xml out; echo the VM has ended; exit {code}")
        verdict = take(at, replace(step, cut_short="VM has ended"))
        assert verdict.outcome is Outcome.FAILED
        assert [d.rule for d in verdict.diagnostics] == rules


def test_the_log_says_where_a_test_broke_whose_report_only_says_that(bench: MakeBench) -> None:
    report = '<testsuite><testcase classname="a" name="one" file="a.test.js"><failure/></testcase></testsuite>'
    log = "error: expect(received).toBe(expected)\n      at <anonymous> (/workspace/a.test.js:5:45)\n"
    script = "mkdir -p out; cp red.xml out; sed s:/workspace:$PWD: log; exit 1"
    (found,) = take(bench({"red.xml": report, "log": log}), junit(script)).diagnostics
    assert (found.path, found.line) == ("a.test.js", 5)


def test_the_log_adds_the_place_of_a_source_that_the_report_does_not_name(bench: MakeBench) -> None:
    report = '{"testResults": [{"name": "a.test.js", "status": "failed", "message": "invalid JS syntax"}]}'
    log = " FAIL  a.test.js [ a.test.js ]\nError: invalid JS syntax\n  File: /workspace/src/b.js:3:5\n"
    step = sh("mkdir -p out; cp r.json out; sed s:/workspace:$PWD: log; exit 1", reports=("out/*.json",))
    step = replace(step, read_report=readers.jest_json, located=readers.vitest_places)
    (found,) = take(bench({"r.json": report, "log": log}), step).diagnostics
    assert (found.path, found.message) == ("a.test.js", "src/b.js:3:5: invalid JS syntax")


def test_a_green_report_does_not_overrule_the_exit_code(bench: MakeBench) -> None:
    verdict = take(bench({"green.xml": GREEN}), junit("mkdir out; cp green.xml out; echo coverage too low; exit 2"))
    assert verdict.outcome is Outcome.FAILED
    assert "coverage too low" in verdict.diagnostics[-1].excerpt


def test_tests_that_only_the_log_names_are_shown_although_the_exit_code_is_0(bench: MakeBench) -> None:
    step = sh("echo 'AssertionError: net is wrong'; echo '# pass 1'; echo '# fail 1'", read_log=_summaries.javascript)
    verdict = take(bench({}), step)
    assert verdict.outcome is Outcome.FAILED
    assert "net is wrong" in verdict.diagnostics[-1].excerpt


def test_an_exit_code_of_0_does_not_overrule_failed_tests_in_the_report(bench: MakeBench) -> None:
    verdict = take(bench({"red.xml": RED}), junit("mkdir out; cp red.xml out; exit 0"))
    assert verdict.outcome is Outcome.FAILED
    assert [d.test for d in verdict.diagnostics] == ["a.one"]
    assert verdict.summary == "1 test, 1 failed, although `the tool` ended with exit code 0"


def test_errors_of_a_linter_that_passed_are_warnings_and_said(bench: MakeBench) -> None:
    step = sh("echo 'src/a.ts(1,2): error TS2304: no such name'; exit 0", read_log=readers.tsc_text)
    verdict = take(bench({}), step, phase=Phase.STATIC)
    assert verdict.outcome is Outcome.PASSED
    assert [d.severity for d in verdict.diagnostics] == [Severity.WARNING]
    assert "1 finding, but the tool passed" in verdict.summary


@pytest.mark.parametrize(
    ("report", "said"),
    [
        ("head -c 34000000 /dev/zero > out/b.xml", "1 of the report files are too large"),
        ("echo '<testsuite><testcase name=\"x' > out/b.xml", "unreadable report"),
    ],
)
def test_a_report_that_cannot_be_read_is_no_pass(bench: MakeBench, report: str, said: str) -> None:
    """It may be the one with the failed test."""
    verdict = take(bench({"green.xml": GREEN}), junit(f"mkdir out; cp green.xml out; {report}"))
    assert verdict.outcome is Outcome.FAILED
    assert said in verdict.summary


@pytest.mark.parametrize("answer", ["[" * 100_000, "[]", "{}", '{"absent": false, "workspace": "/", "reports": [1]}'])
def test_an_answer_that_the_tool_forges_is_neither_a_pass_nor_a_bug(bench: MakeBench, answer: str) -> None:
    for script in ("cat forged > /proc/$PPID/fd/3", "cat forged > /proc/$PPID/fd/3; kill -9 $PPID"):
        with pytest.raises(InfraError, match="answer"):
            take(bench({"forged": answer}), sh(script))


def test_an_unreadable_report_does_not_hide_what_the_tool_said(bench: MakeBench) -> None:
    verdict = take(bench({}), junit("mkdir out; echo '<testsu' > out/a.xml; echo Segmentation fault; exit 3"))
    assert verdict.outcome is Outcome.FAILED
    assert "Segmentation fault" in verdict.diagnostics[-1].excerpt


def test_failures_that_share_only_the_exit_code_are_told_apart(bench: MakeBench) -> None:
    at = bench({})
    one, other, again = (
        take(at, sh(f"echo 'error: {what} is broken after 0.{n} s'; exit 1"), phase=Phase.STATIC).diagnostics[-1]
        for n, what in enumerate(("the lint", "the test", "the lint"))
    )
    assert one.fingerprint != other.fingerprint
    assert one.fingerprint == again.fingerprint


# -- no tests --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "step",
    [
        sh("exit 5", empty_codes=(5,)),
        sh("echo No tests found, exiting with code 1; exit 1", empty="No tests found"),
        sh("echo No tests to run.", empty="No tests to run"),
        junit("exit 0"),
        junit("mkdir -p out; echo '<testsuite><testcase name=\"a\"><skipped/></testcase></testsuite>' > out/a.xml"),
    ],
    ids=["exit code", "text and failure", "text and success", "no report", "all skipped"],
)
def test_no_tests_is_neither_a_pass_nor_a_failure(bench: MakeBench, step: Step) -> None:
    verdict = take(bench({}), step)
    assert verdict.outcome is Outcome.SKIPPED
    assert verdict.counts is not None
    assert verdict.counts.run == 0
    assert verdict.summary.startswith("no test")


def test_a_test_that_prints_the_words_cannot_hide_its_failure(bench: MakeBench) -> None:
    step = replace(junit("mkdir out; cp red.xml out; echo No tests found; exit 1"), empty="No tests found")
    assert take(bench({"red.xml": RED}), step).outcome is Outcome.FAILED


# -- reports are fetched, not believed -------------------------------------------------------------------------------


def test_a_stale_report_is_not_taken_for_a_new_one(bench: MakeBench) -> None:
    verdict = take(bench({"out/old.xml": GREEN}), junit("echo crashed; exit 1"))
    assert verdict.outcome is Outcome.FAILED
    assert verdict.counts is None


def test_links_and_pipes_are_no_reports(bench: MakeBench) -> None:
    script = "mkdir out; cd out; ln -s ../green.xml link.xml; ln -s .. deep; mkfifo pipe.xml; exit 0"
    assert take(bench({"green.xml": GREEN}), junit(script)).outcome is Outcome.SKIPPED


def test_a_report_in_the_home_is_found_and_its_directory_made(bench: MakeBench) -> None:
    step = sh('cp green.xml "$HOME/.greylag/x.xml"', reports=("@home@/.greylag/x.xml",), read_report=readers.junit_xml)
    assert take(bench({"green.xml": GREEN}), step).counts == Counts(2)


def test_paths_are_relative_to_the_repository(bench: MakeBench) -> None:
    at = bench({"pkg/a.txt": ""})
    step = sh(
        "echo \"$PWD/src/a.ts(3,4): error TS1: bad\"; echo 'b.ts(1,1): error TS2: bad'; exit 2",
        read_log=readers.tsc_text,
    )
    verdict = at.verify(Planned(Plan((step,)), Phase.STATIC, "pkg"))["tool"]
    assert [(d.path, d.line) for d in verdict.diagnostics] == [("pkg/src/a.ts", 3), ("pkg/b.ts", 1)]


@pytest.mark.parametrize(
    ("glob", "fits", "not_"),
    [
        ("**/target/*/T-*.xml", ("target/a/T-b.xml", "m/n/target/a/T-b.xml"), ("target/T-b.xml", "xtarget/a/T-.xml")),
        ("out/*.xml", ("out/a.xml",), ("out/b/a.xml", "out/a.xml.bak", "out/axxml")),
    ],
)  # fmt: skip
def test_globs(glob: str, fits: tuple[str, ...], not_: tuple[str, ...]) -> None:
    pattern = _inside.glob_pattern(glob)
    assert all(pattern.match(path) for path in fits)
    assert not any(pattern.match(path) for path in not_)


def test_reports_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_inside, "FILE_LIMIT", 10)
    monkeypatch.setattr(_inside, "TOTAL_LIMIT", 15)
    for name, size in (("a", 10), ("b", 11), ("c", 10), ("d", 4)):
        Path(f"{name}.xml").write_text("x" * size)
    answer = _inside.after({"reports": ["*.xml"], "rewritten": [], "tools": {}})
    assert [path for path, _ in answer["reports"]] == ["a.xml", "d.xml"]
    assert answer["dropped"] == 2


# -- what is nobody's fault ------------------------------------------------------------------------------------------


def test_a_missing_tool_names_what_to_install(bench: MakeBench) -> None:
    verdict = take(bench({}), Step((("greylag-no-such-tool",),), install="install the no-such tool"))
    assert verdict.outcome is Outcome.ERRORED
    assert "install the no-such tool" in verdict.summary


def test_the_first_program_that_is_there_is_taken(bench: MakeBench) -> None:
    step = Step((("greylag-no-such-tool", "-x"), ("./wrap", "-y")), ("z",))
    at = bench({"wrap": '#!/bin/sh\necho "got $*" > got\n'})
    assert take(at, step, phase=Phase.COMPILE).outcome is Outcome.PASSED
    assert (at.workspace / "got").read_text() == "got -y z\n"


@pytest.mark.parametrize(
    ("script", "phase", "outcome"),
    [
        ("echo 'getaddrinfo ENOTFOUND registry.npmjs.org'; exit 1", Phase.PREPARE, Outcome.ERRORED),
        ("echo 'getaddrinfo ENOTFOUND registry.npmjs.org'; exit 1", Phase.TEST, Outcome.FAILED),
        ("echo 'Net::HTTPFatalError: 502 \"Bad Gateway\"'; exit 1", Phase.PREPARE, Outcome.ERRORED),
        ("echo 'cp: No space left on device'; exit 1", Phase.TEST, Outcome.ERRORED),
        ("echo 'No solution found: there is no version of foo==9'; exit 1", Phase.PREPARE, Outcome.FAILED),
    ],
)
def test_infrastructure_is_told_apart(bench: MakeBench, script: str, phase: Phase, outcome: Outcome) -> None:
    assert take(bench({}), sh(script), phase=phase).outcome is outcome


@pytest.mark.parametrize(
    ("messages", "outcome"),
    [
        (["OSError: [Errno 28] No space left on device: '/tmp/x'"] * 2, Outcome.ERRORED),
        (["Error: ENOSPC: no space left on device, write"], Outcome.ERRORED),
        (["java.io.IOException: No space left on device"], Outcome.ERRORED),
        (["write /tmp/x: no space left on device"], Outcome.ERRORED),
        (["Errno::ENOSPC: No space left on device @ io_write"], Outcome.ERRORED),
        (["OSError: [Errno 28] No space left on device", "AssertionError: no"], Outcome.FAILED),
        (["AssertionError: assert 'No space left on device' in ''"], Outcome.FAILED),
    ],
)
def test_tests_that_only_fail_for_a_full_disk_say_nothing_of_the_change(messages: list[str], outcome: Outcome) -> None:
    found = tuple(Diagnostic(message, test=f"t{n}") for n, message in enumerate(messages))
    counts = Counts(5, len(found))
    step, done = sh("x"), Completed(Ended.EXITED, 1, b"")
    assert judge(step, Phase.TEST, done, Found(found, counts, ".", "/workspace")).outcome is outcome


def test_a_command_that_runs_too_long_has_timed_out(bench: MakeBench) -> None:
    verdict = take(bench({}), sh("sleep 600", seconds=0.5))
    assert verdict.outcome is Outcome.TIMED_OUT
    assert "the tool" in verdict.summary


def test_what_a_tool_had_reported_before_its_time_ran_out_is_there(bench: MakeBench) -> None:
    verdict = take(bench({"red.xml": RED}), replace(junit("mkdir out; cp red.xml out; sleep 600"), seconds=0.5))
    assert verdict.outcome is Outcome.TIMED_OUT
    assert [d.test for d in verdict.diagnostics if d.test] == ["a.one"]


def test_a_tool_that_ends_what_watches_it_has_not_passed(bench: MakeBench) -> None:
    verdict = take(bench({"green.xml": GREEN}), junit("mkdir out; cp green.xml out; kill -9 $PPID; exit 0"))
    assert verdict.outcome is not Outcome.PASSED


def test_a_tool_inherits_nothing_but_its_streams(bench: MakeBench) -> None:
    verdict = take(bench({}), sh("cd /proc/self/fd; echo *; exit 1"))
    assert verdict.diagnostics[-1].excerpt == "0 1 2 3"  # the last one is the shell's own, to list them


def test_a_script_that_names_no_language_is_run_as_by_a_shell(bench: MakeBench) -> None:
    made = sh("mkdir -p bin; echo 'echo checked $1; exit 3' > bin/check; chmod 755 bin/check")
    for program in ("./bin/check", "check"):
        verdict = take(bench({}), made, Step(((program,),), ("it",), paths=("bin",)), phase=Phase.STATIC)
        assert "checked it" in verdict.diagnostics[-1].excerpt
        assert "exit code 3" in verdict.summary


@pytest.mark.parametrize("ended", [Ended.OUT_OF_MEMORY, Ended.OUTPUT_CAPPED, Ended.KILLED])
def test_a_command_that_was_stopped_is_no_failed_test(ended: Ended) -> None:
    done = Completed(ended, 137, b"FAILED test_a.py")
    red = Found((Diagnostic("no", test="a"),), Counts(1, 1), ".", "/workspace")
    result = judge(sh("true"), Phase.TEST, done, red)
    assert result.outcome is Outcome.ERRORED
    assert ended.value in result.summary


def test_output_without_end_is_a_failure_where_the_base_commit_had_an_end(bench: MakeBench) -> None:
    at = replace(bench({"a.sh": "echo started; yes 'once more'"}), bounds=Bounds(seconds=60, output=1 << 20))
    endless, fine = sh("sh a.sh"), Verdict("tool", Phase.TEST, Outcome.PASSED)
    for outcome in (Outcome.PASSED, Outcome.FAILED):
        verifier = Planned(Plan((endless,)))
        verdict = at.verify(verifier, before=[replace(fine, outcome=outcome)])["tool"]
        assert verdict.outcome is Outcome.FAILED
        assert "printed more than a log may hold" in verdict.summary
        (told,) = verdict.diagnostics
        assert told.excerpt.startswith("started\nonce more\n")
        assert len(told.excerpt) < 200
    for before in ((), (replace(fine, outcome=Outcome.ERRORED),)):
        assert at.verify(Planned(Plan((endless,))), before=before)["tool"].outcome is Outcome.ERRORED
    assert at.verify(Planned(Plan((endless,))), mode="baseline")["tool"].outcome is Outcome.ERRORED


def test_an_unfit_machine_is_no_failure_even_with_diagnostics(bench: MakeBench) -> None:
    step = sh(
        "echo 'a.ts(1,1): error TS1: release 99 not supported'; exit 1",
        read_log=readers.tsc_text,
        unable="release .* not supported",
    )
    assert take(bench({}), step, phase=Phase.COMPILE).outcome is Outcome.ERRORED


def test_an_exit_code_can_say_that_the_machine_is_unfit(bench: MakeBench) -> None:
    verdict = take(bench({"red.xml": RED}), replace(junit("mkdir out; cp red.xml out; exit 37"), unable_codes=(36, 37)))
    assert verdict.outcome is Outcome.ERRORED
    assert "exit code 37" in verdict.summary


# -- plans -----------------------------------------------------------------------------------------------------------


def test_a_plan_ends_at_the_first_step_that_does_not_pass(bench: MakeBench) -> None:
    at = bench({})
    verdict = take(at, sh("touch one"), sh("exit 1"), sh("touch three"), phase=Phase.PREPARE)
    assert verdict.outcome is Outcome.FAILED
    assert {path.name for path in at.workspace.iterdir()} == {"one"}


def test_independent_steps_are_all_taken_and_the_worst_counts(bench: MakeBench) -> None:
    at = bench({"green.xml": GREEN})
    red, empty, green = sh("exit 1"), sh("exit 5", empty_codes=(5,)), junit("mkdir out; cp green.xml out")
    verdict = take(at, red, empty, green, keep_going=True)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.counts == Counts(2)
    assert take(at, green, green, keep_going=True).summary == "4 tests"
    assert take(at, empty, green, keep_going=True).outcome is Outcome.PASSED
    assert take(at, empty, empty, keep_going=True).outcome is Outcome.SKIPPED


def test_a_fallback_is_taken_only_for_its_reason(bench: MakeBench) -> None:
    at = bench({})
    old = sh(
        "echo 'unrecognized arguments: --output'; exit 2", fallback=sh("true"), fallback_on="unrecognized arguments"
    )
    broken = sh("echo 'a.py:1: error'; exit 2", fallback=sh("true"), fallback_on="unrecognized arguments")
    assert take(at, old, phase=Phase.STATIC).outcome is Outcome.PASSED
    assert take(at, broken, phase=Phase.STATIC).outcome is Outcome.FAILED


def test_what_may_fail_has_its_limits(bench: MakeBench) -> None:
    at = bench({})
    unresolved = "Could not resolve"
    fine = sh("echo does not compile; exit 1", may_fail=True, fatal=unresolved)
    fatal = sh("echo Could not resolve a:b:9; exit 1", may_fail=True, fatal=unresolved)
    assert take(at, fine, phase=Phase.PREPARE).outcome is Outcome.PASSED
    assert take(at, fatal, phase=Phase.PREPARE).outcome is Outcome.FAILED


def test_variables_are_appended_to_and_the_share_of_the_machine_is_filled_in(bench: MakeBench) -> None:
    at = bench({})
    take(at, sh('echo "$HOME|$SHARE" > got', append={"HOME": "-x"}, env={"SHARE": "@cpus@"}))
    home, share = (at.workspace / "got").read_text().strip().split("|")
    assert home.startswith("/")
    assert home.endswith(" -x")
    assert share == "2"


@pytest.mark.parametrize(("mode", "phase", "line"), [
    ("gate", Phase.TEST, "test -o\n"), ("baseline", Phase.TEST, "test\n"), ("gate", Phase.PREPARE, "test\n"),
])  # fmt: skip
def test_tools_are_told_when_there_is_no_network(bench: MakeBench, mode: str, phase: Phase, line: str) -> None:
    at = bench({"tool": '#!/bin/sh\necho "$*" > got\n'})
    at.verify(Planned(Plan((Step((("./tool",),), ("test",), offline=("-o",)),)), phase), mode=mode)  # type: ignore[arg-type]
    assert (at.workspace / "got").read_text() == line


def test_tools_are_told_when_not_even_the_preparation_has_a_network(bench: MakeBench) -> None:
    at = bench({"tool": '#!/bin/sh\necho "$*" > got\n'})
    plan = Plan((Step((("./tool",),), ("install",), offline=("-o",)),))
    with at.place(Files(at.files), "baseline") as context:
        activation = Activation("planned", "tool", Phase.PREPARE, ".", "told so", (), plan)
        _tool.run(activation, replace(context, connected=False))
    assert (at.workspace / "got").read_text() == "install -o\n"


@pytest.mark.parametrize(("phase", "seen"), [(Phase.STATIC, "1"), (Phase.TEST, "unset")])
def test_tests_of_colours_see_what_they_see_elsewhere(bench: MakeBench, phase: Phase, seen: str) -> None:
    at = bench({})
    take(at, sh("echo ${NO_COLOR-unset} > got"), phase=phase)
    assert (at.workspace / "got").read_text().strip() == seen


def test_colours_do_not_hide_what_is_said(bench: MakeBench) -> None:
    step = replace(sh(r"printf 'No \033[1mtests\033[0m found'; exit 1"), empty="No tests found")
    assert take(bench({}), step).outcome is Outcome.SKIPPED


def test_versions_are_recorded(bench: MakeBench) -> None:
    tools = {"sh": ("echo", "sh 1.22.3-beta, built today"), "gone": ("no-such-tool",), "silent": ("true",)}
    verdict = bench({}).verify(Planned(Plan((sh("true"),), tools)))["tool"]
    assert verdict.details["tools"] == {"sh": "1.22.3-beta"}
    assert json.dumps(verdict.details)


@pytest.mark.parametrize("known", [700, 7000])
def test_a_new_finding_behind_many_known_ones_is_seen(bench: MakeBench, known: int) -> None:
    many = sh(f'for i in $(seq {known}); do echo "a$i.ts(1,1): error TS1: old"; done; cat new; exit 1')
    step = replace(many, read_log=readers.tsc_text)
    before = take(bench({"new": ""}), step, phase=Phase.STATIC)
    same = take(bench({"new": ""}), step, phase=Phase.STATIC)
    after = take(bench({"new": "z.ts(1,1): error TS2: new\n"}), step, phase=Phase.STATIC)
    assert compare(same, before, red=True, tests=False).outcome is Outcome.RED_BEFORE
    assert compare(after, before, red=True, tests=False).outcome is Outcome.FAILED


@pytest.mark.parametrize(("mode", "version"), [("gate", "2.0-8"), ("baseline", "1.0-8")])
def test_a_version_is_asked_with_the_variables_that_the_tool_had(bench: MakeBench, mode: str, version: str) -> None:
    """A package manager that is not told that there is no network waits for its registry, a minute and longer."""
    tools = {"tool": ("sh", "-c", "echo $VERSION$MORE")}
    step = sh("true", env={"VERSION": "1.0", "MORE": "-8"}, offline_env={"VERSION": "2.0"})
    verdict = bench({}).verify(Planned(Plan((step,), tools)), mode=mode)["tool"]  # type: ignore[arg-type]
    assert verdict.details["tools"] == {"tool": version}


@pytest.mark.parametrize(("told", "outcome"), [(False, Outcome.ERRORED), (True, Outcome.FAILED)])
def test_a_kill_is_taken_for_want_of_memory_only_where_nobody_counts_that(told: bool, outcome: Outcome) -> None:
    done = Completed(Ended.EXITED, 137, b"Killed", memory_told=told)
    assert judge(sh("check"), Phase.TEST, done, Found((), None, ".", "/workspace")).outcome is outcome


def test_a_test_that_does_not_end_is_placed_by_the_last_stack_that_its_runner_printed() -> None:
    stack = """..Timeout (0:00:01)!
Thread 0x00007f (most recent call first):
  File "/workspace/src/slow.py", line 9 in other
Timeout (0:00:01)!
Thread 0x00007f (most recent call first):
  File "/usr/lib/python3.11/threading.py", line 324 in wait
  File "/workspace/.venv/lib/site-packages/_pytest/python.py", line 5 in call
  File "/workspace/src/slow.py", line 3 in wait_for
  File "/workspace/test_slow.py", line 7 in test_it
"""
    done = Completed(Ended.TIMED_OUT, 137, stack.encode(), seconds=30)
    result = judge(sh("check"), Phase.TEST, done, Found((), None, ".", "/workspace"))
    (found,) = result.diagnostics
    assert (result.outcome, found.path, found.line) == (Outcome.TIMED_OUT, "src/slow.py", 3)
    assert "test_slow.py" in found.excerpt
    plain = judge(sh("check"), Phase.TEST, replace(done, output=b"1\n2\n"), Found((), None, ".", "/workspace"))
    assert (plain.diagnostics[0].path, plain.diagnostics[0].excerpt) == (None, "1\n2")


def test_tests_that_had_not_ended_are_named() -> None:
    stopped = Result(Outcome.TIMED_OUT, "late", (Diagnostic("late", excerpt="..."),), Counts(1, passed=("a",)))
    (found,) = not_over(stopped, ("a", "b", "c", "d", "e")).diagnostics
    assert found.excerpt == "not over: b, c, d and 1 more\n..."
    assert not_over(stopped, ("a",)) is stopped
    assert not_over(stopped, ("x", "y")) is stopped, "none is known"


def test_the_log_is_kept_and_nothing_else(bench: MakeBench) -> None:
    at = bench({})
    verdict = take(at, sh("echo out; echo err >&2"))
    assert sorted(at.log(verdict).split()) == ["err", "out"]
    assert [path.name for path in (at.path / "logs").iterdir()] == [verdict.log]


@pytest.mark.parametrize(
    ("code", "text", "program"),
    [
        (127, "sh: 1: turbo: not found", "turbo"),
        (127, "bash: line 3: deno: command not found", "deno"),
        (127, "/usr/bin/env: 'bun': No such file or directory", "bun"),
        (1, "packages/a t$ x y\npackages/a t: sh: 1: x: not found\npackages/a t: Failed\nspawn ENOENT", "x"),
        (1, "/bin/sh: 1: x: not found\nerror Command failed with exit code 127.", "x"),
        (1, "command not found: x\nexited with code 127", "x"),
        (1, "> x y\n\nsh: 1: x: not found\n\u2009ELIFECYCLE\u2009 Test failed. See above for more details.", "x"),
        (1, "sh: 1: x: not found\n1 test failed", None),
        (127, "it ended", None),
    ],
)
def test_a_missing_program_on_the_base_commit_is_no_failure(code: int, text: str, program: str | None) -> None:
    done = Completed(Ended.EXITED, code, text.encode())
    nothing = Found((), None, ".", "/workspace")
    result = judge(sh("check"), Phase.TEST, done, nothing, original=True)
    assert (result.outcome is Outcome.ERRORED) is bool(program)
    assert program is None or f"needs `{program}`" in result.summary
    for phase, original in ((Phase.TEST, False), (Phase.STATIC, True)):  # a change may have a typing error
        assert judge(sh("check"), phase, done, nothing, original=original).outcome is Outcome.FAILED
