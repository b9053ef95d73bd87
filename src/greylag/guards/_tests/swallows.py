"""Test code that swallows what an assertion raises, so that a failed test passes."""

import ast
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from greylag.guards._cases.dialects import DIALECTS, Dialect
from greylag.guards._code.blocks import blocks
from greylag.guards._code.fresh import Mark
from greylag.guards._code.python_tree import UNREADABLE, Function, leaf, of, parsed, unparsed, walk
from greylag.guards._code.source import Source, brackets, language, plain, scan

_FAILURES = frozenset({"AssertionError", "failureException", "Failed"})
_ALL = frozenset({"Exception", "BaseException"})
_ASSERTS = re.compile(r"assert\w*|fail|expect")
_SPEAKS = re.compile(r"assert|fail$|fail_|raises$|expect|check|verify|exit$|skip$")
_RAISES = re.compile(r"raises|assertRaises(?:Regex)?")
_WORDS = re.compile(  # calls that only tell people something
    r"p?print\w*|warn\w*|info|debug|error|exception|critical|fatal|log|write\w*|s?echo|secho|trace\w*|emit|note"
)
_BLOCKS = (ast.Try, ast.TryStar, ast.With, ast.AsyncWith, ast.FunctionDef, ast.AsyncFunctionDef)
_TRY = re.compile(r"\btry\s*(?:\([^(){}]{0,500}\)\s*)?(?=\{)|\brunCatching\s*(?=\{)")
_CATCH = re.compile(r"\s*catch\s*(?:\((?P<what>[^()]{0,500})\)\s*)?(?=\{)")
_FINALLY = re.compile(r"\s*finally\s*(?=\{)")
_RAISED: Mapping[str, re.Pattern[str]] = {  # what a catch must name for an assertion to be caught by it
    "js": re.compile(r""),
    "java": re.compile(r"\b(?:\w*Assert\w*(?:Error|Exception)|Throwable|Error|XunitException|\w*ComparisonFailure)\b"),
    "cs": re.compile(r"^\s*$|\b(?:System\.)?Exception\b|\b\w*Assert\w*Exception\b|XunitException"),
}
_PASSES_ON = re.compile(
    r"\bthrow\b|\b(?:assert|expect|fail|reject|verify|should|XCT)\w*\b"
    r"|\bt\.(?!print|get|to[A-Z]|stack|message)\w+\s*\(|\bdone\s*\(\s*\w"
)
_WIDEST = 2000  # characters of a handler that tell it from others
_LEAVES = re.compile(r"\breturn\b")
_DROPPED = re.compile(
    r"\bexpect\b[^;\n]{0,500}\.catch\s*\(\s*(?:async\s*)?(?:\(\s*\w*\s*\)|\w+)\s*=>\s*(?:\{\s*\}|\w+|\(\{\s*\}\))\s*\)"
    r"|\b_\s*=\s*(?:\w+::)*catch_unwind\b"
    r"|\b(?:assert|require|is)\.New\s*\(\s*(?:new\s*\(\s*testing\.[TBF]\s*\)|&testing\.[TBF]\s*\{)"
)


def swallows(path: str, text: str) -> Iterator[Mark]:
    """Handlers that catch a failed assertion and go on; the key is the handler, whatever it is around."""
    family = language(path) or ""
    if family == "python":
        try:
            yield from [mark for node in of(parsed(text), *_BLOCKS) for mark in _python(node)]
        except UNREADABLE:
            return
    elif family in DIALECTS:
        source = scan(text, family)
        for match in _DROPPED.finditer(source.code):
            yield Mark(plain(match[0]), _line(source, match.start()), one_word(match[0]))
        if family == "go":
            yield from _recovered(source)
        if family in _RAISED:
            yield from _blocks(source, DIALECTS[family], _RAISED["cs" if path.endswith(".cs") else family])


def one_word(text: str) -> str:
    """Short form of some code for people."""
    return " ".join(text.split())[-60:]


# -- Python ----------------------------------------------------------------------------------------------------------


def _python(node: ast.AST) -> Iterator[Mark]:
    if isinstance(node, ast.Try | ast.TryStar):
        yield from (_mark(handler, "except") for handler in node.handlers if _drops(node, handler, frozenset()))
        if _asserts(node.body) and any(isinstance(part, ast.Return | ast.Break) for part in node.finalbody):
            yield _mark(node.finalbody[0], "finally: return")
    elif isinstance(node, ast.With | ast.AsyncWith):
        calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
        yield from (_mark(call, leaf(call.func)) for call in calls if _ignores(call, node.body))
    elif isinstance(node, Function):
        given = frozenset(argument.arg for argument in node.args.args)
        for part in walk(node):
            if given and isinstance(part, ast.Try) and not _asserts(part.body):
                drops = (handler for handler in part.handlers if _drops(part, handler, given))
                yield from (_mark(handler, "except") for handler in drops if not _caught(handler.type) & _FAILURES)


def _mark(node: ast.AST, words: str) -> Mark:
    named = f" {unparsed(node.type)}" if isinstance(node, ast.ExceptHandler) and node.type else ""
    line = getattr(node, "lineno", 1)
    return Mark(f"{words} {ast.dump(node)}", line, f"{words}{named}")


def _drops(node: ast.Try | ast.TryStar, handler: ast.ExceptHandler, wrapped: frozenset[str]) -> bool:
    """Whether a handler catches an assertion of the block, or of a function that it was given, and goes on."""
    caught = _caught(handler.type)
    calls = [leaf(part.func) for block in node.body for part in walk(block) if isinstance(part, ast.Call)]
    asserts = _asserts(node.body) or not wrapped.isdisjoint(calls)
    if not (caught & _FAILURES or (caught & _ALL and asserts)):
        return False
    return not (_goes_on(handler) or _speaks(handler.body) or _speaks(node.orelse))


def _goes_on(handler: ast.ExceptHandler) -> bool:
    """Whether what was caught gets somewhere else than into words for people."""
    parts = [part for line in handler.body for part in walk(line)]
    told = {
        inner
        for part in parts if isinstance(part, ast.Call) and _WORDS.fullmatch(leaf(part.func))
        for inner in walk(part)
    }  # fmt: skip
    named = {handler.name}
    for part in parts:
        if isinstance(part, ast.Assign | ast.AnnAssign) and part.value and _names(part.value) & named:
            targets = part.targets if isinstance(part, ast.Assign) else [part.target]
            put = {target.id for target in targets if isinstance(target, ast.Name)}
            if len(put) < len(targets) or not put <= {name for line in handler.body for name in _names(line)}:
                return True  # for what comes later
            named |= put
            told.update(walk(part.value))
    return any(isinstance(part, ast.Name) and part.id in named and part not in told for part in parts if _is_read(part))


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in walk(node) if isinstance(part, ast.Name) and _is_read(part)}


def _is_read(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)


def _caught(kind: ast.expr | None) -> frozenset[str]:
    if kind is None:
        return _ALL
    return frozenset(leaf(part) for part in walk(kind) if isinstance(part, ast.Name | ast.Attribute))


def _ignores(call: ast.Call, body: list[ast.stmt]) -> bool:
    caught = frozenset(name for argument in call.args for name in _caught(argument))
    if leaf(call.func) == "suppress":
        return bool(caught & _FAILURES or (caught & _ALL and _asserts(body)))
    inner = any(isinstance(part, ast.Assert) for block in body for part in walk(block))
    return bool(_RAISES.fullmatch(leaf(call.func)) and caught & (_FAILURES | _ALL) and inner)


def _asserts(body: list[ast.stmt]) -> bool:
    parts = [part for block in body for part in walk(block)]
    calls = (part for part in parts if isinstance(part, ast.Call))
    return any(isinstance(part, ast.Assert) for part in parts) or any(
        _ASSERTS.fullmatch(leaf(call.func)) for call in calls
    )


def _speaks(body: list[ast.stmt]) -> bool:
    """Whether some code raises or asserts by itself."""
    parts = [part for block in body for part in walk(block)]
    if any(isinstance(part, ast.Assert | ast.Raise) for part in parts):
        return True
    return any(isinstance(part, ast.Call) and _SPEAKS.match(leaf(part.func)) for part in parts)


# -- Go --------------------------------------------------------------------------------------------------------------

_RECOVER = re.compile(r"\brecover\s*+\(\s*+\)")
_TELLS = re.compile(  # a failure, or that the value goes on somewhere
    r"\.(?:Errorf?|Fatalf?|Fail|FailNow)\s*+\(|\bpanic\s*+\(|\b(?:assert|require|is|qt)\.|<-|\breturn\s++[^\s}]"
    r"|(?<![:=!<>])=(?!=)|\+\+|\.(?:Store|Done|Add|Send)\s*+\("
)
_NAMED = re.compile(r"\b_\s*+=(?!=)")


def _recovered(source: Source) -> Iterator[Mark]:
    """Deferred functions that end a panic, and say nothing of it but in a log."""
    for match, body in recovers(source):
        if not _TELLS.search(_NAMED.sub("", body)):
            yield Mark(plain(body[:_WIDEST]), _line(source, match), "defer func() { recover() }")


def recovers(source: Source) -> Iterator[tuple[int, str]]:
    """Where a panic of Go is ended, and the function that does so."""
    found, around = [match.start() for match in _RECOVER.finditer(source.code)], blocks(source.code, "go")
    functions = [block for block in around if block.kind == "func"] if found else []
    for place in found:
        last = bisect_left(functions, place, key=lambda block: block.begin)
        near = (block for block in reversed(functions[max(0, last - 50) : last]) if block.end > place)
        if block := next(near, None):
            yield place, source.code[block.begin : min(block.end, block.begin + _WIDEST)]


# -- languages with braces -------------------------------------------------------------------------------------------


def _blocks(source: Source, dialect: Dialect, caught: re.Pattern[str]) -> Iterator[Mark]:
    code, curly = source.code, brackets(source.code, "{}")
    asserts, passes_on, leaves = (_Places.of(pattern, code) for pattern in (dialect.asserts, _PASSES_ON, _LEAVES))
    for match in _TRY.finditer(code):
        begin, end = curly.after(match.end())
        if not asserts.within(begin, end):
            continue
        if match[0].startswith("runCatching"):
            yield Mark("runCatching", _line(source, match.start()), "runCatching")
        while handler := _CATCH.match(code, end):
            begin, end = curly.after(handler.end())
            if caught.search(handler["what"] or "") and not passes_on.within(begin, end):
                where = handler.start() + len(handler[0]) - len(handler[0].lstrip())
                yield Mark(plain(source.text[where:end][:_WIDEST]), _line(source, where), one_word(handler[0]))
        if last := _FINALLY.match(code, end):
            begin, end = curly.after(last.end())
            if leaves.within(begin, end):
                yield Mark(plain(source.text[begin:end][:_WIDEST]), _line(source, begin), "finally { return")


@dataclass(frozen=True, slots=True)
class _Places:
    """Where a pattern is found, by one pass, so that no nesting makes a search quadratic."""

    starts: list[int]

    @classmethod
    def of(cls, pattern: re.Pattern[str], code: str) -> "_Places":
        return cls([match.start() for match in pattern.finditer(code)])

    def within(self, begin: int, end: int) -> bool:
        number = bisect_left(self.starts, begin)
        return number < len(self.starts) and self.starts[number] < end


def _line(source: Source, position: int) -> int:
    return source.code.count("\n", 0, position) + 1
