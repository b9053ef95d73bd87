"""Front matter of a prompt, apart from its words: TOML between two lines `+++`.

Limits that somebody has set are never read as words of the prompt: a fence that is out of place, or almost one, is an
error.
"""

import re
from collections.abc import Sequence

from greylag.errors import UserError
from greylag.text import one_line

_BLANK = "\ufeff\u200b \t\r\n\f\v\xa0"
_YAML = re.compile(  # keys, entries, comments and blank lines between two fences
    r"---[ \t]*\w*[ \t]*\r?\n(?=(?:[ \t]*(?:#[^\n]*)?\r?\n){0,20}[ \t]*[\w-]+[ \t]*[:=])"
    r"(?>(?:[ \t]*(?:[\w-]+[ \t]*[:=]|-[ \t]|#)[^\n]*\n|[ \t]*\r?\n)*)(?:---|\.\.\.)[ \t]*(?:\r?\n|$)"
)
_FENCE = re.compile(r"[\s>\\\ufeff]*\+\\?\+\\?\+")  # with more around it than belongs there; editors add escapes
_CODE = re.compile(r"[ \t]{0,3}(```+|~~~+)")
_HEAD = 50  # lines in which a fence is somebody's front matter
_COMMENTS = 10


def split(text: str, name: str) -> tuple[str, str, int]:
    """The front matter of `text`, what comes after it, and the number of its first line; `name` is for errors."""
    lines = text.splitlines(keepends=True)
    begin = next((number for number, line in enumerate(lines) if line.strip(_BLANK)), len(lines))
    if begin == len(lines) or lines[begin].strip(_BLANK) != "+++":
        if _YAML.match(_past_comments(text)):
            raise UserError(f"front matter of {name} stands between `---`; write it as TOML between two lines `+++`")
        front, body, wrapped = "", begin, begin + 1
    else:
        end = next((number for number in range(begin + 1, len(lines)) if lines[number].strip() == "+++"), None)
        if end is None:
            raise UserError(f"front matter of {name} does not end; close it with a line `+++`")
        front, body, wrapped = "".join(lines[begin + 1 : end]), end + 1, begin
    if odd := _odd(lines, body, wrapped):
        found = f"line {odd} of {name}, `{one_line(lines[odd - 1], 40)}`, looks like front matter, but is none"
        remedy = "begin the prompt with it, between two lines `+++` that hold nothing else"
        raise UserError(f"{found}; {remedy} (what is only shown belongs into a block of code)")
    while body < len(lines) and not lines[body].strip(_BLANK):
        body += 1
    return front, "".join(lines[body:]).lstrip(_BLANK), body + 1


def _past_comments(text: str) -> str:
    for _ in range(_COMMENTS):
        text = text.lstrip(_BLANK)
        if not text.startswith("<!--"):
            break
        text = text.partition("-->")[2]
    return text


def _odd(lines: Sequence[str], begin: int, wrapped: int) -> int | None:
    """The line, if any, that somebody has taken for a fence; in code only in the line `wrapped`, as the first there."""
    code = ""
    for number, line in enumerate(lines[begin : begin + _HEAD], begin):
        if mark := _CODE.match(line):
            code = ("" if mark[1].startswith(code) else code) if code else mark[1]
        elif (code and number != wrapped) or line.startswith(("    ", "\t")):
            continue
        elif _FENCE.match(line) and not (number and lines[number - 1].startswith("--- ")):  # as in a diff
            return number + 1
    return None
