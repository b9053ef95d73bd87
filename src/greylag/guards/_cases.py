"""The test cases of one file, read statically: Python by `ast`, other languages by scanner and patterns.

Patterns run on code without comments and string contents, so that words in strings do not count.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from greylag.guards._source import Brackets, brackets, language, scan, without_arguments

LARGEST = 500_000  # characters of a file that is still read


@dataclass(frozen=True, slots=True)
class Case:
    """One test. `asserts` counts assertions; `weak` ones hold for nearly every value, `constant` ones for all."""

    name: str
    line: int
    digest: str  # of the body without blanks, in Python also without comments
    words: frozenset[str]  # of the body
    asserts: int
    weak: int
    constant: int
    leaves: bool = False  # its first statement is a return


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a family of languages writes tests: `start` finds one and may have the group `name`."""

    start: re.Pattern[str]
    asserts: re.Pattern[str]
    weak: re.Pattern[str]
    constant: re.Pattern[str]
    skips: re.Pattern[str]
    brackets: str = "{}"


_TAGS = (
    r"(?:@(?:\w+\.)*(?:Test|ParameterizedTest|RepeatedTest|TestFactory|TestTemplate|Property)\b"
    r"|\[(?:Fact|Theory|Test|TestCase|TestMethod)\b)"
)
_NONE = re.compile(r"(?!)")
DIALECTS: Mapping[str, Dialect] = {
    "python": Dialect(
        _NONE, _NONE, _NONE, _NONE,
        re.compile(
            r"\b(?:mark|pytest)\s*\.\s*(?:skip|skipif|xfail|importorskip)\b|\bskip(?:If|Unless|Test)\s*\(|\bSkipTest\b"
            r"|@(?:unittest\.)?skip\b|\bexpectedFailure\b|\b__test__\s*=\s*False|\bcollect_ignore(?:_glob)?\s*[+=]"
            r"|\bdef\s+pytest_(?:collection_modifyitems|ignore_collect|runtest_\w+|pyfunc_call)\b"
        ),
    ),
    "js": Dialect(
        re.compile(r"(?<![\w.$])(?:[xf]?it|x?test|specify|Deno\.test)(?:\.\w+)*\s*(?=[(`])"),
        re.compile(
            r"\bexpect(?:\.\w+)?\s*\(|\bassert\w*(?:\.\w+)*\s*\(|\.should\b|\bexpectTypeOf\b|\bcy\.\w+\("
            r"|(?<![\w.])t\.(?!plan|context|log|teardown|timeout|skip|test\b)\w+\s*\("
        ),
        re.compile(
            r"\.(?:toBeDefined|toBeTruthy|toBeFalsy|toBeUndefined|toBeNull|toHaveBeenCalled|toThrow(?:Error)?)\s*\(\s*\)"
            r"|\.(?:exist|ok)\b|\bassert(?:\.ok)?\s*\(|\bexpect\.any(?:thing)?\(|(?<![\w.])t\.(?:truthy|pass|ok)\s*\("
        ),
        re.compile(
            r"\b(?:expect|assert(?:\.(?:ok|isTrue))?|t\.(?:true|truthy|ok))\s*\(\s*(?:true|1)\s*[,)]|\bt\.pass\s*\("
            r"|\b(?:expect|assert\.\w+)\s*\(\s*(\w+)\s*(?:,\s*\1\s*\)|\)\s*\.\s*(?:toBe|toEqual|toStrictEqual)\s*\(\s*\1\s*\))"
        ),
        re.compile(
            r"(?<![\w.$])(?:it|test|describe|suite|context|specify)(?:\.\w+)*\.(?:skip|skipIf|runIf|todo|failing|fails|fixme|only)\b"
            r"|(?<![\w.$])(?:x(?:it|describe|test|context|specify)|f(?:it|describe))\s*\(|\bthis\.skip\s*\(|(?<![\w.$])(?:ctx|context|t)\.skip\s*\("
        ),
        "()",
    ),
    "java": Dialect(
        re.compile(
            rf"{_TAGS}[^{{}};()]{{0,400}}?(?<=[\s>\]])(?P<name>`[^`\n]{{1,300}}`|\w++)[ \t]*+\("
            r"|\b(?:void|func|fun)\s+(?P<old>test\w*)\s*\("
        ),
        re.compile(
            r"\b\w*[aA]ssert\w*(?:\.\w+)*\s*(?:<[^<>\n]*>\s*)?[({]|\bverify\w*\s*\(|\bfail\s*\(|\bexpect\w*\s*[({]"
            r"|\.should\w*|\bXCT\w+\s*\(|\.andExpect\s*\(|\.expect(?:Next|Error|Complete)\w*\s*\(|#(?:expect|require)\s*\("
        ),
        re.compile(
            r"\bassert(?:NotNull|DoesNotThrow|InstanceOf)\b|\.isNotNull\s*\(|\.isNotEmpty\s*\(|\bXCTAssertNotNil\s*\("
            r"|\bAssert\.(?:NotNull|IsNotNull|DoesNotThrow)\b|\bassertThrows\s*\(\s*(?:Exception|Throwable|RuntimeException)\.class"
        ),
        re.compile(
            r"\b(?:assertTrue|XCTAssertTrue|XCTAssert|Assert\.(?:True|IsTrue|That))\s*\(\s*true\s*[,)]"
            r"|\b(?:assertEquals|Assert\.(?:Equal|AreEqual))\s*\(\s*(\w+)\s*,\s*\1\s*\)|\bassertFalse\s*\(\s*false\s*[,)]"
        ),
        re.compile(
            r"@(?:\w+\.)*(?:Ignore|Disabled\w*|EnabledIf\w*|EnabledOn\w*)\b|\benabled\s*=\s*false\b|\bSkip\s*=|\[\s*Ignore\b"
            r"|\bassum(?:e|ing)(?:True|False|That|NoException)\s*\(|\bXCTSkip\w*|\bAssert\.(?:Ignore|Inconclusive)\b|\.disabled\s*\("
        ),
    ),
    "go": Dialect(
        re.compile(r"^func\s+(?:\([^()\n]*\)\s*)?(?P<name>(?:Test|Benchmark|Example|Fuzz)\w*)\s*\(", re.MULTILINE),
        re.compile(r"\b\w+\.(?:Errorf?|Fatalf?|Fail|FailNow)\s*\(|\b(?:assert|require|is|qt)\.\w+\s*\(|\b(?:Expect|Ω)\s*\(|\b(?:assert|check)\w*\s*\("),
        re.compile(r"\b(?:assert|require)\.(?:NotNil|NotEmpty|NoError|NotPanics|Error)\s*\("),
        re.compile(r"\b(?:assert|require)\.(?:True\s*\(\s*\w+\s*,\s*true\s*[,)]|Equal\s*\(\s*\w+\s*,\s*(\w+)\s*,\s*\1\s*[,)])"),
        re.compile(r"\b\w+\.Skip(?:f|Now)?\s*\("),
    ),
    "rust": Dialect(
        re.compile(r"#\[\s*(?:\w+::)*(?:test|rstest|test_case|quickcheck|wasm_bindgen_test)\b[^{}]{0,400}?\bfn\s+(?P<name>\w+)"),
        re.compile(r"\b\w*assert\w*!|\bpanic!|\bunreachable!|\.(?:unwrap_err|expect_err)\s*\(|\binsta::\w+!|\bassert_\w+\s*\(|#\[\s*should_panic"),
        re.compile(r"\bassert!\s*\([^;\n]{0,300}\.is_(?:ok|some|err|none)\(\)\s*\)"),
        re.compile(r"\bassert!\s*\(\s*true\s*[,)]|\bassert_eq!\s*\(\s*(\w+)\s*,\s*\1\s*[,)]"),
        re.compile(r"#\[\s*ignore\b|#\[\s*cfg_attr\s*\([^\n]*\bignore|#\[\s*cfg\s*\(\s*(?:any\s*\(\s*\)|not\s*\(\s*test)"),
    ),
}  # fmt: skip


def cases(path: str, text: str) -> tuple[Case, ...]:
    """Tests in the order of the file; a name that occurs again gets `#2`. Empty for languages that are not known."""
    family = language(path)
    if family == "python":
        found: Iterable[Case] = _python(text)
    elif family is not None and family in DIALECTS:
        found = _scanned(text, family)
    else:
        found = ()
    return tuple(_numbered(found))


def _numbered(found: Iterable[Case]) -> Iterator[Case]:
    seen: dict[str, int] = {}
    for case in found:
        seen[case.name] = seen.get(case.name, 0) + 1
        again = seen[case.name]
        name = f"{case.name}#{again}" if again > 1 else case.name
        yield replace(case, name=name)


def _digest(text: str) -> str:
    return sha256("".join(text.split()).encode("utf-8", "surrogateescape")).hexdigest()


# -- other languages ---------------------------------------------------------------------------------------------------


def _scanned(text: str, family: str) -> Iterator[Case]:
    dialect, source = DIALECTS[family], scan(text, family)
    code = without_arguments(source.code) if family == "java" else source.code
    pairs = brackets(source.code, dialect.brackets)
    line = position = over = 0
    for match in dialect.start.finditer(code):
        if match.start() < over:
            continue  # inside of another test
        name, begin, over = _called(text, match, pairs) if family == "js" else _declared(match, pairs)
        inside = source.code[match.start() : over]
        line, position = line + text.count("\n", position, match.start()), match.start()
        yield Case(
            name, line + 1, _digest(text[begin:over]), _words(text[begin:over]), _count(dialect.asserts, inside),
            _count(dialect.weak, inside), _count(dialect.constant, inside),
            bool(_LEAVES.match(source.code[begin:over])),
        )  # fmt: skip


_LEAVES = re.compile(r"[^{}]*+\{\s*+return\s*?[;\n]\s*+[^\s}]")
_TITLE = re.compile(r"\(\s*(?:(?P<quote>[\"'`])(?P<title>(?:(?!(?P=quote))[^\\]|\\.){0,300})|(?P<name>[\w.]{1,300}))")


def _declared(match: re.Match[str], pairs: Brackets) -> tuple[str, int, int]:
    begin, end = pairs.after(match.end() - 1)
    return match["name"] or match.groupdict().get("old") or "?", begin, end


def _called(text: str, match: re.Match[str], pairs: Brackets) -> tuple[str, int, int]:
    """`it("name", function)`, with a table in between for `it.each(table)("name", function)`."""
    begin, end = pairs.after(match.end())
    if "each" in match[0] and end in pairs.closed:
        begin, end = pairs.after(end)
    title = _TITLE.match(text, begin, end)
    name = (title["title"] or title["name"] or "?") if title else "?"
    return " ".join(name.split()), title.end() if title else begin, end


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text[:20_000]))


def _count(pattern: re.Pattern[str], code: str) -> int:
    return sum(1 for _ in pattern.finditer(code))


# -- Python ------------------------------------------------------------------------------------------------------------

_ASSERTS = re.compile(r"^(?:assert|fail|raises$|warns$|expect|check|verify)")
_TRUTHY = {"assertTrue", "assertFalse", "assertIsNotNone", "assertIsNone", "assert_called", "assertIsInstance"}
_ANYTHING = {"Exception", "BaseException"}

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def _python(text: str) -> Iterator[Case]:
    try:
        module = ast.parse(text)
        helpers = {
            node.name: _weigh(node, {}) for node in ast.walk(module)
            if isinstance(node, _Function) and not node.name.startswith("test")
        }  # fmt: skip
        yield from [_case(name, node, helpers) for name, node in _functions(module.body, "")]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return  # what does not parse does not run: the caller sees that all its tests are gone


def _functions(statements: list[ast.stmt], prefix: str) -> Iterator[tuple[str, _Function]]:
    for node in statements:
        if isinstance(node, _Function) and node.name.startswith("test"):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.If) and not (isinstance(node.test, ast.Constant) and not node.test.value):
            yield from _functions(node.body + node.orelse, prefix)
        elif isinstance(node, ast.Try | ast.With):
            yield from _functions(node.body, prefix)


def _case(name: str, node: _Function, helpers: Mapping[str, tuple[int, int, int]]) -> Case:
    statements = node.body[1:] if ast.get_docstring(node) is not None else node.body
    first = statements[0] if statements else None
    dumped = "".join(ast.dump(statement) for statement in statements)
    leaves = isinstance(first, ast.Return | ast.Pass)
    return Case(name, node.lineno, _digest(dumped), _words(dumped), *_weigh(node, helpers), leaves=leaves)


def _weigh(node: ast.AST, helpers: Mapping[str, tuple[int, int, int]]) -> tuple[int, int, int]:
    """Assertions, weak ones, constant ones; those of a helper in the same file count where it is called."""
    total = weak = constant = 0
    for part in ast.walk(node):
        if isinstance(part, ast.Assert):
            total, weak, constant = total + 1, weak + _is_weak(part.test), constant + _is_constant(part.test)
        elif isinstance(part, ast.Call):
            name = part.func.attr if isinstance(part.func, ast.Attribute) else getattr(part.func, "id", "")
            inner = helpers.get(name, (0, 0, 0))
            if inner[0]:
                total, weak, constant = total + inner[0], weak + inner[1], constant + inner[2]
            elif _ASSERTS.match(name):
                total, weak, constant = (
                    total + 1,
                    weak + _is_weak_call(name, part),
                    constant + _is_constant_call(name, part),
                )
    return total, weak, constant


def _is_weak(test: ast.expr) -> bool:
    if isinstance(test, ast.Compare):
        return isinstance(test.ops[0], ast.IsNot) and isinstance(test.comparators[0], ast.Constant)
    if isinstance(test, ast.UnaryOp):
        return _is_weak(test.operand)
    return isinstance(test, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.Constant)


def _is_constant(test: ast.expr) -> bool:
    if isinstance(test, ast.Compare):
        return ast.dump(test.left) == ast.dump(test.comparators[0]) and isinstance(test.ops[0], ast.Eq | ast.Is)
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        return any(_is_constant(value) for value in test.values)
    return isinstance(test, ast.Constant | ast.Tuple) and bool(getattr(test, "value", True))


def _is_weak_call(name: str, call: ast.Call) -> bool:
    first = call.args[0] if call.args else None
    return name in _TRUTHY or (
        name in {"raises", "assertRaises"} and isinstance(first, ast.Name) and first.id in _ANYTHING
    )


def _is_constant_call(name: str, call: ast.Call) -> bool:
    if name == "assertTrue":
        return bool(call.args) and _is_constant(call.args[0])
    return name == "assertEqual" and len(call.args) >= 2 and ast.dump(call.args[0]) == ast.dump(call.args[1])
