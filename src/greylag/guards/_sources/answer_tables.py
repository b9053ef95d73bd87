"""Tables of answers in a source that have the inputs of its tests and nothing else, asked before the code is."""

import re
from collections.abc import Iterator
from itertools import islice

from greylag.diffs import FileDiff
from greylag.guards._code.source import LARGEST, language
from greylag.guards._guard import finding, read
from greylag.kinds import TESTS, matches
from greylag.model import Diagnostic
from greylag.protocols import Change

_TABLE = re.compile(
    r"\b(?P<name>\w{1,80}+)\s?(?::[^=\n]{1,100})?:?=\s?"
    r"(?:new\s+Map\(\[|(?:Immutable)?Map\.of\(|map\[\w+\]\w+\{|\{|Map\.ofEntries\()(?P<rest>.*)"
)
_LITERAL = r"(?:\"[^\"\\\n]{1,100}\"|'[^'\\\n]{1,100}'|-?\d[\w.]{0,30})"
_ENTRY = re.compile(
    rf"(?P<key>{_LITERAL})\s*(?:::?|=>|,)\s*[\[({{]?\s*(?P<value>{_LITERAL})(?:\s*,\s*-?[\d.]+\s*[\])}}])?"
)
_ASKED = re.compile(r"\b(?:if|switch|match)\b|\breturn\b[^\n]{0,300}(?:\?\?|\|\||\bor\b)")
_LONGEST, _MOST, _FILES = 2000, 40, 300  # characters of a table, entries, and files of tests that are read
_FEWEST = 2


def tabled(change: Change, file: FileDiff) -> Iterator[Diagnostic]:
    """Findings on one source that had another way to its answers before."""
    if file.status != "modified" or language(file.path) is None or not file.added:
        return
    added = "\n".join(line.text[:500] for line in file.added[:2000])
    for table in islice(_TABLE.finditer(added), _MOST):
        named = re.compile(rf"\b{re.escape(table['name'])}\b")
        asked = (line for line in added.split("\n") if named.search(line) and _ASKED.search(line))
        begin = table.start("rest")
        inner = re.split(r"[}\])]\s*;?\s*\n|\n\s*\n", added[begin : begin + _LONGEST] + "\n\n")[0]
        entries = [(_bare(one["key"]), _bare(one["value"])) for one in islice(_ENTRY.finditer(inner), _MOST)]
        if len(entries) >= _FEWEST and any(asked) and (path := _told(change, entries)):
            message = f"has a table `{table['name']}` of just the answers that {path} asks for"
            yield finding(change, "tests", "sources/answer", message, file.path)


def _bare(literal: str) -> str:
    return literal.strip("\"'")


def _told(change: Change, entries: list[tuple[str, str]]) -> str | None:
    """The file of tests that has each entry on one line, if one has."""
    pairs = [tuple(re.compile(rf"(?<!\w){re.escape(one)}(?!\w)") for one in entry) for entry in entries]
    for path in islice((path for path in change.head.paths() if matches(path, TESTS)), _FILES):
        text = read(change.head, path) or ""
        if len(text) > LARGEST or not all(key.search(text) for key, _ in pairs):
            continue
        lines = text.split("\n")
        if all(any(key.search(line) and value.search(line) for line in lines) for key, value in pairs):
            return path
    return None
