"""Where a source looks who calls it, or what program it is in, and compares that with words of tests."""

import ast
import re
from collections.abc import Iterator, Mapping
from itertools import islice

from greylag.guards._code.fresh import Mark
from greylag.guards._code.python_tree import UNREADABLE, parsed, walk
from greylag.guards._code.source import Brackets, brackets, language, scan
from greylag.guards._sources.literals import joined

_TESTS = (
    r"[\"'`/][^\"'`\n]{0,40}?(?i:(?<![a-z])tests?(?![a-z])|(?<![a-z])test_|py\.?test|unittest|jest|vitest|mocha|junit"
    r"|testng|surefire|phpunit|minitest|rspec|(?<![a-z])spec(?![a-z])|testing\.|TestCase|tRunner)"
)
_RUNNER = (
    r"[\"'`/][^\"'`\n]{0,40}?(?:[._-](?:test|spec)\b|--test\b|(?<!\w)test_|py\.?test|unittest|nose2?|jest|vitest|mocha"
    r"|phpunit|rspec|minitest)"
)
_LOOKS: Mapping[str, re.Pattern[str]] = {  # who calls
    "py": re.compile(
        r"\binspect\.(?:stack|currentframe|getouterframes|trace)\(|\bsys\._(?:getframe|current_frames)\w*\("
        r"|\btraceback\.(?:format_stack|extract_stack|walk_stack|print_stack)\(|\bsys\.modules\[\s{0,9}[\"']__main__[\"']\s{0,9}\]"
    ),
    "js": re.compile(
        r"\bError\(\s{0,9}(?:[\"'`][^\"'`\n]{0,80}[\"'`])?\s{0,9}\)\s{0,9}\.stack\b|\bcaptureStackTrace\("
    ),
    "go": re.compile(r"\bdebug\.Stack\(|\bruntime\.(?:Callers?|Stack|FuncForPC|CallersFrames)\("),
    "java": re.compile(r"\bgetStackTrace\(|\bStackWalker\b|\bThread\.getAllStackTraces\(|\bThread\.callStackSymbols\b"),
    "rb": re.compile(r"\bcaller(?:_locations)?\b(?!\w)"),
    "php": re.compile(r"\bdebug_(?:print_)?backtrace\s*\(|->getTrace(?:AsString)?\("),
    "rs": re.compile(r"\bBacktrace::(?:force_)?capture\("),
}
_ASKS: Mapping[str, re.Pattern[str]] = {  # what program it is, in one line
    "py": re.compile(
        rf"\bsys\.(?:orig_)?argv\b[^\n]{{0,120}}?{_RUNNER}|{_RUNNER}[^\n]{{0,120}}?\bsys\.(?:orig_)?argv\b"
    ),
    "js": re.compile(
        rf"\bprocess\.(?:argv|execArgv|argv0|title)\b[^\n;]{{0,120}}?{_RUNNER}"
        r"|\bnpm_(?:lifecycle_(?:event|script)|command)\b[^\n;]{0,60}[\"'`/](?:test|pretest)|[\"'`]test[\"'`][^\n;]{0,40}\bnpm_(?:lifecycle_event|command)\b"
        r"|\brequire\.main\b[^\n;]{0,60}" + _RUNNER
    ),
    "go": re.compile(
        r"\bos\.Args\b[^\n;]{0,160}?\"[^\"\n]{0,20}?(?:\.test|[-_]test\b)|\"--?test\.(?:[a-z]{1,20})?\"|\"_test\.go\""
    ),
    "java": re.compile(r"\"sun\.java\.command\"[^\n;]{0,160}?\"[^\"\n]{0,40}?(?i:junit|surefire|testng|gradle|test)"),
    "rb": re.compile(
        r"\bdefined\?\s*\(?\s*(?:::)?(?:RSpec|Minitest|Test::Unit)\b|(?:\$0|\$PROGRAM_NAME)\b[^\n]{0,80}"
        + _RUNNER
        + r"|\bconst_defined\?\(?\s*:(?:RSpec|Minitest)\b"
    ),
    "php": re.compile(
        r"\bdefined\(\s{0,9}['\"](?:__)?PHPUNIT\w{0,40}['\"]|\bclass_exists\(\s{0,9}\\?['\"]?\\{0,2}PHPUnit\\"
        r"|\bcount\(\s{0,9}debug_backtrace\(|\$(?:_SERVER|argv|GLOBALS)\b[^\n;]{0,80}?(?i:phpunit|pest\b)"
    ),
}
_KINDS = {
    "py": "py", "js": "js", "jsx": "js", "mjs": "js", "cjs": "js", "ts": "js", "tsx": "js", "mts": "js", "cts": "js",
    "go": "go", "java": "java", "kt": "java", "scala": "java", "groovy": "java", "swift": "java", "cs": "java",
    "rb": "rb", "php": "php", "rs": "rs",
}  # fmt: skip
_DEBUG = re.compile(
    r"(?:[{};]|\breturn)\s*+if\s++!?\s*+cfg!\s*+\(\s*+(?:not\s*+\(\s*+)?debug_assertions\b[\s)]*+(?=\{)"
)
_ELSE = re.compile(r"\s*+else\s*+(?=\{)")
_FAR, _BEFORE, _MOST = 300, 160, 200  # characters behind and before a look, and looks of a file


def looks_around(path: str, text: str) -> Iterator[Mark]:
    """Such places; what is put together at run time cannot be known."""
    kind = _KINDS.get(path.rpartition(".")[2], "")
    if not kind:
        return
    text = joined(text)
    found = [*_called(kind, text), *(match for match in (_ASKS[kind].finditer(text) if kind in _ASKS else ()))]
    comments = scan(text, language(path) or "hash").comments if found else ""
    for match in islice(found, _MOST):
        if not comments[match.start() : match.start() + 1].strip():
            yield _mark(text, match)
    if kind == "py" and "__debug__" in text:
        yield from _debug(text)
    elif kind == "rs" and "debug_assertions" in text:
        code = scan(text, "rust").code
        curly = brackets(code, "{}")
        chosen = islice(_DEBUG.finditer(code), _MOST)
        yield from (_mark(text, match) for match in chosen if _chooses(code, curly, match))


def _mark(text: str, match: re.Match[str]) -> Mark:
    words = " ".join(match[0].split())[:80].lstrip("{}; ")
    return Mark(words, text.count("\n", 0, match.end()) + 1, words)


def _called(kind: str, text: str) -> Iterator[re.Match[str]]:
    tests = re.compile(_TESTS)
    for match in islice(_LOOKS[kind].finditer(text) if kind in _LOOKS else (), _MOST):
        near = text[max(0, match.start() - _BEFORE) : match.start()], text[match.end() : match.end() + _FAR]
        before = near[0].rpartition("\n")[2]
        if tests.search(before) or tests.search("\n".join(near[1].split("\n")[:4])):
            yield match


def _debug(text: str) -> Iterator[Mark]:
    """`if __debug__:` that returns something: tests run without `-O`."""
    try:
        nodes = [node for node in walk(parsed(text)) if isinstance(node, ast.If | ast.IfExp)]
    except UNREADABLE:
        return
    for node in nodes:
        test = node.test.operand if isinstance(node.test, ast.UnaryOp) else node.test
        if isinstance(test, ast.Name) and test.id == "__debug__":
            whole = isinstance(node, ast.IfExp)
            if whole or any(isinstance(part, ast.Return) and part.value for part in walk(node)):
                yield Mark("__debug__", node.lineno, "__debug__")


def _chooses(code: str, curly: Brackets, match: re.Match[str]) -> bool:
    """Whether a build of Rust for tests answers otherwise than one for use."""
    begin, end = curly.after(match.end())
    rest = _ELSE.match(code, end)
    if re.search(r"\breturn\s+[^;\s]", code[begin:end][:5000]):
        return True
    if rest is None:
        return False
    start, stop = curly.after(rest.end())
    return all(
        not part.rstrip("} \t\r\n").endswith(";") and part.strip("{} \t\r\n")
        for part in (code[begin:end], code[start:stop])
    )
