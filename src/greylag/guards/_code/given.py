"""Which values the names of a test have in Go, Rust and C, as far as the test gives them without a condition."""

import re
from collections.abc import Mapping

from greylag.guards._code.bodies import expression
from greylag.guards._code.source import Source, plain

_GIVEN: Mapping[str, re.Pattern[str]] = {
    "go": re.compile(
        r"(?<![\w.,])(\w++)(?:\s*+,\s*+\w++){0,3}\s*+:=(?!\s*+range\b)\s*+|\bvar\s++(\w++)[^=\n;(){}]{0,100}=(?!=)\s*+"
    ),
    "rust": re.compile(r"\blet\s++(?:mut\s++)?(\w++)\s*+(?::[^=;{}\n]{1,200})?=(?!=)\s*+()"),
    "c": re.compile(r"[\w>\]][\s*&]++(\w++)\s*+=(?!=)\s*+()"),
}
_AGAIN = re.compile(r"(?<![\w.>&])(\w++(?:\.\w++){0,3})\s*+=(?![=>])\s*+")
_CHANGED = re.compile(
    r"&(?:mut\s++)?(\w++)|(?<![\w.])(\w++)\s*+(?:\+\+|--|(?:[-+*/%|&^]|<<|>>)=)|(?:\+\+|--)(\w++)|\bmut\s++(\w++)"
)
_NAME = re.compile(r"(?<![\w.:\"'`])([A-Za-z_]\w*+)(?![\w(:!\"'])")
_LONGEST = 1000  # characters of an expression


def given_values(source: Source, family: str, span: tuple[int, int]) -> dict[str, str]:
    """Names, and fields, with the last value that a test gives them, where no condition decides about that."""
    code = source.code
    found: dict[str, tuple[str, int]] = {}
    changed = {name for match in _CHANGED.finditer(code, *span) for name in match.groups() if name}
    first = [(match.start(), match.end(), match[1] or match[2]) for match in _GIVEN[family].finditer(code, *span)]
    again = [(match.start(), match.end(), match[1]) for match in _AGAIN.finditer(code, *span)]
    depth, place, over = 0, span[0], 0
    for start, end, name in sorted({*first, *again}):
        depth += code.count("{", place, start) - code.count("}", place, start)
        place = start
        if start < over or (name in found and found[name][1] == start):
            continue
        over = end + expression(code[end : end + _LONGEST], 0)
        if name in found and depth > found[name][1]:
            changed.add(name)
        else:
            found[name] = plain(source.text[end:over]), depth
    return {name: value for name, (value, _) in found.items() if name not in changed and value}


def resolved(side: str, given: Mapping[str, str]) -> str:
    """An expression with the values of its names, a few of them within one another."""
    for _ in range(3):
        side = given.get(side, side)
        new = _NAME.sub(lambda match: given.get(match[1], match[1]), side)
        if new == side or len(new) > _LONGEST:
            break
        side = new
    return side.strip("&*")
