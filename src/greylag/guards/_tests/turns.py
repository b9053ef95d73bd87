"""Test code of languages other than Python that changes its runner: matchers, interceptors, its own main function."""

import re
from collections.abc import Iterator, Mapping

from greylag.guards._code.bindings import bindings
from greylag.guards._code.fresh import Mark
from greylag.guards._code.source import Source, brackets, language, plain, scan

_MATCHERS = (
    r"(?:toBe(?:Defined|Truthy|Falsy|Null|Undefined|(?:Greater|Less)Than\w*|CloseTo|InstanceOf|NaN)?|toEqual|toStrictEqual"
    r"|toMatch(?:Object)?|toThrow(?:Error)?|toContain(?:Equal)?|toHave(?:Length|Property|BeenCalled\w*|Returned\w*))"
)
_TURNS: Mapping[str, re.Pattern[str]] = {  # in code without comments and string contents
    "js": re.compile(
        r"\b(?:globalThis|global|window|self)\s*\.\s*(?:expect|it|test|describe|assert|should)\s*=(?!=)"
        r"|(?<![\w.$])(?:expect|assert|it|test|describe|suite)\s*\.\s*\w+\s*=(?![=>])"
        r"|\.prototype\s*\.\s*(?:run\w*|fail\w*|retries|emit)\s*=(?!=)|\bsetPrototypeOf\s*\(\s*(?:expect|assert|it|test)\b"
        r"|\b(?:mock\s*\.\s*(?:method|getter|setter|property)|spyOn|stub)\s*\(\s*(?:expect|assert|it|test|describe)\b"
        rf"|\bexpect\s*\.\s*extend\s*\(\s*\{{[^}}]{{0,300}}?\b{_MATCHERS}\b"
        r"|\bObject\s*\.\s*(?:defineProperty|defineProperties|assign)\s*\(\s*(?:expect|assert|it|test|describe)\b"
    ),
    "java": re.compile(
        r"(?:\b(?:implements|extends)\b|:)[^{};]{0,300}?\b(?:TestExecutionExceptionHandler|LifecycleMethodExecutionExceptionHandler"
        r"|InvocationInterceptor|ExecutionCondition|TestEngine|PostDiscoveryFilter|LauncherInterceptor|TestRule|MethodRule"
        r"|IRetryAnalyzer|IInvokedMethodListener2?|IHookable|IAnnotationTransformer|IMethodInterceptor|ITestListener"
        r"|BlockJUnit4ClassRunner|ParentRunner|XunitTestFramework|ITestFrameworkExecutor|IGlobalExtension|TestCaseExtension)\b"
    ),
    "rust": re.compile(r"#!\s*\[\s*(?:test_runner\b|feature\s*\(\s*custom_test_frameworks)"),
}
_NAMED: Mapping[str, re.Pattern[str]] = {  # what the contents of a string matter for
    "js": re.compile(
        r"\b(?:jest|vi)\.(?:mock|doMock|setMock)\s*\(\s*[\"'`](?:vitest|@jest/globals|@?expect|chai|(?:node:)?(?:assert|test))\b"
        r"|\b(?:globalThis|global|window)\s*\[\s*[\"'`](?:expect|it|test|describe|assert)[\"'`]\s*\]\s*=(?!=)"
        r"|\bprocess\s*\.\s*(?:on|once|addListener|removeAllListeners)\s*\(\s*[\"'`](?:uncaughtException|unhandledRejection)"
    ),
    "go": re.compile(r"\bflag\.Set\s*\(\s*\"test\."),
    "rust": re.compile(r"\bset_var\s*\(\s*\"(?:INSTA_\w+|UPDATE_EXPECT|TRYBUILD|SNAPSHOTS)\""),
}
_PACKAGES = re.compile(
    r"(?:node:)?(?:assert|test)(?:/\w+)?|bun:test|vitest|@jest/globals|chai|expect|mocha|jasmine|ava|uvu(?:/assert)?|tape|should"
)
_REPLACES = (
    r"mock\s*\.\s*(?:method|getter|setter|property)|spyOn|stub|replace|defineProperty|defineProperties|assign|set"
    r"|setPrototypeOf"
)
_REQUIRED = re.compile(
    rf"\brequire\(\s*['\"](?:{_PACKAGES.pattern})['\"]\s*\)\s*(?:\.\s*\w+\s*|\[[^\[\]\n]{{1,100}}\]\s*){{1,3}}=(?![=>])"
)
_HOLDER = re.compile(r"\btype\s++(\w++)\s++struct\s*+\{[^{}]{0,1000}?\b(?:\*?testing\.[TBF]B?)\b")
_FAILURE = re.compile(r"^func\s*+\((?:\w++\s++)?\*?(\w++)\)\s*+(?:Errorf?|Fatalf?|Fail|FailNow)\s*+\(", re.MULTILINE)
_TELLS = re.compile(
    r"\.(?:Errorf?|Fatalf?|Fail|FailNow)\s*+\(|\bpanic\s*+\(|(?<![:=!<>])=(?!=)|\+\+|<-|\.(?:Store|Add)\s*+\("
)
_MAIN = re.compile(r"^func\s+TestMain\s*\(\s*(\w+)", re.MULTILINE)
_ASSERTION = r"(?:debug_)?assert(?:_eq|_ne)?\b(?!\s*::)"
_OWN_MACRO = re.compile(
    rf"\bmacro_rules!\s*{_ASSERTION}|\bas\s+{_ASSERTION}|\buse\s+(?P<root>\w++)::[^;]{{0,300}}?\b{_ASSERTION}"
)
_MODULE = re.compile(r"\bmod\s++(\w++)\s*+[;{]")
_EXTENSIONS = re.compile(r"@(?:\w+\.)*(?:ExtendWith|RegisterExtension|RunWith|Rule|ClassRule|Listeners)\b[^\n]{0,200}")


def turns(path: str, text: str) -> Iterator[Mark]:
    """Statements and declarations that change the runner."""
    family = language(path) or ""
    if family not in _TURNS and family not in _NAMED:
        return
    source = scan(text, family)
    if family in _TURNS:
        yield from (_mark(source, match) for match in _TURNS[family].finditer(source.code))
    if family in _NAMED:
        for match in _NAMED[family].finditer(text):
            if source.code[match.start()] == text[match.start()]:
                yield _mark(source, match)
    if family == "go":
        yield from _main(source)
        yield from _silent(source)


def macros(path: str, text: str) -> Iterator[Mark]:
    """Assertions of Rust's standard library that are a macro of the repository's own."""
    if language(path) == "rust" and "assert" in text:
        source = scan(text, "rust")
        modules = {"crate", "self", "super", *_MODULE.findall(source.code)}
        for match in _OWN_MACRO.finditer(source.code):
            if match["root"] is None or match["root"] in modules:
                yield _mark(source, match)


def renamed_runners(path: str, text: str) -> Iterator[Mark]:
    """Changes of what a file has from a package that tests, under whatever name: in sources nobody needs them."""
    if language(path) != "js":
        return
    source = scan(text, "js")
    for match in _REQUIRED.finditer(text):
        if source.code[match.start()] == text[match.start()]:
            yield _mark(source, match)
    names = sorted({re.escape(bound.name) for bound in bindings("js", text) if _PACKAGES.fullmatch(bound.module)})[:50]
    if names:
        some = rf"(?:{'|'.join(names)})"
        pattern = re.compile(
            rf"(?<![\w.$]){some}\s*(?:\.\s*(?!config\b)\w+\s*|\[[^\[\]\n]{{1,100}}\]\s*){{1,3}}=(?![=>])"
            rf"|\b(?:{_REPLACES})\s*\(\s*{some}(?![\w$])"
        )
        yield from (_mark(source, match) for match in pattern.finditer(source.code))


def extensions(path: str, text: str) -> Iterator[Mark]:
    """Extensions of JUnit and TestNG that a class is run with; most are harmless, and any may decide what passes."""
    if language(path) == "java":
        source = scan(text, "java")
        yield from (_mark(source, match) for match in _EXTENSIONS.finditer(source.code))


def _main(source: Source) -> Iterator[Mark]:
    """A main function of Go's tests that runs none of them: then all pass."""
    if match := _MAIN.search(source.code):  # a second one does not compile
        begin, end = brackets(source.code, "{}").after(match.end())
        if not re.search(
            rf"\b{match[1]}\s*\.\s*Run\s*\(|\(\s*{match[1]}\s*\)|,\s*{match[1]}\b", source.code[begin:end]
        ):
            yield _mark(source, match)


def _silent(source: Source) -> Iterator[Mark]:
    """Methods by which a type with a `testing.T` in it takes failures away, and neither tells nor notes them."""
    holders = set(_HOLDER.findall(source.code))
    curly = brackets(source.code, "{}") if holders else None
    for match in _FAILURE.finditer(source.code) if curly else ():
        begin, end = curly.after(match.end()) if curly else (0, 0)
        if match[1] in holders and not _TELLS.search(source.code, begin, end):
            yield _mark(source, match)


def _mark(source: Source, match: re.Match[str]) -> Mark:
    line = source.code.count("\n", 0, match.start()) + 1
    return Mark(plain(match[0]), line, " ".join(match[0].split())[:100])
