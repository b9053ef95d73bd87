"""Making visible what an eye does not see: a judge must see what a compiler sees, and a line must stay one line."""

import re

import regex

# By what Unicode says of characters: control and formatting ones, line ends, halves of pairs, all that shows nothing by
# default or is not known yet; and four with a glyph, which is blank. Blanks that are no space come from any keyboard.
_HIDDEN = r"\p{Cc}\p{Cf}\p{Cn}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\U0001D159\U00013441\U00013442"
_UNSEEN = regex.compile(rf"[{_HIDDEN}--\t]", regex.V1)
_UNLIKE = regex.compile(rf"[{_HIDDEN}\p{{Zs}}--[\t\ ]]", regex.V1)
HARMLESS = re.compile("\r$|[\ufe0e\ufe0f]|\x0c")  # line ends of Windows, emoji presentation, form feeds


def reveal(line: str) -> str:
    """One line of a file or a file name with `<U+202E>` for each character that would not show, or as a space."""
    line = line.removesuffix("\r")
    if line.isascii() and line.isprintable():
        return line
    shown: str = _UNLIKE.sub(lambda found: f"<U+{ord(found[0]):04X}>", line)
    return shown


def hidden(line: str) -> int:
    """How many characters of a line do not show, apart from those that are common and harmless."""
    line = HARMLESS.sub("", line)
    return 0 if line.isascii() and line.isprintable() else len(_UNSEEN.findall(line))
