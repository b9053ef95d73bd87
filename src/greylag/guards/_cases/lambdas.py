"""Assertions of C++ in a lambda that has a name and is not called by it."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from greylag.guards._cases.dialects import DIALECTS
from greylag.guards._code.fresh import Mark
from greylag.guards._code.source import brackets, language, scan

_LAMBDA = re.compile(
    r"\b(?:auto|std::function\s*+<[^<>;]{0,100}>)\s*+[&*]?\s*+(?P<name>\w++)\s*+(?:=\s*+|\{\s*+)?\[[^\[\]]{0,100}\]\s*+"
    r"(?:\([^()]{0,300}\)\s*+)?(?>(?:(?:mutable|noexcept|constexpr)\s*+)*)(?:->[^{};]{1,100})?(?=\{)"
)
_LEFT = re.compile(r"\(\s*+void\s*+\)\s*+(\w++)\s*+;")
_MOST = 500  # of one file


def waiting_lambdas(path: str, text: str) -> Iterator[Mark]:
    """Each of them, but where the name is used for more than to say that it is not."""
    if language(path) != "c" or "[" not in text:
        return
    code = scan(text, "c").code
    found = list(islice(_LAMBDA.finditer(code), _MOST))
    if not found:
        return
    curly, asserts = brackets(code, "{}"), [match.start() for match in DIALECTS["c"].asserts.finditer(code)]
    words, left = Counter(re.findall(r"\w+", code)), Counter(_LEFT.findall(code))
    for match in found:
        name, (begin, end) = match["name"], curly.after(match.end())
        number = bisect_left(asserts, begin)
        if words[name] - left[name] <= 1 and number < len(asserts) and asserts[number] < end:
            yield Mark(f"lambda {name}", code.count("\n", 0, match.start()) + 1, f"{name} = [] {{ ... }}")
