"""Test code of C that fails no more: a macro or function that checks, `assert` taken away, the status of `main`."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from itertools import islice

from greylag.diffs import FileDiff, parse
from greylag.guards._code.fresh import Mark, fresh
from greylag.guards._code.source import LARGEST, brackets, language, scan
from greylag.guards._guard import finding, read
from greylag.kinds import TESTS, matches
from greylag.model import Diagnostic
from greylag.protocols import Change

_FAILS = re.compile(
    r"\babort\s*+\(|\b(?:_?exit|_Exit|quick_exit)\s*+\((?!\s*+(?:0|EXIT_SUCCESS)\s*+\))|\b(?:sig)?longjmp\s*+\(|\braise\s*+\("
    r"|\b__builtin_trap\b|\bthrow\b|\breturn\b(?!\s*+\(?\s*+(?:0|EXIT_SUCCESS)?\s*+\)?\s*+[;}])"
    r"|\w*(?:[aA]ssert|ASSERT|[fF]ail|FAIL|[eE]xpect|EXPECT|[cC]heck|CHECK|REQUIRE)\w*+\s*+\("
    r"|\b\w*(?:[fF]ail|FAIL|[eE]rr|ERR|[bB]ad|status|result|rc\b|ret\b)\w*+\s*+(?:\+\+|\+=|\|=|=(?!=)\s*+(?!0\s*+;))"
    r"|\+\+\s*+\(?\*?\w*(?:[fF]ail|[eE]rr|[bB]ad)"
)
_DEFINE = re.compile(
    r"^[ \t]*+#[ \t]*+define[ \t]++(\w++)\(([^()\n]{0,300})\)((?>(?:[^\\\n]|\\\r?\n|\\[^\n])*))", re.MULTILINE
)
_FUNCTION = re.compile(r"^[A-Za-z_][\w \t*&]{0,100}[ \t*&](\w++)[ \t]*+\([^;{}]{0,500}\)\s*+(?=\{)", re.MULTILINE)
_NOTHING = r"(?:0[uUlL]{0,3}|false)(?![\w.])"
_IDLE = re.compile(
    rf"(?<![&*/(]\*)(?:&&?|\*)\s*+{_NOTHING}|(?<![\w.]){_NOTHING}\s*+(?:&|\*(?![/*]))|\|\|\s*+(?:1|true)\b"
    rf"|\bif\s*+\(\s*+{_NOTHING}\s*+\)|%\s*+1(?![\w.])|\?\s*+{_NOTHING}\s*+:\s*+{_NOTHING}"
)  # a factor by which nothing is left
_CHECKS = re.compile(r"check|assert|expect|require|verify|ensure|fail|\bok\b|^t_|test", re.IGNORECASE)
_ASSERTION = re.compile(r"assert|CHECK|REQUIRE|EXPECT|ASSERT|VERIFY")
_ASSERTS = re.compile(r"\b(?:\w*(?:assert|ASSERT|CHECK|REQUIRE|EXPECT)\w*|check)\s*+\(")
_OFF = re.compile(
    r"^[ \t]*+#[ \t]*+(?:define[ \t]++NDEBUG\b|undef[ \t]++(?:assert|ASSERT|CHECK|EXPECT|REQUIRE)\w*+)", re.MULTILINE
)
_CALLED = re.compile(r"(?<![\w.])(\w*(?:assert|CHECK|REQUIRE|EXPECT|ASSERT|VERIFY)\w*)\s*+\(")
_MOST, _TWO, _MARKS = 300, 2, 500  # files of tests that are read; marks of one file
_STATUS = re.compile(r"\b(?:return|exit\s*+\()\s*+([^;]{0,200});")
_SUCCESS = re.compile(r"[\s()]*+(?:0|EXIT_SUCCESS)?[\s()]*+")


def toothless(change: Change, files: list[FileDiff]) -> Iterator[Diagnostic]:
    """Findings on files of tests in C, and on sources that switch off what these assert by."""
    files = [file for file in files if language(file.path) == "c" and file.status != "deleted"]
    sources = [file for file in parse(change.diff) if file not in files and language(file.path) == "c"]
    of_tests = partial(_for_tests, _asserted(change)) if sources else switched_off
    for file, mark in (*fresh(change, files, switched_off), *fresh(change, sources, of_tests)):
        message = f"adds `{mark.words}`, by which assertions say nothing"
        yield finding(change, "tests", "tests/runner-name", message, file.path, line=mark.line)
    for file in [file for file in files if file.status in {"modified", "renamed"}]:
        before, after = read(change.base, file.old_path) or "", read(change.head, file.path) or ""
        if max(len(before), len(after)) <= LARGEST:
            yield from _file(change, file, scan(before, "c").code, scan(after, "c").code)


def _file(change: Change, file: FileDiff, before: str, after: str) -> Iterator[Diagnostic]:
    old, new = _checking(before), _checking(after)
    for name in [name for name, body in old.items() if name in new and _FAILS.search(body)]:
        if not _FAILS.search(new[name]) or (_IDLE.search(new[name]) and not _IDLE.search(old[name])):
            message = f"`{name}` fails no more, whatever it is given"
            yield finding(change, "tests", "tests/weaker-assertions", message, file.path)
    for name in _left(before, after):
        message = f"calls `{name}` no more, which is still there and asserts"
        yield finding(change, "tests", "tests/skipped", message, file.path)
    was, now = _main(before), _main(after)
    if was and now and _fails(was) and not _fails(now):
        message = "`main` ends with success, whatever its tests found"
        yield finding(change, "tests", "tests/exit-code", message, file.path)


def _left(before: str, after: str) -> list[str]:
    """Functions that assert, were named beside their definition, and are not any more."""
    words = [Counter(re.findall(r"\w+", code)) for code in (before, after)]
    curly, found = brackets(after, "{}"), list[str]()
    for match in islice(_FUNCTION.finditer(after), 500):
        if words[1][match[1]] == 1 < words[0][match[1]] and match[1] != "main":
            begin, end = curly.after(match.end())
            if _ASSERTS.search(after, begin, end):
                found.append(match[1])
    return found


def _checking(code: str) -> Mapping[str, str]:
    """Macros and functions that check something, by their names."""
    found = {match[1]: match[3] for match in _DEFINE.finditer(code)}
    curly = brackets(code, "{}")
    for match in _FUNCTION.finditer(code):
        if match[1] != "main" and _CHECKS.search(match[1]):
            begin, end = curly.after(match.end())
            found[match[1]] = code[begin : min(end, begin + 5000)]
    return found


_ENDS = re.compile(r"\b(?:abort|__builtin_trap)\s*+\(|\b_?exit\s*+\((?!\s*+(?:0|EXIT_SUCCESS)\s*+\))")
_CHOICE = re.compile(r"\bif\s*+\(|\?|\|\||&&")


@lru_cache(maxsize=16)
def own_assertions(code: str) -> frozenset[str]:
    """Macros and functions with parameters that end the program under a condition, as `assert` does."""
    curly, found = brackets(code, "{}"), set[str]()
    for match in _FUNCTION.finditer(code):
        begin, end = curly.after(match.end())
        body = code[begin : min(end, begin + 5000)]
        if match[1] != "main" and _ENDS.search(body) and _CHOICE.search(body):
            found.add(match[1])
    for match in _DEFINE.finditer(code):
        if match[2].strip() and (
            (_ENDS.search(match[3]) and _CHOICE.search(match[3])) or not found.isdisjoint(re.findall(r"\w+", match[3]))
        ):
            found.add(match[1])
    return frozenset(found)


def _main(code: str) -> str:
    match = re.search(r"\bmain\s*+\([^(){};]{0,300}\)\s*+(?=\{)", code)
    return code[slice(*brackets(code, "{}").after(match.end()))] if match else ""


def _fails(body: str) -> bool:
    return any(not _SUCCESS.fullmatch(match[1]) and not _IDLE.search(match[1]) for match in _STATUS.finditer(body))


def _asserted(change: Change) -> frozenset[str]:
    """Macros that tests of the head assert by, and do not make themselves; `NDEBUG` where one is `assert`."""
    paths = (path for path in change.head.paths() if language(path) == "c" and matches(path, TESTS))
    found, own = set[str](), set[str]()
    for path in islice(paths, _MOST):
        code = scan((read(change.head, path) or "")[:LARGEST], "c").code
        found.update(_CALLED.findall(code))
        own.update(match[1] for match in _DEFINE.finditer(code))
    return frozenset(found - own)


def _for_tests(asserted: frozenset[str], path: str, text: str) -> Iterator[Mark]:
    """Of a source, what concerns assertions of tests. One that has two forms of a macro chooses between them."""
    for mark in switched_off(path, text):
        name = mark.words.split()[-1]
        forms = sum(1 for match in _DEFINE.finditer(text) if match[1] == name)
        if (name in asserted and forms < _TWO) or (name == "NDEBUG" and "assert" in asserted):
            yield mark


def switched_off(path: str, text: str) -> Iterator[Mark]:
    """`NDEBUG`, and assertions that are defined anew as something that cannot fail."""
    yield from islice(_switched_off(path, text), _MARKS)


def _switched_off(path: str, text: str) -> Iterator[Mark]:
    if language(path) != "c" or "#" not in text:
        return
    code = scan(text, "c").code
    own = {match[1] for match in _DEFINE.finditer(code) if _FAILS.search(match[3])}
    for match in _OFF.finditer(code):
        if match[0].split()[-1] in own:
            continue  # put to one that fails
        yield Mark(" ".join(match[0].split()), code.count("\n", 0, match.start()) + 1, " ".join(match[0].split()))
    for match in _DEFINE.finditer(code):
        if _ASSERTION.match(match[1]) and not _FAILS.search(match[3]):
            yield Mark(match[1], code.count("\n", 0, match.start()) + 1, f"#define {match[1]}")
