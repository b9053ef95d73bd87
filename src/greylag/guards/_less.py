"""Assertions that say less of the same value: a part of the text, some of the entries, a wider class of error."""

import re
from collections.abc import Iterator, Sequence
from itertools import product

from greylag.guards._compared import sides
from greylag.guards._covered import literals

_MOST, _WIDEST = 30, 2000  # claims that are compared one with another, and characters of one
_CLASS = re.compile(
    r"\b(?:std::)?(?:Exception|Throwable|RuntimeException|BaseException|exception|Object|IllegalStateException|Error)\b(?=\.class|::class|\)|>|')"
)
_RAISES = re.compile(r"throw|raise|isInstance|toThrow|except|expected", re.IGNORECASE)
_LEFT_OUT = re.compile(
    r"\.(?:ignoring\w*Fields?\w*|ignoring(?:CollectionOrder|Case|AllWhitespaces|\w*Nulls?\w*)|excluding\w*|usingComparator\w*)\("
)
_CONTAINS = re.compile(
    r"contain|include|has_?substr|match|raises|throw|death|starts_?with|ends_?with|find|ops=\[In\(\)\]", re.IGNORECASE
)
_ANYTHING = re.compile(r"[\"'`](?:\.[*+]|\^?\.\*\$?|)[\"'`]\Z|\A(?:\"\"|''|``)\Z")
_ANY_PATTERN = re.compile(r"\(/\^?\.[*+]\$?/[a-z]*\)")
_MATCHES = re.compile(r"\b(?:assert_)?matches!\((.*),((?:Err|Ok|Some)\((?:_|\.\.)\)|_)\)", re.DOTALL)
_PART = re.compile(
    r"(.+?)(?:\.(?:len|length|size|count|first|last|isEmpty|is_empty|keys)\b(?:\(\))*(?:\.unwrap\(\))?|\[-?\d+\]|\.(?:at|get)\(\d+\)(?:\.unwrap\(\))?)",
    re.DOTALL,
)
_LONG, _SHORT = 16, 4  # characters of a text of which a part is told, compared as a whole and searched for
_KEPT = 0.6  # how much of it is left at most


def says_less(gone: Sequence[str], come: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Rule, and words for people."""
    pairs = [(old[:_WIDEST], new[:_WIDEST]) for old, new in product(gone[:_MOST], come[:_MOST])]
    if any(_wider(old, new) for old, new in pairs):
        yield "weaker-assertions", "accepts a wider class of errors"
    if any(_LEFT_OUT.search(new) for new in come) and not any(_LEFT_OUT.search(old) for old in gone) and gone:
        yield "weaker-assertions", "leaves a part of what it compares out"
    if any(_matches_any(old, new) for old, new in pairs):
        yield "weaker-assertions", "matches with a pattern that fits nearly everything"
    if any(_of_text(old, new) for old, new in pairs):
        yield "weaker-assertions", "expects a part of the text that it expected"
    if len(come) <= len(gone) and any(_of_entries(old, new) for old, new in pairs):
        yield "weaker-assertions", "expects some of the entries that it expected"
    if any(_of_value(old, new) and _once(new, come) for old, new in pairs):
        yield "weaker-assertions", "compares a part of the value that it compared"


def _wider(old: str, new: str) -> bool:
    if not _RAISES.search(new):
        return False
    classes = list(_CLASS.finditer(new))
    return any(
        old.startswith(new[: match.start()].rstrip(":stdw"))
        and re.fullmatch(r"(?:\w+(?:::|\.))*\w+", rest := _between(old, new, match))
        and rest != match[0]
        and not _CLASS.match(rest + ")")
        for match in classes
    )


def _between(old: str, new: str, match: re.Match[str]) -> str:
    """What stands in one claim where the other has the class."""
    end = new[match.end() :]
    return old[match.start() : len(old) - len(end)] if old.endswith(end) and old.startswith(new[: match.start()]) else ""


def _matches_any(old: str, new: str) -> bool:
    match = _MATCHES.search(new)
    return match is not None and f"({match[1]}," in old and not _MATCHES.search(old)


def _shape(claim: str, found: Sequence[str]) -> str:
    for one in sorted(set(found), key=len, reverse=True):
        claim = claim.replace(one, "#") if one else claim
    return claim.replace('""', '"#"').replace("''", "'#'")


def _of_text(old: str, new: str) -> bool:
    """Whether the claim is the same, and a text in it is a part of what it was, or anything."""
    if _ANY_PATTERN.search(new) and not _ANY_PATTERN.search(old):
        return new[: new.index("(/")] == old[: new.index("(/")]
    before, after = literals(old), literals(new)
    if len(before) != len(after) or before == after or _shape(old, before) != _shape(new, after):
        return False
    least = _SHORT if _CONTAINS.search(new) else _LONG
    return any(
        len(was) >= least and len(now) <= _KEPT * len(was) and (_is_cut(was, now) or now in {".*", ".+", ""})
        for was, now in zip(before, after, strict=True)
        if was != now
    )


def _is_cut(was: str, now: str) -> bool:
    """Whether a text is another one without what stands around it, or without a piece within."""
    if now in was:
        return True
    ahead = next((number for number, (one, other) in enumerate(zip(was, now, strict=False)) if one != other), len(now))
    ends = zip(reversed(was), reversed(now), strict=False)
    behind = next((number for number, (one, other) in enumerate(ends) if one != other), len(now))
    return ahead + behind >= len(now) and ahead > 0 and behind > 0


def _of_entries(old: str, new: str) -> bool:
    """Whether the claim is about the same call, and all that it has of literals is some of what it had."""
    before, after = literals(old), literals(new)
    if len(before) - len(after) < 2 or not after or _head(old) != _head(new):
        return False
    left = list(before)
    for one in after:
        taken = next((other for other in left if other == one), None)
        taken = taken or next((other for other in left if one and other.startswith(one)), None)
        if taken is None:
            return False
        left.remove(taken)
    return re.sub(r"\W+", "", _bare(old, before)).startswith(re.sub(r"\W+", "", _bare(new, after))[:_SHORT])


def _head(claim: str) -> tuple[str, ...]:
    """What a claim calls, in order and once."""
    return tuple(dict.fromkeys(re.findall(r"(\w+)!?\(", claim)))


def _bare(claim: str, found: Sequence[str]) -> str:
    for one in found:
        claim = claim.replace(one, "", 1) if one else claim
    return claim


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
