"""Handlers that drop whatever is raised, or only print it, and what stands before them."""

import ast
import re
from collections.abc import Iterator

from greylag.guards._code.python_tree import UNREADABLE, leaf, of, parsed, segment, split, unparsed
from greylag.guards._code.source import brackets, language, scan
from greylag.guards._sources.only_told import PRINTS

_BROAD = {"Exception", "BaseException"}
_NOTHING = (
    r"(?:null|undefined|false|true|-?\d+|\"\s*\"|'\s*'|\[\s*\]|\{\s*\}|Optional\.empty\(\)|Collections\.empty\w+\(\)"
    r"|(?:List|Map|Set)\.of\(\))"
)
_PRINTED = rf"(?>(?:(?:{PRINTS['js'].pattern}|{PRINTS['java'].pattern})[^;{{}}]{{0,300}};?\s*+)*)"
_EMPTY, _PRINTS = (
    re.compile(
        rf"\}}\s*+catch\b\s*+(?:\(([^()]{{0,200}})\)\s*+)?\{{\s*+{printed}"
        rf"(?:return\b\s*+{_NOTHING}?\s*+;?\s*+)?\}}",
        re.DOTALL,
    )
    for printed in ("", _PRINTED)
)  # of the code, where comments are blank
_WIDE = re.compile(r"\b(?:Exception|Throwable|Error|RuntimeException|IOException|SQLException)\b")
_LOST = re.compile(
    r"\.\s*+catch\s*+\(\s*+(?:(?:\(\s*+\w*+\s*+\)|\w++)\s*+=>\s*+(?:\{\s*+\}|undefined|null)|console\.\w++)\s*+\)"
)


def silent(path: str, text: str, *, anything: bool = False, told: bool = False) -> Iterator[str]:
    """What stands in each `try` that drops everything, or `anything`; where it is `told` in a log, too."""
    family = language(path) or ""
    if family == "python":
        yield from _python(text, told=told)
    elif family in {"js", "java"}:
        yield from _caught(text, family, anything=anything, told=told)


def _caught(text: str, family: str, *, anything: bool, told: bool) -> Iterator[str]:
    """Bodies of `try` whose `catch` is empty and broad; in JavaScript what stands before an empty `.catch`."""
    code = scan(text, family).code
    pairs = brackets(code, "{}")
    opened = {end: begin for begin, end in pairs.closed.items()}
    for match in (_PRINTS if told else _EMPTY).finditer(code):
        begin = opened.get(match.start() + 1)
        if begin is not None and (anything or family == "js" or _WIDE.search(match[1] or "")):
            yield text[begin + 1 : match.start()]
    for match in _LOST.finditer(code) if family == "js" else ():
        begin = max(code.rfind(mark, 0, match.start()) for mark in ";{}\n")
        yield text[begin + 1 : match.start()]


def _python(text: str, *, told: bool) -> Iterator[str]:
    try:
        nodes = of(parsed(text), ast.Try, ast.With)
    except UNREADABLE:
        return
    lines = split(text)
    for node in nodes:
        if isinstance(node, ast.Try):
            lost = any(_drops(handler, told=told) for handler in node.handlers)
        elif isinstance(node, ast.With):
            lost = any(_suppresses(item.context_expr) for item in node.items)
        else:
            continue
        yield from (segment(lines, statement) for statement in node.body if lost)


def _drops(handler: ast.ExceptHandler, *, told: bool) -> bool:
    empty = all(
        isinstance(one, ast.Pass | ast.Continue)
        or (isinstance(one, ast.Expr | ast.Return) and _is_nothing(one.value))
        or (told and isinstance(one, ast.Expr) and PRINTS["python"].match(unparsed(one)))
        for one in handler.body
    )
    return empty and (handler.type is None or _is_broad(handler.type))


def _is_nothing(node: ast.expr | None) -> bool:
    """A constant, or an empty literal."""
    parts = [*ast.iter_child_nodes(node)] if node is not None else []
    literal = isinstance(node, ast.Dict | ast.List | ast.Tuple) and all(isinstance(one, ast.Load) for one in parts)
    return node is None or isinstance(node, ast.Constant) or literal


def _suppresses(call: ast.expr) -> bool:
    return isinstance(call, ast.Call) and leaf(call.func) == "suppress" and any(map(_is_broad, call.args))


def _is_broad(node: ast.expr) -> bool:
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return any(isinstance(part, ast.Name) and part.id in _BROAD for part in parts)
