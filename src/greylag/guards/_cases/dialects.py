"""How families of languages write tests, as patterns for code without comments and string contents.

`start` finds a test, `asserts` an assertion in it; an `exact` one is satisfied by one value, a `weak` one by nearly
every value, a `constant` one by all.

No pattern may take more than linear time on a file (bounds and possessive quantifiers), because files are hostile.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NONE = re.compile(r"(?!)")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a family of languages writes tests: `start` finds one and may have the group `name`."""

    start: re.Pattern[str]
    asserts: re.Pattern[str]
    exact: re.Pattern[str]
    weak: re.Pattern[str]
    constant: re.Pattern[str]
    skips: re.Pattern[str]
    helper: re.Pattern[str] = _NONE  # a function with the group `helper`, in which tests may assert
    brackets: str = "{}"
    conditional: bool = False  # whether conditions around assertions are looked at
    flow: str = ""  # the language by whose blocks they are


_WORDS = (  # stand before parentheses and braces, and name no function
    "if|for|foreach|while|switch|catch|synchronized|new|return|when|using|lock|with|match|guard|repeat|else|do|try|fixed"
    "|function|await|yield|typeof|throw|case|constructor|it|test|describe|suite|context|specify|class"
)
_TAGS = (
    r"(?:@(?:\w+\.)*(?:Test|ParameterizedTest|RepeatedTest|TestFactory|TestTemplate|Property)\b"
    r"|\[(?:Fact|Theory|Test|TestCase|TestMethod)\b)"
)
DIALECTS: Mapping[str, Dialect] = {
    "python": Dialect(
        _NONE, _NONE, _NONE, _NONE, _NONE,
        re.compile(
            r"\b(?:mark|pytest)\s*\.\s*(?:skip|skipif|xfail|importorskip)\b|\bskip(?:If|Unless|Test)\s*\(|\bSkipTest\b"
            r"|\bmark\s*\.\s*flaky\b|@flaky\b|@(?:unittest\.)?skip\b|\bexpectedFailure\b|(?<![\w.])assume\s*\(|\b__test__\s*=\s*False|\bcollect_ignore(?:_glob)?\s*[+=]"
        ),
    ),
    "js": Dialect(
        re.compile(r"(?<![\w.$])(?:[xf]?it|x?test|specify|Deno\.test)(?:\.\w+)*\s*(?=[(`])"),
        re.compile(
            r"\bexpect(?:\.\w+)?\s*\(|\bassert\w*(?:\.\w+)*\s*\(|\.should\b|\bexpectTypeOf\b|\bcy\.\w+\("
            r"|(?<![\w.])t\.(?!plan|context|log|teardown|timeout|skip|comment|diagnostic|after|before|(?:test|end|assert)\b)\w+\s*\("
        ),
        re.compile(
            r"(?<!not)\.toBe\s*\((?!\s*(?:true|false)\s*\))|(?<!not)\.(?:toEqual|toStrictEqual|toMatchObject|toMatch\w*Snapshot\w*|toHaveLength|toHaveSize|toHaveCount"
            r"|toHaveBeenCalledTimes|toHave\w*CalledWith|toHave\w*ReturnedWith|toHaveText|toHaveValue|toHaveProperty"
            r"|toBeNull|toBeUndefined|toBeNaN|toEqualTypeOf)\s*(?:<[^<>\n]*>)?\(|\.toThrow\w*\s*\(\s*[\"'`]"
            r"|\b(?:assert|t)\.(?:is|same|strictSame|like|snapshot|(?:strictE|deepE|deepStrictE|looseE|e)qual|throws\w*|rejects)\s*\("
            r"|\.(?:to|be)(?:\.\w+)*?\.(?:eql?|equals?|members|lengthOf|calledWith\w*|callCount)\s*\(|\bassertEquals\s*\("
            r"|\bassert(?:\.ok)?\s*\([^;\n!]{0,200}?==="
        ),
        re.compile(
            r"\.(?:toBeDefined|toBeTruthy|toBeFalsy|toHaveBeenCalled|toThrow(?:Error)?)\s*\(\s*\)"
            r"|\.(?:exist|ok)\b|\bassert(?:\.ok)?\s*\(|\bexpect\.any(?:thing)?\(|(?<![\w.])t\.(?:truthy|pass|ok)\s*\("
        ),
        re.compile(
            r"\b(?:expect|assert(?:\.(?:ok|isTrue))?|t\.(?:true|truthy|ok))\s*\(\s*(?:true|1)\s*[,)]"
            r"|\b(?:expect|assert\.\w+)\s*\(\s*(\w+)\s*(?:,\s*\1\s*\)|\)\s*\.\s*(?:toBe|toEqual|toStrictEqual)\s*\(\s*\1\s*\))"
        ),
        re.compile(
            r"(?<![\w.$])(?:it|test|describe|suite|context|specify)(?:\.\w+)*\.(?:skip|skipIf|runIf|todo|failing|fails|fixme|only)\b"
            r"|(?<![\w.$])(?:x(?:it|describe|test|context|specify)|f(?:it|describe))\s*\(|\bthis\.skip\s*\(|(?<![\w.$])(?:ctx|context|t)\.skip\s*\("
            r"|,\s*\{[^{}\n]{0,200}?\b(?:skip|todo|fails)\s*:\s*(?!false\b)[^\s,}]|,\s*\{\s*(?:retry|retries)\s*:\s*[1-9]|\bjest\.retryTimes\s*\(|\bthis\.retries\s*\("
        ),
        re.compile(
            r"(?:\bfunction\b\s*\*?\s*|\b(?:const|let|var)\s+"
            r"|^[ \t]*+(?>(?:(?:export|default|async|static|public|private|protected|override|readonly|get)[ \t]++)*)"
            r"(?>(?:(?:module\.)?exports\.)?))"
            rf"(?P<helper>(?!(?:{_WORDS})\b)#?[\w$]++)\s*+"
            r"(?:(?::[^=;(){}\n]{1,200})?[=:]\s*)?(?:async\b\s*)?(?:function\b\s*\*?\s*\w*\s*)?(?:<[^<>()\n]{0,100}>)?(?=\()",
            re.MULTILINE,
        ),
        "()",
        conditional=True,
    ),
    "java": Dialect(
        re.compile(
            rf"{_TAGS}(?:\s++|[^{{}};()\s]){{0,400}}?(?<=[\s>\]])(?P<name>`[^`\n]{{1,300}}`|\w++)[ \t]*+\("
            r"|\b(?:void|func|fun)\s+(?P<old>test\w*)\s*\("
        ),
        re.compile(
            r"\b\w*[aA]ssert\w*(?:\.\w+)*\s*(?:<[^<>\n]*>\s*)?[({]|\bverify\w*\s*\(|\bfail\s*\(|\bexpect\w*\s*[({]"
            r"|\.should\w*|\bXCT\w+\s*\(|\.andExpect\s*\(|\.expect(?:Next|Error|Complete)\w*\s*\(|#(?:expect|require)\s*\("
        ),
        re.compile(
            r"\bassert(?!Not)\w*(?:Equals?|Same|Match)\s*\((?!\s*(?:true|false)\b)|\bassert(?:Null|Throws\w*)\s*\("
            r"|\b(?:assertThatThrownBy|catchThrowable)\s*\([^;]{0,400}?\.is(?:Exactly)?InstanceOf\s*\((?!\s*(?:Throwable|Exception|RuntimeException)\.)"
            r"|\bassertThat(?:ExceptionOfType|(?:Illegal\w|NullPointer|IO)\w*Exception)\s*\((?!\s*(?:Throwable|Exception|RuntimeException)\.)"
            r"|\.(?:isEqualTo|isSameAs|isSameInstanceAs|isNull|isEmpty|hasSize|hasLength|containsExactly(?!\w*AnyOrder)\w*|inOrder|hasMessage"
            r"|hasMessageThat|hasValue|isEqualByComparingTo|shouldBe|isZero)\s*\(|\bshouldBe\b|\bXCTAssertEqual\s*\("
            r"|\bAssert\.(?:Equal|AreEqual|Same|Null|Empty|Single|Throws\w*)\s*[<(]|\b(?:equalTo|is)\s*\(|\.expectNext\w*\s*\("
            r"|\bassert(?:True|False|That)\s*\([^;\n]{0,200}?(?<!\bnot)\.equals\s*\(|\bassertTrue\s*\(\s*[^;!\n]{0,200}?\.isEmpty\(\)\s*\)"
        ),
        re.compile(
            r"\bassert(?:NotNull|DoesNotThrow|InstanceOf)\b|\bassertTrue\s*\([^;\n]{0,200}?\sinstanceof\s|\.isNotNull\s*\(|\.isNotEmpty\s*\(|\bXCTAssertNotNil\s*\("
            r"|\bAssert\.(?:NotNull|IsNotNull|DoesNotThrow)\b|\b(?:Mockito\.)?at(?:Least|Most)\w*\s*\(|\bassertThrows\s*\(\s*(?:Exception|Throwable|RuntimeException)\.class"
        ),
        re.compile(
            r"\b(?:assertTrue|XCTAssertTrue|XCTAssert|Assert\.(?:True|IsTrue|That))\s*\(\s*true\s*[,)]"
            r"|\b(?:assertEquals|Assert\.(?:Equal|AreEqual))\s*\(\s*(\w+)\s*,\s*\1\s*\)|\bassertFalse\s*\(\s*false\s*[,)]"
        ),
        re.compile(
            r"@(?:\w+\.)*(?:Ignore|Disabled\w*|EnabledIf\w*|EnabledOn\w*|RetryingTest|RepeatedIfExceptionsTest)\b|\benabled\s*=\s*false\b|\bSkip\s*=|\[\s*Ignore\b"
            r"|\bassum(?:e|ing)(?:True|False|That|NoException)\s*\(|\bXCTSkip\w*|\bAssumptions\.abort\s*\(|\bTestAbortedException\b|\bAssert\.(?:Ignore|Inconclusive)\b|\.disabled\s*\("
        ),
        re.compile(rf"[\w>\]]\s+(?P<helper>(?!(?:{_WORDS})\b)\w++)\s*+(?:<[^<>()\n]{{0,100}}>)?(?=\()"),
        conditional=True,
    ),
    "go": Dialect(
        re.compile(r"^func\s+(?:\([^()\n]*\)\s*)?(?P<name>(?:Test|Benchmark|Example|Fuzz)\w*)\s*\(", re.MULTILINE),
        re.compile(r"\b\w+\.(?:Errorf?|Fatalf?|Fail|FailNow)\s*\(|\b(?:assert|require|is|qt)\.\w+\s*\(|\b(?:Expect|Ω)\s*\(|\b(?:assert|check)\w*\s*\("
            r"|\b\w+\.Assert(?:Expectations|NumberOfCalls|Called|NotCalled)\s*\("),
        re.compile(
            r"\bif\b[^\n{]{0,300}?(?:!=(?!\s*nil\b)|==(?!\s*nil\b)[^\n{]{0,300}\{\s*(?:return|continue|break)\b)"
            r"|\bif\b[^\n{]{0,200}?!\([^\n{]{0,200}?==(?!\s*nil\b)|\b(?:DeepEqual|(?:bytes|slices|maps)\.Equal\w*|cmp\.(?:Diff|Equal)|errors\.Is)\s*\("
            r"|\b(?:assert|require|is|qt)\.Equal\w*\s*\((?!\s*\w+\s*,\s*nil\s*,)|\b(?:assert|require|is|qt)\.(?:JSONEq|YAMLEq|Len|Nil|Empty|ErrorIs|EqualError|Exactly|Same)\s*\("
            r"|\b(?:assert|require)\.Eventually\w*\s*\([^;\n]{0,200}?=="
        ),
        re.compile(
            r"\b(?:assert|require)\.(?:(?:NotNil|NotEmpty|NoError|NotPanics|Error)\s*\(|Equal\s*\(\s*\w+\s*,\s*nil\s*,)"
            r"|\bif\b[^\n{]{0,300}?(?:[!=]=\s*nil|\blen\([^\n{]{0,100}\)\s*(?:==\s*0|<\s*1))\s*\{\s*\w+\.(?:Fatal|Error|Fail)"
        ),
        re.compile(r"\bif\b[^\n{]{0,300}?(?<![\w.)\]])(\w+)\s*[!=]=\s*\1\s*\{|\b(?:assert|require)\.(?:True\s*\(\s*\w+\s*,\s*true\s*[,)]|Equal\s*\(\s*\w+\s*,\s*(\w+)\s*,\s*\2\s*[,)])"),
        re.compile(r"(?:\b(?P<who>\w++)|\bT\(\))\s*+\.\s*+Skip(?:f|Now)?\s*+\(|(?<![\w.] )(?<![\w.])Skip\s*+\("),
        re.compile(r"^func\s+(?:\([^()\n]*\)\s*)?(?P<helper>\w+)\s*\(", re.MULTILINE),
        flow="go",
    ),
    "c": Dialect(
        re.compile(
            r"\b(?:(?:TYPED_)?TEST(?:_[FP])?|TEST_CASE(?:_METHOD|_FIXTURE)?|SCENARIO|BOOST_(?:AUTO|FIXTURE)_TEST_CASE|START_TEST)"
            r"\s*\((?P<name>[^(){};]{1,300})\)\s*(?=\{)|\b(?:void|int)\s+(?P<old>\w+)\s*\(\s*(?:void\s*|int\s+\w+,\s*(?:const\s+)?char\s[^(){};]{1,60})?\)\s*(?=\{)"
        ),
        re.compile(
            r"\b(?:ASSERT|EXPECT|CHECK|REQUIRE|BOOST_(?:CHECK|REQUIRE|TEST|WARN)|TEST_ASSERT|ck_assert|cr_assert|cr_expect|g_assert"
            r"|STATIC_(?:CHECK|REQUIRE)|assert)\w*\s*\(|\bTEST_FAIL\w*\s*\(|\b(?:ADD_)?FAIL(?:URE)?\s*\("
            r"|\b\w*(?:fail|error)\w*\s*(?:\+\+|\+=\s*1\b)|\+\+\s*\w*(?:fail|error)"
        ),
        re.compile(
            r"\b(?:ASSERT|EXPECT)_(?:EQ|STR\w*EQ|THAT|DOUBLE_EQ|FLOAT_EQ)\s*\(|\bTEST_ASSERT_(?:EQUAL\w*|NULL)\s*\("
            r"|\b(?:BOOST_\w+_EQUAL|assert_\w+_equal|ck_assert_\w*eq|cr_\w+_eq|g_assert_cmp\w+)\s*\("
            r"|\b(?:CHECK|REQUIRE|assert|BOOST_(?:CHECK|REQUIRE|TEST)|ck_assert|cr_assert|cr_expect)\s*\([^;\n]{0,300}?=="
            r"|\b(?:ASSERT_TRUE|EXPECT_TRUE|CHECK|REQUIRE)\s*\(\s*[^;!\n]{0,300}?\.empty\(\)\s*\)"
        ),
        re.compile(r"\bTEST_ASSERT_NOT_NULL\s*\(|\b(?:ASSERT|EXPECT)_(?:NE|NO_THROW|ANY_THROW)\s*\(|\b(?:CHECK|REQUIRE)_NOTHROW\s*\("),
        re.compile(
            r"\b(?:ASSERT_TRUE|EXPECT_TRUE|CHECK|REQUIRE|assert|TEST_ASSERT|TEST_ASSERT_TRUE|ck_assert)\s*\(\s*(?:true|1)\s*\)"
            r"|\b(?:ASSERT|EXPECT)_EQ\s*\(\s*(\w+)\s*,\s*\1\s*\)|\bassert\s*\([^;\n]{0,300}\|\|\s*(?:1|true)\s*\)"
        ),
        re.compile(
            r"\bdoctest::(?:skip|may_fail|should_fail|expected_failures)\b|\bDISABLED_\w+|\bGTEST_SKIP\s*\(|\bTEST_IGNORE\w*\s*\(|\b(?:\w+_)?(?:RETURN|TEST|MUNIT|QEMU|KSFT)_SKIP\w*\b|\b(?:g|cr|tap|ksft)_(?:test_)?skip\w*\s*\(|\bQSKIP\s*\(|\breturn\s+(?:77|(?:EXIT|TEST|KSFT|AUTOMAKE)_SKIP\w*)\s*;|\bSKIP\s*\(|\bTEST_CASE\w*\s*\([^;{}\n]{0,300}"
            r"\[(?:\.|!mayfail|!shouldfail|!hide)|\bBOOST_\w+\s*\([^;{}\n]{0,300}\bdisabled\s*\("
        ),
        flow="c",
    ),
    "rust": Dialect(
        re.compile(r"#\[\s*(?:\w+::)*(?:test|rstest|test_case|quickcheck|wasm_bindgen_test)\b[^{}]{0,400}?\bfn\s+(?P<name>\w+)"),
        re.compile(r"\b\w*assert\w*!|\bpanic!|\bunreachable!|\.(?:unwrap_err|expect_err)\s*\(|\binsta::\w+!|\bassert_\w+\s*\(|\bt\.(?:compile_fail|pass)\s*\(|#\[\s*should_panic"
            r"|\.assert\s*\(\s*\)|(?<!status\(\))(?<!status)\.(?:success|failure)\s*\(\s*\)|\.code\s*\(\s*[\d-]|\.(?:stdout|stderr)\s*\(\s*(?!Stdio|std::|\))"
            r"|\.recv_timeout\s*\([^;]{0,200}?\)\s*\.\s*(?:unwrap|expect)\s*\("),
        re.compile(r"\.(?:stdout|stderr)\s*\(\s*[\"r]|\.recv_timeout\s*\([^;]{0,200}?\)\s*\.\s*(?:unwrap|expect)\s*\(|\bassert_eq!(?!\s*\([^;\n]{0,200}?,\s*(?:true|false)\s*[,)])|\bassert!\s*\([^;\n]{0,300}?==|\bassert!\s*\(\s*[^;!\n]{0,300}?\.is_empty\(\)\s*[,)]|\bassert_matches!|\bmatches!|\binsta::\w+!"),
        re.compile(
            r"\bassert!\s*\([^;\n]{0,300}\.is_(?:ok|some|err|none)\(\)\s*\)"
            r"|\bassert_eq!\s*\([^;\n]{0,300}\.is_(?:ok|some|err|none)\(\)\s*,\s*(?:true|false)\s*\)"
        ),
        re.compile(r"\b(?:debug_)?assert!\s*\(\s*true\s*[,)]|\b(?:debug_)?assert_eq!\s*\(\s*(\w+)\s*,\s*\1\s*[,)]"),
        re.compile(r"#\[\s*ignore\b|#\[\s*cfg_attr\s*\([^\n]*\bignore|#\[\s*cfg\s*\(\s*(?:any\s*\(\s*\)|not\s*\(\s*test)|#!\[\s*cfg\s*\(|\bprop_assume!"),
        re.compile(r"\bfn\s+(?P<helper>\w+)"),
        flow="rust",
    ),
}  # fmt: skip
