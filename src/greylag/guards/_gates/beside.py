"""Files that are taken in place of others: modules of JavaScript with another ending, a Makefile of another name."""

import re
from collections.abc import Container
from posixpath import basename, dirname, join

from greylag.diffs import FileDiff
from greylag.kinds import VENDORED, matches
from greylag.model import Severity

_MODULE = re.compile(r"(.+)(\.(?:[mc]?[jt]s|[jt]sx|json))")
_NOT_IMPORTED = re.compile(r"\.(?:d|test|spec|stories|cy|e2e|bench)$")
_ENDS = (".mjs", ".js", ".mts", ".ts", ".jsx", ".tsx", ".cjs", ".cts", ".json")
_FOUND = frozenset(_ENDS[:5])  # where an import has no ending, before some of the others at least
_COMMON = frozenset({".cjs", ".cts"})
_MAKE = ("GNUmakefile", "makefile", "Makefile")  # in the order in which make looks for them


def beside(file: FileDiff, there: Container[str]) -> tuple[str, Severity] | None:
    """The file beside a new one that may no longer be reached; an error where the new one is looked for first.

    `there` are paths of both sides of the change.
    """
    match = _MODULE.fullmatch(file.path)
    new = file.status in {"added", "copied", "renamed"}
    if new and basename(file.path) in _MAKE:
        later = _MAKE[_MAKE.index(basename(file.path)) + 1 :]
        other = next((path for name in later if (path := join(dirname(file.path), name)) in there), None)
        return (other, Severity.ERROR) if other else None
    if not new or match is None or _NOT_IMPORTED.search(match[1]) or matches(file.path, VENDORED):
        return None
    stem, end = match[1], match[2]
    for other in (other for other in _ENDS if other != end and f"{stem}{other}" in there):
        first = (end in _FOUND and other not in _COMMON) or {end, other} == _COMMON
        return f"{stem}{other}", Severity.ERROR if first else Severity.WARNING
    inner = next((path for other in _ENDS if (path := f"{stem}/index{other}") in there), None)
    if inner:
        return inner, Severity.ERROR if end in _FOUND else Severity.WARNING
    outer = stem.removesuffix("/index")
    whole = next((path for other in _ENDS if outer != stem and (path := f"{outer}{other}") in there), None)
    return (whole, Severity.WARNING) if whole else None
