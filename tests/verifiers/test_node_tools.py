"""bun, biome and prettier: where a JavaScript project is said to use them, how they are asked, and the real ones."""

import json
import shutil
from collections.abc import Callable, Mapping

import pytest

from greylag.model import Counts, Outcome, Phase, Severity
from greylag.protocols import Activation
from greylag.testing.verifiers import Bench, detect
from greylag.verifiers._tool import Plan, Step
from greylag.verifiers.node import Node

MakeBench = Callable[[dict[str, str]], Bench]
BIOME = {"@biomejs/biome": "2.6.8"}
PRETTIER = {"prettier": "3.10.1"}


def package(**fields: object) -> str:
    return json.dumps({"name": "a", "version": "1.0.0", **fields})


def found(files: Mapping[str, str], **fields: object) -> dict[str, Activation]:
    return detect(Node(), {"package.json": package(**fields), **files})


def step(files: Mapping[str, str], name: str, **fields: object) -> Step:
    plan = found(files, **fields)[name].plan
    assert isinstance(plan, Plan)
    return plan.steps[-1]


# -- where they are used ---------------------------------------------------------------------------------------------


def test_biome_is_run_where_it_is_set_up_and_no_script_checks_with_it() -> None:
    activation = found({"biome.jsonc": "{}"}, devDependencies=BIOME)["biome"]
    assert (activation.phase, activation.reason) == (Phase.STATIC, "biome.jsonc, and @biomejs/biome is a dependency")
    asked = "biome ci --reporter=gitlab --colors=off --max-diagnostics=none"
    assert f"biome {' '.join(step({'biome.json': '{}'}, 'biome', devDependencies=BIOME).arguments)}" == asked
    assert found({"biome.json": "{}"}) == {}
    assert found({}, devDependencies=BIOME) == {}
    scripts = {"lint": "biome check src"}
    assert list(found({"biome.json": "{}"}, devDependencies=BIOME, scripts=scripts)) == ["npm install", "npm run lint"]
    assert "biome" in found({"biome.json": "{}"}, devDependencies=BIOME, scripts={"lint": "biome check --write ."})


@pytest.mark.parametrize(
    ("script", "asked"),
    [
        ("biome check src", True),
        ("biome lint --error-on-warnings .", True),
        ("bunx biome ci", True),
        ("biome check --reporter=summary", False),
        ("biome migrate", False),
    ],
)
def test_biome_is_asked_for_a_report_unless_it_has_one(script: str, asked: bool) -> None:
    lint = step({}, "npm run lint", scripts={"lint": script})
    assert ("--reporter=gitlab" in lint.arguments) is asked
    assert bool(lint.fallback) is asked
    if lint.fallback:
        assert lint.fallback.arguments == ("run", "--silent", "lint")


@pytest.mark.parametrize(
    ("fields", "reason", "words"),
    [
        (
            {"scripts": {"fix": "prettier --write 'src/**/*.ts' -l"}},
            "script `fix` in package.json, which writes",
            "src/**/*.ts",
        ),
        (
            {"prettier": {}, "devDependencies": PRETTIER},
            "`prettier` in package.json, and prettier is a dependency",
            ".",
        ),
        ({"devDependencies": {**PRETTIER, "eslint-plugin-prettier": "5"}, "prettier": {}}, "", ""),
        ({"devDependencies": PRETTIER}, "", ""),
        ({"scripts": {"fix": "prettier --write . && eslint --fix ."}}, "", ""),
        ({"scripts": {"fix": "prettier --write $FILES"}}, "", ""),
        ({"scripts": {"fix": "prettier --write ."}, "prettier": {}}, "script `fix` in package.json, which writes", "."),
    ],
)
def test_prettier_checks_what_a_script_would_write_or_everything_where_it_is_set_up(
    fields: Mapping[str, object], reason: str, words: str
) -> None:
    activations = found({}, **fields)
    if not reason:
        assert activations == {}
        return
    assert (activations["prettier"].phase, activations["prettier"].reason) == (Phase.FORMAT, reason)
    assert step({}, "prettier", **fields).arguments[0] == "--check"
    assert step({}, "prettier", **fields).arguments[-1] == words


def test_a_script_of_the_same_name_does_not_take_the_place_of_a_program() -> None:
    fields = {"scripts": {"prettier": "prettier --write src"}, "packageManager": "yarn@4.5.0"}
    assert step({"yarn.lock": ""}, "prettier", **fields).arguments[:3] == ("exec", "prettier", "--check")
    linked = {"yarn.lock": "", ".yarnrc.yml": "nodeLinker: node-modules\n"}
    assert step(linked, "prettier", **fields).programs == (("prettier",),)
    assert step({"yarn.lock": "# v1"}, "prettier", scripts=fields["scripts"]).paths[0] == "node_modules/.bin"


def test_prettier_is_left_to_a_script_that_checks_with_it() -> None:
    scripts = {"format": "prettier --write .", "lint": "eslint . && prettier --check src"}
    names = set(found({".prettierrc": ""}, devDependencies=PRETTIER, scripts=scripts))
    assert names == {"npm install", "eslint", "prettier"}
    assert step({}, "prettier", scripts=scripts).arguments[-1] == "prettier --check src"


def test_tests_for_bun_need_no_script_where_bun_is_the_package_manager() -> None:
    files = {"bun.lock": "{}", "src/a.test.ts": ""}
    assert found(files)["bun test"].reason == "src/a.test.ts, and the package manager is bun"
    assert "bun test" not in found({"src/a.test.ts": "", "package-lock.json": "{}"})
    assert "bun test" not in found({"bun.lock": "{}", "src/a.ts": ""})
    assert set(found(files, scripts={"test": "vitest run"})) == {"bun install", "bun run test"}


def test_a_script_that_calls_bun_is_followed_where_that_is_certain() -> None:
    scripts = {"test": "bun run unit", "unit": "vitest run"}
    assert step({"bun.lock": "{}"}, "bun run unit", scripts=scripts).line == "vitest run"
    assert step({"bun.lock": "{}"}, "bun run test", scripts={**scripts, "test": "bun test"}).line == "bun test"


# -- real tools ------------------------------------------------------------------------------------------------------


def linked(tool: str) -> dict[str, str]:
    """A dependency as an installation would have left it, of this machine's program."""
    return {f"node_modules/.bin/{tool}": f'#!/bin/sh\nexec "{shutil.which(tool)}" "$@"\n'}


SLOPPY = "debugger\nexport const a: number = 1\n"
CLEAN = "export const a: number = 1;\n"


@pytest.mark.toolchain("npm", "biome")
def test_biome_names_places(bench: MakeBench) -> None:
    manifest = {"package.json": package(devDependencies=BIOME), "biome.json": "{}\n", "package-lock.json": "{}"}
    settings = {"biome.json": '{ "files": { "includes": ["src/**"] } }\n'}
    at = bench({**manifest, **settings, "src/a.ts": SLOPPY, **linked("biome")})
    broken = at.verify(Node(), "biome")["biome"]
    assert broken.outcome is Outcome.FAILED, at.log(broken)
    errors = [(d.path, d.line, d.rule) for d in broken.diagnostics if d.severity is Severity.ERROR]
    assert errors == [("src/a.ts", 1, "lint/suspicious/noDebugger"), ("src/a.ts", 1, "format")]
    at.files["src/a.ts"] = CLEAN
    assert at.verify(Node(), "biome")["biome"].outcome is Outcome.PASSED


@pytest.mark.toolchain("npm", "prettier")
def test_prettier_names_files(bench: MakeBench) -> None:
    files = {"package.json": package(scripts={"prettier": "prettier --write src"}), "src/a.ts": SLOPPY}
    at = bench({**files, **linked("prettier")})
    broken = at.verify(Node(), "prettier")["prettier"]
    assert (broken.outcome, [d.path for d in broken.diagnostics]) == (Outcome.FAILED, ["src/a.ts"])
    assert (at.workspace / "src/a.ts").read_text() == SLOPPY
    at.files["src/a.ts"] = CLEAN
    assert at.verify(Node(), "prettier")["prettier"].outcome is Outcome.PASSED


MEMBER = {"name": "b", "version": "1.0.0"}  # without any package bun would not keep its lock file
LOCK = {
    "lockfileVersion": 1,
    "workspaces": {"": {"name": "a"}, "packages/b": MEMBER},
    "packages": {"b": ["b@workspace:packages/b"]},
}
CASES = (
    "import {{ expect, test }} from 'bun:test';\n"
    "test('adds', () => {{ expect(1 + 1).toBe({}); }});\ntest.skip('later', () => {{}});\n"
)


@pytest.mark.toolchain("bun")
@pytest.mark.parametrize("scripts", [{}, {"test": "bun test"}])
def test_bun_installs_and_counts_its_tests(bench: MakeBench, scripts: Mapping[str, str]) -> None:
    name = "bun run test" if scripts else "bun test"
    at = bench({
        "package.json": package(scripts=scripts, workspaces=["packages/*"]), "bun.lock": json.dumps(LOCK),
        "packages/b/package.json": json.dumps(MEMBER), "a.test.ts": CASES.format(2),
    })  # fmt: skip
    verdicts = at.verify(Node())
    assert verdicts["bun install"].outcome is Outcome.PASSED, at.log(verdicts["bun install"])
    assert (verdicts[name].outcome, verdicts[name].counts) == (Outcome.PASSED, Counts(1, 0, 1)), at.log(verdicts[name])
    at.files["a.test.ts"] = CASES.format(3)
    red = at.verify(Node(), name)[name]
    assert (red.outcome, red.counts) == (Outcome.FAILED, Counts(1, 1, 1)), at.log(red)
    assert [(d.path, d.test) for d in red.diagnostics] == [("a.test.ts", "a.test.ts > adds")]
    at.files["a.test.ts"] = "import './nowhere';\n"
    lost = at.verify(Node(), name)[name]
    assert (lost.outcome, lost.counts) == (Outcome.FAILED, Counts(1, 1)), at.log(lost)
    at.files["a.test.ts"] = ""
    assert at.verify(Node(), name)[name].outcome is Outcome.SKIPPED
