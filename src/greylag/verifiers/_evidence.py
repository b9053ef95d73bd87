"""Where a repository says that it uses a tool: the tool's own settings, a hook, a workflow, a line of a build file.

A tool that only looks at files fits every repository that has such files, and is wanted by few of them. So it applies
where something in the repository says so, with the options that are said there. Files are read as text: nothing of the
repository is evaluated, also no pattern, since this runs outside of every sandbox.
"""

import posixpath
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from greylag.kinds import CI, matches
from greylag.protocols import Tree
from greylag.verifiers import _hooked
from greylag.verifiers._pyproject import FOREIGN, below, text

_CALLERS = frozenset(
    {"Makefile", "GNUmakefile", "makefile", "justfile", "Justfile", ".justfile", "Taskfile.yml", "Taskfile.yaml"}
    | {"tox.ini", "noxfile.py", "package.json", "lefthook.yml", ".lefthook.yml"}
)
_LARGEST = 1 << 18  # characters of a file that are looked at
_LINE = 2000  # characters of a line
_COMMENT = re.compile(r"(?:^|\s)#.*")
_ADDRESS = re.compile(r"https?://\S*$")
_COMMANDS = re.compile(r"&&|\|\||[;|]")
_INSTALLS = re.compile(r"\b(?:install|add|upgrade|download|curl|wget)\b")
_LISTED = re.compile(r"[\"']\s*,\s*[\"']")  # between the words of a command that is a list of strings
_WORD = re.compile(r"(?:\"[^\"]*\"|'[^']*'|[^\s\"'])+")
_REQUIRED = re.compile(r"(?:[\w.-]*requirements[\w.-]*|requirements/[\w.-]+)\.(?:txt|in)")
_EXPANDED = re.compile(r"[$`]")  # what a shell or a build tool would have put something else in the place of


@dataclass(frozen=True, slots=True)
class Evidence:
    """A directory in which a tool is used, why one may say so, the options and directories that it is called with."""

    root: str
    reason: str
    options: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


def find(tree: Tree, tool: str, configs: Collection[str] = (), options: str = "") -> list[Evidence]:
    """The outermost directories in which `tool` is used.

    `configs` are names of its own settings, or paths of them. `options` are those that are taken over from where it is
    called, in words: `-x`, or `-S=` for one with a value.
    """
    places = {_place(path, configs): path for path in sorted(tree.paths(), reverse=True) if _settles(path, configs)}
    found = {root: Evidence(root, path) for root, path in places.items() if not FOREIGN & set(root.split("/"))}
    if call := called(tree, tool, options):
        found["."] = replace(call, reason=found["."].reason) if "." in found else call
    return [found[root] for root in outermost(found)]


def called(tree: Tree, tool: str, options: str = "", *, command: str = "", alone: bool = True) -> Evidence | None:
    """The first hook of pre-commit for `tool`, or the first line at the top of the repository, or in CI, that calls it.

    `command` is what a call begins with, for a tool whose name could be anything; not `alone`: there must be arguments.
    """
    return next(_calls(tree, tool, options, command or tool, alone=alone), None)


def outermost(roots: Collection[str]) -> list[str]:
    """The directories that lie in no other one of them."""
    return sorted(root for root in roots if not any(below(root, other) for other in roots))


def _settles(path: str, configs: Collection[str]) -> bool:
    return path in configs or posixpath.basename(path) in configs


def _place(path: str, configs: Collection[str]) -> str:
    return "." if path in configs else posixpath.dirname(path) or "."


def _calls(tree: Tree, tool: str, options: str, command: str, *, alone: bool) -> Iterator[Evidence]:
    """Hooks first: they say best how a tool is called."""
    for hook in _hooked.named(tree, tool):
        yield Evidence(".", f"hook `{hook.id}` in {hook.path}", chosen(hook.arguments or (), options))
    name = re.compile(rf"(?:^|[\s\"'`(/@-]){command}(?:-action|-github-action)?(?=[\s\"'`)@:,]|$)")
    for path in (path for path in tree.paths() if path in _CALLERS or configures_ci(path)):
        source = text(tree, path)[:_LARGEST].replace("\\\n", " ")
        for words in _commands(source, name) if command in source else ():
            if not alone and not any(re.search(r"[\w.]", word) for word in words):
                continue
            yield Evidence(".", f"`{command}` in {path}", chosen(words, options), places(words, tree))


def configures_ci(path: str) -> bool:
    """Whether a file is one that a CI service reads."""
    return (path.startswith(".") or "/" not in path) and matches(path, CI)


def _commands(source: str, name: re.Pattern[str]) -> Iterator[list[str]]:
    """The words behind the name of a program in the commands that call it."""
    lines = (_COMMENT.sub("", line[:_LINE]) for line in source.split("\n"))
    for command in (command for line in lines for command in _COMMANDS.split(line)):
        hit = name.search(command)
        before = command[: hit.start() + 1] if hit else ""
        if hit and not _INSTALLS.search(before) and not _ADDRESS.search(before):
            found = _WORD.findall(_LISTED.sub(" ", command[hit.end() :]))
            yield [word.replace('"', "").replace("'", "") for word in found]


def places(words: Sequence[str], tree: Tree) -> tuple[str, ...]:
    """Those of a command's words that are directories of the repository."""
    named = [posixpath.normpath(word) for word in words if word and not word.startswith("-")]
    return tuple(word for word in named if word[0] != "-" and any(below(path, word) for path in tree.paths()))


def chosen(words: Sequence[str], options: str) -> tuple[str, ...]:
    """Those of a command's words that are among `options`; none with a value that somebody would have to expand."""
    known = {option.rstrip("="): option.endswith("=") for option in options.split()}
    return tuple(part for parts in _pairs(words, known) if not _EXPANDED.search("".join(parts)) for part in parts)


def _pairs(words: Sequence[str], known: dict[str, bool]) -> Iterator[tuple[str, ...]]:
    for word, value in zip_longest(words, words[1:]):
        name, equals, _ = word.partition("=")
        if word in known:
            if not known[word] or value is not None:
                yield (word, value) if known[word] else (word,)
        elif (equals and known.get(name)) or (known.get(word[:2]) and word[1:2] != "-"):
            yield (word,)


def required(tree: Tree, tool: str) -> str:
    """The version that CI, a build file or a requirement file installs of a Python tool; nothing where none is said."""
    pin = re.compile(rf"(?<![\w.-]){tool}==(\d+(?:\.\w+)*)")
    paths = (path for path in tree.paths() if path in _CALLERS or configures_ci(path) or _REQUIRED.fullmatch(path))
    hits = (pin.search(text(tree, path)[:_LARGEST]) for path in paths)
    return next((hit[1] for hit in hits if hit), "")
