"""Formatters put right what a change touches, and nothing else."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from greylag import plugins
from greylag.model import Diagnostic, Outcome, Phase, Verdict
from greylag.protocols import Activation, Context, Layers, SandboxBackend, SandboxSpec, Tree, Verifier
from greylag.report import Report
from greylag.testing.repos import Files, git
from greylag.testing.verifying import House, MakeHouse
from greylag.verifiers import _tool
from greylag.verifiers._tool import Plan, Step
from greylag.workspace import Workspace

_CHECK = "grep -lr ' $' --include='*.txt' . && exit 1 || exit 0"


def _ends_in_a_blank(data: bytes, root: str, _workspace: str) -> tuple[Diagnostic, ...]:
    return tuple(
        Diagnostic("ends in a blank", path=name) for name in re.findall(r"^\./(.*)$", data.decode(), re.MULTILINE)
    )


@dataclass(frozen=True)
class Blanks:
    """No line of a text ends in a blank. `write` is a shell script for the formatter, with the files as arguments."""

    write: str = 'sed -i "s/ *$//" "$@"'
    check: str = _CHECK
    name: str = "blanks"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        write = Step((("sh", "-c", self.write, "sh"),))
        step = Step((("sh", "-c", self.check),), read_log=_ends_in_a_blank, rewrite=write)
        return [Activation(self.name, self.name, Phase.FORMAT, ".", "always", (), Plan((step,)))]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        return _tool.run(activation, context)


@dataclass(frozen=True)
class Formatter:
    """Only the formatting of a verifier."""

    whole: Verifier
    name: str = "formatter"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        return [found for found in self.whole.detect(tree) if found.phase is Phase.FORMAT]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        return self.whole.verify(activation, context)


@dataclass
class Changed:
    """A change that is verified; `asked` is what formatters wanted to write, one mapping for each time."""

    at: House
    files: Files
    asked: list[Mapping[str, bytes]] = field(default_factory=list)

    def report(self, verifier: Verifier) -> Report:
        def rewrite(files: Mapping[str, bytes]) -> str:
            self.asked.append(files)
            return self.at.repository.change({**self.files, **{path: data.decode() for path, data in files.items()}})

        verification = self.at.verification(verifier)
        baseline, tree = verification.baseline(), self.at.repository.change(self.files)
        return verification.run(tree, mode="loop", baseline=baseline, rewrite=rewrite)


def outcome(report: Report) -> Outcome:
    return report.verdicts[0].outcome


def test_files_of_the_change_are_formatted_and_told(house: MakeHouse) -> None:
    change = Changed(house({"a.txt": "a\n", "b.txt": "b\n"}), {"a.txt": "a \nb\n", "c d/-n.txt": "x  \n"})
    report = change.report(Blanks())
    assert change.asked == [{"a.txt": b"a\nb\n", "c d/-n.txt": b"x\n"}]
    assert outcome(report) is Outcome.PASSED
    assert report.tree == change.at.repository.change({"a.txt": "a\nb\n", "c d/-n.txt": "x\n"})
    assert report.notes[0].startswith("formatted a.txt, c d/-n.txt")
    assert "formatted a.txt" in report.render()
    assert [event.text for event in change.at.events if event.kind == "formatted"] == [report.notes[0]]


def test_what_was_not_formatted_before_stays_as_it_is(house: MakeHouse) -> None:
    change = Changed(house({"old.txt": "a \n", "other.txt": "b \n"}), {"old.txt": "a \nnew \n", "new.txt": "n \n"})
    report = change.report(Blanks())
    assert change.asked == [{"new.txt": b"n\n"}]
    assert outcome(report) is Outcome.RED_BEFORE


@pytest.mark.parametrize(
    ("write", "files"),
    [
        ("exit 1", {"a.txt": "a \n"}),
        ("true", {"a.txt": "a \n"}),
        ('rm "$@"', {"a.txt": "a \n"}),
        ('ln -sf /etc/passwd "$@"', {"a.txt": "a \n"}),
        ("no-such-program", {"a.txt": "a \n"}),
    ],
)
def test_a_formatter_that_does_nothing_leaves_the_failure(house: MakeHouse, write: str, files: Files) -> None:
    change = Changed(house({"a.txt": "a\n"}), files)
    report = change.report(Blanks(write))
    assert outcome(report) is Outcome.FAILED
    assert report.verdicts[0].diagnostics[0].path == "a.txt"
    assert all(data == b"a \n" for files in change.asked for data in files.values())


def test_a_check_that_mends_what_it_finds_as_hooks_do_needs_no_other_command(house: MakeHouse) -> None:
    change = Changed(house({"a.txt": "a\n", "b": "b\n"}), {"a.txt": "a \n", "b": "c\n"})
    mend = "found=$(grep -lr ' $' --include='*.txt' .) || exit 0; sed -i 's/ *$//' $found; echo \"$found\"; exit 1"
    report = change.report(Blanks("true", mend))
    assert change.asked == [{"a.txt": b"a\n"}]
    assert outcome(report) is Outcome.PASSED


def test_only_the_files_that_are_complained_about_are_taken(house: MakeHouse) -> None:
    change = Changed(house({"a.txt": "a\n", "b.txt": "b\n"}), {"a.txt": "a \n", "b.txt": "c\n"})
    change.report(Blanks('sed -i "s/ *$//" "$@"; echo evil >b.txt; echo evil >new.txt'))
    assert change.asked == [{"a.txt": b"a\n"}]


def test_without_a_taker_nothing_is_rewritten(house: MakeHouse) -> None:
    at = house({"a.txt": "a\n"})
    verification = at.verification(Blanks("touch ~/ran"))
    report = verification.run(at.repository.change({"a.txt": "a \n"}), mode="gate", baseline=verification.baseline())
    assert outcome(report) is Outcome.FAILED


@pytest.mark.parametrize(
    ("verifier", "files", "path", "text"),
    [
        pytest.param("go", {"go.mod": "module example.org/a\n\ngo 1.20\n", "a.go": "package a\n"}, "b.go",
                     "package a\n\nvar B  =  1\n", marks=pytest.mark.toolchain("go")),
        pytest.param("rust", {"Cargo.toml": '[package]\nname = "a"\nversion = "1.0.0"\n', "rustfmt.toml": "",
                              "src/lib.rs": "pub mod b;\n", "src/b.rs": "pub const B: i8 = 1;\n"}, "src/b.rs",
                     "pub fn b() -> i8 {  1 }\n", marks=pytest.mark.toolchain("cargo")),
        pytest.param("elixir", {"mix.exs": "defmodule A.MixProject do\n  use Mix.Project\n"
                                "  def project, do: [app: :a, version: \"1.0.0\"]\nend\n",
                                ".formatter.exs": '[inputs: ["lib/*.ex"]]\n'}, "lib/a.ex",
                     "defmodule  A do\nend\n", marks=pytest.mark.toolchain("mix")),
    ],
)  # fmt: skip
def test_real_formatters_mend(house: MakeHouse, verifier: str, files: Files, path: str, text: str) -> None:
    change = Changed(house(files), {path: text})
    report = change.report(Formatter(plugins.load("verifiers", verifier)))
    assert [sorted(asked) for asked in change.asked] == [[path]]
    assert "  " not in change.asked[0][path].decode().strip().replace("\n    ", "")
    assert outcome(report) is Outcome.PASSED


def test_a_renamed_file_that_was_not_formatted_stays_as_it_is(
    house: MakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "".join(f"line {n}\n" for n in range(30)) + "blank \n"
    at = house({"old.txt": text})
    plain = at.repository.change

    def moved(files: Files) -> str:
        plain(files)
        git(at.repository.path, "rm", "--quiet", "--cached", "old.txt")
        return git(at.repository.path, "write-tree")

    monkeypatch.setattr(at.repository, "change", moved)
    change = Changed(at, {"new.txt": text + "more \n", "other.txt": "x \n"})
    change.report(Blanks())
    assert [sorted(asked) for asked in change.asked] == [["other.txt"]]


@pytest.mark.toolchain("bwrap")
def test_a_work_tree_is_rewritten_inside_its_sandbox(tmp_path: Path, backend: SandboxBackend) -> None:
    tmp_path.chmod(0o755)
    tree, home, scratch, secret = (tmp_path / name for name in ("tree", "home", "scratch", "secret"))
    for directory in (tree, home, scratch):
        directory.mkdir()
        directory.chmod(0o777)
    secret.write_text("kept")
    script = tree / "a b"
    script.write_text("longer than what comes\n")
    (tree / "twin").hardlink_to(script)
    script.chmod(0o555)
    if os.getuid() == 0:
        os.chown(script, backend.owner, -1)
    (tree / "link").symlink_to(secret)
    work = Workspace.__new__(Workspace)
    with backend.open(SandboxSpec("agent", Layers(upper=tree), Layers(upper=home), scratch)) as sandbox:
        assert work.rewrite({"link": b"x", "gone": b"x", "a b": b"short\n"}, sandbox).startswith(
            "link: link is no file"
        )
    assert script.read_text() == "short\n"
    assert script.stat().st_mode & 0o777 == 0o555
    assert (tree / "twin").read_text() == "longer than what comes\n"
    assert secret.read_text() == "kept"
    assert sorted(path.name for path in tree.iterdir()) == ["a b", "link", "twin"]
