"""Modules of JavaScript that resolvers take in place of one with the same name and another ending."""

import re
from collections.abc import Container

from greylag.diffs import FileDiff
from greylag.kinds import VENDORED, matches
from greylag.model import Severity

_MODULE = re.compile(r"(.+)(\.(?:[mc]?[jt]s|[jt]sx|json))")
_NOT_IMPORTED = re.compile(r"\.(?:d|test|spec|stories|cy|e2e|bench)$")
_ENDS = (".mjs", ".js", ".mts", ".ts", ".jsx", ".tsx", ".cjs", ".cts", ".json")
_FOUND = frozenset(_ENDS[:5])  # where an import has no ending, before some of the others at least
_COMMON = frozenset({".cjs", ".cts"})


def beside(file: FileDiff, there: Container[str]) -> tuple[str, Severity] | None:
    """The module beside a new one that an import may no longer reach; an error where resolvers look there first.

    `there` are paths of both sides of the change.
    """
    match = _MODULE.fullmatch(file.path)
    new = file.status in {"added", "copied", "renamed"}
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
