"""How Ruby, PHP, Elixir and bats write tests, as patterns for single lines: these languages are read no closer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NONE = re.compile(r"(?!)")


@dataclass(frozen=True, slots=True)
class LineDialect:
    """`code` patterns see a line without comments and contents of strings, `text` patterns the whole line."""

    name: str
    start: re.Pattern[str]  # text: a test, with the group `name`
    asserts: re.Pattern[str]  # code: an assertion
    idle: re.Pattern[str]  # text: one that holds whatever happens
    exact: re.Pattern[str]  # text: one that a single value satisfies
    weak: re.Pattern[str]  # text: one that many values satisfy
    leaves: re.Pattern[str] = _NONE  # code: ends a test, or says that it has no assertion
    rescues: re.Pattern[str] = _NONE  # code: catches what an assertion raises, with `inline` that of its own line
    speaks: re.Pattern[str] = _NONE  # code: a failure is told after all
    inverts: re.Pattern[str] = _NONE  # text: a failed assertion is what is expected
    deferred: re.Pattern[str] = _NONE  # code: what follows waits to be called
    called: re.Pattern[str] = _NONE  # code: it is called
    stubs: re.Pattern[str] = _NONE  # text: what is tested answers as the test says; groups `who` and `what`
    bare: re.Pattern[str] = _NONE  # code: is an assertion with `needs` only
    needs: re.Pattern[str] = _NONE
    family: str = "hash"
    owns: re.Pattern[str] = _NONE  # code, anywhere in a file: an assertion of the framework made anew


_RUBY = LineDialect(
    "Ruby",
    re.compile(
        r"^\s*+(?:(?:it|specify|example|scenario|test|should)\b(?:\s*+\(?\s*+(?P<name>\"[^\"\n]{0,300}\"|'[^'\n]{0,300}')"
        r"|\s*+(?=\{|do\b))|def\s++(?P<method>test_\w++[?!]?))"
    ),
    re.compile(
        r"\bexpect\s*+[({]|\bis_expected\b|\.should(?:_not)?\b|(?<![.:\w])(?:assert|refute)(?:_\w++)?[?!]?(?=[\s(])"
        r"|\.(?:must|wont)_\w++|(?<![.\w])flunk\b|\bexpect_\w++"
    ),
    re.compile(
        r"\bexpect\(\s*(?P<a>true|false|nil|\d+)\s*\)\.to\s+(?:eql?|be)\b[\s(]*(?P=a)\b|\bassert[\s(]+true\b"
        r"|\bassert_equal[\s(]+(?P<b>[\w.]+),\s*(?P=b)\s*\)?$|\brefute[\s(]+(?:false|nil)\b"
    ),
    re.compile(
        r"\.to\s+(?:eql?|equal|match_array|contain_exactly|be_nil|be_empty|be\s*(?:[(]|true|false))|\bassert_(?:equal|same|empty|nil)\b"
        r"|must_(?:equal|be_same_as|be_nil|be_empty)|\.should\s+(?:==|eql?)"
    ),
    re.compile(
        r"\bbe_(?:truthy|falsey|present|an?|kind_of|instance_of|within|between)\b|\b(?:not_to|to_not)\b|\brespond_to\b|\bbe\s*[<>]"
        r"|\bassert[\s(]|\brefute\w*|\bassert_(?:not_nil|in_(?:delta|epsilon)|kind_of|instance_of|respond_to|match|includes)\b"
        r"|\banything\b|must_(?:be_kind_of|be_instance_of|match|include)|\.to\s+(?:include|match|start_with)\b|\bdo_nothing\b"
    ),
    leaves=re.compile(r"^\s*+(?:next|return|break|skip|pending|throw)\b(?!\s*+\()|^\s*+skip\s*+\("),
    rescues=re.compile(r"^\s*+rescue\b|(?P<inline>\S\s++rescue\s++\S)"),
    speaks=re.compile(r"\b(?:raise|flunk|fail|expect|assert\w*)\b"),
    inverts=re.compile(
        r"\braise_error\s*\(?\s*(?:::)?(?:RSpec::Expectations|Minitest::Assertion|Exception\b)"
        r"|\bassert_raises?\s*\(?\s*(?:::)?(?:RSpec::Expectations|Minitest::Assertion|Exception\b)"
    ),
    deferred=re.compile(r"->\s*+(?:\([^()]{0,100}\)\s*+)?(?:\{|do\b)|\b(?:lambda|proc|Proc\.new|Thread\.new|at_exit|fork)\b"),
    called=re.compile(r"\.call\b|\.\(|\.join\b|\.value\b|&\w|\bwait\w*\b|\byield\b"),
    stubs=re.compile(r"\ballow\(\s*(?P<who>\w+)\s*\)\.to\s+receive\(\s*:(?P<what>\w+[?!]?)|\b(?P<object>\w+)\.stub[s]?\(?\s*:(?P<method>\w+[?!]?)"),
    bare=re.compile(r"\bexpect\s*+[({]|\bis_expected\b"),
    needs=re.compile(r"\.\s*+(?:to|not_to|to_not)\b"),
    owns=re.compile(r"^\s*+def\s++(?:self\.)?(?:runnable_methods|run_one_method|assert(?:_equal|_same|_nil|_raises|_includes|_match)?|refute(?:_\w++)?|expect|flunk)\b(?!\w|\?)"),
)  # fmt: skip
_ELIXIR = LineDialect(
    "Elixir",
    re.compile(r"^\s*+(?:test|property)\s*+\(?\s*+(?P<name>\"[^\"\n]{0,300}\")"),
    re.compile(r"(?<![.\w])(?:assert|refute)(?:_\w++)?(?=[\s(])|(?<![.\w])flunk\b|\bcheck\s++all\b"),
    re.compile(
        r"\bassert[\s(]+_\w*\s*=(?!=)|\bassert[\s(]+(?:true|:ok)\s*\)?$|\bor\s+true\b|\|\|\s*true\b|\brefute[\s(]+(?:false|nil)\s*\)?$"
    ),
    re.compile(r"===?|\bassert_(?:receive|raise)\w*|\bassert[\s(]+[%{\[\"~:<]"),
    re.compile(r"!==?|\bis_\w+\(|\bassert_in_delta\b|=~|\s[<>]=?\s|\s(?:in|or)\s|\brefute\b|\bassert[\s(]+[\w.]+(?:\([^()]*\))?\)?$"),
    rescues=re.compile(r"^\s*+(?:rescue|catch)\b|(?P<inline>\bcatch_(?:error|exit|throw)[\s(]++(?:assert|refute))"),
    speaks=re.compile(r"\b(?:raise|reraise|flunk|assert\w*|refute\w*)\b"),
    inverts=re.compile(r"\b(?:assert_raise|catch_error)[\s(]+ExUnit\.\w+"),
    deferred=re.compile(r"^\s*+(?:\w++\s*+=\s*+)?fn\b|\bspawn\w*+[\s(]|\bTask\.(?:start|async)\w*+[\s(]|\bon_exit\b"),
    called=re.compile(r"\.\(|\bTask\.(?:await|yield)|\bassert_receive\b|\bEnum\.|\bTask\.async_stream"),
    owns=re.compile(
        r"\bimport\s++Kernel\s*+,\s*+except:[^\n]{0,200}[\s\[](?:===?|!==?|=~|in|<|>)"
        r"|\bimport\s++ExUnit\.Assertions\s*+,\s*+except:|^\s*+def(?:macro)?p?\s++(?:assert|refute|flunk)\b(?!\w)"
        r"|^\s*+def(?:macro)?p?\s++\w++\s*+(?:===?|!==?|=~)\s*+\w++\s*+(?:,|do\b)"
    ),
)  # fmt: skip
_PHP = LineDialect(
    "PHP",
    re.compile(
        r"^\s*+(?>(?:(?:final|public|static)\s++)*)function\s++(?P<method>test\w*+|it_\w++)"
        r"|^\s*+(?:it|test)\(\s*+(?P<name>\"[^\"\n]{0,300}\"|'[^'\n]{0,300}')"
    ),
    re.compile(r"(?:\$this->|\b(?:self|static|Assert)::)(?:assert|expect(?!NotTo))\w*+|(?<![>:\w$])expect\s*+\(|->should\w*+"),
    re.compile(
        r"assertTrue\(\s*true\s*[,)]|assertFalse\(\s*false\s*[,)]|assertNull\(\s*null\s*[,)]|addToAssertionCount"
        r"|assert(?:Same|Equals)\(\s*(?P<a>[\w$'\"]+)\s*,\s*(?P=a)\s*[,)]|assertThat\([^,\n]+,\s*(?:\$this->)?anything\("
    ),
    re.compile(r"assert(?:Same|Equals|Count|Null|True|False|JsonStringEqualsJsonString|Matches\w*Snapshot)\(|->toBe\(|->toEqual\(|expectException\("),
    re.compile(
        r"assert(?:EqualsWithDelta|EqualsCanonicalizing|EqualsIgnoringCase|Not\w+|Is(?:Int|String|Array|Bool|Float|Object|Numeric|Callable|Scalar|Iterable)"
        r"|InstanceOf|GreaterThan\w*|LessThan\w*|StringContains\w*|ContainsOnly\w*)\(|->toBe(?:Truthy|Int|String|Array|GreaterThan\w*|LessThan\w*)\("
    ),
    leaves=re.compile(r"^\s*+return\b|->markTest(?:Skipped|Incomplete)\b|->expectNotToPerformAssertions\b|->doesNotPerform\w*+"),
    rescues=re.compile(r"\bcatch\s*+\(\s*+\\?(?:[\w\\|]{0,80})?(?:Throwable|Exception|Error)\b|\bcatch\s*+\([^()]{0,80}(?:Assertion|Expectation)"),
    speaks=re.compile(r"\bthrow\b|->(?:fail|assert)\w*+|::(?:fail|assert)\w*+"),
    inverts=re.compile(r"expectException\(\s*\\?(?:[\w\\]{0,100}(?:ExpectationFailed|AssertionFailed|AssertionError)\w*|Throwable|Exception|Error)::class"),
    deferred=re.compile(r"=\s*+(?:static\s++)?(?:fn\b|function\b)|^\s*+return\s++(?:static\s++)?(?:fn|function)\b|^\s*+yield\b"),
    called=re.compile(r"\$\w++\(|[(,]\s*+\$\w++\s*+[,)]|\bcall_user_func"),
    family="php",
)  # fmt: skip
_BATS = LineDialect(
    "bats",
    re.compile(r"^\s*+@test\s++(?P<name>\"[^\"\n]{0,300}\"|'[^'\n]{0,300}'|[\w ]{1,200})"),
    re.compile(r"^\s*+(?:\[\[?\s|\(\(|(?:assert|refute)(?:_\w++)?(?=\s|$)|(?:test|grep|diff|cmp|fail|[a-z_]{0,30}run\s++(?:-\d++|!))\s)"),
    re.compile(
        r"(?:\|\||&&)\s*(?:true|:|echo\b[^|&]*|return 0|exit 0)\s*(?:;|$)|[^&>]&\s*$|\s==?\s*\*\s*\]\]"
        r"|^\s*\[\[?[^\n]*\]\s*\|\s*\w|^\s*\[\[?\s[^$`\n]{1,200}(?:=|-eq|-ne)[^$`\n]{0,200}\]|^\s*assert\s+true\b"
    ),
    re.compile(r"\s(?:==?|-eq)\s(?!\s*\S*\*)|^\s*[a-z_]{0,30}run\s+-\d|\bassert_(?:equal|output|line|success|failure)\b(?!\s+(?:--partial|--regexp|-p|-e)\b)"),
    re.compile(r"\s(?:-n|-ne|!=|=~|-g[te]|-l[te])\s|\*|\bassert_(?:output|line)\s+(?:--partial|--regexp|-p|-e)\b|\[\s+\"[^\"]*\"\s+\]|\brefute\w*"),
    leaves=re.compile(r"^\s*+(?:skip\b|return\s*+(?:0\b|$)|exit\s++0\b)"),
    inverts=re.compile(r"^\s*+set\s++\+e"),
    owns=re.compile(r"^\s*+(?:function\s++)?(?:\[|test|run|assert(?:_\w++)?|refute(?:_\w++)?|fail)\s*+\(\)"),
)  # fmt: skip
HELPERS: Mapping[str, re.Pattern[str]] = dict.fromkeys(  # of bats: commands by which tests ask
    ("bash", "sh"), re.compile(r"^\s*+(?:function\s++)?(?:\[|test|run)\s*+\(\)")
)
LINES: Mapping[str, LineDialect] = {"rb": _RUBY, "exs": _ELIXIR, "ex": _ELIXIR, "php": _PHP, "bats": _BATS}
UNREAD: Mapping[str, str] = {"pl": "Perl", "r": "R", "sh": "shell", "bash": "shell", "ps1": "PowerShell"}
"""Languages by suffix whose tests nothing reads."""
