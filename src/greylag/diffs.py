"""Reading git's unified diff, whatever the names and the contents in it.

File names never reach the hunk parser: git's own rename, `---` and `+++` lines are read here, with git's quoting
(https://git-scm.com/docs/diff-format, "Generating patch text with -p"). Hunks are parsed by `unidiff`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from unidiff.errors import UnidiffParseError
from unidiff.patch import PatchSet

Sign = Literal["+", "-", " "]
Status = Literal["added", "deleted", "modified", "renamed", "copied"]

_HEADER = "diff --git "
_ESCAPE = re.compile(rb'\\([0-7]{3}|[abtnvfr"\\])')
_LETTERS = {b"a": 7, b"b": 8, b"t": 9, b"n": 10, b"v": 11, b"f": 12, b"r": 13, b'"': 34, b"\\": 92}
_QUOTED = re.compile(r'"(?>(?:[^"\\]|\\.)*)"')


_SIGNS: Mapping[str, Sign] = {"+": "+", "-": "-", " ": " "}


class DiffError(ValueError):
    """The text is no diff as git prints it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a hunk without its sign and line end; `old` and `new` are line numbers from 1."""

    sign: Sign
    text: str
    old: int | None
    new: int | None


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What happened to one file. `old_path` differs from `path` for a rename and a copy only."""

    path: str
    old_path: str
    status: Status
    header: tuple[str, ...]  # the lines before the first hunk
    hunks: tuple[tuple[str, tuple[Line, ...]], ...]  # heading, lines
    binary: bool = False
    old_mode: str | None = None
    new_mode: str | None = None

    @property
    def lines(self) -> Iterator[Line]:
        """Lines of all hunks."""
        return (line for _, lines in self.hunks for line in lines)

    @property
    def added(self) -> tuple[Line, ...]:
        """Lines that only the head has."""
        return tuple(line for line in self.lines if line.sign == "+")

    @property
    def removed(self) -> tuple[Line, ...]:
        """Lines that only the base has."""
        return tuple(line for line in self.lines if line.sign == "-")

    @property
    def names(self) -> frozenset[str]:
        """Every path that the change touches: both of a rename, only the new one of a copy."""
        return frozenset({self.path, self.old_path} if self.status == "renamed" else {self.path})


@lru_cache(maxsize=2)
def parse(diff: str) -> tuple[FileDiff, ...]:
    """The files of a diff in its order. Raises `DiffError`; nothing is ever left out silently."""
    if not diff.strip():
        return ()
    starts = [match.start() for match in re.finditer(rf"^{_HEADER}", diff, re.MULTILINE)]
    if not starts or diff[: starts[0]].strip():
        raise DiffError("does not begin with a file header of git")
    return tuple(_file(diff[start:end]) for start, end in zip(starts, [*starts[1:], len(diff)], strict=True))


def renames(diff: str) -> dict[str, str]:
    """New path by old path; nothing where the diff cannot be read, which guards say."""
    try:
        return {file.old_path: file.path for file in parse(diff) if file.status == "renamed"}
    except DiffError:
        return {}


def _file(section: str) -> FileDiff:
    hunk = re.search(r"^@@ ", section, re.MULTILINE)
    head, body = (section[: hunk.start()], section[hunk.start() :]) if hunk else (section, "")
    header = tuple(head.split("\n")[:-1] if head.endswith("\n") else head.split("\n"))
    facts = {key: value for line in header[1:] for key, value in [_fact(line)] if key}
    old, new = _names(header[0][len(_HEADER) :], facts)
    status: Status = "modified"
    for key, value in (
        ("new file mode", "added"), ("deleted file mode", "deleted"), ("rename to", "renamed"), ("copy to", "copied"),
    ):  # fmt: skip
        if key in facts:
            status = value  # type: ignore[assignment]  # the four literals of the table above
    binary = "Binary files" in facts or "GIT binary patch" in facts
    index = facts.get("index", "").split(" ")
    mode = index[1] if len(index) == 2 else None
    old_mode = facts.get("old mode") or facts.get("deleted file mode") or mode
    new_mode = facts.get("new mode") or facts.get("new file mode") or mode
    return FileDiff(new, old, status, header, () if binary else tuple(_hunks(body)), binary, old_mode, new_mode)


_FACTS = (
    "old mode", "new mode", "new file mode", "deleted file mode", "rename from", "rename to", "copy from", "copy to",
    "index", "Binary files", "GIT binary patch", "---", "+++",
)  # fmt: skip


def _fact(line: str) -> tuple[str, str]:
    for key in _FACTS:
        if line == key or line.startswith(key + " "):
            return key, line[len(key) + 1 :]
    return "", ""


def _names(header: str, facts: dict[str, str]) -> tuple[str, str]:
    for kind in ("rename", "copy"):
        if f"{kind} from" in facts and f"{kind} to" in facts:
            return _unquote(facts[f"{kind} from"]), _unquote(facts[f"{kind} to"])
    for key in ("+++", "---"):
        name = facts.get(key, "/dev/null")
        name = name.removesuffix("\t")  # git's mark for a name with a blank in it
        if name != "/dev/null":
            return (_unquote(name)[2:],) * 2
    if header.startswith('"'):
        first = _QUOTED.match(header)
        if first:
            return (_unquote(first[0])[2:],) * 2
    middle = len(header) // 2  # `a/NAME b/NAME`: without a rename, both are alike
    if header[:2] == "a/" and header[middle : middle + 3] == " b/" and header[2:middle] == header[middle + 3 :]:
        return (header[2:middle],) * 2
    raise DiffError("has a file header without a readable name")


def _unquote(name: str) -> str:
    """A path as git prints it: as it is, or quoted like a string in C, with octal escapes for bytes."""
    if not (len(name) >= 2 and name[0] == name[-1] == '"'):
        return name
    raw = name[1:-1].encode("utf-8", "surrogateescape")
    text = _ESCAPE.sub(lambda match: bytes([_LETTERS[match[1]] if match[1] in _LETTERS else int(match[1], 8)]), raw)
    return text.decode("utf-8", "surrogateescape")


def _hunks(body: str) -> Iterator[tuple[str, tuple[Line, ...]]]:
    if not body:
        return
    try:
        patch = PatchSet.from_string("--- a/x\n+++ b/x\n" + body)
    except (UnidiffParseError, ValueError) as error:
        raise DiffError("has a hunk that cannot be read") from error
    read = sum(1 + len(hunk) for file in patch for hunk in file)
    if len(patch) != 1 or read != body.count("\n") + (not body.endswith("\n")):
        raise DiffError("has lines that belong to no hunk")
    for hunk in patch[0]:
        heading = (
            f"@@ -{hunk.source_start},{hunk.source_length} +{hunk.target_start},{hunk.target_length} @@"
            f" {hunk.section_header}"
        )
        lines = (
            Line(_SIGNS[line.line_type], line.value.removesuffix("\n"), line.source_line_no, line.target_line_no)
            for line in hunk
            if line.line_type in _SIGNS
        )
        yield heading.rstrip(), tuple(lines)
