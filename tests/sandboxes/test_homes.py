"""Homes as users and version managers make them: their programs work inside, what is private does not show.

Programs are small scripts and links here; only the layouts are real. Each prints its own name.
"""

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from greylag.protocols import Command, Sandbox
from greylag.sandboxes import _private, _toolchains
from greylag.sandboxes.bubblewrap import Bubblewrap
from greylag.testing.sandbox import shell, spec

pytestmark = pytest.mark.toolchain("bwrap")

_IS_ROOT = os.getuid() == 0
_PART = '#!/bin/sh\n. "$(dirname "$(readlink -f "$0")")/../lib/part"\n'


@dataclass(frozen=True)
class Home:
    """A home that nobody else can enter, the variables of its user's shell, and a secret that must not show."""

    path: Path
    environ: dict[str, str]
    secret: str


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def _program(path: Path, name: str) -> None:
    """A program that needs its prefix."""
    _write(path / "bin" / name, _PART)
    _write(path / "lib/part", f"echo {name}\n")


def _link(path: Path, text: str | Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(text)


def _pyenv(home: Path) -> str:
    """A shim that asks the manager, and a version that another manager installed."""
    _program(home / ".local/share/uv/python/cpython-3.12.1", "x-pyenv")
    _link(home / ".pyenv/versions/3.12", home / ".local/share/uv/python/cpython-3.12.1")
    _write(home / ".pyenv/libexec/pyenv", f'#!/bin/sh\nexec "{home}/.pyenv/versions/3.12/bin/$1"\n')
    _write(home / ".pyenv/shims/x-pyenv", f'#!/bin/sh\nexec "{home}/.pyenv/libexec/pyenv" x-pyenv\n')
    return ".pyenv/shims"


def _uv(home: Path) -> str:
    """A link to a program, by a directory that is a link itself; a tool in an environment of that interpreter."""
    python = home / ".local/share/uv/python"
    _program(python / "cpython-3.13.2", "x-uv")
    _link(python / "cpython-3.13", "cpython-3.13.2")
    _link(home / ".local/bin/x-uv", python / "cpython-3.13/bin/x-uv")
    tool = home / ".local/share/uv/tools/hi"
    _write(tool / "pyvenv.cfg", f"home = {python}/cpython-3.13/bin\n")
    _link(tool / "bin/python", python / "cpython-3.13/bin/x-uv")
    _write(tool / "bin/x-tool", f"#!/bin/sh\n{tool}/bin/python >/dev/null && echo x-tool\n")
    _link(home / ".local/bin/x-tool", tool / "bin/x-tool")
    return ".local/bin"


def _rustup(home: Path) -> str:
    """A toolchain that was linked into the manager from where it was built."""
    _program(home / "src/rust/stage2", "x-rust")
    _link(home / ".rustup/toolchains/own", home / "src/rust/stage2")
    _write(home / ".cargo/bin/x-rust", f'#!/bin/sh\nexec "{home}/.rustup/toolchains/own/bin/x-rust"\n')
    return ".cargo/bin"


def _nvm(home: Path) -> str:
    _write(home / ".nvm/versions/node/v20/lib/node_modules/x-nvm/cli", "#!/bin/sh\necho x-nvm\n")
    _link(home / ".nvm/versions/node/v20/bin/x-nvm", "../lib/node_modules/x-nvm/cli")
    return ".nvm/versions/node/v20/bin"


def _fnm(home: Path) -> str:
    """PATH holds a link of this one shell."""
    _program(home / ".local/share/fnm/node-versions/v20/installation", "x-fnm")
    _link(home / ".local/state/fnm_multishells/1", home / ".local/share/fnm/node-versions/v20/installation")
    return ".local/state/fnm_multishells/1/bin"


def _asdf(home: Path) -> str:
    """A shim that looks for the version in the work tree, then in the home."""
    _program(home / ".asdf/installs/x/1.2", "x-asdf")
    _write(home / ".tool-versions", "x 1.2\n")
    version = 'read -r _ version < ~/.tool-versions; exec "{}/.asdf/installs/x/$version/bin/x-asdf"'
    _write(home / ".asdf/shims/x-asdf", f"#!/bin/sh\n{version.format(home)}\n")
    return ".asdf/shims"


def _sdkman(home: Path) -> str:
    """`current` is a link to a version that is a link to a JDK elsewhere."""
    _program(home / "jdks/temurin-21", "x-java")
    _link(home / ".sdkman/candidates/java/21-local", home / "jdks/temurin-21")
    _link(home / ".sdkman/candidates/java/current", "21-local")
    return ".sdkman/candidates/java/current/bin"


def _conda(home: Path) -> str:
    _program(home / "miniconda3", "x-conda")
    return "miniconda3/bin"


def _own_scripts(home: Path) -> str:
    """A script that needs files beside it, and one in a project that is reached by relative links."""
    _write(home / "bin/parts/main", "echo x-own\n")
    _write(home / "bin/x-own", '#!/bin/sh\n. "$(dirname "$0")/parts/main"\n')
    _program(home / "apps/wrapped", "x-wrapped")
    _link(home / "bin/x-wrapped", "../links/wrapped")
    _link(home / "links/wrapped", "../apps/wrapped/bin/x-wrapped")
    return "bin"


def _somebody_else(home: Path) -> str:
    """A chain of links into another home, of which nothing else shows."""
    _program(home.parent / "colleague/tools/their", "x-their")
    _write(home.parent / "colleague/private", "private of a colleague")
    _link(home / "shared/bin/x-their", home.parent / "colleague/current/bin/x-their")
    _link(home.parent / "colleague/current", "tools/their")
    return "shared/bin"


def _moved(home: Path) -> str:
    """A manager on another disk."""
    _program(home.parent / "disk/volta/tools", "x-volta")
    _link(home / ".volta", home.parent / "disk/volta")
    return ".volta/tools/bin"


_LAYOUTS = (*(_pyenv, _uv, _rustup, _nvm, _fnm, _asdf, _sdkman, _conda, _own_scripts, _somebody_else, _moved),)
_NAMES = (
    *("x-pyenv", "x-uv", "x-tool", "x-rust", "x-nvm", "x-fnm", "x-asdf", "x-java", "x-conda", "x-own", "x-wrapped"),
    *("x-their", "x-volta"),
)
_PRIVATE = (
    *(".cargo/credentials.toml", ".cargo/config.toml", ".npmrc", ".netrc", ".m2/settings.xml", ".config/gh/hosts.yml"),
    *(".ssh/id", ".aws/credentials", ".local/share/keyrings/login", ".pyenv/versions/pip.conf", ".nvm/.npmrc"),
    *(".nvm/versions/node/v20/etc/npmrc", ".sdkman/etc/config", ".sdkman/candidates/maven/3.9/conf/settings.xml"),
    *("miniconda3/.condarc", ".asdf/installs/nodejs/20/etc/npmrc", "project/.env", "apps/.env", ".tool-versions.bak"),
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    root = tmp_path_factory.mktemp("homes")
    home, secret = root / "user", uuid.uuid4().hex
    home.mkdir()
    path = [f"{home}/{layout(home)}" for layout in _LAYOUTS]
    for name in _PRIVATE:
        _write(home / name, f"<password>{secret}</password>\n")
    home.chmod(0o700)
    return Home(home, {"HOME": str(home), "PATH": ":".join([*path, "/usr/bin", "/bin"])}, secret)


@pytest.fixture(scope="module")
def inside(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in home.environ.items():
            patch.setenv(name, value)
        with Bubblewrap().open(spec(tmp_path_factory.mktemp("inside"))) as sandbox:
            yield sandbox


@pytest.mark.parametrize("name", _NAMES)
def test_a_program_works_where_its_manager_put_it(name: str, home: Home, inside: Sandbox) -> None:
    assert inside.run(Command((name,))).output.decode() == f"{name}\n"


def test_nothing_private_comes_with_the_tools(home: Home, inside: Sandbox) -> None:
    found = [path for path in home.path.rglob("*") if path.is_file() and home.secret in path.read_text()]
    assert len(found) == len(_PRIVATE)  # the control: the search finds them outside
    command = Command(shell(f"grep -rlE '{home.secret}|private of a colleague' {home.path.parent} ~ /etc /run"))
    assert inside.run(command).output == b""


def test_maven_is_given_settings_that_it_can_read(home: Home, inside: Sandbox) -> None:
    settings = home.path / ".sdkman/candidates/maven/3.9/conf/settings.xml"
    assert inside.run(Command(("cat", str(settings)))).output == b"<settings/>\n"


def test_the_home_of_the_sandbox_keeps_its_own_versions(home: Home, tmp_path: Path) -> None:
    """Neither an own file nor a link of the agent is touched by the defaults of the user."""
    (tmp_path / "home").mkdir()
    (tmp_path / "target").write_text("")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home.path))
        (tmp_path / "home/.tool-versions").symlink_to(tmp_path / "target")
        with Bubblewrap().open(spec(tmp_path)):
            pass
    assert (tmp_path / "target").read_text() == ""
    assert (tmp_path / "home/.tool-versions").is_symlink()


def test_directories_that_the_caller_may_not_enter_are_left_out(tmp_path: Path) -> None:
    if _IS_ROOT:
        pytest.skip("UNPROVEN HERE: root enters everything")
    _program(tmp_path / "closed/tool", "x")
    (tmp_path / "closed").chmod(0)
    try:
        tools = _toolchains.find({"HOME": f"{tmp_path}/closed", "PATH": f"{tmp_path}/closed/tool/bin:/usr/bin"})
    finally:
        (tmp_path / "closed").chmod(0o755)
    assert tools.env["PATH"].split(":")[0] == "/usr/bin"


@pytest.mark.skipif(not _IS_ROOT, reason="UNPROVEN HERE: needs root")
def test_what_root_alone_can_enter_is_named_and_breaks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with umask 077: the sandbox is another user."""
    home = tmp_path / "user"
    _write(home / ".nvm/bin/x", "#!/bin/sh\n")
    _write(home / ".nvm/.npmrc", "secret")
    (home / ".nvm").chmod(0o700)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", f"{home}/.nvm/bin:{os.environ['PATH']}")
    found = {each.name: each for each in Bubblewrap().probe()}["tools"]
    assert found.state == "weak"
    assert f"chmod -R o+rX {home}/.nvm" in found.evidence


@pytest.mark.parametrize("place", ["/tmp", "/", "/etc", "/home", "/proc/self"])
def test_places_of_the_sandbox_itself_are_never_mounted(place: str, tmp_path: Path) -> None:
    tools = _toolchains.find({"HOME": str(tmp_path), "PATH": place, "JAVA_HOME": place, "NVM_DIR": place})
    assert not [tree for tree in (*tools.trees, *tools.links) if Path(place).resolve().is_relative_to(tree)]
    assert place not in tools.env["PATH"].split(":")


def test_settings_of_the_machine_are_masked(tmp_path: Path) -> None:
    for name in ("maven/conf/settings.xml", "node/etc/npmrc", "closed/etc/npmrc", "maven/conf/other.xml"):
        _write(tmp_path / name, "secret")
    tmp_path.chmod(0o755)
    (tmp_path / "closed").chmod(0o600)
    system = {str(tmp_path): {"*/conf/settings.xml": "<settings/>", "*/etc/npmrc": ""}}
    names = {str(path.relative_to(tmp_path)): text for path, text in _private.files((), system).items()}
    (tmp_path / "closed").chmod(0o755)  # so that it can be cleared away
    assert names == {"maven/conf/settings.xml": "<settings/>", "node/etc/npmrc": ""}


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    _link(tmp_path / "a", "b")
    _link(tmp_path / "b", "a")
    _link(tmp_path / "bin/x", tmp_path / "a")
    tools = _toolchains.find({"HOME": str(tmp_path / "home"), "PATH": f"{tmp_path}/bin:{tmp_path}/a"})
    assert tools.env["PATH"].split(":")[0] == f"{tmp_path}/bin"
