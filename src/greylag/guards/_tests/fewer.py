"""Assertions about a part of what they were about: an entry, a length, one of several values, any in place of all."""

import re

from greylag.guards._cases.compared import sides
from greylag.guards._cases.covered import literals

_SUBJECT = re.compile(
    r"(?:expect|assertThat|assert_that)\((?P<what>(?>(?:[^()]++|\((?>(?:[^()]++|\([^()]*+\))*)\))*))\)\.(?P<rest>.*)",
    re.DOTALL,
)
_WHOLE = re.compile(r"(?:to\.)?(?:toEqual|toStrictEqual|deep\.equal|eql|isEqualTo|containsExactly\w*)\(")
_PARTLY = re.compile(
    r"(?:to\.)?(?:toMatchObject|toHaveLength|toHaveProperty|toContain\w*|deep\.include|include|have\.length\w*|lengthOf|hasSize|hasLength"
    r"|contains(?!Exactly)\w*|isNotEmpty|have\.property|containsKey|containsEntry)\("
)
_ACCESS = re.compile(
    r"(?:\[[^\[\]]{1,80}\]|\.(?!map|filter|then|catch|await|to\b)[A-Za-z_]\w*(?:\(\d*\))?)+(?:\.unwrap\(\))?"
)
_QUANTIFIED = {
    "all(": "any(", ".every(": ".some(", ".allMatch(": ".anyMatch(", ".all(": ".any(", "all_of(": "any_of(",
    ".allSatisfy(": ".anySatisfy(", ".forAll(": ".exists(", "allOf(": "anyOf(", ".All(": ".Any(", "AllOf(": "AnyOf(",
    "Each(": "Contains(", "everyItem(": "hasItem(", ".shouldForAll": ".shouldForAny",
}  # fmt: skip
_NEGATED = re.compile(
    r"^(?:if|!)|\b(?:assert_?|is_?|EXPECT_|ASSERT_|REQUIRE_|CHECK_)(?:[fF]alse|FALSE)\(|\.toBe\(false\)|\.toBeFalsy"
    r"|==(?:false|False)\b"
)
_RAISES = re.compile(
    r"(?:\w+\.)*(?:assert_?)?(?:raises|throws|Throws|rejects|throwsAsync|toThrow\w*|should_?Throw)\w*\("
)
_THROWS_NOT = re.compile(r"\.not\.toThrow\w*\([^)]")
_LONGEST = 1000  # characters of a claim


def asks_less(old: str, new: str) -> str:
    """How one claim that took the place of another says less; empty where it does not."""
    if old == new or max(len(old), len(new)) > _LONGEST:
        return ""
    if _THROWS_NOT.search(new) and ".toThrow" in old and ".not." not in old:
        return "passes now where nothing is thrown"
    if _any(old, new):
        return "asks of one what it asked of all"
    if _raises_any(old, new):
        return "looks less closely at what is raised"
    if _part(old, new):
        return "compares a part of the value that it compared"
    return "accepts one of several values" if _one_of(old, new) else ""


def _any(old: str, new: str) -> bool:
    if _NEGATED.search(old):
        old, new = new, old
    return any(word in old and old.replace(word, other, 1) == new for word, other in _QUANTIFIED.items())


def _raises_any(old: str, new: str) -> bool:
    """Whether the class, the message or the properties of an error are not all looked at any more."""
    if not (_RAISES.search(old) and _RAISES.search(new)) and ".throw(" not in new:
        return False
    if (
        new.endswith("()")
        and old.startswith(new[:-1])
        and re.search(r"(?:throw\w*|rejectedWith)\(\)$", new, re.IGNORECASE)
    ):
        return True
    begin = _RAISES.search(new)
    was, now = sides(old[old.find("throw") if "toThrow" in old else 0 :]), sides(new)
    if begin and old.partition("(")[0] == new.partition("(")[0] and len(was) > len(now) >= 1:
        return now == was[: len(now)] and bool(now[0])
    if wider := re.search(r"\((?:\(|\[)?([\w.]+)(?:,[\w.]+)+(?:\)|\])", new):
        return (
            new.replace(wider[0], f"({wider[1]}", 1).replace("))", ")") == old.replace("))", ")") and "raises(" in new
        )
    before, after = literals(old), literals(new)
    return (
        old.partition("{")[0] == new.partition("{")[0] != old and len(after) < len(before) and set(after) < set(before)
    )


def _part(old: str, new: str) -> bool:
    """Whether an entry, a length or some entries are compared where the whole was, with less that is expected."""
    was, now = _SUBJECT.fullmatch(old), _SUBJECT.fullmatch(new)
    if was and now:
        same = was["what"] == now["what"]
        if same and _WHOLE.match(was["rest"]) and _PARTLY.match(now["rest"]):
            return True
        about = now["what"].removeprefix(was["what"]) if now["what"].startswith(was["what"]) else ""
        return bool(about and _ACCESS.fullmatch(about)) and _expects_less(was["rest"], now["rest"])
    for sign in ("==", ","):
        one, other = _split(old, sign), _split(new, sign)
        if one and other:
            about = other[0].removeprefix(one[0]) if other[0].startswith(one[0]) else ""
            if about and _ACCESS.fullmatch(about) and "(" in one[0] and _expects_less(one[1], other[1]):
                return True
    return False


def _split(claim: str, sign: str) -> tuple[str, str] | None:
    """Both sides, what is compared first."""
    parts = claim.split(sign) if sign == "==" else sides(claim)
    if sign == "," and not re.match(r"(?:\w+\.)*\w*(?:[eE]qual|same|is|EQ|eq)\w*!?\(", claim):
        return None
    parts = parts[1:] if parts[0] == "t" else parts
    if len(parts) < 2:
        return None
    first, second = parts[0], parts[1]
    return (
        (second, first)
        if re.match(r"[\[{\"'`\d]|(?:List|Map|Set|Arrays|listOf|mapOf|vec!)\b", first)
        else (first, second)
    )


def _expects_less(old: str, new: str) -> bool:
    before, after = literals(old), literals(new)
    return len(after) < len(before) and set(after) <= set(before) and len(before) > 1


def _one_of(old: str, new: str) -> bool:
    """Whether `x == 1` is `x in (1, 2)` now, or a pattern has more alternatives."""
    if "matches!(" in new and re.sub(r"\|[\w:]+(?:\(_\)|\(\.\.\))?(?=[)|])", "", new) == old:
        return True
    listed = re.fullmatch(r"(?P<what>.{1,500})in[\[({](?P<values>[^\[\]{}]{1,300})[\])}]", new, re.DOTALL)
    if listed and (plain := re.fullmatch(r"(.{1,500}?)==(.{1,300})", old, re.DOTALL)):
        return listed["what"] == plain[1] and plain[2] in listed["values"].split(",") and "," in listed["values"]
    return False
