"""Programs from the net that a build runs as it gets them: `curl https://... | sh` and its other spellings."""

import re
from collections.abc import Iterator

from greylag.guards._code.fresh import Mark

_FETCH = r"(?:curl|wget|fetch|aria2c|iwr|irm|Invoke-WebRequest|Invoke-RestMethod)\b"
_SHELL = r"(?:\S{0,50}/)?(?:(?:ba|z|da|k|a|fi)?sh|python[\d.]{0,5}|perl|ruby|node|iex|Invoke-Expression)(?![\w.-])"
_RUNS = re.compile(
    rf"\b{_FETCH}[^|;&\n]{{0,500}}\|\s*(?:sudo\s+(?:-\w+\s+){{0,5}})?(?:env\s+(?:\w+=\S*\s+){{0,5}})?(?:\w+=\S{{0,100}}\s+){{0,5}}{_SHELL}"
    rf"|\b(?:{_SHELL}\s+(?:-\w+\s+){{0,5}}|eval\s+|source\s+|\.\s+)[\"'(]{{0,2}}(?:\$\$?\(|<\(|`)\s*{_FETCH}"
    rf"|\b{_FETCH}[^|;&\n]{{0,500}}(?:&&|;)(?:(?!sum\b|gpg\b|cosign\b|minisign\b)[^|\n]){{0,300}}?(?:&&|;|\s)\s*(?:sudo\s+)?(?:ba|z|da)?sh\s+(?:-\w+\s+){{0,5}}[\w./-]{{1,200}}"
    rf"|^\s*ADD\s+(?:--\S+\s+){{0,5}}https?://\S{{1,500}}\.sh\b",
    re.IGNORECASE,
)
_HOST = re.compile(r"https?://([^/\s\"'`$)]+)")
_WIDEST = 2000  # characters of a line that are looked at


def fetched(_path: str, text: str) -> Iterator[Mark]:
    """Lines of a build file that do so, whole where they go on behind a backslash; the key is where it is from."""
    begin, parts = 1, list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        if not parts:
            begin = number
        bare = line.rstrip("\r \t")
        parts.append("" if bare.lstrip().startswith("#") else bare.removesuffix("\\"))
        if bare.endswith("\\") and len(parts) < 200:
            continue
        whole, parts = " ".join(parts)[:_WIDEST], []
        if _RUNS.search(whole):
            host = _HOST.search(whole)
            yield Mark(host[1] if host else " ".join(whole.split()), begin, " ".join(whole.split())[:100])
