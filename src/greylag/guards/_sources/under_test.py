"""Where a source asks whether a test runs: by a runner's variable or module, a flag of the build, the environment."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice

from greylag.guards._code.fresh import Mark
from greylag.guards._code.source import Source, language, scan
from greylag.guards._sources.literals import joined

_FLAG = r"(?:[A-Za-z]+[_.]){0,5}(?:unit_?)?test(?:s|ing|[_.-]?(?:mode|env|run|running|threads))?"  # of an environment
_VARIABLE = rf"[\"'](?i:{_FLAG}|nextest\w{{0,20}}|junit\w{{0,20}}|(?:py|je|vi)test\w{{0,20}})[\"']"
_ASKS: Mapping[str, re.Pattern[str]] = {
    "python": re.compile(
        r"[\"'](?:_?pytest|unittest)[\"'][^\n]{0,60}?\bsys\.modules|\bPYTEST_CURRENT_TEST\b"
        r"|\bsys\.modules\b[^\n]{0,60}?[\"'](?:_?pytest|unittest)\b|\bsys\._called_from_test\b"
        r"|\bisinstance\([^()\n]{1,80}\b(?:NonCallable|Magic|Async)?Mock\b"
        r"|\bhasattr\([^()\n]{1,80}[\"'](?:assert_\w{1,30}|_?mock_\w{1,30}|call_count|side_effect|return_value)[\"']"
        r"|\b__name__\b[^\n]{0,40}[\"']\w{0,20}Mock[\"']"
        r"|[\"'](?:py\.?test|unittest)[\"']\s{0,9}(?:not\s{1,9})?in\s{1,9}sys\.argv"
        rf"|\b(?:getenv|environ\.get)\(\s{{0,9}}{_VARIABLE}|\benviron\[\s{{0,9}}{_VARIABLE}"
        rf"|{_VARIABLE}\s{{0,9}}(?:not\s{{1,9}})?in\s{{1,9}}os\.environ\b"
    ),
    "js": re.compile(
        r"\bJEST_WORKER_ID\b|\bprocess\.env\.(?:VITEST\w*|NODE_TEST_CONTEXT)\b|\bNODE_ENV\s{0,9}[!=]==?\s{0,9}[\"']test[\"']"
        r"|[\"']test[\"']\s{0,9}[!=]==?\s{0,9}process\.env\.NODE_ENV\b|\btypeof\s{1,9}(?:jest|describe|vi|mocha)\s{0,9}[!=]=="
        r"|\benv\.MODE\s{0,9}[!=]==?\s{0,9}[\"']test[\"']|\bglobal(?:This)?\.(?:jest|describe|mocha|__vitest_worker__)\b"
        r"|\bprocess\.argv\b[^\n;]{0,80}[\"'/](?:mocha|jest|vitest|ava)\b"
        rf"|\bprocess\.env\.(?i:{_FLAG})\b|\bprocess\.env\[\s{{0,9}}{_VARIABLE}"
        r"|\bimport\.meta\.vitest\s{0,9}(?:\)\s{0,9}(?:\{\s{0,9})?(?:return|throw)\b|\?(?!\.)|&&|\|\|)|\b_?isMockFunction\b"
        r"|\b(?P<called>\w{1,60})(?:\s{1,9}as\s[^()\n]{1,80})?\)?\??\.mock(?![\w(.])"
    ),
    "go": re.compile(
        r"\btesting\.Testing\(\)|\bflag\.Lookup\(\s{0,9}\"test\.|\bos\.Args\[0\]\s{0,9},\s{0,9}\"\.test\""
        rf"|\bos\.(?:Getenv|LookupEnv)\(\s{{0,9}}{_VARIABLE}"
    ),
    "rust": re.compile(
        r"\bcfg!\s{0,9}\(\s{0,9}(?:not\s{0,9}\(\s{0,9})?test\b|#\[\s{0,9}cfg\s{0,9}\(\s{0,9}not\s{0,9}\(\s{0,9}test\b"
        r"|\benv::var(?:_os)?\s{0,9}\(\s{0,9}\"CARGO(?:_\w{1,40})?\"\s{0,9}\)\s{0,9}\.\s{0,9}is_(?:some|ok|none|err)\b"
        rf"|\benv::var(?:_os)?\s{{0,9}}\(\s{{0,9}}{_VARIABLE}|\b(?:option_)?env!\s{{0,9}}\(\s{{0,9}}{_VARIABLE}"
    ),
    "java": re.compile(
        r"\"(?:org\.junit|junit\.framework|org\.testng|surefire\.|org\.gradle\.test)"
        r"|\"java\.class\.path\"\s{0,9}\)[^\n;]{0,80}\"[^\"\n]{0,40}(?:junit|testng|surefire|test-classes)"
        rf"|\b(?:getenv|getProperty|getBoolean)\(\s{{0,9}}{_VARIABLE}"
        r"|\bmockingDetails\(|\.(?:contains|indexOf|startsWith|endsWith|equals|matches)\(\s{0,9}\"[^\"\n]{0,40}(?:\$Mock|Mockito)"
        r"|\bacceptsProfiles\([^\n;]{0,40}\"test\"|\bgetActiveProfiles\(\)[^\n;]{0,80}\"test\""
    ),
    "c": re.compile(rf"\bgetenv\s{{0,9}}\(\s{{0,9}}{_VARIABLE}"),
}  # fmt: skip
_CALLED = re.compile(r"(?<![\w.])(\w{1,60})\(")
_REGION = re.compile(r"^[ \t]*+#[ \t]*+(?:(if)(n?def)?|(el)(?:se|if)|(endif))\b[ \t]*+([^\n]*+)", re.MULTILINE)
_FLAGGED = re.compile(rf"(?<!\w)_{{0,2}}(?i:{_FLAG})_{{0,2}}(?!\w)")
_ACTS = re.compile(r"\b(?:return|goto|break|continue)\b|\b(?:if|for|while|switch)\s*+\(")
_MOST = 500  # of each in one file
_BODY = re.compile(r"\b(\w++)[ \t]*+\([^;{}()]{0,500}\)\s*+\{")


def asks(path: str, text: str) -> Iterator[Mark]:
    """Where a source looks for a test runner."""
    family = language(path) or ""
    if family not in _ASKS:
        return
    text = joined(text)
    found = list(islice(_ASKS[family].finditer(text), _MOST))
    if family == "js" and any(match["called"] for match in found):  # `.mock` may be an option, too
        functions = {*_CALLED.findall(text)}
        found = [match for match in found if not match["called"] or match["called"] in functions]
    if found or (family == "c" and "#" in text):
        source = scan(text, family)
        for match in found:
            if not source.comments[match.start() : match.end()].strip():
                yield Mark(match[0], text.count("\n", 0, match.start()) + 1, " ".join(match[0].split()))
        if family == "c":
            yield from islice(_regions(source), _MOST)


def _regions(source: Source) -> Iterator[Mark]:
    """Parts of a function of C, or one of two bodies of it, that are compiled for tests only."""
    stack: list[tuple[re.Match[str], list[int]]] = []
    for match in _REGION.finditer(source.code):
        if match[1]:
            stack.append((match, [match.end()]))
        elif match[3] and stack:
            stack[-1][1].extend((match.start(), match.end()))
        elif match[4] and stack:
            start, ends = stack.pop()
            ends.append(match.start())
            if _FLAGGED.search(start[5]):
                parts = [source.code[begin:end][:5000] for begin, end in zip(ends[::2], ends[1::2], strict=True)]
                if any(map(_acts, parts)) or _shared(parts):
                    words = " ".join(start[0].split())
                    yield Mark(words, source.code.count("\n", 0, start.start()) + 1, words)


def _acts(part: str) -> bool:
    """Whether it has a statement that belongs to a function which began before it."""
    depth, position = 0, 0
    for match in re.finditer(r"[{}]", part):
        if depth <= 0 and _ACTS.search(part, position, match.start()):
            return True
        depth += 1 if match[0] == "{" else -1
        position = match.end()
    return depth <= 0 and _ACTS.search(part, position) is not None


def _shared(parts: list[str]) -> bool:
    names = [set(_BODY.findall(part)) for part in parts]
    return len(names) > 1 and bool(set.intersection(*names))
