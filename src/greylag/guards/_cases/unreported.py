"""Assertions of Java whose failures nobody collects: soft ones that are not checked at the end, unused stubs."""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

from greylag.guards._code.fresh import Mark
from greylag.guards._code.source import language, scan

_MADE = re.compile(
    r"(?P<ahead>@(?:Rule|RegisterExtension)\b[^;{}]{0,200})?\b(?P<name>\w++)\s*+=\s*+new\s++(?>(?:\w++\.)*)"
    r"(?!AutoCloseable)\w*Soft\w*Assert\w*+\s*+(?:<[^<>\n]{0,50}>)?\("
)
_CHECKED = re.compile(r"\b(\w++)\s*+\.\s*+assertAll\s*+\(|[(,]\s*+(\w++)\s*+[,)]|\breturn\s++(\w++)\s*+;")
_LENIENT = re.compile(r"@MockitoSettings\s*\([^()]{0,100}\b(?:LENIENT|WARN)\b|\bMockitoJUnitRunner\s*\.\s*Silent\b")
_EXPECTED = re.compile(
    r"@Test\s*\(\s*expected(?:Exceptions)?\s*=\s*\{?\s*(?:Exception|Throwable|RuntimeException)\.class"
)
_AT_ONCE = re.compile(  # nobody can ask it later
    r"\bnew\s++(?>(?:\w++\.)*)(?!AutoCloseable)\w*SoftAssert\w*+\s*+\(\s*+\)\s*+\.\s*+assert(?!All)\w*"
)
_MOST = 500  # of each in one file


def unreported(path: str, text: str) -> Iterator[Mark]:
    """Soft assertions that are made and never checked; a strictness of mocks, or an expected error, that is wide."""
    if language(path) != "java":
        return
    code = scan(text, "java").code
    for pattern in (_LENIENT, _EXPECTED, _AT_ONCE):
        for match in islice(pattern.finditer(code), _MOST):
            words = " ".join(match[0].split())
            yield Mark(words, code.count("\n", 0, match.start()) + 1, words)
    made = list(islice(_MADE.finditer(code), _MOST))
    if not made:
        return
    checked: defaultdict[str, list[int]] = defaultdict(list)
    for match in _CHECKED.finditer(code):
        checked[match[1] or match[2] or match[3]].append(match.start())
    later: dict[str, int] = {}
    for match in reversed(made):
        name, end = match["name"], later.get(match["name"], len(code))
        later[name] = match.start()
        places = checked[name]
        number = bisect_left(places, match.end())
        if not match["ahead"] and not (number < len(places) and places[number] < end):
            yield Mark(f"{name} is not checked", code.count("\n", 0, match.start()) + 1, f"{name}, without assertAll")
