"""Untrusted text: make it harmless, bound it, fence it. Everything here is linear in the size of its input."""

import re
import secrets

PERSON = re.compile(r"([^<>\n]+) <([^<>\n]*)>")
"""`Name <address>`, as the author of a commit."""

# Complete escape sequences. No quantifier overlaps with its neighbour, and none crosses the next escape or line end,
# so a log of a million half sequences costs one pass. What is incomplete stays as visible text without its ESC.
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*+[ -/]*+[@-~]"  # CSI: colours, cursor
    r"|\x1b\][^\x07\x1b\r\n]*+(?:\x07|\x1b\\)"  # OSC: titles, links, clipboard
    r"|\x1b[PX^_][^\x1b\r\n]*+\x1b\\"  # DCS, SOS, PM, APC
    r"|\x1b[ -/]*+[0-~]"  # character sets, resets
)
_ENDS = ("\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029")  # what some program takes for a line end
_ASCII = {code: None for code in (*range(32), 127) if chr(code) not in "\n\t"}
_HIDDEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f"  # C0 (but tab and the line ends) and C1
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"  # invisible or turning the direction of writing
)
_SURROGATES = re.compile("[\ud800-\udfff]")  # from file names that are no UTF-8; no terminal or file would take them


def clean(text: str | bytes) -> str:
    """Text without escape sequences, control, bidirectional and invisible characters; only \\n and \\t stay.

    Any bytes are accepted: what is no UTF-8 becomes U+FFFD. All kinds of line ends become \\n, so that nothing can hide
    behind a carriage return.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    for end in _ENDS:
        text = text.replace(end, "\n")
    if text.isascii():  # several times faster than a pattern
        return text.translate(_ASCII)
    return _SURROGATES.sub("\ufffd", _HIDDEN.sub("", text))


def one_line(text: str | bytes, limit: int = 400) -> str:
    """Cleaned text folded into one line of at most `limit` characters."""
    cut = len(text) > 16 * limit  # megabytes need not be looked at for one line
    folded = " ".join(clean(text[: 16 * limit]).split())
    return cap(f"{folded} ..." if cut else folded, limit)


def cap(text: str, limit: int) -> str:
    """At most `limit` characters: the beginning, and a mark when something was cut off."""
    return text if len(text) <= limit else text[: max(0, limit - 4)].rstrip() + " ..."[:limit]


_SECRETS = re.compile(
    r"(?<![\w-])(?:sk-[\w-]{16,400}|[rs]k_(?:live|test)_\w{16,400}|hf_\w{30,100}|SG\.[\w-]{16,100}\.[\w-]{16,100}|gh[pousr]_\w{20,400}|github_pat_\w{20,400}|glpat-[\w-]{16,400}|xox[abeprs]-[\w-]{10,400}"
    r"|(?:AKIA|ASIA)[0-9A-Z]{16}\b|AIza[\w-]{30,100}|npm_\w{30,100}|pypi-[\w-]{40,400}|eyJ[\w-]{10,4000}\.[\w-]{10,4000})"
    r"|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]{0,20000}-----END [A-Z ]{0,40}PRIVATE KEY-----"
    r"|(?<=://)[^\s/:@]{1,200}:[^\s/@]{1,400}(?=@)"
)
_GIVEN = re.compile(  # a word of letters and digits that is longer than people choose, under a telling name
    r"(?i)((?:secret|token|passw(?:or)?d|api[_-]?key|access[_-]?key)[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?"
    r"|\b(?:bearer|basic)[ \t]{1,3})(?=[a-z/+=~_-]{0,40}\d)(?=[\d/+=~_-]{0,40}[a-z])[\w/+=~-]{20,400}"
)


def redacted(text: str) -> str:
    """The text without secrets that can be told by their form: keys and tokens of well-known services, private keys,
    passwords in URLs.
    """
    return _GIVEN.sub(r"\1[secret]", _SECRETS.sub("[secret]", text))


def size(text: str) -> int:
    """Bytes in UTF-8, four of which are taken for a token of a model: scripts other than Latin cost more of them."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def fit(text: str, room: int) -> str:
    """At most `room` bytes of UTF-8: the beginning, and a mark when something was cut off."""
    if size(text) <= room:
        return text
    kept = text[:room].encode("utf-8", "replace")[: max(0, room - 4)]
    return kept.decode("utf-8", "ignore").rstrip() + " ..."[:room]


def nonce() -> str:
    """A mark that a text written before cannot contain."""
    return secrets.token_hex(8)


def fence(text: str | bytes, mark: str, name: str = "data") -> str:
    """Cleaned text between two lines that carry `mark`, a nonce, so that a model can tell data from instructions.

    Occurrences of the mark in the text are blotted out: the text cannot close its own fence.
    """
    return f"<{name} {mark}>\n{clean(text).replace(mark, '#' * len(mark))}\n</{name} {mark}>"
