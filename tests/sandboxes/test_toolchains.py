"""The caller's tool chains work inside; what lies beside them stays outside."""

import os
import re
import shutil
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from greylag.protocols import Command, Sandbox, SandboxBackend
from greylag.sandboxes import _toolchains
from greylag.sandboxes.bubblewrap import Bubblewrap
from greylag.testing.sandbox import shell, spec

pytestmark = pytest.mark.toolchain("bwrap")

_PROGRAMS = {
    "python3": "python3 -c 'import ssl, sqlite3, threading; print(6 * 7)' | grep -qx 42",
    "git": "git init -q . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x && git log --oneline",
    "node": 'node -e \'setTimeout(() => require("child_process").execSync("true"), 1)\'',
    "npm": "npm --version && npm config get cache | grep -q /home/agent",
    "java": "java -Xshare:auto -version",
    "mvn": "mvn -v",
    "go": "go version && go env GOPATH | grep -q /home/agent",
    "cargo": "cargo --version && rustc --version",
    "gcc": "echo 'int main(void) { return 7; }' > a.c && gcc -o a a.c && { ./a; test $? = 7; }",
    "uv": "uv --version && uv cache dir | grep -q /home/agent",
}


@pytest.fixture(scope="module")
def inside(sandboxed: SandboxBackend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandboxed.open(spec(tmp_path_factory.mktemp("inside"))) as sandbox:
        yield sandbox


@pytest.mark.parametrize("name", _PROGRAMS)
def test_programs_of_the_caller_run_inside(name: str, inside: Sandbox) -> None:
    if shutil.which(name) is None:
        pytest.skip(f"UNPROVEN HERE: {name} not installed")
    completed = inside.run(Command(shell(_PROGRAMS[name])))
    assert completed.returncode == 0, completed.output.decode()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    """A home as users have them, which nobody else can enter, and the secret that all its private files hold."""
    home, secret = tmp_path / "user", uuid.uuid4().hex
    private = (
        *(".netrc", ".npmrc", ".pypirc", ".ssh/id_ed25519", ".aws/credentials", ".docker/config.json", ".gitconfig"),
        *(".cargo/credentials.toml", ".cargo/credentials", ".cargo/config.toml", ".config/gh/hosts.yml", ".env"),
        *(".nvm/.npmrc", ".nvm/versions/node/v1/etc/npmrc", ".local/share/keyrings/x", "project/.env"),
        *(".local/share/uv/tools/black/pip.conf", ".volta/.env", "jdk/.netrc"),
    )
    for name in private:
        _write(home / name, secret)
    for name in (".cargo/bin/x-cargo", ".nvm/versions/node/v1/bin/x-node", "project/bin/x-project", "jdk/bin/x-java"):
        _write(home / name, "#!/bin/sh\necho here\n")
    _write(home / "maven/bin/x-mvn", '#!/bin/sh\ncat "$(dirname "$0")/../lib/part"\n')
    _write(home / "maven/lib/part", "here\n")
    _write(home / "jdk/lib/part", "")
    _write(home / "project/lib/part", "")
    (home / ".volta/bin").mkdir()
    tool = home / ".local/share/uv/tools/black"
    _write(tool / "pyvenv.cfg", f"home = {home}/.local/share/uv/python/cpython/bin\n")
    _write(tool / "bin/x-black", f"#!{tool}/bin/python\necho here\n")
    (tool / "bin/python").symlink_to(home / ".local/share/uv/python/cpython/bin/python3")
    _write(home / ".local/share/uv/python/cpython/bin/python3", '#!/bin/sh\nexec /bin/sh "$@"\n')
    _write(home / "modules/lib/node_modules/agent/cli", '#!/bin/sh\n. "$(dirname "$(readlink -f "$0")")/part"\n')
    _write(home / "modules/lib/node_modules/agent/part", "echo here\n")
    (home / ".local/bin").mkdir(parents=True)
    (home / ".local/bin/x-black").symlink_to(tool / "bin/x-black")
    (home / ".local/bin/x-agent").symlink_to(home / "modules/lib/node_modules/agent/cli")
    home.chmod(0o700)
    bins = (".local/bin", ".cargo/bin", ".nvm/versions/node/v1/bin", "maven/bin", "project/bin", "jdk/bin")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", ":".join([*(f"{home}/{name}" for name in bins), str(home), ".", "/nowhere", "/usr/bin"]))
    return home, secret


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def test_a_link_to_what_debian_manages_by_alternatives_works(home: tuple[Path, str], tmp_path: Path) -> None:
    """What a directory of PATH links to may lie where the system's own links are, which are there anyway."""
    user, _ = home
    managed = next((path for path in Path("/etc/alternatives").iterdir() if Path("/usr/bin", path.name).exists()), None)
    if managed is None:
        pytest.skip("UNPROVEN HERE: no alternatives on this machine")
    (user / ".local/bin/x-managed").symlink_to(Path("/usr/bin", managed.name))
    with Bubblewrap().open(spec(tmp_path)) as sandbox:
        done = sandbox.run(Command(shell("command -v x-managed")))
    assert done.output.decode().strip() == f"{user}/.local/bin/x-managed"


def test_tools_of_a_private_home_work_and_secrets_do_not_show(home: tuple[Path, str], tmp_path: Path) -> None:
    user, secret = home
    names = ("x-agent", "x-cargo", "x-node", "x-mvn", "x-project", "x-java")
    script = f"for name in {' '.join(names)}; do echo $name $($name); done; grep -rl {secret} {user} /etc/ /run /home"
    with Bubblewrap().open(spec(tmp_path)) as sandbox:
        control = sandbox.run(Command(shell(f"cat {user}/.nvm/versions/node/v1/bin/x-node")))
        completed = sandbox.run(Command(shell(script)))
        path = sandbox.run(Command(shell("echo $PATH"))).output.decode().strip().split(":")
        black = sandbox.run(
            Command(shell("readlink -f $(which x-black); ls -l $(dirname $(readlink -f $(which x-black)))/python"))
        )
    assert b"echo here" in control.output
    assert completed.output.decode().splitlines() == [f"{name} here" for name in names]
    assert path[:6] == os.environ["PATH"].split(":")[:6]
    assert not {str(user), ".", "/nowhere"} & set(path)
    assert black.returncode == 0, black


def test_the_mirror_of_secrets_is_there(home: tuple[Path, str]) -> None:
    """Control: the search above would find the secrets outside."""
    user, secret = home
    found = [path for path in user.rglob("*") if path.is_file() and secret in path.read_text()]
    assert len(found) > 15


def test_a_home_is_never_taken_whole(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "lib").mkdir()
    tools = _toolchains.find({"HOME": str(tmp_path), "PATH": f"{tmp_path}/bin:{tmp_path}:/", "JAVA_HOME": "/"})
    assert tmp_path / "bin" in tools.trees
    assert not [tree for tree in tools.trees if tmp_path.is_relative_to(tree)]
    assert "JAVA_HOME" not in tools.env


def test_variables_of_version_managers_lead_to_their_trees(tmp_path: Path) -> None:
    for name in ("py", "home/.rustup", "home/.nvm", "jdk/bin"):
        (tmp_path / name).mkdir(parents=True)
    environ = {
        "HOME": f"{tmp_path}/home",
        "PYENV_ROOT": f"{tmp_path}/py",
        "JAVA_HOME": f"{tmp_path}/jdk",
        "SECRET": "x",
    }
    tools = _toolchains.find(environ)
    assert tools.env["PYENV_ROOT"] == f"{tmp_path}/py"
    assert tools.env["RUSTUP_HOME"] == f"{tmp_path}/home/.rustup"
    assert {tmp_path / "py", tmp_path / "jdk", tmp_path / "home/.nvm"} <= set(tools.trees)
    assert "SECRET" not in tools.env
    assert "/usr/bin" in tools.env["PATH"].split(":")


def test_the_interpreter_of_greylag_is_inside(inside: Sandbox) -> None:
    script = '"$GREYLAG_PYTHON" -c "import sys; print(sys.version_info[:2])"'
    output = inside.run(Command(shell(script))).output.decode()
    assert re.fullmatch(rf"\({sys.version_info.major}, {sys.version_info.minor}\)\n", output)


def test_certificates_of_the_company_are_used(inside: Sandbox) -> None:
    """The system's bundle, to which companies add their own authority."""
    if not Path("/etc/ssl/certs/ca-certificates.crt").exists():
        pytest.skip("UNPROVEN HERE: no bundle on this machine")
    script = (
        'for v in SSL_CERT_FILE NODE_EXTRA_CA_CERTS PIP_CERT GIT_SSL_CAINFO; do eval test -s "\\$$v" || echo $v; done'
    )
    completed = inside.run(Command(shell(script)))
    assert completed.output == b""
