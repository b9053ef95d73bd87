"""Files of the repository that its gates name: what CI includes, and programs that CI, hooks and build files run."""

import re
from collections.abc import Iterator
from posixpath import basename, dirname, join, normpath
from typing import NamedTuple

from greylag.guards._gates.programs import started
from greylag.guards._gates.shell import commands
from greylag.guards._gates.tasks import MAKE, tasks
from greylag.guards._guard import read
from greylag.kinds import BUILD, CI, MANIFESTS, TESTS, VENDORED, matches
from greylag.protocols import Tree

_GATES = (
    f"{CI} {MAKE} .pre-commit-config.y*ml prek.toml lefthook.y*ml .lefthook.y*ml .husky/ .githooks/ justfile"
    " Taskfile.y*ml tox.ini noxfile.py"
)
_LIKELY = re.compile(  # quickly
    r"(?:^|/)(?:\.[\w-]|g?n?u?makefile$|justfile|taskfile\.|tox\.ini$|noxfile\.|jenkinsfile|\w*pipelines?\.ya?ml$|lefthook|prek|codefresh)"
    r"|\.mk$|jenkinsfile$|(?:azure|appveyor|build|bors|zuul|wercker|ci)[\w.-]*\.(?:ya?ml|toml)$",
    re.IGNORECASE,
)
_INCLUDED = re.compile(r"[ \t]*+(?:- +)?\"?(?:include|local|template|extends|uses)\"?:")
_ITEM = re.compile(r"^[ \t]*+- +[\"']?/?[\w./@-]+\.ya?ml[\"']?\s*$")
_OTHERS = f"{VENDORED} {MANIFESTS}"  # which are looked at anyway
_SHELL = (".sh", ".bash", ".zsh", ".ps1", ".bat", ".cmd")
_SCRIPT = re.compile(r"\.(?:py|[mc]?[jt]s|rb|pl|php|lua|groovy|exs|(?:ba)?sh|zsh|ps1|bat|cmd)$")
_PLACE = re.compile(r"(?<![\w:/.@-])(?:\.{0,2}/)?[\w.@-]+(?:/[\w.@-]+)*")
_MOST, _LARGEST = 200, 200_000  # gates that are read, and characters of one


class Named(NamedTuple):
    """What a gate names a file as: a part of itself, or a program."""

    gate: str
    included: bool


def followed(base: Tree) -> dict[str, Named]:
    """Files that are gates because a gate of the base commit names them, and those that these name."""
    paths = frozenset(base.paths())
    coming = [path for path in sorted(paths) if _LIKELY.search(path) and matches(path, _GATES)][:_MOST]
    found: dict[str, Named] = {}
    seen = set(coming)
    for gate in coming:  # grows
        text = (read(base, gate) or "")[:_LARGEST]
        for path, included in _named(gate, text, paths):
            if path in seen or matches(path, _OTHERS):
                continue
            seen.add(path)
            if not included and (matches(path, BUILD) or not _is_program(path, base)):
                continue
            found[path] = Named(gate, included)
            if len(coming) < 2 * _MOST:
                coming.append(path)
    return found


def _is_program(path: str, base: Tree) -> bool:
    """A script, or what a first line makes one. Tests have guards of their own."""
    if matches(path, TESTS) and not path.endswith(_SHELL):
        return False
    return bool(_SCRIPT.search(path)) or (read(base, path) or "").startswith("#!")


def _named(gate: str, text: str, paths: frozenset[str]) -> Iterator[tuple[str, bool]]:
    homes = dict.fromkeys((".", dirname(gate) or "."))
    if re.search(r"\.ya?ml$", gate):
        inside = False  # the list of `include`
        for line in text.split("\n"):
            inside = line.startswith("include:") or (inside and line[:1] in " -#")
            if _INCLUDED.match(line[:_MOST]) or (inside and _ITEM.match(line[:_MOST])):
                yield from ((path, True) for path in _parts(line[:_MOST], homes, paths))
        lines = re.findall(r"uses:\s*+[\"']?(\.{1,2}/[\w./@-]+)", text)  # in tables of one line, too
        yield from ((path, True) for line in lines for path in _parts(line, homes, paths))
    every = tasks(gate, text) or {}
    read_as = [command for task in every.values() for command in task.commands] or (
        commands(text) if not re.search(r"\.\w+$", basename(gate)) or gate.endswith(".ini") else []
    )
    for command in read_as:
        words = [re.sub(r"^\$(?:\{\{?[^{}]{1,80}\}\}?|[A-Z_]{1,40})/", "", word) for word in command.words]
        for path in (path for home in homes for path in started(words, home, paths) if path in paths):
            if "/" in words[0] or basename(path) != words[0]:  # what stands alone may be a name of something else
                yield path, False


def _parts(line: str, homes: dict[str, None], paths: frozenset[str]) -> Iterator[str]:
    """Files of CI, and local actions."""
    for word in _PLACE.findall(line):
        for home in homes:
            place = normpath(join(home, word.lstrip("/")))
            for one in (place, f"{place}/action.yml", f"{place}/action.yaml"):
                if one in paths and one.endswith((".yml", ".yaml")):
                    yield one
