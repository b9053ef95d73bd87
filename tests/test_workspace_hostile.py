"""What an agent, or a repository, can do to make git run something. Each trick is first shown to work on plain git."""

import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from greylag.errors import UserError
from greylag.git import Git
from greylag.git.remote import Remote
from greylag.model import Repo
from greylag.testing.repos import commit, git, make_bare, make_repo, write
from greylag.workspace import Workspace
from greylag.workspace.trees import escapes, is_git_directory

Checkout = Callable[..., Workspace]


@pytest.fixture
def checkout(tmp_path: Path, state: Path) -> Iterator[Checkout]:
    made: list[Workspace] = []

    def check_out(source: Path, **settings: str) -> Workspace:
        home = state / f"home-{len(made)}"
        repo = Repo(str(source), settings.get("branch"))
        work = Workspace.checkout(repo, home=home, cache=state / "cache", owner=os.getuid() or 65534)
        made.append(work)
        return work

    yield check_out
    for work in made:
        work.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_bare(tmp_path / "source", {"a.txt": "one\n", "dir/b.txt": "two\n"})


@pytest.fixture
def trap(tmp_path: Path) -> "Trap":
    return Trap(tmp_path)


class Trap:
    """A program that leaves a mark where it ran."""

    def __init__(self, directory: Path) -> None:
        self.mark = directory / "trap-sprung"
        self.program = directory / "trap"
        self.program.write_text(f"#!/bin/sh\necho sprung >> '{self.mark}'\nexit 0\n")
        self.program.chmod(0o755)

    def springs(self, cwd: Path, *arguments: str) -> None:
        """Positive control: plain git, as most programs call it, walks into the trap."""
        env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
        env |= {f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        env |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
        subprocess.run(
            ["git", *arguments], cwd=cwd, env=env, capture_output=True, check=False, stdin=subprocess.DEVNULL
        )
        assert self.mark.exists(), f"plain `git {' '.join(arguments)}` does not run the trap: this test proves nothing"
        self.mark.unlink()

    def unsprung(self) -> None:
        assert not self.mark.exists()


def use_everything(work: Workspace, export: Path) -> str:
    """All that greylag does with a work tree that an agent has left."""
    tree = work.freeze()
    work.tree(tree).paths()
    work.changed(tree)
    work.diff(tree)
    work.problems(tree)
    work.export(tree, export)
    work.commit(tree, "Change", "greylag/x").save(export.with_name("bundle"))
    return tree


SETTINGS = {
    "core.fsmonitor": ("status",),
    "diff.external": ("diff",),
    "core.hooksPath": ("commit", "--allow-empty", "-qm", "x"),
    "core.sshCommand": ("fetch", "ssh://example.invalid/x"),
    "gpg.program": ("commit", "-S", "--allow-empty", "-qm", "x"),
}


@pytest.mark.parametrize("key", SETTINGS)
def test_settings_in_the_work_trees_git_directory(
    key: str, checkout: Checkout, source: Path, trap: Trap, tmp_path: Path
) -> None:
    work = checkout(source)
    inner = work.directory
    write(inner, {"a.txt": "changed\n"})
    value = str(trap.program)
    if key == "core.hooksPath":
        hooks = tmp_path / "hooks"
        hooks.mkdir()
        (hooks / "pre-commit").symlink_to(trap.program)
        value = str(hooks)
    git(inner, "config", key, value)
    trap.springs(inner, *SETTINGS[key])
    tree = use_everything(work, tmp_path / "export")
    trap.unsprung()
    assert work.tree(tree).read("a.txt") == b"changed\n"


@pytest.mark.parametrize(
    ("attribute", "key", "naive"),
    [
        ("filter=evil", "filter.evil.clean", ("add", "-A")),
        ("filter=evil", "filter.evil.process", ("add", "-A")),
        ("diff=evil", "diff.evil.textconv", ("diff",)),
        ("diff=evil", "diff.evil.command", ("diff",)),
    ],
)
def test_drivers_that_attributes_name(
    attribute: str, key: str, naive: tuple[str, ...], checkout: Checkout, source: Path, trap: Trap, tmp_path: Path
) -> None:
    work = checkout(source)
    write(work.directory, {"a.txt": "changed\n", ".gitattributes": f"* {attribute}\n"})
    git(work.directory, "config", key, str(trap.program))
    trap.springs(work.directory, *naive)
    tree = use_everything(work, tmp_path / "export")
    trap.unsprung()
    assert "+changed" in work.diff(tree)


def test_attributes_cannot_hide_a_change_from_the_diff(checkout: Checkout, source: Path) -> None:
    work = checkout(source)
    write(work.directory, {"a.txt": "changed\n", ".gitattributes": "* -diff\n"})
    git(work.directory, "add", "-N", ".")
    assert "+changed" not in git(work.directory, "diff"), "positive control"
    assert "+changed" in work.diff(work.freeze())


def nested(work: Workspace, trap: Trap, where: str) -> Path:
    inner = work.directory / where
    make_repo(inner, {"inner.txt": "hidden\n"})
    git(inner, "config", "core.fsmonitor", str(trap.program))
    return inner


def test_a_nested_repository_is_a_problem_and_never_asked(
    checkout: Checkout, source: Path, trap: Trap, tmp_path: Path
) -> None:
    work = checkout(source)
    inner = nested(work, trap, "vendor/lib")
    trap.springs(inner, "status")
    tree = use_everything(work, tmp_path / "export")
    trap.unsprung()
    assert [d.rule for d in work.problems(tree)] == ["workspace/nested-repository"]
    assert "vendor/lib" in work.problems(tree)[0].message


def test_a_nested_repository_without_a_commit_is_a_problem(checkout: Checkout, source: Path) -> None:
    work = checkout(source)
    make_repo(work.directory / "empty", {})
    write(work.directory, {"empty/new.txt": "x"})
    assert work.problems(work.freeze())


def test_a_submodule_of_the_base_stays_as_it_is(checkout: Checkout, source: Path, trap: Trap, tmp_path: Path) -> None:
    with_module = make_repo(tmp_path / "with-module", {"a.txt": "1\n"})
    make_repo(with_module / "sub", {"x": "1"})
    base = commit(with_module, {".gitmodules": '[submodule "sub"]\n\tpath = sub\n\turl = ../x\n'}, "Add a submodule")
    work = checkout(with_module)
    assert list((work.directory / "sub").iterdir()) == []
    assert work.freeze() == work.base_tree
    nested(work, trap, "sub")
    trap.springs(work.directory, "status")
    write(work.directory, {"a.txt": "2\n"})
    tree = use_everything(work, tmp_path / "export")
    trap.unsprung()
    assert work.changed(tree) == ("a.txt",)
    assert work.problems(tree) == ()
    assert git(with_module, "rev-parse", "HEAD") == base


def test_a_git_file_that_points_elsewhere(checkout: Checkout, source: Path, trap: Trap, tmp_path: Path) -> None:
    work = checkout(source)
    evil = make_repo(tmp_path / "evil", {"a.txt": "evil"})
    git(evil, "config", "core.fsmonitor", str(trap.program))
    subprocess.run(["rm", "-r", str(work.directory / ".git")], check=True)
    (work.directory / ".git").write_text(f"gitdir: {evil}/.git\n")
    trap.springs(work.directory, "status")
    assert use_everything(work, tmp_path / "export") == work.base_tree
    trap.unsprung()


def test_a_work_tree_without_its_git_directory(checkout: Checkout, source: Path) -> None:
    work = checkout(source)
    subprocess.run(["rm", "-r", str(work.directory / ".git")], check=True)
    assert work.freeze() == work.base_tree


def test_replaced_objects_and_grafts_are_not_believed(checkout: Checkout, source: Path, tmp_path: Path) -> None:
    person = tmp_path / "person"
    git(tmp_path, "clone", "-q", str(source), str(person))
    first = git(person, "rev-parse", "HEAD")
    second = commit(person, {"a.txt": "good\n"}, "Second")
    evil = git(person, "commit-tree", git(person, "mktree", stdin=b""), "-m", "evil")
    git(person, "replace", second, evil)
    assert git(person, "ls-tree", "--name-only", second) == "", "positive control: git reads the replacement"
    (person / ".git/info").mkdir(exist_ok=True)
    (person / ".git/info/grafts").write_text(f"{second}\n")
    work = Workspace.of_directory(person, home=tmp_path / "home", cache=tmp_path / "cache", base=first)
    assert work.base == first
    assert work.tree(work.git.text("rev-parse", f"{second}^{{tree}}")).read("a.txt") == b"good\n"
    assert work.freeze() != work.base_tree


@pytest.mark.parametrize(
    "url", ["ext::sh -c touch% {mark}", "fd::7", "git://127.0.0.1/x", "--upload-pack=touch {mark}"]
)
def test_transports_that_run_programs(url: str, trap: Trap, tmp_path: Path, state: Path) -> None:
    url = url.format(mark=trap.mark)
    if url.startswith("ext::"):
        naive = ("-c", "protocol.ext.allow=always", "ls-remote", url)
        trap.springs(tmp_path, *naive)
    with pytest.raises(UserError):
        Workspace.checkout(Repo(url), home=state / "home", cache=state / "cache", owner=65534)
    trap.unsprung()


def test_ext_is_refused_by_git_itself_too(trap: Trap, tmp_path: Path) -> None:
    ours = Git.open(tmp_path / "home")
    url = f"ext::sh -c touch% {trap.mark}"
    with pytest.raises(UserError, match=r"has|transport|refuses|cannot"):
        _ls_remote(ours, Remote(url, tmp_path))
    trap.unsprung()


def _ls_remote(ours: Git, remote: Remote) -> None:
    from greylag.git import GitError
    from greylag.git.remote import explain

    try:
        remote.run(ours, "ls-remote", "--", remote.url)
    except GitError as error:
        raise explain(error, remote) from error


def test_a_hostile_source_repository(source: Path, checkout: Checkout, trap: Trap, tmp_path: Path) -> None:
    hostile = make_repo(tmp_path / "hostile", {"a.txt": "1\n"})
    for key in ("core.fsmonitor", "diff.external", "core.sshCommand", "uploadpack.packObjectsHook"):
        git(hostile, "config", key, str(trap.program))
    git(hostile, "config", "core.alternateRefsCommand", str(trap.program))
    (hostile / ".git/objects/info").mkdir(exist_ok=True)
    (hostile / ".git/objects/info/alternates").write_text(f"{source}/objects\n")
    trap.springs(hostile, "status")
    trap.springs(hostile, "push", ".", "HEAD:refs/heads/again")
    work = checkout(hostile)
    write(work.directory, {"a.txt": "2\n"})
    tree = use_everything(work, tmp_path / "export")
    work.commit(tree, "Change", "greylag/x").push(str(hostile), "greylag/x", expect=None)
    mine = Workspace.of_directory(hostile, home=tmp_path / "home", cache=tmp_path / "cache")
    write(hostile, {"a.txt": "3\n"})
    use_everything(mine, tmp_path / "export-2")
    trap.unsprung()


def test_links_are_kept_as_links_and_never_followed(checkout: Checkout, source: Path, tmp_path: Path) -> None:
    work = checkout(source)
    secret = tmp_path / "secret"
    secret.write_text("host secret")
    (work.directory / "stolen").symlink_to(secret)
    (work.directory / "up").symlink_to("dir/../../x")
    (work.directory / "fine").symlink_to("dir/b.txt")
    (work.directory / "a.txt").unlink()
    (work.directory / "a.txt").symlink_to(secret)
    tree = use_everything(work, tmp_path / "export")
    found = {d.path: d.rule for d in work.problems(tree)}
    assert found == dict.fromkeys(("a.txt", "stolen", "up"), "workspace/escaping-link")
    assert "host secret" not in work.diff(tree)
    assert "a.txt" not in work.tree(tree).paths()
    assert (tmp_path / "export/stolen").is_symlink()
    assert secret.read_text() == "host secret"
    assert stat.S_IMODE(secret.stat().st_mode) & 0o022 == 0, "the export opened up a file outside"


def test_a_directory_replaced_by_a_link(checkout: Checkout, source: Path, tmp_path: Path) -> None:
    work = checkout(source)
    outside = tmp_path / "outside"
    write(outside, {"b.txt": "host secret"})
    subprocess.run(["rm", "-r", str(work.directory / "dir")], check=True)
    (work.directory / "dir").symlink_to(outside)
    tree = use_everything(work, tmp_path / "export")
    assert work.changed(tree) == ("dir", "dir/b.txt")
    assert "host secret" not in work.diff(tree)


@pytest.mark.parametrize(
    ("path", "links", "leaves"),
    [
        ("l", {"l": "a/b"}, False),
        ("l", {"l": "/etc"}, True),
        ("l", {"l": ".."}, True),
        ("d/l", {"d/l": ".."}, False),
        ("d/l", {"d/l": "../.."}, True),
        ("l", {"l": "sub/d/../x", "sub/d": ".."}, True),
        ("l", {"l": "l"}, True),
        ("l", {"l": "C:\\x"}, True),
    ],
)
def test_escapes(path: str, links: dict[str, str], leaves: bool) -> None:
    assert escapes(path, links) is leaves


@pytest.mark.parametrize(
    "name", [".git", ".GIT", ".Git ", ".git.", "git~1", "GIT~1", ".git::$INDEX_ALLOCATION", ".g\u200cit"]
)
def test_names_of_a_git_directory(name: str) -> None:
    assert is_git_directory(name)


@pytest.mark.parametrize("name", [".github", ".gitignore", "git", "git~10", "x.git"])
def test_names_that_only_look_alike(name: str) -> None:
    assert not is_git_directory(name)


@pytest.mark.parametrize("name", ["sub/.GIT/config", "git~1/x", "sub/.git./x"])
def test_git_directories_in_disguise_are_left_out_and_said(name: str, checkout: Checkout, source: Path) -> None:
    work = checkout(source)
    write(work.directory, {name: "x", "fine.txt": "y"})
    tree = work.freeze()
    assert work.changed(tree) == ("fine.txt",)
    (problem,) = work.problems(tree)
    assert name in problem.message


def test_a_tree_made_by_hand_is_found_out(checkout: Checkout, source: Path) -> None:
    work = checkout(source)
    blob = work.git.text("hash-object", "-w", "--stdin", stdin=b"x")
    inner = work.git.text("mktree", stdin=f"100644 blob {blob}\tconfig\n".encode())
    for name in (".GIT", "git~1", ".git "):
        tree = work.git.text("mktree", "-z", stdin=f"040000 tree {inner}\t{name}\0".encode())
        assert "workspace/git-directory" in {d.rule for d in work.problems(tree)}, name


def test_what_is_no_file(checkout: Checkout, source: Path) -> None:
    work = checkout(source)
    os.mkfifo(work.directory / "pipe")
    (work.directory / "a.txt").unlink()
    os.mkfifo(work.directory / "a.txt")
    tree = work.freeze()
    assert "pipe" not in work.tree(tree).paths()
    assert work.problems(tree) or "a.txt" in work.changed(tree)


def test_names_with_control_characters(checkout: Checkout, source: Path) -> None:
    work = checkout(source)
    names = ["line\nbreak", "\x1b[2Jclear", "right\u202eleft", "ünïcode name", "tab\there"]
    write(work.directory, dict.fromkeys(names, "x"))
    problems = work.problems(work.freeze())
    assert [d.rule for d in problems] == ["workspace/file-name"] * 4
    assert all((d.path or "").isprintable() and d.message.isprintable() for d in problems)


def test_a_large_file(checkout: Checkout, source: Path) -> None:
    work = checkout(source)
    with (work.directory / "large").open("wb") as stream:
        stream.truncate((50 << 20) + 1)
    (problem,) = work.problems(work.freeze())
    assert (problem.rule, problem.path) == ("workspace/large-file", "large")


def test_too_many_files(checkout: Checkout, source: Path) -> None:
    work = checkout(source)
    blob = work.git.text("hash-object", "-w", "--stdin", stdin=b"x")
    listed = "".join(f"100644 blob {blob}\tf{number}\n" for number in range(20_001))
    tree = work.git.text("mktree", stdin=listed.encode())
    (problem,) = work.problems(tree)
    assert problem.rule == "workspace/too-many-files"


def test_the_agents_own_git_directory_knows_nothing_of_ours(checkout: Checkout, source: Path, state: Path) -> None:
    work = checkout(source)
    theirs = work.directory / ".git"
    assert git(work.directory, "log", "--format=%s") == "Start"
    assert git(work.directory, "status", "--porcelain") == ""
    assert git(work.directory, "remote") == ""
    assert not (theirs / "objects/info/alternates").exists()
    traces = subprocess.run(
        ["grep", "-rl", "-e", str(state), "-e", str(source), str(theirs)], capture_output=True, check=False
    )
    assert traces.stdout == b""


def test_close_removes_what_resists(checkout: Checkout, source: Path, tmp_path: Path) -> None:
    work = checkout(source)
    outside = tmp_path / "outside"
    write(outside, {"keep": "x"})
    (work.directory / "link").symlink_to(outside)
    handle = os.open(work.directory, os.O_DIRECTORY)
    for _ in range(1100):  # deeper than PATH_MAX, the limit of descriptors and Python's stack
        os.mkdir("deep", dir_fd=handle)
        inner = os.open("deep", os.O_DIRECTORY, dir_fd=handle)
        os.close(handle)
        handle = inner
    os.close(handle)
    write(work.directory, {"locked/inner/file": "x"})
    (work.directory / "locked/inner").chmod(0)
    (work.directory / "locked").chmod(0)
    work.close()
    assert not work.directory.exists()
    assert (outside / "keep").read_text() == "x"
