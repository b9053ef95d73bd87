"""What made a test ready and is made by its framework now: that it went well is asserted there."""

import re
from collections import Counter

from greylag.guards._cases.case import Case
from greylag.guards._cases.written import written

_OWN = re.compile(r"TempDir|Setenv|Chdir|tmp_path\w*|tmpdir|monkeypatch")  # of a framework, as words of a test
_MADE = re.compile(  # calls that only make a test ready, or tidy up behind it
    r"\b(?:os|ioutil)\.(?:TempDir|TempFile|MkdirTemp|CreateTemp|Setenv|Unsetenv|Chdir|Remove|RemoveAll|Getwd)\("
)
_MAKERS = frozenset({"TempDir", "MkdirTemp", "Setenv", "Chdir", "createTempDirectory", "mkdtemp"})
_GONE = _MAKERS | {"RemoveAll", "Remove"}
_THERE = re.compile(  # that what was just made is there
    r"(?:assertTrue\()?(?:assert)?(?:Files\.(?:exists|isDirectory)|os\.path\.(?:isdir|exists))\(\w+\)\)?"
)
_NO_ERROR = re.compile(r"if\(?err!=nil\)?|(?:require|assert)\.(?:NoError|Nil)\((?:t,)?err\)")


def prepared(old: Case, new: Case) -> tuple[int, int]:
    """How many assertions were about such calls alone, and how many exact ones."""
    gone = list((Counter(old.proof.claims) - Counter(new.proof.claims)).elements())
    if not gone:
        return 0, 0
    found: list[str] = []
    if any(map(_OWN.fullmatch, new.words)):
        found += [claim for claim in gone if _MADE.search(claim)]
        ready = bool(_GONE & (old.words - new.words))
        found += [claim for claim in gone if _NO_ERROR.fullmatch(claim)][: int(ready)]
    if _MAKERS & (old.words - new.words):
        found += [claim for claim in gone if _THERE.fullmatch("".join(written(claim).split()))]
    return len(found), 0
