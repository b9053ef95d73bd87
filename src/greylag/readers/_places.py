"""Where in a repository a path is that a tool has printed, by the files that there are."""

import posixpath
import re
from collections.abc import Iterator

from greylag.readers._common import locator


class Places:
    """Where in the repository a path of a finding is."""

    def __init__(self, files: frozenset[str], cwd: str, workspace: str) -> None:
        self._files, self._cwd, self._workspace = files, cwd, workspace
        self._ends: dict[str, str | None] = {}

    def __call__(self, path: str, origin: str = "", prefix: str | None = None, *, search: bool = False) -> str | None:
        """`path` relative to the repository.

        It is relative to the directory of the file `origin`, to `prefix`, or (None) to where the tool ran, else to the
        top where only that is a file. `search`: the one file whose path ends so.
        """
        if origin and not path.startswith("/"):
            path = posixpath.join(posixpath.dirname(origin.replace("\\", "/")), path)
        roots = (self._cwd, ".") if prefix is None else (prefix,)
        found = [locator(root, self._workspace)(path) for root in roots]
        if search and (only := self._only(path)):
            return only
        return next((place for place in found if place in self._files), found[0])

    def _only(self, path: str) -> str | None:
        if not self._ends:
            for file in self._files:
                for end in _ends(file):
                    self._ends[end] = None if end in self._ends else file
        return self._ends.get(re.sub(r"^(?:\.\./|/)+", "", posixpath.normpath(path.replace("\\", "/"))))


def _ends(path: str) -> Iterator[str]:
    """`a/b/c`, `b/c`, `c`."""
    while path:
        yield path
        _, _, path = path.partition("/")
