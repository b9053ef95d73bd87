"""Files in tool chains that may hold credentials, and what stands in their place inside."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

_NOTHING, _NO_SETTINGS = "", "<settings/>\n"  # Maven refuses an empty file

# names in the root of a tree, which then is no mere tool
NAMES = frozenset(
    {
        *(
            ".aws",
            ".azure",
            ".config",
            ".docker",
            ".env",
            ".git",
            ".git-credentials",
            ".gnupg",
            ".kube",
            ".m2",
            ".netrc",
        ),
        *(".npmrc", ".pypirc", ".ssh", ".vault-token", "credentials", "credentials.toml"),
    }
)
# glob patterns below a tree
_FILES = {
    **dict.fromkeys((".netrc", ".npmrc", ".pypirc", ".git-credentials", ".env", ".vault-token", ".condarc"), _NOTHING),
    **dict.fromkeys(("credentials", "credentials.toml", "pip.conf", "*/pip.conf", "versions/*/pip.conf"), _NOTHING),
    **dict.fromkeys(("etc/npmrc", "*/etc/npmrc", "versions/node/*/etc/npmrc", "installs/*/*/etc/npmrc"), _NOTHING),
    **dict.fromkeys(("node-versions/*/installation/etc/npmrc", "tools/image/node/*/etc/npmrc"), _NOTHING),
    **dict.fromkeys(("conf/settings.xml", "*/conf/settings.xml", "*/*/conf/settings.xml"), _NO_SETTINGS),
    **dict.fromkeys(("installs/*/*/conf/settings.xml", "installs/*/*/*/conf/settings.xml"), _NO_SETTINGS),
}
_DIRECTORIES = (".ssh", ".aws", ".azure", ".config", ".docker", ".gnupg", ".kube", ".m2")
# the same in what is mounted anyway: settings of a whole machine
_SYSTEM = {
    "/usr": {"etc/npmrc": _NOTHING, "pip.conf": _NOTHING},
    "/usr/local": {"*/conf/settings.xml": _NO_SETTINGS, "etc/npmrc": _NOTHING, "*/etc/npmrc": _NOTHING},
    "/opt": {
        "*/conf/settings.xml": _NO_SETTINGS,
        "*/*/conf/settings.xml": _NO_SETTINGS,
        **dict.fromkeys(("*/etc/npmrc", "*/.npmrc", "*/.netrc", "*/.env", "*/pip.conf"), _NOTHING),
    },
}


def files(trees: Iterable[Path], system: Mapping[str, Mapping[str, str]] = _SYSTEM) -> dict[Path, str]:
    """What to cover, and with which text."""
    places = {**{Path(tree): patterns for tree, patterns in system.items()}, **dict.fromkeys(trees, _FILES)}
    found = {
        path: text
        for tree, patterns in places.items()
        for pattern, text in patterns.items()
        for path in _glob(tree, pattern)
        if path.is_file()
    }
    return dict(sorted(found.items()))


def directories(trees: Iterable[Path]) -> tuple[Path, ...]:
    """What to cover with an empty directory."""
    found = {path for tree in trees for name in _DIRECTORIES for path in _glob(tree, name)}
    return tuple(sorted(path for path in found if path.is_dir()))


def _glob(tree: Path, pattern: str) -> Iterator[Path]:
    """Real paths that a command could come to; whoever cannot enter a directory needs no cover in it."""
    for path in tree.glob(pattern) if tree.is_dir() else ():
        real = Path(os.path.realpath(path))
        between = [parent for parent in real.parents if parent.is_relative_to(tree)]
        if between and all(enters(parent) for parent in between):
            yield real


def enters(directory: Path) -> bool:
    """Whether a sandboxed command can: as root's stand-in it is one of the others, else the caller itself."""
    return bool(directory.stat().st_mode & 0o001) if os.getuid() == 0 else os.access(directory, os.X_OK)
