"""Which options turn the tests of a CMake project on: those that CI gives to `cmake`, since many projects build none
unless they are asked to.
"""

import posixpath
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from greylag.protocols import Tree
from greylag.verifiers import _yaml
from greylag.verifiers._evidence import configures_ci
from greylag.verifiers._pyproject import text

_LARGEST = 1 << 18  # characters of a file that are looked at
_FILES = 50
_CALL = re.compile(r"(?:^|[\s/\"'`(])cmake3?(?:\.exe)?[\"']?\s(?!.{0,200}--build\b)")
_OPTION = re.compile(
    r"(?<=\s)[\"']?-D ?[\"']?(?P<name>\w{0,80}TEST\w{0,80})(?::BOOL)?=[\"']?(?P<value>[^\s\"']{0,80})", re.IGNORECASE
)
_ON = frozenset({"on", "1", "true", "yes"})
_AGAINST = re.compile(r"(?:^|_)(?:NO|NOT|DISABLE|SKIP|WITHOUT|EXCLUDE|OMIT)(?:_|TEST)", re.IGNORECASE)
_COMMANDS = re.compile(r"&&|\|\||[;|\n]")
_JOINED = re.compile(r"[\\^`][ \t]*\n")  # by the shells of Unix and Windows, and by PowerShell
_COMMENT = re.compile(r"(?:^|\s)#[^\n]*")
_SCRIPT = re.compile(r"(?<![\w./-])[\w./-]{1,200}\.(?:sh|bash|ps1|bat|cmd)\b")


def tests(tree: Tree) -> tuple[str, ...]:
    """`-DNAME=ON` for each option with TEST in its name that CI turns on, in the combination that it uses most."""
    calls = Counter(found for command in _commands(tree) if (found := _turned_on(command)))
    return max(calls, key=lambda found: calls[found], default=())


def name(option: str) -> str:
    """The name in `-DNAME=ON`."""
    return option.removeprefix("-D").partition("=")[0]


def _turned_on(command: str) -> tuple[str, ...]:
    call = _CALL.search(command)
    options = _OPTION.finditer(command, call.end() - 1) if call else ()
    names = {it["name"] for it in options if it["value"].lower() in _ON and not _AGAINST.search(it["name"])}
    return tuple(f"-D{name}=ON" for name in sorted(names))


def _commands(tree: Tree) -> Iterator[str]:
    """The commands in the files of CI, and in the scripts of the repository that those name."""
    configured = {path: text(tree, path) for path in filter(configures_ci, tree.paths())}
    sources = {path: source for path, source in configured.items() if len(source) <= _LARGEST}
    named = (posixpath.normpath(name[0]) for source in sources.values() for name in _SCRIPT.finditer(source))
    scripts = set(named).intersection(tree.paths()) - sources.keys()
    sources |= {path: text(tree, path)[:_LARGEST] for path in sorted(scripts)}
    for path, source in islice(((path, source) for path, source in sources.items() if "cmake" in source), _FILES):
        lines = "\n".join(_yaml.words(source)) if path.endswith((".yml", ".yaml")) else source
        yield from _COMMANDS.split(_COMMENT.sub("", _JOINED.sub(" ", lines)))
