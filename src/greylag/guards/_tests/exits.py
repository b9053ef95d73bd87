"""Test files that decide the exit code of the run themselves, so that failures are not seen."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from greylag.diffs import FileDiff
from greylag.guards._code.source import language, scan
from greylag.guards._guard import finding, read
from greylag.model import Diagnostic
from greylag.protocols import Change

_CODE: Mapping[str, re.Pattern[str]] = {  # in code without comments and string contents
    "python": re.compile(
        r"\.\s*(?:exitstatus|testsfailed)\s*[-+*/&|^%]{0,2}=(?!=)|\bos\s*\.\s*(?:_exit|exec[lv]\w*)\b|\bimport\b[^\n]{0,200}\b_exit\b"
        r"|\bdef\s+pytest_(?:cmdline_main|runtestloop)\b"
    ),
    "js": re.compile(
        r"\b(?:process|Deno)\s*\.\s*(?:exit|reallyExit)\s*\(\s*0?\s*\)"
        r"|\b(?:process|Deno)\s*\.\s*exitCode\s*=(?!=)\s*(?:0|undefined|null|void\b)"
    ),
    "go": re.compile(r"\bos\.Exit\s*\(\s*0\s*\)"),
    "java": re.compile(r"\b(?:System\.exit|exitProcess|\.halt)\s*\(\s*0\s*\)"),
    "rust": re.compile(r"\bprocess::exit\s*\(\s*0\s*\)"),
    "c": re.compile(r"\b(?:_?exit|_Exit|quick_exit)\s*\(\s*(?:0|EXIT_SUCCESS)\s*\)"),
}
_CONFTEST = re.compile(r"(?<![\w.])exitstatus\s*=(?!=)|\b(?:sys|pytest)\s*\.\s*exit\s*\(|\bSystemExit\b")
_NAMED = re.compile(  # the name is in a string
    r"\b(?:setattr\s*\(|__dict__|vars\s*\()[^\n]{0,200}[\"'](?:exitstatus|testsfailed)[\"']"
    r"|\bgetattr\s*\(\s*os\b[^\n]{0,200}[\"']_exit[\"']|\bprocess\s*\[\s*[\"'`](?:exit|exitCode|reallyExit)[\"'`]"
)
_TAKEN = re.compile(  # `exit` is a name of its own
    r"\{[^{}]{0,200}\bexit\b[^{}]{0,200}\}\s*+(?:from\s*+[\"'](?:node:)?process[\"']|=\s*+(?:process\b|require\([\"'](?:node:)?process))"
)
_BARE = re.compile(r"(?<![\w.$])exit\s*+\(\s*+0?\s*+\)")
_WIDEST = 2000  # characters of a line that are looked at


def exits(change: Change, files: Sequence[FileDiff]) -> Iterator[Diagnostic]:
    """Added lines that set the exit code or leave the process; one that was moved is not new."""
    moved = Counter(line.text.strip() for file in files for line in file.removed)
    for file in files:
        family, text = language(file.path) or "", read(change.head, file.path)
        if family not in _CODE or text is None:
            continue
        bare = family == "js" and _TAKEN.search(text) is not None
        code = scan(text, family).code.split("\n")
        for line in file.added:
            view = "".join(code[(line.new or 1) - 1 : line.new])[:_WIDEST]
            match = _match(file.path, family, view, line.text[:_WIDEST])
            match = match or (bare and _BARE.search(view)) or None
            if match and moved[line.text.strip()] > 0:
                moved[line.text.strip()] -= 1
            elif match:
                message = f"adds `{match[0].strip()}`, which decides the exit code of the tests whatever they find"
                yield finding(
                    change, "tests", "tests/exit-code", message, file.path, line=line.new, excerpt=line.text.strip()
                )


def _match(path: str, family: str, code: str, whole: str) -> re.Match[str] | None:
    found = _CODE[family].search(code)
    if not found and path.rpartition("/")[2].lower() == "conftest.py":
        found = _CONFTEST.search(code)
    if found or not code.strip(" \"'`") or family not in {"python", "js"}:
        return found
    named = _NAMED.search(whole)  # in code, and not in a string as a whole
    return named if named and code[named.start() : named.start() + 4].strip(" \"'`") else None
