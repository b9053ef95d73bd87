"""Python keeps the last of all that is bound to a name: a second `test_add` takes the place of the first one."""

import ast
from collections.abc import Iterator, Sequence

from greylag.guards._code.fresh import Mark
from greylag.guards._code.python_tree import UNREADABLE, parsed, walk
from greylag.guards._code.source import language


def replaced(path: str, text: str) -> Iterator[Mark]:
    """Statements of a module or a class that bind the name of a test, or of a class of tests, before them anew."""
    if language(path) != "python":
        return
    try:
        yield from _of(parsed(text).body, "")
    except UNREADABLE:
        return


def _of(body: Sequence[ast.stmt], prefix: str) -> Iterator[Mark]:
    tests: set[str] = set()
    for node in body:
        for name in _bound(node):
            if name in tests:
                yield Mark(f"{prefix}{name}", node.lineno, name)
            if name.lower().startswith("test") and isinstance(
                node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
            ):
                tests.add(name)
        if isinstance(node, ast.ClassDef):
            yield from _of(node.body, f"{prefix}{node.name}.")


def _bound(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
        case ast.Assign(targets=[ast.Subscript(value=space, slice=ast.Constant(value=str(name)))]) if _is_space(space):
            yield name
        case ast.Assign():
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
            yield name
        case ast.Import() | ast.ImportFrom():
            yield from (alias.asname or alias.name for alias in node.names)
        case ast.Expr(value=ast.Call() as call):
            yield from _given(call)
        case ast.Delete():
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        case _:
            return


def _is_space(node: ast.expr) -> bool:
    """Whether it is what holds the names of the module: `globals()`, `vars()`, the module itself."""
    if isinstance(node, ast.Attribute) and node.attr == "__dict__":
        return _is_space(node.value)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in {"globals", "vars", "locals"}
    own = isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name) and node.slice.id == "__name__"
    return own and isinstance(node, ast.Subscript) and "modules" in ast.dump(node.value)


def _given(call: ast.Call) -> Iterator[str]:
    """Names that a call puts there: `globals().update(a=b)`, `setattr(sys.modules[__name__], "a", b)`."""
    on = call.func.value if isinstance(call.func, ast.Attribute) else call.args[0] if call.args else None
    if on is not None and _is_space(on):
        parts = [part for argument in call.args for part in walk(argument)]
        yield from (part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))
        yield from (word.arg for word in call.keywords if word.arg)
