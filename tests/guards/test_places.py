# ruff: noqa: E501 - a table reads best with one row a line
"""Where manifests take packages from: the requirements of one name in several tables, and sources of all packages."""

import json
import time
from contextlib import suppress
from typing import Any

import pytest

from greylag.guards._gates.manifests import ManifestError, dependencies
from greylag.guards._gates.registries import sources

EVIL = "https://evil.example/x"
GO = "module example.org/x\n\nrequire github.com/a/b v1.0.0\n"
CARGO = '[package]\nname = "x"\n\n[dependencies]\nserde = "1"\n\n[dev-dependencies]\nserde = "1"\n'
GIT = f'{{ git = "{EVIL}" }}'
NPM = json.dumps({"dependencies": {"zod": "^3"}, "devDependencies": {"zod": "^3"}})
PY = '[project]\nname = "a"\ndependencies = ["httpx>=0.27"]\n\n[dependency-groups]\ndev = ["httpx>=0.27"]\n'
POM = "<project><dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId><version>1</version></dependency></dependencies></project>"
GRADLE = "repositories { mavenCentral() }\ndependencies {\n  implementation 'g:a:1.0'\n}\n"
GEM = "source 'https://rubygems.org'\ngem 'rake'\ngem 'rails'\n"
SWIFT = 'let package = Package(dependencies: [.package(url: "https://github.com/apple/a", from: "1.0.0")])\n'

BLOCKED = {
    "go: replaced before it is required": ("go.mod", GO, GO.replace("require", "replace github.com/a/b => ./b\n\nrequire")),
    "go: another directory": ("go.mod", f"{GO}replace github.com/a/b => ./b\n", f"{GO}replace github.com/a/b => ../c\n"),
    "cargo: one of two tables": ("Cargo.toml", CARGO, CARGO.replace('serde = "1"', f"serde = {GIT}", 1)),
    "cargo: patch": ("Cargo.toml", CARGO, f"[patch.crates-io]\nserde = {GIT}\n\n{CARGO}"),
    "cargo: patch of an address": ("Cargo.toml", CARGO, f'{CARGO}\n[patch."https://github.com/rust-lang/crates.io-index"]\nserde = {GIT}\n'),
    "cargo: replace": ("Cargo.toml", CARGO, f'{CARGO}\n[replace]\n"serde:1.0.0" = {GIT}\n'),
    "cargo: another package by that name": ("Cargo.toml", CARGO, CARGO.replace('"1"', '{ package = "evil", version = "1" }', 1)),
    "npm: one of two tables": ("package.json", NPM, NPM.replace("^3", "github:evil/zod", 1)),
    "npm: another package by that name": ("package.json", NPM, NPM.replace("^3", "npm:evil@3", 1)),
    "npm: resolution": ("package.json", NPM, NPM.replace('"dependencies"', '"resolutions": {"zod": "npm:evil@1"}, "dependencies"', 1)),
    "python: one of two groups": ("pyproject.toml", PY, PY.replace("httpx>=0.27", f"httpx @ {EVIL}", 1)),
    "python: override": ("pyproject.toml", PY, f'{PY}\n[tool.uv]\noverride-dependencies = ["httpx @ {EVIL}"]\n'),
    "python: an environment of hatch": ("pyproject.toml", PY, f'{PY}\n[tool.hatch.envs.test]\nextra-dependencies = ["mock"]\n'),
    "python: index of uv": ("pyproject.toml", PY, f'{PY}\n[tool.uv]\nindex-url = "{EVIL}"\n'),
    "python: source of poetry": ("pyproject.toml", PY, f'{PY}\n[[tool.poetry.source]]\nurl = "{EVIL}"\n'),
    "requirements: twice": ("requirements.txt", "httpx==1\n", f"httpx @ {EVIL}\nhttpx==1\n"),
    "requirements: file elsewhere": ("requirements.txt", "httpx==1\n", f"-r {EVIL}\nhttpx==1\n"),
    "requirements: links": ("requirements.txt", "httpx==1\n", f"--find-links={EVIL}\nhttpx==1\n"),
    "pip: index": ("pip.conf", "", f"[global]\nextra-index-url = {EVIL}\n"),
    "pipenv: source": ("Pipfile", "", f'[[source]]\nurl = "{EVIL}"\n'),
    "yarn: registry": (".yarnrc.yml", "", f'npmRegistryServer: "{EVIL}"\n'),
    "nuget: feed": ("NuGet.config", "", f'<configuration><packageSources><add key="e" value="{EVIL}" /></packageSources></configuration>'),
    "nuget: feed of a project": ("a.csproj", "<Project/>", f"<Project><RestoreAdditionalProjectSources>{EVIL}</RestoreAdditionalProjectSources></Project>"),
    "maven: repository": ("pom.xml", POM, POM.replace("<dependencies>", f"<repositories><repository><url>{EVIL}</url></repository></repositories><dependencies>")),
    "maven: repository of plugins": ("pom.xml", POM, POM.replace("<dependencies>", f"<pluginRepositories><pluginRepository><url>{EVIL}</url></pluginRepository></pluginRepositories><dependencies>")),
    "maven: file": ("pom.xml", POM, POM.replace("</version>", "</version><systemPath>/a.jar</systemPath>")),
    "gradle: repository": ("build.gradle", GRADLE, GRADLE.replace("mavenCentral()", f"mavenCentral(); maven {{ url '{EVIL}' }}")),
    "gradle: repository of plugins": ("settings.gradle.kts", "", f'pluginManagement {{\n  repositories {{\n    maven(url = "{EVIL}")\n  }}\n}}\n'),
    "gradle: file": ("build.gradle", GRADLE, GRADLE.replace("dependencies {\n", "dependencies {\n  implementation files('a.jar')\n")),
    "gradle: substitution": ("build.gradle", GRADLE, GRADLE + "configurations.all { resolutionStrategy.dependencySubstitution { substitute module('g:a') using module('evil:a:1') } }\n"),
    "gradle: plugin on the same line": ("build.gradle", GRADLE, f"plugins {{ id 'java'; id 'evil' version '1' }}\n{GRADLE}"),
    "ruby: source": ("Gemfile", GEM, GEM.replace("https://rubygems.org", EVIL)),
    "ruby: source of one": ("Gemfile", GEM, GEM.replace("'rake'", f"'rake',\n  git: '{EVIL}'")),
    "php: repository": ("composer.json", '{"require": {}}', f'{{"repositories": [{{"type": "vcs", "url": "{EVIL}"}}], "require": {{}}}}'),
    "swift: another owner": ("Package.swift", SWIFT, SWIFT.replace("apple/", "evil/")),
    "elixir: git": ("mix.exs", 'deps: [{:a, "~> 1"}]\n', 'deps: [{:a, github: "evil/a"}]\n'),
    "nix: input": ("flake.nix", 'inputs.nixpkgs.url = "github:NixOS/nixpkgs";\n', 'inputs.nixpkgs.url = "github:evil/nixpkgs";\n'),
    "dart: git": ("pubspec.yaml", "dependencies:\n  a: ^1.0.0\n", f"dependencies:\n  a:\n    git:\n      url: {EVIL}\n"),
    "bazel: archive": ("WORKSPACE", "", f'http_archive(\n    name = "a",\n    urls = ["{EVIL}.zip"],\n)\n'),
}  # fmt: skip
FREE = {
    "go: both at a newer version": ("go.mod", f"{GO}replace github.com/a/b => github.com/f/b v1.0.0\n", f"{GO}replace github.com/a/b => github.com/f/b v1.1.0\n".replace("v1.0.0", "v1.1.0")),
    "cargo: both at a newer version": ("Cargo.toml", CARGO, CARGO.replace('"1"', '"2"')),
    "cargo: one table less": ("Cargo.toml", CARGO, CARGO.replace('[dev-dependencies]\nserde = "1"\n', "")),
    "python: constraint": ("pyproject.toml", PY, f'{PY}\n[tool.uv]\nconstraint-dependencies = ["httpx<1"]\n'),
    "python: addresses about the package": ("pyproject.toml", PY, f'{PY}\n[project.urls]\nHomepage = "{EVIL}"\n'),
    "gradle: addresses about the package": ("build.gradle", GRADLE, f'{GRADLE}publishing {{\n  publications {{ pom {{ url = "{EVIL}"\n scm {{ url = "{EVIL}" }} }} }}\n  repositories {{ maven {{ url = "{EVIL}" }} }}\n}}\n'),
    "ruby: addresses about the package": ("a.gemspec", "", f'Gem::Specification.new do |spec|\n  spec.homepage = "{EVIL}"\n  spec.metadata["source_code_uri"] = "{EVIL}"\nend\n'),
    "ruby: default source": ("Gemfile", "", "source 'https://rubygems.org'\n"),
    "elixir: addresses about the package": ("mix.exs", "", f'  @source_url "{EVIL}"\n  defp package, do: [links: %{{"GitHub" => "{EVIL}"}}]\n'),
    "dart: addresses about the package": ("pubspec.yaml", "name: a\n", f"name: a\nhomepage: {EVIL}\nrepository: {EVIL}\nissue_tracker: {EVIL}\n"),
    "swift: newer version": ("Package.swift", SWIFT, SWIFT.replace("1.0.0", "1.1.0")),
    "swift: comment": ("Package.swift", SWIFT, f"{SWIFT}// see {EVIL}\n"),
    "setup.py: address of a person": ("setup.py", "setup(name='a')\n", "setup(name='a', author_email='a@b-c.org')\n"),
    "npm: token": (".npmrc", "", "//registry.npmjs.org/:_authToken=${TOKEN}\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", BLOCKED)
def test_packages_from_elsewhere_block_unless_allowed(guard: Any, name: str) -> None:
    path, base, head = BLOCKED[name]
    assert not guard("dependencies", {path: base}, {path: head}).passed
    assert guard("dependencies", {path: base}, {path: head}, allow=["dependencies"]).passed


@pytest.mark.parametrize("name", FREE)
def test_what_comes_from_where_it_came_is_free(guard: Any, name: str) -> None:
    path, base, head = FREE[name]
    verdict = guard("dependencies", {path: base}, {path: head})
    assert verdict.passed, [finding.message for finding in verdict.diagnostics]


@pytest.mark.parametrize(
    "name", ["swift: another owner", "python: index of uv", "python: override", "npm: one of two tables"]
)
def test_a_source_that_is_new_is_shown_even_if_the_prompt_allows_dependencies(guard: Any, name: str) -> None:
    path, base, head = BLOCKED[name]
    shown = [
        f
        for f in guard("dependencies", {path: base}, {path: head}, allow=["dependencies"]).diagnostics
        if f.severity == "warning"
    ]
    assert [("evil" in f.message, f.path) for f in shown] == [(True, path)]


def test_a_registry_of_the_base_is_no_new_source(guard: Any, found: Any) -> None:
    base = {"a/build.gradle": GRADLE.replace("mavenCentral()", f"maven {{ url '{EVIL}' }}")}
    verdict = guard("dependencies", base, {**base, "b/build.gradle": base["a/build.gradle"]})
    assert [line for line in found(verdict) if not line.startswith("info")] == []


def test_a_package_of_the_repository_may_move(guard: Any) -> None:
    base = {"Cargo.toml": '[dependencies]\na = { path = "a" }\n', "a/Cargo.toml": '[package]\nname = "a"\n'}
    head = {"Cargo.toml": base["Cargo.toml"].replace('"a"', '"crates/a"'), "crates/a/Cargo.toml": base["a/Cargo.toml"]}
    assert guard("dependencies", base, head).passed


def test_a_package_of_the_change_takes_no_place_of_one_from_the_net(guard: Any) -> None:
    head = {"go.mod": f"{GO}replace github.com/a/b => ./b\n", "b/go.mod": "module github.com/a/b\n"}
    assert not guard("dependencies", {"go.mod": GO}, head).passed


def test_a_requirement_is_told_with_its_table(guard: Any) -> None:
    path, base, head = BLOCKED["npm: one of two tables"]
    [finding] = guard("dependencies", {path: base}, {path: head}).diagnostics
    assert "zod ^3 to github:evil/zod in dependencies" in finding.message


@pytest.mark.parametrize(
    "path", ["Package.swift", "build.gradle", ".npmrc", "requirements.txt", "setup.py", "Gemfile", "go.mod"]
)
@pytest.mark.parametrize(
    "part", ["x://a ", "{(", 'gem "a", ', "a v1 => ", "\n", "implementation files(", "github:a/b\n"]
)
def test_a_large_manifest_is_read_in_one_pass(path: str, part: str) -> None:
    began = time.process_time()
    for reader in (dependencies, sources):
        with suppress(ManifestError):
            reader(path, part * (100_000 // len(part)))
    assert time.process_time() - began < 1.5
