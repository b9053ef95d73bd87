"""Which parts of a source file are code, comment and string: by a small scanner that any text gets through.

Exact parsing is not needed and would give up on broken files; what a scanner gets wrong costs a false alarm or a miss,
never a crash. Offsets and line numbers stay, because what is not wanted is replaced by blanks.
"""

import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

from greylag.guards._code.kept import kept

LARGEST = 500_000  # characters of a file that is still read

_DOUBLE = r'"(?>(?:[^"\\\n]|\\.)*)"?'
_SINGLE = r"'(?>(?:[^'\\\n]|\\.)*)'?"
_BLOCK = r"/\*(?>(?:[^*]|\*(?!/))*)(?:\*/)?"
_LINE = r"//[^\n]*+"
_HASH = r"\#[^\n]*+"
_TRIPLE = r'"""(?>(?:[^"\\]|\\.|"(?!""))*)(?:""")?' + "|" + r"'''(?>(?:[^'\\]|\\.|'(?!''))*)(?:''')?"
_TEXT = r'"""(?>(?:[^"\\]|\\.|"(?!""))*)(?:""")?'
_TEMPLATE = r"`(?>(?:[^`\\]|\\.)*)`?"
_REGEX = r"(?<=[=(,:\[!&|?{};])[ \t]{0,9}+/(?![*/])(?>(?:[^/\\\n]|\\.){1,200})/"

_RUST = r'r(\#*+)"(?>(?:(?!"\1).)*)"?\#*+|"(?>(?:[^"\\]|\\.)*)"?|' + r"'(?:[^'\\\n]|\\[^\n]{1,9})'"

LITERAL = re.compile(
    r'"(?>(?:[^"\\\n]|\\.)*)"|\'(?>(?:[^\'\\\n]|\\.)*)\'|`(?>(?:[^`\\]|\\.)*)`|(?<!\w)-?\d[\w.]*+'
    r"|\b(?:true|false|null|nil|undefined|None|Some)\b"
)
_RULES: Mapping[str, tuple[str, str]] = {  # language -> comments, strings
    "python": (_HASH, f"{_TRIPLE}|{_DOUBLE}|{_SINGLE}"),
    "js": (f"{_BLOCK}|{_LINE}", f"{_DOUBLE}|{_SINGLE}|{_TEMPLATE}|{_REGEX}"),
    "java": (f"{_BLOCK}|{_LINE}", rf"{_TEXT}|{_DOUBLE}|'(?>(?:[^'\\\n]|\\.)+)'"),
    "go": (f"{_BLOCK}|{_LINE}", rf"`[^`]*+`?|{_DOUBLE}|'(?>(?:[^'\\\n]|\\.)+)'"),
    "rust": (f"{_BLOCK}|{_LINE}", _RUST),
    "c": (f"{_BLOCK}|{_LINE}", f"{_DOUBLE}|'(?>(?:[^'\\\\\\n]|\\\\.)+)'"),
    "hash": (_HASH, f"{_DOUBLE}|{_SINGLE}"),
    "php": (f"{_BLOCK}|{_LINE}|{_HASH}", f"{_DOUBLE}|{_SINGLE}"),
    "xml": (r"<!--(?>(?:[^-]|-(?!->))*)(?:-->)?", r"(?!)"),
}  # fmt: skip
_SUFFIXES: Mapping[str, str] = {
    "py": "python", "pyi": "python", "js": "js", "jsx": "js", "mjs": "js", "cjs": "js", "ts": "js", "tsx": "js",
    "mts": "js", "cts": "js", "vue": "js", "svelte": "js", "java": "java", "kt": "java", "kts": "java",
    "scala": "java", "groovy": "java", "gradle": "java", "swift": "java", "cs": "java", "go": "go", "rs": "rust",
    "c": "c", "h": "c", "cc": "c", "cpp": "c", "cxx": "c", "hpp": "c", "m": "c", "dart": "js", "php": "php",
    "rb": "hash", "sh": "hash", "bash": "hash", "yml": "hash", "yaml": "hash", "toml": "hash", "tf": "hash",
    "ex": "hash", "exs": "hash", "pl": "hash", "r": "hash", "ps1": "hash", "xml": "xml", "html": "xml",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """One file in three views of the same length."""

    text: str
    code: str  # comments and the contents of strings are blank
    comments: str  # everything else is blank


def language(path: str) -> str | None:
    """Family of languages, by the file's suffix; None when it is not known."""
    return _SUFFIXES.get(path.rpartition(".")[2].lower()) if "." in path.rpartition("/")[2] else None


@kept
def scan(text: str, family: str) -> Source:
    """The three views of a file. Linear in its size: every quantifier is possessive."""
    comments, strings = _RULES[family]
    pattern = re.compile(f"(?P<comment>{comments})|(?P<string>{strings})", re.DOTALL)
    code, notes, position = [], [], 0
    for match in pattern.finditer(text):
        between, found = text[position : match.start()], match[0]
        blank = _blank(found)
        code += [between, blank if match["comment"] is not None else _hollow(found)]
        notes += [_blank(between), found if match["comment"] is not None else blank]
        position = match.end()
    code.append(text[position:])
    notes.append(_blank(text[position:]))
    return Source(text, "".join(code), "".join(notes))


@dataclass(frozen=True, slots=True)
class Brackets:
    """Where brackets open and close, found in one pass, so that no nesting makes a search quadratic."""

    opened: tuple[int, ...]
    closed: Mapping[int, int]
    end: int

    def after(self, start: int) -> tuple[int, int]:
        """Span of the first bracketed part at or after `start`; to the end of the file when it is not closed."""
        number = bisect_left(self.opened, start)
        begin = self.opened[number] if number < len(self.opened) else self.end
        return begin, self.closed.get(begin, self.end)


def brackets(code: str, pair: str) -> Brackets:
    """All brackets of one kind (`{}` or `()`) in the code view of a file."""
    opened: list[int] = []
    closed: dict[int, int] = {}
    stack: list[int] = []
    for match in re.finditer(f"[{re.escape(pair)}]", code):
        if match[0] == pair[0]:
            opened.append(match.start())
            stack.append(match.start())
        elif stack:
            closed[stack.pop()] = match.end()
    return Brackets(tuple(opened), closed, len(code))


def without_arguments(code: str) -> str:
    """The code view with blanks for what annotations and attributes have in parentheses: `@Csv({1})`, `[Data(1)]`."""
    parts, position, pairs = [], 0, brackets(code, "()")
    for match in re.finditer(r"[@\[]\s*[\w.]++\s*+\(", code):
        begin, end = pairs.after(match.end() - 1)
        if begin >= position and begin in pairs.closed:
            parts += [code[position:begin], _blank(code[begin:end])]
            position = end
    return "".join([*parts, code[position:]])


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _hollow(text: str) -> str:
    """A string without its contents: the quotes stay, so that a call still has an argument."""
    return text[0] + _blank(text[1:-1]) + text[-1] if len(text) > 1 else text


def plain(text: str) -> str:
    """A text without blanks and what may end a statement or an entry."""
    return "".join(text.split()).rstrip(";,")
