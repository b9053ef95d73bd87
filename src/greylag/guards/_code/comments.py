"""Changes that touch whole lines of comments and nothing else, such as a licence's header."""

import re
from collections.abc import Mapping
from itertools import groupby

from greylag.diffs import FileDiff
from greylag.guards._code.source import language

_SLASHES = re.compile(r"(?>(?:\s|//[^\n]*+(?:\n|$)|/\*(?>(?:[^*]|\*(?!/))*)\*/[ \t]*(?:\n|$))*)")
_HASHES = re.compile(r"(?>(?:\s|\#(?!!)[^\n]*+(?:\n|$))*)")
_WHOLE: Mapping[str, re.Pattern[str]] = dict.fromkeys(("js", "java", "go", "c", "rust"), _SLASHES) | {
    "python": _HASHES,
    "hash": _HASHES,
}


def only_comments(file: FileDiff) -> bool:
    """Whether each run of added or removed lines is complete comments: half of one could take code along."""
    pattern = _WHOLE.get(language(file.path) or "")
    if pattern is None or file.status != "modified" or file.binary or file.old_mode != file.new_mode:
        return False
    runs = (
        "\n".join(line.text for line in run) for sign, run in groupby(file.lines, lambda line: line.sign) if sign != " "
    )
    return bool(file.lines) and all(pattern.fullmatch(run) for run in runs)
