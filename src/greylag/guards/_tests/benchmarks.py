"""Tests of Go whose body is that of a benchmark, an example or a function that nobody calls now."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from greylag.diffs import FileDiff
from greylag.guards._code.source import LARGEST, brackets, language, plain, scan
from greylag.guards._guard import finding, read
from greylag.model import Diagnostic
from greylag.protocols import Change

_FUNCTION = re.compile(r"^func\s++([A-Za-z_]\w*+)\s*+\(", re.MULTILINE)
_ASKED = re.compile(
    r"(?<![\w.])if\b([^{\n]{1,300})\{|\b(?:assert|require|is|qt|cmp)\.(\w+\()\s*+\w++\s*+,([^\n]{1,300})"
)
_RUN, _IDLE = ("Test", "Fuzz"), ("Benchmark", "Example")
_MOST = 500  # functions of one file, and conditions of one function


def benched(change: Change, files: Sequence[FileDiff]) -> Iterator[Diagnostic]:
    """Each test that asked something which only such a function of its file asks now."""
    for file in files:
        if language(file.path) != "go" or file.status not in {"modified", "renamed"}:
            continue
        text = read(change.head, file.path) or ""
        before, after = _functions(read(change.base, file.old_path) or ""), _functions(text)
        words = Counter(re.findall(r"\w+", text)) if len(text) <= LARGEST else Counter[str]()
        idle = {name for name in after if name.startswith(_IDLE) or not (name.startswith(_RUN) or words[name] > 1)}
        still = {one for name, (asked, _) in after.items() if name not in idle for one in asked}
        asking = {one: name for name in idle - before.keys() for one in after[name][0]}
        for name, (asked, _) in before.items():
            gone = (asked - still) & asking.keys() if name.startswith(_RUN) else set[str]()
            if gone:
                other = asking[min(gone)]
                message = f"what the test `{name}` asked is in `{other}` now, which no test runs"
                yield finding(change, "tests", "tests/deleted-test", message, file.path, line=after[other][1])


def _functions(text: str) -> dict[str, tuple[set[str], int]]:
    """What each function asks, and its line."""
    found: dict[str, tuple[set[str], int]] = {}
    if len(text) > LARGEST:
        return found
    code = scan(text, "go").code
    curly = brackets(code, "{}")
    for match in islice(_FUNCTION.finditer(code), _MOST):
        begin, end = curly.after(match.end())
        asked = {plain("".join(filter(None, one.groups()))) for one in islice(_ASKED.finditer(text, begin, end), _MOST)}
        found[match[1]] = asked - {"err!=nil"}, code.count("\n", 0, match.start()) + 1
    return found
