"""The test cases of one file: Python by `ast`, other languages by scanner and patterns."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from greylag.guards._case import Case, Proof, digest, plain, words
from greylag.guards._conditions import unsure
from greylag.guards._dialects import DIALECTS, Dialect
from greylag.guards._looser import alike
from greylag.guards._python_cases import python_cases
from greylag.guards._rows import rows
from greylag.guards._source import Brackets, Source, brackets, language, scan, without_arguments
from greylag.guards._titles import Around, Pieces, arguments, blocks, title


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
    pairs, round_ = brackets(source.code, dialect.brackets), brackets(source.code, "()")
    helpers = _helpers(source, dialect, round_)
    around = Around(blocks(source, round_) if family == "js" else iter(()))
    line = position = over = 0
    for match in dialect.start.finditer(code):
        if match.start() < over:
            continue  # inside of another test
        titles: tuple[Pieces, ...] = ()
        if family == "js":
            begin, end = arguments(match, pairs)
            own = title(source, begin, end)
            name, begin, titles = own.name, own.end, (*around.at(match.start()), own.pieces)
        else:
            name, begin, end = _declared(match, pairs)
        first = match.start() if family == "js" else max(over, match.start() - _REACH)
        entries = tuple(rows(family, source, (first, match.end(), end)))
        over = end
        proof = _proof(source, dialect, round_, (match.start(), over))
        called = (helpers.get(function, Proof()) for function in _CALL.findall(source.code[begin:over]))
        line, position = line + text.count("\n", position, match.start()), match.start()
        yield Case(
            name, line + 1, digest(text[begin:over], entries), words(text[begin:over]), sum(called, proof), entries,
            bool(_LEAVES.match(source.code[begin:over])), titles,
        )  # fmt: skip


_REACH = 50_000  # characters before a test in which its annotations begin
_LEAVES = re.compile(r"[^{}]*+\{\s*+return\s*?[;\n]\s*+[^\s}]")
_CALL = re.compile(r"\b(\w++)\s*+\(")
_CHAIN = re.compile(r"\s*+(?:[?!]?\.\s*+\w++\s*+)+")


def _helpers(source: Source, dialect: Dialect, round_: Brackets) -> dict[str, Proof]:
    """Functions of the file that assert: their proof counts where a test calls them."""
    found, over, curly = {}, 0, brackets(source.code, "{}")
    for match in dialect.helper.finditer(source.code):
        if match.start() >= over:
            begin, over = curly.after(match.end() - 1)
            found[match["helper"]] = _proof(source, dialect, round_, (begin, over))
    return {name: proof for name, proof in found.items() if proof.asserts}


def _proof(source: Source, dialect: Dialect, round_: Brackets, span: tuple[int, int]) -> Proof:
    code = source.code[slice(*span)]
    starts = [span[0] + match.start() for match in dialect.asserts.finditer(code)]
    claims = tuple(_claim(source, round_, start, span) for start in starts)
    exact, weak, constant = (_count(pattern, code) for pattern in (dialect.exact, dialect.weak, dialect.constant))
    maybe = unsure(source, span, starts) if dialect.conditional else 0
    return Proof(len(starts), exact, weak, constant + alike(claims), claims, maybe)


def _count(pattern: re.Pattern[str], code: str) -> int:
    return sum(1 for _ in pattern.finditer(code))


def _claim(source: Source, round_: Brackets, start: int, span: tuple[int, int]) -> str:
    """The asserted expression: a call with the calls chained to it; the condition that guards a Go test's failure."""
    code, begin = source.code, start
    if _FAILURE.match(code, start):
        begin = code.rfind("if ", max(span[0], start - _WIDEST), start)
        end = code.find("{", begin, start) if begin >= 0 else -1
        if end >= 0:
            return plain(source.text[begin:end])
        begin = start
    if code[start] == ".":
        begin = code.rfind("\n", span[0], start) + 1
    end = round_.after(start)[1]
    while (link := _CHAIN.match(code, end, span[1])) is not None:
        end = round_.after(link.end())[1] if code.startswith("(", link.end()) else link.end()
    return plain(source.text[begin : min(end, span[1], begin + _WIDEST)])


_WIDEST = 2000  # characters of an expression that are compared
_FAILURE = re.compile(r"\w+\.(?:Errorf?|Fatalf?|Fail|FailNow)\s*\(")


def _declared(match: re.Match[str], pairs: Brackets) -> tuple[str, int, int]:
    begin, end = pairs.after(match.end() - 1)
    return match["name"] or match.groupdict().get("old") or "?", begin, end
