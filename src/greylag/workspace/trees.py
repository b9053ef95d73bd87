"""Git trees as values: their files, and what no change of one may carry."""

import contextlib
import functools
import re
import subprocess
import threading
import unicodedata
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO

from greylag.errors import InfraError
from greylag.git import Git, kill_group, printable
from greylag.model import Diagnostic

LARGEST = 50 << 20  # bytes of one file
MOST = 20_000  # changed files
LINK, SUBMODULE = "120000", "160000"
_HOPS = 40  # symbolic links in one path, as the kernel has it


class Objects:
    """Reads objects of one git directory through one `git cat-file --batch`, from any thread.

    What a tree lists is remembered for as long as this is, because verifiers, guards and gate ask for the same few.
    """

    def __init__(self, git: Git) -> None:
        self._git = git
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._end: Callable[[], object] = lambda: None
        self._listed: dict[str, Mapping[str, tuple[str, str]]] = {}

    def read(self, name: str) -> bytes:
        """Contents of an object. Raises `InfraError` when it is not there."""
        with self._lock:
            found = self._ask(name)
            if found is None:  # the process was killed, as by a machine that is out of memory
                self._stop()
                found = self._ask(name)
            if found is None:
                raise InfraError(f"object {printable(name)} cannot be read from {self._git.git_dir}")
            return found

    def _ask(self, name: str) -> bytes | None:
        stdin, stdout = self._pipes()
        try:
            stdin.write(f"{name}\n".encode())
            stdin.flush()
        except BrokenPipeError:
            return None
        head = stdout.readline().split()
        data = stdout.read(int(head[2]) + 1) if len(head) == 3 else b""
        return data[:-1] if data.endswith(b"\n") and len(data) > int(head[2]) else None

    def entries(self, tree: str) -> Mapping[str, tuple[str, str]]:
        """Path -> mode and object id of all that is in a tree, at any depth."""
        if tree not in self._listed:
            found = {}
            for entry in self._git.fields("ls-tree", "-r", "-z", "--full-tree", tree):
                meta, _, path = entry.partition("\t")
                mode, _, name = meta.split(" ")
                found[path] = mode, name
            self._listed[tree] = found
        return self._listed[tree]

    def close(self) -> None:
        """End the process; a later read starts another."""
        with self._lock:
            self._stop()

    def _stop(self) -> None:
        self._process = None
        self._end()

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None:
            self._process = self._git.start("cat-file", "--batch")
            self._end = weakref.finalize(self, _end, self._process)  # also when nobody closes
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout


def _end(process: "subprocess.Popen[bytes]") -> None:
    kill_group(process)
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(BrokenPipeError):  # what was still to be written to it
                stream.close()


@dataclass(frozen=True)
class GitTree:
    """One git tree, read from the object database. Symbolic links and submodules are no files."""

    id: str
    git: Git = field(repr=False, compare=False)
    objects: Objects = field(repr=False, compare=False)

    def paths(self) -> tuple[str, ...]:
        """All files, sorted."""
        return tuple(self._files)

    def read(self, path: str) -> bytes:
        """Contents of a file; `KeyError` when there is none."""
        return self.objects.read(self._files[path])

    def of_mode(self, mode: str) -> dict[str, str]:
        """Paths whose mode starts so (`100` files, `LINK`, `SUBMODULE`), with their object ids."""
        return {path: name for path, (found, name) in self.objects.entries(self.id).items() if found.startswith(mode)}

    @functools.cached_property
    def _files(self) -> dict[str, str]:
        return dict(sorted(self.of_mode("100").items()))


@dataclass(frozen=True, slots=True)
class Entry:
    """One path that differs between two trees; modes as git writes them, `000000` for a path that is not there."""

    path: str
    before: str
    after: str
    blob: str


def changes(git: Git, base: str, head: str) -> list[Entry]:
    """What differs between two trees, submodules included, without renames."""
    fields = git.fields("diff-tree", "-r", "-z", "--raw", "--no-renames", "--ignore-submodules=none", base, head)
    entries = []
    for meta, path in zip(fields[::2], fields[1::2], strict=True):
        before, after, _, blob, _ = meta.removeprefix(":").split(" ")
        entries.append(Entry(path, before, after, blob))
    return entries


def problems(base: GitTree, head: GitTree) -> Iterator[Diagnostic]:
    """What no change may carry, whatever its purpose."""
    entries = changes(head.git, base.id, head.id)
    if len(entries) > MOST:
        yield _problem("too-many-files", f"the change touches {len(entries)} files; at most {MOST} are allowed")
        return
    present = [entry for entry in entries if entry.after != "000000"]
    for entry in present:
        if entry.after == SUBMODULE != entry.before:
            yield _problem("nested-repository", "is a nested git repository (a submodule entry)", entry.path)
        yield from _bad_name(entry)
    sizes = _sizes(head.git, [entry.blob for entry in present if entry.after != SUBMODULE])
    for entry in present:
        if sizes.get(entry.blob, 0) > LARGEST:
            yield _problem("large-file", f"has {sizes[entry.blob]} bytes; at most {LARGEST} are allowed", entry.path)
    if any(LINK in {entry.before, entry.after} for entry in entries):
        old = set(_escaping(base))
        for path, target in _escaping(head):
            if (path, target) not in old:
                yield _problem("escaping-link", f"links to `{printable(target)}`, outside of the repository", path)


def _problem(rule: str, text: str, path: str | None = None) -> Diagnostic:
    shown = printable(path, 1000) if path is not None else None
    return Diagnostic(message=f"`{shown}` {text}" if shown else text, path=shown, rule=f"workspace/{rule}")


def _bad_name(entry: Entry) -> Iterator[Diagnostic]:
    if entry.before == "000000" and any(unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp"} for c in entry.path):
        yield _problem("file-name", "has control characters in its name", entry.path)
    if any(is_git_directory(part) for part in entry.path.split("/")):
        yield _problem("git-directory", "would be taken for a git directory on some file systems", entry.path)


def is_git_directory(name: str) -> bool:
    """Whether any file system takes this name for `.git`: case, 8.3 names and streams of NTFS, what HFS+ ignores."""
    plain = "".join(c for c in name if unicodedata.category(c) != "Cf").casefold()
    plain = plain.partition(":")[0].rstrip(" .")
    return plain in {".git", "git~1"}


def _sizes(git: Git, blobs: list[str]) -> dict[str, int]:
    names = "\n".join(dict.fromkeys(blobs))
    lines = git.text("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=names.encode()).splitlines()
    return {name: int(size) for name, size in (line.split(" ", 1) for line in lines) if size.isdecimal()}


def _escaping(tree: GitTree) -> list[tuple[str, str]]:
    """Symbolic links that lead out of the tree, with their targets."""
    links = {path: tree.objects.read(blob).decode("utf-8", "replace") for path, blob in tree.of_mode(LINK).items()}
    return [(path, target) for path, target in links.items() if escapes(path, links)]


def escapes(path: str, links: Mapping[str, str]) -> bool:
    """Whether the link `path` leads out, following the other `links`; one that never ends is said to."""
    at: list[str] = []
    todo = path.split("/")[::-1]
    hops = 0
    while todo:
        part = todo.pop()
        if part == "..":
            if not at:
                return True
            at.pop()
        elif part not in {"", "."}:
            target = links.get("/".join((*at, part)))
            if target is None:
                at.append(part)
                continue
            hops += 1
            if hops > _HOPS or re.match(r"[/\\]|[A-Za-z]:", target):
                return True
            todo += target.split("/")[::-1]
    return False
