"""Finds the tool chains of the caller, so that they can be mounted read-only where they are.

What lies under /usr and /opt is mounted anyway. The rest is found by the caller's PATH, by the variables of version
managers and by the places where these install. Only directories of tools are taken, never a home; files that hold
credentials are masked.
"""

import contextlib
import os
import pwd
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_SYSTEM = tuple(map(Path, ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/opt")))
_UNUSABLE = (Path("/snap"), Path("/proc"), Path("/sys"), Path("/dev"))  # snaps need a daemon of the host
_DEFAULT_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")

# variable of the manager, where it installs below a home
_MANAGERS = (
    ("PYENV_ROOT", ".pyenv"),
    ("RUSTUP_HOME", ".rustup"),
    ("NVM_DIR", ".nvm"),
    ("VOLTA_HOME", ".volta"),
    ("FNM_DIR", ".fnm"),
    ("FNM_DIR", ".local/share/fnm"),
    ("ASDF_DATA_DIR", ".asdf"),
    ("MISE_DATA_DIR", ".local/share/mise"),
    ("SDKMAN_CANDIDATES_DIR", ".sdkman/candidates"),
)
_VARIABLES = ("JAVA_HOME", "GOROOT")
_MARKERS = re.compile(r"(.+?)/\.(?:pyenv|rustup|cargo|nvm|volta|fnm|asdf|sdkman|local)(?:/|$)")
_SHARED_PREFIXES = (".local", ".cargo", ".config", "go")  # their bin is taken, not the rest
_PRIVATE = {
    ".aws", ".azure", ".config", ".docker", ".env", ".git", ".git-credentials", ".gnupg", ".kube", ".m2", ".netrc",
    ".npmrc", ".pypirc", ".ssh", ".vault-token", "credentials", "credentials.toml",
}  # fmt: skip
_MASKED = (
    *(".netrc", ".npmrc", ".pypirc", ".git-credentials", ".env", ".vault-token"),
    *("credentials", "credentials.toml", "pip.conf", "etc/npmrc", "*/etc/npmrc", "*/pip.conf"),
    *("versions/node/*/etc/npmrc", "node-versions/*/installation/etc/npmrc", "installs/node/*/etc/npmrc"),
    *("tools/image/node/*/etc/npmrc", "versions/*/pip.conf"),
)
_MASKED_DIRECTORIES = (".ssh", ".aws", ".azure", ".config", ".docker", ".gnupg", ".kube", ".m2")
_MANY = 4000  # entries of one directory that are looked at


@dataclass(frozen=True, slots=True)
class Tools:
    """What to mount at its own path, which files and directories in it to mask, and the environment to go with it."""

    trees: tuple[Path, ...]
    masked_files: tuple[Path, ...]
    masked_directories: tuple[Path, ...]
    env: Mapping[str, str]
    python: str  # an interpreter that exists inside


@dataclass
class _Finder:
    homes: tuple[Path, ...]
    trees: list[Path] = field(default_factory=list)

    def covered(self, path: Path) -> bool:
        return any(path.is_relative_to(tree) for tree in (*_SYSTEM, *self.trees))

    def add(self, path: Path) -> bool:
        """Take a directory or file, and its real place when a link leads there. False when it is refused."""
        for place in dict.fromkeys((path, Path(os.path.realpath(path)))):
            if any(home.is_relative_to(place) for home in self.homes) or len(place.parts) < 2:
                return False
            if any(place.is_relative_to(bad) for bad in _UNUSABLE):
                return False
            if place.exists() and not self.covered(place):
                self.trees.append(place)
        return True

    def add_bin(self, directory: Path) -> bool:
        """Take a directory of PATH, with its prefix when programs in it need that, and what its links lead to."""
        if not directory.is_absolute() or not directory.is_dir():
            return False
        if self.covered(directory) and self.covered(Path(os.path.realpath(directory))):
            return True
        real = Path(os.path.realpath(directory))
        taken = self.add(real.parent) if self._is_prefix(real) else True
        if not (taken and self.add(directory)):
            return False
        for target in _links(real):
            if not self.covered(target):
                for root in self._roots(target):
                    self.add(root)
        return True

    def _is_prefix(self, directory: Path) -> bool:
        """`jdk-21/bin` needs `jdk-21/lib`; `~/.local/bin` must not bring `~/.local`."""
        prefix = directory.parent
        shared = (home / name for home in self.homes for name in _SHARED_PREFIXES)
        if directory.name != "bin" or prefix in shared or any(home.is_relative_to(prefix) for home in self.homes):
            return False
        names = {entry.name for entry in os.scandir(prefix)} if os.access(prefix, os.R_OK) else set[str]()
        return bool(names & {"lib", "libexec", "share", "Cellar"}) and not names & _PRIVATE

    def _roots(self, target: Path) -> Iterator[Path]:
        """The smallest tree in which a program that a link leads to works."""
        modules = [parent for parent in target.parents if parent.name == "node_modules"]
        if modules:
            yield modules[-1]
            return
        for parent in target.parents:
            if (parent / "pyvenv.cfg").is_file():
                yield parent
                settings = (parent / "pyvenv.cfg").read_text(errors="replace")
                home = re.search(r"^home\s*=\s*(.+)$", settings, re.MULTILINE)
                if home and not self.covered(Path(home[1])):
                    yield Path(home[1]).parent
                return
        yield target.parent.parent if self._is_prefix(target.parent) else target


def find(environ: Mapping[str, str], extra: Iterable[Path] = ()) -> Tools:
    """The tool chains that `environ` (PATH, HOME, variables of version managers) leads to, and `extra` trees."""
    entries = [Path(entry) for entry in environ.get("PATH", "").split(":") if entry]
    finder = _Finder(_homes(environ, entries))
    env = _managers(finder, environ)
    for tree in extra:
        finder.add(tree)
    for prefix in (sys.base_prefix, sys.prefix):
        if not finder.covered(Path(prefix)):
            finder.add(Path(prefix))
    path = [str(entry) for entry in entries if finder.add_bin(entry)]
    path += [entry for entry in _DEFAULT_PATH if entry not in path and Path(entry).is_dir()]
    env["PATH"] = ":".join(dict.fromkeys(path))
    python = _python(finder)
    return Tools(
        tuple(finder.trees),
        tuple(sorted(_masked(finder.trees, _MASKED))),
        tuple(sorted(_masked(finder.trees, _MASKED_DIRECTORIES))),
        env | {"GREYLAG_PYTHON": python},
        python,
    )


def _homes(environ: Mapping[str, str], entries: list[Path]) -> tuple[Path, ...]:
    """Homes in which tools may lie: the caller's, and those that PATH and the managers' variables point into."""
    found = [Path(environ["HOME"])] if Path(environ.get("HOME", "")).is_absolute() else []
    with contextlib.suppress(KeyError):  # a uid without an entry, as in containers
        found.append(Path(pwd.getpwuid(os.getuid()).pw_dir))
    named = [environ[variable] for variable, _ in _MANAGERS if variable in environ]
    found += [Path(match[1]) for place in (*map(str, entries), *named) if (match := _MARKERS.match(place))]
    return tuple(dict.fromkeys(home for home in found if home != Path("/")))


def _managers(finder: _Finder, environ: Mapping[str, str]) -> dict[str, str]:
    env: dict[str, str] = {}
    for variable, below in _MANAGERS:
        places = [Path(environ[variable])] if environ.get(variable) else []
        for place in (*places, *(home / below for home in finder.homes)):
            if variable not in env and place.is_absolute() and place.is_dir() and finder.add(place):
                env[variable] = str(place)
    for variable in _VARIABLES:
        place = Path(environ.get(variable, ""))
        if place.is_absolute() and place.is_dir() and (finder.covered(place) or finder.add(place)):
            env[variable] = str(place)
    return env


def _links(directory: Path) -> Iterator[Path]:
    try:
        entries = [entry for _, entry in zip(range(_MANY), os.scandir(directory), strict=False)]
    except PermissionError:
        return
    for entry in entries:
        target = Path(os.path.realpath(entry.path))
        if entry.is_symlink() and target.exists():
            yield target


def _masked(trees: Iterable[Path], patterns: Iterable[str]) -> set[Path]:
    wanted = tuple(patterns)
    return {path for tree in trees if tree.is_dir() for pattern in wanted for path in tree.glob(pattern)}


def _python(finder: _Finder) -> str:
    own = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    return str(own) if own.exists() and finder.covered(own) else "/usr/bin/python3"
