"""What is read of `.pre-commit-config.yaml`, however it is written: versions, arguments, type checkers of hooks."""

import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from greylag.model import Outcome, Severity
from greylag.protocols import Activation
from greylag.testing.verifiers import Bench, Files, detect
from greylag.verifiers import _hooked, _yaml
from greylag.verifiers._tool import Plan
from greylag.verifiers.pre_commit import PreCommit
from greylag.verifiers.python import Python

MakeBench = Callable[[dict[str, str]], Bench]
PROJECT = "[project]\nname = 'a'\nversion = '1'\nrequires-python = '>=3.9'\n"
PYTHON = f"exec {shlex.quote(sys.prefix)}/bin/python"  # of greylag's own environment, which the sandbox has, too
CONFIG = ".pre-commit-config.yaml"
MIRROR = "repos:\n- repo: https://github.com/pre-commit/mirrors-mypy\n  rev: v1.19.1\n  hooks:\n  - id: mypy\n"
MYPY = {"pyproject.toml": PROJECT + "[tool.mypy]\n", "src/a.py": "", "scripts/b.py": "", CONFIG: MIRROR}


def steps(activation: Activation) -> list[str]:
    assert isinstance(activation.plan, Plan)
    return [step.line for step in activation.plan.steps]


def pinned(text: str) -> str:
    return _hooked.pinned(Files({CONFIG: text}), "(?:astral-sh|charliermarsh)/ruff-pre-commit")


RUFF = "repo: https://github.com/astral-sh/ruff-pre-commit"


@pytest.mark.parametrize(
    "text",
    [
        f"repos:\n- {RUFF}\n  rev: v0.9.1\n  hooks:\n  - id: ruff\n",
        f"repos:\n- {RUFF}\n  # Ruff version.\n  rev: v0.9.1\n  hooks:\n  # Run the linter.\n  - id: ruff\n",
        f"repos:\n- {RUFF}  # the linter\n\n  rev: 'v0.9.1'  # newest\n  hooks: [{{id: ruff}}]\n",
        "repos:\n- rev: 0.9.1\n  repo: https://github.com/astral-sh/ruff-pre-commit.git\n  hooks:\n  - id: ruff\n",
        f"repos:\n- {RUFF}/\n  hooks:\n  - id: ruff\n    args: [--fix]\n  - id: ruff-format\n  rev: v0.9.1\n",
        f"repos:\n- {RUFF}\n  rev: {'0a' * 20}  # frozen: v0.9.1\n  hooks: []\n",
        "repos:\n- {repo: 'git@github.com:charliermarsh/ruff-pre-commit', rev: v0.9.1, hooks: [{id: ruff}]}\n",
        f"x: &rev v0.9.1\nrepos:\n- repo: local\n  hooks: [{{id: a}}]\n- {RUFF}\n  rev: *rev\n  hooks: []\n",
        '{"repos": [{"repo": "https://github.com/astral-sh/ruff-pre-commit", "rev": "v0.9.1", "hooks": []}]}',
    ],
)
def test_a_version_is_found_however_the_file_is_written(text: str) -> None:
    assert pinned(text) == "0.9.1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "repos: [",
        "repos: ruff",
        "- id: ruff",
        f"repos:\n- {RUFF}\n  rev: main\n  hooks: []\n",
        f"repos:\n- {RUFF}\n  rev: [v0.9.1]\n  hooks: {{id: ruff}}\n",
        f"repos:\n- {RUFF}\n  rev: {'0a' * 20}\n  hooks: []\n- repo: x\n  rev: v0.9.1\n  hooks: []\n",
        f"repos:\n#- {RUFF}\n#  rev: v0.9.1\n",
        "repos:\n- repo: https://github.com/me/not-astral-sh/ruff-pre-commit-of-mine\n  rev: v0.9.1\n  hooks: []\n",
        "a: &a [*a]\nrepos: *a\n",
        "repos: !!python/object/apply:os.system [echo]\n",
        "a: b: c\0",
    ],
)
def test_a_file_that_names_no_version_names_none(text: str) -> None:
    assert pinned(text) == ""


@pytest.mark.parametrize(
    "piece",
    ["[", "- ", "{a: ", "? ", "a: b\n", "&a ", "*a ", "'", '"', "\t", "!", "%a b\n", "---\n", "|\n", "- &a [*a]\n"],
)
def test_hostile_yaml_is_read_in_no_time(piece: str) -> None:
    began = time.monotonic()
    for size in (200_000, 1_000_000):
        text = piece * (size // len(piece))
        assert pinned(f"repos:\n{text}") == ""
        assert sum(1 for _ in _yaml.words(text)) <= size
    assert time.monotonic() - began < 5


def test_aliases_do_not_make_many_hooks_of_few() -> None:
    hooks = "x: &h [" + "{id: ruff}," * 9000 + "]\n"
    text = hooks + "repos:\n" + f"- {{repo: x, rev: {'0a' * 20}, hooks: *h}}\n" * 1500
    began = time.monotonic()
    assert len(_hooked.hooks(Files({CONFIG: text}))) == 500
    assert time.monotonic() - began < 2


# -- type checkers that hooks, tox and CI bring ----------------------------------------------------------------------


def test_mypy_comes_in_the_version_of_its_hook_and_sees_the_project() -> None:
    found = detect(Python(), MYPY)
    assert steps(found["uv pip install"])[-1] == "uv tool install --force mypy==1.19.1"
    plan = found["mypy"].plan
    assert isinstance(plan, Plan)
    assert plan.steps[0].programs == (("@home@/.greylag/tools/mypy-1.19.1/bin/mypy",),)
    assert plan.steps[0].arguments[:2] == ("--python-executable", ".venv/bin/python")
    assert {"--ignore-missing-imports", "--scripts-are-modules"} <= set(plan.steps[0].arguments)
    assert plan.steps[0].arguments[-1] == ".", "a hook looks at all files"


@pytest.mark.parametrize(
    ("more", "given", "target"),
    [
        ("    args: [--strict, --install-types, --non-interactive]\n", {"--strict"}, "."),
        ("    files: ^src/\n", {"--ignore-missing-imports", "--scripts-are-modules"}, "src"),
        ("    args: []\n    exclude: ^scripts/\n", set(), "src"),
        ("    args: [--strict, scripts]\n    pass_filenames: false\n", {"--strict"}, "scripts"),
    ],
)
def test_a_hook_says_how_mypy_is_called(more: str, given: set[str], target: str) -> None:
    plan = detect(Python(), {**MYPY, CONFIG: MIRROR + more})["mypy"].plan
    assert isinstance(plan, Plan)
    taken = set(plan.steps[0].arguments) & {
        *("--strict", "--install-types", "--non-interactive", "--ignore-missing-imports", "--scripts-are-modules"),
        *(".", "src", "scripts"),
    }
    assert taken == {*given, target}


def test_plug_ins_go_with_mypy_and_stubs_to_what_they_describe() -> None:
    beside = "    additional_dependencies: [pydantic>=2, types-requests==2.31, pandas-stubs]\n"
    lines = steps(detect(Python(), {**MYPY, CONFIG: MIRROR + beside})["uv pip install"])
    assert lines[-3].endswith("--no-deps --python .venv/bin/python types-requests==2.31 pandas-stubs")
    assert lines[-2].endswith("--with=pydantic>=2 --with=types-requests==2.31 --with=pandas-stubs mypy==1.19.1")


def test_packages_that_a_hook_brings_come_before_those_of_the_project(tmp_path: Path) -> None:
    found = detect(Python(), {**MYPY, CONFIG: MIRROR + "    additional_dependencies: [pytest==7.2.0]\n"})
    place = "@home@/.greylag/tools/mypy-1.19.1/mypy"
    assert f" --python-executable {place}/bin/python " in steps(found["mypy"])[0]
    plan = found["uv pip install"].plan
    assert isinstance(plan, Plan)
    join = plan.steps[-1]
    assert join.arguments[-1] == place
    venv, other = tmp_path / "venv", tmp_path / "other"
    for directory in (venv, other):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", directory], check=True)
    (packages,) = venv.glob("lib/python*/site-packages")
    (packages / "editable.pth").write_text("/workspace/src\nimport sys\n")
    subprocess.run([venv / "bin/python", *join.arguments[:-1], other], check=True)
    code = "import sys; print(*sys.path, sep='\\n')"
    path = subprocess.run([other / "bin/python", "-c", code], check=True, capture_output=True, text=True).stdout
    (own,) = other.glob("lib/python*/site-packages")
    assert path.splitlines()[-2:] == [str(own), str(packages)]
    assert (own / "zz-project.pth").read_text() == f"{packages}\n/workspace/src\n"


@pytest.mark.parametrize(
    ("files", "last"),
    [
        ({"tox.ini": "[testenv:mypy]\ndeps = mypy==1.9.0\ncommands = mypy src\n"}, "mypy==1.9.0"),
        ({"tox.ini": "[testenv:py{39,310}-mypy]\ndeps =\n    mypy\ncommands =\n    mypy\n"}, "--force mypy"),
        ({".github/workflows/ci.yml": "- run: pip install mypy\n- run: mypy src\n"}, "--force mypy"),
    ],
)
def test_mypy_comes_as_tox_or_ci_has_it(files: Mapping[str, str], last: str) -> None:
    group = {"pyproject.toml": MYPY["pyproject.toml"] + "[dependency-groups]\ntests = ['pytest']\n"}
    assert steps(detect(Python(), {**MYPY, **group, CONFIG: "", **files})["uv pip install"])[-1].endswith(last)


def test_plug_ins_of_the_project_are_loaded_in_its_environment() -> None:
    plugged = {"pyproject.toml": PROJECT + "[tool.mypy]\nplugins = ['pydantic.mypy']\n", "Makefile": "a:\n\tmypy src\n"}
    lines = steps(detect(Python(), {**MYPY, **plugged, CONFIG: ""})["uv pip install"])
    assert lines[-1] == "uv pip install --python .venv/bin/python mypy"
    assert "tool install" in steps(detect(Python(), {**MYPY, **plugged})["uv pip install"])[-1], "its hook brings them"


def test_what_a_project_installs_is_its_own() -> None:
    own = {"pyproject.toml": MYPY["pyproject.toml"] + "[dependency-groups]\ndev = ['mypy']\n"}
    found = detect(Python(), {**MYPY, **own})
    assert not any("mypy" in line for line in steps(found["uv pip install"]))
    assert steps(found["mypy"])[0].startswith(".venv/bin/mypy ")


def test_pyright_comes_in_the_version_of_its_hook() -> None:
    hook = (
        "repos:\n- repo: https://github.com/RobertCraigie/pyright-python\n  rev: v1.1.400\n  hooks: [{id: pyright}]\n"
    )
    found = detect(Python(), {"pyproject.toml": PROJECT + "[tool.pyright]\n", "a.py": "", CONFIG: hook})
    assert steps(found["uv pip install"])[-1].endswith(" pyright==1.1.400")
    assert steps(found["pyright"])[0].startswith("@home@/.greylag/tools/pyright-1.1.400/bin/pyright --outputjson")


def test_a_hook_that_looks_elsewhere_is_still_run() -> None:
    def skipped(files: Mapping[str, str]) -> bool:
        plan = detect(PreCommit(), files)["pre-commit"].plan
        assert isinstance(plan, Plan)
        return "mypy" in plan.steps[-1].env["SKIP"].split(",")

    assert skipped(MYPY)
    assert not skipped({**MYPY, CONFIG: MIRROR + "    files: ^scripts/\n"})
    assert not skipped({**MYPY, CONFIG: "exclude: ^src/\n" + MIRROR})


def test_the_real_mypy_sees_the_packages_of_the_project_from_its_own_environment(bench: MakeBench) -> None:
    sources = {"src/a.py": "import pytest\n\npytest.skip(1)\n", "scripts/b.py": "def f() -> int:\n    return ''\n"}
    python = {".venv/bin/python": f'#!/bin/sh\n{PYTHON} "$@"\n'}
    at = bench({**MYPY, **sources, CONFIG: MIRROR + "    args: []\n", **python})
    program = at.path / "home/.greylag/tools/mypy-1.19.1/bin/mypy"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\n{PYTHON} -m mypy "$@"\n')
    program.chmod(0o755)
    for directory in (at.path / "home").rglob("*"):
        directory.chmod(0o777)
    verdict = at.verify(Python(), "mypy")["mypy"]
    assert verdict.outcome is Outcome.FAILED, at.log(verdict)
    errors = [(d.path, d.line, d.rule) for d in verdict.diagnostics if d.severity is Severity.ERROR]
    assert sorted(map(str, errors)) == [
        "('scripts/b.py', 2, 'return-value')",
        "('src/a.py', 3, 'arg-type')",
    ], at.log(verdict)
    assert set(verdict.details["tools"]) == {"python", "mypy"}
    at.files |= {"src/a.py": "", "scripts/b.py": ""}
    assert at.verify(Python(), "mypy")["mypy"].outcome is Outcome.PASSED
    program.unlink()
    assert at.verify(Python(), "mypy")["mypy"].summary == "mypy==1.19.1 could not be installed"
