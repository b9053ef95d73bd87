"""Functions that computed, and now have the answers of the tests: one constant, or a mapping that is asked at once."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from greylag.diffs import FileDiff
from greylag.guards._cases.dialects import DIALECTS
from greylag.guards._cases.rows import entries
from greylag.guards._code.bodies import bodies
from greylag.guards._code.python_tree import UNREADABLE, Function, parsed, unparsed, walk
from greylag.guards._code.source import LARGEST, Brackets, Source, brackets, language, scan
from greylag.guards._guard import finding, read
from greylag.kinds import TESTS, matches
from greylag.model import Diagnostic
from greylag.protocols import Change, Tree

_LITERAL = r"(?:\"[^\"\\\n]{0,200}\"|'[^'\\\n]{0,200}'|-?\d[\w.]{0,40})"
_CONSTANT = re.compile(rf"\s*\{{?\s*(?:return\b)?\s*\(?\s*(?P<value>{_LITERAL})\s*\)?\s*;?\s*\}}?\s*")
_ASKED_AT_ONCE = re.compile(
    r"(?:new\s+Map\s*\(\s*\[|\bmap\[[^\]{}\n]{1,40}\][\w\]\[]{0,20}\{|[(=+\-*/,?]\s*\{|\breturn\s*\(?\{)"
)
_CLOSED = re.compile(r"\s*+[)\]}]{0,3}\s*+(?:\.get\s*+\(|\?\.|\[)")
_WORD = re.compile(r"-?\d[\w.]*|[A-Za-z]\w*")
_ARITHMETIC = re.compile(r"[\w)\]] ?(?:[*/%+-]|//|>>|<<) ?[\w(]")
_LIKELY, _ENTRIES = 50, 40  # functions of a file, and entries of a mapping, that are looked for
_DATA = (".json", ".csv", ".tsv", ".yml", ".yaml", ".txt")
_MOST, _SHORT = 300, 2  # files of tests that are read; entries of a mapping, or literals of an entry
_LARGEST = 20_000  # characters of a mapping
_WIDEST, _NEAR = 1000, 3  # characters of a line, and lines in which a call and what it must answer are


@dataclass(frozen=True, slots=True)
class _Code:
    """One function: its parameters, its body, the constant that is all of it, and mappings that it asks at once."""

    parameters: frozenset[str]
    body: str
    constant: str = ""
    mappings: tuple[tuple[tuple[str, str], ...], ...] = ()  # of each the entries: key, and key with answer

    @property
    def computes(self) -> bool:
        """Whether it goes by what it is given."""
        return bool(self.parameters & set(re.findall(r"\w+", self.body)))


def answer_forms(change: Change, file: FileDiff) -> Iterator[Diagnostic]:
    """Findings on one source that was there before."""
    if file.status not in {"modified", "renamed"}:
        return
    old, new = _functions(change.base, file.old_path), _functions(change.head, file.path)
    likely = ((name, old.get(name), code) for name, code in new.items() if code.constant or code.mappings)
    changed = ((name, was, code) for name, was, code in likely if was is not None and was.body != code.body)
    for name, was, code in islice(changed, _LIKELY):
        if not was.computes or was.constant or was.mappings:
            continue
        leaf = name.rpartition(".")[2]
        if code.constant and not code.computes and (place := _told(change, leaf, [code.constant])):
            message = f"`{leaf}` answers {code.constant} whatever it is asked, as {place} wants it"
        elif place := next(
            (one for table in code.mappings[:_SHORT] if (one := _of_tests(change, leaf, was, table))), ""
        ):
            message = f"`{leaf}` has a mapping of just what {place} asks for"
        else:
            continue
        yield finding(change, "tests", "sources/answer", message, file.path)


def _of_tests(change: Change, name: str, was: _Code, table: Sequence[tuple[str, str]]) -> str:
    """The file of tests that has the entries of a mapping, or all of its numbers in place of a computation."""
    told = [whole for _, whole in table[:_ENTRIES]]
    sure = [whole for whole in told if len(_WORD.findall(whole)) > _SHORT]
    if any(place := _told(change, name, [whole], rows=True) for whole in sure[:_SHORT]) or (
        place := _told(change, name, told)
    ):
        return place
    numbers = all(re.fullmatch(r"[-\d\s.,()\[\]{}]+", key) for key, _ in table)
    if numbers and len(table) >= _SHORT and _ARITHMETIC.search(was.body):
        return _told(change, name, [key for key, _ in table[:_ENTRIES]])
    return ""


def _told(change: Change, name: str, wanted: Sequence[str], *, rows: bool = False) -> str:
    """A file of tests of the base that calls a function, if data of tests, and lines with such a call, have each.

    With `rows` any line of such a file counts.
    """
    called = re.compile(rf"(?<!\w){re.escape(name)}\s*\(")
    said, place = list[frozenset[str]](), ""
    for path in islice((path for path in change.base.paths() if matches(path, TESTS)), _MOST):
        text = read(change.base, path) or ""
        data = path.endswith(_DATA)
        if len(text) <= LARGEST and (data or called.search(text)):
            place = place or ("" if data else path)
            lines = [line[:_WIDEST] for line in re.split(r"\n|(?<=\])," if data else r"\n", text)]
            near = 1 if data else _NEAR
            said += [
                frozenset(_WORD.findall(" ".join(lines[number : number + near])))
                for number, line in enumerate(lines) if rows or data or called.search(line)
            ]  # fmt: skip
    found = all(any(frozenset(_WORD.findall(one)) <= line for line in said) for one in wanted) if wanted else False
    return place if found else ""


def _functions(tree: Tree, path: str) -> Mapping[str, _Code]:
    text, family = read(tree, path) or "", language(path) or ""
    if len(text) > LARGEST:
        return {}
    return _python(text) if family == "python" else _scanned(text, family) if family in _SCANNED else {}


_SCANNED = frozenset({"js", "java", "go", "rust"})


@lru_cache(maxsize=4)
def _python(text: str) -> Mapping[str, _Code]:
    try:
        return dict(_of_module(parsed(text).body, ""))
    except UNREADABLE:
        return {}


def _of_module(body: Sequence[ast.stmt], prefix: str) -> Iterator[tuple[str, _Code]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _of_module(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, Function):
            statements = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
            names = [one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            value = _given(statements)
            constant = unparsed(value) if value is not None and _is_data(value) else ""
            tables = tuple(filter(None, (_table(part) for part in walk(node))))
            code = "\n".join(map(unparsed, statements))
            yield prefix + node.name, _Code(frozenset(names) - {"self", "cls"}, code, constant, tables)


def _given(statements: Sequence[ast.stmt]) -> ast.expr | None:
    """What a function returns that does nothing else, but for a name that it has for it."""
    last = statements[-1] if 1 <= len(statements) <= _SHORT else None
    value = last.value if isinstance(last, ast.Return) else None
    if len(statements) == 1:
        return value
    first = statements[0] if statements else None
    if isinstance(first, ast.Assign) and isinstance(value, ast.Name) and unparsed(first.targets[0]) == value.id:
        return first.value
    return None


def _is_data(node: ast.expr) -> bool:
    inner = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(inner, ast.Constant) and type(inner.value) in {int, float, str} and inner.value != ""


def _table(node: ast.AST) -> tuple[tuple[str, str], ...]:
    """A dictionary that is asked where it stands, or the cases of a `match` that give constants."""
    if isinstance(node, ast.Match):
        found = [(unparsed(one.pattern), one.body[0]) for one in node.cases]
        return tuple(
            (key, f"{key} {unparsed(part.value)}") for key, part in found
            if isinstance(part, ast.Return) and part.value is not None and _is_data(part.value) and key != "_"
        )  # fmt: skip
    value = None
    if isinstance(node, ast.Subscript):
        value = node.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"get", "pop"}:
        value = node.func.value
    if not isinstance(value, ast.Dict) or not all(_is_data(one) for one in value.values) or None in value.keys:
        return ()
    pairs = zip(value.keys, value.values, strict=True)
    return tuple((unparsed(key), f"{unparsed(key)} {unparsed(told)}") for key, told in pairs if key)


@lru_cache(maxsize=4)
def _scanned(text: str, family: str) -> Mapping[str, _Code]:
    source = scan(text, family)
    round_, found = brackets(source.code, "()"), dict[str, _Code]()
    closing = {pair[0]: brackets(source.code, pair) for pair in ("[]", "{}")}
    for body in bodies(source, family, DIALECTS[family].helper, round_):
        begin, end = round_.after(body.begin)
        names = frozenset(re.findall(r"[A-Za-z_]\w*", source.code[begin:end]))
        start = max(end, source.code.find("{", end, body.end)) if "=>" not in source.code[end : end + 20] else end
        inner = text[start : body.end]
        bare = _CONSTANT.fullmatch(re.sub(r"^\s*=>", "", inner))
        tables = tuple(filter(None, _mappings(source, closing, (start, body.end))))
        found[body.name] = _Code(names, source.code[start : body.end], bare["value"] if bare else "", tables)
    return found


def _mappings(
    source: Source, closing: Mapping[str, Brackets], span: tuple[int, int]
) -> Iterator[tuple[tuple[str, str], ...]]:
    for match in islice(_ASKED_AT_ONCE.finditer(source.code, *span), _MOST):
        opening = match.end() - 1
        closes = closing[source.code[opening]].after(opening)[1]
        if closes > opening + _LARGEST or not _CLOSED.match(source.code, closes):
            continue
        inner = list(entries(source, opening))
        pairs = [re.fullmatch(r"[\[(]?(?P<key>.{1,200})[:,](?P<value>[^:,]{1,100}?)[\])]?", one) for one in inner]
        if pairs and all(one and re.fullmatch(_LITERAL, one["value"]) for one in pairs):
            yield tuple((one["key"], f"{one['key']} {one['value']}") for one in pairs if one)
