"""Checks in the lines of a source: an `if` that refuses, a call that checks and refuses in one, by languages."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from greylag.guards._code.source import LITERAL, Brackets, brackets, scan

FAILS: Mapping[str, re.Pattern[str]] = {  # statements by which a function refuses, or tells that it failed
    "python": re.compile(r"\braise\b|\bassert\s|\bsys\.exit\((?!\s*+0?\s*+\))|\babort\("),
    "js": re.compile(
        r"\bthrow\b|\breject\(|\breturn\s++(?>(?:\w++\.)*)(?:callback|cb|next|done)\(\s*+(?!null\b|undefined\b)\w"
        r"|\bexit(?:Code\s*+=|\()\s*+[1-9]|\babort\w*\(|\.(?:status|sendStatus|code)\(\s*+4\d\d\b"
    ),
    "java": re.compile(
        r"\bthrow\b|\b(?:exit|exitProcess|halt)\(\s*+[1-9]|\bfailedFuture\(|\bcompleteExceptionally\(|\.sendError\("
    ),
    "go": re.compile(
        r"\bpanic\(|\bFatal\w*\(|\bExit\([1-9]|\bhttp\.(?:Error|NotFound)\("
        r"|\breturn\b[^\n]{0,300}?(?:\b\w*[eE]rr\b|\berrors\.\w|\b\w+\.Errorf\(|\bErr[A-Z]\w*|\bstatus\.Error)"
    ),
    "rust": re.compile(
        r"(?<!let )\bErr\((?![^()\n]{0,100}\)\s*+(?:=|\|))|\b(?:bail|panic|ensure|unreachable)!"
        r"|\b(?:debug_)?assert\w*!|\bexit\([1-9]|\?(?=[;.)\s,])|\.(?:unwrap|expect)\("
    ),
    "c": re.compile(
        r"\breturn\s*+\(?\s*+(?:-|\w*(?:ERR|FAIL|INVAL|BAD)|NULL\b|nullptr\b|false\b|[1-9])|\bthrow\b|\babort\(|\bexit\(\s*+[^0\s]"
        r"|\bgoto\s++\w*(?:err|fail|out|bad|done)|\bdie\w*\("
    ),
}
_REFUSES = {
    "rust": re.compile(
        r"(?<!let )\bErr\((?![^()\n]{0,100}\)\s*+(?:=|\|))|\b(?:bail|panic|unreachable)!|\breturn\s++None\b"
    )
}
_NESTED = re.compile(r"\b(?:for|while|if|match|switch|try)\b")
_SHORT: Mapping[str, re.Pattern[str]] = {  # calls that check and refuse in one
    "python": re.compile(
        r"^[ \t]*+(?:assert\s|@\w*(?:login|permission|auth|csrf)\w*)|\.raise_for_status\(|\.check_returncode\("
        r"|\bcheck\s*+=\s*+True\b|\btimeout\s*+=\s*+[\d.]++",
        re.MULTILINE,
    ),
    "js": re.compile(r"(?<![\w.])(?:assert\w*+|invariant)(?>(?:\.\w++)*)\(|\blimit\s*+:\s*+[\w\"'`]++"),
    "java": re.compile(
        r"\b(?:requireNon\w++|check(?:Argument|State|NotNull|Index|\w*Index|Positi\w++)|(?:Validate|Assert)\.\w++)\s*+\("
        r"|(?<![\w.])(?:require(?:NotNull)?|check(?:NotNull)?)\s*+\("
        r"|\?:\s*+throw\b|\bsynchronized\s*+\(|@(?:Valid(?:ated)?|Not(?:Null|Blank|Empty)|PreAuthorize|Secured|RolesAllowed|Size|Min|Max|Positive\w*)\b"
    ),
    "go": re.compile(r"\b(?:LimitReader|MaxBytesReader|context\.With(?:Timeout|Deadline)\w*+)\("),
    "rust": re.compile(
        r"(?<!debug_)\b(?:assert(?:_eq|_ne)?|ensure)!\s*+\(|\.take\([^()\n]{1,100}\)(?=\.read_)|\.ok_or(?:_else)?\("
    ),
    "c": re.compile(
        r"(?<!\w)(?:assert|BUG_ON|g_return_(?:val_)?if_fail|Expects|D?CHECK(?:_\w++)?)\s*+\("
        r"|\b(?:lock_guard|unique_lock|scoped_lock)\b|\b(?:std::)?(?:min|MIN)\s*+\([^()\n]{0,100}\bsizeof\b"
    ),
}
_IF: Mapping[str, re.Pattern[str]] = {
    "python": re.compile(r"^(?P<in>[ \t]*+)(?:el)?if\b(?P<when>[^\n]*?):[ \t]*+\n?(?=[^\n]*+)", re.MULTILINE),
    "js": re.compile(r"\bif\s*+(?=\()"),
    "java": re.compile(r"\bif\s*+(?=\()"),
    "c": re.compile(r"\bif\s*+(?=\()"),
    "go": re.compile(r"\bif\s(?P<when>[^{}\n]{1,500})(?=\{)"),
    "rust": re.compile(r"\bif\s(?P<when>[^{}\n]{1,500})(?=\{)"),
}
_CHECKS = re.compile(r"valid|check|verif|ensure|assert|auth|allow|limit|sanit|permi|require", re.IGNORECASE)
_CALLED = re.compile(
    r"^[ \t]*+(?:await\s++)?(?>(?:[\w$]++(?:\.|::|->))*)(?P<name>_?(?:validate|check|verify|ensure|assert|sanitize"
    r"|authorize|require)[A-Z_]\w*+|validate\w*+|ensure\w*+|authorize\w*+)"
    r"\(",
    re.MULTILINE,
)
_WORDS = """
if elif else not and or is in None null nil nullptr NULL true false True False undefined this self return raise throw
new len size length isinstance typeof instanceof of const let var auto mut ref err error Error Exception assert
void _
"""
_NARROWS = re.compile(r"\bis\s++not\s++None\b|\bisinstance\(")  # what is asserted for the type checker
PLAIN = frozenset(_WORDS.split())
_NEAR, _LONGEST, _LINES = 300, 1000, 6  # characters of a body that are looked at, that it has, and its lines


@dataclass(frozen=True, slots=True)
class Refusal:
    """One check: what it is about, its alternatives, its statement that refuses, and where it is in its text."""

    words: frozenset[str]
    ways: frozenset[str]
    fails: str
    begin: int
    end: int
    does: str = ""  # a call whose error it hands on: it checks nothing itself


def found(text: str, family: str) -> Iterator[Refusal]:
    """The checks in some lines of a language."""
    if not text:
        return
    code, over = scan(text, family).code, 0
    round_, curly = brackets(code, "()"), brackets(code, "{}")
    for match in _CALLED.finditer(code):
        begin, end = round_.after(match.end() - 1)
        yield _refusal(text[begin:end], f"{match['name']}({text[begin:end]}", match.start(), end)
    for match in _IF[family].finditer(code):
        if match.start() < over:
            continue
        when, begin, end = _guarded(match, code, family, round_, curly)
        does = when.partition(":=")[2].partition(";")[0] if not _CHECKS.search(when) else ""
        body = code[begin : min(end, begin + _LONGEST)]
        if end - begin > _LONGEST or body.count("\n") > _LINES or _NESTED.search(body):
            continue  # it does more than to refuse
        if fails := _REFUSES.get(family, FAILS[family]).search(code, begin, min(end, begin + _NEAR)):
            over = end
            line = text.find("\n", fails.start())
            fail = text[fails.start() : line if line >= 0 else len(text)]
            yield replace(_refusal(when, fail, match.start(), end), does="".join(does.split()))
    for match in _SHORT[family].finditer(code):
        begin, end = match.span()
        if match[0].endswith("("):
            begin, end = round_.after(match.end() - 1)
        elif match[0].strip() == "assert":
            line = code.find("\n", match.end())
            begin, end = match.end(), line if line >= 0 else len(code)
        if not (family == "python" and _NARROWS.search(code, begin, end)):
            one = _refusal(text[begin:end], match[0].strip(), match.start(), end)
            yield one if one.words else replace(one, words=frozenset({match[0]}))


def _guarded(match: re.Match[str], code: str, family: str, round_: Brackets, curly: Brackets) -> tuple[str, int, int]:
    """The condition of an `if`, and the span of what it guards."""
    if family == "python":
        rest = code[match.end() :]
        deeper = re.match(rf"(?:[^\n]*+)(?>(?:\n{match['in']}[ \t]++[^\n]*+|\n[ \t]*+(?=\n))*)", rest)
        return match["when"], match.end(), match.end() + (deeper.end() if deeper else 0)
    if family in {"go", "rust"}:
        begin, end = curly.after(match.end())
        return match["when"], begin, end
    start, after = round_.after(match.end())
    if re.compile(r"\s*+\{").match(code, after):
        begin, end = curly.after(after)
    else:
        stop = code.find(";", after, after + _LONGEST)
        begin, end = after, stop + 1 if stop >= 0 else min(after + _LONGEST, len(code))
    return code[start + 1 : after - 1], begin, end


def _refusal(when: str, fails: str, begin: int, end: int) -> Refusal:
    ways = frozenset("".join(way.split()) for way in re.split(r"\|\||\bor\b", when))
    words = frozenset(re.findall(r"[A-Za-z_]\w*", LITERAL.sub("", when))) - PLAIN
    return Refusal(words, ways, "".join(fails.split()).rstrip(";}"), begin, end)
