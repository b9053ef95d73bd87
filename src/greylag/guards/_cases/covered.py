"""A lost test whose inputs are rows of another one now, and assertions that one of a whole value makes needless."""

import re
from collections import Counter

from greylag.guards._cases.case import Case
from greylag.guards._cases.written import written
from greylag.guards._code.source import LITERAL

_DUMPED = re.compile(
    r"Constant\(value=(b?'(?>(?:[^'\\]|\\.)*)'|b?\"(?>(?:[^\"\\]|\\.)*)\"|-?[\d.]+(?:e-?\d+)?|True|False|None)"
)
_CALLED = re.compile(r"\b([A-Za-z_]\w*)\s*\(")
_CALLED_DUMP = re.compile(r"Call\(func=(?:Name\(id='(\w+)'|Attribute\(value=.{0,200}?attr='(\w+)')")
_ASSERTING = re.compile(
    r"(?:assert|expect|require|check|verify|to(?:Be|Equal|Strict|Match|Throw)|is(?:EqualTo|True|False)|len$|size$|raises$|contains)\w*"
    r"|if|fail|Some|Ok|Err|vec|True|False|to|be|equal|is",
    re.IGNORECASE,
)


def covered(old: Case, new: Case) -> bool:
    """Whether each assertion of a test is one that another makes with a row of its table."""
    proof = new.proof
    claims = list((Counter(old.proof.claims) - Counter(proof.claims)).elements()) or old.proof.claims
    if not claims or not new.rows or proof.constant or proof.maybe or proof.exact < min(1, old.proof.exact):
        return False
    rows = [Counter(_cells(row)) for row in new.rows]
    said = Counter(literal for claim in proof.claims for literal in literals(claim))
    spare = len(rows) - len(claims)  # one that has no literals may be a row, where there are enough of them
    return all(
        _is_row(claim, rows, said, new.words)
        or (spare >= 0 and not Counter(literals(claim)) - said and calls(claim) <= new.words)
        for claim in claims
    ) and any(_is_row(claim, rows, said, new.words) for claim in claims)


def _is_row(claim: str, rows: list[Counter[str]], said: Counter[str], words: frozenset[str]) -> bool:
    needed = Counter(literals(claim)) - said
    return bool(needed) and calls(claim) <= words and any(not needed - row for row in rows)


def _cells(row: str) -> list[str]:
    """Literals of a row; one that is a text with commas has several."""
    found = literals(row)
    return found + [cell.strip() for one in found for cell in one.split(",") if "," in one]


def looped(old: Case, new: Case) -> bool:
    """Whether assertions that were alike but for their literals are one in a loop over these."""
    gone = list((Counter(old.proof.claims) - Counter(new.proof.claims)).elements())
    come = list((Counter(new.proof.claims) - Counter(old.proof.claims)).elements())
    if len(gone) < 2 or len(come) != 1 or new.proof.constant or new.proof.maybe > old.proof.maybe:
        return False
    if len({LITERAL.sub("#", written(claim)) for claim in gone}) != 1 or new.proof.exact < min(1, old.proof.exact):
        return False
    said = {word for claim in gone for literal in literals(claim) for word in re.findall(r"\w+", literal)}
    return calls(gone[0]) <= calls(come[0]) | new.words and said <= new.words and bool(said)


def awaited(old: Case, new: Case) -> tuple[int, int]:
    """How many assertions, and exact ones, say that there is no error where the test waits for a promise now."""
    gone = list((Counter(old.proof.claims) - Counter(new.proof.claims)).elements())
    found = [claim for claim in gone if _NO_ERROR.search(claim)] if "await" in new.words - old.words else []
    if any(map(_MOCK.fullmatch, new.words - old.words)):  # made with the test, it looks at its expectations by itself
        found += [claim for claim in gone if _EXPECTATIONS.search(claim)]
    return len(found), sum("toBe" in claim or "qual" in claim or ".is(" in claim for claim in found)


_MOCK = re.compile(r"New\w*Mock\w*")
_EXPECTATIONS = re.compile(r"\.AssertExpectations\(")
_NO_ERROR = re.compile(
    r"^(?:expect\((?:err\w*|e)\)\.(?:toBe\((?:null|undefined)\)|toBeNull|toBeUndefined|toBeFalsy|not\.toBe|to\.not\.exist|to\.be\.(?:null|undefined))"
    r"|(?:t|assert)\.(?:error|ifError|notOk|falsy|equal|strictEqual|is|same)\((?:err\w*|e)(?:,(?:null|undefined))?\))"
)


def told_twice(old: Case, new: Case) -> bool:
    """Whether all that is gone are assertions right behind the same one, whose calls have nothing but literals."""
    gone = Counter(old.proof.claims) - Counter(new.proof.claims)
    again = Counter(one for one, other in zip(old.proof.claims[1:], old.proof.claims, strict=False) if one == other)
    return (
        bool(gone)
        and not gone - again
        and not Counter(new.proof.claims) - Counter(old.proof.claims)
        and all(map(_is_plain, gone))
    )


def _is_plain(claim: str) -> bool:
    if "ctx=Load()" in claim:
        return "Attribute(" not in claim and claim.count("Name(id=") == claim.count("Call(func=Name(id=") > 0
    inner = [match for match in _INNERMOST.finditer(claim) if not _ASSERTING.fullmatch(match[2])]
    return bool(inner) and all(
        not match[1] and match[3] and not re.search(r"[A-Za-z_]\w*", LITERAL.sub("", match[3])) for match in inner
    )


_INNERMOST = re.compile(r"\b([a-z]\w*\.)?(\w+)\(([^()]*)\)")


def literals(text: str) -> list[str]:
    """Numbers and strings of a piece of code, or of a dump of Python's."""
    found = _DUMPED.findall(text) if "Constant(value=" in text else LITERAL.findall(text)
    return [one.strip("\"'`") for one in found]


def calls(claim: str) -> set[str]:
    """What an assertion calls, besides what asserts."""
    dumped = "ctx=Load()" in claim
    names = (
        {first or second for first, second in _CALLED_DUMP.findall(claim)}
        if dumped
        else {*_CALLED.findall(re.sub(r"^if(?=[A-Za-z_])", "", claim))}
    )
    return {name for name in names if not _ASSERTING.fullmatch(name)}
