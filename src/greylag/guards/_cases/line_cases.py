"""Tests of languages that are read line by line: where each is, by its indentation, and what its lines say."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from greylag.guards._cases.line_dialects import LINES, LineDialect
from greylag.guards._code.source import LARGEST, plain, scan

_WIDEST = 1000  # characters of a line that are looked at
_MOST = 5000  # tests of one file
_LONGEST = 200  # lines of one statement, or of a handler
_SAID = 20_000  # characters of assertions in which a name is looked for
_STAYS = re.compile(r"(?:rescue|ensure|catch|after|else|elsif)\b|\{\s*$|\}\s*catch\b|\)\s*:")  # goes on at the level
_GOES_ON = re.compile(r"\s*+(?:\.(?!\.)|->|\|>|&\.)")
_ENDS = re.compile(r"[\s{}();]*+(?:end)?\s*+")  # nothing but the ends of blocks
_OPEN = re.compile(r"(?:[,(\\]|==|\|\||&&|\|>)\s*$")


@dataclass(frozen=True, slots=True)
class LineCase:
    """One test. `claims` are its assertions that can fail, `faults` ways in which one is not told."""

    name: str
    line: int
    claims: tuple[str, ...]
    exact: int
    weak: int
    faults: frozenset[str]
    others: tuple[str, ...]  # its other lines, and assertions that cannot fail
    idle: int  # how many of these there are


@dataclass(frozen=True, slots=True)
class _Statement:
    indent: int
    code: str
    text: str


def dialect(path: str) -> LineDialect | None:
    """How tests of the file's language are written, if that is one of these."""
    return LINES.get(path.rpartition(".")[2].lower())


def line_cases(path: str, text: str) -> list[LineCase]:
    """All tests of a file."""
    how = dialect(path)
    if how is None or len(text) > LARGEST:
        return []
    whole = [line[:_WIDEST] for line in text.split("\n")]
    code = [line[:_WIDEST] for line in scan(text, how.family).code.split("\n")]
    found, seen, over = list[LineCase](), Counter[str](), 0
    for number, line in enumerate(whole):
        match = how.start.match(line) if number >= over and code[number].strip() else None
        if match is None or len(found) == _MOST:
            continue
        over = _end(code, number)
        groups = match.groupdict()
        name = (groups.get("name") or groups.get("method") or f"it {plain(line[match.end() :])}").strip("\"' ")
        seen[name] += 1
        rest = [code[number][match.end() :], *code[number + 1 : over]], [line[match.end() :], *whole[number + 1 : over]]
        numbered = name if seen[name] == 1 else f"{name} #{seen[name]}"
        found.append(_case(how, numbered, number + 1, list(_statements(*rest))))
    return found


def _end(code: Sequence[str], start: int) -> int:
    """The line after a test that begins at a line: by its indentation."""
    level = _indent(code[start])
    for number in range(start + 1, len(code)):
        line = code[number]
        if line.strip() and _indent(line) <= level and not _STAYS.match(line.lstrip()):
            return number
    return len(code)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _statements(code: Sequence[str], whole: Sequence[str]) -> Iterator[_Statement]:
    """Lines, with those that go on from the one before."""
    parts: list[int] = []
    for number, line in enumerate(code):
        if not line.strip():
            continue
        follows = parts and len(parts) < _LONGEST and (_GOES_ON.match(line) or _OPEN.search(code[parts[-1]]))
        if parts and not follows:
            yield _joined(code, whole, parts)
            parts = []
        parts.append(number)
    if parts:
        yield _joined(code, whole, parts)


def _joined(code: Sequence[str], whole: Sequence[str], parts: Sequence[int]) -> _Statement:
    first = code[parts[0]]
    texts = ("".join([lines[parts[0]], *(lines[part].strip() for part in parts[1:])]) for lines in (code, whole))
    return _Statement(_indent(first), *(text[:_WIDEST] for text in texts))


def _case(how: LineDialect, name: str, line: int, body: Sequence[_Statement]) -> LineCase:
    claims, others, exact, weak, idle = list[str](), list[str](), 0, 0, 0
    called = any(how.called.search(one.code) for one in body)
    waits = -1  # the level of a function that waits
    for one in body:
        if waits >= 0 and one.indent <= waits:
            waits = -1
        late = None if called else how.deferred.search(one.code)
        match = how.asserts.search(one.code)
        live = match and waits < 0 and not (late and late.start() < match.start())
        if not live or not _holds(how, one):
            others.append(plain(one.text))
            idle += match is not None
        else:
            claims.append(plain(one.text))
            is_weak = bool(how.weak.search(one.text))
            weak += is_weak
            exact += not is_weak and bool(how.exact.search(one.text))
        if late and waits < 0:
            waits = one.indent
    faults = frozenset(_faults(how, body, claims))
    return LineCase(name, line, tuple(claims), exact, weak, faults, tuple(others), idle)


def _holds(how: LineDialect, one: _Statement) -> bool:
    """Whether an assertion may fail at all."""
    bare = how.bare.search(one.code) and not how.needs.search(one.code)
    return not bare and not how.idle.search(one.text)


def _faults(how: LineDialect, body: Sequence[_Statement], claims: Sequence[str]) -> Iterator[str]:
    level = min((one.indent for one in body[1:] if not _ENDS.fullmatch(one.code)), default=0)
    asserted, spoken = _next(body, how.asserts), _next(body, how.speaks)
    said = ""
    for number, one in enumerate(body):
        if left := how.leaves.search(one.code):
            if "erform" in left[0]:
                yield "says that it has no assertion"
            elif (one.indent <= level or number == 0) and asserted[number] < len(body):
                yield "is left before its assertions"
        if caught := how.rescues.search(one.code):
            inline = caught.groupdict().get("inline")
            if inline or spoken[number] - number > _LONGEST or spoken[number] == len(body):
                yield "catches what its assertions raise"
        if how.inverts.search(one.text):
            yield "passes when an assertion fails"
        if stub := how.stubs.search(one.text):
            groups = [group for group in stub.groups() if group]
            said = said or "\n".join(claims)
            if f"{groups[0]}.{groups[1]}" in said[:_SAID]:
                yield f"makes `{groups[0]}.{groups[1]}` answer what it expects"


def _next(body: Sequence[_Statement], pattern: re.Pattern[str]) -> list[int]:
    """For each statement, the first one from there on that has a pattern; their number where none has."""
    found, last = [len(body)] * len(body), len(body)
    for number in range(len(body) - 1, -1, -1):
        last = number if pattern.search(body[number].code) else last
        found[number] = last
    return found
