"""Programs that the commands of a verification name."""

import re
import shlex
import tomllib
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from posixpath import join, normpath

from greylag.guards._cases.cases import cases
from greylag.guards._code.source import LARGEST
from greylag.guards._gates import gate_tables as tables
from greylag.guards._guard import read
from greylag.kinds import TESTS, VENDORED, matches
from greylag.protocols import Tree

_RUNS_OTHERS = re.compile(  # programs whose first argument is a program or script
    r"(?:ba|da|z|k|a)?sh|busybox|pwsh|powershell|source|\.|!|env|exec|command|nohup|nice|time|timeout|xvfb-run|sudo"
    r"|(?:python|pypy)[\d.]*|coverage|uv|poetry|pipenv|hatch|pdm|rye|run|dlx|x"
    r"|node|nodejs|deno|bun|bunx|npx|npm|pnpm|pnpx|yarn|tsx|ts-node(?:-esm)?|babel-node|esno|jiti|zx|cross-env|c8|nyc"
    r"|ruby|bundle|perl|php|Rscript|\d+[smh]?|[A-Za-z_]\w*=.*",
    re.DOTALL,
)
_RESOLVES = re.compile(r"node|nodejs|bun|tsx|ts-node(?:-esm)?|babel-node|esno|jiti|(?:python|pypy)[\d.]*|-.*")
_FILES_OF = {
    "make": ("Makefile", "makefile", "GNUmakefile"),
    "gmake": ("Makefile", "makefile", "GNUmakefile"),
    "just": ("justfile", "Justfile", ".justfile"),
    "task": ("Taskfile.yml", "Taskfile.yaml"),
    "rake": ("Rakefile",),
}
_MOST = 500  # package.json files, and words of one command, that are looked at
_NODE = (".js", ".cjs", ".mjs", ".ts", "/index.js", "/index.cjs")
_LONGEST = 20_000  # characters of one command
_DEPTH = 3  # shells within shells


def named(base: Tree) -> dict[str, str]:
    """Files that checks of the base commit run -> where that is said. Test files count as tests, not as programs."""
    paths = set(base.paths())
    found: dict[str, str] = {}
    for where, root, words in (*_declared(base), *_scripts(base)):
        for path in started(words, root, paths):
            if not _holds_tests(base, path):
                found.setdefault(path, where)
    return found


def _holds_tests(base: Tree, path: str) -> bool:
    text = read(base, path) or ""
    return matches(path, TESTS) and len(text) <= LARGEST and bool(cases(path, text))


def _declared(base: Tree) -> Iterator[tuple[str, str, list[str]]]:
    try:
        data = tomllib.loads(read(base, ".greylag.toml") or "")
        commands = [*data.get("command", ()), *data.get("verifiers", {}).get("command", {}).get("commands", ())]
    except (ValueError, RecursionError, AttributeError, TypeError):
        return  # such settings stop the run before any guard
    for command in commands:
        for line in (command.get("run"), command.get("prepare")) if isinstance(command, Mapping) else ():
            words = (
                _words(line)
                if isinstance(line, str)
                else [str(word) for word in (line if isinstance(line, list) else ())]
            )
            yield ".greylag.toml", str(command.get("root", ".")), words


def _scripts(base: Tree) -> Iterator[tuple[str, str, list[str]]]:
    manifests = [path for path in base.paths() if path.rpartition("/")[2] == "package.json"]
    for path in [path for path in manifests if not matches(path, VENDORED)][:_MOST]:
        scripts = tables.scripts(read(base, path) or "")
        todo = [name for name in scripts if tables.script_kind(name)]
        for name in todo:  # grows by the scripts that a script calls
            words = _words(scripts[name])
            todo += [word for word in dict.fromkeys(words) if word in scripts and word not in todo]
            yield f"script `{name}` in {path}", str(PurePosixPath(path).parent), words


def _words(line: str) -> list[str]:
    line = line[:_LONGEST]
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        return list(lexer)[:_MOST]
    except ValueError:
        return line.split()[:_MOST]


def started(words: Sequence[str], root: str, paths: Container[str], depth: int = 0) -> Iterator[str]:
    """Files named as a program, or as what an interpreter runs; arguments of other programs are none."""
    head, before = True, ""
    for word in words:
        if word and not word.strip("();<>|&"):
            head, before = True, ""
            continue
        if before in {"-c", "-ec", "-lc", "-euc", "-exc"} and depth < _DEPTH:
            yield from started(_words(word), root, paths, depth + 1)
        elif head:
            files = _files(word, root, before)
            hit = any(file in paths for file in files)
            yield from files if hit else ()
            option = word.startswith("-") or before.startswith("-")
            head = option or bool(not hit and _RUNS_OTHERS.fullmatch(word.rpartition("/")[2] or word))
        before = word


def _files(word: str, root: str, before: str) -> list[str]:
    """What a word may mean as a file, as shells, Node and Python look for one."""
    if before == "-m":
        word = word.replace(".", "/")
    longer = ("", ".py", "/__main__.py", *_NODE) if _RESOLVES.fullmatch(before) else ("",)
    places = _FILES_OF.get(word) or [word + end for end in longer]
    return [normpath(join(root, place)) for place in places]
