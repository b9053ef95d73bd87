"""Code that ends the process with success where no program ends: in a library, or while a module is imported."""

import ast
import re
from collections.abc import Iterator, Mapping

from greylag.guards._code.fresh import Mark
from greylag.guards._code.python_tree import UNREADABLE, parsed
from greylag.guards._code.source import language, scan
from greylag.kinds import matches

_LEAVES: Mapping[str, re.Pattern[str]] = {
    "python": re.compile(
        r"\bos\s*+\.\s*+_exit\s*+\(\s*+0\s*+\)|(?<![\w.])(?:sys\s*+\.\s*+)?exit\s*+\(\s*+0?\s*+\)|(?<![\w.])quit\s*+\(\s*+0?\s*+\)"
        r"|\braise\s++SystemExit\b(?!\s*+\(\s*+[^\s0)])|\bregister\(\s*+(?:sys\.exit|os\._exit)\b"
    ),
    "js": re.compile(r"\b(?:process|Deno)\s*+\.\s*+(?:exit|reallyExit)\s*+\(\s*+0?\s*+\)"),
    "go": re.compile(r"\b(?:os\.Exit|syscall\.Exit)\s*+\(\s*+0\s*+\)"),
    "java": re.compile(
        r"\b(?:System\s*+\.\s*+exit|exitProcess|getRuntime\s*+\(\s*+\)\s*+\.\s*+(?:halt|exit))\s*+\(\s*+0\s*+\)"
    ),
    "rust": re.compile(r"\bprocess::exit\s*+\(\s*+0\s*+\)"),
    "c": re.compile(r"\b(?:_?exit|_Exit|quick_exit)\s*+\(\s*+(?:0|EXIT_SUCCESS)\s*+\)"),
}
_PROGRAM: Mapping[str, re.Pattern[str]] = {  # what a file of a program has in it
    "python": re.compile(r"\b__name__\b|\bdef\s++main\b|\bargparse\b|\bclick\b|\btyper\b|\bsys\s*+\.\s*+argv\b"),
    "js": re.compile(r"\bprocess\s*+\.\s*+argv\b|\b(?:yargs|commander|minimist|parseArgs|Deno\s*+\.\s*+args)\b"),
    "go": re.compile(r"^package\s++main\b|\bos\.Args\b|\bflag\.Parse\b|\bcobra\.", re.MULTILINE),
    "java": re.compile(r"\bvoid\s++main\s*+\(|\bfun\s++main\s*+\(|\bpicocli\b|\bobject\s++\w++\s++extends\s++App\b"),
    "rust": re.compile(r"\bfn\s++main\b|\benv::args|\bclap\b"),
    "c": re.compile(r"\bmain\s*+\("),
}
_PLACES = (
    "bin/ cmd/ cli/ cli.* cli_*.* *_cli.* scripts/ script/ tools/ examples/ example/ demo/ commands/ main.* __main__.py"
    " *Main.java *Main.kt src/bin/ build.rs setup.py server.* app.*"
)
_EXPECTED = re.compile(r"usage|help|version|print|fork|child|pipe\b|\bSIG[A-Z]{2,9}\b|signal|shutdown", re.IGNORECASE)
_NEAR = 400  # characters before it


def left(path: str, text: str) -> Iterator[Mark]:
    """Places that end the process with success, outside of programs, of help and version, and of signals."""
    family = language(path) or ""
    if family not in _LEAVES or not _LEAVES[family].search(text) or text.startswith("#!") or matches(path, _PLACES):
        return
    code = scan(text, family).code
    if _PROGRAM[family].search(code):
        return
    yield from on_import(path, text)
    for match in _LEAVES[family].finditer(code):
        if not _EXPECTED.search(text[max(0, match.start() - _NEAR) : match.start()]):
            yield Mark(match[0], text.count("\n", 0, match.start()) + 1, " ".join(match[0].split()))


def on_import(path: str, text: str) -> Iterator[Mark]:
    """Statements of a Python module that end the process with success as soon as the module is imported."""
    if language(path) != "python" or not _LEAVES["python"].search(text):
        return
    try:
        body = [*parsed(text).body]
    except UNREADABLE:
        return
    lines = scan(text, "python").code.split("\n")
    while body:
        node = body.pop()
        if isinstance(node, ast.If | ast.Try | ast.With):
            if "__main__" not in ast.dump(node.test if isinstance(node, ast.If) else ast.Pass()):
                body += [*node.body, *getattr(node, "orelse", [])]
        elif isinstance(node, ast.Expr | ast.Raise):
            said = "\n".join(lines[node.lineno - 1 : node.end_lineno])
            if match := _LEAVES["python"].search(said):
                yield Mark(match[0], node.lineno, " ".join(match[0].split()))
