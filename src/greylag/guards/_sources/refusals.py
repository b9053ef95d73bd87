"""What a source refuses no more: a check of an argument, a size or a state that is gone while the rest stays."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from greylag.diffs import FileDiff
from greylag.guards._cases.runs import Run, concerned, text
from greylag.guards._code.refusing import FAILS, PLAIN, Refusal, found
from greylag.guards._code.source import LITERAL, language, scan
from greylag.guards._guard import finding
from greylag.model import Diagnostic
from greylag.protocols import Change

_DECLARES = re.compile(
    r"^[ \t]*+(?>(?:(?:pub(?:\([^()\n]*\))?|async|export|default|static|const|unsafe|private|public|protected"
    r"|override|final|suspend)\s++)*)"
    r"(?:def|fn|func|fun|function|class|struct|enum|interface|trait|impl|type|case|@Test)\b"
    r"|^[\w][\w \t*&<>:,\[\]]{0,200}\([^;{}]{0,300}\)[ \t\w]{0,40}\{?[ \t]*$",
    re.MULTILINE,
)
_VERSIONS = re.compile(r"version|platform|deprecat|legacy|PY[23]\b|features?\b|compat", re.IGNORECASE)
_PAST = re.compile(r"(?:been|was|is|are|were)(?:removed|renamed|dropped)|nolonger|deprecat|obsolete", re.IGNORECASE)
_OTHERS = 2  # statements that may go with a check


_ANYTHING = ""  # stands for the words of a check that names nothing


class _Come(NamedTuple):
    """What the checks that came are about, and by which statements they refuse."""

    words: frozenset[str]
    fails: frozenset[str]

    @classmethod
    def of(cls, checks: Iterable[Refusal]) -> "_Come":
        """Of all files of a change."""
        found = list(checks)
        words = frozenset(word for one in found for word in one.words or {_ANYTHING})
        return cls(words, frozenset(one.fails for one in found))

    def has(self, one: Refusal) -> bool:
        """Whether another one may have taken the place of a check, or it was about something that is past."""
        about = _ANYTHING in self.words or not one.words.isdisjoint(self.words)
        past = _VERSIONS.search(" ".join(one.ways)) or _PAST.search(one.fails)
        return about or one.fails in self.fails or past is not None


def refusals(change: Change, files: Iterable[FileDiff]) -> Iterator[Diagnostic]:
    """Checks that are gone without anything in their place, here or in another file of the change."""
    places = [(file, run) for file, run in concerned(change, files) if language(file.path) in FAILS]
    come = _Come.of(one for file, run in places for one in _came(run, language(file.path) or ""))
    for file, run in places:
        family = language(file.path) or ""
        if run.removed and (lost := _lost(run, family, come, text(file.added))):
            words = " ".join(run.old[lost.begin : lost.end].split())[:100]
            message = f"refuses less: `{words}` is gone, and nothing took its place"
            line = run.line or max((run.removed[0].old or 1) - 1, 1)
            yield finding(change, "tests", "sources/check-removed", message, file.path, line=line)


def _came(run: Run, family: str) -> Iterator[Refusal]:
    """Checks of which at least the first line is new."""
    if run.added:
        yield from (one for one in found(f"{run.new}\n{text(run.after)}", family) if one.begin <= len(run.new))


def _lost(run: Run, family: str, come: _Come, added: str) -> Refusal | None:
    gone = list(found(run.old, family))
    if _DECLARES.search(scan(run.old, family).code):
        return None
    if run.added and (narrower := _narrower(run, family, added)):
        return narrower
    if not gone or not _stays(run, family, gone):
        return None
    still = "".join(run.new.split())
    left = (one for one in gone if not come.has(one) and (one.words or not run.added) and one.does in still)
    return next((one for one in left if not _mended(run.old, run.new, one.words)), None)


def _narrower(run: Run, family: str, added: str) -> Refusal | None:
    """A check that has some of its alternatives only, and refuses by the same statement."""
    behind = "\n" + text(run.after)
    before, after = (list(found(part + behind, family)) for part in (run.old, run.new))
    if len(before) != len(after):
        return None
    for one, now in zip(before, after, strict=True):
        gone = " ".join(one.ways - now.ways)
        words = frozenset(re.findall(r"[A-Za-z_]\w*", gone)) - now.words
        if now.ways < one.ways and now.fails == one.fails and not _mended(run.old, added, words):
            return one
    return None


def _mended(old: str, new: str, words: Iterable[str]) -> bool:
    """Whether a value that was refused is replaced by another now."""
    given = (re.compile(rf"\b{re.escape(word)}\s*(?:\?\?|\|\||or)?=(?!=)") for word in words)
    return any(pattern.search(new) and not pattern.search(old) for pattern in given)


def _stays(run: Run, family: str, gone: Sequence[Refusal]) -> bool:
    """Whether what is there now is no more than what stood beside the checks: else it may check in another way."""
    old, new = run.old, run.new
    bare = old
    for one in sorted(gone, key=lambda one: -one.begin):
        bare = bare[: one.begin] + bare[one.end :]
    rest = [line for line in scan(bare, family).code.split("\n") if re.search(r"\w", line)]
    rest = [
        line for line in rest if not re.match(r"\s*+(?:import|from|use|using|package|#\s*include|else|\"|\))", line)
    ]
    added = [line for line in scan(new, family).code.split("\n") if re.search(r"\w", line)]
    if FAILS[family].search(new) and len(FAILS[family].findall(new)) >= len(FAILS[family].findall(bare)) + len(gone):
        return False
    return len(rest) <= len(added) + _OTHERS and _named(new) - PLAIN <= _named(old)


def _named(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_]\w*", LITERAL.sub("", text)))
