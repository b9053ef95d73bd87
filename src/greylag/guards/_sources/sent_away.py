"""The whole environment of the machine, which has its secrets in it, on its way to another host."""

import re
from collections.abc import Iterable, Iterator, Mapping

from greylag.diffs import FileDiff
from greylag.guards._code.source import language
from greylag.guards._guard import finding
from greylag.model import Diagnostic
from greylag.protocols import Change

_ALL: Mapping[str, re.Pattern[str]] = {
    "python": re.compile(r"\bos\.environ\b(?!\s*+(?:\[|\.(?:get|pop|setdefault|update)\b))"),
    "js": re.compile(r"\bprocess\.env\b(?!\s*+(?:\.|\[|\?\.))"),
    "java": re.compile(r"\bSystem\.getenv\(\s*+\)"),
    "go": re.compile(r"\bos\.Environ\(\)"),
    "rust": re.compile(r"\benv::vars(?:_os)?\(\)"),
    "c": re.compile(r"(?<![\w.])environ\b(?!\s*+\[)"),
}
_SENDS: Mapping[str, re.Pattern[str]] = {
    "python": re.compile(
        r"\burlopen\(|\b(?:requests|httpx|session|client|aiohttp)\.(?:post|put|request|get)\(|\bsocket\.\w*send\w*\("
    ),
    "js": re.compile(
        r"(?<![\w.])fetch\(|\baxios\b|\bhttps?\.(?:request|get)\(|\b(?:got|ky)\.post\(|\bsendBeacon\(|new WebSocket\("
    ),
    "java": re.compile(
        r"\bHttp(?:Client|Request|Post|URLConnection)\b|\.openConnection\(|\bRestTemplate\b|\bOkHttp\w*"
    ),
    "go": re.compile(r"\bhttp\.(?:Post\w*|NewRequest\w*)\(|\bnet\.Dial\w*\("),
    "rust": re.compile(r"\breqwest\b|\bureq\b|\bTcpStream::connect\(|\bhyper::"),
    "c": re.compile(r"\bcurl_easy_\w+\(|\bsend(?:to)?\("),
}
_NEAR = 15  # lines between the one and the other
_WIDEST = 1000  # characters of a line


def sent_away(change: Change, files: Iterable[FileDiff]) -> Iterator[Diagnostic]:
    """Added lines that take the whole environment, near added ones that send something."""
    for file in files:
        family = language(file.path) or ""
        if family not in _ALL or file.status == "deleted":
            continue
        taken, sends = (
            [line.new or 0 for line in file.added if pattern.search(line.text[:_WIDEST])]
            for pattern in (_ALL[family], _SENDS[family])
        )
        near = next((one for one in taken[:100] if any(abs(one - other) <= _NEAR for other in sends[:100])), None)
        if near is not None:
            message = "sends the environment of the machine to another host, with all secrets in it"
            yield finding(change, "suppressions", "sources/sent-away", message, file.path, line=near)
