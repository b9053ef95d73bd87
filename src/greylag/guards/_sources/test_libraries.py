"""Sources that have what belongs to tests: libraries for tests, and equality of built-in types made anew."""

import re
from collections.abc import Iterator
from itertools import islice

from greylag.guards._code.fresh import Mark
from greylag.guards._code.source import language, scan
from greylag.kinds import TESTS, matches

_IMPORTS = re.compile(
    r"^[ \t]*+(?:import[ \t](?:[^\n#]{0,200}?[ \t,])?|from[ \t]++(?=[^\n]{1,60}?[ \t]import\b))"
    r"(?P<name>unittest\.mock|mock|_?pytest)(?![\w])"
    r"|^[ \t]*+from[ \t]++unittest[ \t]++import\b[^\n#]{0,200}?\b(?P<part>mock)\b"
    r"|\b(?:import_module|__import__)\(\s*+[\"'](?P<called>unittest\.mock|mock|_?pytest)[\"']",
    re.MULTILINE,
)
_FOR_TESTS = """
test* *_test* *pytest* *unittest* *testing* *testutil* *mock* *fixture* *conftest* *stub* *fake* *dummy* noxfile.py
setup.py docs/ doc/ examples/ benchmarks/ benchmark/ scripts/ tools/
"""
_RUBY = re.compile(
    r"^(?:[ \t]*+refine[ \t]++|(?:class|module)[ \t]++|[ \t]++(?:class|module)[ \t]++(?=::))(?:::)?"
    r"(?P<type>Integer|Numeric|Float|String|Symbol|Array|Hash|Object|BasicObject|NilClass|TrueClass|FalseClass|Kernel"
    r"|Comparable|Range|Struct|Set)\b(?![ \t]*+(?:<|::))",
    re.MULTILINE,
)
_EQUAL = re.compile(
    r"^[ \t]*+(?:def[ \t]++(?:===?|!=|eql\?|equal\?|=~|<=>|hash)(?=[\s(])"
    r"|(?:define_method|alias_method|alias)[ \t(]*+:?(?:===?|!=|eql\?|equal\?)(?=[\s,]))",
    re.MULTILINE,
)
_JS = re.compile(
    r"(?<![\w.$])(?:globalThis\.|window\.|global\.)?(?P<what>Object\.(?:is|keys|entries|getOwnPropertyNames|getPrototypeOf)"
    r"|(?:Object|Number|String|Boolean|BigInt|Array|Map|Set)\.prototype(?:\.(?:valueOf|toString|hasOwnProperty|equals)"
    r"|\[Symbol\.toPrimitive\])|JSON\.stringify|Number\.is\w++)\s*+=(?![=>])(?!\s*+[\w.]++\s*+\|\|)"
    r"|\b(?:Object|Reflect)\.defineProperty\(\s*+(?:Object|Number|String|Boolean|Array|JSON)(?:\.prototype)?\s*+,"
    r"\s*+(?:Symbol\.toPrimitive|[\"'](?:is|keys|entries|valueOf|toString|stringify|equals)[\"'])"
)
_MISSING = r"\bif\s*\(\s*(?:!|typeof\s+){}\b[^|;]{{0,60}}\Z"  # where there is none, it may be made
_OPENED, _BEFORE, _MOST = 5000, 120, 200  # characters of a class, and before an assignment; of each in one file


def of_tests(path: str, text: str) -> Iterator[Mark]:
    """Imports of `unittest.mock` and pytest in a source of Python that is not for tests by its name."""
    if language(path) != "python" or matches(path, TESTS) or matches(path, _FOR_TESTS) or "import" not in text:
        return
    code = scan(text, "python").code if _IMPORTS.search(text) else ""
    for match in islice(_IMPORTS.finditer(text), _MOST) if code else ():
        start = match.start() + len(match[0]) - len(match[0].lstrip())
        if code[start] == text[start]:
            whole = match["name"] or match["called"] or match["part"]
            name = "unittest.mock" if "mock" in whole else whole
            yield Mark(name, text.count("\n", 0, start) + 1, name)


def equality(path: str, text: str) -> Iterator[Mark]:
    """Places where a source gives a built-in type of Ruby or JavaScript another equality."""
    if path.endswith(".rb"):
        code = scan(text, "hash").code
        for match in islice(_RUBY.finditer(code), _MOST):
            level = re.match(r"[ \t]*", match[0])
            end = re.compile(rf"^{level[0] if level else ''}end\b", re.MULTILINE)
            found = end.search(code, match.end(), match.end() + _OPENED)
            stop = found.start() if found else match.end() + _OPENED
            for one in islice(_EQUAL.finditer(code, match.end(), stop), _MOST):
                words = f"{match['type']}: {' '.join(one[0].split())}"
                yield Mark(words, code.count("\n", 0, one.start()) + 1, words)
    elif language(path) == "js":
        code = scan(text, "js").code if _JS.search(text) else ""
        for match in islice(_JS.finditer(text), _MOST) if code else ():
            before = code[max(0, match.start() - _BEFORE) : match.start()]
            missing = match["what"] and re.search(_MISSING.format(re.escape(match["what"])), before)
            if code[match.start()] == text[match.start()] and not missing:
                words = " ".join(match[0].split())
                yield Mark(words, code.count("\n", 0, match.start()) + 1, words)
