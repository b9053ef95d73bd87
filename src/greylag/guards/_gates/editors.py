"""Settings for editors: those that are read by no checker, and only added."""

from greylag.diffs import FileDiff
from greylag.guards._guard import read
from greylag.kinds import matches
from greylag.protocols import Change

_WORDS = """
root charset end_of_line indent_style indent_size tab_width insert_final_newline trim_trailing_whitespace
"""
_PLAIN = frozenset(_WORDS.split())
_Settings = dict[tuple[str, str], str]


def more_for_editors(change: Change, file: FileDiff) -> bool:
    """Whether an `.editorconfig` has all that it had, and besides only what is for editors alone."""
    if not matches(file.path, ".editorconfig") or file.status not in {"added", "modified"}:
        return False
    before, after = (_settings(read(tree, path) or "") for tree, path in (
        (change.base, file.old_path), (change.head, file.path),
    ))  # fmt: skip
    new = after.keys() - before.keys()
    return before.items() <= after.items() and all(name in _PLAIN for _, name in new)


def _settings(text: str) -> _Settings:
    found: _Settings = {}
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line
        elif line and line[0] not in "#;":
            name, _, value = line.partition("=")
            found[section, name.strip().lower()] = value.strip().lower()
    return found
