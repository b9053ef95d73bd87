"""Programs by whose exit code a check fails, and that have lost it."""

import re
from collections.abc import Mapping

from greylag.guards._code.source import LARGEST, language, scan

_FAILS: Mapping[str, re.Pattern[str]] = {
    "python": re.compile(
        r"\b(?:sys\s*+\.\s*+exit|exit|SystemExit|os\._exit)\s*+\((?!\s*+0?\s*+\))|\bcheck\s*+=\s*+True\b|\bcheck_(?:call|output|returncode)\b"
        r"|\braise\b(?!\s+SystemExit)|^\s*+assert\b|\bpytest\.main\b|\bunittest\.main\b",
        re.MULTILINE,
    ),
    "js": re.compile(
        r"\bprocess\s*+\.\s*+(?:exit\s*+\((?!\s*+0?\s*+\))|exitCode\s*+=(?!\s*+0))|\bDeno\.exit\s*+\((?!\s*+0?\s*+\))|\bthrow\b|\b(?:exec|spawn)(?:File)?Sync\b"
    ),
    "go": re.compile(r"\bos\.Exit\s*+\((?!\s*+0)|\blog\.(?:Fatal|Panic)\w*+\(|\bpanic\("),
    "hash": re.compile(
        r"\bexit\s++(?:[1-9$\"]|false)|\bexit\s*+\(?1|\bset\s++-\w*e|\babort\b|\braise\b|\bdie\b|^\s*+false\s*+$",
        re.MULTILINE,
    ),
}


def lost_exit(path: str, old: str, new: str) -> str:
    """The way in which a program failed, where it has none any more, or its commands are not checked any more."""
    family = language(path) or ("hash" if old.startswith("#!") and "sh" in old[:60] else "")
    if family not in _FAILS or max(len(old), len(new)) > LARGEST:
        return ""
    if old.startswith("#!") and "python" in old.partition("\n")[0]:
        family = "python"
    had, has = (_FAILS[family].findall(scan(text, family).code) for text in (old, new))
    if had and not has:
        return " ".join(had[0].split()).rstrip("(")
    runs = [len(re.findall(r"\b(?:subprocess\.)?run\s*+\(", text)) for text in (old, new)]
    unchecked = [len(re.findall(r"\bcheck\s*+=\s*+True\b", text)) for text in (old, new)]
    return "check=True" if family == "python" and unchecked[1] < unchecked[0] and runs[1] >= runs[0] else ""
