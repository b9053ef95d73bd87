"""Branches of a function to which literals lead, and that give one: `if a == 5 and b == 1: return 10` in any form."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from typing import NamedTuple

from greylag.guards._cases.dialects import DIALECTS
from greylag.guards._code.bodies import bodies
from greylag.guards._code.kept import kept
from greylag.guards._code.python_tree import UNREADABLE, Function, leaf, parsed, walk
from greylag.guards._code.source import Brackets, brackets, scan
from greylag.guards._sources.literals import FOUND, bare, folded

_PARTLY = frozenset({"startswith", "endswith", "startsWith", "endsWith", "HasPrefix", "HasSuffix", "starts_with"})
_PLAIN = frozenset({"str", "int", "float", "repr", "String", "Number", "tuple", "list"})  # keep what they are given
_MOST, _DEEP = 60, 12  # branches of a function, and conditions around one


class Asked(NamedTuple):
    """A literal that something must be equal to; `derived` if that is worked out from what the function gets."""

    literal: str
    derived: bool = False
    part: bool = False  # it is a part of a text


class Branch(NamedTuple):
    """All literals that lead to an answer, and the answer."""

    asked: tuple[Asked, ...]
    answer: str


class Decided(NamedTuple):
    """One function: its branches, and whether it answers otherwise by more than literals."""

    branches: tuple[Branch, ...]
    computes: bool


@kept
def decided(family: str, text: str) -> Mapping[str, Decided]:
    """The functions of a file, by their names with that of their class."""
    try:
        return dict(_python(parsed(text).body, "")) if family == "python" else dict(_scanned(text, family))
    except UNREADABLE:
        return {}


# -- Python ----------------------------------------------------------------------------------------------------------


def _python(body: Sequence[ast.stmt], prefix: str) -> Iterator[tuple[str, Decided]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _python(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, Function):
            parts = walk(node)
            returned = [part.value for part in parts if isinstance(part, ast.Return) and part.value]
            names = {part.id for part in returned if isinstance(part, ast.Name)}
            found = list(islice(_block(node.body, [()], names), _MOST))
            found += [branch for part in parts if isinstance(part, ast.Dict) for branch in _entries(part)]
            computes = any(folded(value) is None for value in returned)
            yield prefix + node.name, Decided(tuple(found), computes)


_Path = tuple[Asked, ...]


def _block(body: Sequence[ast.stmt], paths: Sequence[_Path], names: set[str]) -> Iterator[Branch]:
    """Branches below some statements, to which one of several ways leads."""
    for node in body:
        if isinstance(node, ast.If):
            yield from _block(node.body, _further(paths, _wanted(node.test)), names)
            yield from _block(node.orelse, paths, names)
        elif isinstance(node, ast.Match):
            for case in node.cases:
                asked = tuple(Asked(one) for one in _pattern(case.pattern))
                ways = [asked + way for way in (_wanted(case.guard) if case.guard else [()])]
                yield from _block(case.body, _further(paths, ways), names)
        elif isinstance(node, ast.Return | ast.Assign):
            given = isinstance(node, ast.Return) or leaf(node.targets[0]) in names
            yield from _given(node.value, paths) if node.value and given else ()
        else:
            for part in (getattr(node, name, ()) for name in ("body", "orelse", "finalbody")):
                yield from _block(part, paths, names)


def _further(paths: Sequence[_Path], ways: Sequence[_Path]) -> list[_Path]:
    return [path + way for path in paths for way in ways if len(path) < _DEEP][:_MOST]


def _given(value: ast.expr, paths: Sequence[_Path]) -> Iterator[Branch]:
    if isinstance(value, ast.IfExp):
        yield from _given(value.body, _further(paths, _wanted(value.test)))
        yield from _given(value.orelse, paths)
    elif (answer := folded(value)) is not None:
        yield from (Branch(path, answer) for path in paths if path)


def _wanted(test: ast.expr) -> list[_Path]:
    """Ways in which a condition holds, as far as literals say; one that is empty for any other condition."""
    if isinstance(test, ast.BoolOp):
        ways = [_wanted(value) for value in test.values[:_DEEP]]
        if isinstance(test.op, ast.Or):
            return [way for some in ways for way in some][:_MOST]
        return [tuple(one for way in chosen for one in way) for chosen in islice(product(*ways), _MOST)]
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        left, right, sign = test.left, test.comparators[0], test.ops[0]
        if isinstance(sign, ast.Eq | ast.Is):
            return [tuple(_equal(left, right))]
        if isinstance(sign, ast.In) and isinstance(right, ast.Tuple | ast.List | ast.Set):
            return [tuple(_equal(left, one)) for one in right.elts[:_MOST]] or [()]
    if isinstance(test, ast.Call) and leaf(test.func) in _PARTLY and test.args:
        text = folded(test.args[0])
        return [(Asked(text, part=True),)] if text is not None else [()]
    return [()]


def _equal(left: ast.expr, right: ast.expr) -> Iterator[Asked]:
    listed = ast.Tuple | ast.List
    if isinstance(left, listed) and isinstance(right, listed) and len(left.elts) == len(right.elts):
        for one, other in zip(left.elts, right.elts, strict=True):
            yield from _equal(one, other)
        return
    for side, other in ((left, right), (right, left)):
        text = folded(side)
        if text is not None and folded(other) is None:
            yield Asked(text, derived=_is_derived(other))


def _is_derived(node: ast.expr) -> bool:
    if isinstance(node, ast.Call) and leaf(node.func) in _PLAIN and node.args:
        return _is_derived(node.args[0])
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return not isinstance(node, ast.Name)


def _pattern(pattern: ast.pattern) -> Iterator[str]:
    values = (part.value for part in walk(pattern) if isinstance(part, ast.MatchValue))
    yield from filter(None, map(folded, values))


def _entries(node: ast.Dict) -> Iterator[Branch]:
    """A table that is keyed by several literals at once."""
    for key, value in islice(zip(node.keys, node.values, strict=True), _MOST):
        answer = folded(value)
        parts = [folded(part) for part in key.elts] if isinstance(key, ast.Tuple) else []
        if answer is not None and len(parts) > 1 and all(part is not None for part in parts):
            yield Branch(tuple(Asked(part) for part in parts if part is not None), answer)


# -- other languages -------------------------------------------------------------------------------------------------

_BLANK, _NEXT = re.compile(r"\s*"), re.compile(r"\b(?:case|default)\b")
_DERIVED = re.compile(r"\)$|\.(?:length|size|len|scale|count)$")
_FAR = 400  # characters of a condition
_WHAT = r"(?:[\w.$?\[\]]|!(?=[.\[])){1,80}(?:\(\))?"
_IF = re.compile(r"\bif\b\s*")
_EQUAL = re.compile(
    rf"(?P<what>{_WHAT})\s*(?:===?|\.(?:equals|eq)\(|\s-eq\s)\s*(?P<literal>{FOUND})"
    rf"|(?P<first>{FOUND})\s*(?:===?|\.(?:equals|eq)\()\s*(?P<other>{_WHAT})"
)
_RETURN = re.compile(r"\breturn\b\s*(?P<value>[^;\n}]{1,200})")
_WRAPPED = re.compile(rf"(?:new\s+)?(?:[\w.:]{{1,60}}\(\s*)?(?P<literal>{FOUND})\s*\)?(?:\s*,\s*(?:nil|null|None))?\s*")
_ARM = re.compile(
    rf"(?:\bcase\s+)?\(?\s*(?P<asked>{FOUND}(?:\s*,\s*{FOUND}){{1,5}})\s*\)?\s*(?:=>|->)\s*(?P<value>[^,;\n}}]{{1,100}})"
)
_CHOICE = re.compile(r"\breturn\b\s*(?P<test>[^;?\n]{1,300})\?(?!\.)\s*(?P<value>[^:;\n]{1,100}):")
_CASE = re.compile(r"\bcase\s+(?P<test>[^:\n{}]{1,300}==[^:\n{}]{1,200}):")


def _scanned(text: str, family: str) -> Iterator[tuple[str, Decided]]:
    source = scan(text, family)
    round_, curly = brackets(source.code, "()"), brackets(source.code, "{}")
    for body in bodies(source, family, DIALECTS[family].helper, round_):
        span = round_.after(body.begin)[1], body.end
        conditions = list(islice(_conditions(text, source.code, span, (round_, curly), family), _MOST))
        found, computes = list[Branch](), False
        for match in islice(_RETURN.finditer(source.code, *span), _MOST):
            answer = _answer(text[slice(*match.span("value"))])
            computes = computes or answer is None
            around = [asked for begin, end, asked in conditions if begin <= match.start() < end]
            path = tuple(one for asked in around for one in asked)
            if answer is not None and path:
                found.append(Branch(path, answer))
        for begin, end, asked in conditions if family == "rust" else ():
            answer = _answer(text[begin:end].strip("{} \n\t"))
            found += [Branch(tuple(asked), answer)] if answer is not None and asked else []
        inner = text[slice(*span)]
        for match in islice(_ARM.finditer(inner), _MOST):
            if (answer := _answer(match["value"].rstrip(" )"))) is not None:
                found.append(Branch(tuple(Asked(bare(one)) for one in re.findall(FOUND, match["asked"])), answer))
        for match in islice(_CHOICE.finditer(inner), _MOST):
            answer, asked = _answer(match["value"]), _equals(match["test"])
            found += [Branch(asked, answer)] if answer is not None and asked else []
        computes = computes or family == "rust" or "=>" in source.code[span[0] : span[0] + 5]
        yield body.name, Decided(tuple(found), computes)


def _answer(value: str) -> str | None:
    match = _WRAPPED.fullmatch(value)
    return bare(match["literal"]) if match else None


def _equals(test: str) -> _Path:
    """Literals that a condition wants something to be equal to."""
    found = []
    for match in islice(_EQUAL.finditer(test), _DEEP):
        what = match["what"] or match["other"]
        if re.search(r"[A-Za-z_]", what):
            found.append(Asked(bare(match["literal"] or match["first"]), derived=bool(_DERIVED.search(what))))
    return tuple(found)


def _conditions(
    text: str, code: str, span: tuple[int, int], pairs: tuple[Brackets, Brackets], family: str
) -> Iterator[tuple[int, int, _Path]]:
    """Where the statements under each condition are, and what literals it asks for."""
    round_, curly = pairs
    for match in _IF.finditer(code, *span):
        if family in {"js", "java", "c"} and code.startswith("(", match.end()):
            begin, end = round_.after(match.end())
        else:
            begin, end = match.end(), code.find("{", match.end(), match.end() + _FAR)
        asked = _equals(text[begin:end]) if begin < end < begin + _FAR else ()
        if asked and (start := _BLANK.match(code, end)):
            inner = curly.after(start.end()) if code.startswith("{", start.end()) else (end, code.find(";", end) + 1)
            yield (*inner, asked)
    for match in _CASE.finditer(text, *span):
        stop = _NEXT.search(code, match.end(), span[1])
        if asked := _equals(match["test"]):
            yield match.end(), stop.start() if stop else span[1], asked
