"""Which Gradle builds a tree has, and what its files say of them."""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from greylag.kinds import classify
from greylag.protocols import Tree
from greylag.verifiers._pyproject import FOREIGN, below, text

_SETTINGS = ("settings.gradle", "settings.gradle.kts")
_SCRIPTS = ("build.gradle", "build.gradle.kts")
_WRAPPER = ("gradlew", "gradle/wrapper/gradle-wrapper.properties", "gradle/wrapper/gradle-wrapper.jar")
_PASSED_OVER = FOREIGN | {"buildSrc", "resources", "it"}
_OWNERS = ("package.json", "pubspec.yaml")  # of a directory `android`, whose build needs what they have installed
_LITERAL = re.compile(r"""['"]([\w./: -]{1,200})['"]""")
_INCLUDED = re.compile(r"""\bincludeBuild\s*\(?\s*['"]([\w./ -]{1,200})['"]""")
_VERSION = re.compile(r"/gradle-([\w.-]+?)(?:-(?:bin|all))?\.zip")
_LINTER = re.compile(r"(?i)\b(checkstyle|pmd|spotbugs|findbugs|codenarc|detekt|ktlint|kotlinter|spotless)\b")


@dataclass(frozen=True, slots=True)
class Build:
    """One build. `wrapper` is the way to its `gradlew` from `root`; `linter` says which is configured, and where."""

    root: str
    reason: str
    wrapper: str
    inputs: tuple[str, ...]
    linter: str
    tests: bool


def builds(tree: Tree) -> list[Build]:
    """The outermost build of each directory, and those below that have settings of their own, if no other names them.

    Samples are passed over, and so are `buildSrc` and included builds: the build that includes them runs them.
    """
    paths = set(tree.paths())
    settings = _directories(tree.paths(), _SETTINGS)
    scripts = _directories(tree.paths(), _SCRIPTS)
    named = {place for up in settings for place in _named(tree, up, _LITERAL) if below(place, up)}
    found = [root for root in settings if not any(root == place or below(root, place) for place in named)]
    found += [root for root in scripts - settings if not any(up in settings | scripts for up in _above(root))]
    roots = sorted(root for root in found if not _PASSED_OVER & set(root.split("/")) and not _owned(root, paths))
    return [_build(tree, root, paths, [r for r in roots if r != root and below(r, root)]) for root in roots]


def _directories(paths: Sequence[str], names: Sequence[str]) -> set[str]:
    return {posixpath.dirname(path) or "." for path in paths if posixpath.basename(path) in names}


def _above(root: str) -> Iterator[str]:
    while root != ".":
        root = posixpath.dirname(root) or "."
        yield root


def _named(tree: Tree, root: str, pattern: re.Pattern[str]) -> Iterator[str]:
    """Directories that the settings in `root` name, `:a:b` for projects and `../a` for builds, but not itself."""
    source = "\n".join(text(tree, f"{root}/{name}") for name in _SETTINGS)
    for name in pattern.findall(source):
        place = posixpath.normpath(posixpath.join(root, name.lstrip(":").replace(":", "/")))
        if place != root and not below(root, place):
            yield place


def _owned(root: str, paths: set[str]) -> bool:
    above = posixpath.dirname(root)
    owners = {posixpath.join(above, owner) for owner in _OWNERS}
    return posixpath.basename(root) == "android" and not owners.isdisjoint(paths)


def _build(tree: Tree, root: str, paths: set[str], others: Sequence[str]) -> Build:
    mine = [p for p in tree.paths() if below(p, root) and not any(below(p, other) for other in others)]
    home = next((up for up in (root, *_above(root)) if {_at(up, name) for name in _WRAPPER} <= paths), None)
    wrapper = [_at(home, name) for name in _WRAPPER] if home else []
    included = [_at(root, "buildSrc"), *_named(tree, root, _INCLUDED)]
    deciding = {*wrapper, *(p for p in mine if _decides(p, root))}
    inputs = tuple(p for p in tree.paths() if p in deciding or any(below(p, place) for place in included))
    version = _VERSION.search(text(tree, wrapper[1])) if wrapper else None
    first = next(path for name in (*_SETTINGS, *_SCRIPTS) if (path := _at(root, name)) in paths)
    reason = first + (", gradlew" if wrapper else "") + (f" of Gradle {version[1]}" if version else "")
    return Build(
        root,
        reason,
        posixpath.join(posixpath.relpath(home, root), "gradlew") if home else "",
        inputs,
        next((f"{hit[1]} in {p}" for p in inputs if (hit := _LINTER.search(text(tree, p)))), ""),
        any(classify(p) == "tests" and p.endswith((".java", ".kt", ".groovy", ".scala")) for p in mine),
    )


def _decides(path: str, root: str) -> bool:
    """Whether a file can change what a build downloads."""
    name = posixpath.basename(path)
    kinds = (".gradle", ".gradle.kts", ".versions.toml", ".lockfile")
    return name.endswith(kinds) or name == "gradle.properties" or below(path, _at(root, "gradle"))


def _at(root: str, name: str) -> str:
    return posixpath.normpath(f"{root}/{name}")
