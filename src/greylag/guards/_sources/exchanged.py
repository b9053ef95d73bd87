"""Calls that gave way to weaker ones on the same lines: bounded to unbounded copies, exact to any number of calls.

The tables say it: what is stronger, and what of that kind is weaker. A place counts where it has less of the one and
more of the other than before, so that nobody is stopped who writes either anew.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from greylag.diffs import FileDiff
from greylag.guards._cases.runs import Run, concerned
from greylag.guards._code.source import language
from greylag.guards._guard import finding
from greylag.model import Diagnostic
from greylag.protocols import Change

_Table = Mapping[str, Sequence[tuple[re.Pattern[str], re.Pattern[str]]]]


def _table(rows: Mapping[str, Sequence[tuple[str, str]]]) -> _Table:
    return {
        family: [(re.compile(strong), re.compile(weak)) for strong, weak in pairs] for family, pairs in rows.items()
    }


_ANY = [(r"(?i)\bsha(?:3?[-_]?(?:256|384|512))\b", r"(?i)\b(?:md5|sha[-_]?1)\b")]
SOURCES = _table(
    {
        "python": [
            (r"\bcompare_digest\(", r"[!=]="),
            (
                r"\bsafe_load(?:_all)?\(|\bC?SafeLoader\b",
                r"\byaml\.(?:unsafe_|full_)?load(?:_all)?\(|\b(?:Unsafe|Full)?Loader\b",
            ),
            (r"\bliteral_eval\(|\bjson\.loads?\(", r"(?<![\w.])eval\(|\bpickle\.loads?\("),
            (r"\bsecrets\.\w+\(|\bSystemRandom\b", r"\brandom\.\w+\("),
            (r"\b(?:run|call|check_call|check_output|Popen)\(\s*+\[", r"\bshell\s*+=\s*+True\b|\bos\.system\("),
            (
                r"\bexecute\w*+\([^()\n]{0,300},",
                r"\bexecute\w*+\(\s*+(?:f[\"']|[^()\n]{0,300}[\"']\s*+(?:%|\.format\())",
            ),
            (r"\bdefusedxml\b", r"\bxml\.(?:etree|dom|sax)\b"),
            *_ANY,
        ],
        "js": [
            (r"\btimingSafeEqual\(", r"[!=]=="),
            (
                r"\.(?:textContent|innerText)\b|\bcreateTextNode\(",
                r"\b(?:inner|outer)HTML\b|\binsertAdjacentHTML\(|\bdangerouslySet",
            ),
            (r"\brandom(?:Bytes|UUID|Int)\(|\bgetRandomValues\(", r"\bMath\.random\("),
            (r"\b(?:execFile|spawn)(?:Sync)?\(", r"(?<![\w.])exec(?:Sync)?\(|\bshell\s*:\s*true\b"),
            (r"\bJSON\.parse\(", r"(?<![\w.])eval\(|\bnew Function\("),
            *_ANY,
        ],
        "java": [
            (
                r"\b(?:toInt|add|subtract|multiply|increment|negate)Exact\(",
                r"\((?:int|short|byte)\)|[\w)] ?[-+*] ?[\w(]|\.toInt\(\)",
            ),
            (r"\bSecureRandom\b", r"(?<!Secure)Random\b|\bMath\.random\("),
            (r"\bMessageDigest\.isEqual\(", r"\bArrays\.equals\(|\.equals\(|[!=]="),
            (r"\bprepareStatement\(", r"\bcreateStatement\("),
            *_ANY,
        ],
        "go": [
            (r"\bConstantTimeCompare\(|\bhmac\.Equal\(", r"[!=]=|\bbytes\.(?:Equal|Compare)\("),
            (r"\"crypto/rand\"", r"\"math/rand(?:/v2)?\""),
            (r"\"html/template\"", r"\"text/template\""),
            *_ANY,
        ],
        "rust": [
            (r"\btry_(?:from|into)\b", r"\bas\s++(?:[ui](?:8|16|32|64|128|size)|f32)\b"),
            (
                r"\b(?:checked|saturating)_(?:add|sub|mul|div|shl|shr|neg)\(",
                r"\b(?:wrapping|unchecked|overflowing)_\w+\(",
            ),
            (r"\b(?:OsRng|ThreadRng|thread_rng)\b", r"\bSmallRng\b"),
            *_ANY,
        ],
        "c": [
            (r"\bv?s(?:w|n)printf(?:_s)?\(", r"\bv?sprintf\("),
            (r"\b(?:strncpy|strlcpy|strcpy_s|strscpy|stpncpy)\(", r"\bst[rp]cpy\("),
            (r"\b(?:strncat|strlcat|strcat_s)\(", r"\bstrcat\("),
            (r"\bf?gets_s\(|\bfgets\(", r"\bgets\("),
            (r"scanf(?:_s)?\([^;\n]{0,200}%\d{1,9}[s\[]", r"scanf\([^;\n]{0,200}%[s\[]"),
            (r"\.\s*+at\s*+\(", r"[\w)\]]\[[^\[\]\n]{1,200}\]"),
            (r"\bdynamic_(?:pointer_)?cast\b", r"\b(?:static|reinterpret)_(?:pointer_)?cast\b"),
            (r"\b(?:narrow|numeric_cast|checked_cast)\s*+<", r"\bstatic_cast\s*+<|\((?:int|short|char|u?int\d+_t)\)"),
            (r"\b(?:CRYPTO_memcmp|timingsafe_[bm]+cmp|consttime_memequal)\(", r"(?<!_)\b(?:memcmp|strcmp|bcmp)\("),
            (r"\b(?:arc4random\w*|getrandom|getentropy|random_device)\b", r"\b(?:rand|random)\("),
            *_ANY,
        ],
    }
)
PROOF = _table(
    {
        "python": [
            (
                r"\.(?:join|wait|get|result|acquire)\((?:timeout\s*+=)?\s*+[\d.]++\s*+\)",
                r"\.(?:join|wait|get|result|acquire)\(\)",
            ),
            (r"\b(?:mock_calls|call_args_list|method_calls)\s*+==", r"\bassert_(?:has_calls|any_call|called)\b"),
            (
                r"\bassert_(?:called|awaited)_once(?:_with)?\(",
                r"\bassert_(?:(?:any|has)_\w+|(?:called|awaited)(?:_with)?)\(",
            ),
        ],
        "js": [
            (r"\bexpectType<\s*+(?!any\b|unknown\b)", r"\bexpectType<\s*+(?:any|unknown)\b|\bexpectAssignable<"),
            (
                r"\.(?:toEqualTypeOf|branded\.toEqualTypeOf)\b",
                r"\.(?:toBeAny|toBeUnknown|toMatchTypeOf|toExtend)\b|\.not\.toBe(?:Never|Any)\b",
            ),
            (r"\bcalled(?:Once|Twice|Thrice|With|On[A-Z])\w*|\.callCount\b", r"\bcalled\b"),
        ],
        "java": [
            (
                r"\.(?:verify|verifyComplete|block|blockFirst|blockLast)\(\s*+Duration\b|\.(?:get|await)\(\s*+\d[\d_]*+L?\s*+,|\.join\(\s*+\d",
                r"\.(?:verify|verifyComplete|block|blockFirst|blockLast|get|await|join)\(\)",
            ),
            (
                r"(?<![\w.])(?:contains|containsInAnyOrder|arrayContaining\w*+)\(",
                r"(?<![\w.])(?:hasItems?|hasItemInArray|not\(empty|isIn|hasSize\(greater\w*+)\(",
            ),
            (r"(?<![\w.])everyItem\(", r"(?<![\w.])hasItem\("),
            (
                r"\bassertFailsWith\b|\bshouldThrow(?:Exactly)?<(?!Exception|Throwable)",
                r"\bassertFails\s*+[({]|\bshouldThrowAny\b",
            ),
            (r"\b[iI]nOrder\w*\.verify\(", r"(?<![\w.])verify\("),
            (r"\bisExactlyInstanceOf\(", r"\bisInstanceOf\("),
            (
                r"\bassertEquals\(|\.equals\(|\bisEqualTo\(",
                r"[iI]gnor(?:e|ing)\w{0,20}Case\w*\(|\bcompareToIgnoreCase\(",
            ),
            (r"\bexactly\s*+=", r"\bverify\s*+\{|\bat(?:Least|Most)\s*+="),
        ],
        "go": [
            (r"\bcontext\.With(?:Timeout|Deadline)\w*+\(", r"(?m)=\s*+context\.(?:Background|TODO)\(\)$"),
            (r"\.(?:Times\(\s*+\d|Once\(\)|Twice\(\))", r"\.(?:AnyTimes|MinTimes|MaxTimes|Maybe)\("),
            (r"\bAssertNumberOfCalls\(", r"\bAssertCalled\("),
            (
                r"\b(?:reflect\.DeepEqual|(?:assert|require)\.Equal(?:Values)?|cmp\.(?:Diff|Equal)|slices\.Equal)\((?![^\n]{0,300}\blen\()",
                r"\b(?:assert|require)\.(?:Len|NotEmpty|Subset|NotNil|NotZero)\(|\blen\(",
            ),
            (r"\bcmp\.(?:Diff|Equal)\((?![^\n]{0,300}\bcmpopts\.)", r"\bcmpopts\.(?:Ignore\w+|Sort\w+|Equate\w+)"),
        ],
        "rust": [
            (r"\.recv_timeout\(|\.wait_timeout\w*+\(", r"\.(?:recv|wait)\("),
            (r"\.(?:times|expect)\(\s*+\d++\s*+\)|\.once\(\)", r"\.(?:times|expect)\(\s*+\d*+\s*+\.\."),
            (r"\bassert_eq!", r"\bmatches!\s*\([^;\n]{0,300}(?:\(_\)|\(\.\.\)|\{\s*\.\.\s*\})"),
        ],
        "c": [
            (r"\.wait_(?:for|until)\(", r"\.(?:wait|get)\(\)"),
            (r"\b(?:REQUIRE|CHECK)_THROWS_(?:AS|WITH|MATCHES)\s*+\(", r"\b(?:REQUIRE|CHECK)_THROWS\s*+\("),
            (r"\bBOOST_\w{1,9}_(?:THROW|EXCEPTION)\s*+\(", r"\bBOOST_\w{1,9}_THROW_ANY\b"),
            (r"_STREQ\b|\bstrcmp\(", r"\bstr(?:n|case|ncase|i)cmp\(|_STRCASE\w+\("),
            (
                r"_EQ\(|\b(?:Unordered)?ElementsAre\w*\(|\bEq(?:uals)?\(",
                r"\b(?:SizeIs|IsSupersetOf|Contains|HasSubstr|StartsWith|EndsWith)\(|\bNot\(IsEmpty",
            ),
            (
                r"\.Times\(\s*+(?:(?:\w++::)*Exactly\()?\s*+\d",
                r"\.Times\(\s*+(?:\w++::)*(?:AnyNumber|AtLeast|AtMost|Between)\b",
            ),
        ],
    }
)


def exchanged(change: Change, files: Sequence[FileDiff], *, tests: bool) -> Iterator[Diagnostic]:
    """Findings on modified files: in tests what proves less, elsewhere what protects less."""
    for file, run in concerned(change, files, tests=tests):
        if found := weaker(run, (PROOF if tests else SOURCES).get(language(file.path) or "", ())):
            strong, weak = found
            if tests:
                message = f"asks for less by `{weak}` than by `{strong}`"
                yield finding(change, "tests", "tests/weaker-assertions", message, file.path, line=run.line)
            else:
                message = f"has `{weak}` in place of `{strong}`, which checks or protects"
                yield finding(change, "suppressions", "sources/unchecked", message, file.path, line=run.line)


def weaker(run: Run, rows: Sequence[tuple[re.Pattern[str], re.Pattern[str]]]) -> tuple[str, str] | None:
    old, new = run.old, run.new
    for strong, weak in rows if old and new else ():
        had = strong.search(old)
        if had and _count(strong, new) < _count(strong, old):
            before, after = strong.sub(" ", old), strong.sub(" ", new)
            if _count(weak, after) > _count(weak, before) and (came := weak.search(after)):
                return " ".join(had[0].split()), " ".join(came[0].split())
    return None


def _count(pattern: re.Pattern[str], text: str) -> int:
    return sum(1 for _ in pattern.finditer(text))
