"""A change between two sets of files, with the diff that git really prints, for tests of guards and judges."""

import functools
import hashlib
import os
import subprocess
import weakref
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from greylag.model import Scope
from greylag.protocols import Change, Command, Completed
from greylag.testing.repos import ENV, git

_OPTIONS = ("-r", "-p", "-M", "--no-color", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none")


class NoSandbox:
    """The sandbox of what runs nothing, such as a guard: a command is a failure of the test."""

    name = "none"
    platform = "linux/amd64"
    layered = False

    def run(self, command: Command) -> Completed:
        """Never: raises `AssertionError`."""
        raise AssertionError(f"{command.argv} was run")

    def kill(self) -> None:
        """Never: raises `AssertionError`."""
        raise AssertionError


class Link(str):
    """Contents of a file that is a symbolic link: its target."""

    __slots__ = ()


Files = Mapping[str, str | bytes]


@dataclass(frozen=True)
class FilesTree:
    """A tree in memory; as in git's, a link is no file that could be read."""

    id: str
    files: Files = field(repr=False)

    def paths(self) -> Sequence[str]:
        """All files, sorted."""
        return sorted(path for path, content in self.files.items() if not isinstance(content, Link))

    def read(self, path: str) -> bytes:
        """Contents of a file; `KeyError` when there is none."""
        content = self.files[path]
        if isinstance(content, Link):
            raise KeyError(path)
        return _bytes(content)


def make_change(directory: Path, base: Files, head: Files, *, prompt: str = "", scope: Scope = Scope()) -> Change:
    """The change from `base` to `head`. `directory` holds a bare repository, which is made on the first call.

    A file that begins with `#!` is executable.
    """
    diff = _repository(directory / "changes.git").diff(base, head)
    return Change(FilesTree("base", base), FilesTree("head", head), diff, prompt, scope)


@functools.lru_cache(maxsize=4)
def _repository(path: Path) -> "_Repository":
    return _Repository(path)


class _Repository:
    """Objects that are written here, and one git that compares trees of them as long as this is in use."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        git(path, "init", "--quiet", "--bare", "--template=")
        self._objects = path / "objects"
        self._git = subprocess.Popen(
            ["git", "-c", "safe.directory=*", "diff-tree", "--stdin", *_OPTIONS],
            cwd=path, env=ENV | {"PATH": os.environ["PATH"]}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        weakref.finalize(self, self._git.communicate)  # at the latest when this process ends

    def diff(self, base: Files, head: Files) -> str:
        """What git prints for two trees. Words that are no ids are repeated by git, which marks the end."""
        source, answer = self._git.stdin, self._git.stdout
        assert source is not None
        assert answer is not None
        source.write(b"%s %s\nend\n" % (self._tree(base).hex().encode(), self._tree(head).hex().encode()))
        source.flush()
        answer.readline()  # the two ids
        return b"".join(iter(answer.readline, b"end\n")).decode("utf-8", "surrogateescape")

    def _tree(self, files: Files) -> bytes:
        """Write a tree, as gitformat-pack(5) and git-mktree(1) say: sorted as if directories ended with a slash."""
        entries: dict[bytes, tuple[bytes, bytes]] = {}
        below: dict[str, dict[str, str | bytes]] = {}
        for path, content in files.items():
            name, slash, rest = path.partition("/")
            if slash:
                below.setdefault(name, {})[rest] = content
                continue
            data = _bytes(content)
            mode = b"120000" if isinstance(content, Link) else b"100755" if data.startswith(b"#!") else b"100644"
            entries[_bytes(name)] = mode, self._write(b"blob", data)
        for name, inner in below.items():
            entries[_bytes(name) + b"/"] = b"40000", self._tree(inner)
        listed = (b"%s %s\0%s" % (mode, name.rstrip(b"/"), digest) for name, (mode, digest) in sorted(entries.items()))
        return self._write(b"tree", b"".join(listed))

    def _write(self, kind: bytes, data: bytes) -> bytes:
        whole = b"%s %d\0%s" % (kind, len(data), data)
        digest = hashlib.sha1(whole, usedforsecurity=False)
        path = self._objects / digest.hexdigest()[:2] / digest.hexdigest()[2:]
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(zlib.compress(whole, 1))
        return digest.digest()


def _bytes(content: str | bytes) -> bytes:
    return content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
