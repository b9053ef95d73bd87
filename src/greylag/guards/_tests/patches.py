"""Test code of Python that changes its runner: classes of pytest and unittest, hooks, reports, built-in names.

Found by `ast`: names that an import binds to a runner are followed through plain assignments, `getattr` and
`sys.modules`. What is put together at run time cannot be followed; in files that a runner loads it is shown as such.
"""

import ast
import re
from collections.abc import Iterator, Mapping

from greylag.guards._code.fresh import Mark
from greylag.guards._code.python_tree import UNREADABLE, Function, leaf, of, parsed, walk

_RUNNERS = frozenset({"pytest", "_pytest", "pluggy", "unittest", "nose", "nose2", "xdist", "builtins"})
_IN_TEXT = re.compile(r"(?:_?pytest|pluggy|unittest|nose2?|xdist)\.(?!mock\b)")
_IN_SOURCE = re.compile(r"\b(?:_?pytest|unittest|pluggy)\b")
_BORROWED = "unittest.mock"  # made for being changed
_HARMLESS = frozenset({"maxDiff", "longMessage", "_MAX_LENGTH", "_diffThreshold", "_"})
_SETS = frozenset({"setattr", "delattr", "__setattr__", "__delattr__", "object", "patch", "update", "setitem"})
_LEFT_ALONE = frozenset({"AssertionError", "BaseException", "Exception", "isinstance", "__build_class__"})
_OF_ANYTHING = frozenset(
    {"runtest", "_testFunction", "_testMethodName", "wasxfail", "shouldstop", "shouldfail", "__code__"}
)
_OF_A_REPORT = frozenset({"outcome", "longrepr", "excinfo", "obj", "failed", "passed"})
_REPORTS = frozenset({"report", "rep", "item", "node", "call", "result", "testreport", "test_report"})
_OPTIONS = frozenset(
    {"keyword", "markexpr", "collectonly", "deselect", "ignore", "ignore_glob", "file_or_dir", "lf", "stepwise"}
)
_HOOKS = re.compile(
    r"pytest_(?:collect\w+|collection|pycollect_make\w+|itemcollected|make_collect_report|ignore_collect"
    r"|runtest_\w+|pyfunc_call|cmdline_p\w+|report_teststatus|report_from_serializable|load_initial_conftests)"
)
_GIVING: tuple[type[ast.AST], ...] = (
    ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.Call, ast.Name, ast.Attribute, ast.Subscript,
)  # fmt: skip
_OPAQUE = frozenset({"exec", "eval", "compile", "CDLL", "PyDLL", "pythonapi"})


def patches(_path: str, text: str) -> Iterator[Mark]:
    """Statements that change a runner; none when the file does not parse, since then it is not run."""
    try:
        module = parsed(text)
        bound = _bound(module)
        hooked = _hooks(module)
        values = _values(module)
        yield from [
            *hooked,
            *(
                mark
                for node in of(module, ast.Attribute, ast.Subscript, ast.Call)
                if (mark := _patch(node, bound, values))
            ),
        ]
    except UNREADABLE:
        return


def runners(path: str, text: str) -> Iterator[Mark]:
    """Of these, in a file that is no test: what is done to pytest, unittest or pluggy by name."""
    if path.endswith(".py") and _IN_SOURCE.search(text):
        yield from (mark for mark in patches(path, text) if re.match(r"(?:_?pytest|unittest|pluggy)\.", mark.words))


def opaque(_path: str, text: str) -> Iterator[Mark]:
    """Calls whose code cannot be read."""
    try:
        nodes = [node for node in of(parsed(text), ast.Call) if isinstance(node, ast.Call)]
        yield from [_mark(node, leaf(node.func)) for node in nodes if leaf(node.func) in _OPAQUE]
    except UNREADABLE:
        return


def _mark(node: ast.stmt | ast.expr, words: str, value: ast.AST | None = None) -> Mark:
    return Mark(f"{words} {ast.dump(node)} {ast.dump(value) if value else ''}", node.lineno, words)


# -- what belongs to a runner ----------------------------------------------------------------------------------------


def _bound(module: ast.Module) -> dict[str, str]:
    """Names of the file -> what of a runner they are."""
    bound = {"__builtins__": "builtins"}
    for node in of(module, ast.Import, ast.ImportFrom, ast.Assign):
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.name if alias.asname else alias.name.partition(".")[0]
                bound |= {alias.asname or name: name} if _owned(name) else {}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            whole = {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            bound |= {name: origin for name, origin in whole.items() if _owned(origin)}
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            origin = _origin(node.value, bound)
            bound |= {node.targets[0].id: origin} if origin else {}
    return bound


def _owned(name: str) -> bool:
    return name.partition(".")[0] in _RUNNERS and not name.startswith(_BORROWED)


def _origin(node: ast.expr, bound: Mapping[str, str]) -> str:
    """The dotted name in a runner that an expression stands for, or nothing."""
    if isinstance(node, ast.Name):
        return bound.get(node.id, "")
    if isinstance(node, ast.Attribute | ast.Subscript):
        inner = _origin(node.value, bound)
        if isinstance(node, ast.Subscript):
            return inner or (_constant(node.slice) if leaf(node.value) == "modules" else "")
        return inner and _kept(f"{inner}.{node.attr}")
    if not isinstance(node, ast.Call) or not node.args:
        return ""
    if leaf(node.func) in {"__import__", "import_module"}:
        return _constant(node.args[0])
    inner = _origin(node.args[0], bound) if leaf(node.func) in {"getattr", "vars", "type"} else ""
    return inner and _kept(f"{inner}.{_text(node.args[1]) if len(node.args) > 1 else '__dict__'}")


def _kept(name: str) -> str:
    return "" if name.startswith(_BORROWED) else name


def _constant(node: ast.expr) -> str:
    return text if _owned(text := _text(node)) else ""


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


# -- what changes it -------------------------------------------------------------------------------------------------


def _values(module: ast.Module) -> dict[ast.AST, ast.expr]:
    """What is assigned to each target, so that another value is another patch."""
    assigned = [node for node in of(module, ast.Assign) if isinstance(node, ast.Assign)]
    return {part: node.value for node in assigned for target in node.targets for part in walk(target)}


def _patch(node: ast.AST, bound: Mapping[str, str], values: Mapping[ast.AST, ast.expr]) -> Mark | None:
    if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
        words = _attribute(node, bound)
    elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
        words = _origin(node, bound)
    elif isinstance(node, ast.Call):
        words = _call(node, bound)
    else:
        return None
    return _mark(node, words, values.get(node)) if words else None


def _attribute(node: ast.Attribute, bound: Mapping[str, str]) -> str:
    owner = leaf(node.value)
    if origin := _origin(node.value, bound):
        return f"{origin}.{node.attr}" if node.attr not in _HARMLESS else ""
    ours = node.attr in _OF_ANYTHING or (node.attr in _OF_A_REPORT and owner in _REPORTS)
    return f"{owner}.{node.attr}" if ours or (owner == "option" and node.attr in _OPTIONS) else ""


def _call(node: ast.Call, bound: Mapping[str, str]) -> str:
    name = leaf(node.func)
    if name in {"force_result", "force_exception"}:
        return name
    if name not in _SETS:
        return ""
    if name == "update" and isinstance(node.func, ast.Attribute):
        return _origin(node.func.value, bound)
    first = node.args[0] if node.args else None
    what = first and (_origin(first, bound) or (_IN_TEXT.match(_text(first)) and _text(first)) or "")
    attribute = _text(node.args[1]) if len(node.args) > 1 else ""
    borrowed = what == "builtins" and name != "delattr" and attribute and attribute not in _LEFT_ALONE
    return f"{what}.{attribute}".rstrip(".") if what and not borrowed and attribute not in _HARMLESS else ""


def _hooks(module: ast.Module) -> Iterator[Mark]:
    """Hooks that decide what is collected, run and reported, however the name gets into the file."""
    for node in of(module, *_GIVING):
        if isinstance(node, ast.stmt | ast.expr):
            yield from (_mark(node, name) for name in _given(node) if _HOOKS.fullmatch(name))


def _given(node: ast.stmt | ast.expr) -> list[str]:
    """Names that a statement or expression gives to something."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name for alias in node.names]
    if isinstance(node, Function):
        return [node.name]
    if isinstance(node, ast.Call):
        return [_text(argument) for argument in node.args[:2]]
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
        return [_text(node.slice) if isinstance(node, ast.Subscript) else leaf(node)]
    return []
