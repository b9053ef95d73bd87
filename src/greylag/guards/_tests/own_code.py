"""Names that the sources of Go, Rust and C have, and those that their tests make: functions, closures and macros."""

import re
from collections.abc import Mapping
from functools import lru_cache
from posixpath import dirname

from greylag.guards._cases.cases import unit_tests
from greylag.guards._code.source import LARGEST, brackets, scan
from greylag.guards._guard import read
from greylag.kinds import TESTS, matches
from greylag.protocols import Tree

MADE: Mapping[str, re.Pattern[str]] = {
    "go": re.compile(r"\bfunc\s++(\w++)\s*+[(\[]|\b(\w++)\s*+(?::=|=)\s*+func\b"),
    "rust": re.compile(
        r"\bfn\s++(\w++)|\blet\s++(?:mut\s++)?(\w++)\s*+(?::[^=;{}]{1,100})?=\s*+(?:move\s*+)?\||\bmacro_rules!\s*+(\w++)"
        r"|\buse\b[^;]{0,300}?\bas\s++(\w++)"
    ),
    "c": re.compile(
        r"^[ \t]*+#[ \t]*+define[ \t]++(\w++)\("
        r"|^[A-Za-z_][\w \t*&]{0,100}[ \t*&](\w++)[ \t]*+\([^;{}()]{0,500}\)\s*+(?=\{)",
        re.MULTILINE,
    ),
}
_DECLARED: Mapping[str, re.Pattern[str]] = {  # what a source makes, or says that there is
    "go": re.compile(r"^func\s+(?:\([^()\n]{0,200}\)\s*)?(\w+)", re.MULTILINE),
    "rust": re.compile(r"\bfn\s+(\w+)|\bmacro_rules!\s*(\w+)"),
    "c": re.compile(
        r"^(?![ \t]*(?:return|else|#|typedef)\b)[A-Za-z_][\w \t*&:<>]{0,150}[ \t*&](\w+)[ \t]*\(", re.MULTILINE
    ),
}
_SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "go": (".go",), "rust": (".rs",), "c": (".c", ".h", ".cc", ".cpp", ".cxx", ".hpp"),
}  # fmt: skip
_MODULE = re.compile(r"^module\s+(\S+)", re.MULTILINE)
_FILES, _NEAR = 400, 40  # sources that are read, and files of tests beside one
_WIDEST, _MOST = 20_000, 1_000_000  # characters of a function, and of all in a file


class OwnCode:
    """One tree, of which each part is read when it is asked for."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._names: dict[tuple[str, str], frozenset[str]] = {}
        self._made: dict[tuple[str, str], dict[str, frozenset[str]]] = {}

    def sources(self, family: str, near: str | None = None) -> frozenset[str]:
        """Names of functions in the sources, or in those of one directory."""
        key = family, "*" if near is None else near
        if key not in self._names:
            paths = [path for path in self._paths(family) if near is None or dirname(path) == near]
            names = (_declared(family, _untested(path, self._read(path))) for path in paths[:_FILES])
            self._names[key] = frozenset(name for found in names for name in found) - {"main"}
        return self._names[key]

    def tests(self, path: str, family: str) -> str:
        """The code of a file of tests, or of the unit tests in a source."""
        text = self._read(path)
        return scan(text[unit_tests(path, text) :], family).code

    def reached(self, name: str, path: str, family: str) -> frozenset[str] | None:
        """All words in what tests at or beside a path make under a name, and in what that names; None without one."""
        made = self._beside(path, family) | made_in(self.tests(path, family), family)
        words, ahead = set[str](), [name]
        while ahead and len(words) < _WIDEST:
            more = made.get(ahead.pop(), frozenset()) - words
            words |= more
            ahead += [word for word in more if word in made]
        return frozenset(words) if name in made else None

    def packages(self) -> frozenset[str]:
        """Packages of Go in the tree, as they are imported."""
        homes = {dirname(path) for path in self._paths("go")}
        files = [path for path in self.tree.paths() if path.rpartition("/")[2] == "go.mod"]
        found = [(dirname(path), match[1]) for path in files if (match := _MODULE.search(self._read(path)))]
        return frozenset(
            f"{module}/{home.removeprefix(root).strip('/')}".rstrip("/")
            for root, module in found for home in homes if f"{home}/".startswith(f"{root}/" if root else "")
        )  # fmt: skip

    def _read(self, path: str) -> str:
        return (read(self.tree, path) or "")[:LARGEST]

    def _paths(self, family: str, *, tests: bool = False) -> list[str]:
        paths = (path for path in self.tree.paths() if path.endswith(_SUFFIXES[family]))
        return [path for path in paths if matches(path, TESTS) is tests]

    def _beside(self, path: str, family: str) -> dict[str, frozenset[str]]:
        key = family, dirname(path)
        if key not in self._made:
            near = [one for one in self._paths(family, tests=True) if f"{dirname(one)}/".startswith(f"{key[1]}/")]
            made = [made_in(self.tests(one, family), family) for one in near[:_NEAR]]
            self._made[key] = {name: words for one in reversed(made) for name, words in one.items()}
        return self._made[key]


def _untested(path: str, text: str) -> str:
    """A source without its unit tests."""
    return text[:unit] if (unit := unit_tests(path, text)) else text


@lru_cache(maxsize=64)
def _declared(family: str, text: str) -> frozenset[str]:
    found = _DECLARED[family].finditer(scan(text, family).code)
    return frozenset(name for match in found for name in match.groups() if name)


@lru_cache(maxsize=16)
def made_in(code: str, family: str) -> dict[str, frozenset[str]]:
    """Functions, closures and macros by their names, with the words in them."""
    found, curly, left = {}, brackets(code, "{}"), _MOST
    for match in MADE[family].finditer(code):
        name = next(filter(None, match.groups()))
        begin, end = curly.after(match.end())
        if begin - match.end() > 300 or match[0].lstrip().startswith("#"):
            begin, end = match.end(), code.find("\n", match.end())
        body = code[begin : min(end, begin + _WIDEST, begin + left)]
        left -= len(body)
        found[name] = frozenset(re.findall(r"\w+", body))
    return found
