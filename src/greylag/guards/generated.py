"""Files that a tool or somebody else writes: generated, built, vendored. Editing them by hand does not last."""

import re
from collections.abc import Iterator
from functools import partial

from pathspec import GitIgnoreSpec

from greylag.diffs import FileDiff, parse
from greylag.guards._code.source import language
from greylag.guards._guard import Guard, finding, read
from greylag.kinds import GENERATED, VENDORED, matches
from greylag.model import Diagnostic
from greylag.protocols import Change, Tree

_HEADER = re.compile(
    r"@generated\b|\bcode generated\b[^\n]{0,200}\bdo not edit"
    r"|\bdo not (?:edit|modify)\b[^\n]{0,80}\b(?:generated|manually|by hand)"
    r"|\b(?:auto-?generated|generated) (?:by|from|file|code)\b[^\n]{0,200}\bdo not"
    r"|\bthis file (?:is|was) (?:auto-?|automatically )generated\b",
    re.IGNORECASE,
)
_GO = re.compile(r"^// Code generated [^\n]{0,1000} DO NOT EDIT\.\r?$", re.MULTILINE)  # anywhere before the package
_PROGRAMS = (b"\x7fELF", b"MZ", b"!<arch>\n", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa", b"\0asm")
_HEAD = 2000  # characters of a file in which a header is looked for
_FAR = 100_000  # those in which Go's line may be


def check(change: Change) -> Iterator[Diagnostic]:
    """By name, by the base commit's `linguist-generated` and `linguist-vendored`, and by the file's own header."""
    marked = {kind: _attributes(change.base, kind) for kind in ("generated", "vendored")}
    for file in parse(change.diff):
        kind, why = _kind(change, file, marked)
        if kind:
            verb = {"added": "adds", "deleted": "deletes"}.get(file.status, "changes")
            yield finding(change, kind, f"generated/{kind}", f"{verb} {file.path}, {why}", file.path)


def _kind(change: Change, file: FileDiff, marked: dict[str, GitIgnoreSpec]) -> tuple[str, str]:
    for name in sorted(file.names):
        if matches(name, VENDORED) or marked["vendored"].match_file(name):
            return "vendored", "which belongs to somebody else"
        if matches(name, GENERATED) or marked["generated"].match_file(name):
            return "generated", "which a tool makes"
    if file.status == "added" and file.binary and _is_program(change.head, file.path):
        return "vendored", "a program or library that nobody can read"
    tree, path = (change.head, file.path) if file.status == "added" else (change.base, file.old_path)
    if not file.binary and _HEADER.search(_comment(read(tree, path) or "")):
        return "generated", "whose header says that a tool makes it"
    if file.status in {"modified", "renamed"} and language(file.path) and not file.binary and _says_so(change, file):
        return "generated", "which now says that a tool makes it: formatters, linters and readers pass over it"
    return "", ""


def _says_so(change: Change, file: FileDiff) -> bool:
    """Whether a file that was written by hand has the header of a generated one now, as tools look for it."""
    before, after = read(change.base, file.old_path) or "", read(change.head, file.path) or ""
    marked = _HEADER.search(_comment(after)) or _GO.search(after[:_FAR])
    return bool(marked) and not _GO.search(before[:_FAR])


def _is_program(tree: Tree, path: str) -> bool:
    try:
        return tree.read(path).startswith(_PROGRAMS)
    except KeyError:
        return False


def _comment(text: str) -> str:
    """The lines at the top that look like comments."""
    lines = (line.strip() for line in text[:_HEAD].split("\n")[:20])
    return "\n".join(line for line in lines if line.startswith(("#", "//", "/*", "*", "<!--", "--", ";", '"""', "%")))


def _attributes(tree: Tree, kind: str) -> GitIgnoreSpec:
    """Patterns that the `.gitattributes` at the root marks; those of the base, since the head's are the agent's."""
    patterns = []
    for line in (read(tree, ".gitattributes") or "").split("\n"):
        name, *attributes = line.split() or [""]
        if name and not name.startswith(("#", '"', "[", "!")):
            patterns += [name for attribute in attributes if attribute in {f"linguist-{kind}", f"linguist-{kind}=true"}]
    return GitIgnoreSpec.from_lines(patterns)


PLUGIN = partial(Guard, "generated", check)
