"""Characters of Java's syntax that are written as Unicode escapes: compilers read them before anything else, so that
what looks like a comment or a string is code (https://docs.oracle.com/javase/specs/jls/se21/html/jls-3.html#jls-3.3).
"""

import re
from collections.abc import Iterator

from greylag.guards._code.fresh import Mark
from greylag.guards._code.source import scan

_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*+\\u++(00[0-7][0-9A-Fa-f])")
_ENDS = {  # what an escape of it ends
    "comment": "\n\r*/",
    '"': '\n\r"\\',
    "'": "\n\r'\\",
}


def escapes(path: str, text: str) -> Iterator[Mark]:
    """Escapes of ASCII in code, and of what ends a comment or a literal in one."""
    if not path.endswith(".java") or "\\u" not in text:
        return
    source = scan(text, "java")
    quotes = [match.start() for match in re.finditer("[\"']", source.code)]
    number = 0
    for match in _ESCAPE.finditer(text):
        while number < len(quotes) and quotes[number] < match.start():
            number += 1
        place, character = match.end() - 1, chr(int(match[1], 16))
        if not source.comments[place].isspace():
            ends = _ENDS["comment"]
        elif source.code[place].isspace():
            ends = _ENDS[source.code[quotes[number - 1]]] if number else ""
        else:
            ends = character
        if character in ends:
            escape = match[0][match[0].rindex("\\") :]
            yield Mark(escape, text.count("\n", 0, match.start()) + 1, escape)
