"""Assertions that say less of the same value: a part of the text, some of the entries, a wider class of error."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from greylag.guards._cases.compared import sides
from greylag.guards._cases.covered import literals
from greylag.guards._cases.written import written
from greylag.guards._tests.bounds import wider
from greylag.guards._tests.fewer import asks_less
from greylag.guards._tests.patterns import fits_more

_MOST, _WIDEST = 30, 2000  # claims that are compared one with another, and characters of one
_CLASS = re.compile(
    r"\b(?:std::)?(?:Exception|Throwable|RuntimeException|BaseException|exception|Object|IllegalStateException|Error)\b(?=\.class|::class|\)|>|')"
)
_RAISES = re.compile(r"throw|raise|InstanceOf|isInstance|toThrow|except|expected", re.IGNORECASE)
_LEFT_OUT = re.compile(
    r"\.(?:ignoring\w*Fields?\w*|ignoring(?:CollectionOrder|Case|AllWhitespaces|\w*Nulls?\w*)|excluding\w*|usingComparator\w*)\("
    r"|\bexpect\.(?:object|array|string)Containing\(|\bexpect\.stringMatching\(|\bas any\b|asany\b|<any>"
    r"|\bElementsMatch\(|\bUnorderedElementsAre\w*\(|InAnyOrder\w*\(|\bassert_?(?:Count|Items)_?Equal\(|'assert(?:Count|Items)Equal'"
    r"|\barg='(?:nan_ok|equal_nan|any_order)', value=Constant\(value=True"
    r"|\.(?:have|same|deep|include)\.members\(|\bignoringCollectionOrder\w*\(|\b[uU]nordered\w*\("
)
_CONTAINS = re.compile(
    r"contain|include|has_?substr|match|raises|throw|death|exit|starts_?with|ends_?with|find|ops=\[In\(\)\]",
    re.IGNORECASE,
)
_ANY_PATTERN = re.compile(r"\(/\^?\.[*+]\$?/[a-z]*\)")
_MATCHES = re.compile(r"\b(?:assert_)?matches!\((.*),((?:Err|Ok|Some)\((?:_|\.\.)\)|_)\)", re.DOTALL)
_PART = re.compile(
    r"(.+?)(?:\.(?:len|length|size|count|first|last|isEmpty|is_empty|keys)\b(?:\(\))*(?:\.unwrap\(\))?|\[-?\d+\]|\.(?:at|get)\(\d+\)(?:\.unwrap\(\))?)",
    re.DOTALL,
)
_PARTIAL = re.compile(r"\.(?:len|length|size|count|first|last|isEmpty|is_empty|keys|at|get)\b|\[-?\d+\]")
_LONG, _SHORT = 16, 4  # characters of a text of which a part is told, compared as a whole and searched for
_KEPT = 0.6  # how much of it is left at most


class _Said(NamedTuple):
    """One claim, its literals, what it is without them, and what it calls, in order and once."""

    text: str
    literals: tuple[str, ...]
    shape: str
    head: tuple[str, ...]


def says_less(gone: Sequence[str], come: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Rule, and words for people."""
    if not gone or not come:
        return
    both = aligned(gone, come)
    plainly = [(written(old), written(new)) for old, new in both]
    if any(wider(old, new) for old, new in plainly):
        yield "weaker-assertions", "accepts values beyond the bounds that there were"
    if any(fits_more(old, new) for old, new in plainly):
        yield "weaker-assertions", "matches with a pattern that fits more"
    if words := next((words for old, new in plainly if (words := asks_less(old, new))), ""):
        yield "weaker-assertions", words
    pairs = [(_said(old[:_WIDEST]), _said(new[:_WIDEST])) for old, new in both]
    if any(_wider(old.text, new.text) for old, new in pairs):
        yield "weaker-assertions", "accepts a wider class of errors"
    if any(_LEFT_OUT.search(new.text) and not _LEFT_OUT.search(old.text) for old, new in pairs):
        yield "weaker-assertions", "leaves a part of what it compares out"
    if any(_matches_any(old.text, new.text) for old, new in pairs):
        yield "weaker-assertions", "matches with a pattern that fits nearly everything"
    if any(_of_text(old, new) or _any_pattern(old.text, new.text) for old, new in pairs):
        yield "weaker-assertions", "expects a part of the text that it expected"
    if any(_of_entries(old, new) for old, new in pairs):
        yield "weaker-assertions", "expects some of the entries that it expected"
    if any(_of_begin(old, new) for old, new in pairs):
        yield "weaker-assertions", "compares fewer characters than it did"
    if any(_of_value(old.text, new.text) and _once(new.text, come) for old, new in pairs):
        yield "weaker-assertions", "compares a part of the value that it compared"


def aligned(gone: Sequence[str], come: Sequence[str]) -> list[tuple[str, str]]:
    """Claims that took the place of one another: as many as there were, in their order."""
    gone, come = ([one for one in side if not one.startswith("expect.")] for side in (gone, come))
    if len(gone) != len(come):
        return []
    return list(zip(gone[:_MOST], come[:_MOST], strict=True))


def _said(claim: str) -> _Said:
    found = tuple(literals(claim))
    return _Said(claim, found, _shape(claim, found), tuple(dict.fromkeys(re.findall(r"(\w+)!?\(", claim))))


def _wider(old: str, new: str) -> bool:
    if not _RAISES.search(new):
        return False
    return any(
        re.fullmatch(r"(?:\w+(?:::|\.))*\w+", rest := _between(old, new, match))
        and rest != match[0]
        and not _CLASS.match(rest + ")")
        for match in _CLASS.finditer(new)
    )


def _between(old: str, new: str, match: re.Match[str]) -> str:
    """What stands in one claim where the other has the class."""
    end = new[match.end() :]
    return (
        old[match.start() : len(old) - len(end)] if old.endswith(end) and old.startswith(new[: match.start()]) else ""
    )


def _matches_any(old: str, new: str) -> bool:
    match = _MATCHES.search(new)
    return match is not None and f"({match[1]}," in old and not _MATCHES.search(old)


def _shape(claim: str, found: Sequence[str]) -> str:
    for one in sorted(set(found), key=len, reverse=True):
        claim = claim.replace(one, "#") if one else claim
    return claim.replace('""', '"#"').replace("''", "'#'")


def _any_pattern(old: str, new: str) -> bool:
    return (
        bool(_ANY_PATTERN.search(new))
        and not _ANY_PATTERN.search(old)
        and new[: new.index("(/")] == old[: new.index("(/")]
    )


def _of_text(old: _Said, new: _Said) -> bool:
    """Whether a text in a claim that is the same otherwise is a part of what it was, or anything."""
    least = _SHORT if _CONTAINS.search(new.text) else _LONG
    return (
        old.shape == new.shape
        and len(old.literals) == len(new.literals)
        and any(
            len(was) >= least and len(now) <= _KEPT * len(was) and (_is_cut(was, now) or now in {".*", ".+", ""})
            for was, now in zip(old.literals, new.literals, strict=True)
            if was != now
        )
    )


def _is_cut(was: str, now: str) -> bool:
    """Whether a text is another one without what stands around it, or without a piece within."""
    if now in was:
        return True
    ahead = next((number for number, (one, other) in enumerate(zip(was, now, strict=False)) if one != other), len(now))
    ends = zip(reversed(was), reversed(now), strict=False)
    behind = next((number for number, (one, other) in enumerate(ends) if one != other), len(now))
    return ahead + behind >= len(now) and ahead > 0 and behind > 0


def _of_entries(old: _Said, new: _Said) -> bool:
    """Whether all that a claim has of literals is some of what one with the same calls had."""
    if old.head != new.head or len(old.literals) - len(new.literals) < 2 or not new.literals:
        return False
    left = list(old.literals)
    for one in new.literals:
        taken = next((other for other in left if other == one), None)
        taken = taken or next((other for other in left if one and other.startswith(one)), None)
        if taken is None:
            return False
        left.remove(taken)
    before, after = (re.sub(r"\W+", "", _bare(one)) for one in (old, new))
    return before.startswith(after[:_SHORT])


def _of_begin(old: _Said, new: _Said) -> bool:
    """Whether only the begin of a text of C is compared, or less of it."""
    if "ncmp(" not in new.text and "memcmp(" not in new.text:
        return False
    if "strcmp(" in old.text and "strncmp(" in new.text:
        return new.text.replace("strncmp(", "strcmp(").startswith(
            old.text[: old.text.rfind(")=") if ")=" in old.text else -1]
        )
    numbers = [one for one in zip(old.literals, new.literals, strict=False) if one[0] != one[1]]
    return old.shape == new.shape and all(
        was.isdigit() and now.isdigit() and int(now) < int(was) for was, now in numbers
    )


def _bare(said: _Said) -> str:
    text = said.text
    for one in said.literals:
        text = text.replace(one, "", 1) if one else text
    return text


def _of_value(old: str, new: str) -> bool:
    """Whether a side of a comparison is the length, or one entry, of what was compared as a whole."""
    whole, parts = sides(old), sides(new)
    if old.partition("(")[0] != new.partition("(")[0] or len(whole) != len(parts) or len(whole) < 2:
        return False
    return any(
        (match := _PART.fullmatch(part)) is not None
        and match[1] in whole
        and "(" in match[1]
        and _PART.fullmatch(next((one for one in whole if one != match[1]), "")) is None
        for part in parts
    )


def _once(new: str, come: Sequence[str]) -> bool:
    """Whether no other new claim is about another part of the same value."""
    inner = [match[1] for part in sides(new) if (match := _PART.fullmatch(part))]
    return not any(sum(one in other for other in come) > 1 for one in inner)
