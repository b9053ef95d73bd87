"""Checkout, freeze, export, diff and commit on real repositories of all shapes."""

import hashlib
import os
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from greylag.directories import own_tree
from greylag.errors import InfraError, UserError
from greylag.git import Answer, Git, GitError, check_version
from greylag.git.remote import Remote, explain
from greylag.model import Repo
from greylag.testing.repos import commit, git, make_bare, make_repo, write
from greylag.workspace import Workspace

FILES = {"a.txt": "one\n", "dir/b.txt": "two\n", "run.sh": "#!/bin/sh\necho hi\n"}


class Desk:
    """Where checkouts of one test are made."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.made: list[Workspace] = []

    def checkout(self, url: str | Path, branch: str | None = None, home: str | None = None) -> Workspace:
        place = self.state / (home or f"home {len(self.made)}")
        owner = os.getuid() or 65534
        work = Workspace.checkout(Repo(str(url), branch), home=place, cache=self.state / "cache", owner=owner)
        self.made.append(work)
        return work

    def of(self, path: Path, base: str | None = None) -> Workspace:
        place = self.state / f"home {len(self.made)}"
        work = Workspace.of_directory(path, home=place, cache=self.state / "cache", base=base)
        self.made.append(work)
        return work


@pytest.fixture
def desk(state: Path) -> Desk:
    return Desk(state)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_bare(tmp_path / "source", FILES)


def everything(path: Path) -> dict[str, tuple[int, bytes]]:
    """Times and contents below a directory, to show that nothing changed.

    Without the times of objects: git renews them when it finds that it need not write one again.
    """
    return {
        str(each.relative_to(path)): (
            0 if "objects" in each.parts else each.lstat().st_mtime_ns,
            each.read_bytes() if each.is_file() else b"",
        )
        for each in sorted(path.rglob("*"))
    }


def test_a_checkout_holds_the_files_of_the_branch(desk: Desk, source: Path) -> None:
    work = desk.checkout(source)
    assert work.branch == "main"
    assert work.base == git(source, "rev-parse", "main")
    assert work.base_tree == git(source, "rev-parse", "main^{tree}")
    assert (work.directory / "dir/b.txt").read_text() == "two\n"
    assert os.access(work.directory / "run.sh", os.X_OK)
    assert work.freeze() == work.base_tree
    assert work.changed(work.base_tree) == ()
    assert work.diff(work.base_tree) == ""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_as_root_the_work_tree_belongs_to_the_sandbox(desk: Desk, source: Path) -> None:
    work = desk.checkout(source)
    owners = {path.lstat().st_uid for path in (work.directory, *work.directory.rglob("*"))}
    assert owners == {65534}
    assert stat.S_IMODE((work.directory.parent / "trusted").stat().st_mode) == 0o700


def test_what_an_agent_does_is_in_the_tree(desk: Desk, source: Path, tmp_path: Path) -> None:
    work = desk.checkout(source)
    write(work.directory, {"a.txt": "changed\n", "new name\u00fc.txt": "new\n", "bin": b"\0\1", "run.sh": None})
    (work.directory / "dir/b.txt").rename(work.directory / "dir/c.txt")
    tree = work.freeze()
    assert work.changed(tree) == ("a.txt", "bin", "dir/b.txt", "dir/c.txt", "new name\u00fc.txt", "run.sh")
    assert work.tree(tree).paths() == ("a.txt", "bin", "dir/c.txt", "new name\u00fc.txt")
    assert work.tree(tree).read("bin") == b"\0\1"
    with pytest.raises(KeyError):
        work.tree(tree).read("run.sh")
    diff = work.diff(tree)
    assert "-one\n+changed\n" in diff
    assert "rename from dir/b.txt\nrename to dir/c.txt" in diff
    assert "Binary files /dev/null and b/bin differ" in diff
    assert work.problems(tree) == ()
    work.export(tree, tmp_path / "export")
    assert (tmp_path / "export/a.txt").read_text() == "changed\n"
    assert not (tmp_path / "export/.git").exists()


def test_commits_of_the_agent_make_no_difference(desk: Desk, source: Path) -> None:
    work = desk.checkout(source)
    commit(work.directory, {"a.txt": "changed\n"}, "by the agent")
    tree = work.freeze()
    assert work.changed(tree) == ("a.txt",)
    ours = work.commit(tree, "by greylag", "greylag/x")
    assert work.git.text("log", "--format=%s", ours.commit).splitlines() == ["by greylag", "Start"]


def test_what_is_ignored_is_in_no_tree_and_no_export(desk: Desk, source: Path, tmp_path: Path) -> None:
    work = desk.checkout(source)
    write(work.directory, {".gitignore": "*.gen\nrun.sh\n", "needed.gen": "x", "run.sh": "#!/bin/sh\necho new\n"})
    tree = work.freeze()
    assert work.changed(tree) == (".gitignore", "run.sh"), "a tracked file is followed although it is ignored"
    work.export(tree, tmp_path / "export")
    assert not (tmp_path / "export/needed.gen").exists()


def test_line_ends_follow_the_repositorys_attributes(desk: Desk, tmp_path: Path) -> None:
    source = make_repo(tmp_path / "crlf", {".gitattributes": "*.bat eol=crlf\n", "x.bat": "a\nb\n"})
    work = desk.checkout(source)
    assert (work.directory / "x.bat").read_bytes() == b"a\r\nb\r\n"
    assert work.freeze() == work.base_tree


def test_an_export_may_be_changed_by_anybody(desk: Desk, source: Path, tmp_path: Path) -> None:
    work = desk.checkout(source)
    work.export(work.base_tree, tmp_path / "export")
    modes = {str(p.relative_to(tmp_path)): stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "export").rglob("*")}
    assert modes == {"export/a.txt": 0o666, "export/dir": 0o777, "export/dir/b.txt": 0o666, "export/run.sh": 0o777}


def test_a_commit_is_exactly_the_tree_and_ours(desk: Desk, source: Path) -> None:
    work = desk.checkout(source)
    write(work.directory, {"a.txt": "changed\n"})
    tree = work.freeze()
    write(work.directory, {"a.txt": "changed again\n"})
    made = work.commit(tree, "Title\n\nwith \x1b[2J control", "greylag/x")
    shown = work.git.text("show", "-s", "--format=%T %P %an <%ae> %cn%n%B", made.commit)
    assert shown.startswith(f"{tree} {work.base} greylag <greylag@users.noreply.github.com> greylag\nTitle")
    assert "\x1b" not in shown
    other = work.commit(tree, "Title", "greylag/y", author="Ada Lovelace <ada@example.org>")
    assert other.committer == "ada@example.org"
    for author in ("no address", "a\nb <x>"):
        with pytest.raises(UserError, match="author"):
            work.commit(tree, "Title", "greylag/z", author=author)
    for branch in ("a..b", "-x y", "x.lock", ""):
        with pytest.raises(UserError, match="name of a branch"):
            work.commit(tree, "Title", branch)


def test_a_push_holds_its_lease(desk: Desk, source: Path) -> None:
    work = desk.checkout(source)
    trees = []
    for text in ("first", "second"):
        write(work.directory, {"a.txt": text})
        trees.append(work.freeze())
    first, second = (work.commit(tree, "Change", "greylag/x") for tree in trees)
    first.push(str(source), "greylag/x", expect=None)
    first.push(str(source), "greylag/x", expect=None)
    with pytest.raises(UserError, match="handed over"):
        second.push(str(source), "greylag/x", expect=None)
    with pytest.raises(UserError, match="handed over"):
        second.push(str(source), "greylag/x", expect=work.base)
    assert git(source, "rev-parse", "greylag/x") == first.commit
    second.push(str(source), "greylag/x", expect=first.commit)
    assert git(source, "rev-parse", "greylag/x^{tree}") == trees[1]


def test_what_is_committed_again_is_one_commit_also_after_another(desk: Desk, source: Path, tmp_path: Path) -> None:
    work = desk.checkout(source)
    trees = [work.freeze()]
    write(work.directory, {"a.txt": "other\n"})
    trees.append(work.freeze())
    first, again = (work.commit(trees[0], "Change", "greylag/x") for _ in range(2))
    assert first == again
    for number, tree in enumerate((trees[1], trees[0])):  # the agent took it back
        work.commit(tree, "Change", "greylag/x").save(tmp_path / str(number))
        assert git(source, "bundle", "list-heads", str(tmp_path / str(number))).endswith("refs/heads/greylag/x")


def test_a_commit_can_be_kept_as_a_bundle(desk: Desk, source: Path, tmp_path: Path) -> None:
    work = desk.checkout(source)
    write(work.directory, {"a.txt": "kept\n"})
    made = work.commit(work.freeze(), "Change", "greylag/x")
    made.save(tmp_path / "branch.bundle")
    git(source, "fetch", "-q", str(tmp_path / "branch.bundle"), "greylag/x:kept")
    assert git(source, "show", "kept:a.txt") == "kept"


def test_a_reader_of_objects_that_was_killed_is_started_again(desk: Desk, source: Path) -> None:
    work = desk.checkout(source)
    tree = work.tree(work.base_tree)
    assert tree.read("a.txt")
    for _ in range(2):
        reader = work._objects._process
        assert reader
        reader.kill()
        reader.wait()
        assert tree.read("a.txt")


def test_close_removes_the_work_tree_and_may_be_repeated(desk: Desk, source: Path) -> None:
    work = desk.checkout(source)
    work.close()
    work.close()
    assert not work.directory.exists()


# -- sources of all shapes -------------------------------------------------------------------------------------------


def test_a_repository_with_a_work_tree_is_never_modified(desk: Desk, tmp_path: Path) -> None:
    source = make_repo(tmp_path / "user's own", FILES)
    write(source, {"uncommitted.txt": "x", "a.txt": "edited"})
    before = everything(source)
    work = desk.checkout(source)
    write(work.directory, {"a.txt": "changed"})
    work.commit(work.freeze(), "Change", "greylag/x")
    assert (work.directory / "dir/b.txt").exists()
    assert not (work.directory / "uncommitted.txt").exists()
    assert everything(source) == before


def test_a_subdirectory_and_a_file_url_and_strange_names(desk: Desk, tmp_path: Path) -> None:
    source = make_repo(tmp_path / "sp ace % \u00fc\n:x", FILES)
    for url in (str(source), source.as_uri()):
        assert desk.checkout(url).tree(desk.made[-1].base_tree).paths() == ("a.txt", "dir/b.txt", "run.sh")


@pytest.mark.parametrize("branch", ["side", "feature/x"])
def test_the_branch_that_is_named(branch: str, desk: Desk, tmp_path: Path) -> None:
    source = make_repo(tmp_path / "source", FILES)
    git(source, "checkout", "-q", "-b", branch)
    tip = commit(source, {"a.txt": "side\n"}, "Side")
    git(source, "checkout", "-q", "main")
    work = desk.checkout(source, branch)
    assert (work.branch, work.base) == (branch, tip)
    assert (work.directory / "a.txt").read_text() == "side\n"


def test_a_default_branch_of_another_name(desk: Desk, tmp_path: Path) -> None:
    assert desk.checkout(make_bare(tmp_path / "source", FILES, branch="trunk")).branch == "trunk"


def test_a_branch_that_is_not_there(desk: Desk, source: Path) -> None:
    with pytest.raises(UserError, match=r"no branch `mian`.*did you mean `main`"):
        desk.checkout(source, "mian")
    with pytest.raises(UserError, match="no branch"):
        desk.checkout(source, "--upload-pack=x")


def test_no_repository(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no repository at"):
        desk.checkout(tmp_path / "missing")
    (tmp_path / "plain").mkdir()
    with pytest.raises(UserError, match="not a git repository"):
        desk.checkout(tmp_path / "plain")
    with pytest.raises(UserError, match="contains a password") as caught:
        desk.checkout("https://me:hunter2@example.org/x")
    assert "hunter2" not in str(caught.value)


def test_an_empty_repository(desk: Desk, tmp_path: Path) -> None:
    for empty in (make_repo(tmp_path / "empty", {}), make_bare(tmp_path / "empty-bare", {})):
        with pytest.raises(UserError, match="has no commit yet"):
            desk.checkout(empty)


def test_an_unborn_branch(desk: Desk, tmp_path: Path) -> None:
    source = make_repo(tmp_path / "source", FILES)
    git(source, "checkout", "-q", "--orphan", "unborn")
    with pytest.raises(UserError, match="--branch"):
        desk.checkout(source)
    assert desk.checkout(source, "main").branch == "main"


def test_a_detached_head(desk: Desk, tmp_path: Path) -> None:
    source = make_repo(tmp_path / "source", FILES)
    git(source, "checkout", "-q", "--detach")
    with pytest.raises(UserError, match=r"detached HEAD; name the base branch with --branch \(there are: main\)"):
        desk.checkout(source)
    assert desk.checkout(source, "main").branch == "main"
    git(source, "branch", "-q", "-D", "main")
    with pytest.raises(UserError, match="no branch; make one there with `git switch -c NAME`"):
        desk.checkout(source)


def test_a_detached_head_of_a_clone_is_never_taken_for_the_default_branch_of_its_origin(
    desk: Desk, source: Path, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(source), str(clone))
    git(clone, "checkout", "-q", "--detach")
    with pytest.raises(UserError, match="--branch"):
        desk.checkout(clone)


def test_a_shallow_source(desk: Desk, tmp_path: Path) -> None:
    full = make_repo(tmp_path / "full", FILES)
    for number in range(3):
        commit(full, {"a.txt": f"{number}\n"}, f"Commit {number}")
    git(tmp_path, "clone", "-q", "--depth=1", full.as_uri(), "shallow")
    work = desk.checkout(tmp_path / "shallow")
    write(work.directory, {"a.txt": "changed\n"})
    made = work.commit(work.freeze(), "Change", "greylag/x")
    made.push(str(tmp_path / "shallow"), "greylag/x", expect=None)
    made.save(tmp_path / "bundle")
    assert git(tmp_path / "shallow", "show", "greylag/x:a.txt") == "changed"
    assert git(work.directory, "log", "--format=%s") == "Commit 2"


def test_history_is_there_for_the_agent_up_to_a_depth(desk: Desk, tmp_path: Path) -> None:
    source = make_repo(tmp_path / "source", FILES)
    stream = "".join(
        f"commit refs/heads/main\ncommitter A <a@b> {n} +0000\ndata 1\nx\n"
        + ("from refs/heads/main^0\n" if n == 1 else "")
        for n in range(1, 71)
    )
    git(source, "fast-import", "--quiet", stdin=stream.encode())
    git(source, "tag", "v1")
    work = desk.checkout(source)
    assert git(work.directory, "rev-list", "--count", "HEAD") == "50"
    assert git(work.directory, "describe", "--tags") == "v1"


def test_lfs_pointers_are_left_alone(desk: Desk, tmp_path: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 9\n"
    files = {".gitattributes": "*.big filter=lfs diff=lfs merge=lfs -text\n", "x.big": pointer}
    work = desk.checkout(make_repo(tmp_path / "source", files))
    assert (work.directory / "x.big").read_text() == pointer
    assert work.freeze() == work.base_tree


def test_a_later_checkout_sees_what_was_pushed_since(desk: Desk, tmp_path: Path) -> None:
    source = make_repo(tmp_path / "source", FILES)
    first = desk.checkout(source)
    git(source, "commit", "-q", "--amend", "-m", "rewritten")
    tip = commit(source, {"a.txt": "later\n"}, "Later")
    assert desk.checkout(source).base == tip
    assert first.freeze() == first.base_tree, "the earlier one still works"


def test_what_a_fetch_that_was_killed_left_behind_goes_with_the_next(desk: Desk, source: Path) -> None:
    desk.checkout(source)
    (mirror,) = (desk.state / "cache").glob("*.git")
    (ref,) = mirror.glob("refs/greylag/*")
    left = [ref.with_suffix(".lock"), mirror / "shallow.lock", mirror / "objects/pack/tmp_pack_Xy12"]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert desk.checkout(source).base
    assert not any(path.exists() for path in left)


def test_many_checkouts_at_once(desk: Desk, tmp_path: Path) -> None:
    sources = [make_bare(tmp_path / f"source-{n}", {"n": str(n)}) for n in range(2)]

    def use(number: int) -> str:
        work = desk.checkout(sources[number % 2], home=f"own-{number}")
        write(work.directory, {"n": f"changed {number}"})
        return work.tree(work.freeze()).read("n").decode()

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(use, range(6))) == [f"changed {number}" for number in range(6)]


def test_no_space_is_infrastructure_and_names_the_place(desk: Desk, source: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    work = desk.checkout(source)
    broken = work.directory.parent / "trusted/broken"
    broken.symlink_to("/dev/full")
    with pytest.raises(InfraError, match=r"No space left.*broken|broken.*No space"):
        work.commit(work.base_tree, "x", "greylag/x").save(broken)


# -- the user's own directory ----------------------------------------------------------------------------------------


def test_the_users_directory_is_read_and_not_touched(desk: Desk, tmp_path: Path) -> None:
    own = make_repo(tmp_path / "own", FILES)
    write(own, {"a.txt": "edited\n", "new.txt": "x", "ignored.log": "x", ".gitignore": "*.log\n"})
    git(own, "add", "new.txt")
    before = everything(own)
    work = desk.of(own / "dir")
    assert work.directory == own
    assert work.branch == "main"
    tree = work.freeze()
    assert work.changed(tree) == (".gitignore", "a.txt", "new.txt")
    work.problems(tree)
    work.export(tree, tmp_path / "export")
    work.close()
    assert everything(own) == before


def test_the_base_is_where_the_branch_left(desk: Desk, tmp_path: Path) -> None:
    own = make_repo(tmp_path / "own", FILES)
    start = git(own, "rev-parse", "HEAD")
    git(own, "checkout", "-q", "-b", "topic")
    commit(own, {"topic.txt": "x"}, "Topic")
    git(own, "checkout", "-q", "main")
    commit(own, {"main.txt": "x"}, "Main goes on")
    git(own, "checkout", "-q", "topic")
    work = desk.of(own, base="main")
    assert work.base == start
    assert work.changed(work.freeze()) == ("topic.txt",)
    assert desk.of(own).base == git(own, "rev-parse", "HEAD")
    with pytest.raises(UserError, match="`nowhere` is no revision"):
        desk.of(own, base="nowhere")
    with pytest.raises(UserError, match="no revision"):
        desk.of(own, base="--all")


def test_directories_that_will_not_do(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    for path, said in (
        (tmp_path / "missing", "no directory"),
        (tmp_path / "plain", "is not in a git repository"),
        (make_bare(tmp_path / "bare", FILES), "no work tree"),
        (make_repo(tmp_path / "empty", {}), "no commit yet"),
    ):
        with pytest.raises(UserError, match=said):
            desk.of(path)


def test_a_linked_work_tree_and_a_detached_head(desk: Desk, tmp_path: Path) -> None:
    own = make_repo(tmp_path / "own", FILES)
    git(own, "worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    write(tmp_path / "linked", {"a.txt": "linked\n"})
    work = desk.of(tmp_path / "linked")
    assert work.branch == "HEAD"
    assert work.changed(work.freeze()) == ("a.txt",)


def test_what_the_user_ignores_privately_stays_out(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = make_repo(tmp_path / "own", FILES)
    home = tmp_path / "person"
    write(home, {".config/git/ignore": ".idea\n", ".gitconfig": "[core]\n\texcludesFile = ~/mine\n", "mine": "*.swp\n"})
    monkeypatch.setenv("HOME", str(home))
    (own / ".git/info").mkdir(exist_ok=True)
    (own / ".git/info/exclude").write_text("scratch\n")
    write(own, {".idea/x": "x", "y.swp": "x", "scratch": "x", "z.txt": "x"})
    work = desk.of(own)
    assert work.changed(work.freeze()) == ("z.txt",)


def test_a_sparse_checkout_lacks_nothing(desk: Desk, tmp_path: Path) -> None:
    own = make_repo(tmp_path / "own", FILES)
    git(own, "sparse-checkout", "set", "--no-cone", "/a.txt")
    assert not (own / "dir").exists()
    write(own, {"a.txt": "edited\n"})
    work = desk.of(own)
    assert work.changed(work.freeze()) == ("a.txt",)


def test_what_was_committed_since_the_base_counts_where_the_work_tree_has_no_say(desk: Desk, tmp_path: Path) -> None:
    own = make_repo(tmp_path / "own", FILES)
    git(own, "checkout", "-q", "-b", "topic")
    commit(own, {"dir/b.txt": "of the topic\n"}, "Topic")
    git(own, "sparse-checkout", "set", "--no-cone", "/a.txt")
    work = desk.of(own, base="main")
    tree = work.freeze()
    assert work.changed(tree) == ("dir/b.txt",)
    assert work.tree(tree).read("dir/b.txt") == b"of the topic\n"


def test_files_that_lfs_has_unpacked_are_no_change(desk: Desk, tmp_path: Path) -> None:
    content = b"large\0content"
    digest = hashlib.sha256(content).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n"
    files = {".gitattributes": "*.big filter=lfs -text\n", "sub/x.big": pointer, "y.big": pointer, "z.big": pointer}
    own = make_repo(tmp_path / "own", files)
    write(own, {"sub/x.big": content, "y.big": content[:-1] + b"!"})
    work = desk.of(own)
    assert work.changed(work.freeze()) == ("y.big",)
    write(own, {"sub/x.big": b"other", "y.big": content})
    assert work.changed(work.freeze()) == ("sub/x.big",), "every freeze looks anew"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can act for somebody else")
def test_as_root_on_somebody_elses_repository(desk: Desk) -> None:
    with tempfile.TemporaryDirectory(prefix="greylag-test-") as name:
        Path(name).chmod(0o755)
        own = make_repo(Path(name, "own"), FILES)
        own_tree(own, 65534)
        assert desk.of(own).freeze()
        work = desk.checkout(own)
        write(work.directory, {"a.txt": "changed\n"})
        work.commit(work.freeze(), "Change", "greylag/x").push(str(own), "greylag/x", expect=None)
        assert git(own, "show", "greylag/x:a.txt") == "changed"
        assert {path.lstat().st_uid for path in own.rglob("*")} == {65534}, "nothing in it belongs to root now"


# -- the runner ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/a/b", "https://127.0.0.1:1/a/b"])
def test_a_host_that_does_not_answer_is_infrastructure(url: str, desk: Desk) -> None:
    with pytest.raises(InfraError, match=r"127\.0\.0\.1.*git ls-remote failed"):
        desk.checkout(url)


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.", "ssh agent"),
        ("Host key verification failed.\nfatal: Could not read from remote repository.", "accept the host key"),
        ("remote: Repository not found.\nfatal: repository 'https://github.com/a/b/' not found", "check URL and token"),
        ("fatal: could not read Username for 'https://github.com': terminal prompts disabled", "name a token"),
        ("fatal: mismatched algorithms: client sha1; server sha256", "SHA-256"),
        ("!\tabc:refs/heads/x\t[remote rejected] (protected branch hook declined)", "protected branch hook declined"),
    ],
)
def test_a_refusal_names_its_remedy(said: str, remedy: str) -> None:
    error = explain(GitError("fetch", Answer(128, b"", said)), Remote("https://github.com/a/b"))
    assert isinstance(error, UserError)
    assert remedy in str(error)
    assert "github.com/a/b" in str(error)


@pytest.mark.parametrize("said", ["git version 2.33.8", "git version 1.9.1", "something else"])
def test_an_old_git_is_named(said: str) -> None:
    with pytest.raises(UserError, match=r"git 2\.34 or later is needed, found"):
        check_version(said)


def test_a_git_that_is_new_enough() -> None:
    for said in ("git version 2.34.0", "git version 2.39.5 (Apple Git-154)", "git version 3.0.0.rc1"):
        check_version(said)


def test_a_command_that_does_not_end_is_killed_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Git.open(tmp_path / "home")
    started = tmp_path / "started"
    hang = f"alias.hang=!sh -c 'sleep 1000 & echo $! > {started}; wait'"
    with pytest.raises(InfraError, match="did not end within 1 s"):
        ours.call("-c", hang, "hang", seconds=1)
    _until(lambda: _dead(int(started.read_text())))


def test_a_command_ends_with_a_greylag_that_was_killed(tmp_path: Path) -> None:
    started = tmp_path / "started"
    code = (
        "import sys; from pathlib import Path; from greylag.git import Git\n"
        "Git.open(Path(sys.argv[1])).call('-c', sys.argv[2], 'hang')"
    )
    hang = f"alias.hang=!sh -c 'sleep 1000 & echo $! > {started}.new; mv {started}.new {started}; wait'"
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "home"), hang]) as process:
        _until(started.exists)
        process.kill()
    _until(lambda: _dead(int(started.read_text())))


def test_a_command_ends_with_a_greylag_that_was_killed_at_once(tmp_path: Path) -> None:
    code = (
        "import os, subprocess, sys; from pathlib import Path; from greylag.git import Git\n"
        "git, start = Git.open(Path(sys.argv[1])), subprocess.Popen.__init__\n"
        "def init(self, *arguments, **options):\n"
        "    start(self, *arguments, **options)\n"
        "    Path(sys.argv[2]).write_text(str(self.pid))\n"
        "    os.kill(os.getpid(), 9)\n"
        "subprocess.Popen.__init__ = init\n"
        "git.call('-c', 'alias.hang=!sleep 1000', 'hang')"
    )
    started = tmp_path / "started"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "home"), str(started)], check=False)
    _until(lambda: _dead(int(started.read_text())))


def test_a_command_that_is_stopped_may_tidy_up_first(tmp_path: Path) -> None:
    ours, tidy = Git.open(tmp_path / "home"), tmp_path / "tidy"
    hang = f"alias.hang=!sh -c 'trap \"touch {tidy}; exit\" TERM; sleep 1000 & wait'"
    with pytest.raises(InfraError, match="did not end"):
        ours.call("-c", hang, "hang", seconds=1)
    assert tidy.exists()


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


def _dead(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_output_has_an_end(tmp_path: Path) -> None:
    ours = Git.open(tmp_path / "home")
    with pytest.raises(InfraError, match="printed more than"):
        ours.call("-c", "alias.much=!head -c 3000000 /dev/zero", "much", cap=1 << 20)


def test_the_environment_is_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "GIT_DIR",
        "GIT_SSH_COMMAND",
        "GIT_EXTERNAL_DIFF",
        "GIT_CONFIG_PARAMETERS",
        "SECRET_KEY",
        "SSH_AUTH_SOCK",
    ):
        monkeypatch.setenv(name, "/from/outside")
    ours = Git.open(tmp_path / "home")
    assert "/from/outside" not in ours.environment().values()
    assert Remote("ssh://git@example.org/x").environment()["SSH_AUTH_SOCK"] == "/from/outside"
    assert "SSH_AUTH_SOCK" not in Remote("https://example.org/x").environment()


def test_messages_of_git_reach_no_terminal_raw(tmp_path: Path) -> None:
    with pytest.raises(GitError) as caught:
        Git.open(tmp_path / "home").run("rev-parse", "--git-dir", "-C", "\x1b[2J")
    assert str(caught.value).isprintable()


def test_a_token_travels_in_clear_nowhere() -> None:
    with pytest.raises(UserError, match="in clear"):
        Remote.of("http://example.org/a/b", "token")
    remote = Remote.of("https://example.org/a/b", "token")
    assert "token" not in remote.url
    assert list(remote.config()) == ["http.https://example.org/a/b.extraHeader"]
    assert "token" not in repr(remote)
