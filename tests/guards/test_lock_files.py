# ruff: noqa: E501 - a table reads best with one row a line
"""Lock files of all kinds: packages from elsewhere, other contents of one version, packages that nobody asked for."""

import json
import time
from typing import Any

import pytest

from greylag.guards._gates.lock_formats import FORMATS
from greylag.guards._gates.locks import lock

SUM, OTHER, LONG = "a1" * 32, "b2" * 32, "c3" * 20
GEM = f"GEM\n  remote: https://rubygems.org/\n  specs:\n    rake (13.0)\n      x (>= 1)\n\nDEPENDENCIES\n  rake (~> 13.0)\n\nCHECKSUMS\n  rake (13.0) sha256={SUM}\n"
COMPOSER = json.dumps(
    {
        "content-hash": "x",
        "packages": [
            {
                "name": "a/b",
                "version": "1.0",
                "source": {"type": "git", "url": "https://github.com/a/b.git", "reference": LONG},
                "dist": {
                    "type": "zip",
                    "url": f"https://api.github.com/repos/a/b/zipball/{LONG}",
                    "reference": LONG,
                    "shasum": "",
                },
                "authors": [{"name": "A", "homepage": "https://a.example"}],
            }
        ],
    }
)
FLAKE = json.dumps(
    {
        "nodes": {
            "nixpkgs": {
                "locked": {"narHash": "sha256-x", "owner": "NixOS", "repo": "nixpkgs", "rev": LONG, "type": "github"}
            },
            "root": {"inputs": {"nixpkgs": "nixpkgs"}},
        },
        "root": "root",
        "version": 7,
    }
)
BUN = '{\n  "lockfileVersion": 1,\n  "packages": {\n    "zod": ["zod@3.1.0", "", {}, "sha512-aaaa"],\n  },\n}\n'
PIPFILE = json.dumps(
    {
        "_meta": {"hash": {"sha256": SUM}, "sources": [{"name": "pypi", "url": "https://pypi.org/simple"}]},
        "default": {"a": {"hashes": [f"sha256:{SUM}"], "version": "==1"}},
    }
)
PYLOCK = f'lock-version = "1.0"\n\n[[packages]]\nname = "a"\nversion = "1"\n\n[[packages.wheels]]\nurl = "https://files.pythonhosted.org/packages/aa/bb/cc/a-1.whl"\nhashes = {{ sha256 = "{SUM}" }}\n'
PUB = f'packages:\n  a:\n    dependency: "direct main"\n    description:\n      name: a\n      sha256: "{SUM}"\n      url: "https://pub.dev"\n    source: hosted\n    version: "1.0.0"\nsdks:\n  dart: ">=3.0.0 <4.0.0"\n'
MIX = f'%{{\n  "jason": {{:hex, :jason, "1.4.0", "{SUM}", [:mix], [{{:decimal, "~> 1.0", [hex: :decimal]}}], "hexpm", "{SUM}"}},\n}}\n'
SWIFT = json.dumps(
    {
        "pins": [
            {"identity": "a", "location": "https://github.com/a/a.git", "state": {"revision": LONG, "version": "1.0.0"}}
        ],
        "version": 2,
    }
)
POD = f"PODS:\n  - A (5.4.0):\n    - B\n  - B (1.0)\n\nDEPENDENCIES:\n  - A\n\nSPEC REPOS:\n  trunk:\n    - A\n    - B\n\nSPEC CHECKSUMS:\n  A: {LONG}\n  B: {LONG}\n\nPODFILE CHECKSUM: {LONG}\n\nCOCOAPODS: 1.11.3\n"
DENO = json.dumps(
    {
        "version": "4",
        "specifiers": {"npm:zod@3": "3.1.0"},
        "npm": {"zod@3.1.0": {"integrity": "sha512-aaaa"}},
        "remote": {"https://deno.land/x/a.ts": SUM},
    }
)
GRADLE = (
    "# This is a Gradle generated file for dependency locking.\na:b:1.0=compileClasspath\nempty=annotationProcessor\n"
)
HCL = f'provider "registry.terraform.io/a/b" {{\n  version     = "1.0.0"\n  constraints = "~> 1.0"\n  hashes = [\n    "h1:{SUM}=",\n  ]\n}}\n'
GOSUM = f"github.com/a/b v1.0.0 h1:{SUM}=\ngithub.com/a/b v1.0.0/go.mod h1:{SUM}=\n"
CARTHAGE = 'github "A/A" "1.0"\n'
NUGET = json.dumps(
    {
        "version": 1,
        "dependencies": {
            "net8.0": {
                "A": {"type": "Direct", "requested": "[1.0.0, )", "resolved": "1.0.0", "contentHash": f"{SUM}=="}
            }
        },
    }
)
CONDA = f"version: 1\nmetadata:\n  channels: []\npackage:\n- name: a\n  version: 1.0.0\n  manager: conda\n  url: https://conda.anaconda.org/conda-forge/noarch/a-1.0.0-0.conda\n  hash:\n    sha256: {SUM}\n"
UV = f'version = 1\n\n[[package]]\nname = "a"\nversion = "1"\nsource = {{ registry = "https://pypi.org/simple" }}\nwheels = [\n    {{ url = "https://files.pythonhosted.org/packages/aa/bb/cc/a-1.whl", hash = "sha256:{SUM}" }},\n]\n'
CARGO = f'version = 4\n\n[[package]]\nname = "a"\nversion = "1.0.0"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\nchecksum = "{SUM}"\n'
NPM = json.dumps(
    {
        "packages": {
            "node_modules/a": {
                "version": "1.0.0",
                "resolved": "https://registry.npmjs.org/a/-/a-1.0.0.tgz",
                "integrity": "sha512-aaaa",
            }
        }
    }
)
YARN = f'# yarn lockfile v1\n\n\na@^1.0.0:\n  version "1.0.0"\n  resolved "https://registry.yarnpkg.com/a/-/a-1.0.0.tgz#{LONG}"\n  integrity sha512-{SUM}==\n'
BERRY = f'__metadata:\n  version: 8\n  cacheKey: 10c0\n\n"a@npm:^1.0.0":\n  version: 1.0.0\n  resolution: "a@npm:1.0.0"\n  checksum: 10c0/{SUM}\n  languageName: node\n'
PNPM = f"lockfileVersion: '9.0'\n\npackages:\n\n  a@1.0.0:\n    resolution: {{integrity: sha512-{SUM}==}}\n\nsnapshots:\n\n  a@1.0.0: {{}}\n"

LOCKS = {
    "Gemfile.lock": GEM, "composer.lock": COMPOSER, "flake.lock": FLAKE, "bun.lock": BUN, "Pipfile.lock": PIPFILE,
    "pylock.toml": PYLOCK, "pubspec.lock": PUB, "mix.lock": MIX, "Package.resolved": SWIFT, "Podfile.lock": POD,
    "deno.lock": DENO, "gradle.lockfile": GRADLE, ".terraform.lock.hcl": HCL, "go.sum": GOSUM, "Cartfile.resolved": CARTHAGE,
    "packages.lock.json": NUGET, "conda-lock.yml": CONDA, "uv.lock": UV, "Cargo.lock": CARGO, "package-lock.json": NPM,
    "yarn.lock": YARN, "pnpm-lock.yaml": PNPM,
}  # fmt: skip
MOVED = {
    "Gemfile.lock": ("https://rubygems.org", "https://evil.example"), "composer.lock": ("repos/a/b", "repos/evil/b"),
    "flake.lock": ("NixOS", "evil"), "bun.lock": ("zod@3.1.0", "zod@github:evil/zod#a"), "Pipfile.lock": ("pypi.org", "evil.example"),
    "pylock.toml": ("files.pythonhosted.org", "evil.example"), "pubspec.lock": ("pub.dev", "evil.example"),
    "mix.lock": (f':hex, :jason, "1.4.0", "{SUM}"', f':git, "https://github.com/evil/jason.git", "{LONG}"'),
    "Package.resolved": ("github.com/a", "github.com/evil"), "Podfile.lock": ("  trunk:", "  https://evil.example/specs.git:"),
    "deno.lock": ("https://deno.land", "https://evil.example"), ".terraform.lock.hcl": ("terraform.io", "evil.example"),
    "conda-lock.yml": ("conda.anaconda.org", "evil.example"),
}  # fmt: skip
REPLACED = {
    "Gemfile.lock": (SUM, OTHER), "composer.lock": (f'"reference": "{LONG}"', f'"reference": "{OTHER[:40]}"'),
    "bun.lock": ("sha512-aaaa", "sha512-bbbb"), "Pipfile.lock": (f"sha256:{SUM}", f"sha256:{OTHER}"), "pylock.toml": (SUM, OTHER),
    "pubspec.lock": (SUM, OTHER), "mix.lock": (SUM, OTHER), "Package.resolved": (LONG, OTHER[:40]), "Podfile.lock": (f"A: {LONG}", f"A: {OTHER[:40]}"),
    "deno.lock": (SUM, OTHER), ".terraform.lock.hcl": (SUM, OTHER), "go.sum": (SUM, OTHER), "packages.lock.json": (SUM, OTHER),
    "conda-lock.yml": (SUM, OTHER), "uv.lock": (SUM, OTHER), "Cargo.lock": (SUM, OTHER), "package-lock.json": ("aaaa", "bbbb"),
    "yarn.lock": (SUM, OTHER), "pnpm-lock.yaml": (SUM, OTHER), "flake.lock": ("sha256-x", "sha256-y"),
}  # fmt: skip
ADDED = {
    "Gemfile.lock": ("    rake (13.0)\n", "    rake (13.0)\n    evil (1.0)\n"), "composer.lock": ('"packages": [', '"packages": [{"name": "e/vil", "version": "1"}, '),
    "flake.lock": ('"nodes": {', '"nodes": {"evil": {"locked": {"owner": "nixos", "repo": "x", "rev": "a", "type": "github"}}, '),
    "bun.lock": ('    "zod"', '    "evil": ["evil@1.0.0", "", {}, "sha512-b"],\n    "zod"'), "Pipfile.lock": ('"default": {', '"default": {"evil": {"version": "==1"}, '),
    "pylock.toml": ("[[packages]]", '[[packages]]\nname = "evil"\nversion = "1"\n\n[[packages]]'), "pubspec.lock": ("sdks:", '  evil:\n    version: "1.0.0"\nsdks:'),
    "mix.lock": ("%{\n", f'%{{\n  "evil": {{:hex, :evil, "1.0.0", "{SUM}", [:mix], [], "hexpm"}},\n'),
    "Package.resolved": ('"pins": [', f'"pins": [{{"identity": "evil", "location": "https://github.com/a/evil", "state": {{"revision": "{LONG}"}}}}, '),
    "Podfile.lock": ("  - B (1.0)", "  - B (1.0)\n  - Evil (1.0)"), "deno.lock": ('"npm": {', '"npm": {"evil@1.0.0": {"integrity": "sha512-b"}, '),
    "gradle.lockfile": ("a:b:1.0", "evil:b:1.0=x\na:b:1.0"), ".terraform.lock.hcl": ("provider", 'provider "registry.terraform.io/evil/b" {\n  version = "1"\n}\nprovider'),
    "Cartfile.resolved": ("github", 'github "A/Evil" "1.0"\ngithub'), "packages.lock.json": ('"net8.0": {', '"net8.0": {"Evil": {"type": "Transitive", "resolved": "1.0.0"}, '),
    "conda-lock.yml": ("- name: a", "- name: evil\n  version: 1\n- name: a"), "uv.lock": ("[[package]]", '[[package]]\nname = "evil"\nversion = "1"\n\n[[package]]'),
    "Cargo.lock": ("[[package]]", '[[package]]\nname = "evil"\nversion = "1"\n\n[[package]]'), "package-lock.json": ('"packages": {', '"packages": {"node_modules/evil": {"version": "1"}, '),
    "yarn.lock": ("a@^1", 'evil@^1:\n  version "1.0.0"\n\na@^1'), "pnpm-lock.yaml": ("  a@1.0.0:\n", "  evil@1.0.0:\n    resolution: {}\n\n  a@1.0.0:\n"),
}  # fmt: skip
STAYED = {
    "composer.lock": (LONG, OTHER[:40], "1.0", "2.0"), "Package.resolved": (LONG, OTHER[:40], "1.0.0", "1.1.0"),
    "flake.lock": (LONG, OTHER[:40], "sha256-x", "sha256-y"), "Pipfile.lock": ('"sha256": "a', '"sha256": "b', f'["sha256:{SUM}"', f'["sha256:{SUM}", "sha256:{OTHER}"'),
    "yarn.lock": (f"#{LONG}", f"#{OTHER[:40]}", "1.0.0", "1.1.0"), "Podfile.lock": ("5.4.0", "5.5.0", f"A: {LONG}", f"A: {OTHER[:40]}"),
    "pnpm-lock.yaml": ("a@1.0.0", "a@1.1.0", SUM, OTHER), "mix.lock": ("1.4.0", "1.5.0", SUM, OTHER), "go.sum": (f"v1.0.0 h1:{SUM}", f"v1.1.0 h1:{OTHER}", "", ""),
    "uv.lock": ("wheels = [", f'wheels = [\n    {{ url = "https://files.pythonhosted.org/packages/aa/bb/dd/a-1-cp313.whl", hash = "sha256:{OTHER}" }},', "", ""),
    ".terraform.lock.hcl": ("hashes = [", f'hashes = [\n    "h1:{OTHER}=",', "", ""),
}  # fmt: skip


def _rules(found: Any, verdict: Any) -> list[str]:
    return [line.split()[1].removeprefix("dependencies/") for line in found(verdict) if line.startswith("error")]


def test_every_kind_of_lock_file_is_in_the_tables() -> None:
    assert {form.files.split()[0] for form in FORMATS} - {"poetry.lock", "MODULE.bazel.lock"} <= LOCKS.keys()


@pytest.mark.parametrize("path", MOVED)
def test_another_host_or_owner_blocks(guard: Any, found: Any, path: str) -> None:
    head = LOCKS[path].replace(*MOVED[path])
    assert "moved" in _rules(found, guard("dependencies", {path: LOCKS[path]}, {path: head}))
    allowed = guard("dependencies", {path: LOCKS[path]}, {path: head}, allow=["dependencies"])
    assert allowed.passed
    assert f"warning dependencies/moved {path}" in found(allowed)


@pytest.mark.parametrize("path", REPLACED)
def test_other_contents_of_the_same_version_block(guard: Any, found: Any, path: str) -> None:
    head = LOCKS[path].replace(*REPLACED[path])
    assert _rules(found, guard("dependencies", {path: LOCKS[path]}, {path: head})) == ["replaced"]


@pytest.mark.parametrize("path", ADDED)
def test_a_package_that_no_manifest_asks_for_blocks(guard: Any, found: Any, path: str) -> None:
    head = LOCKS[path].replace(*ADDED[path], 1)
    assert _rules(found, guard("dependencies", {path: LOCKS[path]}, {path: head})) == ["added"]


@pytest.mark.parametrize("path", STAYED)
def test_newer_versions_and_more_files_of_one_are_shown(guard: Any, found: Any, path: str) -> None:
    old, new, other, another = STAYED[path]
    head = LOCKS[path].replace(old, new).replace(other, another)
    assert found(guard("dependencies", {path: LOCKS[path]}, {path: head})) == [f"warning dependencies/lock-only {path}"]


@pytest.mark.parametrize(
    ("manifest", "base", "head", "expected"),
    [
        ("Cargo.toml", '[dependencies]\na = "1"\n', '[dependencies]\na = "2"\n', None),
        ("Cargo.toml", '[package]\nversion = "1"\n', '[package]\nversion = "2"\n', "warning"),
        ("package.json", '{"dependencies": {"a": "1"}}', '{"dependencies": {"a": "2"}}', "error"),
    ],
)
def test_a_manifest_that_asks_for_more_may_bring_packages(
    guard: Any, found: Any, manifest: str, base: str, head: str, expected: str | None
) -> None:
    after = CARGO.replace(*ADDED["Cargo.lock"], 1)
    lines = found(guard("dependencies", {manifest: base, "Cargo.lock": CARGO}, {manifest: head, "Cargo.lock": after}))
    assert [line.split()[0] for line in lines if line.endswith("added Cargo.lock")] == ([expected] if expected else [])


def test_another_cache_of_yarn_makes_other_checksums(guard: Any, found: Any) -> None:
    head = BERRY.replace("10c0", "11c0").replace(SUM, OTHER)
    assert _rules(found, guard("dependencies", {"yarn.lock": BERRY}, {"yarn.lock": head})) == []
    assert _rules(found, guard("dependencies", {"yarn.lock": BERRY}, {"yarn.lock": BERRY.replace(SUM, OTHER)})) == [
        "replaced"
    ]


def test_code_in_place_of_a_lock_file_blocks(guard: Any, found: Any) -> None:
    verdict = guard("dependencies", {"yarn.lock": YARN}, {"yarn.lock": "import os\nos.system('x')\n"})
    assert "unreadable" in _rules(found, verdict)


def test_a_lock_file_that_goes_is_shown_unless_another_takes_its_place(guard: Any, found: Any) -> None:
    assert found(guard("dependencies", {"yarn.lock": YARN}, {"a": ""})) == ["warning dependencies/unlocked yarn.lock"]
    assert found(guard("dependencies", {"yarn.lock": YARN}, {"pnpm-lock.yaml": PNPM})) == [
        "warning dependencies/lock-only pnpm-lock.yaml"
    ]


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: str(form.files.split()[0]))
@pytest.mark.parametrize(
    "part", ["a:\n", "  a (1)\n", "x://a ", "github:a/b ", "sha512-", '"a@npm:', "0" * 40 + " ", "{", " "]
)
def test_a_large_lock_file_is_read_in_one_pass(form: Any, part: str) -> None:
    began = time.process_time()
    lock(form.files.split()[0], part * (100_000 // len(part)))
    assert time.process_time() - began < 1.5
