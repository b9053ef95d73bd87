"""Bazel workspaces: what is found, how it is called, what its events and reports say; one run of the real one."""

import base64
import json
import re
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from greylag import readers
from greylag.model import Counts, Diagnostic, Origin, Outcome, Phase, Severity
from greylag.protocols import Activation, Tree
from greylag.testing.verifiers import Bench, detect
from greylag.verifiers._tool import Plan, Step
from greylag.verifiers.bazel import Bazel

MakeBench = Callable[[dict[str, str]], Bench]
GOLDEN = Path(__file__).parent.parent / "golden" / "bazel"
CC = "cc_library cc_binary cc_test cc_toolchain cc_toolchain_suite cc_import cc_proto_library"
JAVA = "java_import java_library java_binary java_test java_runtime java_toolchain java_plugin"
STAND_INS = {  # what Bazel 4 would download even for a shell test
    ".bazelrc": "startup --install_base=/usr/share/bazel --trust_install_base\n"  # of Debian, which has that in /etc
    "startup --host_jvm_args=-XX:TieredStopAtLevel=1\nbuild --host_javabase=@local_jdk//:jdk\n",
    ".bazelignore": "rules_cc\nrules_java\ncoverage\n",
    "rules_cc/WORKSPACE": "",
    "rules_cc/cc/BUILD": "",
    "rules_cc/cc/defs.bzl": "".join(f"{name} = native.{name}\n" for name in CC.split()),
    "rules_java/WORKSPACE": "",
    "rules_java/java/BUILD": "",
    "rules_java/java/defs.bzl": "".join(f"{name} = native.{name}\n" for name in JAVA.split()),
    "coverage/WORKSPACE": "",
    "coverage/BUILD": 'filegroup(name = "coverage_report_generator", visibility = ["//visibility:public"])\n',
    "WORKSPACE": 'local_repository(name = "rules_cc", path = "rules_cc")\n'
    'local_repository(name = "rules_java", path = "rules_java")\n'
    'local_repository(name = "remote_coverage_tools", path = "coverage")\n',
}
PROJECT = {
    **STAND_INS,
    "calc/BUILD": """
[genrule(name = name + "_script", srcs = [name + ".txt"], outs = [name + ".sh"], cmd = "cp $< $@", executable = True)
 for name in ["adds", "divides", "reports"]]
[sh_test(name = name, srcs = [name + ".sh"]) for name in ["adds", "divides", "reports"]]
""",
    "calc/adds.txt": "exit 0\n",
    "calc/divides.txt": 'echo "Error: expected 3, but 7 / 2 is 3.5"; exit 1\n',
    "calc/reports.txt": 'cat > "$XML_OUTPUT_FILE" <<E\n<testsuite name="Calc"><testcase classname="Calc" name="one"/>'
    '<testcase classname="Calc" name="two"/></testsuite>\nE\n',
}


CALC = ("calc/BUILD", "calc/divides.sh", "calc/divides_data.csv", "calc/hangs.py", "calc/hangs.txt")


def test_beside_another_build_a_machine_without_bazel_is_only_told(bench: MakeBench) -> None:
    files = {"MODULE.bazel": "", "calc/BUILD": "sh_test(name = 'a')", "go.mod": "module a\n"}
    alone = {name: text for name, text in files.items() if name != "go.mod"}
    assert [step.title for step in steps(files, "bazel build")] == ["bazel --version", "bazel build"]
    assert [step.title for step in steps(alone, "bazel build")] == ["bazel build"]
    names = ("bazel fetch", "bazel build", "bazel test")
    verdicts = bench(files).verify(MissingBazel(), *names)
    assert [v.outcome for v in verdicts.values()] == [Outcome.SKIPPED] * 3
    assert "no Bazel on this machine" in verdicts["bazel test"].summary


class MissingBazel(Bazel):
    """On a machine that has none."""

    def detect(self, tree: Tree) -> Sequence[Activation]:
        found = []
        for activation in super().detect(tree):
            assert isinstance(activation.plan, Plan)
            first, *rest = activation.plan.steps
            plan = replace(activation.plan, steps=(replace(first, programs=(("no-such-bazel",),)), *rest))
            found.append(replace(activation, plan=plan))
        return found


def steps(files: dict[str, str], name: str) -> tuple[Step, ...]:
    plan = detect(Bazel(), files)[name].plan
    assert isinstance(plan, Plan)
    return plan.steps


def test_workspaces_are_the_outermost() -> None:
    files = {"MODULE.bazel": "", "a/BUILD": "", "a/WORKSPACE": "", "third_party/b/WORKSPACE": ""}
    assert {a.root for a in detect(Bazel(), files).values()} == {"."}
    assert not detect(Bazel(), {"WORKSPACE": "This is our workspace.\n", "package.json": "{}"})
    apart = {"a/WORKSPACE.bazel": "", "b/MODULE.bazel": "", "examples/c/WORKSPACE": ""}
    assert {a.root for a in detect(Bazel(), apart).values()} == {"a", "b"}
    assert not detect(Bazel(), {"BUILD.bazel": "", "Workspace": ""})


def test_tests_are_run_where_there_is_a_rule_for_them() -> None:
    def phases(build: str) -> list[Phase]:
        return [a.phase for a in detect(Bazel(), {"MODULE.bazel": "", "a/BUILD.bazel": build}).values()]

    assert phases('cc_library(name = "a_test")') == [Phase.PREPARE, Phase.COMPILE]
    assert phases('[py_test(name = n) for n in "ab"]') == [Phase.PREPARE, Phase.COMPILE, Phase.TEST]
    assert phases("java_test_suite(\n)") == [Phase.PREPARE, Phase.COMPILE]


def test_inputs_are_what_decides_what_is_fetched() -> None:
    files = (
        "MODULE.bazel",
        "MODULE.bazel.lock",
        ".bazelrc",
        ".bazelversion",
        "a/BUILD",
        "a/defs.bzl",
        "a/a.cc",
        "go.sum",
    )
    inputs = detect(Bazel(), dict.fromkeys(files, ""))["bazel fetch"].inputs
    assert set(inputs) == {*files} - {"a/a.cc"}


def test_an_exact_version_must_be_there() -> None:
    files = {"MODULE.bazel": "", ".bazelversion": "7.4.1\n"}
    assert detect(Bazel(), files)["bazel fetch"].reason == "MODULE.bazel, Bazel 7.4.1"
    assert [step.title for step in steps(files, "bazel fetch")] == ["bazel --version", "bazel build"]
    for loose in ("7.x", "latest", "", "7.4.1; exit"):
        assert len(steps({**files, ".bazelversion": loose}, "bazel fetch")) == 1


def test_results_come_from_no_cache_and_no_test_has_a_second_attempt() -> None:
    arguments = steps(PROJECT, "bazel test")[0].arguments
    assert {"--nocache_test_results", "--flaky_test_attempts=1", "--remote_cache=", "--disk_cache="} <= set(arguments)


def test_failed_tests_are_run_again_by_their_targets() -> None:
    step = steps(PROJECT, "bazel test")[0]
    assert step.again
    names = ("//calc:divides", "//calc:reports Calc.one", "//calc:reports Calc.two", "--config=x")
    arguments = step.again([Diagnostic("no", test=name) for name in names])
    assert arguments == (*step.arguments[:-1], "//calc:divides", "//calc:reports")


def test_cases_of_a_target_are_counted_and_targets_without_cases_are_one() -> None:
    counts, found = readers.bazel_report((GOLDEN / "report.json").read_bytes(), files=CALC)
    assert (counts.run, counts.failed, counts.skipped) == (9, 3, 0)
    assert counts.passed == (
        *("//calc:adds", "//calc:crashes Calc.one", "//calc:crashes Calc.two"),
        *("//calc:reports Calc.one", "//calc:reports Calc.two", "//calc:sometimes"),
    )
    failed = {d.test: d for d in found if d.severity is Severity.ERROR}
    assert set(failed) == {"//calc:divides", "//calc:hangs", "//calc:crashes"}
    assert failed["//calc:divides"].message == "Error: expected 3, but 7 / 2 is 3.5"
    assert failed["//calc:divides"].path == "calc/divides.sh"
    assert failed["//calc:hangs"].message.startswith("timeout: waiting for the database")
    assert failed["//calc:hangs"].path is None  # two files could be meant
    (flaky,) = (d for d in found if d.origin is Origin.FLAKY)
    assert (flaky.test, flaky.severity) == ("//calc:sometimes", Severity.WARNING)


def report(status: str, xml: str, log: str = "") -> bytes:
    packed = base64.b64encode(xml.encode()).decode()
    return json.dumps([{"label": "//calc:adds", "status": status, "xml": [packed], "log": log}]).encode()


def test_how_a_target_ended_is_what_bazel_says() -> None:
    assert readers.bazel_report(report("PASSED", "no <xml"))[0] == Counts(1, 0)
    assert readers.bazel_report(report("FAILED", "no <xml", "no"))[0] == Counts(1, 1)
    red = '<testsuite><testcase classname="A" name="b"><failure message="no"/></testcase></testsuite>'
    counts, (failed,) = readers.bazel_report(report("PASSED", red))
    assert (counts, failed.test) == (Counts(1, 1), "//calc:adds A.b")
    assert readers.bazel_report(report("FAILED_TO_BUILD", "")) == (Counts(0), ())


def test_places_of_copies_become_those_of_the_repository() -> None:
    log = (
        'File "/home/agent/.cache/bazel/1/execroot/_main/bazel-out/k8/bin/calc/adds.runfiles/_main/calc/adds.py"'
        ", line 7\nAssertionError: no\n"
    )
    _, (failed,) = readers.bazel_report(report("FAILED", "", log), files=["calc/adds.py"])
    assert (failed.path, failed.line) == ("calc/adds.py", 7)


def test_errors_have_places() -> None:
    def read(name: str) -> list[tuple[str | None, int | None, str | None, str]]:
        return [(d.path, d.line, d.rule, d.message) for d in readers.bazel_text((GOLDEN / name).read_bytes())]

    message = "invalid operands to binary * (have 'char *' and 'int')"
    assert read("test.txt") == [("calc/compiles.c", 1, None, message)]  # and not, that an action failed
    assert read("syntax.txt") == [("BUILD", 7, "bazel", "syntax error at 'newline': expected expression")]
    ((path, line, rule, message),) = read("analysis.txt")
    assert (path, line, rule, message[:25]) == ("BUILD", 5, "bazel", "no such package 'nope': B")


@pytest.mark.parametrize(
    "hostile",
    [
        b"ERROR: " + b"/a" * 200_000,
        b"/execroot/a" * 40_000,
        b"/a.runfiles/execroot" * 20_000,
        b"ERROR: /a:1:1: x failed: (\n" * 15_000,
        b"ERROR: " + b"failed: ( : error executing command " * 10_000,
    ],
)
def test_hostile_logs_are_read_in_no_time(hostile: bytes) -> None:
    begin = time.process_time()
    readers.bazel_text(hostile)
    readers.bazel_report(report("FAILED", "", hostile.decode()))
    readers.bazel_report(hostile)
    assert time.process_time() - begin < 3


def test_the_report_is_made_from_what_events_say(tmp_path: Path) -> None:
    """The program that runs around Bazel, which a script plays: it writes the events of the real one."""
    log, events = tmp_path / "a b.log", tmp_path / "events"
    log.write_text("x" * 20_000 + "the end")
    golden = (GOLDEN / "events.json").read_text()
    named = "\n".join(
        json.dumps(_pointing(json.loads(line), log.as_uri()), separators=(",", ":")) for line in golden.splitlines()
    )
    (tmp_path / "bazel").write_text(f'#!/bin/sh\ncp {tmp_path}/given {events}; echo "$@"; exit 3\n')
    (tmp_path / "bazel").chmod(0o755)
    (tmp_path / "given").write_text(named + '\n{"id":{"testResult":{"lab')  # it was ended while it wrote
    inside = Path(readers.__file__).parent.parent / "verifiers" / "_bazel_inside.py"
    command = ("python3", str(inside), str(events), str(tmp_path / "report"), "test", "//...")
    done = subprocess.run(command, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (3, b"test //...\n")
    found = {target["label"]: target for target in json.loads((tmp_path / "report").read_text())}
    assert {label: target["status"] for label, target in found.items()} == {
        "//calc:reports": "PASSED",
        "//calc:divides": "FAILED",
        "//calc:sometimes": "FLAKY",
    }
    assert all(len(target["xml"]) == 1 for target in found.values())  # of the last attempt
    assert found["//calc:divides"]["log"].endswith("the end")
    assert len(found["//calc:divides"]["log"]) == 16 << 10
    assert not found["//calc:reports"]["log"]


def _pointing(event: dict[str, object], uri: str) -> dict[str, object]:
    """An event whose files are all the one at `uri`."""
    outputs = event.get("testResult", {}).get("testActionOutput", ())  # type: ignore[attr-defined]
    for output in outputs:
        output["uri"] = uri
    return event


# -- the whole verifier ----------------------------------------------------------------------------------------------


NETWORK = (
    "Error in download_and_extract: java.io.IOException: Error downloading [https://example.org/a.zip]: Unknown host"
)


def test_what_a_test_prints_is_no_excuse() -> None:
    (step,) = steps(PROJECT, "bazel test")
    assert not step.unable
    assert 3 not in step.unable_codes
    (fetch,) = steps(PROJECT, "bazel fetch")
    assert re.search(fetch.unable, f"WARNING: x\n{NETWORK}")
    assert not re.search(fetch.unable, "WARNING: Download from https://example.org/a.zip failed: Unknown host: a")


@pytest.mark.toolchain("bazel-4")
def test_the_real_one_in_the_sandbox(bench: MakeBench) -> None:
    """Bazel 4, the one that Debian has. `baseline`: what it unpacks of its own counts as fetched."""
    verdict = bench(PROJECT).verify(Bazel(), "bazel test", mode="baseline")["bazel test"]
    assert (verdict.outcome, verdict.summary) == (Outcome.FAILED, "4 tests, 1 failed")
    assert verdict.counts
    assert verdict.counts.passed == ("//calc:adds", "//calc:reports Calc.one", "//calc:reports Calc.two")
    ((test, message),) = ((d.test, d.message) for d in verdict.diagnostics)
    assert (test, message) == ("//calc:divides", "Error: expected 3, but 7 / 2 is 3.5")
