"""JavaScript projects: package managers by their files, and real npm and node in the real sandbox without network."""

import json
import re
from collections.abc import Callable, Mapping

import pytest

from greylag.model import Counts, Outcome, Phase
from greylag.protocols import Completed, Ended
from greylag.testing.repos import write
from greylag.testing.verifiers import Bench, Files, detect
from greylag.verifiers import _summaries
from greylag.verifiers._manager import Manager
from greylag.verifiers._outcome import Found, judge
from greylag.verifiers._package import projects
from greylag.verifiers._tool import Plan, Step
from greylag.verifiers.node import Node

NINE = {"pnpm-lock.yaml": "lockfileVersion: '9.0'"}
MakeBench = Callable[[dict[str, str]], Bench]


def package(**fields: object) -> str:
    return json.dumps({"name": "a", "version": "1.0.0", **fields})


def steps(files: Mapping[str, str], name: str) -> tuple[Step, ...]:
    plan = detect(Node(), files)[name].plan
    assert isinstance(plan, Plan)
    return plan.steps


# -- package managers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "name", "line"),
    [
        ({"package-lock.json": "{}"}, "npm ci", "npm ci --no-audit --no-fund --no-progress"),
        ({}, "npm install", "npm install --no-audit --no-fund --no-progress"),
        ({"pnpm-lock.yaml": "lockfileVersion: '9.0'"}, "pnpm install", "pnpm install --frozen-lockfile"),
        ({"yarn.lock": "# yarn lockfile v1"}, "yarn install", "yarn install --non-interactive --frozen-lockfile"),
        ({"yarn.lock": "__metadata:\n  version: 8"}, "yarn install", "yarn install --immutable"),
        ({"bun.lock": "{}"}, "bun install", "bun install --frozen-lockfile"),
    ],
)
def test_the_lock_file_tells_the_package_manager(files: Mapping[str, str], name: str, line: str) -> None:
    *_, step = steps({"package.json": package(scripts={"test": "jest"}), **files}, name)
    assert step.line == line


@pytest.mark.parametrize(
    ("pin", "files", "manager"),
    [
        ("pnpm@9.1.0+sha512.abc", {"package-lock.json": "{}"}, Manager("pnpm", "9.1.0", "")),
        ("yarn@1.22.22", {"yarn.lock": "# v1"}, Manager("yarn", "1.22.22", "yarn.lock")),
        ("yarn@4.5.0", {"yarn.lock": "x"}, Manager("yarn", "4.5.0", "yarn.lock", berry=True, pnp=True)),
        (None, {"pnpm-lock.yaml": "lockfileVersion: 5.4"}, Manager("pnpm", "7", "pnpm-lock.yaml")),
        (None, {**NINE, "pnpm-workspace.yaml": "packages:\n- a\n"}, Manager("pnpm", "9", "pnpm-lock.yaml")),
        (None, {**NINE, "pnpm-workspace.yaml": "allowBuilds:\n"}, Manager("pnpm", "10", "pnpm-lock.yaml")),
        (
            None,
            {"yarn.lock": "__metadata:\n  version: 8\n"},
            Manager("yarn", "4.12", "yarn.lock", berry=True, pnp=True),
        ),
        ("bun@1.2.5", {"bun.lock": "{}"}, Manager("bun", "1.2.5", "bun.lock")),
        (None, {"bun.lockb": "x"}, Manager("bun", "", "bun.lockb")),
        ("deno@1", {}, Manager("npm", "", "")),
    ],
)
def test_package_json_pins_the_package_manager(pin: str | None, files: Mapping[str, str], manager: Manager) -> None:
    (project,) = projects(Files({"package.json": package(**{"packageManager": pin} if pin else {}), **files}))
    assert project.manager == manager


def test_yarns_own_program_in_the_repository_is_the_one_that_is_started() -> None:
    rc = {
        "yarn.lock": "__metadata:",
        ".yarnrc.yml": "yarnPath: .yarn/releases/yarn-4.cjs\n",
        ".yarn/releases/yarn-4.cjs": "x",
    }
    below = {f"web/{path}": text for path, text in {**rc, "package.json": package()}.items()}
    (project,) = projects(Files(below))
    assert project.manager.programs == (("node", "@workspace@/web/.yarn/releases/yarn-4.cjs"),)


def test_a_package_manager_tells_its_version_only_where_it_may_have_to_ask_the_registry_for_it() -> None:
    files = {"package.json": package(packageManager="pnpm@9.1.0", scripts={"lint": "eslint .", "test": "vitest run"})}
    plans = {name: a.plan for name, a in detect(Node(), files).items()}
    tools = {name: set(plan.tools) for name, plan in plans.items() if isinstance(plan, Plan)}
    assert tools == {
        "pnpm install": {"node", "pnpm"},
        "pnpm run lint": {"node", "eslint"},
        "pnpm run test": {"node", "vitest"},
    }


def test_only_npm_wants_a_mark_before_further_arguments() -> None:
    assert Manager("npm", "", "").script("test", ["-x"]) == ("run", "--silent", "test", "--", "-x")
    assert Manager("pnpm", "", "").script("test", ["-x"]) == ("run", "test", "-x")


def test_without_a_lock_file_it_is_said() -> None:
    plan = detect(Node(), {"package.json": package(scripts={"test": "jest"})})["npm install"].plan
    assert isinstance(plan, Plan)
    assert "no lock file" in plan.note


# -- runners ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        ("jest", "--ci --json --outputFile="),
        ("vitest run", "--reporter=default --reporter=json --outputFile.json="),
        ("NODE_ENV=test cross-env A=1 mocha --exit", "--reporter xunit --reporter-options output="),
        ("nyc --reporter=lcov --reporter=text mocha", "--reporter xunit --reporter-options output="),
        ("mocha --reporter spec --check-leaks test/", "--reporter xunit --reporter-options output="),
        ("vitest run --reporter=verbose", "--reporter=default --reporter=json --outputFile.json="),
        ("c8 ava", "--tap"),
        ("bun test src", "--reporter=junit --reporter-outfile="),
        ("bun run-tests.ts", None),
        ("bun test --reporter=junit", None),
        ("jest --json", None),
        ("mocha -R xunit -O output=a.xml", None),
        ("vitest run --reporter=junit --outputFile=a.xml", None),
        ("node test.js", None),
        ("jest; true", None),
    ],
)
def test_known_runners_are_asked_for_a_report_unless_they_have_one(script: str, arguments: str | None) -> None:
    (step,) = steps({"package.json": package(scripts={"test": script})}, "npm run test")
    assert (arguments in " ".join(step.arguments)) if arguments else step.arguments[-1] == "test"
    assert step.line == script


def test_a_name_says_which_scripts_are_run() -> None:
    parts = {f"test:{name}": f"jest --env {name}" for name in ("node", "edge", "web", "bun", "deno")}
    both = {"test": "npm run test:node && npm run test:edge", **parts}
    assert "npm run test:node + test:edge" in detect(Node(), {"package.json": package(scripts=both)})
    many = {"test": "run-s test:*", **parts}
    names = detect(Node(), {"package.json": package(scripts=many)})
    assert "npm run test:node + test:edge + test:web + 2 more" in names


def test_typescript_is_checked_where_no_script_does_it() -> None:
    files = {"tsconfig.json": "{}", "package.json": package(devDependencies={"typescript": "5"})}
    assert detect(Node(), files)["tsc"].phase is Phase.STATIC
    files["package.json"] = package(devDependencies={"typescript": "5"}, scripts={"build": "tsc -p ."})
    assert "tsc" not in detect(Node(), files)
    assert "tsc" not in detect(Node(), {**files, "package.json": package()})


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("Tests:       1 failed, 2 skipped, 3 passed, 6 total\n", Counts(4, 1, 2)),
        ("      Tests  1 failed | 2 passed (3)\n", Counts(3, 1)),
        ("  12 passing (10ms)\n  1 pending\n  2 failing\n", Counts(14, 2, 1)),
        ("\u2139 tests 3\n\u2139 pass 2\n\u2139 fail 0\n\u2139 skipped 1\n", Counts(2, 0, 1)),
        ("# tests 3\n# pass 2\n# fail 1\n", Counts(3, 1)),
        ("# tests 3\n# pass  2\n# fail  1\n", Counts(3, 1)),
        ("# { total: 6, pass: 2, fail: 3, skip: 1 }\n", Counts(5, 3, 1)),
        ("  total:     4\n  passing:   3\n  failing:   1\n", Counts(4, 1)),
        ("  1 test failed\n  3 tests passed\n", Counts(4, 1)),
        ("a:t: cache miss\nb:t: cache miss\na:t: # pass 2\nb:t:       Tests  1 failed | 2 passed (3)\n", Counts(5, 1)),
        ("all good\n", None),
    ],
)
def test_counts_come_from_closing_lines(text: str, counts: Counts | None) -> None:
    found = _summaries.javascript(text.encode(), ".", "/workspace")
    assert (found[0] if found else None) == counts


def test_what_runners_print_is_read_with_its_failures() -> None:
    tap = "TAP version 13\n# adds\nnot ok 1 three\n# more\nok 2 four\n1..2\n# tests 2\n# pass  1\n# fail  1\n"
    uvu = '   FAIL  "wrong"\n    no\n    at Object.handler (/workspace/b.js:4:30)\n'
    uvu += "  Total:     2\n  Passed:    1\n  Skipped:   0\n"
    found = _summaries.printed(f"a:t: cache miss\n{tap}{uvu}      Tests  1 passed (1)\n".encode(), ".", "/workspace")
    assert found
    assert found[0] == Counts(5, 2, 0, ("more",))
    assert [(d.test, d.path, d.line) for d in found[1]] == [("adds", None, None), ("wrong", "b.js", 4)]
    assert _summaries.printed(b"all good\n", ".", "/workspace") == ()


def test_where_there_is_a_report_nothing_that_a_test_prints_is_a_failure() -> None:
    for script in ("jest", "mocha", "vitest run", "node --test"):
        (step,) = steps({"package.json": package(scripts={"test": script})}, "npm run test")
        assert step.read_log
        assert step.read_log(b"TAP version 13\n1..3\nnot ok 1 - a\n", ".", "/workspace") == ()


def test_ava_is_run_as_it_stands_where_its_reporter_breaks() -> None:
    """As that of 7.0 does where a test ends its process."""
    (step,) = steps({"package.json": package(scripts={"test": "ava"})}, "npm run test")
    assert step.fallback
    assert step.fallback.arguments == ("run", "--silent", "test")
    assert re.search(step.fallback_on, "file:///workspace/node_modules/ava/lib/reporters/tap.js:27\n")


def test_a_lock_file_that_does_not_fit_is_told_without_the_manual_of_npm() -> None:
    log = b"npm error code EUSAGE\nnpm error\nnpm error Missing: lodash@4.17.21 from lock file\nnpm error Usage:\n"
    (found,) = _summaries.npm(log, "web", "/workspace")
    assert (found.path, found.message) == ("web/package-lock.json", "Missing: lodash@4.17.21 from lock file")
    assert _summaries.npm(b"npm error code E404\n", ".", "/workspace") == ()


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("jest", True),
        ("jest --coverage -t in", True),
        ("jest --runInBand", False),
        ("jest -i", False),
        ("jest --maxWorkers=50%", False),
    ],
)
def test_jest_is_told_how_much_of_the_machine_there_is_unless_it_knows(script: str, told: bool) -> None:
    plan = detect(Node(), {"package.json": package(scripts={"test": script})})["npm run test"].plan
    assert isinstance(plan, Plan)
    assert ("--maxWorkers=@cpus@" in plan.steps[0].arguments) is told
    assert "--json" in plan.steps[0].arguments


def test_prettier_names_files() -> None:
    for text in ("[warn] src/a b.ts\n[warn] Code style issues found in the above file.\n", "src/a b.ts\n"):
        found = _summaries.prettier(
            f"yarn run v1.22.22\n> prettier --check *.ts\nChecking formatting...\n{text}".encode(), "web", "/workspace"
        )
        assert [d.path for d in found] == ["web/src/a b.ts"]


@pytest.mark.parametrize(("script", "outcome"), [("lint", Outcome.FAILED), ("test", Outcome.SKIPPED)])
def test_only_tests_can_be_missing(script: str, outcome: Outcome) -> None:
    name = f"npm run {script}"
    files = {"package.json": package(scripts={script: "node check.js"})}
    (step,) = steps(files, name)
    done = Completed(Ended.EXITED, 1, b"No tests found\n")
    assert judge(step, detect(Node(), files)[name].phase, done, Found((), None, ".", "/workspace")).outcome is outcome


# -- real npm and node -----------------------------------------------------------------------------------------------

LOCK = json.dumps(
    {"name": "a", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {"name": "a", "version": "1.0.0"}}}
)
CASES = (
    "const test = require('node:test'); const assert = require('node:assert');\n"
    "test('adds', () => assert.strictEqual(1 + 1, {}));\ntest('later', {{ skip: true }}, () => {{}});\n"
)
PROJECT = {
    "package.json": package(scripts={"lint": "node lint.js", "build": "node build.js", "test": "node --test"}),
    "package-lock.json": LOCK,
    "lint.js": "",
    "build.js": "require('fs').writeFileSync('built', '')",
    "a.test.js": CASES.format(2),
}


@pytest.mark.toolchain("npm", "node")
def test_a_project_from_installation_to_tests(bench: MakeBench) -> None:
    at = bench(dict(PROJECT))
    verdicts = at.verify(Node())
    assert {name: v.outcome for name, v in verdicts.items()} == dict.fromkeys(
        ("npm ci", "npm run lint", "npm run build", "npm run test"), Outcome.PASSED
    )
    assert verdicts["npm run test"].counts == Counts(1, 0, 1)
    assert set(verdicts["npm ci"].details["tools"]) == {"node", "npm"}
    assert set(verdicts["npm run test"].details["tools"]) == {"node"}
    assert (at.workspace / "built").exists()


@pytest.mark.toolchain("npm", "node")
def test_a_failed_test_of_node_is_named(bench: MakeBench) -> None:
    at = bench({**PROJECT, "a.test.js": CASES.format(3)})
    verdict = at.verify(Node(), "npm run test")["npm run test"]
    assert verdict.outcome is Outcome.FAILED
    assert verdict.counts == Counts(1, 1, 1)
    (failed,) = verdict.diagnostics
    assert failed.test == "adds"
    assert failed.path == "a.test.js"


@pytest.mark.toolchain("npm", "node")
def test_why_a_file_of_tests_does_not_load_is_told(bench: MakeBench) -> None:
    """The reporter of node only says that it failed."""
    at = bench({**PROJECT, "price.js": "const a = [1;\n", "a.test.js": "require('./price.js');\n"})
    (failed,) = at.verify(Node(), "npm run test")["npm run test"].diagnostics
    assert (failed.path, failed.test) == ("a.test.js", "a.test.js")
    assert "price.js:1" in failed.excerpt
    assert "SyntaxError" in failed.excerpt


@pytest.mark.toolchain("npm", "node")
def test_a_linter_does_not_hide_the_tests_of_a_compound_script(bench: MakeBench) -> None:
    message = {"line": 1, "column": 1, "severity": 2, "ruleId": "semi", "message": "no"}
    xo = f"#!/bin/sh\necho '{json.dumps([{'filePath': 'a.js', 'messages': [message]}])}'; exit 1\n"
    files = {**PROJECT, "package.json": package(scripts={"test": "xo && node --test"}), "node_modules/.bin/xo": xo}
    verdicts = bench(files).verify(Node(), "xo", "node")
    assert verdicts["xo"].outcome is Outcome.FAILED
    assert [(d.path, d.rule) for d in verdicts["xo"].diagnostics] == [("a.js", "semi")]
    assert verdicts["node"].counts == Counts(1, 0, 1)


@pytest.mark.toolchain("npm", "node")
def test_a_script_whose_tool_is_not_installed_fails_in_its_own_words(bench: MakeBench) -> None:
    files = {**PROJECT, "package.json": package(scripts={"lint": "no-such-linter ."})}
    verdict = bench(files).verify(Node(), "npm run lint")["npm run lint"]
    assert verdict.outcome is Outcome.FAILED
    assert "no-such-linter" in verdict.diagnostics[-1].excerpt


@pytest.mark.toolchain("npm", "node")
@pytest.mark.parametrize("script", ["no-such-runner a", "true; no-such-runner", "true && no-such-runner a"])
def test_a_program_that_was_missing_before_any_change_is_named_and_no_failure(bench: MakeBench, script: str) -> None:
    at = bench({**PROJECT, "package.json": package(scripts={"test": script})})
    (verdict,) = (v for v in at.verify(Node(), mode="baseline").values() if v.phase is Phase.TEST)
    assert verdict.outcome is Outcome.ERRORED
    assert "needs `no-such-runner`, which was not found" in verdict.summary
    if script.startswith("no-such-runner"):
        (again,) = at.verify(Node(), verdict.verifier, before=(verdict,)).values()
        assert again.outcome is Outcome.ERRORED


PNPM = "#!/bin/sh\necho $0 >>$HOME/called\n[ $1 = run ] && exec npm run $2\nexec node_modules/.bin/$1\n"
PINNED = {
    "package.json": package(
        packageManager="pnpm@9.1.0", scripts={"test": "true && pnpm checks", "build": "pnpm makes"}
    ),
    "node_modules/.bin/makes": "#!/bin/sh\n",
    "node_modules/.bin/checks": "#!/bin/sh\necho '  3 passing'\n",
}


@pytest.mark.toolchain("npm", "node")
def test_scripts_find_the_package_manager_that_preparation_has_made(bench: MakeBench) -> None:
    at = bench(PINNED)
    place = ".greylag/pnpm-9.1.0/bin/pnpm"
    (at.path / "home").mkdir()
    write(at.path / "home", {place: PNPM})
    verdicts = at.verify(Node())
    assert {name: v.outcome for name, v in verdicts.items() if not name.endswith("install")} == {
        "pnpm run build": Outcome.PASSED,
        "true + pnpm": Outcome.PASSED,
    }
    assert verdicts["true + pnpm"].counts == Counts(3)
    called = (at.path / "home" / "called").read_text().split()
    assert len(called) >= 3
    assert all(path.endswith(f"/{place}") for path in called)


@pytest.mark.toolchain("npm", "node")
def test_a_package_manager_is_fetched_where_npm_sees_nothing_of_the_repository(bench: MakeBench) -> None:
    """Two members of one name are an error to npm; they need not be one to pnpm."""
    twice = {f"packages/{name}/package.json": package() for name in "ab"}
    pinned = package(packageManager="pnpm@9.1.0", workspaces=["packages/*"], scripts={"test": "node --test"})
    at = bench({"package.json": pinned, ".npmrc": "registry=http://localhost:1/\n", **twice})
    (at.path / "home").mkdir()
    write(at.path / "home", {".npmrc": "offline=true\n"})
    verdict = at.verify(Node(), "pnpm install")["pnpm install"]
    assert verdict.outcome is Outcome.ERRORED
    assert "ENOTCACHED" in verdict.summary


@pytest.mark.toolchain("node")
def test_scripts_find_yarns_own_program(bench: MakeBench) -> None:
    files = {
        "package.json": package(packageManager="yarn@4.5.0", scripts={"test": "true && yarn checks"}),
        ".yarnrc.yml": "yarnPath: .yarn/releases/yarn.cjs\nnodeLinker: node-modules\n",
        ".yarn/releases/yarn.cjs": "console.log(process.argv[2] === 'checks' ? '  2 passing' : '')",
    }
    verdicts = bench(files).verify(Node())
    assert verdicts["yarn install"].outcome is Outcome.PASSED
    assert verdicts["true + yarn"].counts == Counts(2)


def test_what_an_installation_failed_for_is_not_behind_its_progress() -> None:
    rows = (f"{where}Progress: resolved {n}, reused 0, added {n}\n" for n in range(40) for where in ("", "a | "))
    log = f"Lockfile is up to date\n{''.join(rows)} ERR_PNPM_FETCH_404  GET https://x/a.tgz: Not Found - 404\n".encode()
    step = steps({"package.json": package(scripts={"test": "jest"}), **NINE}, "pnpm install")[-1]
    done = Completed(Ended.EXITED, 1, log)
    result = judge(step, Phase.PREPARE, done, Found((), None, ".", "/workspace"))
    assert result.diagnostics[-1].excerpt.split("\n")[1].startswith(" ERR_PNPM_FETCH_404")
    assert _summaries.without_progress(b"Progress: resolved " * 60_000) == b"Progress: resolved " * 60_000
