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
    "pyproject: index": ("pyproject.toml", PYPROJECT, PYPROJECT + '[[tool.uv.index]]\nurl = "https://example.org"\n', ["error source"]),
    "pyproject: removed": ("pyproject.toml", PYPROJECT, PYPROJECT.replace('"click>=8"', ""), ["info removed"]),
    "pyproject: spelled otherwise": ("pyproject.toml", PYPROJECT.replace("click", "My_Lib"), PYPROJECT.replace("click", "my-lib"), []),
    "pyproject: tool table": ("pyproject.toml", PYPROJECT, PYPROJECT + "[tool.ruff]\nline-length = 1\n", []),
    "pyproject: broken": ("pyproject.toml", PYPROJECT, PYPROJECT + "]]", ["error unreadable"]),
    "poetry: new": ("pyproject.toml", "[tool.poetry.dependencies]\npython = '^3.11'\n", "[tool.poetry.dependencies]\npython = '^3.12'\nclick = '8'\n", ["error added"]),
    "requirements: new": ("requirements-dev.txt", "click==8\n", "click==8\n# comment\nrequests[socks]==2.0 ; python_version > '3'\n", ["error added"]),
    "requirements: bump": ("requirements.txt", "click==8.0\n", "click==8.1\n", ["warning changed"]),
    "requirements: index": ("requirements.txt", "click==8.0\n", "--index-url https://example.org/simple\nclick==8.0\n", ["error source"]),
    "requirements: comment": ("requirements.txt", "click==8.0\n", "# why\nclick==8.0\n", []),
    "setup.cfg: new": ("setup.cfg", "[options]\ninstall_requires =\n    click\n", "[options]\ninstall_requires =\n    click\n    attrs>=2\n", ["error added"]),
    "npm: new": ("package.json", json.dumps(PACKAGE), json.dumps({"dependencies": {"a": "^1.0.0", "left-pad": "1"}, "devDependencies": {"b": "2"}}), ["error added"]),
    "npm: bump": ("web/package.json", json.dumps(PACKAGE), json.dumps(PACKAGE).replace("^1.0.0", "^1.1.0"), ["warning changed"]),
    "npm: from git": ("package.json", json.dumps(PACKAGE), json.dumps(PACKAGE).replace("^1.0.0", "github:evil/a"), ["error changed"]),
    "npm: override": ("package.json", json.dumps(PACKAGE), json.dumps({**PACKAGE, "overrides": {"c": "1"}}), ["error added"]),
    "npm: moved to another group": ("package.json", json.dumps(PACKAGE), json.dumps({"dependencies": {"a": "^1.0.0", "b": "2"}}), []),
    "npm: script": ("package.json", json.dumps(PACKAGE), json.dumps({**PACKAGE, "scripts": {"x": "y"}}), []),
    "npmrc: registry": (".npmrc", "a=b\n", "a=b\nregistry=https://example.org\n", ["error source"]),
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


def npm(address: str, version: str = "1.0.0", **more: str) -> str:
    entry = {"version": version, "resolved": address, "integrity": "sha512-x", **more}
    return json.dumps({"lockfileVersion": 3, "packages": {"": {"name": "shop"}, "node_modules/left-pad": entry}})


NPM = "https://registry.npmjs.org/left-pad/-/left-pad-1.0.0.tgz"
HASHED = "https://files.pythonhosted.org/packages/{0}/{0}/{1}/{2}"
UV = """version = 1

[[package]]
name = "click"
version = "8.0"
source = {{ registry = "{0}" }}
dependencies = [{{ name = "colorama" }}]
sdist = {{ url = "{1}", hash = "sha256:x" }}

[[package]]
name = "shop"
source = {{ editable = "." }}
"""
CLICK = HASHED.format("ab", "0123456789abcdef", "click-8.0.tar.gz")
NEWER = HASHED.format("cd", "fedcba9876543210", "click-8.1-py3-none-any.whl")
PYPI = "https://pypi.org/simple"
POETRY = (
    '[[package]]\nname = "click"\nversion = "8.0"\nfiles = [\n    {file = "click-8.0.tar.gz", hash = "sha256:x"},\n]\n'
)
SOURCE = '\n[package.source]\ntype = "legacy"\nurl = "https://example.org/simple"\n'
YARN = '# yarn lockfile v1\n\n\n"@a/b@^1.0.0", "@a/b@~1.0":\n  version "1.0.0"\n  resolved "{}#x"\n  dependencies:\n    c "1"\n'
YARNED = "https://registry.yarnpkg.com/@a/b/-/b-1.0.0.tgz"
BERRY = '"a@npm:^1.0.0":\n  version: 1.0.0\n  resolution: "{}"\n  checksum: 10c0/x\n'
PNPM = "lockfileVersion: '9.0'\n\npackages:\n\n  '@a/b@1.0.0':\n    resolution: {integrity: sha512-x}\n\n  c@1.0.0:\n    resolution: {integrity: sha512-y}\n"
CARGO_LOCK = '[[package]]\nname = "rand"\nversion = "0.8.0"\nsource = "{}"\n'
CRATES = "registry+https://github.com/rust-lang/crates.io-index"

MOVED = {
    "npm: host": ("package-lock.json", npm(NPM), npm(NPM.replace("registry.npmjs.org", "example.org"))),
    "npm: package": ("package-lock.json", npm(NPM), npm(NPM.replace("left-pad", "evil"))),
    "npm: package with dots": ("package-lock.json", npm(NPM), npm("https://registry.npmjs.org/left-pad/-/../../evil/-/evil-1.0.0.tgz")),
    "npm: user in the address": ("package-lock.json", npm(NPM), npm(NPM.replace("npmjs.org", "npmjs.org@example.org"))),
    "npm: no TLS": ("package-lock.json", npm(NPM), npm(NPM.replace("https", "http"))),
    "npm: git": ("package-lock.json", npm(NPM), npm("git+ssh://git@github.com/evil/left-pad.git#0123456789abcdef0123456789abcdef01234567")),
    "npm: another version too": ("package-lock.json", npm(NPM), npm("https://example.org/left-pad/-/left-pad-1.0.1.tgz", "1.0.1")),
    "npm: no address before": ("package-lock.json", npm(""), npm("https://example.org/left-pad/-/left-pad-1.0.0.tgz")),
    "npm: a directory": ("package-lock.json", npm(NPM), npm("lib/pad")),
    "npm: another package from an unknown host": ("package-lock.json", npm(NPM), npm(NPM).replace('"packages": {', '"packages": {"node_modules/b": {"resolved": "https://example.org/b/-/b-1.tgz"}, ')),
    "npm: a second lock file": ("npm-shrinkwrap.json", npm(NPM), npm(NPM.replace("left-pad", "evil"))),
    "npm: old format": ("package-lock.json", *(json.dumps({"dependencies": {"a": {"version": "1.0.0", "requires": {}, "dependencies": {"left-pad": {"version": "1.0.0", "resolved": url}}}}}) for url in (NPM, NPM.replace("left-pad", "evil")))),
    "uv: registry": ("uv.lock", UV.format(PYPI, CLICK), UV.format("https://example.org/simple", CLICK)),
    "uv: file": ("uv.lock", UV.format(PYPI, CLICK), UV.format(PYPI, "https://example.org/click-8.0.tar.gz")),
    "uv: file of another package": ("uv.lock", UV.format(PYPI, CLICK), UV.format(PYPI, CLICK.replace("click", "evil"))),
    "uv: spelled otherwise": ("uv.lock", UV.format(PYPI, CLICK), UV.format(PYPI, CLICK).replace('"' + PYPI, '"https:\\u002f\\u002fexample.org').replace("registry =", '"registry"=')),
    "poetry: source": ("poetry.lock", POETRY, POETRY + SOURCE),
    "yarn: host": ("yarn.lock", YARN.format(YARNED), YARN.format(YARNED.replace("registry.yarnpkg.com", "example.org"))),
    "yarn: package": ("yarn.lock", YARN.format(YARNED), YARN.format(YARNED.replace("@a/b", "evil"))),
    "yarn berry: git": ("yarn.lock", BERRY.format("a@npm:1.0.0"), BERRY.format("a@https://github.com/evil/a.git#commit=0123456789")),
    "yarn berry: another package": ("yarn.lock", BERRY.format("a@npm:1.0.0"), BERRY.format("a@npm:evil@1.0.0")),
    "pnpm: tarball": ("pnpm-lock.yaml", PNPM, PNPM.replace("sha512-x", "sha512-x, tarball: https://example.org/b.tgz")),
    "pnpm: key": ("pnpm-lock.yaml", PNPM, PNPM.replace("c@1.0.0", "c@https://codeload.github.com/evil/c/tar.gz/0123456789abcdef")),
    "cargo: git": ("Cargo.lock", CARGO_LOCK.format(CRATES), CARGO_LOCK.format("git+https://github.com/evil/rand#0123456789")),
}  # fmt: skip
STAYED = {
    "npm: another version": ("package-lock.json", npm(NPM), npm("https://registry.npmjs.org/left-pad/-/left-pad-1.3.0.tgz", "1.3.0")),
    "npm: yarn's name of the registry": ("package-lock.json", npm(NPM), npm(NPM.replace("npmjs.org", "yarnpkg.com"))),
    "npm: TLS": ("package-lock.json", npm(NPM.replace("https", "http")), npm(NPM)),
    "npm: no address any more": ("package-lock.json", npm(NPM), npm("")),
    "npm: an address now": ("package-lock.json", npm(""), npm(NPM)),
    "npm: of GitHub's registry": ("package-lock.json", *(npm(f"https://npm.pkg.github.com/download/@a/left-pad/{v}/{h * 40}") for v, h in (("1.0.0", "a"), ("1.0.1", "b")))),
    "npm: git, another commit": ("package-lock.json", *(npm(f"git+ssh://git@github.com/a/left-pad.git#{h * 40}") for h in "ab")),
    "uv: another version": ("uv.lock", UV.format(PYPI, CLICK), UV.format(PYPI, NEWER).replace('"8.0"', '"8.1"')),
    "uv: a wheel beside": ("uv.lock", UV.format(PYPI, CLICK), UV.format(PYPI, CLICK).replace("sha256:x\" }", f'sha256:x" }}\nwheels = [\n    {{ url = "{NEWER}" }},\n]')),
    "uv: from poetry": ("uv.lock", "", UV.format(PYPI, CLICK)),
    "poetry: another version": ("poetry.lock", POETRY, POETRY.replace("8.0", "8.1")),
    "yarn: another version": ("yarn.lock", YARN.format(YARNED), YARN.format(YARNED).replace("1.0.0.tgz", "1.2.0.tgz")),
    "yarn berry: another version": ("yarn.lock", BERRY.format("a@npm:1.0.0"), BERRY.format("a@npm:1.2.0")),
    "pnpm: an integrity with slashes": ("pnpm-lock.yaml", PNPM, PNPM.replace("sha512-x", "sha512-//a+b//c/+//dEF==")),
    "pnpm: another version": ("pnpm-lock.yaml", PNPM, PNPM.replace("c@1.0.0", "c@1.2.0")),
    "cargo: another version": ("Cargo.lock", CARGO_LOCK.format(CRATES), CARGO_LOCK.format(CRATES).replace("0.8.0", "0.8.5")),
}  # fmt: skip


@pytest.mark.parametrize("name", MOVED)
def test_locked_package_from_elsewhere_blocks_unless_allowed(guard: Any, found: Any, name: str) -> None:
    path, base, head = MOVED[name]
    before = {"package-lock.json": base} if "second" in name else {path: base}
    lines = found(guard("dependencies", before, {path: head}))
    assert [line for line in lines if "lock-only" not in line] == [f"error dependencies/moved {path}"]
    assert guard("dependencies", before, {path: head}, allow=["dependencies"]).passed


@pytest.mark.parametrize("name", STAYED)
def test_locked_package_of_the_same_registry_is_shown(guard: Any, found: Any, name: str) -> None:
    path, base, head = STAYED[name]
    before = {"poetry.lock": POETRY} if "from poetry" in name else {path: base}
    assert found(guard("dependencies", before, {path: head})) == [f"warning dependencies/lock-only {path}"]


@pytest.mark.parametrize("path", ["package-lock.json", "uv.lock", "pnpm-lock.yaml"])
def test_lock_file_that_cannot_be_compared_blocks(guard: Any, found: Any, path: str) -> None:
    base = {"package-lock.json": npm(NPM), "uv.lock": UV.format(PYPI, CLICK), "pnpm-lock.yaml": PNPM}[path]
    lines = found(guard("dependencies", {path: base}, {path: base + "\\]]"}))
    assert f"error dependencies/unreadable {path}" in lines
