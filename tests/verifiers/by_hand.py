"""Whole projects of each package manager, from installation to tests, with the network. Not collected; run it by hand:

    python -m pytest tests/verifiers/by_hand.py -p no:cacheprovider

It needs npm, Cargo, Maven, Gradle, sbt, Go and the public registries, takes minutes, and is for whoever changes how a
tool is called.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from greylag.testing.repos import Files, make_repo

JEST = {"jest": "29.7.0"}
PYTHON = "[build-system]\nrequires = ['setuptools']\nbuild-backend = 'setuptools.build_meta'\n[project]\nname = 'a'\n"
TEST = "import a\nimport six\n\ndef test_a() -> None:\n    assert a.ONE == 1\n"
CARGO = '[package]\nname = "a"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\nitoa = "1"\n'
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>org.example</groupId><artifactId>a</artifactId><version>1</version>
<properties><maven.compiler.source>11</maven.compiler.source><maven.compiler.target>11</maven.compiler.target>
<project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties>
<dependencies><dependency><groupId>org.junit.jupiter</groupId><artifactId>junit-jupiter</artifactId>
<version>5.10.2</version><scope>test</scope></dependency></dependencies>
<build><plugins><plugin><artifactId>maven-surefire-plugin</artifactId><version>3.2.5</version></plugin></plugins></build>
</project>"""


def package(manager: str | None, **fields: object) -> str:
    pin = {"packageManager": manager} if manager else {}
    return json.dumps(
        {"name": "a", "version": "1.0.0", **pin, "scripts": {"test": "jest"}, "devDependencies": JEST, **fields}
    )


NODE = {"a.test.js": "test('adds', () => expect(1 + 1).toBe(2));\n", ".gitignore": "node_modules\n"}
PROJECTS: dict[str, Files] = {
    "npm": {**NODE, "package.json": package(None)},
    "pnpm": {**NODE, "package.json": package("pnpm@9.15.9")},
    "yarn 1": {**NODE, "package.json": package("yarn@1.22.22")},
    "yarn 4": {**NODE, "package.json": package("yarn@4.5.0")},
    "yarn 4, node_modules": {
        **NODE,
        "package.json": package("yarn@4.5.0"),
        ".yarnrc.yml": "nodeLinker: node-modules\n",
    },
    "mocha": {
        "package.json": package(None, scripts={"test": "mocha a.test.js"}, devDependencies={"mocha": "10.8.2"}),
        "a.test.js": "describe('a', () => it('adds', () => {}));\n",
    },
    "vitest": {
        "package.json": package(None, scripts={"test": "vitest run"}, devDependencies={"vitest": "1.6.0"}),
        "a.test.js": "import {expect, test} from 'vitest';\ntest('adds', () => expect(1 + 1).toBe(2));\n",
    },
    "ava": {
        "package.json": package(None, type="module", scripts={"test": "ava"}, devDependencies={"ava": "6.1.3"}),
        "a.test.js": "import test from 'ava';\ntest('adds', t => t.is(1 + 1, 2));\n",
    },
    "pip": {
        "pyproject.toml": PYTHON + "version = '1'\n[project.optional-dependencies]\ntest = ['pytest', 'six']\n",
        "a.py": "ONE = 1\n",
        "tests/test_a.py": TEST,
    },
    "pip, version from git": {
        "pyproject.toml": PYTHON.replace("'setuptools'", "'setuptools', 'setuptools-scm'")
        + "dynamic = ['version']\n[tool.setuptools_scm]\nversion_file = 'a/_version.py'\n"
        + "[tool.setuptools]\npackages = ['a']\n",
        "a/__init__.py": "from a._version import version\nONE = 1\n",
        "requirements-dev.txt": "six\n",
        "tests/test_a.py": TEST,
    },
    "poetry": {
        "pyproject.toml": "[tool.poetry]\nname = 'a'\nversion = '1'\ndescription = ''\nauthors = []\n"
        "[tool.poetry.dependencies]\npython = '>=3.9'\nsix = '*'\n[tool.poetry.group.dev.dependencies]\npytest = '*'\n",
        "a/__init__.py": "ONE = 1\n",
        "tests/test_a.py": TEST,
    },
    "cargo": {
        "Cargo.toml": CARGO,
        "src/lib.rs": '#[test]\nfn adds() {\n    assert_eq!(itoa::Buffer::new().format(2), "2");\n}\n',
    },
    "maven": {
        "pom.xml": POM,
        "src/test/java/ATest.java": "class ATest { @org.junit.jupiter.api.Test void adds() {} }\n",
    },
}
COPIED = {  # the tests do not find the module beside them, only the copy that is installed
    "a.py": "ONE = 1\n",
    "checks/run.py": "import unittest, six, a\nclass T(unittest.TestCase):\n"
    "    def test_one(self): self.assertEqual(a.ONE, 1)\nunittest.main()\n",
    "pyproject.toml": PYTHON + "version = '1'\n[tool.setuptools]\npy-modules = ['a']\n",
}
PROJECTS |= {
    "bun": {
        "package.json": package("bun@1.2.5", scripts={"test": "bun test"}, devDependencies={"is-number": "7.0.0"}),
        "a.test.ts": "import { expect, test } from 'bun:test';\nimport is from 'is-number';\n"
        "test('adds', () => { expect(is(2)).toBe(true); });\n",
    },
    "tox": {**COPIED, "tox.ini": "[testenv]\ndeps = six\ncommands = python checks/run.py\n"},
    "nox": {
        **COPIED,
        "noxfile.py": "import nox\n\n@nox.session\ndef tests(session):\n"
        "    session.install('six', '.')\n    session.run('python', 'checks/run.py')\n",
    },
    "hatch": {
        **COPIED,
        "pyproject.toml": COPIED["pyproject.toml"] + "[tool.hatch.envs.test]\ndependencies = ['six']\n"
        "[tool.hatch.envs.test.scripts]\nrun = 'python checks/run.py'\n",
    },
}
GO_SUM = (
    "golang.org/x/text v0.0.0-20170915032832-14c0d48ead0c h1:qgOY6WgZOaTkIIMiVjBQcw93ERBE4m30iBm00nkL0i8=\n"
    "golang.org/x/text v0.0.0-20170915032832-14c0d48ead0c/go.mod h1:NqM8EUOU14njkJ3fqMW+pc6Ldnwhi/IjpwHt7yyuwOQ=\n"
    "rsc.io/quote v1.5.2 h1:w5fcysjrx7yqtD/aO+QwRjYZOKnaM9Uh2b40tElTs3Y=\n"
    "rsc.io/quote v1.5.2/go.mod h1:LzX7hefJvL54yjefDEDHNONDjII0t9xZLPXsUe+TKr0=\n"
    "rsc.io/sampler v1.3.0 h1:7uVkIFmeBqHfdjD+gZwtXXI+RODJ2Wc4O7MPEh/QiW4=\n"
    "rsc.io/sampler v1.3.0/go.mod h1:T1hPZKmBbMNahiBKFy5HrXp6adAjACjK9JXDnKaTXpA=\n"
)
PROJECTS["gradle"] = {
    "settings.gradle": "",
    "build.gradle": "apply plugin: 'java'\nrepositories { mavenCentral() }\n"
    "dependencies { testImplementation 'junit:junit:4.13.2' }\n",
    "src/test/java/ATest.java": "public class ATest {\n    @org.junit.Test\n    public void adds() {}\n}\n",
}
PROJECTS["sbt"] = {
    "build.sbt": 'scalaVersion := "2.13.15"\nlibraryDependencies += "org.scalatest" %% "scalatest" % "3.2.19" % Test\n',
    "project/build.properties": "sbt.version=1.10.7\n",
    "src/test/scala/ATest.scala": 'class ATest extends org.scalatest.funsuite.AnyFunSuite {\n  test("adds") {}\n}\n',
}
PROJECTS["go"] = {
    "go.mod": "module example.org/a\n\ngo 1.21\n\nrequire rsc.io/quote v1.5.2\n\nrequire (\n"
    "\tgolang.org/x/text v0.0.0-20170915032832-14c0d48ead0c // indirect\n\trsc.io/sampler v1.3.0 // indirect\n)\n",
    "go.sum": GO_SUM,
    "a_test.go": 'package a\n\nimport (\n\t"testing"\n\n\t"rsc.io/quote"\n)\n\n'
    'func TestA(t *testing.T) {\n\tif quote.Glass() == "" {\n\t\tt.Error("silent")\n\t}\n}\n',
}


@pytest.mark.parametrize("name", PROJECTS)
def test_one_test_runs(name: str, tmp_path: Path) -> None:
    report = verify(make_repo(tmp_path / "repo", PROJECTS[name]), tmp_path)
    verdicts = {v["verifier"]: (v["outcome"], v["summary"], v["diagnostics"]) for v in report["verdicts"]}
    assert report["passed"], json.dumps([verdicts, report["notes"]], indent=1)
    assert [v["counts"]["run"] for v in report["verdicts"] if v["counts"]] == [1]


def verify(repo: Path, state: Path) -> dict[str, Any]:
    directories = {"GREYLAG_CACHE": str(state / "cache"), "GREYLAG_STATE": str(state / "state")}
    done = subprocess.run(
        [sys.executable, "-m", "greylag", "verify", str(repo), "--format", "json"],
        env={"PATH": os.environ["PATH"], "HOME": str(state), **directories},
        capture_output=True,
        check=False,
    )
    assert done.stdout, done.stderr.decode(errors="replace")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
