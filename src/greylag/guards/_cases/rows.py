"""Tables that a test is run with in languages other than Python: `it.each`, `@CsvSource`, slices of Go, `#[case]`."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import islice

from greylag.guards._code.source import Source, plain

_MOST = 2000  # rows of one test that are compared
_Span = tuple[int, int, int]  # where annotations may begin, where the head of the test ends, where the test ends
_TOKEN = re.compile(r"[(\[{]|[)\]}]|,")
_LITERAL = re.compile(r"\b(?:const|let|var)\s+(\w+)\b[^=;\n]{0,200}=\s*\[")
_NAMED = re.compile(r"\(\s*(\w+)\s*\)")
_SOURCES = re.compile(r"@(?:\w+\.)*(?:CsvSource|ValueSource|EnumSource)\s*\(")
_ROW = re.compile(r"(?:@(?:\w+\.)*CsvRow|\[\s*(?:InlineData|TestCase|DataRow|Arguments))\s*\(")
_END = re.compile(r"[;}](?=\s*\n)")
_STRUCTS = re.compile(r"(?:\[\]|map\[\w+\])\s*\*?(?:struct\s*(\{)|[\w.]+\s*(?=\{\s*(?:\{|\"[^\n]{0,300}:\s*\{)))")
_LOOPS = re.compile(r"\bfor\b[^;{}\n]{1,200}\bin\s+&?\s*(?:vec!\s*)?\[(?=\s*\()")
_CASES = re.compile(r"#\[\s*(?:test_case|case)\b")


def rows(family: str, source: Source, span: _Span) -> Iterator[str]:
    """Each entry of the tables of one test, without blanks."""
    reader = _READERS.get(family)
    return islice(reader(source, span), _MOST) if reader else iter(())


def entries(source: Source, opening: int) -> Iterator[str]:
    """What commas part in the brackets that open here."""
    depth, begin = 0, opening + 1
    for token in _TOKEN.finditer(source.code, opening):
        depth += {"(": 1, "[": 1, "{": 1, ",": 0}.get(token[0], -1)
        if depth == 0 or (depth == 1 and token[0] == ","):
            text = plain(source.text[begin : token.start()])
            yield from (text,) if source.code[begin : token.start()].strip() else ()  # else it is a comment
            begin = token.end()
        if depth == 0:
            return


def _close(source: Source, opening: int) -> int:
    """Where the brackets that open here are closed."""
    depth = 0
    for token in _TOKEN.finditer(source.code, opening):
        depth += 1 if token[0] in "([{" else -1 if token[0] != "," else 0
        if depth == 0:
            return token.end()
    return len(source.code)


def _js(source: Source, span: _Span) -> Iterator[str]:
    if not source.code.endswith("each", span[0], len(source.code[span[0] : span[1]].rstrip()) + span[0]):
        return
    opening = span[1]
    if source.code.startswith("`", opening):
        end = source.code.find("`", opening + 1)
        yield from (plain(line) for line in source.text[opening + 1 : end].split("\n")[1:] if line.strip())
        return
    named = _NAMED.match(source.code, opening)
    opening = _literals(source.code).get(named[1], -1) if named else source.code.find("[", opening, span[2])
    yield from entries(source, opening) if opening >= 0 else ()


@lru_cache(maxsize=4)
def _literals(code: str) -> Mapping[str, int]:
    """Names of lists in a file -> where their brackets open."""
    return {match[1]: match.end() - 1 for match in _LITERAL.finditer(code)}


def _java(source: Source, span: _Span) -> Iterator[str]:
    begin = max((match.end() for match in _END.finditer(source.code, span[0], span[1])), default=span[0])
    for match in _SOURCES.finditer(source.code, begin, span[1]):
        end = _close(source, match.end() - 1)
        block, opening = source.text[match.end() : end], source.code.find("{", match.end(), end)
        if '"""' in block:
            yield from (plain(line) for line in block.split('"""')[1].split("\n") if line.strip())
        elif opening >= 0:
            yield from entries(source, opening)
    for match in _ROW.finditer(source.code, begin, span[1]):
        yield "".join(entries(source, match.end() - 1))


def _go(source: Source, span: _Span) -> Iterator[str]:
    for match in _STRUCTS.finditer(source.code, span[1], span[2]):
        opening = _close(source, match.start(1)) if match[1] else match.end()
        if source.code.startswith("{", opening):
            yield from entries(source, opening)


def _rust(source: Source, span: _Span) -> Iterator[str]:
    for match in _CASES.finditer(source.code, span[0], span[1]):
        yield "".join(entries(source, match.start() + 1))
    for match in _LOOPS.finditer(source.code, span[1], span[2]):
        yield from entries(source, match.end() - 1)


_READERS: Mapping[str, Callable[[Source, _Span], Iterator[str]]] = {"js": _js, "java": _java, "go": _go, "rust": _rust}
