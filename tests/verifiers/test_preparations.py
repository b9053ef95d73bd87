"""Preparations that run a project's own code: what they made for one tree must not serve another. Real npm, uv and cc.

Everything needed is in the repositories themselves, so that there is no network.
"""

import json
import os
import re
from pathlib import Path

import pytest

from greylag.model import Counts, Outcome
from greylag.protocols import SandboxBackend, Verifier
from greylag.report import Report
from greylag.testing.repos import Files
from greylag.testing.verifying import House, Repository
from greylag.verifiers.node import Node
from greylag.verifiers.python import Python


def house(path: Path, backend: SandboxBackend, files: Files) -> House:
    for directory in (path, *path.parents):
        if directory.stat().st_uid == os.geteuid() and directory != Path("/"):
            directory.chmod(directory.stat().st_mode | 0o011)
    return House(path, backend, Repository.make(path / "repo", files))


def after(at: House, verifier: Verifier, *changes: Files) -> list[tuple[Report, list[str]]]:
    """The reports on changed trees after a green baseline, each with what ran for it."""
    verification = at.verification(verifier)
    baseline = verification.baseline()
    assert {v.outcome for v in baseline.verdicts} == {Outcome.PASSED}, baseline
    at.started()
    trees = [at.repository.change(change) for change in changes]
    return [(verification.run(tree, mode="gate", baseline=baseline), at.started()) for tree in trees]


# -- npm -------------------------------------------------------------------------------------------------------------

LOCK = {"name": "a", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {"name": "a", "version": "1.0.0"}}}
GENERATE = "const fs = require('fs'), place = process.argv[2]; fs.mkdirSync(place, {recursive: true});\n" + (
    "fs.writeFileSync(place + '/made.js', 'module.exports = ' + fs.readFileSync('source', 'utf8'));\n"
)
CASE = "require('node:test')('{0}', () => require('node:assert').strictEqual(require('./{0}/made.js'), 1));\n"


def npm(*places: str, **scripts: str) -> dict[str, str]:
    manifest = {"name": "a", "version": "1.0.0", "scripts": {"test": "node --test", **scripts}}
    files = {"package.json": json.dumps(manifest), "generate.js": GENERATE, "source": "1"}
    files |= {"a.test.js": "".join(map(CASE.format, places)), ".gitignore": "/lib\n/node_modules\n"}
    return {**files, "package-lock.json": json.dumps(LOCK)}


@pytest.mark.toolchain("npm", "node")
def test_what_install_scripts_build_is_built_for_each_tree(tmp_path: Path, backend: SandboxBackend) -> None:
    """The lock file is the same for all of them, but the source of what is built is not."""
    scripts = {"prepare": "node generate.js lib", "postinstall": "node generate.js node_modules/made"}
    at = house(tmp_path, backend, npm("lib", "node_modules/made", **scripts))
    ((wrong, ran),) = after(at, Node(), {"source": "2"})
    assert ran == ["npm ci", "npm run test"]
    assert wrong.verdicts[-1].counts == Counts(2, 2), "what the base commit had built would pass"


@pytest.mark.toolchain("npm", "node")
def test_an_installation_serves_all_trees_where_all_that_it_builds_is_built_again(
    tmp_path: Path, backend: SandboxBackend
) -> None:
    at = house(tmp_path, backend, npm("lib", prepare="node generate.js lib", build="node generate.js lib"))
    ((wrong, ran),) = after(at, Node(), {"source": "2"})
    assert ran == ["npm run build", "npm run test"]
    assert wrong.verdicts[-1].counts == Counts(1, 1)


LOCAL = "require('node:test')('lib', () => require('node:assert').strictEqual(require('lib'), 1));\n"


@pytest.mark.toolchain("npm", "node")
def test_a_directory_that_is_installed_as_a_dependency_is_of_the_tree_that_is_verified(
    tmp_path: Path, backend: SandboxBackend
) -> None:
    """No script builds anything here: npm copies the directory when it is told to, as pnpm and yarn always do."""
    files = {
        "package.json": json.dumps({"dependencies": {"lib": "file:lib"}, "scripts": {"test": "node --test a.test.js"}}),
        "lib/package.json": json.dumps({"name": "lib", "version": "1.0.0", "main": "source.js"}),
        "lib/source.js": "module.exports = 1;\n",
        "a.test.js": LOCAL,
        ".npmrc": "install-links=true\n",
    }
    at = house(tmp_path, backend, files)
    ((wrong, ran),) = after(at, Node(), {"lib/source.js": "module.exports = 2;\n"})
    assert ran == ["npm install", "npm run test"]
    assert wrong.verdicts[-1].counts == Counts(1, 1)


# -- Python ----------------------------------------------------------------------------------------------------------

BACKEND = '''"""Builds an extension with cc, and an editable wheel that says where it is."""
import pathlib, subprocess, zipfile

NAME = "a-1.dist-info"

def build_editable(directory, settings=None, metadata=None):
    subprocess.run(["cc", "-shared", "-fPIC", "-o", "_answer.so", "answer.c"], check=True)
    wheel = pathlib.Path(directory, "a-1-py3-none-any.whl")
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("a.pth", str(pathlib.Path.cwd()))
        file.writestr(f"{NAME}/METADATA", "Metadata-Version: 2.1\\nName: a\\nVersion: 1\\n")
        file.writestr(f"{NAME}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        file.writestr(f"{NAME}/RECORD", "")
    return wheel.name
'''
ANSWER = "int answer(void) {{ return {}; }}\n"
ASKED = (
    "import ctypes, unittest\nANSWER = ctypes.CDLL('./_answer.so')\n\n"
    "class T(unittest.TestCase):\n    def test_answer(self): self.assertEqual(ANSWER.answer(), {})\n"
)
USED = "import lib, unittest\nclass T(unittest.TestCase):\n    def test_one(self): self.assertEqual(lib.ONE, 1)\n"
EXTENSION = {
    "pyproject.toml": "[project]\nname = 'a'\nversion = '1'\n"
    "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n",
    "backend.py": BACKEND,
    "answer.c": ANSWER.format(1),
    "test_answer.py": ASKED.format(1),
    ".gitignore": "*.so\n.venv\n",
}


@pytest.mark.toolchain("cc")
def test_an_extension_is_compiled_for_each_tree(tmp_path: Path, backend: SandboxBackend) -> None:
    at = house(tmp_path, backend, EXTENSION)
    changes = {"answer.c": ANSWER.format(2), "test_answer.py": ASKED.format(2)}, {"answer.c": ANSWER.format(2)}
    (right, ran), (wrong, again) = after(at, Python(), *changes)
    assert ran == again == ["uv pip install", "unittest"]
    assert right.passed, right
    assert wrong.verdicts[-1].counts == Counts(1, 1)


def test_a_directory_that_is_installed_as_a_requirement_is_of_the_tree_that_is_verified(
    tmp_path: Path, backend: SandboxBackend
) -> None:
    """A wheel is made of it, with a copy of its modules."""
    made = BACKEND.replace("build_editable", "build_wheel").replace('"a.pth", str(pathlib.Path.cwd())', '"lib.py", LIB')
    made = re.sub(r"\n    subprocess.*", "\n    LIB = pathlib.Path('lib.py').read_text()", made)
    files = {
        "requirements.txt": "./lib\n",
        "lib/pyproject.toml": EXTENSION["pyproject.toml"],
        "lib/backend.py": made,
        "lib/lib.py": "ONE = 1\n",
        "test_lib.py": USED,
    }
    at = house(tmp_path, backend, files)
    ((wrong, ran),) = after(at, Python(), {"lib/lib.py": "ONE = 2\n"})
    assert ran == ["uv pip install", "unittest"]
    assert wrong.verdicts[-1].counts == Counts(1, 1)
