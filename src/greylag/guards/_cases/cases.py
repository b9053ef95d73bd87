"""The test cases of one file: Python by `ast`, other languages by scanner and patterns."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from greylag.guards._cases.c_checks import own_assertions
from greylag.guards._cases.case import Case, Facts, Proof, digest, total, words
from greylag.guards._cases.conditions import unsure
from greylag.guards._cases.dialects import DIALECTS, Dialect
from greylag.guards._cases.flow import uncertain
from greylag.guards._cases.known import NOTHING, Known, called, unknown
from greylag.guards._cases.late import unsettled
from greylag.guards._cases.native_compared import compared as native_pairs
from greylag.guards._cases.python_cases import python_cases, python_helpers
from greylag.guards._cases.rows import rows
from greylag.guards._cases.scanned_compared import alike, compared
from greylag.guards._cases.tautologies import always_holds
from greylag.guards._cases.titles import Around, Pieces, arguments, blocks, title
from greylag.guards._code.bodies import Body, bodies
from greylag.guards._code.kept import Later, kept
from greylag.guards._code.source import Brackets, Source, brackets, language, plain, scan, without_arguments
from greylag.kinds import TESTS, matches


def cases(path: str, text: str, known: Known = NOTHING) -> tuple[Case, ...]:
    """Tests in the order of the file; a name that occurs again gets `#2`. Empty for languages that are not known.

    `known` are helpers of other files.
    """
    family = language(path)
    if family == "python":
        found: Iterable[Case] = python_cases(text, known)
    elif family is not None and family in DIALECTS:
        found = _scanned(path, text, known)
    else:
        found = ()
    return tuple(_numbered(found))


def helpers(path: str, text: str, known: Known = NOTHING) -> tuple[Case, ...]:
    """Functions and methods of a file that are no tests, `Class.name`, whether they assert or not."""
    family = language(path)
    if family == "python":
        return tuple(python_helpers(text, known))
    return tuple(_numbered(_functions(path, text, known))) if family is not None and family in DIALECTS else ()


def _numbered(found: Iterable[Case]) -> Iterator[Case]:
    seen: dict[str, int] = {}
    for case in found:
        seen[case.name] = seen.get(case.name, 0) + 1
        again = seen[case.name]
        yield replace(case, name=f"{case.name}#{again}") if again > 1 else case


def _scanned(path: str, text: str, known: Known) -> Iterator[Case]:
    family, file = language(path) or "", _read(path, text)
    source, local = file.source, file.local
    if family == "c":
        local = _Local({**local.found, **dict.fromkeys(own_assertions(source.code), Later(partial(Proof, 1, 1)))})
    line = position = 0
    for test, own in file.tests:
        proof = own.answer
        inner = {body.name.rpartition(".")[2] for body, _ in file.own if test.begin <= body.start < test.end}
        body, entries = text[test.begin : test.end], tuple(rows(family, source, (test.first, test.head, test.end)))
        line, position = line + text.count("\n", position, test.start), test.start
        whole = total((proof, *_calls(source, test.begin, test.end, local, known, inner=inner, own=test.name)))
        facts = Later(partial(Facts, digest(body, entries), words(body), whole))
        leaves = bool(_LEAVES.match(source.code[test.begin : test.end]))
        yield Case(test.name, line + 1, facts, entries, leaves, _marks(source.code, test, family), test.titles)


@dataclass(frozen=True, slots=True)
class _Test:
    """Where a test is: its annotations may begin at `first`, its head is between `start` and `head`."""

    name: str
    first: int
    start: int
    head: int
    begin: int
    end: int
    titles: tuple[Pieces, ...] = ()


def _tests(source: Source, family: str, round_: Brackets) -> Iterator[_Test]:
    dialect, over = DIALECTS[family], 0
    code = without_arguments(source.code) if family == "java" else source.code
    pairs = brackets(source.code, dialect.brackets)
    named = "|".join(sorted(own_assertions(source.code))[:50]) if family == "c" else ""
    of_own = re.compile(rf"\b(?:{named})\s*\(") if named else _NEVER
    around = Around(blocks(source, round_) if family == "js" else iter(()))
    for match in dialect.start.finditer(code):
        start = match.start()
        if start < over:
            continue  # inside of another test
        if family == "js":
            begin, end = arguments(match, pairs)
            own = title(source, begin, end)
            test = _Test(own.name, start, start, match.end(), own.end, end, (*around.at(start), own.pieces))
        else:
            name, begin, end = _declared(match, pairs)
            if family == "c":
                name = plain(source.text[slice(*match.span("name" if match["name"] else "old"))])
                if match["old"] and not (
                    dialect.asserts.search(source.code, begin, end) or of_own.search(source.code, begin, end)
                ):
                    continue  # a function like any other
            test = _Test(name, max(over, start - _REACH), start, match.end(), begin, end)
        over = test.end
        yield test


def _marks(code: str, test: _Test, family: str) -> frozenset[str]:
    """In Rust: attributes, before or after the one that makes a test, by which it must panic or is not compiled."""
    if family != "rust":
        return frozenset()
    ahead = code[max(test.first, test.start - 500) : test.start]
    ahead = ahead[max(map(ahead.rfind, "{};")) + 1 :]
    return frozenset(re.findall(r"should_panic|(?<=#\[)cfg\([^\n]{1,200}", ahead + code[test.start : test.begin]))


_NEVER = re.compile(r"(?!)")
_REACH = 50_000  # characters before a test in which its annotations begin
_LEAVES = re.compile(r"[^{}]*+\{\s*+return\s*?[;\n]\s*+[^\s}]")
_CALL = re.compile(r"(?:\b(\w++)\s*+\.\s*+)?\b(\w++)\s*+\(")
_WORD_BEFORE = re.compile(r"(?:\b(\w{1,30})|(?<=[\w>?\]])[>\]])[ \t]{1,9}\Z")  # of a declaration: `void same(`
_NEAR = 40  # characters
_BEFORE_CALLS = frozenset(
    {"return", "throw", "new", "else", "in", "of", "case", "await", "yield", "do", "not", "and", "or"}
)
_CHAIN = re.compile(r"\s*+(?:[?!]?\.\s*+\w++\s*+)+")
_UNIT = re.compile(
    r"#\[\s*+cfg\s*+\(\s*+(?:all\s*+\(\s*+)?test\b[^\]\n]{0,200}\](?:\s*+#\[[^\]\n]{0,200}\])*\s*+(?:pub\b\S{0,20}\s++)?mod\b"
)
_UNIT_TEST = re.compile(r"#\[\s*+(?:\w++::)*test\b|#\[\s*+cfg\s*+\(\s*+test\b")


def within(path: str, text: str) -> Iterator[tuple[int, int]]:
    """Where tests and functions of a file are that is not of Python."""
    file = _read(path, text)
    yield from ((test.start, test.end) for test, _ in file.tests)
    yield from ((body.start, body.end) for body, _ in file.own)


def _bodies(path: str, source: Source, dialect: Dialect, round_: Brackets) -> list[Body]:
    family = language(path) or ""
    unit = unit_tests(path, source.text)
    return [body for body in bodies(source, family, dialect.helper, round_) if body.start >= unit]


def unit_tests(path: str, text: str) -> int:
    """Where the unit tests of a source in Rust begin: what stands before them is production code."""
    if not path.endswith(".rs") or matches(path, TESTS):
        return 0
    unit = _UNIT.search(text) or _UNIT_TEST.search(text)
    return unit.start() if unit else 0


def _functions(path: str, text: str, known: Known) -> Iterator[Case]:
    file = _read(path, text)
    source, tests = file.source, (test for test, _ in file.tests)
    local, test = _Local(unknown(file.first.found, known)), next(tests, None)
    line = position = 0
    for body, asserted in file.own:
        while test is not None and test.end <= body.start:
            test = next(tests, None)
        if test is not None and test.start <= body.start:
            continue
        line, position = line + text.count("\n", position, body.start), body.start
        whole = text[body.begin : body.end]
        proof = total((asserted.answer, *_calls(source, body.begin, body.end, local, known)))
        leaves = bool(_LEAVES.match(source.code[body.begin : body.end]))
        facts = Later(partial(Facts, digest(whole), words(whole), proof))
        yield Case(body.name, line + 1, facts, leaves=leaves)


class _Local(Mapping[str, Proof]):
    """Functions of a file by name: their proof counts where a test calls them, and is looked for only there."""

    def __init__(self, found: Mapping[str, Later[Proof]]) -> None:
        self.found = found

    def __getitem__(self, name: str) -> Proof:
        return self.found[name].answer

    def __contains__(self, name: object) -> bool:
        return name in self.found

    def __iter__(self) -> Iterator[str]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)


class _File(NamedTuple):
    """One file that is not of Python, read once for its tests and its helpers."""

    source: Source
    tests: Sequence[tuple[_Test, Later[Proof]]]  # with what each asserts by itself
    own: Sequence[tuple[Body, Later[Proof]]]
    first: _Local  # with what functions call, but not with what these call
    local: _Local


@kept
def _read(path: str, text: str) -> _File:
    family = language(path) or ""
    source = scan(text, family)
    round_ = brackets(source.code, "()")

    def proves(start: int, end: int) -> Later[Proof]:
        return Later(partial(_proof, source, family, round_, (start, end)))

    tests = [(test, proves(test.start, test.end)) for test in _tests(source, family, round_)]
    own = [(body, proves(body.begin, body.end)) for body in _bodies(path, source, DIALECTS[family], round_)]
    first = _local(source, own, _Local({}))
    return _File(source, tests, own, first, _local(source, own, first))


def _local(source: Source, own: Sequence[tuple[Body, Later[Proof]]], inner: _Local) -> _Local:
    def proves(body: Body, proof: Later[Proof]) -> Proof:
        return total((proof.answer, *_calls(source, body.begin, body.end, inner, NOTHING)))

    return _Local({body.name.rpartition(".")[2]: Later(partial(proves, body, proof)) for body, proof in own})


def _calls(
    source: Source,
    begin: int,
    end: int,
    local: Mapping[str, Proof],
    known: Known,
    *,
    inner: Collection[str] = (),
    own: str = "",
) -> Iterator[Proof]:
    """What calls prove. Functions that are `inner` count where they stand: so the first call of one adds nothing.

    The test's `own` name is that of something else, where the test calls it.
    """
    met: set[str] = set()
    for match in _CALL.finditer(source.code, begin, end):
        if match[2] == own or (match[2] not in local and not known):
            continue
        ahead = _WORD_BEFORE.search(source.code, max(begin, match.start() - _NEAR), match.start())
        if ahead is None or ahead[1] in _BEFORE_CALLS:
            if match[2] in inner and match[2] not in met:
                met.add(match[2])
                continue
            yield called(match[1] or "", match[2], local, known)


def _proof(source: Source, family: str, round_: Brackets, span: tuple[int, int]) -> Proof:
    code, dialect = source.code[slice(*span)], DIALECTS[family]
    starts = [span[0] + match.start() for match in dialect.asserts.finditer(code)]
    claims = tuple(_claim(source, round_, start, span) for start in starts)
    exact, weak, constant = (_count(pattern, code) for pattern in (dialect.exact, dialect.weak, dialect.constant))
    own = constant + alike(claims) + sum(map(always_holds, claims))
    if dialect.flow:
        unsure_ones = len(uncertain(source, dialect.flow, span, starts))
        pairs = native_pairs(source, dialect.flow, span, claims)
        return Proof(len(starts), exact, weak, own, claims, unsure_ones, pairs=pairs)
    if not dialect.conditional:
        return Proof(len(starts), exact, weak, own, claims)
    maybe = unsure(source, span, starts)
    doubted = sum(1 for number in maybe if dialect.exact.search(claims[number]))
    sides = tuple(compared(source, family, span, starts, claims))
    late = unsettled(source.code, span, starts) if family == "js" else 0
    return Proof(len(starts), exact, weak, own, claims, len(maybe), min(doubted, exact), sides, late)


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
    if guard := _guarded(source, round_, start, span[0]):
        return plain(source.text[guard : min(round_.after(start)[1], span[1], guard + _WIDEST)])
    if code[start] == ".":
        begin = code.rfind("\n", span[0], start) + 1
    end = round_.after(start)[1]
    while (link := _CHAIN.match(code, end, span[1])) is not None:
        end = round_.after(link.end())[1] if code.startswith("(", link.end()) else link.end()
    return plain(source.text[begin : min(end, span[1], begin + _WIDEST)])


def _guarded(source: Source, round_: Brackets, start: int, low: int) -> int:
    """Where the `if` begins under which the call of `fail` at a place is the first thing."""
    if not _FAILS.match(source.code, start):
        return 0
    guard = source.code.rfind("if", max(low, start - _WIDEST), start)
    begin, end = round_.after(guard) if guard >= 0 else (start, start)
    return guard if begin < end <= start and _FIRST.fullmatch(source.code, end, start) else 0


_FAILS = re.compile(r"(?:\w+\.)?fail\s*\(")
_FIRST = re.compile(r"\s*+\{?\s*+(?:\w+\s*+\.\s*+)?")
_WIDEST = 2000  # characters of an expression that are compared
_FAILURE = re.compile(r"\w+\.(?:Errorf?|Fatalf?|Fail|FailNow)\s*\(")


def _declared(match: re.Match[str], pairs: Brackets) -> tuple[str, int, int]:
    begin, end = pairs.after(match.end() - 1)
    return match["name"] or match.groupdict().get("old") or "?", begin, end
