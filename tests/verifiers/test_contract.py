"""What every verifier of a tool must do, for those that come with greylag."""

import pytest

from greylag import plugins
from greylag.testing.verifiers import CONTRACT, Check, Content, moves_with_its_directory

PYTHON = {
    "pyproject.toml": "[project]\nname = 'a'\nversion = '1'\n[tool.ruff.format]\n[tool.mypy]\n[tool.pyright]\n"
    "[tool.black]\n[tool.basedpyright]\n[tool.ty]\n",
    ".flake8": "",
    "tests/test_a.py": "def test_a():\n    pass\n",
    "uv.lock": "",
    "setup.cfg": "",
    "tox.ini": "",
    ".pre-commit-config.yaml": "",
}
NODE = {
    "package.json": '{"scripts": {"lint": "eslint .", "test": "xo && jest", "build": "tsc"}}',
    "package-lock.json": "{}",
    "pnpm-workspace.yaml": "",
    ".yarnrc.yml": "",
    "tsconfig.json": "{}",
    "biome.json": "{}",
    ".prettierrc": "",
}
BUN = {
    "package.json": '{"scripts": {"fix": "prettier --write ."}, "devDependencies": {"@biomejs/biome": "2"}}',
    "bun.lock": "",
    "bunfig.toml": "",
    "biome.json": "{}",
    "a.test.ts": "",
}
ENVIRONMENTS: Content = {
    "pyproject.toml": "[project]\nname = 'a'\nversion = '1'\n[tool.hatch.envs.test.scripts]\nrun = 'a'\n",
    "a.py": "",
    "tox.ini": "[testenv]\ncommands = a\n",
    "noxfile.py": "@nox.session\ndef tests(session):\n    pass\n",
    "tox.toml": "",
    "hatch.toml": "",
}
MAVEN = {"pom.xml": "<project/>", "src/test/java/ATest.java": "class ATest {}", "core/pom.xml": "<project/>"}
GRADLE = {
    "settings.gradle.kts": 'include(":core")\n',
    "core/build.gradle.kts": "plugins { checkstyle }\n",
    "core/src/test/kotlin/ATest.kt": "",
    "gradlew": "",
    "gradle/wrapper/gradle-wrapper.jar": "",
    "gradle/wrapper/gradle-wrapper.properties": "distributionUrl=https\\://example.org/gradle-9.1.0-bin.zip\n",
}
CMAKE = {"CMakeLists.txt": "project(a)\ninclude(FetchContent)\nenable_testing()\n"}
MESON = {"meson.build": "project('a')\ntest('a', b)\n", "subprojects/c.wrap": "[wrap-git]"}
MAKE = {"GNUmakefile": "include rules.mk\nall: a.o\ntest:\n", "a.c": "", "rules.mk": "check:\n"}
PHP = {
    "composer.json": '{"require-dev": {"phpunit/phpunit": "*"}, "config": {"bin-dir": "bin"}}',
    ".php-cs-fixer.php": "",
    "phpcs.xml": "",
    "phpstan.neon": "",
    "phpunit.xml": "",
}
RUBY = {
    "Gemfile": "gem 'standard'\n",
    "Rakefile": "Rake::TestTask.new\n",
    "spec/a_spec.rb": "",
    "test/a_test.rb": "",
    "a.gemspec": "",
}
RUST = {
    "Cargo.toml": "[workspace]\nmembers = ['a']\n",
    "Cargo.lock": "",
    "a/Cargo.toml": "[package]\nname = 'a'\n[lints.clippy]\n",
    "a/src/lib.rs": "",
    ".config/nextest.toml": "",
    "Makefile": "lint:\n\tcargo fmt --check\n",
    "rust-toolchain.toml": "",
}
ELIXIR = {
    "mix.exs": 'apps_path: "apps", deps: [{:jason, "~> 1.0"}]',
    "apps/a/mix.exs": "",
    "apps/a/test/a_test.exs": "",
    ".formatter.exs": "",
}
DOTNET = {"A.sln": "", "src/a.csproj": "<PackageReference Include='Microsoft.NET.Test.Sdk' />", "src/a.cs": ""}
GO = {
    "go.mod": "module example.org/a\n\ngo 1.24\n",
    "go.work": "go 1.24\n\nuse (\n\t.\n\t./b\n)\n",
    "a_test.go": "package a\n",
    "b/go.mod": "module example.org/b\n",
    "b/b.go": "package b\n",
    "c/go.mod": "module example.org/c\n",
    "c/c.go": "package c\n",
    ".golangci.yml": "",
}
SWIFT = {
    "Package.swift": ".package(url: x)",
    "Package.resolved": "",
    "Tests/ATests/a.swift": "",
    "Sources/A/a.swift": "",
}
SBT = {
    "build.sbt": "",
    "project/build.properties": "sbt.version=1.10.7\n",
    "project/plugins.sbt": 'addSbtPlugin("a" % "sbt-scalafmt" % "1")\naddSbtPlugin("b" % "sbt-scalafix" % "1")\n',
    ".scalafmt.conf": "",
    ".scalafix.conf": "",
    "src/test/scala/ATest.scala": "",
    "sbt": "java -jar sbt-launch.jar\n",
    "tools/project/build.properties": "sbt.version=1.9.0\n",
}
BAZEL = {
    "MODULE.bazel": "",
    "MODULE.bazel.lock": "",
    "WORKSPACE": "",
    ".bazelversion": "7.4.1\n",
    "a/BUILD": 'cc_test(name = "a")\n',
}
XCODE = {
    "App.xcworkspace/contents.xcworkspacedata": '<FileRef location = "group:App.xcodeproj"></FileRef>',
    "App.xcodeproj/project.pbxproj": "isa = XCRemoteSwiftPackageReference;",
    "App.xcodeproj/xcshareddata/xcschemes/App.xcscheme": "<TestAction><TestableReference></TestAction>",
    "Podfile": "",
    "Podfile.lock": "",
    "App/App.swift": "",
}
SAMPLES = {
    "python": PYTHON,
    "node": NODE,
    "maven": MAVEN,
    "gradle": GRADLE,
    "cmake": CMAKE,
    "make": MAKE,
    "meson": MESON,
    "php": PHP,
    "ruby": RUBY,
    "swift": SWIFT,
    "xcode": XCODE,
    "rust": RUST,
    "go": GO,
    "dotnet": DOTNET,
    "elixir": ELIXIR,
    "sbt": SBT,
    "bazel": BAZEL,
    "shellcheck": {".shellcheckrc": "", "scripts/a.sh": "", "package.json": ""},
    "hadolint": {".hadolint.yaml": "", "Dockerfile": ""},
    "yamllint": {".yamllint": "", "a.yml": "", "pyproject.toml": ""},
    "buf": {"buf.yaml": "", "buf.lock": "", "proto/a.proto": ""},
    "terraform": {"main.tf": "", "modules/a/main.tf": "", ".terraform.lock.hcl": ""},
    "helm": {"Chart.yaml": "dependencies:\n  - name: a\n", "Chart.lock": "", "charts/b/Chart.yaml": ""},
}
WHOLE: dict[str, Content] = {  # what looks at a repository as a whole
    "actionlint": {".github/actionlint.yaml": "", ".github/workflows/ci.yml": ""},
    "shellcheck": {
        ".pre-commit-config.yaml": "repos: [{hooks: [{id: shellcheck, args: [-x]}]}]\n",
        "Makefile": "",
        "scripts/a.sh": "",
    },
    "pre-commit": {**PYTHON, **NODE, ".pre-commit-config.yaml": "repos: []\n"},
    "helm": {"Chart.yaml": "", ".gitlab-ci.yml": "- kubeconform -schema-location schemas\n"},
}
ELSEWHERE = [check for check in CONTRACT if check is not moves_with_its_directory]


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
def test_contract(check: Check, name: str) -> None:
    check(plugins.load("verifiers", name), SAMPLES[name])


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("check", ELSEWHERE, ids=lambda check: check.__name__)
def test_contract_at_the_top_of_a_repository(check: Check, name: str) -> None:
    check(plugins.load("verifiers", name), WHOLE[name])


@pytest.mark.parametrize(("name", "files"), [("node", BUN), ("python", ENVIRONMENTS)])
@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
def test_contract_of_other_ways(check: Check, name: str, files: Content) -> None:
    check(plugins.load("verifiers", name), files)


@pytest.mark.parametrize("check", ELSEWHERE, ids=lambda check: check.__name__)
def test_contract_of_declared_commands(check: Check) -> None:
    files: Content = {"Makefile": "test:\n\ttrue\n"}
    declared = [{"name": "make", "run": "make test", "prepare": "make deps", "when": ["Makefile"]}]
    check(plugins.load("verifiers", "command", {"commands": declared}), files)
