"""Comparisons of less than what was compared: a quotient, a digit, a truth, or what nothing is left of."""

import re

from greylag.guards._source import LITERAL

_STRING = re.compile(r'"(?>(?:[^"\\\n]|\\.)*)"|\'(?>(?:[^\'\\\n]|\\.)*)\'')
_ZERO = r"(?:0(?:\.0*)?(?:[uUlLn]|usize|i64|i32)?)(?![\w.])"
_NOTHING = re.compile(
    rf"[\w)\]] ?(?:\*|&&?) ?{_ZERO}|(?<![\w.)]){_ZERO} ?(?:\*(?!\*)|&&?) ?[A-Za-z_(]|[\w)\]] ?% ?1(?![\w.])"
    rf"|[\w)\]] and {_ZERO}|[\w)\]] ?\*\* ?{_ZERO}|(?<![\w.])len\(\["
)
_NUMBER = re.compile(r"-?\d[\w.]*")
_SCALAR = re.compile(r"[\s()+*/%-]*(?:-?\d[\w.]*|#)(?:[\s()+*/%-]|-?\d[\w.]*|#)*")
_BUILT_IN = re.compile(
    r"\b(?:bool|int|float|str|len|round|abs|Boolean|Number|String|Math|Long|Integer|u?int\d*|toString)\b"
)
_NAME = re.compile(r"[A-Za-z_$]")
_TRUTHS = re.compile(r"(?<![\w$.])(?:bool|Boolean)\(|!!|(?<!\w)not not ")
_COARSE = re.compile(
    r"//|%|>>|(?<!&)&(?!&)|(?<![\w$])(?:floor|ceil|trunc|int|parseInt|sign|divmod|intdiv)\(|(?<![\w$])round\("
)
_ROUNDED = re.compile(r"//|>>|(?<!&)&(?!&)|[\w)\]]? ?% ?\d")  # the same number is expected of a part of the answer
_DIGITS = re.compile(r"round\(.*, ?(-?\d+)\)", re.DOTALL)
_OF_TEXT = re.compile(r"(?<![\w$])(?:str|String|repr|format|to_string|toString|Itoa|Sprint\w*)\(")
_PART = re.compile(r"(?<![\w$])len\(|\.(?:length|len|size|count|charAt|slice|substring)\b|\[[^\[\]]{0,40}\]")
_TRUTH = re.compile(r"[+*-] ?(?:\([^()]{0,200}(?:[=!]=|[<>])[^()]{0,200}\)|[Tt]rue\b|[Ff]alse\b|not )")
_FINE = 2  # decimal places that are kept


def reduced(asked: tuple[str, str], told: tuple[str, str], around: str) -> bool:
    """Whether a call that was compared with a literal is compared less closely: before and after, of each side.

    `around` is what stands around the old call in the new one.
    """
    (was, now), (same, still) = asked, told
    if "(" not in was or (was != now and not around):
        return False
    if _NOTHING.search(_STRING.sub("#", now)) and not _NOTHING.search(_STRING.sub("#", was)):
        return True
    if not (_literal(same) and _literal(still)):
        return False
    if (_TRUTH.search(still) and not _TRUTH.search(same)) or (_TRUTHS.search(around) and _TRUTHS.search(still)):
        return True
    if same == still:
        return bool(_SCALAR.fullmatch(same) and _ROUNDED.search(_STRING.sub("#", around)))
    return bool(around) and _coarser(now, same, still, around)


def _coarser(now: str, same: str, still: str, around: str) -> bool:
    number = _SCALAR.fullmatch(same) is not None
    if number and _COARSE.search(around):
        digits = _DIGITS.search(now)
        return not (digits and int(digits[1]) >= _FINE)
    if number and around.startswith("/") and "/" in still:
        return _NUMBER.match(same) is not None
    if not _PART.search(around):
        return False
    if number:
        return _OF_TEXT.search(around) is not None
    whole, part = (side.strip("\"'`") for side in (same, still))
    texts = _STRING.fullmatch(same) is not None and len(whole) > 1
    return texts and (part in whole or part == str(len(whole)))


def _literal(side: str) -> bool:
    """Whether a side is made of literals, and of built-in functions that convert them."""
    return not _NAME.search(_BUILT_IN.sub("", LITERAL.sub("0", side)))
