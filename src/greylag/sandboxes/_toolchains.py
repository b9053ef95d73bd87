"""Finds the tool chains of the caller, so that they can be mounted read-only where they are.

What lies under /usr and /opt is mounted anyway. The rest is found by the caller's PATH, by the variables of version
managers and by the places where these install. Only directories of tools are taken, never a home; files that hold
credentials are masked (`_private.py`). A tree is mounted at its real place; the symbolic links that lead there, in
homes and elsewhere, are made again inside.
"""

import contextlib
import os
import pwd
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from greylag.sandboxes import _private

_SYSTEM = tuple(map(Path, ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/opt")))
_DISTRIBUTION = tuple(map(Path, ("/usr/bin", "/usr/sbin", "/bin", "/sbin")))  # all that they link to is mounted
_UNUSABLE = (Path("/snap"), Path("/proc"), Path("/sys"), Path("/dev"))  # snaps need a daemon of the host
# The sandbox's own: nothing that contains one of these is mounted or made a link.
_OWN = tuple(map(Path, ("/home/agent", "/workspace", "/run/greylag", "/tmp", "/var/tmp", "/etc/passwd")))  # noqa: S108
_STORES = (Path("/nix/store"), Path("/gnu/store"))  # programs there need each other
_HOMES = (Path("/home"), Path("/var/home"), Path("/Users"))
_DEFAULT_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")

# variable of the manager, where it installs below a home
_MANAGERS = (
    ("PYENV_ROOT", ".pyenv"),
    ("RBENV_ROOT", ".rbenv"),
    ("NODENV_ROOT", ".nodenv"),
    ("GOENV_ROOT", ".goenv"),
    ("JENV_ROOT", ".jenv"),
    ("RUSTUP_HOME", ".rustup"),
    ("NVM_DIR", ".nvm"),
    ("VOLTA_HOME", ".volta"),
    ("FNM_DIR", ".fnm"),
    ("FNM_DIR", ".local/share/fnm"),
    ("ASDF_DATA_DIR", ".asdf"),
    ("MISE_DATA_DIR", ".local/share/mise"),
    ("SDKMAN_CANDIDATES_DIR", ".sdkman/candidates"),
)
_VERSIONS = ("versions", "toolchains", "installs/*", "*")  # where managers link to what others installed
_VARIABLES = ("JAVA_HOME", "GOROOT")
_MARKERS = re.compile(r"(.+?)/\.(?:pyenv|rbenv|nodenv|goenv|jenv|rustup|cargo|nvm|volta|fnm|asdf|sdkman|local)(?:/|$)")
_SHARED_PREFIXES = (".local", ".cargo", ".config", "go")  # their bin is taken, not the rest
_DEFAULTS = ".tool-versions"  # asdf looks for it in the home
_MANY, _HOPS = 4000, 40  # entries of one directory, links of one path that are looked at


@dataclass(frozen=True, slots=True)
class Tools:
    """What to mount at its own path, links to make, files and directories to mask, and what goes with it.

    `links` and `masked_files` say the text of each. `home_files` are for the top of the sandbox's home. `closed` are
    directories of programs that commands may not enter, because they run as another uid than the caller.
    """

    trees: tuple[Path, ...]
    links: Mapping[Path, str]
    masked_files: Mapping[Path, str]
    masked_directories: tuple[Path, ...]
    env: Mapping[str, str]
    python: str  # an interpreter that exists inside
    home_files: Mapping[str, str] = field(default_factory=dict)
    closed: tuple[Path, ...] = ()


def walk(path: Path) -> tuple[dict[Path, str], Path]:
    """The links on the way of an absolute path, each with its text, and the real place, like realpath(3)."""
    links: dict[Path, str] = {}
    here, waiting = Path("/"), [*reversed(path.parts[1:])]
    while waiting:
        part = waiting.pop()
        here = here.parent if part == ".." else here / part
        if part == ".." or len(links) > _HOPS:
            continue
        try:
            text = os.readlink(here)  # noqa: PTH115 - the text as it is
        except OSError:
            continue
        links[here] = text
        here = Path("/") if text.startswith("/") else here.parent
        waiting += [name for name in reversed(text.split("/")) if name not in {"", "."}]
    return links, here


@dataclass
class _Finder:
    homes: tuple[Path, ...]
    trees: list[Path] = field(default_factory=list)
    links: dict[Path, str] = field(default_factory=dict)

    def covered(self, path: Path) -> bool:
        return any(path.is_relative_to(tree) for tree in (*_SYSTEM, *self.trees))

    def add(self, path: Path) -> bool:
        """Take a directory or file at its real place, with the links that lead there. False when it is refused."""
        links, real = walk(path)
        real = next((store for store in _STORES if real.is_relative_to(store)), real)
        if len(real.parts) < 2 or not self._allowed(real):
            return False
        usable = {link: text for link, text in links.items() if self._allowed(link) and not _within(link, _OWN[:2])}
        for place in (real, path) if len(usable) < len(links) else (real,):  # where a link cannot be, another mount
            if _exists(place) and not self.covered(place):
                self.trees.append(place)
        self.links |= usable
        return True

    def _allowed(self, place: Path) -> bool:
        return not _within(place, _UNUSABLE) and not any(_within(own, (place,)) for own in (*self.homes, *_OWN))

    def add_bin(self, directory: Path) -> bool:
        """Take a directory of PATH, with its prefix when programs in it need that, and what its links lead to."""
        if not _is_directory(directory):
            return False
        if directory in _DISTRIBUTION:
            return True
        _, real = walk(directory)
        if not self.covered(real) and self._is_prefix(real) and not self.add(real.parent):
            return False
        if not self.add(directory):
            return False
        self.follow(real)
        return True

    def follow(self, directory: Path) -> None:
        """Take what the links of a directory lead to."""
        for link in _links(directory):
            links, target = walk(link)
            if not self.covered(target):
                for root in self._roots(target):
                    self.add(root)
            if self.covered(target):
                self.links |= {place: text for place, text in links.items() if self._allowed(place)}

    def _is_prefix(self, directory: Path) -> bool:
        """`jdk-21/bin` needs `jdk-21/lib`; `~/.local/bin` must not bring `~/.local`, `~/bin` not the home."""
        prefix = directory.parent
        shared = (home / name for home in self.homes for name in _SHARED_PREFIXES)
        if directory.name != "bin" or prefix in shared or self._is_home(prefix):
            return False
        names = {entry.name for entry in os.scandir(prefix)} if os.access(prefix, os.R_OK) else set[str]()
        return bool(names & {"lib", "libexec", "share", "Cellar"}) and not names & _private.NAMES

    def _is_home(self, directory: Path) -> bool:
        """Also of somebody else."""
        with contextlib.suppress(KeyError):
            if _within(Path(pwd.getpwuid(directory.stat().st_uid).pw_dir), (directory,)):
                return True
        return directory.parent in _HOMES or any(_within(home, (directory,)) for home in self.homes)

    def _roots(self, target: Path) -> Iterator[Path]:
        """The smallest trees in which a program works."""
        modules = [parent for parent in target.parents if parent.name == "node_modules"]
        if modules:
            yield modules[-1]
            return
        for parent in target.parents:
            if (parent / "pyvenv.cfg").is_file():
                yield parent
                for link in _links(parent / "bin"):
                    if not self.covered(base := walk(link)[1]):
                        yield base.parent.parent if self._is_prefix(base.parent) else base
                return
        yield target.parent.parent if self._is_prefix(target.parent) else target


def find(environ: Mapping[str, str], extra: Iterable[Path] = ()) -> Tools:
    """The tool chains that `environ` (PATH, HOME, variables of version managers) leads to, and `extra` trees."""
    entries = [Path(entry) for entry in environ.get("PATH", "").split(":") if entry]
    finder = _Finder(_homes(environ, entries))
    env = _managers(finder, environ)
    for tree in (*extra, Path(sys.base_prefix), Path(sys.prefix)):
        finder.add(tree)
    path = [entry for entry in entries if finder.add_bin(entry)]
    names = [*map(str, path), *(entry for entry in _DEFAULT_PATH if Path(entry).is_dir())]
    env["PATH"] = ":".join(dict.fromkeys(names))
    python = _python(finder)
    return Tools(
        tuple(finder.trees),
        {link: text for link, text in finder.links.items() if not finder.covered(link)},
        _private.files(finder.trees),
        _private.directories(finder.trees),
        env | {"GREYLAG_PYTHON": python},
        python,
        _defaults(finder, env),
        tuple(_closed(finder, path)),
    )


def _homes(environ: Mapping[str, str], entries: list[Path]) -> tuple[Path, ...]:
    """Homes in which tools may lie: the caller's, and those that PATH and the managers' variables point into."""
    found = [Path(environ["HOME"])] if Path(environ.get("HOME", "")).is_absolute() else []
    with contextlib.suppress(KeyError):  # a uid without an entry, as in containers
        found.append(Path(pwd.getpwuid(os.getuid()).pw_dir))
    named = [environ[variable] for variable, _ in _MANAGERS if variable in environ]
    found += [Path(match[1]) for place in (*map(str, entries), *named) if (match := _MARKERS.match(place))]
    real = [walk(home)[1] for home in found]
    return tuple(dict.fromkeys(home for home in (*found, *real) if home != Path("/")))


def _managers(finder: _Finder, environ: Mapping[str, str]) -> dict[str, str]:
    env: dict[str, str] = {}
    for variable, below in _MANAGERS:
        places = [Path(environ[variable])] if environ.get(variable) else []
        for place in (*places, *(home / below for home in finder.homes)):
            if variable not in env and _is_directory(place) and finder.add(place):
                env[variable] = str(place)
                for pattern in _VERSIONS:
                    for directory in walk(place)[1].glob(pattern):
                        finder.follow(directory)
    for variable in _VARIABLES:
        place = Path(environ.get(variable, ""))
        if _is_directory(place) and finder.add(place):
            env[variable] = str(place)
    return env


def _defaults(finder: _Finder, env: Mapping[str, str]) -> dict[str, str]:
    """The versions that asdf takes where a repository names none: tools and versions, nothing else."""
    for home in finder.homes if "ASDF_DATA_DIR" in env else ():
        with contextlib.suppress(OSError):
            return {_DEFAULTS: (home / _DEFAULTS).read_text("utf-8", "replace")}
    return {}


def _closed(finder: _Finder, path: Iterable[Path]) -> Iterator[Path]:
    for directory in path:
        _, real = walk(directory)
        roots = [tree for tree in finder.trees if _within(real, (tree,))]
        between = [place for place in (real, *real.parents) if roots and _within(place, roots[:1])]
        if not all(map(_private.enters, between)):
            yield roots[0]


def _links(directory: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError), os.scandir(directory) as entries:
        for _, entry in zip(range(_MANY), entries, strict=False):
            if entry.is_symlink() and _exists(Path(entry.path)):
                yield Path(entry.path)


def _within(path: Path, places: Iterable[Path]) -> bool:
    return any(path.is_relative_to(place) for place in places)


def _exists(path: Path) -> bool:
    """No error, but False, where the caller may not look."""
    return os.path.exists(path)  # noqa: PTH110


def _is_directory(path: Path) -> bool:
    return path.is_absolute() and os.path.isdir(path)  # noqa: PTH112 - the same


def _python(finder: _Finder) -> str:
    own = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    return str(own) if own.exists() and finder.covered(own.resolve()) else "/usr/bin/python3"
