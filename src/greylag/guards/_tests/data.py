"""Data of tests: what is expected is in files of no language, and in values beside the tests. It is shown."""

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from greylag.diffs import FileDiff
from greylag.guards._cases.dialects import DIALECTS
from greylag.guards._code.source import LARGEST, language, scan
from greylag.guards._guard import finding, read
from greylag.guards._tests.lost_rows import lost_rows
from greylag.guards._tests.values import Value, values
from greylag.kinds import LINT, TEST_CONFIG, TESTS, matches
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change, Tree

_TEXTS = frozenset({"yml", "yaml", "toml", "xml", "html"})  # suffixes of known languages that are no code
_SNAPSHOTS = "*.snap __snapshots__/ *.approved.*"  # written by a tool, as the output was
_NONE = "readme* .git*"
_ENTRY = re.compile(r"^exports\[`", re.MULTILINE)
_ASKS = re.compile(r"\.toMatchSnapshot\s*\(|\.toThrowErrorMatchingSnapshot\s*\(|\bt\.snapshot\s*\(")


def changed_data(change: Change, files: Sequence[FileDiff]) -> Iterator[Diagnostic]:
    """Files of data and values that are another now. New ones are none, and deleted files are told elsewhere."""
    data = [file for file in files if _is_data(file.path)]
    yield from lost_rows(change, data, data=True)
    yield from lost_rows(change, [file for file in files if file not in data], data=False)
    for file in files:
        if file.status in {"added", "copied", "deleted"}:
            continue
        if _is_data(file.path) and (file.hunks or file.binary):
            if matches(file.path, _SNAPSHOTS) and file.removed and not file.added and not _obsolete(change, file):
                message = f"takes {len(file.removed)} lines out of {file.path}, with which the output is compared"
                yield finding(change, "tests", "tests/cut-data", message, file.path)
                continue
            message = f"changes {file.path}, which belongs to the tests: look whether they prove what they did"
            yield _shown(change, "tests/changed-data", message, file)
        elif language(file.path) in DIALECTS and (matches(file.path, TESTS) or not file.path.endswith(".rs")):
            old, new = _values(change.base, file.old_path), _values(change.head, file.path)
            for name in [name for name in old if name in new and not new[name].keeps(old[name])]:
                message = f"changes the value `{name}` of tests"
                yield _shown(change, "tests/changed-value", message, file, new[name].line)


def _obsolete(change: Change, file: FileDiff) -> bool:
    """Whether only whole entries are taken out of a snapshot, as many as its tests ask for fewer of them."""
    place = PurePosixPath(file.path)
    asking = str(place.parent.parent / place.name.removesuffix(".snap"))
    texts = [read(tree, asking) or "" for tree in (change.base, change.head)]
    asked = [len(_ASKS.findall(scan(text[:LARGEST], language(asking) or "js").code)) for text in texts]
    entries = [len(_ENTRY.findall(read(tree, file.path) or "")) for tree in (change.base, change.head)]
    bare = [line.text for line in file.removed if line.text.strip()]
    whole = bool(bare) and bool(_ENTRY.match(bare[0])) and bare[-1].rstrip() == "`;"
    return whole and 0 < entries[0] - entries[1] <= asked[0] - asked[1]


def _is_data(path: str) -> bool:
    code = language(path) is not None and PurePosixPath(path).suffix.lower().lstrip(".") not in _TEXTS
    return not code and matches(path, TESTS) and not matches(path, f"{_NONE} {LINT} {TEST_CONFIG}")


def _shown(change: Change, rule: str, message: str, file: FileDiff, line: int | None = None) -> Diagnostic:
    return finding(change, "tests", rule, message, file.path, line=line, severity=Severity.WARNING)


def _values(tree: Tree, path: str) -> dict[str, Value]:
    text = read(tree, path) or ""
    return values(path, text) if len(text) <= LARGEST else {}
