"""Comparisons in tests of Python, with the values of names put for them: those of the test, its module and fixtures."""

import ast
import builtins
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from greylag.guards._cases.compared import RAISED, Compared
from greylag.guards._code.python_tree import Function, leaf, of, unparsed, walk

_LARGEST = 200  # nodes of an expression that is put for a name
_SAME = frozenset({"assertEqual", "assertEquals", "assertIs", "assert_equal", "assertListEqual", "assertDictEqual"})
_RAISES = frozenset({"raises", "assertRaises", "assertRaisesRegex"})
_SET_UPS = frozenset({"setUp", "setup_method", "setUpClass", "setup_class"})
_BUILT_IN = frozenset(dir(builtins))


class _Value(NamedTuple):
    node: ast.expr
    size: int


Values = Mapping[str, "_Value | None"]  # of names; of `self.x` as such; of what functions return as `x()`


def module_values(module: ast.Module) -> Values:
    """What names of a module stand for that are put to something once, and what its short functions return."""
    known = _Walk(ChainMap())
    again = {name for part in of(module, ast.Global) if isinstance(part, ast.Global) for name in part.names}
    for node in module.body:
        for part in [node, *node.body] if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(part, Function):
                known.function(part, method=part is not node)
            elif isinstance(part, ast.Assign | ast.AnnAssign) and part.value:
                targets = part.targets if isinstance(part, ast.Assign) else [part.target]
                value = known.put(part.value)
                for name in [target.id for target in targets if isinstance(target, ast.Name)]:
                    again |= {name} & known.values.keys()
                    known.values[name] = value
    return {name: value for name, value in known.values.items() if name not in again}


def _is_fixture(node: Function) -> bool:
    return any("fixture" in ast.dump(mark) for mark in node.decorator_list)


def comparisons(node: ast.AST, values: Values) -> Mapping[ast.AST, list[Compared]]:
    """The comparisons of each assertion of a function."""
    if not isinstance(node, Function):
        return {}
    known = _Walk(ChainMap({}, dict(values) if not isinstance(values, dict) else values))
    arguments = [*node.args.posonlyargs, *node.args.args]
    for one in arguments:
        known.values[one.arg] = values.get(f"{one.arg}()")
    for one, default in zip(reversed(arguments), reversed(node.args.defaults), strict=False):
        known.values[one.arg] = known.put(default)
    known.block(node.body)
    return known.found


class _Walk:
    """Statements in their order, with what names stand for at each."""

    def __init__(self, values: ChainMap[str, _Value | None]) -> None:
        self.values = values  # None: of one that is not known any more
        self.found: dict[ast.AST, list[Compared]] = {}

    def function(self, node: Function, *, method: bool) -> None:
        """Of a fixture, or a function that needs nothing: what it returns. Of a set-up: what it puts to `self`."""
        parts = [part.value for part in walk(node) if isinstance(part, ast.Return | ast.Yield)]
        told = parts[0] if len(parts) == 1 and (method or not node.args.args or _is_fixture(node)) else None
        if told is None and node.name not in _SET_UPS:
            return
        inner = _Walk(self.values.new_child())
        inner.block(node.body)
        if told is not None:
            self.values[f"{node.name}()"] = inner.put(told)
        if node.name in _SET_UPS:
            own = inner.values.maps[0]
            self.values.update((name, value) for name, value in own.items() if name.startswith("self."))

    def block(self, body: Iterable[ast.stmt]) -> None:
        for node in body:
            self._statement(node)

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Assert):
            self.found[node] = list(self._compared(node.test))
        elif isinstance(node, ast.Assign):
            self._calls(node.value)
            for target in node.targets:
                self._store(target, node.value)
        elif isinstance(node, ast.AnnAssign) and node.value:
            self._store(node.target, node.value)
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                self._calls(item.context_expr)
                if item.optional_vars:
                    self._forget(item.optional_vars)
            self.block(node.body)
            self._raised(node)
        elif isinstance(node, Function):
            self._branch([node.body])
        elif isinstance(node, ast.Expr):
            self._calls(node.value)
            self._changed(node.value)
        else:
            self._compound(node)

    def _compound(self, node: ast.stmt) -> None:
        bodies = [
            body for name in ("body", "orelse", "finalbody") if isinstance(body := getattr(node, name, None), list)
        ]
        bodies += [part.body for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ()))]
        given = [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
        for part in given:
            self._calls(part)
        self._branch(bodies)
        self._forget(node)
        for part in given:
            self._calls(part)  # what it names is still known

    def _branch(self, bodies: Iterable[list[ast.stmt]]) -> None:
        touched: set[str] = set()
        for body in bodies:
            inner = _Walk(self.values.new_child())
            inner.found = self.found
            inner.block(body)
            touched.update(inner.values.maps[0])
        self.values.update(dict.fromkeys(touched))

    def _changed(self, node: ast.expr) -> None:
        """A call that is a statement may change what it is made on, and a container or object that it is given."""
        call = node.value if isinstance(node, ast.Await) else node
        if isinstance(call, ast.Call):
            if isinstance(call.func, ast.Attribute):
                self.values[_key(call.func.value)] = None
            for name in map(_key, call.args):
                value = self.values.get(name)
                if value and not isinstance(value.node, ast.Constant) and not _is_call(value.node):
                    self.values[name] = None

    def _calls(self, node: ast.expr) -> None:
        for part in walk(node):
            if isinstance(part, ast.NamedExpr):
                self._store(part.target, part.value)
            elif isinstance(part, ast.Lambda) and isinstance(part.body, ast.Call):
                self._changed(part.body)  # whenever it is called
            elif isinstance(part, ast.Call) and leaf(part.func) in _SAME and len(part.args) > 1:
                self.found[part] = list(self._pair(part.args[0], part.args[1]))

    def _store(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            for one, its in zip(target.elts, value.elts, strict=True):
                self._store(one, its)
            return
        put = self.put(value)
        self._forget(target)
        name = _key(target)
        if name and put:
            self.values[name] = put

    def _forget(self, node: ast.AST) -> None:
        for part in walk(node):
            if isinstance(part, ast.Name | ast.Attribute) and not isinstance(part.ctx, ast.Load):
                self.values[_key(part)] = None
            elif isinstance(part, ast.Subscript) and not isinstance(part.ctx, ast.Load):
                self.values[_key(part.value)] = None

    def _compared(self, test: ast.expr) -> Iterator[Compared]:
        for part in walk(test):
            if isinstance(part, ast.NamedExpr):
                self._store(part.target, part.value)
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
            for value in test.values:
                yield from self._compared(value)
        elif isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq | ast.Is):
            yield from self._pair(test.left, test.comparators[0])

    def _pair(self, left: ast.expr, right: ast.expr) -> Iterator[Compared]:
        listed = ast.Tuple | ast.List
        if isinstance(left, listed) and isinstance(right, listed) and len(left.elts) == len(right.elts) > 0:
            for one, other in zip(left.elts, right.elts, strict=True):
                yield from self._pair(one, other)
            return
        sides = self.put(left), self.put(right)
        if sides[0] and sides[1]:
            yield Compared(unparsed(sides[0].node), unparsed(sides[1].node))

    def _raised(self, node: ast.With | ast.AsyncWith) -> None:
        """`with raises(X):` around a block that raises by itself, or asks nothing but what is built in."""
        call = node.items[-1].context_expr
        if isinstance(call, ast.Call) and leaf(call.func) in _RAISES and call.args:
            names = [part for line in node.body for part in of(line, ast.Name) if isinstance(part, ast.Name)]
            asked = {part.id for part in names if isinstance(part.ctx, ast.Load)} - _BUILT_IN
            raised = any(isinstance(part, ast.Raise) for part in node.body) or not asked
            self.found[call] = [Compared(unparsed(call), RAISED if raised else "raised")]

    def put(self, node: ast.expr) -> _Value | None:
        """An expression with the values of its names; None for one that gets too large."""
        bound = {part.id for part in walk(node) if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load)}
        size = sum(1 for _ in walk(node))
        if size > _LARGEST:
            return None
        whole = self._put(node, bound)
        return whole if whole and whole.size <= _LARGEST else None

    def _put(self, node: ast.expr, bound: set[str]) -> _Value | None:
        if isinstance(node, ast.NamedExpr):
            return self._put(node.value, bound)
        name = _key(node)
        if isinstance(node, ast.Call) and not (node.args or node.keywords) and isinstance(node.func, ast.Name):
            name = f"{node.func.id}()"
        known = self.values.get(name) if name and name not in bound else None
        if known:
            return known
        size, fields = 1, dict[str, Any]()
        for field, value in ast.iter_fields(node):
            parts = value if isinstance(value, list) else [value]
            new: list[object] = []
            for part in parts:
                inner = self._put(part, bound) if isinstance(part, ast.expr) else None
                size += inner.size if inner else 1
                new.append(inner.node if inner else part)
                if size > _LARGEST:
                    return None
            fields[field] = new if isinstance(value, list) else new[0]
        return _Value(type(node)(**fields), size)


def _key(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    is_own = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}
    return f"self.{node.attr}" if is_own and isinstance(node, ast.Attribute) else ""


def _is_call(node: ast.expr) -> bool:
    """Whether it is the answer of a function: not that of a class, which is an object that may be changed."""
    call = node.value if isinstance(node, ast.Await) else node
    return (
        isinstance(call, ast.Call) and leaf(call.func)[:1].islower() and leaf(call.func) not in {"list", "dict", "set"}
    )
