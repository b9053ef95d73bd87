"""Which scripts of package.json are run, and as what."""

import json

import pytest

from greylag.model import Phase
from greylag.testing.verifiers import Files
from greylag.verifiers._package import Project, projects
from greylag.verifiers._scripts import builds_on_install, left_out, parts


def found(**scripts: str) -> list[tuple[str, str]]:
    """Kind and command of all parts of a package with these scripts; `_` stands for `:` in names."""
    named = {name.replace("_", ":"): text for name, text in scripts.items()}
    (project,) = projects(Files({"package.json": json.dumps({"scripts": named})}))
    return [(part.kind, part.command) for part in parts(project)]


@pytest.mark.parametrize(
    ("scripts", "expected"),
    [
        ({"test": "jest"}, [("test", "jest")]),
        ({"test": 'echo "Error: no test specified" && exit 1'}, []),
        ({"start": "node server.js", "dev": "vite", "release": "np"}, []),
        ({"lint": "eslint --fix ."}, []),
        ({"lint": "eslint --fix .", "lint_check": "eslint ."}, [("lint", "eslint .")]),
        ({"format": "prettier --write ."}, []),
        ({"format": "prettier --check ."}, [("format", "prettier --check .")]),
        ({"test": "jest --watch"}, []),
        ({"test": "jest --watchAll=false"}, [("test", "jest --watchAll=false")]),
        ({"build": "tsc -w"}, []),
        ({"build": "vite build"}, [("build", "vite build")]),
        ({"types": "node gen-types.js"}, []),
        ({"test": "vitest --watch", "test_ci": "vitest run"}, [("test", "vitest run")]),
    ],
)
def test_only_what_checks_is_run(scripts: dict[str, str], expected: list[tuple[str, str]]) -> None:
    assert found(**scripts) == expected


def test_a_compound_script_is_taken_apart() -> None:
    assert found(test="xo && npm run build && ava && tsd", build="tsc -p .") == [
        ("lint", "xo"),
        ("types", "tsd"),
        ("build", "tsc -p ."),
        ("test", "ava"),
    ]


def test_a_program_that_does_several_things_does_what_its_script_says() -> None:
    scripts = {"format": "biome format", "lint": "biome lint", "test": "biome check && ava"}
    assert found(**scripts) == [
        ("format", "biome format"),
        ("lint", "biome lint"),
        ("lint", "biome check"),
        ("test", "ava"),
    ]


def test_scripts_that_call_scripts_are_followed() -> None:
    scripts = {"test_lint": "eslint .", "test_types": "tsc", "test_spec": "vitest run"}
    for call in ('"/^test:.*/"', "'/^test:.+/'", "/^test:/"):
        assert found(**scripts, test=f"pnpm run {call}") == [
            ("lint", "eslint ."),
            ("types", "tsc"),
            ("test", "vitest run"),
        ]
    assert found(test="run-s lint unit:*", lint="xo", unit_a="ava a", unit_b="ava b") == [
        ("lint", "xo"),
        ("test", "ava a"),
        ("test", "ava b"),
    ]


def test_what_npm_runs_before_and_after_belongs_to_it() -> None:
    assert found(pretest="node gen.js", test="mocha") == [("test", "node gen.js"), ("test", "mocha")]


def test_a_shells_operators_keep_a_script_whole() -> None:
    for text in (
        "eslint . ; jest",
        "jest | tee log",
        "(xo && ava)",
        "jest || true",
        "jest & wait",
        "echo $(id) && jest",
    ):
        assert found(test=text) == [("test", text)]


def test_a_script_that_calls_itself_ends() -> None:
    assert found(test="npm run test && npm test && jest")[-1] == ("test", "jest")


def test_a_script_that_only_calls_itself_is_not_dropped_in_silence() -> None:
    (project,) = projects(Files({"package.json": json.dumps({"scripts": {"test": "npm test"}})}))
    assert not parts(project)
    assert left_out(project) == ["`npm test` of script `test` is not run: it only calls itself"]


@pytest.mark.parametrize("text", ["node -e 'a && b'", 'x "a&b" | y "c"', 'x "$(y)" && z', "x \\' | y \\'"])
def test_quoted_words_do_not_hide_operators(text: str) -> None:
    assert found(test=text) == [("test", text)]


def test_an_operator_in_a_quoted_word_is_none() -> None:
    assert found(test="xo && ava 'test/(a|b).js'") == [("lint", "xo"), ("test", "ava 'test/(a|b).js'")]


# -- scripts of a workspace ------------------------------------------------------------------------------------------


def workspace(manager: str, root: dict[str, str], **members: dict[str, str]) -> Project:
    """A root with its scripts, and members below `packages` with theirs."""
    pin = {"npm": "npm@11.0.0", "pnpm": "pnpm@10.0.0", "yarn": "yarn@1.22.22", "berry": "yarn@4.5.0"}[manager]
    top = {"name": "top", "packageManager": pin, "workspaces": ["packages/*"], "scripts": root}
    files = {f"packages/{name}/package.json": {"name": f"@w/{name}", "scripts": own} for name, own in members.items()}
    texts = {path: json.dumps(data) for path, data in {"package.json": top, **files}.items()}
    (project,) = projects(Files({**texts, ".yarnrc.yml": "nodeLinker: node-modules"} if manager == "berry" else texts))
    return project


def run_in(project: Project) -> list[tuple[str, str]]:
    return [(part.package.root, part.command) for part in parts(project)]


BOTH = [("packages/a", "jest"), ("packages/b", "node --test")]


@pytest.mark.parametrize(
    ("manager", "script"),
    [
        ("pnpm", "pnpm -r test"),
        ("pnpm", "pnpm -r t"),
        ("pnpm", "pnpm run -r test"),
        ("pnpm", "pnpm run --recursive test"),
        ("pnpm", "pnpm --recursive --if-present test"),
        ("pnpm", "pnpm -r --if-present --workspace-concurrency=1 --no-bail run test"),
        ("npm", "npm -ws test"),
        ("npm", "npm test -ws --if-present"),
        ("npm", "npm run test --workspaces"),
        ("npm", "npm run --workspaces --if-present test"),
        ("npm", "npm test -w @w/a && npm run test --workspace=packages/b"),
        ("npm", "npm test -w packages/a -w packages/b"),
        ("yarn", "yarn workspaces run test"),
        ("yarn", "yarn --silent workspaces run test"),
        ("yarn", "yarn workspace @w/a test && yarn workspace @w/b run test"),
        ("berry", "yarn workspaces foreach run test"),
        ("berry", "yarn workspaces foreach -Apt --verbose -j 2 run test"),
    ],
)
def test_tests_of_members_that_the_root_asks_for_are_run_in_each_of_them(manager: str, script: str) -> None:
    assert run_in(workspace(manager, {"test": script}, a={"test": "jest"}, b={"test": "node --test"})) == BOTH


@pytest.mark.parametrize(
    ("manager", "script"),
    [
        ("pnpm", "pnpm --filter ./packages/a test"),
        ("pnpm", "pnpm -r test --coverage"),
        ("pnpm", "pnpm -r exec jest"),
        ("pnpm", "pnpm -r --resume-from=b test"),
        ("pnpm", "npm test -ws"),
        ("npm", "npm test --workspace=packages/none"),
        ("npm", "npm run check -ws"),  # not every member has it, so that npm fails
        ("yarn", "yarn workspaces run check"),
        ("berry", "yarn workspaces foreach --since run test"),
        ("npm", "npx lerna run test"),
        ("npm", "turbo run test"),
        ("npm", "nx run-many -t test"),
    ],
)
def test_what_is_not_certain_is_run_as_it_stands(manager: str, script: str) -> None:
    project = workspace(manager, {"test": script}, a={"test": "jest", "check": "xo"}, b={"test": "node --test"})
    assert run_in(project) == [(".", script)]
    assert parts(project)[0].whole


def test_a_linter_beside_the_tests_of_members_does_not_hide_them() -> None:
    scripts = {"lint": "eslint .", "test": "pnpm lint && pnpm -r test"}
    assert run_in(workspace("pnpm", scripts, a={"test": "jest"}, b={"test": "node --test"})) == [
        (".", "eslint ."),
        *BOTH,
    ]


def test_scripts_of_members_are_followed_as_those_of_the_root_are() -> None:
    scripts = {"test": "pnpm run test:unit && pnpm run test:all", "test:unit": "ava", "test:all": "pnpm -r run check"}
    member = {"check": "pnpm run unit && node -e 'process.exit(0)'", "unit": "vitest run"}
    assert run_in(workspace("pnpm", scripts, a=member, b={"test": "jest"})) == [
        (".", "ava"),
        ("packages/a", "vitest run"),
        ("packages/a", "node -e 'process.exit(0)'"),
    ]


def test_what_is_left_out_of_a_members_script_is_said() -> None:
    project = workspace("npm", {"test": "npm test -ws"}, a={"test": "jest --watch"}, b={"test": "node --test"})
    assert run_in(project) == [("packages/b", "node --test")]
    assert left_out(project) == ["`jest --watch` of script `test` of packages/a is not run: it watches"]


def test_members_are_built_before_their_tests_though_the_root_has_another_build() -> None:
    scripts = {"build": "node tools.js", "test": "pnpm -r build && pnpm -r test"}
    project = workspace("pnpm", scripts, a={"build": "node make.js", "test": "jest"})
    assert run_in(project) == [(".", "node tools.js"), ("packages/a", "node make.js"), ("packages/a", "jest")]
    scripts["build"] = "pnpm -r build"
    project = workspace("pnpm", scripts, a={"build": "node make.js", "test": "jest"})
    assert run_in(project) == [(".", "pnpm -r build"), ("packages/a", "jest")]


@pytest.mark.parametrize(
    "script", ["pnpm vitest run", "pnpm exec vitest run", "yarn vitest run", "yarn run vitest run"]
)
def test_a_program_that_is_started_through_the_package_manager_is_known(script: str) -> None:
    (project,) = projects(Files({"package.json": json.dumps({"scripts": {"test": script}})}))
    assert [part.program for part in parts(project)] == ["vitest"]


@pytest.mark.parametrize(
    "call", ["npm run unit -- --env a 'b c'", "pnpm unit --env a 'b c'", "yarn run -s unit --env a 'b c'"]
)
def test_arguments_for_a_script_go_to_its_command(call: str) -> None:
    assert found(test=f"xo && {call}", unit="jest") == [("lint", "xo"), ("test", "jest --env a 'b c'")]
    whole = [("lint", "xo"), ("test", call)]
    assert found(test=f"xo && {call}", unit="jest && ava") == whole
    assert found(test=f"xo && {call}", unit="jest", preunit="node make.js") == whole


def test_the_same_command_is_run_once() -> None:
    assert found(lint="eslint .", test="npm run lint && jest") == [("lint", "eslint ."), ("test", "jest")]


def test_what_is_left_out_is_said() -> None:
    scripts = {"lint": "eslint --fix .", "test": "jest --watch", "format": "prettier -w ."}
    (project,) = projects(Files({"package.json": json.dumps({"scripts": scripts})}))
    assert left_out(project) == [
        "script `format` is not run: it formats instead of checking",
        "script `lint` is not run: it fixes instead of checking",
        "script `test` is not run: it watches",
    ]


def test_members_speak_where_the_root_is_silent_in_the_order_of_their_dependencies() -> None:
    files = {
        "package.json": json.dumps({"workspaces": ["packages/*", "!packages/old"], "scripts": {"lint": "eslint ."}}),
        "packages/a/package.json": json.dumps(
            {"name": "a", "dependencies": {"b": "*"}, "scripts": {"build": "tsc", "lint": "xo", "test": "jest"}}
        ),
        "packages/b/package.json": json.dumps({"name": "b", "scripts": {"build": "tsc"}}),
        "packages/old/package.json": json.dumps({"name": "old", "scripts": {"build": "tsc"}}),
        "packages/a/test/fixture/package.json": "{}",
    }
    roots = {project.package.root: project for project in projects(Files(files))}
    assert set(roots) == {".", "packages/old"}
    assert [(p.phase, p.package.root) for p in parts(roots["."])] == [
        (Phase.STATIC, "."),
        (Phase.COMPILE, "packages/b"),
        (Phase.COMPILE, "packages/a"),
        (Phase.TEST, "packages/a"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "run-s " + "--a " * 900 + "!",
        "c8 " + "--a " * 900 + "!",
        "npm run " + "--a " * 900 + "!",
        "npm test " + "-w a " * 900 + "!",
        "yarn workspaces foreach " + "-A " * 900 + "!",
        "tsc " * 900 + "!",
    ],
)
def test_hostile_scripts_take_no_time(text: str) -> None:
    found(test=text)


def test_scripts_that_call_each_other_many_times_take_no_time() -> None:
    many = {f"s{n}": " && ".join([f"npm run s{n + 1}"] * 200) for n in range(30)}
    assert found(test="npm run s0", **many, s30="jest") == [("test", "jest")]
    deep = {f"s{n}": f"npm run s{n + 1}" for n in range(5000)}
    assert len(found(test="npm run s0", **deep)) == 1


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"dependencies": {"a": "^1.0.0", "b": "workspace:*", "c": "link:./c", "d": "npm:e@1"}}, False),
        ({"devDependencies": {"a": "file:./a"}}, True),
        ({"dependencies": {"a": "../a"}}, True),
        ({"dependencies": {"a": "portal:./a"}}, True),
        ({"dependencies": {"a": "workspace:*"}, "dependenciesMeta": {"a": {"injected": True}}}, True),
    ],
)
def test_an_installation_that_copies_a_directory_of_the_repository_is_known(
    fields: dict[str, object], expected: bool
) -> None:
    (project,) = projects(Files({"package.json": json.dumps(fields)}))
    assert builds_on_install(project) is expected


def test_whatever_a_package_manager_reads_decides_what_is_installed() -> None:
    names = {"package.json", "patches/a.patch", ".yarn/patches/b.patch", ".pnpmfile.cjs", "pnpm-lock.yaml"}
    (project,) = projects(Files(dict.fromkeys(names, "{}") | {"a.js": "", "src/patches/c.patch": ""}))
    assert set(project.inputs) == names


@pytest.mark.parametrize(
    ("scripts", "expected"),
    [
        ({}, False),
        ({"prepare": "husky"}, False),
        ({"prepare": "is-ci || husky install"}, False),
        ({"prepare": "npm run build", "build": "del-cli out && tsc"}, False),  # the build is run for each tree, anyway
        ({"postinstall": "node generate.js"}, True),
    ],
)
def test_an_installation_that_runs_the_projects_own_code_is_known(scripts: dict[str, str], expected: bool) -> None:
    (project,) = projects(Files({"package.json": json.dumps({"scripts": scripts})}))
    assert builds_on_install(project) is expected
