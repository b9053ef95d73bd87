"""What a change must not bring: a stand-in for the test tool, another runner, a forced exit code."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from greylag.testing.changes import Link

Files = Mapping[str, str | bytes]

PROJECT = {
    "pyproject.toml": '[project]\nname = "x"\ndependencies = ["Flask-Login>=1"]\n[tool.pytest.ini_options]\n'
    'pythonpath = [\n  "lib",\n]\n[dependency-groups]\ndev = ["syrupy"]\n',
    "services/api/setup.py": "setup()\n",
    "src/x/__init__.py": "",
    "tests/test_x.py": "def test_x():\n    assert f() == 1\n",
    "tests/unit/__init__.py": "",
    "tests/unit/test_y.py": "def test_y():\n    assert f() == 1\n",
    "src/yaml/__init__.py": "",
}
SHADOWS: Mapping[str, Files] = {
    "pytest at the root": {"pytest.py": "raise SystemExit(0)\n"},
    "pytest as a package": {"pytest/__init__.py": "", "pytest/__main__.py": ""},
    "pytest's own package": {"_pytest/__init__.py": "", "_pytest/config.py": ""},
    "unittest": {"unittest.py": "a\n"},
    "unittest as a package": {"unittest/__init__.py": "a\n"},
    "coverage in src": {"src/coverage.py": "a\n"},
    "start-up": {"sitecustomize.py": "a\n"},
    "start-up in src": {"src/usercustomize.py": "a\n"},
    "start-up as a package": {"sitecustomize/__init__.py": "a\n"},
    "type checker": {"mypy.py": "a\n"},
    "linter": {"ruff.py": "a\n"},
    "in a project below": {"services/api/pytest.py": "a\n"},
    "in the sources of a project below": {"services/api/src/pytest.py": "a\n"},
    "compiled": {"pytest.cpython-311-x86_64-linux-gnu.so": b"\0elf"},
    "by a link": {"pytest": Link("src/x")},
    "standard library": {"argparse.py": "a\n"},
    "standard library in a directory of settings": {"lib/json/__init__.py": "a\n"},
    "standard library among tests": {"tests/typing.py": "a\n"},
    "what a tool imports": {"pygments/__init__.py": "", "pygments/lexers.py": "a\n"},
    "what a tool imports, among tests": {"tests/iniconfig.py": "a\n"},
    "what a builder imports": {"src/hatchling/__init__.py": ""},
    "dependency": {"flask_login.py": "a\n"},
    "dependency of the tests": {"tests/syrupy/__init__.py": "a\n"},
    "path file": {"x.pth": "import os; os._exit(0)\n"},
    "path file in sources": {"src/deep/x.pth": "import os\n"},
}
NO_SHADOWS: Mapping[str, Files] = {
    "inside of a package": {"src/x/pytest.py": "a\n", "src/x/coverage.py": "a\n", "src/x/logging.py": "a\n"},
    "another word": {"pytest_helpers.py": "a\n", "coverage_report.py": "a\n", "src/ruffle.py": "a\n"},
    "document": {"docs/pytest.md": "a\n", "pytest.txt": "a\n"},
    "report of a tool": {"coverage/index.html": "a\n", "coverage/lcov.info": "a\n"},
    "stubs": {"mypy/stubs/yaml.pyi": "a\n"},
    "weights of a model": {"models/resnet.pth": b"\x80\0\1"},
    "weights kept elsewhere": {"models/resnet.pth": "version https://git-lfs.github.com/spec/v1\noid sha256:0\n"},
    "link with the name of a root": {"services/api/src": Link("../../src")},
    "tests as a package": {"test/__init__.py": "", "tests/__init__.py": ""},
    "standard library in a package of tests": {"tests/unit/typing.py": "a\n"},
    "package that was there before": {"src/yaml/loader.py": "a\n", "src/yaml/__init__.py": "a\n"},
    "package that moves": {"yaml/__init__.py": "a\n"},
    "module of nobody": {"shop.py": "a\n", "tests/helpers.py": "a\n"},
    "namespace": {"tests/pygments/data.py": "a\n"},
    "deep in examples": {"examples/a/unittest.py": "a\n"},
}  # fmt: skip


@pytest.mark.parametrize("name", SHADOWS)
def test_module_that_shadows_a_tool_blocks_unless_build_is_allowed(guard: Any, name: str) -> None:
    head = {**PROJECT, **SHADOWS[name]}
    verdict = guard("gates", PROJECT, head)
    assert not verdict.passed
    assert {finding.rule for finding in verdict.diagnostics} == {"gates/shadow"}
    assert guard("gates", PROJECT, head, allow=["build"]).passed
    assert not guard("gates", PROJECT, head, allow=["tests", "lint"]).passed


def test_edit_of_a_shadow_blocks_and_its_removal_does_not(guard: Any, found: Any) -> None:
    old, new = {**PROJECT, "pytest.py": "a\n"}, {**PROJECT, "pytest.py": "b\n"}
    assert found(guard("gates", old, new)) == ["error gates/shadow pytest.py"]
    assert found(guard("gates", old, PROJECT)) == []


def test_the_repository_of_a_tool_has_the_tool_in_it(guard: Any, found: Any) -> None:
    base = {"pyproject.toml": '[project]\nname = "Iniconfig"\n', "src/iniconfig/__init__.py": "a\n", "pytest.py": "a\n"}
    assert found(guard("gates", base, {**base, "src/iniconfig/__init__.py": "b\n", "src/iniconfig/x.py": "c\n"})) == []
    assert found(guard("gates", base, {**base, "pytest.py": "b\n"})) == ["error gates/shadow pytest.py"]
    named = {"pyproject.toml": '[project]\nname = "sitecustomize"\n'}
    assert not guard("gates", named, {**named, "sitecustomize.py": "a\n"}).passed


@pytest.mark.parametrize("name", NO_SHADOWS)
def test_names_near_a_tool_pass(guard: Any, found: Any, name: str) -> None:
    assert found(guard("gates", PROJECT, {**PROJECT, **NO_SHADOWS[name]})) == []


def test_standard_library_is_shadowed_by_python_projects_only(guard: Any, found: Any) -> None:
    assert found(guard("gates", {"go.mod": "module x\n"}, {"go.mod": "module x\n", "token.py": "a\n"})) == []


def test_committed_node_modules_block(guard: Any) -> None:
    head = {"web/node_modules/vitest/index.js": "process.exit(0)\n"}
    assert not guard("generated", {}, head).passed
    assert guard("generated", {}, head, allow=["vendored"]).passed


@pytest.mark.parametrize(
    ("path", "base", "head"),
    [
        (".npmrc", None, "script-shell=./true.sh\n"),
        (".npmrc", "save-exact=true\n", "save-exact=true\n  node-options = --require ./x.js\n"),
        ("web/.npmrc", "ignore-scripts=true\n", "ignore-scripts=false\n"),
        (".npmrc", "ignore-scripts=true\n", None),
        (".npmrc", None, "prefix=/tmp/x\n"),
        (".npmrc", None, "if-present=true\n"),
        (".npmrc", None, '"script-shell"=x\n'),
        (".npmrc", None, "NODE_OPTIONS=--import=./x.js\n"),
        (".yarnrc", None, 'script-shell "./x"\n'),
        (".yarnrc", None, "--run.ignore-scripts true\n"),
        (".yarnrc.yml", None, "nodeLinker: pnp\nyarnPath: ./x.cjs\n"),
        (".yarnrc.yml", None, "plugins:\n  - ./x.cjs\n"),
        (".yarnrc.yml", "plugins:\n  - ./x.cjs\n", "plugins:\n  - ./y.cjs\n"),
        (".env.yarn", None, "NODE_OPTIONS=--import=./x.js\n"),
        ("pnpm-workspace.yaml", "packages:\n  - a\n", "packages:\n  - a\nscriptShell: ./x\n"),
        ("pnpm-workspace.yaml", None, "{nodeOptions: --import=./x.js, packages: [a]}\n"),
        (".pnpmfile.cjs", None, "module.exports = {}\n"),
        ("package.json", "{}", '{"pnpm": {"scriptShell": "./x"}}'),
        ("pyproject.toml", "", '[project.entry-points.pytest11]\nx = "x"\n'),
    ],
)  # fmt: skip
def test_setting_that_changes_what_a_script_runs_blocks(
    guard: Any, path: str, base: str | None, head: str | None
) -> None:
    trees = [{path: text} if text is not None else {} for text in (base, head)]
    verdict = guard("gates", *trees)
    assert not verdict.passed
    assert {finding.path for finding in verdict.diagnostics} == {path}
    assert guard("gates", *trees, allow=["build", "tests"]).passed


@pytest.mark.parametrize(
    ("path", "base", "head"),
    [
        (".npmrc", None, "save-exact=true\nsave-prefix=~\nfund=false\n# script-shell=x\nengine-strict=true\n"),
        (".npmrc", "node-options=--no-warnings\nfund=true\n", "fund=false\nnode-options=--no-warnings\n"),
        (".npmrc", None, "//registry.npmjs.org/:always-auth=true\ntag-version-prefix=v\n"),
        (".yarnrc.yml", "nodeLinker: pnp\n", "nodeLinker: node-modules\nenableGlobalCache: false\n"),
        ("pnpm-workspace.yaml", "packages:\n  - a\n", "packages:\n  - a\n  - b\ncatalog:\n  react: ^19\n"),
        ("package.json", "{}", '{"pnpm": {"overrides": {"a": "1"}}}'),
    ],
)
def test_ordinary_setting_of_a_package_manager_passes(
    guard: Any, found: Any, path: str, base: str | None, head: str | None
) -> None:
    assert found(guard("gates", {path: base} if base is not None else {}, {path: head})) == []


def greylag(run: object, **more: object) -> Files:
    values = "\n".join(f"{key} = {json.dumps(value)}" for key, value in {"name": "x", "run": run, **more}.items())
    return {".greylag.toml": f"[[command]]\n{values}\n"}


def package(**scripts: str) -> Files:
    return {"package.json": json.dumps({"scripts": scripts})}


PROGRAMS: Mapping[str, tuple[Files, str]] = {
    "argument of a shell": (greylag("sh run-tests"), "run-tests"),
    "with an option": (greylag("sh -eu run-tests"), "run-tests"),
    "program": (greylag("./check.sh --all"), "check.sh"),
    "in its root": (greylag("./check", root="services/api"), "services/api/check"),
    "list with a shell": (greylag(["bash", "-c", "cd x && FAST=1 ./scripts/check src"]), "scripts/check"),
    "prepare": (greylag("true", prepare="python tools/prepare.py"), "tools/prepare.py"),
    "module": (greylag("python3 -m tools.check"), "tools/check.py"),
    "behind wrappers": (greylag("timeout 60 uv run python tools/check.py"), "tools/check.py"),
    "file of make": (greylag("make check"), "Makefile"),
    "second table": ({".greylag.toml": '[[verifiers.command.commands]]\nname = "x"\nrun = "./check"\n'}, "check"),
    "runner among tests": (greylag("sh tests/all"), "tests/all"),
    "test script": (package(test="node scripts/test.js"), "scripts/test.js"),
    "test script without suffix": (package(test="cross-env CI=1 node --import tsx scripts/test"), "scripts/test.js"),
    "lint script": (package(lint="eslint . && ./scripts/lint.sh"), "scripts/lint.sh"),
    "build script": (package(build="node build.mjs"), "build.mjs"),
    "called script": (package(test="npm run inner", inner="node inner.js"), "inner.js"),
    "package below": ({"a/package.json": package(typecheck="tsx types.ts")["package.json"]}, "a/types.ts"),
}  # fmt: skip
NO_PROGRAMS: Mapping[str, tuple[Files, str]] = {
    "argument of a program": (greylag("ruff check src/a.py"), "src/a.py"),
    "second argument": (greylag("sh run-tests src/a"), "src/a"),
    "input of a bundler": (package(build="esbuild src/index.ts --bundle"), "src/index.ts"),
    "script that nothing verifies": (package(start="node server.js"), "server.js"),
    "name of a script": (package(prepublishOnly="npm test", test="tape test.js"), "test.js"),
    "beside a runner": (greylag("sh scripts/check.sh"), "scripts/deploy"),
    "only the head declares it": ({}, "run-tests"),
    "broken settings": ({".greylag.toml": "[[command"}, "run-tests"),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_edit_of_what_verification_runs_blocks(guard: Any, found: Any, name: str) -> None:
    settings, path = PROGRAMS[name]
    base, head = {**settings, path: "a\n"}, {**settings, path: "b\n"}
    assert found(guard("gates", base, head)) == [f"error gates/program {path}"]
    assert found(guard("gates", base, settings)) == [f"error gates/program {path}"]
    assert guard("gates", base, head, allow=["build"]).passed


@pytest.mark.parametrize("name", NO_PROGRAMS)
def test_edit_of_other_files_passes(guard: Any, found: Any, name: str) -> None:
    settings, path = NO_PROGRAMS[name]
    assert found(guard("gates", {**settings, path: "a\n"}, {**settings, path: "b\n"})) == []


def test_test_file_that_a_command_names_is_left_to_the_guard_of_tests(guard: Any, found: Any) -> None:
    settings, path = greylag("python tests/test_a.py"), "tests/test_a.py"
    text = "def test_a():\n    assert f() == 1\n"
    assert found(guard("gates", {**settings, path: text}, {**settings, path: text + "\n\n" + text})) == []


def test_finding_says_who_runs_the_program(guard: Any) -> None:
    base = {**package(test="node run.js"), "run.js": "a\n"}
    (finding,) = guard("gates", base, {**base, "run.js": "b\n"}).diagnostics
    assert "script `test` in package.json" in finding.message


HOOK = "def pytest_sessionfinish(session):\n    {}\n"
EXITS = {
    "exit status": ("conftest.py", HOOK.format("session.exitstatus = 0"), 2),
    "exit status, bare": ("conftest.py", HOOK.format("exitstatus = 0"), 2),
    "exit status by name": ("tests/conftest.py", HOOK.format('setattr(session, "exitstatus", 0)'), 2),
    "failures forgotten": ("tests/conftest.py", HOOK.format("session.testsfailed = 0"), 2),
    "failures forgotten one by one": ("conftest.py", HOOK.format("session.testsfailed -= 1"), 2),
    "in a plugin among tests": ("tests/plugin.py", HOOK.format("session.exitstatus=0"), 2),
    "hard exit": ("tests/test_a.py", "import os\nos._exit(0)\n", 2),
    "hard exit at the end": ("tests/helpers.py", "import atexit, os\natexit.register(os._exit, 0)\n", 2),
    "hard exit, imported": ("tests/helpers.py", "from os import _exit as leave\n", 1),
    "hard exit by name": ("tests/helpers.py", 'import os\ngetattr(os, "_exit")(0)\n', 2),
    "another process": ("tests/helpers.py", 'import os\nos.execv("/bin/true", ["true"])\n', 2),
    "own main": ("conftest.py", "def pytest_cmdline_main(config):\n    return 0\n", 1),
    "exit of conftest": ("conftest.py", "import sys\nsys.exit(0)\n", 2),
    "node": ("tests/a.test.js", "process.exit(0)\n", 1),
    "node, at the end": ("test/setup.ts", 'process.on("exit", () => { process.exitCode = 0 })\n', 1),
    "node, by name": ("test/setup.js", 'process["exit"](0)\n', 1),
    "go": ("a_test.go", "package a\nfunc TestMain(m *testing.M) {\n\tm.Run()\n\tos.Exit(0)\n}\n", 4),
}  # fmt: skip
NO_EXITS = {
    "hook that tidies up": ("conftest.py", HOOK.format("session.config.server.stop()")),
    "exit status is read": ("conftest.py", HOOK.format("assert session.exitstatus == 0")),
    "exit status of a program": ("tests/test_a.py", "exitstatus = main()\n"),
    "comment and string": ("tests/test_a.py", '# os._exit(0)\nmake("session.exitstatus = 0; os._exit(0)")\n'),
    "other exits": ("tests/helpers.py", "class A:\n    def __exit__(self, *a):\n        self._exit()\n"),
    "node fails": ("test/run.js", "process.exit(1)\n"),
    "node is watched": ("test/a.js", "watch(process.exit).calledWith(0)\n"),
    "go runs": ("a_test.go", "package a\nfunc TestMain(m *testing.M) {\n\tos.Exit(m.Run())\n}\n"),
    "the program itself": ("src/a.py", "import os\nos._exit(0)\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", EXITS)
def test_forced_exit_code_blocks_unless_tests_are_allowed(guard: Any, found: Any, name: str) -> None:
    path, text, line = EXITS[name]
    assert found(guard("tests", {}, {path: text})) == [f"error tests/exit-code {path}:{line}"]
    assert guard("tests", {}, {path: text}, allow=["tests"]).passed


@pytest.mark.parametrize("name", NO_EXITS)
def test_what_forces_no_exit_code_passes(guard: Any, found: Any, name: str) -> None:
    path, text = NO_EXITS[name]
    assert found(guard("tests", {}, {path: text})) == []


def test_exit_that_was_there_before_passes(guard: Any, found: Any) -> None:
    text = "import os\nos._exit(3)\n"
    assert found(guard("tests", {"tests/child.py": text}, {"tests/child.py": "import sys\n" + text})) == []
    assert found(guard("tests", {"tests/a.py": text}, {"tests/b.py": "x = 1\n" + text})) == []
