"""Hooks of pre-commit: which are left to other verifiers, what is read of them, and the real pre-commit."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from greylag.model import Outcome, Phase
from greylag.protocols import Activation, Tree
from greylag.testing.verifiers import Bench, detect
from greylag.verifiers._tool import Plan
from greylag.verifiers.pre_commit import PreCommit, hooks_text

MakeBench = Callable[[dict[str, str]], Bench]
GOLDEN = Path(__file__).parent.parent / "golden"
CONFIG = ".pre-commit-config.yaml"
RUFF = (
    "- repo: https://github.com/astral-sh/ruff-pre-commit\n  rev: v0.9.1\n  hooks:\n  - id: ruff\n  - id: ruff-format\n"
)


def skipped(files: Mapping[str, str]) -> set[str]:
    plan = detect(PreCommit(), {CONFIG: f"repos:\n{RUFF}", **files})["pre-commit"].plan
    assert isinstance(plan, Plan)
    return set(plan.steps[-1].env["SKIP"].split(","))


def test_the_hooks_are_installed_and_run_at_the_top_of_a_repository() -> None:
    found = detect(PreCommit(), {CONFIG: "repos: []\n", "a.py": ""})
    assert [(a.name, a.phase, a.inputs) for a in found.values()] == [
        ("pre-commit install-hooks", Phase.PREPARE, (CONFIG,)),
        ("pre-commit", Phase.STATIC, ()),
    ]
    assert detect(PreCommit(), {f"web/{CONFIG}": "repos: []\n"}) == {}


@pytest.mark.parametrize("version", ["", "3.7.1"])
def test_pre_commit_comes_in_the_version_that_the_repository_pins(version: str) -> None:
    files = {CONFIG: "repos: []\n", "requirements-dev.txt": f"pre-commit=={version}\n" if version else "six\n"}
    plan = detect(PreCommit(), files)["pre-commit install-hooks"].plan
    assert isinstance(plan, Plan)
    assert plan.steps[0].arguments[-1] == ("pre-commit==3.7.1" if version else "pre-commit")


def test_a_tool_is_run_by_itself_or_by_pre_commit_and_never_by_both() -> None:
    python = "[project]\nname = 'a'\nversion = '1'\n"
    assert not {"ruff", "mypy", "black", "eslint"} & skipped({})
    assert {"shellcheck", "yamllint"} <= skipped({})
    assert {"ruff", "ruff-check", "ruff-format"} <= skipped({"pyproject.toml": python + "[tool.ruff]\n", "a.py": ""})
    assert "mypy" not in skipped({"pyproject.toml": python + "[tool.mypy]\n", "a.py": ""}), "nobody installs it"
    declared = python + "[tool.mypy]\n[dependency-groups]\ndev = ['mypy']\n"
    assert "mypy" in skipped({"pyproject.toml": declared, "a.py": ""})
    assert "ruff" not in skipped({"api/pyproject.toml": python + "[tool.ruff]\n", "api/a.py": ""})
    scripts = {"lint": "eslint .", "fix": "prettier --write ."}
    assert {"eslint", "prettier"} <= skipped({"package.json": json.dumps({"scripts": scripts})})


def test_what_hooks_say_becomes_places() -> None:
    found = hooks_text((GOLDEN / "pre-commit/run.txt").read_bytes(), ".", "/workspace")
    assert [(d.path, d.line, d.rule) for d in found if d.path] == [
        ("b.py", None, "trailing-whitespace"),
        ("src/a.py", 1, "places"),
        ("src/a.py", 2, "places"),
        ("web/c.txt", None, "pre-commit"),
    ]
    assert [(d.message, d.excerpt) for d in found if not d.path] == [("hook `words` failed", "3 words are wrong")]
    assert found[0].message == "hook `trailing-whitespace` changes this file"
    assert found[1].message == "F401 'os' imported but unused"


# -- the real pre-commit ---------------------------------------------------------------------------------------------

LOCAL = """repos:
- repo: local
  hooks:
  - {id: todo, name: no todo, language: pygrep, entry: 'TODO', types: [python]}
  - {id: mend, name: mend, language: system, entry: sh -c 'for f do sed -i "s/ *$//" "$f"; done' sh, types: [text]}
"""
UNREACHABLE = "- repo: http://localhost:1/nowhere\n  rev: v1\n  hooks:\n  - id: lost\n"


class Installed(PreCommit):
    """Without the step that brings pre-commit, the only one that needs a network here."""

    def detect(self, tree: Tree) -> Sequence[Activation]:
        prepare, run = super().detect(tree)
        assert isinstance(prepare.plan, Plan)
        return replace(prepare, plan=replace(prepare.plan, steps=prepare.plan.steps[1:])), run


def place(at: Bench) -> None:
    """pre-commit where preparation would have installed it."""
    python = Path(str(shutil.which("pre-commit"))).with_name("python")
    own = at.path / "home/.greylag/tools/pre-commit-any/pre-commit/bin/python"
    own.parent.mkdir(parents=True)
    own.write_text(f'#!/bin/sh\nexec "{python}" "$@"\n')
    own.chmod(0o755)
    for directory in (at.path / "home").rglob("*"):
        directory.chmod(0o777)


@pytest.mark.toolchain("pre-commit")
def test_hooks_fail_with_their_places_and_change_nothing(bench: MakeBench) -> None:
    at = bench({CONFIG: LOCAL, "a.py": "a = 1  # TODO\n", "b c.txt": "b \n"})
    place(at)
    red = at.verify(Installed())["pre-commit"]
    assert red.outcome is Outcome.FAILED, at.log(red)
    assert [(d.path, d.line, d.rule) for d in red.diagnostics] == [("a.py", 1, "todo"), ("b c.txt", None, "pre-commit")]
    at.files |= {"a.py": "a = 1\n", "b c.txt": "b\n"}
    good = at.verify(Installed())["pre-commit"]
    assert good.outcome is Outcome.PASSED, at.log(good)
    assert set(good.details["tools"]) == {"pre-commit"}


def test_two_failures_of_one_hook_are_not_one() -> None:
    text = (GOLDEN / "pre-commit/run.txt").read_bytes()
    others = [text.replace(b"words are", b"letters are"), text.replace(b"3 words", b"4 words")]
    (first,), *more = ([d.fingerprint for d in hooks_text(it, ".", "/w") if not d.path] for it in (text, *others))
    assert [first in found for found in more] == [False, True]


@pytest.mark.toolchain("pre-commit")
def test_hooks_that_cannot_be_had_are_said_and_take_no_others_along(bench: MakeBench) -> None:
    left = UNREACHABLE.replace("1/nowhere", "1/elsewhere").replace("lost", "yamllint")
    at = bench({CONFIG: LOCAL + UNREACHABLE + left, "a.py": "a = 1  # TODO\n"})
    place(at)
    verdicts = at.verify(Installed())
    prepared = verdicts["pre-commit install-hooks"]
    assert prepared.outcome is Outcome.SKIPPED, at.log(prepared)
    assert prepared.summary.endswith("hooks that cannot be had: http://localhost:1/nowhere")
    assert [d.rule for d in verdicts["pre-commit"].diagnostics] == ["todo"]
    at.files[CONFIG] = "repos:\n" + UNREACHABLE
    assert {v.outcome for v in at.verify(Installed()).values()} == {Outcome.SKIPPED}
