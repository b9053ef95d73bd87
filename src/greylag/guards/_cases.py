"""The test cases of one file: Python by `ast`, other languages by scanner and patterns."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from greylag.guards._case import Case, digest, words
from greylag.guards._dialects import DIALECTS, Dialect
from greylag.guards._python_cases import python_cases
from greylag.guards._source import Brackets, brackets, language, scan, without_arguments


def cases(path: str, text: str) -> tuple[Case, ...]:
    """Tests in the order of the file; a name that occurs again gets `#2`. Empty for languages that are not known."""
    family = language(path)
    if family == "python":
        found: Iterable[Case] = python_cases(text)
    elif family is not None and family in DIALECTS:
        found = _scanned(text, family)
    else:
        found = ()
    return tuple(_numbered(found))


def _numbered(found: Iterable[Case]) -> Iterator[Case]:
    seen: dict[str, int] = {}
    for case in found:
        seen[case.name] = seen.get(case.name, 0) + 1
        again = seen[case.name]
        name = f"{case.name}#{again}" if again > 1 else case.name
        yield replace(case, name=name)


def _scanned(text: str, family: str) -> Iterator[Case]:
    dialect, source = DIALECTS[family], scan(text, family)
    code = without_arguments(source.code) if family == "java" else source.code
    pairs = brackets(source.code, dialect.brackets)
    helpers = _helpers(source.code, dialect)
    line = position = over = 0
    for match in dialect.start.finditer(code):
        if match.start() < over:
            continue  # inside of another test
        name, begin, over = _called(text, match, pairs) if family == "js" else _declared(match, pairs)
        inside = source.code[match.start() : over]
        called = sum(helpers.get(function, 0) for function in _CALL.findall(source.code[begin:over]))
        line, position = line + text.count("\n", position, match.start()), match.start()
        yield Case(
            name, line + 1, digest(text[begin:over]), words(text[begin:over]),
            _count(dialect.asserts, inside) + called,
            _count(dialect.weak, inside), _count(dialect.constant, inside),
            bool(_LEAVES.match(source.code[begin:over])),
        )  # fmt: skip


_LEAVES = re.compile(r"[^{}]*+\{\s*+return\s*?[;\n]\s*+[^\s}]")
_TITLE = re.compile(r"\(\s*(?:(?P<quote>[\"'`])(?P<title>(?:(?!(?P=quote))[^\\]|\\.){0,300})|(?P<name>[\w.]{1,300}))")


_CALL = re.compile(r"\b(\w++)\s*+\(")


def _helpers(code: str, dialect: Dialect) -> dict[str, int]:
    """Functions of the file that assert, and how often: they count where a test calls them."""
    found, over, curly = {}, 0, brackets(code, "{}")
    for match in dialect.helper.finditer(code):
        if match.start() >= over:
            begin, over = curly.after(match.end() - 1)
            found[match["helper"]] = _count(dialect.asserts, code[begin:over])
    return {name: count for name, count in found.items() if count}


def _declared(match: re.Match[str], pairs: Brackets) -> tuple[str, int, int]:
    begin, end = pairs.after(match.end() - 1)
    return match["name"] or match.groupdict().get("old") or "?", begin, end


def _called(text: str, match: re.Match[str], pairs: Brackets) -> tuple[str, int, int]:
    """`it("name", function)`, with a table in between for `it.each(table)("name", function)`."""
    begin, end = pairs.after(match.end())
    if "each" in match[0] and end in pairs.closed:
        begin, end = pairs.after(end)
    title = _TITLE.match(text, begin, end)
    name = (title["title"] or title["name"] or "?") if title else "?"
    return " ".join(name.split()), title.end() if title else begin, end


def _count(pattern: re.Pattern[str], code: str) -> int:
    return sum(1 for _ in pattern.finditer(code))
