"""Several assertions that became one which says all that they said: of the whole value, or of the error as a whole."""

import re
from collections import Counter
from collections.abc import Sequence

from greylag.guards._cases.case import Case
from greylag.guards._cases.covered import literals
from greylag.guards._cases.written import written
from greylag.guards._code.source import LITERAL

_EXACT = re.compile(
    r"==(?!=?\s*null)|[eE]qual\w*\(|\bDiff\(|\.toBe\(|\.toStrictEqual\(|\bis\(|_EQ\(|\b(?:Elements|Pair|Fields?)Are\w*\("
    r"|\bcontainsExactly\w*\(|\bIsEmpty\(|\bEqualError\(|\b(?:assert\w*!|same|deepEqual|strictEqual|eql?)\(|isEqualTo\("
    r"|\b(?:rejects|throws|raises|assertThrows|toThrow\w*|assertRaises\w*)\([^)]{0,300}[\"'`{]"
)
_LOOSE = re.compile(
    r"contains(?!Exactly)|include|InAnyOrder|Unordered|\bsorted\(|\bset\(|Set\(|ElementsMatch|[<>]=|[\w)\]][<>](?=[\d-])|\bany|startsWith|endsWith"
    r"|starts_with|ends_with|\bNot[A-Z]?\w*\(|\w(?-i:Not)[A-Z]|\.not\.|!=|IgnoringCase|slice\(|subList\(|\[:|:\]|trim|strip|lower\(|matchers\.",
    re.IGNORECASE,
)
_SIZE = re.compile(
    r"\b(?:len|size|length|count|hasSize|toHaveLength|Len|SizeIs)\b|\b(?:len|size|length|count)\(", re.IGNORECASE
)
_KIND = re.compile(
    r"\)\.to\.be\.an?\(|\)\.toBeInstanceOf\((?:Object|Array)\)|^\w+!=None$|^assertNotNull\(\w+\)$"
    r"|^expect\(\w+\)\.(?:toBeDefined\(\)|not\.toBeNull\(\))$"
)  # the whole value says it, too
_ENTRY = re.compile(r"\.(?:get|at)\(\d+\)|\[\d+\]")
_NAMES = re.compile(r"\.(\w+)|\b(\w+)!?(?=\()")
_WORDS = """
len size length count get at unwrap expect is_ok is_some is_err is_none isPresent isDefined isinstance str value message
getMessage Error error args what to_string toString ok some err none list tuple dict set Set List Map of asList listOf
setOf mapOf vec string vector std ElementsAre fail not to be deep have has panic unreachable rejects throws raises
keys is catch then status first last extracting contains includes include
"""
_PASSING = frozenset(_WORDS.lower().split())
_BUILDS = _PASSING - {"err", "error", "value", "message"}
_ASSERTS = re.compile(
    r"\w*(?:assert|expect|require|check|verify|equal|isnull|empty|contain|includ|nil|null|tobe|tohave|match)\w*",
    re.IGNORECASE,
)
_FAILS = re.compile(r"[\w.:]{0,80}(?:fail|panic|unreachable)\w{0,20}!?\(", re.IGNORECASE)
_MOST, _WIDEST = 20, 1000  # assertions that are joined, and characters of one


def joined(old: Case, new: Case) -> bool:
    """Whether fewer assertions say all the values that there were, of the same calls, by equality."""
    gone = list((Counter(old.proof.claims) - Counter(new.proof.claims)).elements())[: _MOST + 1]
    come = list((Counter(new.proof.claims) - Counter(old.proof.claims)).elements())
    if not 1 <= len(come) < len(gone) <= _MOST or new.proof.maybe > old.proof.maybe or new.proof.constant:
        return False
    was, now = ([written(claim) for claim in side] for side in (gone, come))
    if max(map(len, (*was, *now))) > _WIDEST or not all(_EXACT.search(one) and not _LOOSE.search(one) for one in now):
        return False
    was = [one for one in was if not _KIND.search(one)]
    known = old.words | {word for one in was for word in re.findall(r"\w+", one)}
    if not all(_is_about(one) and {name for name in _names(one) if not _made(name, come)} <= known for one in now):
        return False
    said = {_bare(literal) for one in now for literal in literals(one)}
    words = {word for one in now for word in re.findall(r"\w+", one)}
    words |= new.words if any(map(_variable, now)) else set()
    return all(_values(one) <= said and _names(one) <= words for one in was)


def _made(name: str, claims: Sequence[str]) -> bool:
    """Whether it is the constructor of a value as a whole: in Python by its capital letter, elsewhere by `new`."""
    return re.match(r"[A-Z]" if "ctx=Load()" in claims[0] else r"new[A-Z]", name) is not None


def _is_about(claim: str) -> bool:
    """Whether a claim has more in it than literals: a name, or a call."""
    words = re.findall(r"(?<![\w.])[A-Za-z_]\w*", LITERAL.sub("0", claim))
    return any(
        word.lower() not in _BUILDS and not _ASSERTS.fullmatch(word) and word not in {"t", "self"} for word in words
    )


def _variable(claim: str) -> bool:
    """Whether a claim is about something that has a name of the test's own."""
    found = re.findall(r"(?<![\w.])[A-Za-z_]\w*(?![\w(.!:])", LITERAL.sub("0", claim))
    return any(word.lower() not in _BUILDS and word not in {"t", "self"} for word in found)


def _values(claim: str) -> set[str]:
    """What a claim says: no index, no number of entries, and no words for people."""
    if _FAILS.match(claim):
        return set()
    found = {_bare(literal) for literal in literals(_ENTRY.sub("", claim))}
    return {one for one in found if not (one.isdigit() and _SIZE.search(claim))} - {"true", "false", "True", "False"}


def _bare(literal: str) -> str:
    """A text, or a pattern for it as a whole; a number without the mark of its type."""
    if literal[:1].isdigit():
        return literal.rstrip("uUlLfFdD")
    return literal.removeprefix("^").removesuffix("$").replace("\\", "").strip("\"'")


def _names(claim: str) -> set[str]:
    found = {first or second for first, second in _NAMES.findall(_ENTRY.sub("", claim))}
    return {
        name for name in found if name.lower() not in _PASSING and not _ASSERTS.fullmatch(name) and not name.isdigit()
    }
