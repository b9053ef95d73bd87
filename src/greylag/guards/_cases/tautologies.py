"""Conditions that hold whatever comes: one or its opposite, a size that is not below zero."""

import re

from greylag.guards._cases.compared import sides
from greylag.guards._cases.native_compared import operators, truth

_OPPOSITES = (
    ("is_ok()", "is_err()"), ("is_some()", "is_none()"), ("isPresent()", "isEmpty()"), ("isSuccess", "isFailure"),
    ("isEmpty()", "isNotEmpty()"), ("has_value()", "has_error()"), ("===", "!=="), ("==", "!="), ("<", ">="),
    (">", "<="), ("!in", "in"),
)  # fmt: skip
_SIZE = (
    r"(?:\blen\((?>[^()]|\((?>[^()]|\([^()]*\))*\))*\)|\.(?:length|len|size|count)(?:\(\))?"
    r"|\bsizeof\([^()]*\)|\bstrlen\([^()]*\))"
)
_NEVER_BELOW = re.compile(
    rf"{_SIZE}(?:as\w+)?\)?(?:>=0|>-1)(?:[uUlL]|usize)*(?![\w.])|(?<![\w.])(?:0<=|-1<)[\w.]*{_SIZE}"
    rf"|{_SIZE}[^;]{{0,20}}?\.(?:(?:toBe|is|should_?[bB]e)?[gG]reaterThanOrEqual(?:To)?|isAtLeast|(?:to\.)?be\.at\.least|isNotNegative)\(0?\)"
    rf"|\b(?:\w+\.)?(?:assert_?)?(?:[gG]reater_?(?:Or_?)?[eE]qual\w*|isAtLeast)\((?:t,)?[^;]{{0,200}}?{_SIZE},0(?![\w.])"
    rf"|\b(?:ASSERT|EXPECT)_GE\([^;]{{0,200}}?{_SIZE},0[uUlL]*\)|\bhasSizeGreaterThanOrEqualTo\(0\)"
)
_BELOW = re.compile(rf"{_SIZE}(?:<0|<=-1)(?![\w.])|(?<![\w.])0>[\w.]*{_SIZE}")
_ANYTHING = re.compile(r"\bisinstance\([^()]{1,200},object\)|\.(?:toBeInstanceOf|isInstanceOf)\(Object(?:\.class)?\)")
_ASSERTS = re.compile(r"assert|expect|check|require|\b(?:t|is|qt)\.", re.IGNORECASE)
_WIDEST = 1000  # characters of a claim


def always_holds(claim: str) -> bool:
    """Whether an assertion, without blanks, can fail by no value; of an `if`, whether what it guards never runs."""
    if len(claim) > _WIDEST:
        return False
    if claim.startswith("if"):
        condition = operators(claim.removeprefix("if"), (";",))[-1]
        return bool(_BELOW.search(condition)) and "||" not in condition
    if "&&" not in claim and "||" not in claim:
        return bool(_NEVER_BELOW.search(claim) or _ANYTHING.search(claim))
    condition = truth(claim) or _given(claim)
    parts = [_bare(one) for one in operators(_bare(condition), ("||",))]
    return len(parts) > 1 and any(_opposite(one, other) for one in parts for other in parts if one is not other)


def _given(claim: str) -> str:
    """What an assertion is given, without a message; a claim of Python is that already."""
    if not _ASSERTS.search(claim.partition("(")[0]):
        return claim
    inner = sides(claim)
    return inner[1] if inner[0] == "t" and len(inner) > 1 else inner[0]


def _bare(text: str) -> str:
    return text[1:-1] if text.startswith("(") and text.endswith(")") and text.count("(") == 1 else text


def _opposite(one: str, other: str) -> bool:
    if other in {f"!{one}", f"!({one})"}:
        return True
    return any(
        yes in one and no in other and no not in one.replace(yes, "", 1) and one.replace(yes, no, 1) == other
        for yes, no in _OPPOSITES
    )
