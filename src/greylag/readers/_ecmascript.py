"""Regular expressions of JavaScript, which problem matchers are made of, for an engine that can be stopped.

The `regex` module knows what they may contain (also lookbehind and backreferences), and raises `TimeoutError` where a
pattern takes too long. Only what JavaScript has without flags is handed on, and modifiers such as `(?i:`.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import regex

LONGEST = 4000  # characters of one expression
_LARGEST = 20_000  # and with its counts written out, as the engine may do
_TOKEN = re.compile(
    r"\\(?:c[A-Za-z]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|k<[A-Za-z_]\w*>|0[0-7]{0,2}|[1-9]\d?|.)"
    r"|\(\?(?:[:=!]|<[=!]|<[A-Za-z_]\w*>|[ims]{1,3}(?:-[ims]{1,3})?:)|\(\?"
    r"|\{\d{1,9}(?:,\d{0,9})?\}|.",
    re.DOTALL,
)
_KINDS = {"\\d", "\\D", "\\w", "\\W", "\\s", "\\S"}
_SAME = {*_KINDS, "\\b", "\\B", "\\n", "\\r", "\\t", "\\v", "\\f"}


def compiled(source: str) -> "regex.Pattern[str]":
    """What `new RegExp(source)` would be. Raises `ValueError` with the reason for anything else."""
    import regex  # noqa: PLC0415 - few need it, and all would wait for it

    if len(source) > LONGEST:
        raise ValueError(f"it has more than {LONGEST} characters")
    parts = list(_translated(_TOKEN.findall(source)))
    _check_counts(parts)
    try:
        return regex.compile("".join(parts), regex.ASCII | regex.VERSION0)
    except (regex.error, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _translated(parts: list[str]) -> Iterator[str]:
    rest = iter(parts)
    for part in rest:
        if part == "[":
            yield _set(rest)
        elif part[0] == "\\":
            yield _escape(part)
        elif part == "(?":
            raise ValueError("it has a group `(?` that JavaScript does not know")
        else:
            yield "\\" + part if part in {"{", "}", "]"} else part


def _check_counts(parts: list[str]) -> None:
    """Raises `ValueError` where the counts of an expression, one within the other, stand for too much."""
    sizes, last = [0], 0  # of the groups that are open; what the last part has added
    for part in parts:
        if part[0] == "(" and part[-1] != ")":
            sizes.append(0)
            continue
        if part == ")":
            last = sizes.pop() if len(sizes) > 1 else 0
        else:
            last = last * (int(re.split(r"\D", part[1:])[0]) - 1) if part[0] == "{" else 1
        sizes[-1] += last
        if sizes[-1] > _LARGEST:
            raise ValueError("its counts, such as {1000}, repeat too much")


def _set(rest: Iterator[str]) -> str:
    """The set that has begun. A `-` is a range only between two characters."""
    items = list(_until_end(rest))
    negated = items[:1] == ["^"]
    items = items[1:] if negated else items
    if not items:
        return "(?s:.)" if negated else "(?!)"
    made, begins = [], False  # whether a range may begin with what came last
    for at, item in enumerate(items):
        after = items[at + 1] if at + 1 < len(items) else ""
        if item == "-" and begins and after and after not in _KINDS:
            made.append("-")
            begins = False
            continue
        made.append(_escape(item, within=True) if item[0] == "\\" else re.escape(item))
        begins = item not in _KINDS and made[-2:-1] != ["-"]
    return f"[{'^' if negated else ''}{''.join(made)}]"


def _until_end(rest: Iterator[str]) -> Iterator[str]:
    for part in rest:
        if part == "]":
            return
        yield from (part,) if part[0] == "\\" else part
    raise ValueError("a set `[` has no end")


def _escape(part: str, *, within: bool = False) -> str:
    name = part[1:]
    if not name:
        raise ValueError("it ends with a backslash")
    if part in _SAME and not (within and part == "\\B"):
        return part
    if name[0] in "cxu" and len(name) > 1:
        return _character(chr(ord(name[1]) % 32) if name[0] == "c" else chr(int(name[1:], 16)))
    if name.startswith("k<") and not within:
        return f"(?P={name[2:-1]})"
    if name[0] == "0" or (within and name.isdigit()):
        return _character(chr(int(name, 8) if set(name) <= set("01234567") else ord(name[0])))
    return rf"(?:\{name})" if name.isdigit() else "".join(map(_character, name))


def _character(character: str) -> str:
    return re.escape(character)
