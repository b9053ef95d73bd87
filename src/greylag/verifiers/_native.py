"""Where projects of native builds begin: the outermost build files, but those that are another build's to call."""

import posixpath
from collections.abc import Callable, Collection, Iterator

from greylag.protocols import Tree

# Their build calls the native one itself, with settings of its own.
OWNERS = frozenset(
    {"pyproject.toml", "setup.py", "package.json", "Cargo.toml", "build.gradle", "build.gradle.kts", "pubspec.yaml"}
)
_FOREIGN = frozenset(
    {
        *("third_party", "third-party", "thirdparty", "external", "extern", "vendor", "deps", "subprojects"),
        *("node_modules", "examples", "example", "samples", "test", "tests", "testdata", "fixtures", "test_package"),
        *("android", "ios"),
    }
)


def projects(tree: Tree, names: Collection[str], fits: Callable[[str], bool], owners: Collection[str]) -> list[str]:
    """Build files that fit, the outermost of each tree of them; in a directory the one whose name comes first.

    Material such as samples is left out, and so is what lies beside or below a file that is one of `owners`.
    """
    paths = set(tree.paths())
    found: dict[str, str] = {}
    candidates = {posixpath.dirname(path) or "." for path in paths if posixpath.basename(path) in names}
    for root in sorted(candidates, key=lambda root: (root != ".", root.count("/"), root)):
        places = [root, *above(root)]
        taken = not set(places).isdisjoint(found) or not _FOREIGN.isdisjoint(root.split("/"))
        owned = any(posixpath.normpath(f"{place}/{owner}") in paths for place in places for owner in owners)
        path = next(path for name in names if (path := posixpath.normpath(f"{root}/{name}")) in paths)
        if not taken and not owned and fits(path):
            found[root] = path
    return list(found.values())


def above(root: str) -> Iterator[str]:
    """The directories that a directory lies in, up to the top."""
    while root != ".":
        root = posixpath.dirname(root) or "."
        yield root


def versions(*programs: str) -> dict[str, tuple[str, ...]]:
    """How programs are asked for their versions, and the compilers with them, whose warnings differ with each."""
    return {name: (name, "--version") for name in (*programs, "cc", "c++")}
