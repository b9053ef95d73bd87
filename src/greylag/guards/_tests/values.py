"""Values that test files give names to outside of their functions: tests compare with them."""

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from greylag.guards._cases.cases import within
from greylag.guards._code.bodies import expression
from greylag.guards._code.python_tree import UNREADABLE, parsed, walk
from greylag.guards._code.source import LITERAL, Source, language, scan

_TYPED = r"(?::[^=;(){}\n]{0,200})?"
GIVEN: Mapping[str, re.Pattern[str]] = {
    "js": re.compile(rf"\b(?:const|let|var|static|readonly)\s+(?P<name>[\w$]++)\s*{_TYPED}=(?![=>])\s*+"),
    "java": re.compile(
        rf"^[ \t]*+(?>(?:@\w++[ \t]++)*)(?:[\w<>\[\],?.]{{1,99}}[ \t]+){{1,6}}(?P<name>\w++)[ \t]*{_TYPED}=(?!=)\s*+",
        re.MULTILINE,
    ),
    "go": re.compile(r"^(?:var|const)[ \t]+(?P<name>\w++)[^=;(){}\n]{0,100}=(?!=)\s*+", re.MULTILINE),
    "rust": re.compile(r"\b(?:const|static)\s+(?P<name>\w++)\s*:[^=;{}\n]{1,200}=(?!=)\s*+"),
}
_UNREAD = frozenset({"pytestmark", "__all__", "__test__"})  # tell no test what to expect


@dataclass(frozen=True, slots=True)
class Value:
    """What is written down in a value, and whether it is a table: that may grow."""

    line: int
    literals: Counter[str]
    table: bool

    def keeps(self, old: "Value") -> bool:
        """Whether all is as it was, or a table has only got more entries."""
        return not old.literals - self.literals if self.table and old.table else self.literals == old.literals


def values(path: str, text: str) -> dict[str, Value]:
    """Values by their names; the last one of a name is it."""
    family = language(path)
    if family == "python":
        try:
            return dict(_python(parsed(text).body, ""))
        except UNREADABLE:
            return {}
    return dict(_scanned(path, text, GIVEN[family])) if family is not None and family in GIVEN else {}


def _python(statements: list[ast.stmt], prefix: str) -> Iterator[tuple[str, Value]]:
    for node in statements:
        if isinstance(node, ast.ClassDef):
            yield from _python(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.Assign | ast.AnnAssign) and not isinstance(node.value, ast.Lambda | None):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            constants = (part for part in walk(node.value) if isinstance(part, ast.Constant))
            table = isinstance(node.value, ast.List | ast.Tuple | ast.Set | ast.Dict)
            value = Value(node.lineno, Counter(map(ast.dump, constants)), table)
            names = (part.id for target in targets for part in walk(target) if isinstance(part, ast.Name))
            yield from ((prefix + name, value) for name in names if name not in _UNREAD)


def _scanned(path: str, text: str, given: re.Pattern[str]) -> Iterator[tuple[str, Value]]:
    source = scan(text, language(path) or "")
    over = line = position = 0
    for begin, end in _between(sorted(within(path, text)), len(text)):
        for match in given.finditer(source.code, max(begin, over), end):
            if match.start() < over:
                continue
            over = expression(source.code, match.end())
            line, position = line + text.count("\n", position, match.start("name")), match.start("name")
            literals = Counter(LITERAL.findall(_plain(source, match.end(), over)))
            yield match["name"], Value(line + 1, literals, source.code[match.end() : match.end() + 1] in "[{")


def _between(spans: list[tuple[int, int]], end: int) -> Iterator[tuple[int, int]]:
    over = 0
    for begin, closed in spans:
        if begin > over:
            yield over, begin
        over = max(over, closed)
    yield over, end


def _plain(source: Source, begin: int, end: int) -> str:
    """A part of the text without its comments."""
    both = zip(source.text[begin:end], source.comments[begin:end], strict=True)
    return "".join(" " if note.strip() else letter for letter, note in both)
