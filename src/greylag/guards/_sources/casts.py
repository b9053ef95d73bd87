"""Casts and annotations that newly make a value anything, where it had a type: TypeScript and Python."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from greylag.diffs import FileDiff
from greylag.guards._cases.runs import Run, concerned
from greylag.guards._code.source import language, scan
from greylag.guards._guard import finding
from greylag.model import Diagnostic
from greylag.protocols import Change

_ANYTHING: Mapping[str, re.Pattern[str]] = {
    "js": re.compile(
        r"\bas\s++any\b|\bas\s++unknown\s++as\b|<any>(?=[\w(])|(?<=[\w)\]?]):\s*+any\b(?!\s*+\[?\]?\s*+(?:=>|\())|\bas\s++never\b"
    ),
    "python": re.compile(
        r"\bcast\(\s*+(?:\w++\.)?[\"']?Any\b|(?<=[\w\])]):\s*+(?:\w++\.)?Any\b(?=\s*+[=,)\n]|$)|->\s*+(?:\w++\.)?Any\b"
    ),
}
_TYPED = re.compile(r"\.(?:[cm]?tsx?|vue|svelte|pyi?)$")
_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_WORDS = frozenset({"as", "any", "unknown", "never", "Any", "cast", "typing", "const", "let", "return", "def", "self"})
_LEAST = 0.5  # of the words of a line that were there before


def casts(change: Change, files: Sequence[FileDiff]) -> Iterator[Diagnostic]:
    """Findings on modified sources; of code that is new as a whole, nothing is known to have been lost."""
    for file, run in concerned(change, [file for file in files if _TYPED.search(file.path)]):
        if words := _loses(run, language(file.path) or ""):
            message = f"adds `{words}`: the type checker looks away where it looked"
            yield finding(change, "suppressions", "suppressions/cast", message, file.path, line=run.line)


def _loses(run: Run, family: str) -> str:
    pattern = _ANYTHING.get(family)
    if pattern is None or not run.removed or not run.added:
        return ""
    old, new = (scan(text, family).code for text in (run.old, run.new))
    more = Counter(map(_plain, pattern.findall(new))) - Counter(map(_plain, pattern.findall(old)))
    if more.total() == 0 or len(pattern.findall(new)) <= len(pattern.findall(old)):
        return ""
    had = [set(_WORD.findall(line)) - _WORDS for line in old.split("\n")]
    bare = {_plain(line) for line in old.split("\n")}
    for line in new.split("\n"):
        words = set(_WORD.findall(line)) - _WORDS
        match = pattern.search(line)
        if match and match[0][0] in ":-" and not _was_typed(line[: match.start()], match[0][0], old):
            continue
        if match and (any(_alike(words, one) for one in had) if words else _plain(pattern.sub("", line)) in bare):
            return " ".join(match[0].split())
    return ""


def _alike(new: set[str], old: set[str]) -> bool:
    """Whether one line took the place of another, by their words."""
    both = len(new & old)
    return both >= _LEAST * len(new) and both >= _LEAST * len(old)


def _was_typed(ahead: str, sign: str, old: str) -> bool:
    """Whether the name before an annotation had one, or some function a type of what it returns."""
    name = re.search(r"([A-Za-z_$][\w$]*)[\])?]*\s*\Z", ahead)
    if sign == "-":
        return "->" in old
    return (
        name is not None
        and re.search(rf"(?<![\w$]){re.escape(name[1])}\??\s*:(?!\s*(?:\w+\.)?[aA]ny\b)", old) is not None
    )


def _plain(found: str) -> str:
    return "".join(found.split())
