"""What equals everything: classes and matchers whose equality says yes whatever comes, and names for them."""

import ast
import re
from collections.abc import Iterable, Iterator

from greylag.guards._code.fresh import Mark
from greylag.guards._code.python_tree import UNREADABLE, of, parsed, walk
from greylag.guards._code.source import language, scan

_ALWAYS = {
    "rust": re.compile(r"\bfn\s++eq\s*+\(\s*+&\s*+self\b[^(){}]{0,100}\)\s*+->\s*+bool\s*+\{\s*+(?:return\s++)?true\b"),
    "c": re.compile(r"\boperator\s*+==\s*+\([^(){};]{0,200}\)[^(){};]{0,60}\{\s*+return\s++true\s*+;"),
    "hash": re.compile(
        r"^[ \t]*+def[ \t]++(?:===?|eql\?)[ \t]*+\(?[^()\n]{0,60}\)?\s*+;?\s*+true\s*+;?\s*+end\b", re.MULTILINE
    ),
    "js": re.compile(
        r"\basymmetricMatch\b\s*+[:=]?\s*+(?:function\b\s*+)?\([^()]{0,100}\)\s*+(?:=>\s*+)?\{?\s*+(?:return\s++)?(?:true|!0|1)\b"
    ),
    "java": re.compile(
        r"\b[eE]quals\s*+\([^()]{0,100}\)\s*+(?::\s*+Boolean\s*+)?(?:\{\s*+return\s++|=\s*+|=>\s*+)true\b"
    ),
}


def equal_to_all(path: str, text: str) -> Iterator[Mark]:
    """Definitions of an equality that always holds."""
    family = language(path) or ""
    if family in _ALWAYS:
        for match in _ALWAYS[family].finditer(code := scan(text, family).code):
            yield Mark(match[0], code.count("\n", 0, match.start()) + 1, " ".join(match[0].split())[:80])
    elif family == "python" and "__eq__" in text:
        try:
            yield from [Mark(name, line, f"{name}.__eq__") for name, line in always_equal(parsed(text))]
        except UNREADABLE:
            return


def always_equal(module: ast.Module) -> Iterator[tuple[str, int]]:
    """Classes of Python whose `__eq__` says yes whatever comes."""
    for node in [node for node in of(module, ast.ClassDef) if isinstance(node, ast.ClassDef)]:
        for part in node.body:
            if isinstance(part, ast.FunctionDef) and part.name == "__eq__":
                values = [inner.value for inner in walk(part) if isinstance(inner, ast.Return)]
            elif isinstance(part, ast.Assign) and "__eq__" in ast.dump(part.targets[0]):
                values = [part.value.body if isinstance(part.value, ast.Lambda) else None]
            else:
                continue
            if values and all(isinstance(value, ast.Constant) and value.value is True for value in values):
                yield node.name, part.lineno


def wild_names(module: ast.Module) -> frozenset[str]:
    """Names and attributes that stand for something that equals everything."""
    found = {name for name, _ in always_equal(module)}
    for node in of(module, ast.Import, ast.ImportFrom, ast.Assign):
        if isinstance(node, ast.Import | ast.ImportFrom) and "mock" in ast.dump(node):
            found.add("ANY")
        elif isinstance(node, ast.Assign) and is_wild(node.value, found):
            found |= {part.id for part in node.targets if isinstance(part, ast.Name)}
            found |= {part.attr for part in node.targets if isinstance(part, ast.Attribute)}
    return frozenset(found)


def is_wild(node: ast.expr | None, names: Iterable[str]) -> bool:
    """Whether an expression is such a name, or makes an instance of such a class."""
    inner = node.func if isinstance(node, ast.Call) else node
    if isinstance(inner, ast.Attribute):
        return inner.attr in names and (inner.attr != "ANY" or "mock'" in ast.dump(inner.value))
    return isinstance(inner, ast.Name) and inner.id in names
