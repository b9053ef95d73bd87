"""Packages that a change adds beside others: what they set for themselves, and what they take from the others."""

import json
import time
from typing import Any

import pytest

WORKSPACE = {
    "package.json": json.dumps({"workspaces": ["p/*"], "devDependencies": {"vitest": "2"}}),
    "p/a/package.json": json.dumps({"name": "@m/a", "scripts": {"test": "vitest run"}}),
}


def _new(**settings: object) -> dict[str, str]:
    return {**WORKSPACE, "p/b/package.json": json.dumps({"name": "@m/b", **settings})}


@pytest.mark.parametrize(
    ("settings", "stopped"),
    [
        ({"scripts": {"test": "vitest run"}}, False),
        ({"scripts": {"test": "vitest run --coverage", "lint": "eslint ."}}, False),
        ({"scripts": {"test": 'echo "no test" && exit 1'}}, False),
        ({"scripts": {"test": "echo fine"}}, True),
        ({"scripts": {"test": "vitest run --passWithNoTests"}}, True),
        ({"scripts": {"postinstall": "node x.js"}}, True),
        ({"jest": {"testPathIgnorePatterns": ["slow"]}}, True),
        ({"bin": {"b": "b.js"}}, False),
        ({"bin": {"vitest": "b.js"}}, True),
    ],
)
def test_a_new_package_is_free_in_what_concerns_it_alone(guard: Any, settings: dict[str, Any], stopped: bool) -> None:
    assert guard("gates", WORKSPACE, _new(**settings)).passed is not stopped


@pytest.mark.parametrize(
    ("requirement", "stopped"),
    [
        ({"vitest": "2"}, False),
        ({"@m/a": "workspace:*"}, False),
        ({"@m/a": "file:../a"}, False),
        ({"@m/a": "file:../../../a"}, True),
        ({"@m/a": "git+https://example.org/a"}, True),
        ({"vitest": "npm:other@2"}, True),
        ({"vitest": "github:other/vitest"}, True),
        ({"left-pad": "1"}, True),
        ({"@m/b": "1"}, False),  # it has the scope of the repository's own packages
    ],
)
def test_what_another_package_has_is_no_new_dependency(guard: Any, requirement: dict[str, str], stopped: bool) -> None:
    assert guard("dependencies", WORKSPACE, _new(dependencies=requirement)).passed is not stopped


def test_a_name_of_the_change_itself_vouches_for_no_package_from_the_net(guard: Any) -> None:
    head = {**_new(dependencies={"left-pad": "1"}), "p/c/package.json": json.dumps({"name": "left-pad"})}
    assert not guard("dependencies", WORKSPACE, head).passed


def test_settings_nearer_to_what_was_there_are_a_gate(guard: Any) -> None:
    base = {"pytest.ini": "[pytest]\nxfail_strict = true\n", "tests/test_a.py": "def test_a():\n    assert f() == 1\n"}
    ini = "[pytest]\ntestpaths = .\n"
    assert not guard("gates", base, {**base, "tests/pytest.ini": ini}).passed
    other = {**base, "other/pytest.ini": ini, "other/test_b.py": "def test_b(): ...\n"}
    assert not guard("gates", base, other).passed
    assert guard("gates", base, {**other, "other/pyproject.toml": '[project]\nname = "b"\n'}).passed
    moved = {"pytest.ini": base["pytest.ini"], "other/pytest.ini": ini, "other/test_a.py": base["tests/test_a.py"]}
    assert not guard("gates", base, moved).passed


def test_a_thousand_new_packages_are_quick(guard: Any) -> None:
    head = {f"p/n{number}/package.json": json.dumps({"name": f"n{number}"}) for number in range(1000)}
    began = time.process_time()
    assert guard("gates", WORKSPACE, WORKSPACE | head).passed
    assert time.process_time() - began < 10


def test_a_list_of_tables_among_the_settings_of_a_checker_is_read(guard: Any) -> None:
    deny = '[bans]\nskip-tree = [\n    { name = "a" },\n]\n'
    more = deny.replace("},\n", '},\n    { name = "b" },\n')
    assert not guard("gates", {"deny.toml": deny}, {"deny.toml": more}).passed


def test_a_package_that_goes_has_no_members_to_lose(guard: Any) -> None:
    crate = {"Cargo.toml": '[workspace]\nmembers = ["a", "b"]\n', "b/Cargo.toml": '[package]\nname = "b"\n'}
    assert guard("gates", crate, {"Cargo.toml": crate["Cargo.toml"]}).passed
    assert not guard("gates", crate, {**crate, "Cargo.toml": '[workspace]\nmembers = ["a"]\n'}).passed
    assert not guard("gates", crate, {**crate, "Cargo.toml": '[workspace]\nresolver = "2"\n'}).passed
