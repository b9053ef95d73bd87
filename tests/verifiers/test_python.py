"""Python projects: what is found in their files, and real tools in the real sandbox without network."""

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from greylag.model import Counts, Origin, Outcome, Phase
from greylag.protocols import Activation
from greylag.testing.repos import write
from greylag.testing.verifiers import Bench, detect
from greylag.verifiers._tool import Plan
from greylag.verifiers.python import Python

MakeBench = Callable[[dict[str, str]], Bench]
PROJECT = "[project]\nname = 'a'\nversion = '1'\nrequires-python = '>=3.9'\n"
TEST = "def test_a():\n    assert True\n"
OWN = Path(sys.prefix)  # greylag's own environment, which the sandbox has at the same place


def found(files: Mapping[str, str]) -> dict[str, Activation]:
    return detect(Python(), files)


def lines(activation: Activation) -> list[str]:
    plan = activation.plan
    assert isinstance(plan, Plan)
    return [" ".join(step.arguments) for step in plan.steps]


# -- detection -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"uv.lock": "", "pyproject.toml": PROJECT}, "uv sync"),
        ({"pyproject.toml": PROJECT + "[tool.uv]\n"}, "uv sync"),
        ({"poetry.lock": "", "pyproject.toml": PROJECT}, "poetry install"),
        ({"pyproject.toml": "[tool.poetry]\nname = 'a'\n"}, "poetry install"),
        ({"setup.py": "from setuptools import setup; setup()"}, "uv pip install"),
        ({"requirements.txt": "six\n"}, "uv pip install"),
        ({}, "uv pip install"),
    ],
)
def test_the_package_manager_is_told_by_files(files: Mapping[str, str], expected: str) -> None:
    (prepare, *_) = found({**files, "tests/test_a.py": TEST}).values()
    assert (prepare.name, prepare.phase) == (expected, Phase.PREPARE)


def test_tools_run_only_where_they_are_configured() -> None:
    files = {"pyproject.toml": PROJECT, "src/a.py": "", "tests/test_a.py": TEST}
    assert list(found(files)) == ["uv pip install", "pytest"]
    files["pyproject.toml"] += "[tool.ruff]\n[tool.mypy]\n[tool.pyright]\n"
    assert list(found(files)) == ["uv pip install", "ruff", "mypy", "pyright", "pytest"]
    assert found({**files, ".pre-commit-config.yaml": "- id: ruff-format"})["ruff format"].phase is Phase.FORMAT


def test_a_project_without_any_check_is_not_even_installed() -> None:
    assert found({"pyproject.toml": PROJECT, "src/a.py": ""}) == {}


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"pyproject.toml": PROJECT + "[tool.pytest.ini_options]\n"}, "[tool.pytest] in pyproject.toml"),
        ({"pytest.ini": "[pytest]\n", "setup.py": ""}, "[pytest] in pytest.ini"),
        ({"setup.cfg": "[metadata]\nname = a\n[tool:pytest]\n"}, "[tool:pytest] in setup.cfg"),
        ({"tests/conftest.py": ""}, "tests/conftest.py"),
        ({"requirements-dev.txt": "pytest>=8\n", "setup.py": ""}, "pytest among its dependencies, and tests/test_a.py"),
        ({"tests/test_b.py": "import pytest\n"}, "pytest tests such as tests/test_b.py"),
    ],
)
def test_pytest_has_its_reason(files: Mapping[str, str], reason: str) -> None:
    assert found({"tests/test_a.py": "import unittest\n", **files})["pytest"].reason == reason


def test_unittest_is_for_those_who_have_nothing_else() -> None:
    assert "unittest" in found({"setup.py": "", "tests/test_a.py": "import unittest\n"})
    assert "unittest" not in found({"setup.py": "", "tests/test_a.py": "import pytest\n"})


def test_several_projects_of_a_monorepo_and_no_samples() -> None:
    files = {
        "api/pyproject.toml": PROJECT, "api/test_a.py": TEST,
        "api/plugin/setup.py": "", "api/plugin/test_p.py": TEST,
        "web/package.json": "{}",
        "examples/x/pyproject.toml": PROJECT, "examples/x/test_x.py": TEST,
    }  # fmt: skip
    tests = {name: a for name, a in found(files).items() if a.phase is Phase.TEST}
    assert list(tests) == ["pytest (api)", "pytest (api/plugin)"]
    assert "--ignore=plugin" in lines(tests["pytest (api)"])[0]


def test_members_of_a_uv_workspace_are_installed_with_their_root() -> None:
    root = "[tool.uv.workspace]\nmembers = ['libs/*']\n"
    files = {"pyproject.toml": root, "uv.lock": "", "libs/a/pyproject.toml": PROJECT, "libs/a/tests/test_a.py": TEST}
    activations = found(files)
    assert {a.root for a in activations.values()} == {"."}
    assert "--all-packages" in lines(activations["uv sync"])[1]


def test_preparation_installs_the_project_and_what_its_tests_need() -> None:
    setup = "setup(name='a', extras_require={'test': ['six'], 'docs': ['sphinx']})"
    files = {"setup.py": setup, "requirements.txt": "", "requirements/dev.txt": "pytest\n", "docs/requirements.txt": ""}
    text = "\n".join(lines(found({**files, "tests/test_a.py": TEST})["uv pip install"]))
    assert "--editable .[test]" in text
    assert "--requirements requirements.txt" in text
    assert "--requirements requirements/dev.txt" in text
    assert "docs" not in text


def test_dependency_groups_for_tests_are_installed_and_others_are_not() -> None:
    groups = "[dependency-groups]\ntest = ['pytest']\nlint = ['ruff']\ndocs = ['sphinx']\n"
    sync = lines(found({"pyproject.toml": PROJECT + groups, "uv.lock": "", "test_a.py": TEST})["uv sync"])[1]
    assert "--group lint --group test" in sync
    assert "docs" not in sync
    assert "--locked" in sync


def test_pytest_is_added_where_nobody_names_it_with_the_plugins_that_it_is_told_to_use() -> None:
    config = "[tool.pytest.ini_options]\naddopts = '--cov=a -n 2'\n"
    prepare = found({"pyproject.toml": PROJECT + config, "test_a.py": TEST})["uv pip install"]
    assert lines(prepare)[-1].endswith("pytest pytest-cov pytest-xdist")
    assert isinstance(prepare.plan, Plan)
    assert "pytest-cov" in prepare.plan.note
    (declared,) = (a for a in found({"requirements.txt": "pytest==8.*\n", "test_a.py": TEST}).values() if a.inputs)
    assert not any(line.endswith(" pytest") for line in lines(declared))


@pytest.mark.parametrize("rev", ["v0.9.1", "'v0.9.1'", "c60c980e561ed3e73101667fe8365c609d19a438  # frozen: v0.9.1"])
def test_ruff_comes_in_the_version_that_pre_commit_pins(rev: str) -> None:
    hooks = f"repos:\n  - repo: https://github.com/astral-sh/ruff-pre-commit\n    rev: {rev}\n    hooks: []\n"
    files = {"pyproject.toml": PROJECT + "[tool.ruff]\n", ".pre-commit-config.yaml": hooks, "a.py": ""}
    assert lines(found(files)["uv pip install"])[-1].endswith(" ruff==0.9.1")


def test_ruff_comes_as_ci_has_it() -> None:
    files = {"pyproject.toml": PROJECT + "[tool.ruff]\n", "a.py": "", "Makefile": "lint:\n\tuvx ruff check .\n"}
    assert lines(found(files)["uv pip install"])[-1].endswith(" ruff")
    files[".github/workflows/a.yml"] = "run: pip install ruff==0.9.1\n"
    assert lines(found(files)["uv pip install"])[-1].endswith(" ruff==0.9.1")


def test_what_only_tox_would_install_is_not_there() -> None:
    tox = {"tox.ini": "[testenv]\ndeps = pytest\n", "test_a.py": TEST}
    grouped = {"pyproject.toml": PROJECT + "[dependency-groups]\nlint = ['six']\n", **tox}
    assert lines(found(grouped)["uv pip install"])[-1].endswith(" pytest"), "beside the group"
    assert len(lines(found({"pyproject.toml": PROJECT, **tox})["uv pip install"])) == 2, "with the project itself"


def test_a_version_from_git_is_made_up_since_there_is_no_git() -> None:
    build = "[build-system]\nrequires = ['hatch-vcs']\n"
    plan = found({"pyproject.toml": PROJECT + build, "test_a.py": TEST})["uv pip install"].plan
    assert isinstance(plan, Plan)
    assert {"SETUPTOOLS_SCM_PRETEND_VERSION_FOR_A", "SETUPTOOLS_SCM_PRETEND_VERSION"} <= set(plan.steps[1].env)
    assert not any("PRETEND" in name for name in plan.steps[0].env)


@pytest.mark.parametrize(
    ("said", "again"),
    [
        ("    | Unable to find installation candidates for cfgv (3.3.1)\n", True),
        ("Package pytest (9.2.0) not found.\n", True),
        ("pyproject.toml changed significantly since poetry.lock was last generated.\n", False),
    ],
)
def test_poetry_goes_to_the_plain_index_where_a_mirror_has_only_that(said: str, again: bool) -> None:
    plan = found({"poetry.lock": "", "pyproject.toml": PROJECT, "test_a.py": TEST})["poetry install"].plan
    assert isinstance(plan, Plan)
    step = plan.steps[1]
    assert bool(re.search(step.fallback_on, said)) is again
    assert step.fallback
    assert step.fallback.arguments == step.arguments
    assert step.fallback.programs[0] == ("uv", "tool", "run", "--with", "poetry-plugin-pypi-mirror", "poetry")
    assert dict(step.fallback.env) == {**step.env, "POETRY_PYPI_MIRROR_URL": "https://pypi.org/simple/"}
    assert step.fallback.fallback is None


def test_inputs_are_the_files_that_decide_what_is_installed() -> None:
    files = {"pyproject.toml": PROJECT, "uv.lock": "", "src/a.py": "", "test_a.py": TEST, "examples/b/setup.py": ""}
    assert found(files)["uv sync"].inputs == ("./", "pyproject.toml", "src/", "uv.lock")


def test_whatever_an_installation_reads_or_finds_is_an_input() -> None:
    names = ("constraints.txt", "deps/prod.txt", "VERSION", "calc/_version.py", "setup.cfg", "libs/x/pyproject.toml")
    files = {"pyproject.toml": PROJECT, "test_a.py": TEST, **dict.fromkeys((*names, "README.md", "tests/data.txt"), "")}
    inputs = set(found(files)["uv pip install"].inputs)
    assert inputs >= {*names, "./", "libs/x/"}
    assert not inputs & {"README.md", "tests/data.txt", "calc/"}


def test_what_an_installation_leaves_for_other_trees_is_bounded() -> None:
    build = (
        "[build-system]\nrequires = ['hatch-vcs']\n[tool.hatch.build.hooks.vcs]\nversion-file = 'src/a/version.py'\n"
    )
    prepare = found({"api/pyproject.toml": PROJECT + build, "api/test_a.py": TEST})["uv pip install (api)"]
    assert prepare.outputs == (".venv/", "*.egg-info/", "_version.py", "/api/src/a/version.py")


@pytest.mark.parametrize(
    ("files", "built"),
    [
        ({"setup.py": "from setuptools import setup; setup(ext_modules=[1])"}, True),
        ({"setup.py": "from setuptools import setup; setup(cmdclass={'build_py': Generate})"}, True),
        ({"setup.py": "from setuptools import setup; setup(cmdclass=commands)"}, True),
        ({"setup.py": "from setuptools import setup; setup(cmdclass={})"}, False),
        ({"setup.py": "from setuptools import setup; setup(cmdclass={'upload': Upload})"}, False),
        ({"setup.py": "import versioneer; setup(cmdclass=versioneer.get_cmdclass())"}, False),
        ({"pyproject.toml": PROJECT + "[[tool.setuptools.ext-modules]]\nname = 'a'\n"}, True),
        ({"pyproject.toml": PROJECT + "[build-system]\nrequires = ['maturin']\n"}, True),
        ({"pyproject.toml": PROJECT + "[build-system]\nbuild-backend = 'b'\nbackend-path = ['.']\n"}, True),
        ({"pyproject.toml": PROJECT + "[tool.hatch.build.targets.wheel.hooks.mypyc]\n"}, True),
        ({"pyproject.toml": PROJECT + "[tool.hatch.build.hooks.custom]\n"}, True),
        ({"pyproject.toml": PROJECT + "[tool.hatch.build.hooks.vcs]\n"}, False),
        ({"pyproject.toml": PROJECT, "pdm_build.py": ""}, True),
        ({"pyproject.toml": PROJECT + "[tool.poetry]\nbuild = 'build.py'\n"}, True),
        ({"pyproject.toml": PROJECT + "[tool.poetry.build]\nscript = 'build.py'\n"}, True),
        ({"pyproject.toml": PROJECT + "[tool.poetry]\npackages = []\n"}, False),
    ],
)
def test_what_an_installation_builds_is_built_for_each_tree(files: Mapping[str, str], built: bool) -> None:
    prepare = next(iter(found({**files, "test_a.py": TEST}).values()))
    assert prepare.phase is Phase.PREPARE
    assert (not prepare.inputs, prepare.outputs is None) == (built, built)


UV = PROJECT + "dependencies = ['lib']\n[tool.uv.sources]\n"
POETRY = PROJECT + "[tool.poetry.group.dev.dependencies]\n"


@pytest.mark.parametrize(
    ("files", "copied"),
    [
        ({"requirements.txt": "six\n./lib\n"}, True),
        ({"requirements-dev.txt": "libs/a[extra]\n", "setup.py": ""}, True),
        ({"requirements.txt": "-e ./lib\ngit+https://example.org/a\nhttps://example.org/b.whl\n"}, False),
        ({"pyproject.toml": PROJECT + "dependencies = ['lib @ file:///${PROJECT_ROOT}/lib']\n"}, True),
        ({"uv.lock": "", "pyproject.toml": UV + "lib = { path = 'lib' }\n"}, True),
        ({"uv.lock": "", "pyproject.toml": UV + "lib = [{ path = 'lib', marker = 'a' }]\n"}, True),
        ({"uv.lock": "", "pyproject.toml": UV + "lib = { path = 'lib', editable = true }\n"}, False),
        ({"uv.lock": "", "pyproject.toml": UV + "lib = { workspace = true }\n"}, False),
        ({"uv.lock": "", "pyproject.toml": UV + "lib = { workspace = true, editable = false }\n"}, True),
        ({"pyproject.toml": POETRY + "lib = { path = 'lib' }\n"}, True),
        ({"pyproject.toml": POETRY + "lib = { path = 'lib', develop = true }\n"}, False),
        ({"pyproject.toml": PROJECT + "[tool.poetry]\ninclude = [{ path = 'tests', format = 'sdist' }]\n"}, False),
    ],
)
def test_what_an_installation_copies_is_copied_for_each_tree(files: Mapping[str, str], copied: bool) -> None:
    prepare = next(iter(found({**files, "test_a.py": TEST}).values()))
    assert (not prepare.inputs, prepare.outputs is None) == (copied, copied)


# -- real tools ------------------------------------------------------------------------------------------------------

_ORDER = {  # the second test fails because of the first
    "lib.py": "seen = []\n",
    "test_a.py": "import lib\ndef test_one():\n    lib.seen.append(1)\ndef test_two():\n    assert not lib.seen\n",
    "test_b.py": "import unittest, lib\nclass B(unittest.TestCase):\n"
    "    def test_one(self):\n        lib.seen.append(1)\n"
    "    def test_two(self):\n        self.assertFalse(lib.seen)\n",
}


@pytest.mark.parametrize(
    ("name", "file", "alone"), [("pytest", "test_a.py", "\n1 passed"), ("unittest", "test_b.py", "Ran 1 test")]
)
def test_a_test_that_others_break_passes_by_itself_and_is_not_flaky(
    bench: MakeBench, name: str, file: str, alone: str
) -> None:
    at = replace(bench({"lib.py": _ORDER["lib.py"], file: _ORDER[file], **OWN_TOOLS}), again=True)
    verdict = at.verify(Python(), name)[name]
    assert (verdict.outcome, verdict.summary) == (Outcome.FAILED, "2 tests, 1 failed")
    assert [(d.origin, d.path) for d in verdict.diagnostics] == [(Origin.NEW, file)]
    assert alone in (at.path / "again-1/logs" / str(verdict.log)).read_text()
    assert alone not in (at.path / "again-2/logs" / str(verdict.log)).read_text()


OWN_TOOLS = {  # what a preparation would have made, from the tools that greylag is tested with
    ".venv/bin/python": f'#!/bin/sh\nexec "{OWN}/bin/python" "$@"\n',
    ".venv/bin/ruff": f'#!/bin/sh\nexec "{OWN}/bin/ruff" "$@"\n',
    ".venv/bin/mypy": f'#!/bin/sh\nexec "{OWN}/bin/python" -m mypy "$@"\n',
}
BROKEN = {
    "pyproject.toml": PROJECT + "[tool.ruff.format]\n[tool.mypy]\nstrict = true\n[tool.pytest.ini_options]\n",
    "src/calc.py": "import os\n\ndef add(a: int, b: int) -> int:\n    return str(a+b)\n",
    "tests/test_calc.py": (
        "import sys\nsys.path.insert(0, 'src')\nimport calc\nimport pytest\n\n"
        "def test_add() -> None:\n    assert calc.add(1, 2) == 3\n\n"
        "@pytest.mark.skip\ndef test_later() -> None: ...\n\ndef test_fine() -> None: ...\n"
    ),
}


def test_each_tool_names_the_place(bench: MakeBench) -> None:
    at = bench({**BROKEN, **OWN_TOOLS})
    verdicts = at.verify(Python(), "ruff format", "ruff", "mypy", "pytest")
    assert {v.outcome for v in verdicts.values()} == {Outcome.FAILED}
    assert [d.path for d in verdicts["ruff format"].diagnostics] == ["src/calc.py", "tests/test_calc.py"]
    ruff = verdicts["ruff"].diagnostics
    assert ("src/calc.py", 1, "F401") in {(d.path, d.line, d.rule) for d in ruff}
    assert [(d.path, d.line, d.rule) for d in verdicts["mypy"].diagnostics] == [("src/calc.py", 4, "return-value")]
    (failed,) = verdicts["pytest"].diagnostics
    assert (failed.path, failed.line) == ("tests/test_calc.py", 7)
    assert verdicts["pytest"].counts == Counts(2, 1, 1)
    assert set(verdicts["pytest"].details["tools"]) == {"python", "pytest"}


def test_ruff_names_what_it_is_configured_to_mend_by_itself(bench: MakeBench) -> None:
    at = bench({"pyproject.toml": PROJECT + "[tool.ruff]\nfix = true\n", "a.py": "import os\n", **OWN_TOOLS})
    assert [d.rule for d in at.verify(Python(), "ruff")["ruff"].diagnostics] == ["F401"]
    assert (at.workspace / "a.py").read_text() == "import os\n"


def test_linters_look_at_the_repository_and_not_at_what_preparation_made(bench: MakeBench) -> None:
    """A project's own `exclude` takes the place of ruff's, and git, which ignores the rest, is not there."""
    scm = "[tool.setuptools_scm]\nversion_file = 'src/_made.py'\n[tool.ruff.format]\n"
    ruff = "[tool.ruff]\nexclude = ['docs']\nextend-exclude = ['own.py']\n"
    own = {"src/a.py": "import os\n", "src/b/_version.py": "import sys\n", "own.py": "import  os"}
    at = bench({"pyproject.toml": PROJECT + scm + ruff, **own})
    made = {".venv/lib/c.py": "import  os", "src/_made.py": "import  os", "a.egg-info/d.py": "import  os"}
    write(at.workspace, {**OWN_TOOLS, **made})
    verdicts = at.verify(Python(), "ruff", "ruff format")
    assert {d.path for d in verdicts["ruff"].diagnostics} == {"src/a.py", "src/b/_version.py"}
    assert verdicts["ruff format"].outcome is Outcome.PASSED


OLD_RUFF = """#!/bin/sh
for argument; do
    case $argument in
    --extend-exclude*) echo "error: unexpected argument '--extend-exclude' found" >&2; exit 2 ;;
    extend-exclude=*) echo "ruff failed: Failed to read $PWD/$argument: No such file or directory" >&2; exit 2 ;;
    esac
done
printf '%s\\n' '--- a.py' '+++ a.py' '@@ -1 +1 @@' '-a  =  1' '+a = 1' '1 file would be reformatted'
exit 1
"""


def test_a_ruff_that_cannot_be_told_more_to_exclude_says_what_is_not_formatted(bench: MakeBench) -> None:
    """As ruff 0.2.0 does it. A check whose own arguments are refused is red on the base commit, and so says nothing."""
    at = bench({"pyproject.toml": PROJECT + "[tool.ruff.format]\n", "a.py": "a  =  1\n"})
    write(at.workspace, {".venv/bin/ruff": OLD_RUFF})
    (found,) = at.verify(Python(), "ruff format")["ruff format"].diagnostics
    assert (found.path, found.line) == ("a.py", 1)


@pytest.mark.parametrize(
    ("test", "outcome", "word"),
    [
        ("def test_a(): ...", Outcome.PASSED, "1 test"),
        ("x = 1", Outcome.SKIPPED, "no tests"),
        ("import nowhere", Outcome.FAILED, "nowhere"),
        ("import os; os._exit(0)", Outcome.SKIPPED, "no tests"),
    ],
    ids=["green", "no tests", "broken import", "killed itself"],
)
def test_the_ends_of_pytest(bench: MakeBench, test: str, outcome: Outcome, word: str) -> None:
    at = bench({**OWN_TOOLS, "conftest.py": "", "test_a.py": test + "\n"})
    verdict = at.verify(Python(), "pytest")["pytest"]
    assert verdict.outcome is outcome
    assert word in verdict.summary + "".join(d.message + d.excerpt for d in verdict.diagnostics)


def test_a_file_that_cannot_be_imported_does_not_hide_the_tests_of_others(bench: MakeBench) -> None:
    broken, red = "import nowhere\n", "def test_b():\n    assert 1 == 2\n"
    verdict = bench({**OWN_TOOLS, "conftest.py": "", "test_a.py": broken, "test_b.py": red}).verify(Python(), "pytest")
    assert verdict["pytest"].counts == Counts(2, 2)
    assert [d.path for d in verdict["pytest"].diagnostics] == ["test_a.py", "test_b.py"]


def test_tests_find_programs_of_their_environment(bench: MakeBench) -> None:
    test = "import subprocess\ndef test_a():\n    assert subprocess.check_output(['greet']) == b'hi\\n'\n"
    at = bench({f"api/{name}": text for name, text in {**OWN_TOOLS, "test_a.py": test, "setup.py": ""}.items()})
    at.files["api/.venv/bin/greet"] = "#!/bin/sh\necho hi\n"
    assert at.verify(Python(), "pytest")["pytest"].outcome is Outcome.PASSED


def test_a_tool_that_the_project_does_not_install_is_said_and_no_pass(bench: MakeBench) -> None:
    at = bench({"pyproject.toml": PROJECT + "[tool.ruff]\n", "a.py": "import os\n"})
    verdict = at.verify(Python(), "ruff")["ruff"]
    assert verdict.outcome is Outcome.SKIPPED
    assert verdict.summary == "ruff is configured, but the project does not install it"


def test_a_project_without_dependencies_from_preparation_to_unittest(bench: MakeBench) -> None:
    case = "import unittest\n\nclass T(unittest.TestCase):\n    def test_one(self): self.assertEqual(1, {})\n"
    skip = "    @unittest.skip('later')\n    def test_two(self): ...\n"
    at = bench(
        {"requirements.txt": "", "app.py": "", "tests/__init__.py": "", "tests/test_a.py": case.format(1) + skip}
    )
    verdicts = at.verify(Python())
    assert verdicts["uv pip install"].outcome is Outcome.PASSED, verdicts["uv pip install"]
    assert verdicts["unittest"].outcome is Outcome.PASSED
    assert verdicts["unittest"].counts == Counts(1, 0, 1)
    assert verdicts["unittest"].counts.passed == ("tests.test_a.T.test_one",)
    at.files["tests/test_a.py"] = case.format(2)
    red = at.verify(Python())["unittest"]
    assert red.counts == Counts(1, 1)
    assert [(d.test, d.message) for d in red.diagnostics] == [("tests.test_a.T.test_one", "AssertionError: 1 != 2")]


def test_an_interpreter_that_the_machine_lacks_is_not_the_changes_fault(bench: MakeBench) -> None:
    at = bench({"pyproject.toml": PROJECT.replace(">=3.9", "==3.4.*"), "test_a.py": TEST})
    verdict = at.verify(Python(), "uv pip install")["uv pip install"]
    assert verdict.outcome is Outcome.ERRORED
    assert "3.4" in verdict.summary


def test_a_pinned_interpreter_that_is_missing_gives_way_to_one_that_is_allowed(bench: MakeBench) -> None:
    at = bench({"pyproject.toml": PROJECT, ".python-version": "3.4\n", "test_a.py": "import unittest\n"})
    verdict = at.verify(Python(), "uv pip install")["uv pip install"]
    assert verdict.outcome is Outcome.PASSED, verdict
