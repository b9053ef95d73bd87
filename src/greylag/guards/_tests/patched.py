"""Test code of Python that replaces a function or class of the sources: by its attribute, its namespace, its module."""

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from greylag.guards._code.bindings import HERE, Bound, bindings
from greylag.guards._code.fresh import Mark
from greylag.guards._code.python_tree import UNREADABLE, Function, children, leaf, parsed, unparsed, walk
from greylag.guards._code.source import LARGEST
from greylag.guards._guard import read
from greylag.guards._tests.origins import Sources, is_source

_SPACES = frozenset({"__dict__", "__globals__"})
_WHOLE = frozenset({"__dict__", "__class__", "__defaults__", "__kwdefaults__"})  # change what they belong to
_FILLS = frozenset({"update", "__setitem__", "__delitem__", "__ior__", "pop", "popitem", "clear"})
_ITEMS = frozenset({"setitem", "delitem", "dict"})  # of `monkeypatch`, `operator` and `patch`
_SETS = frozenset({"setattr", "delattr", "__setattr__", "__delattr__", "patch", "object"})
_SAME = frozenset({"vars", "getattr", "getmodule", "unwrap", "type"})  # lead to what they are given
_IMPORTS = frozenset({"import_module", "__import__", "reload"})
SET_UPS = frozenset(
    {"setup_module", "setUpModule", "setup_function", "setup_class", "setUpClass", "setup_method", "setUp", "setup"}
)
_FAR = 5  # names that are followed one after the other


@dataclass
class Own:
    """Names that a file imports, and the files of the sources that they are from."""

    head: Sources
    path: str
    bound: dict[str, Bound]
    known: dict[str, str | None] = field(default_factory=dict)
    names: dict[str, frozenset[str]] = field(default_factory=dict)
    values: dict[str, ast.expr] = field(default_factory=dict)  # of names that are put to something once
    rewriters: dict[str, frozenset[str]] = field(default_factory=dict)
    followed: int = 0

    @classmethod
    def of(cls, head: Sources, path: str, text: str, tree: ast.Module) -> "Own":
        """Those of a file; a name that is put to something has the last value."""
        own = cls(head, path, {bound.name: bound for bound in bindings("python", text) if bound.module != HERE})
        for node in walk(tree):
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                own.values[node.targets[0].id] = node.value
        return own

    def source(self, name: str) -> str | None:
        """The source that a name is from."""
        if name not in self.known:
            bound = self.bound.get(name)
            found = self.head.find(self.path, bound.module, bound.symbol) if bound else None
            self.known[name] = found if is_source(found) else None
        return self.known[name]

    def module(self, name: str) -> str | None:
        """The source that a module of this full name is."""
        found = self.head.find("x.py", name) if name else None
        return found if is_source(found) else None

    def defined(self, path: str) -> frozenset[str]:
        """Functions and classes of a source, and what it imports."""
        if path not in self.names:
            bound = bindings("python", (read(self.head.tree, path) or "")[:LARGEST])
            self.names[path] = frozenset(one.name for one in bound if one.made and not one.inner)
        return self.names[path]

    def origin(self, node: ast.expr) -> str | None:
        """The source that an expression leads into."""
        names: list[str] = []
        while isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            source = self.source(node.id) or self._value(node.id, self.origin)
            return (source and names and self._below(node.id, names[::-1])) or source
        if isinstance(node, ast.Subscript) and leaf(node.value) == "modules":
            return self.module(_text(node.slice)) or (None if _text(node.slice) else self.origin(node.slice))
        if isinstance(node, ast.Call) and node.args:
            if leaf(node.func) in _IMPORTS:
                return self.module(_text(node.args[0])) or self.origin(node.args[0])
            return self.origin(node.args[0]) if leaf(node.func) in _SAME else None
        return None

    def _value(self, name: str, way: Callable[[ast.expr], str | None]) -> str | None:
        """What a name leads to by what it was put to; not on and on."""
        value = self.values.get(name)
        if value is None or self.followed > _FAR:
            return None
        self.followed += 1
        found = way(value)
        self.followed -= 1
        return found

    def rewriting(self, path: str) -> frozenset[str]:
        """Functions of a source that change the code, or the names, of something."""
        if path not in self.rewriters:
            body = parsed((read(self.head.tree, path) or "")[:LARGEST]).body if self.defined(path) else []
            functions = [part for part in body if isinstance(part, Function)]
            self.rewriters[path] = frozenset(one.name for one in functions if any(map(_rewrites, walk(one))))
        return self.rewriters[path]

    def _below(self, name: str, names: list[str]) -> str | None:
        """A module of a package: `calc.core` where only `calc` is imported."""
        bound = self.bound.get(name)
        whole = ".".join(filter(None, (bound.module, bound.symbol, names[0]))) if bound else ""
        found = self.head.find(self.path, whole) if whole else None
        return found if is_source(found) else None

    def space(self, node: ast.expr) -> str | None:
        """The source whose names an expression holds as a dictionary."""
        if isinstance(node, ast.Attribute) and node.attr in _SPACES:
            return self.origin(node.value)
        if isinstance(node, ast.Call) and node.args and leaf(node.func) in {"vars", "getattr"}:
            named = leaf(node.func) == "vars" or (len(node.args) > 1 and _text(node.args[1]) in _SPACES)
            return self.origin(node.args[0]) if named else None
        if isinstance(node, ast.Name):
            return self._value(node.id, self.space)
        whole, _, last = _text(node).rpartition(".")
        return self.module(whole) if last in _SPACES else None


def patched(head: Sources, path: str, text: str) -> Iterator[Mark]:
    """Statements that replace a function or class of the sources: while the file is loaded, or in a `conftest.py`."""
    try:
        tree = parsed(text)
        own = Own.of(head, path, text, tree)
        everywhere = path.rpartition("/")[2] == "conftest.py"
        yield from list(_patches(tree, own, _started(tree), everywhere=everywhere, inner=False))
    except UNREADABLE:
        return


def _started(tree: ast.Module) -> frozenset[str]:
    """Functions of a file that are called while it is loaded."""
    bodies = {node.name: node for node in tree.body if isinstance(node, Function)}
    found: set[str] = set()
    rest: list[ast.AST] = [tree]
    while rest:
        node = rest.pop()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in bodies.keys() - found:
            found.add(node.func.id)
            rest += bodies[node.func.id].body
        rest += (part for part in children(node) if not isinstance(part, Function | ast.Lambda))
    return frozenset(found)


def _patches(
    node: ast.AST, own: Own, started: frozenset[str], *, everywhere: bool, inner: bool, start: bool = False
) -> Iterator[Mark]:
    for part in children(node):
        is_function = isinstance(part, Function | ast.Lambda)
        name = part.name if isinstance(part, Function) else ""
        within = inner or (is_function and name not in started)
        starts = start or (name in SET_UPS and not inner)
        if within and not (everywhere or starts):
            continue
        words = target(part, own)
        if words and isinstance(part, ast.expr):
            undone = isinstance(part, ast.Call) and leaf(part.func) in _ITEMS
            sure = not within or (_is_space(part) and not undone)
            yield Mark(words.lstrip("?"), part.lineno, words if sure else f"?{words.lstrip('?')}")
        yield from _patches(part, own, started, everywhere=everywhere, inner=within, start=starts)


def _is_space(node: ast.expr) -> bool:
    """Whether it goes by a way that is none for a fake."""
    return any(
        (isinstance(part, ast.Attribute) and part.attr in _SPACES) or (isinstance(part, ast.Name) and part.id == "vars")
        for part in walk(node)
    )


def target(node: ast.AST, own: Own) -> str:
    """What of the sources is replaced, as dotted name; nothing else than functions and classes counts."""
    if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
        if leaf(node.value) == "modules":
            return _module(own, node.slice)
        return _filled(own, node.value, [node.slice])
    if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
        return _attribute(node.value, node.attr, own)
    return _call(node, own) if isinstance(node, ast.Call) else ""


def _attribute(owner: ast.expr, attribute: str, own: Own) -> str:
    source = own.origin(owner)
    if source is None:
        return ""
    whole = attribute in _WHOLE and (isinstance(owner, ast.Attribute | ast.Name) and _is_made(owner, own, source))
    return f"{_short(owner)}.{attribute}" if whole or attribute in own.defined(source) else ""


def _is_made(owner: ast.expr, own: Own, source: str) -> bool:
    """Whether it is a module, a function or a class, and not some value."""
    bound = own.bound.get(owner.id) if isinstance(owner, ast.Name) else None
    name = leaf(owner) if bound is None else bound.symbol
    stem = source.removesuffix("/__init__.py").removesuffix(".py").rpartition("/")[2]
    return name in own.defined(source) or name in {"", stem}


def _module(own: Own, key: ast.expr) -> str:
    named = _text(key)
    source = own.module(named) if named else own.origin(key)
    return f"sys.modules[{named or _short(key)}]" if source else ""


def _filled(own: Own, space: ast.expr, keys: Sequence[ast.expr | str | None]) -> str:
    """What is put into the names of a source; a name that is not known may be that of any function."""
    names = [key if isinstance(key, str) else _text(key) if key is not None else "" for key in keys]
    if isinstance(space, ast.Call) and not space.args and leaf(space.func) in {"globals", "vars", "locals"}:
        return next((f"{_short(space)}[{name}]" for name in names if name and own.source(name)), "")
    source = own.space(space)
    if source is None:
        return ""
    defined = own.defined(source)
    unknown = defined and (not names or "" in names)
    return _short(space) if unknown or any(name in defined for name in names) else ""


def _keys(node: ast.Call, first: int) -> list[ast.expr | str | None]:
    """Names in what is given from an argument on: a dictionary, a key, or keywords; None for one that is not known."""
    keys: list[ast.expr | str | None] = [word.arg for word in node.keywords]
    for value in node.args[first : first + 1]:
        keys += value.keys if isinstance(value, ast.Dict) else [value]
    return keys


def _call(node: ast.Call, own: Own) -> str:
    name, args = leaf(node.func), node.args
    on = node.func.value if isinstance(node.func, ast.Attribute) else None
    if on is not None and (name in _FILLS or (name in _ITEMS and args)):
        first = int(name in _ITEMS or (leaf(on) == "dict" and bool(args)))
        return _fill(own, args[0] if first else on, _keys(node, first))
    if name == "exec" and len(args) > 1:
        return _filled(own, args[1], [])
    return _set(node, name, on, own) if name in _SETS and args else _through(node, own)


def _fill(own: Own, space: ast.expr, keys: Sequence[ast.expr | str | None]) -> str:
    if leaf(space) == "modules" or _text(space) == "sys.modules":
        return next((words for key in keys if (words := _of_modules(own, key))), "")
    return _filled(own, space, keys)


def _of_modules(own: Own, key: ast.expr | str | None) -> str:
    if isinstance(key, str):
        return f"sys.modules[{key}]" if own.module(key) else ""
    return _module(own, key) if key is not None else ""


def _set(node: ast.Call, name: str, on: ast.expr | None, own: Own) -> str:
    args = node.args
    if name.startswith("__") and on is not None and own.origin(on) and len(args) < (3 if "set" in name else 2):
        args = [on, *args]  # `calc.__setattr__("add", f)`
    whole, _, attribute = _text(args[0]).rpartition(".")
    if whole:
        source = own.module(whole)
        return f"{whole}.{attribute}" if source and attribute in own.defined(source) else ""
    if len(args) < 2:
        return ""
    if not isinstance(args[1], ast.Constant) and name != "object":
        source = own.origin(args[0])
        made = source and own.defined(source) and _is_made(args[0], own, source)
        return f"?{_short(args[0])}.{_short(args[1])}" if made else ""
    return _attribute(args[0], _text(args[1]), own)


def _through(node: ast.Call, own: Own) -> str:
    """A function of the sources that changes the code of what it is given."""
    source = own.origin(node.func) if node.args and any(own.origin(value) for value in node.args) else None
    if source is None:
        return ""
    bound = own.bound.get(leaf(node.func)) if isinstance(node.func, ast.Name) else None
    name = (bound and bound.symbol) or leaf(node.func)
    return _short(node) if name in own.rewriting(source) else ""


def _rewrites(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
        return node.attr == "__code__"
    if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
        return leaf(node.value) in _SPACES
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute) and node.func.attr in _FILLS:
        return leaf(node.func.value) in _SPACES
    return leaf(node.func) in {"setattr", "__setattr__"} and any(_text(value) == "__code__" for value in node.args)


def _short(node: ast.expr) -> str:
    return unparsed(node)[:80]


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.BinOp) and isinstance(node.left, ast.Constant) and isinstance(node.right, ast.Constant):
        return f"{_text(node.left)}{_text(node.right)}" if isinstance(node.op, ast.Add) else ""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
