"""Which packages of a Go module or workspace import what a change touches, by the import clauses of its files."""

import posixpath
import re
from collections.abc import Collection, Iterator

from greylag.protocols import Tree
from greylag.verifiers._affected import dependents, nearest
from greylag.verifiers._gomod import Unit
from greylag.verifiers._pyproject import text

_CLAUSE = re.compile(
    r"^[ \t]*import[ \t]*(?:\(([^()]{0,20000})\)|[\w.]*[ \t]*([\"`][^\"`\n]{1,500}[\"`]))", re.MULTILINE
)
_PATH = re.compile(r"[\"`]([^\"`\n]{1,500})[\"`]")
_COMMENT = re.compile(r"//[^\n]*")


def affected(unit: Unit, tree: Tree, changed: Collection[str]) -> tuple[str, ...] | None:
    """Patterns of packages, seen from the unit's root; None where imports do not tell.

    What is no Go belongs to the innermost package around it: embedded files, data of tests, sources in C.
    """
    if any(posixpath.basename(path) in {"go.mod", "go.sum", "go.work", "go.work.sum"} for path in changed):
        return None
    sources = [posixpath.normpath(posixpath.join(unit.root, file)) for file in unit.files]
    uses: dict[str, set[str]] = {}
    for path in sources:
        uses.setdefault(posixpath.dirname(path) or ".", set()).update(_imported(unit, text(tree, path)))
    touched = {nearest(path, uses.keys()) for path in changed}
    if None in touched:
        return None
    found = dependents(uses, {place for place in touched if place})
    return tuple(f"./{posixpath.relpath(place, unit.root)}" for place in sorted(found)) or None


def _imported(unit: Unit, source: str) -> Iterator[str]:
    """Directories of the repository that a file imports."""
    for clause in _CLAUSE.finditer(source.partition("\nfunc ")[0]):
        for name in _PATH.findall(_COMMENT.sub("", clause[1] or clause[2])):
            for module, place in unit.modules.items():
                if name == module or name.startswith(f"{module}/"):
                    yield posixpath.normpath(posixpath.join(place, name[len(module) :].lstrip("/")))
