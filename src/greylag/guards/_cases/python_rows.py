"""Tables that a test of Python is run with: `parametrize`, parameters of fixtures, loops over literals."""

import ast
from collections.abc import Iterator, Mapping, Sequence

from greylag.guards._code.python_tree import Function, leaf, walk

_Tables = Mapping[str, tuple[str, ...]]  # name -> its rows
_TABLES = frozenset({"parametrize", "expand", "parameterized", "data", "idata", "params", "subTest"})
_ONE = frozenset({"example", "case", "testcase"})  # a decorator for each row
_LEAST = 2  # entries that make a literal a table


def tables(module: ast.Module) -> dict[str, tuple[str, ...]]:
    """Literals that the module gives names to, and parameters of its fixtures under the names of these."""
    found: dict[str, tuple[str, ...]] = {}
    for node in module.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            names = node.targets if isinstance(node, ast.Assign) else [node.target]
            entries = _entries(node.value, found)
            found |= {name.id: entries for name in names if isinstance(name, ast.Name) and len(entries) >= _LEAST}
        elif isinstance(node, Function):
            found |= {f"{node.name}()": params for mark in node.decorator_list if (params := _params(mark, found))}
    return found


def rows(node: Function, marks: Sequence[ast.expr], known: _Tables) -> tuple[str, ...]:
    """Every row of every table, as text that a move does not change."""
    return tuple(_rows(node, marks, known))


def _rows(node: Function, marks: Sequence[ast.expr], known: _Tables) -> Iterator[str]:
    for mark in marks:
        if isinstance(mark, ast.Call) and leaf(mark.func) in _ONE:
            yield ast.dump(mark)
        elif isinstance(mark, ast.Call) and leaf(mark.func) in _TABLES:
            for value in (*mark.args, *(keyword.value for keyword in mark.keywords if keyword.arg == "argvalues")):
                yield from _entries(value, known)
    for argument in node.args.args:
        yield from known.get(f"{argument.arg}()", ())
    for part in walk(node):
        if isinstance(part, ast.For | ast.AsyncFor):
            entries = _entries(part.iter, known)
            yield from entries if len(entries) >= _LEAST else ()


def _params(mark: ast.expr, known: _Tables) -> tuple[str, ...]:
    if not isinstance(mark, ast.Call) or leaf(mark.func) != "fixture":
        return ()
    return next((_entries(keyword.value, known) for keyword in mark.keywords if keyword.arg == "params"), ())


def _entries(node: ast.expr, known: _Tables) -> tuple[str, ...]:
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return tuple(map(ast.dump, node.elts))
    if isinstance(node, ast.Dict):
        return tuple(
            f"{key and ast.dump(key)}: {ast.dump(value)}" for key, value in zip(node.keys, node.values, strict=True)
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _entries(node.left, known) + _entries(node.right, known)
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"items", "values", "keys"}
    ):
        return _entries(node.func.value, known)
    return known.get(node.id, ()) if isinstance(node, ast.Name) else ()
