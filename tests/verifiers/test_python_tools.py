"""Tools of Python projects beside ruff, mypy and pytest: where they are used, in which version, and the real ones."""

import shutil
from collections.abc import Callable, Mapping

import pytest

from greylag.model import Counts, Outcome, Phase, Severity
from greylag.protocols import Activation
from greylag.testing.verifiers import Bench, detect
from greylag.verifiers import _summaries
from greylag.verifiers._tool import Plan
from greylag.verifiers.python import Python

MakeBench = Callable[[dict[str, str]], Bench]
PROJECT = "[project]\nname = 'a'\nversion = '1'\nrequires-python = '>=3.9'\n"
HOOKS = ".pre-commit-config.yaml"
WORKFLOW = ".github/workflows/ci.yml"
TESTS = {"tests/test_a.py": "import unittest\n"}


def found(files: Mapping[str, str]) -> dict[str, Activation]:
    return detect(Python(), {"pyproject.toml": PROJECT, "a.py": "", **files})


def hook(name: str, repository: str, rev: str, more: str = "") -> dict[str, str]:
    return {HOOKS: f"repos:\n- repo: https://github.com/{repository}\n  rev: {rev}\n  hooks:\n  - id: {name}\n{more}"}


def table(text: str) -> dict[str, str]:
    return {"pyproject.toml": PROJECT + text}


def last(files: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The arguments of the last step of an activation."""
    plan = found(files)[name].plan
    assert isinstance(plan, Plan)
    return plan.steps[-1].arguments


# -- where they are used ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "files", "reason"),
    [
        ("black", table("[tool.black]\n"), "[tool.black] in pyproject.toml"),
        ("black", hook("black", "psf/black", "24.1.0"), f"hook `black` in {HOOKS}"),
        ("black", {WORKFLOW: "  - uses: psf/black@stable\n"}, f"`black` in {WORKFLOW}"),
        ("black", {"tox.ini": "[testenv:fmt]\ncommands = black --check src\n"}, "`black` in tox.ini"),
        ("black", {"noxfile.py": "    session.run('black', '--check', 'src')\n"}, "`black` in noxfile.py"),
        ("black", table("[dependency-groups]\ndev = ['black>=24']\n"), "black among its dependencies for development"),
        ("flake8", {".flake8": "[flake8]\n"}, ".flake8"),
        ("flake8", {"tox.ini": "[flake8]\nmax-line-length = 100\n"}, "[flake8] in tox.ini"),
        ("flake8", {"requirements-dev.txt": "flake8\n"}, "flake8 among its dependencies for development"),
        ("ty", {"ty.toml": ""}, "ty.toml"),
        ("ty", {"Makefile": "types:\n\tuv run ty check src\n"}, "`ty check` in Makefile"),
        ("basedpyright", table("[tool.basedpyright]\n"), "[tool.basedpyright] in pyproject.toml"),
        (
            "basedpyright",
            table("[tool.pyright]\n[dependency-groups]\ndev = ['basedpyright']\n"),
            "basedpyright among its dependencies for development",
        ),
    ],
)
def test_something_in_the_repository_says_that_a_tool_is_used(tool: str, files: Mapping[str, str], reason: str) -> None:
    activations = found(files)
    assert activations[tool].reason == reason
    assert set(activations) == {"uv pip install", tool}
    assert activations[tool].phase is (Phase.FORMAT if tool == "black" else Phase.STATIC)


@pytest.mark.parametrize(
    "files",
    [
        {},
        table("dependencies = ['black', 'flake8', 'ty']\n"),
        {"requirements.txt": "black\n"},
        {WORKFLOW: "  - run: pip install black flake8\n"},
        {WORKFLOW: "  env:\n    COLOUR: black\n", "package.json": '{"theme": "black",\n"a": 1}'},
        {"Makefile": "# black is for coffee\nty:\n\techo party-ty\n"},
    ],
)
def test_what_a_project_only_needs_or_mentions_is_no_tool_of_its_own(files: Mapping[str, str]) -> None:
    assert found(files) == {}


def test_another_project_of_a_monorepo_does_not_use_what_the_top_calls() -> None:
    files = {"api/pyproject.toml": PROJECT, "api/a.py": "", "Makefile": "lint:\n\tblack --check .\n"}
    assert detect(Python(), files) == {}
    assert "black (api)" in detect(Python(), {**files, "api/pyproject.toml": PROJECT + "[tool.black]\n"})


def test_options_and_directories_are_those_of_the_call() -> None:
    assert last({WORKFLOW: "  - run: black --check -l 100 src\n", "src/a.py": ""}, "black") == (
        "--check", "--diff", "-l", "100", "src"
    )  # fmt: skip
    assert last(table("[tool.black]\n"), "black") == ("--check", "--diff", ".")
    files = {".flake8": "", "src/a.py": "", "docs/conf.py": "", **TESTS}
    assert last(files, "flake8")[1:] == ("./a.py", "./src", "./tests")
    called = {**files, "Makefile": "lint:\n\tflake8 --select=E9 --exit-zero src $(MORE)\n"}
    assert last(called, "flake8")[1:] == ("--select=E9", "--exit-zero", "src")


@pytest.mark.parametrize(
    ("files", "requirements"),
    [
        (hook("black", "psf/black-pre-commit-mirror", "24.1.0"), ("black==24.1.0",)),
        (
            hook("flake8", "PyCQA/flake8", "7.0.0", "    additional_dependencies: [flake8-bugbear==24.1.17]\n"),
            ("flake8==7.0.0", "flake8-bugbear==24.1.17"),
        ),
        (
            hook("flake8", "pycqa/flake8", "7.0.0", "    additional_dependencies:\n    - --index-url=http://x\n"),
            ("flake8==7.0.0",),
        ),
        ({WORKFLOW: "  - run: pip install black==23.1\n  - run: black --check .\n"}, ("black==23.1",)),
        ({WORKFLOW: "  - run: pip install black\n  - run: black --check .\n"}, ("black",)),
        ({"tox.ini": "[testenv:lint]\ndeps = flake8==6.0\ncommands = flake8 a.py\n"}, ("flake8==6.0",)),
    ],
)
def test_a_tool_comes_in_the_version_that_the_repository_pins(
    files: Mapping[str, str], requirements: tuple[str, ...]
) -> None:
    assert last(files, "uv pip install")[4:] == requirements


def test_names_of_directories_are_no_options() -> None:
    files = {"Makefile": "lint:\n\tblack --check ./--quiet src\n", "--quiet/a.py": "", "src/a.py": ""}
    assert last(files, "black") == ("--check", "--diff", "src")


def test_a_tool_that_only_has_settings_is_not_brought() -> None:
    assert "black" not in last(table("[tool.black]\n"), "uv pip install")


# -- test environments -----------------------------------------------------------------------------------------------

TOX = "[tox]\nenvlist = py39\n[testenv]\ncommands = python check.py\n"
NOX = (
    "import nox\n\n@nox.session(python=['3.9', '3.12'])\n@nox.parametrize('a', [1])\ndef tests(session, a):\n    pass\n"
)
HATCH = "[tool.hatch.envs.test.scripts]\nunit = 'python check.py'\n"


@pytest.mark.parametrize(
    ("files", "tool", "reason", "arguments"),
    [
        ({"tox.ini": TOX}, "tox", "environment `py` of tox in tox.ini", "run -e py --skip-pkg-install"),
        (
            {"tox.ini": "[testenv:unit]\ncommands = trial a\n"},
            "tox",
            "environment `unit` of tox in tox.ini",
            "run -e unit --skip-pkg-install",
        ),
        (
            table("[tool.tox.env_run_base]\ncommands = [['a']]\n"),
            "tox",
            "environment `py` of tox in pyproject.toml",
            "run -e py --skip-pkg-install",
        ),
        (
            {"noxfile.py": NOX},
            "nox",
            "session `tests` in noxfile.py",
            "-R --force-python python --no-error-on-missing-interpreters -s tests",
        ),
        (table(HATCH), "hatch", "script `unit` of the environment `test` in pyproject.toml", "run test:unit"),
    ],
)
def test_an_environment_for_tests_is_taken_where_there_is_no_plain_way(
    files: Mapping[str, str], tool: str, reason: str, arguments: str
) -> None:
    activations = found(files)
    assert list(activations) == ["uv pip install", tool]
    assert (activations[tool].phase, activations[tool].reason) == (Phase.TEST, reason)
    assert " ".join(last(files, tool)) == arguments
    prepare = activations["uv pip install"]
    assert (prepare.inputs, prepare.outputs) == ((), None), "an environment holds a copy of the project"
    assert list(found({**files, **TESTS})) == ["uv pip install", "unittest"]


LINT = "[testenv:lint]\ncommands = pyflakes a\n[testenv:style]\ncommands = flake8\n[testenv:docs]\ncommands = x\n"


@pytest.mark.parametrize(
    "files",
    [
        {"tox.ini": TOX.replace("py39", "py39, lint\n style\n 3.12-a") + LINT},
        {
            "tox.toml": 'env_list = ["3.13", "lint", "style", "unit"]\n[env.lint]\ncommands = [["pyflakes", "a"]]\n'
            '[env.style]\ncommands = [["flake8"]]\n[env.unit]\ncommands = [["a"]]\n',
            "tox.ini": "[testenv:style]\ncommands = flake8\n",
        },
    ],
)
def test_what_tox_runs_beside_tests_is_run_as_well(files: Mapping[str, str]) -> None:
    activations = found({**files, ".flake8": "[flake8]\n"})
    assert [name for name in activations if name.startswith("tox")] == ["tox", "tox lint"]
    assert activations["tox lint"].phase is Phase.STATIC
    assert last({**files, ".flake8": ""}, "tox lint") == ("run", "-e", "lint", "--skip-pkg-install")
    plan = activations["uv pip install"].plan
    assert isinstance(plan, Plan)
    assert plan.steps[-1].arguments[2].split(",")[1:] == ["lint"]


@pytest.mark.parametrize(
    "files",
    [
        {"tox.ini": "[testenv:docs]\ncommands = sphinx-build\n"},
        {"noxfile.py": "import nox\n@nox.session\ndef lint(session):\n    pass\n"},
        table("[tool.hatch.envs.docs.scripts]\nbuild = 'x'\n"),
        table(HATCH + "[[tool.hatch.envs.test.matrix]]\npython = ['3.9']\n"),
    ],
)
def test_an_environment_for_something_else_runs_no_tests(files: Mapping[str, str]) -> None:
    assert found(files) == {}


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("py: commands[0]> pytest\n=== 1 failed, 3 passed, 2 skipped in 0.12s ===\n", Counts(4, 1, 2)),
        ("5 passed, 1 warning in 0.10s\n", Counts(5)),
        ("1 passed, 1 error, 1 xfailed in 3.10s\n", Counts(3, 1)),
        ("Ran 3 tests in 0.001s\n\nOK (skipped=1)\n", Counts(2, 0, 1)),
        ("  py: OK (1.00=setup[0.50]+cmd[0.10] seconds)\n", None),
    ],
)
def test_counts_come_from_closing_lines(text: str, counts: Counts | None) -> None:
    read = _summaries.python(text.encode(), ".", "/workspace")
    assert (read[0] if read else None) == counts


# -- real tools ------------------------------------------------------------------------------------------------------

SLOPPY = "import os\n\n\ndef add(a: int, b: int) -> int:\n    return str(a+b)\n"
CLEAN = "def add(a: int, b: int) -> int:\n    return a + b\n"


def installed(tool: str) -> dict[str, str]:
    """What a preparation would have made, from a tool of this machine."""
    place = shutil.which(tool)
    return {
        f".venv/bin/{tool}": f'#!/bin/sh\nexec "{place}" "$@"\n',
        ".venv/bin/python": '#!/bin/sh\nexec python3 "$@"\n',
    }


def errors(bench: MakeBench, tool: str, files: Mapping[str, str]) -> list[tuple[str | None, int | None, str | None]]:
    """What a tool finds in sloppy code; it finds nothing in clean code."""
    at = bench({"pyproject.toml": PROJECT, "src/a.py": SLOPPY, **files, **installed(tool)})
    broken = at.verify(Python(), tool)[tool]
    assert broken.outcome is Outcome.FAILED, at.log(broken)
    at.files["src/a.py"] = CLEAN
    good = at.verify(Python(), tool)[tool]
    assert good.outcome is Outcome.PASSED, at.log(good)
    return [(d.path, d.line, d.rule) for d in broken.diagnostics if d.severity is Severity.ERROR]


@pytest.mark.toolchain("black")
def test_black_names_files(bench: MakeBench) -> None:
    assert errors(bench, "black", table("[tool.black]\n")) == [("src/a.py", None, "black")]


@pytest.mark.toolchain("flake8")
def test_flake8_names_places_whatever_format_is_configured(bench: MakeBench) -> None:
    settings = {".flake8": "[flake8]\nselect = F,E226\nformat = pylint\n"}
    assert errors(bench, "flake8", settings) == [("src/a.py", 1, "F401"), ("src/a.py", 5, "E226")]


@pytest.mark.toolchain("ty")
def test_ty_names_places(bench: MakeBench) -> None:
    at = [("src/a.py", 5, "invalid-explicit-return")]
    library = {".venv/lib/python3.11/site-packages/six.py": ""}
    assert errors(bench, "ty", {**table("[tool.ty]\n"), **library}) == at


@pytest.mark.toolchain("basedpyright")
def test_basedpyright_names_places(bench: MakeBench) -> None:
    at = [("src/a.py", 5, "reportReturnType")]
    assert errors(bench, "basedpyright", table("[tool.basedpyright]\nfailOnWarnings = false\n")) == at


CHECK = (
    "import unittest\nclass T(unittest.TestCase):\n    def test_one(self): self.assertEqual(1, {})\n"
    "    @unittest.skip('later')\n    def test_two(self): ...\nunittest.main()\n"
)
ENVIRONMENTS = {
    "tox": {"tox.ini": "[testenv]\nskip_install = true\ncommands = python check.py -v\n"},
    "nox": {
        "noxfile.py": "import nox\n\n@nox.session(python=['3.4', '3.99'], venv_backend='none')\n"
        "def tests(session):\n    session.run('python', 'check.py', '-v')\n"
    },
    "hatch": table(
        "[tool.hatch.envs.test]\nskip-install = true\n[tool.hatch.envs.test.scripts]\nrun = 'python check.py -v'\n"
    ),
}


@pytest.mark.parametrize("tool", [pytest.param(tool, marks=pytest.mark.toolchain(tool)) for tool in ENVIRONMENTS])
def test_test_environments_count_tests_and_name_those_that_fail(bench: MakeBench, tool: str) -> None:
    at = bench({"pyproject.toml": PROJECT, "check.py": CHECK.format(1), **ENVIRONMENTS[tool], **installed(tool)})
    good = at.verify(Python(), tool)[tool]
    assert (good.outcome, good.counts) == (Outcome.PASSED, Counts(1, 0, 1)), at.log(good)
    at.files["check.py"] = CHECK.format(2)
    red = at.verify(Python(), tool)[tool]
    assert (red.outcome, red.counts) == (Outcome.FAILED, Counts(1, 1, 1)), at.log(red)
    assert [d.message for d in red.diagnostics] == ["AssertionError: 1 != 2"]
    at.files["check.py"] = "import unittest\nunittest.main()\n"
    assert at.verify(Python(), tool)[tool].outcome is Outcome.SKIPPED
