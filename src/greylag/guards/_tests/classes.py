"""Classes that got another name or file: a class may run tests that it only inherits, of which its file has no case.

Such a class is known again by all that it has beside tests of its own: bases, decorators, attributes, fixtures, hooks.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from greylag.diffs import FileDiff
from greylag.guards._code.python_tree import UNREADABLE, Function, parsed
from greylag.guards._code.source import LARGEST, brackets, language, scan
from greylag.guards._guard import read
from greylag.protocols import Change, Tree

_CLASS = re.compile(r"\bclass\s++(?P<name>\w++)(?P<bases>[^{};]{1,400})\{")
_PACKAGE = re.compile(r"^[ \t]*(?:package|namespace)\s+([\w.]+)", re.MULTILINE)
_SELF = "\0"  # stands for a class's own name in what it is compared by
_DEEPEST = 3  # classes around one that is looked at: without a bound, hostile nesting makes the bodies quadratic
_REACH = 1000  # characters before a class in which its annotations begin


@dataclass(frozen=True, slots=True)
class Group:
    """A class; of Python one with bases, since others run no tests but those that are known as cases.

    `full` is its name as runners begin those of its tests with; `tests` are its own.
    """

    file: FileDiff
    name: str
    full: str
    signature: str
    tests: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Renamed:
    """A class of the base and the same one of the head, which has another name or is in another file."""

    old: Group
    new: Group

    def translated(self, name: str) -> str | None:
        """What an inherited test is called now; None for tests of other classes, and those that a class has itself."""
        rest = name.removeprefix(self.old.full)
        if rest == name or not re.match(r"::|[.$]", rest):
            return None
        own = re.split(r"::|[.$]", rest)[1] in self.old.tests | self.new.tests
        return None if own else self.new.full + rest


def renamed(change: Change, files: list[FileDiff]) -> Iterator[Renamed]:
    """Classes that are gone, each with one that is new and the same but for its name and its own tests."""
    free: defaultdict[str, list[Group]] = defaultdict(list)
    gone = []
    for file in files:
        old = [] if file.status in {"added", "copied"} else list(_groups(change.base, file.old_path, file))
        new = [] if file.status == "deleted" else list(_groups(change.head, file.path, file))
        kept = {group.full for group in old} & {group.full for group in new}
        gone += [group for group in old if group.full not in kept]
        for group in new:
            if group.full not in kept:
                free[group.signature].append(group)
    for group in gone:
        alike = free[group.signature]
        if alike:
            new_one = next((other for other in alike if other.file is group.file), alike[0])
            alike.remove(new_one)
            yield Renamed(group, new_one)


def _groups(tree: Tree, path: str, file: FileDiff) -> Iterator[Group]:
    text, family = read(tree, path) or "", language(path)
    if "class" not in text or len(text) > LARGEST:
        return
    if family == "python":
        yield from _python(text, file)
    elif family == "java":
        yield from _java(text, file)


def _python(text: str, file: FileDiff) -> Iterator[Group]:
    try:
        yield from _within(parsed(text).body, "", file)
    except UNREADABLE:
        return


def _within(statements: list[ast.stmt], prefix: str, file: FileDiff) -> Iterator[Group]:
    for node in statements:
        if not isinstance(node, ast.ClassDef) or prefix.count(".") > _DEEPEST:
            continue
        name = f"{prefix}{node.name}"
        yield from _within(node.body, f"{name}.", file)
        if node.bases:
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            tests = {part for part in body if isinstance(part, Function) and part.name.startswith("test")}
            rest = [part for part in body if part not in tests and not isinstance(part, ast.Pass)]
            dumped = "\n".join(map(ast.dump, [*node.bases, *node.keywords, *node.decorator_list, *rest]))
            full = f"{file.path}::{name.replace('.', '::')}"
            own = frozenset(part.name for part in tests)
            yield Group(file, name, full, dumped.replace(f"'{node.name}'", _SELF), own)


def _java(text: str, file: FileDiff) -> Iterator[Group]:
    source = scan(text, "java")
    pairs, package = brackets(source.code, "{}"), _PACKAGE.search(source.code)
    around: list[tuple[str, int]] = []
    for match in _CLASS.finditer(source.code):
        begin, end = pairs.after(match.end() - 1)
        while around and around[-1][1] <= begin:
            around.pop()
        name = "$".join([*(outer for outer, _ in around[-1:]), match["name"]])
        around.append((name, end))
        if len(around) <= _DEEPEST:
            reach = max(0, match.start() - _REACH)
            first = max(reach, *(source.code.rfind(mark, reach, match.start()) + 1 for mark in ";{}"))
            whole = " ".join(text[first:end].split())
            full = f"{package[1]}.{name}" if package else name
            yield Group(file, name, full, re.sub(rf"\b{match['name']}\b", _SELF, whole))
