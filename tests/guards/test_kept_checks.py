# ruff: noqa: E501 - a table reads best with one row a line
"""Checks of build files, of scripts and of what CI runs: they stay, and in the same strength."""

import json
from typing import Any

import pytest

MAKE = "all: lint test\n\nlint:\n\truff check .\n\tmypy\n\ntest:\n\tset -eu; pytest -q\n\ngo:\n\tgo vet ./...\n\tgo test -race ./...\n"
SCRIPT = "#!/usr/bin/env bash\nset -euo pipefail\nruff check .\nmypy\npytest -q tests\n"
IMAGE = "FROM golang\nRUN go vet ./... && go test ./... \\\n  && go build -o /a .\n"
RAKE = "task default: [:spec, :rubocop]\n"
TREE = {
    "src/a.py": "a\n",
    "src/b.py": "b\n",
    "tests/test_a.py": "a\n",
    "tests/unit/test_b.py": "b\n",
    "cmd/a.go": "a\n",
    "rate/r.go": "r\n",
    "rate/r_test.go": "r\n",
}


def script(name: str) -> str:
    return json.dumps({"scripts": {"lint": "eslint .", "build": "tsc -p .", "test": name}})


WEAKER = {
    "make: comment": ("Makefile", MAKE, "\truff check", "\t# ruff check"),
    "make: comment of make": ("Makefile", MAKE, "\tmypy", "#\tmypy"),
    "make: said": ("Makefile", MAKE, "\tmypy", "\t@echo mypy"),
    "make: only its version": ("Makefile", MAKE, "\tmypy", "\tmypy --version"),
    "make: only collected": ("Makefile", MAKE, "pytest -q", "pytest -q --collect-only"),
    "make: some tests": ("Makefile", MAKE, "pytest -q", "pytest -q -k a"),
    "make: one file": ("Makefile", MAKE, "ruff check .", "ruff check src/a.py"),
    "make: one package": ("Makefile", MAKE, "-race ./...", "-race ./cmd/..."),
    "make: a part of a command": ("Makefile", MAKE, "-race ./...", "-race -run One ./..."),
    "make: no vet": ("Makefile", MAKE, "-race ./...", "-race -vet=off ./..."),
    "make: prerequisite": ("Makefile", MAKE, "all: lint test", "all: test"),
    "make: recipe that comes later": ("Makefile", MAKE, "go:", "test:\n\ttrue\n\ngo:"),
    "make: variable": ("Makefile", "PYTEST = pytest\ntest:\n\t$(PYTEST)\n", "= pytest", "= true"),
    "make: shell": ("Makefile", MAKE, "all:", "SHELL = /bin/true\nall:"),
    "make: failure of a pipe": ("Makefile", MAKE, "\tmypy", "\tmypy | tee log"),
    "make: failure by another command": ("Makefile", MAKE, "\tmypy", "\tmypy; ls"),
    "make: exit code of a linter": ("Makefile", "lint:\n\tgolangci-lint run ./...\n", "run", "run --issues-exit-code 0"),
    "make: new lines only": ("Makefile", "lint:\n\tgolangci-lint run ./...\n", "run", "run --new-from-rev=HEAD"),
    "make: assertions off": ("Makefile", "test:\n\tpython -m pytest\n", "python", "python -O"),
    "script: comment": ("check.sh", SCRIPT, "mypy\n", "# mypy\n"),
    "script: nothing": ("check.sh", SCRIPT, "mypy\n", ": mypy\n"),
    "script: quoted": ("check.sh", SCRIPT, "mypy\n", "cat <<END\nmypy\nEND\n"),
    "script: errors in a comment": ("check.sh", SCRIPT, "set -e", "# set -e"),
    "script: a directory of the tests": ("check.sh", SCRIPT, "-q tests", "-q tests/unit"),
    "script: in the background": ("check.sh", SCRIPT, "mypy\n", "mypy &\n"),
    "script: on a condition": ("check.sh", SCRIPT, "mypy\n", 'if [ -n "$CI" ]; then mypy; fi\n'),
    "script: ends early": ("check.sh", SCRIPT, "ruff", '[ -z "$CI" ] && exit 0\nruff'),
    "script: is another program": ("check.sh", SCRIPT, "ruff", "exec ruff"),
    "script: function of the name": ("check.sh", SCRIPT, "ruff", "pytest() { :; }\nruff"),
    "script: trap": ("check.sh", SCRIPT, "ruff", "trap 'exit 0' EXIT\nruff"),
    "image: comment": ("Dockerfile", IMAGE, "RUN go vet ./... && go test ./... \\\n  && go build", "# go vet ./... && go test ./...\nRUN go build"),
    "image: in brackets": ("Dockerfile", IMAGE, "go test ./...", "(go test ./... || true)"),
    "hatch": ("pyproject.toml", "[tool.hatch.envs.default.scripts]\ntest = 'pytest'\n", "'pytest'", "'true'"),
    "pixi": ("pixi.toml", "[tasks]\ntest = 'pytest'\n", "'pytest'", "'true'"),
    "deno": ("deno.json", '{"tasks": {"test": "deno test"}}\n', "deno test", "true"),
    "composer": ("composer.json", '{"scripts": {"test": ["phpunit"]}}\n', '"phpunit"', ""),
    "turbo": ("turbo.json", '{"tasks": {"build": {"dependsOn": ["lint"]}}}\n', '"lint"', ""),
    "rake": ("Rakefile", RAKE, ", :rubocop", ""),
    "task": ("Taskfile.yml", "tasks:\n  test:\n    cmds: [pytest, mypy]\n", ", mypy", ""),
    "invoke": ("tasks.py", "@task\ndef lint(c):\n    c.run('ruff check')\n", "c.run('ruff check')", "pass"),
    "compose": ("docker-compose.test.yml", "services:\n  t: {command: pytest -q}\n", "pytest -q", "'true'"),
    "bun": ("bunfig.toml", "[test]\ncoverageThreshold = 0.9\n", "0.9", "0.1"),
    "rustup: version": ("rust-toolchain.toml", "[toolchain]\nchannel = '1.80'\n", "1.80", "nightly"),
    "rustup: linter": ("rust-toolchain.toml", "[toolchain]\ncomponents = ['clippy', 'rustfmt']\n", "'clippy', ", ""),
    "bazel": ("BUILD.bazel", "py_test(name='a')\n", "'a')", "'a', tags=['manual'])"),
    "maven: phase": ("pom.xml", "<id>check</id>\n", "\n", "\n<phase>none</phase>\n"),
    "maven: goal": ("pom.xml", "<goal>check</goal>\n", "check", "report"),
    "maven: chosen tests": ("pom.xml", "<configuration/>\n", "<configuration/>", "<includes><include>**/A.java</include></includes>"),
    "gradle: chosen tests": ("build.gradle", "test { useJUnitPlatform() }\n", "() }", "()\n filter { includeTestsMatching 'x' } }"),
    "sbt": ("build.sbt", 'scalacOptions += "-Xfatal-warnings"\n', '"-Xfatal-warnings"', '"-g"'),
    "script by its name": ("tools/check.py", "import sys\nsys.exit(main())\n", "sys.exit(main())", "main()"),
    "script that does not look": ("dev/test.py", "import subprocess\nsubprocess.run(['a'], check=True)\n", "check=True", "check=False"),
}  # fmt: skip
AS_STRONG = {
    "make: help": ("Makefile", MAKE, "all:", "help:\n\t@echo lint test\n\nall:"),
    "make: one more": ("Makefile", MAKE, "\tmypy", "\truff format --check .\n\tmypy"),
    "make: by a variable": ("Makefile", MAKE, "\tmypy", "\t$(MYPY)\n\nMYPY = mypy"),
    "make: by another target": ("Makefile", MAKE, "lint:\n\truff check .\n\tmypy\n", "lint: types\n\truff check .\n\ntypes:\n\tmypy\n"),
    "make: by another runner": ("Makefile", MAKE, "\tmypy", "\tuv run mypy"),
    "make: order": ("Makefile", MAKE, "\truff check .\n\tmypy\n", "\tmypy\n\truff check .\n"),
    "make: all tests by their directory": ("Makefile", MAKE, "pytest -q", "pytest -q tests"),
    "make: exit code that is kept": ("Makefile", MAKE, "\tmypy", "\tmypy; code=$$?; ls; exit $$code"),
    "make: target with another name": ("Makefile", MAKE, "all: lint test\n\nlint:", "all: static test\n\nstatic:"),
    "script: function": ("check.sh", SCRIPT, "mypy\n", "types() {\n  mypy\n}\ntypes\n"),
    "script: one after the other": ("check.sh", SCRIPT, "ruff check .\n", "ruff check src\nruff check tests cmd rate\n"),
    "script: message": ("check.sh", SCRIPT, "mypy\n", "echo mypy\nmypy || { echo no; exit 1; }\n"),
    "image: one more stage": ("Dockerfile", IMAGE, "FROM golang", "FROM golang AS build"),
    "rake: one more": ("Rakefile", RAKE, ":rubocop", ":rubocop, :docs"),
    "rustup: newer": ("rust-toolchain.toml", "[toolchain]\nchannel = '1.80'\n", "1.80", "1.82"),
    "lock file": ("pnpm-lock.yaml", "packages:\n  '@babel/types@7.1.0':\n    a: 1\n", "7.1.0", "7.2.0"),
    "settings of a program": ("config/app.yml", "probe: {path: /api/check}\njobs:\n  - api/verify\n", "api/verify", "api/other"),
    "format added": ("package.json", script("vitest run"), '"lint":', '"format": "prettier -w .", "lint":'),
    "the same build": ("package.json", script("vitest run"), "tsc -p .", "tsc -p . --incremental"),
    "one more rule": ("eslint.config.js", 'export default [{ rules: { eqeqeq: "error" } }];\n', '"error"', '"error", "no-var": "error"'),
}  # fmt: skip


@pytest.mark.parametrize("name", WEAKER)
def test_check_that_is_only_named_or_weaker_blocks(guard: Any, name: str) -> None:
    path, text, old, new = WEAKER[name]
    assert old in text
    assert not guard("gates", TREE | {path: text}, TREE | {path: text.replace(old, new, 1)}).passed


@pytest.mark.parametrize("name", AS_STRONG)
def test_check_in_another_way_passes(guard: Any, found: Any, name: str) -> None:
    path, text, old, new = AS_STRONG[name]
    assert old in text
    told = found(guard("gates", TREE | {path: text}, TREE | {path: text.replace(old, new, 1)}))
    assert [line for line in told if not line.startswith("info")] == []


@pytest.mark.parametrize("loses", [False, True])
def test_checks_may_move_to_a_script_that_runs_them_all(guard: Any, loses: bool) -> None:
    there = {"Makefile": "test:\n\tmypy\n\tpytest -q\n"}
    checks = "pytest -q\n" if loses else "mypy\npytest -q\n"
    moved = {"Makefile": "test:\n\t./ci/run.sh\n", "ci/run.sh": f"set -e\n{checks}"}
    assert guard("gates", there, moved).passed is not loses


def test_another_tool_for_the_same_is_to_be_looked_at(guard: Any, found: Any) -> None:
    path = "Makefile"
    other = MAKE.replace("pytest -q", "python -m unittest")
    assert "warning gates/removed Makefile" in found(guard("gates", {path: MAKE}, {path: other}))
    assert not guard("gates", {path: MAKE}, {path: MAKE.replace("pytest -q", "ruff check .")}).passed
    idle = {path: MAKE.replace("pytest -q", "./ci/test.sh"), "ci/test.sh": "#!/bin/sh\necho done\n"}
    assert not guard("gates", {path: MAKE}, idle).passed


WORKFLOW = ".github/workflows/ci.yml"
GATES = {
    "script of a workflow": (WORKFLOW, "jobs: {a: {steps: [{run: ./ci/run.sh}]}}\n", "ci/run.sh", "set -e\npytest -q\n./x\n", "set -e\n./x\n", "removed"),
    "script of a script": (WORKFLOW, "    - run: bash ci/all.sh\n", "ci/one", "#!/bin/sh\npytest\n./x\n", "#!/bin/sh\n./x\n", "removed"),
    "program of a workflow": (WORKFLOW, "    - run: python tools/a.py\n", "tools/a.py", "import sys\nsys.exit(run())\n", "run()\n", "loosened"),
    "program of Node": (WORKFLOW, "    - run: node tools/a.mjs\n", "tools/a.mjs", "process.exit(a() ? 0 : 1);\n", "a();\n", "loosened"),
    "program of a hook": (".pre-commit-config.yaml", "      entry: tools/a.py\n", "tools/a.py", "import sys\nsys.exit(run())\n", "run()\n", "loosened"),
    "program of make": ("Makefile", "test:\n\tpython tools/a.py\n", "tools/a.py", "import sys\nsys.exit(run())\n", "run()\n", "loosened"),
    "include of GitLab": (".gitlab-ci.yml", "include:\n  - local: ci/a.yml\n", "ci/a.yml", "a:\n  script: [pytest]\n", "a:\n  script: ['true']\n", "ci"),
    "list of includes": (".gitlab-ci.yml", "include:\n  - /ci/a.yml\n", "ci/a.yml", "a: 1\n", "a: 2\n", "ci"),
    "template of Azure": ("azure-pipelines.yml", "steps:\n  - template: build/a.yml\n", "build/a.yml", "a: 1\n", "a: 2\n", "ci"),
    "local action": (WORKFLOW, "jobs: {a: {steps: [{uses: ./ci/run}]}}\n", "ci/run/action.yml", "runs: {steps: [{run: pytest}]}\n", "runs: {steps: []}\n", "ci"),
}  # fmt: skip


@pytest.mark.parametrize("name", GATES)
def test_what_a_gate_names_is_a_gate(guard: Any, found: Any, name: str) -> None:
    gate, text, path, before, after, rule = GATES[name]
    rest = {gate: text, "ci/all.sh": "./ci/one\n"}
    assert f"error gates/{rule} {path}" in [
        line.rpartition(":")[0] if line[-1].isdigit() else line
        for line in found(guard("gates", rest | {path: before}, rest | {path: after}))
    ]


def test_script_of_ci_may_change_otherwise(guard: Any, found: Any) -> None:
    rest = {WORKFLOW: "    - run: ./ci/test.sh\n    - run: ./ci/release.sh\n"}
    old = {"ci/test.sh": "set -e\npytest\n", "ci/release.sh": "set -e\n./publish\n"}
    new = {"ci/test.sh": "set -e\npytest\nmypy\n", "ci/release.sh": "set -e\n./publish --all\n"}
    assert found(guard("gates", rest | old, rest | new)) == [
        "warning gates/loaded ci/test.sh",
        "info gates/loaded ci/release.sh",
    ]


@pytest.mark.parametrize(
    "path",
    [".builds/a.yml", ".tekton/a.yaml", ".pipelines/a.yml", "codefresh.yml", ".evergreen.yml", ".gitlab-ci-a.yml"],
)
def test_more_of_ci_is_known_by_its_name(guard: Any, path: str) -> None:
    assert not guard("gates", {path: "a: 1\n"}, {path: "a: 2\n"}).passed


def test_scripts_that_run_one_another_are_read_once(guard: Any) -> None:
    there = {f"ci/test{number}.sh": "./ci/test1.sh\n./ci/test2.sh\npytest\n" * 50 for number in (1, 2)}
    base, head = (there | {"Makefile": f"{text}\t./ci/test1.sh\n"} for text in ("test:\n", "test:\n\tls\n"))
    assert guard("gates", base, head).passed
    assert not guard("gates", base, there | {"Makefile": "test:\n\tls\n"}).passed


@pytest.mark.parametrize("text", ["X=$(X)$(X)\na:\n\t$(X)\n", "a b c:\n\tpytest |\n", "a: b\n\tif pytest; then '\n"])
def test_hostile_build_file_is_read_within_bounds(guard: Any, text: str) -> None:
    much = text * (50_000 // len(text))
    assert guard("gates", {"Makefile": much}, {"Makefile": f"{much}\n"}).passed


OWN = {
    "script": ("\tsh tools/contract.sh\n", True),
    "program": ("\t./tools/contract\n", True),
    "module": ("\tpython -m tools.contract\n", True),
    "of Node": ("\tnode tools/contract.mjs\n", True),
    "comparison": ("\t./app > out && diff out expected\n", True),
    "search": ("\tgrep -q ok out\n", True),
    "difference of git": ("\tgit diff --exit-code\n", True),
    "preparation": ("\tsh tools/setup.sh\n", False),
    "words": ("\techo done\n", False),
}


@pytest.mark.parametrize("name", OWN)
def test_what_a_task_called_test_runs_of_its_own_is_a_check(guard: Any, name: str) -> None:
    command, checks = OWN[name]
    before = {"Makefile": f"test:\n\tpytest\n{command}", "tools/contract.sh": "#!/bin/sh\n./app\n"}
    assert guard("gates", before, before | {"Makefile": "test:\n\tpytest\n"}).passed is not checks
    elsewhere = {"Makefile": f"start:\n\tpytest\n{command}"}
    assert guard("gates", elsewhere, {"Makefile": "start:\n\tpytest\n"}).passed


@pytest.mark.parametrize("line", ["-rm -rf dist", "rm -f x || true", "docker rm -f db || true", "@-mkdir out"])
def test_that_something_cannot_be_put_away_lets_nothing_pass(guard: Any, line: str) -> None:
    base = {"Makefile": "test:\n\tpytest\n"}
    assert guard("gates", base, {"Makefile": f"test:\n\tpytest\n\nclean:\n\t{line}\n"}).passed
    assert not guard("gates", base, {"Makefile": f"test:\n\tpytest\n\nall:\n\t{line} ; ./check || true\n"}).passed


def test_a_program_that_is_started_somewhere_is_no_gate_by_that(guard: Any) -> None:
    base = {"Makefile": "run:\n\tpython src/app.py\n", "src/app.py": "import sys\nsys.exit(main())\n"}
    assert guard("gates", base, base | {"src/app.py": "main()\n"}).passed
