"""Freezing inside the real sandbox."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from greylag import plugins
from greylag.errors import InfraError
from greylag.git import Answer
from greylag.model import Repo
from greylag.protocols import Command, SandboxBackend
from greylag.testing.repos import git, make_bare, make_repo, write
from greylag.workspace import Workspace, freezing

pytestmark = pytest.mark.toolchain("bwrap")


@pytest.fixture
def backend() -> SandboxBackend:
    made: SandboxBackend = plugins.load("sandboxes", "bubblewrap")
    return made


@pytest.fixture
def work(tmp_path: Path, state: Path, backend: SandboxBackend) -> Iterator[Workspace]:
    source = make_bare(tmp_path / "source", {"a.txt": "one\n", "dir/b.txt": "two\n"})
    work = Workspace.checkout(Repo(str(source)), home=state / "home", cache=state / "cache", owner=backend.owner)
    yield work
    work.close()


def test_the_sandbox_and_the_host_find_the_same_tree(work: Workspace, backend: SandboxBackend, tmp_path: Path) -> None:
    assert work.freeze(backend) == work.base_tree
    write(work.directory, {"a.txt": "changed\n", "new\nname.txt": "x", ".gitignore": "*.log\n", "x.log": "x"})
    (work.directory / "link").symlink_to("/etc/passwd")
    (work.directory / "dir/b.txt").unlink()
    tree = work.freeze(backend)
    assert work.freeze() == tree
    assert work.changed(tree) == (".gitignore", "a.txt", "dir/b.txt", "link", "new\nname.txt")
    work.export(tree, tmp_path / "export")
    assert (tmp_path / "export/a.txt").read_text() == "changed\n"
    assert {d.rule for d in work.problems(tree)} == {"workspace/escaping-link", "workspace/file-name"}


def test_a_full_disk_is_no_fault_of_the_agent() -> None:
    full = Answer(128, b"", "error: unable to write file x: No space left on device\nfatal: updating files failed\n")
    with pytest.raises(InfraError, match="no room to freeze the work tree; make some and run again"):
        freezing._add(lambda: (full, ""))


def test_nothing_is_left_of_the_quarantine(work: Workspace, backend: SandboxBackend) -> None:
    write(work.directory, {"a.txt": "changed\n"})
    work.freeze(backend)
    assert list(work.git.home.glob("freeze-*")) == []


def test_the_sandbox_sees_the_work_tree_and_nothing_else_of_ours(
    work: Workspace, backend: SandboxBackend, tmp_path: Path
) -> None:
    """Whatever a racing writer makes of a path, git can open nothing there but what the sandbox holds."""
    secret, store, scratch = tmp_path / "secret", tmp_path / "store", tmp_path / "scratch"
    secret.write_text("host secret")
    for path in (store, scratch):
        path.mkdir()
    with backend.open(freezing._spec(work.directory, store, work.borrowed, scratch)) as sandbox:
        assert sandbox.run(Command(("cat", "a.txt"))).output == b"one\n", "positive control"
        assert sandbox.run(Command(("cat", str(secret)))).returncode != 0
        assert sandbox.run(Command(("cat", str(work.git.home / "gitconfig")))).returncode != 0
        assert sandbox.run(Command(("touch", "a.txt"))).returncode != 0
        assert sandbox.run(Command(("touch", f"{work.borrowed}/x"))).returncode != 0


def test_a_file_without_permissions_is_left_out_and_said(work: Workspace, backend: SandboxBackend) -> None:
    write(work.directory, {"closed": "x", "open": "x"})
    for path in (work.directory / "closed", work.directory / "open"):
        os.chown(path, backend.owner, backend.owner)
    (work.directory / "closed").chmod(0)
    tree = work.freeze(backend)
    assert work.changed(tree) == ("open",)
    assert any("closed" in d.message and d.rule == "workspace/unreadable" for d in work.problems(tree))


def test_submodules_stay_in_the_sandbox_too(
    tmp_path: Path, state: Path, backend: SandboxBackend, work: Workspace
) -> None:
    mark = tmp_path / "ran"
    source = make_repo(tmp_path / "with-module", {"a.txt": "1\n"})
    make_repo(source / "sub", {"x": "1"})
    git(source, "add", "sub")
    git(source, "commit", "-qm", "Add a submodule")
    other = Workspace.checkout(Repo(str(source)), home=state / "other", cache=state / "cache", owner=backend.owner)
    inner = make_repo(other.directory / "sub", {"x": "2"})
    git(inner, "config", "core.fsmonitor", f"touch {mark}; touch /workspace/ran; false")
    assert other.freeze(backend) == other.base_tree
    assert not mark.exists()
    other.close()
