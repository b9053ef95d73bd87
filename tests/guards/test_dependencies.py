# ruff: noqa: E501 - a table reads best with one row a line
import json
from typing import Any

import pytest

PYPROJECT = '[project]\nname = "x"\ndependencies = ["click>=8"]\n\n[dependency-groups]\ndev = ["pytest"]\n'
PACKAGE = {"dependencies": {"a": "^1.0.0"}, "devDependencies": {"b": "2"}}
POM = "<project xmlns='http://maven.apache.org/POM/4.0.0'><dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId><version>1</version></dependency></dependencies></project>\n"
GO = "module example.org/x\n\ngo 1.22\n\nrequire (\n\tgithub.com/a/b v1.0.0\n)\n"
CARGO = '[package]\nname = "x"\n\n[dependencies]\nserde = "1"\n'
GRADLE = "dependencies {\n    implementation 'g:a:1.0'\n}\n"

ROWS = {
    "pyproject: new": ("pyproject.toml", PYPROJECT, PYPROJECT.replace('"click>=8"', '"click>=8", "requests>=2"'), ["error added"]),
    "pyproject: new in a group": ("pyproject.toml", PYPROJECT, PYPROJECT.replace('"pytest"', '"pytest", "mock"'), ["error added"]),
    "pyproject: bump": ("pyproject.toml", PYPROJECT, PYPROJECT.replace("click>=8", "click>=9"), ["warning changed"]),
    "pyproject: from elsewhere": ("pyproject.toml", PYPROJECT, PYPROJECT.replace("click>=8", "click @ git+https://example.org/click"), ["error changed"]),
    "pyproject: source": ("pyproject.toml", PYPROJECT, PYPROJECT + '[tool.uv.sources]\nclick = {path = "x"}\n', ["error added"]),
    "pyproject: index": ("pyproject.toml", PYPROJECT, PYPROJECT + '[[tool.uv.index]]\nurl = "https://example.org"\n', ["error added"]),
    "pyproject: removed": ("pyproject.toml", PYPROJECT, PYPROJECT.replace('"click>=8"', ""), ["info removed"]),
    "pyproject: spelled otherwise": ("pyproject.toml", PYPROJECT.replace("click", "My_Lib"), PYPROJECT.replace("click", "my-lib"), []),
    "pyproject: tool table": ("pyproject.toml", PYPROJECT, PYPROJECT + "[tool.ruff]\nline-length = 1\n", []),
    "pyproject: broken": ("pyproject.toml", PYPROJECT, PYPROJECT + "]]", ["error unreadable"]),
    "poetry: new": ("pyproject.toml", "[tool.poetry.dependencies]\npython = '^3.11'\n", "[tool.poetry.dependencies]\npython = '^3.12'\nclick = '8'\n", ["error added"]),
    "requirements: new": ("requirements-dev.txt", "click==8\n", "click==8\n# comment\nrequests[socks]==2.0 ; python_version > '3'\n", ["error added"]),
    "requirements: bump": ("requirements.txt", "click==8.0\n", "click==8.1\n", ["warning changed"]),
    "requirements: index": ("requirements.txt", "click==8.0\n", "--index-url https://example.org/simple\nclick==8.0\n", ["error added"]),
    "requirements: comment": ("requirements.txt", "click==8.0\n", "# why\nclick==8.0\n", []),
    "setup.cfg: new": ("setup.cfg", "[options]\ninstall_requires =\n    click\n", "[options]\ninstall_requires =\n    click\n    attrs>=2\n", ["error added"]),
    "npm: new": ("package.json", json.dumps(PACKAGE), json.dumps({"dependencies": {"a": "^1.0.0", "left-pad": "1"}, "devDependencies": {"b": "2"}}), ["error added"]),
    "npm: bump": ("web/package.json", json.dumps(PACKAGE), json.dumps(PACKAGE).replace("^1.0.0", "^1.1.0"), ["warning changed"]),
    "npm: from git": ("package.json", json.dumps(PACKAGE), json.dumps(PACKAGE).replace("^1.0.0", "github:evil/a"), ["error changed"]),
    "npm: override": ("package.json", json.dumps(PACKAGE), json.dumps({**PACKAGE, "overrides": {"c": "1"}}), ["error added"]),
    "npm: moved to another group": ("package.json", json.dumps(PACKAGE), json.dumps({"dependencies": {"a": "^1.0.0", "b": "2"}}), []),
    "npm: script": ("package.json", json.dumps(PACKAGE), json.dumps({**PACKAGE, "scripts": {"x": "y"}}), []),
    "npmrc: registry": (".npmrc", "a=b\n", "a=b\nregistry=https://example.org\n", ["error added"]),
    "maven: new": ("pom.xml", POM, POM.replace("</dependencies>", "<dependency><groupId>g</groupId><artifactId>b</artifactId></dependency></dependencies>"), ["error added"]),
    "maven: bump": ("pom.xml", POM, POM.replace("<version>1<", "<version>2<"), ["warning changed"]),
    "maven: entity bomb": ("pom.xml", POM, '<!DOCTYPE a [<!ENTITY x "y">]>' + POM, ["error unreadable"]),
    "go: new": ("go.mod", GO, GO.replace("v1.0.0\n", "v1.0.0\n\tgithub.com/c/d v0.1.0\n"), ["error added"]),
    "go: bump": ("go.mod", GO, GO.replace("v1.0.0", "v1.2.0"), ["warning changed"]),
    "go: replaced": ("go.mod", GO, GO + "\nreplace github.com/a/b => ../b\n", ["error changed"]),
    "cargo: new": ("Cargo.toml", CARGO, CARGO + 'rand = "0.8"\n', ["error added"]),
    "cargo: target": ("Cargo.toml", CARGO, CARGO + '[target."cfg(unix)".dependencies]\nlibc = "0.2"\n', ["error added"]),
    "cargo: bump": ("Cargo.toml", CARGO, CARGO.replace('serde = "1"', 'serde = "1.1"'), ["warning changed"]),
    "cargo: version of the package": ("Cargo.toml", CARGO, CARGO.replace('name = "x"', 'name = "x"\nversion = "2.0.0"'), []),
    "gradle: new": ("build.gradle", GRADLE, GRADLE.replace("}", "    testImplementation(\"g:b:1.0\")\n}"), ["error added"]),
    "gradle: bump": ("app/build.gradle.kts", GRADLE, GRADLE.replace("1.0", "1.1"), ["warning changed"]),
    "gradle: catalogue": ("gradle/libs.versions.toml", '[versions]\na = "1"\n', '[versions]\na = "1"\nb = "1"\n', ["error added"]),
    "gem: new": ("Gemfile", "gem 'rails', '7'\n", "gem 'rails', '7'\ngem 'rake'\n", ["error added"]),
    "php: new": ("composer.json", '{"require": {}}', '{"require": {"a/b": "1"}}', ["error added"]),
    ".net: new": ("A.csproj", "<a/>\n", '<a/>\n<PackageReference Include="X" Version="1" />\n', ["error added"]),
    "lock alone": ("uv.lock", "a\n", "b\n", ["warning lock-only"]),
    "source code": ("src/a.py", "import a\n", "import b\n", []),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_manifests(guard: Any, found: Any, name: str) -> None:
    path, base, head, expected = ROWS[name]
    verdict = guard("dependencies", {path: base}, {path: head})
    assert [line.replace(" dependencies/", " ").removesuffix(f" {path}") for line in found(verdict)] == expected


def test_new_manifest_names_all_its_dependencies(guard: Any, found: Any) -> None:
    assert (
        found(guard("dependencies", {}, {"pyproject.toml": PYPROJECT}))
        == ["error dependencies/added pyproject.toml"] * 2
    )


def test_lock_file_with_its_manifest_passes(guard: Any, found: Any) -> None:
    base, head = json.dumps(PACKAGE), json.dumps(PACKAGE).replace("^1.0.0", "^1.1.0")
    files = {"package.json": base, "package-lock.json": "1\n"}, {"package.json": head, "package-lock.json": "2\n"}
    assert found(guard("dependencies", *files)) == ["warning dependencies/changed package.json"]


def test_lock_file_of_a_workspace_goes_with_a_manifest_below(guard: Any, found: Any) -> None:
    manifest = "packages/a/package.json"
    base, head = json.dumps(PACKAGE), json.dumps({**PACKAGE, "version": "2"})
    assert (
        found(guard("dependencies", {manifest: base, "yarn.lock": "1\n"}, {manifest: head, "yarn.lock": "2\n"})) == []
    )


def test_prompt_may_allow_dependencies(guard: Any, found: Any) -> None:
    verdict = guard("dependencies", {}, {"pyproject.toml": PYPROJECT}, allow=["dependencies"])
    assert verdict.passed
    assert found(verdict) == ["info dependencies/added pyproject.toml"] * 2
