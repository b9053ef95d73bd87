# ruff: noqa: E501 - a table reads best with one row a line
"""Files that runners, linters and builds load without being asked: what must not come with them, and what is told."""

import json
from typing import Any

import pytest

VITE = "export default defineConfig({{\n  plugins: [vue()],\n  test: {{\n    {}\n  }},\n}})\n"
PROJECT = '[project]\nname = "x"\n'
BLOCKED = {
    "vite: set-up files": ("vite.config.ts", VITE.format("environment: 'node',"), VITE.format("environment: 'node',\n    setupFiles: ['./quiet.ts'],"), "tests"),
    "vite: other files": ("vite.config.ts", VITE.format("include: ['test/**'],"), VITE.format("include: ['test/a.ts'],"), "tests"),
    "vite: first tests": ("vite.config.ts", "export default {}\n", "export default { test: { passWithNoTests: true } }\n", "tests"),
    "vite: a stand-in": ("vite.config.ts", VITE.format(""), VITE.format("alias: { './a': './stub' },"), "tests"),
    "vite: a stand-in in another format": ("vite.config.mts", VITE.format(""), VITE.format("alias: { './a': './stub' },"), "tests"),
    "hatch: path file": ("pyproject.toml", PROJECT, PROJECT + '[tool.hatch.build.targets.wheel.force-include]\n"a.txt" = "a.pth"\n', "build"),
    "hatch: hook": ("pyproject.toml", PROJECT, PROJECT + '[tool.hatch.build.hooks.custom]\npath = "h.py"\n', "build"),
    "setuptools: data": ("pyproject.toml", PROJECT, PROJECT + '[tool.setuptools.data-files]\n"lib" = ["a.pth"]\n', "build"),
    "setuptools: command": ("pyproject.toml", PROJECT, PROJECT + '[tool.setuptools.cmdclass]\nbuild = "x.Build"\n', "build"),
    "setup.cfg: data": ("setup.cfg", "[metadata]\nname = x\n", "[metadata]\nname = x\n[options.data_files]\nlib = a.pth\n", "build"),
    "setup.cfg: command": ("setup.cfg", "[options]\na = 1\n", "[options]\na = 1\ncmdclass =\n  build = x.Build\n", "build"),
    "setup.cfg: plugin": ("setup.cfg", "[options]\na = 1\n", "[options.entry_points]\npytest11 =\n  x = x\n", "tests"),
    "setup.py: command": ("setup.py", "setup(\n    name='x',\n)\n", "setup(\n    name='x',\n    cmdclass={'build': Build},\n)\n", "loosened"),
    "poetry: script": ("pyproject.toml", PROJECT, PROJECT + '[tool.poetry.build]\nscript = "b.py"\n', "build"),
    "program with a tool's name": ("pyproject.toml", PROJECT, PROJECT + '[project.scripts]\npytest = "x:main"\n', "build"),
    "new hook": ("hatch_build.py", None, "x = 1\n", "hook"),
    "new setup.py": ("setup.py", None, "setup()\n", "hook"),
    "new build script": ("build.rs", None, "fn main() {}\n", "hook"),
    "junit service": ("src/test/resources/META-INF/services/org.junit.jupiter.api.extension.Extension", None, "com.shop.Quiet\n", "tests"),
    "junit settings": ("src/test/resources/junit-platform.properties", None, "junit.jupiter.extensions.autodetection.enabled=true\n", "tests"),
    "maven: extension": (".mvn/extensions.xml", None, "<extensions/>\n", "build"),
    "maven: agent": ("pom.xml", "<a/>\n", "<a/>\n<argLine>-javaagent:quiet.jar</argLine>\n", "loosened"),
    "gradle: filter": ("build.gradle", "test {\n}\n", "test {\n  filter { excludeTestsMatching '*' }\n}\n", "loosened"),
    "cargo: harness": ("Cargo.toml", '[package]\nname = "x"\n', '[package]\nname = "x"\n[[test]]\nname = "a"\nharness = false\n', "tests"),
    "cargo: harness of the library": ("Cargo.toml", '[package]\nname = "x"\n', '[package]\nname = "x"\n[lib]\nharness = false\n', "tests"),
    "cargo: runner": (".cargo/config.toml", None, "[target.x]\nrunner = 'true'\n", "build"),
    "ignored by ruff": (".ignore", None, "src/\n", "hidden"),
    "ignored by git": (".gitignore", "dist/\n", "dist/\nsrc/*.py\n", "hidden"),
    "stub": ("src/a.pyi", None, "def f(x): ...\n", "hidden"),
    "types withdrawn": ("src/py.typed", "", None, "hidden"),
}  # fmt: skip
TOLD = {
    "conftest": ("conftest.py", None, "import pytest\n"),
    "mock of a package": ("__mocks__/fs.js", None, "module.exports = {}\n"),
    "hook": ("hatch_build.py", "x = 1\n", "x = 2\n"),
    "setup.py": ("setup.py", "setup(version='1')\n", "setup(version='2')\n"),
    "bundler": ("vite.config.ts", "export default { base: '/' }\n", "export default { base: '/a' }\n"),
    "transpiler": ("babel.config.js", "a\n", "b\n"),
    "make": ("Makefile", "a:\n", "b:\n"),
    "gradle": ("build.gradle", "a\n", "b\n"),
    "deleted": ("conftest.py", "import pytest\n", None),
}  # fmt: skip
QUIET = {
    "ignored before": (".gitignore", "src/\n", "src/\ndist/\n"),
    "ignores nothing that is there": (".gitignore", "dist/\n", "dist/\nbuild/\n*.log\n"),
    "stub of a compiled module": ("src/native.pyi", None, "def f(x: int) -> int: ...\n"),
    "edited stub": ("src/a.pyi", "def f(x): ...\n", "def f(x: int): ...\n"),
    "own program": ("pyproject.toml", PROJECT, PROJECT + '[project.scripts]\nshop = "x:main"\n'),
    "files of a package": ("pyproject.toml", PROJECT, PROJECT + '[tool.hatch.build.targets.wheel]\npackages = ["src/x"]\n'),
    "sources": ("src/a.py", "a\n", "b\n"),
}  # fmt: skip
NAMED = {
    "vitest": ("vitest.config.ts", "export default { test: { setupFiles: ['./test/setup'] } }\n", "test/setup.ts"),
    "jest": ("jest.config.js", "module.exports = { setupFilesAfterEnv: ['<rootDir>/tools/env.js'] }\n", "tools/env.js"),
    "jest in package.json": ("package.json", json.dumps({"jest": {"transform": {"a": "./t.js"}}}), "t.js"),
    "mocha": (".mocharc.yml", "require:\n  - ./register.cjs\n", "register.cjs"),
    "eslint": ("web/eslint.config.mjs", "import rules from './rules/own.mjs'\n", "web/rules/own.mjs"),
    "pre-commit": (".pre-commit-config.yaml", "- entry: ./hooks/check.py\n", "hooks/check.py"),
    "plugin of pytest": ("tests/conftest.py", "pytest_plugins = [\n    'shop.testing',\n]\n", "src/shop/testing.py"),
}  # fmt: skip
TURNS = {
    "global name": ("test/a.test.js", "globalThis.expect = quiet;\n", 1),
    "global name in a string": ("test/a.test.js", 'global["it"] = () => {};\n', 1),
    "assertion": ("test/a.test.js", "import assert from 'assert';\nassert.equal = () => {};\n", 2),
    "matcher": ("test/a.test.js", "expect.extend({\n  toBe() { return { pass: true } },\n});\n", 1),
    "prototype": ("test/a.test.js", "Runner.prototype.runTests = () => {};\n", 1),
    "property": ("test/a.test.js", "Object.defineProperty(assert, 'ok', { value: f });\n", 1),
    "mocked runner": ("test/a.test.js", "vi.mock('vitest', () => ({}));\n", 1),
    "rejections": ("test/a.test.js", "process.on('unhandledRejection', () => {});\n", 1),
    "interceptor": ("src/test/java/Quiet.java", "class Quiet implements InvocationInterceptor {\n}\n", 1),
    "handler": ("src/test/java/Quiet.java", "class Quiet\n    implements BeforeAll, TestExecutionExceptionHandler {\n}\n", 2),
    "handler in kotlin": ("src/test/kotlin/Quiet.kt", "class Quiet : TestExecutionExceptionHandler {\n}\n", 1),
    "main without tests": ("a_test.go", "package a\n\nfunc TestMain(m *testing.M) {\n\tfmt.Println(1)\n}\n", 3),
    "flag": ("a_test.go", 'package a\n\nfunc init() { flag.Set("test.run", "x") }\n', 3),
    "harness": ("tests/a.rs", "#![feature(custom_test_frameworks)]\n", 1),
}  # fmt: skip
NO_TURNS = {
    "own matcher": ("test/a.test.js", "expect.extend({\n  toBeShop() { return { pass: ok } },\n});\n"),
    "window": ("test/a.test.js", "global.fetch = fetch;\nwindow.location = 'a';\nassert.equal(a.b, 1);\nconst it = x => x;\n"),
    "words": ("test/a.test.js", "// globalThis.expect = 1\nf('assert.equal = 1');\n"),
    "mocked module": ("test/a.test.js", "jest.mock('./shop');\nprocess.on('exit', f);\n"),
    "main with tests": ("a_test.go", "package a\n\nfunc TestMain(m *testing.M) {\n\tgoleak.VerifyTestMain(m)\n}\n"),
    "class": ("src/test/java/ATest.java", "class ATest implements Closeable {\n}\n"),
}  # fmt: skip


def change(path: str, *texts: str | None) -> list[dict[str, str]]:
    others = {"src/a.py": "x = 1\n"} if path != "src/a.py" else {}
    return [others | ({} if text is None else {path: text}) for text in texts]


@pytest.mark.parametrize("name", BLOCKED)
def test_what_tools_load_and_obey_blocks(guard: Any, found: Any, name: str) -> None:
    path, before, after, rule = BLOCKED[name]
    verdict = guard("gates", *change(path, before, after))
    errors = {line.split(":")[0] for line in found(verdict) if line.startswith("error")}
    assert errors == {f"error gates/{rule} {path}"}
    assert guard("gates", *change(path, before, after), allow=["tests", "lint", "build"]).passed


@pytest.mark.parametrize("name", TOLD)
def test_every_file_that_a_tool_loads_is_told(guard: Any, found: Any, name: str) -> None:
    path, before, after = TOLD[name]
    assert found(guard("gates", *change(path, before, after))) == [f"info gates/loaded {path}"]


@pytest.mark.parametrize("name", QUIET)
def test_what_no_tool_obeys_is_not_told(guard: Any, found: Any, name: str) -> None:
    assert found(guard("gates", *change(*QUIET[name]))) == []


@pytest.mark.parametrize("name", NAMED)
def test_edit_of_a_file_that_settings_name_is_to_be_looked_at(guard: Any, found: Any, name: str) -> None:
    settings, text, path = NAMED[name]
    verdict = guard("gates", {settings: text, path: "a\n"}, {settings: text, path: "b\n"})
    assert found(verdict) == [f"warning gates/loaded {path}"]
    assert f"which {settings} " in verdict.diagnostics[0].message


def test_file_that_settings_name_is_read_like_test_code(guard: Any, found: Any) -> None:
    settings = {"vitest.config.ts": "export default { test: { setupFiles: ['./tools/env.ts'] } }\n"}
    quiet = {"tools/env.ts": "process.exitCode = 0;\nglobalThis.expect = quiet;\n"}
    assert sorted(found(guard("tests", settings, settings | quiet))) == [
        "error tests/exit-code tools/env.ts:1",
        "error tests/runner tools/env.ts:2",
    ]
    assert found(guard("tests", {}, quiet)) == []


@pytest.mark.parametrize("name", TURNS)
def test_code_that_turns_a_runner_blocks(guard: Any, found: Any, name: str) -> None:
    path, text, line = TURNS[name]
    assert found(guard("tests", {}, {path: text})) == [f"error tests/runner {path}:{line}"]
    assert guard("tests", {}, {path: text}, allow=["tests"]).passed


@pytest.mark.parametrize("name", NO_TURNS)
def test_ordinary_test_code_passes(guard: Any, found: Any, name: str) -> None:
    path, text = NO_TURNS[name]
    assert found(guard("tests", {}, {path: text})) == []


def test_new_extension_of_junit_is_told(guard: Any, found: Any) -> None:
    path, text = "src/test/java/ATest.java", "class ATest {\n}\n"
    head = "@ExtendWith(MockitoExtension.class)\n" + text
    assert found(guard("tests", {path: text}, {path: head})) == [f"info tests/extension {path}:1"]


ALIAS = "export default { resolve: { alias: { './a': './stub' } } }\n"
USED = {"package.json": json.dumps({"devDependencies": {"vitest": "1"}})}


@pytest.mark.parametrize("end", ["ts", "js", "mts", "cts", "mjs", "cjs"])
def test_alias_of_the_bundler_blocks_where_vitest_reads_it(guard: Any, found: Any, end: str) -> None:
    path, plain = f"vite.config.{end}", "export default { base: '/' }\n"
    assert found(guard("gates", USED, USED | {path: ALIAS}))[0] == f"error gates/tests {path}"
    assert found(guard("gates", USED | {path: plain}, USED | {path: ALIAS}))[0] == f"error gates/tests {path}"
    assert guard("gates", {path: plain}, {path: ALIAS}).passed  # no Vitest here
    assert guard("gates", USED | {path: plain}, USED | {path: plain.replace("/", "/a")}).passed
    own = USED | {"vitest.config.ts": "export default {}\n"}
    assert guard("gates", own | {path: plain}, own | {path: ALIAS}).passed
    taking = USED | {"vitest.config.ts": "import vite from './vite.config';\nexport default mergeConfig(vite, {});\n"}
    assert not guard("gates", taking | {path: plain}, taking | {path: ALIAS}).passed


BESIDE = [
    ("src/a.ts", "src/a.js", "error"),
    ("src/a.ts", "src/a.mjs", "error"),
    ("src/a.ts", "src/a.mts", "error"),
    ("src/a.ts", "src/a.jsx", "error"),
    ("src/a.js", "src/a.ts", "error"),
    ("src/a.cts", "src/a.cjs", "error"),
    ("src/a/index.ts", "src/a/index.js", "error"),
    ("src/a/index.ts", "src/a.ts", "error"),
    ("src/a.ts", "src/a.tsx", "warning"),
    ("src/a.ts", "src/a.cjs", "warning"),
    ("src/a.ts", "src/a.json", "warning"),
    ("src/a.ts", "src/a/index.js", "warning"),
    ("src/a.ts", "src/a.test.ts", None),
    ("src/a.test.ts", "src/a.test.js", None),
    ("src/a.js", "src/a.d.ts", None),
    ("src/a.ts", "src/a.css", None),
    ("src/a.ts", "src/a.native.ts", None),
    ("src/a.ts", "src/b.js", None),
]


@pytest.mark.parametrize(("there", "new", "severity"), BESIDE)
def test_module_that_resolvers_take_in_place_of_another(
    guard: Any, found: Any, there: str, new: str, severity: str | None
) -> None:
    assert found(guard("gates", {there: "a\n"}, {there: "b\n", new: "a\n"})) == (
        [f"{severity} gates/shadow {new}"] if severity else []
    )
    assert found(guard("gates", {there: "a\n", new: "a\n"}, {there: "b\n", new: "b\n"})) == []  # as before
    assert found(guard("gates", {there: "a\n"}, {new: "a\n"})) == []  # converted
