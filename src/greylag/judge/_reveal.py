"""Making visible what an eye does not see: a judge must see what a compiler sees, and a line must stay one line."""

import re

# Control characters but tab, all that some program takes for a line end, and everything invisible or bidirectional.
_UNSEEN = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff\ud800-\udfff]"
)
HARMLESS = re.compile("\r$|[\ufe0e\ufe0f]|\x0c")  # line ends of Windows, emoji presentation, form feeds


def reveal(line: str) -> str:
    """One line of a file or a file name with `<U+202E>` for each character that would not show."""
    line = line.removesuffix("\r")
    return (
        line if line.isascii() and line.isprintable() else _UNSEEN.sub(lambda found: f"<U+{ord(found[0]):04X}>", line)
    )


def hidden(line: str) -> int:
    """How many characters of a line do not show, apart from those that are common and harmless."""
    line = HARMLESS.sub("", line)
    return 0 if line.isascii() and line.isprintable() else len(_UNSEEN.findall(line))
