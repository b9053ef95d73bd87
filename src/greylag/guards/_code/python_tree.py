"""Files of Python as syntax trees. A text is parsed once, whoever asks: so nobody may change what is handed out."""

import ast
import re
from collections.abc import Sequence

from greylag.guards._code.kept import kept

Function = ast.FunctionDef | ast.AsyncFunctionDef
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)  # what parsing raises, and too deep a tree later
_KEPT = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef)  # of which what is below is asked for again and again
_BELOW = "_below"
_WORDS = "id attr arg type_comment kind level module asname is_async conversion simple"
_PLAIN = frozenset(_WORDS.split())  # fields that hold no nodes
_KINDS = [kind for kind in vars(ast).values() if isinstance(kind, type) and issubclass(kind, ast.AST)]
_HOLDING = {
    kind: () if kind is ast.Constant else tuple(name for name in kind._fields if name not in _PLAIN) for kind in _KINDS
}
_LINES = re.compile(r"\r\n|\r|\n")


@kept
def parsed(text: str) -> ast.Module:
    """The tree of a file. Raises one of `UNREADABLE`."""
    return ast.parse(text)


def walk(node: ast.AST) -> Sequence[ast.AST]:
    """A node and all below it, in the order of `ast.walk`."""
    known: Sequence[ast.AST] | None = getattr(node, _BELOW, None)
    if known is not None:
        return known
    found = [node]
    for one in found:  # grows
        for name in _HOLDING[type(one)]:
            value = getattr(one, name, None)
            if isinstance(value, list):
                found += [part for part in value if isinstance(part, ast.AST)]
            elif isinstance(value, ast.AST):
                found.append(value)
    if isinstance(node, _KEPT):
        setattr(node, _BELOW, found)
    return found


def of(node: ast.AST, *kinds: type[ast.AST]) -> Sequence[ast.AST]:
    """What of these kinds is in a node, in the order of `walk`."""
    return [one for one in walk(node) if type(one) in kinds]


def children(node: ast.AST) -> list[ast.AST]:
    """What is right below a node, but for marks without anything in them, such as `Load`."""
    found: list[ast.AST] = []
    for name in _HOLDING[type(node)]:
        value = getattr(node, name, None)
        if isinstance(value, list):
            found += [part for part in value if isinstance(part, ast.AST)]
        elif isinstance(value, ast.AST) and value._fields:
            found.append(value)
    return found


def leaf(node: ast.AST) -> str:
    """The last name of a dotted one; empty for any other expression."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def split(text: str) -> list[str]:
    """The lines of a file as Python counts them."""
    return _LINES.split(text)


def segment(lines: Sequence[str], node: ast.stmt | ast.expr) -> str:
    """The text of a node in these lines. The standard library's way takes the whole file apart for each."""
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    whole = [line.encode("utf-8", "surrogatepass") for line in lines[first : last + 1]]
    whole[-1] = whole[-1][: node.end_col_offset]
    whole[0] = whole[0][node.col_offset :]
    return b"\n".join(whole).decode("utf-8", "replace")


def unparsed(node: ast.AST) -> str:
    """A node as it would be written; its dump where no Python of this version can write it, as some f-strings."""
    try:
        return ast.unparse(node)
    except (ValueError, RecursionError):
        return ast.dump(node)
