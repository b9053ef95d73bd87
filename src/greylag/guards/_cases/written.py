"""Claims as they would be written, without blanks: those of Python are kept as dumps of its syntax tree."""

import ast
from functools import lru_cache

from greylag.guards._code.python_tree import UNREADABLE, unparsed

LONGEST = 6000  # characters of a dump
_WORDS = ((" and ", "&&"), (" or ", "||"), (" is not ", "!="), (" not in ", "!in"), (" is ", "=="), ("not ", "!"))


@lru_cache(maxsize=512)
def written(claim: str) -> str:
    """One claim. `and`, `or` and `is` become the operators that other languages have, so that one reader does."""
    if "ctx=Load()" not in claim and not claim.startswith(("Constant(", "UnaryOp(", "Compare(")):
        return claim
    node = read(claim)
    if node is None:
        return ""
    text = unparsed(node)
    for word, operator in _WORDS:
        text = text.replace(word, operator)
    return "".join(text.split())


def read(claim: str) -> ast.expr | None:
    """The expression that a dump tells of; None for another claim, and for one that is too long."""
    if len(claim) > LONGEST:
        return None
    try:
        return _node(ast.parse(claim, mode="eval").body)
    except (*UNREADABLE, AttributeError, TypeError, KeyError):
        return None


def _node(part: ast.expr) -> ast.expr:
    """The expression that a dump tells of."""
    found = _value(part)
    if not isinstance(found, ast.expr):
        raise TypeError
    return found


def _value(part: ast.expr) -> object:
    if isinstance(part, ast.Call) and isinstance(part.func, ast.Name):
        kind = getattr(ast, part.func.id)
        if not (isinstance(kind, type) and issubclass(kind, ast.AST)):
            raise TypeError
        return kind(**{word.arg: _value(word.value) for word in part.keywords if word.arg})
    if isinstance(part, ast.List):
        return [_value(one) for one in part.elts]
    if isinstance(part, ast.UnaryOp) and isinstance(part.operand, ast.Constant):
        return ast.literal_eval(part)
    return part.value if isinstance(part, ast.Constant) else None
