"""The file tools: exact edits, helpful refusals, and no way out of the workspace."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from greylag.agents import _files
from greylag.agents._inside import Killed, Refused, files_tool
from greylag.errors import InfraError
from greylag.protocols import Command, Completed, Ended, Sandbox
from greylag.testing.repos import make_repo, write

HOST = "a file of the host that no agent may see"


@pytest.fixture
def use(sandbox: Any) -> Any:
    def tool(op: str, **arguments: Any) -> str:
        return files_tool(sandbox, op, **arguments).decode("utf-8", "surrogateescape")

    return tool


def test_an_edit_replaces_text_that_occurs_once(use: Any, workspace: Path) -> None:
    assert use("edit", path="src/app.py", old="a - b", new="a + b") == "edited `src/app.py` on line 2"
    assert (workspace / "src/app.py").read_text() == "def add(a, b):\n    return a + b\n"


@pytest.mark.parametrize(
    ("old", "says"),
    [
        ("return a * b", "Nearest are the lines from 2:\n    return a - b"),
        ("def add(a, b):\n  return a - b", "Only white space differs in the lines from 1:\ndef add(a, b):\n    return"),
        ("def add(a, b):\n\treturn a - b", 'Line 2 is "    return a - b", not "\\treturn a - b"'),
        ("return a\u00a0- b", 'Line 2 is "    return a - b", not "return a\\u00a0- b"'),
        ("1\tdef add(a, b):\n2\t    return a - b", "without the line numbers (and tabs) that read_file puts"),
        ("a", "occurs 3 times in `src/app.py`, on lines 1, 1, 2"),
        ("", "`old` is empty"),
        ("zzzzzz", "No line looks like it"),
    ],
)
def test_an_edit_that_does_not_fit_says_what_is_there(use: Any, workspace: Path, old: str, says: str) -> None:
    before = (workspace / "src/app.py").read_bytes()
    with pytest.raises(Refused) as refused:
        use("edit", path="src/app.py", old=old, new="x")
    assert says in str(refused.value)
    assert (workspace / "src/app.py").read_bytes() == before


def test_edits_keep_line_ends_mode_and_odd_bytes(use: Any, workspace: Path) -> None:
    file = workspace / "run.bat"
    file.write_bytes(b"echo \xff\r\necho two\r\necho three\r\n")
    file.chmod(0o755)
    use("edit", path="run.bat", old="echo two\necho three", new="echo 2\necho 3")
    assert file.read_bytes() == b"echo \xff\r\necho 2\r\necho 3\r\n"
    assert file.stat().st_mode & 0o777 == 0o755


def test_reading_numbers_lines_and_says_where_it_stopped(use: Any, workspace: Path) -> None:
    write(workspace, {"long.txt": "".join(f"line {n}\n" for n in range(1, 3001))})
    assert use("read", path="long.txt", start=2, end=3) == "2\tline 2\n3\tline 3\n(lines 2 to 3 of 3000)"
    assert use("read", path="long.txt").endswith("(lines 1 to 1000 of 3000)")
    assert use("read", path="src/app.py") == "1\tdef add(a, b):\n2\t    return a - b"
    with pytest.raises(Refused, match=r"did you mean src/app\.py"):
        use("read", path="src/ap.py")
    (workspace / "logo.png").write_bytes(b"\x89PNG\0\0")
    with pytest.raises(Refused, match="binary file of 6 bytes"):
        use("read", path="logo.png")


def test_a_search_finds_lines_by_pattern_and_glob(use: Any, workspace: Path) -> None:
    write(workspace, {"lib/a.ts": "const add = 1\n", "add.md": "add\n"})
    assert use("search", pattern=r"\badd\b", glob="*.ts") == "lib/a.ts:1: const add = 1"
    assert use("search", pattern=r"\badd\b", glob="**/*.md") == "add.md:1: add"
    assert use("search", pattern="nowhere") == "no match"
    with pytest.raises(Refused, match="no regular expression"):
        use("search", pattern="(")


def test_a_list_leaves_out_what_git_ignores(use: Any, tmp_path: Path, workspace: Path) -> None:
    make_repo(workspace, {".gitignore": "build/\n"})
    write(workspace, {"build/out.js": "x\n", "new file.txt": "x\n"})
    assert use("list").split("\n") == [".gitignore", "README.md", "new file.txt", "src/app.py"]
    assert use("list", path="src") == "src/app.py"


def test_a_list_without_git_leaves_out_caches(use: Any, workspace: Path) -> None:
    write(workspace, {"node_modules/x/index.js": "x\n"})
    assert use("list").split("\n") == ["README.md", "src/app.py"]


def test_a_long_list_becomes_directories_with_counts(use: Any, workspace: Path) -> None:
    write(workspace, {f"pkg/module{n:03}/file.py": "" for n in range(300)})
    text = use("list", budget=2000)
    assert len(text) <= 2000
    assert "302 files" in text
    assert "pkg/ (300 files)" in text
    assert "src/app.py" in text, "what is small is shown in full beside it"


def repository(files: int) -> list[str]:
    """Names as a large repository has them: packages of many depths, one that is flat, long names."""
    large = [f"packages/web/src/features/feature{n % 97}/components/Component{n}.tsx" for n in range(files // 2)]
    flat = [f"migrations/{n:05}_change.sql" for n in range(files // 3)]
    rest = [f"services/service{n % 40}/internal/handler{n}.go" for n in range(files - len(large) - len(flat) - 4)]
    return sorted([*large, *flat, *rest, "go.mod", "README.md", "docs/how-to/release.md", "tools/lint.py"])


def test_a_map_of_many_files_is_fair_and_begins_with_what_the_prompt_names() -> None:
    names = repository(20_000)
    shown = _files.listing(names, 8_000, ["Component5.tsx", "release", "tools/lint.py"])
    assert len(shown) <= 8_000
    first, rest = shown.split("\nAll:\n")
    assert first.splitlines()[:4] == [
        *("20000 files; list a directory to see more of it:", "Named in the request:"),
        *("packages/web/src/features/feature5/components/Component5.tsx", "tools/lint.py"),
    ]
    assert "docs/how-to/release.md" in first
    lines = rest.splitlines()
    assert {"go.mod", "README.md", "migrations/ (6666 files)", "docs/how-to/release.md"} <= set(lines)
    assert "services/service8/internal/ (84 files)" in lines
    assert any(line.startswith("packages/web/src/features/feature8/components/ (") for line in lines)
    told = sum(int(line.rpartition("(")[2].split()[0]) if line.endswith("files)") else 1 for line in lines)
    assert told == 20_000


def test_a_map_unfolds_a_directory_first_that_the_prompt_names() -> None:
    shown = _files.listing(repository(20_000), 8_000, ["services/service7/internal"]).splitlines()
    assert len([line for line in shown if line.startswith("services/service7/internal/handler")]) == 84


def test_a_map_of_deep_directories_takes_no_time() -> None:
    begun = time.monotonic()
    assert len(_files.listing(["a/" * 2000 + str(n) for n in range(2000)], 8_000, ["a"])) < 8_000
    assert time.monotonic() - begun < 5


def test_a_map_of_a_flat_repository_says_how_much_it_leaves_out() -> None:
    shown = _files.listing([f"file{n:05}.txt" for n in range(20_000)], 8_000, [])
    assert len(shown) <= 8_000
    assert shown.splitlines()[1] == "file00000.txt"
    assert shown.splitlines()[-1].startswith("... and 19")


def test_files_are_made_moved_and_deleted(use: Any, workspace: Path) -> None:
    assert use("write", path="a/b.txt", content="one\ntwo\n") == "created `a/b.txt` (2 lines)"
    assert use("write", path="a/b.txt", content="one\n") == "overwrote `a/b.txt` (1 lines)"
    use("move", path="a/b.txt", to="c/d.txt")
    assert (workspace / "c/d.txt").read_text() == "one\n"
    with pytest.raises(Refused, match="exists"):
        use("move", path="README.md", to="c/d.txt")
    use("delete", path="c/d.txt")
    assert not (workspace / "c/d.txt").exists()
    with pytest.raises(Refused, match="is a directory"):
        use("delete", path="src")


TRICKS = {
    "straight": {"path": "{secret}"},
    "upwards": {"path": "../secret.txt"},
    "hidden upwards": {"path": "src/../../secret.txt"},
    "link to a file": {"path": "link"},
    "link to a directory": {"path": "linked/secret.txt"},
    "chain of links": {"path": "chain"},
    "a process's root": {"path": "proc/self/root{secret}"},
}


def test_a_search_without_an_end_is_refused_with_what_to_do_instead(use: Any, workspace: Path) -> None:
    (workspace / "long.txt").write_text("a" * 60 + "!")
    with pytest.raises(Refused, match="no end after 10 seconds; search for a plain text"):
        use("search", pattern="(a+)+$")


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("op", ["read", "edit", "write", "delete", "move", "search", "list"])
def test_no_link_and_no_path_leads_out_of_the_workspace(
    use: Any, workspace: Path, tmp_path: Path, trick: str, op: str
) -> None:
    """Here nothing isolates: the tools themselves have to refuse."""
    secret = tmp_path / "secret.txt"
    secret.write_text(HOST)
    (workspace / "link").symlink_to(secret)
    (workspace / "linked").symlink_to(tmp_path)
    (workspace / "chain").symlink_to("link")
    (workspace / "proc").symlink_to("/proc")
    path = TRICKS[trick]["path"].format(secret=secret)
    further: dict[str, dict[str, Any]] = {
        "edit": {"old": "host", "new": "x"}, "write": {"content": "x"}, "move": {"to": "mine.txt"},
        "search": {"pattern": "host"},
    }  # fmt: skip
    try:
        answer = use(op, path=path, **further.get(op, {}))
    except Refused as refused:
        answer = str(refused)
    assert HOST not in answer
    assert "secret" not in answer.replace(path, "")
    assert secret.read_text() == HOST
    assert not any(
        HOST in file.read_text() for file in workspace.rglob("*") if file.is_file() and not file.is_symlink()
    )


def test_git_is_off_limits(use: Any, workspace: Path) -> None:
    make_repo(workspace, {})
    (workspace / "alias").symlink_to(".git")
    for path in (".git/config", ".GIT/config", "src/../.git/hooks/post-commit", "alias/config"):
        with pytest.raises(Refused, match="belongs to git"):
            use("write", path=path, content="x")
    assert not (workspace / ".git/hooks/post-commit").exists()


def test_pipes_and_loops_are_refused_and_do_not_hang(use: Any, workspace: Path) -> None:
    os.mkfifo(workspace / "pipe")
    (workspace / "loop").symlink_to("loop")
    for path in ("pipe", "loop"):
        for op, more in (("read", {}), ("write", {"content": "x"})):
            with pytest.raises(Refused):
                use(op, path=path, **more)
    assert use("search", pattern="return") == "src/app.py:2: return a - b"


def test_the_real_sandbox_reads_edits_and_hides_the_host(
    real_sandbox: Sandbox, workspace: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(HOST)
    secret.chmod(0o644)
    (workspace / "link").symlink_to(secret)
    files_tool(real_sandbox, "edit", path="src/app.py", old="a - b", new="a + b")
    assert files_tool(real_sandbox, "read", path="src/app.py", start=2) == b"2\t    return a + b\n(lines 2 to 2 of 2)"
    assert (workspace / "src/app.py").read_text().endswith("a + b\n")
    with pytest.raises(Refused):
        files_tool(real_sandbox, "read", path="link")
    # and whoever gets round the tools does not find the file either
    done = real_sandbox.run(Command(("cat", "link")))
    assert done.returncode
    assert HOST.encode() not in done.output


class Broken:
    """A sandbox whose answers are given."""

    name, platform, layered = "broken", "linux/amd64", False

    def __init__(self, completed: Completed) -> None:
        self.completed = completed

    def run(self, command: Command) -> Completed:
        return self.completed

    def kill(self) -> None: ...


def test_a_sandbox_without_python_is_not_the_agents_fault() -> None:
    with pytest.raises(InfraError, match="python3: not found"):
        files_tool(Broken(Completed(Ended.EXITED, 127, b"", b"python3: not found\n")), "list")


def test_a_killed_sandbox_and_a_slow_search_are_told_apart() -> None:
    with pytest.raises(Killed):
        files_tool(Broken(Completed(Ended.KILLED, 137, b"")), "list")
    with pytest.raises(Refused, match="timed out"):
        files_tool(Broken(Completed(Ended.TIMED_OUT, 137, b"")), "search", pattern="(a+)+$")
