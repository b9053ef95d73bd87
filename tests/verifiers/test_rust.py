"""Cargo workspaces: what is found in their files, and the real tool chain in the real sandbox without network."""

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from greylag.model import Counts, Diagnostic, Origin, Outcome, Phase
from greylag.protocols import Activation
from greylag.testing.verifiers import Bench, detect
from greylag.verifiers._tool import Plan, Step
from greylag.verifiers.rust import Rust

MakeBench = Callable[[dict[str, str]], Bench]
PACKAGE = '[package]\nname = "demo"\nversion = "0.1.0"\nedition = "2021"\n'
WORKSPACE = '[workspace]\nmembers = ["crates/*"]\nexclude = ["own", "crates/kept/deep"]\n'
LOCK = 'version = 4\n\n[[package]]\nname = "demo"\nversion = "0.1.0"\n'
TEST = "#[test]\nfn adds() {\n    assert_eq!(1 + 1, 2);\n}\n"


def found(files: Mapping[str, str]) -> dict[str, Activation]:
    return detect(Rust(), files)


def steps(activation: Activation) -> tuple[Step, ...]:
    assert isinstance(activation.plan, Plan)
    return activation.plan.steps


# -- detection -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("manifests", "roots"),
    [
        ({"Cargo.toml": PACKAGE}, {"."}),
        ({"Cargo.toml": PACKAGE, "macros/Cargo.toml": PACKAGE}, {".", "macros"}),
        ({"Cargo.toml": WORKSPACE, "crates/a/Cargo.toml": PACKAGE, "tools/b/Cargo.toml": PACKAGE}, {"."}),
        ({"Cargo.toml": WORKSPACE, "own/Cargo.toml": PACKAGE, "owner/Cargo.toml": PACKAGE}, {".", "own"}),
        ({"Cargo.toml": WORKSPACE, "crates/kept/deep/Cargo.toml": PACKAGE}, {".", "crates/kept/deep"}),
        ({"Cargo.toml": WORKSPACE, "crates/a/Cargo.toml": PACKAGE + "[workspace]\n"}, {".", "crates/a"}),
        ({"api/Cargo.toml": WORKSPACE, "api/crates/a/Cargo.toml": PACKAGE, "web/Cargo.toml": PACKAGE}, {"api", "web"}),
        ({"main/Cargo.toml": WORKSPACE, "beside/Cargo.toml": PACKAGE + 'workspace = "../main"\n'}, {"main"}),
        ({"fuzz/Cargo.toml": PACKAGE, "examples/x/Cargo.toml": PACKAGE, "vendor/y/Cargo.toml": PACKAGE}, set()),
        ({"Cargo.toml": "[workspace]\nmembers = 3\nexclude = [1]\n", "a/Cargo.toml": "workspace = 3"}, {"."}),
    ],
)
def test_what_cargo_builds_on_its_own_is_a_root(manifests: Mapping[str, str], roots: set[str]) -> None:
    assert {activation.root for activation in found(manifests).values()} == roots


def test_a_named_member_is_one_though_it_is_excluded() -> None:
    workspace = '[workspace]\nmembers = ["own/a"]\nexclude = ["own"]\n'
    manifests = {"Cargo.toml": workspace, "own/a/Cargo.toml": PACKAGE, "own/b/Cargo.toml": PACKAGE}
    assert {activation.root for activation in found(manifests).values()} == {".", "own/b"}


def test_a_tracked_lock_file_binds_and_a_missing_one_is_said() -> None:
    locked = found({"Cargo.toml": PACKAGE, "Cargo.lock": LOCK})
    assert all("--locked" in steps(activation)[0].arguments for activation in locked.values())
    assert locked["cargo fetch"].outputs == ()
    fetch = found({"svc/Cargo.toml": PACKAGE})["cargo fetch (svc)"]
    assert fetch.outputs == ("/svc/Cargo.lock",)
    assert isinstance(fetch.plan, Plan)
    assert "there is no Cargo.lock" in fetch.plan.note
    assert "--locked" not in steps(fetch)[0].arguments


def test_inputs_are_what_decides_what_is_fetched_wherever_it_is() -> None:
    deciding = {"a/Cargo.toml": PACKAGE, "a/Cargo.lock": "", "b/Cargo.toml": PACKAGE, ".cargo/config.toml": ""}
    more = {"rust-toolchain.toml": "", "vendor/c/Cargo.toml": "", "a/src/lib.rs": ""}
    assert set(found({**deciding, **more})["cargo fetch (a)"].inputs) == {*deciding, "rust-toolchain.toml"}


FORMATS = {
    "rustfmt.toml": "",
    ".github/workflows/ci.yml": "run: cargo fmt --all -- --check",
    "Makefile": "fmt:\n\tcargo +nightly fmt\n",
    ".pre-commit-config.yaml": "hooks:\n- id: fmt\n",
}
LINTS = {
    "clippy.toml": "",
    "Cargo.toml": PACKAGE + "[lints.clippy]\nall = 'warn'\n",
    "crates/a/Cargo.toml": PACKAGE + "[lints.clippy]\nall = 'warn'\n",
    ".github/workflows/ci.yml": "run: cargo clippy",
    "justfile": "lint:\n  cargo clippy\n",
}


@pytest.mark.parametrize("file", FORMATS)
def test_formatting_is_checked_where_the_repository_formats(file: str) -> None:
    activation = found({"Cargo.toml": PACKAGE, file: FORMATS[file]})["cargo fmt"]
    assert (activation.phase, activation.reason) == (Phase.FORMAT, file)


@pytest.mark.parametrize("file", LINTS)
def test_clippy_runs_where_the_repository_lints(file: str) -> None:
    activation = found({"Cargo.toml": WORKSPACE, file: LINTS[file]})["cargo clippy"]
    assert (activation.phase, activation.reason) == (Phase.STATIC, file)


def test_a_repository_that_has_only_code_is_compiled_and_tested() -> None:
    assert list(found({"Cargo.toml": PACKAGE, "src/lib.rs": TEST})) == ["cargo fetch", "cargo check", "cargo test"]


def test_tests_are_compiled_before_any_of_them_runs() -> None:
    """What is run again is then there, as it was before the first run; that it can be compiled is what `check` says."""
    checked, built = steps(found({"Cargo.toml": PACKAGE, "src/lib.rs": TEST})["cargo check"])
    assert (checked.may_fail, built.may_fail) == (False, True)
    assert built.arguments == ("test", "--workspace", "--no-run")
    carried = {"Cargo.toml": PACKAGE, "target/debug/.fingerprint/a/x": ""}
    assert [step.title for step in steps(found(carried)["cargo check"])] == ["cargo clean", "cargo check"]


def test_tools_run_as_the_repository_runs_them() -> None:
    workflow = "run: |\n  cargo +nightly fmt --check\n  cargo clippy -- -Dwarnings\n  cargo test -- --test-threads=1\n"
    checks = found({"Cargo.toml": PACKAGE, ".github/workflows/ci.yml": workflow, "a.yml": "components: rustfmt"})
    there, formatted = steps(checks["cargo fmt"])
    assert there.line == "rustup which --toolchain nightly cargo-fmt"
    assert formatted.arguments == ("+nightly", "fmt", "--check")
    assert steps(checks["cargo clippy"])[0].arguments[-3:] == ("--", "-D", "warnings")
    assert steps(checks["cargo test"])[0].env["RUST_TEST_THREADS"] == "1"
    assert steps(found({"Cargo.toml": PACKAGE})["cargo test"])[0].env["RUST_TEST_THREADS"] == "@cpus@"


def test_a_linter_of_the_repositorys_own_tool_chain_goes_first() -> None:
    def linted(*files: str) -> list[str]:
        named = {f".github/workflows/{number}.yml": text for number, text in enumerate(files)}
        return [" ".join(step.arguments[:2]) for step in steps(found({"Cargo.toml": PACKAGE, **named})["cargo clippy"])]

    assert linted("run: cargo +beta clippy\nrun: cargo clippy") == ["clippy --workspace"]
    assert linted("run: cargo +beta clippy", "run: cargo clippy") == ["clippy --workspace"]
    assert linted("run: cargo +beta clippy", "run: cargo +nightly clippy") == ["which --toolchain", "+beta clippy"]


MACHINE = """
error: toolchain '1.70.0-x86_64-unknown-linux-gnu' is not installed
info: syncing channel updates for 1.70.0-x86_64-unknown-linux-gnu
error: the 'cargo-fmt' binary, normally provided by the 'rustfmt' component, is not applicable to the 'stable' toolchain
error: the 'clippy' component which provides the command 'cargo-clippy' is not available for the 'stable' toolchain
error: no such command: `fmt`
error: no such command: `+nightly`
error: rustc 1.95.0 is not supported by the following package:
  lock file version `9` was found, but this version of Cargo does not understand this lock file, perhaps Cargo needs
  [6] Could not resolve hostname (Could not resolve host: index.crates.io)
  failed to get successful HTTP response from `http://127.0.0.1/config.json` (127.0.0.1), got 503
"""


@pytest.mark.parametrize("line", MACHINE.strip("\n").split("\n"))
def test_what_no_edit_can_repair_is_no_failure_of_the_repository(line: str) -> None:
    """Each line as cargo 1.95 and rustup 1.29 print it."""
    assert re.search(steps(found({"Cargo.toml": PACKAGE})["cargo fetch"])[0].unable, f"warning: x\n{line}\nmore")


# -- the real tool chain ---------------------------------------------------------------------------------------------


@pytest.mark.toolchain("cargo")
def test_a_green_workspace_passes_all_phases(bench: MakeBench) -> None:
    files = {
        "Cargo.toml": '[workspace]\nmembers = ["a"]\nresolver = "2"\n',
        "Cargo.lock": LOCK,
        "a/Cargo.toml": PACKAGE,
        "a/src/lib.rs": "/// ```\n/// demo::one();\n/// ```\npub fn one() {}\n",
        "a/tests/it.rs": TEST + "\n#[test]\n#[ignore]\nfn slow() {}\n",
        "rustfmt.toml": "",
        "clippy.toml": "",
    }
    verdicts = bench(files).verify(Rust())
    assert {name: v.outcome for name, v in verdicts.items()} == dict.fromkeys(verdicts, Outcome.PASSED)
    assert list(verdicts) == ["cargo fetch", "cargo fmt", "cargo clippy", "cargo check", "cargo test"]
    counts = verdicts["cargo test"].counts
    assert counts == Counts(2, 0, 1)
    assert counts.passed == ("a/src/lib.rs::documentation", "it::adds")
    assert verdicts["cargo test"].details["tools"]["rustc"]


@pytest.mark.toolchain("cargo")
def test_what_formatter_and_linter_find_has_its_place(bench: MakeBench) -> None:
    files = {
        "svc/Cargo.toml": PACKAGE,
        "svc/src/lib.rs": "pub fn one() -> u32 {\n    return 1;\n}\n",
        "svc/tests/it.rs": TEST + "\n#[test]\nfn fine() {   }\n",
        "Makefile": "check:\n\tcargo fmt\n\tcargo clippy -- -D warnings\n",
    }
    verdicts = bench(files).verify(Rust(), "cargo fmt", "cargo clippy")
    assert all(v.outcome is Outcome.FAILED for v in verdicts.values())
    (unformatted,) = verdicts["cargo fmt"].diagnostics
    assert (unformatted.path, unformatted.line) == ("svc/tests/it.rs", 7)
    (linted,) = verdicts["cargo clippy"].diagnostics
    assert (linted.path, linted.line, linted.rule) == ("svc/src/lib.rs", 2, "clippy::needless_return")


@pytest.mark.toolchain("cargo")
def test_a_failed_test_has_its_place_and_an_end_before_time_is_a_failure(bench: MakeBench) -> None:
    files = {
        "Cargo.toml": PACKAGE,
        "src/lib.rs": "",
        "tests/ends.rs": "#[test]\nfn ends() {\n    std::process::exit(0);\n}\n",
        "tests/it.rs": TEST.replace("2)", '3, "sums")') + "#[test]\nfn fine() {}\n",
    }
    verdict = bench(files).verify(Rust(), "cargo test")["cargo test"]
    assert (verdict.outcome, verdict.counts) == (Outcome.FAILED, Counts(3, 2))
    ends, failed = verdict.diagnostics
    assert (ends.test, ends.message) == ("ends", "ends ended before its tests did")
    assert (failed.path, failed.line, failed.test) == ("tests/it.rs", 3, "it::adds")
    assert failed.message == "assertion `left == right` failed: sums / left: 2 / right: 3"


def test_the_tests_that_failed_are_run_again_where_they_have_names_of_their_own() -> None:
    (step,) = steps(found({"Cargo.toml": PACKAGE, "src/lib.rs": ""})["cargo test"])
    assert step.again
    one, two = (Diagnostic("no", test=name) for name in ("demo::tests::a", "it::b"))
    assert step.again([one, two]) == (*step.arguments, "--", "--exact", "tests::a", "b")
    for name in ("src/lib.rs::documentation", "it"):
        assert step.again([one, Diagnostic("no", test=name)]) == step.arguments


@pytest.mark.toolchain("cargo")
def test_a_test_that_others_break_passes_by_itself_and_is_not_flaky(bench: MakeBench) -> None:
    wait = "for _ in 0..30 { assert!(!SEEN.load(SeqCst)); std::thread::sleep(std::time::Duration::from_millis(10)); }"
    head = "use std::sync::atomic::{AtomicBool, Ordering::SeqCst};\nstatic SEEN: AtomicBool = AtomicBool::new(false);\n"
    first = "#[test]\nfn first() { SEEN.store(true, SeqCst) }\n"
    tests = f"{head}{first}#[test]\nfn second() {{\n    {wait}\n}}\n"
    at = replace(bench({"Cargo.toml": PACKAGE, "src/lib.rs": "", "tests/it.rs": tests}), again=True)
    verdict = at.verify(Rust(), "cargo test")["cargo test"]
    assert (verdict.outcome, verdict.counts) == (Outcome.FAILED, Counts(2, 1, passed=("it::first",)))
    assert [(d.origin, d.test) for d in verdict.diagnostics] == [(Origin.NEW, "it::second")]
    alone, complete = ((at.path / f"again-{n}/logs" / str(verdict.log)).read_text() for n in (1, 2))
    assert ("first" in alone, "first" in complete) == (False, True)


@pytest.mark.toolchain("cargo")
def test_an_error_of_the_compiler_has_its_place(bench: MakeBench) -> None:
    broken = {"Cargo.toml": PACKAGE, "src/lib.rs": "pub fn one() -> u32 {\n    missing()\n}\n"}
    verdict = bench(broken).verify(Rust(), "cargo check")["cargo check"]
    assert verdict.outcome is Outcome.FAILED
    assert [(d.path, d.line, d.column, d.rule) for d in verdict.diagnostics] == [("src/lib.rs", 2, 5, "E0425")]


@pytest.mark.toolchain("cargo")
def test_a_manifest_that_cannot_be_read_has_its_place(bench: MakeBench) -> None:
    verdict = bench({"Cargo.toml": PACKAGE + "[dep", "src/lib.rs": ""}).verify(Rust(), "cargo check")["cargo check"]
    assert [(d.path, d.line) for d in verdict.diagnostics] == [("Cargo.toml", 5)]
    assert verdict.outcome is Outcome.FAILED


@pytest.mark.toolchain("cargo")
def test_a_lock_file_that_does_not_fit_fails_the_preparation(bench: MakeBench) -> None:
    stale = {"Cargo.toml": PACKAGE.replace("0.1.0", "0.2.0"), "Cargo.lock": LOCK, "src/lib.rs": ""}
    verdict = bench(stale).verify(Rust(), "cargo fetch")["cargo fetch"]
    assert verdict.outcome is Outcome.FAILED
    assert "--locked" in verdict.diagnostics[0].message


@pytest.mark.toolchain("cargo")
def test_no_tests_are_no_pass(bench: MakeBench) -> None:
    verdict = bench({"Cargo.toml": PACKAGE, "src/main.rs": "fn main() {}\n"}).verify(Rust(), "cargo test")["cargo test"]
    assert (verdict.outcome, verdict.summary) == (Outcome.SKIPPED, "no tests")


@pytest.mark.toolchain("rustup", "cargo")
def test_a_tool_chain_that_only_a_linter_wants_is_said_where_it_is_missing(bench: MakeBench) -> None:
    files = {"Cargo.toml": PACKAGE, "src/lib.rs": "", "Makefile": "a:\n\tcargo +1.1.0 clippy\n\tcargo +1.1.0 fmt\n"}
    verdicts = bench(files).verify(Rust(), "cargo clippy", "cargo fmt")
    assert {verdict.outcome for verdict in verdicts.values()} == {Outcome.SKIPPED}
    assert "toolchain '1.1.0" in verdicts["cargo clippy"].summary


@pytest.mark.toolchain("rustup", "cargo")
def test_a_tool_chain_that_is_pinned_and_not_there_is_missing_on_the_machine(bench: MakeBench) -> None:
    pinned = {"Cargo.toml": PACKAGE, "src/lib.rs": "", "rust-toolchain.toml": '[toolchain]\nchannel = "1.1.0"\n'}
    verdict = bench(pinned).verify(Rust(), "cargo fetch")["cargo fetch"]
    assert verdict.outcome is Outcome.ERRORED
    assert "toolchain '1.1.0" in verdict.summary


@pytest.mark.toolchain("cargo")
def test_benchmarks_for_another_compiler_do_not_hide_the_rest(bench: MakeBench) -> None:
    nightly = {"Cargo.toml": PACKAGE, "src/lib.rs": "", "benches/b.rs": "#![feature(test)]\nextern crate test;\n"}
    assert bench(nightly).verify(Rust(), "cargo check")["cargo check"].outcome is Outcome.PASSED


@pytest.mark.toolchain("cargo")
def test_what_the_repository_carries_as_built_is_not_taken(bench: MakeBench) -> None:
    kept = {"target/CACHEDIR.TAG": "", "target/debug/.fingerprint/demo/lib-demo": "0"}
    at = bench({"Cargo.toml": PACKAGE, "src/lib.rs": "", **kept})
    assert at.verify(Rust(), "cargo check")["cargo check"].outcome is Outcome.PASSED
    assert not (at.workspace / "target/debug/.fingerprint/demo").exists()


NEXTEST = {"Cargo.toml": PACKAGE, "src/lib.rs": "", "tests/it.rs": TEST, ".config/nextest.toml": ""}


@pytest.mark.toolchain("cargo")
@pytest.mark.skipif(bool(shutil.which("cargo-nextest")), reason="nextest is there")
def test_nextest_is_missing_on_the_machine(bench: MakeBench) -> None:
    verdict = bench(NEXTEST).verify(Rust(), "cargo nextest")["cargo nextest"]
    assert verdict.outcome is Outcome.ERRORED
    assert "nextest" in verdict.summary


@pytest.mark.toolchain("cargo", "cargo-nextest")
def test_nextest_runs_with_a_report_and_then_the_documentation(bench: MakeBench) -> None:
    own = '[profile.default.junit]\npath = "own.xml"\n'
    documented = "/// ```\n/// demo::one();\n/// ```\npub fn one() {}\n"
    files = {**NEXTEST, ".config/nextest.toml": own, "src/lib.rs": documented}
    verdict = bench(files).verify(Rust(), "cargo nextest")["cargo nextest"]
    assert (verdict.outcome, verdict.counts) == (Outcome.PASSED, Counts(2))
    assert verdict.counts
    assert verdict.counts.passed == ("demo::it::adds", "src/lib.rs::documentation")
