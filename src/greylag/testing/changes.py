"""A change between two sets of files, with the diff that git really prints, for tests of guards and judges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from greylag.model import Scope
from greylag.protocols import Change
from greylag.testing.repos import git

_OPTIONS = ("-r", "-p", "-M", "--no-color", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none")


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
    repository = directory / "changes.git"
    if not repository.exists():
        git(directory, "init", "--quiet", "--bare", "--template=", repository.name)
    stream = b"".join(_commit(name, files) for name, files in (("base", base), ("head", head)))
    git(repository, "fast-import", "--quiet", "--force", stdin=stream + b"done\n")
    diff = git(repository, "diff-tree", *_OPTIONS, "base", "head")
    return Change(FilesTree("base", base), FilesTree("head", head), diff + "\n" if diff else "", prompt, scope)


def _commit(name: str, files: Files) -> bytes:
    head = f"commit refs/heads/{name}\ncommitter A <a@example.org> 1767323045 +0000\ndata 0\ndeleteall\n".encode()
    return head + b"".join(_file(path, content) for path, content in files.items()) + b"\n"


def _file(path: str, content: str | bytes) -> bytes:
    data = _bytes(content)
    mode = b"120000" if isinstance(content, Link) else b"100755" if data.startswith(b"#!") else b"100644"
    quoted = (
        path.encode("utf-8", "surrogateescape").replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    )
    return b'M %s inline "%s"\ndata %d\n%s\n' % (mode, quoted, len(data), data)


def _bytes(content: str | bytes) -> bytes:
    return content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
