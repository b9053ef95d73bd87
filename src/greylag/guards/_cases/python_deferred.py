"""Code within a function of Python that waits to be called: functions, lambdas, generators, methods.

It counts as run where its name, or the thing itself, is called or handed over: as an argument, returned (but not by a
test, whose answer nobody uses), iterated over, decorated, or put where others find it. Names that get it by an
assignment are followed.
"""

import ast
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence

from greylag.guards._code.python_tree import Function, children, leaf, of, walk

_Key = str | ast.AST  # a name, or a function or generator that has none
_Keys = frozenset[_Key]
_INERT = frozenset(
    {"bool", "callable", "dir", "hasattr", "hash", "help", "id", "isinstance", "len", "print", "repr", "str", "type"}
    | {"partial", "staticmethod", "classmethod", "property", "cached_property", "cache", "lru_cache", "wraps"}
    | {"contextmanager", "asynccontextmanager"}
)
_TASKS = frozenset({"create_task", "ensure_future"})  # lost, unless one waits for the task
_DELAYED = frozenset({"Thread", "Timer", "call_later", "call_soon", "call_at", "call_soon_threadsafe"})  # lost
_LOOPS = frozenset({"", "asyncio", "loop", "event_loop", "threading"})  # of whom these are; a group of tasks waits
_MADE = frozenset({"__init__", "__new__", "__init_subclass__", "__set_name__"})  # run when a class is called
_KEEPS = frozenset(
    {"append", "appendleft", "add", "insert", "extend", "setdefault", "update"}
)  # of a list and the like
_LISTS = frozenset({"list", "set", "dict", "deque", "defaultdict"})
_NONE: _Keys = frozenset()


def uncalled(function: ast.AST, skipped: Container[ast.AST]) -> Iterator[ast.AST]:
    """All such parts of a function that its own statements never come to; `skipped` are those that may not run."""
    if not isinstance(function, Function):
        return
    flow = _Flow(skipped)
    flow.answers = not function.name.startswith("test")
    flow.block(function.body)
    flow.answers = True
    flow.follow()
    waiting = flow.waiting()
    for node in waiting:
        yield from node.body if isinstance(node, Function) else [node]
    names = {node.name for node in waiting if isinstance(node, Function)}
    calls = (node for node in walk(function) if names and isinstance(node, ast.Call))
    yield from (call for call in calls if isinstance(call.func, ast.Name) and call.func.id in names)  # of a generator


class _Flow:
    """What the statements of a function do with what waits."""

    def __init__(self, skipped: Container[ast.AST]) -> None:
        self._skipped = skipped
        self._items: defaultdict[_Key, dict[ast.AST, bool]] = defaultdict(dict)  # and whether a call runs it
        self._behind: defaultdict[_Key, set[_Key]] = defaultdict(set)  # names -> what was assigned to them
        self._used: set[_Key] = set()
        self._called: set[_Key] = set()
        self._outer: set[str] = set()
        self._reached: set[ast.AST] = set()
        self._pending: list[_Key] = []
        self._lists: set[str] = set()  # made by the function
        self.answers = True  # whether somebody takes what is returned

    def waiting(self) -> list[ast.AST]:
        return [node for items in self._items.values() for node in items if node not in self._reached]

    def follow(self) -> None:
        """Go on with what is reached by now, until there is nothing new."""
        while self._pending:
            key = self._pending.pop()
            used = key in self._used
            (self._use if used else self._run)(self._behind.get(key, ()))
            for node, runs in list(self._items.get(key, {}).items()):
                if node not in self._reached and (runs or used):
                    self._reached.add(node)
                    self._enter(node)

    def _enter(self, node: ast.AST) -> None:
        if isinstance(node, Function):
            self.block(node.body)
        elif isinstance(node, ast.Lambda):
            self._use(self._of(node.body))
        elif isinstance(node, ast.GeneratorExp):
            self._use(self._loop(node.generators, [node.elt]))

    def _use(self, keys: Iterable[_Key]) -> None:
        new = set(keys) - self._used
        self._used |= new
        self._pending += new

    def _run(self, keys: Iterable[_Key]) -> None:
        """Called, which is not all that a generator wants."""
        new = set(keys) - self._called
        self._called |= new
        self._pending += new

    def _put(self, name: str, keys: _Keys) -> None:
        self._behind[name] |= keys
        self._pending += [name] if keys and (name in self._used or name in self._called) else []

    def _wait(self, key: _Key, node: ast.AST, *, runs: bool) -> None:
        self._items[key][node] = runs
        self._pending += [key] if key in self._used or key in self._called else []

    # -- statements

    def block(self, body: Iterable[ast.AST], owner: str = "") -> None:
        for node in body:
            if node not in self._skipped:
                self._statement(node, owner)

    def _statement(self, node: ast.AST, owner: str) -> None:
        if isinstance(node, Function):
            self._defined(node, owner)
        elif isinstance(node, ast.ClassDef):
            keys = self._all([*node.bases, *(word.value for word in node.keywords)])
            self._put(node.name, keys)
            self._use([node.name] if self._marked(node) or node.keywords else [])
            self.block(node.body, node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            keys = self._of(node.value) if node.value else _NONE
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                self._stored(target, keys)
                if isinstance(target, ast.Name) and node.value and _is_list(node.value):
                    self._lists.add(target.id)
            if owner:
                self._put(owner, keys)
        elif isinstance(node, ast.Return):
            keys = self._of(node.value) if node.value else _NONE
            self._use(keys if self.answers else _NONE)
        elif isinstance(node, ast.For | ast.AsyncFor):
            self._iterated(node)
            self.block([*node.body, *node.orelse])
        elif isinstance(node, ast.Global | ast.Nonlocal):
            self._outer.update(node.names)
        else:
            self._others(node, owner)

    def _others(self, node: ast.AST, owner: str) -> None:
        if isinstance(node, ast.withitem):
            keys = self._of(node.context_expr)
            self._use(keys)
            if node.optional_vars:
                self._stored(node.optional_vars, keys)
            return
        for part in children(node):
            if isinstance(part, ast.expr):
                self._of(part)
            elif part not in self._skipped:
                self._statement(part, owner)

    def _defined(self, node: Function, owner: str) -> None:
        marked = self._marked(node)
        self._all([*node.args.defaults, *(default for default in node.args.kw_defaults if default)])
        plain = isinstance(node, ast.FunctionDef) and not yields(node)
        self._wait(owner or node.name, node, runs=node.name in _MADE if owner else plain)
        self._use([owner or node.name] if marked or node.name in self._outer else [])

    def _marked(self, node: Function | ast.ClassDef) -> bool:
        self._use(self._all(node.decorator_list))
        calls = [mark.func if isinstance(mark, ast.Call) else mark for mark in node.decorator_list]
        return any(leaf(mark) not in _INERT for mark in calls)

    def _iterated(self, node: ast.For | ast.AsyncFor | ast.comprehension) -> None:
        keys = self._of(node.iter)
        self._use(keys if not isinstance(node.iter, ast.Tuple | ast.List) else _NONE)
        self._stored(node.target, keys)

    def _stored(self, target: ast.AST, keys: _Keys) -> None:
        """Something else than a name of the function's own is found by others."""
        root = target
        while isinstance(root, ast.Attribute | ast.Subscript | ast.Starred):
            root = root.value
        if isinstance(root, ast.Tuple | ast.List):
            for part in root.elts:
                self._stored(part, keys)
        elif isinstance(root, ast.Name) and root.id not in self._outer and (root is target or root.id in self._behind):
            self._put(root.id, keys)
        else:
            self._use(keys)

    # -- expressions

    def _all(self, nodes: Iterable[ast.expr]) -> _Keys:
        return _NONE.union(*[self._of(node) for node in nodes])

    def _of(self, node: ast.AST) -> _Keys:
        """What a value may hold of what waits."""
        keys = _NONE
        if node in self._skipped:
            return keys
        if isinstance(node, ast.Name):
            keys = frozenset({node.id})
        elif isinstance(node, ast.Lambda | ast.GeneratorExp):
            self._wait(node, node, runs=isinstance(node, ast.Lambda))
            keys = frozenset({node})
        elif isinstance(node, ast.Call):
            keys = self._call(node)
        elif isinstance(node, ast.ListComp | ast.SetComp):
            keys = self._loop(node.generators, [node.elt])
        elif isinstance(node, ast.DictComp):
            keys = self._loop(node.generators, [node.key, node.value])
        else:
            keys = self._parts(node)
        return keys

    def _parts(self, node: ast.AST) -> _Keys:
        keys = self._all(part for part in children(node) if isinstance(part, ast.expr))
        if isinstance(node, ast.NamedExpr):
            self._stored(node.target, keys)
        if isinstance(node, ast.Await | ast.Yield | ast.YieldFrom):
            self._use(keys)
        return _NONE if isinstance(node, ast.Compare | ast.JoinedStr | ast.UnaryOp) else keys

    def _call(self, node: ast.Call) -> _Keys:
        keys = self._of(node.func)
        given = self._all([*node.args, *(word.value for word in node.keywords)])
        if leaf(node.func) in _INERT:
            return keys | given
        if leaf(node.func) in _TASKS | _DELAYED and _owner(node.func) in _LOOPS:
            return given if leaf(node.func) in _TASKS else _NONE
        kept = node.func.value if isinstance(node.func, ast.Attribute) and node.func.attr in _KEEPS else None
        if isinstance(kept, ast.Name) and kept.id in self._lists - self._outer:
            self._put(kept.id, given)
            return _NONE
        self._use(given)
        if isinstance(node.func, ast.Attribute):
            self._use(keys)
        self._run(keys)
        return keys

    def _loop(self, loops: Sequence[ast.comprehension], values: Iterable[ast.expr]) -> _Keys:
        for loop in loops:
            self._iterated(loop)
            self._all(loop.ifs)
        return self._all(values)


def _is_list(node: ast.expr) -> bool:
    return isinstance(node, ast.List | ast.Set | ast.Dict) or (
        isinstance(node, ast.Call) and leaf(node.func) in _LISTS and not node.args
    )


def yields(node: Function) -> bool:
    """Whether a function is a generator."""
    if not of(node, ast.Yield, ast.YieldFrom):
        return False
    rest: list[ast.AST] = [*node.body]
    while rest:
        part = rest.pop()
        if isinstance(part, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(part, ast.Lambda | Function | ast.ClassDef):
            rest += children(part)
    return False


def _owner(node: ast.expr) -> str:
    return leaf(node.value) if isinstance(node, ast.Attribute) else ""
