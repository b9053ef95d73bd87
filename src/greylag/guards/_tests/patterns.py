"""Regular expressions of assertions that fit more than before."""

import re
from collections.abc import Sequence

_LITERAL = re.compile(
    r"(?<=[(,=])/(?P<js>(?>(?:[^/\\\n]|\\.)+))/[a-z]*+|[rR]?#*\"(?P<double>(?>(?:[^\"\\]|\\.)*))\"#*|[rR]?'(?P<single>(?>(?:[^'\\]|\\.)*))'"
    r"|`(?P<back>[^`]*)`"
)
_ASKS = re.compile(r"match|regex|search|pattern|\.test\(|\.find\(|containsPattern|/\)|death", re.IGNORECASE)
_WAYS = re.compile(r"\bfullmatch\(|\bmatch\(|\bsearch\(|\.matches\(|\.find\(|\bcontainsPattern\(")
_WHOLE = re.compile(r"\bfullmatch\(|\.matches\(")
_TOKEN = re.compile(r"\\\\?.|\[(?>(?:[^\]\\]|\\.)*)\]|\{[^{}]*\}|.", re.DOTALL)
_WILD = re.compile(r"[.*+?()|]|\{[^{}]*\}|\\\\?[sSwW]|\[\^[^\]]*\]")  # say nothing, or little, of what fits
_WIDEST, _MOST = 1000, 200  # characters of a claim, and tokens of a pattern


def fits_more(old: str, new: str) -> bool:
    """Whether a claim is another one but for its pattern, and that asks for some of what it asked for."""
    if old == new or max(len(old), len(new)) > _WIDEST or not (_ASKS.search(old) and _ASKS.search(new)):
        return False
    before, after = _literals(old), _literals(new)
    if len(before) != len(after) or _shape(old) != _shape(new):
        return False
    pairs = [(was, now) for was, now in zip(before, after, strict=True) if was != now]
    if not pairs:
        return bool(_WHOLE.search(old)) and not _WHOLE.search(new) and not any("$" in one for one in after)
    return len(pairs) == 1 and _asks_less(*pairs[0])


def _literals(claim: str) -> list[str]:
    return [next((part for part in match.groups() if part is not None), "") for match in _LITERAL.finditer(claim)]


def _shape(claim: str) -> str:
    return _WAYS.sub("match(", _LITERAL.sub("#", claim))


def _asks_less(old: str, new: str) -> bool:
    """Whether what is plain in one pattern is some of what the other has, in its order."""
    was, now = (_plain(one) for one in (old, new))
    if len(now) >= len(was) or not re.search(r"[\\^$\[+*]", old + new):
        return False
    rest = iter(was)
    return all(token in rest for token in now)


def _plain(pattern: str) -> Sequence[str]:
    tokens = _TOKEN.findall(pattern)[:_MOST]
    return [token for token in tokens if not _WILD.fullmatch(token)]
