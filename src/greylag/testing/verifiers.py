"""For tests of verifiers: trees that are mappings, a bench with the real sandbox, and what every verifier must do.

    @pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
    def test_contract(check):
        check(MyVerifier(), {"go.mod": "module example.org/a\n", "a_test.go": "package a\n"})

The mapping is a repository in which the verifier applies. Nothing is run.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from greylag.model import Phase, Verdict
from greylag.protocols import (
    Activation,
    Bounds,
    Change,
    Context,
    Layers,
    Sandbox,
    SandboxBackend,
    SandboxSpec,
    Verifier,
)
from greylag.report import Report
from greylag.testing.repos import write

Content = Mapping[str, str]
Check = Callable[[Verifier, Content], None]


@dataclass(frozen=True)
class Files:
    """A tree that is a mapping of paths to text."""

    content: Content
    id: str = "tree"

    def paths(self) -> Sequence[str]:
        """All files, sorted."""
        return sorted(self.content)

    def read(self, path: str) -> bytes:
        """Contents of a file; `KeyError` when there is none, as for any spelling but the plain one."""
        return self.content[path].encode("utf-8", "surrogateescape")


def detect(verifier: Verifier, files: Content) -> dict[str, Activation]:
    """Activations by what people call them: `pytest`, or `pytest (services/api)`."""
    found = verifier.detect(Files(files))
    return {a.name if a.root == "." else f"{a.name} ({a.root})": a for a in found}


@dataclass
class Bench:
    """A workspace, a home and a directory of logs in the empty directory `path`; no network, no git."""

    path: Path
    backend: SandboxBackend
    files: dict[str, str] = field(default_factory=dict)
    bounds: Bounds = Bounds(seconds=300)
    again: bool = False  # whether tests that failed may be run again
    below: Path | None = None  # a home directory with caches, which stays as it is
    diff: str = ""  # what the change is, as git would print it

    @property
    def workspace(self) -> Path:
        """Where the files are, and what a tool has left."""
        return self.path / "workspace"

    def log(self, verdict: Verdict) -> str:
        """The log of a verdict."""
        return (self.path / "logs" / (verdict.log or "")).read_text("utf-8", "replace")

    def verify(
        self,
        verifier: Verifier,
        *names: str,
        mode: Literal["baseline", "loop", "gate"] = "gate",
        before: Sequence[Verdict] = (),
    ) -> dict[str, Verdict]:
        """Verdicts by name, in the order of phases, one sandbox for all; `names` picks activations, `before` says what
        came of the base commit.
        """
        tree = Files(self.files)
        todo = [a for a in verifier.detect(tree) if not names or a.name in names]
        with self.backend.open(self._spec()) as sandbox:
            context = replace(self._context(tree, sandbox, mode), baseline=Report("tree", "base", tuple(before)))
            return {a.name: verifier.verify(a, context) for a in sorted(todo, key=lambda a: a.phase)}

    def _context(self, tree: Files, sandbox: Sandbox, mode: Literal["baseline", "loop", "gate"]) -> Context:
        def again() -> AbstractContextManager[Context]:
            number = len(list(self.path.glob("again-*"))) + 1
            return replace(self, path=self.path / f"again-{number}", again=False).place(tree, mode)

        context = Context(Change(tree, tree, self.diff), sandbox, self.path / "logs", sandbox.run, mode)
        return replace(context, again=again) if self.again else context

    @contextmanager
    def place(self, tree: Files, mode: Literal["baseline", "loop", "gate"]) -> Iterator[Context]:
        """A context with the files as they are given, in a sandbox of its own."""
        self.path.mkdir(exist_ok=True)
        with self.backend.open(self._spec()) as sandbox:
            yield self._context(tree, sandbox, mode)

    def _spec(self) -> SandboxSpec:
        parts = {name: self.path / name for name in ("workspace", "home", "scratch", "logs")}
        for part in parts.values():
            part.mkdir(exist_ok=True)
        write(self.workspace, self.files)
        if os.getuid() == 0:
            for entry in (self.workspace, *self.workspace.rglob("*"), parts["home"]):
                os.chown(entry, self.backend.owner, -1, follow_symlinks=False)
        for directory in (self.path, *self.path.parents):
            if directory.stat().st_uid == os.geteuid() and directory != Path("/"):
                directory.chmod(directory.stat().st_mode | 0o011)
        workspace, home = Layers(upper=self.workspace), Layers((self.below,) if self.below else (), parts["home"])
        return SandboxSpec("verifier", workspace, home, parts["scratch"], bounds=self.bounds)


def applies_nowhere_in_an_empty_repository(verifier: Verifier, _files: Content) -> None:
    """Neither in an empty tree, nor in one with prose only."""
    assert list(verifier.detect(Files({}))) == []
    assert list(verifier.detect(Files({"README": "words"}))) == []


def detects_the_same_twice(verifier: Verifier, files: Content) -> None:
    """The same files give the same activations, with the same plans: passes are remembered by them."""
    first, second = (list(verifier.detect(Files(files))) for _ in range(2))
    assert first
    assert [repr(a) for a in first] == [repr(a) for a in second]
    assert not any(" at 0x" in repr(a) for a in first), "a plan's text must not depend on the process"


def names_what_it_does(verifier: Verifier, files: Content) -> None:
    """Every activation has a reason, a phase of tools, the verifier's name, and is told apart from the others."""
    found = list(verifier.detect(Files(files)))
    assert len({(a.name, a.root, a.phase) for a in found}) == len(found)
    for activation in found:
        assert activation.verifier == verifier.name
        assert activation.name
        assert activation.reason
        assert Phase.PREPARE <= activation.phase <= Phase.TEST


def stays_in_the_repository(verifier: Verifier, files: Content) -> None:
    """Roots are directories of the tree, inputs are files and, with a `/` at the end, directories of it."""
    for activation in verifier.detect(Files(files)):
        root = activation.root
        assert root == "." or any(path.startswith(f"{root}/") for path in files)
        directories = {f"{up}/" for path in files for up in PurePosixPath(path).parents} | {"./"}
        assert set(activation.inputs) <= set(files) | directories


def takes_broken_files(verifier: Verifier, files: Content) -> None:
    """Contents that are nonsense never raise: an agent may leave anything behind."""
    for nonsense in (
        "",
        "\0",
        "[" * 5000,
        "{" * 5000,
        "]]",
        "\udcff",
        '{"scripts": [1], "workspaces": 3}',
        "[tool]\ntool=1",
    ):
        verifier.detect(Files(dict.fromkeys(files, nonsense)))


def moves_with_its_directory(verifier: Verifier, files: Content) -> None:
    """The same project in a directory of a monorepo is found there."""
    below = {f"services/api/{path}": text for path, text in files.items()}
    found = detect(verifier, below)
    assert {a.root for a in found.values()} == {
        f"services/api/{a.root}".removesuffix("/.") for a in detect(verifier, files).values()
    }


CONTRACT: tuple[Check, ...] = (
    applies_nowhere_in_an_empty_repository,
    detects_the_same_twice,
    names_what_it_does,
    stays_in_the_repository,
    takes_broken_files,
    moves_with_its_directory,
)
