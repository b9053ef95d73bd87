"""Files that a Makefile includes and that are new or changed: they must not take its targets, nor its shell."""

import re
from collections.abc import Iterator
from posixpath import basename, dirname, join, normpath

from greylag.diffs import FileDiff
from greylag.guards._guard import finding, read
from greylag.kinds import matches
from greylag.model import Diagnostic
from greylag.protocols import Change, Tree

FILES = "Makefile GNUmakefile makefile *.mk *.mak *.make"
_INCLUDE = re.compile(r"^[ ]*+(?:-include|s?include)[ \t]++([^\n#]++)", re.MULTILINE)
_RULE = re.compile(
    r"^(?![ \t#.])(?P<names>[^\n:=#]{1,500}):{1,2}(?!=)(?P<rest>[^\n]*+)(?P<recipe>(?>(?:\n\t[^\n]*+)*))",
    re.MULTILINE,
)
_RUNNER = re.compile(
    r"^[ ]*+(?>(?:(?:override|export)[ \t]++)*)(SHELL|\.SHELLFLAGS|(?:GNU)?MAKEFLAGS|\.RECIPEPREFIX"
    r"|MAKE)[ \t]*+[:+?]{0,2}=",
    re.MULTILINE,
)
_LARGEST, _MOST = 200_000, 200  # characters of one file, and files


def overriding(change: Change, files: list[FileDiff]) -> Iterator[Diagnostic]:
    """Recipes of the base that another file has now, while the Makefile still names the target as its own."""
    made = [file for file in files if file.status != "deleted"]
    if not any(matches(file.path, FILES) for file in made):
        return
    changed = {file.path: file for file in made}
    tops = [path for path in change.head.paths() if basename(path) in {"Makefile", "makefile", "GNUmakefile"}][:_MOST]
    for top in tops:
        own = recipes(read(change.base, top) or "")
        still = recipes(read(change.head, top) or "")
        for path in _included(change.head, top):
            if path not in changed or path == top:
                continue
            text = (read(change.head, path) or "")[:_LARGEST]
            old = (
                (read(change.base, changed[path].old_path) or "")[:_LARGEST] if changed[path].status != "added" else ""
            )
            had, has = recipes(old), recipes(text)
            for target in sorted(own.keys() & still.keys() & has.keys() - had.keys()):
                message = f"makes `{target}` of {top} anew in {path}, which it includes"
                yield finding(change, "build", "gates/loosened", message, path)
            for name in sorted({*_RUNNER.findall(text)} - {*_RUNNER.findall(old)}):
                message = f"sets `{name}` in {path}, which {top} includes: every recipe runs by it"
                yield finding(change, "build", "gates/loosened", message, path)


def _included(tree: Tree, top: str) -> list[str]:
    """Files that are included, directly or not, as far as their names are written down."""
    found, coming = list[str](), [top]
    while coming and len(found) < _MOST:
        path = coming.pop()
        for words in _INCLUDE.findall((read(tree, path) or "")[:_LARGEST]):
            for word in words.split():
                near = [normpath(join(dirname(top), word)), normpath(join(dirname(path), word))]
                place = next((one for one in near if one not in found and read(tree, one) is not None), None)
                if place:
                    found.append(place)
                    coming.append(place)
    return found


def recipes(text: str) -> dict[str, str]:
    """Targets that have a recipe of their own."""
    found: dict[str, str] = {}
    for match in _RULE.finditer(text[:_LARGEST]):
        _, inline, command = match["rest"].partition(";")
        if match["recipe"].strip() or (inline and command.strip()):
            found |= dict.fromkeys(match["names"].split(), match["recipe"])
    return found
