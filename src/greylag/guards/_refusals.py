"""What a source refuses no more: a check of an argument, a size or a state that is gone while the rest stays."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from greylag.diffs import FileDiff
from greylag.guards._guard import finding
from greylag.guards._runs import Run, concerned, text
from greylag.guards._source import LITERAL, brackets, language, scan
from greylag.model import Diagnostic
from greylag.protocols import Change

FAILS: Mapping[str, re.Pattern[str]] = {  # statements by which a function refuses, or tells that it failed
    "python": re.compile(r"\braise\b|\bassert\s|\bsys\.exit\((?!\s*+0?\s*+\))|\babort\("),
    "js": re.compile(
        r"\bthrow\b|\breject\(|\breturn\s++(?:\w++\.)*+(?:callback|cb|next|done)\(\s*+(?!null\b|undefined\b)\w"
        r"|\bexit(?:Code\s*+=|\()\s*+[1-9]|\babort\w*\("
    ),
    "java": re.compile(r"\bthrow\b|\b(?:exit|exitProcess|halt)\(\s*+[1-9]|\bfailedFuture\(|\bcompleteExceptionally\("),
    "go": re.compile(
        r"\bpanic\(|\bFatal\w*\(|\bExit\([1-9]"
        r"|\breturn\b[^\n]{0,300}?(?:\b\w*[eE]rr\b|\berrors\.\w|\b\w+\.Errorf\(|\bErr[A-Z]\w*|\bstatus\.Error)"
    ),
    "rust": re.compile(
        r"(?<!let )\bErr\((?![^()\n]{0,100}\)\s*+(?:=|\|))|\b(?:bail|panic|ensure|unreachable)!|\b(?:debug_)?assert\w*!|\bexit\([1-9]|\?(?=[;.)\s,])|\.(?:unwrap|expect)\("
    ),
    "c": re.compile(
        r"\breturn\s*+\(?\s*+(?:-|\w*(?:ERR|FAIL|INVAL|BAD)|NULL\b|nullptr\b|false\b|[1-9])|\bthrow\b|\babort\(|\bexit\(\s*+[^0\s]"
        r"|\bgoto\s++\w*(?:err|fail|out|bad|done)|\bdie\w*\("
    ),
}
_REFUSES = {"rust": re.compile(r"(?<!let )\bErr\((?![^()\n]{0,100}\)\s*+(?:=|\|))|\b(?:bail|panic|unreachable)!|\breturn\s++None\b")}
_NESTED = re.compile(r"\b(?:for|while|if|match|switch)\b")
_SHORT: Mapping[str, re.Pattern[str]] = {  # calls that check and refuse in one
    "python": re.compile(
        r"^[ \t]*+(?:assert\s|@\w*(?:login|permission|auth|csrf)\w*)|\.raise_for_status\(|\.check_returncode\("
        r"|\bcheck\s*+=\s*+True\b|\btimeout\s*+=\s*+[\d.]++",
        re.MULTILINE,
    ),
    "js": re.compile(r"(?<![\w.])(?:assert\w*+|invariant)(?:\.\w++)*+\(|\blimit\s*+:\s*+[\w\"'`]++"),
    "java": re.compile(
        r"\b(?:requireNon\w++|check(?:Argument|State|NotNull|Index|\w*Index|Positi\w++)|(?:Validate|Assert)\.\w++)\s*+\("
        r"|(?<![\w.])(?:require(?:NotNull)?|check(?:NotNull)?)\s*+\("
        r"|\?:\s*+throw\b|\bsynchronized\s*+\(|@(?:Valid(?:ated)?|Not(?:Null|Blank|Empty)|PreAuthorize|Secured|RolesAllowed|Size|Min|Max|Positive\w*)\b"
    ),
    "go": re.compile(r"\b(?:LimitReader|MaxBytesReader|context\.With(?:Timeout|Deadline)\w*+)\("),
    "rust": re.compile(r"(?<!debug_)\b(?:assert(?:_eq|_ne)?|ensure)!\s*+\(|\.take\([^()\n]{1,100}\)(?=\.read_)|\.ok_or(?:_else)?\("),
    "c": re.compile(r"(?<!\w)(?:assert|BUG_ON|g_return_(?:val_)?if_fail|Expects|D?CHECK(?:_\w++)?)\s*+\("
        r"|\b(?:lock_guard|unique_lock|scoped_lock)\b|\b(?:std::)?(?:min|MIN)\s*+\([^()\n]{0,100}\bsizeof\b"),
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
    r"^[ \t]*+(?:await\s++)?(?:[\w$]++(?:\.|::|->))*+(?P<name>_?(?:validate|check|verify|ensure|assert|sanitize|authorize|require)[A-Z_]\w*+|validate\w*+|ensure\w*+|authorize\w*+)"
    r"\(",
    re.MULTILINE,
)
_DECLARES = re.compile(
    r"^[ \t]*+(?:(?:pub(?:\([^()\n]*\))?|async|export|default|static|const|unsafe|private|public|protected|override|final|suspend)\s++)*+"
    r"(?:def|fn|func|fun|function|class|struct|enum|interface|trait|impl|type|case|@Test)\b"
    r"|^[\w][\w \t*&<>:,\[\]]{0,200}\([^;{}]{0,300}\)[ \t\w]{0,40}\{?[ \t]*$",
    re.MULTILINE,
)
_VERSIONS = re.compile(r"version|platform|deprecat|legacy|PY[23]\b|features?\b|compat", re.IGNORECASE)
_WORDS = """
if elif else not and or is in None null nil nullptr NULL true false True False undefined this self return raise throw new
len size length isinstance typeof instanceof of const let var int str auto mut ref err error Error Exception assert
"""
_NARROWS = re.compile(r"\bis\s++not\s++None\b|\bisinstance\(")  # what is asserted for the type checker
_PLAIN = frozenset(_WORDS.split())
_NEAR, _LINES = 300, 6  # characters of a body that are looked at, and its lines
_OTHERS = 2  # statements that may go with a check


@dataclass(frozen=True, slots=True)
class _Refusal:
    """One check: what it is about, its alternatives, its statement that refuses, and where it is in its text."""

    words: frozenset[str]
    ways: frozenset[str]
    fails: str
    begin: int
    end: int


def refusals(change: Change, files: Iterable[FileDiff]) -> Iterator[Diagnostic]:
    """Checks that are gone without anything in their place, here or in another file of the change."""
    places = [(file, run) for file, run in concerned(change, files) if language(file.path) in FAILS]
    come = [one for file, run in places for one in _found(run.new, language(file.path) or "")]
    for file, run in places:
        family = language(file.path) or ""
        if run.removed and (lost := _lost(run, family, come)):
            text = " ".join(run.old[lost.begin : lost.end].split())[:100]
            message = f"refuses less: `{text}` is gone, and nothing took its place"
            line = run.line or max((run.removed[0].old or 1) - 1, 1)
            yield finding(change, "tests", "sources/check-removed", message, file.path, line=line)


def _lost(run: Run, family: str, come: Sequence[_Refusal]) -> _Refusal | None:
    gone = list(_found(run.old, family))
    if _DECLARES.search(scan(run.old, family).code):
        return None
    if run.added and (narrower := _narrower(run, family)):
        return narrower
    if not gone or not _stays(run, family, gone):
        return None
    said = {other.fails for other in come}
    left = (one for one in gone if not _is_kept(one, come, said) and (one.words or not run.added))
    return next((one for one in left if not _mended(run, one)), None)


def _narrower(run: Run, family: str) -> _Refusal | None:
    """A check that has some of its alternatives only, and refuses by the same statement."""
    behind = "\n" + text(run.after)
    before, after = (list(_found(part + behind, family)) for part in (run.old, run.new))
    if len(before) != len(after):
        return None
    return next((one for one, now in zip(before, after, strict=True) if now.ways < one.ways and now.fails == one.fails), None)


def _is_kept(one: _Refusal, come: Sequence[_Refusal], said: set[str]) -> bool:
    about = any(one.words & other.words or not other.words for other in come)
    return about or one.fails in said or bool(_VERSIONS.search(" ".join(one.ways)))


def _mended(run: Run, one: _Refusal) -> bool:
    """Whether a value that was refused is replaced by another now."""
    given = (re.compile(rf"\b{re.escape(word)}\s*(?:\?\?|\|\||or)?=(?!=)") for word in one.words)
    return any(pattern.search(run.new) and not pattern.search(run.old) for pattern in given)


def _stays(run: Run, family: str, gone: Sequence[_Refusal]) -> bool:
    """Whether what is there now is no more than what stood beside the checks: else it may check in another way."""
    old, new = run.old, run.new
    bare = old
    for one in sorted(gone, key=lambda one: -one.begin):
        bare = bare[: one.begin] + bare[one.end :]
    rest = [line for line in scan(bare, family).code.split("\n") if re.search(r"\w", line)]
    rest = [line for line in rest if not re.match(r"\s*+(?:import|from|use|using|package|#\s*include|else|\"|\))", line)]
    added = [line for line in scan(new, family).code.split("\n") if re.search(r"\w", line)]
    if FAILS[family].search(new) and len(FAILS[family].findall(new)) >= len(FAILS[family].findall(bare)) + len(gone):
        return False
    return len(rest) <= len(added) + _OTHERS and _named(new) - _PLAIN <= _named(old)


def _named(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_]\w*", LITERAL.sub("", text)))


def _found(text: str, family: str) -> Iterator[_Refusal]:
    if not text:
        return
    code = scan(text, family).code
    over = 0
    for match in _CALLED.finditer(code):
        begin, end = brackets(code, "()").after(match.end() - 1)
        yield _refusal(text[begin:end], f"{match['name']}({text[begin:end]}", match.start(), end)
    for match in _IF[family].finditer(code):
        if match.start() < over:
            continue
        when, begin, end = _guarded(match, code, family)
        if ":=" in when and not _CHECKS.search(when):
            continue  # it does something, and hands its error on
        body = code[begin:end]
        if body.count("\n") > _LINES or _NESTED.search(body):
            continue  # it does more than to refuse
        if fails := _REFUSES.get(family, FAILS[family]).search(code, begin, min(end, begin + _NEAR)):
            over = end
            line = text.find("\n", fails.start())
            fail = text[fails.start() : line if line >= 0 else len(text)]
            yield _refusal(when, fail, match.start(), end)
    round_ = brackets(code, "()")
    for match in _SHORT[family].finditer(code):
        begin, end = match.span()
        if match[0].endswith("("):
            begin, end = round_.after(match.end() - 1)
        elif match[0].strip() == "assert":
            line = code.find("\n", match.end())
            begin, end = match.end(), line if line >= 0 else len(code)
        if not (family == "python" and _NARROWS.search(code, begin, end)):
            found = _refusal(text[begin:end], match[0].strip(), match.start(), end)
            yield found if found.words else replace(found, words=frozenset({match[0]}))


def _guarded(match: re.Match[str], code: str, family: str) -> tuple[str, int, int]:
    """The condition of an `if`, and the span of what it guards."""
    if family == "python":
        rest = code[match.end() :]
        deeper = re.match(rf"(?:[^\n]*+)(?:\n{match['in']}[ \t]++[^\n]*+|\n[ \t]*+(?=\n))*+", rest)
        return match["when"], match.end(), match.end() + (deeper.end() if deeper else 0)
    if family in {"go", "rust"}:
        begin, end = brackets(code, "{}").after(match.end())
        return match["when"], begin, end
    start, after = brackets(code, "()").after(match.end())
    if re.compile(r"\s*+\{").match(code, after):
        begin, end = brackets(code, "{}").after(after)
    else:
        stop = code.find(";", after)
        begin, end = after, stop + 1 if stop >= 0 else len(code)
    return code[start + 1 : after - 1], begin, end


def _refusal(when: str, fails: str, begin: int, end: int) -> _Refusal:
    ways = frozenset("".join(way.split()) for way in re.split(r"\|\||\bor\b", when))
    words = frozenset(re.findall(r"[A-Za-z_]\w*", LITERAL.sub("", when))) - _PLAIN
    return _Refusal(words, ways, "".join(fails.split()).rstrip(";}"), begin, end)
