"""What gives a name its meaning in a file: an import and of which module, or something in the file itself."""

import ast
import re
from bisect import bisect_right
from collections import ChainMap, Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from greylag.guards._code.kept import kept
from greylag.guards._code.python_tree import UNREADABLE, children, of, parsed, walk
from greylag.guards._code.source import Brackets, Source, brackets, scan, without_arguments

HERE = "this file"


class Bound(NamedTuple):
    """One name: `module` is as it is written in the import, or `HERE`; `symbol` is empty for a whole module."""

    name: str
    module: str
    symbol: str = ""
    inner: bool = False  # within a function, a class or a block
    made: bool = True  # in this file as a function or class
    result: bool = False  # of a call of that


Bindings = tuple[Bound, ...]


@kept
def bindings(family: str, text: str) -> Bindings:
    """All in the order of the file; none for languages that are not known and for files that cannot be read."""
    reader = _READERS.get(family)
    try:
        return tuple(reader(text)) if reader else ()
    except UNREADABLE:
        return ()


# -- Python ----------------------------------------------------------------------------------------------------------


def _python(text: str) -> Iterator[Bound]:
    yield from _statements(parsed(text).body, ChainMap(), inner=False)


_ONLY_SAYS = (ast.Expr, ast.Return, ast.Assert, ast.Raise)  # statements that bind nothing, but by these:
_BINDS = (ast.NamedExpr, ast.Lambda, ast.comprehension)


def _statements(body: Iterable[ast.AST], known: ChainMap[str, Bound], *, inner: bool) -> Iterator[Bound]:
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found = list(_imported(node, inner))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            fixture = any("fixture" in ast.dump(mark) for mark in node.decorator_list)
            found = [Bound(node.name, HERE, "", inner or fixture, not fixture)]
            given = [] if isinstance(node, ast.ClassDef) else list(_given(node, known))
            yield from given
            within = known.new_child({bound.name: bound for bound in given})
            yield from _statements(node.body, within, inner=True)
        elif isinstance(node, ast.Assign):
            origin = _root(node.value.func if isinstance(node.value, ast.Call) else node.value, known)
            made, result = isinstance(node.value, ast.Lambda), isinstance(node.value, ast.Call)
            names = [name for target in node.targets for part in walk(target) for name in _stored(part)]
            found = [Bound(name, *(origin or (HERE, "")), inner, made, result) for name in names]
        elif isinstance(node, _ONLY_SAYS) and not of(node, *_BINDS):
            continue
        else:
            found = [Bound(name, HERE, "", inner, made=False) for name in _stored(node)]
            if isinstance(node, ast.Lambda):
                found += _given(node, known)
            yield from _statements(children(node), known, inner=inner or isinstance(node, ast.Lambda))
        known.update((bound.name, bound) for bound in found)
        yield from found


_DATA = (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.UnaryOp)


def _given(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, known: ChainMap[str, Bound]) -> Iterator[Bound]:
    """Parameters with a default; of a test also those that something else fills."""
    names = node.args.posonlyargs + node.args.args
    pairs = [*zip(reversed(names), reversed(node.args.defaults), strict=False)]
    pairs += [(name, value) for name, value in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if value]
    for name, value in pairs:
        origin = _root(value, known)
        yield Bound(name.arg, *(origin or (HERE, "")), inner=True, made=not isinstance(value, _DATA))
    if not isinstance(node, ast.Lambda) and node.name.startswith("test"):
        filled = {name.arg for name, _ in pairs}
        rest = [name.arg for name in names + node.args.kwonlyargs if name.arg not in filled]
        yield from (Bound(name, HERE, "", inner=True, made=False) for name in rest)


def _imported(node: ast.Import | ast.ImportFrom, inner: bool) -> Iterator[Bound]:
    for alias in node.names:
        if isinstance(node, ast.Import):
            whole = alias.name if alias.asname else alias.name.partition(".")[0]
            yield Bound(alias.asname or whole, alias.name, "", inner)
        else:
            yield Bound(alias.asname or alias.name, "." * node.level + (node.module or ""), alias.name, inner)


def _stored(node: ast.AST) -> list[str]:
    return [node.id] if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else []


def _root(node: ast.expr, known: Mapping[str, Bound]) -> tuple[str, str] | None:
    """Module and symbol of an imported name that only gets another one: `raises = pytest.raises`."""
    symbol = ""
    while isinstance(node, ast.Attribute):
        symbol, node = symbol or node.attr, node.value
    bound = known.get(node.id) if isinstance(node, ast.Name) else None
    return (bound.module, symbol or bound.symbol) if bound and bound.module != HERE else None


# -- JavaScript ------------------------------------------------------------------------------------------------------

_IMPORT = re.compile(r"\bimport\s++(?!type\b)([^;'\"()]{1,1000}?)(?<!\w)from\s*+(['\"`])")
_DECLARED = re.compile(r"\b(?:const|let|var|class|function)\b[\s*]*+(?:([{\[])|(\w++)(?::[^=\n]{0,200})?)")
_AGAIN = re.compile(r"(?:^[ \t]*+|[,;{}]\s*+)(\w++)\s*+(?==(?![=>]))", re.MULTILINE)
_VALUE = re.compile(r"[^=\n;]{0,200}=(?![=>])\s*+([^\n;]{0,400})")
_REQUIRED = re.compile(r"(?:await\s+)?(?:require|import)\s*\(\s*(['\"`])")
_MAKES = re.compile(r"\(|async\b|function\b|class\b|\w++\s*+=>")
_CHAIN = re.compile(r"\(?(?:await\s+)?(\w++)(?>(?:\.(\w++))*)\s*+(?:$|as\b|[!<(]|\)?\s*+$)")
_PART = re.compile(r"(?:^|[{,\[])\s*+(?:\.\.\.)?(?:type\s++)?(\w++)(?:\s*+(?:\bas\b|:)\s*+(\w++))?")
_WHOLE = re.compile(r"(?:^|,)\s*+(?:\*\s*+as\s++)?(\w++)")


def _js(text: str) -> Iterator[Bound]:
    source = scan(text, "js")
    curly, nested = brackets(source.code, "{}"), _nesting(source.code)
    known: dict[str, Bound] = {}
    found = sorted([*_imports(source), *_declared(source, curly, nested)], key=lambda item: item[0])
    for _, bound in found:
        whole = _followed(bound, known) if bound.module.startswith(_OF) else bound
        known.setdefault(whole.name, whole)
        yield whole


def _followed(bound: Bound, known: Mapping[str, Bound]) -> Bound:
    origin = known.get(bound.module.removeprefix(_OF))
    if origin is None or origin.module == HERE:
        return Bound(bound.name, HERE, "", bound.inner, bound.made)
    return bound._replace(module=origin.module, symbol=bound.symbol or origin.symbol)


_OF = "\0"  # before a name whose origin is that of another name in the file


def _imports(source: Source) -> Iterator[tuple[int, Bound]]:
    for match in _IMPORT.finditer(source.code):
        module = _string(source.text, match.start(2))
        head, _, parts = match[1].partition("{")
        yield from ((match.start(), Bound(whole[1], module)) for whole in _WHOLE.finditer(head) if whole[1] != "type")
        for part in _PART.finditer(parts):
            yield match.start(), Bound(part[2] or part[1], module, part[1] if part[1] != "default" else "")


def _declared(source: Source, curly: Brackets, nested: Callable[[int], bool]) -> Iterator[tuple[int, Bound]]:
    code, over = source.code, 0
    for match in _DECLARED.finditer(code):
        begin, end = match.start(1), match.end()
        if match[1] and begin < over:
            continue  # within a pattern that is read already
        if match[1]:
            end = curly.after(begin)[1] if match[1] == "{" else code.find("]", begin, begin + 2000) + 1 or begin
            over = min(end, begin + 2000)
        value = _VALUE.match(code, end) if match[0].startswith(("const", "let", "var")) else None
        module, symbol = _origin(source, value) if value else (HERE, "")
        inner = nested(match.start())
        if match[2]:
            made = not value or _MAKES.match(value[1]) is not None
            yield match.start(), Bound(match[2], module, symbol, inner, made)
        for part in _PART.finditer(code[begin:over]) if match[1] else ():
            yield match.start(), Bound(part[2] or part[1], module, part[1] if module != HERE else "", inner)
    for match in _AGAIN.finditer(code):
        if not nested(match.start(1)):
            value = _VALUE.match(code, match.end())
            yield match.start(1), Bound(match[1], *(_origin(source, value) if value else (HERE, "")))


def _origin(source: Source, value: re.Match[str]) -> tuple[str, str]:
    """Where a value is from: a module that is required, another name of the file, or here."""
    begin = value.start(1)
    if required := _REQUIRED.match(source.code, begin):
        rest = re.compile(r"[^\n)]{0,300}\)\s*\)?\.(\w+)").match(source.code, required.end())
        return _string(source.text, required.start(1)), rest[1] if rest else ""
    chain = _CHAIN.match(value[1].rstrip())
    if chain and not re.match(r"\s*[&|?]", source.code[value.end() : value.end() + 200]):
        return _OF + chain[1], chain[2] or ""
    return HERE, ""


def _string(text: str, quote: int) -> str:
    return text[quote + 1 : max(text.find(text[quote], quote + 1, quote + 300), quote + 1)]


def _nesting(code: str) -> Callable[[int], bool]:
    """Whether a place is within brackets. One that is never closed holds nothing."""
    stack: list[tuple[str, int]] = []
    count: Counter[str] = Counter()
    spans: list[tuple[int, int]] = []
    for match in re.finditer(r"[(){}\[\]]", code):
        if match[0] in "({[":
            stack.append((match[0], match.start()))
            count[match[0]] += 1
            continue
        opener = "({["[")}]".index(match[0])]
        while count[opener] and stack:
            kind, begin = stack.pop()
            count[kind] -= 1
            if kind == opener:
                while spans and spans[-1][0] > begin:
                    spans.pop()  # within this one
                spans.append((begin, match.start()))
                break
    starts = [begin for begin, _ in spans]

    def within(place: int) -> bool:
        number = bisect_right(starts, place) - 1
        return number >= 0 and starts[number] < place < spans[number][1]

    return within


# -- Java and Go -----------------------------------------------------------------------------------------------------

_JAVA = re.compile(r"^[ \t]*+import\s+(?:static\s+)?([\w.]+)\.(\w+)", re.MULTILINE)
_TYPE = re.compile(r"(?<![.:])\b(?:class|interface|enum|record|object)\s++(\w++)")
_METHOD = re.compile(
    r"(?:[\w>\]][ \t]++|\b(?:void|boolean|int|long|static|final|fun|def|func)\s++)"
    r"(?<!\breturn\s)(?<!\belse\s)(?<!\bnew\s)(\w++)\s*+\([^(){};]{0,400}\)"
    r"\s*+(?:throws\s[\w,.\s]{1,200})?(?::\s*+[\w<>?]{1,100}\s*+)?[{=]"
)
_GO = re.compile(r"^[ \t]*+(?:import\s+)?(?:(\w+)[ \t]+)?\"([^\"\n]{1,300})\"", re.MULTILINE)


def _java(text: str) -> Iterator[Bound]:
    code = scan(text, "java").code
    yield from (Bound(match[2], f"{match[1]}.", match[2]) for match in _JAVA.finditer(code))
    for pattern in (_TYPE, _METHOD):
        yield from (Bound(match[1], HERE) for match in pattern.finditer(without_arguments(code)))


def _go(text: str) -> Iterator[Bound]:
    head = text[: text.find("\nfunc ")] if "\nfunc " in text else text
    yield from (Bound(match[1] or match[2].rpartition("/")[2], match[2]) for match in _GO.finditer(head))


_READERS: Mapping[str, Callable[[str], Iterator[Bound]]] = {"python": _python, "js": _js, "java": _java, "go": _go}
