"""What is run of the tests inside an agent's loop: what imports a change, where all of it takes long."""

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from greylag import plugins, readers
from greylag.model import Outcome, Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.report import Report
from greylag.testing.verifiers import Bench, Content, Files
from greylag.testing.verifying import MakeHouse
from greylag.verifiers import _affected, _tool
from greylag.verifiers._related import related
from greylag.verifiers._setupfiles import setup_files
from greylag.verifiers._tool import Plan, Step
from greylag.verifiers.node import Node


def part(verifier: str, files: Content, *changed: str) -> list[str] | None:
    """The arguments of the test run that `changed` adds to those of a whole one, or None where all is run."""
    (test,) = [a for a in plugins.load("verifiers", verifier).detect(Files(files)) if a.phase is Phase.TEST]
    assert isinstance(test.plan, Plan)
    step = test.plan.steps[0]
    assert step.affected
    narrow = step.affected(Files(files), frozenset(changed))
    return None if narrow is None else [word for word in narrow.arguments if word not in step.arguments]


# -- Python ----------------------------------------------------------------------------------------------------------

PYTHON = {
    "pyproject.toml": "[tool.pytest.ini_options]\n[project]\nname = 'shop'\n",
    "src/shop/__init__.py": "from shop.price import total as total\n",
    "src/shop/price.py": "import json\n",
    "src/shop/json.py": "",
    "src/shop/cart.py": "from . import price\n",
    "src/shop/mail/__init__.py": "",
    "src/shop/mail/send.py": "from ..cart import (  # why\n    Cart,\n    Other,\n)\n",
    "src/other/__init__.py": "",
    "src/other/one.py": "",
    "tests/conftest.py": "",
    "tests/helpers.py": "import other.one as one, sys\n",
    "tests/test_price.py": "def test():\n    from shop.price import total\n",
    "tests/test_cart.py": "from shop.cart import Cart\n",
    "tests/test_send.py": "from shop.mail import send\n",
    "tests/test_other.py": "from helpers import x; import os\n",
    "tests/sub/test_deep.py": "import other\n",
    "tests/test_none.py": "",
}


@pytest.mark.parametrize(
    ("changed", "tests"),
    [
        ("src/shop/mail/send.py", ["send"]),
        ("src/shop/cart.py", ["cart", "send"]),
        ("src/shop/price.py", ["cart", "price", "send"]),
        ("src/other/one.py", ["other"]),
        ("src/other/__init__.py", ["deep", "other"]),
        ("tests/helpers.py", ["other"]),
        ("tests/test_none.py", ["none"]),
        ("tests/conftest.py", ["deep", "cart", "none", "other", "price", "send"]),
        ("src/gone.py", None),
        ("src/shop/data.json", None),
        ("pyproject.toml", None),
    ],
)
def test_python_tests_that_import_a_file_by_whatever_way(changed: str, tests: list[str] | None) -> None:
    found = part("python", PYTHON, changed)
    assert (found and [name.rpartition("test_")[2].removesuffix(".py") for name in found]) == tests


def test_settings_that_make_other_files_tests_are_no_business_of_imports() -> None:
    for setting in ("python_files = ['check_*.py']", "addopts = '--doctest-modules'"):
        files = {**PYTHON, "pyproject.toml": f"[tool.pytest.ini_options]\n{setting}\n"}
        assert part("python", files, "src/shop/cart.py") is None


def test_only_tests_that_a_run_of_all_would_come_by() -> None:
    setting = "[tool.pytest.ini_options]\ntestpaths = ['tests/sub']\n"
    assert part("python", {**PYTHON, "pyproject.toml": setting}, "src/other/__init__.py") == ["tests/sub/test_deep.py"]


# -- Go, Rust, Java --------------------------------------------------------------------------------------------------

GO = {
    "go.mod": "module example.org/a\n",
    "a.go": 'package a\n\nimport "example.org/a/b/c"\n',
    "b/b.go": "package b\n",
    "b/b_test.go": "package b\n",
    "b/testdata/x.txt": "",
    "b/c/c.go": 'package c\n\nimport (\n\t"fmt" // "example.org/a/d"\n\tb "example.org/a/b"\n)\n',
    "d/d.go": 'package d\n\nfunc d() { _ = `import "example.org/a/b"` }\n',
    "d/d_test.go": 'package d\n\nimport "example.org/abc"\n',
    "README.md": "",
}


@pytest.mark.parametrize(
    ("changed", "packages"),
    [
        (["b/c/c.go"], ["./.", "./b/c"]),
        (["b/b.go"], ["./.", "./b", "./b/c"]),
        (["b/testdata/x.txt"], ["./.", "./b", "./b/c"]),
        (["d/d_test.go"], ["./d"]),
        (["b/gone.go", "d/d.go"], ["./.", "./b", "./b/c", "./d"]),
        (["go.mod"], None),
    ],
)
def test_packages_of_go_that_import_a_file_of_a_package(changed: list[str], packages: list[str] | None) -> None:
    assert part("go", GO, *changed) == packages


CARGO = {
    "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\n',
    "crates/core/Cargo.toml": '[package]\nname = "shop-core"\n',
    "crates/core/src/lib.rs": "",
    "crates/web/Cargo.toml": '[package]\nname = "web"\n[dependencies]\ncore = { package = "shop-core", path = "x" }\n',
    "crates/web/src/lib.rs": "",
    "crates/end/Cargo.toml": '[package]\nname = "end"\n[target."cfg(unix)".dev-dependencies]\nweb.path = "../web"\n',
    "crates/end/src/lib.rs": "",
    "crates/other/Cargo.toml": '[package]\nname = "other"\n',
    "crates/other/src/lib.rs": "",
    "shared/data.txt": "",
}


@pytest.mark.parametrize(
    ("changed", "packages"),
    [
        ("crates/web/src/lib.rs", ["--package=end", "--package=web"]),
        ("crates/core/tests/data.txt", ["--package=end", "--package=shop-core", "--package=web"]),
        ("crates/other/src/lib.rs", ["--package=other"]),
        ("crates/other/Cargo.toml", None),
        ("shared/data.txt", None),
    ],
)
def test_packages_of_cargo_that_depend_on_a_package(changed: str, packages: list[str] | None) -> None:
    assert part("rust", CARGO, changed) == packages


MAVEN = {
    "pom.xml": "<project><modules><module>core</module><module>web</module></modules></project>",
    "core/pom.xml": "<project/>",
    "core/src/main/java/A.java": "",
    "core/src/test/java/ATest.java": "",
    "web/pom.xml": "<project/>",
    "web/src/main/java/B.java": "",
}


@pytest.mark.parametrize(
    ("changed", "modules"),
    [
        (["core/src/main/java/A.java"], "core"),
        (["core/src/main/java/A.java", "web/src/main/java/B.java"], "core,web"),
        (["core/pom.xml"], None),
        (["checkstyle.xml"], None),
    ],
)
def test_modules_of_maven(changed: list[str], modules: str | None) -> None:
    wanted = modules and ["--projects", modules, "--also-make", "--also-make-dependents"]
    assert part("maven", MAVEN, *changed) == wanted


# -- JavaScript ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "files", "line"),
    [
        ("jest --coverage", ["src/a.ts"], "jest --coverage --findRelatedTests src/a.ts"),
        ("vitest run --coverage", ["src/a.ts", "b.vue"], "vitest related src/a.ts b.vue --run --coverage"),
        ("vitest", ["a.mjs"], "vitest related a.mjs --run"),
        ("pnpm vitest run", ["a.mjs"], "vitest related a.mjs --run"),
        ("yarn run jest", ["a.mjs"], "jest --findRelatedTests a.mjs"),
        ("jest src", ["a.js"], ""),
        ("jest --config x.json", ["a.js"], ""),
        ("jest 'open", ["a.js"], ""),
        ("cross-env A=1 jest", ["a.js"], ""),
        ("mocha", ["a.js"], ""),
        ("jest", ["a.json"], ""),
        ("jest", ["jest.config.js"], ""),
        ("jest", ["test/setup.js"], ""),
        ("jest", ["__mocks__/axios.js"], ""),
        ("jest", ["src/__mocks__/a.js"], ""),
        ("jest", [".eslintrc.js"], ""),
        ("jest", ["-x.js"], ""),
        ("jest", ["a b.js"], ""),
    ],
)
def test_what_jest_and_vitest_are_asked_for(command: str, files: list[str], line: str) -> None:
    assert " ".join(related(command, files)) == line


def test_a_script_becomes_one_for_related_files() -> None:
    package = '{"name": "a", "scripts": {"test": "vitest run"}, "devDependencies": {"vitest": "1"}}'
    files = {"package.json": package, "package-lock.json": "{}", "a.ts": "", "a.test.ts": ""}
    found = part("node", files, "a.ts")
    assert found == ["related", "a.ts", "--run"]
    assert part("node", files, "gone.ts") is None


SET_UP = {
    "package.json": '{"scripts": {"test": "jest"}, "jest": {"setupFiles": ["<rootDir>/conf/one.js", "./conf/two"]}}',
    "conf/one.js": "require('./helper');\nconst text = './other.txt';\n",
    "conf/two.ts": "",
    "conf/helper.mjs": "import '../src/used.js'\n",
    "src/used.ts": "",
    "jest.config.js": "module.exports = {'testEnvironment': './conf/env.js',\ntransform: {'.js': './conf/five.cjs'}}\n",
    "conf/env.js": "",
    "conf/five.cjs": "",
    "web/vitest.config.ts": "import {\n  x,\n} from './shared'\nexport default {\n"
    "  test: { globalSetup: 'conf/global.ts' },\n  build: { lib: { entry: './src/index.ts' } } }\n",
    "web/shared.ts": "export const x = { setupFiles: resolve(here, './conf/three.ts') }\n",
    "web/conf/global.ts": "",
    "web/conf/three.ts": "",
    "web/src/index.ts": "import './inner'\n",
    "web/src/inner.ts": "",
    "node_modules/a/jest.config.js": "module.exports = {setupFiles: ['src/alone.js']}",
    "src/alone.js": "",
}


def test_what_settings_load_before_any_test_concerns_all_of_them() -> None:
    """jest and vitest do not see that tests depend on it."""
    loaded = setup_files(Files(SET_UP), ".")
    free = {"src/alone.js", "web/src/index.ts", "web/src/inner.ts", "node_modules/a/jest.config.js"}
    assert loaded == set(SET_UP) - free
    assert part("node", SET_UP, "src/alone.js") == ["--findRelatedTests", "src/alone.js"]
    assert part("node", SET_UP, "src/alone.js", "conf/helper.mjs") is None


@pytest.mark.parametrize(
    ("runner", "files", "options", "narrowed"),
    [
        ("jest", {"jest.config.js": "module.exports = { projects: ['packages/*'] };"}, "", False),
        ("jest", {"ci/jest.json": '{"projects": ["packages/*"]}'}, " --config=ci/jest.json", False),
        ("jest", {}, " --projects=a", False),
        ("jest", {"packages/a/jest.config.js": "module.exports = { projects: ['.'] };"}, "", True),
        ("vitest run", {"vitest.config.js": "export default { test: { projects: ['packages/*'] } }"}, "", True),
    ],
)
def test_projects_of_jest_do_not_see_what_they_import_of_each_other(
    runner: str, files: Content, options: str, narrowed: bool
) -> None:
    package = json.dumps({"scripts": {"test": f"{runner}{options}"}})
    assert bool(part("node", {"package.json": package, "a.js": "", **files}, "a.js")) is narrowed


def test_so_does_what_the_options_of_a_command_name() -> None:
    files = {"web/ci/unit.js": "module.exports = {setupFiles: ['./first']}", "web/ci/first.ts": "", "web/a.js": ""}
    assert setup_files(Files(files), ".", "web", "jest --ci --config=ci/unit.js") == {
        "web/ci/unit.js",
        "web/ci/first.ts",
    }


RUNNERS = [
    pytest.param("jest", "jest", "module.exports = {0};\n", id="jest", marks=pytest.mark.toolchain("npm", "jest")),
    pytest.param(
        "vitest",
        "vitest run --silent",
        "export default {0};\n",
        id="vitest",
        marks=pytest.mark.toolchain("npm", "vitest"),
    ),
]
CASE = "const x = {load};\ntest('{name}', () => {{ expect(x).toBe(1); }});\n"
LOADS = {"jest": "require('./{0}')", "vitest": "(await import('./{0}.js')).default"}


@pytest.mark.parametrize(("runner", "script", "module"), RUNNERS)
def test_the_real_runner_runs_what_imports_a_change(
    bench: Callable[[dict[str, str]], Bench], runner: str, script: str, module: str
) -> None:
    load = LOADS[runner]
    cases = {f"{name}.test.js": CASE.format(name=name, load=load.format(name)) for name in "abc"}
    at = bench({
        **cases, "a.js": module.format(1), "b.js": module.format(load.format("a")), "c.js": module.format(1),
        "package.json": json.dumps({"type": "commonjs" if runner == "jest" else "module", "scripts": {"test": script}}),
        "vitest.config.js": "export default { test: { globals: true } };\n", "alone.js": module.format(1),
        f"node_modules/.bin/{runner}": f'#!/bin/sh\nexec "{shutil.which(runner)}" "$@"\n',
    })  # fmt: skip
    before = Verdict("npm run test", Phase.TEST, Outcome.PASSED, seconds=_affected.WORTH)

    def loop(changed: str, value: int) -> Verdict:
        at.files[changed] = module.format(value)
        at.diff = f"diff --git a/{changed} b/{changed}\n--- a/{changed}\n+++ b/{changed}\n@@ -1 +1 @@\n-old\n+new\n"
        return at.verify(Node(), "npm run test", mode="loop", before=(before,))["npm run test"]

    some, none, broken = loop("a.js", 1), loop("alone.js", 1), loop("a.js", 2)
    assert (passed(some), some.details.get("partial")) == (("a", "b"), _affected.SAID), at.log(some)
    assert (passed(none), none.details.get("partial")) == (("a", "b", "c"), None)
    assert broken.counts
    assert (broken.outcome, broken.counts.failed, broken.counts.run) == (Outcome.FAILED, 2, 2)


# -- when ------------------------------------------------------------------------------------------------------------

GREEN = '<testsuite><testcase classname="suite" name="{0}" file="t.py"/></testsuite>'
RED = GREEN.replace("/><", '><failure message="no">no</failure></testcase><')
ALL = f"echo '{GREEN.format('all')}' >out.xml"
PART = f"echo '{GREEN.format('part')}' >out.xml"


@dataclass(frozen=True)
class Script:
    """Tests with `sh all.sh`, or `sh part.sh` for a part."""

    name: str = "script"
    phase: Phase = Phase.TEST
    helps: bool = False  # it proves nothing
    helper: str = ""

    def detect(self, tree: Tree) -> Sequence[Activation]:
        step = Step((("sh",),), ("all.sh",), reports=("out.xml",), read_report=readers.junit_xml, empty_codes=(5,))
        step = replace(step, may_fail=self.helps, helper=self.helper)
        narrow = replace(step, arguments=("part.sh",))
        step = replace(step, affected=lambda _, changed: narrow if "x" in changed else None)
        return [Activation(self.name, "test", self.phase, ".", "always", (), Plan((step,)))]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        return _tool.run(activation, context)


def taking(report: Report, seconds: float) -> Report:
    """A baseline that took so long."""
    return replace(report, verdicts=tuple(replace(verdict, seconds=seconds) for verdict in report.verdicts))


def passed(verdict: Verdict) -> tuple[str, ...]:
    assert verdict.counts
    return verdict.counts.passed


def test_the_loop_runs_a_part_where_all_takes_long_and_the_gate_runs_all(house: MakeHouse) -> None:
    at = house({"all.sh": ALL, "part.sh": PART})
    verification = at.verification(Script(), plugins.load("guards", "lost-tests"))
    tree, other = at.repository.change({"x": ""}), at.repository.change({"y": ""})
    slow = taking(verification.baseline(), _affected.WORTH)
    loop = verification.run(tree, mode="loop", baseline=slow)
    assert loop.passed
    assert passed(loop.verdicts[0]) == ("suite.part",)
    assert _affected.SAID in loop.render()
    gate = verification.run(tree, mode="gate", baseline=slow)
    assert passed(gate.verdicts[0]) == ("suite.all",)
    assert not gate.verdicts[0].cached, "a part vouches for nothing"
    assert _affected.SAID not in gate.render()
    assert passed(verification.run(other, mode="loop", baseline=slow).verdicts[0]) == ("suite.all",)
    at.started()


def test_what_does_not_take_long_is_run_whole(house: MakeHouse) -> None:
    at = house({"all.sh": ALL, "part.sh": PART})
    verification = at.verification(Script())
    quick = taking(verification.baseline(), _affected.WORTH / 2)
    report = verification.run(at.repository.change({"x": ""}), mode="loop", baseline=quick)
    assert passed(report.verdicts[0]) == ("suite.all",)


@pytest.mark.parametrize("part", ["exit 1", "exit 5", "true", f"{PART}; exit 3"])
def test_a_part_that_does_not_run_as_all_would_is_no_answer(house: MakeHouse, part: str) -> None:
    at = house({"all.sh": ALL, "part.sh": part})
    verification = at.verification(Script())
    slow = taking(verification.baseline(), _affected.WORTH)
    report = verification.run(at.repository.change({"x": ""}), mode="loop", baseline=slow)
    assert passed(report.verdicts[0]) == ("suite.all",)


def test_a_failed_test_of_a_part_is_a_failure(house: MakeHouse) -> None:
    at = house({"all.sh": ALL, "part.sh": f"echo '{RED.format('part')}' >out.xml; exit 1"})
    verification = at.verification(Script())
    slow = taking(verification.baseline(), _affected.WORTH)
    report = verification.run(at.repository.change({"x": ""}), mode="loop", baseline=slow)
    assert report.verdicts[0].outcome is Outcome.FAILED
    assert report.verdicts[0].diagnostics[0].test == "suite.part"


def test_what_helps_tests_counts_for_how_long_they_take(house: MakeHouse) -> None:
    at = house({"all.sh": ALL, "part.sh": PART})
    verification = at.verification(Script(helper="build"))
    baseline = verification.baseline()
    helped = replace(baseline.verdicts[0], verifier="build", phase=Phase.COMPILE, seconds=_affected.WORTH)
    slow = replace(baseline, verdicts=(*baseline.verdicts, helped))
    report = verification.run(at.repository.change({"x": ""}), mode="loop", baseline=slow)
    assert passed(report.verdicts[0]) == ("suite.part",)


def test_what_only_helps_tests_is_done_in_part_and_is_no_partial_proof(house: MakeHouse) -> None:
    at = house({"all.sh": "echo 1 >whole", "part.sh": "exit 1"})
    verification = at.verification(Script(phase=Phase.COMPILE, helps=True))
    slow = taking(verification.baseline(), _affected.WORTH)
    (verdict,) = verification.run(at.repository.change({"x": ""}), mode="loop", baseline=slow).verdicts
    assert (verdict.outcome, verdict.details.get("partial")) == (Outcome.PASSED, None)
    assert "part.sh" in verdict.summary


# -- hostile files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["from a import (\n" * 30_000, "import " + "a." * 300_000, "from " + "." * 500_000, "import " + "a," * 300_000],
)
def test_reading_imports_takes_time_in_proportion(text: str) -> None:
    started = time.process_time()
    part("python", {**PYTHON, "src/shop/bad.py": text}, "src/shop/bad.py")
    part("go", {**GO, "d/bad.go": text.replace("from", "import")}, "d/bad.go")
    setup_files(Files({"jest.config.js": text, "vite.config.js": text.replace("import", "setupFiles: ['./a', ")}), ".")
    assert time.process_time() - started < 5


# -- the share of the machine ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verifier", "files", "variable"),
    [
        ("python", PYTHON, "PYTEST_XDIST_AUTO_NUM_WORKERS"),
        ("go", {"go.mod": "module a\n", "a.go": "package a\n", "a_test.go": "package a\n"}, "GOMAXPROCS"),
        ("rust", {"Cargo.toml": '[package]\nname = "a"\n'}, "RUST_TEST_THREADS"),
        ("node", {"package.json": '{"scripts": {"test": "vitest run"}}'}, "VITEST_MAX_WORKERS"),
        ("maven", {"pom.xml": "<project/>", "src/test/java/A.java": ""}, "MAVEN_OPTS"),
    ],
)  # fmt: skip
def test_tools_that_would_count_the_machine_are_told_their_share(verifier: str, files: Content, variable: str) -> None:
    (test,) = [a for a in plugins.load("verifiers", verifier).detect(Files(files)) if a.phase is Phase.TEST]
    assert isinstance(test.plan, Plan)
    step = test.plan.steps[0]
    assert "@cpus@" in {**step.env, **step.append}[variable]
