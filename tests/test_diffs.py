"""Reading git's diffs: names, modes and contents that break simpler readers."""

from pathlib import Path

import pytest

from greylag.diffs import DiffError, FileDiff, parse
from greylag.testing.changes import Files, Link, make_change

TEXT = "".join(f"line {n}\n" for n in range(20))


def files(tmp_path: Path, base: Files, head: Files) -> dict[str, FileDiff]:
    return {file.path: file for file in parse(make_change(tmp_path, base, head).diff)}


@pytest.mark.parametrize(
    "name",
    ["a b", "a b/b c", " leading",
     "trailing ", 'quo"te', "back\\slash", "tab\there", "line\nend", "é/ü.py", "\udcff.txt", "b/a/b/x",
     "dev/null", "a -> b", "rename from x", "\u202e.py", "x\ndiff --git a/y b/y"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["added", "deleted", "modified", "empty", "mode"])
def test_any_name_is_read_back(tmp_path: Path, name: str, kind: str) -> None:
    base, head = {
        "added": ({}, {name: "x\n"}),
        "deleted": ({name: "x\n"}, {}),
        "modified": ({name: "x\n"}, {name: "y\n"}),
        "empty": ({}, {name: ""}),
        "mode": ({name: "#!/bin/sh\n"}, {name: "#!/bin/sh\n"}),
    }[kind]
    change = make_change(tmp_path, base, head)
    if kind == "mode":
        quoted = make_change(tmp_path, {}, head).diff.split("\n")[0]
        change = type(change)(change.base, change.head, f"{quoted}\nold mode 100644\nnew mode 100755\n")
    (file,) = parse(change.diff)
    assert file.path == file.old_path == name
    assert file.status == {"empty": "added", "mode": "modified"}.get(kind, kind)


def test_rename_has_both_names(tmp_path: Path) -> None:
    (file,) = files(tmp_path, {"old dir/a b": TEXT}, {"new/a\tb": TEXT + "more\n"}).values()
    assert (file.old_path, file.path, file.status) == ("old dir/a b", "new/a\tb", "renamed")
    assert file.names == {"old dir/a b", "new/a\tb"}
    assert [line.text for line in file.added] == ["more"]


def test_modes_binary_files_and_links(tmp_path: Path) -> None:
    found = files(tmp_path, {"link": "x\n"}, {"run": "#!/bin/sh\n", "bin": b"\0\1", "lib/link2": Link("../x")})
    assert (found["run"].old_mode, found["run"].new_mode) == (None, "100755")
    assert (found["bin"].binary, found["bin"].hunks) == (True, ())
    assert found["lib/link2"].new_mode == "120000"
    assert found["link"].status == "deleted"


def test_file_that_becomes_a_link_is_two_entries(tmp_path: Path) -> None:
    change = make_change(tmp_path, {"a": "x\n"}, {"a": Link("b")})
    assert [(file.path, file.status, file.old_mode, file.new_mode) for file in parse(change.diff)] == [
        ("a", "deleted", "100644", None), ("a", "added", None, "120000"),
    ]  # fmt: skip


def test_lines_that_look_like_syntax_are_contents(tmp_path: Path) -> None:
    base = "-- old\n++ plus\n\\ No newline at end of file\n"
    head = "--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@\ndiff --git a/y b/y\nrename from z\nGIT binary patch\n\x0c\u2028\r\n\r"
    (file,) = files(tmp_path, {"x": base}, {"x": head}).values()
    assert [line.text for line in file.added] == head.split("\n")
    assert [line.text for line in file.removed] == base.split("\n")[:-1]
    assert [line.new for line in file.added] == list(range(1, 9))


def test_line_numbers_are_those_of_either_side(tmp_path: Path) -> None:
    (file,) = files(tmp_path, {"a": TEXT}, {"a": TEXT.replace("line 10\n", "new\nnewer\n")}).values()
    assert [(line.sign, line.old, line.new) for line in file.lines if line.sign != " "] == [
        ("-", 11, None), ("+", None, 11), ("+", None, 12),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "nonsense\n",
        "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n",
        "diff --git nothing\n",
        "diff --git a/x b/y\n",
        "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n-a\n",
        "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n+c\n",
        "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ what @@\n",
        "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n--- a/y\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n",
    ],
)
def test_what_git_does_not_print_is_refused(text: str) -> None:
    with pytest.raises(DiffError):
        parse(text)


def test_nothing_is_nothing() -> None:
    assert parse("") == parse("\n") == ()
