"""Files of Python that say to be in another encoding: what is read as UTF-8 is then not what runs.

The line is that of https://peps.python.org/pep-0263/. Encodings that keep ASCII as it is may be named.
"""

import re
from collections.abc import Iterator

from greylag.diffs import FileDiff
from greylag.guards._code.source import LARGEST
from greylag.guards._guard import finding, read
from greylag.kinds import TESTS, matches
from greylag.model import Diagnostic
from greylag.protocols import Change

_LINES = re.compile(r"\r\n|\r|\n")
_NAMED = re.compile(r"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.ASCII | re.DOTALL)
_GOES_ON = re.compile(r"[ \t\f]*(?:#|$)")  # a first line after which the second one counts
_PLAIN = re.compile(
    r"(?:utf-?8(?:-sig)?|utf|u8|cp65001|(?:us-?)?ascii|latin-?1|l1|latin|iso-?8859-?\d{1,2}"
    r"|(?:cp|windows-?)(?:125\d|437|85[0258]|86\d|874)|koi8-[rut]|euc-?(?:jp|kr|cn)|mac-?roman)(?:-(?:unix|dos|mac))?"
)


def encoded(change: Change, file: FileDiff) -> Iterator[Diagnostic]:
    """A name of an encoding that is new, and no plain one."""
    if file.status == "deleted" or not file.path.endswith((".py", ".pyw", ".pyi")):
        return
    old = None if file.status in {"added", "copied"} else _encoding(read(change.base, file.old_path) or "")
    new = _encoding(read(change.head, file.path) or "")
    if new and new != old and not _PLAIN.fullmatch(new):
        kind = "tests" if matches(file.path, TESTS) else "lint"
        message = f"{file.path} says to be encoded as `{new}`: Python would run something else than what can be read"
        yield finding(change, kind, "gates/encoding", message, file.path)


def _encoding(text: str) -> str:
    for line in _LINES.split(text[:LARGEST].removeprefix("\ufeff"), maxsplit=2)[:2]:
        if match := _NAMED.match(line):
            return match[1].lower().replace("_", "-")
        if not _GOES_ON.match(line):
            break
    return ""
